//! `facteur backup`: snapshots of the store.

use clap::{Args, Subcommand};
use server::operate::{BackupNow, Backups, Drilled, ListBackups, TakenBackup, VerifyBackup};

use super::{Place, ask, counted, number, say_json, seconds, size};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct BackupArgs {
    #[command(subcommand)]
    command: BackupCommand,
}

#[derive(Subcommand)]
enum BackupCommand {
    /// Take one now, while the server works, and remove those the plan keeps no longer
    Now(NowArgs),
    /// Say which there are
    List(ListArgs),
    /// Restore one beside the store, compare everything, and say how long that takes; ends with 4 when something is wrong
    Verify(VerifyArgs),
}

#[derive(Args)]
struct NowArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct VerifyArgs {
    /// As `facteur backup list` has it [default: the newest]
    name: Option<String>,
    /// Compare the indexes of the databases with their tables, too
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &BackupArgs) -> Exit {
    let ended = match &args.command {
        BackupCommand::Now(args) => now(args),
        BackupCommand::List(args) => list(args),
        BackupCommand::Verify(args) => verify(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn now(args: &NowArgs) -> Result<Exit, Exit> {
    let taken = ask(&args.place, "backup", BackupNow {})?;
    match args.place.format {
        Format::Human => say_taken(&taken),
        Format::Json => say_json("backup_taken", &taken),
    }
    // The new one is kept; old ones that stay are for the next night.
    Ok(Exit::Fine)
}

fn say_taken(taken: &TakenBackup) {
    say!("{}: {} in {}", taken.name, counted(taken.messages, "message", "messages"), seconds(taken.took_ms));
    say!(
        "{} of {} pages are new; {} of {} linked, {} copied",
        number(taken.pages_new),
        number(taken.pages),
        number(taken.segments_linked),
        counted(taken.segments, "segment", "segments"),
        size(taken.segment_octets_copied)
    );
    for name in &taken.removed {
        say!("{name} removed");
    }
    if !taken.removed.is_empty() {
        say!("{} given back", size(taken.octets_freed));
    }
    if let Some(why) = &taken.not_removed {
        eprintln!("facteur: old backups stay for now: {why}");
    }
}

fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let listed = ask(&args.place, "list", ListBackups {})?;
    match args.place.format {
        Format::Human => say_listed(&listed),
        Format::Json => listed.backups.iter().for_each(|backup| say_json("backup", backup)),
    }
    Ok(Exit::Fine)
}

fn say_listed(listed: &Backups) {
    for backup in &listed.backups {
        match &backup.trouble {
            Some(why) => say!("{}  cannot be read: {why}", backup.name),
            None => say!(
                "{}  {:>12} messages  {:>10} in {}",
                backup.name,
                number(backup.messages),
                size(backup.segment_octets),
                counted(backup.segments, "segment", "segments")
            ),
        }
    }
    if listed.backups.is_empty() {
        eprintln!("facteur: there are no backups");
    }
}

fn verify(args: &VerifyArgs) -> Result<Exit, Exit> {
    let drilled = ask(&args.place, "verify", VerifyBackup { name: args.name.clone(), full: args.full })?;
    match args.place.format {
        Format::Human => say_drilled(&drilled),
        Format::Json => say_json("backup_verified", &drilled),
    }
    Ok(if drilled.findings.is_empty() { Exit::Fine } else { Exit::DifferencesFound })
}

fn say_drilled(drilled: &Drilled) {
    for finding in &drilled.findings {
        say!("{finding}");
    }
    let found = drilled.findings.len() as u64;
    say!(
        "{} {}: {}, {} of {}; restored in {}, compared in {}",
        drilled.name,
        if found == 0 { "is sound".to_owned() } else { format!("has {}", counted(found, "finding", "findings")) },
        counted(drilled.pages, "page", "pages"),
        counted(drilled.bodies, "body", "bodies"),
        size(drilled.body_octets),
        seconds(drilled.restoring_ms),
        seconds(drilled.checking_ms)
    );
}
