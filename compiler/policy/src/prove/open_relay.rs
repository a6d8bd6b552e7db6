//! E0501. A cell is an open relay when its verdict accepts, its recipient is remote, its login is not good, and it is
//! not a cell of a sending block whose client class lies in `never_reachable_beyond.Relay` (policy-language.md 6.2).

use std::collections::BTreeMap;
use std::net::IpAddr;

use decide::{Auth, Block, Cell, ClassId, ClassKind, Reachable, RecipientClass, Tables};
use plan::{Guarantee, ListenerAuth, Network, Reach};

use super::dialogue::{self, About};
use super::{Counterexample, Decided, Places, Proofs, assumptions};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::figures::grouped;
use crate::syntax::Span;

/// Prefixes of one network that a remark names.
const PREFIXES_SHOWN: usize = 4;

/// Visits every cell; each block that relays for strangers is one diagnostic with one conversation.
pub(super) fn judge(tables: &Tables, places: &Places<'_>, proofs: &mut Proofs) -> Decided {
    let of = proofs.report.cells.envelope;
    let mut broken: BTreeMap<Block, Vec<Cell>> = BTreeMap::new();
    let mut trusted: BTreeMap<(String, ClassId), usize> = BTreeMap::new();
    for cell in tables.cells().filter(|cell| relays(tables, *cell)) {
        let Some(block) = tables.block(cell.listener, cell.class) else { continue };
        if is_trusted(tables, block, cell) {
            let listener = tables.listener_name(cell.listener).to_owned();
            *trusted.entry((listener, cell.class)).or_default() += 1;
        } else {
            broken.entry(block).or_default().push(cell);
        }
    }
    for (block, cells) in &broken {
        let path = tables.block_path(*block);
        // The plainest case: from the Internet if it can be, without TLS, with an empty reverse-path.
        let is_rest =
            |cell: &&Cell| matches!(tables.plan().networks.get(tables.class_name(cell.class)), Some(Network::Rest));
        let Some(cell) = cells.iter().find(is_rest).or(cells.first()) else { continue };
        let about = About { guarantee: "NoOpenRelay", cases: cells.len(), of, fault: "must be refused" };
        let counterexample = dialogue::of_envelope(tables, *cell, about);
        proofs.diagnostics.push(diagnostic(tables, *block, *cell, &path, &counterexample, places));
        proofs.counterexamples.push(counterexample);
        proofs.relays.push(path);
    }
    Decided {
        name: "NoOpenRelay",
        holds: broken.is_empty(),
        visited: format!("{} envelope cases", grouped(of as u64)),
        remark: listed(tables, &trusted),
        grants: Vec::new(),
        assumes: assumptions::of(tables.plan(), &Guarantee::NoOpenRelay),
    }
}

/// Where mail for the outside is taken without a login because the institution says so.
fn listed(tables: &Tables, trusted: &BTreeMap<(String, ClassId), usize>) -> String {
    let place = |listener: &str, class: ClassId| {
        format!("{listener} × {} ({})", tables.class_name(class), prefixes(tables, class))
    };
    let several =
        |((listener, class), cells): (&(String, ClassId), &usize)| format!("{cells} at {}", place(listener, *class));
    match trusted.len() {
        0 => "none accepts a remote recipient without a login".to_owned(),
        1 => {
            let one = trusted.iter().map(|((listener, class), cells)| {
                format!("{cells} accept a remote recipient without a login, all at {}", place(listener, *class))
            });
            one.collect()
        }
        _ => {
            let sum: usize = trusted.values().sum();
            let places: Vec<String> = trusted.iter().map(several).collect();
            format!("{sum} accept a remote recipient without a login: {}", places.join(", "))
        }
    }
}

/// The prefixes of a client class, and whether nobody outside can have such an address.
fn prefixes(tables: &Tables, class: ClassId) -> String {
    let (plan, name) = (tables.plan(), tables.class_name(class));
    let known = plan.senders.as_ref().and_then(|senders| senders.known.get(name));
    let prefixes = match (tables.class_kind(class), known) {
        (ClassKind::Application, Some(application)) => application.from.as_slice(),
        _ => plan.networks.get(name).map(Network::prefixes).unwrap_or_default(),
    };
    if prefixes.is_empty() {
        return "every other address".to_owned();
    }
    let shown: Vec<String> = prefixes.iter().take(PREFIXES_SHOWN).map(ToString::to_string).collect();
    let more = if prefixes.len() > PREFIXES_SHOWN { ", …" } else { "" };
    let is_private = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    };
    let private = if prefixes.iter().all(|prefix| is_private(prefix.address())) { ", private use" } else { "" };
    format!("{}{more}{private}", shown.join(", "))
}

fn relays(tables: &Tables, cell: Cell) -> bool {
    cell.recipient == RecipientClass::Remote
        && cell.auth != Auth::Good
        && tables.reachable(cell) == Reachable::Yes
        && tables.envelope(cell).accepts()
}

/// Is it a cell of a sending block, from a network on the institution's written list?
fn is_trusted(tables: &Tables, block: Block, cell: Cell) -> bool {
    match block {
        // A gateway speaks for strangers: it never relays, whatever it tells of them.
        Block::Send(_) if tables.class_kind(cell.class) == ClassKind::Gateway => false,
        Block::Send(_) => {
            let network = tables.class_name(tables.class_network(cell.class));
            let relay = tables.plan().never_reachable_beyond.get(&Reach::Relay);
            relay.is_some_and(|networks| networks.iter().any(|name| name == network))
        }
        Block::Receive(_) | Block::Read(_) => false,
    }
}

fn diagnostic(
    tables: &Tables,
    block: Block,
    cell: Cell,
    path: &str,
    counterexample: &Counterexample,
    places: &Places<'_>,
) -> Diagnostic {
    let Counterexample { network, block: name, .. } = counterexample;
    let message = format!("open relay: a stranger at \"{network}\" can send to the outside through \"{name}\"");
    let (place, label, help) = cause(tables, block, cell, path, places);
    let mut diagnostic = Diagnostic::new(Code::E0501, message).help(help).at(place, label).rule(path);
    diagnostic = match places.sources.slice(place) {
        "Anyone" => diagnostic.edit(place, "OurAddresses"),
        "Never" => diagnostic.edit(place, "Required"),
        // The name of a network that was let in, beside others.
        name if name.starts_with('"') => diagnostic.edit(edits::entry(places.sources, place), ""),
        _ => diagnostic,
    };
    let promised = tables.plan().guarantees.iter().position(|g| *g == plan::Guarantee::NoOpenRelay);
    if let Some(promised) = promised.and_then(|index| places.guarantees.get(index)) {
        diagnostic = diagnostic.also(*promised, "promised here");
    }
    for note in counterexample.notes() {
        diagnostic = diagnostic.note(note);
    }
    diagnostic
}

/// What to change: the recipients of a receiving block; the network that was let in, where others are trusted; else the
/// login that nobody asks for.
fn cause(tables: &Tables, block: Block, cell: Cell, path: &str, places: &Places<'_>) -> (Span, &'static str, String) {
    let Block::Send(index) = block else {
        let place = places.first(&[format!("{path}.to"), path.to_owned()]);
        let help = "write `to: OurAddresses`; people send through a listener that asks for their password";
        return (place, "lets anyone reach the outside", help.to_owned());
    };
    let (_, rules) = tables.send_block(index);
    let listener = tables.listener_name(cell.listener);
    let network = tables.class_name(tables.class_network(cell.class));
    let relay = tables.plan().never_reachable_beyond.get(&Reach::Relay);
    let some_trusted = relay.is_some_and(|trusted| rules.from.iter().any(|name| trusted.contains(name)));
    let submission = rules
        .connecting_to
        .iter()
        .any(|name| tables.plan().listeners.get(name).is_some_and(|listener| listener.auth == ListenerAuth::Required));
    if some_trusted && !submission {
        let help = format!("take \"{network}\" out of `from`: `never_reachable_beyond.Relay` does not trust it");
        return (entry(path, network, places), "lets this network in without a login", help);
    }
    let place = places.first(&[format!("listeners.{listener}.auth"), path.to_owned()]);
    let help = format!(
        "write `auth: Required` on \"{listener}\", or bound `from` and list it in `never_reachable_beyond.Relay`"
    );
    (place, "asks nobody for a login", help)
}

/// The item of the block's `from` that names a network, or the whole of it.
fn entry(path: &str, network: &str, places: &Places<'_>) -> Span {
    let items = (0..).map_while(|index| places.spans.get(&format!("{path}.from[{index}]")));
    let named = items.copied().find(|span| places.sources.slice(*span).trim_matches('"') == network);
    named.unwrap_or_else(|| places.first(&[format!("{path}.from"), path.to_owned()]))
}
