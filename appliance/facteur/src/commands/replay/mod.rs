//! `facteur replay`: a recorded decision log under another plan. What would be refused newly, by which rule, and to whom.

mod log;
mod report;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use decide::Tables;
use decide::replay::{Replay, Report, Survey, With};
use mail::Login;
use plan::Plan;
use server::operate::{NameHashes, NamedHashes};

use super::live::called;
use super::side::Side;
use crate::Exit;
use crate::cli::Format;
use crate::site_file;
use log::Aside;
pub use log::{Log, read};
pub use report::{counted, days, figure, of_path};

/// Accounts that are named.
const NAMED_MAX: usize = 10_000;

#[derive(Args)]
pub struct ReplayArgs {
    /// What `facteur log export` wrote
    pub log: PathBuf,
    /// The plan to judge it by: a plan (NAME.plan.ron), a policy file, or a folder with policy.ron
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// End with 5 when more decisions than this are newly refused or cannot be judged, or when there is none to judge
    #[arg(long, value_name = "N")]
    pub budget: Option<u64>,
    /// Compare with what this plan would have decided, instead of with what was decided
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    #[command(flatten)]
    pub key: Key,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

/// Whose data folder has what the command wants besides: the key of a log's hashes, people, plans that ran.
#[derive(Args, Clone, Debug, Default)]
pub struct Key {
    /// The data folder of the server: it knows its people, and keeps its plans that ran
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// The facts of this machine, site.ron: they name the data folder
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub site: Option<PathBuf>,
}

impl Key {
    /// The data folder; `None` where no names are wanted.
    pub fn data(&self) -> Result<Option<PathBuf>, String> {
        match (&self.data, &self.site) {
            (Some(data), _) => Ok(Some(data.clone())),
            (None, Some(site)) => site_file::data(site).map(Some).map_err(|error| error.to_string()),
            (None, None) => Ok(None),
        }
    }

    /// Asks who the hashes are of, and what the hashes of `logins` are; nobody where there is no key.
    pub fn names(&self, hashes: Vec<String>, logins: Vec<String>, profiles: bool) -> Result<NamedHashes, String> {
        match self.data()? {
            Some(data) => {
                let request = NameHashes { hashes, logins, profiles };
                called(&data, request).map_err(|error| error.to_string())
            }
            None => Ok(NamedHashes::default()),
        }
    }
}

/// A plan that can judge.
pub struct Judge {
    pub tables: Tables,
    /// Full hash.
    pub full: String,
}

impl Judge {
    pub fn of(text: &str) -> Result<Judge, String> {
        let (plan, hash) = plan::read(text).map_err(|error| error.to_string())?;
        let tables = Tables::new(plan).map_err(|error| error.to_string())?;
        Ok(Judge { tables, full: hash.full() })
    }

    fn load(path: &Path, format: Format) -> Result<Judge, Exit> {
        let side = Side::load(path, format)?;
        Judge::of(&side.text).map_err(|why| trouble(&format!("{}: {why}", path.display())))
    }

    pub fn plan(&self) -> &Plan {
        self.tables.plan()
    }
}

pub fn run(args: &ReplayArgs) -> Exit {
    answer(args).unwrap_or_else(|exit| exit)
}

fn answer(args: &ReplayArgs) -> Result<Exit, Exit> {
    let started = Instant::now();
    let judge = Judge::load(&args.plan, args.format)?;
    let against = args.against.as_deref().map(|path| Judge::load(path, args.format)).transpose()?;
    let log = read(&args.log).map_err(|why| trouble(&why))?;
    let report = replayed(&judge, against.as_ref(), &log, &args.key).map_err(|why| trouble(&why))?;
    let hashes = report.hurt.iter().filter(|(_, hurt)| hurt.is_account).map(|(who, _)| who.clone());
    let names = match report.hurt.is_empty() {
        true => NamedHashes::default(),
        false => args.key.names(hashes.take(NAMED_MAX).collect(), Vec::new(), false).map_err(|why| trouble(&why))?,
    };
    let said = report::Said {
        report: &report,
        log: &log.head,
        old: against.as_ref().map(|judge| judge.full.as_str()),
        new: &judge.full,
        names: &names.logins,
        budget: args.budget,
        took: started.elapsed(),
    };
    match args.format {
        Format::Human => say!("{}", said.human()),
        Format::Json => said.json().iter().for_each(|line| say!("{line}")),
    }
    Ok(match args.budget {
        Some(budget) if !report::is_within(&report, budget) => Exit::StepWentOtherwise,
        None if report.differs() => Exit::DifferencesFound,
        Some(_) | None => Exit::Fine,
    })
}

/// Judges a log; compared with what was decided, or with what `against` would have decided.
pub fn replayed(judge: &Judge, against: Option<&Judge>, log: &Log, key: &Key) -> Result<Report, String> {
    let day = calendar(&log.head.time_zone, judge.plan());
    let judged_from_s = log.head.judged_from_s;
    let granted = self::granted(judge, key)?;
    let before = against.map(|judge| (judge.full.as_str(), judge.plan()));
    let new = With { plan: &judge.full, before, granted, day: &day, judged_from_s };
    let Some(old) = against else { return looked_at(&judge.tables, log, &new) };
    let own = With { plan: &old.full, before: None, granted: self::granted(old, key)?, day: &day, judged_from_s };
    looked_at(&judge.tables, &rewritten(&old.tables, log, &own)?, &new)
}

fn looked_at(tables: &Tables, log: &Log, with: &With<'_>) -> Result<Report, String> {
    let mut replay = Replay::new(tables, with, surveyed(tables, log, with)?);
    log.each(|facts| replay.row(facts).map_err(|error| error.to_string()))?;
    replay.end().map_err(|error| error.to_string())
}

/// The log as a server with this plan would have written it.
fn rewritten(tables: &Tables, log: &Log, with: &With<'_>) -> Result<Log, String> {
    let mut replay = Replay::new(tables, with, surveyed(tables, log, with)?).writing();
    let mut aside = Aside::new()?;
    log.each(|facts| {
        replay.row(facts).map_err(|error| error.to_string())?;
        replay.wrote().iter().try_for_each(|facts| aside.add(&log.head, facts))
    })?;
    replay.finish().map_err(|error| error.to_string())?;
    replay.wrote().iter().try_for_each(|facts| aside.add(&log.head, facts))?;
    aside.log(&log.head)
}

fn surveyed(tables: &Tables, log: &Log, with: &With<'_>) -> Result<Survey, String> {
    let mut survey = Survey::default();
    log.each(|facts| survey.row(tables, &facts, with).map_err(|error| error.to_string()))?;
    Ok(survey)
}

/// Who the plan grants limits to, by hash.
fn granted(judge: &Judge, key: &Key) -> Result<HashMap<String, Login>, String> {
    let logins: Vec<String> = judge.plan().limit_grants.iter().map(|grant| grant.login.clone()).collect();
    if logins.is_empty() {
        return Ok(HashMap::new());
    }
    let named: BTreeMap<String, String> = key.names(Vec::new(), logins, false)?.logins;
    Ok(named.into_iter().filter_map(|(hash, login)| Some((hash, Login::new(&login)?))).collect())
}

/// The day of a Unix second where the institution is.
fn calendar(time_zone: &str, plan: &Plan) -> impl Fn(i64) -> String + use<> {
    let name = if time_zone.is_empty() { &plan.institution.time_zone } else { time_zone };
    let zone = jiff::tz::TimeZone::get(name).unwrap_or(jiff::tz::TimeZone::UTC);
    move |at_s| {
        let at = jiff::Timestamp::from_second(at_s).unwrap_or_default();
        at.to_zoned(zone.clone()).date().to_string()
    }
}

fn trouble(why: &str) -> Exit {
    eprintln!("facteur: {why}");
    Exit::Trouble
}
