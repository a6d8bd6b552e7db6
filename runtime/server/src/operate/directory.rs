//! `facteur directory`: how the directory server does, a sync now, and a word for one that stopped.

use serde::{Deserialize, Serialize};

use super::{Context, OperateError, Operation, Progress, audit};
use crate::ldap::{self, Ended, Ldap, LdapState};
use crate::service::Service;

/// `POST /directory/status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryStatus {}

/// `POST /directory/sync`: everybody is read now. Answered when that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncDirectory {}

/// `POST /directory/allow`: a sync of exactly so many changes may pass, once; then it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowChanges {
    pub changes: u64,
}

/// The server and its directory; an error where there is none.
fn directory(context: &Context) -> Result<(&std::sync::Arc<Service>, &Ldap), OperateError> {
    let service = context.server.as_ref().ok_or(OperateError::NoServer)?;
    let none = || OperateError::BadRequest { why: "no directory server is asked about people here".to_owned() };
    Ok((service, service.ldap.as_ref().ok_or_else(none)?))
}

/// Runs a sync on this thread, which may block.
fn sync(context: &Context) -> Result<LdapState, OperateError> {
    let (service, ldap) = directory(context)?;
    let ended = tokio::runtime::Handle::current().block_on(ldap::sync_now(service, ldap));
    ldap::say(&ended);
    let state = ldap.state();
    match ended {
        Ended::Fresh(_) | Ended::Stopped(_) => Ok(state),
        Ended::Failed(why) => Err(OperateError::Refused { why, rule: "identity.ldap".to_owned() }),
    }
}

impl Operation for DirectoryStatus {
    type Response = LdapState;
    const PATH: &'static str = "/directory/status";
    const LONG: bool = false;

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::SeeDirectory
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<LdapState, OperateError> {
        Ok(directory(context)?.1.state())
    }
}

impl Operation for SyncDirectory {
    type Response = LdapState;
    const PATH: &'static str = "/directory/sync";
    const LONG: bool = true;

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::SyncDirectory
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<LdapState, OperateError> {
        sync(context)
    }
}

impl Operation for AllowChanges {
    type Response = LdapState;
    const PATH: &'static str = "/directory/allow";
    const LONG: bool = true;

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::AllowMassChange
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<LdapState, OperateError> {
        let (_, ldap) = directory(context)?;
        let state = ldap.state();
        let Some(stopped) = state.stopped else {
            let why = "no sync waits for a word".to_owned();
            return Err(OperateError::Refused { why, rule: "accounts.mass_change".to_owned() });
        };
        let wanted = stopped.extent.changes();
        if wanted != self.changes {
            let why = format!("the sync that waits has {wanted} changes, not {}", self.changes);
            return Err(OperateError::Refused { why, rule: "accounts.mass_change".to_owned() });
        }
        context.store.commit_wait(vec![ldap::allow(Some(self.changes))])?;
        audit(context, &format!("a sync of the directory with {wanted} changes may pass"));
        sync(context)
    }
}
