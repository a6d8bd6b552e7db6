//! What must hold of a handover whatever a server answers.

use super::{Client, ClientStep, Handover, Outcome, TlsUse, sasl};

/// The content: its first dot must be stuffed, its line ends made CRLF.
const CONTENT: &[u8] = b".\na\r\n";
const WIRE: &[u8] = b"..\r\na\r\n.\r\n";

/// What went over the wire, and what became of the recipients. Neither may depend on how the octets arrive.
#[derive(Debug, Default, PartialEq, Eq)]
struct Transcript {
    wire: Vec<u8>,
    outcomes: Vec<Outcome>,
    content_written: bool,
    /// TLS was started: octets behind the reply to STARTTLS are an injection in one piece and the server's in two.
    secured: bool,
}

/// Hands over to a server that says `input`, in pieces of `size` and in one.
pub(super) fn check(handover: &Handover, size: usize, input: &[u8]) {
    let split = talk(handover, size.max(1), input);
    let whole = talk(handover, input.len().max(1), input);
    for transcript in [&split, &whole] {
        judge(handover, transcript);
    }
    if !split.secured && !whole.secured {
        assert_eq!(split, whole, "in pieces of {size}");
    }
}

fn talk(handover: &Handover, size: usize, input: &[u8]) -> Transcript {
    let mut client = Client::new(handover.clone());
    let mut transcript = Transcript::default();
    let mut asked_for_tls = false;
    for piece in input.chunks(size) {
        client.feed(piece);
        loop {
            match client.next() {
                ClientStep::NeedInput | ClientStep::Done => break,
                ClientStep::StartTls => {
                    asked_for_tls = true;
                    transcript.secured = true;
                    client.tls_started();
                }
                ClientStep::WriteContent => {
                    transcript.content_written = true;
                    client.content(CONTENT, &mut transcript.wire);
                    client.content_end(&mut transcript.wire);
                    assert!(transcript.wire.ends_with(WIRE), "{}", transcript.wire.escape_ascii());
                }
                ClientStep::Write(octets) => transcript.command(&octets),
            }
        }
    }
    transcript.secured |= asked_for_tls || transcript.wire.windows(10).any(|line| line == b"STARTTLS\r\n");
    client.disconnected();
    assert_eq!(client.next(), ClientStep::Done, "nothing is done without a server");
    transcript.outcomes = client.results();
    transcript
}

impl Transcript {
    /// Commands are whole lines, and a server's text ends none early.
    fn command(&mut self, octets: &[u8]) {
        assert!(octets.ends_with(b"\r\n"), "{}", octets.escape_ascii());
        let lines = octets.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
        for line in lines {
            let text = line.strip_suffix(b"\r").expect("CRLF ends a line");
            assert!(!text.iter().any(u8::is_ascii_control), "{}", text.escape_ascii());
        }
        self.wire.extend_from_slice(octets);
        assert!(self.wire.len() < 4_096, "what is written is bounded");
    }
}

fn judge(handover: &Handover, transcript: &Transcript) {
    assert_eq!(transcript.outcomes.len(), handover.recipients.len(), "each recipient has an outcome");
    let delivered = transcript.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Delivered(_)));
    assert!(!delivered || transcript.content_written, "delivered without its content");
    if let (Some(credentials), false) = (&handover.credentials, transcript.secured || handover.tls == TlsUse::Active) {
        let response = sasl::plain_response(credentials);
        let told = transcript.wire.windows(response.len()).any(|octets| octets == response.as_bytes());
        assert!(!told, "a password in the clear");
    }
    if handover.tls == TlsUse::Required && !transcript.secured {
        assert!(!transcript.content_written, "a content in the clear");
    }
}
