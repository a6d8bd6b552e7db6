//! Spam passes: how a message is read ([`view`]) and what its form says ([`form`]). Pure: facts come in, a score with its
//! reasons comes out; nothing here reads a clock, a file or a socket.

pub mod campaign;
pub mod form;
mod fuzz;
mod score;
pub mod view;

pub use fuzz::fuzz_view;
pub use score::{Contribution, PassScore, shown};
