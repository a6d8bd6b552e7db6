//! The way out: takes what is due from the spool and hands it to where the plan routes it, or to the site's sink.
//!
//! `schedule` says which message is tried when, `attempt` tries it, `settle` commits what follows, with the notifications of
//! `notify`. Whoever puts a message into the spool says so to `spool`.

mod attempt;
mod blocks;
mod capture;
mod handover;
mod hold;
mod local;
mod next_hop;
pub mod notify;
pub mod pool;
mod proof;
mod schedule;
mod settle;
mod spool;
mod told;
mod wire;

pub use attempt::next;
pub use hold::held_because;
pub use next_hop::ask;
pub use pool::Pool;
pub use schedule::run;
pub use settle::settle;
pub use spool::{Spool, toward};
