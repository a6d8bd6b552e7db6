//! `facteur import`: mail that other programs kept into an account.

use std::path::PathBuf;

use clap::Args;
use server::operate::{Import, Imported};

use super::export::LayoutName;
use super::{Place, absolute, ask, counted, say_json, say_problems, size};
use crate::Exit;
use crate::cli::Format;

/// Reads Maildir or mbox into an account.
///
/// The files are read by the process that owns the data folder, as the user it runs as. Without --mailbox PATH is a
/// Maildir++, or a folder of files Name.Sub.mbox, and each mailbox goes into the one of its name, which is made and
/// subscribed when there is none. With --mailbox PATH is one Maildir or one mbox.
///
/// What the mailbox has already, octet for octet, is not added again, so an import that was cut short can be repeated; what
/// is there keeps its flags. What does not fit into the quota is named and left out. Links, pipes and devices are passed
/// over. In an mbox `>From ` loses one `>`, as mboxrd wants it. Ends with 4 when a message was left out.
#[derive(Args)]
#[command(about = "Read Maildir or mbox into an account", verbatim_doc_comment)]
pub struct ImportArgs {
    /// Whose mail
    #[arg(long)]
    login: String,
    /// Into this mailbox, as IMAP names it, with / between levels
    #[arg(long)]
    mailbox: Option<String>,
    /// Where from
    #[arg(long, value_name = "PATH")]
    from: PathBuf,
    /// What PATH is, when it cannot be seen from it
    #[arg(long = "as", value_enum, value_name = "FORMAT")]
    layout: Option<LayoutName>,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &ImportArgs) -> Exit {
    import(args).unwrap_or_else(|exit| exit)
}

fn import(args: &ImportArgs) -> Result<Exit, Exit> {
    let from = absolute(args.place.format, &args.from)?;
    let (login, mailbox) = (args.login.clone(), args.mailbox.clone());
    let request = Import { login, mailbox, from, layout: args.layout.map(Into::into) };
    let imported = ask(&args.place, "import", request)?;
    match args.place.format {
        Format::Human => say_imported(&imported),
        Format::Json => say_json("imported", &imported),
    }
    Ok(if imported.problems.is_empty() { Exit::Fine } else { Exit::DifferencesFound })
}

fn say_imported(imported: &Imported) {
    say_problems(&imported.problems);
    say!(
        "{} of {} added to {}, {} there already",
        counted(imported.messages, "message", "messages"),
        size(imported.octets),
        counted(imported.mailboxes, "mailbox", "mailboxes"),
        counted(imported.present, "was", "were")
    );
    if imported.mailboxes_created > 0 {
        say!("{} made", counted(imported.mailboxes_created, "mailbox was", "mailboxes were"));
    }
    if imported.passed_over > 0 {
        say!("{} of the source passed over", counted(imported.passed_over, "other mailbox", "other mailboxes"));
    }
    if !imported.problems.is_empty() {
        say!("{} left out", counted(imported.problems.count(), "message or folder was", "messages or folders were"));
    }
}
