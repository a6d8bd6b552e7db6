//! Tests of the whole house: the harness that starts the real program, clients that speak to it, and the rules of style.

pub mod browser;
pub mod corpus;
pub mod describe;
pub mod dns;
pub mod facteur;
pub mod imap;
pub mod policy_copy;
pub mod program;
pub mod random;
pub mod redirects;
pub mod scratch;
pub mod skip;
pub mod smtp;
pub mod storm;
pub mod style;
pub mod wait;
pub mod wire;
pub mod zone;

pub use browser::Browser;
pub use facteur::{Facteur, Options};
pub use imap::Imap;
pub use smtp::Smtp;

/// A test ends with the first thing that went wrong; the message is for people.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;
