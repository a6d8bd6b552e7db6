//! What went wrong with a build, in one sentence for whoever started it.

use std::fmt;
use std::path::Path;

/// Says what was tried, on which file or with which program, and why it did not work.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault(pub String);

pub type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    pub fn new(what: impl Into<String>) -> Fault {
        Fault(what.into())
    }

    /// For `map_err`: an error of the system with the file it is about.
    pub fn at<E: fmt::Display>(path: &Path) -> impl FnOnce(E) -> Fault + '_ {
        move |error| Fault(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}
