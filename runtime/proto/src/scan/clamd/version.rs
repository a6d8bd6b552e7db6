//! The reply to VERSION: which signatures a daemon has (clamd(8)).

use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::{alpha1, char as octet, space1, u8 as small, u16 as year, u64 as number};
use nom::combinator::{all_consuming, opt};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use super::BadReply;

/// What a daemon says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The whole reply.
    pub text: String,
    /// The number of its daily signatures; a daemon with signatures of its owner's only says none.
    pub signatures: Option<u64>,
    /// When they were made, in the daemon's local time.
    pub made_at: Option<LocalTime>,
}

/// A moment without its time zone. Month and day count from 1; not every combination exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Reads `ClamAV 1.4.2/27500/Mon Nov 23 09:00:00 2026`, or `ClamAV 1.4.2`.
pub fn version_reply(reply: &[u8]) -> Result<Version, BadReply> {
    let text = super::printable(reply).ok_or(BadReply::Unknown)?;
    let engine = preceded(tag("ClamAV ".as_bytes()), take_while1(|octet: u8| octet != b'/'));
    let signatures = opt((preceded(octet('/'), number), preceded(octet('/'), local_time)));
    let parsed: IResult<&[u8], _> = all_consuming((engine, signatures)).parse(text.as_bytes());
    let (_, (_, signatures)) = parsed.map_err(|_| BadReply::Unknown)?;
    let (signatures, made_at) = signatures.unzip();
    Ok(Version { text: text.to_owned(), signatures, made_at })
}

/// The form of ctime(3).
fn local_time(input: &[u8]) -> IResult<&[u8], LocalTime> {
    let clock = (small, preceded(octet(':'), small), preceded(octet(':'), small));
    let mut whole = (alpha1, space1, alpha1, space1, small, space1, clock, space1, year);
    let (rest, (_, _, word, _, day, _, (hour, minute, second), _, year)) = whole.parse(input)?;
    match MONTHS.iter().position(|month| *month == word) {
        Some(month) => Ok((rest, LocalTime { year, month: month as u8 + 1, day, hour, minute, second })),
        None => Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Alpha))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_the_signatures_is_read() {
        let made_at = LocalTime { year: 2026, month: 11, day: 3, hour: 9, minute: 0, second: 7 };
        let read = version_reply(b"ClamAV 1.4.2/27500/Tue Nov  3 09:00:07 2026\n").unwrap();
        assert_eq!((read.signatures, read.made_at), (Some(27_500), Some(made_at)));
        let own_only = version_reply(b"ClamAV 1.4.6").unwrap();
        assert_eq!((own_only.signatures, own_only.made_at, own_only.text.as_str()), (None, None, "ClamAV 1.4.6"));
        for bad in
            ["ESET 1", "ClamAV 1/x/Mon", "ClamAV 1/1/Mon Nox 23 09:00:00 2026", "ClamAV 1/1/Mon Nov 23 09:00:00 99999"]
        {
            assert_eq!(version_reply(bad.as_bytes()), Err(BadReply::Unknown), "{bad}");
        }
    }
}
