//! Reading RON: text to tokens, tokens to a lossless tree, tree to typed values with their places.
//!
//! - `lexer` cuts the text into tokens that cover every byte of it, comments and white space included.
//! - `parser` builds the tree and goes on after a mistake, at the next comma or closing bracket.
//! - `de` is a serde deserializer over the tree; `Spanned`, `Entries` and `Items` are what a model is made of.
//! - `document` is the way in: [`read`], sections, decoding, places by path.
//!
//! INVARIANT (ron-accepts): every text read without an error is also accepted by the `ron` crate 0.12 with the
//! extensions implicit_some, unwrap_newtypes and unwrap_variant_newtypes. Tests compare the two.

mod collect;
mod de;
mod document;
mod either;
mod fuzz;
mod lexer;
mod literal;
pub mod near;
mod parser;
mod refusal;
mod reports;
pub mod source;
mod spanned;
#[cfg(test)]
mod tests;
mod tree;
mod words;

pub use collect::{Entries, Items};
pub use document::{Decoded, Document, Section, read};
pub(crate) use either::WORD_OR;
pub use either::WordOr;
pub use fuzz::fuzz;
pub(crate) use lexer::{is_invisible, lex};
pub use refusal::Refusal;
pub(crate) use reports::{quote, quoted};
pub use source::{FileId, PathSpans, Position, Sources, Span};
pub use spanned::Spanned;
pub use tree::{Entry, Field, Group, GroupBody, Kind, Name, Node, Token, TokenKind, Tree};

/// The longest text that is read, in bytes.
pub const SIZE_BYTES_MAX: usize = 4 << 20;

/// How deep brackets may nest. `ron` counts up to four steps for one bracket of ours and stops at 128.
pub const NESTING_MAX: usize = 32;

/// The longest name of a field or key, in bytes: names stand in every path below them.
pub const NAME_BYTES_MAX: usize = 512;

/// How many mistakes of one file are reported before reading stops.
pub const ERRORS_MAX: usize = 50;
