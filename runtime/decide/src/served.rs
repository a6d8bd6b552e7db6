//! What a plan asks for that this build keeps but does not execute yet.

use plan::{At, Does, FilterMay, Plan, ReceptionStep};

/// One thing a build keeps in the plan without executing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unserved {
    /// Path in the policy.
    pub path: String,
    /// One sentence for the operator.
    pub what: String,
    /// Must serving be refused? Steps with nothing to do yet only say so.
    pub blocks_serving: bool,
}

/// Everything of `plan` this build does not execute.
pub fn unserved(plan: &Plan) -> Vec<Unserved> {
    let mut list = Vec::new();
    let mut say = |path: &str, what: &str, blocks_serving: bool| {
        list.push(Unserved { path: path.to_owned(), what: what.to_owned(), blocks_serving });
    };
    for step in &plan.reception {
        match step {
            ReceptionStep::Filters => say("reception.Filters", "people have no filters", false),
            ReceptionStep::KnownRecipient
            | ReceptionStep::Authenticate
            | ReceptionStep::Antivirus
            | ReceptionStep::Accept
            | ReceptionStep::Antispam
            | ReceptionStep::Redirect
            | ReceptionStep::Deliver => {}
        }
    }
    for (name, scanner) in &plan.scanners {
        match (scanner.does, &scanner.at) {
            (_, At::BuiltIn(_)) => {}
            (Does::Antivirus, At::Clamd(_) | At::Icap(_) | At::Command(_) | At::Milter(_)) => {}
            (Does::SpamScore, At::Rspamd(_) | At::Spamd(_) | At::Milter(_)) => {}
            (Does::Antivirus, At::Rspamd(_) | At::Spamd(_)) => {
                say(&format!("scanners.{name}"), "it gives no verdict on viruses", false);
            }
            (Does::SpamScore, At::Clamd(_) | At::Icap(_) | At::Command(_)) => {
                say(&format!("scanners.{name}"), "it gives no score", false);
            }
        }
    }
    if plan.filters.may.iter().any(|may| *may != FilterMay::FileInto) {
        say("filters.may", "people have no filters", false);
    }
    list
}
