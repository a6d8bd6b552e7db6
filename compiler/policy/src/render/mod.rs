//! Drawing diagnostics: for people and, one JSON object a line, for programs.

mod excerpt;
pub mod human;
pub mod json;
