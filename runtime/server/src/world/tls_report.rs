//! Reports of how TLS went with a domain, to whoever asks for them in DNS (RFC 8460): each day those of the days before.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Request, header};
use mail::{Address, Domain, ReversePath};
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::mta_sts::{ReportUri, TlsRpt};
use mail_auth::report::tlsrpt::TlsReport;
use plan::Reports;
use queue::Route;
use serde_json::{Value, json};
use store::{Enqueue, Op, QueueId, QueueRecipient, RecordEnvelope};

use super::resolver::Fault;
use super::tally::{DomainDay, PREFIX, PolicyTally, date};
use super::web;
use crate::service::{Service, stopped};
use crate::{clock, durable, random};

/// Tallies are written at least so often.
const FLUSH_EVERY: Duration = Duration::from_secs(60);
/// Days that are over are looked at so often, in seconds.
const LOOK_EVERY_S: i64 = 3_600;
/// A tally is kept for so long, in seconds.
const KEPT_S: i64 = 30 * 86_400;
/// Rows looked at in one turn.
const ROWS_MAX: usize = 100_000;
/// Places one report goes to.
const PLACES_MAX: usize = 4;
const POST_MAX: Duration = Duration::from_secs(60);
/// An answer to a report says nothing we need.
const ANSWER_OCTETS_MAX: usize = 16 * 1024;

/// Writes the tallies and sends the reports until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    let mut looked_at_s = 0;
    loop {
        if clock::unix_s() - looked_at_s >= LOOK_EVERY_S {
            looked_at_s = clock::unix_s();
            look(&service).await;
        }
        let stopping = tokio::time::timeout(FLUSH_EVERY, stopped(&mut stop)).await.is_ok();
        let ops = service.world.tally.flush();
        if !ops.is_empty()
            && let Err(error) = durable::commit(&service.store, ops).await
        {
            tracing::error!("the tallies of TLS were not written: {error}");
        }
        if stopping {
            return;
        }
    }
}

/// Sends what is due and removes what is old.
async fn look(service: &Arc<Service>) {
    let (today, oldest) = (date(clock::unix_s()), date(clock::unix_s() - KEPT_S));
    let reading = service.clone();
    let rows = durable::blocking(move || reading.store.settings(PREFIX, "", ROWS_MAX)).await;
    let Some(Ok(rows)) = rows else { return };
    for (key, value) in rows {
        let Some((day, domain)) = key.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')) else { continue };
        let tally: DomainDay = serde_json::from_slice(&value).unwrap_or_default();
        let mut ops = Vec::new();
        if day < oldest.as_str() {
            ops.push(Op::Setting { key: key.clone(), value: None });
        } else if day < today.as_str() && !tally.sent && service.tables.plan().delivery.tls_reports == Reports::Send {
            // A domain DNS knows nothing of now is asked again in an hour.
            if let Some(messages) = send(service, day, domain, &tally).await {
                ops.extend(messages);
                let sent = DomainDay { sent: true, ..tally };
                ops.push(Op::Setting { key: key.clone(), value: serde_json::to_vec(&sent).ok() });
            }
        }
        if !ops.is_empty() {
            let queued: Vec<QueueId> = ops.iter().filter_map(enqueued).collect();
            // The report is in the spool exactly when the tally says it was sent.
            match durable::commit(&service.store, ops).await {
                Ok(_) => queued.into_iter().for_each(|queue_id| service.spool.arrived(queue_id)),
                Err(error) => tracing::error!("a TLS report was not kept: {error}"),
            }
        }
        if service.stopping() {
            return;
        }
    }
}

fn enqueued(op: &Op) -> Option<QueueId> {
    if let Op::Enqueue(enqueue) = op { Some(enqueue.queue_id) } else { None }
}

/// Reports one day to the places the domain names; gives what has to be committed, `None` while they are not known.
async fn send(service: &Arc<Service>, day: &str, domain: &str, tally: &DomainDay) -> Option<Vec<Op>> {
    let records = match service.world.resolver.txt(&format!("_smtp._tls.{domain}")).await {
        Ok(found) => found.records,
        Err(Fault::NoName) => Vec::new(),
        Err(Fault::Bogus | Fault::Trouble(_)) => return None,
    };
    let mut asked = records.iter().filter_map(|record| TlsRpt::parse(record.as_bytes()).ok());
    // RFC 8460 3: more than one record is as none.
    let (Some(asked), None) = (asked.next(), asked.next()) else { return Some(Vec::new()) };
    let own = &service.tables.plan().institution;
    let report = report(&own.name, &own.domain, day, domain, tally);
    let mut ops = Vec::new();
    for place in asked.rua.iter().take(PLACES_MAX) {
        match place {
            ReportUri::Mail(to) => ops.extend(mailed(service, domain, to, &report).await),
            ReportUri::Http(uri) => post(service, uri, &report).await,
        }
    }
    Some(ops)
}

/// RFC 8460 4.4.
fn report(name: &str, own: &Domain, day: &str, domain: &str, tally: &DomainDay) -> Value {
    json!({
        "organization-name": name,
        "date-range": {
            "start-datetime": format!("{day}T00:00:00Z"),
            "end-datetime": format!("{day}T23:59:59Z"),
        },
        "contact-info": format!("postmaster@{own}"),
        "report-id": format!("{day}.{domain}@{own}"),
        "policies": tally.policies.iter().map(|policy| of_policy(domain, policy)).collect::<Vec<_>>(),
    })
}

fn of_policy(domain: &str, policy: &PolicyTally) -> Value {
    let failures: u64 = policy.failures.iter().map(|one| one.sessions).sum();
    let details = policy.failures.iter().map(|one| {
        let mut detail = json!({ "result-type": one.result, "failed-session-count": one.sessions });
        if !one.host.is_empty() {
            detail["receiving-mx-hostname"] = json!(one.host);
        }
        if !one.address.is_empty() {
            detail["receiving-ip"] = json!(one.address);
        }
        detail
    });
    let patterns: Vec<&str> = policy.strings.iter().filter_map(|line| line.strip_prefix("mx: ")).collect();
    json!({
        "policy": {
            "policy-type": policy.kind,
            "policy-string": policy.strings,
            "policy-domain": domain,
            "mx-host": patterns,
        },
        "summary": {
            "total-successful-session-count": policy.successes,
            "total-failure-session-count": failures,
        },
        "failure-details": details.collect::<Vec<_>>(),
    })
}

/// The message of a report (RFC 8460 5.3), to be queued.
async fn mailed(service: &Arc<Service>, domain: &str, to: &str, report: &Value) -> Option<Op> {
    let to: Address = to.parse().ok()?;
    let own = &service.tables.plan().institution.domain;
    let parsed: TlsReport = serde_json::from_str(&report.to_string()).ok()?;
    let mut message = Vec::new();
    let (from, place) = (format!("postmaster@{own}"), to.to_string());
    let places = std::iter::once(place.as_str());
    parsed.write_rfc5322(domain, own.as_str(), from.as_str(), places, &mut message).ok()?;
    let queue_id = QueueId(random::timed_id(clock::unix_ms()));
    let accepted_at_s = clock::unix_s();
    let envelope = RecordEnvelope {
        delivery_id: queue_id.0,
        reverse_path: Some(ReversePath::Null),
        recipients: vec![to.clone()],
        accepted_at_s,
    };
    let keeping = service.clone();
    let kept = durable::blocking(move || keeping.store.put_body_for(&envelope, b"", &[&message])).await?;
    let body = kept.inspect_err(|error| tracing::error!("{error}")).ok()?;
    let recipient = QueueRecipient {
        forward_path: to,
        next_hop: Route::Remote.next_hop(),
        due_at_s: accepted_at_s,
        facts: Vec::new(),
    };
    Some(Op::Enqueue(Box::new(Enqueue {
        queue_id,
        body,
        // Nobody reads what comes back about a report.
        reverse_path: ReversePath::Null,
        recipients: vec![recipient],
        plan: service.plan_full.clone(),
        accepted_at_s,
        facts: Vec::new(),
    })))
}

/// RFC 8460 5.4. A report that does not arrive is not sent again: the next day has another.
async fn post(service: &Service, uri: &str, report: &Value) {
    let Some((host, path)) = uri.strip_prefix("https://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) else {
        return;
    };
    let (host, port) = match host.split_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(443)),
        None => (host, 443),
    };
    let request = Request::post(format!("/{path}")).header(header::CONTENT_TYPE, "application/tlsrpt+json");
    let asking = web::ask(service.into(), host, port, request, Bytes::from(report.to_string()), ANSWER_OCTETS_MAX);
    match tokio::time::timeout(POST_MAX, asking).await {
        Ok(Ok((parts, _))) => tracing::info!(host, status = parts.status.as_u16(), "a TLS report was posted"),
        Ok(Err(_)) | Err(_) => tracing::warn!(host, "a TLS report was not taken"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::FailureTally;
    use super::*;

    #[test]
    fn a_report_is_what_other_readers_of_the_format_read() {
        let failure = FailureTally {
            result: "certificate-not-trusted".into(),
            host: "mx.b.example".into(),
            address: "192.0.2.1".into(),
            sessions: 3,
        };
        let policy = PolicyTally {
            kind: "sts".into(),
            strings: vec!["version: STSv1".into(), "mx: *.b.example".into()],
            hosts: vec!["mx.b.example".into()],
            successes: 5,
            failures: vec![failure],
        };
        let tally = DomainDay { policies: vec![policy], sent: false };
        let asked = TlsRpt::parse(b"v=TLSRPTv1; rua=mailto:tls@b.example,https://b.example/tls").unwrap();
        assert_eq!(asked.rua[0], ReportUri::Mail("tls@b.example".to_owned()));
        let own = "a.example".parse().unwrap();
        let report = report("Us", &own, "2026-11-30", "b.example", &tally);
        let read: TlsReport = serde_json::from_str(&report.to_string()).unwrap();
        assert_eq!(read.report_id, "2026-11-30.b.example@a.example");
        assert_eq!(read.date_range.start_datetime.to_rfc3339(), "2026-11-30T00:00:00Z");
        let [policy] = read.policies.as_slice() else { panic!("{read:?}") };
        assert_eq!((policy.summary.total_success, policy.summary.total_failure), (5, 3));
        assert_eq!(policy.policy.mx_host, ["*.b.example"]);
        assert_eq!(policy.failure_details[0].receiving_ip, Some("192.0.2.1".parse().unwrap()));
    }
}
