//! APPEND (RFC 9051 6.3.12). The content is not part of the grammar: it streams.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::streaming::tag_no_case;
use nom::character::streaming::char as octet;
use nom::combinator::{map_opt, opt};
use nom::sequence::{preceded, terminated};

use super::flags::{flag, flag_list};
use super::mailbox::{Coding, mailbox};
use super::word::{Parsed, command_tag, list0, literal_announced, quoted, sp};
use crate::imap::command::{Append, Tag};
use mail::date::DateTime;

/// `append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal`, up to the octets of the literal. The `~` of
/// literal8 (RFC 3516) is read, but content with NUL is refused when it comes.
pub fn append(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Append> {
    move |input| {
        let (rest, tag) = terminated(command_tag, tag_no_case(" APPEND ")).parse(input)?;
        let (rest, name) = terminated(mailbox(coding), sp).parse(rest)?;
        let (rest, flags) = opt(terminated(flag_list, sp)).parse(rest)?;
        let (rest, internal_date) = opt(terminated(date_time, sp)).parse(rest)?;
        let (rest, literal) = alt((literal_announced, preceded(octet('~'), literal_announced))).parse(rest)?;
        Ok((rest, Append { tag, name, flags: flags.unwrap_or_default(), internal_date, literal }))
    }
}

/// The tag, and what is wrong about an APPEND that `append` refuses. `None` when it is none, or has no name to judge.
pub fn complaint(input: &[u8], coding: Coding) -> Option<(Tag, &'static str)> {
    let (rest, tag) = terminated(command_tag, tag_no_case(" APPEND ")).parse(input).ok()?;
    let Ok((rest, _)) = terminated(mailbox(coding), sp).parse(rest) else { return Some((tag, "the name is none")) };
    let what = match opt(terminated(flag_list, sp)).parse(rest) {
        Ok((rest, _)) if rest.starts_with(b"\"") => "the date is none",
        Ok((rest, _)) if rest.starts_with(b"(") => match list0(flag).parse(rest) {
            Ok(_) => "too many flags",
            Err(_) => "APPEND does not take one of these flags",
        },
        Ok(_) | Err(_) => "APPEND takes flags, a date and a literal",
    };
    Some((tag, what))
}

/// `date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE`
fn date_time(input: &[u8]) -> Parsed<'_, DateTime> {
    map_opt(quoted, |text| DateTime::parse_imap(&text)).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail::SystemFlags;

    #[test]
    fn everything_before_the_content_is_read_and_the_content_is_left() {
        let line = b"a APPEND Sent (\\Seen) \"17-Jul-1996 02:44:25 -0700\" {310+}\r\nrest";
        let (rest, found) = append(Coding::Utf7)(line).unwrap();
        assert_eq!(rest, b"rest");
        assert_eq!(found.flags.system, SystemFlags::SEEN);
        assert_eq!(found.internal_date, Some(DateTime { unix_seconds: 837_596_665, offset_minutes: -420 }));
        assert_eq!((found.literal.size_octets, found.literal.synchronizing), (310, false));
        assert!(append(Coding::Utf7)(b"a APPEND {4}\r\nSent ~{3}\r\n").is_ok());
        assert!(append(Coding::Utf7)(b"a APPEND Sent \"yesterday\" {3}\r\n").is_err());
    }
}
