//! Rspamd, by one request of HTTP a connection. The message goes out in pieces and is never copied whole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use mail::ReversePath;
use proto::scan::report::Report;
use proto::scan::rspamd::{self, ANSWER_OCTETS_MAX, BadAnswer, Question};
use tokio::sync::mpsc;

use super::octets::Octets;
use super::place::Place;
use super::score::{Facts, NoScore};

const PIECE_OCTETS: usize = 64 * 1024;
/// Of what an answer begins with.
const HEAD_OCTETS_MAX: usize = 16 * 1024;
const HEAD_FIELDS_MAX: usize = 64;

/// What Rspamd says of a content.
pub async fn ask(place: &Place, content: &impl Octets, facts: &Facts<'_>) -> Result<Report, NoScore> {
    let stream = place.connect().await?;
    let mut http = http1::Builder::new();
    http.max_buf_size(HEAD_OCTETS_MAX).max_headers(HEAD_FIELDS_MAX);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(trouble)?;
    let (pieces, body) = pieces(content.len());
    let request = request(facts, body)?;
    let asking = async {
        let (parts, body) = sender.send_request(request).await.map_err(trouble)?.into_parts();
        let body = Limited::new(body, ANSWER_OCTETS_MAX).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => NoScore::Unbelievable("an answer without end".to_owned()),
            false => NoScore::Unreachable(error.to_string()),
        })?;
        match parts.status {
            StatusCode::OK => rspamd::answer(&body.to_bytes()).map_err(bad),
            status => Err(NoScore::Refused(format!("status {status}"))),
        }
    };
    let feeding = async {
        if let Err(error) = feed(content, pieces).await {
            tracing::debug!("the content for Rspamd: {error}");
        }
        // The answer ends it all.
        std::future::pending().await
    };
    tokio::pin!(asking, connection, feeding);
    tokio::select! {
        answer = &mut asking => answer,
        // It has said all it will say: the answer is whole, or there is none.
        _ = &mut connection => asking.await,
        () = &mut feeding => Err(NoScore::Late),
    }
}

fn request(facts: &Facts<'_>, body: Pieces) -> Result<Request<Pieces>, NoScore> {
    let from = match facts.reverse_path {
        ReversePath::Null => String::new(),
        ReversePath::Address(address) => address.to_string(),
    };
    let question = Question {
        from: &from,
        recipients: facts.recipients.iter().map(|address| address.to_string()).collect(),
        client: facts.client.to_canonical().to_string(),
        hello: facts.hello,
        client_name: None,
        host: facts.host,
        login: facts.login,
        queue_id: facts.queue_id,
    };
    let mut request = Request::post(rspamd::PATH).header(header::HOST, "localhost");
    for (name, value) in question.fields() {
        request = request.header(name, value);
    }
    request.body(body).map_err(|error| NoScore::Refused(error.to_string()))
}

fn trouble(error: hyper::Error) -> NoScore {
    match error.is_parse() {
        true => NoScore::Unbelievable(error.to_string()),
        false => NoScore::Unreachable(error.to_string()),
    }
}

fn bad(bad: BadAnswer) -> NoScore {
    match bad {
        BadAnswer::Skipped => NoScore::Refused("it leaves the message alone".to_owned()),
        BadAnswer::Error(words) => NoScore::Refused(words),
        BadAnswer::TooLong | BadAnswer::Unknown | BadAnswer::Figure => {
            NoScore::Unbelievable(format!("answer: {bad:?}"))
        }
    }
}

/// The body of a request, as its pieces come.
struct Pieces {
    left: u64,
    pieces: mpsc::Receiver<Bytes>,
}

fn pieces(octets: u64) -> (mpsc::Sender<Bytes>, Pieces) {
    let (sender, pieces) = mpsc::channel(1);
    (sender, Pieces { left: octets, pieces })
}

async fn feed(content: &impl Octets, pieces: mpsc::Sender<Bytes>) -> io::Result<()> {
    let mut offset = 0;
    while offset < content.len() {
        let mut piece = vec![0; PIECE_OCTETS];
        let read = content.read_at(&mut piece, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        piece.truncate(read);
        offset += read as u64;
        // Nobody takes more once the answer is there.
        if pieces.send(piece.into()).await.is_err() {
            break;
        }
    }
    Ok(())
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(piece) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                Some(Ok(Frame::data(piece)))
            }
            None if self.left > 0 => Some(Err(io::ErrorKind::UnexpectedEof.into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::super::hostile::Act;
    use super::super::score::tests::{check, judged, unbelievable, unreachable};
    use super::super::score::{NoScore, Speaks};

    const END: &[u8] = b"the end";

    fn says(body: &str, octets: usize) -> Act {
        Act::Say(format!("HTTP/1.1 200 OK\r\nContent-Length: {octets}\r\n\r\n{body}").into_bytes())
    }

    #[tokio::test]
    async fn good_and_bad_servers() {
        let spam = r#"{"score":9.5,"action":"add header","symbols":{"LETTER":{"score":9.5}}}"#;
        let whole = says(spam, spam.len());
        let raw = |text: &str| Act::Say(text.as_bytes().to_vec());
        let refused = |words: &str| Err(NoScore::Refused(words.into()));
        let take = Act::Take(END);
        for (acts, expected) in [
            (vec![take.clone(), whole.clone()], judged(-9_500, &[("LETTER", -9_500)])),
            (vec![take.clone(), whole, Act::Hang], judged(-9_500, &[("LETTER", -9_500)])),
            (vec![], unreachable()),
            (vec![take.clone()], unreachable()),
            (vec![take.clone(), says(spam, spam.len() + 1)], unreachable()),
            (vec![take.clone(), says(spam, spam.len() - 1)], unbelievable()),
            (vec![take.clone(), says("", 0)], unbelievable()),
            (vec![take.clone(), says(r#"{"error":"no"}"#, 14)], refused("no")),
            (
                vec![take.clone(), raw("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")],
                refused("status 500 Internal Server Error"),
            ),
            (vec![take.clone(), raw("SPAMD/1.1 0 EX_OK\r\n\r\n")], unbelievable()),
            (vec![take.clone(), raw("HTTP/1.1 200 OK\r\nA: "), Act::Repeat(vec![b'x'; 1_000])], unbelievable()),
            (vec![take.clone(), raw("HTTP/1.1 200 OK\r\n"), Act::Repeat(b"A: b\r\n".to_vec())], unbelievable()),
            (vec![take.clone(), raw("HTTP/1.1 200 OK\r\n\r\n{"), Act::Repeat(vec![b' '; 1_000])], unbelievable()),
            (vec![take.clone(), says("[", 4_000_000_000), Act::Repeat(vec![b'['; 1_000])], unbelievable()),
            (vec![take.clone(), says("{", 9), Act::Drip(b' ')], Err(NoScore::Late)),
            (vec![take.clone(), Act::Repeat(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())], Err(NoScore::Late)),
            (vec![take, Act::Hang], Err(NoScore::Late)),
        ] {
            check(Speaks::Rspamd, b"Subject: x\r\n\r\nthe end", acts, expected).await;
        }
    }

    #[tokio::test]
    async fn a_long_message_waits_for_a_server_that_does_not_read_until_the_deadline() {
        check(Speaks::Rspamd, &vec![b'x'; 20 << 20], vec![Act::Hang], Err(NoScore::Late)).await;
    }
}
