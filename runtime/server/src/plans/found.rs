//! What a start finds among the plans. The machine comes up with the newest whole plan there is, whatever of the folder is damaged
//! or gone: what was lost is told until an operator says which plan is to stay.

use std::collections::BTreeSet;

use decide::Tables;
use decide::guards::Cause;
use plan::PlanHash;

use super::slots::{Incoming, SlotError, Slots, State};
use crate::{clock, start};

/// Lines of damage that are told.
const LINES_MAX: usize = 20;

/// What a start finds.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What runs, as far as it can be read.
    pub state: Option<State>,
    /// Full hash and text of the plan to serve; `None` where none was deployed, and where no whole one is left.
    pub plan: Option<(String, String)>,
    /// What is not as it was written, a line each with the file it is about.
    pub damage: Vec<String>,
    /// `state.ron` says what `state` does: nothing, where no plan was served yet.
    is_readable: bool,
    /// What its copy says.
    copy: Option<State>,
}

/// What a server begins with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begun {
    pub serial: u64,
    /// Of this start and those before it, until an operator saw to it.
    pub damage: Vec<String>,
}

impl Slots {
    /// Looks without writing anything. The plan is one this program can serve.
    pub fn found(&self) -> Found {
        let (file, copy) = self.both_states();
        let mut damage = Vec::new();
        let is_readable = file.as_ref().is_ok_and(|state| state.is_some() || copy.is_none());
        let state = match file {
            Ok(Some(state)) => Some(state),
            Ok(None) => {
                if copy.is_some() || !self.hashes().is_empty() {
                    damage.push(self.strange("it is gone").to_string());
                }
                copy.clone()
            }
            Err(error) => {
                damage.push(error.to_string());
                copy.clone()
            }
        };
        let wanted = match &state {
            Some(state) if state.is_deployed() => by_age(state),
            Some(_) => Vec::new(),
            // Which of them was confirmed nobody knows any more.
            None if !damage.is_empty() => self.hashes(),
            None => Vec::new(),
        };
        let is_wanted = !wanted.is_empty();
        let mut plan = None;
        for hash in wanted {
            match self.servable(&hash) {
                Ok(text) => {
                    plan = Some((hash, text));
                    break;
                }
                Err(error) => damage.push(error.to_string()),
            }
        }
        if is_wanted && plan.is_none() {
            damage.push("no whole plan is left of those that were deployed".to_owned());
        }
        Found { state, plan, damage, is_readable, copy }
    }

    fn servable(&self, hash: &str) -> Result<String, SlotError> {
        let text = self.plan(hash)?;
        let bad = |why: String| self.of_plan(hash, why);
        let (plan, _) = plan::read(&text).map_err(|error| bad(error.to_string()))?;
        let tables = Tables::new(plan).map_err(|error| bad(error.to_string()))?;
        let impossible = start::impossible(&tables);
        if impossible.is_empty() { Ok(text) } else { Err(bad(impossible.join("; "))) }
    }
}

/// The confirmed plan, then those that were there to stay before it.
fn by_age(state: &State) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let stayed = state.history.iter().filter(|entry| state.stayed(entry)).map(|entry| &entry.hash);
    std::iter::once(&state.confirmed).chain(stayed).filter(|hash| seen.insert((*hash).clone())).cloned().collect()
}

/// Notes on disk what is served from here on. A plan that was on trial when the server ended is not. That something cannot be
/// noted keeps no mail waiting: it is told as damage is.
pub(crate) fn begin(slots: &Slots, tables: &Tables, hash: &PlanHash) -> Begun {
    let Found { state: before, plan, damage, is_readable, copy } = slots.found();
    let is_found = plan.is_some_and(|(found, _)| found == hash.full());
    let (author, reason) = match damage.is_empty() {
        true => ("the command line", "named at a start"),
        false => ("the server", "the newest whole plan, after damage"),
    };
    let (author, reason) = (author.to_owned(), reason.to_owned());
    let of = Incoming { hash: hash.full(), at_s: clock::unix_s(), author, reason, summary: String::new() };
    let mut state = before.clone().unwrap_or_else(|| State::first(of.clone(), !is_found, slots.hashes()));
    if state.roll_back(Cause::Restart.word()) {
        tracing::error!("a plan was on trial when the server ended; the confirmed one is served");
    }
    if state.confirmed != of.hash {
        state.take_over(of, !is_found);
    }
    let serial = state.serial(&hash.full());
    let mut told: Vec<String> = slots.damage();
    let mut more = damage;
    if !is_readable {
        slots.set_aside();
    }
    let is_noted = is_readable && before.as_ref() == Some(&state) && copy.as_ref() == Some(&state);
    if !is_noted || slots.plan(&hash.full()).is_err() {
        // The state first: a plan nobody deployed, with no state that says so, would be taken for a deployed one.
        let keep = || slots.keep(&plan::emit(tables.plan()), None, None).map(drop);
        let written = slots.write(&state).and_then(|()| keep());
        more.extend(written.err().map(|error| error.to_string()));
    }
    if !more.is_empty() {
        more.insert(0, format!("plan {} is served since {}", hash.short(), crate::keys::moment(clock::unix_s())));
        more.iter().for_each(|line| tracing::error!("the plans are damaged: {line}"));
        told.extend(more);
        let left_out = told.len().saturating_sub(LINES_MAX);
        told.drain(..left_out);
        slots.note_damage(&told);
    }
    Begun { serial, damage: told }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    const BENCH: &str = include_str!("../../../../policies/bench/policy.plan.ron");

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// The bench plan with another limit.
    fn plan_of(recipients: u32) -> (String, PlanHash) {
        let (mut plan, _) = plan::read(BENCH).unwrap();
        plan.mailboxes.message_size_octets = u64::from(recipients) << 20;
        let text = plan::emit(&plan);
        let hash = plan::hash(&text);
        (text, hash)
    }

    fn incoming(hash: &PlanHash) -> Incoming {
        let (author, reason, summary) = ("root".to_owned(), String::new(), String::new());
        Incoming { hash: hash.full(), at_s: 7, author, reason, summary }
    }

    /// A folder in which plans 1, 2 and 3 were confirmed in turn and 4 is on trial.
    fn folder(name: &str) -> (Folder, Slots) {
        let data = std::env::temp_dir().join(format!("facteur-found-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&data);
        let slots = Slots::of(&data);
        let mut state = State::first(incoming(&plan_of(1).1), true, Vec::new());
        for number in 1..=4 {
            let (text, hash) = plan_of(number);
            slots.keep(&text, None, None).unwrap();
            if number > 1 {
                state.on_trial(incoming(&hash), 600);
            }
            if (2..4).contains(&number) {
                state.confirm();
            }
        }
        slots.write(&state).unwrap();
        let newest = fs::File::options().append(true).open(slots.plan_file(&plan_of(4).1.full())).unwrap();
        newest.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(3_600)).unwrap();
        (Folder(data), slots)
    }

    fn file(folder: &Folder, name: &str) -> PathBuf {
        folder.0.join("plans").join(name)
    }

    /// What a start serves.
    fn serves(slots: &Slots) -> Option<u32> {
        let (hash, _) = slots.found().plan?;
        (1..=4).find(|number| plan_of(*number).1.full() == hash)
    }

    fn begin_with(slots: &Slots) -> Begun {
        let (_, text) = slots.found().plan.unwrap();
        let (plan, hash) = plan::read(&text).unwrap();
        begin(slots, &Tables::new(plan).unwrap(), &hash)
    }

    #[test]
    fn the_newest_whole_plan_is_served_whatever_is_damaged() {
        let hash = |number| format!("{}.plan.ron", plan_of(number).1.full());
        let damaged = |folder: &Folder, name: &str| fs::write(file(folder, name), "damaged \u{0}").unwrap();
        let gone = |folder: &Folder, name: &str| fs::remove_file(file(folder, name)).unwrap();
        type Harm<'h> = Box<dyn Fn(&Folder) + 'h>;
        let cases: [(&str, Harm<'_>, u32, &str); 6] = [
            ("state", Box::new(|at| damaged(at, "state.ron")), 3, "state.ron: damaged"),
            ("no-state", Box::new(|at| gone(at, "state.ron")), 3, "state.ron: it is gone"),
            ("plan", Box::new(|at| damaged(at, &hash(3))), 2, &hash(3)),
            ("no-plan", Box::new(|at| gone(at, &hash(3))), 2, &hash(3)),
            ("two", Box::new(|at| (gone(at, &hash(3)), damaged(at, &hash(2))).0), 1, &hash(2)),
            // Nobody knows which was confirmed: the newest file.
            ("both", Box::new(|at| (gone(at, "state.ron"), damaged(at, "state.copy.ron")).0), 4, "state.ron"),
        ];
        for (name, harm, number, file_told) in cases {
            let (at, slots) = folder(name);
            assert!(slots.found().damage.is_empty() && serves(&slots) == Some(3), "{name}");
            harm(&at);
            let found = slots.found();
            assert_eq!(serves(&slots), Some(number), "{name}: {found:?}");
            assert!(found.damage.iter().any(|line| line.contains(file_told)), "{name}: {:?}", found.damage);
            let begun = begin_with(&slots);
            assert!(!begun.damage.is_empty(), "{name}");
            let is_whole = |number| slots.plan(&plan_of(number).1.full()).is_ok();
            assert!(name != "both" || (1..=4).all(is_whole), "no plan is lost with the state: {name}");
            // From the next start on it is whole, serves the same, and the alarm stands.
            assert!(slots.found().damage.is_empty() && serves(&slots) == Some(number), "{name}: {:?}", slots.found());
            assert_eq!(begin_with(&slots).damage, begun.damage, "{name}");
            slots.note_damage(&[]);
            assert!(begin_with(&slots).damage.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_start_makes_the_copy_good_that_was_not_written() {
        type Harm<'h> = Box<dyn Fn(PathBuf) + 'h>;
        let harms: [(&str, Harm<'_>); 3] = [
            ("copy-gone", Box::new(|copy| fs::remove_file(copy).unwrap())),
            ("copy-damaged", Box::new(|copy| fs::write(copy, "damaged").unwrap())),
            (
                "copy-old",
                Box::new(|copy| {
                    let old = State::first(incoming(&plan_of(1).1), true, Vec::new());
                    fs::write(copy, ron::to_string(&old).unwrap()).unwrap();
                }),
            ),
        ];
        for (name, harm) in harms {
            let (at, slots) = folder(name);
            begin_with(&slots);
            harm(file(&at, "state.copy.ron"));
            assert!(begin_with(&slots).damage.is_empty(), "{name}");
            fs::write(file(&at, "state.ron"), "damaged").unwrap();
            assert_eq!(serves(&slots), Some(3), "{name}");
        }
    }

    #[test]
    fn plans_found_without_their_state_are_gone_back_to() {
        let (at, slots) = folder("history");
        for name in ["state.ron", "state.copy.ron"] {
            fs::remove_file(file(&at, name)).unwrap();
        }
        begin_with(&slots);
        let state = slots.state().unwrap().unwrap();
        let before = (1..4).map(|number| plan_of(number).1.full());
        assert!(before.into_iter().all(|hash| state.stayed(state.find(&hash).unwrap())), "{state:?}");
        assert_eq!((state.confirmed.clone(), state.serial(&state.confirmed)), (plan_of(4).1.full(), 4));
        assert!(state.is_deployed() && state.history.iter().all(|entry| !entry.from_file));
    }

    #[test]
    fn a_first_start_cut_before_its_plan_is_kept_deploys_nothing() {
        let data = std::env::temp_dir().join(format!("facteur-found-cut-{}", std::process::id()));
        let (_folder, slots) = (Folder(data.clone()), Slots::of(&data));
        let (text, hash) = plan_of(1);
        let tables = Tables::new(plan::read(&text).unwrap().0).unwrap();
        // The plan's file cannot be written, its state can.
        let in_the_way = data.join("plans").join(format!("{}.plan.ron.new", hash.full()));
        fs::create_dir_all(&in_the_way).unwrap();
        assert_eq!(begin(&slots, &tables, &hash).damage.len(), 2);
        fs::remove_dir(&in_the_way).unwrap();
        let found = slots.found();
        assert!(found.state.is_some_and(|state| !state.is_deployed()) && found.plan.is_none());
        assert!(found.damage.is_empty(), "{:?}", found.damage);
    }

    #[test]
    fn a_plan_of_another_name_is_never_served() {
        let (at, slots) = folder("exchanged");
        let name = |number| format!("{}.plan.ron", plan_of(number).1.full());
        fs::copy(file(&at, &name(1)), file(&at, &name(3))).unwrap();
        assert_eq!(serves(&slots), Some(2));
        assert!(slots.found().damage[0].contains("not the plan of that name"), "{:?}", slots.found().damage);
    }

    #[test]
    fn what_was_never_deployed_is_no_damage() {
        let data = std::env::temp_dir().join(format!("facteur-found-none-{}", std::process::id()));
        let (_folder, slots) = (Folder(data.clone()), Slots::of(&data));
        assert!(slots.found().damage.is_empty() && slots.found().plan.is_none());
        let (text, hash) = plan_of(1);
        let tables = Tables::new(plan::read(&text).unwrap().0).unwrap();
        assert_eq!(begin(&slots, &tables, &hash).serial, 1);
        fs::remove_file(data.join("plans").join(format!("{}.plan.ron", hash.full()))).unwrap();
        let found = slots.found();
        assert!(found.damage.is_empty() && found.plan.is_none(), "{found:?}");
        assert!(begin(&slots, &tables, &hash).damage.is_empty());
        assert_eq!(slots.plan(&hash.full()).unwrap(), text, "it is kept again");
    }
}
