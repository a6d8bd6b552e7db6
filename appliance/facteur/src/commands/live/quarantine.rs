//! `facteur quarantine`: what scanners stopped, and messages that are taken out of mailboxes.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use server::operate::{
    InQuarantine, PurgeQuarantined, PutMessageBack, QuarantineFilter, QuarantineList, QuarantineShow, QuarantineShown,
    ReleaseQuarantined, ShownPart, TakeMessage,
};

use super::queue::time;
use super::{Place, absolute, ask, counted, failed, say_json, size};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct QuarantineArgs {
    #[command(subcommand)]
    command: QuarantineCommand,
}

#[derive(Subcommand)]
enum QuarantineCommand {
    /// Name what is in quarantine, the newest first
    List(ListArgs),
    /// Show one message so that looking does nothing: header, parts, hashes, the beginning of its text
    Show(ShowArgs),
    /// Deliver a message to the recipients as they are routed now
    Release(ReleaseArgs),
    /// Forget messages for good
    Purge(DecidedArgs),
    /// Take a delivered message out of all mailboxes it is in; it is kept, and can be put back
    Take(DecidedArgs),
    /// Put a message that was taken out back into the mailboxes, as it was
    PutBack(DecidedArgs),
}

#[derive(Args)]
struct ListArgs {
    /// Since a day (2026-11-30), a moment in UTC (2026-11-30T14:00) or for so long (36h, 7d)
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<i64>,
    /// Found by this scanner
    #[arg(long)]
    engine: Option<String>,
    /// For this address, or for this domain
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    /// For this reason, in the words of the log: infected, suspect and so on
    #[arg(long)]
    reason: Option<String>,
    /// Messages that were taken out of mailboxes instead
    #[arg(long)]
    taken: bool,
    /// Name at most N messages
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    limit: u16,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct ShowArgs {
    /// As the list and the log name it
    id: String,
    /// Write its octets to the file of --output, for an analyst; this is on the record
    #[arg(long, requires_all = ["output", "by"])]
    raw: bool,
    /// A new file, readable by the user the server runs as
    #[arg(long, value_name = "FILE", requires = "raw")]
    output: Option<PathBuf>,
    /// The manager who looks
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct ReleaseArgs {
    /// As the list and the log name it
    id: String,
    /// Instead of the recipients it had
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<mail::Address>,
    /// Only if the engines let it pass now
    #[arg(long)]
    rescan: bool,
    #[command(flatten)]
    decision: DecisionArgs,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct DecidedArgs {
    /// As lists, replies and the log name them
    #[arg(required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    decision: DecisionArgs,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct DecisionArgs {
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    because: String,
}

pub fn run(args: &QuarantineArgs) -> Exit {
    let ended = match &args.command {
        QuarantineCommand::List(args) => list(args),
        QuarantineCommand::Show(args) => show(args),
        QuarantineCommand::Release(args) => release(args),
        QuarantineCommand::Purge(args) => purge(args),
        QuarantineCommand::Take(args) => take(args),
        QuarantineCommand::PutBack(args) => put_back(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

/// Unix seconds of a day, a moment, or so long ago.
fn since(text: &str) -> Result<i64, String> {
    let ago = |digits: &str, unit_s: i64| {
        let number: i64 = digits.parse().ok()?;
        let ago = SignedDuration::from_secs(number.checked_mul(unit_s)?);
        Timestamp::now().checked_sub(ago).ok().map(Timestamp::as_second)
    };
    let relative = match text.char_indices().next_back() {
        Some((at, 'm')) => ago(&text[..at], 60),
        Some((at, 'h')) => ago(&text[..at], 3_600),
        Some((at, 'd')) => ago(&text[..at], 86_400),
        _ => None,
    };
    let moment = || text.parse::<civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    let absolute = moment().map(|at| at.timestamp().as_second());
    relative.or(absolute).ok_or_else(|| "give 36h, 7d, 2026-11-30 or 2026-11-30T14:00 in UTC".to_owned())
}

fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let filter = QuarantineFilter {
        since_s: args.since,
        engine: args.engine.clone(),
        recipient: args.recipient.clone(),
        reason: args.reason.clone(),
    };
    let request = QuarantineList { filter, recalled: args.taken, limit: usize::from(args.limit) };
    let listed = ask(&args.place, "quarantine", request)?;
    match args.place.format {
        Format::Human => {
            listed.messages.iter().for_each(say_kept);
            let named = listed.messages.len();
            let of = if listed.matching == listed.total { String::new() } else { format!(" of {}", listed.total) };
            let all = counted(listed.matching, "message", "messages");
            say!("{all}{of}, {named} named, {} in all", size(listed.octets));
        }
        Format::Json => listed.messages.iter().for_each(|message| say_json("kept", message)),
    }
    Ok(Exit::Fine)
}

fn say_kept(kept: &InQuarantine) {
    let sender = if kept.sender.is_empty() { "<>" } else { &kept.sender };
    let login = kept.login.as_ref().map(|login| format!(" ({login})")).unwrap_or_default();
    say!("{}  {}  {}  {sender}{login}", kept.id, time(kept.at_s), size(kept.size_octets));
    let found = [kept.reason.as_str(), &kept.engine, &kept.signature].map(str::trim);
    let found = found.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
    let rule = if kept.rule.is_empty() { String::new() } else { format!("  [{}]", kept.rule) };
    say!("    {found}{rule}");
    kept.recipients.iter().for_each(|recipient| say!("    to {recipient}"));
    if kept.more > 0 {
        say!("    and {} more", kept.more);
    }
}

fn show(args: &ShowArgs) -> Result<Exit, Exit> {
    let raw_to = args.output.as_ref().map(|path| absolute(args.place.format, path)).transpose()?;
    let request = QuarantineShow { id: args.id.clone(), raw_to, by: args.by.clone() };
    let shown = ask(&args.place, "show", request)?;
    match args.place.format {
        Format::Human => say_shown(&shown),
        Format::Json => say_json("kept_message", &shown),
    }
    Ok(Exit::Fine)
}

/// The server took out what could work the terminal.
fn say_shown(shown: &QuarantineShown) {
    say_kept(&shown.message);
    say!("    SHA-256 {}", shown.sha256);
    for ShownPart { depth, media, file_name, octets, sha256 } in &shown.parts {
        let name = if file_name.is_empty() { String::new() } else { format!("  {file_name}") };
        say!("    {}{media}{name}  {}  {sha256}", "  ".repeat(*depth.min(&20)), size(*octets as u64));
    }
    shown.hosts.iter().for_each(|host| say!("    leads to {host}"));
    if let Some(path) = &shown.written {
        say!("    written to {}: open it nowhere it could run", path.display());
    }
    say!("");
    shown.header.lines().for_each(|line| say!("{line}"));
    say!("");
    shown.text.lines().for_each(|line| say!("| {line}"));
    if shown.cut {
        say!("(cut)");
    }
}

fn release(args: &ReleaseArgs) -> Result<Exit, Exit> {
    let request = ReleaseQuarantined {
        id: args.id.clone(),
        by: args.decision.by.clone(),
        because: args.decision.because.clone(),
        to: args.to.clone(),
        rescan: args.rescan,
    };
    let released = ask(&args.place, "release", request)?;
    match args.place.format {
        Format::Human => {
            let queued = counted(released.queued, "recipient elsewhere", "recipients elsewhere");
            say!("delivered to {}, {queued}", counted(released.mailboxes, "mailbox", "mailboxes"));
            released.nowhere.iter().for_each(|address| say!("    {address} leads nowhere now"));
        }
        Format::Json => say_json("released", &released),
    }
    Ok(Exit::Fine)
}

fn purge(args: &DecidedArgs) -> Result<Exit, Exit> {
    let DecisionArgs { by, because } = &args.decision;
    let request = PurgeQuarantined { ids: args.ids.clone(), by: by.clone(), because: because.clone() };
    let purged = ask(&args.place, "purge", request)?;
    match args.place.format {
        Format::Human => say!("{} gone for good", counted(purged.messages, "message", "messages")),
        Format::Json => say_json("purged", &purged),
    }
    Ok(Exit::Fine)
}

fn take(args: &DecidedArgs) -> Result<Exit, Exit> {
    let DecisionArgs { by, because } = &args.decision;
    let request = TakeMessage { ids: args.ids.clone(), by: by.clone(), because: because.clone() };
    let taken = ask(&args.place, "take", request)?;
    match args.place.format {
        Format::Human => {
            let (copies, people) =
                (counted(taken.messages, "copy", "copies"), counted(taken.accounts, "account", "accounts"));
            say!("{copies} taken out of {} of {people}", counted(taken.mailboxes, "mailbox", "mailboxes"));
            taken.held.iter().for_each(|id| say!("    {id} is held in the queue"));
        }
        Format::Json => say_json("taken", &taken),
    }
    Ok(Exit::Fine)
}

fn put_back(args: &DecidedArgs) -> Result<Exit, Exit> {
    let DecisionArgs { by, because } = &args.decision;
    let request = PutMessageBack { ids: args.ids.clone(), by: by.clone(), because: because.clone() };
    let back = ask(&args.place, "put back", request)?;
    match args.place.format {
        Format::Human => say!("{} put back", counted(back.messages, "copy", "copies")),
        Format::Json => say_json("put_back", &back),
    }
    if back.unknown.is_empty() {
        return Ok(Exit::Fine);
    }
    let why = format!("nothing is kept of {}", back.unknown.join(", "));
    Err(failed(args.place.format, &why, Exit::Trouble))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_a_time_or_so_long_ago() {
        assert_eq!(since("2026-11-30"), Ok(1_795_996_800));
        assert_eq!(since("2026-11-30T14:00"), Ok(1_795_996_800 + 14 * 3_600));
        let day = since("2d").unwrap() - since("24h").unwrap();
        assert!((-86_401..=-86_399).contains(&day), "{day}");
        for bad in ["", "d", "x", "5", "99999999999999d", "é"] {
            assert!(since(bad).is_err(), "{bad}");
        }
    }
}
