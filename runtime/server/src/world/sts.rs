//! MTA-STS (RFC 8461): finds the policy of a recipient domain, fetches it over HTTPS, and keeps it as long as it says,
//! across restarts too.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use hyper::{Request, StatusCode, header};
use mail::Domain;
use serde::{Deserialize, Serialize};
use store::Op;

use super::certificate::TlsFault;
use super::sts_policy::{self, Mode, StsPolicy};
use super::web::{self, NoAnswer};
use crate::clock;
use crate::service::Service;

/// Longest policy read, in octets (RFC 8461 3.3 suggests it).
const POLICY_OCTETS_MAX: usize = 64 * 1024;
const FETCH_MAX: Duration = Duration::from_secs(60);
/// RFC 8461 3.3: after a fetch that failed, not again for so long.
const FAILED_WAIT: Duration = Duration::from_secs(300);
/// A policy whose id stays the same is fetched again after this, in seconds.
const FRESH_S: i64 = 86_400;
/// Domains remembered in memory.
const KEPT_MAX: usize = 10_000;
/// Settings of the store that hold policies.
const PREFIX: &str = "mta-sts/";

/// A policy as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    id: String,
    policy: StsPolicy,
    /// Unix seconds.
    fetched_at_s: i64,
}

impl Kept {
    fn is_valid(&self, now_s: i64) -> bool {
        now_s < self.fetched_at_s.saturating_add(i64::try_from(self.policy.max_age_s).unwrap_or(i64::MAX))
    }
}

/// What is remembered of the policies of recipient domains.
#[derive(Default)]
pub struct Policies {
    /// `None`: the store has none.
    kept: Mutex<HashMap<Domain, Option<Kept>>>,
    failed: Mutex<HashMap<Domain, Instant>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The policy that binds mail for `domain` now; `None` when it has none, or mode `none`.
pub async fn policy(service: &Service, domain: &Domain) -> Option<StsPolicy> {
    let kept = kept(service, domain);
    let now_s = clock::unix_s();
    let valid = kept.filter(|kept| kept.is_valid(now_s));
    let records = service.world.resolver.txt(&format!("_mta-sts.{domain}")).await;
    let id = records.ok().and_then(|found| sts_policy::id(&found.records));
    // RFC 8461 3.1: without a record, or without an answer, a policy that is kept still binds.
    let found = match (id, valid) {
        (None, valid) => valid,
        (Some(id), Some(kept)) if kept.id == id && now_s < kept.fetched_at_s + FRESH_S => Some(kept),
        (Some(id), valid) => fetched(service, domain, id).await.or(valid),
    };
    found.map(|kept| kept.policy).filter(|policy| policy.mode != Mode::None)
}

fn kept(service: &Service, domain: &Domain) -> Option<Kept> {
    if let Some(kept) = lock(&service.world.sts.kept).get(domain) {
        return kept.clone();
    }
    let octets = service.store.setting(&format!("{PREFIX}{domain}")).unwrap_or_else(|error| {
        tracing::error!("an MTA-STS policy cannot be read: {error}");
        None
    });
    let kept: Option<Kept> = octets.and_then(|octets| serde_json::from_slice(&octets).ok());
    remember(service, domain, kept.clone());
    kept
}

fn remember(service: &Service, domain: &Domain, kept: Option<Kept>) {
    let mut all = lock(&service.world.sts.kept);
    if all.len() >= KEPT_MAX {
        // All of it is in the store.
        all.clear();
    }
    all.insert(domain.clone(), kept);
}

/// Fetches and keeps; a failure is told in the TLS report and waited out.
async fn fetched(service: &Service, domain: &Domain, id: String) -> Option<Kept> {
    if lock(&service.world.sts.failed).get(domain).is_some_and(|at| at.elapsed() < FAILED_WAIT) {
        return None;
    }
    match tokio::time::timeout(FETCH_MAX, fetch(service, domain)).await.unwrap_or(Err(TlsFault::StsPolicyFetchError)) {
        Ok(policy) => {
            let kept = Kept { id, policy, fetched_at_s: clock::unix_s() };
            let value = serde_json::to_vec(&kept).ok();
            if !service.records.behind(Op::Setting { key: format!("{PREFIX}{domain}"), value }) {
                service.metrics.records_dropped.inc();
            }
            remember(service, domain, Some(kept.clone()));
            Some(kept)
        }
        Err(fault) => {
            tracing::warn!(%domain, fault = fault.word(), "the MTA-STS policy was not fetched");
            service.world.tally.note_domain(service, domain, "sts", fault);
            let mut failed = lock(&service.world.sts.failed);
            failed.retain(|_, at| at.elapsed() < FAILED_WAIT);
            if failed.len() < KEPT_MAX {
                failed.insert(domain.clone(), Instant::now());
            }
            None
        }
    }
}

/// RFC 8461 3.3.
async fn fetch(service: &Service, domain: &Domain) -> Result<StsPolicy, TlsFault> {
    let request = Request::get("/.well-known/mta-sts.txt");
    let answer =
        web::ask(service.into(), &format!("mta-sts.{domain}"), 443, request, Bytes::new(), POLICY_OCTETS_MAX).await;
    let (parts, body) = answer.map_err(|why| match why {
        NoAnswer::Certificate => TlsFault::StsWebPkiInvalid,
        NoAnswer::Trouble => TlsFault::StsPolicyFetchError,
    })?;
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let plain = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/plain"));
    if parts.status != StatusCode::OK || !plain {
        return Err(TlsFault::StsPolicyFetchError);
    }
    let text = std::str::from_utf8(&body).map_err(|_| TlsFault::StsPolicyInvalid)?;
    sts_policy::parse(text).map_err(|_| TlsFault::StsPolicyInvalid)
}
