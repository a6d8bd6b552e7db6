//! What another plan lets through that this one does not, as far as the tables say it. The compiler's comparison knows more; this
//! one is for who has the tables alone.

use std::collections::BTreeSet;

use plan::{LimitGrant, Row, SendBlock, Windows};

use crate::class::{Block, ClassId, ListenerId};
use crate::envelope::Cell;
use crate::reading::ReadingCell;
use crate::row;
use crate::tables::Tables;

/// Rules of `new` that allow more than `old` does: cells that are accepted and were not, limits that are larger or gone, whatever the
/// block is called that has them. Sorted.
pub fn loosened(old: &Tables, new: &Tables) -> Vec<String> {
    let before = |listener: ListenerId, class: ClassId| {
        let listener = old.listener(new.listener_name(listener))?;
        let class = old.classes().find(|class_before| old.class_name(*class_before) == new.class_name(class))?;
        Some((listener, class))
    };
    let mut rules = BTreeSet::new();
    for cell in new.cells().filter(|cell| new.envelope(*cell).accepts()) {
        let accepted = before(cell.listener, cell.class).is_some_and(|(listener, class)| {
            let speaks = old.listener_rules(listener).speaks;
            crate::envelope::has_envelopes(speaks) && old.envelope(Cell { listener, class, ..cell }).accepts()
        });
        if !accepted {
            rules.insert(path(new, cell.listener, cell.class));
        }
    }
    for cell in new.reading_cells().filter(|cell| new.reading(*cell).reads()) {
        let read = before(cell.listener, cell.class)
            .is_some_and(|(listener, class)| old.reading(ReadingCell { listener, class, ..cell }).reads());
        if !read {
            rules.insert(path(new, cell.listener, cell.class));
        }
    }
    rules.extend(wider(old, new));
    let listeners = || new.listeners().map(|(listener, _, _)| listener);
    let both = listeners().flat_map(|listener| new.classes().map(move |class| (listener, class)));
    let pairs: BTreeSet<(u16, u16)> = both
        .filter_map(|(listener, class)| {
            let (listener_before, class_before) = before(listener, class)?;
            match (old.block(listener_before, class_before)?, new.block(listener, class)?) {
                (Block::Send(one), Block::Send(other)) => Some((one, other)),
                _ => None,
            }
        })
        .collect();
    for (one, other) in pairs {
        let ((_, one), (name, other)) = (old.send_block(one), new.send_block(other));
        rules.extend(wider_block(one, name, other));
    }
    rules.extend(granted(old, new));
    rules.into_iter().collect()
}

/// Limits of a block that let more pass than those of the block its clients had before.
fn wider_block(old: &SendBlock, name: &str, new: &SendBlock) -> Vec<String> {
    let of = |block: &SendBlock, profile: Option<&String>| -> Row {
        let own = profile.and_then(|profile| block.by_profile.get(profile));
        own.unwrap_or_else(|| block.limits.row()).clone()
    };
    let mut rules = Vec::new();
    for profile in std::iter::once(None).chain(old.by_profile.keys().chain(new.by_profile.keys()).map(Some)) {
        let part = profile.map(|profile| format!(".by_profile.{profile}")).unwrap_or_default();
        let path = format!("may_send.{name}{part}");
        rules.extend(wider_row(&of(old, profile), &path, &of(new, profile)));
    }
    rules
}

fn wider_row(old: &Row, path: &str, new: &Row) -> Vec<String> {
    let windows = [
        ("messages_attempted", &old.messages_attempted, &new.messages_attempted),
        ("messages_accepted", &old.messages_accepted, &new.messages_accepted),
        ("recipients_attempted", &old.recipients_attempted, &new.recipients_attempted),
        ("recipients_accepted", &old.recipients_accepted, &new.recipients_accepted),
    ];
    let wider = windows.into_iter().filter(|(_, old, new)| is_wider(old, new)).map(|(event, _, _)| event);
    let more = (new.recipients_in_one_message > old.recipients_in_one_message).then_some("recipients_in_one_message");
    wider.chain(more).map(|limit| format!("{path}.{limit}")).collect()
}

/// Grants of limits nobody had before, or not for so long, where they allow more than the block does for everybody.
fn granted(old: &Tables, new: &Tables) -> Vec<String> {
    let mut rules = Vec::new();
    for grant in &new.plan().limit_grants {
        let is_it = |it: &LimitGrant| (&it.login, &it.block) == (&grant.login, &grant.block) && it.until >= grant.until;
        let had = old.plan().limit_grants.iter().any(is_it);
        let block = old.plan().may_send.get(&grant.block).filter(|_| !had);
        if let Some(block) = block {
            let path = format!("limit_grants.{}.{}", grant.login, grant.block);
            rules.extend(wider_row(block.limits.row(), &path, &grant.limits));
        }
    }
    rules
}

fn path(tables: &Tables, listener: ListenerId, class: ClassId) -> String {
    match tables.block(listener, class) {
        Some(block) => tables.block_path(block),
        None => format!("listeners.{}", tables.listener_name(listener)),
    }
}

/// Lists of windows that let more pass: for some window of the old list none of the new is as narrow.
fn wider(old: &Tables, new: &Tables) -> Vec<String> {
    let after = row::all_windows(new.plan());
    let mut rules = Vec::new();
    for (path, windows) in row::all_windows(old.plan()) {
        let Some((_, new)) = after.iter().find(|(name, _)| *name == path) else { continue };
        if is_wider(windows, new) {
            rules.push(path);
        }
    }
    rules
}

fn is_wider(old: &Windows, new: &Windows) -> bool {
    let holds =
        |window: &plan::Window| new.list().iter().any(|it| it.max <= window.max && it.width_s >= window.width_s);
    !old.list().iter().all(holds)
}

#[cfg(test)]
mod tests {
    use plan::Window;

    use super::*;

    fn tables(change: impl FnOnce(&mut plan::Plan)) -> Tables {
        let (mut plan, _) = plan::read(include_str!("../../../policies/bench/policy.plan.ron")).unwrap();
        plan.may_send.values_mut().for_each(|block| {
            let row = row_of(block);
            row.messages_accepted = Windows::Within(vec![Window { max: 250, width_s: 900 }]);
        });
        change(&mut plan);
        Tables::new(plan).unwrap()
    }

    fn row_of(block: &mut SendBlock) -> &mut Row {
        match &mut block.limits {
            plan::Limits::EachAccount(row) | plan::Limits::EachClientAddress(row) => row,
        }
    }

    /// Puts a block under another name in the place of the first that people send through.
    fn renamed(plan: &mut plan::Plan, change: impl FnOnce(&mut SendBlock)) {
        let (_, mut block) = plan.may_send.pop_first().unwrap();
        change(&mut block);
        plan.may_send.insert("renamed".to_owned(), block);
    }

    #[test]
    fn a_limit_is_known_by_whom_it_binds_and_not_by_the_name_of_its_block() {
        let old = tables(|_| ());
        assert!(loosened(&old, &tables(|plan| renamed(plan, |_| ()))).is_empty());
        let tighter = |block: &mut SendBlock| row_of(block).recipients_in_one_message = 1;
        assert!(loosened(&old, &tables(|plan| renamed(plan, tighter))).is_empty());
        let wider = |block: &mut SendBlock| {
            row_of(block).messages_accepted = Windows::Within(vec![Window { max: 251, width_s: 900 }]);
        };
        assert_eq!(loosened(&old, &tables(|plan| renamed(plan, wider))), ["may_send.renamed.messages_accepted"]);
        let more = |block: &mut SendBlock| row_of(block).recipients_in_one_message += 1;
        assert_eq!(loosened(&old, &tables(|plan| renamed(plan, more))), ["may_send.renamed.recipients_in_one_message"]);
        let for_some = |block: &mut SendBlock| {
            let mut row = row_of(block).clone();
            row.messages_accepted = Windows::NotCounted;
            block.by_profile.insert("staff".to_owned(), row);
        };
        let rules = ["may_send.renamed.by_profile.staff.messages_accepted"];
        assert_eq!(loosened(&old, &tables(|plan| renamed(plan, for_some))), rules);
    }

    #[test]
    fn a_list_of_windows_is_wider_when_one_of_them_no_longer_holds() {
        let within = |all: &[(u32, u32)]| {
            Windows::Within(all.iter().map(|(max, width_s)| Window { max: *max, width_s: *width_s }).collect())
        };
        for (old, new, wider) in [
            (&[(250, 900)][..], &[(250, 900)][..], false),
            (&[(250, 900)], &[(200, 900)], false),
            (&[(250, 900)], &[(251, 900)], true),
            (&[(250, 900)], &[(250, 600)], true),
            (&[(250, 900), (1_000, 3_600)], &[(250, 900)], true),
            (&[(250, 900)], &[(250, 900), (1_000, 3_600)], false),
        ] {
            assert_eq!(is_wider(&within(old), &within(new)), wider, "{old:?} → {new:?}");
        }
    }
}
