//! What must hold of any octets, on both sides.

use super::conversation::Told;
use super::packet::Packets;
use super::{BadReply, Conversation, Event, Filter, Outcome, Reply, Step, section};

/// No octets make either side panic or keep more than a packet; what a filter says is read the same however it is cut, what
/// is read is written as it was; and a filter is shown all of a message.
pub fn fuzz(octets: &[u8]) {
    let whole = judged(octets, octets.len().max(1));
    assert_eq!(whole, judged(octets, 3), "however it is cut");
    if let Some(Ok(outcome)) = whole {
        let _ = (outcome.infection(), outcome.score());
        assert!(outcome.fields.len() <= 50);
        assert!(outcome.fields.iter().all(|(name, value)| name.len() <= 2_000 && value.len() <= 2_000));
    }
    let mut packets = Packets::default();
    packets.feed(octets);
    while let Ok(Some(packet)) = packets.next() {
        let Ok(reply) = Reply::read(&packet) else { continue };
        let mut again = Packets::default();
        again.feed(&reply.wire());
        let read = again.next().ok().flatten().map(|packet| Reply::read(&packet));
        assert_eq!(read, Some(Ok(reply)), "a reply reads back");
    }
    let mut filter = Filter::default();
    filter.feed(octets);
    while !matches!(filter.next(), Event::NeedInput | Event::Bad) {}
    shown(octets);
}

/// What comes of a message when a filter says this, whatever it is asked.
fn judged(said: &[u8], size: usize) -> Option<Result<Outcome, BadReply>> {
    let mut conversation = Conversation::new(&told(), section(b"Subject: x\r\n\r\n"));
    let mut said = said.chunks(size);
    let mut body = [&b"body\r\n"[..], b""].into_iter();
    loop {
        match conversation.next() {
            Step::Send(_) => {}
            Step::NeedInput => conversation.feed(said.next()?),
            Step::NeedBody => conversation.body(body.next().unwrap_or_default()),
            Step::Done(outcome) => return Some(Ok(outcome)),
            Step::Bad(bad) => return Some(Err(bad)),
        }
    }
}

/// A filter that lets everything come is shown this message, whatever it is.
fn shown(message: &[u8]) {
    let section = section(message);
    let (fields, body) = (section.fields.clone(), &message[section.body_at..]);
    let mut conversation = Conversation::new(&told(), section);
    let mut filter = Filter::default();
    let (mut shown, mut received) = (Vec::new(), Vec::new());
    let mut pieces = body.chunks(7);
    loop {
        match conversation.next() {
            Step::Send(octets) => filter.feed(&octets),
            Step::NeedBody => conversation.body(pieces.next().unwrap_or_default()),
            Step::NeedInput => {}
            Step::Done(_) => break,
            Step::Bad(bad) => unreachable!("the filter is a good one: {bad:?}"),
        }
        loop {
            let reply = match filter.next() {
                Event::NeedInput => break,
                Event::Negotiate { version, .. } => Reply::Negotiated { version, actions: 0, protocol: 0 },
                Event::Macros { .. } => continue,
                Event::Field { name, value } => {
                    shown.push((name, value));
                    Reply::Continue
                }
                Event::Body(octets) => {
                    received.extend(octets);
                    Reply::Continue
                }
                event => {
                    assert!(!matches!(event, Event::Bad | Event::Quit), "a filter reads what is written");
                    Reply::Continue
                }
            };
            conversation.feed(&reply.wire());
        }
    }
    assert_eq!(received, body, "the body is shown whole");
    let spaced = |value: Vec<u8>| value.into_iter().map(|octet| if octet == 0 { b' ' } else { octet }).collect();
    let fields: Vec<(Vec<u8>, Vec<u8>)> = fields.into_iter().map(|(name, value)| (name, spaced(value))).collect();
    assert_eq!(shown, fields, "the fields are shown in order");
}

pub(super) fn told() -> Told<'static> {
    Told {
        client: Some(std::net::Ipv4Addr::new(192, 0, 2, 7).into()),
        hello: Some("client.example"),
        host: "mx.example.org",
        login: Some("toto-j"),
        queue_id: "0123",
        reverse_path: "a@client.example",
        recipients: vec!["b@example.org".to_owned(), "c@example.org".to_owned()],
    }
}
