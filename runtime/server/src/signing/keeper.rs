//! Makes keys and turns them, at start and once an hour.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mail::Domain;

use super::keys::{self, Row};
use super::rotation::{self, Life, Seen, State, Step};
use crate::service::{Service, stopped};
use crate::zone::Lookup;
use crate::{clock, durable};

const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// Keeps the keys of all our domains until the server stops.
pub async fn keep(service: Arc<Service>) {
    if service.signing.domains.is_empty() {
        return;
    }
    let mut stop = service.stop.clone();
    loop {
        for domain in &service.signing.domains {
            if service.stopping() {
                return;
            }
            pass(&service, domain).await;
        }
        if tokio::time::timeout(LOOK_EVERY, stopped(&mut stop)).await.is_ok() {
            return;
        }
    }
}

/// Takes the steps that are due for one domain.
async fn pass(service: &Arc<Service>, domain: &Domain) {
    let rows = match keys::read(&service.store, domain) {
        Ok(rows) => rows,
        Err(error) => return tracing::error!("the signing keys of {domain} cannot be read: {error}"),
    };
    let seen = seen(service, domain, &rows).await;
    let today = service.today().replace('-', "");
    let (worker, about) = (service.clone(), domain.clone());
    // A panic was counted; the next hour tries again.
    let _ = durable::blocking(move || turn(&worker, &about, rows, &seen, &today)).await;
}

/// What DNS says of keys that are to be used next.
async fn seen(service: &Service, domain: &Domain, rows: &[Row]) -> BTreeMap<String, Seen> {
    let published: Vec<&Row> = rows.iter().filter(|row| row.life.state == State::Published).collect();
    let mut seen = BTreeMap::new();
    if published.is_empty() {
        return seen;
    }
    let Ok(lookup) = Lookup::new(&service.site.world) else { return seen };
    for row in published {
        let selector = &row.life.selector;
        let found = match lookup.texts(&format!("{selector}._domainkey.{domain}")).await {
            Ok(texts) if texts.iter().any(|text| holds(text, &row.public)) => Seen::There,
            Ok(_) => {
                tracing::warn!("{selector}._domainkey.{domain} is not in DNS: the new key does not sign (facteur dns)");
                Seen::Absent
            }
            Err(_) => Seen::Unknown,
        };
        seen.insert(selector.clone(), found);
    }
    seen
}

/// Is this key record about the key `public`?
fn holds(record: &str, public: &str) -> bool {
    let mut tags = record.split(';').filter_map(|tag| tag.split_once('='));
    tags.any(|(name, value)| name.trim() == "p" && value.split_whitespace().collect::<String>() == public)
}

/// Not for async threads: a key may be made.
fn turn(service: &Service, domain: &Domain, before: Vec<Row>, seen: &BTreeMap<String, Seen>, today: &str) {
    let Some(signing) = &service.tables.plan().signing else { return };
    let seal = &service.signing.seal;
    let now_s = clock::unix_s();
    let mut rows = before.clone();
    for row in &mut rows {
        let in_use = matches!(row.life.state, State::Published | State::Signing);
        if in_use && keys::opened(domain, row, seal).is_none() {
            tracing::error!("the key {} of {domain} does not open, another takes its place", row.life.selector);
            bring(row, State::Retired, now_s);
        }
    }
    let lives: Vec<Life> = rows.iter().map(|row| row.life.clone()).collect();
    for step in rotation::due(&lives, signing, seen, now_s) {
        match step {
            Step::Make { algorithm, state } => {
                let taken: Vec<Life> = rows.iter().map(|row| row.life.clone()).collect();
                let selector = rotation::selector(today, algorithm, &taken);
                match keys::made(domain, Life { selector, algorithm, state, since_s: now_s }, seal) {
                    Some(row) => {
                        tracing::info!("new key {} for {domain}: facteur dns shows its record", row.life.selector);
                        rows.push(row);
                    }
                    None => tracing::error!("no {} key could be made for {domain}", keys::short(algorithm)),
                }
            }
            Step::Turn { selector, state } => {
                rows.iter_mut().filter(|row| row.life.selector == selector).for_each(|row| bring(row, state, now_s));
            }
            Step::Forget { selector } => rows.retain(|row| row.life.selector != selector),
        }
    }
    if rows != before
        && let Err(error) = service.store.commit_wait(vec![keys::write(domain, &rows)])
    {
        // A key that is not kept must not sign: after a restart nobody could publish it.
        return tracing::error!("the signing keys of {domain} cannot be kept: {error}");
    }
    service.signing.keys.set(domain, &rows, seal);
}

/// Brings a row into `state`; the private half goes when it signs no more.
fn bring(row: &mut Row, state: State, now_s: i64) {
    (row.life.state, row.life.since_s) = (state, now_s);
    if matches!(state, State::Retired | State::Revoked) {
        row.sealed = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_holds_a_key_however_it_is_spaced() {
        assert!(holds("v=DKIM1; k=rsa; p=AB CD", "ABCD"));
        assert!(holds("p = ABCD", "ABCD"));
        assert!(!holds("v=DKIM1; p=", "ABCD"));
        assert!(!holds("v=DKIM1; n=ABCD", "ABCD"));
    }
}
