//! `facteur redirect`: where the mail of one person goes on to. The policy judges it, so a server must run.

use decide::roles;
use mail::Address;
use serde::{Deserialize, Serialize};

use super::{Context, Live, OperateError, Operation, Progress, Subject, audit, place};
use crate::clock;
use crate::redirects::asked::{Asked, State};
use crate::redirects::{self, Approval, Redirect};

/// `POST /redirect/set`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetRedirect {
    pub login: String,
    pub to: Address,
    pub keeps_copy: bool,
    pub approval: Option<Approval>,
}

/// `POST /redirect/end`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndRedirect {
    pub login: String,
}

/// `POST /redirect/list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListRedirects {
    /// Only those mail does not follow any more.
    pub stopped: bool,
}

/// A redirect and what the policy says of it today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedRedirect {
    pub login: String,
    pub redirect: Redirect,
    /// Path in the policy.
    pub rule: String,
    /// Why mail stays here all the same; empty when it goes on.
    pub stopped: String,
}

fn live(context: &Context) -> Result<&Live, OperateError> {
    context.live.as_ref().ok_or(OperateError::NoServer)
}

fn judged(live: &Live, login: String, redirect: Redirect) -> JudgedRedirect {
    match redirect.holds(&live.tables, &live.today) {
        Ok(rule) => JudgedRedirect { login, redirect, rule, stopped: String::new() },
        Err(stop) => {
            let (rule, stopped) = (stop.rule().to_owned(), redirects::words(&stop));
            JudgedRedirect { login, redirect, rule, stopped }
        }
    }
}

impl Operation for SetRedirect {
    type Response = JudgedRedirect;
    const PATH: &'static str = "/redirect/set";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SetRedirect
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<JudgedRedirect, OperateError> {
        let live = live(context)?;
        let login = place::login(context, &self.login)?;
        if let Some(approval) = &self.approval
            && !(approval.until.is_empty() || is_day(&approval.until))
        {
            return Err(OperateError::BadDate { text: approval.until.clone() });
        }
        let redirect = Redirect {
            to: self.to,
            keeps_copy: self.keeps_copy,
            approval: self.approval,
            set_by: context.who.to_string(),
            set_at_s: clock::unix_s(),
        };
        let judged = judged(live, login.to_string(), redirect.clone());
        if !judged.stopped.is_empty() || (live.redirects.is_full() && live.redirects.of(&login).is_none()) {
            let why =
                if judged.stopped.is_empty() { "there are too many redirects".to_owned() } else { judged.stopped };
            audit(context, &format!("redirect of {login} to {} refused by {}: {why}", redirect.to, judged.rule));
            return Err(OperateError::Refused { why, rule: judged.rule });
        }
        context.store.commit_wait(vec![redirects::op(&login, Some(&redirect))])?;
        live.redirects.put(&login, Some(redirect));
        audit(context, &format!("redirect of {login} to {}, allowed by {}", judged.redirect.to, judged.rule));
        Ok(judged)
    }
}

impl Operation for EndRedirect {
    type Response = bool;
    const PATH: &'static str = "/redirect/end";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::EndRedirect
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    /// False when there was none.
    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<bool, OperateError> {
        let live = live(context)?;
        let login = place::login(context, &self.login)?;
        let Some(redirect) = live.redirects.of(&login) else { return Ok(false) };
        let asked = context
            .server
            .as_ref()
            .and_then(|service| service.requests.of(&login))
            .map(|asked| Asked { state: State::Ended { by: context.who.to_string(), at_s: clock::unix_s() }, ..asked });
        let mut ops = vec![redirects::op(&login, None)];
        if let Some(service) = &context.server {
            ops.extend(asked.as_ref().map(|asked| service.requests.op(&login, Some(asked))));
        }
        context.store.commit_wait(ops)?;
        live.redirects.put(&login, None);
        if let (Some(service), Some(asked)) = (&context.server, asked) {
            service.requests.put(&login, Some(asked));
        }
        audit(context, &format!("redirect of {login} to {} ended", redirect.to));
        Ok(true)
    }
}

impl Operation for ListRedirects {
    type Response = Vec<JudgedRedirect>;
    const PATH: &'static str = "/redirect/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeRedirects
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<JudgedRedirect>, OperateError> {
        let live = live(context)?;
        let all = live.redirects.all().into_iter().map(|(login, redirect)| judged(live, login, redirect));
        Ok(all.filter(|judged| !self.stopped || !judged.stopped.is_empty()).collect())
    }
}

fn is_day(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok() && text.len() == "2026-11-30".len()
}
