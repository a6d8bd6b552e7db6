//! Policy tests (policy-language.md 4.4): what a policy decides, written as cases, played with the functions the server
//! calls under a virtual clock. Pure: texts come in, a report goes out; `facteur test` reads files and prints.

mod blocked;
mod check;
mod content;
mod coverage;
mod each;
mod expect;
mod given;
mod got;
mod house;
mod model;
mod play;
mod recorded;
mod redirect;
mod report;
mod run;
mod scene;
mod table;
#[cfg(test)]
mod tests;

pub use blocked::blocked;
pub use check::STEPS_MAX;
pub use content::{Content, claim, steps};
pub use expect::Expect;
pub use given::{Engine, Given};
pub use got::{End, Stopped};
pub use house::House;
pub use model::{At, Case, Each, Entry, Event, Expectation, Mail, Moves, PersonGiven, Tests, To};
pub use recorded::Recorded;
pub use report::{CaseReport, Failure, Place, Report, Verdict};
pub use run::{Asked, read, run, uncovered};
pub use table::{Cell, Row};
