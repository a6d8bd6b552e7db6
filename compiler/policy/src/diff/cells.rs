//! Two tables of decisions, cell by cell. Cells are the same when listener and client class have the same names; a class
//! that only one plan has is compared with the class the other plan gives its addresses.

use std::collections::BTreeSet;

use decide::{Auth, Block, Cell, ClassId, ListenerId, Outcome, Reachable, RecipientClass, SenderClass, Tables};
use plan::{ListenerAuth, Network, Plan, Speaks};

use super::{Class, prefixes};

/// TLS × login: what reading depends on for a listener and a client class.
const READING_PER_PAIR: usize = 6;

/// TLS × login × sender class × recipient class.
const CELLS_PER_PAIR: usize = 216;

/// How many cells two tables have and how they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// Of both plans together: pairs that only one has are in it.
    pub total: usize,
    pub tighter: usize,
    pub looser: usize,
    /// Neither: another reply, or accepted by another block.
    pub different: usize,
}

impl Cells {
    pub fn changed(&self) -> usize {
        self.tighter + self.looser + self.different
    }

    /// What all cells that differ have in common; `None` when none does.
    pub(crate) fn class(&self) -> Option<Class> {
        match (self.tighter, self.looser, self.different) {
            (0, 0, 0) => None,
            (_, 0, 0) => Some(Class::Tighter),
            (0, _, 0) => Some(Class::Looser),
            _ => Some(Class::Different),
        }
    }

    fn count(&mut self, old: &Judged, new: &Judged, cells: usize) {
        self.total += cells;
        if old == new {
            return;
        }
        match new.rank().cmp(&old.rank()) {
            std::cmp::Ordering::Greater => self.tighter += cells,
            std::cmp::Ordering::Less => self.looser += cells,
            std::cmp::Ordering::Equal => self.different += cells,
        }
    }
}

/// What a cell comes to, as far as two plans can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Judged {
    /// By this block.
    Accepted(String),
    /// For now: code and reason.
    Later(String),
    Refused(String),
    /// No client can bring it about, or nothing listens.
    Barred,
}

impl Judged {
    fn rank(&self) -> u8 {
        match self {
            Judged::Accepted(_) => 0,
            Judged::Later(_) => 1,
            Judged::Refused(_) | Judged::Barred => 2,
        }
    }
}

/// Compares every cell of both.
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
                let [was, now] = sides.map(|(tables, id, class)| reading(tables, id, class));
                cells.count(&was, &now, READING_PER_PAIR);
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
        pairs.saturating_mul(CELLS_PER_PAIR).saturating_add(prefixes.saturating_mul(prefixes))
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
                        Some(_) | None => Judged::Barred,
                    });
                    cells.count(&was, &now, 1);
                }
            }
        }
    }
}

fn judged(tables: &Tables, cell: Cell) -> Judged {
    let verdict = tables.envelope(cell);
    match tables.reachable(cell) {
        Reachable::Yes => {}
        Reachable::TurnedAway | Reachable::Barred(_) | Reachable::Impossible => return Judged::Barred,
    }
    match &verdict.outcome {
        Outcome::Accept => Judged::Accepted(verdict.rule.clone()),
        Outcome::Refuse { code, reason, .. } if code.is_temporary() => Judged::Later(format!("{code} {reason}")),
        Outcome::Refuse { code, reason, .. } => Judged::Refused(format!("{code} {reason}")),
    }
}

fn reading(tables: &Tables, listener: Option<ListenerId>, class: ClassId) -> Judged {
    let Some(listener) = listener.filter(|id| reads(tables, *id)) else { return Judged::Barred };
    match tables.block(listener, class) {
        Some(block @ Block::Read(_)) => {
            let rules = tables.listener_rules(listener);
            let login = match rules.auth {
                ListenerAuth::Required => "with a login",
                ListenerAuth::Never => "without a login",
            };
            Judged::Accepted(format!("{} {login}", tables.block_path(block)))
        }
        Some(Block::Send(_) | Block::Receive(_)) | None => Judged::Barred,
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
    let named = |tables: &Tables, name: &str| tables.classes().find(|class| tables.class_name(*class) == name);
    for class in old.classes() {
        if let Some(same) = named(new, old.class_name(class)) {
            pairs.insert((class, same));
        }
    }
    if let (Some(was), Some(now)) = (rest(old), rest(new)) {
        pairs.insert((was, now));
    }
    // Addresses that are of another class than before.
    for (one, other) in [(old, new), (new, old)] {
        for class in one.classes() {
            let elsewhere = named(other, one.class_name(class));
            let there: BTreeSet<_> = prefixes(other.plan(), one.class_name(class)).iter().collect();
            for prefix in prefixes(one.plan(), one.class_name(class)).iter().filter(|prefix| !there.contains(prefix)) {
                let (was, now) = (old.class_of(prefix.first_host()), new.class_of(prefix.first_host()));
                if elsewhere.is_none() || old.class_name(was) != new.class_name(now) {
                    pairs.insert((was, now));
                }
            }
        }
    }
    pairs
}

fn rest(tables: &Tables) -> Option<ClassId> {
    let is_rest =
        |class: &ClassId| matches!(tables.plan().networks.get(tables.class_name(*class)), Some(Network::Rest));
    tables.classes().find(is_rest)
}
