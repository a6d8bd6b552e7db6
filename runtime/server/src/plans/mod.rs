//! The plan that runs, and how another one takes its place (policy-language 9).
//!
//! `slots` is the folder of plans and `found` what a start finds in it, damaged or not, `under` makes a service of another plan, [`swap`] puts it in the place of the one that runs, `trial`
//! takes it back unless somebody confirms it, `keepers` is what works under a plan by itself.

pub(crate) mod found;
mod keepers;
mod refused;
pub mod slots;
mod swap;
pub(crate) mod trial;
mod under;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use decide::Tables;

use crate::service::Service;
use keepers::Keepers;
use refused::Refused;
use slots::Slots;
use trial::Trial;

pub(crate) use swap::{Moved, bind_new, moved, swap};
pub(crate) use under::{Named, next_hops, under};

/// A plan that is served.
#[allow(dead_code, reason = "the whole of what is known of a plan")]
pub(crate) struct Executed {
    pub tables: Arc<Tables>,
    /// Short hash.
    pub plan: String,
    pub plan_full: String,
    pub serial: u64,
    pub state: PlanState,
}

/// Is a plan there to stay?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanState {
    Confirmed,
    /// Unless it is confirmed until then, in Unix seconds, the one before comes back.
    Trial {
        until_s: i64,
    },
}

impl PlanState {
    /// Label of the metric.
    pub fn word(self) -> &'static str {
        match self {
            PlanState::Confirmed => "confirmed",
            PlanState::Trial { .. } => "trial",
        }
    }
}

/// What runs now.
#[derive(Default)]
pub(crate) struct Plans {
    current: RwLock<Option<Arc<Service>>>,
    pub keepers: Keepers,
    /// Who was refused something, for the guards.
    pub refused: Refused,
    /// Held by whoever changes what runs.
    pub changing: tokio::sync::Mutex<Option<Trial>>,
    /// What a start found damaged among the plans, until somebody says which one is to stay.
    damage: Mutex<Vec<String>>,
}

impl Plans {
    /// One line each.
    pub fn damage(&self) -> Vec<String> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A start found this.
    pub fn damaged(&self, lines: Vec<String>) {
        *self.damage.lock().unwrap_or_else(PoisonError::into_inner) = lines;
    }

    /// Somebody said which plan is to stay, knowing of the damage. False where there was none.
    pub fn seen_to(&self, slots: &Slots) -> bool {
        let lines = std::mem::take(&mut *self.damage.lock().unwrap_or_else(PoisonError::into_inner));
        if !lines.is_empty() {
            slots.note_damage(&[]);
        }
        !lines.is_empty()
    }

    /// `None` before the server runs and after it ended.
    pub fn current(&self) -> Option<Arc<Service>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From here on whoever begins something new does it under the plan of `service`.
    pub fn set(&self, service: Option<Arc<Service>>) {
        if let Some(service) = &service {
            service.metrics.runs(&service.plan, service.serial, service.state.word());
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = service;
    }
}
