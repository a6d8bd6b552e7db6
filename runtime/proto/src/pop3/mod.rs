//! POP3 (RFC 1939) with CAPA (RFC 2449), STLS (RFC 2595), SASL (RFC 5034) and UTF8 (RFC 6856), the server's side, without I/O.
//!
//! `grammar` reads commands, `command` is what they say, `session` decides what happens, `question` is what the session wants
//! to know from the store, `response` writes the answers. A driver owns the socket and the store: it feeds octets, asks
//! `Session::next` what to do, does it, and asks again.
//!
//! A session sees INBOX as it was at login. It changes nothing before QUIT, and then only what DELE named: RETR sets no flag.

pub mod command;
mod desk;
pub mod grammar;
mod law;
mod question;
mod response;
mod session;

pub use law::fuzz;
pub use question::{Answer, Maildrop, Question, Trouble};
pub use session::{Config, Logins, Session, Step};
