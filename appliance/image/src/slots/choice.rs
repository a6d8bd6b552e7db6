//! What systemd-boot starts: names of unified kernel images with their boot counters (Boot Loader Specification, "Boot
//! counting"), the order of entries, and what trying one does to its name. Pure: names in, names out.

use std::cmp::Ordering;
use std::fmt;

use super::version;
use crate::layout::Layout;

const SUFFIX: &str = ".efi";
/// In front of the version in the names this program gives.
const PREFIX: &str = "facteur_";

/// `NAME.efi`, `NAME+LEFT.efi` or `NAME+LEFT-DONE.efi` in `EFI/Linux`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryName {
    /// Without counters and suffix.
    pub id: String,
    pub counter: Option<Counter>,
}

/// Tries left before the entry is bad, and tries done without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    pub left: u32,
    pub done: u32,
}

impl EntryName {
    /// `None` for a file that is no entry.
    pub fn parse(file: &str) -> Option<EntryName> {
        let stem = file.strip_suffix(SUFFIX).filter(|stem| !stem.is_empty())?;
        let counted = stem.rsplit_once('+').and_then(|(id, counters)| Some((id, counter(counters)?)));
        Some(match counted {
            Some((id, counter)) => EntryName { id: id.to_owned(), counter: Some(counter) },
            None => EntryName { id: stem.to_owned(), counter: None },
        })
    }

    /// The version in a name of ours, `facteur_VERSION_DIGITS`. Its kernel image says the same to the loader.
    pub fn version(&self) -> Option<&str> {
        self.id.strip_prefix(PREFIX)?.rsplit_once('_').map(|(version, _)| version)
    }

    /// Nothing is left to try: started only when nothing better is there.
    pub fn is_bad(&self) -> bool {
        self.counter.is_some_and(|counter| counter.left == 0)
    }

    /// With all its tries again.
    pub fn rearmed(&self) -> EntryName {
        EntryName { id: self.id.clone(), counter: Some(Counter { left: Layout::TRIES, done: 0 }) }
    }

    /// Given up: every other entry comes before it.
    pub fn given_up(&self) -> EntryName {
        EntryName { id: self.id.clone(), counter: Some(Counter { left: 0, done: Layout::TRIES }) }
    }

    /// As the loader renames it before it starts it.
    pub fn tried(&self) -> EntryName {
        let counter = self.counter.map(|counter| match counter.left {
            0 => counter,
            left => Counter { left: left - 1, done: counter.done.saturating_add(1) },
        });
        EntryName { id: self.id.clone(), counter }
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        match self.counter {
            None => {}
            Some(Counter { left, done: 0 }) => write!(f, "+{left}")?,
            Some(Counter { left, done }) => write!(f, "+{left}-{done}")?,
        }
        f.write_str(SUFFIX)
    }
}

/// `LEFT` or `LEFT-DONE`: decimal digits only.
fn counter(text: &str) -> Option<Counter> {
    let number = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (left, done) = text.split_once('-').unwrap_or((text, "0"));
    Some(Counter { left: number(left)?, done: number(done)? })
}

/// The order of entries that have the same sort key: what is to be started first comes first. Names of ours are ordered by
/// their version, which the loader has from the kernel image; names of others by the whole name, as it does without one.
pub fn order(a: &EntryName, b: &EntryName) -> Ordering {
    let tries = |entry: &EntryName| entry.counter.map(|counter| (std::cmp::Reverse(counter.left), counter.done));
    let by_version = match (a.version(), b.version()) {
        (Some(a), Some(b)) => version::compare(b, a),
        _ => Ordering::Equal,
    };
    let by_name = || version::compare(&b.id, &a.id);
    a.is_bad().cmp(&b.is_bad()).then(by_version).then_with(by_name).then_with(|| match (tries(a), tries(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => Ordering::Equal,
    })
}

/// The entry that is started now, of the files in `EFI/Linux`.
pub fn choice<'a>(files: impl IntoIterator<Item = &'a str>) -> Option<EntryName> {
    files.into_iter().filter_map(EntryName::parse).min_by(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(file: &str) -> EntryName {
        EntryName::parse(file).unwrap_or_else(|| panic!("{file}"))
    }

    #[test]
    fn names_of_the_specification_are_read_and_written_again() {
        for (file, id, counter) in [
            ("foo.efi", "foo", None),
            ("foo+3.efi", "foo", Some((3, 0))),
            ("foo+2-1.efi", "foo", Some((2, 1))),
            ("foo+0-3.efi", "foo", Some((0, 3))),
            ("facteur_1.2+3.efi", "facteur_1.2", Some((3, 0))),
            ("a+b+1.efi", "a+b", Some((1, 0))),
            ("a+b.efi", "a+b", None),
            ("a+1-.efi", "a+1-", None),
            ("a+-1.efi", "a+-1", None),
            ("a+99999999999.efi", "a+99999999999", None),
        ] {
            let parsed = name(file);
            let counter = counter.map(|(left, done)| Counter { left, done });
            assert_eq!(parsed, EntryName { id: id.to_owned(), counter }, "{file}");
            assert_eq!(parsed.to_string(), file);
        }
        for none in ["foo.conf", "foo.efi.part", ".efi", "foo"] {
            assert_eq!(EntryName::parse(none), None, "{none}");
        }
    }

    #[test]
    fn the_newest_that_has_tries_left_is_started() {
        for (files, expected) in [
            (&["facteur_1.9.efi", "facteur_1.10.efi"][..], "facteur_1.10.efi"),
            (&["facteur_2+0-3.efi", "facteur_1+3.efi"], "facteur_1+3.efi"),
            (&["facteur_2+1-2.efi", "facteur_1.efi"], "facteur_2+1-2.efi"),
            // Better a bad one than none.
            (&["facteur_2+0-3.efi", "facteur_1+0-3.efi"], "facteur_2+0-3.efi"),
            (&["facteur_2+1-2.efi", "facteur_2+3.efi"], "facteur_2+3.efi"),
            // The digits behind the version are no part of it.
            (&["facteur_1.2_9abc+3.efi", "facteur_1.2.1_0def+3.efi"], "facteur_1.2.1_0def+3.efi"),
            (&["facteur_3.efi.part", "facteur_1+3.efi", "loader.conf"], "facteur_1+3.efi"),
        ] {
            assert_eq!(choice(files.iter().copied()).map(|it| it.to_string()).as_deref(), Some(expected), "{files:?}");
        }
        assert_eq!(choice(["readme.txt"]), None);
    }

    #[test]
    fn three_failures_fall_back_and_a_success_between_them_counts_afresh() {
        let mut files = vec!["facteur_1+3.efi".to_owned(), "facteur_2+3.efi".to_owned()];
        let mut boot = |succeeds: bool| {
            let chosen = choice(files.iter().map(String::as_str)).expect("an entry");
            let at = files.iter().position(|file| *file == chosen.to_string()).expect("it is there");
            let tried = chosen.tried();
            files[at] = if succeeds { tried.rearmed() } else { tried.clone() }.to_string();
            tried.to_string()
        };
        let boots: Vec<String> = [false, false, true, false, false, false, true].into_iter().map(&mut boot).collect();
        let expected = ["2+2-1", "2+1-2", "2+0-3", "2+2-1", "2+1-2", "2+0-3", "1+2-1"];
        assert_eq!(boots, expected.map(|it| format!("facteur_{it}.efi")));
        assert_eq!(files, ["facteur_1+3.efi", "facteur_2+0-3.efi"]);
    }

    #[test]
    fn who_is_given_up_comes_behind_who_is_not() {
        let entry = name("facteur_2_0abc+3.efi");
        assert_eq!((entry.version(), name("facteur.efi").version()), (Some("2"), None));
        assert_eq!(entry.given_up().to_string(), "facteur_2_0abc+0-3.efi");
        assert_eq!(order(&entry.given_up(), &name("facteur_1_0abc+3.efi")), Ordering::Greater);
        assert_eq!(entry.given_up().tried(), entry.given_up());
        assert_eq!(name("foo.efi").tried(), name("foo.efi"));
    }
}
