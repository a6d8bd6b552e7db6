//! What another plan lets through that this one does not, as far as the tables say it. The compiler's comparison knows more; this
//! one is for who has the tables alone.

use std::collections::BTreeSet;

use plan::Windows;

use crate::class::{ClassId, ListenerId};
use crate::envelope::Cell;
use crate::reading::ReadingCell;
use crate::row;
use crate::tables::Tables;

/// Rules of `new` that allow more than `old` does: cells that are accepted and were not, windows that are larger or gone. Sorted.
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
    rules.into_iter().collect()
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
