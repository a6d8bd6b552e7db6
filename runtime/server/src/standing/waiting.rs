//! What an account sent and that still waits in the spool: held, and let go again in the order it came.

use std::sync::Arc;

use mail::Login;
use queue::MessageFacts;
use queue::facts::HeldBy;
use store::{CommitError, Op, QueueId, QueueItem, Refusal, Store};

use super::{ChangeError, Standings};
use crate::clock;
use crate::service::Service;

/// Messages read at a time.
const PAGE: usize = 500;

/// Holds all that waits of `login` and is not held yet; how many there were.
pub fn hold(
    store: &Store,
    server: Option<&Arc<Service>>,
    login: &Login,
    by: HeldBy,
    because: &str,
) -> Result<u64, ChangeError> {
    each(store, server, login, |facts| {
        let held = !facts.held;
        if held {
            (facts.held, facts.held_by) = (true, by);
            because.clone_into(&mut facts.held_because);
        }
        held
    })
}

/// Lets all go that is held by this; how many there were.
pub fn release(store: &Store, server: Option<&Arc<Service>>, login: &Login, by: HeldBy) -> Result<u64, ChangeError> {
    each(store, server, login, |facts| {
        let is_held = facts.held && facts.held_by == by;
        if is_held {
            (facts.held, facts.held_by) = (false, HeldBy::default());
            facts.held_because.clear();
        }
        is_held
    })
}

/// Ends hold and lock of what `login` sends, and lets go what waits because of it: how many messages. Safe to do again.
pub fn lift(
    store: &Store,
    standings: &Standings,
    server: Option<&Arc<Service>>,
    login: &Login,
) -> Result<u64, ChangeError> {
    standings.change(store, login, |standing| {
        standing.outgoing_held = None;
        if standing.contained.is_none() {
            standing.sending_locked = None;
        }
    })?;
    release(store, server, login, HeldBy::Outgoing)
}

/// Messages of `login` that are held by this, and why.
pub fn count(store: &Store, login: &Login) -> Result<u64, ChangeError> {
    let (mut held, mut after) = (0, None);
    loop {
        let page = store.queue_list(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(held) };
        after = Some(last.queue_id);
        let mine = page.iter().filter_map(|item| facts_of(item, login));
        held += mine.filter(|facts| facts.held).count() as u64;
    }
}

fn facts_of(item: &QueueItem, login: &Login) -> Option<MessageFacts> {
    let facts: MessageFacts = queue::facts::read(&item.facts);
    let is_mine = facts.login.as_deref().is_some_and(|sent| sent.eq_ignore_ascii_case(login.as_str()));
    is_mine.then_some(facts)
}

/// One commit for each message that changes, in the order they came.
fn each(
    store: &Store,
    server: Option<&Arc<Service>>,
    login: &Login,
    change: impl Fn(&mut MessageFacts) -> bool,
) -> Result<u64, ChangeError> {
    let (mut changed, mut after) = (0, None);
    loop {
        let page = store.queue_list(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(changed) };
        after = Some(last.queue_id);
        let mine = page.iter().filter(|item| facts_of(item, login).is_some_and(|mut facts| change(&mut facts)));
        for item in mine {
            changed += u64::from(one(store, server, login, item.queue_id, &change)?);
        }
    }
}

/// Under the turn of the message, so that a try and this do not change it at a time.
fn one(
    store: &Store,
    server: Option<&Arc<Service>>,
    login: &Login,
    queue_id: QueueId,
    change: &impl Fn(&mut MessageFacts) -> bool,
) -> Result<bool, ChangeError> {
    let _turn = server.map(|service| service.spool.blocking_turn(queue_id));
    let Some(item) = store.queue_item(queue_id)? else { return Ok(false) };
    let Some(mut facts) = facts_of(&item, login).filter(|facts| change(&mut facts.clone())) else { return Ok(false) };
    change(&mut facts);
    let mut ops = vec![Op::Progress { queue_id, facts: queue::facts::written(&facts) }];
    if !facts.held {
        ops.push(Op::Reschedule { queue_id, due_at_s: clock::unix_s() });
    }
    match store.commit_wait(ops) {
        Ok(_) => {}
        // It ended meanwhile.
        Err(CommitError::Refused { why: Refusal::NoSuchQueueItem, .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    if let Some(service) = server {
        service.spool.changed([queue_id]);
    }
    Ok(true)
}
