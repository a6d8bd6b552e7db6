//! Spam passes: how a message is read ([`view`]) and what its form says ([`form`]), what its words are
//! ([`tokens`]) and what those meant in mail that was taught ([`learned`]). Pure: facts and counts come in, a score with its
//! reasons comes out; nothing here reads a clock, a file or a socket.

pub mod campaign;
pub mod form;
mod fuzz;
pub mod learned;
mod score;
pub mod tokens;
pub mod view;

pub use fuzz::fuzz_view;
pub use score::{Contribution, PassScore, shown};
