//! The form pass: what the shape of a message says, whatever its words (guide 4, first pass).
//!
//! Each family of rules looks at one side of a message and says which rules of the one table ([`rules`]) it breaks.

mod attachments;
mod authentication;
mod cousin;
mod facts;
mod found;
mod header;
mod html;
mod identity;
mod letters;
mod links;
mod mime;
mod reported;
pub mod rules;
#[cfg(test)]
mod tests;

pub use facts::{Authentication, Colleagues, Facts, Listed, Nobody, Outcome, Signed};
pub use reported::Reported;
pub use rules::{RULES, Rule};

use found::{Case, Found};

use crate::PassScore;
use crate::view::View;

/// What an ordinary message has before anything speaks for or against it.
pub const BASE: i64 = rules::ORDINARY.thousandths;

/// Judges the form of a message. Facts that are absent say nothing.
pub fn score(view: &View<'_>, facts: &Facts<'_>) -> PassScore {
    let case = Case::of(view, facts);
    let mut found = Found::default();
    found.say(&rules::ORDINARY, "");
    header::judge(&case, &mut found);
    identity::judge(&case, &mut found);
    authentication::judge(&case, &mut found);
    mime::judge(&case, &mut found);
    html::judge(&case, &mut found);
    links::judge(&case, &mut found);
    letters::judge(&case, &mut found);
    attachments::judge(&case, &mut found);
    found.score()
}
