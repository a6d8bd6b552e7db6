//! Two tables of decisions, cell by cell. Cells are the same when listener and client class have the same names; a class
//! that only one plan has is compared with the class the other plan gives its addresses.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use decide::{Auth, Cell, ClassId, ListenerId, Outcome, Reachable, ReadingCell, RecipientClass, SenderClass, Tables};
use plan::{Network, Plan, Speaks};

use super::{Class, prefixes};

/// TLS × login × sender class × recipient class.
const CELLS_PER_PAIR: usize = 216;

/// How many cells two tables have and how they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// Of both plans together: pairs that only one has are in it.
    pub total: usize,
    pub tighter: usize,
    pub looser: usize,
    /// Let through by another block.
    pub different: usize,
    /// As before as to what gets through, and answered, told or kept otherwise.
    pub reworded: usize,
}

impl Cells {
    pub fn changed(&self) -> usize {
        self.tighter + self.looser + self.different + self.reworded
    }

    pub(super) fn add(&mut self, other: Cells) {
        self.total += other.total;
        self.tighter += other.tighter;
        self.looser += other.looser;
        self.different += other.different;
        self.reworded += other.reworded;
    }

    /// What all cells that differ have in common; `None` when none does.
    pub(crate) fn class(&self) -> Option<Class> {
        match (self.tighter, self.looser, self.different) {
            (0, 0, 0) if self.reworded == 0 => None,
            (1.., 0, 0) => Some(Class::Tighter),
            (0, 1.., 0) => Some(Class::Looser),
            _ => Some(Class::Different),
        }
    }

    pub(super) fn count(&mut self, old: &Judged, new: &Judged) {
        self.total += 1;
        if old == new {
            return;
        }
        match new.rank.cmp(&old.rank) {
            Ordering::Greater => self.tighter += 1,
            Ordering::Less => self.looser += 1,
            Ordering::Equal if new.by_block && new.rank == Rank::Accepted => self.different += 1,
            Ordering::Equal => self.reworded += 1,
        }
    }
}

/// How far a cell lets something through, the farthest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Accepted,
    Tagged,
    /// Refused for now.
    Later,
    /// Refused for good, or kept from the recipients, or nobody can bring it about.
    Refused,
}

/// What a cell comes to, as far as two plans can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    pub rank: Rank,
    /// The block, the code and reason, what else is done.
    pub how: String,
    /// Whose limits hold rests on it: another block is another decision.
    pub by_block: bool,
}

impl Judged {
    fn barred() -> Judged {
        Judged { rank: Rank::Refused, how: "barred".to_owned(), by_block: false }
    }

    pub(super) fn refused(code: mail::Code, reason: decide::Reason) -> Judged {
        let rank = if code.is_temporary() { Rank::Later } else { Rank::Refused };
        Judged { rank, how: format!("{code} {reason}"), by_block: false }
    }
}

/// Compares what is decided of envelopes and of reading.
pub(super) fn compare(old: &Tables, new: &Tables) -> Cells {
    let mut cells = Cells::default();
    let classes = class_pairs(old, new);
    let names: BTreeSet<&str> = old.listeners().chain(new.listeners()).map(|(_, name, _)| name).collect();
    for name in names {
        let listeners = (old.listener(name), new.listener(name));
        for (class_old, class_new) in &classes {
            let sides = [(old, listeners.0, *class_old), (new, listeners.1, *class_new)];
            if sides.iter().any(|(tables, id, _)| id.is_some_and(|id| !reads(tables, id))) {
                envelope(sides, &mut cells);
            }
            if sides.iter().any(|(tables, id, _)| id.is_some_and(|id| reads(tables, id))) {
                reading(sides, &mut cells);
            }
        }
    }
    cells
}

/// Most cells a comparison visits, before it is begun.
pub(super) fn cost(old: &Tables, new: &Tables) -> usize {
    let size = |tables: &Tables| {
        let (classes, prefixes) = (tables.classes().count(), prefix_count(tables.plan()));
        let pairs = tables.listeners().count().max(1).saturating_mul(classes.saturating_add(prefixes));
        pairs
            .saturating_mul(CELLS_PER_PAIR)
            .saturating_add(prefixes.saturating_mul(prefixes))
            .saturating_add(classes.saturating_mul(classes))
    };
    size(old).saturating_add(size(new))
}

fn prefix_count(plan: &Plan) -> usize {
    plan.networks.values().map(|network| network.prefixes().len()).sum()
}

type Side<'t> = (&'t Tables, Option<ListenerId>, ClassId);

fn envelope(sides: [Side<'_>; 2], cells: &mut Cells) {
    for tls in [false, true] {
        for auth in Auth::ALL {
            for sender in SenderClass::ALL {
                for recipient in RecipientClass::ALL {
                    let [was, now] = sides.map(|(tables, listener, class)| match listener {
                        Some(listener) if !reads(tables, listener) => {
                            judged(tables, Cell { listener, class, tls, auth, sender, recipient })
                        }
                        Some(_) | None => Judged::barred(),
                    });
                    cells.count(&was, &now);
                }
            }
        }
    }
}

fn judged(tables: &Tables, cell: Cell) -> Judged {
    if tables.reachable(cell) != Reachable::Yes {
        return Judged::barred();
    }
    let verdict = tables.envelope(cell);
    match verdict.outcome {
        Outcome::Accept => Judged { rank: Rank::Accepted, how: verdict.rule.clone(), by_block: true },
        Outcome::Refuse { code, reason, .. } => Judged::refused(code, reason),
    }
}

fn reading(sides: [Side<'_>; 2], cells: &mut Cells) {
    for tls in [false, true] {
        for auth in Auth::ALL {
            let [was, now] = sides.map(|(tables, listener, class)| match listener {
                Some(listener) if reads(tables, listener) => {
                    let cell = ReadingCell { listener, class, tls, auth };
                    let verdict = tables.reading(cell);
                    match verdict.refusal {
                        _ if tables.reading_reachable(cell) != Reachable::Yes => Judged::barred(),
                        Some(refusal) => Judged::refused(refusal.code, refusal.reason),
                        None => Judged { rank: Rank::Accepted, how: verdict.rule, by_block: true },
                    }
                }
                Some(_) | None => Judged::barred(),
            });
            cells.count(&was, &now);
        }
    }
}

fn reads(tables: &Tables, listener: ListenerId) -> bool {
    match tables.listener_rules(listener).speaks {
        Speaks::Imap | Speaks::Pop => true,
        Speaks::Smtp | Speaks::Lmtp => false,
    }
}

/// Which class of the old plan is to be compared with which of the new.
fn class_pairs(old: &Tables, new: &Tables) -> BTreeSet<(ClassId, ClassId)> {
    let mut pairs = BTreeSet::new();
    // A gateway or application may have a class of its name in several networks.
    let named = |tables: &Tables, name: (&str, &str)| tables.classes().find(|class| name_of(tables, *class) == name);
    for class in old.classes() {
        if let Some(same) = named(new, name_of(old, class)) {
            pairs.insert((class, same));
        }
    }
    if let (Some(was), Some(now)) = (rest(old), rest(new)) {
        pairs.insert((was, now));
    }
    // Addresses that are of another class than before.
    for (one, other) in [(old, new), (new, old)] {
        for class in one.classes() {
            let elsewhere = named(other, name_of(one, class));
            let there: BTreeSet<_> = prefixes(other.plan(), one.class_name(class)).iter().collect();
            for prefix in prefixes(one.plan(), one.class_name(class)).iter().filter(|prefix| !there.contains(prefix)) {
                let (was, now) = (old.class_of(prefix.first_host()), new.class_of(prefix.first_host()));
                if elsewhere.is_none() || name_of(old, was) != name_of(new, now) {
                    pairs.insert((was, now));
                }
            }
        }
    }
    pairs
}

/// A class by its name and that of its network.
fn name_of(tables: &Tables, class: ClassId) -> (&str, &str) {
    (tables.class_name(class), tables.class_name(tables.class_network(class)))
}

fn rest(tables: &Tables) -> Option<ClassId> {
    let is_rest =
        |class: &ClassId| matches!(tables.plan().networks.get(tables.class_name(*class)), Some(Network::Rest));
    tables.classes().find(is_rest)
}
