//! Maildir as Dovecot writes it: `unique:2,FLAGS` for a name, letters `a` to `z` for the keywords that `dovecot-keywords`
//! lists beside the messages.

use std::collections::BTreeMap;

use crate::{Flags, Keyword, SystemFlags};

/// The file with the keywords.
pub const KEYWORDS_FILE: &str = "dovecot-keywords";
/// Letters there are for keywords.
const LETTERS: usize = 26;
/// What stands between the unique part of a name and the flags.
const INFO: &[u8] = b":2,";
/// The letter `P`, "passed", is what IMAP calls `$Forwarded` (RFC 9051 2.3.2).
const FORWARDED: &str = "$Forwarded";

/// In the order of the alphabet, as names have them.
const SYSTEM: [(u8, SystemFlags); 5] = [
    (b'D', SystemFlags::DRAFT),
    (b'F', SystemFlags::FLAGGED),
    (b'R', SystemFlags::ANSWERED),
    (b'S', SystemFlags::SEEN),
    (b'T', SystemFlags::DELETED),
];

/// The keywords of one Maildir by letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keywords(Vec<Option<Keyword>>);

impl Keywords {
    /// Letters for the keywords of all messages of a mailbox, the most used first. Those past the 26th get none.
    pub fn of<'a>(messages: impl IntoIterator<Item = &'a Flags>) -> Keywords {
        let mut uses: BTreeMap<&Keyword, usize> = BTreeMap::new();
        for keyword in messages.into_iter().flat_map(|flags| &flags.keywords) {
            *uses.entry(keyword).or_default() += 1;
        }
        let mut keywords: Vec<(&Keyword, usize)> = uses.into_iter().collect();
        keywords.sort_by_key(|(_, uses)| std::cmp::Reverse(*uses));
        Keywords(keywords.into_iter().take(LETTERS).map(|(keyword, _)| Some(keyword.clone())).collect())
    }

    /// Reads the file: lines `number keyword`. Lines that say something else are passed over.
    pub fn read(text: &[u8]) -> Keywords {
        let mut keywords = vec![None; LETTERS];
        for line in text.split(|octet| *octet == b'\n').filter_map(|line| std::str::from_utf8(line).ok()) {
            if let Some((number, word)) = line.trim_end().split_once(' ')
                && let Some(place) = number.parse().ok().and_then(|number: usize| keywords.get_mut(number))
            {
                *place = Keyword::new(word);
            }
        }
        Keywords(keywords)
    }

    /// The text of the file; nothing when there are none.
    pub fn text(&self) -> String {
        let numbered = self.0.iter().enumerate().filter_map(|(number, keyword)| Some((number, keyword.as_ref()?)));
        numbered.map(|(number, keyword)| format!("{number} {}\n", keyword.as_str())).collect()
    }

    /// The flags behind `:2,`, and how many keywords have no letter.
    pub fn letters(&self, flags: &Flags) -> (String, usize) {
        let mut text: Vec<u8> =
            SYSTEM.iter().filter(|(_, flag)| flags.system.contains(*flag)).map(|(letter, _)| *letter).collect();
        let mut lost = 0;
        for keyword in &flags.keywords {
            let is_forwarded = keyword.as_str().eq_ignore_ascii_case(FORWARDED);
            if is_forwarded {
                text.push(b'P');
            }
            match self.0.iter().position(|it| it.as_ref() == Some(keyword)) {
                Some(number) => text.push(b'a' + number as u8),
                None if is_forwarded => {}
                None => lost += 1,
            }
        }
        text.sort_unstable();
        (text.into_iter().map(char::from).collect(), lost)
    }

    /// The flags of a file of this name. Letters nobody knows are passed over; a name without `:2,` has none.
    pub fn flags(&self, name: &[u8]) -> Flags {
        let mut flags = Flags::default();
        let Some(at) = name.windows(INFO.len()).rposition(|window| window == INFO) else { return flags };
        for letter in &name[at + INFO.len()..] {
            if let Some((_, flag)) = SYSTEM.iter().find(|(it, _)| it == letter) {
                flags.system = flags.system.with(*flag);
            }
            let keyword = match letter {
                b'P' => Keyword::new(FORWARDED),
                b'a'..=b'z' => self.0.get(usize::from(letter - b'a')).cloned().flatten(),
                _ => None,
            };
            flags.keywords.extend(keyword);
        }
        flags
    }
}

/// What tells one file of a Maildir from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unique {
    /// Seconds since 1970 that do not fall from one message to the next: programs order messages by them.
    pub seconds: i64,
    pub uidvalidity: u32,
    pub uid: u32,
    /// Octets of the file.
    pub file_octets: u64,
    /// Octets of the message: its RFC822.SIZE.
    pub size_octets: u64,
}

impl Unique {
    /// The name in `tmp`, where a file has no flags yet.
    pub fn name(&self) -> String {
        let Unique { seconds, uidvalidity, uid, file_octets, size_octets } = self;
        format!("{}.V{uidvalidity}U{uid:010}.facteur,S={file_octets},W={size_octets}", seconds.max(&0))
    }

    /// The name in `cur`.
    pub fn name_with(&self, letters: &str) -> String {
        format!("{}:2,{letters}", self.name())
    }
}

/// What names are ordered by: the seconds at their beginning, then all of the name.
pub fn order(name: &[u8]) -> (u64, &[u8]) {
    let digits = name.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let seconds = std::str::from_utf8(&name[..digits]).ok().and_then(|digits| digits.parse().ok());
    (seconds.unwrap_or(u64::MAX), name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flags(bits: u8, keywords: &[&str]) -> Flags {
        let keywords = keywords.iter().filter_map(|word| Keyword::new(word)).collect();
        Flags { system: SystemFlags::from_bits(bits), keywords }
    }

    #[test]
    fn letters_are_those_of_other_programs() {
        let all = flags(31, &["$Forwarded", "projet"]);
        let keywords = Keywords::read(b"0 projet\n1 $Forwarded\nnonsense\n99 beyond\n2 no atom\n");
        assert_eq!(keywords.letters(&all), ("DFPRSTab".to_owned(), 0));
        assert_eq!(keywords.flags(b"1700000000.M1P2.host,S=12:2,DFPRSTab"), all);
        assert_eq!(keywords.text(), "0 projet\n1 $Forwarded\n");
    }

    #[test]
    fn names_without_flags_and_with_unknown_letters_are_read() {
        let keywords = Keywords::default();
        assert_eq!(keywords.flags(b"1.2.host"), Flags::default());
        assert_eq!(keywords.flags(b"1.2.host:1,S"), Flags::default());
        assert_eq!(keywords.flags(b"1.2.host:2,SXz9\xff"), flags(SystemFlags::SEEN.bits(), &[]));
    }

    #[test]
    fn the_27th_keyword_has_no_letter_and_is_counted() {
        let many: Vec<String> = (0..27).map(|number| format!("k{number:02}")).collect();
        let words: Vec<&str> = many.iter().map(String::as_str).collect();
        let (all, often) = (flags(0, &words), flags(0, &["k26"]));
        let keywords = Keywords::of([&all, &often]);
        assert_eq!(keywords.letters(&all).1, 1);
        assert_eq!(keywords.letters(&often), ("a".to_owned(), 0), "the most used has the first letter");
    }

    #[test]
    fn files_are_ordered_by_their_seconds_whatever_the_width() {
        let mut names = [&b"1000.z"[..], b"999.a", b"name", b"1000.a"];
        names.sort_by(|a, b| order(a).cmp(&order(b)));
        assert_eq!(names, [&b"999.a"[..], b"1000.a", b"1000.z", b"name"]);
    }

    proptest! {
        #[test]
        fn flags_come_back(sets in proptest::collection::vec((0..32_u8, proptest::collection::btree_set("[a-c]{1,2}", 0..6)), 1..8)) {
            let all: Vec<Flags> = sets
                .iter()
                .map(|(bits, words)| flags(*bits, &words.iter().map(String::as_str).collect::<Vec<_>>()))
                .collect();
            let written = Keywords::of(&all);
            let read = Keywords::read(written.text().as_bytes());
            let unique = Unique { seconds: 7, uidvalidity: 1, uid: 2, file_octets: 3, size_octets: 4 };
            for flags in &all {
                let (letters, lost) = written.letters(flags);
                prop_assert_eq!(lost, 0);
                prop_assert_eq!(&read.flags(unique.name_with(&letters).as_bytes()), flags);
            }
        }
    }
}
