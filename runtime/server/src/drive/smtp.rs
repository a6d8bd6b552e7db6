//! Drives an SMTP session (`proto::smtp::Session`): reads, feeds, answers, writes. Judgement is in `transaction` and
//! `accept`.

use std::sync::Arc;
use std::time::Duration;

use decide::{Client, Reason, Refusal};
use mail::{Reply, reply};
use proto::sasl::Credentials;
use proto::smtp::{ContentFault, ForwardPath, MailParameters, Question, Session, Step};

use super::transaction::Open;
use super::{Connection, Woken};
use super::{accept, opening};
use crate::outcome::{Event, Outcome};
use crate::service::Service;

/// Octets read at a time.
const READ_OCTETS: usize = 16 * 1024;
/// Answers are written at the latest when there are so many octets of them.
const WRITE_OCTETS: usize = 64 * 1024;

struct Smtp {
    service: Arc<Service>,
    connection: Connection,
    session: Session,
    client: Client,
    open: Option<Open>,
    out: Vec<u8>,
}

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
        Ok(_) => Session::new(config),
        Err(refusal) => Session::turned_away(config, refusal.reply(false, &service.plan)),
    };
    session.set_refusals(opening::refusals(&service.tables, &service.plan, &client));
    let mut smtp = Smtp { service, connection, session, client, open: None, out: Vec::new() };
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
                Step::Ask(question) => {
                    let reply = self.answer(question).await;
                    self.session.answer(reply);
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

    async fn write(&mut self) -> bool {
        self.connection.stream.write(&mut self.out).await.is_ok()
    }

    async fn read(&mut self, buffer: &mut [u8]) {
        let limit = Duration::from_secs(u64::from(self.session.timeout_s()));
        // A message under way may end; nothing new begins.
        let busy = self.open.is_some();
        match super::read(&self.service, &mut self.connection.stream, buffer, limit, busy).await {
            Woken::Octets(octets) => self.session.feed(&buffer[..octets]),
            Woken::End => self.session.disconnected(),
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
        self.session.tls_started();
        true
    }

    async fn answer(&mut self, question: Question) -> Reply {
        match question {
            Question::Authenticate { credentials, .. } => Box::pin(self.authenticate(&credentials)).await,
            Question::Mail { reverse_path, parameters } => self.mail(reverse_path, &parameters),
            Question::Recipient { forward_path, .. } => self.recipient(&forward_path).await,
            Question::ContentStart { .. } => {
                if let Some(open) = &mut self.open {
                    open.start_content();
                }
                Reply::new(reply::START_INPUT, "Go ahead")
            }
            Question::ContentEnd { octets, fault, .. } => Box::pin(self.content_end(octets, fault)).await,
        }
    }

    async fn authenticate(&mut self, credentials: &Credentials) -> Reply {
        let (service, peer) = (&self.service, &self.connection.peer);
        match super::login::authenticate(service, peer, self.connection.class, credentials).await {
            Ok(account) => {
                self.client.account = Some(account);
                self.session.set_rcpt_max(self.service.tables.recipients_max(&self.client));
                Reply::new(reply::AUTHENTICATED, "Welcome")
            }
            // Nobody is logged in yet: the word, not the rule.
            Err(refusal) => refusal.reply(false, &self.service.plan),
        }
    }

    fn mail(&mut self, reverse_path: mail::ReversePath, parameters: &MailParameters) -> Reply {
        match Open::mail(&self.service, &self.client, reverse_path.clone(), parameters) {
            Ok(open) => {
                self.open = Some(open);
                Reply::new(reply::SENDER_OK, "OK")
            }
            Err(refusal) => self.refuse(Event::MailRefused, &refusal, &reverse_path),
        }
    }

    async fn recipient(&mut self, forward_path: &ForwardPath) -> Reply {
        let Some(open) = &mut self.open else { return Reply::new(reply::BAD_SEQUENCE, "MAIL first") };
        match open.recipient(forward_path).await {
            Ok(()) => Reply::new(reply::RECIPIENT_OK, "OK"),
            Err(refusal) => self.refuse(Event::RecipientRefused, &refusal, forward_path),
        }
    }

    async fn content_end(&mut self, octets: u64, fault: Option<ContentFault>) -> Reply {
        let (Some(open), Ok(block)) = (self.open.take(), &self.connection.block) else {
            return Reply::new(reply::BAD_SEQUENCE, "MAIL first");
        };
        let reverse_path = open.reverse_path.clone();
        let queue_id = open.queue_id;
        let recipients: Vec<mail::Address> = open.recipients.iter().map(|r| r.forward_path.clone()).collect();
        if let Some(fault) = fault {
            let (reason, rule) = match fault {
                ContentFault::Body(_) => (Reason::BadContent, ""),
                ContentFault::TooLarge => (Reason::TooLarge, "mailboxes.message_size"),
            };
            let reply = fault.reply();
            let refusal = Refusal::new(reply.code, reason, rule, reply.text());
            accept::refused(&self.service, &recipients, &reverse_path, reason);
            let outcome = Outcome::refused(Event::ContentRefused, &refusal, reverse_path).of(queue_id);
            self.service.outcome(outcome.from_peer(&self.connection.peer));
            return reply;
        }
        let session = accept::Session {
            client: &self.client,
            block: *block,
            peer: &self.connection.peer,
            hello: self.session.hello().cloned(),
            transport: self.session.transport(),
        };
        match accept::content(&self.service, &session, open, octets).await {
            Ok(text) => Reply::new(reply::CONTENT_OK, text),
            Err(refusal) => {
                accept::refused(&self.service, &recipients, &reverse_path, refusal.reason);
                let outcome = Outcome::refused(Event::ContentRefused, &refusal, reverse_path).of(queue_id);
                self.service.outcome(outcome.from_peer(&self.connection.peer));
                refusal.reply(self.client.account.is_some(), &self.service.plan)
            }
        }
    }

    fn refuse(&self, event: Event, refusal: &Refusal, about: &impl std::fmt::Display) -> Reply {
        self.service.outcome(Outcome::refused(event, refusal, about).from_peer(&self.connection.peer));
        refusal.reply(self.client.account.is_some(), &self.service.plan)
    }
}
