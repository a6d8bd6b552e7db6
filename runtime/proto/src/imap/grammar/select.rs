//! SELECT and EXAMINE (RFC 9051 6.3.2, 6.3.3) with the parameters of RFC 7162.

use nom::branch::alt;
use nom::bytes::streaming::{tag, tag_no_case};
use nom::combinator::{map, map_opt, opt, value};
use nom::sequence::{delimited, preceded};
use nom::{Parser, multi::separated_list0};

use super::mailbox::{Coding, mailbox};
use super::set::sequence_set;
use super::word::{Parsed, number64, nz_number, sp};
use crate::imap::command::{Bound, Command, Known, OnAccount, SelectParameters, SequenceSet};

/// `select = "SELECT" SP mailbox [SP "(" select-param *(SP select-param) ")"]` (RFC 4466)
pub fn select(coding: Coding, read_only: bool) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, name) = mailbox(coding)(input)?;
        let list = delimited(tag(" ("), separated_list0(tag(" "), parameter), tag(")"));
        let (rest, given) = map(opt(list), Option::unwrap_or_default).parse(rest)?;
        let mut parameters = SelectParameters::default();
        for parameter in given {
            match parameter {
                Parameter::Condstore => parameters.condstore = true,
                Parameter::Qresync(known) => parameters.qresync = Some(known),
            }
        }
        Ok((rest, OnAccount::Select { name, read_only, parameters }.into()))
    }
}

#[derive(Clone)]
enum Parameter {
    Condstore,
    Qresync(Known),
}

/// `select-param =/ condstore-param / "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"`
fn parameter(input: &[u8]) -> Parsed<'_, Parameter> {
    let qresync = preceded(tag_no_case("QRESYNC "), delimited(tag("("), known, tag(")")));
    alt((value(Parameter::Condstore, tag_no_case("CONDSTORE")), map(qresync, Parameter::Qresync))).parse(input)
}

/// ```abnf
/// known-uids     = sequence-set
/// seq-match-data = "(" known-sequence-set SP known-uid-set ")"
/// ```
/// `*` is in none of them.
fn known(input: &[u8]) -> Parsed<'_, Known> {
    let (rest, uid_validity) = map(nz_number, std::num::NonZeroU32::get).parse(input)?;
    let (rest, mod_seq) = preceded(sp, number64).parse(rest)?;
    let (rest, uids) = opt(preceded(sp, numbers)).parse(rest)?;
    let pairs = delimited(tag("("), (numbers, preceded(sp, numbers)), tag(")"));
    let (rest, pairs) = opt(preceded(sp, pairs)).parse(rest)?;
    Ok((rest, Known { uid_validity, mod_seq, uids, pairs }))
}

fn numbers(input: &[u8]) -> Parsed<'_, SequenceSet> {
    let star = |set: &SequenceSet| set.0.iter().any(|(from, to)| [from, to].contains(&&Bound::Last));
    map_opt(sequence_set, |set| (!star(&set)).then_some(set)).parse(input)
}
