//! What was decided beside what is decided now: counts by rule and by who.

use std::collections::{BTreeMap, BTreeSet, HashSet};

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

/// The report while it grows.
pub(super) struct Changes<'r> {
    log: &'r [Facts],
    judged_from_s: i64,
    pub report: Report,
    /// Rows that are counted as a message already: of somebody, and of a kind and rule.
    hurt: HashSet<u32>,
    counted: HashSet<(u32, Kind, String)>,
}

impl<'r> Changes<'r> {
    pub fn new(log: &'r [Facts], judged_from_s: i64) -> Changes<'r> {
        let report = Report { from_s: i64::MAX, until_s: i64::MIN, ..Report::default() };
        let mut changes = Changes { log, judged_from_s, report, hurt: HashSet::new(), counted: HashSet::new() };
        for facts in log.iter().filter(|facts| facts.at_s >= judged_from_s) {
            changes.report.from_s = changes.report.from_s.min(facts.at_s);
            changes.report.until_s = changes.report.until_s.max(facts.at_s);
            changes.report.left_out += u64::from(facts.left_out);
        }
        changes
    }

    /// Is this row compared? Counts it.
    fn counts(&mut self, row: u32) -> Option<&'r Facts> {
        let facts = self.log.get(row as usize)?;
        if facts.at_s < self.judged_from_s {
            self.report.before += 1;
            return None;
        }
        self.report.decisions += 1;
        Some(facts)
    }

    /// The plan cannot say.
    pub fn unknown(&mut self, row: u32) {
        if self.counts(row).is_some() {
            self.report.unknown += 1;
        }
    }

    /// It did not come to this decision: who was accepted loses it, who was refused is no better off.
    pub fn unreached(&mut self, row: u32, was: Was<'_>, refused: &Judged) {
        match was.refused {
            Some(before) => self.compare(row, was, Some(before)),
            None => self.compare(row, was, Some(refused)),
        }
    }

    pub fn compare(&mut self, row: u32, was: Was<'_>, now: Option<&Judged>) {
        let Some(facts) = self.counts(row) else { return };
        let (kind, rule) = match (was.refused, now) {
            (None, None) => return self.report.same += 1,
            (Some(was), Some(now)) if was == now => return self.report.same += 1,
            (None, Some(now)) => (Kind::NewlyRefused, named(now)),
            (Some(was), None) => (Kind::NewlyAccepted, named(was)),
            (Some(was), Some(now)) => (Kind::OtherReason, format!("{} → {}", named(was), named(now))),
        };
        match kind {
            Kind::NewlyRefused => self.report.newly_refused += 1,
            Kind::NewlyAccepted => self.report.newly_accepted += 1,
            Kind::OtherReason => self.report.other_reason += 1,
        }
        let recipients = u64::from(was.is_recipient);
        let is_first = self.counted.insert((row, kind, rule.clone()));
        let of_rule = self.report.rules.entry((kind, rule.clone())).or_default();
        of_rule.decisions += 1;
        of_rule.recipients += recipients;
        of_rule.messages += u64::from(is_first);
        if is_first && !of_rule.who.contains(&facts.who) {
            of_rule.who.insert(facts.who.clone());
        }
        if kind == Kind::NewlyRefused {
            let hurt = self.report.hurt.entry(facts.who.clone()).or_default();
            hurt.is_account = facts.is_of_account();
            hurt.recipients += recipients;
            hurt.messages += u64::from(self.hurt.insert(row));
            hurt.rules.insert(rule);
        }
    }
}

/// A rule, or for what no rule decided the reason's word.
fn named(judged: &Judged) -> String {
    if judged.rule.is_empty() { judged.reason.clone() } else { judged.rule.clone() }
}
