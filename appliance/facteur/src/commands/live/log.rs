//! `facteur log export`: the facts of the decision log, one a line, for `facteur replay` and `facteur diff --log`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use server::operate::{DecisionLog, DescribeDecisions, ReadDecisions};

use super::{Place, ask, counted, failed};
use crate::Exit;

#[derive(Args)]
pub struct LogArgs {
    #[command(subcommand)]
    command: LogCommand,
}

#[derive(Subcommand)]
enum LogCommand {
    /// Write the facts decisions rested on, as JSON lines: classes, counts, times and keyed hashes, no name and no content
    Export(ExportArgs),
}

#[derive(Args)]
struct ExportArgs {
    /// Where to; standard output without one
    file: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// From this day or moment on; a day more is written, so that windows are full when it begins
    #[arg(long, value_name = "YYYY-MM-DD[THH:MM:SSZ]", value_parser = moment)]
    since: Option<i64>,
    /// Only what came before
    #[arg(long, value_name = "YYYY-MM-DD[THH:MM:SSZ]", value_parser = moment)]
    until: Option<i64>,
}

/// A day of UTC, or a moment.
fn moment(text: &str) -> Result<i64, String> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at.as_second());
    }
    let day = text.parse::<jiff::civil::Date>().map_err(|_| "a day is written 2026-11-30".to_owned())?;
    let start = day.to_zoned(jiff::tz::TimeZone::UTC).map_err(|error| error.to_string())?;
    Ok(start.timestamp().as_second())
}

pub fn run(args: &LogArgs) -> Exit {
    let LogCommand::Export(args) = &args.command;
    export(args).unwrap_or_else(|exit| exit)
}

fn export(args: &ExportArgs) -> Result<Exit, Exit> {
    let format = args.place.format;
    let wrong = |error: std::io::Error| {
        let name = args.file.as_ref().map_or_else(|| "standard output".to_owned(), |file| file.display().to_string());
        failed(format, &format!("{name}: {error}"), Exit::Trouble)
    };
    let head = ask(&args.place, "log", DescribeDecisions { since_s: args.since, until_s: args.until })?;
    let out: Box<dyn Write> = match &args.file {
        Some(file) => Box::new(std::fs::File::create(file).map_err(wrong)?),
        None => Box::new(std::io::stdout()),
    };
    let mut out = BufWriter::new(out);
    write(args, &head, &mut out, &wrong)?;
    out.flush().map_err(wrong)?;
    if let Some(file) = &args.file {
        say!("{} in {}", counted(head.transactions, "transaction", "transactions"), file.display());
    }
    Ok(Exit::Fine)
}

fn write(
    args: &ExportArgs,
    head: &DecisionLog,
    out: &mut impl Write,
    wrong: &impl Fn(std::io::Error) -> Exit,
) -> Result<(), Exit> {
    line(head, out).map_err(wrong)?;
    let mut after_id = 0;
    loop {
        let request = ReadDecisions { since_s: head.from_s, until_s: head.until_s, after_id };
        let page = ask(&args.place, "log", request)?;
        for facts in &page.rows {
            line(facts, out).map_err(wrong)?;
        }
        match page.after_id {
            Some(id) => after_id = id,
            None => return Ok(()),
        }
    }
}

fn line(what: &impl serde::Serialize, out: &mut impl Write) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, what)?;
    out.write_all(b"\n")
}
