//! Who is a message that comes in really from? SPF, DKIM, DMARC and ARC: results for Authentication-Results, and what
//! header From claims for `decide`. Nothing here refuses, and what DNS does not answer in time is `temperror`.

mod body;
mod dmarc;
mod field;
mod gateway;
mod law;
mod resolver;
mod results;
mod signatures;
mod spf;
mod step;

#[cfg(test)]
pub(crate) mod tests;

use std::net::IpAddr;
use std::time::Duration;

use decide::Alignment;
use mail::{Domain, header};
use tokio::time::{Instant, timeout_at};

pub use body::{BodyHashes, Hasher};
pub use dmarc::organisational;
pub use law::fuzz_authentication_results;
pub use resolver::{Resolver, reversed};
pub use results::{Checked, Results};
pub use spf::fuzz_spf;
pub use step::{Authenticated, From, authenticate, without_forged};

use results::{Chain, Dmarc, Spf};
use signatures::Signed;
use spf::{Identity, SpfResult};

/// SPF, DKIM and ARC end after this, DMARC a little later: 10 s in all.
const CHECKS_MAX: Duration = Duration::from_secs(8);
const DMARC_MAX: Duration = Duration::from_secs(2);
/// Domains of one header From that are looked at.
const AUTHORS_MAX: usize = 8;

/// A message as it came, without any line of ours.
pub struct Incoming<'a> {
    pub client: IpAddr,
    /// The HELO name where it is a domain; empty else.
    pub hello: &'a str,
    /// Local part and domain of MAIL FROM; `None` when it is null.
    pub mail_from: Option<(&'a str, &'a str)>,
    /// The header section with its blank line.
    pub head: &'a [u8],
    /// False when the section goes on.
    pub whole: bool,
}

/// Checks a message. `body` is asked for the hashes of the body when a signature needs them.
pub async fn check<B>(resolver: &Resolver, sealers: &[Domain], incoming: &Incoming<'_>, body: B) -> Results
where
    B: AsyncFnOnce() -> BodyHashes,
{
    let until = Instant::now() + CHECKS_MAX;
    let mut signed = Signed::read(incoming.head);
    if let Some(signed) = &mut signed
        && !incoming.whole
    {
        signed.disbelieve();
    }
    if let Some(signed) = &mut signed
        && signed.wants_body()
    {
        signed.with_body(&body().await);
    }
    let signed = signed.as_ref();
    let dkim = async {
        let Some(signed) = signed else { return Vec::new() };
        signed.dkim(resolver, until).await
    };
    let arc = async {
        let Some(signed) = signed else { return Chain::default() };
        timeout_at(until, signed.arc(resolver)).await.unwrap_or_else(|_| Chain::of(Checked::TempError))
    };
    let (spf, dkim, arc) = tokio::join!(spf(resolver, incoming, until), dkim, arc);
    let from = authors(incoming.head, signed.map(Signed::from).unwrap_or_default());
    let found = dmarc::Found { spf: spf.result, spf_domain: &spf.domain, dkim: &dkim };
    let (dmarc, claims) = judged(resolver, sealers, &from, &found, &arc).await;
    Results { spf: Some(spf), dkim, dmarc, arc, claims, by: None }
}

/// Both identities; the HELO name speaks for a null reverse-path (RFC 7208 2.4).
async fn spf(resolver: &Resolver, incoming: &Incoming<'_>, until: Instant) -> Spf {
    let ask = async |local, domain| {
        let identity = Identity { client: incoming.client, hello: incoming.hello, local, domain };
        timeout_at(until, spf::check(resolver, identity)).await.unwrap_or(SpfResult::TempError)
    };
    let hello = ask("", incoming.hello);
    let (result, hello) = match incoming.mail_from {
        Some((local, domain)) => tokio::join!(ask(local, domain), hello),
        None => {
            let hello = hello.await;
            (hello, hello)
        }
    };
    let domain = incoming.mail_from.map_or(incoming.hello, |(_, domain)| domain).to_owned();
    Spf { result, domain, hello, hello_name: incoming.hello.to_owned() }
}

/// Who header From says wrote it.
struct Authors {
    /// Each domain once.
    domains: Vec<Domain>,
    /// The field is there once, and can be read.
    sound: bool,
}

/// The domains of header From. A field no address can be read from claims whatever stands behind an `@` in it: programs
/// would show it all the same.
fn authors(head: &[u8], from: &[String]) -> Authors {
    let sound = header::fields(head).filter(|field| field.is("from")).count() == 1 && !from.is_empty();
    let mut domains: Vec<Domain> = Vec::new();
    let mut add = |domain: &str| {
        if let Ok(domain) = domain.parse::<Domain>()
            && domains.len() < AUTHORS_MAX
            && !domains.contains(&domain)
        {
            domains.push(domain);
        }
    };
    from.iter().filter_map(|address| address.rsplit_once('@')).for_each(|(_, domain)| add(domain));
    if from.is_empty() {
        for field in header::fields(head).filter(|field| field.is("from")) {
            let text = field.text();
            for after in text.split('@').skip(1) {
                let end = after.find(|c: char| !(c.is_alphanumeric() || "-._".contains(c))).unwrap_or(after.len());
                add(after[..end].trim_end_matches('.'));
            }
        }
    }
    Authors { domains, sound }
}

async fn judged(
    resolver: &Resolver,
    sealers: &[Domain],
    authors: &Authors,
    found: &dmarc::Found<'_>,
    arc: &Chain,
) -> (Dmarc, Vec<(Domain, Alignment)>) {
    let [only] = authors.domains.as_slice() else {
        let claims = authors.domains.iter().map(|domain| (domain.clone(), Alignment::NotAligned)).collect();
        return (Dmarc::default(), claims);
    };
    let until = Instant::now() + DMARC_MAX;
    let checked = timeout_at(until, dmarc::check(resolver, only, found)).await;
    let dmarc = checked.unwrap_or_else(|_| dmarc::out_of_time(only, found));
    let aligned = match dmarc.dkim.min(dmarc.spf) {
        // Two From fields: a program may show the other one.
        _ if !authors.sound => Alignment::NotAligned,
        Alignment::NotAligned if gateway::sealed(arc, sealers, only) => Alignment::Aligned,
        aligned => aligned,
    };
    (dmarc, vec![(only.clone(), aligned)])
}
