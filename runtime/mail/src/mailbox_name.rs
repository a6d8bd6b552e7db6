//! Names of mailboxes (RFC 9051 5.1): UTF-8, hierarchy separator `/`, INBOX in any case.

use std::fmt;

/// Hierarchy separator.
pub const SEPARATOR: char = '/';
/// First levels of names that are no mailboxes of one's own (RFC 2342): other people's, and those of functional addresses.
pub const NAMESPACES: [&str; 2] = ["Other Users", "Shared Folders"];
/// Longest name in octets of UTF-8.
pub const NAME_OCTETS_MAX: usize = 512;
/// Deepest hierarchy.
pub const LEVELS_MAX: usize = 16;

/// A mailbox name: `INBOX`, or levels joined by `/`, none empty, no control character, no `%` or `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName(String);

/// Why a text names no mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadMailboxName {
    Empty,
    TooLong,
    TooDeep,
    Character,
}

impl fmt::Display for BadMailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadMailboxName::Empty => "a mailbox name and each of its levels has a character",
            BadMailboxName::TooLong => "a mailbox name has at most 512 octets",
            BadMailboxName::TooDeep => "a mailbox name has at most 16 levels",
            BadMailboxName::Character => "a mailbox name has no control character, % or *",
        })
    }
}

impl std::error::Error for BadMailboxName {}

impl MailboxName {
    pub fn inbox() -> MailboxName {
        MailboxName("INBOX".to_owned())
    }

    /// One trailing separator is dropped, as RFC 9051 6.3.4 lets CREATE announce children.
    pub fn new(text: &str) -> Result<MailboxName, BadMailboxName> {
        let text = text.strip_suffix(SEPARATOR).unwrap_or(text);
        if text.len() > NAME_OCTETS_MAX {
            return Err(BadMailboxName::TooLong);
        }
        if text.chars().any(|c| c.is_control() || c == '%' || c == '*' || c == '\u{2028}' || c == '\u{2029}') {
            return Err(BadMailboxName::Character);
        }
        let levels: Vec<&str> = text.split(SEPARATOR).collect();
        if levels.iter().any(|level| level.is_empty()) {
            return Err(BadMailboxName::Empty);
        }
        if levels.len() > LEVELS_MAX {
            return Err(BadMailboxName::TooDeep);
        }
        if levels[0].eq_ignore_ascii_case("INBOX") {
            return Ok(MailboxName(format!("INBOX{}", &text["INBOX".len()..])));
        }
        Ok(MailboxName(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }

    /// The names above this one, the nearest first.
    pub fn parents(&self) -> impl Iterator<Item = MailboxName> + '_ {
        self.0.rmatch_indices(SEPARATOR).map(|(at, _)| MailboxName(self.0[..at].to_owned()))
    }

    /// Does this name lie under `above`?
    pub fn is_under(&self, above: &MailboxName) -> bool {
        self.0.strip_prefix(above.0.as_str()).is_some_and(|rest| rest.starts_with(SEPARATOR))
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a mailbox is for (RFC 6154).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpecialUse {
    Archive,
    Drafts,
    Junk,
    Sent,
    Trash,
}

impl SpecialUse {
    pub const ALL: [SpecialUse; 5] =
        [SpecialUse::Archive, SpecialUse::Drafts, SpecialUse::Junk, SpecialUse::Sent, SpecialUse::Trash];

    /// The attribute in LIST responses.
    pub fn attribute(self) -> &'static str {
        match self {
            SpecialUse::Archive => "\\Archive",
            SpecialUse::Drafts => "\\Drafts",
            SpecialUse::Junk => "\\Junk",
            SpecialUse::Sent => "\\Sent",
            SpecialUse::Trash => "\\Trash",
        }
    }

    /// Of an attribute, in any case.
    pub fn named(attribute: &str) -> Option<SpecialUse> {
        SpecialUse::ALL.into_iter().find(|each| each.attribute().eq_ignore_ascii_case(attribute))
    }
}

/// The law of mailbox names: what is taken is within its limits, is taken again as it is, and lies under each of its parents.
pub fn fuzz(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let Ok(name) = MailboxName::new(text) else { return };
    assert_eq!(MailboxName::new(name.as_str()).as_ref(), Ok(&name), "{name} is taken again");
    assert!((1..=NAME_OCTETS_MAX).contains(&name.as_str().len()), "{name} is too long");
    assert!(!name.as_str().contains(char::is_control), "{name:?} could end a line");
    let parents: Vec<MailboxName> = name.parents().collect();
    assert_eq!(parents.len(), name.as_str().matches(SEPARATOR).count(), "{name} has a parent for each level");
    assert!(parents.len() < LEVELS_MAX, "{name} is too deep");
    for parent in parents {
        assert!(name.is_under(&parent), "{name} is under {parent}");
        assert_eq!(MailboxName::new(parent.as_str()).as_ref(), Ok(&parent), "a parent is a name");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inbox_has_one_spelling() {
        assert!(MailboxName::new("inBox").unwrap().is_inbox());
        assert_eq!(MailboxName::new("inbox/Lists").unwrap().as_str(), "INBOX/Lists");
        assert_eq!(MailboxName::new("Inboxes").unwrap().as_str(), "Inboxes");
    }

    #[test]
    fn a_use_is_known_by_its_attribute() {
        assert!(SpecialUse::ALL.into_iter().all(|each| SpecialUse::named(each.attribute()) == Some(each)));
        assert_eq!(SpecialUse::named("\\sENT"), Some(SpecialUse::Sent));
        assert_eq!((SpecialUse::named("Sent"), SpecialUse::named("\\All")), (None, None));
    }

    #[test]
    fn names_that_clients_could_not_address_are_refused() {
        for (name, bad) in [
            ("", BadMailboxName::Empty),
            ("a//b", BadMailboxName::Empty),
            ("/a", BadMailboxName::Empty),
            ("a*", BadMailboxName::Character),
            ("a\r\nb", BadMailboxName::Character),
        ] {
            assert_eq!(MailboxName::new(name), Err(bad), "{name:?}");
        }
        assert_eq!(MailboxName::new(&["a"; 17].join("/")), Err(BadMailboxName::TooDeep));
        assert_eq!(MailboxName::new("Archives/").unwrap().as_str(), "Archives");
    }

    #[test]
    fn parents_come_nearest_first() {
        let name = MailboxName::new("a/b/c").unwrap();
        let parents: Vec<String> = name.parents().map(|p| p.to_string()).collect();
        assert_eq!(parents, ["a/b", "a"]);
        assert!(name.is_under(&MailboxName::new("a").unwrap()));
        assert!(!MailboxName::new("ab").unwrap().is_under(&MailboxName::new("a").unwrap()));
    }

    proptest::proptest! {
        #[test]
        fn any_text_keeps_the_law(text in "[inboxINBOXé/&%* -]{0,20}", noise in ".{0,20}") {
            fuzz(text.as_bytes());
            fuzz(noise.as_bytes());
        }
    }
}
