//! `facteur status`: how this server does now, in one answer. The health check, the console, the probes and the metrics
//! are made of it, so that none of them can say another thing than the others.

mod gather;
pub mod probe;
mod served;

use serde::{Deserialize, Serialize};

use super::{Context, OperateError, Operation, Progress};
use crate::clock;

pub(crate) use gather::now;
pub(crate) use served::Served;

/// `POST /status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {}

/// How a server does. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusNow {
    /// Of the program.
    pub version: String,
    pub pid: u32,
    pub institution: String,
    /// A test platform, which no mail leaves.
    pub twin: bool,
    /// Secrets the store keeps which `seal.key` does not open.
    pub secrets_closed: Vec<String>,
    /// Short hash.
    pub plan: String,
    /// How many plans this server has executed, with this one; 0 where nobody counts.
    pub serial: u64,
    /// The plan goes at this moment unless somebody confirms it.
    pub trial_until_s: Option<i64>,
    /// No plan key is enrolled: plans are taken without a signature.
    pub plan_unsigned: bool,
    /// The plan keys were replaced at the console, and nobody has said they saw it.
    pub plan_key_alarm: bool,
    /// Why the signatures of the plan that runs do not hold with the keys enrolled today.
    pub plan_signature: Option<String>,
    /// What a start found damaged among the plans, until an operator says which plan is to stay.
    pub plans_damaged: Vec<String>,
    /// When this process began to serve.
    pub since_s: i64,
    /// When this was looked at.
    pub at_s: i64,
    pub listeners: Vec<ListenerNow>,
    /// Addresses of the site that cannot be bound, and are tried again.
    pub unbound: Vec<UnboundNow>,
    pub engines: Vec<EngineNow>,
    pub queue: QueueNow,
    pub store: StoreNow,
    /// When the newest backup was made.
    pub backup_s: Option<i64>,
    /// The plan wants backups.
    pub backup_wanted: bool,
    pub certificates: Vec<CertificateNow>,
    pub directory: Option<DirectoryNow>,
    /// Cases that have not ended.
    pub compromise_cases: usize,
    /// Panics since the process started.
    pub panics: u64,
    /// Work in the background that has ended though it should not have.
    pub loops_stopped: Vec<String>,
    /// One line each: what is not as it should be, and what to do. The worst first.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListenerNow {
    pub name: String,
    pub speaks: String,
    pub addresses: Vec<String>,
    pub open: bool,
    /// Connections open now.
    pub connections: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnboundNow {
    /// A listener of the plan, `portal`, `metrics` or `control`.
    pub listener: String,
    pub address: String,
    pub why: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineNow {
    pub name: String,
    pub up: bool,
    /// Since when it has given no verdict.
    pub down_since_s: Option<i64>,
    /// Age of its signatures in seconds; `None` while nothing is known.
    pub signatures_s: Option<u64>,
    /// How old the policy lets them grow.
    pub signatures_at_most_s: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueNow {
    pub messages: u64,
    /// When the oldest message came, also when it is held.
    pub oldest_s: Option<i64>,
    pub destinations_blocked: usize,
    /// Destinations that do not answer.
    pub destinations_down: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreNow {
    pub read_only: bool,
    pub free_octets: u64,
    /// Of the whole device; 0 where it does not say.
    pub size_octets: u64,
    /// When everything was recounted last.
    pub verified_s: Option<i64>,
    /// What that found.
    pub findings: u64,
    /// Of the file: a later program may have written it.
    pub format: i64,
    /// What this program writes.
    pub format_written: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CertificateNow {
    /// `default`, or the listener that shows it.
    pub name: String,
    pub until_s: i64,
    pub self_signed: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DirectoryNow {
    pub fresh_at_s: Option<i64>,
    pub is_stale: bool,
    /// A sync waits for an operator.
    pub is_stopped: bool,
    pub servers: usize,
    pub servers_up: usize,
}

impl Operation for Status {
    type Response = StatusNow;
    const PATH: &'static str = "/status";
    const LONG: bool = false;
    const NEEDS_SERVER: bool = true;

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::SeeStatistics
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<StatusNow, OperateError> {
        let service = context.server.as_ref().ok_or(OperateError::NoServer)?;
        Ok(now(service, clock::unix_s())?)
    }
}
