//! clamd over INSTREAM (clamd(8)). What it answers is read while the content goes out: a daemon that has seen enough
//! says so and closes.

use std::io;

use proto::scan::clamd::{self as proto_clamd, BadReply, Command, END_OF_STREAM, LocalTime, ReplyReader, ScanReply};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Look;
use super::place::Place;
use super::source::{PIECE_OCTETS, Source};

/// What the engine says of a content.
pub async fn scan(place: &Place, source: &Source) -> io::Result<Look> {
    let stream = place.connect().await?;
    let (mut hears, mut says) = tokio::io::split(stream);
    let sending = send(&mut says, source);
    tokio::pin!(sending);
    let mut sent = None;
    let reading = reply(&mut hears);
    tokio::pin!(reading);
    let answer = loop {
        tokio::select! {
            biased;
            answer = &mut reading => break answer,
            result = &mut sending, if sent.is_none() => sent = Some(result),
        }
    };
    // Its answer counts before our error in writing to it.
    let answer = match (answer, sent.as_ref()) {
        (Ok(answer), _) => answer,
        (Err(_), Some(Err(error))) => return Err(io::Error::new(error.kind(), error.to_string())),
        (Err(error), _) => return Err(error),
    };
    let whole = matches!(sent, Some(Ok(())));
    Ok(match proto_clamd::scan_reply(&answer).map_err(bad)? {
        ScanReply::Found(name) => Look::found(name),
        ScanReply::Clean if whole => Look::Clean,
        ScanReply::Clean => Look::Refused("answered before it had the whole message".to_owned()),
        ScanReply::SizeLimit => Look::Refused("takes no message of this size".to_owned()),
        ScanReply::Error(words) => Look::Failed(words),
    })
}

/// Which signatures it has, and when they were made in Unix seconds.
pub async fn version(place: &Place) -> io::Result<(String, Option<i64>)> {
    let mut stream = place.connect().await?;
    stream.write_all(Command::Version.wire()).await?;
    let version = proto_clamd::version_reply(&reply(&mut stream).await?).map_err(bad)?;
    Ok((version.text, version.made_at.and_then(unix_s)))
}

/// The daemon writes its local time, and most run beside this server: the system's zone is the best guess.
fn unix_s(local: LocalTime) -> Option<i64> {
    let LocalTime { year, month, day, hour, minute, second } = local;
    let small = |number: u8| i8::try_from(number).ok();
    let (month, day, hour) = (small(month)?, small(day)?, small(hour)?);
    let civil =
        jiff::civil::DateTime::new(i16::try_from(year).ok()?, month, day, hour, small(minute)?, small(second)?, 0);
    Some(civil.ok()?.to_zoned(jiff::tz::TimeZone::system()).ok()?.timestamp().as_second())
}

async fn reply<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Vec<u8>> {
    let mut reader = ReplyReader::default();
    let mut buffer = [0; 512];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(reply) = reader.feed(&buffer[..read]).map_err(bad)? {
            return Ok(reply);
        }
    }
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, source: &Source) -> io::Result<()> {
    stream.write_all(Command::Instream.wire()).await?;
    let mut piece = vec![0; PIECE_OCTETS];
    let mut wire = Vec::with_capacity(PIECE_OCTETS + 8);
    let mut offset = 0;
    loop {
        let read = source.read_at(&mut piece, offset)?;
        if read == 0 {
            break;
        }
        offset += read as u64;
        wire.clear();
        proto_clamd::chunks(&piece[..read], &mut wire);
        stream.write_all(&wire).await?;
        // An answer that came already is heard before the end is sent.
        tokio::task::yield_now().await;
    }
    stream.write_all(&END_OF_STREAM).await?;
    stream.flush().await
}

fn bad(bad: BadReply) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the answer is not clamd's: {bad:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_do_not_exist_are_none() {
        let local = |month, day| LocalTime { year: 2026, month, day, hour: 9, minute: 0, second: 0 };
        assert!(unix_s(local(11, 23)).is_some_and(|at_s| (at_s - 1_795_424_400).abs() <= 14 * 3_600));
        assert_eq!(unix_s(local(2, 30)), None);
        assert_eq!(unix_s(local(0, 1)), None);
    }
}
