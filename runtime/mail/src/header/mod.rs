//! Header sections of messages and MIME parts: fields and folding (RFC 5322 2.2), encoded words (RFC 2047), character sets.

pub mod charset;
mod encoded_word;
mod field;
mod fuzz;

pub use encoded_word::decode_words;
pub use field::{Field, Fields, ends_with_blank_line, field_name, fields, find, is_blank, line_end, text_of, unfold};
pub use fuzz::fuzz;
