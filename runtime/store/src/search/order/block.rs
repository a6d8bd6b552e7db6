//! What a block of messages is ordered by, column by column, as it stands in the file. Who orders by one thing reads one column.
//!
//! A column begins with the CRC32C of the rest; numbers have the lowest octet first. `heads` holds 13 octets a message: UID,
//! seconds, marks. A column of texts holds the length of each in two octets, then the texts; that of the hashes how many each
//! message has, then the hashes.

use mail::order::Keys;

/// Messages of a block: one more makes a heads column longer than a page holds at most beside its key.
pub(super) const MESSAGES: usize = 256;

const CRC: usize = 4;
const HEAD: usize = 13;
const HAS_DATE: u8 = 1;
const IS_REPLY: u8 = 1 << 1;
const IS_GONE: u8 = 1 << 2;

/// A message of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) uid: u32,
    pub(super) sent_s: Option<i64>,
    pub(super) is_reply: bool,
    /// It was expunged; the other columns have it still.
    pub(super) is_gone: bool,
}

fn sealed(mut column: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c(&column[CRC..]);
    column[..CRC].copy_from_slice(&crc.to_le_bytes());
    column
}

/// `None` for a column that is not what was written; so are the other readers.
fn opened(column: &[u8]) -> Option<&[u8]> {
    let (crc, rest) = column.split_first_chunk()?;
    (u32::from_le_bytes(*crc) == crc32c::crc32c(rest)).then_some(rest)
}

/// The heads column of messages, of which none has gone.
pub(super) fn heads(keys: &Keys) -> Vec<u8> {
    let head = |(at, uid): (usize, &u32)| Head {
        uid: *uid,
        sent_s: keys.sent_s(at),
        is_reply: keys.is_reply(at),
        is_gone: false,
    };
    write_heads(keys.uids().iter().enumerate().map(head))
}

pub(super) fn write_heads(heads: impl Iterator<Item = Head>) -> Vec<u8> {
    let mut column = vec![0; CRC];
    for Head { uid, sent_s, is_reply, is_gone } in heads {
        let mark = |is: bool, mark: u8| if is { mark } else { 0 };
        column.extend(uid.to_le_bytes());
        column.extend(sent_s.unwrap_or_default().to_le_bytes());
        column.push(mark(sent_s.is_some(), HAS_DATE) | mark(is_reply, IS_REPLY) | mark(is_gone, IS_GONE));
    }
    sealed(column)
}

/// Ascending by UID.
pub(super) fn read_heads(column: &[u8]) -> Option<Vec<Head>> {
    let (rows, rest) = opened(column)?.as_chunks::<HEAD>();
    let heads: Vec<Head> = rows.iter().map(head).collect();
    (rest.is_empty() && heads.is_sorted_by(|one, next| one.uid < next.uid)).then_some(heads)
}

fn head(row: &[u8; HEAD]) -> Head {
    let [uid @ .., _, _, _, _, _, _, _, _, _] = *row;
    let [_, _, _, _, sent @ .., marks] = *row;
    let has = |mark: u8| marks & mark != 0;
    Head {
        uid: u32::from_le_bytes(uid),
        sent_s: has(HAS_DATE).then(|| i64::from_le_bytes(sent)),
        is_reply: has(IS_REPLY),
        is_gone: has(IS_GONE),
    }
}

/// The column of a text, by its place in `KeyParts::TEXTS`. A text is at most 512 octets long.
pub(super) fn texts(keys: &Keys, part: usize) -> Vec<u8> {
    let texts = || (0..keys.len()).map(|at| keys.text_of(part, at));
    let mut column = vec![0; CRC];
    texts().for_each(|text| column.extend((text.len() as u16).to_le_bytes()));
    texts().for_each(|text| column.extend_from_slice(text));
    sealed(column)
}

/// The hashes of messages.
pub(super) fn ids(keys: &Keys) -> Vec<u8> {
    let ids = || (0..keys.len()).map(|at| keys.ids_of(at));
    let mut column = vec![0; CRC];
    ids().for_each(|ids| column.extend((ids.len() as u16).to_le_bytes()));
    ids().flatten().for_each(|id| column.extend(id.to_le_bytes()));
    sealed(column)
}

/// A column whose rows are of several octets each.
pub(super) struct Column<'a> {
    lengths: &'a [[u8; 2]],
    octets: &'a [u8],
}

impl<'a> Column<'a> {
    /// Of so many messages; a row's length counts things of `unit` octets.
    pub(super) fn read(column: &'a [u8], messages: usize, unit: usize) -> Option<Column<'a>> {
        let (lengths, octets) = opened(column)?.split_at_checked(messages * 2)?;
        let column = Column { lengths: lengths.as_chunks().0, octets };
        let whole: usize = column.lengths.iter().map(|length| usize::from(u16::from_le_bytes(*length)) * unit).sum();
        (whole == octets.len()).then_some(column)
    }

    /// Of each message in turn.
    pub(super) fn rows(&self, unit: usize) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.octets;
        self.lengths.iter().map(move |length| {
            let length = usize::from(u16::from_le_bytes(*length)) * unit;
            let (row, behind) = rest.split_at_checked(length).unwrap_or_default();
            rest = behind;
            row
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail::order::{KeyParts, MessageKeys};
    use proptest::prelude::*;

    fn message() -> impl Strategy<Value = (u32, MessageKeys)> {
        let texts = proptest::array::uniform6("[a-z\u{e9}\0]{0,12}");
        let ids = proptest::collection::vec(any::<u64>(), 2..6);
        (1_u32..9, proptest::option::of(any::<i64>()), any::<bool>(), texts, ids)
            .prop_map(|(gap, sent_s, is_reply, texts, ids)| (gap, MessageKeys { sent_s, texts, is_reply, ids }))
    }

    fn keys(messages: &[(u32, MessageKeys)]) -> Keys {
        let (mut keys, mut uid) = (Keys::default(), 0);
        for (gap, of) in messages {
            uid += gap;
            keys.push(uid, of, KeyParts::ALL);
        }
        keys
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(messages in proptest::collection::vec(message(), 0..9)) {
            let keys = keys(&messages);
            let heads = read_heads(&heads(&keys)).unwrap();
            prop_assert_eq!(heads.iter().map(|head| head.uid).collect::<Vec<u32>>(), keys.uids());
            for (at, (_, of)) in messages.iter().enumerate() {
                prop_assert_eq!((heads[at].sent_s, heads[at].is_reply, heads[at].is_gone), (of.sent_s, of.is_reply, false));
            }
            for part in 0..6 {
                let column = texts(&keys, part);
                let rows: Vec<&[u8]> = Column::read(&column, messages.len(), 1).unwrap().rows(1).collect();
                prop_assert_eq!(rows, messages.iter().map(|(_, of)| of.texts[part].as_bytes()).collect::<Vec<_>>());
            }
            let column = ids(&keys);
            let rows = Column::read(&column, messages.len(), 8).unwrap().rows(8).map(<[u8]>::to_vec).collect::<Vec<_>>();
            let octets = |of: &MessageKeys| of.ids.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<u8>>();
            prop_assert_eq!(rows, messages.iter().map(|(_, of)| octets(of)).collect::<Vec<_>>());
        }

        #[test]
        fn what_was_not_written_is_not_read(
            messages in proptest::collection::vec(message(), 1..5), place in any::<usize>(), change in 1_u8..,
        ) {
            let keys = keys(&messages);
            for (mut column, unit) in [(heads(&keys), 0), (texts(&keys, 0), 1), (ids(&keys), 8)] {
                let is_read = |column: &[u8]| match unit {
                    0 => read_heads(column).is_some(),
                    unit => Column::read(column, messages.len(), unit).is_some(),
                };
                prop_assert!(is_read(&column));
                prop_assert!(!is_read(&column[..place % column.len()]), "cut");
                let place = place % column.len();
                column[place] ^= change;
                prop_assert!(!is_read(&column), "changed");
            }
        }
    }

    #[test]
    fn columns_of_other_blocks_and_heads_out_of_order_are_not_read() {
        let head = |uid| Head { uid, sent_s: None, is_reply: false, is_gone: true };
        assert_eq!(read_heads(&write_heads([head(1), head(2)].into_iter())).unwrap(), [head(1), head(2)]);
        for uids in [[2, 1], [1, 1]] {
            assert_eq!(read_heads(&write_heads(uids.map(head).into_iter())), None);
        }
        let three = keys(&[(1, MessageKeys::default()), (1, MessageKeys::default()), (1, MessageKeys::default())]);
        let column = texts(&three, 0);
        for (messages, is_read) in [(2, false), (3, true), (4, false)] {
            assert_eq!(Column::read(&column, messages, 1).is_some(), is_read, "{messages}");
        }
        assert!(heads(&Keys::default()).len() + MESSAGES * HEAD < 4_000, "a heads column lies in one page");
    }
}
