//! SpamAssassin's spamd: one question a connection.
//!
//! It learns of the session only from the header: the lines a final delivery would write stand in front of the message.

use std::fmt::Write as _;
use std::net::IpAddr;

use mail::date::DateTime;
use proto::scan::report::Report;
use proto::scan::spamc::{BadReply, Command, Reply, ReplyReader, Request};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::octets::Octets;
use super::place::Place;
use super::score::{Facts, NoScore};
use crate::{clock, trace};

/// What is told of a message: SpamAssassin takes seconds for long ones, and its own client shows it none over 500 KB.
const OCTETS_MAX: u64 = 512 * 1024;
const PIECE_OCTETS: usize = 64 * 1024;

/// What spamd says of a content, of its beginning when it is long.
pub async fn ask(place: &Place, content: &impl Octets, facts: &Facts<'_>) -> Result<Report, NoScore> {
    let front = front(facts, clock::unix_s());
    let octets = front.len() as u64 + content.len().min(OCTETS_MAX);
    let request = Request { command: Command::Symbols, octets, user: facts.login.map(str::to_owned) };
    let head = [request.wire(), front.into_bytes()].concat();
    let (mut from, mut to) = tokio::io::split(place.connect().await?);
    let mut reader = ReplyReader::default();
    let mut buffer = vec![0; 4_096];
    let mut sent = false;
    let sending = send(&mut to, &head, content);
    tokio::pin!(sending);
    let reply = loop {
        let read = tokio::select! {
            // A daemon that has seen enough answers and closes before it took everything: its answer counts, not our error.
            outcome = &mut sending, if !sent => {
                sent = true;
                if let Err(error) = outcome {
                    tracing::debug!("spamd: {error}");
                }
                continue;
            }
            read = from.read(&mut buffer) => read?,
        };
        if read == 0 {
            break reader.end().map_err(bad)?;
        }
        if let Some(reply) = reader.feed(&buffer[..read]).map_err(bad)? {
            break reply;
        }
    };
    match reply {
        Reply::Judged(report) => Ok(report),
        Reply::Failed { code, word } => Err(NoScore::Refused(format!("{code} {word}"))),
        Reply::Pong => Err(NoScore::Unbelievable("it was asked for a score".to_owned())),
    }
}

fn bad(bad: BadReply) -> NoScore {
    match bad {
        BadReply::Cut => NoScore::Unreachable("the connection ended within the reply".to_owned()),
        BadReply::TooLong | BadReply::Unknown => NoScore::Unbelievable(format!("reply: {bad:?}")),
    }
}

/// Return-Path and Received as the final delivery writes them.
fn front(facts: &Facts<'_>, at_s: i64) -> String {
    let mut front = String::new();
    trace::return_path(facts.reverse_path, &mut front);
    let client = match facts.client.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("IPv6:{v6}"),
    };
    let (hello, with) =
        (facts.hello.map_or_else(|| "unknown".to_owned(), trace::tame), facts.login.map_or("", |_| "A"));
    let date = DateTime::utc(at_s).to_rfc5322();
    let _ = write!(
        front,
        "Received: from {hello} ([{client}])\r\n\tby {} with ESMTP{with}\r\n\tid {};\r\n\t{date}\r\n",
        facts.host, facts.queue_id
    );
    front
}

async fn send(to: &mut (impl AsyncWrite + Unpin), head: &[u8], content: &impl Octets) -> std::io::Result<()> {
    to.write_all(head).await?;
    let mut piece = vec![0; PIECE_OCTETS];
    let (mut offset, end) = (0, content.len().min(OCTETS_MAX));
    while offset < end {
        let left = usize::try_from(end - offset).unwrap_or(usize::MAX).min(PIECE_OCTETS);
        let read = content.read_at(&mut piece[..left], offset)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        to.write_all(&piece[..read]).await?;
        offset += read as u64;
    }
    to.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::super::hostile::Act;
    use super::super::score::tests::{check, judged, unbelievable, unreachable};
    use super::super::score::{NoScore, Speaks};

    const END: &[u8] = b"the end";
    const TRUE: &str = "SPAMD/1.1 0 EX_OK\r\nContent-length: 5\r\nSpam: True ; 7.5 / 5.0\r\n\r\n";

    fn says(text: &str) -> Act {
        Act::Say(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn good_and_bad_daemons() {
        let spam = judged(-2_500, &[("GTUBE", 0)]);
        for (acts, expected) in [
            (vec![Act::Take(END), says(TRUE), says("GTUBE")], spam.clone()),
            (vec![Act::Take(END), says(TRUE), says("GTUBE and more"), Act::Hang], spam),
            (vec![], unreachable()),
            (vec![Act::Take(END)], unreachable()),
            (vec![Act::Take(END), says(TRUE), says("GT")], unreachable()),
            (vec![Act::Take(END), says("SPAMD/1.1 0 EX_")], unreachable()),
            (vec![says("SPAMD/1.0 76 EX_PROTOCOL\r\n"), Act::Hang], Err(NoScore::Refused("76 EX_PROTOCOL".into()))),
            (vec![Act::Take(END), says("SPAMD/1.5 0 PONG\r\n")], unbelievable()),
            (vec![Act::Take(END), says("SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\n\r\n")], unbelievable()),
            (vec![Act::Take(END), says("SPAMD/1.1 0 EX_OK\r\nContent-length: 4000000000\r\n")], unbelievable()),
            (vec![Act::Take(END), Act::Repeat(b"SPAMD/1.1 ".to_vec())], unbelievable()),
            (vec![Act::Take(END), says("SPAMD/1.1 0 EX_OK\r\n"), Act::Repeat(b"A: b\r\n".to_vec())], unbelievable()),
            (
                vec![
                    Act::Take(END),
                    says("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 9 / 5\r\n\r\n"),
                    Act::Repeat(b"A,".to_vec()),
                ],
                unbelievable(),
            ),
            (vec![Act::Take(END), Act::Drip(b'S')], Err(NoScore::Late)),
            (vec![Act::Take(END), Act::Hang], Err(NoScore::Late)),
        ] {
            check(Speaks::Spamd, b"Subject: x\r\n\r\nthe end", acts, expected).await;
        }
    }
}
