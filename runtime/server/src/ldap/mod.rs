//! People of a directory server (LDAP, RFC 4511): read as a whole in intervals, asked one by one in between.
//!
//! The store has everybody, and answers while no server does. Nothing is believed of the directory that it did not say whole:
//! who is missing in an answer that was cut short is not gone, and too many changes at once wait for an operator.

mod apply;
mod bind;
mod compare;
mod connect;
mod entry;
mod facts;
mod frame;
mod guard;
mod keep;
mod look;
mod read;
mod seek;
mod servers;
mod state;
mod step;
mod sync;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plan::Ldap as Rules;
use plan::Plan;
use store::Store;
use tokio::sync::Semaphore;

use crate::clock;
use crate::service::Service;
use crate::site::{DirectoryAt, Site};

pub use bind::Bound;
pub use guard::{Extent, Stop};
pub use keep::{keep, say};
pub use look::look;
pub use seek::{Sought, seek};
pub use state::{Kept, LdapState, ServerState, Sync, allow, allowed};
pub use sync::{Ended, run as sync_now};

/// Binds at a time.
const BINDS_MAX: usize = 16;
/// Addresses the directory is asked about at a time.
const SEEKS_MAX: usize = 8;

/// A directory and what is known of it.
pub struct Ldap {
    rules: Rules,
    servers: servers::Servers,
    store: Arc<Store>,
    kept: Mutex<Kept>,
    /// One sync at a time.
    syncing: tokio::sync::Mutex<()>,
    /// Who writes people into the store.
    turn: Arc<Mutex<()>>,
    answers: seek::Answers,
    seeks: Semaphore,
    binds: Semaphore,
}

impl Ldap {
    /// `None` where the plan has none, or people of the store stand in for it.
    pub fn load(plan: &Plan, site: &Site, store: &Arc<Store>) -> Result<Option<Ldap>, String> {
        if site.directory == DirectoryAt::StandIn {
            return Ok(None);
        }
        let servers = servers::Servers::of(plan, site).map_err(|unusable| unusable.to_string())?;
        let (Some(servers), Some(rules)) = (servers, plan.identity.ldap.clone()) else { return Ok(None) };
        let kept = Kept::load(store).map_err(|error| error.to_string())?;
        Ok(Some(Ldap {
            rules,
            servers,
            store: store.clone(),
            kept: Mutex::new(kept),
            syncing: tokio::sync::Mutex::default(),
            turn: Arc::default(),
            answers: seek::Answers::default(),
            seeks: Semaphore::new(SEEKS_MAX),
            binds: Semaphore::new(BINDS_MAX),
        }))
    }

    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it does now.
    pub fn state(&self) -> LdapState {
        let kept = self.kept().clone();
        let servers = self.servers.troubles().into_iter().map(|(name, trouble)| ServerState { name, trouble });
        LdapState {
            servers: servers.collect(),
            is_syncing: self.syncing.try_lock().is_err(),
            allowed: allowed(&self.store).unwrap_or_default(),
            ..LdapState::of(&self.rules, kept, clock::unix_s())
        }
    }
}

/// What steps of this moment are judged by.
fn desk(service: &Service) -> step::Desk {
    step::Desk {
        store: service.store.clone(),
        tables: service.tables.clone(),
        redirects: service.redirects.clone(),
        today: service.today(),
        at_s: clock::unix_s(),
        mailboxes: crate::new_account::default_mailboxes(service.tables.plan().institution.pages),
    }
}
