//! Mail to `antispam.corrections`: the mark its delivery leaves, and the proposals that are made of it.

use mail::original::{self, Attached, Bounds};
use mail::{Address, Login, ReversePath, header, mime};
use serde::{Deserialize, Serialize};
use spam::campaign::Fingerprint;
use spam::view::View;
use store::{Kept, Op, QueueId, Resolution, Store};

use super::facts::{Octets, Proposal, Proposer, Way, written};
use super::find::{self, Asker, Located};
use super::{kept, ours, row_id};
use crate::clock;
use crate::drive::{Open, Session};
use crate::service::Service;

/// Where the marks are, by the id of the delivery.
pub const MARKS: &str = "spam-reports/";
/// What is taken of one report.
const BOUNDS: Bounds = Bounds { originals: 20, octets: 40 << 20 };
/// Octets of the header of a report that is of no use.
const HEADER_OCTETS_MAX: usize = 64 * 1024;
/// Characters and items of a message that stand beside it.
const TEXT_CHARS_MAX: usize = 300;
const HOSTS_MAX: usize = 8;

/// A report that was delivered and not read yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Mark {
    proposer: Proposer,
    /// The person it is from, where that is sure.
    login: Option<String>,
    at_s: i64,
}

/// What a delivery to the corrections mailbox commits besides itself. Nothing for notifications and automatic answers: they
/// carry messages nobody reports.
pub fn mark(service: &Service, session: &Session<'_>, open: &Open, start: &[u8], at_s: i64) -> Option<Op> {
    let corrections = service.tables.plan().antispam.as_ref()?.corrections.as_ref()?;
    let wanted = corrections.to.folded();
    let mut recipients = open.recipients.iter().filter(|recipient| !recipient.found.logins.is_empty());
    let is_one = recipients.any(|it| it.forward_path.folded() == wanted || it.found.address.folded() == wanted);
    if !is_one || open.reverse_path == ReversePath::Null || mime::is_report(start) {
        return None;
    }
    let account = session.client.account.as_ref().map(|account| account.login.clone());
    let claimed = open.reverse_path.address().cloned();
    let proved = account.is_some() || open.authenticated.results.is_spf_pass();
    let login = match (&account, &claimed) {
        (None, Some(address)) if proved => person(&service.store, address),
        _ => account.clone(),
    };
    let name = login.as_ref().map(ToString::to_string).or(claimed.map(|address| address.to_string()));
    let proposer = Proposer { name: name.unwrap_or_default(), proved };
    let mark = Mark { proposer, login: login.map(|login| login.to_string()), at_s };
    Some(Op::Setting { key: format!("{MARKS}{}", open.queue_id), value: Some(written(&mark)) })
}

fn person(store: &Store, address: &Address) -> Option<Login> {
    match store.resolve(address) {
        Ok(Resolution::Person(row)) => Some(row.person.login),
        _ => None,
    }
}

/// Reads the report of a mark: its proposals come and the mark goes in one commit. An error is one that may pass.
pub fn take(service: &Service, key: &str, mark: &[u8]) -> Result<(), String> {
    let store = &service.store;
    let gone = Op::Setting { key: key.to_owned(), value: None };
    let mark: Option<Mark> = serde_json::from_slice(mark).ok();
    let id = key.strip_prefix(MARKS).and_then(crate::operate::parse_id);
    let (Some(mark), Some(id)) = (mark, id) else {
        tracing::warn!(key, "the mark of a report cannot be read");
        return store.commit_wait(vec![gone]).map(drop).map_err(|error| error.to_string());
    };
    let (mut ops, told) = match delivered(store, id).map_err(|error| error.to_string())? {
        Some(report) => proposals(service, id, &mark, &report)?,
        None => (Vec::new(), "gone"),
    };
    ops.push(gone);
    store.commit_wait(ops).map_err(|error| {
        // What was counted did not come.
        service.teaching.decided();
        error.to_string()
    })?;
    service.metrics.spam_reports.with_label_values(&[told]).inc();
    tracing::info!(queue_id = %id, from = %mark.proposer.name, proved = mark.proposer.proved, told, "a report of spam was read");
    Ok(())
}

/// The report as it was delivered, wherever it is now.
fn delivered(store: &Store, id: QueueId) -> Result<Option<Vec<u8>>, store::ReadError> {
    for (_, delivery) in find::with_id(store, id.0)? {
        for (mailbox, uid) in &delivery.placed {
            let found = store.bodies_of(*mailbox, &[*uid].into_iter().collect())?;
            if let Some((_, body)) = found.into_iter().next() {
                return store.read_body(&body).map(Some);
            }
        }
    }
    for copy in store.copies_of(&[id.0])? {
        let found = store.bodies_of(copy.mailbox, &[copy.uid].into_iter().collect())?;
        if let Some((_, body)) = found.into_iter().next() {
            return store.read_body(&body).map(Some);
        }
    }
    Ok(None)
}

/// One row for each original; where there is none that can be used, one that says why.
fn proposals(service: &Service, id: QueueId, mark: &Mark, report: &[u8]) -> Result<(Vec<Op>, &'static str), String> {
    let attached = original::read(report, BOUNDS, &|header| sent_here(service, header));
    let mut why = Vec::new();
    let mut originals: Vec<Located> = Vec::new();
    for one in attached {
        match one {
            Attached::Message(octets) => originals.push(locate(service, mark, &octets)?),
            Attached::Unusable { name, why: reason } => why.push(format!("{name} {reason}").trim().to_owned()),
        }
    }
    if originals.is_empty() {
        originals.extend(referred_to(service, mark, report)?);
    }
    let mut ops = Vec::new();
    for (index, located) in originals.iter().enumerate() {
        let facts = described(located, mark.proposer.clone(), Way::Report, !located.tagged);
        ops.extend(proposal(
            service,
            row_id(&[b"report", &id.0, &index.to_le_bytes()]),
            &located.octets,
            facts,
            mark.at_s,
        )?);
    }
    let told = match (originals.is_empty(), ops.is_empty()) {
        (false, false) => "proposed",
        (false, true) => "refused",
        (true, _) => "unusable",
    };
    if originals.is_empty() {
        let header = report.split_inclusive(|octet| *octet == b'\n').take_while(|line| !header::is_blank(line));
        let octets = header.map(<[u8]>::len).sum::<usize>().min(HEADER_OCTETS_MAX);
        let subject = cut(&header::text_of(report, "subject"));
        let facts = Proposal {
            proposer: mark.proposer.clone(),
            unusable: cut(&why.join("; ")),
            hash: Octets(id.0.to_vec()),
            subject,
            from: cut(&header::text_of(report, "from")),
            spam: true,
            ..Proposal::default()
        };
        ops.extend(proposal(service, row_id(&[b"report", &id.0]), &report[..octets], facts, mark.at_s)?);
    }
    Ok((ops, told))
}

fn asker(login: Option<&Login>) -> Asker<'_> {
    login.map_or(Asker::Anybody, Asker::Person)
}

fn locate(service: &Service, mark: &Mark, octets: &[u8]) -> Result<Located, String> {
    let login = mark.login.as_deref().and_then(Login::new);
    find::locate(&service.store, &ours(service), octets, asker(login.as_ref()), mark.at_s)
        .map_err(|error| error.to_string())
}

/// What a report that was forwarded as text is about, where the policy takes those and the person has received it.
fn referred_to(service: &Service, mark: &Mark, report: &[u8]) -> Result<Option<Located>, String> {
    let antispam = service.tables.plan().antispam.as_ref();
    let accepts = antispam.and_then(|antispam| antispam.corrections.as_ref()).map(|corrections| corrections.accepts);
    let (Some(plan::CorrectionsAccept::AnyForward), Some(login)) =
        (accepts, mark.login.as_deref().and_then(Login::new))
    else {
        return Ok(None);
    };
    let Some(message_id) = original::refers_to(report) else { return Ok(None) };
    let found = find::received_by(&service.store, &ours(service), &message_id, &login, mark.at_s);
    found.map_err(|error| error.to_string())
}

/// Sent by one of ours, as header From says: a forward of theirs is not what is reported.
fn sent_here(service: &Service, message: &[u8]) -> bool {
    let Some(from) = header::find(message, "from") else { return false };
    let addresses = mime::parse_addresses(&from.value());
    let domains =
        addresses.iter().filter_map(|one| std::str::from_utf8(one.host.as_deref()?).ok()?.parse::<mail::Domain>().ok());
    domains.into_iter().any(|domain| service.tables.domain(&domain) != decide::DomainKind::NotOurs)
}

/// The facts of a message beside those of who proposes it.
pub fn described(located: &Located, proposer: Proposer, way: Way, spam: bool) -> Proposal {
    let view = View::read(&located.octets);
    let from = view.field("from").map(|field| cut(&field.text())).unwrap_or_default();
    let message_id = view.field("message-id").map(|field| cut(&field.text())).unwrap_or_default();
    Proposal {
        proposer,
        way,
        spam,
        integrity: located.integrity.clone(),
        unusable: String::new(),
        ours: located.ours,
        delivery: located.delivery.map(|id| QueueId(id).to_string()).unwrap_or_default(),
        received: located.received,
        hash: Octets(find::hash(&located.octets).to_vec()),
        fingerprint: Octets(Fingerprint::of(&view).octets()),
        message_id,
        subject: cut(view.subject.as_deref().unwrap_or_default()),
        from,
        hosts: view.url_hosts().into_iter().take(HOSTS_MAX).map(cut).collect(),
    }
}

/// The op of one proposal. Nothing where it is there already, or finds no place, which the log says.
pub fn proposal(
    service: &Service,
    id: QueueId,
    octets: &[u8],
    facts: Proposal,
    at_s: i64,
) -> Result<Option<Op>, String> {
    let store = &service.store;
    let known = store.kept_one(id).map_err(|error| error.to_string())?;
    if known.is_some() {
        return Ok(None);
    }
    let mut open = service.teaching.open();
    open.bring_up_to_date(store).map_err(|error| error.to_string())?;
    if let Err(why) = open.take(id, &facts, clock::unix_s()) {
        tracing::warn!(from = %facts.proposer.name, "a proposal for the spam filter is left out: {why}");
        return Ok(None);
    }
    service.metrics.spam_proposals.set(i64::try_from(open.len()).unwrap_or(i64::MAX));
    drop(open);
    let body = kept::body(store, &service.signing.seal, id, octets).map_err(|error| {
        // What was counted does not come.
        service.teaching.decided();
        error.to_string()
    })?;
    Ok(Some(Op::Quarantine(Box::new(kept::row(id, Kept::Proposal, body, written(&facts), at_s)))))
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}
