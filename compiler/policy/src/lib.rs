//! The policy compiler: RON text in, a Plan and diagnostics out (policy-language.md). Pure: files come in through a
//! `Loader`, diagnostics are data, nothing here reads a clock or prints.

pub mod blast;
mod check;
pub mod codes;
pub mod compile;
mod compose;
pub mod defaults;
pub mod diagnostic;
pub mod diff;
mod edits;
pub mod examples;
pub mod explain;
pub mod figures;
pub mod layout;
mod lower;
pub mod model;
pub mod people;
pub mod prove;
pub mod render;
mod resolve;
mod shown;
pub mod suite;
pub mod syntax;
pub mod table;
pub mod verify;
mod waivers;

#[cfg(test)]
pub(crate) mod tests;

pub use compile::{Compiled, Inputs, LoadError, Loader, Sealed, compile, compile_with};
