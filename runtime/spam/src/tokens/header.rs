//! Tokens of the header. What servers on the way wrote is left out: it says where a message came through, which is facts for
//! the form pass, and what we wrote ourselves must not teach us. Dates are left out, too.

use mail::header::Field;

use super::gather::{Gather, Kind};
use crate::view::{Mailbox, View, host};

/// Octets of a field that are looked at.
const VALUE_OCTETS_MAX: usize = 512;
/// Fields that only authors write; whether they are there is a trait.
const AUTHORS: [&str; 12] = [
    "In-Reply-To",
    "References",
    "Organization",
    "X-Priority",
    "X-MSMail-Priority",
    "Importance",
    "Disposition-Notification-To",
    "MIME-Version",
    "Message-ID",
    "Content-Language",
    "Thread-Index",
    "X-MimeOLE",
];

pub fn add(view: &View<'_>, gather: &mut Gather) {
    subject(view, gather);
    authors(view, gather);
    for name in AUTHORS {
        let there = view.field(name).is_some();
        gather.add(Kind::Header, &[name, if there { "" } else { " absent" }]);
    }
    for name in ["X-Priority", "Importance", "Content-Language"] {
        if let Some(field) = view.field(name) {
            gather.labelled(Kind::Header, name, &short(field), false);
        }
    }
    for name in ["X-Mailer", "User-Agent"] {
        if let Some(field) = view.field(name) {
            mailer(&short(field), gather);
        }
    }
    if let Some(field) = view.field("Message-ID") {
        message_id(&short(field), view, gather);
    }
}

fn short(field: &Field<'_>) -> String {
    let mut value = field.value();
    value.truncate(VALUE_OCTETS_MAX);
    mail::header::decode_words(&value)
}

/// What lists and filters put in front is not the author's: `[list]`, and the tag of ours whatever it says, because the
/// original is kept beside it.
fn subject(view: &View<'_>, gather: &mut Gather) {
    let original = view.field("X-Original-Subject").map(short);
    let Some(subject) = original.as_deref().or(view.subject.as_deref()) else {
        return gather.add(Kind::Subject, &["absent"]);
    };
    let mut rest = subject.trim();
    if rest.is_empty() {
        gather.add(Kind::Subject, &["empty"]);
    }
    loop {
        if let Some((_, behind)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            rest = behind.trim_start();
            continue;
        }
        let answer = ["re:", "fwd:", "fw:", "tr:", "rép:", "rep:"]
            .into_iter()
            .find(|prefix| rest.get(..prefix.len()).is_some_and(|start| start.to_lowercase() == **prefix));
        let Some(prefix) = answer else { break };
        gather.add(Kind::Subject, &[prefix]);
        rest = rest[prefix.len()..].trim_start();
    }
    let label = format!("{} ", gather.language);
    gather.labelled(Kind::Subject, &label, rest, true);
}

fn authors(view: &View<'_>, gather: &mut Gather) {
    for author in view.from.iter().take(3) {
        mailbox("", author, gather);
    }
    match (view.from.first(), view.reply_to.first()) {
        (Some(from), Some(reply)) => {
            let same = if from.address() == reply.address() {
                "same as From"
            } else if host::registered(&from.domain) == host::registered(&reply.domain) {
                "same domain as From"
            } else {
                "not From"
            };
            gather.add(Kind::From, &["Reply-To ", same]);
            gather.add(Kind::From, &["Reply-To @", host::registered(&reply.domain)]);
        }
        (None, _) => gather.add(Kind::From, &["absent"]),
        _ => {}
    }
}

fn mailbox(label: &str, author: &Mailbox, gather: &mut Gather) {
    gather.labelled(Kind::From, label, &author.name, false);
    if author.name.is_empty() {
        gather.add(Kind::From, &[label, "no name"]);
    }
    gather.add(Kind::From, &[label, "@", host::registered(&author.domain)]);
    if let Some((_, top)) = author.domain.rsplit_once('.') {
        gather.add(Kind::From, &[label, "@.", top]);
    }
    gather.add(Kind::From, &[label, "shape ", &shape(&author.local)]);
    gather.labelled(Kind::From, "local ", &author.local, false);
}

/// Programs are told by their words, not by versions, which are dates of a kind.
fn mailer(text: &str, gather: &mut Gather) {
    let names = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 2).take(4);
    for name in names {
        gather.add(Kind::Header, &["program ", &name.to_lowercase()]);
    }
}

fn message_id(text: &str, view: &View<'_>, gather: &mut Gather) {
    let inner = text.trim().trim_start_matches('<').trim_end_matches('>');
    let (left, right) = inner.rsplit_once('@').unwrap_or((inner, ""));
    gather.add(Kind::Header, &["Message-ID ", &shape(left)]);
    let from = view.from.first().map(|author| host::registered(&author.domain)).unwrap_or_default();
    let right = right.to_lowercase();
    let relation = if right.is_empty() {
        "no domain"
    } else if host::registered(&right) == from {
        "domain of From"
    } else if right.contains('.') {
        "other domain"
    } else {
        "bare host"
    };
    gather.add(Kind::Header, &["Message-ID ", relation]);
}

/// Runs of letters as `a`, of digits as `0`, capitals as `A`, the rest as it is; cut after twelve.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    for c in text.chars() {
        let class = match c {
            '0'..='9' => '0',
            _ if c.is_uppercase() => 'A',
            _ if c.is_alphabetic() => 'a',
            _ if c.is_ascii() && !c.is_ascii_control() => c,
            _ => '~',
        };
        if shape.len() >= 12 {
            break;
        }
        if !shape.ends_with(class) {
            shape.push(class);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str) -> Vec<String> {
        let mut gather = Gather { said: Some(Vec::new()), ..Gather::default() };
        add(&View::read(message.as_bytes()), &mut gather);
        gather.said.unwrap_or_default().into_iter().map(|(kind, said)| format!("{kind:?} {said}")).collect()
    }

    #[test]
    fn what_lists_and_filters_put_in_front_of_a_subject_is_left_out() {
        let of_subject = |subject: &str| -> Vec<String> {
            let found = of(&format!("Subject: {subject}\r\n\r\n"));
            found.into_iter().filter(|token| token.starts_with("Subject")).collect()
        };
        assert_eq!(of_subject("[SPAM] [liste] Re: Bonjour"), of_subject("Re: Bonjour"));
        assert_eq!(of_subject("Re: [liste] Bonjour"), of_subject("RE: Bonjour"));
        assert_eq!(of_subject("*SPAM* x\r\nX-Original-Subject: Bonjour"), of_subject("Bonjour"));
    }

    #[test]
    fn what_servers_and_lists_write_is_no_token() {
        let plain = "From: a@b.example\r\nSubject: x\r\n\r\n";
        let noisy = "Received: from mx.example by us; Mon, 30 Nov 2026 12:00:00 +0000\r\nDelivered-To: x@y.example\r\n\
                     To: x@y.example\r\nList-Id: <l.example>\r\nX-Spam-Score: -12\r\nX-Spam-Flag: YES\r\n\
                     Authentication-Results: us; spf=fail\r\nDate: Mon, 30 Nov 2026 12:00:00 +0000\r\n";
        assert_eq!(of(&format!("{noisy}{plain}")), of(plain));
    }

    #[test]
    fn shapes_are_short_and_carry_no_number() {
        assert_eq!(shape("20260102.Ab12-x"), "0.Aa0-a");
        assert_eq!(shape(&"a1".repeat(50)).len(), 12);
    }
}
