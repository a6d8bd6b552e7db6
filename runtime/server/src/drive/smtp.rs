//! Drives an SMTP session (`proto::smtp::Session`): reads, feeds, answers, writes. Judgement is in `transaction` and
//! `accept`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use decide::{Client, Judged, Reason, Refusal, Tells};
use mail::{Reply, reply};
use proto::sasl::Claim;
use proto::smtp::{ContentFault, ForwardPath, MailParameters, Question, RcptParameters, Session, Step, Told};

use super::login::LoggedIn;
use super::transaction::{Open, Tight};
use super::{Connection, Woken};
use super::{accept, blocked, opening, told};
use crate::compromise;
use crate::lists::Lists;
use crate::outcome::{Event, Outcome, Peer};
use crate::service::Service;
use crate::sessions::Entered;

/// Octets read at a time.
const READ_OCTETS: usize = 16 * 1024;
/// Answers are written at the latest when there are so many octets of them.
const WRITE_OCTETS: usize = 64 * 1024;

struct Smtp {
    service: Arc<Service>,
    connection: Connection,
    session: Session,
    client: Client,
    /// Of the account that is logged in.
    entered: Option<Entered>,
    open: Option<Open>,
    /// Lists in DNS that look at the client.
    lists: Lists,
    out: Vec<u8>,
}

/// What a test platform says of itself, so that nobody takes it for the machine it is a test of.
const TWIN_GREETS: &str = "TEST PLATFORM: no mail leaves";

/// Holds the conversation to its end.
pub async fn run(service: Arc<Service>, connection: Connection) {
    let client = Client {
        listener: connection.listener,
        class: connection.class,
        address: connection.peer.seen_as,
        tls: connection.stream.is_tls(),
        account: None,
    };
    let config = opening::config(&service.tables, &client);
    let mut session = match &connection.block {
        Ok(_) => Session::greeting(config, if service.site.twin { TWIN_GREETS } else { "" }),
        Err(refusal) => Session::turned_away(config, refusal.reply(false, &service.plan)),
    };
    session.set_bindings(connection.bindings());
    session.set_refusals(opening::refusals(&service.tables, &service.plan, &client));
    let lists = Lists::ask(&service, &client);
    let mut smtp = Smtp { service, connection, session, client, entered: None, open: None, lists, out: Vec::new() };
    smtp.converse().await;
    // A transaction that is still open gives back what it reserved before the client sees the end.
    smtp.open = None;
    smtp.connection.stream.close().await;
}

impl Smtp {
    async fn converse(&mut self) {
        let mut buffer = vec![0; READ_OCTETS];
        loop {
            match self.session.next() {
                Step::Send(reply) => {
                    self.service.transcripts.replied(self.login(), &self.connection.peer, &reply);
                    reply.render(&mut self.out);
                    if self.out.len() >= WRITE_OCTETS && !self.write().await {
                        return;
                    }
                }
                Step::NeedInput => {
                    if !self.write().await {
                        return;
                    }
                    self.read(&mut buffer).await;
                }
                Step::StartTls => {
                    if !self.write().await || !self.secure().await {
                        return;
                    }
                }
                Step::Ask(Question::Salt { login }) => self.salt(&login),
                Step::Ask(Question::Authenticate { claim, .. }) => Box::pin(self.authenticate(&claim)).await,
                Step::Ask(question) => {
                    self.service.transcripts.asked(self.login(), &self.connection.peer, &question);
                    let replies = self.answer(question).await;
                    self.session.answer_each(replies);
                }
                Step::Content(octets) => {
                    if let Some(open) = &mut self.open {
                        open.append(&octets);
                    }
                }
                Step::Abandoned(_) => self.open = None,
                Step::NeedAnswer => return,
                Step::Close => {
                    self.write().await;
                    return;
                }
            }
        }
    }

    fn login(&self) -> Option<&mail::Login> {
        self.client.account.as_ref().map(|account| &account.login)
    }

    async fn write(&mut self) -> bool {
        self.connection.stream.write(&mut self.out).await.is_ok()
    }

    async fn read(&mut self, buffer: &mut [u8]) {
        let limit = Duration::from_secs(u64::from(self.session.timeout_s()));
        // A message under way may end; nothing new begins.
        let busy = self.open.is_some();
        let entered = self.entered.as_ref();
        match super::read(&self.service, &mut self.connection.stream, entered, buffer, limit, busy).await {
            Woken::Octets(octets) => {
                // Another command: it is answered under the plan that runs now, and a transaction under the one it began with.
                if !busy {
                    self.take_plan();
                }
                match told::first(&mut self.connection, buffer, octets).await {
                    Ok(octets) => {
                        self.client.address = self.connection.peer.seen_as;
                        self.session.feed(octets);
                    }
                    Err(told::Untold) => self.session.disconnected(),
                }
            }
            Woken::End => self.session.disconnected(),
            Woken::Ended => self.session.cut(Reply::new(reply::CUT_OFF, "This session was ended, log in again")),
            Woken::TimedOut => self.session.cut(Reply::new(reply::TIMEOUT, "Waited too long")),
            Woken::Stopping => self.session.cut(Reply::new(reply::SHUTTING_DOWN, "The server stops, try later")),
        }
    }

    async fn secure(&mut self) -> bool {
        let Some(acceptor) = self.connection.acceptor.clone() else { return false };
        if let Err(error) = self.connection.stream.secure(&acceptor).await {
            self.service.metrics.handshakes_failed.inc();
            tracing::debug!(client = %self.connection.peer.client, "STARTTLS: {error}");
            return false;
        }
        self.client.tls = true;
        self.session.set_bindings(self.connection.bindings());
        self.session.tls_started();
        true
    }

    /// One reply, or under LMTP one for each recipient of a content.
    async fn answer(&mut self, question: Question) -> Vec<Reply> {
        let reply = match question {
            // Answered before, each in its way.
            Question::Salt { .. } | Question::Authenticate { .. } => Reply::new(reply::AUTH_LATER, "Try later"),
            Question::Told(told) => self.told(&told),
            Question::Mail { reverse_path, parameters } => self.mail(reverse_path, parameters).await,
            Question::Recipient { forward_path, parameters } => match self.turned_away(&forward_path).await {
                Some(refusal) => self.refuse(Event::RecipientRefused, &refusal, &forward_path),
                None => self.recipient(&forward_path, parameters).await,
            },
            Question::ContentStart { .. } => {
                if let Some(open) = &mut self.open {
                    open.start_content();
                }
                Reply::new(reply::START_INPUT, "Go ahead")
            }
            Question::ContentEnd { octets, fault, .. } => return Box::pin(self.content_end(octets, fault)).await,
        };
        vec![reply]
    }

    /// XCLIENT: another client from here on, who is not logged in.
    fn told(&mut self, told: &Told) -> Reply {
        if let Some(address) = told.address {
            self.connection.speaks_for(address);
            self.client.address = address;
            // Lists are about the client, not about who speaks for it.
            self.lists = Lists::ask(&self.service, &self.client);
        }
        (self.client.account, self.entered) = (None, None);
        self.session.set_rcpt_max(self.service.tables.recipients_max(&self.client));
        let host = &self.service.tables.listener_rules(self.client.listener).host;
        Reply::new(reply::GREETING, format!("{host} ESMTP"))
    }

    fn salt(&mut self, login: &str) {
        match super::login::salt(&self.service, &self.connection.peer, self.connection.class, login) {
            Ok(salt) => self.session.answer_salt(&salt),
            Err(refusal) => self.session.answer(refusal.reply(false, &self.service.plan)),
        }
    }

    async fn authenticate(&mut self, claim: &Claim) {
        self.take_plan();
        if let Err(refusal) = &self.connection.block {
            return self.session.answer(refusal.reply(false, &self.service.plan));
        }
        let (service, peer) = (&self.service, &self.connection.peer);
        match super::login::authenticate(service, peer, self.connection.class, claim).await {
            Ok(LoggedIn { account, server_signature, entered, .. }) => {
                (self.client.account, self.entered) = (Some(account), entered);
                self.session.set_rcpt_max(self.service.tables.recipients_max(&self.client));
                let reply = Reply::new(reply::AUTHENTICATED, "Welcome");
                match server_signature {
                    Some(signature) => self.session.answer_signed(reply, signature),
                    None => self.session.answer(reply),
                }
            }
            // Nobody is logged in yet: the word, not the rule.
            Err(refusal) => self.session.answer(refusal.reply(false, &self.service.plan)),
        }
    }

    /// A command outside of a transaction, or one that begins: it is judged by the plan that runs now, and so is all of a
    /// transaction.
    fn take_plan(&mut self) {
        if !self.connection.take_plan(&mut self.service) {
            return;
        }
        (self.client.listener, self.client.class) = (self.connection.listener, self.connection.class);
        let tables = &self.service.tables;
        self.session.set_config(opening::config(tables, &self.client));
        self.session.set_refusals(opening::refusals(tables, &self.service.plan, &self.client));
        self.lists = Lists::ask(&self.service, &self.client);
    }

    async fn mail(&mut self, reverse_path: mail::ReversePath, parameters: MailParameters) -> Reply {
        self.take_plan();
        if let Err(refusal) = self.connection.block.clone() {
            return self.refuse(Event::MailRefused, &refusal, &reverse_path);
        }
        match Open::mail(&self.service, &self.client, reverse_path.clone(), parameters) {
            Ok(mut open) => {
                self.tell_if_near(&open);
                self.tell_what_would_be_refused(&mut open);
                self.open = Some(open);
                Reply::new(reply::SENDER_OK, "OK")
            }
            Err(refusal) => {
                if let Some(account) = &self.client.account {
                    compromise::message_refused(&self.service, &account.login, &refusal).await;
                }
                self.refuse(Event::MailRefused, &refusal, &reverse_path)
            }
        }
    }

    /// The refusal of a recipient because of who sends: a list the client is on, or a block. Postmaster hears of complaints all
    /// the same (RFC 5321 4.5.1).
    async fn turned_away(&mut self, forward_path: &ForwardPath) -> Option<Refusal> {
        let postmaster = match forward_path {
            ForwardPath::Postmaster => true,
            ForwardPath::Address(address) => address.local().eq_ignore_ascii_case("postmaster"),
            ForwardPath::Malformed(_) => false,
        };
        let listed = self.lists.listing(&self.service, &self.client).await.refusal.clone();
        if let Some(refusal) = listed.filter(|_| !postmaster) {
            return Some(refusal);
        }
        let (open, block) = (self.open.as_ref()?, self.connection.block.as_ref().ok()?);
        let client = self.connection.told_address.unwrap_or(self.client.address);
        blocked::at_recipient(&self.service, open, *block, client, forward_path)
    }

    async fn recipient(&mut self, forward_path: &ForwardPath, parameters: RcptParameters) -> Reply {
        let Some(open) = &mut self.open else { return Reply::new(reply::BAD_SEQUENCE, "MAIL first") };
        let before = open.recipients.len();
        let judged = open.recipient(forward_path, parameters).await;
        if let Some(account) = &self.client.account {
            let accepted = open.recipients.get(before);
            compromise::recipient(&self.service, &account.login, accepted, judged.as_ref().err()).await;
        }
        if let Some(mut open) = self.open.take() {
            self.tell_if_near(&open);
            self.tell_what_would_be_refused(&mut open);
            self.open = Some(open);
        }
        match judged {
            Ok(()) => Reply::new(reply::RECIPIENT_OK, "OK"),
            Err(refusal) => self.refuse(Event::RecipientRefused, &refusal, forward_path),
        }
    }

    async fn content_end(&mut self, octets: u64, fault: Option<ContentFault>) -> Vec<Reply> {
        let (Some(mut open), Ok(block)) = (self.open.take(), &self.connection.block) else {
            return vec![Reply::new(reply::BAD_SEQUENCE, "MAIL first")];
        };
        let asked = open.asked.clone();
        let recorded = open.recorded().clone();
        recorded.content(|end| end.octets = Some(octets));
        let tight =
            if self.is_lmtp() && fault.is_none() { open.split_tight(&self.client, octets) } else { Tight::new() };
        let reverse_path = open.reverse_path.clone();
        let queue_id = open.queue_id;
        let recipients: Vec<mail::Address> = open.recipients.iter().map(|r| r.forward_path.clone()).collect();
        let told = told_in(&self.service, &self.connection, &open);
        let peer = match told {
            Some(address) => Peer { seen_as: address, ..self.connection.peer.clone() },
            None => self.connection.peer.clone(),
        };
        // Known since the first recipient.
        let noted = self.lists.listing(&self.service, &self.client).await.noted.clone();
        let session = accept::Session {
            client: &self.client,
            block: *block,
            peer: &peer,
            told_address: told.or(self.connection.told_address),
            hello: self.session.hello(),
            transport: self.session.transport(),
            listed: &noted,
        };
        let reply = match judged(&self.service, &session, open, octets, fault).await {
            Ok(text) => Reply::new(reply::CONTENT_OK, text),
            Err(refusal) => {
                recorded.content(|end| end.refused = Some(Judged::from(&refusal)));
                self.note_refused();
                accept::refused(&self.service, &recipients, &reverse_path, refusal.reason);
                let outcome = Outcome::refused(Event::ContentRefused, &refusal, &reverse_path).of(queue_id);
                self.service.outcome(outcome.from_peer(&peer));
                match fault {
                    Some(fault) => fault.reply(),
                    None => refusal.reply(self.client.account.is_some(), &self.service.plan),
                }
            }
        };
        if !self.is_lmtp() {
            return vec![reply];
        }
        let of =
            |folded: &String| tight.get(folded).map(|refusal| self.refuse(Event::RecipientRefused, refusal, folded));
        asked.iter().map(|folded| of(folded).unwrap_or_else(|| reply.clone())).collect()
    }

    fn is_lmtp(&self) -> bool {
        self.service.tables.listener_rules(self.client.listener).speaks == plan::Speaks::Lmtp
    }

    /// Guards of a plan on trial count accounts that are refused something.
    fn note_refused(&self) {
        if let Some(account) = &self.client.account {
            self.service.plans.refused.note(&account.login, crate::clock::unix_s());
        }
    }

    /// One line for each crossing of `warn_at`; `notices` tells the person.
    fn tell_if_near(&self, open: &Open) {
        let Some(rule) = open.nearing() else { return };
        let about = self.client.account.as_ref().map(|account| account.login.to_string()).unwrap_or_default();
        let outcome = Outcome::done(Event::NearLimit, about).from_peer(&self.connection.peer);
        self.service.outcome(Outcome { rule, ..outcome });
    }

    /// Each is counted; a line is for the first of an account in a window's own width.
    fn tell_what_would_be_refused(&self, open: &mut Open) {
        for would in open.would_refuse() {
            self.service.metrics.would_refuse.with_label_values(&[&would.rule]).inc();
            if would.is_first {
                let about = self.client.account.as_ref().map(|account| account.login.to_string()).unwrap_or_default();
                let outcome = Outcome::done(Event::WouldRefuse, about).of(open.queue_id);
                self.service.outcome(Outcome { rule: would.rule, ..outcome.from_peer(&self.connection.peer) });
            }
        }
    }

    fn refuse(&self, event: Event, refusal: &Refusal, about: &impl std::fmt::Display) -> Reply {
        self.note_refused();
        self.service.outcome(Outcome::refused(event, refusal, about).from_peer(&self.connection.peer));
        refusal.reply(self.client.account.is_some(), &self.service.plan)
    }
}

/// What becomes of a whole content: nothing of one with a fault.
async fn judged(
    service: &Arc<Service>,
    session: &accept::Session<'_>,
    open: Open,
    octets: u64,
    fault: Option<ContentFault>,
) -> Result<String, Refusal> {
    let Some(fault) = fault else { return accept::content(service, session, open, octets).await };
    let (reason, rule) = match fault {
        ContentFault::Body(_) => (Reason::BadContent, ""),
        ContentFault::TooLarge => (Reason::TooLarge, "mailboxes.message_size"),
    };
    let reply = fault.reply();
    Err(Refusal::new(reply.code, reason, rule, reply.text()))
}

/// The client a gateway names in a Received field.
fn told_in(service: &Service, connection: &Connection, open: &Open) -> Option<IpAddr> {
    let Tells::Received { depth } = service.tables.tells(connection.class) else { return None };
    let start = open.content.as_ref()?.start(accept::HEADER_OCTETS_MAX).ok()?;
    told::received(&start, depth)
}
