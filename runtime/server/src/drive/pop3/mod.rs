//! Drives a POP3 session (`proto::pop3::Session`): answers its questions from the store.

mod held;
mod maildrop;

use std::sync::Arc;
use std::time::Duration;

use decide::{Auth, ReadingCell, Refusal};
use mail::Login;
use proto::pop3::{Answer, Config, LoginFailure, Logins, Question, Session, Step, Trouble};
use proto::sasl::{self, Claim};

pub(crate) use self::held::Maildrops;
use self::maildrop::Opened;
use super::login::LoggedIn;
use super::{Connection, Woken, opening};
use crate::service::Service;

/// Octets read at a time: commands are short.
const READ_OCTETS: usize = 1024;

struct Pop {
    service: Arc<Service>,
    connection: Connection,
    session: Session,
    login: Option<Login>,
    maildrop: Option<Opened>,
}

/// Holds the conversation to its end.
pub async fn run(service: Arc<Service>, connection: Connection) {
    let session = match &connection.block {
        Ok(_) => Session::new(config(&service, &connection)),
        Err(refusal) => Session::turned_away(refusal.reply(false, &service.plan).text()),
    };
    let mut pop = Pop { service, connection, session, login: None, maildrop: None };
    pop.converse().await;
    // Whoever comes back at once finds the maildrop free.
    pop.maildrop = None;
    pop.connection.stream.close().await;
}

/// What may be done on the connection as it is.
fn config(service: &Service, connection: &Connection) -> Config {
    let bindings = connection.bindings();
    let tls = connection.stream.is_tls();
    let logins = match (reads(service, connection, tls), reads(service, connection, true)) {
        (true, _) => Logins::Now,
        (false, true) => Logins::UnderTls,
        (false, false) => Logins::Never,
    };
    Config {
        stls: !tls && connection.acceptor.is_some(),
        logins,
        mechanisms: sasl::offered(&opening::mechanisms(service.tables.plan()), &bindings),
        bindings,
    }
}

/// Does the reading table let anybody log in here? Asked before any password is looked at.
fn reads(service: &Service, connection: &Connection, tls: bool) -> bool {
    let cell = ReadingCell { listener: connection.listener, class: connection.class, tls, auth: Auth::Good };
    service.tables.reading(cell).reads()
}

impl Pop {
    async fn converse(&mut self) {
        let mut buffer = vec![0; READ_OCTETS];
        loop {
            match self.session.next() {
                Step::Send(mut octets) => {
                    if self.connection.stream.write(&mut octets).await.is_err() {
                        return;
                    }
                }
                Step::NeedInput => {
                    if !self.read(&mut buffer).await {
                        return;
                    }
                }
                Step::StartTls => {
                    if !self.secure().await {
                        return;
                    }
                }
                Step::Ask(question) => {
                    let answer = Box::pin(self.answer(question)).await.unwrap_or_else(Answer::Failed);
                    self.session.answer(answer);
                }
                Step::Close => return,
            }
        }
    }

    /// False when the client is gone.
    async fn read(&mut self, buffer: &mut [u8]) -> bool {
        let limit = Duration::from_secs(u64::from(self.session.timeout_s()));
        match super::read(&self.service, &mut self.connection.stream, buffer, limit, false).await {
            Woken::Octets(octets) => match super::told::first(&mut self.connection, buffer, octets).await {
                Ok(octets) => self.session.feed(octets),
                Err(super::told::Untold) => return false,
            },
            Woken::TimedOut | Woken::Stopping => self.session.end(),
            Woken::End => return false,
        }
        true
    }

    async fn secure(&mut self) -> bool {
        let Some(acceptor) = self.connection.acceptor.clone() else { return false };
        if let Err(error) = self.connection.stream.secure(&acceptor).await {
            self.service.metrics.handshakes_failed.inc();
            tracing::debug!(client = %self.connection.peer.client, "STLS: {error}");
            return false;
        }
        self.session.secured(config(&self.service, &self.connection));
        true
    }

    async fn answer(&mut self, question: Question) -> Result<Answer, Trouble> {
        match question {
            Question::Authenticate(claim) => Ok(self.authenticate(&claim).await),
            Question::Salt { login } => Ok(self.salt(&login)),
            Question::Maildrop => self.open().await,
            Question::Read { uid, from, octets, whole } => self.octets(uid, from, octets, whole).await,
            Question::Update { removed } => self.update(removed).await,
        }
    }

    fn is_private_enough(&self) -> bool {
        reads(&self.service, &self.connection, self.connection.stream.is_tls())
    }

    fn salt(&self, login: &str) -> Answer {
        if !self.is_private_enough() {
            return Answer::NotAuthenticated(LoginFailure::Private);
        }
        match super::login::salt(&self.service, &self.connection.peer, self.connection.class, login) {
            Ok(salt) => Answer::Salt(salt),
            Err(refusal) => not_authenticated(&refusal),
        }
    }

    async fn authenticate(&mut self, claim: &Claim) -> Answer {
        if !self.is_private_enough() {
            return Answer::NotAuthenticated(LoginFailure::Private);
        }
        let (service, peer) = (&self.service, &self.connection.peer);
        match super::login::authenticate(service, peer, self.connection.class, claim).await {
            Ok(LoggedIn { account, server_signature }) => {
                self.login = Some(account.login);
                Answer::Authenticated { server_signature }
            }
            Err(refusal) => not_authenticated(&refusal),
        }
    }
}

fn not_authenticated(refusal: &Refusal) -> Answer {
    let failure = if refusal.code.is_temporary() { LoginFailure::Unavailable } else { LoginFailure::Wrong };
    Answer::NotAuthenticated(failure)
}
