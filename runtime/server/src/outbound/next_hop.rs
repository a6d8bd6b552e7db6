//! A message and the servers that may take it: which hosts, in which order, how sure we must be of each, and what their
//! answers mean.

use std::net::SocketAddr;
use std::sync::Arc;

use mail::{Body, Domain, Reply};
use plan::{Remote, Speaks};
use proto::sasl::Credentials;
use proto::smtp::client::{Content, Handover, Outcome, Protocol, Recipient, Stage, Trouble};
use queue::{MessageFacts, RecipientFacts};
use store::{QueueItem, WaitingRecipient};

use super::attempt::{Next, deferred, whole};
use super::handover::{Handed, Target, hand_over};
use super::told::{self, Words};
use crate::service::Service;
use crate::world::assure::{Assurance, Because};
use crate::world::certificate::TlsFault;
use crate::world::resolver::Fault;
use crate::world::sts_policy::{Mode, StsPolicy};
use crate::world::{self, Host, exchange, sts, sts_facts, tally};

/// Octets kept of what a next hop said.
const REPLY_OCTETS_MAX: usize = 512;

/// One message for recipients that go one way.
struct Message {
    facts: MessageFacts,
    handover: Handover,
    content: Vec<u8>,
}

/// What came of them, and who said so.
struct Told {
    /// The host, and its address where there was a connection.
    host: String,
    address: Option<SocketAddr>,
    handed: Handed,
}

/// Hands the message to `host`, which is `host:port` of the plan.
pub async fn handed(
    service: &Arc<Service>,
    item: &QueueItem,
    host: &str,
    protocol: Protocol,
    recipients: &[&WaitingRecipient],
) -> Vec<Next> {
    let Some(message) = Message::read(service, item, recipients).await else {
        return unreadable(service, item, recipients);
    };
    let told = to_host(service, &message, host, protocol).await;
    nexts(item, recipients, &told)
}

/// Hands the message to the servers of its recipients' domain, which is the same for all.
pub async fn to_domain(service: &Arc<Service>, item: &QueueItem, recipients: &[&WaitingRecipient]) -> Vec<Next> {
    let Some(domain) = recipients.first().map(|recipient| recipient.forward_path.domain().clone()) else {
        return Vec::new();
    };
    let Some(message) = Message::read(service, item, recipients).await else {
        return unreadable(service, item, recipients);
    };
    let told = match service.world.hosts(service.tables.plan(), &domain).await {
        Ok(hosts) => to_hosts(service, &message, &domain, &hosts).await,
        Err(lost) => message.nobody(domain.as_str(), lost.code, lost.why),
    };
    nexts(item, recipients, &told)
}

/// Would `host`, which is `host:port` of the plan, take mail for `address`? Nothing is sent.
pub async fn ask(service: &Arc<Service>, host: &str, protocol: Protocol, address: &mail::Address) -> Outcome {
    let handover = Handover::question(vec![address.clone()]);
    let message = Message { facts: MessageFacts::default(), handover, content: Vec::new() };
    let told = to_host(service, &message, host, protocol).await;
    let nothing = Outcome::Broken { stage: Stage::Greeting, trouble: Trouble::Disconnected };
    told.handed.outcomes.into_iter().next().unwrap_or(nothing)
}

fn unreadable(service: &Service, item: &QueueItem, recipients: &[&WaitingRecipient]) -> Vec<Next> {
    let why = "the message cannot be read";
    recipients.iter().map(|recipient| deferred(service, item, recipient, why)).collect()
}

/// A host the plan names.
async fn to_host(service: &Arc<Service>, message: &Message, host_and_port: &str, protocol: Protocol) -> Told {
    let (host, port) = host_and_port.rsplit_once(':').unwrap_or((host_and_port, ""));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().unwrap_or(world::SMTP);
    let credentials = match login(service, host_and_port, protocol) {
        Ok(credentials) => credentials,
        Err(trouble) => return message.broken(host, Stage::Login, trouble),
    };
    let assurance = match (credentials.is_some(), message.facts.require_tls) {
        // A password is shown to nobody who only says to be the smart host.
        (true, _) => Assurance::Verified(Because::Policy),
        (false, true) => Assurance::Verified(Because::RequireTls),
        (false, false) => Assurance::Opportunistic,
    };
    let addresses = service.world.addresses_known_here(&service.site, host, port).await;
    let mut told = message.nobody(host, mail::Code::new(451, 4, 4, 3), format!("no address of {host} is known"));
    for address in addresses.into_iter().take(exchange::ADDRESSES_MAX) {
        let target = Target {
            host: host.to_owned(),
            tls_name: host.to_owned(),
            address,
            also: None,
            sources: world::sources(&service.site, &message.facts.source).to_vec(),
            protocol,
            greets_as: greets_as(service),
            credentials: credentials.clone(),
            assurance: assurance.clone(),
        };
        let handed = hand_over(service, &target, &message.handover, &message.content).await;
        told = Told { host: host.to_owned(), address: Some(address), handed };
        if !told.handed.outcomes.iter().all(is_about_the_host) {
            break;
        }
    }
    told
}

/// How the smart host knows us (`routes.remote_login`).
fn login(service: &Service, host_and_port: &str, protocol: Protocol) -> Result<Option<Credentials>, Trouble> {
    let routes = &service.tables.plan().routes;
    let is_smart_host = matches!(&routes.remote, Remote::Smarthost(host) if host == host_and_port);
    let Some(known) = routes.remote_login.as_ref().filter(|_| is_smart_host && protocol == Protocol::Smtp) else {
        return Ok(None);
    };
    let Some(secret) = service.site.secrets.get(&known.secret).cloned() else {
        tracing::error!(secret = known.secret, "the site has no such secret, and the smart host wants a login");
        return Err(Trouble::NoLogin);
    };
    Ok(Some(Credentials { login: known.login.clone(), secret }))
}

/// The hosts of a domain, one after the other, until one decides.
async fn to_hosts(service: &Arc<Service>, message: &Message, domain: &Domain, hosts: &[Host]) -> Told {
    let sts = match service.tables.plan().delivery.mta_sts && !domain.is_literal() {
        true => sts::policy(service, domain).await,
        false => None,
    };
    let mut told: Option<Told> = None;
    let mut left = exchange::ADDRESSES_MAX;
    for host in hosts {
        let now = to_exchange(service, message, domain, host, sts.as_ref(), &mut left).await;
        if !now.handed.outcomes.iter().all(is_about_the_host) {
            return now;
        }
        // A host that may do later keeps the message waiting, whatever is wrong with the others.
        let keeps = told.as_ref().is_some_and(|told| told.handed.outcomes.iter().any(Outcome::is_temporary));
        if !keeps || now.handed.outcomes.iter().any(Outcome::is_temporary) {
            told = Some(now);
        }
        if left == 0 {
            break;
        }
    }
    told.unwrap_or_else(|| message.nobody(domain.as_str(), mail::Code::new(451, 4, 4, 4), "no host to try".to_owned()))
}

/// One host, at its addresses.
async fn to_exchange(
    service: &Arc<Service>,
    message: &Message,
    domain: &Domain,
    host: &Host,
    sts: Option<&StsPolicy>,
    left: &mut usize,
) -> Told {
    let (world, plan) = (&service.world, service.tables.plan());
    let found = match world.addresses(&service.site, &host.name, world::SMTP, plan.delivery.dane && host.secure).await {
        Ok(found) => found,
        Err(Fault::NoName) => {
            return message.nobody(&host.name, mail::Code::new(550, 5, 4, 4), format!("{} has no address", host.name));
        }
        Err(fault) => {
            let why = format!("the addresses of {}: {fault}", host.name);
            return message.nobody(&host.name, mail::Code::new(451, 4, 4, 3), why);
        }
    };
    let require_tls = message.facts.require_tls;
    let (assurance, tls_name) = match world.assurance(plan, domain, host, &found, sts, require_tls).await {
        Ok(found) => found,
        Err(unsure) => {
            let (kind, fault) = match unsure {
                world::assure::Unsure::TlsaTrouble => ("tlsa", TlsFault::DnssecInvalid),
                world::assure::Unsure::NotInStsPolicy => ("sts", TlsFault::HostMismatch),
            };
            let strings = sts.map(StsPolicy::strings).unwrap_or_default();
            let (host, address) = (host.name.as_str(), String::new());
            world.tally.note(service, &tally::Session { domain, kind, strings, host, address, result: Err(fault) });
            return message.nobody(host, mail::Code::new(451, 4, 7, 5), format!("{host} is not tried: {unsure}"));
        }
    };
    let mut told = message.nobody(&host.name, mail::Code::new(451, 4, 4, 4), "too many addresses".to_owned());
    for address in found.addresses {
        if *left == 0 {
            break;
        }
        *left -= 1;
        let target = Target {
            host: host.name.clone(),
            tls_name: tls_name.clone(),
            address,
            also: Some(domain.to_string()),
            sources: world::sources(&service.site, &message.facts.source).to_vec(),
            protocol: Protocol::Smtp,
            greets_as: greets_as(service),
            credentials: None,
            assurance: assurance.clone(),
        };
        let handed = hand_over(service, &target, &message.handover, &message.content).await;
        note(service, domain, &target, sts, &handed);
        told = Told { host: host.name.clone(), address: Some(address), handed };
        if !told.handed.outcomes.iter().all(is_about_the_host) {
            break;
        }
    }
    told
}

/// Counts a session for the TLS report of the domain.
fn note(service: &Service, domain: &Domain, target: &Target, sts: Option<&StsPolicy>, handed: &Handed) {
    let Some(session) = &handed.session else { return };
    let testing = sts.is_some_and(|policy| policy.mode == Mode::Testing);
    let result = match session {
        // A policy that is only tried out asks what would have happened.
        Ok(secured) if testing => match sts {
            Some(policy) if !policy.allows(&target.host) => Err(TlsFault::HostMismatch),
            Some(_) | None => secured.verdict,
        },
        Ok(_) => Ok(()),
        Err(fault) => Err(*fault),
    };
    let kind = target.assurance.reported_as(sts_facts(sts, &target.host));
    let strings = match (&target.assurance, sts) {
        (Assurance::Dane(records), _) => records.iter().map(world::assure::Tlsa::string).collect(),
        (_, Some(policy)) => policy.strings(),
        (_, None) => Vec::new(),
    };
    let (host, address) = (target.host.as_str(), target.address.ip().to_string());
    service.world.tally.note(service, &tally::Session { domain, kind, strings, host, address, result });
}

/// Our name towards other servers: that of the host that takes mail on port 25, which has the reverse name.
fn greets_as(service: &Service) -> Domain {
    let plan = service.tables.plan();
    let mut takes = plan.listeners.values().filter(|listener| listener.speaks == Speaks::Smtp && listener.port == 25);
    takes.next().map_or_else(|| plan.institution.domain.clone(), |listener| listener.host.clone())
}

/// Would another host, or another address, perhaps do better? Once the content is on its way nobody else may get it: a
/// reply that was lost may have been a 250.
fn is_about_the_host(outcome: &Outcome) -> bool {
    let before =
        |stage: &Stage| matches!(stage, Stage::Lookup | Stage::Greeting | Stage::Hello | Stage::Tls | Stage::Login);
    match outcome {
        Outcome::Delivered(_) => false,
        Outcome::Refused { stage: Stage::Mail, reply } => reply.code.is_temporary(),
        Outcome::Broken { stage: Stage::Mail, .. } => true,
        Outcome::Refused { stage, .. } | Outcome::Broken { stage, .. } => before(stage),
    }
}

impl Message {
    async fn read(service: &Arc<Service>, item: &QueueItem, recipients: &[&WaitingRecipient]) -> Option<Message> {
        let content = whole(service, item).await?;
        let facts: MessageFacts = queue::facts::read(&item.facts);
        let recipient = |recipient: &&WaitingRecipient| {
            let asked: RecipientFacts = queue::facts::read(&recipient.facts);
            Recipient { address: recipient.forward_path.clone(), notify: asked.notify, orcpt: asked.orcpt }
        };
        let handover = Handover {
            reverse_path: item.reverse_path.clone(),
            recipients: recipients.iter().map(recipient).collect(),
            size_octets: content.len() as u64,
            content: match facts.body {
                Body::BinaryMime => Content::Binary,
                Body::SevenBit | Body::EightBitMime if content.is_ascii() => Content::SevenBit,
                Body::SevenBit | Body::EightBitMime => Content::EightBit,
            },
            smtputf8: header_needs_utf8(&content),
            ret: facts.ret,
            envid: facts.envid.clone(),
            require_tls: facts.require_tls,
            only_asks: false,
        };
        Some(Message { facts, handover, content })
    }

    /// Nobody was connected to.
    fn nobody(&self, host: &str, code: mail::Code, why: String) -> Told {
        self.told(host, Outcome::Refused { stage: Stage::Lookup, reply: Reply::new(code, why) })
    }

    fn broken(&self, host: &str, stage: Stage, trouble: Trouble) -> Told {
        self.told(host, Outcome::Broken { stage, trouble })
    }

    fn told(&self, host: &str, outcome: Outcome) -> Told {
        let outcomes = vec![outcome; self.handover.recipients.len()];
        let handed = Handed { outcomes, tls: None, offers_dsn: false, session: None };
        Told { host: host.to_owned(), address: None, handed }
    }
}

fn nexts(item: &QueueItem, recipients: &[&WaitingRecipient], told: &Told) -> Vec<Next> {
    let pairs = recipients.iter().zip(&told.handed.outcomes);
    pairs.map(|(recipient, outcome)| next(item, recipient, told, outcome)).collect()
}

fn next(item: &QueueItem, recipient: &WaitingRecipient, told: &Told, outcome: &Outcome) -> Next {
    let (why, permanent) = match outcome {
        Outcome::Delivered(reply) => (said(reply), false),
        Outcome::Refused { stage, reply } => (said(reply), !outcome.is_temporary() && is_about_the_message(*stage)),
        Outcome::Broken { trouble: Trouble::NoTls, .. } => (no_tls(told), false),
        Outcome::Broken { stage, trouble } => (format!("{}, at {stage:?}", words(*trouble)), !outcome.is_temporary()),
    };
    let blocked = told::blocked(outcome);
    tracing::info!(
        queue_id = %item.queue_id,
        next_hop = told.host,
        address = told.address.map(|address| address.to_string()),
        tls = told.handed.tls,
        dsn = told.handed.offers_dsn,
        about = %recipient.forward_path,
        permanent,
        blocked,
        "{why}"
    );
    let tells = told.handed.offers_dsn;
    told::next(recipient, outcome, Words { host: &told.host, tells, blocked, permanent, said: &why })
}

/// Why TLS that is needed was not to be had: an administrator of the other side can act on it.
fn no_tls(told: &Told) -> String {
    match &told.handed.session {
        Some(Err(fault)) => {
            format!("TLS as its domain demands it was not to be had: {} ({})", fault.text(), fault.word())
        }
        Some(Ok(_)) | None => words(Trouble::NoTls).to_owned(),
    }
}

/// Does a header need SMTPUTF8 (RFC 6532)? Octets that are no UTF-8 are an old charset without a label, which no
/// extension carries: they go as they are.
fn header_needs_utf8(content: &[u8]) -> bool {
    let end = content.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(content.len());
    let header = &content[..end];
    !header.is_ascii() && std::str::from_utf8(header).is_ok()
}

/// A refusal of the connection is about us: another day, or another site, may go better.
fn is_about_the_message(stage: Stage) -> bool {
    match stage {
        Stage::Greeting | Stage::Hello | Stage::Tls | Stage::Login => false,
        Stage::Lookup | Stage::Mail | Stage::Recipient | Stage::Content | Stage::End => true,
    }
}

/// The reply on one line, bounded, without what a terminal would obey.
fn said(reply: &Reply) -> String {
    let mut line = reply.code.to_string();
    for text in reply.all_lines() {
        line.push(' ');
        line.extend(text.chars().map(|c| if c.is_control() { '?' } else { c }));
    }
    line.truncate(line.floor_char_boundary(REPLY_OCTETS_MAX));
    line
}

fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Disconnected => "no connection, or it was lost",
        Trouble::BadReply(_) => "the next hop does not speak SMTP",
        Trouble::NoTls => "no TLS",
        Trouble::NoLogin => "no login",
        Trouble::NoUtf8 => "the next hop has no SMTPUTF8",
        Trouble::TooLarge => "larger than the next hop takes",
        Trouble::NoBinary => "the next hop has no BINARYMIME",
        Trouble::NoRequireTls => "REQUIRETLS support required",
    }
}

#[cfg(test)]
mod tests {
    use mail::Code;

    use super::*;

    #[test]
    fn a_reply_is_kept_on_one_bounded_line() {
        let reply = Reply::lines(Code::new(550, 5, 1, 1), vec!["no\u{1b}[2J".to_owned(), "é".repeat(1_000)]);
        let said = said(&reply);
        assert!(said.starts_with("550 5.1.1 no?[2J éé"), "{said}");
        assert!((REPLY_OCTETS_MAX - 1..=REPLY_OCTETS_MAX).contains(&said.len()));
    }

    #[test]
    fn a_header_in_utf8_needs_the_extension_and_an_old_charset_does_not() {
        for (content, needs) in [
            ("Subject: x\r\n\r\né".as_bytes(), false),
            ("Subject: é\r\n\r\nx".as_bytes(), true),
            ("Subject: é".as_bytes(), true),
            (b"Subject: \xe9\r\n\r\nx".as_slice(), false),
        ] {
            assert_eq!(header_needs_utf8(content), needs, "{}", String::from_utf8_lossy(content));
        }
    }
}
