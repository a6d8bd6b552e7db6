//! `facteur why`: the story of a message, from everything that keeps a part of it.

use decide::roles;
use serde::{Deserialize, Serialize};
use store::{Kept, QueueId};

use super::queue::parse_id;
use super::{Context, OperateError, Operation, Progress, audit};
use crate::taken;

/// Rows of each source, and messages of one Message-ID.
const ROWS_MAX: usize = 1_000;
const MESSAGES_MAX: usize = 50;
/// Rows read at a time.
const PAGE: usize = 1_000;
/// An id from before every other.
const FIRST: [u8; 16] = [0; 16];

/// `POST /why`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// A queue id, or a Message-ID with or without its brackets.
    pub id: String,
}

/// What is known, in order of time; empty when nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    pub lines: Vec<StoryLine>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StoryLine {
    /// Unix seconds.
    pub at_s: i64,
    pub queue_id: String,
    /// `decision`, `mailbox`, `queue`, `loss`, `quarantine`.
    pub source: String,
    pub what: String,
    /// The rule of the plan that decided, and the plan's hash; empty when none did.
    pub rule: String,
    pub plan: String,
}

impl Operation for Why {
    type Response = Story;
    const PATH: &'static str = "/why";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::LookUpMessage
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Story, OperateError> {
        audit(context, &format!("asked for the story of {}", self.id));
        let ids = match parse_id(&self.id) {
            Some(id) => vec![id],
            None => by_message_id(context, &format!("<{}>", self.id.trim_matches(['<', '>'])))?,
        };
        let mut story = Story::default();
        for id in ids {
            context.go_on()?;
            decisions(context, id, &mut story)?;
            mailboxes(context, id, &mut story)?;
            spool(context, id, &mut story)?;
            losses(context, id, &mut story)?;
            quarantine(context, id, &mut story)?;
        }
        story.lines.sort();
        Ok(story)
    }
}

/// Queue ids of the messages with a Message-ID: from the decision log and from the delivery index.
fn by_message_id(context: &Context, message_id: &str) -> Result<Vec<QueueId>, OperateError> {
    let mut ids = Vec::new();
    let quoted = serde_json::to_string(message_id).unwrap_or_default();
    for (_, row) in context.store.decisions_with(&quoted, MESSAGES_MAX)? {
        let row: serde_json::Value = serde_json::from_str(&row).unwrap_or_default();
        ids.extend(row["queue_id"].as_str().and_then(parse_id));
    }
    for shard in 0..context.store.amounts()?.shards {
        let mut after = FIRST;
        loop {
            context.go_on()?;
            let page = context.store.deliveries(shard, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let same = page.iter().filter(|row| row.message_id.as_deref() == Some(message_id));
            ids.extend(same.map(|row| QueueId(row.id)).take(MESSAGES_MAX));
        }
    }
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(MESSAGES_MAX);
    Ok(ids)
}

fn line(at_s: i64, id: QueueId, source: &str, what: String) -> StoryLine {
    let (rule, plan) = (String::new(), String::new());
    StoryLine { at_s, queue_id: id.to_string(), source: source.to_owned(), what, rule, plan }
}

fn decisions(context: &Context, id: QueueId, story: &mut Story) -> Result<(), OperateError> {
    for (at_s, row) in context.store.decisions_with(&id.to_string(), ROWS_MAX)? {
        let row: serde_json::Value = serde_json::from_str(&row).unwrap_or_default();
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let facts = ["event", "reason", "code", "listener", "class", "said"].map(text);
        let what = facts.into_iter().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join(", ");
        story.lines.push(StoryLine { rule: text("rule"), plan: text("plan"), ..line(at_s, id, "decision", what) });
    }
    Ok(())
}

/// The delivery's id is the message's own.
fn mailboxes(context: &Context, id: QueueId, story: &mut Story) -> Result<(), OperateError> {
    let before = just_before(id).0;
    for shard in 0..context.store.amounts()?.shards {
        let found = context.store.deliveries(shard, before, 1)?;
        let Some(row) = found.first().filter(|row| row.id == id.0) else { continue };
        let at_s = i64::from_be_bytes([0, 0, id.0[0], id.0[1], id.0[2], id.0[3], id.0[4], id.0[5]]) / 1_000;
        for (mailbox, uid) in row.placed.iter().take(ROWS_MAX) {
            let what = format!("in mailbox {} as UID {uid}", mailbox.number());
            story.lines.push(line(at_s, id, "mailbox", what));
        }
    }
    Ok(())
}

fn spool(context: &Context, id: QueueId, story: &mut Story) -> Result<(), OperateError> {
    let Some(item) = context.store.queue_item(id)? else { return Ok(()) };
    let facts: queue::MessageFacts = queue::facts::read(&item.facts);
    let held = match (facts.held, taken::is_held(&context.store, id)?) {
        (true, true) => ", held back with copies that were taken out of mailboxes",
        (true, false) => ", held by an operator",
        (false, _) => "",
    };
    for recipient in item.recipients.iter().take(ROWS_MAX) {
        let said = if recipient.last_reply.is_empty() { "not tried yet" } else { &recipient.last_reply };
        let (to, tries) = (&recipient.forward_path, recipient.attempts);
        let what = format!("waits for {to} after {tries} tries{held}: {said}");
        story.lines.push(line(item.accepted_at_s, id, "queue", what));
    }
    Ok(())
}

fn losses(context: &Context, id: QueueId, story: &mut Story) -> Result<(), OperateError> {
    for loss in context.store.losses_of(id, ROWS_MAX)? {
        let what = format!("{} did not get it: {}, {}", loss.recipient, loss.kind, loss.reason);
        story.lines.push(line(loss.at_s, id, "loss", what));
    }
    Ok(())
}

fn quarantine(context: &Context, id: QueueId, story: &mut Story) -> Result<(), OperateError> {
    if let Some(one) = context.store.kept_one(id)?.filter(|one| one.kind == Kept::Quarantine) {
        let what = format!("kept in quarantine: {} {}", one.engine, one.signature);
        let rule = one.why.clone();
        story.lines.push(StoryLine { rule, ..line(one.at_s, id, "quarantine", what.trim().to_owned()) });
    }
    let item = taken::item_of(id.0);
    if let Some(one) = context.store.kept_one(item)? {
        let copies = context.store.taken(item)?.len();
        let what = format!("taken out of mailboxes, {copies} copies can be put back");
        story.lines.push(line(one.at_s, id, "quarantine", what));
    }
    Ok(())
}

/// The id before it; the first of all has none, and is nobody's.
fn just_before(id: QueueId) -> QueueId {
    let mut before = id.0;
    for octet in before.iter_mut().rev() {
        let (less, borrowed) = octet.overflowing_sub(1);
        *octet = less;
        if !borrowed {
            break;
        }
    }
    QueueId(before)
}
