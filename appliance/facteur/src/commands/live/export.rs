//! `facteur export`: mail of an account into files other programs read.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use server::operate::{Export, Exported, Layout};

use super::{Place, absolute, ask, counted, number, say_json, say_problems, size};
use crate::Exit;
use crate::cli::Format;

/// Writes mail of an account as Maildir or mbox.
///
/// The files are written by the process that owns the data folder, as the user it runs as; the folder PATH is in must be
/// open to that user. Nothing is written over: PATH must be new or an empty folder.
///
/// Without --mailbox: Maildir++ as Dovecot has it (INBOX in PATH, other mailboxes in .Name.Sub, names in modified UTF-7,
/// flags in the names of files, keywords in dovecot-keywords, INTERNALDATE as the time of the file), or a file
/// Name.Sub.mbox for each mailbox. The mbox is mboxrd, with flags in Status, X-Status and X-Keywords.
///
/// Octets come back the same when they are imported again, except that a line ended by LF alone comes back with CRLF. Not
/// carried: the zone of INTERNALDATE, UIDs, and in a Maildir keywords past the 26th of a mailbox. Ends with 4 when a message
/// could not be written.
#[derive(Args)]
#[command(about = "Write mail of an account as Maildir or mbox", verbatim_doc_comment)]
pub struct ExportArgs {
    /// Whose mail
    #[arg(long)]
    login: String,
    /// This mailbox only, as IMAP names it, with / between levels
    #[arg(long)]
    mailbox: Option<String>,
    /// Where to
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
    #[arg(long = "as", value_enum, value_name = "FORMAT")]
    layout: LayoutName,
    #[command(flatten)]
    place: Place,
}

/// How files keep mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LayoutName {
    Maildir,
    Mbox,
}

impl From<LayoutName> for Layout {
    fn from(name: LayoutName) -> Layout {
        match name {
            LayoutName::Maildir => Layout::Maildir,
            LayoutName::Mbox => Layout::Mbox,
        }
    }
}

pub fn run(args: &ExportArgs) -> Exit {
    export(args).unwrap_or_else(|exit| exit)
}

fn export(args: &ExportArgs) -> Result<Exit, Exit> {
    let to = absolute(args.place.format, &args.to)?;
    let (login, mailbox) = (args.login.clone(), args.mailbox.clone());
    let exported = ask(&args.place, "export", Export { login, mailbox, to, layout: args.layout.into() })?;
    match args.place.format {
        Format::Human => say_exported(args, &exported),
        Format::Json => say_json("exported", &exported),
    }
    Ok(if exported.problems.is_empty() { Exit::Fine } else { Exit::DifferencesFound })
}

fn say_exported(args: &ExportArgs, exported: &Exported) {
    say_problems(&exported.problems);
    say!(
        "{} of {} in {}: {}",
        counted(exported.messages, "message", "messages"),
        counted(exported.mailboxes, "mailbox", "mailboxes"),
        args.to.display(),
        size(exported.octets)
    );
    if exported.gone > 0 {
        say!("{} expunged meanwhile", counted(exported.gone, "message was", "messages were"));
    }
    let lost = exported.not_carried;
    if lost.bare_line_feeds > 0 {
        let messages = counted(lost.bare_line_feeds, "message has", "messages have");
        say!("{messages} lines that end with LF alone; imported again they end with CRLF");
    }
    if lost.keywords > 0 {
        say!("{} keywords of messages are left out: a Maildir has letters for 26", number(lost.keywords));
    }
}
