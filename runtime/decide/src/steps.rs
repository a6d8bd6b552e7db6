//! The steps of a message in the order of the plan: one list for each direction, walked by the server and by the table.

use plan::{Plan, ReceptionStep, SendingStep};

use crate::content::ContentDirection;

/// A step of either list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// `KnownRecipient` and `Limits`: judged at MAIL and at RCPT.
    Earlier,
    Authenticate,
    Antivirus,
    /// After it no verdict may refuse.
    Accept,
    Antispam,
    Filters,
    Redirect,
    /// `Deliver` and `Route`: into mailboxes and the spool.
    Place,
}

impl From<ReceptionStep> for Step {
    fn from(step: ReceptionStep) -> Step {
        match step {
            ReceptionStep::KnownRecipient => Step::Earlier,
            ReceptionStep::Authenticate => Step::Authenticate,
            ReceptionStep::Antivirus => Step::Antivirus,
            ReceptionStep::Accept => Step::Accept,
            ReceptionStep::Antispam => Step::Antispam,
            ReceptionStep::Filters => Step::Filters,
            ReceptionStep::Redirect => Step::Redirect,
            ReceptionStep::Deliver => Step::Place,
        }
    }
}

impl From<SendingStep> for Step {
    fn from(step: SendingStep) -> Step {
        match step {
            SendingStep::Limits => Step::Earlier,
            SendingStep::Antivirus => Step::Antivirus,
            SendingStep::Antispam => Step::Antispam,
            SendingStep::Accept => Step::Accept,
            SendingStep::Route => Step::Place,
        }
    }
}

/// The steps of a direction, as the plan orders them.
pub fn steps(plan: &Plan, direction: ContentDirection) -> Vec<Step> {
    match direction {
        ContentDirection::Inbound => plan.reception.iter().map(|step| Step::from(*step)).collect(),
        ContentDirection::FromPerson | ContentDirection::FromMachine => {
            plan.sending.iter().map(|step| Step::from(*step)).collect()
        }
    }
}
