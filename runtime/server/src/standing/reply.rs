//! Replies for people who left (RFC 3834): once to each sender in seven days, and to nobody who is a program, a list or
//! nobody at all. To whom is kept with the account, as hashes, so that neither a crash nor a flood makes us write more.

use decide::Receive;
use mail::{Address, Person, ReversePath, header};
use mail_builder::MessageBuilder;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::text::Text;
use serde::{Deserialize, Serialize};
use store::{Op, PutError};

use crate::drive::Open;
use crate::outbound::notify::{self, Notice};
use crate::service::Service;
use crate::{clock, random};
use std::sync::Arc;

/// Settings: this and the login.
const PREFIX: &str = "auto-reply/";
/// One sender hears of one person once in so long.
const AGAIN_S: i64 = 7 * 86_400;
/// Senders of one person that are remembered. While so many have been told lately nobody else is.
const TOLD_MAX: usize = 1_000;
/// Longest subject that is repeated, in characters.
const SUBJECT_MAX: usize = 200;

/// Who was told, as hashes of their addresses with the moment.
#[derive(Debug, Default, Serialize, Deserialize)]
struct ToldSenders(Vec<(u64, i64)>);

impl ToldSenders {
    /// Is it this sender's turn? Then it is noted.
    fn note(&mut self, sender: u64, now_s: i64) -> bool {
        self.0.retain(|(_, at_s)| now_s.saturating_sub(*at_s) < AGAIN_S);
        if self.0.len() >= TOLD_MAX || self.0.iter().any(|(told, _)| *told == sender) {
            return false;
        }
        self.0.push((sender, now_s));
        true
    }
}

/// The replies an accepted message brings, for the commit that places it. `start` is its beginning.
pub async fn replies(service: &Arc<Service>, open: &Open, start: &[u8]) -> Result<Vec<Notice>, PutError> {
    let mut gone: Vec<&Person> = open.recipients.iter().flat_map(|recipient| &recipient.found.gone).collect();
    let ReversePath::Address(sender) = &open.reverse_path else { return Ok(Vec::new()) };
    let is_spam = open.authenticated.tagged.is_some() || open.judgement.as_ref().is_some_and(|it| it.tagged.is_some());
    if gone.is_empty() || is_spam || !may_answer(sender, start) {
        return Ok(Vec::new());
    }
    gone.dedup_by(|a, b| a.login == b.login);
    let mut notices = Vec::new();
    for person in gone {
        // The state may have changed since RCPT.
        let still = decide::may(service.standings.of(&person.login).account_state()).receive == Receive::YesAndReply;
        if still
            && names(start, open, person)
            && let Some(told) = noted(service, person, sender)?
        {
            let octets = message(service, person, sender, start);
            let mut notice = notify::to(service, sender, octets).await?;
            notice.ops.push(told);
            notices.push(notice);
        }
    }
    Ok(notices)
}

/// The note that this sender is told; `None` when that was done lately.
fn noted(service: &Service, person: &Person, sender: &Address) -> Result<Option<Op>, PutError> {
    let key = format!("{PREFIX}{}", person.login.as_str().to_ascii_lowercase());
    let kept = service.store.setting(&key).map_err(|_| PutError::Poisoned)?;
    let mut told: ToldSenders = kept.and_then(|octets| serde_json::from_slice(&octets).ok()).unwrap_or_default();
    let hash = blake3::hash(sender.folded().as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    let is_new = told.note(u64::from_le_bytes([a, b, c, d, e, f, g, h]), clock::unix_s());
    // INVARIANT: numbers always have a JSON form.
    let value = serde_json::to_vec(&told).unwrap_or_default();
    Ok(is_new.then_some(Op::Setting { key, value: Some(value) }))
}

/// The change of the store that forgets whom a person who is erased wrote to.
pub fn forgotten(login: &mail::Login) -> Op {
    Op::Setting { key: format!("{PREFIX}{}", login.as_str().to_ascii_lowercase()), value: None }
}

/// Is it a person who wrote, to people (RFC 3834 2)?
fn may_answer(sender: &Address, start: &[u8]) -> bool {
    let local = sender.local().to_ascii_lowercase();
    let machine = ["mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply", "nobody"];
    let is_machine = machine.contains(&local.as_str())
        || local.starts_with("owner-")
        || local.starts_with("bounce")
        || local.starts_with("srs0=")
        || local.starts_with("srs1=")
        || ["-request", "-owner", "-bounces", "-bounce", "-return"].iter().any(|end| local.ends_with(end));
    !is_machine && !header::fields(start).any(|field| forbids(&field))
}

/// A field that says that no program shall answer.
fn forbids(field: &header::Field<'_>) -> bool {
    let text = || field.text().trim().to_ascii_lowercase();
    if field.is("auto-submitted") {
        return text().split([';', ' ']).next() != Some("no");
    }
    if field.is("precedence") {
        return ["bulk", "list", "junk"].contains(&text().as_str());
    }
    if field.is("x-auto-response-suppress") {
        return text().split(',').any(|word| ["all", "oof", "autoreply"].contains(&word.trim()));
    }
    let lists = [
        "list-id",
        "list-post",
        "list-help",
        "list-subscribe",
        "list-unsubscribe",
        "list-owner",
        "list-archive",
        "x-loop",
        "feedback-id",
    ];
    lists.iter().any(|name| field.is(name))
}

/// Is the person named as one it is for (RFC 3834 2)? Blind copies and what an alias spread are not answered.
fn names(start: &[u8], open: &Open, person: &Person) -> bool {
    let mine = |text: &str| text.contains(&person.address.folded());
    let given = |text: &str| {
        let led = open.recipients.iter().filter(|it| it.found.gone.iter().any(|gone| gone.login == person.login));
        led.map(|it| it.forward_path.folded()).any(|address| text.contains(&address))
    };
    let to = ["to", "cc", "resent-to", "resent-cc"];
    let fields = header::fields(start).filter(|field| to.iter().any(|name| field.is(name)));
    fields.map(|field| field.text().to_ascii_lowercase()).any(|text| mine(&text) || given(&text))
}

/// French first, as the guide is, then English. It names nobody but the person it speaks for.
fn message(service: &Service, person: &Person, sender: &Address, start: &[u8]) -> Vec<u8> {
    let institution = &service.tables.plan().institution;
    let text_of = |name: &str| header::find(start, name).map(|field| field.text()).unwrap_or_default();
    let subject: String = text_of("subject").chars().filter(|it| !it.is_control()).take(SUBJECT_MAX).collect();
    let id = |text: String| text.trim().trim_start_matches('<').trim_end_matches('>').to_owned();
    let answered = Some(id(text_of("message-id"))).filter(|id| {
        (3..=250).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_graphic() && !b"<>".contains(&octet))
    });
    let contact = match institution.contact.as_str() {
        "" => (String::new(), String::new()),
        contact => {
            (format!("\r\nPour savoir à qui écrire : {contact}."), format!("\r\nTo learn whom to write to: {contact}."))
        }
    };
    let name = format!("{} {}", person.first, person.last);
    let (who, house) = (name.trim(), &institution.name);
    let text = format!(
        "Bonjour,\r\n\r\n{who} a quitté {house} et ne lit plus cette adresse. Votre message n'a été lu par personne.{}\r\n\r\n\
         -- \r\n\r\nHello,\r\n\r\n{who} has left {house} and does not read this address any more. Nobody has read your \
         message.{}\r\n",
        contact.0, contact.1
    );
    let own: String = random::timed_id(clock::unix_ms()).iter().map(|octet| format!("{octet:02x}")).collect();
    let mut message = MessageBuilder::new()
        .from((who.to_owned(), person.address.to_string()))
        .to(sender.to_string())
        .subject(format!("Auto: {subject}"))
        .date(Date::new(clock::unix_s()))
        .message_id(format!("{own}@{}", institution.domain))
        // RFC 3834 5.
        .header("Auto-Submitted", Text::new("auto-replied"));
    if let Some(answered) = answered {
        message = message.header("In-Reply-To", MessageId::new(answered.clone()));
        message = message.header("References", MessageId::new(answered));
    }
    message.text_body(text).write_to_vec().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_lists_and_nobody_are_not_answered() {
        let plain = "From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n";
        for (sender, fields, answered) in [
            ("a@b.example", "", true),
            ("a@b.example", "Auto-Submitted: no\r\n", true),
            ("a@b.example", "Auto-Submitted: auto-replied\r\n", false),
            ("a@b.example", "AUTO-SUBMITTED: auto-generated; type=x\r\n", false),
            ("a@b.example", "Precedence: bulk\r\n", false),
            ("a@b.example", "Precedence: first-class\r\n", true),
            ("a@b.example", "List-Id: <x.example>\r\n", false),
            ("a@b.example", "List-Unsubscribe: <mailto:x@y.example>\r\n", false),
            ("a@b.example", "X-Auto-Response-Suppress: DR, OOF\r\n", false),
            ("owner-list@b.example", "", false),
            ("list-request@b.example", "", false),
            ("MAILER-DAEMON@b.example", "", false),
            ("noreply@b.example", "", false),
            ("bounces+x=y@b.example", "", false),
            ("SRS0=abcd=aa=b.example=a@c.example", "", false),
        ] {
            let start = format!("{fields}{plain}\r\nbody\r\n");
            let sender: Address = sender.parse().unwrap();
            assert_eq!(may_answer(&sender, start.as_bytes()), answered, "{sender} {fields:?}");
        }
    }

    #[test]
    fn a_sender_is_told_once_in_seven_days_and_a_flood_ends_it() {
        let mut told = ToldSenders::default();
        assert!(told.note(1, 1_000) && !told.note(1, 1_000 + AGAIN_S - 1) && told.note(2, 1_001));
        assert!(told.note(1, 1_000 + AGAIN_S));
        let mut told = ToldSenders::default();
        let noted = (0..5_000).filter(|sender| told.note(*sender, 0)).count();
        assert_eq!((noted, told.0.len()), (TOLD_MAX, TOLD_MAX));
        assert!(told.note(7, AGAIN_S));
    }
}
