//! Plans on disk: `DATA/plans`. Each is a file under its full hash, `state.ron` says which one is confirmed. Every file is written
//! whole under another name, flushed, and renamed: whenever the power goes, the state is the one before or the one after.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Plans the history keeps.
pub const HISTORY_MAX: usize = 50;
/// Largest file that is read back.
const FILE_OCTETS_MAX: u64 = 64 << 20;
const STATE: &str = "state.ron";
/// The same, written after it: read where `state.ron` is damaged or gone.
const COPY: &str = "state.copy.ron";
/// What an operator has to hear of.
const DAMAGE: &str = "damage.txt";
/// Characters of it that are kept.
const DAMAGE_CHARS_MAX: usize = 8_192;
/// Kinds of files under the hash of a plan.
const KINDS: [&str; 3] = ["plan", "map", "sig"];

/// The folder of plans.
#[derive(Clone, Debug)]
pub struct Slots {
    folder: PathBuf,
}

/// `state.ron`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Full hash of the plan a start serves.
    pub confirmed: String,
    /// Full hash of the plan on trial, and until when it has to be confirmed, in Unix seconds.
    pub trial: Option<(String, i64)>,
    /// The newest first, at most [`HISTORY_MAX`].
    pub history: Vec<Entry>,
}

/// A plan that was served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub hash: String,
    pub serial: u64,
    /// Unix seconds.
    pub at_s: i64,
    pub author: String,
    pub reason: String,
    pub end: End,
    /// What it changed.
    pub summary: String,
    /// Served because a file named it at a start, and nobody deployed it.
    #[serde(default)]
    pub from_file: bool,
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    Running,
    Replaced,
    /// With the cause, as the metric has it.
    RolledBack(String),
}

/// Why the folder cannot be used.
#[derive(Debug)]
pub struct SlotError {
    pub path: PathBuf,
    pub why: String,
}

impl fmt::Display for SlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for SlotError {}

impl Slots {
    /// Of this data folder; nothing is written yet.
    pub fn of(data: &Path) -> Slots {
        Slots { folder: data.join("plans") }
    }

    /// `None` before any plan was served. Of a file that is damaged or gone the copy is read.
    ///
    /// # Errors
    /// The file is there and cannot be read, and no copy can.
    pub fn state(&self) -> Result<Option<State>, SlotError> {
        match self.state_at(STATE) {
            Ok(Some(state)) => Ok(Some(state)),
            Ok(None) => self.state_at(COPY),
            Err(error) => self.state_at(COPY).ok().flatten().map(Some).ok_or(error),
        }
    }

    fn state_at(&self, name: &str) -> Result<Option<State>, SlotError> {
        let path = self.folder.join(name);
        let Some(text) = read(&path)? else { return Ok(None) };
        ron::from_str(&text).map(Some).map_err(|error| SlotError { path, why: format!("damaged: {error}") })
    }

    /// The file itself, and what its copy says.
    pub(super) fn both_states(&self) -> (Result<Option<State>, SlotError>, Option<State>) {
        (self.state_at(STATE), self.state_at(COPY).ok().flatten())
    }

    /// A damaged `state.ron` stays for whoever looks into it, under another name.
    pub(super) fn set_aside(&self) {
        let (path, aside) = (self.folder.join(STATE), self.folder.join("state.ron.damaged"));
        if let Err(error) = std::fs::rename(&path, aside)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::error!("{}: {error}", path.display());
        }
    }

    /// Full hashes of the plans in the folder, the newest file first. Whether each is whole is another question.
    pub fn hashes(&self) -> Vec<String> {
        let Ok(files) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let plan = |file: std::fs::DirEntry| {
            let hash = file.file_name().to_str()?.strip_suffix(".plan.ron").filter(|hash| is_hash(hash))?.to_owned();
            Some((file.metadata().and_then(|kept| kept.modified()).ok(), hash))
        };
        let mut found: Vec<_> = files.flatten().filter_map(plan).collect();
        found.sort_by(|one, other| other.cmp(one));
        found.into_iter().map(|(_, hash)| hash).collect()
    }

    /// The text of the signatures a plan was deployed with.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn signature(&self, hash: &str) -> Result<Option<String>, SlotError> {
        read(&self.path(hash, "sig")?)
    }

    /// What was found damaged and nobody has seen to.
    pub(super) fn damage(&self) -> Vec<String> {
        let text = read(&self.folder.join(DAMAGE)).ok().flatten().unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Keeps these lines; none is that all is well.
    pub(super) fn note_damage(&self, lines: &[String]) {
        let path = self.folder.join(DAMAGE);
        let noted = if lines.is_empty() {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&path, &error)),
                _ => Ok(()),
            }
        } else {
            let text: String = lines.join("\n").chars().take(DAMAGE_CHARS_MAX).collect();
            write(&self.folder, DAMAGE, &text)
        };
        if let Err(error) = noted {
            tracing::error!("{error}");
        }
    }

    /// The text of a plan that was served.
    ///
    /// # Errors
    /// It is not there any more, or its octets are not those of its name.
    pub fn plan(&self, hash: &str) -> Result<String, SlotError> {
        let path = self.path(hash, "plan")?;
        let Some(text) = read(&path)? else {
            return Err(SlotError { path, why: "this plan is not kept any more".to_owned() });
        };
        if plan::hash(&text).full() != hash {
            return Err(SlotError { path, why: "damaged: this is not the plan of that name".to_owned() });
        }
        Ok(text)
    }

    /// The source map of a plan, where one was deployed with it.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn map(&self, hash: &str) -> Result<Option<String>, SlotError> {
        read(&self.path(hash, "map")?)
    }

    /// Keeps a plan and what came with it.
    pub(crate) fn keep(&self, text: &str, map: Option<&str>, signature: Option<&str>) -> Result<String, SlotError> {
        std::fs::create_dir_all(&self.folder).map_err(|error| at(&self.folder, &error))?;
        let hash = plan::hash(text).full();
        for (kind, text) in KINDS.into_iter().zip([Some(text), map, signature]) {
            if let Some(text) = text {
                write(&self.folder, &format!("{hash}.{kind}.ron"), text)?;
            }
        }
        Ok(hash)
    }

    /// Makes `state` the one a start finds, then removes plans it does not know.
    pub(crate) fn write(&self, state: &State) -> Result<(), SlotError> {
        let pretty = ron::ser::PrettyConfig::new().compact_arrays(false);
        let text = ron::ser::to_string_pretty(state, pretty)
            .map_err(|error| SlotError { path: self.folder.join(STATE), why: error.to_string() })?;
        std::fs::create_dir_all(&self.folder).map_err(|error| at(&self.folder, &error))?;
        write(&self.folder, STATE, &text)?;
        // What is confirmed is confirmed without it.
        if let Err(error) = write(&self.folder, COPY, &text) {
            tracing::error!("{error}");
        }
        self.sweep(state);
        Ok(())
    }

    /// What is found in the folder is not what was written there.
    pub(crate) fn strange(&self, why: &str) -> SlotError {
        SlotError { path: self.folder.join(STATE), why: why.to_owned() }
    }

    /// The same, of the file of a plan.
    pub(super) fn of_plan(&self, hash: &str, why: String) -> SlotError {
        SlotError { path: self.plan_file(hash), why }
    }

    /// Where the plan of a full hash is kept.
    pub fn plan_file(&self, hash: &str) -> PathBuf {
        self.folder.join(format!("{hash}.plan.ron"))
    }

    /// What stays behind costs some kilobytes and harms nobody.
    fn sweep(&self, state: &State) {
        let Ok(files) = std::fs::read_dir(&self.folder) else { return };
        for file in files.flatten() {
            let name = file.file_name();
            let Some(hash) = name.to_str().and_then(|name| name.split('.').next()) else { continue };
            if !is_hash(hash) {
                continue;
            }
            let known = state.confirmed == hash || state.history.iter().any(|entry| entry.hash == hash);
            if !known && let Err(error) = std::fs::remove_file(file.path()) {
                tracing::warn!("{}: {error}", file.path().display());
            }
        }
    }

    /// A name is made of a hash alone: what is asked for leads nowhere else.
    fn path(&self, hash: &str, kind: &str) -> Result<PathBuf, SlotError> {
        if !is_hash(hash) {
            return Err(SlotError { path: self.folder.clone(), why: format!("`{hash}` is no full hash of a plan") });
        }
        Ok(self.folder.join(format!("{hash}.{kind}.ron")))
    }
}

fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|octet| octet.is_ascii_hexdigit())
}

fn at(path: &Path, error: &io::Error) -> SlotError {
    SlotError { path: path.to_owned(), why: error.to_string() }
}

fn read(path: &Path) -> Result<Option<String>, SlotError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path, &error)),
    };
    let mut text = String::new();
    file.take(FILE_OCTETS_MAX).read_to_string(&mut text).map_err(|error| at(path, &error))?;
    Ok(Some(text))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), SlotError> {
    let (path, new) = (folder.join(name), folder.join(format!("{name}.new")));
    let written = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &path)?;
        File::open(folder)?.sync_all()
    };
    written().map_err(|error| at(&path, &error))
}

/// A plan that comes in.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub hash: String,
    pub at_s: i64,
    pub author: String,
    pub reason: String,
    pub summary: String,
}

impl State {
    /// The first of a data folder, or of one whose state is lost. Plans of the full hashes `here`, the newest first, were there
    /// before it: none is swept away, and an operator can go back to each.
    pub(crate) fn first(of: Incoming, from_file: bool, here: Vec<String>) -> State {
        let mut state = State { confirmed: of.hash.clone(), trial: None, history: Vec::new() };
        let others: Vec<String> = here.into_iter().filter(|hash| *hash != of.hash).take(HISTORY_MAX - 1).collect();
        for hash in others.into_iter().rev() {
            state.add(Incoming { hash, reason: "found after damage".to_owned(), ..of.clone() }, false);
            state.history[0].end = End::Replaced;
        }
        state.add(of, from_file);
        state
    }

    /// The serial of a plan that runs or ran: the newest time it did.
    pub fn serial(&self, hash: &str) -> u64 {
        self.history.iter().find(|entry| entry.hash == hash).map_or(0, |entry| entry.serial)
    }

    /// Was the confirmed plan deployed, and not only named by a file at a start?
    pub fn is_deployed(&self) -> bool {
        self.history.iter().find(|entry| entry.hash == self.confirmed).is_some_and(|entry| !entry.from_file)
    }

    /// Did a file name this plan at a start, whenever that was?
    pub(crate) fn is_from_file(&self, hash: &str) -> bool {
        self.history.iter().any(|entry| entry.hash == hash && entry.from_file)
    }

    /// Puts a plan on trial.
    pub(crate) fn on_trial(&mut self, of: Incoming, until_s: i64) {
        self.trial = Some((of.hash.clone(), until_s));
        self.add(of, false);
    }

    /// The plan on trial is there to stay; false where there is none.
    pub(crate) fn confirm(&mut self) -> bool {
        let Some((hash, _)) = self.trial.take() else { return false };
        self.replace(&hash);
        true
    }

    /// A plan takes the place of the confirmed one without a trial.
    pub(crate) fn take_over(&mut self, of: Incoming, from_file: bool) {
        let hash = of.hash.clone();
        self.add(of, from_file);
        self.replace(&hash);
    }

    /// The plan on trial is taken back; false where there is none.
    pub(crate) fn roll_back(&mut self, cause: &str) -> bool {
        let Some((hash, _)) = self.trial.take() else { return false };
        if let Some(entry) = self.history.iter_mut().find(|entry| entry.hash == hash) {
            entry.end = End::RolledBack(cause.to_owned());
        }
        true
    }

    /// The plan that was served before the confirmed one and was not taken back.
    pub(crate) fn before(&self) -> Option<&Entry> {
        let replaced = self.history.iter().filter(|entry| entry.end == End::Replaced);
        replaced.into_iter().find(|entry| entry.hash != self.confirmed)
    }

    /// By full or short hash: the newest time it was there to stay, else the newest time it was tried.
    pub(crate) fn find(&self, hash: &str) -> Option<&Entry> {
        let all = || self.history.iter().filter(|entry| entry.hash == hash || short(&entry.hash) == hash);
        all().find(|entry| self.stayed(entry)).or_else(|| all().next())
    }

    /// Was it confirmed, or served from the start? Only such a plan is gone back to: any other has its trial before it.
    pub(crate) fn stayed(&self, entry: &Entry) -> bool {
        match &entry.end {
            End::Replaced => true,
            End::Running => entry.hash == self.confirmed,
            End::RolledBack(_) => false,
        }
    }

    fn replace(&mut self, hash: &str) {
        let newest = self.history.iter().position(|entry| entry.hash == hash);
        for (place, entry) in self.history.iter_mut().enumerate() {
            if Some(place) != newest && entry.end == End::Running {
                entry.end = End::Replaced;
            }
        }
        self.confirmed = hash.to_owned();
    }

    fn add(&mut self, of: Incoming, from_file: bool) {
        let Incoming { hash, at_s, author, reason, summary } = of;
        let serial = self.history.iter().map(|entry| entry.serial).max().unwrap_or(0) + 1;
        let end = End::Running;
        self.history.insert(0, Entry { hash, serial, at_s, author, reason, end, summary, from_file });
        while self.history.len() > HISTORY_MAX {
            // The confirmed plan stays, however many were tried since.
            let is_spare = |entry: &Entry| entry.hash != self.confirmed && entry.end != End::Running;
            let Some(oldest) = self.history.iter().rposition(is_spare) else { break };
            self.history.remove(oldest);
        }
    }
}

/// The short name of a full hash: its first 40 bits.
pub(crate) fn short(full: &str) -> String {
    plan::PlanHash::of_full(full).map_or_else(String::new, |hash| hash.short())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(text: &str) -> Incoming {
        let (author, reason, summary) = ("root".to_owned(), "ticket 4417".to_owned(), String::new());
        Incoming { hash: plan::hash(text).full(), at_s: 7, author, reason, summary }
    }

    fn ends(state: &State) -> Vec<(u64, End)> {
        state.history.iter().map(|entry| (entry.serial, entry.end.clone())).collect()
    }

    #[test]
    fn a_trial_replaces_the_plan_before_only_once_it_is_confirmed() {
        let mut state = State::first(incoming("a"), true, Vec::new());
        assert!(!state.is_deployed());
        state.on_trial(incoming("b"), 600);
        assert_eq!((state.confirmed.clone(), state.serial(&plan::hash("b").full())), (plan::hash("a").full(), 2));
        assert!(state.confirm() && !state.confirm());
        assert_eq!(ends(&state), [(2, End::Running), (1, End::Replaced)]);
        assert!(state.is_deployed());
        state.on_trial(incoming("c"), 600);
        assert!(state.roll_back("timeout") && !state.roll_back("timeout"));
        let taken_back = End::RolledBack("timeout".to_owned());
        assert_eq!(ends(&state), [(3, taken_back), (2, End::Running), (1, End::Replaced)]);
        assert_eq!(state.before().map(|entry| entry.serial), Some(1), "what was taken back is not gone back to");
        assert_eq!(state.confirmed, plan::hash("b").full());
        // A plan that never stayed is not gone back to; one that stayed is, also when it was taken back another time.
        let stayed = |state: &State, text: &str| {
            state.find(&short(&plan::hash(text).full())).map(|entry| (entry.serial, state.stayed(entry)))
        };
        assert_eq!(stayed(&state, "c"), Some((3, false)));
        state.on_trial(incoming("d"), 600);
        assert_eq!(stayed(&state, "d"), Some((4, false)), "it is on trial");
        state.roll_back("timeout");
        state.on_trial(incoming("a"), 600);
        assert_eq!(stayed(&state, "a"), Some((1, true)));
        state.roll_back("timeout");
        assert_eq!((stayed(&state, "a"), stayed(&state, "b")), (Some((1, true)), Some((2, true))));
        assert_eq!(stayed(&state, "none"), None);
    }

    #[test]
    fn fifty_plans_are_kept_and_the_confirmed_one_whatever_its_age() {
        let mut state = State::first(incoming("confirmed"), true, Vec::new());
        for number in 0..120 {
            state.on_trial(incoming(&number.to_string()), 600);
            state.roll_back("timeout");
        }
        assert_eq!(state.history.len(), HISTORY_MAX);
        assert_eq!(state.serial(&state.confirmed), 1);
        assert_eq!(state.history[0].serial, 121);
    }

    #[test]
    fn slots_are_found_again_and_damage_is_seen() {
        let folder = std::env::temp_dir().join(format!("facteur-slots-{}", std::process::id()));
        let slots = Slots::of(&folder);
        assert!(slots.state().unwrap().is_none());
        let hash = slots.keep("a plan", Some("a map"), None).unwrap();
        let state = State::first(incoming("a plan"), true, Vec::new());
        slots.write(&state).unwrap();
        let gone = slots.keep("another", None, None).unwrap();
        slots.write(&state).unwrap();
        assert_eq!(slots.state().unwrap(), Some(state));
        assert_eq!(
            (slots.plan(&hash).unwrap(), slots.map(&hash).unwrap()),
            ("a plan".to_owned(), Some("a map".to_owned()))
        );
        assert!(slots.plan(&gone).is_err(), "nobody knows it");
        std::fs::write(folder.join("plans").join(format!("{hash}.plan.ron")), "a plaN").unwrap();
        assert!(slots.plan(&hash).unwrap_err().to_string().contains("damaged"));
        assert!(slots.plan("../../etc/passwd").is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
