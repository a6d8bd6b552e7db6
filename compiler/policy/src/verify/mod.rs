//! `facteur verify`: a second, small checker that reads only the octets of a plan. It shares the types of `plan` and
//! nothing else: its reader is not the emitter's, and it knows neither the compiler's checks nor `decide`.

pub(crate) mod decode;
pub(crate) mod node;
pub(crate) mod text;

use std::fmt;

use crate::codes::Code;

/// One thing that is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// From 1; 0 when no line says it.
    pub line: u32,
    /// Of the catalogue, where it has one: E1002, E0501.
    pub code: Option<Code>,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "error[{code}]: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}
