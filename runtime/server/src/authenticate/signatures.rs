//! DKIM signatures (RFC 6376, RFC 8301, RFC 8463) and the ARC chain (RFC 8617) of a message. The arithmetic is the
//! library's; the hashes of the body, the bounds and the words are ours.

use std::pin::Pin;
use std::task::Poll;

use mail_auth::common::crypto::{Algorithm, HashAlgorithm};
use mail_auth::dkim::Canonicalization;
use mail_auth::{AuthenticatedMessage, DkimOutput, DkimResult, Error, MessageAuthenticator, dkim};
use tokio::time::{Instant, timeout_at};

use super::body::BodyHashes;
use super::resolver::Resolver;
use super::results::{Chain, Checked, Signature};

/// Signatures looked at, the topmost ones (RFC 6376 6.1 lets a verifier bound them).
const SIGNATURES_MAX: usize = 10;
/// Header fields of a message whose signatures are looked at, and names one signature may list.
const FIELDS_MAX: usize = 1_000;
const SIGNED_FIELDS_MAX: usize = 500;
/// Sets of an ARC chain (RFC 8617 5.1.1).
const SETS_MAX: usize = 50;

/// A header section, read for its signatures.
pub struct Signed<'a> {
    message: AuthenticatedMessage<'a>,
    /// Results known without asking anybody.
    known: Vec<Signature>,
    too_large: bool,
}

impl<'a> Signed<'a> {
    /// `head` is the header section with its blank line. `None` when it has no field at all.
    pub fn read(head: &'a [u8]) -> Option<Signed<'a>> {
        let mut message = AuthenticatedMessage::parse(head)?;
        let mut known = Vec::new();
        let too_large = message.headers.len() > FIELDS_MAX;
        if too_large {
            return Some(Signed { message, known, too_large });
        }
        message.dkim_headers.truncate(SIGNATURES_MAX);
        message.dkim_headers.retain(|header| {
            let malformed = !has_tags(header.value, &["v", "a"]);
            let (result, why) = match flaw(&header.header) {
                _ if malformed => (Checked::Neutral, "malformed"),
                Some(why) => (Checked::PermError, why),
                None => return true,
            };
            known.push(signature(&header.header, result, why));
            false
        });
        message.errors.truncate(SIGNATURES_MAX);
        Some(Signed { message, known, too_large })
    }

    /// Only a part of the section is there.
    pub fn disbelieve(&mut self) {
        self.too_large = true;
    }

    /// The addresses of header From, in lower case.
    pub fn from(&self) -> &[String] {
        &self.message.from
    }

    /// Is the body's hash needed?
    pub fn wants_body(&self) -> bool {
        !self.too_large && !self.message.body_hashes.is_empty()
    }

    /// Puts the hashes of the body in: the section was read without it.
    pub fn with_body(&mut self, hashes: &BodyHashes) {
        for (form, algorithm, _, hash) in &mut self.message.body_hashes {
            *hash = match (algorithm, form) {
                (HashAlgorithm::Sha256, Canonicalization::Simple) => hashes.simple.clone(),
                (HashAlgorithm::Sha256, Canonicalization::Relaxed) => hashes.relaxed.clone(),
                // RFC 8301 3.1: never verified.
                (HashAlgorithm::Sha1, _) => Vec::new(),
            };
        }
    }

    /// The result of each signature, at the latest at `until`. Each is asked for by itself: a slow name server of one says
    /// nothing about the others, or a stranger could make any signature one that nobody can tell of.
    pub async fn dkim(&self, resolver: &Resolver, until: Instant) -> Vec<Signature> {
        let mut results = self.known.clone();
        if self.too_large {
            results.push(Signature::unknown(Checked::PermError, "the header section is too long"));
            return results;
        }
        let unread = AuthenticatedMessage { dkim_headers: Vec::new(), ..self.message.clone() };
        let mut each = vec![unread];
        for header in &self.message.dkim_headers {
            let one = vec![header.clone()];
            each.push(AuthenticatedMessage { dkim_headers: one, errors: Vec::new(), ..self.message.clone() });
        }
        let checks: Vec<Check<'_>> = each.iter().map(|one| Box::pin(checked(resolver, one, until)) as _).collect();
        results.extend(together(checks).await.into_iter().flatten());
        results
    }

    /// The chain of ARC sets.
    pub async fn arc(&self, resolver: &Resolver) -> Chain {
        let sets = self.message.ams_headers.len().max(self.message.as_headers.len());
        let none = sets == 0 && !self.message.has_arc_errors && self.message.aar_headers.is_empty();
        if none {
            return Chain::default();
        }
        let long = self.message.ams_headers.iter().any(|header| header.header.h.len() > SIGNED_FIELDS_MAX);
        let old = self.message.ams_headers.iter().any(|header| header.header.a == Algorithm::RsaSha1)
            || self.message.as_headers.iter().any(|header| header.header.a == Algorithm::RsaSha1);
        let mut lists = self.message.as_headers.iter().map(|header| header.value);
        let malformed = lists.any(|list| !has_tags(list, &["a"]))
            || self.message.ams_headers.iter().any(|header| !has_tags(header.value, &["a"]));
        if self.too_large || long || old || malformed || sets == 0 || sets > SETS_MAX {
            return Chain::of(Checked::Fail);
        }
        let Some(names) = resolver.inner() else { return Chain::of(Checked::TempError) };
        let authenticator = MessageAuthenticator(names.clone());
        let output = authenticator.verify_arc(&self.message).await;
        let result = match output.result() {
            DkimResult::Pass => Checked::Pass,
            DkimResult::TempError(_) => Checked::TempError,
            // Sets are there, and no chain: a part of one is missing.
            DkimResult::None | DkimResult::Neutral(_) | DkimResult::Fail(_) | DkimResult::PermError(_) => Checked::Fail,
        };
        let newest = output.sets().last();
        Chain {
            result,
            instance: newest.map_or(0, |set| set.seal.header.i),
            sealer: newest.map(|set| set.seal.header.d.clone()).unwrap_or_default(),
            said: newest.map(|set| String::from_utf8_lossy(set.results.value).into_owned()).unwrap_or_default(),
        }
    }
}

type Check<'a> = Pin<Box<dyn Future<Output = Vec<Signature>> + Send + 'a>>;

/// Waits for all.
async fn together(mut checks: Vec<Check<'_>>) -> Vec<Vec<Signature>> {
    let mut ended: Vec<Option<Vec<Signature>>> = checks.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (check, ended) in checks.iter_mut().zip(&mut ended) {
            if ended.is_none()
                && let Poll::Ready(signatures) = check.as_mut().poll(context)
            {
                *ended = Some(signatures);
            }
        }
        if ended.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    ended.into_iter().flatten().collect()
}

/// The results of what stands in `message`: one signature, or those that cannot be read.
async fn checked(resolver: &Resolver, message: &AuthenticatedMessage<'_>, until: Instant) -> Vec<Signature> {
    let later = |why| {
        let headers = message.dkim_headers.iter();
        headers.map(|header| signature(&header.header, Checked::TempError, why)).collect()
    };
    let Some(names) = resolver.inner() else { return later("no key") };
    let authenticator = MessageAuthenticator(names.clone());
    let verify = async {
        let mut results = Vec::new();
        for output in authenticator.verify_dkim(message).await {
            let mut result = judged(&output);
            if result.result == Checked::Pass && !serves_mail(resolver, &result).await {
                (result.result, result.why) = (Checked::PermError, "the key is not for mail");
            }
            results.push(result);
        }
        results
    };
    timeout_at(until, verify).await.unwrap_or_else(|_| later("out of time"))
}

/// Is the key one for mail (tag s of RFC 6376 3.6.1)? The library does not ask; the answer is still kept.
async fn serves_mail(resolver: &Resolver, signature: &Signature) -> bool {
    let name = format!("{}._domainkey.{}", signature.selector, signature.domain);
    let records = resolver.txt(&name).await.unwrap_or_default();
    let services = |record: &[u8]| {
        let text = String::from_utf8_lossy(record).into_owned();
        let tag = text.split(';').filter_map(|tag| tag.split_once('=')).find(|(name, _)| name.trim() == "s")?.1;
        Some(tag.split(':').any(|service| matches!(service.trim(), "*" | "email")))
    };
    records.iter().all(|record| services(record).unwrap_or(true))
}

/// Is this a tag-list with these tags, each at most once (RFC 6376 3.2)? The library is content with less.
fn has_tags(list: &[u8], wanted: &[&str]) -> bool {
    let text = String::from_utf8_lossy(list);
    let text = text.trim();
    let mut names = Vec::new();
    for tag in text.strip_suffix(';').unwrap_or(text).split(';') {
        let Some((name, _)) = tag.split_once('=') else { return false };
        let name = name.trim();
        if name.is_empty() || names.contains(&name) {
            return false;
        }
        names.push(name);
    }
    wanted.iter().all(|wanted| names.contains(wanted))
}

/// Why a signature is not worth a question.
fn flaw(signature: &dkim::Signature) -> Option<&'static str> {
    if signature.a == Algorithm::RsaSha1 {
        return Some("rsa-sha1 is not believed");
    }
    if signature.h.len() > SIGNED_FIELDS_MAX {
        return Some("too many signed fields");
    }
    // RFC 6376 5.4.
    let from = signature.h.iter().any(|name| name.trim().eq_ignore_ascii_case("from"));
    (!from).then_some("From is not signed")
}

fn judged(output: &DkimOutput<'_>) -> Signature {
    let (result, why) = match output.result() {
        DkimResult::Pass => (Checked::Pass, ""),
        DkimResult::None => (Checked::None, ""),
        DkimResult::TempError(_) => (Checked::TempError, "no key"),
        DkimResult::Neutral(Error::Dkim(dkim::DkimError::FailedBodyHashMatch)) => {
            (Checked::Fail, "the body was changed")
        }
        DkimResult::Neutral(Error::Dkim(dkim::DkimError::SignatureExpired)) => (Checked::Fail, "expired"),
        DkimResult::Neutral(Error::Dkim(dkim::DkimError::SignatureLength)) => {
            (Checked::Neutral, "only a part of the body is signed")
        }
        DkimResult::Neutral(_) => (Checked::Neutral, "malformed"),
        DkimResult::Fail(_) => (Checked::Fail, "bad signature"),
        DkimResult::PermError(_) => (Checked::PermError, "no usable key"),
    };
    match output.signature() {
        Some(one) => signature(one, result, why),
        None => Signature::unknown(result, why),
    }
}

fn signature(one: &dkim::Signature, result: Checked, why: &'static str) -> Signature {
    Signature { result, domain: one.d.clone(), selector: one.s.clone(), begins: begins(&one.b), why }
}

/// The first eight characters of the base64 of a signature (RFC 6008).
fn begins(signature: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = signature.iter().take(6).fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
    if signature.len() < 6 {
        return String::new();
    }
    (0..8).rev().map(|place| char::from(ALPHABET[(bits >> (6 * place) & 63) as usize])).collect()
}
