//! A refusal, from what a user pastes: the rule of the plan, its line, when it opens again, and whose move it is.

use decide::{Block, Reason, Tables};
use plan::{Limits, Plan, Window, Windows};

use super::{Explanation, Subject, advice};

/// What could be read out of a pasted text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pasted {
    /// 451.
    pub code: Option<u16>,
    /// A rule id, or a stranger's reason word.
    pub source: String,
    /// The short hash of the plan that refused.
    pub plan: Option<String>,
}

/// Looks for `[rule hash]` or `[reason hash]`, else takes the whole text for a rule id or a reason's word.
pub fn pasted(text: &str) -> Option<Pasted> {
    let text = text.trim();
    let code = text
        .split(|c: char| !c.is_ascii_digit())
        .find(|digits| digits.len() == 3)
        .and_then(|digits| digits.parse().ok());
    let bracket = text.rfind('[').and_then(|open| {
        let inside = text.get(open + 1..)?.split(']').next()?;
        let mut words = inside.split_whitespace();
        Some((words.next()?.to_owned(), words.next().map(str::to_owned)))
    });
    match bracket {
        Some((source, plan)) => Some(Pasted { code, source, plan }),
        None if !text.is_empty() && !text.contains(char::is_whitespace) => {
            Some(Pasted { code: None, source: text.to_owned(), plan: None })
        }
        None => None,
    }
}

/// Explains what was pasted; `None` when this plan has no such rule or reason.
pub fn reply(subject: Subject<'_>, pasted: &Pasted) -> Option<Explanation> {
    let tables = Tables::new(subject.plan.clone()).ok()?;
    let mut explanation = match Reason::ALL.iter().find(|reason| reason.word() == pasted.source) {
        Some(reason) => of_reason(subject, &tables, *reason),
        None => of_rule(subject, &tables, &pasted.source)?,
    };
    if let Some(plan) = &pasted.plan
        && *plan != subject.map.plan
    {
        let warning =
            format!("refused by plan {plan}; this is plan {}, where the rule may read differently", subject.map.plan);
        explanation.facts.insert(0, warning);
    }
    if let Some(code) = pasted.code {
        let meaning = match code {
            400..=499 => "temporary: the mail program or server tries again by itself",
            500..=599 => "permanent: the same command will be refused again",
            _ => return Some(explanation),
        };
        explanation.facts.push(format!("{code} is {meaning}"));
    }
    Some(explanation)
}

/// A stranger's reason word: every rule of this plan that gives it.
fn of_reason(subject: Subject<'_>, tables: &Tables, reason: Reason) -> Explanation {
    let mut explanation = Explanation::new(format!("Refused {}: {}", advice::stage(reason), reason.word()));
    explanation.facts.extend(advice::of(reason).map(str::to_owned));
    let mut rules: Vec<String> = tables
        .cells()
        .map(|cell| tables.envelope(cell))
        .filter_map(|verdict| verdict.refusal().filter(|refusal| refusal.reason == reason).map(|refusal| refusal.rule))
        .collect();
    rules.extend(
        decide::all_windows(subject.plan)
            .into_iter()
            .map(|(path, _)| path)
            .filter(|path| advice::of_path(path) == Some(reason) && !only_watches(path)),
    );
    rules.sort();
    rules.dedup();
    explanation.lines = rules.iter().filter_map(|rule| subject.excerpt(rule)).collect();
    explanation.lines.dedup();
    explanation.lines.truncate(12);
    if !rules.is_empty() {
        explanation.facts.push(format!("rules of this plan that say so: {}", rules.join(", ")));
    }
    explanation
}

fn of_rule(subject: Subject<'_>, tables: &Tables, rule: &str) -> Option<Explanation> {
    let (path, width) = rule.rsplit_once('/').map_or((rule, None), |(path, width)| (path, Some(width)));
    let known = subject.map.places.contains_key(path) || subject.map.places.contains_key(rule);
    if !known && !is_known(tables, path) && !is_of_a_manager(path) {
        return None;
    }
    let window = width.and_then(|width| window(subject.plan, path, width));
    let reason = advice::of_path(path);
    let limit = window.map_or(String::new(), |window| format!(", {} per {}", window.max, window.width_text()));
    let stage = reason.map_or("", advice::stage);
    let did = if only_watches(path) { "Would be refused" } else { "Refused" };
    let mut explanation = Explanation::new(format!("{did} {stage} by {path}{limit}").replace("  ", " "));
    explanation.rule = Some(rule.to_owned());
    explanation.lines.extend(subject.excerpt(rule));
    if only_watches(path) {
        explanation.facts.push("this limit only watches: nothing was refused by it".to_owned());
    }
    if let Some(fact) = because(subject.plan, path) {
        explanation.facts.push(fact);
    }
    if let Some(window) = window {
        explanation.facts.push(opens_again(path, window));
        explanation.facts.extend(elsewhere(subject, path, window));
    } else if width.is_some() {
        explanation.facts.push("this plan has no window of that width there".to_owned());
    }
    explanation.facts.extend(reason.into_iter().flat_map(advice::of).map(str::to_owned));
    Some(explanation)
}

/// Is it a rule of `observed`?
fn only_watches(path: &str) -> bool {
    path.split('.').any(|part| part == "observed")
}

/// A block that is no entry of the policy: `block.k3f9`.
fn is_of_a_manager(path: &str) -> bool {
    let id = path.strip_prefix("block.").unwrap_or_default();
    !id.is_empty() && id.bytes().all(|octet| octet.is_ascii_alphanumeric())
}

/// A rule the tables give although no line of the policy is its own.
fn is_known(tables: &Tables, path: &str) -> bool {
    tables.cells().any(|cell| tables.envelope(cell).rule == path)
}

fn window(plan: &Plan, path: &str, width: &str) -> Option<Window> {
    let path = path.strip_suffix(".failed").unwrap_or(path);
    let windows = decide::all_windows(plan).into_iter().find(|(of, _)| of == path).map(|(_, windows)| windows)?;
    windows.list().iter().copied().find(|window| window.width_name() == width)
}

/// Why this block and no other.
fn because(plan: &Plan, path: &str) -> Option<String> {
    let mut parts = path.split('.');
    let (kind, name) = (parts.next()?, parts.next()?);
    let quoted = |names: &[String]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let (listeners, networks) = match kind {
        "may_send" => plan.may_send.get(name).map(|block| (&block.connecting_to, &block.from))?,
        "may_receive" => plan.may_receive.get(name).map(|block| (&block.connecting_to, &block.from))?,
        "limit_grants" => return Some(format!("the limit grant of {name} holds instead of the block's own limits")),
        "blocked" => {
            return plan.blocked.get(name.parse::<usize>().ok()?).map(|entry| format!("because: {}", entry.because));
        }
        "block" => return Some("a manager set this block by a command; it ends by itself".to_owned()),
        "senders" => return Some(format!("the client is the registered application \"{name}\"")),
        _ => return None,
    };
    Some(format!("block \"{name}\" serves listener {} for clients in {}", quoted(listeners), quoted(networks)))
}

fn opens_again(path: &str, window: Window) -> String {
    let width = window.width_text();
    let event = path.rsplit('.').next().unwrap_or(path);
    let what = if event.starts_with("message") { "message" } else { "recipient" };
    match event {
        "messages_attempted" | "recipients_attempted" => {
            format!("opens again when the {} latest attempt is {width} old; refused attempts count", nth(window.max))
        }
        "messages_accepted" | "recipients_accepted" => {
            format!("opens again when the {} latest accepted {what} is {width} old", nth(window.max))
        }
        _ => format!("opens again when the {} latest is {width} old", nth(window.max)),
    }
}

fn nth(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// Where the same person may do more.
fn elsewhere(subject: Subject<'_>, path: &str, window: Window) -> Option<String> {
    let mut parts = path.split('.');
    let ("may_send", name, event) = (parts.next()?, parts.next()?, path.rsplit('.').next()?) else { return None };
    let wider = subject.plan.may_send.iter().filter(|(other, block)| {
        let row = match &block.limits {
            Limits::EachAccount(row) => row,
            Limits::EachClientAddress(_) => return false,
        };
        let windows = match event {
            "messages_attempted" => &row.messages_attempted,
            "messages_accepted" => &row.messages_accepted,
            "recipients_attempted" => &row.recipients_attempted,
            "recipients_accepted" => &row.recipients_accepted,
            _ => return false,
        };
        other.as_str() != name && allows_more(windows, window)
    });
    let blocks: Vec<String> =
        wider.map(|(name, block)| format!("\"{name}\" (from {})", block.from.join(", "))).collect();
    (!blocks.is_empty()).then(|| format!("in {} this window is wider", blocks.join(" and ")))
}

fn allows_more(windows: &Windows, than: Window) -> bool {
    match windows {
        Windows::Unlimited | Windows::NotCounted => true,
        Windows::Within(list) => {
            list.iter().filter(|window| window.width_s == than.width_s).all(|window| window.max > than.max)
        }
    }
}

/// Which blocks serve a listener; for `would`.
pub(super) fn block_named<'t>(
    tables: &'t Tables,
    name: &str,
) -> Option<(decide::ListenerId, decide::ClassId, &'t str)> {
    for (listener, listener_name, _) in tables.listeners() {
        for class in tables.classes() {
            if let Some(Block::Send(index)) = tables.block(listener, class)
                && tables.send_block(index).0 == name
            {
                return Some((listener, class, listener_name));
            }
        }
    }
    None
}
