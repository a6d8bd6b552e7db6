//! What a client writes (RFC 3507 4.8, 4.9, 4.10).

use super::chunked::{END, END_OF_ALL, chunk};

/// The methods that carry content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    Respmod,
    Reqmod,
}

impl Method {
    pub fn word(self) -> &'static str {
        match self {
            Method::Respmod => "RESPMOD",
            Method::Reqmod => "REQMOD",
        }
    }
}

/// One message on its way to a service.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: Method,
    /// `host:port`, printable.
    pub host: &'a str,
    /// The path of the service without its first slash, printable.
    pub service: &'a str,
    /// Octets of the content.
    pub octets: u64,
    /// Octets that are sent before the server says 100; `None` where all are.
    pub preview: Option<u64>,
}

/// OPTIONS (RFC 3507 4.10.1).
pub fn options(host: &str, service: &str) -> Vec<u8> {
    format!(
        "OPTIONS icap://{host}/{service} ICAP/1.0\r\nHost: {host}\r\nUser-Agent: facteur\r\n\
         Encapsulated: null-body=0\r\n\r\n"
    )
    .into_bytes()
}

impl Request<'_> {
    /// Octets of the content that go ahead of the server's 100.
    pub fn preview_octets(&self) -> u64 {
        self.preview.map_or(self.octets, |preview| preview.min(self.octets))
    }

    /// Everything before the content: the ICAP header and the made-up HTTP headers.
    pub fn head(&self) -> Vec<u8> {
        let Request { host, service, octets, .. } = self;
        let content = format!("Content-Type: message/rfc822\r\nContent-Length: {octets}\r\n\r\n");
        let (inner, encapsulated) = match self.method {
            Method::Respmod => {
                let asked = "GET http://mail.invalid/message.eml HTTP/1.1\r\nHost: mail.invalid\r\n\r\n";
                let answered = format!("HTTP/1.1 200 OK\r\n{content}");
                let (response, body) = (asked.len(), asked.len() + answered.len());
                let encapsulated = format!("req-hdr=0, res-hdr={response}, res-body={body}");
                (format!("{asked}{answered}"), encapsulated)
            }
            Method::Reqmod => {
                let post = format!("POST http://mail.invalid/message.eml HTTP/1.1\r\nHost: mail.invalid\r\n{content}");
                let encapsulated = format!("req-hdr=0, req-body={}", post.len());
                (post, encapsulated)
            }
        };
        let preview = self.preview.map(|octets| format!("Preview: {octets}\r\n")).unwrap_or_default();
        let method = self.method.word();
        format!(
            "{method} icap://{host}/{service} ICAP/1.0\r\nHost: {host}\r\nUser-Agent: facteur\r\nAllow: 204\r\n\
             {preview}Encapsulated: {encapsulated}\r\n\r\n{inner}"
        )
        .into_bytes()
    }

    /// A whole request around a content in memory: what goes first, and what follows a 100.
    pub fn whole(&self, content: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let ahead = usize::try_from(self.preview_octets()).unwrap_or(usize::MAX).min(content.len());
        let (mut first, mut then) = (self.head(), Vec::new());
        chunk(&content[..ahead], &mut first);
        if self.preview.is_some() && ahead < content.len() {
            first.extend_from_slice(END);
            chunk(&content[ahead..], &mut then);
            then.extend_from_slice(END);
        } else {
            first.extend_from_slice(self.end_of_first());
        }
        (first, then)
    }

    /// What ends the octets that go ahead of a 100.
    pub fn end_of_first(&self) -> &'static [u8] {
        match self.preview {
            Some(preview) if preview >= self.octets => END_OF_ALL,
            Some(_) | None => END,
        }
    }
}
