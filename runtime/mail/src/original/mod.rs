//! Messages that people hand in attached to another one, as the corrections of a spam filter want them: which are there,
//! what mail programs did to them since they were delivered, and whether anything else was changed.
//!
//! Everything here takes any octets, and is bounded by [`Bounds`].

mod attached;
mod compare;
#[cfg(test)]
mod tests;
mod undo;

pub use attached::{Attached, Bounds, Unusable, read, refers_to};
pub use compare::{Difference, compare};
pub use undo::{Ours, Undone, delivery_id, is_tagged, undo};
