//! A milter of the site: one message a connection.

use std::io;

use mail::ReversePath;
use proto::scan::milter::{BadReply, Conversation, Infection, Outcome, QUIT, Score, Step, Told, section};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Look;
use super::octets::Octets;
use super::place::Place;
use super::score::{Facts, NoScore};
use super::source::Source;
use crate::drive::HEADER_OCTETS_MAX;

const PIECE_OCTETS: usize = 64 * 1024 - 1;

/// What a milter that scores says of a content.
pub async fn ask(place: &Place, content: &impl Octets, facts: &Facts<'_>) -> Result<Score, NoScore> {
    let reverse_path = match facts.reverse_path {
        ReversePath::Null => String::new(),
        ReversePath::Address(address) => address.to_string(),
    };
    let told = Told {
        client: Some(facts.client),
        hello: facts.hello,
        host: facts.host,
        login: facts.login,
        queue_id: facts.queue_id,
        reverse_path: &reverse_path,
        recipients: facts.recipients.iter().map(|address| address.to_string()).collect(),
    };
    Ok(show(place, content, &told).await?.score())
}

/// What a milter that looks for viruses says of a content. It is told of no session: a virus is one whoever sends it, and
/// mail that is scanned again comes from nobody.
pub async fn scan(place: &Place, source: &Source) -> io::Result<Look> {
    let told = Told {
        client: None,
        hello: None,
        host: "localhost",
        login: None,
        queue_id: "scan",
        reverse_path: "",
        recipients: vec!["postmaster@mail.invalid".to_owned()],
    };
    Ok(match show(place, source, &told).await {
        Ok(outcome) => match outcome.infection() {
            Infection::Clean => Look::Clean,
            Infection::Found(words) => Look::found(words),
            Infection::NotLooked(why) => Look::Refused(why),
            Infection::NoVerdict(why) => Look::Failed(why),
        },
        Err(NoScore::Late) => return Err(io::ErrorKind::TimedOut.into()),
        Err(NoScore::Unreachable(why) | NoScore::Refused(why) | NoScore::Unbelievable(why)) => Look::Failed(why),
        Err(NoScore::Unknown | NoScore::Down) => Look::Failed(String::new()),
    })
}

async fn show(place: &Place, content: &impl Octets, told: &Told<'_>) -> Result<Outcome, NoScore> {
    let mut stream = place.connect().await?;
    let start = start(content)?;
    let section = section(&start);
    drop(start);
    let mut offset = section.body_at as u64;
    let mut conversation = Conversation::new(told, section);
    let mut piece = vec![0; PIECE_OCTETS];
    loop {
        match conversation.next() {
            Step::Send(octets) => stream.write_all(&octets).await?,
            Step::NeedInput => {
                let read = stream.read(&mut piece).await?;
                if read == 0 {
                    return Err(NoScore::Unreachable("the connection ended before its verdict".to_owned()));
                }
                conversation.feed(&piece[..read]);
            }
            Step::NeedBody => {
                let read = content.read_at(&mut piece, offset)?;
                offset += read as u64;
                conversation.body(&piece[..read]);
            }
            Step::Done(outcome) => {
                // It said what counts.
                let _ = stream.write_all(&QUIT).await;
                return Ok(outcome);
            }
            Step::Bad(bad) => return Err(unbelievable(bad)),
        }
    }
}

fn unbelievable(bad: BadReply) -> NoScore {
    NoScore::Unbelievable(format!("reply: {bad:?}"))
}

/// The beginning of a content: its header section, as long as one may be.
fn start(content: &impl Octets) -> std::io::Result<Vec<u8>> {
    let mut start = vec![0; usize::try_from(content.len()).unwrap_or(usize::MAX).min(HEADER_OCTETS_MAX)];
    let mut filled = 0;
    while filled < start.len() {
        match content.read_at(&mut start[filled..], filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    start.truncate(filled);
    Ok(start)
}

#[cfg(test)]
mod tests {
    use proto::scan::milter::{CHUNK_OCTETS_MAX, Reply, protocol};

    use super::super::hostile::Act;
    use super::super::score::tests::{check, judged, unbelievable, unreachable};
    use super::super::score::{NoScore, Speaks};

    /// The end of the offer, and of a message: what a scripted filter waits for.
    const OFFER: &[u8] = b"\x00\x0f\xf7\xff";
    const END: &[u8] = b"\0\0\0\x01E";
    /// Only the content, without answers until its end.
    const QUIET: u32 = protocol::NO_CONNECT
        | protocol::NO_HELO
        | protocol::NO_MAIL
        | protocol::NO_RCPT
        | protocol::NO_DATA
        | protocol::SILENT_FIELDS
        | protocol::SILENT_END_OF_HEADER
        | protocol::SILENT_BODY;

    fn says(reply: &Reply) -> Act {
        Act::Say(reply.wire())
    }

    /// Negotiates, waits for the end of the message, and then acts so.
    fn at_the_end(acts: &[Act]) -> Vec<Act> {
        let negotiated = says(&Reply::Negotiated { version: 6, actions: 1, protocol: QUIET });
        [&[Act::Take(OFFER), negotiated, Act::Take(END)], acts].concat()
    }

    #[tokio::test]
    async fn good_and_bad_filters() {
        let field = |name: &str, value: &str| says(&Reply::Field { name: name.into(), value: value.into() });
        let status = field("X-Spam-Status", "Yes, score=7.5 required=5.0 tests=GTUBE");
        for (acts, expected) in [
            (at_the_end(&[status, says(&Reply::Accept)]), judged(-2_500, &[("GTUBE", 0)])),
            (at_the_end(&[says(&Reply::Progress), says(&Reply::Continue)]), judged(0, &[])),
            (at_the_end(&[says(&Reply::Reject)]), judged(-10_000, &[])),
            (at_the_end(&[says(&Reply::TempFail)]), Err(NoScore::Refused("it says later: ".into()))),
            (vec![], unreachable()),
            (vec![Act::Take(OFFER)], unreachable()),
            (at_the_end(&[]), unreachable()),
            (at_the_end(&[Act::Say(b"\0\0\0\x09h".to_vec())]), unreachable()),
            (vec![Act::Take(OFFER), Act::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())], unbelievable()),
            (vec![Act::Take(OFFER), Act::Say(b"\xff\xff\xff\xffO".to_vec())], unbelievable()),
            (at_the_end(&[says(&Reply::Skip)]), unbelievable()),
            (at_the_end(&[Act::Repeat(Reply::Progress.wire())]), Err(NoScore::Late)),
            (at_the_end(&[Act::Repeat(Reply::Change.wire())]), Err(NoScore::Late)),
            (at_the_end(&[Act::Drip(0)]), unbelievable()),
            (at_the_end(&[Act::Say(b"\0\x01\0\0h".to_vec()), Act::Drip(b'x')]), Err(NoScore::Late)),
            (at_the_end(&[Act::Hang]), Err(NoScore::Late)),
            (vec![Act::Hang], Err(NoScore::Late)),
        ] {
            check(Speaks::Milter, b"Subject: x\r\n\r\nthe body\r\n", acts, expected).await;
        }
    }

    #[tokio::test]
    async fn a_long_message_comes_whole_and_a_filter_that_does_not_read_ends_at_the_deadline() {
        let long = [b"Subject: x\r\n\r\n", vec![b'x'; 20 * CHUNK_OCTETS_MAX + 7].as_slice()].concat();
        check(Speaks::Milter, &long, at_the_end(&[says(&Reply::Accept)]), judged(0, &[])).await;
        let negotiated = says(&Reply::Negotiated { version: 6, actions: 1, protocol: QUIET });
        let acts = vec![Act::Take(OFFER), negotiated, Act::Hang];
        check(Speaks::Milter, &vec![b'x'; 20 << 20], acts, Err(NoScore::Late)).await;
    }
}
