//! The server's side, as much as a stand-in and scripted tests need.

use super::chunked::{Chunks, Piece};
use super::fields::{self, SECTION_OCTETS_MAX};
use super::request::Method;
use super::response::Encapsulated;
use crate::line::Inbox;

/// What a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    NeedInput,
    Options,
    Begin(Method),
    /// Part of the content. Never empty.
    Content(Vec<u8>),
    /// The preview ended and there is more: answer 100, or a verdict.
    EndOfPreview,
    EndOfContent,
    /// Not the protocol; answer 400 and close.
    Bad,
}

#[derive(Debug, Default)]
enum Reading {
    #[default]
    Head,
    /// So many octets of headers inside.
    Inner(usize),
    Body(Chunks),
    Over,
}

/// Reads requests, one after the other.
#[derive(Debug, Default)]
pub struct Server {
    inbox: Inbox,
    reading: Reading,
    is_preview: bool,
}

impl Server {
    pub fn feed(&mut self, octets: &[u8]) {
        if !matches!(self.reading, Reading::Over) {
            self.inbox.feed(octets);
        }
    }

    /// What comes next in the order it was sent.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> ServerEvent {
        loop {
            match &mut self.reading {
                Reading::Over => return ServerEvent::Bad,
                Reading::Head => return self.head().unwrap_or_else(|| self.over()),
                Reading::Inner(octets) => {
                    if self.inbox.rest().len() < *octets {
                        return ServerEvent::NeedInput;
                    }
                    self.inbox.consume(*octets);
                    self.reading = Reading::Body(Chunks::default());
                }
                Reading::Body(chunks) => match chunks.next(&mut self.inbox) {
                    Piece::NeedInput => return ServerEvent::NeedInput,
                    Piece::Octets(octets) => return ServerEvent::Content(octets),
                    Piece::End { all: false } if self.is_preview => {
                        self.is_preview = false;
                        return ServerEvent::EndOfPreview;
                    }
                    Piece::End { .. } => {
                        self.reading = Reading::Head;
                        return ServerEvent::EndOfContent;
                    }
                    Piece::Bad => return self.over(),
                },
            }
        }
    }

    /// `None`: not the protocol.
    fn head(&mut self) -> Option<ServerEvent> {
        let rest = self.inbox.rest();
        let start = &rest[..rest.len().min(SECTION_OCTETS_MAX)];
        let Some(end) = fields::section_end(start) else {
            return (start.len() < SECTION_OCTETS_MAX).then_some(ServerEvent::NeedInput);
        };
        let (line, fields) = fields::section(&start[..end])?;
        let (word, _) = line.strip_suffix(" ICAP/1.0")?.split_once(' ')?;
        self.inbox.consume(end);
        let method = match word {
            "OPTIONS" => return Some(ServerEvent::Options),
            "RESPMOD" => Method::Respmod,
            "REQMOD" => Method::Reqmod,
            _ => return None,
        };
        let encapsulated = Encapsulated::of(fields.get("encapsulated")?).filter(|it| it.has_body)?;
        self.is_preview = fields.number("preview").is_some();
        self.reading = Reading::Inner(encapsulated.header_octets);
        Some(ServerEvent::Begin(method))
    }

    fn over(&mut self) -> ServerEvent {
        self.reading = Reading::Over;
        self.inbox.clear();
        ServerEvent::Bad
    }

    /// The answer to OPTIONS of a service of this name.
    pub fn service(name: &str) -> Vec<u8> {
        format!(
            "ICAP/1.0 200 OK\r\nMethods: RESPMOD, REQMOD\r\nService: {name}\r\nISTag: \"stand-in\"\r\nAllow: 204\r\n\
             Preview: 1024\r\nOptions-TTL: 3600\r\nEncapsulated: null-body=0\r\n\r\n"
        )
        .into_bytes()
    }

    /// The content is as it should be.
    pub fn clean() -> &'static [u8] {
        b"ICAP/1.0 204 No Content\r\nISTag: \"stand-in\"\r\nEncapsulated: null-body=0\r\n\r\n"
    }

    pub fn carry_on() -> &'static [u8] {
        b"ICAP/1.0 100 Continue\r\n\r\n"
    }

    pub fn bad() -> &'static [u8] {
        b"ICAP/1.0 400 Bad Request\r\nConnection: close\r\nEncapsulated: null-body=0\r\n\r\n"
    }

    /// A page in place of a content in which the signature `name` was found.
    pub fn infected(name: &str) -> Vec<u8> {
        let inner = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n\r\n";
        let body = inner.len();
        format!(
            "ICAP/1.0 200 OK\r\nISTag: \"stand-in\"\r\nX-Infection-Found: Type=0; Resolution=2; Threat={name};\r\n\
             Encapsulated: res-hdr=0, res-body={body}\r\n\r\n{inner}5\r\nvirus\r\n0\r\n\r\n"
        )
        .into_bytes()
    }
}
