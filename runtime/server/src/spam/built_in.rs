//! The passes of our own, over a message that was read.

use std::time::Instant;

use plan::BuiltInPass;
use spam::PassScore;
use spam::view::View;

use super::{Facts, Scored, took};
use crate::service::Service;

/// What these passes say.
pub fn scores(service: &Service, passes: &[(String, BuiltInPass)], facts: &Facts, view: &View<'_>) -> Vec<Scored> {
    let score = |(name, pass): &(String, BuiltInPass)| {
        let began = Instant::now();
        let score = match pass {
            BuiltInPass::Form => facts.with(service, |facts| spam::form::score(view, facts)),
            BuiltInPass::Learned => service.spam.model.score(view),
        };
        took(service, name, began);
        scored(name, *pass, &score)
    };
    passes.iter().map(score).collect()
}

fn scored(name: &str, pass: BuiltInPass, score: &PassScore) -> Scored {
    let mut rules: Vec<String> = match pass {
        BuiltInPass::Form => score.contributions.iter().map(|each| each.rule.to_owned()).collect(),
        // Words of the mail of others are nobody's business.
        BuiltInPass::Learned => Vec::new(),
    };
    rules.dedup();
    Scored { name: name.to_owned(), thousandths: Some(score.thousandths), rules }
}
