//! `facteur trace session`: what a person's sessions say, while it happens.

use clap::{Args, Subcommand};
use serde_json::json;
use server::operate::{Progress, TraceSession};

use super::queue::time;
use super::{Place, counted, failed, follow, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct TraceArgs {
    #[command(subcommand)]
    command: TraceCommand,
}

#[derive(Subcommand)]
enum TraceCommand {
    /// Commands and replies of a person's SMTP sessions from now on, without secrets and content
    Session(SessionArgs),
}

#[derive(Args)]
struct SessionArgs {
    /// Whose sessions, once they have logged in
    #[arg(long)]
    login: String,
    /// How long: "15 min", "90 s", "1 h"
    #[arg(long = "for", value_name = "SPAN", default_value = "15 min")]
    span: String,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &TraceArgs) -> Exit {
    let TraceCommand::Session(args) = &args.command;
    session(args).unwrap_or_else(|exit| exit)
}

fn session(args: &SessionArgs) -> Result<Exit, Exit> {
    let format = args.place.format;
    let bad =
        || failed(format, &format!("{} is no span: give \"15 min\", \"90 s\" or \"1 h\"", args.span), Exit::Trouble);
    let for_s = seconds(&args.span).ok_or_else(bad)?;
    let tell = move |progress: Progress| {
        for line in progress.on.lines() {
            match format {
                Format::Human => say!("{}", for_people(line)),
                Format::Json => say_json("trace", &json!({ "line": line })),
            }
        }
    };
    let request = TraceSession { login: args.login.clone(), for_s };
    let traced = follow(&args.place, request, tell).map_err(|error| failed(format, &error, Exit::Trouble))?;
    if format == Format::Human {
        say!("{} in {}", counted(traced.lines, "line", "lines"), args.span);
    }
    Ok(Exit::Fine)
}

/// The time, for people.
fn for_people(line: &str) -> String {
    let Some((at_s, rest)) = line.split_once(' ') else { return line.to_owned() };
    at_s.parse().map_or_else(|_| line.to_owned(), |at_s| format!("{} {rest}", time(at_s)))
}

fn seconds(span: &str) -> Option<u64> {
    let (number, unit) = span.trim().split_once(' ')?;
    let unit_s = match unit.trim() {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit_s).filter(|s| *s > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_the_policy_writes_them() {
        let read = ["15 min", "90 s", "1 h", "0 s", "15", "1 day", "-1 s"].map(seconds);
        assert_eq!(read, [Some(900), Some(90), Some(3_600), None, None, None, None]);
    }
}
