//! Connections of clients nobody knows: `strangers` at the door.

use mail::reply;
use plan::Window;

use crate::class::{Block, ClassKind, Client};
use crate::reason::{Reason, Refusal};
use crate::rings::{Rings, Tick, address_key};
use crate::row;
use crate::tables::Tables;

/// Judges a new connection to a receiving block and counts it. `at_once` is how many connections this client address
/// has open already.
pub fn connection(tables: &Tables, rings: &mut Rings, client: &Client, at_once: u32, now: Tick) -> Result<(), Refusal> {
    let receiving = matches!(tables.block(client.listener, client.class), Some(Block::Receive(_)));
    // A gateway brings the connections of many.
    let gateway = tables.class_kind(client.class) == ClassKind::Gateway;
    if !receiving || gateway || !row::strangers_judge(tables, client) {
        return Ok(());
    }
    let rules = &tables.plan().strangers;
    let windows = rules.connections_attempted.list();
    let key = format!("connections|{}", address_key(client.address));
    let full = rings.full(&key, windows, now).map(Window::width_name);
    let keep = windows.iter().map(|w| w.max).max().unwrap_or(0);
    rings.count(&key, keep, now);
    let rule = if at_once >= rules.connections_at_once {
        "strangers.connections_at_once".to_owned()
    } else if let Some(width) = full {
        format!("strangers.connections_attempted/{width}")
    } else {
        return Ok(());
    };
    // RFC 5321 3.8: 421 closes the channel; at the greeting nothing else fits both answers.
    let text = "too many connections from your address";
    Err(Refusal::new(reply::CUT_OFF, Reason::TooManyConnections, rule, text))
}
