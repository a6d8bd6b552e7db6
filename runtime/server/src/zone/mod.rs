//! What the DNS zones of our domains should hold for a policy to be true outside.
//!
//! [`implied`] says it, from a plan and what is known of the place it runs at; [`write`] writes it as zone files (RFC 1035
//! 5.1). Both are pure. [`Lookup`] asks what the zones hold now, and [`compared`] tells the difference.

mod data;
mod lookup;

pub use data::{Data, Kind, Record};
pub use lookup::{Lookup, LookupError};
