//! E0207: exact windows are kept in memory, and memory ends (policy-language.md 5.2). The worst case is that as many
//! accounts as `counters` says are full at once, each in every block it can use.

use plan::SeveralBlocks;

use super::{Of, RowAt, rows, windows_of};
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::figures::grouped;
use crate::syntax::Span;

/// A moment in a ring.
const STAMP_OCTETS: u64 = 4;
const MIB: u64 = 1 << 20;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    let (Some(counters), Some(several)) = (policy.counters.seen(), policy.one_account_in_several_blocks.seen()) else {
        return;
    };
    let rows = rows(policy);
    let accounts = u64::from(counters.accounts.value);
    let everyone = account_octets(&rows, *several).saturating_mul(accounts);
    let granted = rows.iter().filter(|at| matches!(at.of, Of::Grant)).map(stamps);
    let needed = granted.fold(everyone, |sum, stamps| sum.saturating_add(stamps.iter().sum::<u64>() * STAMP_OCTETS));
    let memory = counters.memory.value.0;
    if needed <= memory {
        return;
    }
    let (wanted, given) = (grouped(needed.div_ceil(MIB)), grouped(memory / MIB));
    let message =
        format!("counters for {} accounts may need {wanted} MiB, above the image's {given}", grouped(accounts));
    let place = largest(subject, &rows).unwrap_or_else(|| subject.place("may_send"));
    let mut diagnostic = Diagnostic::new(Code::E0207, message)
        .help("lower the largest window or raise `memory`")
        .at(place, "the largest window")
        .rule("counters.memory");
    if subject.is_written("counters.memory") {
        let text = format!("\"{} MiB\"", needed.div_ceil(MIB));
        diagnostic = diagnostic.also(counters.memory.span, "what there is").edit(counters.memory.span, text);
    }
    sink.push(diagnostic);
}

/// Stamps of the four rings of a row. Two windows on one event share one, as long as the larger.
fn stamps(at: &RowAt<'_>) -> [u64; 4] {
    at.row.counts().map(|(_, counted)| {
        let windows = counted.into_iter().flat_map(|counted| windows_of(counted));
        windows.map(|window| u64::from(window.value.max)).max().unwrap_or(0)
    })
}

/// Octets of the rings of one account that is full in every block, in the widest row of each.
pub(super) fn account_octets(rows: &[RowAt<'_>], several: SeveralBlocks) -> u64 {
    let mut blocks: std::collections::BTreeMap<&str, [u64; 4]> = std::collections::BTreeMap::new();
    for at in rows {
        let of_account = match at.of {
            Of::Block(block) => block.each_account.is_some(),
            Of::Profile => true,
            Of::Grant | Of::Application => false,
        };
        if of_account {
            let widest = blocks.entry(at.block).or_default();
            *widest = pairwise(*widest, stamps(at), u64::max);
        }
    }
    let join = match several {
        SeveralBlocks::CountedSeparately => u64::saturating_add,
        SeveralBlocks::CountedTogether => u64::max,
    };
    let rings = blocks.into_values().fold([0; 4], |all, block| pairwise(all, block, join));
    rings.into_iter().fold(0, u64::saturating_add).saturating_mul(STAMP_OCTETS)
}

fn pairwise(a: [u64; 4], b: [u64; 4], join: fn(u64, u64) -> u64) -> [u64; 4] {
    std::array::from_fn(|index| join(a[index], b[index]))
}

/// The place of the window that asks for most, where it is written.
fn largest(subject: &Subject<'_>, rows: &[RowAt<'_>]) -> Option<Span> {
    let mut found: Option<(u32, Span)> = None;
    for at in rows.iter().filter(|at| !matches!(at.of, Of::Application)) {
        for (field, counted) in at.row.counts() {
            for window in counted.into_iter().flat_map(|counted| windows_of(counted)) {
                let larger = found.is_none_or(|(most, _)| window.value.max > most);
                if larger && subject.is_written(&format!("{}.{field}", at.path)) {
                    found = Some((window.value.max, window.span));
                }
            }
        }
    }
    found.map(|(_, place)| place)
}
