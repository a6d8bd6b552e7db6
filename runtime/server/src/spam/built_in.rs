//! The passes of our own: a message is read once for both.

use std::sync::Arc;
use std::time::Instant;

use plan::BuiltInPass;
use spam::PassScore;
use spam::view::View;

use super::{Facts, Scored, took};
use crate::content::Content;
use crate::durable;
use crate::service::Service;

/// What these passes say; nothing of a content that cannot be read back.
pub async fn scores(
    service: &Arc<Service>,
    passes: Vec<(String, BuiltInPass)>,
    facts: Facts,
    content: &Arc<Content>,
) -> Vec<Scored> {
    if passes.is_empty() {
        return Vec::new();
    }
    if content.is_read_at_once() {
        return all(service, &passes, &facts, content);
    }
    // As for summaries: few long ones are whole in memory at a time.
    let permit = if content.is_spilled() { service.long_contents.acquire().await.ok() } else { None };
    let (worker, content) = (service.clone(), content.clone());
    let scored = durable::blocking(move || all(&worker, &passes, &facts, &content)).await;
    drop(permit);
    scored.unwrap_or_default()
}

fn all(service: &Service, passes: &[(String, BuiltInPass)], facts: &Facts, content: &Content) -> Vec<Scored> {
    let message = match content.start(usize::MAX) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!("a content cannot be read back for the spam filter: {error}");
            return Vec::new();
        }
    };
    let view = View::read(&message);
    let score = |(name, pass): &(String, BuiltInPass)| {
        let began = Instant::now();
        let score = match pass {
            BuiltInPass::Form => facts.with(service, |facts| spam::form::score(&view, facts)),
            BuiltInPass::Learned => service.spam.model.score(&view),
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
