//! Drives a POP3 session (`proto::pop3::Session`): answers its questions from the store.

mod held;
mod maildrop;

use std::sync::Arc;
use std::time::Duration;

use mail::Login;
use proto::pop3::{Answer, Config, Logins, Question, Session, Step, Trouble};
use proto::sasl::{self, Claim};

pub(crate) use self::held::Maildrops;
use self::maildrop::Opened;
use super::login::{self, LoggedIn};
use super::{Connection, Woken, opening};
use crate::service::Service;
use crate::sessions::Entered;

/// Octets read at a time: commands are short.
const READ_OCTETS: usize = 1024;

struct Pop {
    service: Arc<Service>,
    connection: Connection,
    session: Session,
    login: Option<Login>,
    entered: Option<Entered>,
    maildrop: Option<Opened>,
}

/// Holds the conversation to its end.
pub async fn run(service: Arc<Service>, connection: Connection) {
    let session = match &connection.block {
        Ok(_) => Session::new(config(&service, &connection)),
        Err(refusal) => Session::turned_away(refusal.reply(false, &service.plan).text()),
    };
    let mut pop = Pop { service, connection, session, login: None, entered: None, maildrop: None };
    pop.converse().await;
    // Whoever comes back at once finds the maildrop free.
    pop.maildrop = None;
    pop.connection.stream.close().await;
}

/// What may be done on the connection as it is.
fn config(service: &Service, connection: &Connection) -> Config {
    let bindings = connection.bindings();
    let tls = connection.stream.is_tls();
    let logins = match (login::may_read(service, connection, tls), login::may_read(service, connection, true)) {
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
        let entered = self.entered.as_ref();
        match super::read(&self.service, &mut self.connection.stream, entered, buffer, limit, false).await {
            Woken::Octets(octets) => {
                // Another command: it is answered under the plan that runs now.
                if self.connection.take_plan(&mut self.service) {
                    self.session.set_config(config(&self.service, &self.connection));
                }
                match super::told::first(&mut self.connection, buffer, octets).await {
                    Ok(octets) => self.session.feed(octets),
                    Err(super::told::Untold) => return false,
                }
            }
            Woken::TimedOut | Woken::Stopping | Woken::Ended => self.session.end(),
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

    fn salt(&self, login: &str) -> Answer {
        let salt = login::reader_salt(&self.service, &self.connection, login);
        salt.map_or_else(Answer::NotAuthenticated, Answer::Salt)
    }

    async fn authenticate(&mut self, claim: &Claim) -> Answer {
        match login::reader(&self.service, &self.connection, claim).await {
            Ok(LoggedIn { account, server_signature, entered, .. }) => {
                (self.login, self.entered) = (Some(account.login), entered);
                Answer::Authenticated { server_signature }
            }
            Err(failure) => Answer::NotAuthenticated(failure),
        }
    }
}
