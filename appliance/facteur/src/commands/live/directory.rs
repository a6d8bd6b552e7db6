//! `facteur directory`: the directory server people are read from.

use clap::{Args, Subcommand};
use server::operate::{AllowChanges, DirectoryState, DirectoryStatus, SyncDirectory};

use super::{Place, ask, counted, moment, say_json};
use crate::Exit;
use crate::cli::Format;

/// Entries with something to put right that are told.
const REPORTS_SHOWN: usize = 20;

#[derive(Args)]
pub struct DirectoryArgs {
    #[command(subcommand)]
    command: DirectoryCommand,
}

#[derive(Subcommand)]
enum DirectoryCommand {
    /// Say how fresh what we know is, which servers answer, and what in the directory has to be put right; ends with 4 when it
    /// is stale or a sync waits
    Status(StatusArgs),
    /// Read everybody now
    Sync(SyncArgs),
    /// Let a sync pass that stopped because too much changed at once
    Allow(AllowArgs),
}

#[derive(Args)]
struct StatusArgs {
    #[command(flatten)]
    place: Place,
    /// Tell every entry that is kept, not only the first twenty
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
struct SyncArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct AllowArgs {
    #[command(flatten)]
    place: Place,
    /// How many people go or change, exactly as `status` says
    #[arg(long)]
    changes: u64,
}

pub fn run(args: &DirectoryArgs) -> Exit {
    let asked = match &args.command {
        DirectoryCommand::Status(args) => {
            ask(&args.place, "directory", DirectoryStatus {}).map(|state| say(&args.place, &state, args.all))
        }
        DirectoryCommand::Sync(args) => {
            ask(&args.place, "directory", SyncDirectory {}).map(|state| say(&args.place, &state, false))
        }
        DirectoryCommand::Allow(args) => {
            let request = AllowChanges { changes: args.changes };
            ask(&args.place, "directory", request).map(|state| say(&args.place, &state, false))
        }
    };
    asked.unwrap_or_else(|exit| exit)
}

fn say(place: &Place, state: &DirectoryState, all: bool) -> Exit {
    let exit = if state.is_stale || state.stopped.is_some() { Exit::DifferencesFound } else { Exit::Fine };
    if place.format == Format::Json {
        say_json("directory", state);
        return exit;
    }
    for server in &state.servers {
        match server.trouble.as_str() {
            "" => say!("{:<40} no trouble known", server.name),
            trouble => say!("{:<40} {trouble}", server.name),
        }
    }
    let fresh = state.fresh_at_s.map_or_else(|| "never".to_owned(), moment);
    let stale = if state.is_stale { "; STALE" } else { "" };
    say!("everybody was read last: {fresh}{stale}");
    if let Some(sync) = &state.last {
        say!(
            "{} gave {}: {} new, {} changed, {} gone, {} refused, {} left out, in {}.{:03} s",
            sync.server,
            counted(sync.entries, "entry", "entries"),
            sync.new,
            sync.changed,
            sync.gone,
            sync.refused,
            sync.left_out,
            sync.took_ms / 1_000,
            sync.took_ms % 1_000
        );
        let shown = if all { sync.reports.len() } else { REPORTS_SHOWN };
        sync.reports.iter().take(shown).for_each(|report| say!("  {}: {}", report.dn, report.says));
        let more = (sync.refused + sync.left_out).saturating_sub(shown.min(sync.reports.len()) as u64);
        if more > 0 {
            say!("  and {more} more");
        }
    }
    if !state.trouble.is_empty() {
        say!("the newest sync failed: {}", state.trouble);
    }
    if let Some(stopped) = &state.stopped {
        let extent = stopped.extent;
        say!(
            "STOPPED: the directory has {} of {} people no more and changes {}; nothing is changed until you say",
            extent.gone,
            extent.known,
            extent.changed
        );
        say!("  facteur directory allow --changes {}", extent.changes());
    }
    exit
}
