//! Message flags and keywords (RFC 9051 2.3.2).

use std::collections::BTreeSet;
use std::fmt;

/// Longest keyword we keep, in octets; the RFC has no bound, a store must.
pub const KEYWORD_OCTETS_MAX: usize = 64;
/// Most keywords on one message.
pub const KEYWORDS_MAX: usize = 64;

/// System flags as a bit set. `\Recent` is withdrawn by RFC 9051 and never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemFlags(u8);

impl SystemFlags {
    pub const NONE: SystemFlags = SystemFlags(0);
    pub const SEEN: SystemFlags = SystemFlags(1);
    pub const ANSWERED: SystemFlags = SystemFlags(2);
    pub const FLAGGED: SystemFlags = SystemFlags(4);
    pub const DELETED: SystemFlags = SystemFlags(8);
    pub const DRAFT: SystemFlags = SystemFlags(16);

    /// In the order responses list them.
    pub const ALL: [(SystemFlags, &'static str); 5] = [
        (SystemFlags::ANSWERED, "\\Answered"),
        (SystemFlags::FLAGGED, "\\Flagged"),
        (SystemFlags::DELETED, "\\Deleted"),
        (SystemFlags::SEEN, "\\Seen"),
        (SystemFlags::DRAFT, "\\Draft"),
    ];

    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Unknown bits are dropped.
    pub const fn from_bits(bits: u8) -> SystemFlags {
        SystemFlags(bits & 31)
    }

    pub const fn contains(self, other: SystemFlags) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    pub const fn with(self, other: SystemFlags) -> SystemFlags {
        SystemFlags(self.0 | other.0)
    }

    #[must_use]
    pub const fn without(self, other: SystemFlags) -> SystemFlags {
        SystemFlags(self.0 & !other.0)
    }

    /// The system flag of this name, `\seen` in any case.
    pub fn named(name: &str) -> Option<SystemFlags> {
        SystemFlags::ALL.iter().find(|(_, n)| n.eq_ignore_ascii_case(name)).map(|(flag, _)| *flag)
    }
}

/// A keyword: an atom that does not begin with `\` (RFC 9051 9 `flag-keyword`). Compared without case, kept as
/// first written.
#[derive(Clone, Debug)]
pub struct Keyword(String);

impl Keyword {
    /// `None` when the text is no atom or is too long.
    pub fn new(text: &str) -> Option<Keyword> {
        let atom = !text.is_empty()
            && text.len() <= KEYWORD_OCTETS_MAX
            && text.bytes().all(|b| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b));
        atom.then(|| Keyword(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|octet| octet.to_ascii_lowercase())
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Keyword) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Keyword {}

impl PartialOrd for Keyword {
    fn partial_cmp(&self, other: &Keyword) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Keyword {
    fn cmp(&self, other: &Keyword) -> std::cmp::Ordering {
        self.folded().cmp(other.folded())
    }
}

/// All flags of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    pub system: SystemFlags,
    pub keywords: BTreeSet<Keyword>,
}

impl Flags {
    pub fn system(system: SystemFlags) -> Flags {
        Flags { system, keywords: BTreeSet::new() }
    }

    #[must_use]
    pub fn with(&self, other: &Flags) -> Flags {
        Flags {
            system: self.system.with(other.system),
            keywords: self.keywords.union(&other.keywords).cloned().collect(),
        }
    }

    #[must_use]
    pub fn without(&self, other: &Flags) -> Flags {
        Flags {
            system: self.system.without(other.system),
            keywords: self.keywords.difference(&other.keywords).cloned().collect(),
        }
    }
}

impl fmt::Display for Flags {
    /// As in a `FLAGS` response, without the parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let system = SystemFlags::ALL.iter().filter(|(flag, _)| self.system.contains(*flag)).map(|(_, name)| *name);
        let mut first = true;
        for name in system.chain(self.keywords.iter().map(Keyword::as_str)) {
            if !first {
                f.write_str(" ")?;
            }
            first = false;
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_print_in_one_order_and_combine_as_sets() {
        let mut flags = Flags::system(SystemFlags::SEEN.with(SystemFlags::FLAGGED));
        flags.keywords.insert(Keyword::new("$Junk").unwrap());
        assert_eq!(flags.to_string(), "\\Flagged \\Seen $Junk");
        let junk = Flags { keywords: [Keyword::new("$junk").unwrap()].into(), ..Flags::default() };
        assert_eq!(flags.without(&junk).to_string(), "\\Flagged \\Seen");
        assert_eq!(flags.with(&junk), flags);
    }

    #[test]
    fn keywords_are_atoms() {
        assert!(Keyword::new("$Forwarded").is_some());
        for bad in ["", "\\Seen", "a b", "a(b", "é", &"k".repeat(65)] {
            assert!(Keyword::new(bad).is_none(), "{bad:?}");
        }
    }
}
