//! The first boot, and every later one: the same steps, of which those that are done do nothing. A run that is killed anywhere is
//! completed by the next: a value counts as taken once it is in its place, and not before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use decide::Tables;
use plan::signed::PublicKey;
use proto::sasl::Secret;
use server::{Vault, keys};
use store::{Op, Store};

use super::given::{Given, KEYS, PEOPLE, SECRET, SITE};
use super::imported::{self, Digests, Verdict};
use super::minimal;
use crate::{serving, site_file};

type Anything = Box<dyn std::error::Error + Send + Sync>;

/// The note of what was taken.
const TAKEN: &str = "first-boot/taken";
/// What the console shows, in the data folder.
pub const REPORT: &str = "first-boot.report";
/// The first password of somebody is a secret of this name.
const PASSWORD: &str = "secret/password.";

/// Where everything is.
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
    let tables = tables(&places.plan)?;
    let mut lines = given.notes.clone();
    if !given.is_empty() {
        let store = Store::open(&places.data, serving::store_options())?;
        after(Step::Opened)?;
        lines.extend(Import { places, store: &store, tables: &tables, given: &given, again }.run(after)?);
    }
    if is_ours_to_write(&site(places)) {
        let (text, missing) = minimal::site(tables.plan(), &places.data, &places.addresses);
        write(&site(places), &text)?;
        lines.extend(missing);
    }
    after(Step::Minimal)?;
    write(&places.data.join(REPORT), &lines.iter().map(|line| format!("{line}\n")).collect::<String>())?;
    after(Step::Reported)?;
    Ok(lines)
}

pub fn site(places: &Places) -> PathBuf {
    places.data.join("site.ron")
}

fn tables(plan: &Path) -> Result<Tables, Anything> {
    let text = std::fs::read_to_string(plan).map_err(|error| serving::named(plan, error))?;
    let (plan, _) = plan::read(&text).map_err(|error| serving::named(plan, error))?;
    Ok(Tables::new(plan)?)
}

/// There is none, or one of ours: then the address may be another today.
fn is_ours_to_write(site: &Path) -> bool {
    std::fs::read_to_string(site).map_or(true, |text| text.starts_with(minimal::HEAD))
}

struct Import<'a> {
    places: &'a Places,
    store: &'a Store,
    tables: &'a Tables,
    given: &'a Given,
    again: bool,
}

impl Import<'_> {
    fn run(&self, after: &mut dyn FnMut(Step) -> Result<(), Anything>) -> Result<Vec<String>, Anything> {
        let vault = Vault::of(self.store, &self.places.data)?;
        let kept = vault.note(TAKEN)?;
        let mut taken: Digests = kept.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let (mut lines, mut take) = (Vec::new(), Vec::new());
        for (item, verdict) in imported::verdicts(&taken, self.given, self.again) {
            match verdict {
                Verdict::Take => take.push(item),
                Verdict::Known => {}
                Verdict::Differs if item == KEYS => {
                    lines.push(
                        "keys are given that were not at first boot: they are not taken (key break-glass)".into(),
                    );
                }
                Verdict::Differs => {
                    lines.push(format!("{item} differs from what was imported: it is not taken (import --again)"));
                }
            }
        }
        let wants = |item: &str| take.iter().any(|one| one == item);
        let secrets = self.secrets(&take);
        vault.keep(&secrets, &[])?;
        after(Step::Secrets)?;
        let mut done: Vec<&String> = take.iter().filter(|item| item.starts_with(SECRET)).collect();
        for (item, step) in [(PEOPLE, Step::People), (KEYS, Step::Keys), (SITE, Step::Site)] {
            if let Some(value) = self.given.values.get(item).filter(|_| wants(item)) {
                match self.put(item, value) {
                    Ok(()) => done.extend(take.iter().filter(|one| *one == item)),
                    Err(why) => lines.push(format!("{item} WAS NOT IMPORTED: {why}")),
                }
            }
            after(step)?;
        }
        if !done.is_empty() {
            taken.extend(done.iter().map(|item| ((*item).clone(), imported::digest(&self.given.values[*item]))));
            vault.keep(&BTreeMap::new(), &[(TAKEN, serde_json::to_vec(&taken)?)])?;
            let names: Vec<&str> = done.iter().map(|item| item.as_str()).collect();
            lines.push(format!("imported: {}", names.join(", ")));
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
            _ => self.site(value),
        }
    }

    /// Everybody in `people.ron`, under the rules of the plan; who has a first password among the secrets gets it.
    fn people(&self, text: &str) -> Result<(), String> {
        let plan = self.tables.plan();
        let directory =
            policy::compile::people_of_plan("people.ron", text, plan).map_err(|mistakes| mistakes.join("; "))?;
        let password = |login: &str| self.given.values.get(&format!("{PASSWORD}{login}"));
        let verifier = |login: &str| password(login).map(|word| server::verifier_of(plan, &Secret::new(word.clone())));
        let people: Vec<_> =
            directory.people.iter().map(|person| (person.clone(), verifier(person.login.as_str()))).collect();
        crate::people::create(self.store, plan, &people).map_err(|error| error.to_string())?;
        let aliases = directory.aliases.into_iter().map(|alias| Op::UpsertAlias(Box::new(alias))).collect();
        self.store.commit_wait(aliases).map(drop).map_err(|error| error.to_string())
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

    /// A site that cannot be served is not put in the place of one that can.
    fn site(&self, text: &str) -> Result<(), String> {
        let (file, tried) = (site(self.places), self.places.data.join("site.ron.given"));
        write(&tried, &format!("{text}\n")).map_err(|error| error.to_string())?;
        let read = site_file::read(&tried, Some(self.tables)).map_err(|error| error.to_string());
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
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("needed ") {
            Some(number) => needed = number.trim().parse().map_err(|_| format!("`{line}` is no number of keys"))?,
            None => public.push(line.parse::<PublicKey>().map_err(|error| format!("`{line}`: {error}"))?),
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
