//! Messages that run in a circle.

use mail::reply;

use crate::reason::{Reason, Refusal};

/// A message that has passed so many servers runs in a circle (RFC 5321 6.3).
const HOPS_MAX: usize = 100;

/// Judges a message by its Received fields.
pub fn loops(received_fields: usize) -> Result<(), Refusal> {
    if received_fields < HOPS_MAX {
        return Ok(());
    }
    Err(runs_in_a_circle())
}

/// The refusal of a message that comes where it has been.
pub fn runs_in_a_circle() -> Refusal {
    Refusal::new(reply::LOOP, Reason::Loop, "", "the message runs in a circle")
}
