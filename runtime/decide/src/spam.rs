//! Verdicts of the step `Antispam`: on the scores of its passes, and on who gets a tagged copy.

use mail::{Address, reply};
use plan::{Copies, TagTotal};

use crate::reason::{Reason, Refusal};
use crate::tables::Tables;

/// The verdict of the step `Antispam`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpamVerdict {
    Pass,
    Tag(&'static str),
    Refuse(Refusal),
}

/// What the scores of the plan's passes come to, in thousandths; those that gave none are left out. `None` when there is none.
pub fn spam_total(tables: &Tables, scores: &[Option<i64>]) -> Option<i64> {
    let rules = tables.plan().antispam.as_ref()?;
    let scores = scores.iter().flatten().copied();
    match rules.total {
        TagTotal::Sum => scores.reduce(i64::saturating_add),
        TagTotal::Lowest => scores.min(),
    }
}

/// The step `Antispam`, on the total of its passes. What is refused is worse than what is tagged.
pub fn antispam(tables: &Tables, total_thousandths: i64) -> SpamVerdict {
    let Some(rules) = &tables.plan().antispam else { return SpamVerdict::Pass };
    if rules.refuse_below_thousandths.is_some_and(|refused| total_thousandths < refused) {
        let text = "the message looks like spam";
        return SpamVerdict::Refuse(Refusal::new(reply::CONTENT_REFUSED, Reason::Spam, "antispam.always", text));
    }
    if total_thousandths < rules.tag_below_thousandths {
        return SpamVerdict::Tag("antispam.tag_when");
    }
    SpamVerdict::Pass
}

/// Is mail for this recipient never judged and never tagged (`antispam.corrections`)? What people report as spam looks like
/// spam.
pub fn takes_corrections(tables: &Tables, recipient: &Address) -> bool {
    let corrections = tables.plan().antispam.as_ref().and_then(|rules| rules.corrections.as_ref());
    corrections.is_some_and(|corrections| corrections.to.folded() == recipient.folded())
}

/// Does a copy of a tagged message that leaves the house carry the tag? What stays always does.
pub fn tags_what_leaves(tables: &Tables) -> bool {
    match tables.plan().antispam.as_ref().map(|rules| rules.tag.copies) {
        Some(Copies::All) => true,
        Some(Copies::Local) | None => false,
    }
}
