//! The order of SORT (RFC 5256 3): by each criterion in turn, then as in the mailbox.

use std::ops::Range;

use super::keys::{Column, KeyParts, Keys};

/// What two messages are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// INTERNALDATE, to the second.
    Arrival,
    /// The mailbox of the first address in the field; so are `From` and `To`.
    Cc,
    /// The Date field in UTC; INTERNALDATE where there is none.
    Date,
    From,
    Size,
    /// The base subject.
    Subject,
    To,
    /// RFC 5957: the name shown for the first address; so is `DisplayTo`.
    DisplayFrom,
    DisplayTo,
}

/// A key, and whether large ones come first. Equal ones keep their order either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Criterion {
    pub key: Key,
    pub reverse: bool,
}

/// What the mailbox itself says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// INTERNALDATE in seconds since 1970.
    pub arrived_s: i64,
    pub size_octets: u64,
}

impl Key {
    /// What of the keys of messages it needs.
    pub fn parts(self) -> KeyParts {
        match self {
            Key::Arrival | Key::Size => KeyParts::NONE,
            Key::Date => KeyParts::SENT,
            Key::Subject => KeyParts::SUBJECT,
            Key::From => KeyParts::FROM,
            Key::To => KeyParts::TO,
            Key::Cc => KeyParts::CC,
            Key::DisplayFrom => KeyParts::DISPLAY_FROM,
            Key::DisplayTo => KeyParts::DISPLAY_TO,
        }
    }
}

/// The places of the messages in their order. `facts` are of the same messages as `keys`.
pub fn sort(criteria: &[Criterion], keys: &Keys, facts: &[Facts]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..facts.len() as u32).collect();
    // Each sort is stable, so the last one, by the first criterion, counts most.
    for Criterion { key, reverse } in criteria.iter().rev() {
        let sent = |at: usize| keys.sent_s(at).unwrap_or(facts[at].arrived_s);
        match key {
            Key::Arrival => by_number(&mut order, *reverse, |at| ascending(facts[at].arrived_s)),
            Key::Size => by_number(&mut order, *reverse, |at| facts[at].size_octets),
            Key::Date => by_number(&mut order, *reverse, |at| ascending(sent(at))),
            Key::Subject | Key::From | Key::To | Key::Cc | Key::DisplayFrom | Key::DisplayTo => {
                let column = KeyParts::TEXTS.iter().position(|part| *part == key.parts());
                by_text(&mut order, *reverse, keys.text(column.unwrap_or(0)));
            }
        }
    }
    order
}

/// Places by the time each message was sent, and else as in the mailbox.
pub(crate) fn by_time(sent_s: &[i64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..sent_s.len() as u32).collect();
    by_number(&mut order, false, |at| ascending(sent_s[at]));
    order
}

/// A number without a sign that compares as this one does.
fn ascending(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

/// What a message is sorted by in the upper bits, and in the lower ones the place it had before, so that equal ones keep their
/// order and no two are equal: the quickest sort is stable then.
type Placed = u128;
const PLACE_BITS: u32 = 32;

fn placed(key: u128, reverse: bool, place: usize) -> Placed {
    (if reverse { !key } else { key }) << PLACE_BITS | place as u128
}

fn place(of: Placed) -> usize {
    of as u32 as usize
}

fn rearrange(order: &mut [u32], sorted: &[Placed]) {
    let before = order.to_vec();
    order.iter_mut().zip(sorted).for_each(|(at, of)| *at = before[place(*of)]);
}

fn by_number(order: &mut [u32], reverse: bool, number: impl Fn(usize) -> u64) {
    let number = |(place, at): (usize, &u32)| placed(u128::from(number(*at as usize)), reverse, place);
    let mut sorted: Vec<Placed> = order.iter().enumerate().map(number).collect();
    sorted.sort_unstable();
    rearrange(order, &sorted);
}

/// Octets of a text that are compared at a time.
const PIECE: usize = 11;
/// Where a piece is the last one it says so by its length, which compares as RFC 5051 wants it: a text before what begins with it.
const GOES_ON: u128 = PIECE as u128 + 1;
/// So few texts are compared whole.
const FEW: usize = 24;

/// Most texts differ in their first octets. Those that do not are compared by the next ones, and so on.
fn by_text(order: &mut [u32], reverse: bool, column: &Column) {
    let text = |place: usize, from: usize| column.get(order[place] as usize).get(from..).unwrap_or_default();
    let key = |place: usize, from: usize| placed(piece(text(place, from)), reverse, place);
    let mut sorted: Vec<Placed> = (0..order.len()).map(|place| key(place, 0)).collect();
    sorted.sort_unstable();
    let mut same = Vec::new();
    runs(&sorted, 0, reverse, |run| same.push((run, PIECE)));
    while let Some((run, from)) = same.pop() {
        let start = run.start;
        let run = &mut sorted[run];
        if run.len() <= FEW {
            run.sort_unstable_by(|one, other| {
                let ordering = text(place(*one), from).cmp(text(place(*other), from));
                (if reverse { ordering.reverse() } else { ordering }).then(place(*one).cmp(&place(*other)))
            });
            continue;
        }
        run.iter_mut().for_each(|of| *of = key(place(*of), from));
        run.sort_unstable();
        runs(run, start, reverse, |run| same.push((run, from + PIECE)));
    }
    rearrange(order, &sorted);
}

/// Tells of neighbours whose texts were the same so far and go on. `start` is where the first of all stands.
fn runs(sorted: &[Placed], start: usize, reverse: bool, mut same: impl FnMut(Range<usize>)) {
    let mut first = start;
    for run in sorted.chunk_by(|one, next| one >> PLACE_BITS == next >> PLACE_BITS) {
        let key = (if reverse { !run[0] } else { run[0] }) >> PLACE_BITS;
        if run.len() > 1 && key & 0xff == GOES_ON {
            same(first..first + run.len());
        }
        first += run.len();
    }
}

/// The first octets of a text, and how many there are, as a number that compares as texts do.
fn piece(text: &[u8]) -> u128 {
    let mut octets = [0; 16];
    let length = text.len().min(PIECE);
    octets[4..4 + length].copy_from_slice(&text[..length]);
    octets[15] = text.len().min(PIECE + 1) as u8;
    u128::from_be_bytes(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::MessageKeys;
    use proptest::prelude::*;

    const KEYS: [Key; 9] = [
        Key::Arrival,
        Key::Cc,
        Key::Date,
        Key::From,
        Key::Size,
        Key::Subject,
        Key::To,
        Key::DisplayFrom,
        Key::DisplayTo,
    ];

    /// Compares two messages as RFC 5256 says it.
    fn compare(criteria: &[Criterion], one: &(MessageKeys, Facts), other: &(MessageKeys, Facts)) -> std::cmp::Ordering {
        let mut ordering = std::cmp::Ordering::Equal;
        for Criterion { key, reverse } in criteria {
            let text = |it: &(MessageKeys, Facts)| {
                let at = KeyParts::TEXTS.iter().position(|part| *part == key.parts());
                at.map(|at| it.0.texts[at].clone()).unwrap_or_default()
            };
            let by_this = match key {
                Key::Arrival => one.1.arrived_s.cmp(&other.1.arrived_s),
                Key::Size => one.1.size_octets.cmp(&other.1.size_octets),
                Key::Date => {
                    let sent = |it: &(MessageKeys, Facts)| it.0.sent_s.unwrap_or(it.1.arrived_s);
                    sent(one).cmp(&sent(other))
                }
                _ => text(one).cmp(&text(other)),
            };
            ordering = ordering.then(if *reverse { by_this.reverse() } else { by_this });
        }
        ordering
    }

    fn message() -> impl Strategy<Value = (MessageKeys, Facts)> {
        let text = || "[A-C]{0,2}(COMMON BEGINNING [A-C]{0,2})?|\0{0,18}";
        let texts = proptest::array::uniform6(text());
        (texts, proptest::option::of(-2_i64..3), -2_i64..3, 0_u64..3).prop_map(
            |(texts, sent_s, arrived_s, size_octets)| {
                (MessageKeys { sent_s, texts, ..MessageKeys::default() }, Facts { arrived_s, size_octets })
            },
        )
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_a_comparison_in_turn(
            messages in proptest::collection::vec(message(), 0..40),
            criteria in proptest::collection::vec((0..KEYS.len(), any::<bool>()), 1..4),
        ) {
            let criteria: Vec<Criterion> =
                criteria.into_iter().map(|(key, reverse)| Criterion { key: KEYS[key], reverse }).collect();
            let parts = criteria.iter().fold(KeyParts::NONE, |all, it| all.with(it.key.parts()));
            let mut keys = Keys::default();
            messages.iter().enumerate().for_each(|(n, (of, _))| keys.push(n as u32 + 1, of, parts));
            let facts: Vec<Facts> = messages.iter().map(|(_, facts)| *facts).collect();
            let mut expected: Vec<u32> = (0..messages.len() as u32).collect();
            expected.sort_by(|a, b| compare(&criteria, &messages[*a as usize], &messages[*b as usize]).then(a.cmp(b)));
            prop_assert_eq!(sort(&criteria, &keys, &facts), expected);
        }
    }

    #[test]
    fn many_texts_that_begin_alike_are_compared_to_their_end() {
        // Each length twice, one apart from the other, and some that go on differently or end with what counts as nothing.
        let long = "THE SAME BEGINNING ".repeat(8);
        let text = |n: usize| match n % 5 {
            0..3 => long[..n * 37 % 140].to_owned(),
            3 => format!("{}\0", &long[..n * 11 % 30]),
            _ => format!("{long}{}", n % 7),
        };
        let texts: Vec<String> = (0..600).map(text).collect();
        let mut keys = Keys::default();
        for (uid, text) in (1..).zip(&texts) {
            let of = MessageKeys { texts: std::array::from_fn(|_| text.clone()), ..MessageKeys::default() };
            keys.push(uid, &of, KeyParts::SUBJECT);
        }
        let facts = vec![Facts { arrived_s: 0, size_octets: 0 }; texts.len()];
        for reverse in [false, true] {
            let mut expected: Vec<u32> = (0..texts.len() as u32).collect();
            expected.sort_by(|one, other| {
                let ordering = texts[*one as usize].cmp(&texts[*other as usize]);
                if reverse { ordering.reverse() } else { ordering }
            });
            assert_eq!(sort(&[Criterion { key: Key::Subject, reverse }], &keys, &facts), expected, "{reverse}");
        }
    }
}
