//! Protocols of content scanners, without I/O.

pub mod clamd;
pub mod milter;
pub mod report;
pub mod rspamd;
pub mod spamc;
