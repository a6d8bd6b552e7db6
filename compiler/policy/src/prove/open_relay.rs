//! E0501. A cell is an open relay when its verdict accepts, its recipient is remote, its login is not good, and it is
//! not a cell of a sending block whose client class lies in `never_reachable_beyond.Relay` (policy-language.md 6.2).

use std::collections::BTreeMap;

use decide::{Auth, Block, Cell, Reachable, RecipientClass, Tables};
use plan::{ListenerAuth, Network, Reach};

use super::{Counterexample, Decided, Places, Proofs};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::syntax::Span;

/// Visits every cell; each block that relays for strangers is one diagnostic with one conversation.
pub(super) fn judge(tables: &Tables, places: &Places<'_>, proofs: &mut Proofs) -> Decided {
    let total = proofs.report.cells_visited;
    let mut broken: BTreeMap<Block, Vec<Cell>> = BTreeMap::new();
    let mut trusted: BTreeMap<(String, String), usize> = BTreeMap::new();
    for cell in tables.cells().filter(|cell| relays(tables, *cell)) {
        let Some(block) = tables.block(cell.listener, cell.class) else { continue };
        if is_trusted(tables, block, cell) {
            let listener = tables.listener_name(cell.listener).to_owned();
            *trusted.entry((listener, tables.class_name(cell.class).to_owned())).or_default() += 1;
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
        let name = path.split_once('.').map_or(path.as_str(), |(_, name)| name);
        let counterexample = Counterexample::of_cell(tables, *cell, name, cells.len(), total);
        proofs.diagnostics.push(diagnostic(tables, *block, *cell, &path, &counterexample, places));
        proofs.counterexamples.push(counterexample);
        proofs.relays.push(path);
    }
    let listed: Vec<String> =
        trusted.iter().map(|((listener, network), cells)| format!("{cells} at {listener} × {network}")).collect();
    let remark = match listed.is_empty() {
        true => "no cell accepts a remote recipient without a login".to_owned(),
        false => format!("cells that accept a remote recipient without a login: {}", listed.join(", ")),
    };
    Decided { name: "NoOpenRelay", holds: broken.is_empty(), remark }
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
