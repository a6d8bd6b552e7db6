//! Blocks by what they look at, so that a look-up costs the labels of a name and not the number of blocks.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use mail::Address;
use plan::{Blocked, BlockedWhat, Prefix};

use super::BlockFacts;

/// A block that is no entry of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveBlock {
    pub id: String,
    pub what: BlockedWhat,
    /// Unix seconds; it holds before this moment.
    pub until_s: i64,
}

/// Every block in force beside the policy. Replaced as a whole.
#[derive(Debug, Default)]
pub struct LiveBlocks(Register);

/// What must be read of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Header From.
    pub authors: bool,
    /// Reply-To, From and `mailto:` links.
    pub reply_to: bool,
    pub url_hosts: bool,
    pub attachments: bool,
}

impl Wants {
    pub fn or(self, other: Wants) -> Wants {
        Wants {
            authors: self.authors || other.authors,
            reply_to: self.reply_to || other.reply_to,
            url_hosts: self.url_hosts || other.url_hosts,
            attachments: self.attachments || other.attachments,
        }
    }

    pub fn anything(self) -> bool {
        self != Wants::default()
    }
}

impl LiveBlocks {
    pub fn new(blocks: impl IntoIterator<Item = LiveBlock>) -> LiveBlocks {
        let entry = |block: LiveBlock| Entry {
            rule: format!("block.{}", block.id),
            what: block.what,
            end: End::At(block.until_s),
        };
        LiveBlocks(Register::new(blocks.into_iter().map(entry)))
    }

    pub(super) fn find(&self, facts: &BlockFacts<'_>, now_s: i64) -> Option<&Entry> {
        self.0.find(facts, now_s)
    }

    pub(super) fn wants(&self, outgoing: bool) -> Wants {
        self.0.wants(outgoing)
    }
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub rule: String,
    pub what: BlockedWhat,
    end: End,
}

#[derive(Debug)]
enum End {
    Never,
    /// The last day.
    Day(String),
    At(i64),
}

impl Entry {
    fn holds(&self, today: &str, now_s: i64) -> bool {
        match &self.end {
            End::Never => true,
            // Days are `YYYY-MM-DD`: text order is the order of days.
            End::Day(last) => today <= last.as_str(),
            End::At(until_s) => now_s < *until_s,
        }
    }
}

/// Places in `entries`, by what they look at.
#[derive(Debug, Default)]
pub(crate) struct Register {
    entries: Vec<Entry>,
    senders: HashMap<String, Vec<usize>>,
    sender_domains: HashMap<String, Vec<usize>>,
    clients: HashMap<Prefix, Vec<usize>>,
    /// Lengths of the prefixes among `clients`, the longest first.
    lengths: Vec<u8>,
    url_hosts: HashMap<String, Vec<usize>>,
    attachments: HashMap<String, Vec<usize>>,
    reply_to: HashMap<String, Vec<usize>>,
}

impl Register {
    pub(crate) fn of_policy(blocked: &[Blocked]) -> Register {
        Register::new(blocked.iter().enumerate().map(|(index, blocked)| Entry {
            rule: format!("blocked.{index}"),
            what: blocked.what.clone(),
            end: blocked.until.clone().map_or(End::Never, End::Day),
        }))
    }

    fn new(entries: impl Iterator<Item = Entry>) -> Register {
        let mut register = Register { entries: entries.collect(), ..Register::default() };
        let mut lengths = BTreeSet::new();
        for (index, entry) in register.entries.iter().enumerate() {
            let places = match &entry.what {
                BlockedWhat::Sender(address) => register.senders.entry(address.folded()),
                BlockedWhat::SenderDomain(domain) => register.sender_domains.entry(domain.as_str().to_owned()),
                BlockedWhat::Client(prefix) => {
                    lengths.insert(prefix.length());
                    register.clients.entry(*prefix).or_default().push(index);
                    continue;
                }
                BlockedWhat::UrlHost(domain) => register.url_hosts.entry(domain.as_str().to_owned()),
                BlockedWhat::Attachment(hash) => register.attachments.entry(hash.clone()),
                BlockedWhat::ReplyTo(address) => register.reply_to.entry(address.folded()),
            };
            places.or_default().push(index);
        }
        register.lengths = lengths.into_iter().rev().collect();
        register
    }

    pub(super) fn wants(&self, outgoing: bool) -> Wants {
        let senders = !(self.senders.is_empty() && self.sender_domains.is_empty());
        Wants {
            authors: !outgoing && senders,
            reply_to: outgoing && !self.reply_to.is_empty(),
            url_hosts: !self.url_hosts.is_empty(),
            attachments: !self.attachments.is_empty(),
        }
    }

    /// The first entry that holds and fits.
    pub(super) fn find(&self, facts: &BlockFacts<'_>, now_s: i64) -> Option<&Entry> {
        if self.entries.is_empty() {
            return None;
        }
        let holding = |places: &Vec<usize>| {
            places.iter().filter_map(|place| self.entries.get(*place)).find(|entry| entry.holds(facts.today, now_s))
        };
        let client = facts.client.and_then(|client| self.of_client(client).find_map(holding));
        let sender = || {
            let written = facts.reverse_path.into_iter().chain(facts.authors);
            written.filter(|_| !facts.outgoing).find_map(|address| {
                let exact = self.senders.get(&address.folded()).and_then(holding);
                exact.or_else(|| above(&self.sender_domains, address.domain().as_str()).find_map(holding))
            })
        };
        let reply_to = || {
            let asked: &mut dyn Iterator<Item = &Address> =
                &mut facts.reply_to.iter().chain(facts.authors).chain(facts.reverse_path);
            asked.filter(|_| facts.outgoing).find_map(|address| self.reply_to.get(&address.folded()).and_then(holding))
        };
        let host = || facts.url_hosts.iter().find_map(|host| above(&self.url_hosts, host).find_map(holding));
        let file = || facts.attachments.iter().find_map(|hash| self.attachments.get(hash).and_then(holding));
        client.or_else(sender).or_else(reply_to).or_else(host).or_else(file)
    }

    /// The blocks of prefixes the client is in, the longest first.
    fn of_client(&self, client: IpAddr) -> impl Iterator<Item = &Vec<usize>> {
        let client = client.to_canonical();
        let width = if client.is_ipv4() { 32 } else { 128 };
        let whole = Prefix::new(client, width).ok();
        let lengths = self.lengths.iter().filter(move |length| **length <= width);
        lengths.filter_map(move |length| self.clients.get(&whole?.widened(*length)))
    }
}

/// The entries of a name and of every name above it, the nearest first.
fn above<'m>(map: &'m HashMap<String, Vec<usize>>, name: &str) -> impl Iterator<Item = &'m Vec<usize>> {
    let names = std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, above)| above));
    let names: Vec<String> = if map.is_empty() { Vec::new() } else { names.map(str::to_owned).collect() };
    names.into_iter().filter_map(move |name| map.get(&name))
}
