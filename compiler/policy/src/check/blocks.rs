//! E0405: a block is a function of listener and client class.

use std::collections::BTreeMap;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Policy;
use crate::model::network::Names;
use crate::syntax::{Entries, Items, Span, Spanned, WordOr};

/// A block that serves a pair, and where it says so.
struct Claim<'p> {
    block: &'p str,
    place: Span,
}

struct Pairs<'p> {
    networks: Vec<&'p str>,
    claims: BTreeMap<(&'p str, &'p str), Claim<'p>>,
    found: Vec<Diagnostic>,
}

pub(super) fn check(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    let networks = policy.networks.seen().into_iter().flat_map(Entries::keys);
    let mut pairs = Pairs {
        networks: networks.map(|name| name.value.as_str()).collect(),
        claims: BTreeMap::new(),
        found: Vec::new(),
    };
    for (name, block) in policy.may_send.seen().into_iter().flat_map(Entries::iter) {
        pairs.claim("may_send", name, &block.connecting_to, &block.value.from);
    }
    for (name, block) in policy.may_receive.seen().into_iter().flat_map(Entries::iter) {
        pairs.claim("may_receive", name, &block.connecting_to, &block.value.from);
    }
    for (name, block) in policy.may_read.seen().into_iter().flat_map(Entries::iter) {
        pairs.claim("may_read", name, &block.connecting_to, &block.value.from);
    }
    sink.append(&mut pairs.found);
}

impl<'p> Pairs<'p> {
    /// Notes the block's pairs; a pair that is taken is reported once for each two blocks and listener.
    fn claim(
        &mut self,
        section: &str,
        block: &'p Spanned<String>,
        connecting_to: &'p Items<String>,
        from: &'p Spanned<Names>,
    ) {
        let networks: Vec<(&'p str, Span)> = match &from.value {
            WordOr::Word(_) => self.networks.iter().map(|name| (*name, from.span)).collect(),
            WordOr::Value(names) => names.iter().map(|name| (name.value.as_str(), name.span)).collect(),
        };
        for listener in connecting_to {
            let mut shared: Vec<&str> = Vec::new();
            let mut taken: Option<(&'p str, Span, Span)> = None;
            for (network, place) in &networks {
                match self.claims.get(&(listener.value.as_str(), *network)) {
                    Some(claim) if claim.block != block.value => {
                        shared.push(network);
                        taken.get_or_insert((claim.block, claim.place, *place));
                    }
                    Some(_) => {}
                    None => {
                        let claim = Claim { block: &block.value, place: *place };
                        self.claims.insert((&listener.value, network), claim);
                    }
                }
            }
            if let Some((other, there, here)) = taken {
                let message =
                    format!("({listener}, {}) has two blocks: \"{other}\" and \"{block}\"", shared.join(", "));
                let diagnostic = Diagnostic::new(Code::E0405, message)
                    .help("remove the pair from one")
                    .at(here, format!("\"{block}\" serves it"))
                    .also(there, format!("\"{other}\" serves it"))
                    .rule(format!("{section}.{block}.from"));
                self.found.push(diagnostic);
            }
        }
    }
}
