//! The first boot, and every later one: the same steps, of which those that are done do nothing. A run that is killed anywhere is
//! completed by the next: a value counts as taken once it is in its place, and not before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use decide::Tables;
use mail::Login;
use plan::signed::PublicKey;
use proto::sasl::Secret;
use server::remote::operators;
use server::{Vault, keys};
use store::{Op, Store};

use super::given::{Given, KEYS, OPERATORS, PASSWORD, PEOPLE, SECRET, SITE, SITE_CREDENTIAL};
use super::imported::{self, Asked, Digests, REFUSED, Verdict};
use super::minimal;
use crate::{serving, site_file};

type Anything = Box<dyn std::error::Error + Send + Sync>;

/// The note of what was taken.
const TAKEN: &str = "first-boot/taken";
/// What the console shows, in the data folder.
pub const REPORT: &str = "first-boot.report";

/// Pauses a disk that is slow is waited for, and how long each is.
const WAITS: u32 = 40;
pub const PAUSE: Duration = Duration::from_millis(250);

/// Where everything is.
#[derive(Clone)]
pub struct Places {
    pub data: PathBuf,
    /// What the image brings.
    pub plan: PathBuf,
    pub credentials: Option<PathBuf>,
    /// A NoCloud disk, mounted.
    pub cidata: Option<PathBuf>,
    pub addresses: Vec<IpAddr>,
}

/// A step that is done. Tests stop a run behind each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Folder,
    Opened,
    Secrets,
    People,
    Operators,
    Keys,
    Site,
    Noted,
    Minimal,
    Reported,
}

/// Does what is to be done and gives what somebody should know, a line each. `after` is told of each step and may stop the run.
pub fn run(
    places: &Places,
    again: bool,
    after: &mut dyn FnMut(Step) -> Result<(), Anything>,
) -> Result<Vec<String>, Anything> {
    std::fs::create_dir_all(&places.data).map_err(|error| serving::named(&places.data, error))?;
    after(Step::Folder)?;
    let given = Given::read(places.credentials.as_deref(), places.cidata.as_deref());
    let (tables, is_deployed) = tables(places)?;
    let mut lines = given.notes.clone();
    if !given.is_empty() {
        let store = Store::open(&places.data, serving::store_options())?;
        after(Step::Opened)?;
        lines.extend(Import { places, store: &store, tables: &tables, is_deployed, given: &given, again }.run(after)?);
    }
    if is_ours_to_write(&site(places)) {
        let (text, missing) = minimal::site(tables.plan(), &places.data, &places.addresses);
        lines.extend(missing);
        match write(&site(places), &text) {
            // On a full disk the server gives way to deletions; without it nobody could delete.
            Err(error) if site(places).is_file() => lines.push(format!("the site stays as it was: {error}")),
            written => written?,
        }
    }
    after(Step::Minimal)?;
    let report: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if let Err(error) = write(&places.data.join(REPORT), &report) {
        lines.push(format!("this is not kept for the console: {error}"));
    }
    after(Step::Reported)?;
    Ok(lines)
}

/// Waits for the disk `cidata` (10 s at most) where nothing else has a site: a slow one must not make a machine without mail.
pub fn wait_for_disk(places: &Places, pause: &mut dyn FnMut()) {
    let has_site = places.credentials.as_ref().is_some_and(|folder| folder.join(SITE_CREDENTIAL).exists());
    let Some(disk) = places.cidata.as_ref().filter(|_| !has_site && is_ours_to_write(&site(places))) else { return };
    // An empty folder is one nothing is mounted on yet.
    let is_there = || std::fs::read_dir(disk).is_ok_and(|mut entries| entries.next().is_some());
    for _ in 0..WAITS {
        if is_there() {
            return;
        }
        pause();
    }
}

pub fn site(places: &Places) -> PathBuf {
    places.data.join("site.ron")
}

/// Of the plan that will be served, and whether it was deployed.
fn tables(places: &Places) -> Result<(Tables, bool), Anything> {
    let serving::Served { text, path, is_deployed } = serving::plan_text(&places.plan, &places.data)?;
    let (plan, _) = plan::read(&text).map_err(|error| serving::named(&path, error))?;
    Ok((Tables::new(plan)?, is_deployed))
}

/// There is none, or one of ours: then the address may be another today.
fn is_ours_to_write(site: &Path) -> bool {
    match std::fs::read(site) {
        Ok(text) => text.starts_with(minimal::HEAD.as_bytes()),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// What the console says of a value that was left.
fn not_taken(taken: &Digests, item: &str) -> String {
    if item == KEYS {
        return "keys are given that were not at first boot: they are not taken (key break-glass)".to_owned();
    }
    let why = if taken.contains_key(item) { "differs from what was imported" } else { "was not given at first boot" };
    format!("{item} {why}: it is not taken (import --again)")
}

/// What is said where `seal.key` is another than it was.
fn lost(secrets: &[String]) -> String {
    let secrets = if secrets.is_empty() { "what was imported".to_owned() } else { secrets.join(", ") };
    format!(
        "SEAL.KEY OF THE DATA FOLDER IS LOST: {secrets} DOES NOT OPEN. This is no first boot: nothing given is taken, and what is \
         sealed stays. Put that seal.key back and start again, or give everything again (import --again; keys by key break-glass)"
    )
}

struct Import<'a> {
    places: &'a Places,
    store: &'a Store,
    tables: &'a Tables,
    is_deployed: bool,
    given: &'a Given,
    again: bool,
}

impl Import<'_> {
    fn run(&self, after: &mut dyn FnMut(Step) -> Result<(), Anything>) -> Result<Vec<String>, Anything> {
        let vault = Vault::of(self.store, &self.places.data)?;
        let closed = vault.is_closed(TAKEN)?;
        let kept = vault.note(TAKEN)?;
        let mut taken: Digests = kept.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let before = taken.clone();
        let (mut lines, mut take) = (Vec::new(), Vec::new());
        if closed {
            lines.push(lost(&vault.closed()?));
        }
        let asked = Asked { again: self.again, nobody: self.store.people(None, 1)?.is_empty(), closed };
        let is_first = !closed && taken.values().all(|digest| digest == REFUSED);
        for (item, verdict) in imported::verdicts(&taken, self.given, asked) {
            match verdict {
                Verdict::Take => take.push(item),
                Verdict::Known => {}
                Verdict::Differs if closed && !self.again => {}
                Verdict::Differs => lines.push(not_taken(&taken, &item)),
            }
        }
        let wants = |item: &str| take.iter().any(|one| one == item);
        let mut done: Vec<&String> = Vec::new();
        match vault.keep(&self.secrets(&take), &[]) {
            Ok(()) => done.extend(take.iter().filter(|item| item.starts_with(SECRET) && !item.starts_with(PASSWORD))),
            Err(error) => lines.push(format!("SECRETS WERE NOT IMPORTED: {error}")),
        }
        after(Step::Secrets)?;
        for (item, step) in
            [(PEOPLE, Step::People), (OPERATORS, Step::Operators), (KEYS, Step::Keys), (SITE, Step::Site)]
        {
            if let Some(value) = self.given.values.get(item).filter(|_| wants(item)) {
                match self.put(item, value) {
                    Ok(()) => done.extend(take.iter().filter(|one| *one == item)),
                    Err(why) => {
                        lines.push(format!("{item} WAS NOT IMPORTED: {why}"));
                        // Mended, it is taken at a later boot, as it would have been at this one.
                        if is_first && [KEYS, OPERATORS].contains(&item) {
                            taken.insert(item.to_owned(), REFUSED.to_owned());
                        }
                    }
                }
            }
            if step == Step::People {
                for item in take.iter().filter(|item| item.starts_with(PASSWORD)) {
                    match self.password(item) {
                        Ok(()) => done.push(item),
                        Err(why) => lines.push(format!("{item} WAS NOT IMPORTED: {why}")),
                    }
                }
            }
            after(step)?;
        }
        if !done.is_empty() {
            taken.extend(done.iter().map(|item| ((*item).clone(), imported::digest(&self.given.values[*item]))));
            let names: Vec<&str> = done.iter().map(|item| item.as_str()).collect();
            lines.push(format!("imported: {}", names.join(", ")));
        }
        if taken != before {
            vault.keep(&BTreeMap::new(), &[(TAKEN, serde_json::to_vec(&taken)?)])?;
        }
        after(Step::Noted)?;
        Ok(lines)
    }

    /// Those that are taken and are no passwords of people, by name.
    fn secrets(&self, take: &[String]) -> BTreeMap<String, String> {
        let of_site = take.iter().filter(|item| !item.starts_with(PASSWORD));
        let named = of_site
            .filter_map(|item| Some((item.strip_prefix(SECRET)?.to_owned(), self.given.values.get(item)?.clone())));
        named.collect()
    }

    fn put(&self, item: &str, value: &str) -> Result<(), String> {
        match item {
            PEOPLE => self.people(value),
            KEYS => self.keys(value),
            OPERATORS => self.operators(value),
            _ => self.site(value),
        }
    }

    /// The password of somebody who is there, `secret/password.LOGIN`.
    fn password(&self, item: &str) -> Result<(), String> {
        let login = item.strip_prefix(PASSWORD).and_then(Login::new).ok_or("that is no login")?;
        let person = self.store.person(&login).map_err(|error| error.to_string())?;
        person.ok_or_else(|| format!("nobody has the login {login}"))?;
        let word = self.given.values.get(item).cloned().unwrap_or_default();
        let verifier = server::verifier_of(self.tables.plan(), &Secret::new(word));
        self.store.commit_wait(vec![Op::SetVerifier { login, verifier }]).map(drop).map_err(|error| error.to_string())
    }

    /// Everybody in `people.ron`, under the rules of the plan.
    fn people(&self, text: &str) -> Result<(), String> {
        let plan = self.tables.plan();
        let directory =
            policy::compile::people_of_plan("people.ron", text, plan).map_err(|mistakes| mistakes.join("; "))?;
        crate::people::create_listed(self.store, plan, &directory).map_err(|error| error.to_string())?;
        self.store.commit_wait(crate::people::addresses(&directory)).map(drop).map_err(|error| error.to_string())
    }

    /// The first keys, all of them in one commit. Where there are keys already nobody asks a credential.
    fn keys(&self, text: &str) -> Result<(), String> {
        let (public, needed) = keys_of(text)?;
        let trusted = keys::load(self.store).map_err(|error| error.to_string())?;
        if !trusted.is_empty() {
            let known = public.iter().all(|key| trusted.of_id(&key.id()).is_some());
            // A run that was killed behind this step enrolled them.
            return if known { Ok(()) } else { Err("there are other keys already".to_owned()) };
        }
        let enrolled = keys::replaced(&public, needed, 1).map_err(|error| error.to_string())?;
        let op = keys::op(&enrolled).map_err(|error| error.to_string())?;
        self.store.commit_wait(vec![op]).map(drop).map_err(|error| error.to_string())
    }

    /// Who operates it from elsewhere. A name that comes again with another key has that one from now on.
    fn operators(&self, text: &str) -> Result<(), String> {
        const BY: &str = "first boot";
        let at_s = jiff::Timestamp::now().as_second();
        let failed = |error: server::operate::OperateError| error.to_string();
        let there = operators::kept(self.store).map_err(|error| error.to_string())?;
        // A list that was refused at the first boot is no open door once somebody saw to operators by hand.
        if !self.again && there.values().any(|one| one.by != BY) {
            return Err("operators were enrolled here since: these are not taken (import --again)".to_owned());
        }
        for operator in operators::read_lines(text, BY, at_s)? {
            let kept = operators::kept(self.store).map_err(|error| error.to_string())?;
            let before = kept.values().find(|one| one.name.eq_ignore_ascii_case(&operator.name));
            if before.is_some_and(|before| before.fingerprint == operator.fingerprint && before.role == operator.role) {
                continue;
            }
            let audited = |what: String| Op::Audit { at_s, who: BY.to_owned(), what };
            if before.is_some() {
                let gone = audited(format!("removes the operator {}", operator.name));
                operators::remove(self.store, None, &operator.name, gone).map_err(failed)?;
            }
            let what = format!("enrols the {} {}, whose key is {}", operator.role, operator.name, operator.fingerprint);
            operators::enroll(self.store, None, &operator, audited(what)).map_err(failed)?;
        }
        Ok(())
    }

    /// A site that cannot be served is not put in the place of one that can.
    fn site(&self, text: &str) -> Result<(), String> {
        let (file, tried) = (site(self.places), self.places.data.join("site.ron.given"));
        write(&tried, &format!("{text}\n")).map_err(|error| error.to_string())?;
        // A site outlives plans that are deployed: the server lets it name listeners of others.
        let known = if self.is_deployed { None } else { Some(self.tables) };
        let read = site_file::read(&tried, known).map_err(|error| error.to_string());
        let data = read.map(|site| site.data);
        let judged = data.and_then(|data| {
            let here = &self.places.data;
            let same = data == *here;
            if same { Ok(()) } else { Err(format!("its data folder is {}, not {}", data.display(), here.display())) }
        });
        let placed = judged.and_then(|()| write(&file, &format!("{text}\n")).map_err(|error| error.to_string()));
        // It may hold what was refused; nobody reads it.
        let _ = std::fs::remove_file(&tried);
        placed
    }
}

/// Lines of public files, and `needed N` (1 without it). `#` begins a remark.
pub fn keys_of(text: &str) -> Result<(Vec<PublicKey>, u8), String> {
    let (mut public, mut needed) = (Vec::new(), 1);
    for (line, number) in operators::numbered_lines(text) {
        let bad = |why: &str| format!("line {number}: `{line}`: {why}");
        match line.strip_prefix("needed ") {
            Some(count) => needed = count.trim().parse().map_err(|_| bad("that is no number of keys"))?,
            None => public.push(line.parse::<PublicKey>().map_err(|error| bad(&error.to_string()))?),
        }
    }
    if public.is_empty() { Err("there is no key in it".to_owned()) } else { Ok((public, needed)) }
}

/// All of it, or what was there before; on the disk when this returns.
fn write(path: &Path, text: &str) -> Result<(), Anything> {
    let bad = |error| serving::named(path, error);
    if std::fs::read(path).is_ok_and(|before| before == text.as_bytes()) {
        return Ok(());
    }
    let new = path.with_extension("new");
    let mut file = File::create(&new).map_err(bad)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(bad)?;
    std::fs::rename(&new, path).map_err(bad)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(bad)
}

#[cfg(test)]
#[path = "first_boot/tests.rs"]
mod tests;
