//! Reads responses, one after the other on a connection (RFC 3507 4.3, 4.4, 4.5).

use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::character::complete::{char as octet, space0, u64 as number};
use nom::combinator::{all_consuming, opt, rest};
use nom::multi::separated_list1;
use nom::sequence::preceded;
use nom::{IResult, Parser};

use super::chunked::{Chunks, Piece};
use super::fields::{self, Fields, SECTION_OCTETS_MAX};
use crate::line::Inbox;

/// The header of what is inside a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inner {
    /// A message of HTTP with this status.
    Response { status: u16, fields: Fields },
    /// A request, or a header that is none of HTTP.
    Other,
}

/// A response without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Of ICAP: 200, 204, 4xx, 5xx.
    pub status: u16,
    pub fields: Fields,
    pub inner: Option<Inner>,
    /// Octets of the body that came with it.
    pub body_octets: u64,
}

impl Response {
    /// RFC 3507 4.7, without its quotes.
    pub fn istag(&self) -> Option<String> {
        let value = self.fields.get("istag")?.trim_matches('"');
        (!value.is_empty()).then(|| value.chars().take(64).collect())
    }

    /// May another request follow on this connection?
    pub fn is_kept_alive(&self) -> bool {
        matches!(self.status, 200 | 204) && !self.fields.has_token("connection", "close")
    }
}

/// What comes next on the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    NeedInput,
    /// 100: the rest is wanted.
    Continue,
    /// Part of the body inside. Never empty.
    Body(Vec<u8>),
    /// The response is over.
    Whole(Response),
    Bad(BadResponse),
}

/// Why a response cannot be believed; nothing of this connection is read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadResponse {
    /// A header section without end.
    Header,
    /// Not the protocol.
    Unknown,
    /// The body is longer than anything that was asked.
    Body,
    /// 100 where none was due.
    Continue,
}

#[derive(Debug)]
enum Reading {
    Head,
    Inner(Response, Encapsulated),
    Body(Response, Chunks),
    Over(BadResponse),
}

/// The client's ear. Feed what arrives and take events until it needs input.
#[derive(Debug)]
pub struct ResponseReader {
    inbox: Inbox,
    reading: Reading,
    body_octets_max: u64,
    /// May a 100 come?
    continues: bool,
}

impl ResponseReader {
    /// For one response; `preview`: a 100 may come before it.
    pub fn new(preview: bool, body_octets_max: u64) -> ResponseReader {
        ResponseReader { inbox: Inbox::default(), reading: Reading::Head, body_octets_max, continues: preview }
    }

    pub fn feed(&mut self, octets: &[u8]) {
        if !matches!(self.reading, Reading::Over(_)) {
            self.inbox.feed(octets);
        }
    }

    /// Nothing waits that was not asked for.
    pub fn is_empty(&self) -> bool {
        self.inbox.is_empty()
    }

    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Event {
        loop {
            match std::mem::replace(&mut self.reading, Reading::Head) {
                Reading::Over(bad) => return self.over(bad),
                Reading::Head => match self.head() {
                    Ok(None) => {}
                    Ok(Some(event)) => return event,
                    Err(bad) => return self.over(bad),
                },
                Reading::Inner(response, encapsulated) => {
                    let octets = self.inbox.rest();
                    if octets.len() < encapsulated.header_octets {
                        self.reading = Reading::Inner(response, encapsulated);
                        return Event::NeedInput;
                    }
                    let inner = Some(encapsulated.read(&octets[..encapsulated.header_octets]));
                    self.inbox.consume(encapsulated.header_octets);
                    let response = Response { inner, ..response };
                    if !encapsulated.has_body {
                        return Event::Whole(response);
                    }
                    self.reading = Reading::Body(response, Chunks::default());
                }
                Reading::Body(mut response, mut chunks) => match chunks.next(&mut self.inbox) {
                    Piece::NeedInput => {
                        self.reading = Reading::Body(response, chunks);
                        return Event::NeedInput;
                    }
                    Piece::Octets(octets) => {
                        response.body_octets += octets.len() as u64;
                        if response.body_octets > self.body_octets_max {
                            return self.over(BadResponse::Body);
                        }
                        self.reading = Reading::Body(response, chunks);
                        return Event::Body(octets);
                    }
                    Piece::End { .. } => return Event::Whole(response),
                    Piece::Bad => return self.over(BadResponse::Unknown),
                },
            }
        }
    }

    fn head(&mut self) -> Result<Option<Event>, BadResponse> {
        let rest = self.inbox.rest();
        let start = &rest[..rest.len().min(SECTION_OCTETS_MAX)];
        let Some(end) = fields::section_end(start) else {
            return if start.len() < SECTION_OCTETS_MAX {
                Ok(Some(Event::NeedInput))
            } else {
                Err(BadResponse::Header)
            };
        };
        let (line, fields) = fields::section(&start[..end]).ok_or(BadResponse::Unknown)?;
        let status = status(&line, "ICAP/1.").ok_or(BadResponse::Unknown)?;
        self.inbox.consume(end);
        if status == 100 {
            return if std::mem::take(&mut self.continues) {
                Ok(Some(Event::Continue))
            } else {
                Err(BadResponse::Continue)
            };
        }
        let encapsulated = match fields.get("encapsulated") {
            Some(value) => Encapsulated::of(value).ok_or(BadResponse::Unknown)?,
            None => Encapsulated::default(),
        };
        let response = Response { status, fields, inner: None, body_octets: 0 };
        // What an error has inside is for people; the connection ends with it.
        if status != 200 {
            let odd = status == 204 && (encapsulated.has_body || encapsulated.header_octets > 0);
            return if odd { Err(BadResponse::Unknown) } else { Ok(Some(Event::Whole(response))) };
        }
        self.reading = match (encapsulated.header_octets, encapsulated.has_body) {
            (0, false) => return Ok(Some(Event::Whole(response))),
            (0, true) => Reading::Body(response, Chunks::default()),
            (_, _) => Reading::Inner(response, encapsulated),
        };
        Ok(None)
    }

    fn over(&mut self, bad: BadResponse) -> Event {
        self.inbox.clear();
        self.reading = Reading::Over(bad);
        Event::Bad(bad)
    }
}

/// What the field Encapsulated says (RFC 3507 4.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Encapsulated {
    /// Where the last header begins.
    header_at: usize,
    pub(super) header_octets: usize,
    pub(super) has_body: bool,
    pub(super) is_response: bool,
}

impl Encapsulated {
    /// ```abnf
    /// encapsulated = *( ("req-hdr" / "res-hdr") "=" offset "," ) ("req-body" / "res-body" / "opt-body" / "null-body") "=" offset
    /// ```
    pub(super) fn of(value: &str) -> Option<Encapsulated> {
        let name = take_while1(|octet: u8| octet.is_ascii_alphabetic() || octet == b'-');
        let one = (preceded(space0, name), octet('='), number::<&[u8], nom::error::Error<&[u8]>>);
        let mut list = all_consuming((separated_list1((space0, octet(',')), one), space0));
        let (_, (entries, _)) = list.parse(value.as_bytes()).ok()?;
        let (body, headers) = entries.split_last()?;
        let has_body = match body.0 {
            b"req-body" | b"res-body" | b"opt-body" => true,
            b"null-body" => false,
            _ => return None,
        };
        let are_headers = headers.iter().all(|(name, _, _)| *name == b"req-hdr" || *name == b"res-hdr");
        let ascend = entries.windows(2).all(|two| two[0].2 < two[1].2) && entries.first()?.2 == 0;
        let header_octets = usize::try_from(body.2).ok().filter(|octets| *octets <= SECTION_OCTETS_MAX)?;
        let last = headers.last();
        (headers.len() <= 2 && are_headers && ascend).then_some(Encapsulated {
            header_at: last.map_or(0, |(_, _, at)| *at as usize),
            header_octets,
            has_body,
            is_response: last.is_some_and(|(name, _, _)| *name == b"res-hdr"),
        })
    }

    fn read(&self, octets: &[u8]) -> Inner {
        let section = octets.get(self.header_at..).and_then(fields::section).filter(|_| self.is_response);
        let response = section.and_then(|(line, fields)| Some((status(&line, "HTTP/1.")?, fields)));
        response.map_or(Inner::Other, |(status, fields)| Inner::Response { status, fields })
    }
}

/// The status of `ICAP/1.0 204 No Content`.
fn status(line: &str, protocol: &str) -> Option<u16> {
    let digits = |count| take_while_m_n(count, count, |octet: u8| octet.is_ascii_digit());
    let reason = opt(preceded(octet(' '), rest));
    let mut parser = all_consuming((tag(protocol.as_bytes()), digits(1), octet(' '), digits(3), reason));
    let parsed: IResult<&[u8], _> = parser.parse(line.as_bytes());
    std::str::from_utf8(parsed.ok()?.1.3).ok()?.parse().ok()
}
