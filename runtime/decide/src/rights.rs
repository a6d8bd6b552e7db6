//! Who may do what with a mailbox: rights of somebody at a moment, from its owner and its list (RFC 4314).

use std::collections::BTreeSet;

use mail::{Grant, Grantee, Login, Rights};

/// Whose account a mailbox is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    Person(&'a Login),
    /// The group of a functional address with mailboxes of its own: its members may do everything but give rights.
    Members(&'a Grantee),
}

/// Somebody, under every name rights may be given to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    pub login: Login,
    /// Of the functional addresses and the unit this person belongs to now, as `Grantee::Group` spells them.
    pub groups: BTreeSet<String>,
}

impl Asker {
    pub fn is(&self, grantee: &Grantee) -> bool {
        match grantee {
            Grantee::Anyone => true,
            Grantee::Login(login) => login.as_str().eq_ignore_ascii_case(self.login.as_str()),
            Grantee::Group(group) => self.groups.contains(group),
        }
    }

    /// All names a list may have this person under.
    pub fn names(&self) -> Vec<Grantee> {
        let groups = self.groups.iter().cloned().map(Grantee::Group);
        [Grantee::Anyone].into_iter().chain(Grantee::of(&self.login)).chain(groups).collect()
    }
}

/// What `asker` may do. The owner may do everything, whatever the list says, so that nobody locks themselves out. For
/// anybody else it is what all entries give that name them and hold now, less what negative ones take (RFC 4314 2).
pub fn rights(asker: &Asker, owner: Owner<'_>, list: &[Grant], now_s: i64) -> Rights {
    let given = match owner {
        Owner::Person(login) if asker.is(&Grantee::Login(login.clone())) => return Rights::ALL,
        Owner::Members(group) if asker.is(group) => Rights::MEMBER,
        Owner::Person(_) | Owner::Members(_) => Rights::NONE,
    };
    let of = |negative: bool| {
        let entries = list.iter().filter(|entry| entry.identifier.negative == negative && entry.holds_at(now_s));
        let mine = entries.filter(|entry| asker.is(&entry.identifier.grantee));
        mine.fold(Rights::NONE, |rights, entry| rights.with(entry.rights))
    };
    given.with(of(false)).without(of(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail::Identifier;

    fn asker(login: &str, groups: &[&str]) -> Asker {
        Asker { login: Login::new(login).unwrap(), groups: groups.iter().map(|&group| group.to_owned()).collect() }
    }

    fn list(entries: &[(&str, &str, Option<i64>)]) -> Vec<Grant> {
        let grant = |(identifier, rights, until_s): &(&str, &str, Option<i64>)| Grant {
            identifier: Identifier::parse(identifier).unwrap(),
            rights: Rights::parse(rights).unwrap(),
            until_s: *until_s,
        };
        entries.iter().map(grant).collect()
    }

    #[test]
    fn entries_add_up_negative_ones_take_away_and_ended_ones_say_nothing() {
        let owner = Login::new("owner").unwrap();
        let entries = list(&[
            ("anyone", "l", None),
            ("b", "rs", Some(100)),
            ("$physics", "wi", None),
            ("-c", "w", None),
            ("-b", "s", Some(50)),
        ]);
        for (who, groups, now_s, expected) in [
            ("b", &[][..], 10, "lr"),
            ("b", &[], 50, "lrs"),
            ("B", &[], 99, "lrs"),
            ("b", &[], 100, "l"),
            ("c", &["physics"], 10, "li"),
            ("d", &["physics"], 10, "lwi"),
            ("d", &["chemistry"], 10, "l"),
            ("Owner", &[], 10, "lrswipkxtea"),
        ] {
            let rights = rights(&asker(who, groups), Owner::Person(&owner), &entries, now_s);
            assert_eq!(rights.to_string(), expected, "{who} at {now_s}");
        }
    }

    #[test]
    fn members_of_a_functional_address_may_do_everything_but_give_rights() {
        let group = Grantee::parse("$contact@example.org").unwrap();
        let entries = list(&[("-c", "e", None), ("d", "lra", None)]);
        for (who, groups, expected) in [
            ("b", &["contact@example.org"][..], "lrswipkxte"),
            ("c", &["contact@example.org"], "lrswipkxt"),
            ("d", &["contact@example.org"], "lrswipkxtea"),
            ("d", &[], "lra"),
            ("e", &["other@example.org"], ""),
        ] {
            let rights = rights(&asker(who, groups), Owner::Members(&group), &entries, 0);
            assert_eq!(rights.to_string(), expected, "{who}");
        }
    }
}
