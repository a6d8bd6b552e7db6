//! `facteur store`: what an operator asks the store itself.

use clap::{Args, Subcommand};
use server::operate::{Compact, Compacted, Stats, StatsOf, Verified, Verify};

use super::{Place, ask, counted, number, say_json, size};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Subcommand)]
enum StoreCommand {
    /// Recount every sum and read every body; ends with 4 when something is wrong
    Verify(VerifyArgs),
    /// Say how much of everything there is
    Stats(StatsArgs),
    /// Give back the room of bodies no message has any more; the server goes on meanwhile
    Compact(CompactArgs),
}

#[derive(Args)]
struct VerifyArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct StatsArgs {
    #[command(flatten)]
    place: Place,
    /// Name the N accounts that use most
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    top: u16,
}

#[derive(Args)]
struct CompactArgs {
    #[command(flatten)]
    place: Place,
    /// Leave what was freed less than so many seconds ago: somebody may be reading it
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    keep: u64,
}

pub fn run(args: &StoreArgs) -> Exit {
    let ended = match &args.command {
        StoreCommand::Verify(args) => verify(args),
        StoreCommand::Stats(args) => stats(args),
        StoreCommand::Compact(args) => compact(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn verify(args: &VerifyArgs) -> Result<Exit, Exit> {
    let verified = ask(&args.place, "verify", Verify {})?;
    match args.place.format {
        Format::Human => say_verified(&verified),
        Format::Json => say_json("store_verified", &verified),
    }
    Ok(if verified.findings.is_empty() { Exit::Fine } else { Exit::DifferencesFound })
}

fn say_verified(verified: &Verified) {
    for finding in &verified.findings {
        say!("{finding}");
    }
    if verified.untold > 0 {
        say!("and {} more", number(verified.untold));
    }
    let found = verified.findings.len() as u64 + verified.untold;
    say!(
        "{}: {}, {}, {} of {}",
        if found == 0 { "sound".to_owned() } else { counted(found, "finding", "findings") },
        counted(verified.mailboxes, "mailbox", "mailboxes"),
        counted(verified.messages, "message", "messages"),
        counted(verified.bodies, "body", "bodies"),
        size(verified.body_octets)
    );
}

fn stats(args: &StatsArgs) -> Result<Exit, Exit> {
    let stats = ask(&args.place, "stats", StatsOf { top: usize::from(args.top) })?;
    match args.place.format {
        Format::Human => say_stats(&stats),
        Format::Json => say_json("store_stats", &stats),
    }
    Ok(Exit::Fine)
}

fn say_stats(stats: &Stats) {
    let shards = counted(u64::from(stats.shards), "shard", "shards");
    say!("data folder   {}, format {}, {shards}", stats.data.display(), stats.format);
    say!("people        {}", number(stats.people));
    say!("mailboxes     {}", number(stats.mailboxes));
    say!("messages      {}, {} against quotas", number(stats.messages), size(stats.used_octets));
    say!("waiting       {} in the spool, {} in quarantine", number(stats.spooled), number(stats.quarantined));
    let dead = (stats.dead_octets * 100).checked_div(stats.segment_octets).unwrap_or(0);
    say!(
        "bodies        {} in {}, {}, of which {} dead ({dead} %)",
        number(stats.bodies),
        counted(stats.segments, "segment", "segments"),
        size(stats.segment_octets),
        size(stats.dead_octets)
    );
    say!("database      {}, write-ahead log {}", size(stats.database_octets), size(stats.wal_octets));
    say!("search index  {}", size(stats.index_octets));
    say!("snapshots     {}", size(stats.snapshot_octets));
    say!("free          {}", size(stats.free_octets));
    if stats.top.is_empty() {
        return;
    }
    say!("");
    say!("{:<24} {:>12} {:>12} {:>6} {:>10} {:>10}", "account", "uses", "of", "", "messages", "mailboxes");
    for account in &stats.top {
        let percent = (u128::from(account.used_octets) * 100).checked_div(u128::from(account.quota_octets));
        say!(
            "{:<24} {:>12} {:>12} {:>4} % {:>10} {:>10}",
            account.login,
            size(account.used_octets),
            size(account.quota_octets),
            percent.unwrap_or(100),
            number(account.messages),
            number(account.mailboxes)
        );
    }
}

fn compact(args: &CompactArgs) -> Result<Exit, Exit> {
    let compacted = ask(&args.place, "compact", Compact { keep_s: args.keep })?;
    match args.place.format {
        Format::Human => say_compacted(&compacted),
        Format::Json => say_json("store_compacted", &compacted),
    }
    Ok(Exit::Fine)
}

fn say_compacted(compacted: &Compacted) {
    say!(
        "{} removed, {} given back after {} were written again; {} forgotten",
        counted(compacted.segments_removed, "segment", "segments"),
        size(compacted.octets_freed.saturating_sub(compacted.octets_moved)),
        size(compacted.octets_moved),
        counted(compacted.bodies, "freed body", "freed bodies")
    );
}
