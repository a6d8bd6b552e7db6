//! L03xx, E0207 and E0209: arithmetic on windows, and what one password can do (policy-language.md 6.4).

mod arithmetic;
mod deployed;
mod grants;
mod memory;
mod observed;
mod radius;
mod rows;
#[cfg(test)]
mod simulated;

use plan::{SeveralBlocks, Window};

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::model::block::{Row, SendBlock, Windows};
use crate::model::{Policy, Switch};
use crate::syntax::{Entries, Span, Spanned, WordOr};

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    arithmetic::check(subject, sink);
    radius::check(subject, sink);
    rows::check(subject, sink);
    grants::check(subject, sink);
    memory::check(subject, sink);
    observed::check(subject, sink);
    deployed::check(subject, sink);
}

/// What a row is kept for.
#[derive(Clone, Copy)]
enum Of<'p> {
    Block(&'p SendBlock),
    Profile,
    Grant,
    Application,
}

/// One row of limits and where it stands.
struct RowAt<'p> {
    /// Rule ids of the row begin with it: `may_send.machine`.
    rule: String,
    /// Its path in the file: `may_send.machine.each_client_address`.
    path: String,
    /// For messages: `block "machine"`.
    who: String,
    of: Of<'p>,
    /// The block it limits.
    block: &'p str,
    row: &'p Row,
}

/// Every row that can be seen, in the order written.
fn rows(policy: &Policy) -> Vec<RowAt<'_>> {
    let mut rows = Vec::new();
    for (name, block) in policy.may_send.seen().into_iter().flat_map(Entries::iter) {
        let rule = format!("may_send.{name}");
        if let Some((field, row)) = block.row() {
            let path = format!("{rule}.{field}");
            let who = format!("block \"{name}\"");
            rows.push(RowAt { rule: rule.clone(), path, who, of: Of::Block(&block.value), block: name, row });
        }
        for (profile, row) in block.by_profile.iter() {
            let path = format!("{rule}.by_profile.{profile}");
            let who = format!("block \"{name}\" for profile \"{profile}\"");
            rows.push(RowAt { rule: path.clone(), path, who, of: Of::Profile, block: name, row });
        }
    }
    for (index, grant) in policy.limit_grants.seen().into_iter().flatten().enumerate() {
        let rule = format!("limit_grants.{}.{}", grant.value.login, grant.value.block);
        let path = format!("limit_grants[{index}].limits");
        let who = format!("the grant to {}", grant.value.login);
        rows.push(RowAt { rule, path, who, of: Of::Grant, block: &grant.value.block, row: &grant.value.limits });
    }
    if let Some(senders) = policy.senders.seen().and_then(Switch::on) {
        for (name, application) in senders.known.iter() {
            let rule = format!("senders.{name}");
            let path = format!("senders.known.{name}.limits");
            let who = format!("application \"{name}\"");
            rows.push(RowAt { rule, path, who, of: Of::Application, block: name, row: &application.value.limits });
        }
    }
    rows
}

/// Windows with their places, the shortest first; none for `Unlimited`, and none where a limit is 0 (E0201).
fn windows_of(counted: &Windows) -> Vec<Spanned<Window>> {
    let WordOr::Value(rates) = counted else { return Vec::new() };
    let mut windows: Vec<Spanned<Window>> = rates.iter().map(|rate| Spanned::new(rate.value.0, rate.span)).collect();
    windows.sort_by_key(|window| (window.value.width_s, window.value.max));
    windows.dedup_by_key(|window| window.value.width_s);
    if windows.iter().any(|window| window.value.max == 0) { Vec::new() } else { windows }
}

/// The place of a value whose path is known: its own where it is written, else the nearest written thing around it.
fn place(subject: &Subject<'_>, path: &str, own: Span) -> Span {
    if subject.is_written(path) { own } else { subject.place(path) }
}

/// Does another block read the same ring? Then what one block lets through is no bound of what the ring holds.
fn shares_rings(policy: &Policy) -> bool {
    let together = policy.one_account_in_several_blocks.seen() == Some(&SeveralBlocks::CountedTogether);
    let blocks = policy.may_send.seen().into_iter().flat_map(Entries::values);
    together && blocks.filter(|block| block.each_account.is_some()).count() > 1
}
