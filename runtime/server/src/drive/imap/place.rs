//! Where a mailbox is: the name somebody gives it, and the account and the name it has there.
//!
//! One's own mailboxes have their own names. Those of other people are `Other Users/LOGIN` (their INBOX) and what is below
//! it, those of a functional address `Shared Folders/LOCAL-PART` and what is below; where it is no address of the main domain,
//! its whole address stands in place of the local part.

use mail::mailbox_name::{NAMESPACES, SEPARATOR};
use mail::{Address, Domain, Grantee, Login, MailboxName};

/// A mailbox, there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub account: Login,
    pub name: MailboxName,
    /// The first levels of its name here, which are the name of INBOX; empty in one's own account.
    pub root: String,
}

/// What a name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    Own(Place),
    Others(Place),
    /// In a name space, and no mailbox is or can be there.
    Nowhere,
}

impl Place {
    pub fn is_own(&self) -> bool {
        self.root.is_empty()
    }

    /// A mailbox of one's own account.
    pub fn own(login: &Login, name: &MailboxName) -> Place {
        Place { account: login.clone(), name: name.clone(), root: String::new() }
    }
}

/// The group of an account that is a functional address's.
pub fn members(account: &Login) -> Option<Grantee> {
    account.function().map(|address| Grantee::Group(address.folded()))
}

/// Reads a name that `login` gives. `main` is the domain whose addresses are known by their local part.
pub fn named(login: &Login, main: &Domain, name: &MailboxName) -> Named {
    let first = name.as_str().split(SEPARATOR).next();
    if !NAMESPACES.iter().any(|space| Some(*space) == first) {
        return Named::Own(Place::own(login, name));
    }
    others(main, name)
        .filter(|place| !place.account.as_str().eq_ignore_ascii_case(login.as_str()))
        .map_or(Named::Nowhere, Named::Others)
}

/// The mailbox of another account that a name in a name space is of.
pub fn others(main: &Domain, name: &MailboxName) -> Option<Place> {
    let mut levels = name.as_str().splitn(3, SEPARATOR);
    let [first, second, rest] = [levels.next(), levels.next(), levels.next()];
    let space = NAMESPACES.iter().position(|space| Some(*space) == first)?;
    let account = match (space, second?) {
        (0, login) => {
            let is_spelled = |it: &Login| it.function().is_none() && !login.contains(|c: char| c.is_ascii_uppercase());
            Login::new(login).filter(is_spelled)?
        }
        (_, local) => Login::of_function(&function(main, local)?)?,
    };
    let inner = match rest {
        None => MailboxName::inbox(),
        // INBOX has one name.
        Some(rest) => MailboxName::new(rest).ok().filter(|name| !name.is_inbox())?,
    };
    // Another spelling of it is none.
    let (_, root) = shown(main, &account, &inner).filter(|(same, _)| same == name)?;
    Some(Place { account, name: inner, root })
}

/// The name a mailbox of another account has for everybody else, and that of its INBOX; `None` when it is too long.
pub fn shown(main: &Domain, account: &Login, name: &MailboxName) -> Option<(MailboxName, String)> {
    let [others, shared] = NAMESPACES;
    let root = match account.function() {
        Some(address) if address.domain() == main => format!("{shared}/{}", address.local()),
        Some(address) => format!("{shared}/{address}"),
        None => format!("{others}/{account}"),
    };
    let whole = if name.is_inbox() { root.clone() } else { format!("{root}/{name}") };
    Some((MailboxName::new(&whole).ok()?, root))
}

fn function(main: &Domain, text: &str) -> Option<Address> {
    if text.contains('@') { text.parse().ok() } else { Address::new(text, main.clone()).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> Option<(String, String, String)> {
        let main = "example.org".parse().unwrap();
        match named(&Login::new("toto-j").unwrap(), &main, &MailboxName::new(name).unwrap()) {
            Named::Own(place) | Named::Others(place) => {
                Some((place.account.to_string(), place.name.to_string(), place.root))
            }
            Named::Nowhere => None,
        }
    }

    #[test]
    fn names_lead_to_accounts_and_back() {
        for (name, account, inner, root) in [
            ("Sent", "toto-j", "Sent", ""),
            ("Other", "toto-j", "Other", ""),
            ("Other Users/dupont-m", "dupont-m", "INBOX", "Other Users/dupont-m"),
            ("Other Users/dupont-m/a/b", "dupont-m", "a/b", "Other Users/dupont-m"),
            ("Other Users/dupont-m/INBOX/x", "dupont-m", "INBOX/x", "Other Users/dupont-m"),
            ("Shared Folders/contact", "$contact%example.org", "INBOX", "Shared Folders/contact"),
            ("Shared Folders/it@b.example/x", "$it%b.example", "x", "Shared Folders/it@b.example"),
        ] {
            let expected = (account.to_owned(), inner.to_owned(), root.to_owned());
            assert_eq!(read(name), Some(expected), "{name}");
            if !root.is_empty() {
                let (account, inner) = (Login::new(account).unwrap(), MailboxName::new(inner).unwrap());
                let back = shown(&"example.org".parse().unwrap(), &account, &inner);
                assert_eq!(back, Some((MailboxName::new(name).unwrap(), root.to_owned())));
            }
        }
    }

    #[test]
    fn each_mailbox_has_one_name() {
        for name in [
            "Other Users",
            "Shared Folders",
            "Other Users/toto-j",
            "Other Users/dupont-m/INBOX",
            "Other Users/a b",
            "Other Users/Dupont-M",
            "Shared Folders/contact@example.org",
            "Shared Folders/Contact",
            "Shared Folders/a b",
        ] {
            assert_eq!(read(name), None, "{name}");
        }
    }
}
