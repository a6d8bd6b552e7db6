//! `check_host()` of RFC 7208 4.

use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use plan::Prefix;
use tokio::time::timeout;

use super::SpfResult;
use super::macros::{Facts, Template};
use super::record::{Lengths, Mechanism, Record, is_spf};
use crate::authenticate::resolver::{Answer, Resolver};

/// Terms that ask DNS, in all records together (RFC 7208 4.6.4).
const LOOKUPS_MAX: u32 = 10;
/// Of them such as have no answer (RFC 7208 4.6.4).
const VOIDS_MAX: u32 = 2;
/// Names of one `mx`; more are an error. Names of one PTR set that are looked at.
const NAMES_MAX: usize = 10;

/// Names of the client are looked for no longer than this.
const VALIDATION_MAX: Duration = Duration::from_secs(3);

/// Whose permission is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    pub client: IpAddr,
    pub hello: &'a str,
    pub local: &'a str,
    /// The domain of MAIL FROM, or the HELO name.
    pub domain: &'a str,
}

/// The evaluation ends here.
enum Stop {
    Permanent,
    Temporary,
}

impl From<Stop> for SpfResult {
    fn from(stop: Stop) -> SpfResult {
        match stop {
            Stop::Permanent => SpfResult::PermError,
            Stop::Temporary => SpfResult::TempError,
        }
    }
}

/// What the domain says of this client.
pub async fn check(resolver: &Resolver, identity: Identity<'_>) -> SpfResult {
    let client = identity.client.to_canonical();
    let local = if identity.local.is_empty() { "postmaster" } else { identity.local };
    let facts = Facts { client, hello: identity.hello, local, sender_domain: identity.domain };
    let mut walk = Walk { resolver, facts, lookups: 0, voids: 0, validated: None };
    let domain = identity.domain.strip_suffix('.').unwrap_or(identity.domain);
    walk.host(domain.to_owned()).await
}

struct Walk<'a> {
    resolver: &'a Resolver,
    facts: Facts<'a>,
    lookups: u32,
    voids: u32,
    /// Names of the client that lead back to it, once asked for.
    validated: Option<Vec<String>>,
}

impl<'a> Walk<'a> {
    fn host<'w>(&'w mut self, domain: String) -> Pin<Box<dyn Future<Output = SpfResult> + Send + 'w>> {
        Box::pin(async move {
            if !is_name(&domain) {
                return SpfResult::None;
            }
            let Ok(mut records) = self.resolver.txt(&domain).await else { return SpfResult::TempError };
            records.retain(|record| is_spf(record));
            match records.as_slice() {
                [] => SpfResult::None,
                [only] => match Record::read(only) {
                    Some(record) => self.record(&record, &domain).await.unwrap_or_else(SpfResult::from),
                    None => SpfResult::PermError,
                },
                // RFC 7208 4.5.
                [_, _, ..] => SpfResult::PermError,
            }
        })
    }

    async fn record(&mut self, record: &Record, domain: &str) -> Result<SpfResult, Stop> {
        for directive in &record.directives {
            if self.matches(&directive.mechanism, domain).await? {
                return Ok(directive.qualifier);
            }
        }
        let Some(template) = &record.redirect else { return Ok(SpfResult::Neutral) };
        self.term()?;
        let target = self.expand(template, domain).await;
        match self.host(target).await {
            SpfResult::None => Err(Stop::Permanent),
            result => Ok(result),
        }
    }

    async fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Result<bool, Stop> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4(network, length) => Ok(holds(IpAddr::V4(*network), *length, self.facts.client)),
            Mechanism::Ip6(network, length) => Ok(holds(IpAddr::V6(*network), *length, self.facts.client)),
            Mechanism::Include(template) => {
                self.term()?;
                let target = self.expand(template, domain).await;
                match self.host(target).await {
                    SpfResult::Pass => Ok(true),
                    SpfResult::Fail | SpfResult::SoftFail | SpfResult::Neutral => Ok(false),
                    SpfResult::TempError => Err(Stop::Temporary),
                    SpfResult::PermError | SpfResult::None => Err(Stop::Permanent),
                }
            }
            Mechanism::A { name, prefix } => {
                self.term()?;
                let target = self.target(name.as_ref(), domain).await;
                self.address(&target, *prefix).await
            }
            Mechanism::Mx { name, prefix } => {
                self.term()?;
                let target = self.target(name.as_ref(), domain).await;
                let hosts = self.resolver.mx(&target).await;
                let hosts = self.counted(hosts)?;
                for (index, host) in hosts.iter().enumerate() {
                    if index >= NAMES_MAX {
                        return Err(Stop::Permanent);
                    }
                    if self.address(host, *prefix).await? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Mechanism::Ptr(name) => {
                self.term()?;
                let target = self.target(name.as_ref(), domain).await;
                Ok(self.validated().await.iter().any(|name| is_within(name, &target)))
            }
            Mechanism::Exists(template) => {
                self.term()?;
                let target = self.expand(template, domain).await;
                // RFC 7208 5.7: an A record, also for IPv6 clients.
                let addresses = self.resolver.a(&target).await;
                Ok(!self.counted(addresses)?.is_empty())
            }
        }
    }

    /// One more term that asks DNS.
    fn term(&mut self) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > LOOKUPS_MAX { Err(Stop::Permanent) } else { Ok(()) }
    }

    /// An answer of a mechanism: none at all stops, an empty one counts.
    fn counted<T>(&mut self, answer: Answer<T>) -> Result<Vec<T>, Stop> {
        let found = answer.map_err(|_| Stop::Temporary)?;
        if found.is_empty() {
            self.voids += 1;
            if self.voids > VOIDS_MAX {
                return Err(Stop::Permanent);
            }
        }
        Ok(found)
    }

    async fn address(&mut self, name: &str, prefix: Lengths) -> Result<bool, Stop> {
        let client = self.facts.client;
        let length = if client.is_ipv4() { prefix.v4 } else { prefix.v6 };
        let addresses = self.resolver.addresses(name, client).await;
        Ok(self.counted(addresses)?.into_iter().any(|address| holds(address, length, client)))
    }

    async fn target(&mut self, name: Option<&Template>, domain: &str) -> String {
        match name {
            Some(template) => self.expand(template, domain).await,
            None => domain.to_owned(),
        }
    }

    async fn expand(&mut self, template: &Template, domain: &str) -> String {
        let mut validated = "unknown".to_owned();
        if template.asks_validated() {
            let names = self.validated().await;
            // RFC 7208 7.3: the domain itself, else a name under it, else any.
            let itself = names.iter().find(|name| name.eq_ignore_ascii_case(domain));
            let chosen = itself.or_else(|| names.iter().find(|name| is_within(name, domain))).or(names.first());
            validated = chosen.cloned().unwrap_or(validated);
        }
        template.expand(&self.facts, domain, &validated)
    }

    /// RFC 7208 5.5. Errors of DNS leave names out.
    async fn validated(&mut self) -> &[String] {
        if self.validated.is_none() {
            let client = self.facts.client;
            let mut validated = Vec::new();
            let ask = async {
                let names = self.resolver.ptr(client).await.unwrap_or_default();
                for name in names.into_iter().take(NAMES_MAX) {
                    let addresses = self.resolver.addresses(&name, client).await.unwrap_or_default();
                    if addresses.contains(&client) {
                        validated.push(name);
                    }
                }
            };
            // The client's own name servers answer here. A slow one must not make the whole result one nobody can tell.
            let _ = timeout(VALIDATION_MAX, ask).await;
            self.validated = Some(validated);
        }
        self.validated.as_deref().unwrap_or_default()
    }
}

/// A name of several labels that DNS can hold (RFC 7208 4.3).
fn is_name(domain: &str) -> bool {
    domain.len() <= 253
        && !domain.starts_with('[')
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty() && label.len() <= 63)
}

fn is_within(name: &str, domain: &str) -> bool {
    let (name, domain) = (name.to_ascii_lowercase(), domain.to_ascii_lowercase());
    name.strip_suffix(&domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Does the client lie in the prefix of `length` bits that `network` lies in?
fn holds(network: IpAddr, length: u8, client: IpAddr) -> bool {
    let full = Prefix::new(network, if network.is_ipv4() { 32 } else { 128 });
    full.is_ok_and(|full| full.widened(length).contains(client))
}
