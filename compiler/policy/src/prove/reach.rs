//! Guarantees about who reaches what and where passwords are typed: decided by visiting every pair of listener and
//! client class.

use std::collections::BTreeMap;

use decide::{Block, ClassId, ListenerId, Tables};
use plan::{Listener, ListenerAuth, Network, Reach, Speaks, TlsMode};

use super::dialogue::{self, About};
use super::overlay::{self, Change};
use super::{Breach, Judged, Places};
use crate::defaults::service;
use crate::edits;
use crate::figures::grouped;
use crate::syntax::Span;

/// A pair that a block serves.
struct Pair<'t> {
    listener: ListenerId,
    name: &'t str,
    rules: &'t Listener,
    class: ClassId,
    network: &'t str,
    block: Block,
    reach: Reach,
}

fn pairs(tables: &Tables) -> Vec<Pair<'_>> {
    let mut pairs = Vec::new();
    for (listener, name, rules) in tables.listeners() {
        for class in tables.classes() {
            // The machines of gateways and applications are in the network they are carved out of.
            let network = tables.class_network(class);
            let as_network = class != network && tables.block(listener, class) == tables.block(listener, network);
            if let Some(block) = tables.block(listener, class).filter(|_| !as_network) {
                let reach = service(rules.speaks, rules.tls, rules.auth, matches!(block, Block::Receive(_)));
                let network = tables.class_name(network);
                pairs.push(Pair { listener, name, rules, class, network, block, reach });
            }
        }
    }
    pairs
}

fn visited(tables: &Tables) -> (usize, String) {
    let pairs = tables.listeners().count() * tables.classes().count();
    (pairs, format!("{} pairs of listener and client class", grouped(pairs as u64)))
}

/// The pair a conversation shows: from the Internet where that is one of them.
fn shown<'p, 't>(tables: &Tables, pairs: &'p [Pair<'t>]) -> Option<&'p Pair<'t>> {
    let is_rest = |pair: &&Pair<'_>| matches!(tables.plan().networks.get(pair.network), Some(Network::Rest));
    pairs.iter().find(is_rest).or(pairs.first())
}

/// `NotReachable`: none of these services answers these networks.
pub(super) fn not_reachable(tables: &Tables, what: &[Reach], from: &[String]) -> Judged {
    let forbidden = |pair: &Pair<'_>| what.contains(&pair.reach) && from.iter().any(|name| name == pair.network);
    let found: Vec<Pair<'_>> = pairs(tables).into_iter().filter(forbidden).collect();
    let (of, visited) = visited(tables);
    let mut judged = Judged::of(visited);
    let about = About { guarantee: "NotReachable", cases: found.len(), of, fault: "must not answer here" };
    judged.counterexample =
        shown(tables, &found).map(|pair| dialogue::of_reach(tables, pair.listener, pair.class, about));
    judged.breaches = found.iter().map(|pair| through(tables, pair)).collect();
    judged
}

fn through(tables: &Tables, pair: &Pair<'_>) -> Breach {
    let path = tables.block_path(pair.block);
    Breach {
        message: format!("\"{}\" reaches {:?} on \"{}\" through `{path}`", pair.network, pair.reach, pair.name),
        help: "narrow the block's `from`, or change the promise".to_owned(),
        path: format!("{path}.from"),
        edits: Vec::new(),
    }
}

/// `OnlyFrom`: every block is closed to the other networks. One breach for each block that is not.
pub(super) fn only_from(tables: &Tables, networks: &[String], promised: Span, places: &Places<'_>) -> Judged {
    let outside = |pair: &Pair<'_>| !networks.iter().any(|name| name == pair.network);
    let found: Vec<Pair<'_>> = pairs(tables).into_iter().filter(outside).collect();
    let (of, visited) = visited(tables);
    let mut judged = Judged::of(visited);
    let about = About { guarantee: "OnlyFrom", cases: found.len(), of, fault: "must not answer here" };
    // A mailbox that is read from there says it best.
    let read =
        found.iter().find(|pair| matches!(pair.block, Block::Read(_)) && pair.rules.auth == ListenerAuth::Required);
    judged.counterexample = match read {
        Some(pair) => {
            let stls = pair.rules.speaks == Speaks::Pop && pair.rules.tls != TlsMode::None;
            let tls = stls || pair.rules.tls == TlsMode::Implicit;
            Some(dialogue::of_login(tables, pair.listener, pair.class, tls, about))
        }
        None => shown(tables, &found).map(|pair| dialogue::of_reach(tables, pair.listener, pair.class, about)),
    };
    let mut blocks: BTreeMap<Block, Vec<&str>> = BTreeMap::new();
    for pair in &found {
        let of_block = blocks.entry(pair.block).or_default();
        if !of_block.contains(&pair.network) {
            of_block.push(pair.network);
        }
    }
    let mut changes = Vec::new();
    for (block, others) in blocks {
        let path = tables.block_path(block);
        changes.extend(closed(tables, block, &path, networks));
        judged.breaches.push(Breach {
            message: format!("`{path}` is open from \"{}\"", others.join("\", \"")),
            help: "narrow the `from` of each block, remove what is left without a network, or change the promise"
                .to_owned(),
            path: format!("{path}.from"),
            edits: Vec::new(),
        });
    }
    if let Some(first) = judged.breaches.first_mut() {
        first.edits = mended(&changes, promised, places);
    }
    judged
}

/// What closes a block to other networks: its `from` narrowed, or the block gone where nothing is left.
fn closed(tables: &Tables, block: Block, path: &str, networks: &[String]) -> Option<Change> {
    let plan = tables.plan();
    let name = path.split_once('.').map_or(path, |(_, name)| name);
    let from = match block {
        Block::Send(_) => plan.may_send.get(name).map(|block| &block.from),
        Block::Receive(_) => plan.may_receive.get(name).map(|block| &block.from),
        Block::Read(_) => plan.may_read.get(name).map(|block| &block.from),
    }?;
    let left: Vec<String> =
        networks.iter().filter(|name| from.contains(name)).map(|name| format!("\"{name}\"")).collect();
    match left.is_empty() {
        true => Some(Change::Remove { path: path.to_owned() }),
        false => Some(Change::Set { path: format!("{path}.from"), text: format!("[{}]", left.join(", ")) }),
    }
}

/// The edits that make the changes: in the file of the promise if that is an overlay, else where each thing stands.
fn mended(changes: &[Change], promised: Span, places: &Places<'_>) -> Vec<(Span, String)> {
    if let Some(edits) = overlay::edits(places.sources, promised.file, changes) {
        return edits;
    }
    let edit = |change: &Change| match change {
        Change::Set { path, text } => Some((*places.spans.get(path)?, text.clone())),
        Change::Remove { path } => {
            let name = format!("\"{}\"", path.split_once('.')?.1);
            let gone = edits::field_entry(places.sources, &name, *places.spans.get(path)?)?;
            Some((gone, String::new()))
        }
    };
    // Half a mending would leave the promise broken.
    changes.iter().map(edit).collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// `NoClearPassword`: no listener takes a password from there without TLS.
pub(super) fn clear_passwords(tables: &Tables, from: &[String]) -> Judged {
    let clear = |pair: &Pair<'_>| {
        pair.rules.auth == ListenerAuth::Required
            && tables.login_barred(pair.listener, false).is_none()
            && pair.rules.tls != TlsMode::Implicit
            && from.iter().any(|name| name == pair.network)
    };
    let found: Vec<Pair<'_>> = pairs(tables).into_iter().filter(clear).collect();
    let (of, visited) = visited(tables);
    let mut judged = Judged::of(visited);
    let about = About {
        guarantee: "NoClearPassword",
        cases: found.len(),
        of,
        fault: "anybody on the way has read the password",
    };
    judged.counterexample =
        shown(tables, &found).map(|pair| dialogue::of_login(tables, pair.listener, pair.class, false, about));
    let breach = |pair: &Pair<'_>| Breach {
        message: format!("listener \"{}\" takes passwords without TLS from \"{}\"", pair.name, pair.network),
        help: "`tls: StartTls(Required)` or `Implicit`".to_owned(),
        path: format!("listeners.{}.tls", pair.name),
        edits: Vec::new(),
    };
    judged.breaches = found.iter().map(breach).collect();
    judged
}
