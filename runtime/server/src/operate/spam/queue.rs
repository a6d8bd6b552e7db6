//! `facteur spam queue` and `show`.

use decide::roles;
use serde::{Deserialize, Serialize};
use spam::learned::{Count, MESSAGES, Table};
use spam::tokens;
use spam::view::View;
use store::QueueId;

use super::super::{Context, OperateError, Operation, Progress, audit, parse_id};
use super::{ALL, Judged, opened};
use crate::teaching::cases::{Case, cases};
use crate::teaching::facts::{Integrity, Way};
use crate::teaching::{find, kept, shown};

/// Cases that are listed, proposers of each that are named, and characters of what strangers wrote.
const CASES_MAX: usize = 1_000;
const PROPOSERS_MAX: usize = 10;
const LINE_CHARS: usize = 120;
const TEXT_CHARS: usize = 4_000;
const FIELD_CHARS: usize = 300;
const FIELDS_MAX: usize = 60;
/// Proposals of a case that are shown.
const PROPOSALS_MAX: usize = 100;

/// `POST /spam/queue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpamQueue {}

/// `POST /spam/show`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowSpam {
    pub id: String,
}

/// What one decision is about. Everything that strangers wrote can go to a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpamCase {
    pub id: String,
    /// `None` where the proposals do not agree.
    pub proposed: Option<Judged>,
    pub proposals: u64,
    /// The first of those who propose it, `?` behind whoever only claims to be that address.
    pub proposers: Vec<String>,
    pub proposers_in_all: u64,
    /// Unix seconds.
    pub first_s: i64,
    pub last_s: i64,
    /// Mailboxes that received it here, as far as that is known.
    pub received: u64,
    pub subject: String,
    pub from: String,
    pub hosts: Vec<String>,
    pub integrity: String,
    /// Why nothing can be learned from it; empty where something can.
    pub unusable: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownSpam {
    #[serde(flatten)]
    pub case: SpamCase,
    /// `when, who, how: what they say`, the oldest first, each on a line.
    pub each: Vec<String>,
    /// Header fields of the first message, each on a line.
    pub fields: Vec<String>,
    /// What a person would read of it.
    pub text: String,
    pub attachments: Vec<String>,
    /// What the passes say of it today, the strongest first.
    pub contributions: Vec<String>,
}

impl Operation for SpamQueue {
    type Response = Vec<SpamCase>;
    const PATH: &'static str = "/spam/queue";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::SeeTeaching
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<SpamCase>, OperateError> {
        Ok(cases(kept::proposals(&context.store)?).iter().take(CASES_MAX).map(described).collect())
    }
}

impl Operation for ShowSpam {
    type Response = ShownSpam;
    const PATH: &'static str = "/spam/show";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::SeeTeaching
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ShownSpam, OperateError> {
        let case = case_of(context, &self.id)?;
        audit(context, &format!("looked at the case {} of the spam queue", case.id()));
        let of = case.messages().first().map_or(case.id(), |message| message.id);
        let row = context.store.kept_one(of)?.ok_or_else(|| unknown(&self.id))?;
        let octets = opened(context, &row)?;
        let view = View::read(&octets);
        let mut line = described(&case);
        line.received = line.received.max(received(context, &case)?);
        let attachments = view
            .attachments()
            .iter()
            .map(|one| shown::line(one.name.as_deref().unwrap_or("without a name"), LINE_CHARS));
        let text = view.own_texts().map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n");
        Ok(ShownSpam {
            each: case.proposals.iter().take(PROPOSALS_MAX).map(proposal).collect(),
            fields: view
                .fields
                .iter()
                .take(FIELDS_MAX)
                .map(|field| {
                    shown::line(&format!("{}: {}", String::from_utf8_lossy(field.name()), field.text()), FIELD_CHARS)
                })
                .collect(),
            text: shown::text(&text, TEXT_CHARS),
            attachments: attachments.collect(),
            contributions: contributions(context, &view)?,
            case: line,
        })
    }
}

/// The case with this id, or with a proposal of this id.
pub fn case_of(context: &Context, text: &str) -> Result<Case, OperateError> {
    let id = id(text)?;
    let found = cases(kept::proposals(&context.store)?).into_iter().find(|case| case.holds(id));
    found.ok_or_else(|| unknown(text))
}

pub fn id(text: &str) -> Result<QueueId, OperateError> {
    parse_id(text).ok_or_else(|| unknown(text))
}

fn unknown(text: &str) -> OperateError {
    OperateError::NoSuchMessage { id: text.to_owned() }
}

fn described(case: &Case) -> SpamCase {
    let first = &case.proposals[0];
    let mut proposers: Vec<String> = Vec::new();
    for one in &case.proposals {
        let name = shown::line(&one.facts.proposer.name, LINE_CHARS);
        let name = if one.facts.proposer.proved { name } else { format!("{name}?") };
        if !proposers.contains(&name) {
            proposers.push(name);
        }
    }
    let proposers_in_all = proposers.len() as u64;
    proposers.truncate(PROPOSERS_MAX);
    let best = case.messages().first().copied().unwrap_or(first);
    SpamCase {
        id: case.id().to_string(),
        proposed: case.spam().map(Judged::of),
        proposals: case.proposals.len() as u64,
        proposers,
        proposers_in_all,
        first_s: case.proposals.iter().map(|one| one.at_s).min().unwrap_or(first.at_s),
        last_s: case.proposals.iter().map(|one| one.at_s).max().unwrap_or(first.at_s),
        received: case.received(),
        subject: shown::line(&best.facts.subject, LINE_CHARS),
        from: shown::line(&best.facts.from, LINE_CHARS),
        hosts: best.facts.hosts.iter().map(|host| shown::line(host, LINE_CHARS)).collect(),
        integrity: integrity(&best.facts.integrity),
        unusable: unusable(case),
    }
}

fn unusable(case: &Case) -> String {
    if !case.messages().is_empty() {
        return String::new();
    }
    match case.proposals[0].facts.unusable.as_str() {
        "" => "it was altered, and no copy of ours is there to learn from".to_owned(),
        why => shown::line(why, FIELD_CHARS),
    }
}

fn integrity(integrity: &Integrity) -> String {
    match integrity {
        Integrity::Intact => "intact".to_owned(),
        Integrity::Altered(how) => shown::line(&format!("altered: {}", how.join("; ")), FIELD_CHARS),
        Integrity::Unknown => "unknown here".to_owned(),
    }
}

fn proposal(one: &crate::teaching::cases::Waiting) -> String {
    let way = match one.facts.way {
        Way::Report => "report",
        Way::Keyword => "keyword",
        Way::Manager => "manager",
    };
    let proved = if one.facts.proposer.proved { "" } else { " (claimed)" };
    let at = jiff::Timestamp::from_second(one.at_s).unwrap_or_default();
    let name = shown::line(&one.facts.proposer.name, LINE_CHARS);
    let said =
        if one.facts.unusable.is_empty() { Judged::of(one.facts.spam).word() } else { one.facts.unusable.as_str() };
    format!("{at} {name}{proved}, {way}: {}, {}", shown::line(said, FIELD_CHARS), integrity(&one.facts.integrity))
}

/// Every delivery of the same messages, as the index has them now.
fn received(context: &Context, case: &Case) -> Result<u64, OperateError> {
    let now_s = crate::clock::unix_s();
    let mut ids: Vec<&str> = case.messages().iter().map(|one| one.facts.message_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut deliveries = std::collections::BTreeMap::new();
    for id in ids.into_iter().filter(|id| !id.is_empty()).take(5) {
        context.go_on()?;
        for (shard, delivery) in find::with_message_id(&context.store, id, now_s)? {
            deliveries.insert((shard, delivery.id), delivery.placed.len() as u64);
        }
    }
    Ok(deliveries.values().sum())
}

/// What was learned of its words; the form is judged with facts that nobody kept (`facteur spam explain` guesses them).
fn contributions(context: &Context, view: &View<'_>) -> Result<Vec<String>, OperateError> {
    let said = tokens::said(view);
    let names: Vec<u64> = [MESSAGES].into_iter().chain(said.iter().map(|one| one.token)).collect();
    let counts = context.store.token_counts(ALL, &names)?;
    let counts = counts.iter().map(|one| Count { spam: one.spam, ham: one.ham });
    let score = spam::learned::explain(&said, &Table::from_counts(names.iter().copied().zip(counts)));
    let told = |one: &spam::Contribution| {
        let sign = if one.thousandths < 0 { '-' } else { '+' };
        let (whole, rest) = (one.thousandths.unsigned_abs() / 1_000, one.thousandths.unsigned_abs() % 1_000);
        format!("{sign}{whole}.{rest:03} {}: {}", one.rule, shown::line(&one.about, LINE_CHARS))
    };
    Ok(score.contributions.iter().map(told).collect())
}
