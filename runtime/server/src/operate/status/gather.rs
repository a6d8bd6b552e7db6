//! Reads how a server does. It blocks: the store and the folder of backups are looked at.

use std::sync::Arc;

use plan::{Speaks, TlsMode};
use queue::schedule::Trouble;
use store::ReadError;
use store::snapshot::Snapshots;

use super::{CertificateNow, DirectoryNow, EngineNow, ListenerNow, QueueNow, StatusNow, StoreNow, UnboundNow, probe};
use crate::compromise::{self, State};
use crate::operate::verify;
use crate::plans::PlanState;
use crate::service::Service;
use crate::unbound::Missing;

/// How `service` does at `now_s`.
pub(crate) fn now(service: &Arc<Service>, now_s: i64) -> Result<StatusNow, ReadError> {
    let service = &service.current();
    let plan = service.tables.plan();
    crate::keys::count(&service.store, &service.metrics);
    let mut now = StatusNow {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        institution: plan.institution.name.clone(),
        twin: service.site.twin,
        secrets_closed: secrets_closed(service)?,
        plan: service.plan.clone(),
        serial: service.serial,
        trial_until_s: match service.state {
            PlanState::Confirmed => None,
            PlanState::Trial { until_s } => Some(until_s),
        },
        plan_unsigned: service.metrics.plan_unsigned.get() == 1,
        plan_key_alarm: service.metrics.plan_key_alarm.get() == 1,
        plan_signature: crate::keys::broken(service),
        plans_damaged: service.plans.damage(),
        since_s: service.served.since_s,
        at_s: now_s,
        listeners: listeners(service),
        unbound: unbound(service),
        engines: engines(service, now_s),
        queue: queue(service)?,
        store: store(service)?,
        backup_s: backup_s(service),
        backup_wanted: plan.backup.is_some(),
        certificates: certificates(service),
        directory: directory(service),
        compromise_cases: open_cases(service)?,
        panics: crate::metrics::panics(),
        loops_stopped: service.served.stopped().into_iter().map(str::to_owned).collect(),
        ..StatusNow::default()
    };
    service.metrics.plan_signature_broken.set(i64::from(now.plan_signature.is_some()));
    service.metrics.plans_damaged.set(i64::from(!now.plans_damaged.is_empty()));
    now.warnings = probe::warnings(&now);
    now.warnings.extend(crate::keys::warnings(&service.store));
    Ok(now)
}

fn listeners(service: &Service) -> Vec<ListenerNow> {
    let listening = service.doors.listening();
    let down = service.doors.down(service, |_| 0);
    let one = |(_, name, rules): (_, &str, &plan::Listener)| {
        let addresses = listening.get(name).map(Vec::as_slice).unwrap_or_default();
        // One that is closed, as before the health check, has the addresses the site gives it.
        let given = service.site.listeners.get(name).map(Vec::as_slice).unwrap_or_default();
        let told = if addresses.is_empty() { given } else { addresses };
        let connections = service.metrics.connections_open.with_label_values(&[name]).get();
        ListenerNow {
            name: name.to_owned(),
            speaks: speaks(rules.speaks, rules.tls).to_owned(),
            addresses: told.iter().map(ToString::to_string).collect(),
            open: !addresses.is_empty() && !down.iter().any(|it| it == name),
            connections: u64::try_from(connections).unwrap_or(0),
        }
    };
    service.tables.listeners().map(one).collect()
}

fn unbound(service: &Service) -> Vec<UnboundNow> {
    let all = service.doors.unbound.all().into_iter();
    let one =
        |it: Missing| UnboundNow { listener: it.wanted.to_string(), address: it.address.to_string(), why: it.why };
    all.map(one).collect()
}

fn speaks(speaks: Speaks, tls: TlsMode) -> &'static str {
    match (speaks, tls == TlsMode::Implicit) {
        (Speaks::Smtp, false) => "smtp",
        (Speaks::Smtp, true) => "smtps",
        (Speaks::Lmtp, _) => "lmtp",
        (Speaks::Imap, false) => "imap",
        (Speaks::Imap, true) => "imaps",
        (Speaks::Pop, false) => "pop3",
        (Speaks::Pop, true) => "pop3s",
    }
}

fn engines(service: &Service, now_s: i64) -> Vec<EngineNow> {
    let one = |engine: &Arc<crate::scan::Engine>| {
        let down_for = engine.down_for();
        let since = |down_for: std::time::Duration| now_s - i64::try_from(down_for.as_secs()).unwrap_or(0);
        EngineNow {
            name: engine.name.clone(),
            up: down_for.is_none(),
            down_since_s: down_for.map(since),
            signatures_s: engine.signatures_age_s(now_s),
            signatures_at_most_s: engine.signatures_at_most_s(),
        }
    };
    service.engines.iter().map(one).collect()
}

fn queue(service: &Service) -> Result<QueueNow, ReadError> {
    let oldest = service.store.queue_list(None, 1)?;
    let down = service.spool.schedule().down();
    let blocked = down.iter().filter(|(_, down, _)| down.trouble == Trouble::Blocked).count();
    Ok(QueueNow {
        messages: service.store.queue_count()?,
        // An id begins with the time it was given, in milliseconds.
        oldest_s: oldest
            .first()
            .map(|item| i64::try_from(crate::random::time_of_id(&item.queue_id.0) / 1_000).unwrap_or(0)),
        destinations_blocked: blocked,
        destinations_down: down.len() - blocked,
    })
}

fn store(service: &Service) -> Result<StoreNow, ReadError> {
    let store = &service.store;
    let verified = verify::last(store)?;
    Ok(StoreNow {
        read_only: store.is_read_only(),
        free_octets: store.free_bytes().unwrap_or(0),
        size_octets: store.device_bytes().unwrap_or(0),
        verified_s: verified.map(|last| last.at_s),
        findings: verify::findings(store)?,
        format: store.format()?,
        format_written: store::FORMAT,
    })
}

/// When the newest backup was made. A folder that cannot be read has none.
fn backup_s(service: &Service) -> Option<i64> {
    let backup = service.tables.plan().backup.as_ref()?;
    let folder = service.site.snapshots(Some(backup));
    let newest = Snapshots::open(folder).and_then(|all| all.newest_until(i64::MAX)).ok()?;
    newest.map(|name| name.seconds())
}

fn certificates(service: &Service) -> Vec<CertificateNow> {
    let one = |slot: &Arc<crate::certificates::Slot>| {
        let shown = slot.now();
        CertificateNow { name: slot.name.clone(), until_s: shown.until_s, self_signed: shown.self_signed }
    };
    service.certificates.slots().map(one).collect()
}

fn directory(service: &Service) -> Option<DirectoryNow> {
    let state = service.ldap.as_ref()?.state();
    Some(DirectoryNow {
        fresh_at_s: state.fresh_at_s,
        is_stale: state.is_stale,
        is_stopped: state.stopped.is_some(),
        servers: state.servers.len(),
        servers_up: state.servers.iter().filter(|server| server.trouble.is_empty()).count(),
    })
}

fn secrets_closed(service: &Service) -> Result<Vec<String>, ReadError> {
    if !service.site.sealed_secrets {
        return Ok(Vec::new());
    }
    // Those the store opened were put among the site's at the start.
    let kept = crate::kept_secrets(&service.store)?;
    Ok(kept.into_iter().filter(|name| !service.site.secrets.contains_key(name)).collect())
}

fn open_cases(service: &Service) -> Result<usize, ReadError> {
    let cases = compromise::all(&service.store)?;
    Ok(cases.iter().filter(|(_, case)| case.state != State::Ended).count())
}
