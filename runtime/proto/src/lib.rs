//! Placeholder.

pub mod imap;
pub mod line;
pub mod sasl;
pub mod scan;
pub mod smtp;
