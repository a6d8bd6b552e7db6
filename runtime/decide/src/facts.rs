//! What a transaction was judged by, and how: the row of the decision log that can be judged again under another plan.
//!
//! Facts are classes, counts, sizes and times. Who sent is a keyed hash; no address, no name, no content is here. Times are
//! ticks of the clock the windows run by, and `turn` is the order in which decisions were made: of two in one tick the first
//! may have been the last that fitted.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::content_table::FromClaim;
use crate::envelope::{RecipientClass, SenderClass};
use crate::reason::Refusal;
use crate::rings::Tick;

/// The schema of these rows; the former one had outcomes only.
pub const FACTS_SCHEMA: u32 = 2;
/// `event` of these rows.
pub const FACTS_EVENT: &str = "transaction";
/// Recipient runs and known addresses of one transaction; further recipients are counted in `left_out`.
const RUNS_MAX: usize = 2_000;

/// One transaction. Fields that say nothing are left out of the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub schema: u32,
    pub event: String,
    /// MAIL in Unix seconds, for dates.
    pub at_s: i64,
    /// Full hash of the plan that judged.
    pub plan: String,
    pub listener: String,
    pub class: String,
    /// The network of a class that is a gateway or an application.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub network: String,
    /// `may_send.person-outside`; empty where no block serves the pair.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub block: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub tls: bool,
    /// The login, or without one the client address that limits are kept for, as a keyed hash.
    pub who: String,
    /// Of who is logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The place in the plan's list of the limit grant that held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<u32>,
    pub sender: SenderClass,
    /// SIZE (RFC 1870) in octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    pub turn: u64,
    pub tick: u32,
    /// Why MAIL was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Judged>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Run>,
    /// Absent where MAIL was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// So many decisions before this row have none: a flood, or the row would have been too long.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u32,
}

/// A refusal: its reason's word and its rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Judged {
    pub reason: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rule: String,
}

/// Recipients one after another in one tick that were judged alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Turns and ticks since MAIL.
    pub turn: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tick: u32,
    pub to: RecipientClass,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub times: u32,
    /// The same address as the recipient of this number, from 0, of those that are not the same as an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Judged>,
}

/// How a transaction ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub turn: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tick: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    pub accepted: bool,
    /// Of the content; absent where none came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub octets: Option<u64>,
    /// Is it a report (RFC 3834 5)? Absent where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<bool>,
    /// The total of the spam passes in thousandths, where it could refuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// What the header From says, where it could be refused for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<FromClaim>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Judged>,
}

impl From<&Refusal> for Judged {
    fn from(refusal: &Refusal) -> Judged {
        Judged { reason: refusal.reason.word().to_owned(), rule: refusal.rule.clone() }
    }
}

impl Facts {
    /// Decisions in it: MAIL, each recipient, a content.
    pub fn decisions(&self) -> u64 {
        let recipients: u64 = self.recipients.iter().map(|run| u64::from(run.times)).sum();
        let content = self.end.as_ref().is_some_and(|end| end.octets.is_some());
        1 + recipients + u64::from(content)
    }

    /// Is it about somebody who was logged in?
    pub fn is_of_account(&self) -> bool {
        self.profile.is_some()
    }
}

/// Writes the facts of a transaction down while it goes on.
#[derive(Debug)]
pub struct Recorder {
    facts: Facts,
    /// Folded address to its number.
    known: HashMap<String, u32>,
    content: End,
}

impl Recorder {
    /// `facts` has all that is known at MAIL.
    pub fn new(facts: Facts) -> Recorder {
        Recorder { facts, known: HashMap::new(), content: End::default() }
    }

    /// One RCPT that the transaction judged. `address` is the folded forward-path; empty for one that is none.
    pub fn recipient(&mut self, turn: u64, now: Tick, to: RecipientClass, address: &str, refused: Option<Judged>) {
        let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let again = self.known.get(address).copied();
        if self.facts.recipients.len() >= RUNS_MAX || (again.is_none() && self.known.len() >= RUNS_MAX) {
            self.facts.left_out = self.facts.left_out.saturating_add(1);
            return;
        }
        if again.is_none() {
            self.known.insert(address.to_owned(), next);
        }
        let turn = turn.saturating_sub(self.facts.turn);
        let tick = now.0.saturating_sub(self.facts.tick);
        if let Some(last) = self.facts.recipients.last_mut()
            && last.turn.saturating_add(u64::from(last.times)) == turn
            && (last.tick, last.to, last.again, &last.refused) == (tick, to, again, &refused)
        {
            last.times += 1;
            return;
        }
        self.facts.recipients.push(Run { turn, tick, to, times: 1, again, refused });
    }

    /// What is known of the content.
    pub fn content(&mut self) -> &mut End {
        &mut self.content
    }

    /// The transaction ended. The row of it.
    pub fn end(self, turn: u64, now: Tick, accepted: bool) -> Facts {
        let mut facts = self.facts;
        let turn = turn.saturating_sub(facts.turn);
        let tick = now.0.saturating_sub(facts.tick);
        facts.end = Some(End { turn, tick, accepted, ..self.content });
        facts
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

fn is_one(value: &u32) -> bool {
    *value == 1
}

fn one() -> u32 {
    1
}
