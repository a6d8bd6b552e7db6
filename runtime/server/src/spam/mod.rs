//! The step `Antispam`: the plan's passes look at a content, `decide` judges what they say, and the copies are tagged.
//!
//! A pass that gives no score is left out and said; mail goes on all the same.

pub mod built_in;
pub mod colleagues;
mod facts;
mod fields;
mod model;
mod shape;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use decide::{Refusal, SpamVerdict, Tables};
use mail::tag::Tag;
use plan::{At, BuiltInPass};
use store::{ReadError, Store};

use crate::content::Content;
use crate::scan::score;
use crate::service::Service;

pub use facts::Facts;
pub use shape::{Shape, Shapes, kept, marked};

use colleagues::Names;
use model::Model;

/// What all messages share.
pub struct Spam {
    pub names: Arc<Names>,
    /// What was taught.
    pub model: Arc<Model>,
    /// Lower-case A-labels of domains that are ours.
    own_domains: Vec<String>,
    /// `None` where only fields say it.
    tag: Option<Tag>,
}

/// What one pass said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    /// Its name in the plan.
    pub name: String,
    /// Below 0 is spam; `None` when it gave no score.
    pub thousandths: Option<i64>,
    /// Names of what it saw.
    pub rules: Vec<String>,
}

/// What the step found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub passes: Vec<Scored>,
    /// `None` when no pass gave a score.
    pub total: Option<i64>,
    /// The rule by which it is tagged.
    pub tagged: Option<&'static str>,
    /// The short hash of the plan that judged.
    pub plan: String,
}

impl Spam {
    pub fn load(tables: &Tables, store: &Store) -> Result<Spam, ReadError> {
        let plan = tables.plan();
        let names = if plan.antispam.is_some() { Names::load(store)? } else { Names::default() };
        let model = if learns(tables) { Model::load(store)? } else { Model::default() };
        let (own_domains, tag) = (own_domains(tables), tag(tables));
        Ok(Spam { names: Arc::new(names), model: Arc::new(model), own_domains, tag })
    }

    /// The same under another plan. What was read for `old` already is shared with it, so that what is taught or changed meanwhile
    /// is known to both.
    pub fn under(&self, old: &Tables, tables: &Tables, store: &Store) -> Result<Spam, ReadError> {
        let filters = |tables: &Tables| tables.plan().antispam.is_some();
        let names = match filters(tables) && !filters(old) {
            true => Arc::new(Names::load(store)?),
            false => self.names.clone(),
        };
        let model = match learns(tables) && !learns(old) {
            true => Arc::new(Model::load(store)?),
            false => self.model.clone(),
        };
        Ok(Spam { names, model, own_domains: own_domains(tables), tag: tag(tables) })
    }
}

fn learns(tables: &Tables) -> bool {
    tables.plan().scanners.values().any(|it| it.at == At::BuiltIn(BuiltInPass::Learned))
}

fn tag(tables: &Tables) -> Option<Tag> {
    tables.plan().antispam.as_ref().and_then(|rules| Tag::new(&rules.tag.subject))
}

/// Domains of units stand under a domain that is named.
fn own_domains<C: FromIterator<String>>(tables: &Tables) -> C {
    let plan = tables.plan();
    let named = plan.domains.keys().filter(|name| !name.contains('{')).cloned();
    named.chain([plan.institution.domain.to_string()]).collect()
}

/// The plan's passes of our own, by name.
pub fn ours(tables: &Tables) -> Vec<(String, BuiltInPass)> {
    let plan = tables.plan();
    let names = plan.antispam.iter().flat_map(|rules| &rules.passes);
    names
        .filter_map(|name| match plan.scanners.get(name).map(|scanner| &scanner.at) {
            Some(At::BuiltIn(pass)) => Some((name.clone(), *pass)),
            Some(_) | None => None,
        })
        .collect()
}

/// Judges a content by what our own passes said of it and what others say. With `spares` nothing is refused: somebody among its recipients gets it whatever it looks like.
pub async fn judge(
    service: &Arc<Service>,
    ours: Vec<Scored>,
    asked: &score::Facts<'_>,
    content: &Arc<Content>,
    spares: bool,
) -> Result<Judgement, Refusal> {
    let passes = passes(service, ours, asked, content).await;
    let scores: Vec<Option<i64>> = passes.iter().map(|pass| pass.thousandths).collect();
    let total = decide::spam_total(&service.tables, &scores);
    let metrics = &service.metrics;
    let verdict = match total {
        Some(total) => {
            metrics.spam_scores.observe(total as f64 / 1_000.0);
            decide::antispam(&service.tables, total)
        }
        None => {
            metrics.spam_unscored.inc();
            SpamVerdict::Pass
        }
    };
    let count = |verdict: &str, rule: &str| metrics.spam_verdicts.with_label_values(&[verdict, rule]).inc();
    let tagged = match verdict {
        SpamVerdict::Pass => None,
        SpamVerdict::Tag(rule) => Some(rule),
        SpamVerdict::Refuse(_) if spares => Some(TAGGED),
        SpamVerdict::Refuse(refusal) => {
            count("refused", &refusal.rule);
            return Err(refusal);
        }
    };
    count(if tagged.is_some() { "tagged" } else { "passed" }, tagged.unwrap_or_default());
    Ok(Judgement { passes, total, tagged, plan: service.plan.clone() })
}

const TAGGED: &str = "antispam.tag_when";

/// What each pass of the plan says, in the plan's order; `scored` are our own, the others are asked at the same time.
async fn passes(
    service: &Arc<Service>,
    mut scored: Vec<Scored>,
    asked: &score::Facts<'_>,
    content: &Arc<Content>,
) -> Vec<Scored> {
    let plan = service.tables.plan();
    let names = plan.antispam.as_ref().map(|rules| rules.passes.as_slice()).unwrap_or_default();
    let is_ours = |name: &&String| plan.scanners.get(*name).is_some_and(|scanner| matches!(scanner.at, At::BuiltIn(_)));
    let others = names.iter().filter(|name| !is_ours(name));
    scored.extend(all(others.map(|name| Box::pin(external(service, name, asked, content))).collect()).await);
    let mut passes = Vec::with_capacity(names.len());
    for name in names {
        let found = scored.iter().position(|pass| pass.name == *name).map(|at| scored.swap_remove(at));
        let pass = found.unwrap_or_else(|| Scored { name: name.clone(), thousandths: None, rules: Vec::new() });
        if pass.thousandths.is_none() {
            service.metrics.spam_no_scores.with_label_values(&[name]).inc();
        }
        passes.push(pass);
    }
    passes
}

async fn external(service: &Service, name: &str, asked: &score::Facts<'_>, content: &Content) -> Scored {
    let began = Instant::now();
    let scored = score::score(service, name, content, asked).await;
    took(service, name, began);
    let (thousandths, rules) = match scored {
        Ok(scored) => (Some(scored.thousandths), scored.detail.into_iter().map(|(rule, _)| rule).collect()),
        Err(why) => {
            tracing::warn!(pass = name, ?why, "the pass gave no score");
            (None, Vec::new())
        }
    };
    Scored { name: name.to_owned(), thousandths, rules }
}

/// Waits for all of them at the same time.
async fn all<F: Future + Unpin>(mut waited: Vec<F>) -> Vec<F::Output> {
    let mut done = Vec::with_capacity(waited.len());
    poll_fn(|context| {
        waited.retain_mut(|one| match Pin::new(one).poll(context) {
            Poll::Ready(output) => {
                done.push(output);
                false
            }
            Poll::Pending => true,
        });
        if waited.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done
}

/// Counts what a pass took.
fn took(service: &Service, name: &str, began: Instant) {
    service.metrics.spam_passes.with_label_values(&[name]).observe(began.elapsed().as_secs_f64());
}
