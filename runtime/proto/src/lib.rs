//! Grammars and conversations of the protocols of mail, without I/O: a driver feeds octets and does what is asked.

pub mod imap;
pub mod line;
pub mod pop3;
pub mod proxy;
pub mod sasl;
pub mod scan;
pub mod smtp;
