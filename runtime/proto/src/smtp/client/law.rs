//! What must hold of a conversation whatever a server answers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Client, ClientStep, Content, Handover, Hello, Outcome, Proof, TlsUse, Trouble, sasl};

/// The content: its first dot must be stuffed, its line ends made CRLF, unless it is binary.
const CONTENT: &[u8] = b".\na\r\n";
const WIRE: &[u8] = b"..\r\na\r\n.\r\n";
const BINARY_WIRE: &[u8] = b"BDAT 5 LAST\r\n.\na\r\n";

/// A connection and the messages on it: each as the bits of `message` say, the next with these bits turned by one.
pub(super) struct Talk {
    pub hello: Hello,
    pub message: u8,
    /// Says goodbye after the first message.
    pub only_one: bool,
}

/// What went over the wire, and what became of the messages. Neither may depend on how the octets arrive.
#[derive(Debug, Default, PartialEq, Eq)]
struct Transcript {
    wire: Vec<u8>,
    told: Vec<Told>,
    content_written: bool,
    /// The wire where the message that is open began.
    began: usize,
    /// TLS was started: octets behind the reply to STARTTLS are an injection in one piece and the server's in two.
    secured: bool,
    proofs: usize,
}

/// One message.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    handover: Handover,
    outcomes: Vec<Outcome>,
    content_written: bool,
    wire: Vec<u8>,
}

impl Talk {
    /// Hands over to a server that says `input`, in pieces of `size` and in one.
    pub fn check(&self, size: usize, input: &[u8]) {
        let split = self.talk(size.max(1), input);
        let whole = self.talk(input.len().max(1), input);
        for transcript in [&split, &whole] {
            self.judge(transcript);
        }
        if !split.secured && !whole.secured {
            assert_eq!(split, whole, "in pieces of {size}");
        }
    }

    fn handover(&self, count: usize) -> Handover {
        Handover::fuzzed(self.message.rotate_left(count as u32 % 8), CONTENT.len() as u64)
    }

    fn talk(&self, size: usize, input: &[u8]) -> Transcript {
        let mut client = Client::new(self.hello.clone(), self.handover(0));
        let mut transcript = Transcript::default();
        let mut fed = 0;
        let mut open = true;
        for piece in input.chunks(size) {
            client.feed(piece);
            fed += piece.len();
            loop {
                match client.next() {
                    ClientStep::NeedInput | ClientStep::Done => break,
                    ClientStep::StartTls => {
                        transcript.secured = true;
                        client.tls_started();
                    }
                    ClientStep::Prove(challenge) => {
                        assert!(!challenge.salt.is_empty() && (1..=1_000_000).contains(&challenge.iterations));
                        transcript.proofs += 1;
                        client.proved(&Proof { client: [0; 32], server: [0; 32] });
                    }
                    ClientStep::WriteContent => self.write_content(&mut client, &mut transcript),
                    ClientStep::Write(octets) => transcript.command(&octets),
                    ClientStep::Ready => {
                        let outcomes = client.take_results();
                        let open_yet = Outcome::Broken { stage: client.stage(), trouble: Trouble::Disconnected };
                        assert!(!outcomes.contains(&open_yet), "ready before each recipient had an answer");
                        transcript.end(self.handover(transcript.told.len()), outcomes);
                        open = !self.only_one;
                        match open {
                            true => client.hand(self.handover(transcript.told.len())),
                            false => client.quit(),
                        }
                    }
                }
                assert!(transcript.wire.len() < 1_000 + 40 * fed, "what is written is bounded");
            }
        }
        transcript.secured |= transcript.wire.windows(10).any(|line| line == b"STARTTLS\r\n");
        client.disconnected();
        assert_eq!(client.next(), ClientStep::Done, "nothing is done without a server");
        if open {
            transcript.end(self.handover(transcript.told.len()), client.take_results());
        }
        assert_eq!(client.take_results(), [], "a message is told of twice");
        transcript
    }

    fn write_content(&self, client: &mut Client, transcript: &mut Transcript) {
        transcript.content_written = true;
        client.content(CONTENT, &mut transcript.wire);
        client.content_end(&mut transcript.wire);
        let binary = self.handover(transcript.told.len()).content == Content::Binary;
        let end = if binary { BINARY_WIRE } else { WIRE };
        assert!(transcript.wire.ends_with(end), "{}", transcript.wire.escape_ascii());
    }

    fn judge(&self, transcript: &Transcript) {
        for told in &transcript.told {
            judge(told);
        }
        let in_the_clear = !transcript.secured && self.hello.tls != TlsUse::Active;
        if let (Some(credentials), true) = (&self.hello.credentials, in_the_clear) {
            assert_eq!(transcript.proofs, 0, "a proof in the clear");
            for response in [sasl::plain_response(credentials), STANDARD.encode(credentials.secret.reveal())] {
                assert!(!contains(&transcript.wire, response.as_bytes()), "a password in the clear");
            }
        }
        if self.hello.tls == TlsUse::Required && !transcript.secured {
            assert!(!contains(&transcript.wire, b"MAIL FROM"), "a message in the clear");
        }
    }
}

impl Transcript {
    /// Commands are whole lines, and neither a server's text nor a sender's ends one early.
    fn command(&mut self, octets: &[u8]) {
        assert!(octets.ends_with(b"\r\n"), "{}", octets.escape_ascii());
        let lines = octets.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
        for line in lines {
            let text = line.strip_suffix(b"\r").expect("CRLF ends a line");
            assert!(!text.iter().any(u8::is_ascii_control), "{}", text.escape_ascii());
        }
        self.wire.extend_from_slice(octets);
    }

    fn end(&mut self, handover: Handover, outcomes: Vec<Outcome>) {
        let content_written = std::mem::take(&mut self.content_written);
        let wire = self.wire[self.began..].to_vec();
        self.began = self.wire.len();
        self.told.push(Told { handover, outcomes, content_written, wire });
    }
}

fn judge(told: &Told) {
    let Told { handover, outcomes, content_written, wire } = told;
    assert_eq!(outcomes.len(), handover.recipients.len(), "each recipient has an outcome");
    let delivered = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Delivered(_)));
    assert!(!delivered || *content_written || handover.only_asks, "delivered without its content");
    assert!(!content_written || !handover.only_asks, "a content where recipients were only asked about");
    if handover.content == Content::Binary && *content_written {
        assert!(contains(wire, b" BODY=BINARYMIME"), "{}", wire.escape_ascii());
        assert!(!contains(wire, b"DATA\r\n"), "{}", wire.escape_ascii());
    }
    if handover.require_tls && contains(wire, b"MAIL FROM") {
        assert!(contains(wire, b" REQUIRETLS"), "{}", wire.escape_ascii());
    }
}

fn contains(wire: &[u8], octets: &[u8]) -> bool {
    wire.windows(octets.len()).any(|window| window == octets)
}
