//! `facteur block`: senders, domains, clients, hosts of links, attachments and reply addresses mail is refused for, for some
//! days. A server that runs refuses from the next command of every connection on.

use decide::roles;
use mail::Domain;
use plan::{BlockedWhat, Prefix};
use serde::{Deserialize, Serialize};

use super::manager::decider;
use super::{Context, OperateError, Operation, Progress};
use crate::blocks::{self, BLOCKS_MAX, Block, LIFE_S_MAX};
use crate::clock;

/// Longest reason, in octets.
const BECAUSE_OCTETS_MAX: usize = 500;
/// Where the policy says how long a block may last.
const LIFE_RULE: &str = "response.block_at_most";

/// What a block looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockKind {
    Sender,
    Domain,
    Client,
    UrlHost,
    Attachment,
    ReplyTo,
}

/// `POST /block/add`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddBlock {
    pub kind: BlockKind,
    pub value: String,
    pub because: String,
    /// How long it lasts, in seconds.
    pub for_s: u64,
    /// The manager's login.
    pub by: Option<String>,
}

/// `POST /block/list`: those in force, in order of id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListBlocks {}

/// `POST /block/remove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveBlock {
    pub id: String,
    pub by: Option<String>,
}

/// A block in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedBlock {
    pub id: String,
    #[serde(flatten)]
    pub block: Block,
}

fn bad(why: impl Into<String>) -> OperateError {
    OperateError::BadRequest { why: why.into() }
}

/// What is to be blocked, as it is written in a policy.
fn what(kind: BlockKind, value: &str) -> Result<BlockedWhat, OperateError> {
    let value = value.trim();
    let wrong = |wanted: &str| bad(format!("{value} is no {wanted}"));
    let address = || value.parse().map_err(|_| wrong("address such as billing@phish.example"));
    let name = |text: &str| text.parse::<Domain>().ok().filter(|name| !name.is_literal());
    Ok(match kind {
        BlockKind::Sender => BlockedWhat::Sender(address()?),
        BlockKind::ReplyTo => BlockedWhat::ReplyTo(address()?),
        BlockKind::Domain => BlockedWhat::SenderDomain(name(value).ok_or_else(|| wrong("domain"))?),
        BlockKind::UrlHost => BlockedWhat::UrlHost(name(host(value)).ok_or_else(|| wrong("host of a link"))?),
        BlockKind::Client => {
            let alone = value.parse().ok().and_then(|address: std::net::IpAddr| {
                Prefix::new(address.to_canonical(), if address.to_canonical().is_ipv4() { 32 } else { 128 }).ok()
            });
            let prefix = alone.map_or_else(|| value.parse(), Ok);
            BlockedWhat::Client(prefix.map_err(|why| bad(format!("{value} is no client: {why}")))?)
        }
        BlockKind::Attachment => {
            let hash = value.to_ascii_lowercase();
            let sound = hash.len() == 64 && hash.bytes().all(|octet| octet.is_ascii_hexdigit());
            BlockedWhat::Attachment(Some(hash).filter(|_| sound).ok_or_else(|| wrong("SHA-256 of an attachment"))?)
        }
    })
}

/// The host of a link, where a whole link was pasted.
fn host(value: &str) -> &str {
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.split_once(':').map_or(host, |(host, _)| host)
}

/// For people and for the audit: `sender billing@phish.example`.
pub fn described(what: &BlockedWhat) -> String {
    match what {
        BlockedWhat::Sender(address) => format!("sender {address}"),
        BlockedWhat::SenderDomain(domain) => format!("domain {domain}"),
        BlockedWhat::Client(prefix) => format!("client {prefix}"),
        BlockedWhat::UrlHost(domain) => format!("url-host {domain}"),
        BlockedWhat::Attachment(hash) => format!("attachment {hash}"),
        BlockedWhat::ReplyTo(address) => format!("reply-to {address}"),
    }
}

/// Why this plan, or these people, do not let it be blocked.
fn denied(context: &Context, what: &BlockedWhat) -> Result<Option<String>, OperateError> {
    if let Some(live) = &context.live {
        return Ok(decide::too_wide(&live.tables, what));
    }
    // Without a server there is no plan; the directory knows the addresses of people. The server looks again at its start.
    let (BlockedWhat::Sender(address) | BlockedWhat::ReplyTo(address)) = what else { return Ok(None) };
    let ours = context.store.resolve(address)? != store::Resolution::Unknown;
    Ok(ours.then(|| format!("{address} is one of ours; change the password of a stolen account instead")))
}

fn put(context: &Context, id: &str, block: Option<Block>, audited: store::Op) -> Result<(), OperateError> {
    match &context.server {
        Some(server) => server.blocks.put(&context.store, id, block, vec![audited])?,
        None => drop(context.store.commit_wait(vec![blocks::op(id, block.as_ref()), audited])?),
    }
    Ok(())
}

impl Operation for AddBlock {
    type Response = ListedBlock;
    const PATH: &'static str = "/block/add";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::Block
    }

    /// One commit with its line in the audit. What is blocked already is blocked again, under an id of its own.
    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ListedBlock, OperateError> {
        let decider = decider(context, &self, self.by.as_deref())?;
        let what = what(self.kind, &self.value)?;
        let is_line = !self.because.trim().is_empty() && !self.because.chars().any(char::is_control);
        if !is_line || self.because.len() > BECAUSE_OCTETS_MAX {
            return Err(bad(format!(
                "say why in one line of 1 to {BECAUSE_OCTETS_MAX} octets: readers will ask first"
            )));
        }
        // The policy would not take them either.
        if self.because.chars().any(|c| c.is_control() || spam::view::is_unseen(c)) {
            return Err(bad("say why in one line, without characters that do not show".to_owned()));
        }
        if let Some(why) = denied(context, &what)? {
            super::audit(context, &format!("block of {} refused: {why}", described(&what)));
            return Err(OperateError::Refused { why, rule: "blocked".to_owned() });
        }
        let life_s = context.live.as_ref().map_or(LIFE_S_MAX, |live| live.tables.plan().response.block_at_most_s);
        if self.for_s == 0 || self.for_s > life_s {
            let why = format!(
                "a block lasts from 1 s to {} days; what is to stay longer goes into the policy (`facteur block promote`)",
                life_s / 86_400
            );
            return Err(OperateError::Refused { why, rule: LIFE_RULE.to_owned() });
        }
        let now_s = clock::unix_s();
        if let Some(server) = &context.server {
            server.blocks.sweep(&context.store, now_s)?;
        }
        let taken = blocks::kept(&context.store)?;
        if taken.len() >= BLOCKS_MAX {
            return Err(bad(format!("there are {BLOCKS_MAX} blocks, which is as many as there may be")));
        }
        let id = blocks::new_id(&taken);
        let until_s = now_s.saturating_add(i64::try_from(self.for_s).unwrap_or(i64::MAX));
        let block = Block { what, because: self.because, by: decider.name(), at_s: now_s, until_s };
        let text = format!("block {id} of {} until {until_s}: {}", described(&block.what), block.because);
        put(context, &id, Some(block.clone()), decider.audited(&text))?;
        Ok(ListedBlock { id, block })
    }
}

impl Operation for ListBlocks {
    type Response = Vec<ListedBlock>;
    const PATH: &'static str = "/block/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeBlocks
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<ListedBlock>, OperateError> {
        let now_s = clock::unix_s();
        let listed = match &context.server {
            Some(server) => server.blocks.current().listed.clone(),
            None => blocks::kept(&context.store)?,
        };
        let holding = listed.into_iter().filter(|(_, block)| now_s < block.until_s);
        Ok(holding.map(|(id, block)| ListedBlock { id, block }).collect())
    }
}

impl Operation for RemoveBlock {
    type Response = bool;
    const PATH: &'static str = "/block/remove";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::Block
    }

    /// False when there is none of this id.
    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<bool, OperateError> {
        let decider = decider(context, &self, self.by.as_deref())?;
        let Some(block) = blocks::kept(&context.store)?.remove(&self.id) else { return Ok(false) };
        let text = format!("block {} of {} removed", self.id, described(&block.what));
        put(context, &self.id, None, decider.audited(&text))?;
        Ok(true)
    }
}
