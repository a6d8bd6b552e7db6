//! The answers to a session's questions, as the server gives them.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use decide::{Accepted, Guess, Guesses, Reason, RecipientClass, Refusal, Transaction};
use mail::{Address, Reply, ReversePath, header, reply};
use policy::suite::{Content, End, Stopped, blocked, claim, steps};
use proto::sasl::{Claim, Credentials};
use proto::smtp::{ForwardPath, Question};

use super::talk::{Open, Talk};

/// Passwords that fail begin so.
const WRONG: &str = "wrong";

impl Talk<'_> {
    pub(super) fn answer(&mut self, question: Question) -> Reply {
        let logged_in = self.client.account.is_some();
        let judged = match question {
            Question::Authenticate { claim: Claim::Password(credentials), .. } => {
                // Nobody is logged in yet: the word, not the rule.
                return self.login(&credentials).unwrap_or_else(|refusal| self.refuse(&refusal, false));
            }
            // Passwords of a simulation are words, and there is nobody who signs tokens.
            Question::Salt { .. } | Question::Authenticate { .. } => {
                return Reply::new(reply::AUTH_FAILED, "A simulation knows passwords only");
            }
            Question::Told(told) => {
                self.client.address = told.address.unwrap_or(self.client.address);
                self.client.account = None;
                let host = &self.house.tables.listener_rules(self.client.listener).host;
                return Reply::new(reply::GREETING, format!("{host} ESMTP"));
            }
            Question::Mail { reverse_path, parameters } => self.mail(reverse_path, parameters.size_octets),
            Question::Recipient { forward_path, .. } => self.recipient(&forward_path),
            Question::ContentStart { .. } => {
                self.in_content = true;
                Ok(Reply::new(reply::START_INPUT, "Go ahead"))
            }
            Question::ContentEnd { octets, fault: None, .. } => self.content(octets),
            Question::ContentEnd { fault: Some(fault), .. } => {
                self.end(false);
                if fault == proto::smtp::ContentFault::TooLarge {
                    self.note_rule("mailboxes.message_size");
                }
                return fault.reply();
            }
        };
        judged.unwrap_or_else(|refusal| self.refuse(&refusal, logged_in))
    }

    fn refuse(&mut self, refusal: &Refusal, logged_in: bool) -> Reply {
        self.note_rule(&refusal.rule);
        refusal.reply(logged_in, &self.house.plan)
    }

    fn login(&mut self, credentials: &Credentials) -> Result<Reply, Refusal> {
        let tables = &self.house.tables;
        let guess =
            Guess { login: &credentials.login, class: self.client.class, address: self.client.address, known: false };
        let (guesses, now) = (Guesses::of(tables, guess), self.clock.now());
        guesses.check(tables, &self.rings, now)?;
        let account =
            self.house.account(&credentials.login).filter(|_| !credentials.secret.reveal().starts_with(WRONG));
        let Some(account) = account else {
            // The same wrong password again is one failure, as in the server.
            let mut hasher = DefaultHasher::new();
            (&credentials.login, credentials.secret.reveal()).hash(&mut hasher);
            guesses.failed(tables, &mut self.rings, hasher.finish(), now);
            return Err(Refusal::new(reply::AUTH_FAILED, Reason::LoginFailed, "logins", "wrong login or password"));
        };
        self.client.account = Some(account);
        let rcpt_max = tables.recipients_max(&self.client);
        if let Some(session) = &mut self.session {
            session.set_rcpt_max(rcpt_max);
        }
        Ok(Reply::new(reply::AUTHENTICATED, "Welcome"))
    }

    fn mail(&mut self, reverse_path: ReversePath, size_octets: Option<u64>) -> Result<Reply, Refusal> {
        let tables = &self.house.tables;
        let sender = tables.sender_class(&reverse_path, self.house.owns(&self.client, &reverse_path));
        let (today, now) = (self.clock.today(), self.clock.now());
        let mut decided = Transaction::mail(tables, &mut self.rings, &self.client, sender, size_octets, &today, now)?;
        self.notes.extend(decided.would_refuse().iter().map(would));
        self.open = Some(Open { decided, reverse_path, content: Vec::new(), complains: true });
        Ok(Reply::new(reply::SENDER_OK, "OK"))
    }

    fn recipient(&mut self, forward_path: &ForwardPath) -> Result<Reply, Refusal> {
        let tables = &self.house.tables;
        let address = match forward_path {
            ForwardPath::Address(address) => Some(address.clone()),
            // RFC 5321 4.5.1: the one address without a domain.
            ForwardPath::Postmaster => Address::new("postmaster", tables.plan().institution.domain.clone()).ok(),
            ForwardPath::Malformed(_) => None,
        };
        let class = address.as_ref().map_or(RecipientClass::Malformed, |address| self.house.class(address));
        let (today, now) = (self.clock.today(), self.clock.now());
        let Some(open) = &mut self.open else { return Ok(Reply::new(reply::BAD_SEQUENCE, "MAIL first")) };
        if address.as_ref().is_some_and(|address| !decide::hears_complaints(tables, address)) {
            let found = blocked(tables, &self.client, open.decided.block(), &open.reverse_path, &[], &today);
            found.map_or(Ok(()), Err)?;
            open.complains = false;
        }
        let folded = address.map(|address| address.folded()).unwrap_or_default();
        let judged = open.decided.rcpt(tables, &mut self.rings, class, &folded, now);
        self.notes.extend(open.decided.would_refuse().iter().map(would));
        match judged? {
            Accepted::New | Accepted::Again => Ok(Reply::new(reply::RECIPIENT_OK, "OK")),
        }
    }

    fn content(&mut self, octets: u64) -> Result<Reply, Refusal> {
        let judged = self.judge_content(octets);
        self.end(judged.is_ok());
        let end = judged?;
        self.notes.push(told(&end));
        if let End::Quarantined(Stopped { by, .. }) | End::Dropped(Stopped { by, .. }) = &end {
            self.note_rule(by);
        }
        self.taken = self.taken.saturating_add(1);
        let mut id = [0; 16];
        id[..6].copy_from_slice(&self.clock.unix_ms().to_be_bytes()[2..]);
        id[14..].copy_from_slice(&self.taken.to_be_bytes());
        Ok(Reply::new(reply::CONTENT_OK, format!("OK, kept as {}", store::QueueId(id))))
    }

    fn judge_content(&mut self, octets: u64) -> Result<End, Refusal> {
        let tables = &self.house.tables;
        let Some(open) = &self.open else {
            return Err(Refusal::new(reply::BAD_SEQUENCE, Reason::BadContent, "", "MAIL first"));
        };
        open.decided.content(tables, octets, mail::mime::is_report(&open.content))?;
        decide::loops(header::fields(&open.content).filter(|field| field.is("received")).count())?;
        let from = from_header(&open.content).or(open.reverse_path.address().cloned());
        let authors = from_header(&open.content);
        let found = blocked(
            tables,
            &self.client,
            open.decided.block(),
            &open.reverse_path,
            authors.as_slice(),
            &self.clock.today(),
        );
        found.filter(|_| !open.complains).map_or(Ok(()), Err)?;
        let (score_thousandths, claim) = (self.score_thousandths, claim(tables, from.as_ref(), false));
        let seen = Content { engines: &self.engines, score_thousandths, claim };
        // Which rules decided is said of the end or the refusal itself.
        let mut hits = BTreeSet::new();
        steps(tables, &self.client, open.decided.block(), &seen, &mut hits)
    }
}

/// The first address of the header From.
fn from_header(content: &[u8]) -> Option<Address> {
    let from = header::fields(content).find(|field| field.is("from"))?;
    let text = from.text();
    let inside = text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(inside, _)| inside.to_owned());
    inside.unwrap_or(text).trim().parse().ok()
}

fn told(end: &End) -> String {
    match end {
        End::Delivered { tagged, rescan, .. } => {
            let tagged = if *tagged { ", tagged as spam" } else { "" };
            let rescan = if *rescan { ", to be looked at again by the engine that was down" } else { "" };
            format!("delivered{tagged}{rescan}")
        }
        End::Quarantined(stopped) => format!("kept in quarantine, told: {:?}", stopped.told),
        End::Dropped(stopped) => format!("dropped, told: {:?}", stopped.told),
        End::Nothing | End::Allowed { .. } | End::Denied { .. } | End::OnGrant { .. } | End::Gets { .. } => {
            end.to_string()
        }
    }
}

/// What a limit that only watches has to say.
fn would(would: &decide::Would) -> String {
    format!("would have been refused by {}, which only watches", would.rule)
}
