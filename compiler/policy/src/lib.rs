//! The policy compiler: RON text in, `(Option<Plan>, Vec<Diagnostic>)` out (policy-language.md). Pure: files come in
//! as text, diagnostics are data, nothing here reads a clock or prints.

pub mod codes;
pub mod diagnostic;
pub mod render;
pub mod syntax;
