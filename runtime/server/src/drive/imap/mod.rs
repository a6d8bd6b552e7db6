//! Drives an IMAP session (`proto::imap::Session`): answers its questions from the store, wakes its IDLE when the
//! selected mailbox changes.

mod append;
mod followed;
mod heavy;
mod metadata;
pub mod place;
mod read;
mod rights;
mod room;
mod search;
mod shared;
mod watched;
mod write;

use std::sync::Arc;
use std::time::Duration;

use mail::Login;
use proto::imap::{Answer, Config, MailboxId, Mask, Question, Session, Step, Trouble};
use proto::sasl::{self, Claim};
use store::{BodyRef, ReadError, Store};
use tokio::sync::Notify;

use self::append::{Append, Begun};
use self::followed::Followed;
use self::heavy::Heavy;
use self::room::Room;
use self::watched::Watched;
use super::login::LoggedIn;
use super::{Connection, Woken, opening};
use crate::admission::{CompressedPlace, Full};
use crate::durable;
use crate::service::Service;
use crate::sessions::{Entered, Protocol};

/// Octets read at a time: few while commands come, which are short, and many while a message does.
const READ_OCTETS: usize = 1024;
const READ_OCTETS_MAX: usize = 16 * 1024;

struct Imap {
    service: Arc<Service>,
    connection: Connection,
    session: Session,
    login: Option<Login>,
    /// Its program stands among the accesses of the account.
    is_named: bool,
    entered: Option<Entered>,
    selected: Option<Watched>,
    /// Searched beside the selected one.
    searched: Option<store::MailboxId>,
    /// NOTIFY was asked for.
    followed: Option<Followed>,
    changed: Arc<Notify>,
    append: Option<Append>,
    /// Taken when COMPRESS was allowed, until it begins.
    compressed: Option<CompressedPlace>,
    /// Of the long contents of the last answer.
    room: Option<Room>,
    /// The message whose octets were asked last.
    reading: Option<(MailboxId, u32, BodyRef)>,
    /// The session has work at hand that may take long.
    heavy: Heavy,
}

/// Holds the conversation to its end.
pub async fn run(service: Arc<Service>, connection: Connection) {
    let session = match &connection.block {
        Ok(_) => Session::new(config(&service, &connection)),
        Err(refusal) => Session::turned_away(refusal.reply(false, &service.plan).text()),
    };
    let changed = Arc::new(Notify::new());
    let mut imap = Imap {
        service,
        connection,
        session,
        login: None,
        is_named: false,
        entered: None,
        selected: None,
        searched: None,
        followed: None,
        changed,
        append: None,
        compressed: None,
        room: None,
        reading: None,
        heavy: Heavy::None,
    };
    imap.converse().await;
    imap.connection.stream.close().await;
}

impl Imap {
    async fn converse(&mut self) {
        let mut answer = None;
        loop {
            match self.step(answer.take()).await {
                Step::Send(mut octets) => {
                    if self.connection.stream.write(&mut octets).await.is_err() {
                        return;
                    }
                }
                Step::NeedInput => {
                    self.named();
                    if !self.read(false).await {
                        return;
                    }
                }
                Step::Idle => {
                    if !self.read(true).await {
                        return;
                    }
                }
                Step::Ask(question) => {
                    answer = Some(Box::pin(self.answer(question)).await.unwrap_or_else(Answer::Failed));
                }
                Step::AppendChunk(octets) => self.append_chunk(&octets),
                Step::AppendAbort => self.append = None,
                Step::Compress(behind) => {
                    // The session asked before.
                    let Some(place) = self.compressed.take() else { return };
                    self.connection.stream.compress(behind, place);
                }
                Step::Close => return,
            }
        }
    }

    /// Notes the program of whoever logged in, once: it says so before the login or after it.
    fn named(&mut self) {
        let (Some(login), Some(program), false) = (&self.login, self.session.client(), self.is_named) else { return };
        self.is_named = true;
        self.service.accesses.named(login, Protocol::Imap, &self.connection.peer, program);
    }

    /// Gives the session its answer, if it waits for one, and learns what to do next.
    async fn step(&mut self, answer: Option<Answer>) -> Step {
        let messages = self.session.messages();
        let new = answer.as_ref().map_or(Heavy::None, |answer| heavy::heavy(answer, messages));
        self.heavy = self.heavy.max(new);
        let session = &mut self.session;
        let next = move || {
            if let Some(answer) = answer {
                session.answer(answer);
            }
            session.next()
        };
        let step = if self.heavy > Heavy::None { Box::pin(heavy::run(next)).await } else { next() };
        // What follows a wait is another command.
        match step {
            Step::NeedInput | Step::Idle | Step::Close => (self.heavy, self.room) = (Heavy::None, None),
            Step::Send(_) if self.heavy == Heavy::UntilSent => self.heavy = Heavy::None,
            Step::Send(_) | Step::Ask(_) | Step::AppendChunk(_) | Step::AppendAbort | Step::Compress(_) => (),
        }
        step
    }

    /// Reads, or in IDLE learns of a change. False when the client is gone.
    async fn read(&mut self, idle: bool) -> bool {
        let limit = Duration::from_secs(u64::from(self.session.timeout_s()));
        let octets = if self.append.is_some() { READ_OCTETS_MAX } else { READ_OCTETS };
        let (changed, entered) = (self.changed.clone(), self.entered.as_ref());
        let (mut buffer, woken) = tokio::select! {
            read = super::read_new(&self.service, &mut self.connection.stream, entered, octets, limit) => read,
            () = changed.notified(), if idle => {
                self.session.changed();
                return true;
            }
        };
        match woken {
            Woken::Octets(octets) => {
                if self.append.is_some() {
                    self.connection.stream.acknowledge();
                } else {
                    // Another command: it is answered under the plan that runs now.
                    if self.connection.take_plan(&mut self.service) {
                        self.session.set_config(config(&self.service, &self.connection));
                    }
                }
                match super::told::first(&mut self.connection, &mut buffer, octets).await {
                    Ok(octets) => self.session.feed(octets),
                    Err(super::told::Untold) => return false,
                }
            }
            Woken::TimedOut => self.session.end("Waited too long"),
            Woken::Stopping => self.session.end("The server stops"),
            Woken::Ended => self.session.end("This session was ended, log in again"),
            Woken::End => return false,
        }
        true
    }

    async fn answer(&mut self, question: Question) -> Result<Answer, Trouble> {
        if let Question::Select { .. } = question {
            // Whatever becomes of it, what was selected is left.
            self.selected = None;
        }
        self.allow(&question).await?;
        match question {
            Question::Authenticate(claim) => Ok(self.authenticate(&claim).await),
            Question::Salt { login } => Ok(self.salt(&login)),
            Question::Watch { on } => Ok(self.watch(on)),
            Question::Mailboxes => self.mailboxes().await,
            Question::Status { name } => self.status(name).await,
            Question::Select { name, .. } => self.select(name).await,
            Question::Unselect => {
                (self.selected, self.searched) = (None, None);
                Ok(Answer::Done)
            }
            Question::Refresh { mailbox, since, rows } => self.refresh(mailbox, since, rows).await,
            Question::Fetch { mailbox, uids, need } => self.fetch(mailbox, uids, need).await,
            Question::Octets { mailbox, uid, from, count } => self.octets(mailbox, uid, from, count).await,
            Question::Renderings { mailbox, uids, parts } => self.renderings(mailbox, uids, parts).await,
            Question::Identities { mailbox, uids } => self.identities(mailbox, uids).await,
            Question::Keys { mailbox, uids, parts } => self.keys(mailbox, uids, parts).await,
            Question::Open { name } => self.open_beside(name).await,
            Question::Now => Ok(Answer::Now(crate::clock::unix_s())),
            Question::Candidates { mailbox, texts } => self.candidates(mailbox, texts).await,
            Question::Vanished { mailbox, since } => self.vanished(mailbox, since).await,
            Question::Store { mailbox, uids, change, flags, unchanged_since } => {
                self.store(mailbox, &uids, (change, flags, unchanged_since)).await
            }
            Question::Copy { mailbox, uids, to } => self.copy(mailbox, &uids, &to).await,
            Question::Move { mailbox, uids, to } => self.move_to(mailbox, &uids, &to).await,
            Question::Expunge { mailbox, uids } => self.expunge(mailbox, &uids).await,
            Question::AppendStart { mailbox, flags, internal_date, replaces } => {
                self.append_start(mailbox, Begun::new(&self.service, flags, internal_date), replaces).await
            }
            Question::AppendMore { size_octets } => self.append_more(size_octets).await,
            Question::AppendPart(source) => self.append_part(*source).await,
            Question::AppendEnd => self.append_end().await,
            Question::Create { name, special_use } => self.create(name, special_use).await,
            Question::Delete { name } => self.delete(name).await,
            Question::Rename { from, to } => self.rename(from, to).await,
            Question::Subscribe { name, on } => self.subscribe(name, on).await,
            Question::Compress => {
                let place = self.service.admission.compress().map_err(|Full| Trouble::Limit)?;
                self.compressed = Some(place);
                Ok(Answer::Done)
            }
            Question::Quota { root } => self.quota(root).await,
            Question::QuotaOf { name } => self.quota_of(name).await,
            Question::DeletedOctets { names } => self.deleted_octets(names).await,
            Question::Acl { name } => self.acl(name).await,
            Question::SetAcl { name, identifier, change, rights } => {
                self.set_acl(name, identifier, (change, rights)).await
            }
            Question::MyRights { name } => self.my_rights(name).await,
            Question::FixedRights { name, identifier } => self.fixed_rights(name, identifier).await,
            Question::Annotated { since } => self.annotated(since).await,
            Question::Metadata { name } => self.metadata(name).await,
            Question::SetMetadata { name, values } => self.set_metadata(name, values).await,
        }
    }

    fn salt(&self, login: &str) -> Answer {
        let salt = super::login::reader_salt(&self.service, &self.connection, login);
        salt.map_or_else(Answer::NotAuthenticated, Answer::Salt)
    }

    async fn authenticate(&mut self, claim: &Claim) -> Answer {
        match super::login::reader(&self.service, &self.connection, claim).await {
            Ok(LoggedIn { account, server_signature, entered, .. }) => {
                (self.login, self.entered) = (Some(account.login), entered);
                Answer::Authenticated { server_signature }
            }
            Err(failure) => Answer::NotAuthenticated(failure),
        }
    }

    /// The session asks for mailboxes only after a login.
    fn login(&self) -> Result<Login, Trouble> {
        self.login.clone().ok_or(Trouble::Bug)
    }

    /// Reads the store where waiting for a flush or a connection holds up nobody else.
    async fn look_up<T: Send + 'static>(
        &mut self,
        read: impl FnOnce(&Store) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, Trouble> {
        let store = self.service.store.clone();
        let read = durable::blocking(move || read(&store)).await.ok_or(Trouble::Bug)?;
        read.map_err(|error| {
            tracing::error!("a mailbox cannot be read: {error}");
            Trouble::Unavailable
        })
    }

    /// The store's name of the mailbox the session means: the selected one, or the one that is searched beside it.
    fn store_id(&self, mailbox: MailboxId) -> Result<store::MailboxId, Trouble> {
        let selected = self.selected.as_ref().map(Watched::mailbox);
        let mut open = selected.into_iter().chain(self.searched);
        open.find(|id| session_id(*id) == mailbox).ok_or(Trouble::Bug)
    }
}

/// What the plan says of the connection.
fn config(service: &Service, connection: &Connection) -> Config {
    let (plan, bindings) = (service.tables.plan(), connection.bindings());
    Config {
        host: service.tables.listener_rules(connection.listener).host.to_string(),
        append_octets_max: plan.mailboxes.message_size_octets,
        mechanisms: sasl::offered(&opening::mechanisms(plan), &bindings),
        bindings,
        masks: masks(plan),
    }
}

/// What the policy hides from some mail programs.
fn masks(plan: &plan::Plan) -> Vec<Mask> {
    let mask = |mask: &plan::CapabilityMask| Mask { client: mask.client.clone(), without: mask.without.clone() };
    plan.imap.mask.iter().map(mask).collect()
}

/// A mailbox's number as the session knows it.
fn session_id(mailbox: store::MailboxId) -> MailboxId {
    MailboxId(u64::from(mailbox.number()))
}

#[cfg(test)]
mod tests {
    use proto::imap::{CAPABILITIES, NEVER_MASKED};

    #[test]
    fn every_capability_may_be_masked_or_may_never_be() {
        for word in CAPABILITIES {
            let (may, never) = (plan::MASKABLE.contains(word), NEVER_MASKED.contains(word));
            assert!(may != never, "{word}: a policy may mask it, or no session works without it");
        }
    }
}
