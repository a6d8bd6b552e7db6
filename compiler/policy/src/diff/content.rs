//! Two content tables, cell by cell. Engines have the same results in both; one that only one plan has is asked there
//! alone.

use std::collections::BTreeSet;

use decide::{ContentCell, ContentVerdict, Ending, Tables};

use super::cells::{Cells, Judged, Rank};

/// Results an engine can have.
const RESULTS: usize = 5;

/// Compares every cell of both.
pub(super) fn compare(old: &Tables, new: &Tables) -> Cells {
    let mut cells = Cells::default();
    let all: BTreeSet<&str> = engines(old).iter().chain(engines(new)).map(String::as_str).collect();
    let all: Vec<&str> = all.into_iter().collect();
    // Everything but the engines is the same in both tables.
    let plain: Vec<ContentCell> = old.content_cells().filter(|cell| cell.engines == 0).collect();
    for results in 0..combinations(all.len()) {
        let sides = [old, new].map(|tables| (tables, radix(tables, &all, results)));
        for cell in &plain {
            let [was, now] = sides.map(|(tables, engines)| judged(&tables.content(ContentCell { engines, ..*cell })));
            cells.count(&was, &now);
        }
    }
    cells
}

/// Cells a comparison visits, before it is begun; each is worth several of the envelope table.
pub(super) fn cost(old: &Tables, new: &Tables) -> usize {
    let all: BTreeSet<&str> = engines(old).iter().chain(engines(new)).map(String::as_str).collect();
    combinations(all.len()).saturating_mul(270 * 8)
}

fn combinations(engines: usize) -> usize {
    (0..engines).fold(1usize, |product, _| product.saturating_mul(RESULTS))
}

fn engines(tables: &Tables) -> &[String] {
    tables.plan().antivirus.as_ref().map_or(&[], |antivirus| &antivirus.engines)
}

/// The results of `all`, in mixed radix, as the digits of this plan's own engines.
fn radix(tables: &Tables, all: &[&str], results: usize) -> u32 {
    engines(tables).iter().fold(0, |number, engine| {
        let place = all.iter().position(|name| name == engine).unwrap_or_default() as u32;
        let digit = results / RESULTS.saturating_pow(place) % RESULTS;
        number * RESULTS as u32 + digit as u32
    })
}

fn judged(verdict: &ContentVerdict) -> Judged {
    let ContentVerdict { ending, tagged, tell, dsn, rescan, .. } = verdict;
    let with = |rank, what: &str| {
        let how = format!("{what} {:?} {tell:?} {dsn:?} {rescan}", tagged.is_some());
        Judged { rank, how, by_block: false }
    };
    match ending {
        Ending::Delivered if tagged.is_some() => with(Rank::Tagged, "tagged"),
        Ending::Delivered => with(Rank::Accepted, "delivered"),
        Ending::Refused(refusal) => Judged::refused(refusal.code, refusal.reason),
        Ending::Quarantined => with(Rank::Refused, "quarantined"),
        Ending::Dropped => with(Rank::Refused, "dropped"),
    }
}
