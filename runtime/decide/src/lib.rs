//! Decisions: (tables of a Plan, facts, now) → verdict with a reason from a closed list.
//!
//! Pure: no clock, no socket, no file. The compiler's proofs enumerate the very table the server looks its verdicts
//! up in (`envelope`), and policy tests run the same windows (`rings`, `transaction`) under a virtual clock.

mod account;
mod author;
mod blocked;
mod carried;
mod class;
mod content;
mod content_table;
mod domain_set;
mod domains;
mod envelope;
mod from_claim;
mod guess;
mod hops;
mod lists;
mod loosened;
mod reading;
mod reason;
mod redirect;
mod rights;
mod rings;
mod row;
mod served;
mod spam;
mod steps;
mod stranger;
mod suffixes;
mod tables;
mod told;
mod transaction;

pub mod compromise;
pub mod expiry;
pub mod guards;
pub mod login;
pub mod people;
pub mod roles;

pub use account::{
    AccountState, Change, Facts as AccountFacts, Given as GivenState, Look, May, Notice, Receive, Told as ToldNotice,
    asking, logs_in, look, may, next_change, sending_locked, sends, state_on,
};
pub use author::authors;
pub use blocked::{BlockFacts, LiveBlock, LiveBlocks, Wants, blocked, hears_complaints, too_wide, wanted};
pub use carried::carried;
pub use class::{Account, Block, ClassId, ClassKind, Client, ListenerId};
pub use content::{AntivirusVerdict, ContentDirection, EngineResult, Fate, antivirus, is_scanned};
pub use content_table::{
    ContentCell, ContentVerdict, Dsn, Ending, EngineState, FromClaim, Notify, Score, Unaligned, authenticate, dsn,
};
pub use domain_set::{DomainSet, brand_of, provider_of};
pub use domains::DomainKind;
pub use envelope::{Auth, Cell, Outcome, Reachable, RecipientClass, SenderClass, Stage, Verdict};
pub use from_claim::{Alignment, from_claim};
pub use guess::{Guess, Guesses, is_of_account};
pub use hops::{loops, runs_in_a_circle};
pub use lists::{Listing, listed, lists};
pub use loosened::loosened;
pub use reading::{ReadingCell, ReadingStage, ReadingVerdict};
pub use reason::{Reason, Refusal};
pub use redirect::{Grant, RedirectDenial, RedirectStop, RedirectVerdict, redirect, redirect_from, redirect_holds};
pub use rights::{Asker, Owner, rights};
pub use rings::{Rings, TICKS_PER_S, Tick, address_key};
pub use row::all_windows;
pub use served::{Unserved, unserved};
pub use spam::{SpamVerdict, antispam, spam_total, tags_what_leaves, takes_corrections};
pub use steps::{Step, steps};
pub use stranger::connection as stranger_connection;
pub use suffixes::{Division, PublicSuffixes};
pub use tables::{Tables, Unsound};
pub use told::Tells;
pub use transaction::{Accepted, Transaction};
