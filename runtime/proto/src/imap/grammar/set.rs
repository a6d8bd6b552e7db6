//! Sets of messages (RFC 9051 9).

use nom::Parser;
use nom::branch::alt;
use nom::character::streaming::char as octet;
use nom::combinator::{map, opt, value};

use super::word::{Parsed, nz_number, refuse};
use crate::imap::command::{Bound, Messages, SequenceSet, Set};

/// Most ranges in one set.
pub const RANGES_MAX: usize = 16_384;

/// `sequence-set / "$"` (RFC 5182)
pub fn messages(uid: bool) -> impl Fn(&[u8]) -> Parsed<'_, Messages> {
    move |input| {
        let set = alt((value(Set::Saved, octet('$')), map(sequence_set, Set::Numbers)));
        map(set, |set| Messages { uid, set }).parse(input)
    }
}

/// `sequence-set = (seq-number / seq-range) ["," sequence-set]`
pub fn sequence_set(input: &[u8]) -> Parsed<'_, SequenceSet> {
    let (mut rest, first) = range(input)?;
    let mut ranges = vec![first];
    loop {
        let (behind, comma) = opt(octet(',')).parse(rest)?;
        if comma.is_none() {
            return Ok((rest, SequenceSet(ranges)));
        }
        if ranges.len() == RANGES_MAX {
            return refuse(rest);
        }
        let (behind, next) = range(behind)?;
        ranges.push(next);
        rest = behind;
    }
}

/// `seq-range = seq-number ":" seq-number`
fn range(input: &[u8]) -> Parsed<'_, (Bound, Bound)> {
    let (rest, from) = bound(input)?;
    let (rest, colon) = opt(octet(':')).parse(rest)?;
    match colon {
        Some(_) => map(bound, |to| (from, to)).parse(rest),
        None => Ok((rest, (from, from))),
    }
}

/// `seq-number = nz-number / "*"`
fn bound(input: &[u8]) -> Parsed<'_, Bound> {
    alt((value(Bound::Last, octet('*')), map(nz_number, Bound::Number))).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nom::Err;

    #[test]
    fn sets_have_numbers_ranges_and_stars() {
        let (rest, set) = sequence_set(b"1,3:5,7:*,* ").unwrap();
        assert_eq!(rest, b" ");
        assert_eq!(set.ranges(9), [1..=1, 3..=5, 7..=9]);
        for wrong in ["0 ", "1, ", "1:: ", ":3 ", "a ", "1:0 "] {
            assert!(matches!(sequence_set(wrong.as_bytes()), Err(Err::Error(_))), "{wrong:?}");
        }
    }

    #[test]
    fn a_set_of_too_many_ranges_is_refused() {
        let set = |ranges: usize| format!("{}1 ", "1,".repeat(ranges - 1));
        assert!(sequence_set(set(RANGES_MAX).as_bytes()).is_ok());
        assert!(sequence_set(set(RANGES_MAX + 1).as_bytes()).is_err());
    }
}
