//! What must hold of any octets, on both sides.

use super::{Body, Event, Request, ResponseReader, Server, ServerEvent, Service, verdict};

/// Most octets of a body the law lets through.
const BODY_OCTETS_MAX: u64 = 4_096;

/// No octets make either side panic or keep more than it was fed; however they are cut, the same is read; what a client
/// writes, a server reads.
pub fn fuzz(octets: &[u8]) {
    let whole = responses(octets, octets.len().max(1));
    assert_eq!(whole, responses(octets, 3), "any split says the same");
    assert_eq!(requests(octets, octets.len().max(1)), requests(octets, 5), "any split says the same");
    let (first, content) = octets.split_first().map_or((0, octets), |(first, rest)| (*first, rest));
    let preview = (first % 3 != 0).then_some(u64::from(first));
    written(content, preview);
}

/// What a client hears: events with bodies joined.
fn responses(octets: &[u8], size: usize) -> (Vec<Event>, Vec<u8>) {
    let mut reader = ResponseReader::new(true, BODY_OCTETS_MAX);
    let (mut events, mut body) = (Vec::new(), Vec::new());
    for piece in octets.chunks(size) {
        reader.feed(piece);
        loop {
            match reader.next() {
                Event::NeedInput => break,
                Event::Body(part) => body.extend(part),
                Event::Bad(bad) => {
                    // How much of a body came before it depends on the split.
                    events.push(Event::Bad(bad));
                    return (events, Vec::new());
                }
                Event::Whole(response) => {
                    for kind in [Body::None, Body::Same, Body::Differs] {
                        let _ = verdict(&response, kind, true);
                    }
                    let _ = Service::of(&response);
                    events.push(Event::Whole(response));
                }
                Event::Continue => events.push(Event::Continue),
            }
        }
    }
    assert!(body.len() <= octets.len(), "a body comes from the input");
    (events, body)
}

fn requests(octets: &[u8], size: usize) -> (Vec<ServerEvent>, Vec<u8>) {
    let mut server = Server::default();
    let (mut events, mut content) = (Vec::new(), Vec::new());
    for piece in octets.chunks(size) {
        server.feed(piece);
        loop {
            match server.next() {
                ServerEvent::NeedInput => break,
                ServerEvent::Content(part) => content.extend(part),
                ServerEvent::Bad => {
                    events.push(ServerEvent::Bad);
                    return (events, Vec::new());
                }
                event => events.push(event),
            }
        }
    }
    (events, content)
}

/// The content a server reads is the one a client was given.
fn written(content: &[u8], preview: Option<u64>) {
    let octets = content.len() as u64;
    for method in [super::Method::Respmod, super::Method::Reqmod] {
        let request = Request { method, host: "scan.example:1344", service: "avscan", octets, preview };
        let (first, then) = request.whole(content);
        let (events, read) = requests(&[first, then.clone()].concat(), 7);
        assert_eq!(read, content);
        let mut expected = vec![ServerEvent::Begin(method), ServerEvent::EndOfContent];
        if !then.is_empty() {
            expected.insert(1, ServerEvent::EndOfPreview);
        }
        assert_eq!(events, expected);
    }
}
