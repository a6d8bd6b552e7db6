//! The doing side: sockets, TLS, the clock, drivers of the conversations in `proto`, scanners, the way out, metrics.
//!
//! A driver reads octets, feeds the session, answers its questions with facts from `store` and verdicts from `decide`,
//! and writes what the session says. Policy text is never seen here: the server executes the tables of one plan.

mod site;
mod start;

pub use site::{Certificate, Certificates, ClientAddress, Outbound, SeenAs, Site};
pub use start::{Running, Server, StartError};
