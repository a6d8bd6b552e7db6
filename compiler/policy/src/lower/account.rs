//! The life of an account, roles, and the portal.

use super::{Scope, set};
use crate::model::Switch;
use crate::model::account::{Accounts, Leaving, Roles};
use crate::model::portal::Portal;
use crate::syntax::WordOr;

const IDLE_S: u64 = 30 * 60;
const SESSION_S: u64 = 12 * 3_600;

pub(super) fn accounts(accounts: &Accounts) -> plan::Accounts {
    plan::Accounts {
        arriving_s: accounts.arriving.value.0,
        leaving: accounts.leaving.values().map(leaving).collect(),
        notices_before_s: super::descending(&accounts.notices.value),
        reuse_after: match &accounts.reuse_after.value {
            WordOr::Word(_) => plan::Life::Forever,
            WordOr::Value(span) => plan::Life::For { s: span.0 },
        },
        mass_change: plan::MassChange {
            at_most_percent: accounts.mass_change.at_most.value.0,
            floor: accounts.mass_change.floor.value,
        },
    }
}

fn leaving(leaving: &Leaving) -> plan::Leaving {
    let (state, span) = match leaving {
        Leaving::Grace(span) => (plan::LeavingState::Grace, span),
        Leaving::ReceiveOnly(span) => (plan::LeavingState::ReceiveOnly, span),
        Leaving::AutoReply(span) => (plan::LeavingState::AutoReply, span),
    };
    plan::Leaving { state, for_s: span.0 }
}

pub(super) fn roles(roles: &Roles) -> plan::Roles {
    plan::Roles {
        correspondents: roles.correspondents.value.clone(),
        managers: set(&roles.managers),
        administrators: set(&roles.administrators),
    }
}

pub(super) fn portal(scope: &Scope, portal: &Switch<Portal>) -> Option<plan::Portal> {
    let portal = portal.on()?;
    let from = portal.from.as_ref().map_or_else(|| scope.networks.clone(), |names| scope.networks(names));
    let mut managers_from =
        portal.managers_from.as_ref().map_or_else(|| scope.with_prefixes.clone(), |names| set(&names.value));
    managers_from.retain(|name| from.contains(name));
    Some(plan::Portal {
        at: portal.at.value.0.trim_end_matches('/').to_owned(),
        from,
        managers_from,
        idle_s: portal.idle.as_ref().map_or(IDLE_S, |span| span.value.0),
        session_at_most_s: portal.at_most.as_ref().map_or(SESSION_S, |span| span.value.0),
    })
}
