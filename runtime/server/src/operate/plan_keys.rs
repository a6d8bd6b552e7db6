//! `facteur key`: whose plans are taken.

use std::sync::{Arc, Mutex, PoisonError};

use decide::roles::Act;
use mail::Address;
use plan::signed::PublicKey;
use serde::{Deserialize, Serialize};
use store::{Op, QueueId};

use super::{Context, OperateError, Operation, Progress, Who};
use crate::clock;
use crate::keys::alarm::{self, Alarm};
use crate::keys::{self, TrustedKey};
use crate::notices::{self, Words};
use crate::service::Service;

/// `POST /key/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListPlanKeys {}

/// The keys that are enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanKeysNow {
    /// What a request to change them names.
    pub state: String,
    pub needed: u8,
    pub keys: Vec<TrustedKey>,
    /// What somebody has to look at.
    pub alarm: Option<Alarm>,
}

/// `POST /key/enroll`: the first key, while there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrollFirstKey {
    /// The line of its public file.
    pub key: String,
}

/// `POST /key/apply`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyKeyRequest {
    /// The text of the request.
    pub request: String,
}

/// `POST /key/break-glass`: other keys in the place of all, without a signature. For root of the machine alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakGlass {
    /// Lines of public files.
    pub keys: Vec<String>,
    pub needed: u8,
    pub because: String,
}

/// `POST /key/acknowledge`: false when no alarm stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeKeyAlarm {}

/// What is named where something is refused.
const RULE: &str = "plan keys";
/// One change at a time: it is judged by what it changes.
static CHANGING: Mutex<()> = Mutex::new(());

fn bad(why: impl Into<String>) -> OperateError {
    OperateError::BadRequest { why: why.into() }
}

/// What is asked can be read, and is not done.
fn refused(why: impl Into<String>) -> OperateError {
    OperateError::Refused { why: why.into(), rule: RULE.to_owned() }
}

fn read_key(line: &str) -> Result<PublicKey, OperateError> {
    line.parse().map_err(|error: plan::signed::BadPublicKey| bad(error.to_string()))
}

fn now(context: &Context) -> Result<PlanKeysNow, OperateError> {
    let trusted = keys::load(&context.store)?;
    let (state, alarm) = (trusted.digest(), alarm::load(&context.store)?);
    Ok(PlanKeysNow { state, needed: trusted.needed, keys: trusted.keys, alarm })
}

/// Commits a change with the audit and word to the administrators.
fn commit(context: &Context, mut ops: Vec<Op>, what: String) -> Result<PlanKeysNow, OperateError> {
    let told = context.server.as_ref().map(|service| told(service, &context.who, &what)).unwrap_or_default();
    let done = what.clone();
    ops.push(Op::Audit { at_s: clock::unix_s(), who: context.who.to_string(), what });
    let (ids, mails): (Vec<QueueId>, Vec<Vec<Op>>) = told.into_iter().unzip();
    ops.extend(mails.into_iter().flatten());
    context.store.commit_wait(ops)?;
    tracing::warn!(who = %context.who, "audit: {done}");
    if let Some(service) = &context.server {
        ids.into_iter().for_each(|id| service.spool.arrived(id));
    }
    now(context)
}

/// A mail to each administrator's address. One that cannot be written keeps nothing from being done, and the log has it.
fn told(service: &Arc<Service>, who: &Who, what: &str) -> Vec<(QueueId, Vec<Op>)> {
    let plan = service.tables.plan();
    let domain = &plan.institution.domain;
    let whole = |name: &String| if name.contains('@') { name.clone() } else { format!("{name}@{domain}") };
    let named = plan.roles.administrators.iter().filter_map(|name| whole(name).parse::<Address>().ok());
    let mut all: Vec<Address> = named.collect();
    if all.is_empty() {
        all.extend(Address::new("postmaster", domain.clone()));
    }
    let words = Words {
        subject: "Clés des plans : un changement / plan keys: a change".to_owned(),
        french: format!(
            "les clés dont les plans sont acceptés ont changé sur ce serveur :\r\n{what}\r\n(par {who})\r\n\
             Si ce n'était pas prévu, voyez `facteur key list` et `facteur audit` maintenant."
        ),
        english: format!(
            "the keys whose plans are taken changed on this server:\r\n{what}\r\n(by {who})\r\n\
             If nobody meant to, see `facteur key list` and `facteur audit` now."
        ),
    };
    let mut written = Vec::new();
    for address in &all {
        match notices::ops_of(service, address, &words) {
            Ok(told) => written.push(told),
            Err(error) => tracing::error!(to = %address, "a notice could not be written: {error}"),
        }
    }
    written
}

impl Operation for ListPlanKeys {
    type Response = PlanKeysNow;
    const PATH: &'static str = "/key/list";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::SeeControl
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<PlanKeysNow, OperateError> {
        now(context)
    }
}

impl Operation for EnrollFirstKey {
    type Response = PlanKeysNow;
    const PATH: &'static str = "/key/enroll";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::ChangePlanKeys
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<PlanKeysNow, OperateError> {
        let _one = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        let key = read_key(&self.key)?;
        if !keys::load(&context.store)?.is_empty() {
            let why = "keys are enrolled: another one needs their signatures, `facteur key propose`";
            return Err(refused(why));
        }
        let what =
            format!("enrols the first plan key, {} ({}): from now on plans need its signature", key.name, key.id());
        commit(context, vec![keys::op(&keys::first(&key))?], what)
    }
}

impl Operation for ApplyKeyRequest {
    type Response = PlanKeysNow;
    const PATH: &'static str = "/key/apply";
    const LONG: bool = false;
    const OCTETS_MAX: usize = 2 * plan::signed::FILE_OCTETS_MAX;

    fn act(&self) -> Act {
        Act::ChangePlanKeys
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<PlanKeysNow, OperateError> {
        let _one = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        let request = keys::read_request(&self.request).map_err(|error| bad(format!("the request: {error}")))?;
        let trusted = keys::load(&context.store)?;
        let (after, by) = keys::applied(&trusted, &request).map_err(|why| {
            super::audit(context, &format!("a change of the plan keys is refused: {why}"));
            refused(why.to_string())
        })?;
        let (change, reason, by) = (&request.change, &request.reason, by.join(", "));
        let what = format!("changes the plan keys: {change}, asked by {}, signed by {by}: {reason}", request.author);
        commit(context, vec![keys::op(&after)?], what)
    }
}

impl Operation for BreakGlass {
    type Response = PlanKeysNow;
    const PATH: &'static str = "/key/break-glass";
    const LONG: bool = false;

    /// Needs a server that runs, so that somebody hears of it.
    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<PlanKeysNow, OperateError> {
        if !matches!(context.who, Who::Process { uid: 0, .. }) {
            super::audit(context, "refused to replace the plan keys");
            let why = "the plan keys are replaced by root, on the machine's console".to_owned();
            return Err(OperateError::NotAllowed { why, rule: "roles".to_owned() });
        }
        if context.server.is_none() {
            return Err(OperateError::NoServer);
        }
        if self.because.trim().is_empty() {
            return Err(bad("say why"));
        }
        let _one = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = self.keys.iter().map(|line| read_key(line));
        let public = lines.collect::<Result<Vec<PublicKey>, OperateError>>()?;
        let serial = keys::load(&context.store).map_or(0, |before| before.serial);
        let after = keys::replaced(&public, self.needed, serial).map_err(|why| refused(why.to_string()))?;
        let names: Vec<String> = after.keys.iter().map(|key| format!("{} ({})", key.name, key.id)).collect();
        let what = format!(
            "BREAK-GLASS: replaces all plan keys by {}, of which {} sign: {}",
            names.join(", "),
            after.needed,
            self.because.trim()
        );
        let stands = Alarm { at_s: clock::unix_s(), who: context.who.to_string(), what: what.clone() };
        commit(context, vec![keys::op(&after)?, alarm::op(Some(&stands))], what)
    }
}

impl Operation for AcknowledgeKeyAlarm {
    type Response = bool;
    const PATH: &'static str = "/key/acknowledge";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::ChangePlanKeys
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<bool, OperateError> {
        // What is acknowledged is what was seen here, and not an alarm that comes meanwhile.
        let _one = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stood) = alarm::load(&context.store)? else { return Ok(false) };
        let what = format!("saw the alarm about the plan keys ({})", stood.what);
        let audit = Op::Audit { at_s: clock::unix_s(), who: context.who.to_string(), what };
        context.store.commit_wait(vec![alarm::op(None), audit])?;
        Ok(true)
    }
}
