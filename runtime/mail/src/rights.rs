//! Rights on a mailbox, and who they are given to (RFC 4314).

use std::fmt;

use crate::person::Login;

/// Longest identifier in octets: a group may be named by an address.
pub const IDENTIFIER_OCTETS_MAX: usize = 256;

/// A set of rights (RFC 4314 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(u16);

impl Rights {
    pub const NONE: Rights = Rights(0);
    /// `l`: the mailbox is seen by LIST and may be subscribed to.
    pub const LOOKUP: Rights = Rights(1);
    /// `r`: it may be selected and asked about.
    pub const READ: Rights = Rights(2);
    /// `s`: `\Seen` changes.
    pub const SEEN: Rights = Rights(4);
    /// `w`: flags other than `\Seen` and `\Deleted` change.
    pub const WRITE: Rights = Rights(8);
    /// `i`: messages come by APPEND and COPY.
    pub const INSERT: Rights = Rights(16);
    /// `p`: mail may be sent to it. Kept and shown; anybody may write to an address here.
    pub const POST: Rights = Rights(32);
    /// `k`: mailboxes below it are created.
    pub const CREATE: Rights = Rights(64);
    /// `x`: it is deleted or renamed.
    pub const DELETE_MAILBOX: Rights = Rights(128);
    /// `t`: `\Deleted` changes.
    pub const DELETE: Rights = Rights(256);
    /// `e`: messages are expunged.
    pub const EXPUNGE: Rights = Rights(512);
    /// `a`: rights on it are read and given.
    pub const ADMINISTER: Rights = Rights(1024);
    pub const ALL: Rights = Rights(2047);
    /// What members of a functional address have on its mailboxes.
    pub const MEMBER: Rights = Rights(2047 - 1024);

    /// In the order responses list them.
    const LETTERS: [(Rights, char); 11] = [
        (Rights::LOOKUP, 'l'),
        (Rights::READ, 'r'),
        (Rights::SEEN, 's'),
        (Rights::WRITE, 'w'),
        (Rights::INSERT, 'i'),
        (Rights::POST, 'p'),
        (Rights::CREATE, 'k'),
        (Rights::DELETE_MAILBOX, 'x'),
        (Rights::DELETE, 't'),
        (Rights::EXPUNGE, 'e'),
        (Rights::ADMINISTER, 'a'),
    ];

    /// The two of RFC 2086 that were split (RFC 4314 2.1.1): `c` is `kx` and `d` is `te`.
    const OBSOLETE: [(Rights, char); 2] = [(Rights(64 + 128), 'c'), (Rights(256 + 512), 'd')];

    /// `None` when a letter is no right; letters may repeat.
    pub fn parse(letters: &str) -> Option<Rights> {
        let named = |letter| {
            let known = Rights::LETTERS.iter().chain(&Rights::OBSOLETE).find(|(_, name)| *name == letter);
            known.map(|(rights, _)| *rights)
        };
        letters.chars().try_fold(Rights::NONE, |rights, letter| Some(rights.with(named(letter)?)))
    }

    /// For a row of the store.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Unknown bits are dropped.
    pub const fn from_bits(bits: u16) -> Rights {
        Rights(bits & Rights::ALL.0)
    }

    pub const fn contains(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }

    /// Has it one of `other`?
    pub const fn meets(self, other: Rights) -> bool {
        self.0 & other.0 != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub const fn with(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }

    #[must_use]
    pub const fn without(self, other: Rights) -> Rights {
        Rights(self.0 & !other.0)
    }

    /// Each right by its letter, without the obsolete ones.
    pub fn letters(self) -> impl Iterator<Item = char> {
        Rights::LETTERS.into_iter().filter(move |(right, _)| self.contains(*right)).map(|(_, letter)| letter)
    }

    /// As ACL and MYRIGHTS answer: with `c` and `d` where one of theirs is there (RFC 4314 2.1.1).
    pub fn shown(self) -> String {
        let obsolete = Rights::OBSOLETE.into_iter().filter(|(rights, _)| self.meets(*rights));
        self.letters().chain(obsolete.map(|(_, letter)| letter)).collect()
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.letters().try_for_each(|letter| write!(f, "{letter}"))
    }
}

/// Somebody rights are given to. Compared and written in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grantee {
    Anyone,
    Login(Login),
    /// `$` in front: the members of an address, `$contact@example.org`, or the people of a unit, `$physics`.
    Group(String),
}

impl Grantee {
    /// `None` for what names nobody: a `-` in front, a login that cannot be one, control characters, too many octets.
    pub fn parse(text: &str) -> Option<Grantee> {
        if text.len() > IDENTIFIER_OCTETS_MAX || text.chars().any(char::is_control) {
            return None;
        }
        if text.eq_ignore_ascii_case("anyone") {
            return Some(Grantee::Anyone);
        }
        match text.strip_prefix('$') {
            Some(group) => (!group.is_empty()).then(|| Grantee::Group(group.to_lowercase())),
            None => Login::new(&text.to_ascii_lowercase()).filter(|_| !text.starts_with('-')).map(Grantee::Login),
        }
    }

    pub fn of(login: &Login) -> Option<Grantee> {
        Grantee::parse(login.as_str())
    }
}

impl fmt::Display for Grantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Grantee::Anyone => f.write_str("anyone"),
            Grantee::Login(login) => write!(f, "{login}"),
            Grantee::Group(group) => write!(f, "${group}"),
        }
    }
}

/// An identifier: a `-` in front takes rights away (RFC 4314 2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    pub grantee: Grantee,
    pub negative: bool,
}

impl Identifier {
    /// `None` as `Grantee::parse`.
    pub fn parse(text: &str) -> Option<Identifier> {
        let negative = text.starts_with('-');
        let grantee = Grantee::parse(if negative { &text[1..] } else { text })?;
        Some(Identifier { grantee, negative })
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.negative { "-" } else { "" }, self.grantee)
    }
}

/// An entry of the list of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub identifier: Identifier,
    pub rights: Rights,
    /// Unix seconds from which on it does not hold; `None` is without end.
    pub until_s: Option<i64>,
}

impl Grant {
    pub fn holds_at(&self, now_s: i64) -> bool {
        self.until_s.is_none_or(|until_s| now_s < until_s)
    }
}

/// How SETACL changes an entry (RFC 4314 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RightsChange {
    Replace,
    Add,
    Remove,
}

impl RightsChange {
    pub fn apply(self, before: Rights, given: Rights) -> Rights {
        match self {
            RightsChange::Replace => given,
            RightsChange::Add => before.with(given),
            RightsChange::Remove => before.without(given),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obsolete_rights_are_read_as_theirs_and_shown_beside_them() {
        for (typed, kept, shown) in [
            ("lrs", "lrs", "lrs"),
            ("c", "kx", "kxc"),
            ("d", "te", "ted"),
            ("t", "t", "td"),
            ("aexktwipsrl", "lrswipkxtea", "lrswipkxteacd"),
            ("", "", ""),
            ("ll", "l", "l"),
        ] {
            let rights = Rights::parse(typed).unwrap();
            assert_eq!((rights.to_string().as_str(), rights.shown().as_str()), (kept, shown), "{typed}");
            assert_eq!(Rights::from_bits(rights.bits()), rights);
        }
        assert_eq!(Rights::parse("lz"), None);
        assert_eq!(Rights::parse("L"), None, "letters are lower case");
        assert_eq!(Rights::parse("lrswipkxtea"), Some(Rights::ALL));
        assert!(!Rights::MEMBER.meets(Rights::ADMINISTER) && Rights::MEMBER.with(Rights::ADMINISTER) == Rights::ALL);
    }

    #[test]
    fn identifiers_have_one_spelling() {
        for (typed, written) in [
            ("Anyone", Some("anyone")),
            ("-anyone", Some("-anyone")),
            ("Toto-J", Some("toto-j")),
            ("-Toto-J", Some("-toto-j")),
            ("$Contact@Example.org", Some("$contact@example.org")),
            ("-$Génie Civil", Some("-$génie civil")),
            ("--toto-j", None),
            ("", None),
            ("-", None),
            ("$", None),
            ("a b", None),
            ("$a\r\nb", None),
        ] {
            assert_eq!(Identifier::parse(typed).map(|it| it.to_string()).as_deref(), written, "{typed:?}");
        }
        assert_eq!(Identifier::parse(&format!("${}", "x".repeat(IDENTIFIER_OCTETS_MAX))), None);
    }
}
