//! `facteur restore`: messages of one account from a backup, or the whole store.

use clap::Args;
use server::operate::{Restore, RestoredMail, RestoredStore, restore_all};

use super::bar::Bar;
use super::{Place, ask, counted, failed, say_json, size};
use crate::Exit;
use crate::cli::Format;

/// Puts messages of an account back from a backup.
///
/// What the account still has stays as it is and is not put back; so a restore can be repeated. A message that comes back is
/// a new message at the end of its mailbox, with its own date, flags and content. The quota is not asked.
///
/// DATE is a day (2026-11-30, all of it), a moment in UTC (2026-11-30T14:00), or the name of a backup: the newest backup
/// until then is taken. `facteur backup list` says which there are.
///
/// With --all the whole store goes back to that time, mail of everybody, and no server may run meanwhile. Where the
/// databases of now can be read, mailboxes keep what mail programs know of them; the databases that were replaced stay
/// beside the new ones.
#[derive(Args)]
#[command(about = "Put messages of an account back from a backup", verbatim_doc_comment)]
pub struct RestoreArgs {
    /// Whose mail
    #[arg(long, required_unless_present = "all")]
    login: Option<String>,
    /// The whole store; the server must be stopped
    #[arg(long, conflicts_with_all = ["login", "mailbox", "message", "into", "dry_run"])]
    all: bool,
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
    let Some(login) = args.login.clone() else { return whole(args) };
    let request = Restore {
        login,
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

fn whole(args: &RestoreArgs) -> Result<Exit, Exit> {
    crate::serving::keep_private();
    crate::logging::plain("warn");
    let bad = |error: String| failed(args.place.format, &error, Exit::Trouble);
    let data = args.place.data().map_err(bad)?;
    let snapshots = args.place.snapshots(&data).map_err(bad)?;
    let bar = Bar::new("restore");
    let done = restore_all(&data, &snapshots, &args.from, &mut |progress| bar.draw(&progress));
    bar.clear();
    let restored = done.map_err(|error| failed(args.place.format, &error.to_string(), Exit::Trouble))?;
    match args.place.format {
        Format::Human => say_whole(&restored),
        Format::Json => say_json("store_restored", &restored),
    }
    Ok(Exit::Fine)
}

fn say_whole(restored: &RestoredStore) {
    say!("the store is as it was at {}: {}", restored.backup, counted(restored.mailboxes, "mailbox", "mailboxes"));
    say!(
        "{} kept; {} came back with new UIDs, {} that came since left",
        counted(restored.kept_uidvalidity, "UIDVALIDITY is", "UIDVALIDITYs are"),
        counted(restored.returned, "message", "messages"),
        counted(restored.vanished, "message", "messages")
    );
    if let Some(replaced) = &restored.replaced {
        say!("what was replaced is in {replaced}");
    }
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
    if restored.recalled > 0 {
        let messages = counted(restored.recalled, "message was", "messages were");
        say!("{messages} recalled since, and stay away: facteur recall list");
    }
}
