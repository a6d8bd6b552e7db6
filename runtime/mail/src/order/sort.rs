//! The order of SORT (RFC 5256 3): by each criterion in turn, then as in the mailbox.

use std::cmp::Reverse;

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
            Key::Arrival => by_number(&mut order, *reverse, |at| facts[at].arrived_s),
            Key::Size => by_number(&mut order, *reverse, |at| facts[at].size_octets),
            Key::Date => by_number(&mut order, *reverse, sent),
            Key::Subject | Key::From | Key::To | Key::Cc | Key::DisplayFrom | Key::DisplayTo => {
                let column = KeyParts::TEXTS.iter().position(|part| *part == key.parts());
                by_text(&mut order, *reverse, keys.text(column.unwrap_or(0)));
            }
        }
    }
    order
}

fn by_number<N: Ord + Copy>(order: &mut [u32], reverse: bool, number: impl Fn(usize) -> N) {
    let mut pairs: Vec<(N, u32)> = order.iter().map(|at| (number(*at as usize), *at)).collect();
    match reverse {
        true => pairs.sort_by_key(|(number, _)| Reverse(*number)),
        false => pairs.sort_by_key(|(number, _)| *number),
    }
    order.iter_mut().zip(pairs).for_each(|(place, (_, at))| *place = at);
}

/// Most texts differ in their first octets, which lie beside the place.
fn by_text(order: &mut [u32], reverse: bool, column: &Column) {
    let mut pairs: Vec<(u128, u32)> = order.iter().map(|at| (beginning(column.get(*at as usize)), *at)).collect();
    pairs.sort_by(|(one, at), (other, of)| {
        let same_beginning = || column.get(*at as usize).cmp(column.get(*of as usize));
        let ordering = one.cmp(other).then_with(same_beginning);
        if reverse { ordering.reverse() } else { ordering }
    });
    order.iter_mut().zip(pairs).for_each(|(place, (_, at))| *place = at);
}

/// The first sixteen octets as a number that compares as they do.
fn beginning(text: &[u8]) -> u128 {
    let mut octets = [0; 16];
    let length = text.len().min(16);
    octets[..length].copy_from_slice(&text[..length]);
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
}
