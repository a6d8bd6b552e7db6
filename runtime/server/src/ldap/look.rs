//! `facteur doctor --online`: does each directory server answer, know us, and have people the plan's mapping finds?

use decide::Tables;
use jiff::tz::TimeZone;

use super::connect::{Fault, line};
use super::entry::Entry;
use super::facts::Mapping;
use super::read::{self, Unread};
use super::servers::Servers;
use crate::site::Site;
use crate::zone::{Finding, Standing};

/// Entries that are looked at.
const SAMPLE: usize = 100;

/// A finding for each server: connection, TLS, bind, base, and what a sample of entries is worth.
pub async fn look(tables: &Tables, site: &Site) -> Vec<Finding> {
    let what = "identity.ldap".to_owned();
    let servers = match Servers::of(tables.plan(), site) {
        Ok(Some(servers)) => servers,
        Ok(None) => return Vec::new(),
        Err(unusable) => return vec![Finding::new(Standing::Bad, what, unusable.to_string())],
    };
    let mut findings = Vec::new();
    for server in 0..servers.count() {
        let what = format!("identity.ldap {}", servers.name(server));
        findings.push(match sample(tables, &servers, server).await {
            Ok(entries) => judged(tables, what, &entries),
            Err(unread) => Finding::new(Standing::Bad, what, advice(&unread)),
        });
    }
    findings
}

/// The first page of people, for as long as it has some.
async fn sample(tables: &Tables, servers: &Servers, server: usize) -> Result<Vec<Entry>, Unread> {
    let Some(rules) = &tables.plan().identity.ldap else { return Ok(Vec::new()) };
    let mut connection = servers.asker_on(server).await?;
    read::some(&mut connection, rules, SAMPLE).await
}

fn judged(tables: &Tables, what: String, entries: &[Entry]) -> Finding {
    let Some(rules) = &tables.plan().identity.ldap else { return Finding::ok(what) };
    if entries.is_empty() {
        let says = format!("nobody below `{}` matches `{}`, or our name may not see them", rules.base, rules.filter);
        return Finding::new(Standing::Missing, what, says);
    }
    let time_zone = TimeZone::get(&tables.plan().institution.time_zone).unwrap_or(TimeZone::UTC);
    let mapping = Mapping { attributes: &rules.attributes, tables, time_zone: &time_zone };
    let read: Vec<_> = entries.iter().map(|entry| (entry, mapping.facts(entry))).collect();
    let (good, all) = (read.iter().filter(|(_, facts)| facts.is_ok()).count(), read.len());
    let bad = read.iter().find_map(|(entry, facts)| Some((entry, facts.as_ref().err()?)));
    let without_login = read.iter().filter(|(_, facts)| facts.as_ref().is_ok_and(|it| it.login.is_none())).count();
    match bad {
        Some((entry, wrong)) => {
            let says =
                format!("{good} of {all} entries are people here; one that is not: {}: {wrong}", line(&entry.dn));
            Finding::new(if good == 0 { Standing::Bad } else { Standing::Different }, what, says)
        }
        None if without_login == all => {
            let says = format!("no entry has `{}`: logins are made of names", rules.attributes.login);
            Finding::new(Standing::Different, what, says)
        }
        None => Finding::ok(what),
    }
}

fn advice(unread: &Unread) -> String {
    match unread {
        Unread::Fault(Fault::Bind(why)) => format!("it does not take our name and password ({why}): see `bind`"),
        Unread::Fault(Fault::Tls(why)) => format!("TLS: {why}; its authority stands in `authorities` of the site"),
        other => other.to_string(),
    }
}
