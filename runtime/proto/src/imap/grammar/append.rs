//! APPEND (RFC 9051 6.3.12). The content is not part of the grammar: it streams.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::streaming::tag_no_case;
use nom::character::streaming::char as octet;
use nom::combinator::{map_opt, opt};
use nom::sequence::{preceded, terminated};

use super::flags::flag_list;
use super::mailbox::{Coding, mailbox};
use super::word::{Parsed, command_tag, literal_announced, quoted, sp};
use crate::imap::command::Append;
use mail::date::DateTime;

/// `append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal`, up to the octets of the literal. The `~` of
/// literal8 (RFC 3516) is taken: content is octets anyway.
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
