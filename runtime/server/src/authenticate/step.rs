//! The step `Authenticate` of a reception: the checks, the claim, the verdict, the line for the head.

use std::io;
use std::sync::Arc;

use decide::{Refusal, Unaligned};
use mail::{Domain, ReversePath, header, tag};
use proto::smtp::Hello;

use super::field::Field;
use super::results::Results;
use super::signatures::Signed;
use super::{BodyHashes, Hasher, Incoming, check, gateway};
use crate::content::Content;
use crate::drive::HEADER_OCTETS_MAX;
use crate::durable;
use crate::outcome::Peer;
use crate::reports;
use crate::service::Service;

/// Octets of a body read at a time.
const PIECE_OCTETS: usize = 64 * 1024;

/// Facts about one message that passed the step.
#[derive(Clone, Debug, Default)]
pub struct Authenticated {
    /// The value of our Authentication-Results field; empty before the step.
    pub value: String,
    /// The rule by which it is tagged as spam is.
    pub tagged: Option<&'static str>,
    pub results: Results,
}

/// Who handed the message over, as the session knows it.
pub struct From<'a> {
    pub peer: &'a Peer,
    /// The address the session believes.
    pub client: std::net::IpAddr,
    pub hello: Option<&'a Hello>,
    pub reverse_path: &'a ReversePath,
    /// Our `authserv-id`.
    pub host: &'a Domain,
}

/// Checks the message and judges what its From claims.
pub async fn authenticate(
    service: &Arc<Service>,
    from: &From<'_>,
    content: &Arc<Content>,
) -> Result<Authenticated, Refusal> {
    let results = results(service, from, content).await;
    let claim = decide::from_claim(&service.tables, &results.claims);
    let verdict = decide::authenticate(&service.tables, claim);
    reports::count(service, from.client, &results, matches!(verdict, Unaligned::Refuse(_)));
    let tagged = match verdict {
        Unaligned::Pass => None,
        Unaligned::Tag(rule) => Some(rule),
        Unaligned::Refuse(refusal) => return Err(refusal),
    };
    if let Some(spf) = &results.spf {
        let count = |method, result| service.metrics.authentication.with_label_values(&[method, result]).inc();
        count("spf", spf.result.word());
        count("dmarc", results.dmarc.result.word());
        results.dkim.iter().for_each(|signature| count("dkim", signature.result.word()));
    }
    let note = tagged.map(|_| "the author is one of ours, and the message is not from us");
    Ok(Authenticated { value: results.value(from.host, note), tagged, results })
}

async fn results(service: &Arc<Service>, from: &From<'_>, content: &Arc<Content>) -> Results {
    let Ok(start) = content.start(HEADER_OCTETS_MAX) else { return Results::default() };
    let (head, whole) = match end_of_head(&start) {
        Some(end) => (&start[..end], true),
        None => (start.as_slice(), content.len() <= start.len() as u64),
    };
    let plan = service.tables.plan();
    let gateway = service.site.client_address.view(from.peer.client);
    if let Some(id) = gateway::believed(plan, gateway, &from.peer.listener) {
        let signed = Signed::read(head);
        return gateway::results(head, id, signed.as_ref().map(Signed::from).unwrap_or_default());
    }
    let Some(resolver) = &service.resolver else { return Results::default() };
    let hello = from.hello.and_then(|hello| hello.name.domain()).filter(|name| !name.is_literal());
    let incoming = Incoming {
        client: from.client,
        hello: hello.as_ref().map_or("", Domain::as_str),
        mail_from: from.reverse_path.address().map(|address| (address.local(), address.domain().as_str())),
        head,
        whole,
    };
    let body = async || hashes(service, content, head.len() as u64).await;
    check(resolver, &plan.authenticate.trusted_sealers, &incoming, body).await
}

/// Where the blank line behind the header section ends.
pub fn end_of_head(start: &[u8]) -> Option<usize> {
    if start.starts_with(b"\r\n") {
        return Some(2);
    }
    start.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// The hashes of what follows the head. A content that cannot be read back has none, and no signature fits.
async fn hashes(service: &Arc<Service>, content: &Arc<Content>, from: u64) -> BodyHashes {
    if !content.is_spilled() {
        return read_hashes(content, from).unwrap_or_default();
    }
    let permit = service.long_contents.acquire().await;
    let content = content.clone();
    let hashes = durable::blocking(move || read_hashes(&content, from)).await;
    drop(permit);
    hashes.and_then(Result::ok).unwrap_or_default()
}

fn read_hashes(content: &Content, from: u64) -> io::Result<BodyHashes> {
    let mut hasher = Hasher::new();
    let mut piece = vec![0; PIECE_OCTETS.min(usize::try_from(content.len()).unwrap_or(PIECE_OCTETS))];
    let mut at = from;
    loop {
        let octets = content.read_at(&mut piece, at)?;
        if octets == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&piece[..octets]);
        at += octets as u64;
    }
}

/// The content without Authentication-Results fields that claim to be ours (RFC 8601 5) and, where a spam filter runs,
/// without those only it writes; `None` when there are none. It is read and written piece by piece: not for async threads when
/// it is long.
pub fn without_forged(service: &Service, content: &Content) -> io::Result<Option<Content>> {
    let start = content.start(HEADER_OCTETS_MAX)?;
    let head = &start[..end_of_head(&start).unwrap_or(start.len())];
    let ours = |id: &str| service.tables.plan().listeners.values().any(|listener| listener.host.as_str() == id);
    let filters = service.tables.plan().antispam.is_some();
    let results = |field: &header::Field<'_>| {
        field.is("authentication-results")
            && ours(&Field::read(&String::from_utf8_lossy(field.raw_value())).authserv_id)
    };
    let forged: Vec<_> = header::fields(head)
        .filter(|field| results(field) || (filters && tag::is_ours(field)))
        .map(|field| field.lines.clone())
        .collect();
    if forged.is_empty() {
        return Ok(None);
    }
    let mut kept = Content::new(service.store.clone(), service.held.clone());
    let mut at = 0;
    for lines in forged {
        kept.append(&start[at..lines.start])?;
        at = lines.end;
    }
    kept.append(&start[at..])?;
    let mut piece = vec![0; PIECE_OCTETS];
    let mut at = start.len() as u64;
    loop {
        match content.read_at(&mut piece, at)? {
            0 => return Ok(Some(kept)),
            octets => {
                kept.append(&piece[..octets])?;
                at += octets as u64;
            }
        }
    }
}
