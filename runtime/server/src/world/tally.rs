//! How TLS went with each recipient domain, a day at a time (RFC 8460 4): what reports are made of.
//!
//! Days are those of UTC. A tally is written to the store when something failed, and within a minute otherwise.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mail::Domain;
use serde::{Deserialize, Serialize};
use store::Op;

use super::certificate::TlsFault;
use crate::clock;
use crate::service::Service;

/// Settings of the store that hold tallies: `tls-rpt/DATE/DOMAIN`.
pub const PREFIX: &str = "tls-rpt/";
/// Domains of the day kept in memory; further ones are not counted.
const DOMAINS_MAX: usize = 10_000;
const POLICIES_MAX: usize = 8;
const FAILURES_MAX: usize = 64;

/// One domain on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainDay {
    pub policies: Vec<PolicyTally>,
    /// The report went out, or nobody wants one.
    #[serde(default)]
    pub sent: bool,
}

/// One policy of a domain (RFC 8460 4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyTally {
    /// `tlsa`, `sts` or `no-policy-found`.
    pub kind: String,
    /// The policy in its own words.
    pub strings: Vec<String>,
    pub hosts: Vec<String>,
    pub successes: u64,
    pub failures: Vec<FailureTally>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureTally {
    /// A result type of RFC 8460 4.3.
    pub result: String,
    pub host: String,
    /// The next hop's address; empty before a connection.
    pub address: String,
    pub sessions: u64,
}

/// One session, or one failure before it.
pub struct Session<'a> {
    pub domain: &'a Domain,
    pub kind: &'a str,
    pub strings: Vec<String>,
    pub host: &'a str,
    pub address: String,
    pub result: Result<(), TlsFault>,
}

impl DomainDay {
    /// Counts one. What is over the bounds is counted under the first of its kind, or not at all.
    pub fn count(&mut self, session: &Session<'_>) {
        let place = self.policies.iter().position(|policy| policy.kind == session.kind);
        let place = match place {
            Some(place) => place,
            None if self.policies.len() < POLICIES_MAX => {
                self.policies.push(PolicyTally { kind: session.kind.to_owned(), ..PolicyTally::default() });
                self.policies.len() - 1
            }
            None => return,
        };
        let policy = &mut self.policies[place];
        if !session.strings.is_empty() {
            policy.strings.clone_from(&session.strings);
        }
        if !session.host.is_empty()
            && policy.hosts.len() < FAILURES_MAX
            && !policy.hosts.iter().any(|h| h == session.host)
        {
            policy.hosts.push(session.host.to_owned());
        }
        let Err(fault) = session.result else {
            policy.successes += 1;
            return;
        };
        let same = |one: &&mut FailureTally| {
            one.result == fault.word() && one.host == session.host && one.address == session.address
        };
        if let Some(failure) = policy.failures.iter_mut().find(same) {
            failure.sessions += 1;
        } else if policy.failures.len() < FAILURES_MAX {
            policy.failures.push(FailureTally {
                result: fault.word().to_owned(),
                host: session.host.to_owned(),
                address: session.address.clone(),
                sessions: 1,
            });
        }
    }
}

#[derive(Debug)]
struct Entry {
    day: DomainDay,
    dirty: bool,
}

/// The tallies of today.
#[derive(Debug, Default)]
pub struct Tally {
    domains: Mutex<BTreeMap<String, Entry>>,
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.domains.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn note(&self, service: &Service, session: &Session<'_>) {
        if service.tables.plan().delivery.tls_reports == plan::Reports::Nothing {
            return;
        }
        let key = format!("{PREFIX}{}/{}", date(clock::unix_s()), session.domain);
        let mut domains = self.lock();
        if !domains.contains_key(&key) {
            if domains.len() >= DOMAINS_MAX {
                return;
            }
            let kept = service.store.setting(&key).ok().flatten();
            let day = kept.and_then(|octets| serde_json::from_slice(&octets).ok()).unwrap_or_default();
            domains.insert(key.clone(), Entry { day, dirty: false });
        }
        let Some(entry) = domains.get_mut(&key) else { return };
        entry.day.count(session);
        entry.dirty = true;
        if let Err(fault) = session.result {
            service.metrics.tls_failures.with_label_values(&[fault.word()]).inc();
            entry.dirty = !service.records.behind(written(&key, &entry.day));
        }
    }

    /// A failure that is about the domain and no host of it.
    pub fn note_domain(&self, service: &Service, domain: &Domain, kind: &str, fault: TlsFault) {
        let address = String::new();
        self.note(service, &Session { domain, kind, strings: Vec::new(), host: "", address, result: Err(fault) });
    }

    /// What has to be written, and forgets earlier days.
    pub fn flush(&self) -> Vec<Op> {
        let today = format!("{PREFIX}{}/", date(clock::unix_s()));
        let mut domains = self.lock();
        let dirty = domains.iter_mut().filter_map(|(key, entry)| {
            let dirty = std::mem::take(&mut entry.dirty);
            dirty.then(|| written(key, &entry.day))
        });
        let ops = dirty.collect();
        domains.retain(|key, _| key.starts_with(&today));
        ops
    }
}

fn written(key: &str, day: &DomainDay) -> Op {
    Op::Setting { key: key.to_owned(), value: serde_json::to_vec(day).ok() }
}

/// The day of UTC, `YYYY-MM-DD`.
pub fn date(unix_s: i64) -> String {
    jiff::Timestamp::from_second(unix_s)
        .map_or_else(|_| "1970-01-01".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_add_up_by_policy_and_fault() {
        let domain: Domain = "b.example".parse().unwrap();
        let session = |kind: &'static str, result| Session {
            domain: &domain,
            kind,
            strings: vec!["version: STSv1".into()],
            host: "mx.b.example",
            address: "192.0.2.1".into(),
            result,
        };
        let mut day = DomainDay::default();
        for _ in 0..2 {
            day.count(&session("sts", Ok(())));
            day.count(&session("sts", Err(TlsFault::NotTrusted)));
        }
        day.count(&session("sts", Err(TlsFault::Expired)));
        day.count(&session("tlsa", Ok(())));
        let [sts, tlsa] = day.policies.as_slice() else { panic!("{day:?}") };
        assert_eq!((sts.successes, sts.hosts.as_slice()), (2, ["mx.b.example".to_owned()].as_slice()));
        let failures: Vec<_> = sts.failures.iter().map(|one| (one.result.as_str(), one.sessions)).collect();
        assert_eq!(failures, [("certificate-not-trusted", 2), ("certificate-expired", 1)]);
        assert_eq!((tlsa.successes, tlsa.failures.len()), (1, 0));
    }

    #[test]
    fn a_days_tally_is_bounded() {
        let domain: Domain = "b.example".parse().unwrap();
        let mut day = DomainDay::default();
        for number in 0..1_000 {
            let (host, result) = (format!("mx{number}.b.example"), Err(TlsFault::Expired));
            let kind = format!("kind{number}");
            let session =
                |kind| Session { domain: &domain, kind, strings: vec![], host: &host, address: "".into(), result };
            day.count(&session("sts"));
            day.count(&session(&kind));
        }
        assert_eq!(day.policies.len(), POLICIES_MAX);
        assert_eq!(day.policies[0].failures.len(), FAILURES_MAX);
    }
}
