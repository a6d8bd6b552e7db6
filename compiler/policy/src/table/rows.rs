//! How each kind of fact is called in the table.

use super::Row;
use super::step::{Step, place, rule, without_unit};

/// The row of a value that stands at `at`.
pub(super) fn row(at: &[Step<'_>], value: String) -> Row {
    let mut cells = named(at);
    cells.push(value);
    Row { cells, rule: rule(at), place: place(at) }
}

/// Lists whose items are facts of their own: an empty one is no fact.
pub(super) fn is_register(at: &[Step<'_>]) -> bool {
    let names: Vec<&str> = at.iter().map(Step::name).collect();
    matches!(
        names.as_slice(),
        ["blocked" | "limit_grants" | "guarantees" | "waivers"]
            | ["mailboxes", "grants"]
            | ["redirects", "refused_examples"]
            | ["identity", "login", "examples"]
    )
}

/// Structs that are read as one.
pub(super) fn is_one_fact(at: &[Step<'_>]) -> bool {
    let names: Vec<&str> = at.iter().map(Step::name).collect();
    matches!(names.as_slice(), ["identity", "login", "examples", _])
}

/// Fields an item of a register is named after.
pub(super) fn is_in_the_name(at: &[Step<'_>], field: &str) -> bool {
    let names: Vec<&str> = at.iter().map(Step::name).collect();
    match names.as_slice() {
        ["limit_grants", _] => matches!(field, "login" | "block"),
        ["blocked", _] => field == "what",
        ["waivers", _] => matches!(field, "lint" | "at"),
        ["mailboxes", "grants", _] => field == "login",
        _ => false,
    }
}

/// Everything but the value.
fn named(at: &[Step<'_>]) -> Vec<String> {
    let names: Vec<&str> = at.iter().map(Step::name).collect();
    match names.as_slice() {
        ["may_send", name, "by_profile", profile, ..] => {
            let mut cells = called("send", &[name], at.get(4..).unwrap_or_default());
            cells.insert(2, format!("profile {profile}"));
            cells
        }
        ["may_send", name, "limits", kept, ..] => {
            let mut cells = called("send", &[name], at.get(4..).unwrap_or_default());
            cells.insert(2, (*kept).to_owned());
            cells
        }
        ["may_send", name, ..] => called("send", &[name], &at[2..]),
        ["may_receive", name, ..] => called("receive", &[name], &at[2..]),
        ["may_read", name, ..] => called("read", &[name], &at[2..]),
        ["never_reachable_beyond", service] => called("reach", &[&service.to_lowercase()], &[]),
        ["web", service] => called("web", &[&service.to_lowercase()], &[]),
        ["networks", name] => called("network", &[name], &[]),
        ["gateways", name, ..] => called("gateway", &[name], &at[2..]),
        ["listeners", name, ..] => called("listener", &[name], &at[2..]),
        ["identity", "login", "examples", _] => called("identity", &["login example"], &[]),
        ["compromise", name, ..] => called("detector", &[name], &at[2..]),
        ["domains", name] => called("domain", &[name], &[]),
        ["limit_grants", grant, ..] => called("grant", &[grant], &at[2..]),
        ["senders", "known", name, ..] => called("sender", &[name], &at[3..]),
        ["blocked", what, ..] => called("blocked", &[what], &at[2..]),
        ["dns_lists", name, ..] => called("dns list", &[name], &at[2..]),
        ["delivery", "providers", name, ..] => called("provider", &[name], &at[3..]),
        ["mailboxes", "profiles", name, "quota"] => called("quota", &[name], &[]),
        ["mailboxes", "profiles", name, ..] => called("profile", &[name], &at[3..]),
        ["mailboxes", "grants", login, ..] => called("quota grant", &[login], &at[3..]),
        ["mailboxes", ..] => called("mailbox", &[], &at[1..]),
        ["scanners", name, ..] => called("scanner", &[name], &at[2..]),
        ["redirects", "allow", name] => called("redirect", &[name], &[]),
        ["redirects", "refused_examples", _] => called("redirect", &["refused example"], &[]),
        ["redirects", "on_grant", name, ..] => called("redirect", &["on grant", name], &at[3..]),
        ["routes", "homes", name] => called("home", &[name], &[]),
        ["retention", datum] => called("keep", &[&without_unit(datum).replace('_', " ")], &[]),
        ["guarantees", _] => called("promise", &[], &[]),
        ["waivers", waiver, ..] => called("waiver", &[waiver], &at[2..]),
        ["pins", name, ..] => called("pin", &[name], &at[2..]),
        [section, ..] => called(section, &[], &at[1..]),
        [] => Vec::new(),
    }
}

/// Kind, names, and the fields that lead to the value in words.
fn called(kind: &str, names: &[&str], fields: &[Step<'_>]) -> Vec<String> {
    let mut cells = vec![kind.replace('_', " ")];
    cells.extend(names.iter().map(|name| (*name).to_owned()));
    let words: Vec<String> = fields
        .iter()
        .filter_map(|step| match step {
            Step::Field("limits") | Step::Kept(_) | Step::Window(_) => None,
            Step::Field(name) => Some(without_unit(name).replace('_', " ")),
            Step::Key(name) => Some((*name).to_owned()),
            Step::Item(name, _) => Some(name.clone()),
        })
        .collect();
    if !words.is_empty() {
        cells.push(words.join(" "));
    }
    cells
}
