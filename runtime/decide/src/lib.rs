//! Decisions: (tables of a Plan, facts, now) → verdict with a reason from a closed list.
//!
//! Pure: no clock, no socket, no file. The compiler's proofs enumerate the very table the server looks its verdicts
//! up in (`envelope`), and policy tests run the same windows (`rings`, `transaction`) under a virtual clock.

mod class;
mod content;
mod domains;
mod envelope;
mod guess;
mod reason;
mod rings;
mod row;
mod served;
mod stranger;
mod tables;
mod transaction;

pub mod login;

pub use class::{Account, Block, ClassId, ClassKind, Client, ListenerId};
pub use content::{AntivirusVerdict, ContentDirection, EngineResult, Fate, antivirus};
pub use domains::DomainKind;
pub use envelope::{Auth, Cell, Outcome, Reachable, RecipientClass, SenderClass, Stage, Verdict};
pub use guess::{Guess, Guesses};
pub use reason::{Reason, Refusal};
pub use rings::{Rings, TICKS_PER_S, Tick, address_key};
pub use served::{Unserved, unserved};
pub use stranger::connection as stranger_connection;
pub use tables::{Tables, Unsound};
pub use transaction::{Accepted, Transaction};
