//! How far a long work is.

/// Told now and then; `done` never exceeds `total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is worked on, for people.
    pub what: &'static str,
    pub done: u64,
    pub total: u64,
}
