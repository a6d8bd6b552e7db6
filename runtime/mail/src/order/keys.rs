//! What messages are ordered and threaded by.

use super::casemap::casemap;
use super::envelope::FirstAddresses;
use super::subject::base_subject;

/// Octets kept of a text. Texts that differ only behind them are equal for SORT; THREAD compares whole subjects.
const TEXT_OCTETS_MAX: usize = 512;
/// Octets of a text that are mapped to make it: more than enough to fill what is kept.
const MAPPED_OCTETS_MAX: usize = 8_192;
/// References of one message: the first one and those nearest to it. Mail programs keep fewer (RFC 5322 3.6.4 has no bound).
const REFERENCES_MAX: usize = 100;
/// Identifiers of all messages in one `Keys`, 16 MiB. Of the messages behind that many only the nearest reference counts.
const IDS_MAX: usize = 2 << 20;

/// Some of what messages are ordered by, as a bit set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyParts(u8);

impl KeyParts {
    pub const NONE: KeyParts = KeyParts(0);
    pub const SENT: KeyParts = KeyParts(1);
    pub const SUBJECT: KeyParts = KeyParts(1 << 1);
    pub const FROM: KeyParts = KeyParts(1 << 2);
    pub const TO: KeyParts = KeyParts(1 << 3);
    pub const CC: KeyParts = KeyParts(1 << 4);
    pub const DISPLAY_FROM: KeyParts = KeyParts(1 << 5);
    pub const DISPLAY_TO: KeyParts = KeyParts(1 << 6);
    /// Everything that threads need, the time included.
    pub const THREAD: KeyParts = KeyParts(1 << 7);
    pub const ALL: KeyParts = KeyParts(u8::MAX);
    const ADDRESSES: KeyParts = KeyParts(0b111_1100);

    /// Those that are texts, in the order of `MessageKeys::texts`.
    pub const TEXTS: [KeyParts; 6] =
        [KeyParts::SUBJECT, KeyParts::FROM, KeyParts::TO, KeyParts::CC, KeyParts::DISPLAY_FROM, KeyParts::DISPLAY_TO];

    #[must_use]
    pub const fn with(self, other: KeyParts) -> KeyParts {
        KeyParts(self.0 | other.0)
    }

    pub const fn contains(self, other: KeyParts) -> bool {
        self.0 & other.0 == other.0
    }

    /// Is the subject needed?
    pub const fn of_subject(self) -> bool {
        self.contains(KeyParts::SUBJECT) || self.contains(KeyParts::THREAD)
    }

    /// Is the envelope needed?
    pub const fn of_addresses(self) -> bool {
        self.0 & KeyParts::ADDRESSES.0 != 0
    }
}

/// What the keys of a message are made of, as its summary has it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// ENVELOPE as rendered.
    pub envelope: &'a [u8],
    /// Decoded.
    pub subject: &'a str,
    /// In angle brackets, separated by spaces; empty when there is none. So are the next two.
    pub message_id: &'a str,
    pub in_reply_to: &'a str,
    pub references: &'a str,
    /// The Date field in seconds since 1970.
    pub sent_s: Option<i64>,
}

/// What one message is ordered by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageKeys {
    pub sent_s: Option<i64>,
    /// Mapped by i;unicode-casemap, in the order of `KeyParts::TEXTS`.
    pub texts: [String; 6],
    /// The subject is that of a reply or forward (RFC 5256 2.1).
    pub is_reply: bool,
    /// Hashes: the base subject, the Message-ID, the references from the oldest on. 0 stands for an empty subject and for a
    /// message without an identifier.
    pub ids: Vec<u64>,
}

impl MessageKeys {
    pub fn of(source: &Source<'_>) -> MessageKeys {
        MessageKeys::some_of(source, KeyParts::ALL)
    }

    /// Only these parts; the others are empty, and of the source only what they need is read.
    pub fn some_of(source: &Source<'_>, parts: KeyParts) -> MessageKeys {
        let mut keys = MessageKeys { sent_s: source.sent_s, ..MessageKeys::default() };
        if parts.of_subject() {
            let base = base_subject(source.subject);
            let subject = casemap(&base.text);
            if parts.contains(KeyParts::THREAD) {
                keys.is_reply = base.is_reply;
                keys.ids = ids(source, &subject);
            }
            keys.texts[0] = cut(subject, TEXT_OCTETS_MAX);
        }
        if parts.of_addresses() {
            let first = FirstAddresses::read(source.envelope);
            let texts: [(KeyParts, &dyn Fn() -> String); 5] = [
                (KeyParts::FROM, &|| first.from.mailbox_text()),
                (KeyParts::TO, &|| first.to.mailbox_text()),
                (KeyParts::CC, &|| first.cc.mailbox_text()),
                (KeyParts::DISPLAY_FROM, &|| first.from.display_text()),
                (KeyParts::DISPLAY_TO, &|| first.to.display_text()),
            ];
            for (at, (part, of)) in (1..).zip(texts) {
                if parts.contains(part) {
                    keys.texts[at] = text(&of());
                }
            }
        }
        keys
    }
}

/// As in `MessageKeys::ids`.
fn ids(source: &Source<'_>, subject: &str) -> Vec<u64> {
    let mut ids = vec![hash(subject.as_bytes()), source.message_id.split(' ').next().map_or(0, id_hash)];
    // RFC 5256 3: In-Reply-To counts only without References, and then its first identifier.
    let references: Vec<&str> = source.references.split(' ').filter(|id| !id.is_empty()).collect();
    match references.as_slice() {
        [] => ids.extend(source.in_reply_to.split(' ').find(|id| !id.is_empty()).map(id_hash)),
        [oldest, others @ ..] => {
            let nearest = &others[others.len().saturating_sub(REFERENCES_MAX - 1)..];
            ids.extend([oldest].into_iter().chain(nearest).map(|id| id_hash(id)));
        }
    }
    ids
}

fn text(text: &str) -> String {
    cut(casemap(&text[..text.floor_char_boundary(MAPPED_OCTETS_MAX)]), TEXT_OCTETS_MAX)
}

fn cut(mut text: String, octets_max: usize) -> String {
    text.truncate(text.floor_char_boundary(octets_max));
    text
}

/// Of an identifier with or without its brackets, so that `<"a"@b>` and `<a@b>` are one (RFC 5256 3).
fn id_hash(id: &str) -> u64 {
    let id = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id);
    let Some((local, domain)) = id.strip_prefix('"').and_then(|rest| rest.rsplit_once("\"@")) else {
        return hash(id.as_bytes());
    };
    let mut plain = String::with_capacity(id.len());
    let mut characters = local.chars();
    while let Some(character) = characters.next() {
        plain.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    plain.push('@');
    plain.push_str(domain);
    hash(plain.as_bytes())
}

/// 0 only for nothing.
fn hash(octets: &[u8]) -> u64 {
    if octets.is_empty() {
        return 0;
    }
    let hash = blake3::hash(octets);
    u64::from_le_bytes(std::array::from_fn(|n| hash.as_bytes()[n])).max(1)
}

/// Texts side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Column {
    octets: Vec<u8>,
    ends: Vec<u32>,
}

impl Column {
    fn push(&mut self, text: &[u8]) {
        // Past 4 GiB texts are empty: eight million of the longest.
        if self.octets.len() + text.len() <= u32::MAX as usize {
            self.octets.extend_from_slice(text);
        }
        self.ends.push(self.octets.len() as u32);
    }

    /// Empty for a message that is not here.
    pub(super) fn get(&self, at: usize) -> &[u8] {
        let Some(end) = self.ends.get(at) else { return &[] };
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.octets[start..*end as usize]
    }
}

/// The keys of some messages, ascending by UID; only what was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    uids: Vec<u32>,
    sent: Vec<Option<i64>>,
    replies: Vec<bool>,
    texts: [Column; 6],
    ids: Vec<u64>,
    id_ends: Vec<u32>,
}

impl Keys {
    pub fn len(&self) -> usize {
        self.uids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.uids.is_empty()
    }

    pub fn uids(&self) -> &[u32] {
        &self.uids
    }

    /// Adds a message; one whose UID is not above those before it is left out.
    pub fn push(&mut self, uid: u32, keys: &MessageKeys, parts: KeyParts) {
        let row = self.begin(uid, keys.sent_s, keys.is_reply && parts.contains(KeyParts::THREAD));
        if row.is_some() {
            for (at, part) in KeyParts::TEXTS.into_iter().enumerate() {
                if parts.contains(part) {
                    self.texts[at].push(keys.texts[at].as_bytes());
                }
            }
            if parts.contains(KeyParts::THREAD) {
                self.push_ids(keys.ids.iter().copied());
            }
        }
    }

    /// The same piece by piece: then come `push_text` for each text asked, in the order of `KeyParts::TEXTS`, and `push_ids` if
    /// threads are asked. `None` when the message is left out.
    pub fn begin(&mut self, uid: u32, sent_s: Option<i64>, is_reply: bool) -> Option<()> {
        if self.uids.last().is_some_and(|last| *last >= uid) {
            return None;
        }
        self.uids.push(uid);
        self.sent.push(sent_s);
        self.replies.push(is_reply);
        Some(())
    }

    pub fn push_text(&mut self, at: usize, text: &[u8]) {
        self.texts[at].push(text);
    }

    pub fn push_ids(&mut self, mut ids: impl Iterator<Item = u64>) {
        if self.ids.len() + 2 < IDS_MAX {
            self.ids.extend(ids);
        } else {
            self.ids.extend(ids.by_ref().take(2));
            self.ids.extend(ids.last());
        }
        // `IDS_MAX` and a few for each message, of which there are fewer than UIDs.
        self.id_ends.push(u32::try_from(self.ids.len()).unwrap_or(u32::MAX));
    }

    /// These messages and those of `others`; of a message in both what is here. Both hold the same parts.
    #[must_use]
    pub fn merged(self, others: &Keys) -> Keys {
        if others.is_empty() {
            return self;
        }
        let mut merged = Keys::default();
        let (mut mine, mut theirs) = (0, 0);
        while mine < self.len() || theirs < others.len() {
            let (one, other) = (self.uids.get(mine), others.uids.get(theirs));
            let own = other.is_none_or(|other| one.is_some_and(|one| one <= other));
            match own {
                true => merged.push_from(&self, mine),
                false => merged.push_from(others, theirs),
            }
            mine += usize::from(own);
            theirs += usize::from(!own);
        }
        merged
    }

    fn push_from(&mut self, of: &Keys, at: usize) {
        if self.begin(of.uids[at], of.sent[at], of.replies[at]).is_none() {
            return;
        }
        for (mine, text) in self.texts.iter_mut().zip(&of.texts) {
            if !text.ends.is_empty() {
                mine.push(text.get(at));
            }
        }
        if !of.id_ends.is_empty() {
            self.push_ids(of.ids_of(at).iter().copied());
        }
    }

    pub(super) fn text(&self, part: usize) -> &Column {
        &self.texts[part]
    }

    /// A text of a message, by the place of its part in `KeyParts::TEXTS`; empty when it was not asked.
    pub fn text_of(&self, part: usize, at: usize) -> &[u8] {
        self.texts.get(part).map_or(&[], |column| column.get(at))
    }

    /// The Date field of a message.
    pub fn sent_s(&self, at: usize) -> Option<i64> {
        self.sent.get(at).copied().flatten()
    }

    /// False when threads were not asked.
    pub fn is_reply(&self, at: usize) -> bool {
        self.replies.get(at).is_some_and(|is_reply| *is_reply)
    }

    /// As in `MessageKeys::ids`; empty when threads were not asked.
    pub fn ids_of(&self, at: usize) -> &[u64] {
        let Some(end) = self.id_ends.get(at) else { return &[] };
        let start = at.checked_sub(1).map_or(0, |before| self.id_ends[before] as usize);
        &self.ids[start..*end as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source<'a>(subject: &'a str, ids: [&'a str; 3]) -> Source<'a> {
        let [message_id, in_reply_to, references] = ids;
        Source { envelope: b"", subject, message_id, in_reply_to, references, sent_s: Some(7) }
    }

    #[test]
    fn identifiers_come_from_references_or_else_from_in_reply_to() {
        let keys = MessageKeys::of(&source("Re: \u{e9}t\u{e9}", ["<m@x>", "<b@x> <c@x>", "<a@x> <b@x>"]));
        assert_eq!((keys.sent_s, keys.is_reply, keys.texts[0].as_str()), (Some(7), true, "E\u{301}TE\u{301}"));
        assert_eq!(keys.ids[1..], ["m@x", "a@x", "b@x"].map(id_hash));
        let keys = MessageKeys::of(&source("", ["", "<b@x> <c@x>", ""]));
        assert_eq!(keys.ids, [0, 0, id_hash("b@x")]);
    }

    #[test]
    fn quotes_in_an_identifier_change_nothing() {
        assert_eq!(id_hash("<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>"), id_hash("<01KF8JCEOCBS0045PS@xxx.yyy.com>"));
        assert_eq!(id_hash("<\"a\\\"b\"@c>"), id_hash("<a\"b@c>"));
        assert_ne!(id_hash("<a@b>"), id_hash("<A@b>"));
    }

    #[test]
    fn long_texts_and_many_references_are_cut() {
        let subject = "x\u{e9}".repeat(4_000);
        let references = (0..1_000).map(|n| format!("<{n}@x>")).collect::<Vec<_>>().join(" ");
        let keys = MessageKeys::of(&source(&subject, ["", "", &references]));
        assert!(keys.texts[0].len() > TEXT_OCTETS_MAX - 3 && keys.texts[0].len() <= TEXT_OCTETS_MAX);
        assert_eq!(keys.ids.len(), 2 + REFERENCES_MAX);
        assert_eq!((keys.ids[2], keys.ids[3], keys.ids[101]), (id_hash("0@x"), id_hash("901@x"), id_hash("999@x")));
    }

    #[test]
    fn keys_of_two_halves_are_those_of_the_whole() {
        let parts = KeyParts::SUBJECT.with(KeyParts::THREAD);
        let one = |n: u32| MessageKeys::of(&source(["a", "Re: b"][n as usize % 2], [&format!("<{n}@x>"), "", "<0@x>"]));
        let of = |uids: std::ops::RangeInclusive<u32>| {
            let mut keys = Keys::default();
            uids.for_each(|uid| keys.push(uid, &one(uid), parts));
            keys
        };
        let mut whole = of(1..=5).merged(&of(3..=9));
        assert_eq!(whole, of(1..=9));
        assert_eq!(whole.ids_of(6), one(7).ids);
        whole.push(9, &one(9), parts);
        assert_eq!(whole.len(), 9);
        let some = |odd: u32| {
            let mut keys = Keys::default();
            (1..=9).filter(|uid| uid % 2 == odd).for_each(|uid| keys.push(uid, &one(uid), parts));
            keys
        };
        assert_eq!(some(0).merged(&some(1)), whole);
        assert_eq!(Keys::default().merged(&some(1)), some(1));
    }
}
