//! Where each rule stands: policy paths as the document gives them, under the names rule ids have.

use std::collections::BTreeMap;

use plan::{Place, PlanHash, SourceMap};

use crate::diagnostic::{FileId, Sources};
use crate::model::Policy;
use crate::model::literal::{Literal, Rate};
use crate::shown::first_chars;
use crate::syntax::{Document, Span};

/// The map of a plan: every path written in the policy, then the defaults for sections that are not.
pub(crate) fn source_map(
    policy: &Policy,
    document: &Document,
    defaults: &Document,
    sources: &Sources,
    hash: PlanHash,
) -> SourceMap {
    let written: Vec<&str> = document.sections().map(|section| section.name).collect();
    let mut rules: BTreeMap<String, Span> = BTreeMap::new();
    for (path, span) in document.path_spans() {
        rules.insert(rule_path(policy, sources, &path, span), span);
    }
    for (path, span) in defaults.path_spans() {
        let section = path.split(['.', '[']).next().unwrap_or(&path);
        // Blocks derived from listeners have names of their own, added below.
        if !written.contains(&section) && !section.starts_with("may_") {
            rules.insert(rule_path(policy, sources, &path, span), span);
        }
    }
    for (path, span) in derived(policy) {
        rules.entry(path).or_insert(span);
    }
    let lines = Lines::new(sources, document.last_file());
    let places = rules.into_iter().filter_map(|(rule, span)| Some((rule, lines.place(sources, span)?)));
    SourceMap { plan: hash.short(), files: lines.names.clone(), places: places.collect() }
}

/// Named members, so that every block and every step has a place even where nobody wrote it.
fn derived(policy: &Policy) -> Vec<(String, Span)> {
    let mut rules = Vec::new();
    let sends = policy.may_send.seen().into_iter().flat_map(|blocks| blocks.iter().map(|(n, b)| (n, b.span)));
    rules.extend(sends.map(|(name, span)| (format!("may_send.{name}"), span)));
    let receives = policy.may_receive.seen().into_iter().flat_map(|blocks| blocks.iter().map(|(n, b)| (n, b.span)));
    rules.extend(receives.map(|(name, span)| (format!("may_receive.{name}"), span)));
    let reads = policy.may_read.seen().into_iter().flat_map(|blocks| blocks.iter().map(|(n, b)| (n, b.span)));
    rules.extend(reads.map(|(name, span)| (format!("may_read.{name}"), span)));
    for step in policy.reception.seen().into_iter().flatten() {
        rules.push((format!("reception.{:?}", step.value), step.span));
    }
    for step in policy.sending.seen().into_iter().flatten() {
        rules.push((format!("sending.{:?}", step.value), step.span));
    }
    rules
}

/// What windows stand under.
const COUNTS: [&str; 7] = [
    "messages_attempted",
    "messages_accepted",
    "recipients_attempted",
    "recipients_accepted",
    "connections_attempted",
    "unknown_recipients_attempted",
    "failed",
];

/// The rule id of a path: without `each_account` and `each_client_address` in a block, with `/window` for a window,
/// with names where the path has positions.
fn rule_path(policy: &Policy, sources: &Sources, path: &str, span: Span) -> String {
    let mut rule = named(policy, path);
    if rule.starts_with("may_send.") {
        for field in [".each_account", ".each_client_address"] {
            if rule.ends_with(field) {
                rule.truncate(rule.len() - field.len());
            }
            rule = rule.replacen(&format!("{field}."), ".", 1);
        }
    }
    let Some((list, _)) = rule.strip_suffix(']').and_then(|rule| rule.rsplit_once('[')) else { return rule };
    let count = list.rsplit('.').next().unwrap_or(list);
    if !COUNTS.contains(&count) {
        return rule;
    }
    match Rate::from_text(sources.slice(span).trim_matches('"')) {
        Ok(Rate(window)) => format!("{list}/{}", window.width_name()),
        Err(_) => rule,
    }
}

/// `limit_grants[0].limits.x` is `limit_grants.LOGIN.BLOCK.x`; `senders.known.NAME.limits.x` is `senders.NAME.x`;
/// `blocked[0]` is `blocked.0`.
fn named(policy: &Policy, path: &str) -> String {
    if let Some(application) = path.strip_prefix("senders.known.") {
        let rest = application.strip_suffix(".limits").map(str::to_owned);
        return format!("senders.{}", rest.unwrap_or_else(|| application.replacen(".limits.", ".", 1)));
    }
    if let Some((index, rest)) = path.strip_prefix("blocked[").and_then(|path| path.split_once(']')) {
        return format!("blocked.{index}{rest}");
    }
    let Some((index, rest)) = path.strip_prefix("limit_grants[").and_then(|p| p.split_once(']')) else {
        return path.to_owned();
    };
    let grants = policy.limit_grants.seen();
    let grant = index.parse::<usize>().ok().and_then(|index| grants.and_then(|grants| grants.get(index)));
    match grant {
        Some(grant) => {
            let rest = rest.strip_prefix(".limits").unwrap_or(rest);
            format!("limit_grants.{}.{}{rest}", grant.value.login, grant.value.block)
        }
        None => path.to_owned(),
    }
}

/// A place keeps this much of its line: a policy on one line would be in the map once for each rule.
const LINE_CHARS_MAX: usize = 400;

/// The lines of the files, cut once.
struct Lines<'s> {
    names: Vec<String>,
    lines: Vec<Vec<&'s str>>,
}

impl<'s> Lines<'s> {
    /// The entry, the defaults, and the files the policy was composed of: the first of a compilation.
    fn new(sources: &'s Sources, last: FileId) -> Lines<'s> {
        let files = (0..=last.0.max(1)).map(FileId);
        Lines {
            names: files.clone().map(|file| sources.name(file).to_owned()).collect(),
            lines: files.map(|file| sources.text(file).lines().collect()).collect(),
        }
    }

    fn place(&self, sources: &Sources, span: Span) -> Option<Place> {
        let at = sources.position(span.file, span.start);
        let text = self.lines.get(span.file.0 as usize)?.get(at.line as usize - 1)?;
        let text = first_chars(text.trim_end(), LINE_CHARS_MAX);
        Some(Place { file: span.file.0, line: at.line, column: at.col, text })
    }
}
