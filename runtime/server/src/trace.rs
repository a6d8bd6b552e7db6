//! The lines a server writes in front of a message: Received (RFC 5321 4.4, RFC 3848), Return-Path at final delivery, and
//! on submission the Date and Message-ID a client forgot (RFC 6409 8).

use std::fmt::Write as _;
use std::net::IpAddr;

use mail::date::DateTime;
use mail::header;
use mail::{Address, Domain, ReversePath};
use proto::smtp::{Hello, Transport};

/// What a Received field tells.
pub struct Received<'a> {
    pub hello: Option<&'a Hello>,
    pub client: IpAddr,
    pub by: &'a Domain,
    /// Taken by a test platform, which a comment says (RFC 5322 3.2.2). No field is added, so that signatures and what
    /// takes our fields away again need not know.
    pub twin: bool,
    pub with: Transport,
    pub id: &'a str,
    /// Told when there is exactly one: others must not learn of each other.
    pub forward_path: Option<&'a Address>,
    pub at_s: i64,
}

impl Received<'_> {
    pub fn write(&self, head: &mut String) {
        let hello = self.hello.map_or_else(|| "unknown".to_owned(), |hello| tame(hello.name.as_str()));
        let client = match self.client {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("IPv6:{v6}"),
        };
        let _ = write!(head, "Received: from {hello} ([{client}])\r\n\tby {} with {}", self.by, self.with);
        if self.twin {
            head.push_str(" (test platform)");
        }
        let _ = write!(head, "\r\n\tid {}", self.id);
        if let Some(forward_path) = self.forward_path {
            let _ = write!(head, " for <{forward_path}>");
        }
        let _ = write!(head, ";\r\n\t{}\r\n", DateTime::utc(self.at_s).to_rfc5322());
    }
}

/// What a client calls itself, without anything that means something in a header field.
pub fn tame(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-._:[]".contains(c) { c } else { '?' }).collect()
}

/// RFC 5321 4.4: only the server that makes the final delivery writes it.
pub fn return_path(reverse_path: &ReversePath, head: &mut String) {
    let _ = write!(head, "Return-Path: {reverse_path}\r\n");
}

/// Adds Date and Message-ID where `start`, the beginning of the content, has none.
pub fn complete(start: &[u8], id: &str, host: &Domain, at_s: i64, head: &mut String) {
    if header::find(start, "date").is_none() {
        let _ = write!(head, "Date: {}\r\n", DateTime::utc(at_s).to_rfc5322());
    }
    if header::find(start, "message-id").is_none() {
        let _ = write!(head, "Message-ID: <{id}@{host}>\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_a_test_platform_took_says_so_in_a_comment() {
        let by: Domain = "mx.example".parse().unwrap();
        let written = |twin: bool| {
            let mut head = String::new();
            let client = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
            let with = Transport { lmtp: false, extended: true, tls: false, login: false };
            Received { hello: None, client, by: &by, twin, with, id: "7f", forward_path: None, at_s: 0 }
                .write(&mut head);
            head
        };
        assert_eq!(written(true).replace(" (test platform)", ""), written(false));
        assert!(written(true).contains(" (test platform)\r\n\tid 7f;"), "{}", written(true));
        let message = format!("{}From: a@b\r\n\r\nbody", written(true));
        assert!(header::find(message.as_bytes(), "from").is_some());
    }

    #[test]
    fn a_submission_gets_only_what_it_lacks() {
        let host: Domain = "smtp.example".parse().unwrap();
        let mut head = String::new();
        complete(b"From: a@b\r\nDate: today\r\n\r\nMessage-ID: in the body\r\n", "q1", &host, 0, &mut head);
        assert_eq!(head, "Message-ID: <q1@smtp.example>\r\n");
        head.clear();
        complete(b"message-id: <x@y>\r\n\r\n", "q1", &host, 0, &mut head);
        assert_eq!(head, "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n");
    }
}
