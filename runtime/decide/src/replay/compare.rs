//! What was decided beside what is decided now: counts by rule and by who.

use std::collections::{BTreeMap, BTreeSet};

use super::Survey;
use crate::facts::{Facts, Judged};

/// How a decision differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    NewlyRefused,
    NewlyAccepted,
    /// Refused by another rule, or for another reason.
    OtherReason,
}

impl Kind {
    pub fn words(self) -> &'static str {
        match self {
            Kind::NewlyRefused => "newly refused",
            Kind::NewlyAccepted => "newly accepted",
            Kind::OtherReason => "other reason",
        }
    }
}

/// What a replay found. `same`, the three kinds and `unknown` together are `decisions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub decisions: u64,
    pub same: u64,
    pub newly_refused: u64,
    pub newly_accepted: u64,
    pub other_reason: u64,
    /// The plan does not know the listener or the network of these.
    pub unknown: u64,
    /// Decisions the log left out.
    pub left_out: u64,
    /// Rows whose limit grant is nobody's: without the key of the hashes the block's own limits were taken.
    pub grants_unnamed: u64,
    /// Decisions that only filled windows.
    pub before: u64,
    /// By the rule that refuses now, or that refused.
    pub rules: BTreeMap<(Kind, String), OfRule>,
    /// Who is newly refused, by hash.
    pub hurt: BTreeMap<String, Hurt>,
    /// First and last second of what was compared.
    pub from_s: i64,
    pub until_s: i64,
}

/// One rule's share of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfRule {
    pub decisions: u64,
    pub messages: u64,
    pub recipients: u64,
    pub who: BTreeSet<String>,
}

/// What somebody would have lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hurt {
    /// Logged in; else it is a client address.
    pub is_account: bool,
    pub messages: u64,
    pub recipients: u64,
    pub rules: BTreeSet<String>,
}

impl Report {
    pub fn differs(&self) -> bool {
        self.newly_refused + self.newly_accepted + self.other_reason + self.unknown > 0
    }
}

/// A decision of the log.
#[derive(Clone, Copy)]
pub(super) struct Was<'r> {
    refused: Option<&'r Judged>,
    is_recipient: bool,
}

impl<'r> Was<'r> {
    pub fn mail(refused: Option<&'r Judged>) -> Was<'r> {
        Was { refused, is_recipient: false }
    }

    pub fn recipient(refused: Option<&'r Judged>) -> Was<'r> {
        Was { refused, is_recipient: true }
    }

    pub fn content(refused: Option<&'r Judged>) -> Was<'r> {
        Was { refused, is_recipient: false }
    }
}

/// What a row is counted for already.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// As a message of somebody.
    is_hurt: bool,
    /// As a message of a kind and rule.
    counted: Vec<(Kind, String)>,
}

impl Report {
    /// The report before the first decision.
    pub(super) fn of(survey: &Survey) -> Report {
        Report {
            from_s: survey.from_s,
            until_s: survey.until_s,
            left_out: survey.left_out,
            grants_unnamed: survey.grants_unnamed,
            ..Report::default()
        }
    }

    /// Is this row compared? Counts it.
    fn counts(&mut self, facts: &Facts, judged_from_s: i64) -> bool {
        let counts = facts.at_s >= judged_from_s;
        match counts {
            true => self.decisions += 1,
            false => self.before += 1,
        }
        counts
    }

    /// The plan cannot say.
    pub(super) fn unknown(&mut self, facts: &Facts, judged_from_s: i64) {
        if self.counts(facts, judged_from_s) {
            self.unknown += 1;
        }
    }

    /// It did not come to this decision: who was accepted loses it, who was refused is no better off.
    pub(super) fn unreached(
        &mut self,
        facts: &Facts,
        marks: &mut Marks,
        judged_from_s: i64,
        was: Was<'_>,
        refused: &Judged,
    ) {
        let now = was.refused.unwrap_or(refused);
        self.compare(facts, marks, judged_from_s, was, Some(now));
    }

    pub(super) fn compare(
        &mut self,
        facts: &Facts,
        marks: &mut Marks,
        judged_from_s: i64,
        was: Was<'_>,
        now: Option<&Judged>,
    ) {
        if !self.counts(facts, judged_from_s) {
            return;
        }
        let (kind, rule) = match (was.refused, now) {
            (None, None) => return self.same += 1,
            (Some(was), Some(now)) if was == now => return self.same += 1,
            (None, Some(now)) => (Kind::NewlyRefused, named(now)),
            (Some(was), None) => (Kind::NewlyAccepted, named(was)),
            (Some(was), Some(now)) => (Kind::OtherReason, format!("{} → {}", named(was), named(now))),
        };
        match kind {
            Kind::NewlyRefused => self.newly_refused += 1,
            Kind::NewlyAccepted => self.newly_accepted += 1,
            Kind::OtherReason => self.other_reason += 1,
        }
        let recipients = u64::from(was.is_recipient);
        let is_first = !marks.counted.iter().any(|(of, about)| *of == kind && *about == rule);
        let of_rule = self.rules.entry((kind, rule.clone())).or_default();
        of_rule.decisions += 1;
        of_rule.recipients += recipients;
        of_rule.messages += u64::from(is_first);
        if is_first {
            marks.counted.push((kind, rule.clone()));
            if !of_rule.who.contains(&facts.who) {
                of_rule.who.insert(facts.who.clone());
            }
        }
        if kind == Kind::NewlyRefused {
            let hurt = self.hurt.entry(facts.who.clone()).or_default();
            hurt.is_account = facts.is_of_account();
            hurt.recipients += recipients;
            hurt.messages += u64::from(!std::mem::replace(&mut marks.is_hurt, true));
            hurt.rules.insert(rule);
        }
    }
}

/// A rule, or for what no rule decided the reason's word.
fn named(judged: &Judged) -> String {
    if judged.rule.is_empty() { judged.reason.clone() } else { judged.rule.clone() }
}
