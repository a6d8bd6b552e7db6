//! `facteur test`: the cases of `*.test.ron` beside a policy, played with the functions the server calls.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use policy::compile::{Compiled, LoadError, Loader, Sealed};
use policy::diagnostic::{Diagnostic, Sources};
use policy::people::Directory;
use policy::render::{human, json};
use policy::suite::{self, Asked, CaseReport, Recorded, Report};

use super::report::Report as PolicyReport;
use super::{compiled, exit_of};
use crate::Exit;
use crate::cli::Format;
use crate::files::{Disk, write_whole};

const ENDS: &str = ".test.ron";

#[derive(Args)]
#[command(after_long_help = HELP)]
pub struct TestArgs {
    /// Folders with policy.ron and *.test.ron, or test files beside a policy.ron
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Only cases whose name holds this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub filter: String,
    /// Write down what cases with `expect: Recorded` get, in NAME.test.expected.ron; nothing else writes
    #[arg(long)]
    pub record: bool,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

const HELP: &str = r#"A test file:

  Tests(
      policy: "nantes",
      people: { "toto-j": (profile: "standard") },       // over those of people.ron
      cases: [
          Case(name: "250 recipients in a quarter of an hour from home, not 251",
              given: (block: "person-outside", login: "toto-j", at: "2026-11-23 10:00:00"),
              when: [Sends(messages: 5, recipients_each: 50, every: "1 min"), Sends(messages: 1, recipients_each: 1)],
              expect: [AllAccepted, Refused(at: Rcpt, code: 451, by: "may_send.person-outside.recipients_attempted/15min")],
          ),
          Each(name: "limits table of the guide",
              columns: ["block", "rcpt_per_msg", "rcpt_per_hour"],
              rows: [("person-outside", 50, 500), ("machine", 50, None)],
          ),
      ],
  )

given: block, listener, client (an address), network, login, at (a local time of the institution), tls, recipients
  ({ "a@b.example": Full } or FullForLong, Redirected, PassedOn, Unknown, Unsure, Malformed), and what an engine says
  by its name: clamav: Clean, Suspect("…"), Infected("…"), Down, DownFor("4 h").
when: Sends(messages, recipients_each, every, to, from, size), Attempts(recipients, within, to), Wait("20 min"),
  Mail(from, to, report, size, declares, from_header, aligned, score), Connects(times, every, staying), LogsIn,
  FailsLogin(times, every, same), AsksRedirect("…"), AsksRedirectHome(to, home), Derives(first, last),
  Moves(block, listener, client, network, login, tls) to go on as another client or person.
  `to` of Sends and Attempts is a kind of recipient: Local, Unknown, Remote, Full, …
expect, one for each event: AllAccepted, FirstAccepted(n), Nothing, Refused(at, code, by, times, recorded) for what the
  last one refused heard (at: Banner, Auth, Mail, Rcpt, Data), Quarantined(told, reply, recorded),
  Dropped(told, reply, recorded), Delivered(tagged, rescan, told), Allowed(by), Denied(by), OnGrant(by), Gets(login, address),
  All([…]). Or `expect: Recorded` for all of them.
columns of a table: block, listener, network, client, login, profile, first, last say who; rcpt_per_msg, msg_per_quarter,
  msg_per_hour, msg_per_day, rcpt_per_quarter, rcpt_per_hour, rcpt_per_day, quota, gets (the login), address are compared.

Ends with 0, 5 when a case fails, 1 when the policy or a test file has errors."#;

/// Runs every file; nothing is written unless `--record` asks for it.
pub fn run(args: &TestArgs) -> Exit {
    let mut exit = Exit::Fine;
    let mut tally = Tally::default();
    let folders = match folders(&args.paths) {
        Ok(folders) => folders,
        Err(exit) => return exit,
    };
    for (folder, files) in &folders {
        exit = exit.or(policy(folder, files, args, &mut tally));
    }
    tally.print(args, tally.ran);
    if tally.failed > 0 { exit.or(Exit::StepWentOtherwise) } else { exit }
}

/// What all files came to.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    ran: bool,
    /// A sentence for each policy that was tested whole.
    uncovered: Vec<String>,
}

impl Tally {
    fn print(&self, args: &TestArgs, ran: bool) {
        if !ran {
            return;
        }
        match args.format {
            Format::Human => {
                let never = self.uncovered.iter().map(|listed| format!(" Rules never exercised: {listed}"));
                say!("{} passed, {} failed.{}", self.passed, self.failed, never.collect::<Vec<_>>().join("."));
            }
            Format::Json => {
                let (passed, failed) = (self.passed, self.failed);
                say!("{}", serde_json::json!({"schema": 1, "kind": "summary", "passed": passed, "failed": failed}));
            }
        }
    }
}

/// The test files by the folder of their policy, in order.
fn folders(paths: &[PathBuf]) -> Result<BTreeMap<PathBuf, BTreeSet<PathBuf>>, Exit> {
    let mut folders: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for path in paths {
        if path.is_dir() {
            let files = tests_in(path)?;
            if files.is_empty() {
                eprintln!("facteur: {}: there is no *{ENDS} beside policy.ron", path.display());
                return Err(Exit::Trouble);
            }
            folders.entry(path.clone()).or_default().extend(files);
        } else {
            let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
            folders.entry(folder).or_default().insert(path.clone());
        }
    }
    Ok(folders)
}

fn tests_in(folder: &Path) -> Result<BTreeSet<PathBuf>, Exit> {
    let listed = std::fs::read_dir(folder).map_err(|error| {
        eprintln!("facteur: {}: {error}", folder.display());
        Exit::Trouble
    })?;
    let paths = listed.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let is_test = |path: &PathBuf| path.is_file() && path.to_string_lossy().ends_with(ENDS);
    Ok(paths.filter(is_test).collect())
}

/// The files of one policy.
fn policy(folder: &Path, files: &BTreeSet<PathBuf>, args: &TestArgs, tally: &mut Tally) -> Exit {
    let mut compiled = match compiled(&folder.join("policy.ron")) {
        Ok(compiled) => compiled,
        Err(exit) => return exit,
    };
    let Some(sealed) = compiled.plan.take().filter(|_| !compiled.has_errors()) else {
        PolicyReport::default().print(&compiled, args.format);
        return exit_of(&compiled);
    };
    let people = compiled.people.take().unwrap_or_default();
    let mut hits = BTreeSet::new();
    let mut exit = Exit::Fine;
    for file in files {
        exit = exit.or(one(file, &mut compiled, &sealed, &people, args, &mut hits, tally));
    }
    if args.filter.is_empty() && exit == Exit::Fine {
        uncovered(&sealed, &hits, args.format, tally);
    }
    exit
}

fn uncovered(sealed: &Sealed, hits: &BTreeSet<String>, format: Format, tally: &mut Tally) {
    let (never, listed) = suite::uncovered(sealed, hits);
    if format == Format::Json {
        say!("{}", serde_json::json!({"schema": 1, "kind": "coverage", "plan": sealed.hash.short(), "never": never}));
    }
    tally.uncovered.push(if listed.is_empty() { "none".to_owned() } else { listed.join(", ") });
}

/// One file.
fn one(
    file: &Path,
    compiled: &mut Compiled,
    sealed: &Sealed,
    people: &Directory,
    args: &TestArgs,
    hits: &mut BTreeSet<String>,
    tally: &mut Tally,
) -> Exit {
    let name = file.to_string_lossy().into_owned();
    let text = match Disk.load(&name) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("facteur: {name}: {error}");
            return Exit::Trouble;
        }
    };
    let beside = expected_name(&name);
    let sources = &mut compiled.sources;
    let mut found = Vec::new();
    let tests = suite::read(sources, &name, &text, &mut found);
    let recorded = match Disk.load(&beside) {
        // What is about to be written anew need not be sound.
        Ok(text) => Some(Recorded::read(sources, &beside, &text, &mut found)),
        Err(LoadError::NotFound) => None,
        Err(LoadError::Unreadable(why)) => {
            eprintln!("facteur: {beside}: {why}");
            return Exit::Trouble;
        }
    };
    let asked = Asked { filter: &args.filter, recorded: recorded.as_ref(), record: args.record };
    let report = match found.iter().any(Diagnostic::is_error) {
        true => Report::default(),
        false => suite::run(&tests, sealed, people, sources, asked, hits, &mut found),
    };
    if found.iter().any(Diagnostic::is_error) {
        say_found(&found, sources, args.format);
        return Exit::PolicyErrors;
    }
    tally.ran = true;
    print(file, &report, args.format, tally);
    if args.record { record(&beside, recorded.unwrap_or_default(), &report, args) } else { Exit::Fine }
}

/// `limits.test.expected.ron` for `limits.test.ron`.
fn expected_name(name: &str) -> String {
    format!("{}.expected.ron", name.strip_suffix(".ron").unwrap_or(name))
}

fn say_found(found: &[Diagnostic], sources: &Sources, format: Format) {
    for diagnostic in found {
        match format {
            Format::Human => eprintln!("{}", human::render(diagnostic, sources, false)),
            Format::Json => say!("{}", json::render(diagnostic, sources)),
        }
    }
}

fn print(file: &Path, report: &Report, format: Format, tally: &mut Tally) {
    if format == Format::Human && !report.cases.is_empty() {
        say!("{}", file.file_name().unwrap_or_default().to_string_lossy());
    }
    for case in &report.cases {
        match format {
            Format::Human => say!("{}", case.human()),
            Format::Json => say!("{}", case.json()),
        }
    }
    let passed = report.cases.iter().filter(|case| case.passed()).count();
    tally.passed += passed;
    tally.failed += report.cases.len() - passed;
}

/// Writes what recorded cases got. Cases that are gone are dropped, unless only some were looked at.
fn record(beside: &str, before: Recorded, report: &Report, args: &TestArgs) -> Exit {
    let mut kept = if args.filter.is_empty() { Recorded::default() } else { before.clone() };
    let got = |case: &CaseReport| case.recorded.clone().map(|got| (case.name.clone(), got));
    kept.cases.extend(report.cases.iter().filter_map(got));
    if kept == before {
        return Exit::Fine;
    }
    match write_whole(Path::new(beside), &kept.text()) {
        Ok(()) => {
            eprintln!("{beside}: {} cases recorded", kept.cases.len());
            Exit::Fine
        }
        Err(error) => {
            eprintln!("facteur: {beside}: {error}");
            Exit::Trouble
        }
    }
}
