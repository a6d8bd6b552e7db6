//! What was imported, and what of what is given now is taken. A value is taken once: whoever can change the machine's
//! credentials later must not change the server by a reboot.

use std::collections::BTreeMap;

use super::given::{Given, KEYS, OPERATORS, PASSWORD, PEOPLE};

/// Item to the BLAKE3 of the value that was taken.
pub type Digests = BTreeMap<String, String>;

/// Stands for the digest of a value that was given at a first boot and refused. BLAKE3 writes nothing like it.
pub const REFUSED: &str = "refused";

/// What becomes of a value that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Take,
    /// It was taken before.
    Known,
    /// Another was taken before; this one is told of.
    Differs,
}

/// Who asks, and of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Somebody at the console wants what is given now.
    pub again: bool,
    /// The store has no people, so that nobody is changed by any.
    pub nobody: bool,
    /// The note of what was taken is there and does not open: `seal.key` is another than it was, and this is no first boot.
    pub closed: bool,
}

/// Of one item. Keys are of the first boot alone: they are changed by who has them, or by break-glass, which says so.
pub fn judge(taken: &Digests, item: &str, digest: &str, asked: Asked) -> Verdict {
    if asked.closed && (!asked.again || item == KEYS) {
        return Verdict::Differs;
    }
    let later = asked.closed || taken.values().any(|digest| digest != REFUSED);
    let is_of_people = item == PEOPLE || item.starts_with(PASSWORD);
    match taken.get(item) {
        Some(before) if before == digest => Verdict::Known,
        // It stood in the place of nothing.
        Some(before) if before == REFUSED => Verdict::Take,
        Some(_) if asked.again && item != KEYS => Verdict::Take,
        Some(_) => Verdict::Differs,
        // What is new after a first boot is taken as well: it replaces nothing. Not so who may deploy, operate or log in.
        None if item == KEYS && later => Verdict::Differs,
        None if item == OPERATORS && later && !asked.again => Verdict::Differs,
        None if is_of_people && later && !asked.again && !asked.nobody => Verdict::Differs,
        None => Verdict::Take,
    }
}

pub fn digest(value: &str) -> String {
    blake3::hash(value.as_bytes()).to_hex().to_string()
}

/// Items with their verdict, in order of name.
pub fn verdicts(taken: &Digests, given: &Given, asked: Asked) -> Vec<(String, Verdict)> {
    let verdict = |(item, value): (&String, &String)| (item.clone(), judge(taken, item, &digest(value), asked));
    given.values.iter().map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: Asked = Asked { again: false, nobody: false, closed: false };
    const AGAIN: Asked = Asked { again: true, ..BOOT };
    const EMPTY: Asked = Asked { nobody: true, ..BOOT };
    const CLOSED: Asked = Asked { closed: true, nobody: true, ..BOOT };

    #[test]
    fn a_value_is_taken_once_and_another_only_on_demand_and_a_key_never() {
        let taken = Digests::from([("site".to_owned(), "a".to_owned()), ("keys".to_owned(), "k".to_owned())]);
        for (item, digest, asked, expected) in [
            ("site", "a", BOOT, Verdict::Known),
            ("site", "b", BOOT, Verdict::Differs),
            ("site", "b", AGAIN, Verdict::Take),
            ("secret/new", "s", BOOT, Verdict::Take),
            ("keys", "k", AGAIN, Verdict::Known),
            ("keys", "other", AGAIN, Verdict::Differs),
            // By a reboot nobody gets in; somebody at the console lets them.
            ("operators", "o", BOOT, Verdict::Differs),
            ("operators", "o", EMPTY, Verdict::Differs),
            ("operators", "o", AGAIN, Verdict::Take),
            ("people", "p", BOOT, Verdict::Differs),
            ("people", "p", AGAIN, Verdict::Take),
            ("secret/password.anne", "s", BOOT, Verdict::Differs),
            ("secret/password.anne", "s", AGAIN, Verdict::Take),
            // A list that was refused at first boot, mended.
            ("people", "p", EMPTY, Verdict::Take),
            ("secret/password.anne", "s", EMPTY, Verdict::Take),
        ] {
            assert_eq!(judge(&taken, item, digest, asked), expected, "{item} {digest} {asked:?}");
        }
        for item in ["keys", "operators", "people", "secret/password.anne"] {
            assert_eq!(judge(&Digests::new(), item, "k", BOOT), Verdict::Take, "{item} at first boot");
        }
        for item in ["keys", "operators", "people", "secret/password.anne", "site", "secret/ldap"] {
            assert_eq!(judge(&Digests::new(), item, "k", CLOSED), Verdict::Differs, "{item} with a lost seal.key");
            let expected = if item == "keys" { Verdict::Differs } else { Verdict::Take };
            assert_eq!(judge(&Digests::new(), item, "k", Asked { again: true, ..CLOSED }), expected, "{item}");
        }
        let refused = Digests::from(["keys", "operators"].map(|item| (item.to_owned(), REFUSED.to_owned())));
        let with_site = [refused.clone(), taken.clone()].into_iter().flatten().chain(refused.clone()).collect();
        for taken in [&refused, &with_site] {
            assert_eq!(judge(taken, "keys", "k", BOOT), Verdict::Take, "mended");
            assert_eq!(judge(taken, "operators", "o", BOOT), Verdict::Take, "mended");
        }
        assert_eq!(judge(&refused, "people", "p", BOOT), Verdict::Take, "nothing was taken yet");
        let without_keys = Digests::from([("site".to_owned(), "a".to_owned())]);
        assert_eq!(
            judge(&without_keys, "keys", "k", AGAIN),
            Verdict::Differs,
            "a key that comes later is no first one"
        );
    }
}
