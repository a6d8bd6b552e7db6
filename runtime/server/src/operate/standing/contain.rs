//! An account somebody else uses: closed at once, and put back as it was.

use decide::roles;
use serde::{Deserialize, Serialize};

use super::{failed, with};
use crate::clock;
use crate::compromise::held_of;
use crate::operate::quarantine::because;
use crate::operate::{Context, OperateError, Operation, Progress, Subject, manager, place, shown_line};
use crate::standing::contain::{contain, undo};
use crate::standing::sent::{SentMessage, sent};

/// How far back what was sent is listed.
const SENT_S: i64 = 72 * 3_600;
/// Held messages one answer names.
const HELD_MAX: usize = 1_000;

/// `POST /person/contain`: no login succeeds, sessions end, nothing goes out. Mail comes in as before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainPerson {
    pub login: String,
    pub because: String,
    /// The manager who decides.
    pub by: Option<String>,
}

/// `POST /person/contain/undo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoContain {
    pub login: String,
    /// The password of before opens it again, though somebody else may know it.
    pub old_password: bool,
    pub by: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainedPerson {
    pub login: String,
    pub sessions: usize,
    /// Mail went on elsewhere, and does no more.
    pub redirect: bool,
    /// What waits and does not go.
    pub held: Vec<HeldOfPerson>,
    pub more_held: usize,
    /// What was sent within 72 hours.
    pub sent: Vec<SentMessage>,
    /// There was more than is listed.
    pub more_sent: bool,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOfPerson {
    pub queue_id: String,
    /// Unix seconds.
    pub at_s: i64,
    pub subject: String,
    pub recipients: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UncontainedPerson {
    pub login: String,
    /// Mail goes on elsewhere again.
    pub redirect: bool,
    /// Messages that waited.
    pub messages: u64,
    /// A password opens the account; else one has to be set.
    pub opens: bool,
}

impl Operation for ContainPerson {
    type Response = ContainedPerson;
    const PATH: &'static str = "/person/contain";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::Contain
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ContainedPerson, OperateError> {
        let login = place::login(context, &self.login)?;
        let decider = manager::decider(context, &self, self.by.as_deref())?;
        let because = because(&self.because)?;
        let by = decider.to_string();
        let contained =
            with(context, |standings, server| contain(&context.store, standings, server, (&login, &because, &by)));
        let done = contained.map_err(|error| failed(&login, error))?;
        let all = held_of(&context.store, login.as_str())?;
        let held = all.iter().take(HELD_MAX).map(|message| HeldOfPerson {
            queue_id: message.queue_id.to_string(),
            at_s: message.at_s,
            subject: shown_line(&message.subject),
            recipients: message.recipients,
        });
        let (mut sent, more_sent) = sent(&context.store, &login, clock::unix_s() - SENT_S)?;
        for message in &mut sent {
            message.subject = shown_line(&message.subject);
        }
        Ok(ContainedPerson {
            login: login.to_string(),
            sessions: done.sessions,
            redirect: done.redirect,
            held: held.collect(),
            more_held: all.len().saturating_sub(HELD_MAX),
            sent,
            more_sent,
        })
    }
}

impl Operation for UndoContain {
    type Response = UncontainedPerson;
    const PATH: &'static str = "/person/contain/undo";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::UndoContain
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<UncontainedPerson, OperateError> {
        let login = place::login(context, &self.login)?;
        let decider = manager::decider(context, &self, self.by.as_deref())?;
        let by = decider.to_string();
        let undone = with(context, |standings, server| {
            undo(&context.store, standings, server, (&login, self.old_password, &by))
        });
        let Some(done) = undone.map_err(|error| failed(&login, error))? else {
            return Err(OperateError::BadRequest { why: format!("{login} is not contained") });
        };
        Ok(UncontainedPerson {
            login: login.to_string(),
            redirect: done.redirect,
            messages: done.messages,
            opens: done.opens,
        })
    }
}
