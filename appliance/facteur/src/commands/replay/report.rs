//! What a replay found, for people and for programs.

use std::collections::BTreeMap;
use std::time::Duration;

use decide::replay::{Hurt, Kind, Report};
use serde_json::{Value, json};
use server::operate::DecisionLog;

/// Rules and accounts that are shown; the rest is counted.
const SHOWN_MAX: usize = 20;

pub struct Said<'s> {
    pub report: &'s Report,
    pub log: &'s DecisionLog,
    /// What the log is compared with, where it is not what was decided.
    pub old: Option<&'s str>,
    /// Full hash of the plan that judges.
    pub new: &'s str,
    /// Hash to login.
    pub names: &'s BTreeMap<String, String>,
    pub budget: Option<u64>,
    pub took: Duration,
}

/// Does a plan keep to a budget of refusals? What nobody can judge may be refused, and a log without decisions shows nothing.
pub fn is_within(report: &Report, budget: u64) -> bool {
    report.decisions > 0 && report.newly_refused.saturating_add(report.unknown) <= budget
}

impl Said<'_> {
    pub fn human(&self) -> String {
        let report = self.report;
        let mut text = format!(
            "{} decisions, {}, {:.1} s   {} → {}   same {}   {}   newly accepted {}   other reason {}",
            figure(report.decisions),
            days(report),
            self.took.as_secs_f64(),
            self.before(),
            short(self.new),
            figure(report.same),
            self.budgeted(),
            figure(report.newly_accepted),
            figure(report.other_reason),
        );
        for ((kind, rule), of) in report.rules.iter().take(SHOWN_MAX) {
            let messages = counted(of.messages, "message", "messages");
            let recipients = counted(of.recipients, "recipient", "recipients");
            let who = counted(of.who.len() as u64, "account or address", "accounts or addresses");
            text += &format!("\n{:14}  {rule}   {messages}, {recipients}, {who}", kind.words());
        }
        text += &more(report.rules.len(), "rules");
        for (who, hurt) in self.worst().into_iter().take(SHOWN_MAX) {
            let messages = counted(hurt.messages, "message", "messages");
            let recipients = counted(hurt.recipients, "recipient", "recipients");
            text += &format!("\n    {}   {messages}, {recipients}", self.name(who, hurt));
        }
        text += &more(report.hurt.len(), "accounts and addresses");
        for remark in self.remarks() {
            text += &format!("\nnote: {remark}");
        }
        text
    }

    pub fn json(&self) -> Vec<Value> {
        let report = self.report;
        let mut lines = vec![json!({
            "schema": 1, "kind": "replay", "old": self.old, "plans": self.log.plans, "new": self.new,
            "decisions": report.decisions, "same": report.same, "newly_refused": report.newly_refused,
            "newly_accepted": report.newly_accepted, "other_reason": report.other_reason, "unknown": report.unknown,
            "left_out": report.left_out, "grants_unnamed": report.grants_unnamed, "budget": self.budget,
            "from_s": report.from_s, "until_s": report.until_s, "took_ms": self.took.as_millis() as u64,
        })];
        for ((kind, rule), of) in &report.rules {
            lines.push(json!({
                "schema": 1, "kind": "rule", "difference": kind.words(), "rule": rule, "decisions": of.decisions,
                "messages": of.messages, "recipients": of.recipients, "accounts": of.who.len(),
            }));
        }
        for (who, hurt) in self.worst() {
            lines.push(json!({
                "schema": 1, "kind": "hurt", "who": who, "login": self.names.get(who), "account": hurt.is_account,
                "messages": hurt.messages, "recipients": hurt.recipients, "rules": hurt.rules,
            }));
        }
        lines
    }

    /// Who loses most first.
    fn worst(&self) -> Vec<(&String, &Hurt)> {
        let mut hurt: Vec<(&String, &Hurt)> = self.report.hurt.iter().collect();
        hurt.sort_by_key(|(who, hurt)| (std::cmp::Reverse((hurt.recipients, hurt.messages)), (*who).clone()));
        hurt
    }

    fn name(&self, who: &String, hurt: &Hurt) -> String {
        match self.names.get(who) {
            Some(login) => login.clone(),
            None if hurt.is_account => format!("account {who}"),
            None => format!("client {who}"),
        }
    }

    fn before(&self) -> String {
        match (self.old, self.log.plans.as_slice()) {
            (Some(old), _) => short(old),
            (None, [one]) => short(one),
            (None, plans) => format!("{} plans", plans.len()),
        }
    }

    fn budgeted(&self) -> String {
        let mut refused = figure(self.report.newly_refused);
        if self.budget.is_some() && self.report.unknown > 0 {
            refused += &format!(" + {} that cannot be judged", figure(self.report.unknown));
        }
        match self.budget {
            Some(_) if self.report.decisions == 0 => "nothing to judge: not ok".to_owned(),
            Some(budget) if is_within(self.report, budget) => {
                format!("newly refused {refused} ≤ budget {}: ok", figure(budget))
            }
            Some(budget) => format!("newly refused {refused} > budget {}", figure(budget)),
            None => format!("newly refused {refused}"),
        }
    }

    fn remarks(&self) -> Vec<String> {
        let report = self.report;
        let mut remarks = Vec::new();
        if report.unknown > 0 {
            let unknown = figure(report.unknown);
            remarks.push(format!("{unknown} decisions are of listeners or networks this plan does not have"));
        }
        if report.left_out > 0 {
            remarks.push(format!("the log left {} decisions out, in floods", figure(report.left_out)));
        }
        if report.grants_unnamed > 0 {
            let rows = figure(report.grants_unnamed);
            remarks.push(format!("{rows} transactions had a limit grant, and whose it is cannot be told: name --data"));
        }
        remarks
    }
}

/// The short form of a full hash, as `plan` writes it.
pub fn short(full: &str) -> String {
    plan::PlanHash::of_full(full).map_or_else(|| full.chars().take(8).collect(), |hash| hash.short())
}

fn more(all: usize, what: &str) -> String {
    if all > SHOWN_MAX {
        format!("\n… {} more {what}: --format json", figure((all - SHOWN_MAX) as u64))
    } else {
        String::new()
    }
}

/// How long the log is.
pub fn days(report: &Report) -> String {
    let s = report.until_s.saturating_sub(report.from_s).max(0);
    match s {
        0..60 => "less than a minute".to_owned(),
        60..3_600 => counted(s.unsigned_abs() / 60, "minute", "minutes"),
        3_600..172_800 => counted(s.unsigned_abs() / 3_600, "hour", "hours"),
        _ => counted(s.unsigned_abs().div_ceil(86_400), "day", "days"),
    }
}

/// `12 345`, as the other comparisons write figures.
pub fn figure(value: u64) -> String {
    policy::figures::grouped(value)
}

pub fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", figure(value), if value == 1 { one } else { many })
}

/// Of one kind, those whose rule begins with `path`.
pub fn of_path<'r>(report: &'r Report, kind: Kind, path: &str) -> Vec<&'r decide::replay::OfRule> {
    let is_in =
        |rule: &str| rule.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']));
    report.rules.iter().filter(|((of, rule), _)| *of == kind && is_in(rule)).map(|(_, of)| of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_judge_is_no_reason_to_let_a_plan_pass() {
        let report =
            |decisions, newly_refused, unknown| Report { decisions, newly_refused, unknown, ..Report::default() };
        for (report, budget, is_good) in [
            (report(9, 2, 0), 2, true),
            (report(9, 3, 0), 2, false),
            (report(9, 1, 1), 2, true),
            (report(9, 0, 9), 2, false),
            (report(0, 0, 0), 2, false),
        ] {
            assert_eq!(is_within(&report, budget), is_good, "{report:?}");
        }
    }
}
