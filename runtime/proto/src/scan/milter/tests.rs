use proptest::prelude::*;

use super::law::told;
use super::protocol::{NO_BODY, NO_CONNECT, NO_DATA, NO_END_OF_HEADER, NO_FIELDS, NO_HELO, NO_MAIL, NO_RCPT, OFFERED};
use super::protocol::{SILENT_BODY, SILENT_FIELDS, SKIP};
use super::*;

const MESSAGE: &[u8] = b"Subject: a\r\n b\r\nX-Empty:\r\n\r\nbody\r\n";

fn negotiated(protocol: u32) -> Vec<u8> {
    Reply::Negotiated { version: 6, actions: 0x21, protocol }.wire()
}

/// What comes of `MESSAGE` when a filter that negotiated `protocol` gives these replies in order, and what it was told.
fn play(protocol: u32, replies: &[Reply]) -> (Step, Vec<Event>) {
    let mut conversation = Conversation::new(&told(), section(MESSAGE));
    let mut said = std::iter::once(negotiated(protocol)).chain(replies.iter().map(Reply::wire));
    let mut body = [&b"body\r\n"[..], b""].into_iter();
    let (mut filter, mut events) = (Filter::default(), Vec::new());
    loop {
        match conversation.next() {
            Step::Send(octets) => {
                filter.feed(&octets);
                events.extend(std::iter::repeat_with(|| filter.next()).take_while(|event| *event != Event::NeedInput));
            }
            Step::NeedInput => match said.next() {
                Some(octets) => conversation.feed(&octets),
                None => return (Step::NeedInput, events),
            },
            Step::NeedBody => conversation.body(body.next().unwrap_or_default()),
            over => return (over, events),
        }
    }
}

fn outcome(verdict: Verdict, saw: Saw) -> Step {
    Step::Done(Outcome { verdict, saw, quarantine: None, fields: Vec::new() })
}

/// Nothing but the end of the body.
const ONLY_END: u32 = NO_CONNECT | NO_HELO | NO_MAIL | NO_RCPT | NO_DATA | NO_FIELDS | NO_END_OF_HEADER | NO_BODY;
/// The content without answers until its end.
const QUIET: u32 = NO_CONNECT | NO_HELO | NO_MAIL | NO_RCPT | NO_DATA | NO_END_OF_HEADER | SILENT_FIELDS | SILENT_BODY;

#[test]
fn verdicts_and_how_much_the_filter_had_seen() {
    use Reply::{Accept, Closing, Continue, Discard, Progress, Reject, Skip, TempFail};
    let code = |code, text: &str| Reply::Code { code, text: text.into() };
    let reject = |text: &str| Verdict::Reject(text.into());
    let later = |text: &str| Verdict::TempFail(text.into());
    let (no_envelope, body) = (QUIET & !SILENT_FIELDS, QUIET & !SILENT_BODY);
    for (protocol, replies, expected) in [
        (QUIET, vec![Continue], outcome(Verdict::Accept, Saw::Whole)),
        (QUIET, vec![Progress, Progress, Accept], outcome(Verdict::Accept, Saw::Whole)),
        (QUIET, vec![Reject], outcome(reject(""), Saw::Whole)),
        (QUIET, vec![code(550, "5.7.1 Eicar found")], outcome(reject("5.7.1 Eicar found"), Saw::Whole)),
        (QUIET, vec![code(451, "4.7.1 busy")], outcome(later("4.7.1 busy"), Saw::Whole)),
        (QUIET, vec![TempFail], outcome(later(""), Saw::Whole)),
        (QUIET, vec![Discard], outcome(Verdict::Discard, Saw::Whole)),
        (QUIET, vec![Closing], outcome(later("it gives up"), Saw::Whole)),
        // It looks at less than all.
        (ONLY_END, vec![Accept], outcome(Verdict::Accept, Saw::Envelope)),
        (0, vec![Accept], outcome(Verdict::Accept, Saw::Envelope)),
        (0, vec![Continue, Continue, Reject], outcome(reject(""), Saw::Envelope)),
        (no_envelope, vec![Accept], outcome(Verdict::Accept, Saw::Part)),
        (body, vec![Accept], outcome(Verdict::Accept, Saw::Part)),
        (body, vec![Skip, Accept], outcome(Verdict::Accept, Saw::Part)),
        // One recipient refused, then both.
        (NO_CONNECT | NO_HELO | NO_MAIL, vec![Reject, Continue, Accept], outcome(Verdict::Accept, Saw::Envelope)),
        (NO_CONNECT | NO_HELO | NO_MAIL, vec![Reject, TempFail], outcome(later(""), Saw::Envelope)),
        // What cannot be.
        (QUIET, vec![Skip], Step::Bad(BadReply::Unexpected)),
        (body, vec![Reply::Change], Step::Bad(BadReply::Unexpected)),
        (QUIET, vec![Reply::Negotiated { version: 6, actions: 0, protocol: 0 }], Step::Bad(BadReply::Unexpected)),
        (OFFERED + 1, vec![], Step::Bad(BadReply::Unexpected)),
        (QUIET, vec![Progress], Step::NeedInput),
    ] {
        assert_eq!(play(protocol, &replies).0, expected, "{protocol:x} {replies:?}");
    }
    assert_ne!(OFFERED & SKIP, 0);
}

#[test]
fn of_what_a_filter_wants_changed_only_its_findings_are_kept() {
    let field = |name: &str, value: &str| Reply::Field { name: name.into(), value: value.into() };
    let replies = [
        field("X-Virus-Status", "Infected\n (Eicar)"),
        field("Subject", "[SPAM]"),
        Reply::Change,
        field("x-spam-score", "7.5"),
        Reply::Quarantine("a virus".into()),
        Reply::Accept,
    ];
    let fields = [("X-Virus-Status", "Infected (Eicar)"), ("x-spam-score", "7.5")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let quarantine = Some("a virus".to_owned());
    let expected = Outcome { verdict: Verdict::Accept, saw: Saw::Whole, quarantine, fields };
    assert_eq!(play(QUIET, &replies).0, Step::Done(expected));
    let many = vec![field("X-Spam-Rule", &"x".repeat(10_000)); 10_000];
    let Step::Done(outcome) = play(QUIET, &[many, vec![Reply::Accept]].concat()).0 else { panic!("it is done") };
    assert_eq!((outcome.fields.len(), outcome.fields[0].1.len()), (50, 500));
}

#[test]
fn what_a_filter_is_told() {
    let replies = vec![Reply::Continue; 20];
    let (step, events) = play(0, &replies);
    assert_eq!(step, outcome(Verdict::Accept, Saw::Whole));
    let word = |text: &str| text.as_bytes().to_vec();
    let field = |name: &str, value: &str| Event::Field { name: word(name), value: word(value) };
    let pairs = |command: u8, pairs: &[(&str, &str)]| Event::Macros {
        command,
        pairs: pairs.iter().map(|(name, value)| (word(name), word(value))).collect(),
    };
    let expected = [
        Event::Negotiate { version: 6, actions: ACTIONS, protocol: OFFERED },
        pairs(b'C', &[("j", "mx.example.org"), ("{client_addr}", "192.0.2.7"), ("{client_name}", "[192.0.2.7]")]),
        Event::Connect { name: word("[192.0.2.7]"), address: b"4\0\x00192.0.2.7\0".to_vec() },
        Event::Hello(word("client.example")),
        pairs(
            b'M',
            &[
                ("i", "0123"),
                ("{mail_addr}", "a@client.example"),
                ("{auth_authen}", "toto-j"),
                ("{auth_type}", "PLAIN"),
            ],
        ),
        Event::Mail(word("<a@client.example>")),
        pairs(b'R', &[("{rcpt_addr}", "b@example.org")]),
        Event::Recipient(word("<b@example.org>")),
        pairs(b'R', &[("{rcpt_addr}", "c@example.org")]),
        Event::Recipient(word("<c@example.org>")),
        pairs(b'T', &[("i", "0123")]),
        Event::Data,
        field("Subject", "a\n b"),
        field("X-Empty", ""),
        pairs(b'N', &[("i", "0123")]),
        Event::EndOfHeader,
        Event::Body(word("body\r\n")),
        Event::EndOfBody,
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_section_ends_where_it_stops_being_one_and_hides_nothing() {
    for (message, names, body) in [
        (&b"A: b\r\n\r\nc"[..], &["A"][..], &b"c"[..]),
        (b"A: b\nB : c\n\nd\n", &["A", "B"], b"d\n"),
        (b"A: b\r\nno field\r\nC: d\r\n\r\n", &["A"], b"no field\r\nC: d\r\n\r\n"),
        (b" begins folded\r\nA: b\r\n", &[], b" begins folded\r\nA: b\r\n"),
        (b"A: b", &["A"], b""),
        (b"\r\nbody", &[], b"body"),
        (b"", &[], b""),
    ] {
        let section = section(message);
        let read: Vec<_> = section.fields.iter().map(|(name, _)| std::str::from_utf8(name).unwrap()).collect();
        assert_eq!((read.as_slice(), &message[section.body_at..]), (names, body));
    }
    let long = [b"A: ", vec![b'x'; 150_000].as_slice(), b"\r\n\r\n"].concat();
    let lengths: Vec<_> = section(&long).fields.iter().map(|(_, value)| value.len()).collect();
    assert_eq!(lengths, [60_000, 60_000, 30_000], "a packet has no room for all of it");
}

#[test]
fn what_a_filter_says_is_bounded_and_has_a_form() {
    let begin = negotiated(ONLY_END);
    for (said, expected) in [
        (&b"\0\0\0\0"[..], BadReply::Unknown),
        (b"\x7f\xff\xff\xffb", BadReply::TooLong),
        (b"\0\x01\0\x01b", BadReply::TooLong),
        (b"\0\0\0\x01?", BadReply::Unknown),
        (b"\0\0\0\x05y250\0", BadReply::Unknown),
        (b"\0\0\0\x06y550 x", BadReply::Unknown),
        (b"\0\0\0\x03qab", BadReply::Unknown),
        (b"\0\0\0\x03hab", BadReply::Unknown),
        (b"\0\0\0\x03m\0\0", BadReply::Unknown),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", BadReply::TooLong),
    ] {
        let mut conversation = Conversation::new(&told(), section(MESSAGE));
        conversation.feed(&begin);
        conversation.feed(said);
        let step = std::iter::repeat_with(|| conversation.next()).find(|step| !matches!(step, Step::Send(_)));
        assert_eq!(step, Some(Step::Bad(expected)), "{said:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_law_holds(
        head in prop::sample::select(vec![vec![], negotiated(ONLY_END), negotiated(QUIET), b"A: b\r\n".to_vec()]),
        tail in prop::collection::vec(prop_oneof![Just(0u8), Just(b':'), Just(b'\n'), 0..9u8, b'a'..=b'z', any::<u8>()], 0..80),
    ) {
        fuzz(&[head, tail].concat());
    }
}
