//! `facteur probe`: one question of a monitoring system, one line of answer, and the exit code of a plugin (Monitoring
//! Plugins Development Guidelines): 0 well, 1 warning, 2 critical, 3 unknown.

mod door;
mod mail;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use server::operate::status::probe::{Figure, Level, Limits, Probe, Probed, judge};
use server::operate::{Status, StatusNow};

use super::{Place, follow, say_json};
use crate::Exit;
use crate::cli::Format;

/// The end-to-end probe is none of the others: it needs no word of the server.
const MAIL: &str = "mail";

#[derive(Args)]
pub struct ProbeArgs {
    /// What is looked at; `--list` says what there is
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// Say what can be looked at, and the usual limits
    #[arg(long)]
    list: bool,
    /// A warning from here on, in the unit `--list` says
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    warn: Option<f64>,
    /// Critical from here on
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    crit: Option<f64>,
    /// For `mail`: by which servers and mailbox, a file that nobody else may read
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// For `mail`: how long the message may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    within: u64,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &ProbeArgs) -> u8 {
    if args.list {
        return list(args.place.format);
    }
    let name = args.name.as_deref().unwrap_or_default();
    let said = Limits { warn: args.warn, crit: args.crit };
    let line = match (name, Probe::of(name)) {
        (MAIL, _) => mail::probe(args.with.as_deref(), Duration::from_secs(args.within), mail::LIMITS.or(said)),
        (_, Some(probe)) => look(args, probe, probe.limits().or(said)),
        (_, None) => unknown(name, "there is no such probe; --list says which there are"),
    };
    match args.place.format {
        Format::Human => say!("{}", line.text),
        Format::Json => say_json("probe", &serde_json::json!({"level": line.level, "text": line.text})),
    }
    line.level as u8
}

/// What is printed, and how it ends.
struct Line {
    level: Level,
    text: String,
}

impl From<Probed> for Line {
    fn from(probed: Probed) -> Line {
        Line { level: probed.level, text: probed.to_string() }
    }
}

fn unknown(name: &str, why: &str) -> Line {
    let why: String = why.chars().map(|c| if c == '|' || c.is_control() { ' ' } else { c }).collect();
    Line { level: Level::Unknown, text: format!("{} UNKNOWN - {why}", name.to_uppercase()) }
}

/// A server that does not answer is down: for every probe that is critical, and no matter of not knowing.
fn look(args: &ProbeArgs, probe: Probe, limits: Limits) -> Line {
    let now: StatusNow = match follow(&args.place, Status {}, |_| ()) {
        Ok(now) => now,
        Err(why) => {
            let said: String = why.chars().map(|c| if c == '|' || c.is_control() { ' ' } else { c }).collect();
            let text = format!("{} CRITICAL - {said}", probe.word().to_uppercase());
            return Line { level: Level::Critical, text };
        }
    };
    // Of these the limits are about what is measured from outside.
    if matches!(probe, Probe::Smtp | Probe::Imaps) {
        return door::probe(probe, &now, limits).into();
    }
    judge(probe, &now, limits).into()
}

fn list(format: Format) -> u8 {
    let of = |limit: Option<f64>| limit.map_or("-".to_owned(), |limit| limit.to_string());
    let usual = Probe::ALL.into_iter().map(|probe| (probe.word(), probe.limits(), probe.about()));
    let mail = (MAIL, mail::LIMITS, "a message sent and read again, from end to end; limits: seconds it takes");
    for (name, limits, about) in usual.chain([mail]) {
        match format {
            Format::Human => say!("{name:<12} {:>8} {:>8}  {about}", of(limits.warn), of(limits.crit)),
            Format::Json => {
                say_json("probe_name", &serde_json::json!({"name": name, "about": about, "limits": limits}));
            }
        }
    }
    Exit::Fine as u8
}

/// A figure of seconds that were measured.
fn seconds(name: &str, took: Duration, limits: Limits) -> Figure {
    let value = (took.as_secs_f64() * 1_000.0).round() / 1_000.0;
    Figure { name: name.to_owned(), value, unit: "s".to_owned(), limits }
}
