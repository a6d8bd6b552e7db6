//! `facteur deploy`, `confirm`, `rollback` and `history`: the plan of a running server (policy-language 9).

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use policy::diff::{self, Class, Difference};
use policy::model::literal::span_s;
use serde::Serialize;
use server::operate::{
    Confirm, Deploy, Deployed, DeployedPlan, History, PlanAnswer, PlanEnd, PlanEntry, PlanNow, RollBack, RunningPlan,
};

use super::{Place, ask, counted, failed, say_json};
use crate::Exit;
use crate::cli::Format;
use crate::commands::diff as compared;
use crate::commands::side::{self, Side};

/// How plans are called on disk.
const BESIDE: &str = ".plan.ron";

#[derive(Args)]
pub struct DeployArgs {
    #[command(flatten)]
    place: Place,
    /// A plan (NAME.plan.ron), a policy file, or a folder with policy.ron
    plan: PathBuf,
    /// How long it is on trial: "10 min" [default: as the running policy says]
    #[arg(long, value_name = "TIME", value_parser = time)]
    confirm: Option<u64>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// What the change is allowed to do
    #[arg(long, value_enum, value_name = "WHAT")]
    ack: Option<Ack>,
    /// Listeners that may be restarted
    #[arg(long, value_name = "LISTENER", value_delimiter = ',')]
    restart: Vec<String>,
    /// The source map of a plan [default: NAME.map.ron beside it]
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Its signatures [default: NAME.sig.ron beside it, where there is one]
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ack {
    /// Loosening is meant (L1007)
    Loosen,
}

#[derive(Args)]
pub struct ConfirmArgs {
    #[command(flatten)]
    place: Place,
    /// The plan you mean, by its hash: another one that is on trial by now is not confirmed
    #[arg(long, value_name = "HASH")]
    plan: Option<String>,
}

#[derive(Args)]
pub struct RollbackArgs {
    #[command(flatten)]
    place: Place,
    /// A plan of the history, by its hash [default: the one before]
    #[arg(long, value_name = "HASH")]
    to: Option<String>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

#[derive(Args)]
pub struct HistoryArgs {
    #[command(flatten)]
    place: Place,
}

fn time(text: &str) -> Result<u64, String> {
    span_s(text).filter(|seconds| *seconds > 0).ok_or_else(|| "write a time such as \"10 min\"".to_owned())
}

pub fn deploy(args: &DeployArgs) -> Exit {
    deployed(args).unwrap_or_else(|exit| exit)
}

fn deployed(args: &DeployArgs) -> Result<Exit, Exit> {
    let format = args.place.format;
    let new = Side::load(&args.plan, format)?;
    let now = ask(&args.place, "deploy", Deployed {})?;
    let difference = difference(&now, &new, format)?;
    let acknowledged = args.ack == Some(Ack::Loosen);
    let loosened = difference.loosened();
    if !loosened.is_empty() && !acknowledged {
        compared::say_loosened(&loosened, format);
        return Err(Exit::Refused);
    }
    let map = match (&args.map, &new.map) {
        (Some(path), _) => Some(side::read(&path.to_string_lossy())?),
        (None, map) => map.as_ref().map(plan::emit),
    };
    let request = Deploy {
        plan: new.text,
        map,
        signature: signature(args)?,
        confirm_s: args.confirm.unwrap_or(0),
        reason: args.reason.clone(),
        ack_loosen: acknowledged,
        restart: args.restart.clone(),
        only_tighter: difference.changes.iter().all(|it| matches!(it.class, Class::Tighter | Class::Text)),
        summary: summary(&difference),
        over: now.hash,
    };
    match ask(&args.place, "deploy", request)? {
        PlanAnswer::Runs(plan) => {
            match format {
                Format::Human => say_deployed(&plan, &difference, acknowledged),
                Format::Json => say_json("deployed", &plan),
            }
            Ok(Exit::Fine)
        }
        PlanAnswer::Refused { why, rule } => Err(refused(format, &why, &rule)),
    }
}

/// The signatures that were named, or those that lie beside a plan.
fn signature(args: &DeployArgs) -> Result<Option<String>, Exit> {
    if let Some(path) = &args.signature {
        return side::read(&path.to_string_lossy()).map(Some);
    }
    let name = args.plan.to_string_lossy();
    let beside = name.strip_suffix(BESIDE).map(|name| format!("{name}.sig.ron"));
    // One that is there is meant, also where it cannot be read.
    let beside = beside.filter(|path| Path::new(path).exists());
    beside.map(|path| side::read(&path)).transpose()
}

fn difference(now: &PlanNow, new: &Side, format: Format) -> Result<Difference, Exit> {
    let map = now.map.as_deref().and_then(|map| ron::from_str(map).ok());
    let old = diff::Side { text: &now.plan, map: map.as_ref(), found: None };
    diff::diff(old, compared::of(new)).map_err(|(is_new, fault)| {
        let whose = if is_new { "the plan" } else { "the plan that runs" };
        failed(format, &format!("{whose} cannot be compared: {fault}"), Exit::Trouble)
    })
}

/// `1 TIGHTER, 1 LOOSER`.
fn summary(difference: &Difference) -> String {
    let classes = [Class::Tighter, Class::Looser, Class::Different, Class::Text];
    let count = |class: Class| difference.changes.iter().filter(|it| it.class == class).count();
    let told = classes.into_iter().filter(|class| count(*class) > 0);
    told.map(|class| format!("{} {}", count(class), class.as_str())).collect::<Vec<_>>().join(", ")
}

fn say_deployed(plan: &DeployedPlan, difference: &Difference, acknowledged: bool) {
    let acked = if acknowledged && !difference.loosened().is_empty() { "   (--ack loosen given)" } else { "" };
    say!("{} → {}  serial {}   {}{acked}", plan.before, plan.plan, plan.serial, summary(difference));
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    say!(
        "hot: all other changes    restarted: {}    opened: {}    closed: {}    redirects invalidated: {}    grants of room: {}",
        list(&plan.restarted),
        list(&plan.opened),
        list(&plan.closed),
        plan.redirects_invalid,
        plan.grants_invalid
    );
    plan.redirects.iter().for_each(|line| say!("  redirect {line}"));
    plan.counters.iter().for_each(|line| say!("counters: {line}"));
    plan.warnings.iter().for_each(|line| say!("warning: {line}"));
    if !plan.signed_by.is_empty() {
        say!("signed by {}", plan.signed_by.join(", "));
    }
    say!(
        "trial since {}; {} kept; rolls back at {} unless `facteur confirm`",
        clock(plan.since_s),
        counted(plan.connections, "connection", "connections"),
        clock(plan.until_s)
    );
    let guards = &plan.guards;
    say!(
        "guards: accounts refused in this hour a week ago {}   scanners: {} of {}   queue: {}",
        guards.refused_a_week_ago,
        guards.engines_up,
        guards.engines,
        guards.queue
    );
}

/// The time of day on this machine.
fn clock(at_s: i64) -> String {
    let at = jiff::Timestamp::from_second(at_s).unwrap_or_default().to_zoned(jiff::tz::TimeZone::system());
    at.strftime("%H:%M:%S").to_string()
}

fn moment(at_s: i64) -> String {
    let at = jiff::Timestamp::from_second(at_s).unwrap_or_default().to_zoned(jiff::tz::TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn refused(format: Format, why: &str, rule: &str) -> Exit {
    failed(format, &format!("{why} [{rule}]"), Exit::Refused)
}

pub fn confirm(args: &ConfirmArgs) -> Exit {
    let format = args.place.format;
    let answer = ask(&args.place, "confirm", Confirm { plan: args.plan.clone().unwrap_or_default() });
    answer.map_or_else(|exit| exit, |answer| runs(format, "confirmed", answer))
}

pub fn rollback(args: &RollbackArgs) -> Exit {
    let format = args.place.format;
    let request = RollBack { to: args.to.clone(), reason: args.reason.clone() };
    let answer = ask(&args.place, "rollback", request);
    answer.map_or_else(|exit| exit, |answer| runs(format, "runs again", answer))
}

fn runs(format: Format, word: &str, answer: PlanAnswer<RunningPlan>) -> Exit {
    match (answer, format) {
        (PlanAnswer::Runs(RunningPlan { plan, serial }), Format::Human) => say!("{plan} {word}, serial {serial}"),
        (PlanAnswer::Runs(plan), Format::Json) => say_json("running", &plan),
        (PlanAnswer::Refused { why, rule }, _) => return refused(format, &why, &rule),
    }
    Exit::Fine
}

/// An entry as JSON tells it.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    entry: &'a PlanEntry,
    state: &'a str,
}

pub fn history(args: &HistoryArgs) -> Exit {
    let all = match ask(&args.place, "history", History {}) {
        Ok(all) => all,
        Err(exit) => return exit,
    };
    let state = |place: usize, entry: &PlanEntry| match &entry.end {
        PlanEnd::Running if place == 0 && all.trial_until_s.is_some() => "trial".to_owned(),
        PlanEnd::Running => "runs".to_owned(),
        PlanEnd::Replaced => "replaced".to_owned(),
        PlanEnd::RolledBack(cause) => format!("rolled back: {cause}"),
    };
    let with_state = all.plans.iter().enumerate().map(|(place, entry)| (entry, state(place, entry)));
    match args.place.format {
        Format::Json => with_state.for_each(|(entry, state)| say_json("plan", &Told { entry, state: &state })),
        Format::Human => table(with_state).iter().for_each(|line| say!("{line}")),
    }
    if let (Some(until_s), Format::Human) = (all.trial_until_s, args.place.format) {
        say!("on trial until {}: facteur confirm keeps it", moment(until_s));
    }
    Exit::Fine
}

/// A line for each plan, the newest first, in columns as wide as what is in them.
fn table<'e>(plans: impl Iterator<Item = (&'e PlanEntry, String)>) -> Vec<String> {
    let mut rows = vec![["serial", "plan", "since", "state", "author", "changes", "reason"].map(str::to_owned)];
    rows.extend(plans.map(|(entry, state)| {
        let or_dash = |text: &String| if text.is_empty() { "-".to_owned() } else { text.clone() };
        let (author, summary, reason) = (or_dash(&entry.author), or_dash(&entry.summary), or_dash(&entry.reason));
        [entry.serial.to_string(), entry.hash.clone(), moment(entry.at_s), state, author, summary, reason]
    }));
    let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(wide);
    let line = |row: &[String; 7]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
