//! Placeholder.

pub mod imap;
pub mod line;
pub mod sasl;
