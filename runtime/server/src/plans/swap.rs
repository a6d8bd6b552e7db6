//! One plan takes the place of another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use decide::Tables;
use plan::Listener;

use crate::doors;
use crate::listen::Door;
use crate::service::{Service, stopped};
use crate::sessions::Protocol;
use crate::start::{self, StartError};
use crate::unbound::Binder;
use crate::verifier::Making;

/// Sessions of a network that lost a service go on for so long.
const GRACE: Duration = Duration::from_secs(10 * 60);

/// What becomes of listeners, each list sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    pub opened: Vec<String>,
    pub closed: Vec<String>,
    /// What they are for their clients differs: they have to begin again.
    pub restarted: Vec<String>,
}

/// The listeners two plans differ in.
pub(crate) fn moved(old: &Tables, new: &Tables) -> Moved {
    let (before, after) = (&old.plan().listeners, &new.plan().listeners);
    // What a client saw at the beginning of its connection.
    let face = |it: &Listener| (it.host.clone(), it.port, it.speaks, it.tls);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut moved = Moved::default();
    for name in names {
        match (before.get(name), after.get(name)) {
            (None, Some(_)) => moved.opened.push(name.clone()),
            (Some(_), None) => moved.closed.push(name.clone()),
            (Some(old), Some(new)) if face(old) != face(new) => moved.restarted.push(name.clone()),
            (Some(_) | None, Some(_) | None) => {}
        }
    }
    moved
}

/// Binds what a plan opens, before anything changes.
///
/// # Errors
/// The first that cannot be bound.
pub(crate) fn bind_new(new: &Service, moved: &Moved) -> Result<Vec<Door>, StartError> {
    let (mut bound, waiting) = (Vec::new(), start::still_waiting(new));
    // Who deploys hears at once what cannot be bound.
    let mut binder = Binder::new(false);
    for name in moved.opened.iter().filter(|name| !waiting.contains(name)) {
        bound.extend(doors::bind(&new.tables, &new.site, &new.certificates, name, &mut binder)?);
    }
    Ok(bound)
}

/// Puts `new` in the place of `old`. Connections stay; each takes the new plan with the next thing it begins.
pub(crate) async fn swap(old: &Arc<Service>, new: Service, moved: &Moved, bound: Vec<Door>) -> Arc<Service> {
    let new = Arc::new(new);
    // Their sockets wait meanwhile: who connects now is answered under the new plan.
    let mut sockets = Vec::new();
    for name in &moved.restarted {
        sockets.push((name.clone(), new.doors.close(name).await));
    }
    new.rings().carry(&old.tables, &new.tables);
    new.plans.set(Some(new.clone()));
    for name in &moved.closed {
        drop(new.doors.close(name).await);
    }
    let waiting = start::still_waiting(&new);
    for (name, sockets) in sockets.into_iter().filter(|(name, _)| !waiting.contains(name)) {
        if let Err(error) = new.doors.reopen(&new, &name, sockets) {
            tracing::error!(listener = name, "it does not listen any more: {error}");
        }
    }
    for address in new.doors.serve(&new, bound) {
        tracing::info!(%address, plan = new.plan, "a new listener is open");
    }
    new.passwords.make_with(Making::of(new.tables.plan()));
    if let Err(error) = new.blocks.reload(&new.store, &new.tables) {
        tracing::error!("blocks are as they were: {error}");
    }
    new.spool.under(new.tables.plan());
    new.plans.keepers.turn(&new);
    tokio::spawn(end_outlived(new.clone()));
    new
}

/// After the grace ends sessions that could not be begun any more.
async fn end_outlived(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    if tokio::time::timeout(GRACE, stopped(&mut stop)).await.is_ok() {
        return;
    }
    let current = service.current();
    let ended = current.sessions.end_where(|of| {
        let class = current.tables.class_of(of.peer);
        let listener = of.listener.as_deref().and_then(|name| current.tables.listener(name));
        let is_served = listener.is_some_and(|listener| current.tables.block(listener, class).is_some());
        of.protocol != Protocol::Portal && !is_served
    });
    if ended > 0 {
        tracing::info!(ended, "sessions whose network has the service no longer");
    }
}

#[cfg(test)]
mod tests {
    use plan::TlsMode;

    use super::*;

    fn tables(change: impl FnOnce(&mut plan::Plan)) -> Tables {
        let (mut plan, _) = plan::read(include_str!("../../../../policies/bench/policy.plan.ron")).unwrap();
        change(&mut plan);
        Tables::new(plan).unwrap()
    }

    #[test]
    fn a_listener_is_restarted_where_its_clients_would_be_told_something_else() {
        let old = tables(|_| ());
        let new = tables(|plan| {
            plan.mailboxes.message_size_octets /= 2;
            plan.listeners.get_mut("imaps").unwrap().tls = TlsMode::Required;
            plan.listeners.get_mut("mx").unwrap().also = vec!["other.example.org".parse().unwrap()];
            let pop = plan.listeners.remove("pop").unwrap();
            plan.listeners.insert("new".to_owned(), pop);
            plan.may_read.values_mut().for_each(|block| {
                block.connecting_to.retain(|name| name != "pop");
            });
        });
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        let wanted = Moved { opened: names(&["new"]), closed: names(&["pop"]), restarted: names(&["imaps"]) };
        assert_eq!(moved(&old, &new), wanted);
        assert_eq!(moved(&old, &old), Moved::default());
    }
}
