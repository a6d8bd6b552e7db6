//! `facteur compromise`: accounts that look stolen, what was held of them, and how that ends.

use clap::{Args, Subcommand};
use server::operate::{CompromiseCase, HeldOfCase, LiftCompromise, ListCompromise, ShowCompromise, ShownCompromise};

use super::queue::time;
use super::{Place, ask, counted, say_json, size};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct CompromiseArgs {
    #[command(subcommand)]
    command: CompromiseCommand,
}

#[derive(Subcommand)]
enum CompromiseCommand {
    /// Name the cases that are open, the newest first
    List(ListArgs),
    /// Say what was seen, from where the account was used, and what of it is held; that you looked is on the record
    Show(ShowArgs),
    /// End a case: what is held goes, but for what you discard
    Lift(LiftArgs),
}

#[derive(Args)]
struct ListArgs {
    /// Those that ended as well
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct ShowArgs {
    /// As the message to the managers and the list name it
    case: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct LiftArgs {
    /// As the message to the managers and the list name it
    case: String,
    /// Everything that is held goes, as it does when nothing is discarded
    #[arg(long, conflicts_with_all = ["discard_held", "discard", "discard_subject", "discard_recipients"])]
    release: bool,
    /// Nothing that is held goes; each recipient is a loss on the record
    #[arg(long, conflicts_with_all = ["discard", "discard_subject", "discard_recipients"])]
    discard_held: bool,
    /// A held message that does not go; the others do
    #[arg(long, value_name = "ID")]
    discard: Vec<String>,
    /// Those with this whole Subject do not go; case and accents make no difference
    #[arg(long, value_name = "TEXT")]
    discard_subject: Option<String>,
    /// Those with at least N recipients do not go; together with a subject, those that are both
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    discard_recipients: Option<u32>,
    /// Contain the account first: nothing opens it any more, and what is not discarded goes when that is undone
    #[arg(long)]
    contain: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &CompromiseArgs) -> Exit {
    let ended = match &args.command {
        CompromiseCommand::List(args) => list(args),
        CompromiseCommand::Show(args) => show(args),
        CompromiseCommand::Lift(args) => lift(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let all = ask(&args.place, "list", ListCompromise { all: args.all })?;
    match args.place.format {
        Format::Json => all.iter().for_each(|case| say_json("case", case)),
        Format::Human => {
            all.iter().for_each(say_case);
            say!("{}", counted(all.len() as u64, "case", "cases"));
        }
    }
    Ok(Exit::Fine)
}

fn show(args: &ShowArgs) -> Result<Exit, Exit> {
    let shown = ask(&args.place, "show", ShowCompromise { id: args.case.clone() })?;
    match args.place.format {
        Format::Json => say_json("shown", &shown),
        Format::Human => say_shown(&shown),
    }
    Ok(Exit::Fine)
}

fn lift(args: &LiftArgs) -> Result<Exit, Exit> {
    let request = LiftCompromise {
        id: args.case.clone(),
        because: args.because.clone(),
        by: args.by.clone(),
        discard_all: args.discard_held,
        discard: args.discard.clone(),
        discard_subject: args.discard_subject.clone(),
        discard_recipients: args.discard_recipients.map(|many| many as usize),
        contain: args.contain,
    };
    let lifted = ask(&args.place, "lift", request)?;
    match args.place.format {
        Format::Json => say_json("lifted", &lifted),
        Format::Human => {
            say_case(&lifted.case);
            let (released, discarded) = (lifted.case.released, lifted.case.discarded);
            say!("{} on the way, {} discarded", counted(released, "message is", "messages are"), discarded);
            if released == 0 && discarded == 0 && lifted.case.state == "ended" {
                say!("nothing was held, or another hold on the account goes on");
            }
        }
    }
    Ok(Exit::Fine)
}

fn say_case(case: &CompromiseCase) {
    let until = match case.state.as_str() {
        "open" => format!("until {}", time(case.until_s)),
        _ => format!("{} by {}: {}", case.state, case.ended_by, case.because),
    };
    say!("{}  {}  {:<20} {}  {}  {until}", case.id, time(case.at_s), case.login, case.rule, case.evidence);
}

fn say_shown(shown: &ShownCompromise) {
    let case = &shown.case;
    say_case(case);
    for (what, at_s) in &case.reactions {
        let when = if *at_s == 0 { "still to be done".to_owned() } else { time(*at_s) };
        say!("  {what}: {when}");
    }
    for from in &case.from {
        say!("  used {from}");
    }
    if case.state != "open" {
        say!("{} released, {} discarded", case.released, case.discarded);
        return;
    }
    shown.held.iter().for_each(say_held);
    if shown.more > 0 {
        say!("and {} more", shown.more);
    }
    say!("{} held", counted((shown.held.len() + shown.more) as u64, "message is", "messages are"));
}

fn say_held(held: &HeldOfCase) {
    let more = held.recipients.saturating_sub(held.to.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    say!(
        "  {}  {}  {}  \"{}\"  to {}{more}",
        held.queue_id,
        time(held.at_s),
        size(held.octets),
        held.subject,
        held.to.join(", ")
    );
}
