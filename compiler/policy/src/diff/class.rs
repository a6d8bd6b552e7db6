//! Each difference as a change with its class: by the cells it moves where the table decides, by the arithmetic of
//! windows where counts do, else by the way its fact runs.

use decide::Tables;
use plan::{Plan, Row};

use super::alone::{made, unmade, with_window};
use super::cells::{self, Cells};
use super::changes::{Raw, What};
use super::content;
use super::members::covers;
use super::way::{self, Way, fits};
use super::windows;
use super::{Change, Class, Side};
use crate::blast::BlastRadius;
use crate::figures::grouped;
use crate::shown::first_chars;
use crate::table::step::{Step, place, rule};
use crate::table::value::{inline, plain, rate};
use crate::verify::decode::decode;
use crate::verify::node::{Kind, Node};

/// Cells all comparisons of one run may visit; above it a change is classed by its way.
const CELLS_MAX: usize = 30_000_000;

/// A struct in more words than these is shown as `(…)`.
const SECTION_OCTETS_MAX: usize = 60;

/// Facts the content table rests on; what engines and passes say is no fact of a plan.
const DECIDED_BY_CONTENT: &[&str] = &[
    "reception",
    "sending",
    "authenticate.own_domains_from_outside",
    "antivirus",
    "antivirus.engines",
    "antivirus.on",
    "antivirus.infected_when",
    "antivirus.*.*.*",
    "antivirus.engine_down.**",
    "antispam",
    "antispam.always",
];

/// Octets of plans all changes may be tried on alone.
const OCTETS_MAX: usize = 64 << 20;
/// Longer lists of redirects are not searched for patterns that cover others.
const PATTERNS_MAX: usize = 300;

/// Facts the tables of envelopes and of reading rest on.
const DECIDED: &[&str] = &[
    "networks.*",
    "gateways.*",
    "gateways.*.from",
    "gateways.*.on",
    "gateways.*.refuse_others",
    "listeners.*",
    "listeners.*.auth",
    "may_send.*",
    "may_send.*.connecting_to",
    "may_send.*.from",
    "may_send.*.to",
    "may_send.*.as",
    "may_send.*.empty_sender",
    "may_receive.*",
    "may_receive.*.*",
    "may_read.*",
    "may_read.*.*",
    "senders",
    "senders.of",
    "senders.unknown",
    "senders.known.*",
    "senders.known.*.from",
    "mailboxes.when_full.then",
];

/// Steps that let less through than there was before them.
const GUARDS: [&str; 4] = ["KnownRecipient", "Authenticate", "Antivirus", "Limits"];

pub(super) struct Judge<'n, 't> {
    trees: (&'n Node<'t>, &'n Node<'t>),
    /// Absent where the plan is not sound.
    tables: (Option<Tables>, Option<Tables>),
    blast: BlastRadius,
    cells_left: usize,
    octets_left: usize,
    /// Of both texts: what trying one change alone costs.
    octets: usize,
}

impl<'n, 't> Judge<'n, 't> {
    /// `octets`: the size of both texts.
    pub fn new(trees: (&'n Node<'t>, &'n Node<'t>), (old, new): (Plan, Plan), octets: usize) -> Judge<'n, 't> {
        let blast = BlastRadius::of(&old);
        let tables = (Tables::new(old).ok(), Tables::new(new).ok());
        Judge { trees, tables, blast, cells_left: CELLS_MAX, octets_left: OCTETS_MAX, octets }
    }

    /// Both whole tables.
    pub fn cells(&mut self) -> Option<Cells> {
        self.cells_left = CELLS_MAX;
        let (Some(old), Some(new)) = (&self.tables.0, &self.tables.1) else { return None };
        let mut cells = compared(&mut self.cells_left, old, new, false)?;
        cells.add(compared(&mut self.cells_left, old, new, true)?);
        Some(cells)
    }

    /// `single`: there is no other change, so that totals say what it did.
    pub fn change(&mut self, raw: &Raw<'_, 't>, (old, new): (Side<'_>, Side<'_>), single: bool) -> Change {
        let words = Words::of(raw);
        let (mut class, mut notes) = self.declared(raw);
        if let Some(content) = decided(raw)
            && let Some(cells) = self.alone(raw, content)
        {
            if let Some(moved) = cells.class() {
                class = moved;
            }
            notes.extend(cell_notes(&cells));
        }
        if !single {
            notes.extend(self.blast_note(raw));
        }
        let gone = words.new.is_none();
        let map = if gone { old.map } else { new.map };
        let place = map.and_then(|map| {
            let place = super::lookup(map, &place(&raw.at))?;
            Some((map.files.get(place.file as usize).cloned().unwrap_or_default(), place.line))
        });
        Change {
            rule: words.rule,
            path: words.path,
            old: words.old,
            new: words.new,
            shown: words.shown,
            class,
            place,
            notes,
            effects: Vec::new(),
        }
    }

    /// The class without the table, and what is worth saying.
    fn declared(&self, raw: &Raw<'_, 't>) -> (Class, Vec<String>) {
        if raw.at.contains(&Step::Field("observed")) {
            return (Class::Text, vec!["observed: it counts and says, and refuses nothing".to_owned()]);
        }
        let way = way::of(&raw.at);
        match &raw.what {
            What::Changed(old, new) if old == new => {
                (way.members(true, true), vec!["only its place in the list".into()])
            }
            What::Changed(old, new) => (way.changed(old, new), Vec::new()),
            What::Renamed(..) => (Class::Different, renamed_note(&raw.at)),
            What::Members { added, removed, .. } => (members(raw, way, added, removed), Vec::new()),
            What::Window { old, new, lists } => {
                let class = match (old, new) {
                    (Some(old), Some(new)) => windows::window(*old, *new),
                    (None, Some(_)) => Class::Tighter,
                    (Some(_), None) => Class::Looser,
                    (None, None) => Class::Different,
                };
                (class, windows::notes(&lists.0, &lists.1, counts_attempts(&raw.at)))
            }
            What::Windows { lists, .. } => {
                let class = match (lists.0.is_empty(), lists.1.is_empty()) {
                    (true, false) => Class::Tighter,
                    (false, true) => Class::Looser,
                    (true, true) | (false, false) => Class::Different,
                };
                (class, windows::notes(&lists.0, &lists.1, counts_attempts(&raw.at)))
            }
            What::Counted { .. } => (Class::Different, Vec::new()),
            What::Added(value) => self.entry(raw, way, value, true),
            What::Removed(value) => self.entry(raw, way, value, false),
        }
    }

    fn entry(&self, raw: &Raw<'_, 't>, way: Way, value: &Node<'t>, added: bool) -> (Class, Vec<String>) {
        let names: Vec<&str> = raw.at.iter().map(Step::name).collect();
        let plain_class = way.members(added, !added);
        let own_row = match names.as_slice() {
            ["limit_grants", _] => (value.get("limits"), value.get("block").and_then(Node::leaf)),
            ["may_send", block, "by_profile", _] => (Some(value), Some(*block)),
            ["redirects", "allow", name] => return self.redirect(name, value, plain_class),
            _ => return (plain_class, Vec::new()),
        };
        let tree = if added { self.trees.0 } else { self.trees.1 };
        let general = own_row.1.and_then(|block| tree.get("may_send")?.get(block)?.get("limits").map(Node::inner));
        let (Some(general), Some(own)) = (general.and_then(row_of), own_row.0.and_then(row_of)) else {
            return (Class::Different, Vec::new());
        };
        let (was, is) = if added { (general, own) } else { (own, general) };
        (windows::row(&was, &is).unwrap_or(Class::Different), Vec::new())
    }

    /// A pattern another one covers changes nothing.
    fn redirect(&self, name: &str, value: &Node<'t>, class: Class) -> (Class, Vec<String>) {
        for tree in [self.trees.0, self.trees.1] {
            let Some(Kind::Map(entries)) = tree.get("redirects").and_then(|r| r.get("allow")).map(|a| &a.kind) else {
                continue;
            };
            if entries.len() > PATTERNS_MAX {
                continue;
            }
            let both = [self.trees.0, self.trees.1];
            let in_both =
                |key: &str| both.iter().all(|t| t.get("redirects").and_then(|r| r.get("allow")?.get(key)).is_some());
            let others = entries.iter().filter_map(|(key, other)| Some((key.leaf()?, other)));
            for (key, other) in others.filter(|(key, _)| *key != name) {
                if covers(other, value) && in_both(key) {
                    return (Class::Different, vec![format!("the domains are the same: `{key}` covers it")]);
                }
            }
        }
        (class, Vec::new())
    }

    /// The table with this change alone, against the table without it.
    fn alone(&mut self, raw: &Raw<'_, 't>, content: bool) -> Option<Cells> {
        let (Some(old), Some(new)) = (&self.tables.0, &self.tables.1) else { return None };
        let tables = |tree: Node<'t>| decode::<Plan>(&tree).ok().and_then(|plan| Tables::new(plan).ok());
        if cost(old, new, content) > self.cells_left {
            return None;
        }
        self.octets_left = self.octets_left.checked_sub(self.octets)?;
        if let Some(made) = made(self.trees.0, raw).and_then(tables) {
            return compared(&mut self.cells_left, old, &made, content);
        }
        let unmade = unmade(self.trees.1, raw).and_then(tables)?;
        compared(&mut self.cells_left, &unmade, new, content)
    }

    fn blast_note(&mut self, raw: &Raw<'_, 't>) -> Option<String> {
        if !["may_send", "listeners", "networks", "one_account_in_several_blocks"].contains(&raw.at.first()?.name()) {
            return None;
        }
        self.octets_left = self.octets_left.checked_sub(self.octets)?;
        let tree = match raw.what {
            What::Window { .. } => with_window(self.trees.0, self.trees.1, raw)?,
            _ => made(self.trees.0, raw)?,
        };
        let blast = BlastRadius::of(&decode::<Plan>(&tree).ok()?);
        let hour = super::render::figure;
        (blast.hour != self.blast.hour).then(|| {
            format!("blast radius of one password {} → {} recipients per hour", hour(self.blast.hour), hour(blast.hour))
        })
    }
}

fn compared(left: &mut usize, old: &Tables, new: &Tables, content: bool) -> Option<Cells> {
    *left = left.checked_sub(cost(old, new, content))?;
    Some(if content { content::compare(old, new) } else { cells::compare(old, new) })
}

fn cost(old: &Tables, new: &Tables, content: bool) -> usize {
    if content { content::cost(old, new) } else { cells::cost(old, new) }
}

/// By which table: that of content, or those of envelopes and of reading.
fn decided(raw: &Raw<'_, '_>) -> Option<bool> {
    let names: Vec<&str> = raw.at.iter().map(Step::name).collect();
    let in_one = |patterns: &[&str]| patterns.iter().any(|pattern| fits(pattern, &names));
    if in_one(DECIDED) { Some(false) } else { in_one(DECIDED_BY_CONTENT).then_some(true) }
}

fn cell_notes(cells: &Cells) -> Vec<String> {
    let kinds = [
        (cells.looser, "let through what was refused"),
        (cells.tighter, "refuse what was let through"),
        (cells.different, "let it through by another block"),
        (cells.reworded, "answer otherwise"),
    ];
    let total = grouped(cells.total as u64);
    let said = kinds.iter().filter(|(count, _)| *count > 0);
    said.map(|(count, what)| format!("{} of {total} cells {what}", grouped(*count as u64))).collect()
}

fn renamed_note(at: &[Step<'_>]) -> Vec<String> {
    match at.first().map(Step::name) {
        Some("may_send") => vec!["the windows of a renamed block start empty".to_owned()],
        _ => Vec::new(),
    }
}

fn members(raw: &Raw<'_, '_>, way: Way, added: &[&Node<'_>], removed: &[&Node<'_>]) -> Class {
    let names: Vec<&str> = raw.at.iter().map(Step::name).collect();
    let way = match names.as_slice() {
        ["reception" | "sending"] => {
            let mut moved = added.iter().chain(removed);
            if moved.all(|step| step.leaf().is_some_and(|step| GUARDS.contains(&step))) { Way::More } else { way }
        }
        // The list itself, not the promise.
        ["guarantees", "OnlyFrom"] => Way::Fewer,
        _ => way,
    };
    way.members(!added.is_empty(), !removed.is_empty())
}

fn counts_attempts(at: &[Step<'_>]) -> bool {
    let field = at.iter().rev().find_map(|step| match step {
        Step::Field(name) => Some(*name),
        Step::Key(_) | Step::Item(..) | Step::Kept(_) | Step::Window(_) => None,
    });
    !field.is_some_and(|name| name.ends_with("_accepted"))
}

fn row_of(node: &Node<'_>) -> Option<Row> {
    decode(node).ok()
}

/// A change in words.
struct Words {
    rule: String,
    path: String,
    old: Option<String>,
    new: Option<String>,
    shown: String,
}

impl Words {
    fn of(raw: &Raw<'_, '_>) -> Words {
        let field = raw.at.last().map_or("", Step::name);
        let own = rule(&raw.at);
        let above = rule(raw.at.split_last().map_or(&[], |(_, above)| above));
        let (path, old, new, shown) = match &raw.what {
            What::Changed(was, now) => {
                let (was, now) = (plain(was, field), plain(now, field));
                let shown = between(&short(&was), &short(&now));
                (own.clone(), Some(was), Some(now), shown)
            }
            What::Windows { old, new, .. } => {
                let (was, now) = (listed(old), listed(new));
                let shown = between(&was, &now);
                (own.clone(), Some(was), Some(now), shown)
            }
            What::Added(value) => (above, None, Some(inline(value, field)), format!("+ {}", entry(&raw.at, value))),
            What::Removed(value) => (above, Some(inline(value, field)), None, format!("- {}", entry(&raw.at, value))),
            What::Renamed(from, to) => {
                let shown = format!("renamed \"{from}\" → \"{to}\"");
                (above, Some((*from).to_owned()), Some((*to).to_owned()), shown)
            }
            What::Members { added, removed, old, new } => {
                let signed = |sign: &str, nodes: &[&Node<'_>]| -> Vec<String> {
                    nodes.iter().map(|node| format!("{sign} {}", inline(node, field))).collect()
                };
                let mut shown = signed("+", added);
                shown.extend(signed("-", removed));
                let (was, now) = (plain(old, field), plain(new, field));
                if shown.is_empty() {
                    shown.push(format!("in another order: {now}"));
                }
                (own.clone(), Some(was), Some(now), shown.join(", "))
            }
            What::Window { old, new, .. } => {
                let (was, now) = (old.map(rate), new.map(rate));
                let shown = match (&was, &now) {
                    (Some(was), Some(now)) => between(was, now),
                    (None, Some(now)) => format!("+ {now}"),
                    (Some(was), None) => format!("- {was}"),
                    (None, None) => String::new(),
                };
                let list = own.rfind('/').map_or(own.as_str(), |end| &own[..end]).to_owned();
                (list, was, now, shown)
            }
            What::Counted { old: (was, old), new: (now, new) } => {
                let (was, now) = (format!("{was} {}", listed(old)), format!("{now} {}", listed(new)));
                let shown = between(&was, &now);
                (own.clone(), Some(was), Some(now), shown)
            }
        };
        Words { rule: own, path, old, new, shown }
    }
}

fn listed(node: &Node<'_>) -> String {
    match node.kind {
        Kind::Word("NotCounted") => "not counted".to_owned(),
        _ => plain(node, ""),
    }
}

/// An entry by its name, with its value where that is short.
fn entry(at: &[Step<'_>], value: &Node<'_>) -> String {
    match (at.last(), &value.kind) {
        (Some(Step::Key(name)), Kind::Fields(..) | Kind::Map(_)) => format!("\"{name}\""),
        (Some(Step::Key(name)), _) => format!("\"{name}\": {}", inline(value, "")),
        (Some(Step::Item(name, _)), Kind::Fields("", _)) => format!("\"{name}\""),
        (Some(step), Kind::Fields("", _)) => step.name().to_owned(),
        _ => inline(value, ""),
    }
}

/// A whole section is not written on one line.
fn short(value: &str) -> String {
    if value.starts_with('(') && value.len() > SECTION_OCTETS_MAX {
        "(…)".to_owned()
    } else {
        first_chars(value, 200)
    }
}

/// `500 → 250 per 1 h`: a unit both have is said once.
fn between(old: &str, new: &str) -> String {
    match (old.split_once(' '), new.split_once(' ')) {
        (Some((was, unit)), Some((now, of))) if unit == of && is_figure(was) && is_figure(now) => {
            format!("{was} → {now} {unit}")
        }
        _ => format!("{old} → {new}"),
    }
}

fn is_figure(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}
