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

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use decide::Alignment;
use mail::{Domain, header, mime};
use tokio::time::{Instant, timeout_at};

pub use body::{BodyHashes, Hasher};
pub use dmarc::organisational;
pub use law::fuzz_authentication_results;
pub use resolver::{Resolver, reversed};
pub use results::{Checked, Results, Signature};
pub use spf::{SpfResult, fuzz_spf};
pub use step::{Authenticated, From, authenticate, without_forged};

use results::{Chain, Dmarc, Spf};
use signatures::Signed;
use spf::Identity;

/// SPF, DKIM and ARC end after this, DMARC a little later: 10 s in all.
const CHECKS_MAX: Duration = Duration::from_secs(8);
const DMARC_MAX: Duration = Duration::from_secs(2);

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

/// The domains of header From. `from` are its addresses as the signatures' reader has them. Where two readers do not agree
/// on one address in one field, it claims whatever stands behind an `@` in it: some program would show it.
fn authors(head: &[u8], from: &[String]) -> Authors {
    let fields: Vec<_> = header::fields(head).filter(|field| field.is("from")).collect();
    let domain_of = |address: &String| address.rsplit_once('@').and_then(|(_, domain)| domain.parse::<Domain>().ok());
    let theirs: BTreeSet<Domain> = from.iter().filter_map(domain_of).collect();
    let listed = fields.iter().flat_map(|field| mime::parse_addresses(&field.value()));
    let ours: Vec<_> = listed.filter(mime::Addr::is_mailbox).collect();
    let host = |author: &mime::Addr| std::str::from_utf8(author.host.as_deref()?).ok()?.parse::<Domain>().ok();
    if let ([_], [author], 1, 1) = (fields.as_slice(), ours.as_slice(), from.len(), theirs.len())
        && host(author).is_some_and(|host| theirs.contains(&host))
    {
        return Authors { domains: theirs.into_iter().collect(), sound: true };
    }
    let mut domains = theirs;
    domains.extend(ours.iter().filter_map(host));
    domains.extend(fields.iter().flat_map(|field| mentioned(&field.text())));
    // Several authors in one field are no error; nothing agrees with all of them.
    Authors { sound: fields.len() == 1 && !from.is_empty(), domains: domains.into_iter().collect() }
}

/// What could be a domain behind an `@`, control characters and space left out as some programs do.
fn mentioned(text: &str) -> Vec<Domain> {
    let text: String = text.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let domain = |after: &str| {
        let end = after.find(|c: char| !(c.is_alphanumeric() || "-._".contains(c))).unwrap_or(after.len());
        after[..end].trim_end_matches('.').parse().ok()
    };
    text.split('@').skip(1).filter_map(domain).collect()
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

#[cfg(test)]
mod pure {
    use super::*;

    #[test]
    fn no_form_of_header_from_hides_a_domain() {
        let many: String = (0..40).map(|n| format!("a@d{n}.example, ")).collect();
        for from in [
            "From: a@other.example\r\nno field\r\nFrom: chef@ours.example",
            "From: a@other.example\r\nFrom: \"chef@ours.example",
            "From: a@other.example\r\nFrom: chef@ ours.example <",
            &format!("From: {many}chef@ours.example"),
            "From: =?utf-8?q?chef=40ours.example?=",
            "From: <chef@ours.exa\0mple>",
            "From: chiefs: a@other.example, chef@ours.example;",
            "From: chef(x)@(y)\r\n ours.example",
            "From : Chef <chef@OURS.example>",
        ] {
            let head = format!("Subject: x\r\n{from}\r\n\r\n");
            let signed = Signed::read(head.as_bytes());
            let authors = authors(head.as_bytes(), signed.as_ref().map(Signed::from).unwrap_or_default());
            assert!(authors.domains.contains(&"ours.example".parse().unwrap()), "{from:?}: {:?}", authors.domains);
        }
    }

    #[test]
    fn one_author_claims_one_domain_whatever_the_name_beside_it_says() {
        for (from, sound) in [
            ("From: \"chef@ours.example\" <a@other.example>", true),
            ("From: =?utf-8?q?chef=40ours.example?= <a@other.example>", true),
            ("From: (chef@ours.example) A@other.example (x)", true),
            ("From: a@other.example\r\nFrom: b@other.example", false),
        ] {
            let head = format!("{from}\r\n\r\n");
            let signed = Signed::read(head.as_bytes());
            let authors = authors(head.as_bytes(), signed.as_ref().map(Signed::from).unwrap_or_default());
            assert_eq!(authors.domains, ["other.example".parse().unwrap()], "{from}");
            assert_eq!(authors.sound, sound, "{from}");
        }
    }
}
