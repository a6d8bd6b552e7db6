//! `facteur recall`: a delivered message out of all mailboxes, by what is known of it; and back.

use clap::{Args, Subcommand};
use server::operate::{
    ApproveRecall, FindRecall, Gone, GoneState, ListRecalls, ListedRecall, RecallCopy, RecallReport, ShowRecall,
    Sought, TakeRecall, TookRecall, UndoRecall,
};

use super::quarantine::since;
use super::queue::time;
use super::{Place, ask, counted, number, say_json, seconds};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct RecallArgs {
    #[command(subcommand)]
    command: RecallCommand,
}

#[derive(Subcommand)]
enum RecallCommand {
    /// Say who has a message, who read, answered and forwarded it, and which copies left; ends with 4 when nobody has
    Find(FindArgs),
    /// Take it out of all mailboxes it is in, and hold back what of it waits in the queue; it is kept, and can be put back
    Take(TakeArgs),
    /// Agree, as a second manager, to a take from many mailboxes
    Approve(ApproveArgs),
    /// Put everything back where it was
    Undo(UndoArgs),
    /// Name recalls, the newest first
    List(ListArgs),
    /// Say where the copies of a recall are now
    Show(ShowArgs),
}

/// All that is given holds.
#[derive(Args)]
struct SoughtArgs {
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,
    /// An address: reverse-path or From
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// The whole Subject; case, accents and the tag of the spam filter make no difference
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// The host of a link in it, not those under it; a whole link will do
    #[arg(long, value_name = "HOST")]
    url_host: Option<String>,
    /// The SHA-256 of a file in it, as `facteur quarantine show` and scanners name it
    #[arg(long, value_name = "SHA256")]
    attachment: Option<String>,
    /// Delivered since a day (2026-11-30), a moment in UTC (2026-11-30T14:00) or for so long (36h, 7d)
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<i64>,
}

impl SoughtArgs {
    fn sought(&self) -> Sought {
        Sought {
            message_id: self.message_id.clone(),
            sender: self.sender.clone(),
            subject: self.subject.clone(),
            url_host: self.url_host.clone(),
            attachment: self.attachment.clone(),
            since_s: self.since,
        }
    }

    fn is_empty(&self) -> bool {
        self.sought() == Sought::default()
    }
}

#[derive(Args)]
struct FindArgs {
    #[command(flatten)]
    sought: SoughtArgs,
    /// The manager who looks
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
    #[command(flatten)]
    named: NamedArgs,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct NamedArgs {
    /// Name at most N copies
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    limit: u16,
}

#[derive(Args)]
struct TakeArgs {
    /// A find, or a take that was cut short; else say what to look for
    id: Option<String>,
    #[command(flatten)]
    sought: SoughtArgs,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    because: String,
    #[command(flatten)]
    named: NamedArgs,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct ApproveArgs {
    /// As the take named it
    id: String,
    /// Another manager than the one who asked
    #[arg(long, value_name = "LOGIN")]
    by: String,
    #[command(flatten)]
    named: NamedArgs,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct UndoArgs {
    /// As the take named it
    id: String,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    because: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct ShowArgs {
    /// As finds, takes and the list name it
    id: String,
    #[command(flatten)]
    named: NamedArgs,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &RecallArgs) -> Exit {
    let ended = match &args.command {
        RecallCommand::Find(args) => find(args),
        RecallCommand::Take(args) => take(args),
        RecallCommand::Approve(args) => approve(args),
        RecallCommand::Undo(args) => undo(args),
        RecallCommand::List(args) => list(args),
        RecallCommand::Show(args) => show(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn find(args: &FindArgs) -> Result<Exit, Exit> {
    let limit = usize::from(args.named.limit);
    let request = FindRecall { sought: args.sought.sought(), by: args.by.clone(), limit };
    let found = ask(&args.place, "find", request)?;
    match args.place.format {
        Format::Json => say_json("found", &found),
        Format::Human => {
            say_report(&found.report);
            if found.unlooked > 0 {
                say!("{} older deliveries were not looked at: name the Message-ID, or --since", number(found.unlooked));
            }
            if found.id.is_empty() {
                say!("nothing matches");
            } else {
                say!("take it with: facteur recall take {} --because TEXT --by LOGIN", found.id);
            }
        }
    }
    Ok(if found.id.is_empty() { Exit::DifferencesFound } else { Exit::Fine })
}

fn say_report(report: &RecallReport) {
    report.named.iter().for_each(say_copy);
    let unnamed = report.copies.saturating_sub(report.named.len() as u64);
    if unnamed > 0 {
        say!("    and {}", counted(unnamed, "more copy", "more copies"));
    }
    report.gone.iter().for_each(say_gone);
    let elsewhere = report.waiting + report.held + report.handed_over + report.failed;
    let unnamed = elsewhere.saturating_sub(report.gone.len() as u64);
    if unnamed > 0 {
        say!("    and {}", counted(unnamed, "more recipient elsewhere", "more recipients elsewhere"));
    }
    let (copies, mailboxes) =
        (counted(report.copies, "copy", "copies"), counted(report.mailboxes, "mailbox", "mailboxes"));
    let (deliveries, people) =
        (counted(report.deliveries, "delivery", "deliveries"), counted(report.people, "person", "people"));
    say!("{deliveries} into {}; {copies} now, in {mailboxes} of {people}", number(report.delivered));
    let [read, answered, forwarded, taken] = [report.read, report.answered, report.forwarded, report.taken].map(number);
    say!("{read} read, {answered} answered, {forwarded} forwarded; {taken} taken out");
    if elsewhere > 0 {
        let [waiting, held, handed, failed] =
            [report.waiting, report.held, report.handed_over, report.failed].map(number);
        say!("elsewhere: {waiting} wait in the queue, {held} held, {failed} never arrived");
        say!("           {handed} handed over to other servers: these cannot be recalled");
    }
}

fn say_copy(copy: &RecallCopy) {
    let flags = [(copy.read, "read"), (copy.answered, "answered"), (copy.forwarded, "forwarded")];
    let flags: Vec<&str> = flags.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
    let flags = if flags.is_empty() { "unread".to_owned() } else { flags.join(", ") };
    say!("{}  {}  {}/{}  {flags}", copy.delivery, time(copy.at_s), copy.login, copy.mailbox);
}

fn say_gone(gone: &Gone) {
    let behind = gone.behind.as_ref().map(|behind| format!(" behind {behind}")).unwrap_or_default();
    let state = match gone.state {
        GoneState::Waits => "waits in the queue",
        GoneState::Held => "held in the queue",
        GoneState::HandedOver => "handed over",
        GoneState::Failed => "never arrived",
    };
    say!("{}  {}  to {}{behind}  {state}", gone.queue_id, time(gone.at_s), gone.to);
}

fn take(args: &TakeArgs) -> Result<Exit, Exit> {
    let sought = (!args.sought.is_empty()).then(|| args.sought.sought());
    let (id, by, because) = (args.id.clone(), args.by.clone(), args.because.clone());
    let took = ask(&args.place, "take", TakeRecall { id, sought, by, because })?;
    Ok(say_took(&args.place, &args.named, took))
}

fn approve(args: &ApproveArgs) -> Result<Exit, Exit> {
    let took = ask(&args.place, "take", ApproveRecall { id: args.id.clone(), by: args.by.clone() })?;
    Ok(say_took(&args.place, &args.named, took))
}

fn say_took(place: &Place, named: &NamedArgs, mut took: TookRecall) -> Exit {
    took.gone.truncate(usize::from(named.limit));
    match place.format {
        Format::Json => say_json("took", &took),
        Format::Human if took.id.is_empty() => say!("nothing matches"),
        Format::Human if took.state == "waiting" => {
            let (people, most) = (counted(took.accounts, "person has", "people have"), took.alone_at_most);
            say!("{people} it, and one manager alone may take a message from {most}: nothing was taken");
            say!("within a day another manager agrees with: facteur recall approve {} --by LOGIN", took.id);
        }
        Format::Human => {
            let (copies, people) =
                (counted(took.messages, "copy", "copies"), counted(took.accounts, "person", "people"));
            let mailboxes = counted(took.mailboxes, "mailbox", "mailboxes");
            say!("{copies} taken out of {mailboxes} of {people} in {}", seconds(took.ms));
            took.held.iter().for_each(|id| say!("    {id} is held in the queue"));
            took.gone.iter().for_each(say_gone);
            if took.handed_over > 0 {
                let copies = counted(took.handed_over, "copy was", "copies were");
                say!("{copies} handed over to other servers before: nobody here can recall these");
            }
            say!("back with: facteur recall undo {} --by LOGIN", took.id);
            say!("copies that come from now on are delivered: `facteur block add` keeps them out");
        }
    }
    if took.id.is_empty() { Exit::DifferencesFound } else { Exit::Fine }
}

fn undo(args: &UndoArgs) -> Result<Exit, Exit> {
    let (id, by, because) = (args.id.clone(), args.by.clone(), args.because.clone());
    let undid = ask(&args.place, "undo", UndoRecall { id, by, because })?;
    match args.place.format {
        Format::Json => say_json("undid", &undid),
        Format::Human if undid.already => say!("it was put back before"),
        Format::Human => {
            let queued = counted(undid.let_go, "message goes on", "messages go on");
            say!("{} back where they were, {queued} in the queue", counted(undid.messages, "copy", "copies"));
            if undid.others > 0 {
                let deliveries = counted(undid.others, "delivery stays", "deliveries stay");
                say!("{deliveries} away: taken for another reason before");
            }
        }
    }
    Ok(Exit::Fine)
}

fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let all = ask(&args.place, "list", ListRecalls {})?;
    match args.place.format {
        Format::Json => all.iter().for_each(|recall| say_json("recall", recall)),
        Format::Human => {
            all.iter().for_each(say_recall);
            say!("{}", counted(all.len() as u64, "recall", "recalls"));
        }
    }
    Ok(Exit::Fine)
}

fn say_recall(recall: &ListedRecall) {
    let why = if recall.because.is_empty() { String::new() } else { format!(": {}", recall.because) };
    let and = if recall.approved_by.is_empty() { String::new() } else { format!(" and {}", recall.approved_by) };
    say!("{}  {}  {}  by {}{and}{why}", recall.id, time(recall.at_s), recall.state, recall.by);
    say!("    {}", recall.sought);
    if recall.taken_at_s > 0 {
        let copies = counted(recall.messages, "copy", "copies");
        say!("    {} {copies} out of {}", time(recall.taken_at_s), counted(recall.mailboxes, "mailbox", "mailboxes"));
    }
    if recall.undone_at_s > 0 {
        say!("    {} undone by {}", time(recall.undone_at_s), recall.undone_by);
    }
}

fn show(args: &ShowArgs) -> Result<Exit, Exit> {
    let shown = ask(&args.place, "show", ShowRecall { id: args.id.clone(), limit: usize::from(args.named.limit) })?;
    match args.place.format {
        Format::Json => say_json("shown", &shown),
        Format::Human => {
            say_recall(&shown.recall);
            say_report(&shown.report);
        }
    }
    Ok(Exit::Fine)
}
