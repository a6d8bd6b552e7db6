//! `facteur restore`: messages of one account from a backup.

use clap::Args;
use server::operate::{Restore, RestoredMail};

use super::{Place, ask, counted, say_json, size};
use crate::Exit;
use crate::cli::Format;

/// Puts messages of an account back from a backup.
///
/// What the account still has stays as it is and is not put back; so a restore can be repeated. A message that comes back is
/// a new message at the end of its mailbox, with its own date, flags and content. The quota is not asked.
///
/// DATE is a day (2026-11-30, all of it), a moment in UTC (2026-11-30T14:00), or the name of a backup: the newest backup
/// until then is taken. `facteur backup list` says which there are.
#[derive(Args)]
#[command(about = "Put messages of an account back from a backup", verbatim_doc_comment)]
pub struct RestoreArgs {
    /// Whose mail
    #[arg(long)]
    login: String,
    /// This mailbox only, by its name of then, with / between levels
    #[arg(long)]
    mailbox: Option<String>,
    /// This message only: its Message-ID, or its EMAILID
    #[arg(long, value_name = "ID")]
    message: Option<String>,
    /// The backup, or until when it was taken
    #[arg(long, value_name = "DATE")]
    from: String,
    /// Into this mailbox; else each message to where it was
    #[arg(long, value_name = "MAILBOX")]
    into: Option<String>,
    /// Say what would come back, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &RestoreArgs) -> Exit {
    restore(args).unwrap_or_else(|exit| exit)
}

fn restore(args: &RestoreArgs) -> Result<Exit, Exit> {
    let request = Restore {
        login: args.login.clone(),
        mailbox: args.mailbox.clone(),
        message: args.message.clone(),
        from: args.from.clone(),
        into: args.into.clone(),
        dry_run: args.dry_run,
    };
    let restored = ask(&args.place, "restore", request)?;
    match args.place.format {
        Format::Human => say_restored(args, &restored),
        Format::Json => say_json("restored", &restored),
    }
    Ok(Exit::Fine)
}

fn say_restored(args: &RestoreArgs, restored: &RestoredMail) {
    for (mailbox, messages) in &restored.mailboxes {
        say!("{mailbox}: {}", counted(*messages, "message", "messages"));
    }
    say!(
        "{} of {} {} from {}; {} there",
        counted(restored.messages, "message", "messages"),
        size(restored.octets),
        if args.dry_run { "would come back" } else { "came back" },
        restored.backup,
        counted(restored.present, "is still", "are still")
    );
}
