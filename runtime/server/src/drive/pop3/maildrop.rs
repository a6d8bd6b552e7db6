//! INBOX for a session: as of one moment, read message by message, changed once at the end.

use mail::{Login, MailboxName};
use proto::pop3::{Answer, Maildrop, Trouble};
use store::{BodyRef, CommitError, Expunged, MailboxId, Op, ReadError, Refusal, Store};

use super::Pop;
use super::held::Hold;
use crate::durable;

/// The maildrop of the session.
pub struct Opened {
    mailbox: MailboxId,
    /// The message that is on its way.
    reading: Option<(u32, BodyRef)>,
    _hold: Hold,
}

impl Pop {
    pub(super) async fn open(&mut self) -> Result<Answer, Trouble> {
        self.maildrop = None;
        let login = self.login()?;
        let hold = self.service.maildrops.take(&login).ok_or(Trouble::InUse)?;
        let read = move |store: &Store| {
            let Some(mailbox) = store.mailbox(&login, &MailboxName::inbox())? else { return Ok(None) };
            Ok(store.listing(mailbox.id, mailbox.highestmodseq)?.map(|listing| (mailbox, listing.index)))
        };
        // Between the two INBOX may be renamed and be another: the client may log in once more.
        let (mailbox, index) = look_up(&self.service.store, read).await?.ok_or(Trouble::Unavailable)?;
        self.maildrop = Some(Opened { mailbox: mailbox.id, reading: None, _hold: hold });
        Ok(Answer::Maildrop(Maildrop { uid_validity: mailbox.uidvalidity, index }))
    }

    /// A long message that is sent whole is read whole first, to see whether it is sound, and then piece by piece.
    pub(super) async fn octets(&mut self, uid: u32, from: u64, octets: usize, whole: bool) -> Result<Answer, Trouble> {
        let body = self.body(uid).await?;
        let checked = whole && from == 0;
        let permit = match checked && body.len() > octets as u64 {
            true => Some(self.service.long_contents.acquire().await.map_err(|_| Trouble::Unavailable)?),
            false => None,
        };
        let read = move |store: &Store| {
            if !checked {
                return store.read_body_range(&body, from, octets as u64);
            }
            let mut start = store.read_body(&body)?;
            start.truncate(octets);
            start.shrink_to_fit();
            Ok(start)
        };
        let found = look_up(&self.service.store, read).await;
        drop(permit);
        found.map(Answer::Octets)
    }

    async fn body(&mut self, uid: u32) -> Result<BodyRef, Trouble> {
        let opened = self.maildrop.as_ref().ok_or(Trouble::Bug)?;
        if let Some((_, body)) = opened.reading.as_ref().filter(|(of, _)| *of == uid) {
            return Ok(body.clone());
        }
        let mailbox = opened.mailbox;
        let body =
            look_up(&self.service.store, move |store| store.body_of(mailbox, uid)).await?.ok_or(Trouble::Gone)?;
        if let Some(opened) = &mut self.maildrop {
            opened.reading = Some((uid, body.clone()));
        }
        Ok(body)
    }

    /// RFC 1939 6: removes what was marked, in one commit, and lets go of the maildrop whatever becomes of it.
    pub(super) async fn update(&mut self, removed: Vec<u32>) -> Result<Answer, Trouble> {
        let opened = self.maildrop.take().ok_or(Trouble::Bug)?;
        if removed.is_empty() {
            return Ok(Answer::Done);
        }
        let login = self.login()?;
        let (mailbox, of) = (opened.mailbox, login.clone());
        // Messages somebody moved away by renaming INBOX were not meant to be removed from there.
        let inbox = look_up(&self.service.store, move |store| store.mailbox(&of, &MailboxName::inbox())).await?;
        if inbox.is_none_or(|now| now.id != mailbox) {
            return Err(Trouble::Renamed);
        }
        let messages = removed.len();
        let expunge = Op::Expunge { mailbox, which: Expunged::Exactly(removed.into_iter().collect()) };
        durable::commit(&self.service.store, vec![expunge]).await.map_err(trouble)?;
        let listener = self.connection.peer.listener.as_str();
        tracing::info!(listener, %login, messages, "removed by POP3");
        Ok(Answer::Done)
    }

    /// The session asks for mail only after a login.
    fn login(&self) -> Result<Login, Trouble> {
        self.login.clone().ok_or(Trouble::Bug)
    }
}

/// Reads the store where waiting for a flush or a connection holds up nobody else.
async fn look_up<T: Send + 'static>(
    store: &std::sync::Arc<Store>,
    read: impl FnOnce(&Store) -> Result<T, ReadError> + Send + 'static,
) -> Result<T, Trouble> {
    let store = store.clone();
    let read = durable::blocking(move || read(&store)).await.ok_or(Trouble::Bug)?;
    read.map_err(|error| {
        tracing::error!("a mailbox cannot be read: {error}");
        Trouble::Unavailable
    })
}

fn trouble(error: CommitError) -> Trouble {
    match error {
        CommitError::Refused { why: Refusal::NoSuchMailbox, .. } => Trouble::Renamed,
        other => {
            tracing::error!("{other}");
            Trouble::Unavailable
        }
    }
}
