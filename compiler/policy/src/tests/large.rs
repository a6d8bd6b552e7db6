//! A policy as large as any institution's compiles, and every cell of it is visited.

use super::*;

#[path = "../../examples/large.rs"]
#[allow(dead_code)]
mod example;

#[test]
fn two_hundred_networks_and_fifty_listeners_are_decided_cell_by_cell() {
    // Smaller than what is timed by hand: tests are not optimised.
    let text = example::policy(40, 10, 100, 400);
    let compiled = check(&text);
    assert_eq!(errors(&compiled), []);
    assert!(compiled.plan.is_some());
    // 6 SMTP listeners, 41 networks; TLS × login × senders × recipients are 240.
    assert_eq!(compiled.proofs.cells.envelope, 6 * 41 * 240);
}
