//! The records a plan implies: pure. One function for each kind of promise.

use std::collections::BTreeSet;
use std::net::IpAddr;

use mail::Domain;
use plan::{
    Certificate, Guarantee, Listener, ListenerAuth, MailDomain, Network, NextHop, Plan, Remote, Speaks, TlsMode,
};

use super::data::{Data, Record};
use super::place::Place;
use super::set_up;
use crate::operate::KeyState;
use crate::signing::keys;

/// How long others may rely on the MTA-STS policy, in seconds (RFC 8461 3.2).
const MTA_STS_AGE_S: u32 = 604_800;

/// The zone of one domain, as far as mail is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    pub domain: String,
    /// The domain's line of the policy.
    pub why: String,
    pub records: Vec<Record>,
    /// What a record cannot say.
    pub notes: Vec<String>,
    /// The text to serve at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` (RFC 8461 3.2).
    pub mta_sts: Option<String>,
}

/// The zones of the plan's domains, the institution's first. The same plan and place give the same zones.
pub fn implied(plan: &Plan, place: &Place) -> Vec<Zone> {
    let own = plan.institution.domain.as_str();
    let mut names: Vec<&String> = plan.domains.keys().filter(|name| name.parse::<Domain>().is_ok()).collect();
    names.sort_by_key(|name| (name.as_str() != own, name.as_str()));
    let mail = Mail { plan, place, doors: doors(plan) };
    let mut zones: Vec<Zone> = names.into_iter().map(|name| mail.zone(name)).collect();
    if let Some(first) = zones.first_mut() {
        first.records.extend(mail.reports_from_elsewhere());
        first.records.extend(mail.hosts());
        first.records.extend(mail.certificates());
    }
    for zone in &mut zones {
        let mut seen = BTreeSet::new();
        zone.records.retain(|record| seen.insert((record.name.clone(), record.data.clone())));
    }
    zones
}

/// The text to serve as the MTA-STS policy of each domain; `None` where certificates do not hold for strangers.
pub fn mta_sts(plan: &Plan) -> Option<String> {
    Mail { plan, place: &Place::default(), doors: doors(plan) }.mta_sts()
}

struct Mail<'a> {
    plan: &'a Plan,
    place: &'a Place,
    /// Listeners strangers hand mail to, with the block that lets them.
    doors: Vec<(&'a str, &'a Listener, &'a str)>,
}

/// Listeners on port 25 where a receiving block takes mail from everywhere.
fn doors(plan: &Plan) -> Vec<(&str, &Listener, &str)> {
    let rest = plan.networks.iter().find(|(_, network)| **network == Network::Rest).map(|(name, _)| name);
    let mut doors = Vec::new();
    for (block, rules) in &plan.may_receive {
        if rest.is_some_and(|rest| !rules.from.contains(rest)) {
            continue;
        }
        for name in &rules.connecting_to {
            if let Some(listener) = plan.listeners.get(name).filter(|one| one.speaks == Speaks::Smtp && one.port == 25)
            {
                doors.push((name.as_str(), listener, block.as_str()));
            }
        }
    }
    doors.sort_by_key(|(name, listener, _)| (listener.host.as_str(), *name));
    doors
}

impl Mail<'_> {
    fn zone(&self, name: &str) -> Zone {
        let kind = &self.plan.domains[name];
        let mut zone = Zone {
            domain: name.to_owned(),
            why: format!("domains.\"{name}\": {}", said(kind)),
            records: self.exchangers(name),
            notes: Vec::new(),
            mta_sts: self.mta_sts(),
        };
        zone.records.push(self.senders(name, kind));
        zone.records.extend(self.keys(name));
        zone.records.push(self.dmarc(name));
        zone.records.extend(zone.mta_sts.as_deref().map(|policy| sts_id(name, policy)));
        zone.records.push(Record {
            name: format!("_smtp._tls.{name}"),
            data: Data::Txt(format!("v=TLSRPTv1; rua=mailto:{}", self.reports_to())),
            why: "how TLS to us fails elsewhere (RFC 8460)".to_owned(),
        });
        if self.people(kind) {
            zone.records.extend(self.services(name));
        }
        if self.plan.portal.is_some() {
            zone.records.extend(set_up::records(self.plan, self.place, name));
        }
        zone.notes = self.notes(name, &zone);
        zone
    }

    fn exchangers(&self, name: &str) -> Vec<Record> {
        let mx = |(listener, rules, block): &(&str, &Listener, &str)| Record {
            name: name.to_owned(),
            data: Data::Mx { preference: 10, host: rules.host.to_string() },
            why: format!("may_receive.{block} at listeners.{listener}"),
        };
        self.doors.iter().map(mx).collect()
    }

    fn sends(&self) -> bool {
        !self.plan.may_send.is_empty() && !matches!(self.plan.routes.remote, Remote::Capture(_))
    }

    /// SPF (RFC 7208).
    fn senders(&self, name: &str, kind: &MailDomain) -> Record {
        let mut terms = vec!["v=spf1".to_owned()];
        let mut why = "no block of may_send, or routes.remote keeps it here".to_owned();
        if self.sends() {
            let sources = self.place.sources.iter().map(|address| match address {
                IpAddr::V4(v4) => format!("ip4:{v4}"),
                IpAddr::V6(v6) => format!("ip6:{v6}"),
            });
            match &self.plan.routes.remote {
                Remote::Smarthost(host) => {
                    terms.push(format!("a:{}", host_of(host)));
                    why = "routes.remote: what that smart host asks for may be more".to_owned();
                }
                Remote::DirectMx | Remote::Capture(_) if self.place.sources.is_empty() => {
                    terms.push("mx".to_owned());
                    why = "may_send; the site names no sources".to_owned();
                }
                Remote::DirectMx | Remote::Capture(_) => {
                    terms.extend(sources);
                    why = "may_send, from the site's sources".to_owned();
                }
            }
            if let MailDomain::PassOn { next_hop: NextHop::Smtp(host) | NextHop::Lmtp(host), .. } = kind {
                terms.push(format!("a:{}", host_of(host)));
                why.push_str("; its own server may send");
            }
        }
        terms.push("-all".to_owned());
        Record { name: name.to_owned(), data: Data::Txt(terms.join(" ")), why }
    }

    /// DKIM keys (RFC 6376 3.6.1).
    fn keys(&self, name: &str) -> Vec<Record> {
        let keys = self.place.keys.as_ref().and_then(|keys| keys.get(&name.parse::<Domain>().ok()?));
        let record = |key: &crate::operate::PublicKey| Record {
            name: format!("{}._domainkey.{name}", key.selector),
            data: Data::Txt(format!("v=DKIM1; k={}; p={}", keys::short(key.algorithm), key.public)),
            why: match key.state {
                KeyState::Published => "signing: the next key",
                KeyState::Signing => "signing: the key in use",
                KeyState::Retired => "signing: the key before, while its mail is on its way",
                KeyState::Revoked => "signing: a key that counts no more",
            }
            .to_owned(),
        };
        keys.into_iter().flatten().map(record).collect()
    }

    /// DMARC (RFC 7489 6.3). Who promised that nobody poses as them promises it to others, too.
    fn dmarc(&self, name: &str) -> Record {
        let promised = self.plan.guarantees.iter().any(|one| matches!(one, Guarantee::NobodyPosesAsUs { .. }));
        let (policy, why) = match (self.sends(), promised) {
            (false, _) => ("reject", "nothing is sent"),
            (true, true) => ("reject", "guarantees: NobodyPosesAsUs"),
            (true, false) => ("quarantine", "no guarantee NobodyPosesAsUs"),
        };
        let text = format!("v=DMARC1; p={policy}; rua=mailto:{}", self.reports_to());
        Record { name: format!("_dmarc.{name}"), data: Data::Txt(text), why: why.to_owned() }
    }

    /// The institution takes reports about its domains of other names (RFC 7489 7.1).
    fn reports_from_elsewhere(&self) -> Vec<Record> {
        let own = &self.plan.institution.domain;
        let names = self.plan.domains.keys().filter_map(|name| name.parse::<Domain>().ok());
        let others = names.filter(|domain| !domain.is_within(own) && !own.is_within(domain));
        let record = |domain: Domain| Record {
            name: format!("{domain}._report._dmarc.{own}"),
            data: Data::Txt("v=DMARC1".to_owned()),
            why: format!("reports about {domain} come here"),
        };
        others.map(record).collect()
    }

    /// RFC 5321 4.5.1: the one address every domain has.
    fn reports_to(&self) -> String {
        format!("postmaster@{}", self.plan.institution.domain)
    }

    /// The MTA-STS policy, where certificates hold for strangers (RFC 8461 3.2).
    fn mta_sts(&self) -> Option<String> {
        let public = |listener: &Listener| {
            let certificate = match &listener.certificate {
                Certificate::Default => &self.plan.tls.certificate,
                other => other,
            };
            listener.tls != TlsMode::None && matches!(certificate, Certificate::Acme(_))
        };
        if self.doors.is_empty() || !self.doors.iter().all(|(_, listener, _)| public(listener)) {
            return None;
        }
        let hosts: BTreeSet<&str> = self.doors.iter().map(|(_, listener, _)| listener.host.as_str()).collect();
        let hosts: String = hosts.iter().map(|host| format!("mx: {host}\r\n")).collect();
        Some(format!("version: STSv1\r\nmode: enforce\r\n{hosts}max_age: {MTA_STS_AGE_S}\r\n"))
    }

    /// Addresses of hosts that are ours to name.
    fn hosts(&self) -> Vec<Record> {
        let ours = keys::domains(self.plan);
        let mut records = Vec::new();
        for (name, listener) in &self.plan.listeners {
            let addresses = self.place.listeners.get(name).map(Vec::as_slice).unwrap_or_default();
            if keys::signs_for(&ours, &listener.host).is_none() {
                continue;
            }
            records.extend(addresses.iter().map(|address| Record {
                name: listener.host.to_string(),
                data: match address.to_canonical() {
                    IpAddr::V4(v4) => Data::A(v4),
                    IpAddr::V6(v6) => Data::Aaaa(v6),
                },
                why: format!("listeners.{name} at this site"),
            }));
        }
        records.sort_by(|a, b| (&a.name, &a.data).cmp(&(&b.name, &b.data)));
        records
    }

    /// DANE (RFC 7672 3.1.1: usage 3, selector 1, matching type 1).
    fn certificates(&self) -> Vec<Record> {
        let Some(shown) = &self.place.certificates else { return Vec::new() };
        let doors = self.doors.iter().filter(|(_, listener, _)| listener.tls != TlsMode::None);
        let record = |(name, listener, _): &(&str, &Listener, &str)| {
            let octets = shown.by(name)?.to_vec();
            let data = Data::Tlsa { usage: 3, selector: 1, matching: 1, octets };
            let why = format!("the certificate of listeners.{name}; wants a signed zone");
            Some(Record { name: format!("_25._tcp.{}", listener.host), data, why })
        };
        doors.filter_map(record).collect()
    }

    /// Do people have their mail under this domain?
    fn people(&self, kind: &MailDomain) -> bool {
        match kind {
            MailDomain::Held { .. } => true,
            MailDomain::PassOn { .. } => false,
            MailDomain::AliasOf(of) => matches!(self.plan.domains.get(of.as_str()), Some(MailDomain::Held { .. })),
        }
    }

    /// Where mail programs find us (RFC 6186, RFC 8314 5.1); `.` where a service is not offered.
    fn services(&self, name: &str) -> Vec<Record> {
        use {Speaks::*, TlsMode::*};
        let clear: &[TlsMode] = &[Offered, Required];
        let mut records = Vec::new();
        for (service, speaks, modes) in [
            ("_submissions", Smtp, &[Implicit][..]),
            ("_submission", Smtp, clear),
            ("_imaps", Imap, &[Implicit]),
            ("_imap", Imap, clear),
            ("_pop3s", Pop, &[Implicit]),
            ("_pop3", Pop, clear),
        ] {
            let offers = |listener: &&Listener| {
                listener.speaks == speaks
                    && modes.contains(&listener.tls)
                    && listener.auth == ListenerAuth::Required
                    && listener.port != 25
            };
            let named = self.plan.listeners.iter().filter(|(_, listener)| offers(listener));
            let record = |data, why| Record { name: format!("{service}._tcp.{name}"), data, why };
            let mut found: Vec<Record> = named
                .map(|(listener, rules)| {
                    let (port, target) = (rules.port, rules.host.to_string());
                    record(Data::Srv { priority: 0, weight: 1, port, target }, format!("listeners.{listener}"))
                })
                .collect();
            if found.is_empty() {
                let data = Data::Srv { priority: 0, weight: 0, port: 0, target: String::new() };
                found.push(record(data, "no such listener".to_owned()));
            }
            records.extend(found);
        }
        records
    }

    fn notes(&self, name: &str, zone: &Zone) -> Vec<String> {
        let mut notes = Vec::new();
        if self.doors.is_empty() {
            let gateways: Vec<&str> = self.plan.gateways.keys().map(String::as_str).collect();
            notes.push(match gateways.as_slice() {
                [] => "no MX: no receiving block takes mail from everywhere on port 25".to_owned(),
                names => format!(
                    "no MX: mail comes in by the gateways {}, which have records of their own",
                    names.join(", ")
                ),
            });
        }
        if self.plan.domains.contains_key(&format!("{{unit}}.{name}")) {
            notes.push(format!("each unit's name under {name} needs the MX records, too"));
        }
        if self.plan.signing.is_some() {
            let known = self
                .place
                .keys
                .as_ref()
                .map(|keys| keys.iter().any(|(domain, keys)| domain.as_str() == name && !keys.is_empty()));
            match known {
                None => notes.push("no DKIM keys: they are in the data folder (--site or --data)".to_owned()),
                Some(false) => notes.push("no DKIM keys yet: the server makes them when it starts".to_owned()),
                Some(true) => {}
            }
        }
        if self.place.certificates.is_none() && !self.doors.is_empty() {
            notes.push("no TLSA records: certificates are the site's (--site)".to_owned());
        }
        notes.extend(set_up::note(self.plan, self.place, name));
        if zone.mta_sts.is_none() && !self.doors.is_empty() {
            notes.push("no MTA-STS: tls.certificate is not of a public authority (Acme)".to_owned());
        }
        notes
    }
}

/// The record that tells of a policy; its id changes when the policy does (RFC 8461 3.1).
fn sts_id(name: &str, policy: &str) -> Record {
    let hash = blake3::hash(policy.as_bytes()).to_hex();
    Record {
        name: format!("_mta-sts.{name}"),
        data: Data::Txt(format!("v=STSv1; id={};", &hash[..20])),
        why: "tls.certificate: Acme; wants its policy served over HTTPS".to_owned(),
    }
}

fn said(kind: &MailDomain) -> String {
    match kind {
        MailDomain::Held { .. } => "Held".to_owned(),
        MailDomain::PassOn { .. } => "PassOn".to_owned(),
        MailDomain::AliasOf(of) => format!("AliasOf({of})"),
    }
}

/// The host of `host:port`.
fn host_of(host_and_port: &str) -> &str {
    host_and_port.rsplit_once(':').map_or(host_and_port, |(host, _)| host)
}
