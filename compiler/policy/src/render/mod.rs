//! Drawing diagnostics: for people and, one JSON object a line, for programs.

pub mod human;
pub mod json;
