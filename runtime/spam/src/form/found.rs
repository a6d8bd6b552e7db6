//! What the families share: the message with what is often asked of it, and the rules that spoke.

use super::cousin::OurNames;
use super::facts::{Facts, Outcome};
use super::rules::Rule;
use crate::view::{Mailbox, View, host};
use crate::{Contribution, PassScore, shown};

/// A message and the answers to what many rules ask.
pub(super) struct Case<'a> {
    pub view: &'a View<'a>,
    pub facts: &'a Facts<'a>,
    /// The first author.
    pub from: Option<&'a Mailbox>,
    /// The registered part of the author's domain; empty without one.
    pub site: &'a str,
    /// Sent through a mailing list.
    pub listed_mail: bool,
    /// A DKIM signature of the author's domain fits, or DMARC passed.
    pub proved: bool,
    pub our_names: OurNames<'a>,
}

impl<'a> Case<'a> {
    pub fn of(view: &'a View<'a>, facts: &'a Facts<'a>) -> Case<'a> {
        let from = view.from.first();
        let site = from.map_or("", |from| host::registered(&from.domain));
        let proved = facts.authentication.is_some_and(|it| {
            let signed = it
                .dkim
                .iter()
                .any(|each| each.outcome == Outcome::Pass && !site.is_empty() && host::registered(each.domain) == site);
            it.dmarc == Outcome::Pass || signed
        });
        let listed_mail = ["List-Id", "List-Post", "Mailing-List"].into_iter().any(|name| view.field(name).is_some());
        Case { view, facts, from, site, listed_mail, proved, our_names: OurNames::of(facts.own_domains) }
    }

    /// Whether a domain is one of ours or under one.
    pub fn is_ours(&self, domain: &str) -> bool {
        self.facts
            .own_domains
            .iter()
            .any(|own| domain.strip_suffix(*own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    }
}

/// The rules that spoke.
#[derive(Default)]
pub(super) struct Found {
    contributions: Vec<Contribution>,
}

impl Found {
    /// A rule speaks; `seen` is what it is about, as far as words help.
    pub fn say(&mut self, rule: &Rule, seen: impl AsRef<str>) {
        self.weigh(rule, rule.thousandths, seen);
    }

    /// The same with another weight than that of the table.
    pub fn weigh(&mut self, rule: &Rule, thousandths: i64, seen: impl AsRef<str>) {
        if self.has(rule) {
            return;
        }
        let seen = shown(seen.as_ref());
        let about = if seen.is_empty() { rule.reason.to_owned() } else { format!("{}: {seen}", rule.reason) };
        self.contributions.push(Contribution { rule: rule.name, thousandths, about });
    }

    pub fn has(&self, rule: &Rule) -> bool {
        self.contributions.iter().any(|each| each.rule == rule.name)
    }

    pub fn score(self) -> PassScore {
        PassScore::of(self.contributions)
    }
}
