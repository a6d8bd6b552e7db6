//! What was imported, and what of what is given now is taken. A value is taken once: whoever can change the machine's
//! credentials later must not change the server by a reboot.

use std::collections::BTreeMap;

use super::given::{Given, KEYS};

/// Item to the BLAKE3 of the value that was taken.
pub type Digests = BTreeMap<String, String>;

/// What becomes of a value that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Take,
    /// It was taken before.
    Known,
    /// Another was taken before; this one is told of.
    Differs,
}

/// Of one item. `again`: somebody at the console wants what is given now. Keys are of the first boot alone: they are changed by who
/// has them, or by break-glass, which says so.
pub fn judge(taken: &Digests, item: &str, digest: &str, again: bool) -> Verdict {
    match taken.get(item) {
        Some(before) if before == digest => Verdict::Known,
        Some(_) if again && item != KEYS => Verdict::Take,
        Some(_) => Verdict::Differs,
        // What is new after a first boot is taken as well: it replaces nothing. Not so a key.
        None if item == KEYS && !taken.is_empty() => Verdict::Differs,
        None => Verdict::Take,
    }
}

pub fn digest(value: &str) -> String {
    blake3::hash(value.as_bytes()).to_hex().to_string()
}

/// Items with their verdict, in order of name.
pub fn verdicts(taken: &Digests, given: &Given, again: bool) -> Vec<(String, Verdict)> {
    let verdict = |(item, value): (&String, &String)| (item.clone(), judge(taken, item, &digest(value), again));
    given.values.iter().map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_taken_once_and_another_only_on_demand_and_a_key_never() {
        let taken = Digests::from([("site".to_owned(), "a".to_owned()), ("keys".to_owned(), "k".to_owned())]);
        for (item, digest, again, expected) in [
            ("site", "a", false, Verdict::Known),
            ("site", "b", false, Verdict::Differs),
            ("site", "b", true, Verdict::Take),
            ("secret/new", "s", false, Verdict::Take),
            ("keys", "k", true, Verdict::Known),
            ("keys", "other", true, Verdict::Differs),
        ] {
            assert_eq!(judge(&taken, item, digest, again), expected, "{item} {digest} {again}");
        }
        assert_eq!(judge(&Digests::new(), "keys", "k", false), Verdict::Take);
        let without_keys = Digests::from([("site".to_owned(), "a".to_owned())]);
        assert_eq!(judge(&without_keys, "keys", "k", true), Verdict::Differs, "a key that comes later is no first one");
    }
}
