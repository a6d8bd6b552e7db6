//! What an operator does to live state: one file per command with its request, its response and its handler.
//!
//! INVARIANT (one-handler): a command runs the same handler whether the owner of the data folder runs it for a caller on
//! its control socket ([`door`]) or, with no owner, the command line runs it on a store it opened itself ([`client`]).
//! Handlers block; they say how far they are and stop between two steps when nobody waits for them any more.

mod accesses;
mod app_password;
mod audit_log;
mod backup;
mod block;
mod bundle;
pub mod client;
mod compact;
mod compromise;
mod decided;
mod decision_log;
mod delegate;
mod deploy;
mod directory;
pub(crate) mod door;
mod error;
mod export;
mod folder;
mod folder_name;
mod guesses;
mod health;
mod import;
pub(crate) mod jobs;
mod keys;
pub(crate) mod manager;
mod operators;
mod password;
mod people;
mod place;
mod plan_keys;
mod problem;
mod progress;
mod quarantine;
mod queue;
mod quota;
mod recall;
mod redirect;
mod redirect_asked;
mod reports;
mod rights;
mod spam;
mod standing;
mod stats;
pub mod status;
mod trace;
pub(crate) mod verify;
mod who;
mod why;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use decide::{Tables, roles};
use plan::{Backup, Retention};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Op, Store};

pub use crate::blocks::Block;
use crate::clock;
pub use crate::ldap::{Extent, LdapState as DirectoryState, Stop as DirectoryStop};
pub use crate::passwords::totp::{Enrolment, TotpState};
pub use crate::quality::Advice;
pub use crate::quotas::RoomGrant;
pub use crate::recall::{Copy as RecallCopy, Gone, GoneState, Report as RecallReport, Sought};
use crate::redirects::Redirects;
pub use crate::redirects::asked::{Asked, State as AskedState};
pub use crate::redirects::{Approval, Redirect};
pub use crate::roles::Subject;
use crate::service::Service;
pub use crate::sessions::Protocol;
pub use crate::signing::keys::domains as signing_domains;
pub use crate::signing::rotation::State as KeyState;
pub use crate::standing::sent::SentMessage;
pub use crate::world::tally::{DomainDay, FailureTally, PolicyTally};
pub use accesses::{AccessesOf, ListedAccess};
pub use app_password::{AddAppPassword, AddedAppPassword, ListAppPasswords, ListedAppPassword, RemoveAppPassword};
pub use audit_log::{AuditEntry, AuditPage, ReadAudit};
pub use backup::{
    BackupNow, Backups, Drilled, KeptBackup, ListBackups, Restore, RestoredMail, RestoredStore, TakenBackup,
    VerifyBackup, restore_all,
};
pub use block::{AddBlock, BlockKind, ListBlocks, ListedBlock, RemoveBlock, described as blocked_thing};
pub use bundle::{Bundled, MakeBundle};
pub use compact::{Compact, Compacted};
pub use compromise::{
    CompromiseCase, HeldOfCase, LiftCompromise, LiftedCompromise, ListCompromise, ShowCompromise, ShownCompromise,
};
pub use decided::{Decided, LookUpDecisions, Pasted, pasted};
pub use decision_log::{DecisionLog, DecisionPage, DescribeDecisions, NameHashes, NamedHashes, ReadDecisions};
pub use delegate::{AddDelegation, EndDelegation, ListDelegations, ListedDelegation, Manner};
pub use deploy::{
    Confirm, Deploy, Deployed, DeployedPlan, GuardsNow, Healthy, History, NowOpen, PlanAnswer, PlanEnd, PlanEntry,
    PlanHistory, PlanNow, RollBack, RunningPlan, TRIAL_S,
};
pub use directory::{AllowChanges, DirectoryStatus, SyncDirectory};
pub use error::OperateError;
pub use export::{Export, Exported, NotCarried};
pub use guesses::{UnlockPerson, UnlockedPerson};
pub use health::{AskScanners, DrawProbeLogin, LookAtStore, ProbeLogin, ScannersAsked, StoreLooked};
pub use import::{Import, Imported};
pub use keys::{PublicKey, SigningKeys};
pub use operators::{EnrollOperator, ListOperators, RemoveOperator, ShowControl, ShownControl};
pub use password::{
    BeginTotp, ConfirmTotp, CountedPasswords, EndTotp, ImportPassword, Letter, Named, SetPassword, TotpOf,
    WeakPasswords, WriteLetter,
};
pub use people::{
    AddAlias, AddPerson, AddedAddress, BadLine, ChangeMembers, ChangePerson, FILE_OCTETS_MAX as PEOPLE_OCTETS_MAX,
    GivenAddress, GivenKind, GivenLead, GivenPerson, ImportPeople, ImportedPeople, ImportedPerson, LeavingPerson,
    ListAddresses, ListPeople, ListedAddress, ListedPerson, PasswordHash, PersonState, PutPeople, PutResult,
    RemoveAddress, RemovePerson, SetFunction, ShowPerson, ShownPerson, WantedPerson, fuzz_people_csv, fuzz_people_ldif,
    people_of_csv, people_of_ldif, people_to_csv, people_to_ldif,
};
pub use place::Layout;
pub use plan_keys::{AcknowledgeKeyAlarm, ApplyKeyRequest, BreakGlass, EnrollFirstKey, ListPlanKeys, PlanKeysNow};
pub use problem::{Problem, Problems};
pub(crate) use progress::Throttled;
pub use progress::{Progress, Unit};
pub(crate) use quarantine::shown_line;
pub use quarantine::{
    InQuarantine, PurgeQuarantined, Purged, PutBackAgain, PutMessageBack, QuarantineFilter, QuarantineList,
    QuarantineListed, QuarantineShow, QuarantineShown, ReleaseQuarantined, ReleasedTo, ShownPart, TakeMessage,
    TakenOut,
};
pub(crate) use queue::parse_id;
pub use queue::{
    Act, ActOn, Acted, DownDestination, Drain, Drained, Filter, Listed, QueueList, QueueShow, Queued, Shown, Waiting,
};
pub use quota::{EndQuota, GrantQuota, ListQuotas, ListedQuota};
pub use recall::{
    ApproveRecall, FindRecall, FoundRecall, ListRecalls, ListedRecall, ShowRecall, ShownRecall, TakeRecall, TookRecall,
    UndidRecall, UndoRecall,
};
pub use redirect::{EndRedirect, JudgedRedirect, ListRedirects, SetRedirect};
pub use redirect_asked::{ApproveRedirect, AskedOf, AskedRedirect, ListAsked, RefuseRedirect, RequestRedirect};
pub use reports::{CountedFor, Reported, ReportsOf, Sender, Tls, TlsTo};
pub use rights::{GrantRights, GrantsOf, ListedGrant};
pub use spam::{
    COUNTED_TOKENS_AT_ONCE, CountsOfTokens, DecideSpam, DecidedSpam, ExportCounts, ForgetSpam, ImportCounts, Judged,
    ListTaught, ListedTaught, Moved, RecountSpam, Recounted, ShowSpam, ShownSpam, SpamCase, SpamQueue, SpamStats,
    StatsOfSpam, TaughtSpam, TeachSpam,
};
pub use standing::{
    ChangeState, ContainPerson, ContainedPerson, ErasePerson, HeldOfPerson, LeaveOn, ShownChange, ShownGiven,
    ShownLock, ShownSession, ShownState, StateAct, StateOf, UncontainedPerson, UndoContain,
};
pub use stats::{AccountUse, Stats, StatsOf};
pub use status::{CertificateNow, DirectoryNow, EngineNow, ListenerNow, QueueNow, Status, StatusNow, StoreNow};
pub use trace::{TraceSession, Traced};
pub use verify::{Verified, Verify};
pub use who::Who;
pub use why::{Story, StoryLine, Why};

/// Where snapshots are kept, in the data folder.
pub(crate) const SNAPSHOTS: &str = "snapshots";

/// What every handler is given.
pub struct Context {
    pub store: Arc<Store>,
    pub data: PathBuf,
    /// Where snapshots of the store are kept.
    pub snapshots: PathBuf,
    /// What the plan says of backups and of how long things live; a command without owner knows no plan.
    pub backup: Option<Backup>,
    pub retention: Option<Retention>,
    /// What a command judges by that needs a running server.
    pub live: Option<Live>,
    pub who: Who,
    /// The server that works on the store meanwhile.
    pub(crate) server: Option<Arc<Service>>,
    /// A server works on the store meanwhile: long work is to keep out of its way.
    pub served: bool,
    /// True once nobody waits for the answer any more, or the server stops.
    pub stop: Arc<AtomicBool>,
}

/// The server that runs the handler.
pub struct Live {
    pub tables: Arc<Tables>,
    pub redirects: Arc<Redirects>,
    /// `YYYY-MM-DD` in the institution's time zone.
    pub today: String,
}

impl Context {
    /// An error once the work is to stop; long work asks between two steps.
    pub fn go_on(&self) -> Result<(), OperateError> {
        if self.stop.load(Ordering::Relaxed) { Err(OperateError::Interrupted) } else { Ok(()) }
    }
}

/// A request, named by the path it is posted to.
pub trait Operation: Serialize + DeserializeOwned + Send + 'static {
    type Response: Serialize + DeserializeOwned + Send + 'static;
    /// On the control socket.
    const PATH: &'static str;
    /// One at a time: it reads or writes much.
    const LONG: bool;
    /// Only a server can answer: nobody opens the store for it.
    const NEEDS_SERVER: bool = false;
    /// Longest request.
    const OCTETS_MAX: usize = 64 * 1024;

    /// What it does, of the closed list that roles are about. As it stands here no role allows it, only a process.
    fn act(&self) -> roles::Act {
        roles::Act::OperateMachine
    }

    /// Whom it is about.
    fn subject(&self) -> Subject<'_> {
        Subject::Nobody
    }

    /// Does it for who asks, if they may. Everybody calls this and nobody `handle`: INVARIANT (asked-first).
    fn perform(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Self::Response, OperateError> {
        crate::roles::must(context, self.act(), self.subject())?;
        self.handle(context, tell)
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Self::Response, OperateError>;
}

/// One line of an answer: any number of `Progress`, then one of the others.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line<R> {
    Progress(Progress),
    Done(R),
    Failed(OperateError),
}

/// Puts on the record what was done by whom. Everything that changes live state, and all that shows one person's mail to
/// another, is said here. A store that takes nothing more is no reason to stop what may free its room: the log has it then.
pub(crate) fn audit(context: &Context, what: &str) {
    tracing::info!(who = %context.who, "audit: {what}");
    let op = Op::Audit { at_s: clock::unix_s(), who: context.who.to_string(), what: what.to_owned() };
    if let Err(error) = context.store.commit_wait(vec![op]) {
        tracing::error!(who = %context.who, "audit: only the log has this: {what}: {error}");
    }
}

#[cfg(test)]
mod tests;
