//! A message and a next hop that speaks SMTP or LMTP: what the message needs of it, and what its answers mean.

use std::sync::Arc;

use mail::Reply;
use proto::smtp::client::{Handover, Outcome, Protocol, Stage, TlsUse, Trouble};
use store::{QueueItem, WaitingRecipient};

use super::attempt::{Next, deferred, whole};
use super::handover;
use super::told::{self, Words};
use crate::service::Service;

/// Octets kept of what a next hop said.
const REPLY_OCTETS_MAX: usize = 512;

/// Hands the message to `host`, which is `host:port`.
pub async fn handed(
    service: &Arc<Service>,
    item: &QueueItem,
    host: &str,
    protocol: Protocol,
    recipients: &[&WaitingRecipient],
) -> Vec<Next> {
    let Some(content) = whole(service, item).await else {
        let why = "the message cannot be read";
        return recipients.iter().map(|recipient| deferred(service, item, recipient, why)).collect();
    };
    let handover = Handover {
        protocol,
        host: service.tables.plan().institution.domain.clone(),
        tls: TlsUse::IfOffered,
        credentials: None,
        reverse_path: item.reverse_path.clone(),
        recipients: recipients.iter().map(|recipient| recipient.forward_path.clone()).collect(),
        size_octets: content.len() as u64,
        eight_bit: !content.is_ascii(),
        smtputf8: header_needs_utf8(&content),
    };
    let outcomes = handover::hand_over(service, host, handover, &content).await;
    let pairs = recipients.iter().zip(outcomes);
    pairs.map(|(recipient, outcome)| next(item, recipient, host, &outcome)).collect()
}

fn next(item: &QueueItem, recipient: &WaitingRecipient, host: &str, outcome: &Outcome) -> Next {
    let (why, permanent) = match outcome {
        Outcome::Delivered(reply) => (said(reply), false),
        Outcome::Refused { stage, reply } => (said(reply), !outcome.is_temporary() && is_about_the_message(*stage)),
        Outcome::Broken { stage, trouble } => (format!("{}, at {stage:?}", words(*trouble)), !outcome.is_temporary()),
    };
    tracing::info!(queue_id = %item.queue_id, next_hop = host, about = %recipient.forward_path, permanent, "{why}");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let blocked = told::blocked(outcome);
    told::next(recipient, outcome, Words { host: name, tells: false, blocked, permanent, said: &why })
}

/// Does a header need SMTPUTF8 (RFC 6532)? Octets that are no UTF-8 are an old charset without a label, which no
/// extension carries: they go as they are.
fn header_needs_utf8(content: &[u8]) -> bool {
    let end = content.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(content.len());
    let header = &content[..end];
    !header.is_ascii() && std::str::from_utf8(header).is_ok()
}

/// A refusal before MAIL is about us: another day, or another site, may go better.
fn is_about_the_message(stage: Stage) -> bool {
    match stage {
        Stage::Greeting | Stage::Hello | Stage::Tls | Stage::Login => false,
        Stage::Mail | Stage::Recipient | Stage::Content | Stage::End => true,
    }
}

/// The reply on one line, bounded, without what a terminal would obey.
fn said(reply: &Reply) -> String {
    let mut line = reply.code.to_string();
    for text in reply.all_lines() {
        line.push(' ');
        line.extend(text.chars().map(|c| if c.is_control() { '?' } else { c }));
    }
    line.truncate(line.floor_char_boundary(REPLY_OCTETS_MAX));
    line
}

fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Disconnected => "no connection, or it was lost",
        Trouble::BadReply(_) => "the next hop does not speak SMTP",
        Trouble::NoTls => "no TLS",
        Trouble::NoLogin => "no login",
        Trouble::NoUtf8 => "the next hop has no SMTPUTF8",
        Trouble::TooLarge => "larger than the next hop takes",
    }
}

#[cfg(test)]
mod tests {
    use mail::Code;

    use super::*;

    #[test]
    fn a_reply_is_kept_on_one_bounded_line() {
        let reply = Reply::lines(Code::new(550, 5, 1, 1), vec!["no\u{1b}[2J".to_owned(), "é".repeat(1_000)]);
        let said = said(&reply);
        assert!(said.starts_with("550 5.1.1 no?[2J éé"), "{said}");
        assert!((REPLY_OCTETS_MAX - 1..=REPLY_OCTETS_MAX).contains(&said.len()));
    }

    #[test]
    fn a_header_in_utf8_needs_the_extension_and_an_old_charset_does_not() {
        for (content, needs) in [
            ("Subject: x\r\n\r\né".as_bytes(), false),
            ("Subject: é\r\n\r\nx".as_bytes(), true),
            ("Subject: é".as_bytes(), true),
            (b"Subject: \xe9\r\n\r\nx".as_slice(), false),
        ] {
            assert_eq!(header_needs_utf8(content), needs, "{}", String::from_utf8_lossy(content));
        }
    }
}
