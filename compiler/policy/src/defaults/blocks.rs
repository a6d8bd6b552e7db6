//! Blocks and ceiling derived from listeners and networks.

use std::collections::BTreeMap;

use plan::{ListenerAuth, Reach, Speaks, TlsMode};

use crate::model::Policy;
use crate::model::block::{ReadBlock, ReceiveBlock, SendBlock};
use crate::model::network::{Everywhere, Listener, Names, Network};
use crate::syntax::{Decoded, Entries, Items, Spanned, WordOr};

/// Fills `may_send`, `may_receive`, `may_read` and the ceiling where they are absent and can be derived.
pub(super) fn fill(policy: &mut Policy, defaults: &Policy) {
    if policy.networks.has_mistakes() || policy.listeners.has_mistakes() {
        return;
    }
    let (Some(networks), Some(listeners)) = (policy.networks.seen(), policy.listeners.seen()) else { return };
    let relays = relays(policy);
    let send = policy.may_send.is_absent().then(|| derive_send(networks, listeners, defaults)).flatten();
    let receive = policy.may_receive.is_absent().then(|| derive_receive(listeners, &relays, defaults)).flatten();
    let read = policy.may_read.is_absent().then(|| derive_read(listeners, defaults)).flatten();
    if let Some(send) = send {
        policy.may_send = Decoded::Whole(send);
    }
    if let Some(receive) = receive {
        policy.may_receive = Decoded::Whole(receive);
    }
    if let Some(read) = read {
        policy.may_read = Decoded::Whole(read);
    }
    if policy.never_reachable_beyond.is_absent()
        && let Some(ceiling) = derive_ceiling(policy)
    {
        policy.never_reachable_beyond = Decoded::Whole(ceiling);
    }
}

/// Listeners without a login that a sending block uses: they are no MX.
fn relays(policy: &Policy) -> Vec<String> {
    let blocks = policy.may_send.seen().into_iter().flat_map(|blocks| blocks.values());
    blocks.flat_map(|block| block.value.connecting_to.values().cloned().collect::<Vec<_>>()).collect()
}

/// Names of the listeners that `wanted` picks, with their places.
fn names(listeners: &Entries<Listener>, wanted: impl Fn(&str, &Listener) -> bool) -> Items<String> {
    let picked = listeners.iter().filter(|(name, listener)| wanted(&name.value, &listener.value));
    picked.map(|(name, _)| name.clone()).collect()
}

fn is_submission(listener: &Listener) -> bool {
    listener.speaks == Speaks::Smtp && listener.auth.value == ListenerAuth::Required
}

fn derive_send(
    networks: &Entries<Network>,
    listeners: &Entries<Listener>,
    defaults: &Policy,
) -> Option<Entries<SendBlock>> {
    let templates = defaults.may_send.sound()?;
    let connecting_to = names(listeners, |_, listener| is_submission(listener));
    let mut blocks = Entries::default();
    let Some(place) = connecting_to.first().map(|listener| listener.span) else { return Some(blocks) };
    for (network, kind) in networks.iter() {
        let template = templates.get(if kind.value == Network::Rest { "rest" } else { "named" })?;
        let mut block = template.value.clone();
        block.connecting_to = connecting_to.clone();
        block.from = Spanned::new(WordOr::Value(Items(vec![network.clone()])), network.span);
        blocks.push(Spanned::new(format!("person-{}", network.value), place), Spanned::new(block, place));
    }
    Some(blocks)
}

fn derive_receive(
    listeners: &Entries<Listener>,
    relays: &[String],
    defaults: &Policy,
) -> Option<Entries<ReceiveBlock>> {
    let connecting_to = names(listeners, |name, listener| {
        let takes_mail = matches!(listener.speaks, Speaks::Smtp | Speaks::Lmtp);
        takes_mail && listener.auth.value == ListenerAuth::Never && !relays.iter().any(|relay| relay == name)
    });
    let mut blocks = Entries::default();
    let Some(place) = connecting_to.first().map(|listener| listener.span) else { return Some(blocks) };
    let mut block = defaults.may_receive.sound()?.get("reception")?.value.clone();
    block.connecting_to = connecting_to;
    blocks.push(Spanned::new("reception".to_owned(), place), Spanned::new(block, place));
    Some(blocks)
}

fn derive_read(listeners: &Entries<Listener>, defaults: &Policy) -> Option<Entries<ReadBlock>> {
    let connecting_to = names(listeners, |_, listener| matches!(listener.speaks, Speaks::Imap | Speaks::Pop));
    let mut blocks = Entries::default();
    let Some(place) = connecting_to.first().map(|listener| listener.span) else { return Some(blocks) };
    let mut block = defaults.may_read.sound()?.get("reading")?.value.clone();
    block.connecting_to = connecting_to;
    blocks.push(Spanned::new("reading".to_owned(), place), Spanned::new(block, place));
    Some(blocks)
}

/// The service a listener is, in the words of the ceiling. `receives`: it stands in a receiving block.
pub(crate) fn service(speaks: Speaks, tls: TlsMode, auth: ListenerAuth, receives: bool) -> Reach {
    let implicit = tls == TlsMode::Implicit;
    match speaks {
        Speaks::Imap if implicit => Reach::Imaps,
        Speaks::Imap => Reach::Imap,
        Speaks::Pop if implicit => Reach::Pops,
        Speaks::Pop => Reach::Pop,
        Speaks::Smtp | Speaks::Lmtp if receives => Reach::Mx,
        Speaks::Smtp | Speaks::Lmtp => match auth {
            ListenerAuth::Required => Reach::Submission,
            ListenerAuth::Never => Reach::Relay,
        },
    }
}

/// What the blocks open, and `Relay` nowhere.
fn derive_ceiling(policy: &Policy) -> Option<Entries<Names, Reach>> {
    let listeners = policy.listeners.sound()?;
    let mut opened: BTreeMap<Reach, Option<Vec<Spanned<String>>>> = BTreeMap::new();
    let mut open = |connecting_to: &Items<String>, from: &Names, receives: bool| {
        for listener in connecting_to.iter().filter_map(|name| listeners.get(name.value.as_str())) {
            let service = service(listener.speaks, listener.tls_mode(), listener.auth.value, receives);
            if service == Reach::Relay {
                continue;
            }
            let networks = opened.entry(service).or_insert_with(|| Some(Vec::new()));
            match (from, networks) {
                (WordOr::Value(names), Some(known)) => {
                    for name in names {
                        if !known.contains(name) {
                            known.push(name.clone());
                        }
                    }
                }
                (WordOr::Word(Everywhere::Everywhere), networks) => *networks = None,
                (WordOr::Value(_), None) => {}
            }
        }
    };
    for block in policy.may_send.sound()?.values() {
        open(&block.value.connecting_to, &block.value.from, false);
    }
    for block in policy.may_receive.sound()?.values() {
        open(&block.value.connecting_to, &block.value.from, true);
    }
    for block in policy.may_read.sound()?.values() {
        open(&block.value.connecting_to, &block.value.from, false);
    }
    let entries = opened.into_iter().map(|(service, networks)| {
        let names = match networks {
            Some(names) => WordOr::Value(Items(names)),
            None => WordOr::Word(Everywhere::Everywhere),
        };
        (Spanned::from(service), Spanned::from(names))
    });
    Some(entries.collect())
}
