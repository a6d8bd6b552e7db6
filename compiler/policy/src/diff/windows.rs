//! Windows and rows of limits by their arithmetic (policy-language.md 6.4).

use plan::{Row, Window, Windows};

use super::Class;
use crate::table::value::span;

/// One window in place of another. A smaller count over the same or a wider time is tighter.
pub(super) fn window(old: Window, new: Window) -> Class {
    match (implies(new, old), implies(old, new)) {
        (true, true) => Class::Text,
        (true, false) => Class::Tighter,
        (false, true) => Class::Looser,
        (false, false) => Class::Different,
    }
}

/// Does keeping `a` mean keeping `b`?
fn implies(a: Window, b: Window) -> bool {
    a.max <= b.max && a.width_s >= b.width_s
}

/// A whole row in place of another; `None` when they allow the same.
pub(super) fn row(old: &Row, new: &Row) -> Option<Class> {
    let tighter = row_implies(new, old);
    let looser = row_implies(old, new);
    match (tighter, looser) {
        (true, true) => None,
        (true, false) => Some(Class::Tighter),
        (false, true) => Some(Class::Looser),
        (false, false) => Some(Class::Different),
    }
}

fn row_implies(a: &Row, b: &Row) -> bool {
    // What is accepted was attempted: a window on attempts holds for what is accepted, too.
    let all = |kept: &[&Windows], asked: &Windows| {
        let kept: Vec<Window> = kept.iter().flat_map(|windows| windows.list()).copied().collect();
        asked.list().iter().all(|asked| kept.iter().any(|kept| implies(*kept, *asked)))
    };
    a.recipients_in_one_message <= b.recipients_in_one_message
        && all(&[&a.messages_attempted], &b.messages_attempted)
        && all(&[&a.messages_attempted, &a.messages_accepted], &b.messages_accepted)
        && all(&[&a.recipients_attempted], &b.recipients_attempted)
        && all(&[&a.recipients_attempted, &a.recipients_accepted], &b.recipients_accepted)
}

/// What a list of windows comes to: a code of the catalogue and what it says.
pub(super) fn consequences(windows: &[Window], attempted: bool) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for (index, short) in windows.iter().enumerate() {
        for long in windows.iter().skip(index + 1) {
            let steps = u64::from(long.width_s.div_ceil(short.width_s.max(1)));
            let name = |window: &Window| format!("{} per {}", window.max, span(u64::from(window.width_s)));
            if short.max >= long.max {
                found.push(("L0303", name(short)));
            } else if steps * u64::from(short.max) <= u64::from(long.max) {
                found.push((if attempted { "L0302" } else { "L0301" }, name(long)));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// What began and what ended to be so.
pub(super) fn notes(old: &[Window], new: &[Window], attempted: bool) -> Vec<String> {
    let (before, after) = (consequences(old, attempted), consequences(new, attempted));
    let mut notes = Vec::new();
    for (code, limit) in after.iter().filter(|one| !before.contains(one)) {
        notes.push(match *code {
            "L0302" => format!("{code}, only refused attempts can exhaust the {limit} limit"),
            _ => format!("{code}, the {limit} limit can no longer refuse on its own"),
        });
    }
    for (code, limit) in before.iter().filter(|one| !after.contains(one)) {
        // A limit that went away says nothing any more.
        let still = |window: &Window| format!("{} per {}", window.max, span(u64::from(window.width_s))) == *limit;
        if new.iter().any(still) {
            notes.push(format!("{code} is gone, the {limit} limit can refuse on its own again"));
        }
    }
    notes
}
