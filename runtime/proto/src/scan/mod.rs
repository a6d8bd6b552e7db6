//! Protocols of content scanners, without I/O.

pub mod clamd;
