//! `facteur spam taught` and `forget`.

use decide::roles;
use serde::{Deserialize, Serialize};
use store::Kept;

use super::super::manager::decider;
use super::super::{Context, OperateError, Operation, Progress};
use super::{Judged, alone, counts, queue};
use crate::teaching::facts::{Taught, read};
use crate::teaching::shown;

const LISTED_MAX: usize = 1_000;
const LINE_CHARS: usize = 120;

/// `POST /spam/taught`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListTaught {
    /// Behind this id, where the last answer ended.
    pub after: Option<String>,
}

/// A message that was learned. What strangers wrote can go to a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedTaught {
    pub id: String,
    pub judged: Judged,
    pub by: String,
    pub at_s: i64,
    pub proposers: Vec<String>,
    pub subject: String,
    pub from: String,
    pub tokens: u64,
    /// Its text is gone; what was counted of it is not.
    pub purged: bool,
}

/// `POST /spam/forget`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForgetSpam {
    pub id: String,
    pub by: Option<String>,
}

impl Operation for ListTaught {
    type Response = Vec<ListedTaught>;
    const PATH: &'static str = "/spam/taught";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeTeaching
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<ListedTaught>, OperateError> {
        let after = self.after.as_deref().map(queue::id).transpose()?;
        let rows = context.store.kept(Kept::Taught, after, LISTED_MAX)?;
        let listed = rows.iter().filter_map(|row| {
            let taught: Taught = read(&row.facts)?;
            Some(ListedTaught {
                id: row.id.to_string(),
                judged: Judged::of(taught.spam),
                by: taught.by,
                at_s: taught.at_s,
                proposers: taught.proposers.iter().map(|one| shown::line(&one.name, LINE_CHARS)).collect(),
                subject: shown::line(&taught.subject, LINE_CHARS),
                from: shown::line(&taught.from, LINE_CHARS),
                tokens: taught.tokens.0.len() as u64,
                purged: taught.purged,
            })
        });
        Ok(listed.collect())
    }
}

impl Operation for ForgetSpam {
    type Response = ();
    const PATH: &'static str = "/spam/forget";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::Teach
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<(), OperateError> {
        let who = decider(context, &self, self.by.as_deref())?;
        let _alone = alone(context);
        let id = queue::id(&self.id)?;
        let row = context.store.kept_one(id)?.filter(|row| row.kind == Kept::Taught);
        let row = row.ok_or_else(|| OperateError::NoSuchMessage { id: self.id.clone() })?;
        let state = counts::State::read(&context.store)?;
        state.whole()?;
        let taught: Taught = read(&row.facts).ok_or_else(counts::damaged)?;
        let what = format!("forgot message {id}, taught as {} by {}", Judged::of(taught.spam).word(), taught.by);
        counts::forget(&state, &row, &taught).commit(context, &who, &what, Vec::new())
    }
}
