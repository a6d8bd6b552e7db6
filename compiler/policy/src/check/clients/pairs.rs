//! What the blocks open, and L0412: pairs of listener and network that no block serves.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Policy;
use crate::model::network::{Listener, Names};
use crate::syntax::{Entries, Items, Spanned, WordOr};

/// One block and the pairs it opens.
pub(super) struct Open<'p> {
    pub section: &'static str,
    pub name: &'p Spanned<String>,
    pub connecting_to: &'p Items<String>,
    pub from: &'p Spanned<Names>,
}

impl Open<'_> {
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }
}

/// All blocks, and listeners by name.
pub(super) struct Opened<'p> {
    pub blocks: Vec<Open<'p>>,
    pub listeners: BTreeMap<&'p str, &'p Listener>,
    pub networks: Vec<&'p str>,
    /// Listeners that stand in a receiving block.
    pub receiving: BTreeSet<&'p str>,
}

impl<'p> Opened<'p> {
    pub fn of(policy: &'p Policy) -> Opened<'p> {
        let send = policy.may_send.seen().into_iter().flat_map(Entries::iter).map(|(name, block)| Open {
            section: "may_send",
            name,
            connecting_to: &block.value.connecting_to,
            from: &block.value.from,
        });
        let receive = policy.may_receive.seen().into_iter().flat_map(Entries::iter).map(|(name, block)| Open {
            section: "may_receive",
            name,
            connecting_to: &block.value.connecting_to,
            from: &block.value.from,
        });
        let read = policy.may_read.seen().into_iter().flat_map(Entries::iter).map(|(name, block)| Open {
            section: "may_read",
            name,
            connecting_to: &block.value.connecting_to,
            from: &block.value.from,
        });
        let blocks: Vec<Open<'p>> = send.chain(receive).chain(read).collect();
        let receiving = blocks.iter().filter(|block| block.section == "may_receive");
        let listeners = policy.listeners.seen().into_iter().flat_map(Entries::iter);
        let networks = policy.networks.seen().into_iter().flat_map(Entries::keys);
        Opened {
            receiving: receiving.flat_map(|block| block.connecting_to.values()).map(String::as_str).collect(),
            listeners: listeners.map(|(name, listener)| (name.value.as_str(), &listener.value)).collect(),
            networks: networks.map(|name| name.value.as_str()).collect(),
            blocks,
        }
    }

    /// The networks of a block's `from`.
    pub fn from<'s>(&'s self, names: &'s Names) -> Box<dyn Iterator<Item = &'s str> + 's> {
        match names {
            WordOr::Word(_) => Box::new(self.networks.iter().copied()),
            WordOr::Value(names) => Box::new(names.values().map(String::as_str)),
        }
    }
}

/// L0412. Silent while a block cannot be seen: it may serve the pair.
pub(super) fn unserved(subject: &Subject<'_>, opened: &Opened<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    let hidden = policy.may_send.sound().is_none()
        || policy.may_receive.sound().is_none()
        || policy.may_read.sound().is_none()
        || policy.networks.sound().is_none();
    let Some(listeners) = policy.listeners.seen().filter(|_| !hidden) else { return };
    let mut served: BTreeSet<(&str, &str)> = BTreeSet::new();
    for block in &opened.blocks {
        for listener in block.connecting_to.values() {
            served.extend(opened.from(&block.from.value).map(|network| (listener.as_str(), network)));
        }
    }
    // A listener of no block at all is never used: L0117 says so once.
    let used: BTreeSet<&str> = served.iter().map(|(listener, _)| *listener).collect();
    for name in listeners.keys().filter(|name| used.contains(name.value.as_str())) {
        for network in opened.networks.iter().filter(|network| !served.contains(&(name.value.as_str(), **network))) {
            let message =
                format!("listener \"{name}\" answers \"{network}\" but no block serves the pair: always refused");
            let diagnostic = Diagnostic::new(Code::L0412, message)
                .help("close it there or add it to a block")
                .at(name.span, "")
                .rule(format!("listeners.{name}"));
            sink.push(diagnostic);
        }
    }
}
