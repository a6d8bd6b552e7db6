//! `facteur spam`: what people reported, what managers decide about it, and what was learned.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use server::operate::{
    DecideSpam, ExportCounts, ForgetSpam, ImportCounts, Judged, ListTaught, RecountSpam, ShowSpam, ShownSpam, SpamCase,
    SpamQueue, SpamStats, StatsOfSpam, TeachSpam,
};

use super::queue::time;
use super::{Place, absolute, ask, counted, number, say_json, say_problems, size};
use crate::Exit;
use crate::cli::Format;

#[derive(Subcommand)]
pub enum LiveCommand {
    /// List what people reported as judged wrongly, the oldest case first
    Queue(QueueArgs),
    /// Show a case: who reported it, what it says, what was changed in it
    Show(OneArgs),
    /// Learn what a case reports
    Accept(AcceptArgs),
    /// Close a case without learning anything
    Reject(RejectArgs),
    /// List the messages that were learned
    Taught(QueueArgs),
    /// Forget a message that was learned; the counts are as if it had never been
    Forget(ForgetArgs),
    /// Count all learned messages afresh, as after a new version of the tokens
    Retrain(RetrainArgs),
    /// Learn a folder of messages or an mbox at once
    Teach(TeachArgs),
    /// Write what was learned to a file
    Export(FileArgs),
    /// Take what another server learned; it replaces what was imported before
    Import(ImportArgs),
    /// Say how much was learned
    Stats(QueueArgs),
}

#[derive(Args)]
pub struct QueueArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct OneArgs {
    /// As `facteur spam queue` shows it
    id: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, ValueEnum)]
enum As {
    Spam,
    Ham,
}

impl From<As> for Judged {
    fn from(said: As) -> Judged {
        Judged::of(matches!(said, As::Spam))
    }
}

#[derive(Args)]
pub struct AcceptArgs {
    #[command(flatten)]
    one: OneArgs,
    /// What it is [default: what the reports say]
    #[arg(long = "as", value_enum)]
    judged: Option<As>,
    /// The message with this id alone, without the others of its case
    #[arg(long)]
    only: bool,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

#[derive(Args)]
pub struct RejectArgs {
    #[command(flatten)]
    one: OneArgs,
    /// The message with this id alone, without the others of its case
    #[arg(long)]
    only: bool,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

#[derive(Args)]
pub struct ForgetArgs {
    #[command(flatten)]
    one: OneArgs,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

#[derive(Args)]
pub struct RetrainArgs {
    #[command(flatten)]
    place: Place,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

#[derive(Args)]
#[command(group(ArgGroup::new("what").args(["spam", "ham"]).required(true)))]
pub struct TeachArgs {
    /// A folder whose files are messages, or an mbox
    #[arg(value_name = "FOLDER|MBOX")]
    from: PathBuf,
    /// All of them are spam
    #[arg(long)]
    spam: bool,
    /// None of them is
    #[arg(long)]
    ham: bool,
    #[command(flatten)]
    place: Place,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

#[derive(Args)]
pub struct FileArgs {
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct ImportArgs {
    #[command(flatten)]
    file: FileArgs,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

pub fn run(command: &LiveCommand) -> Exit {
    let ended = match command {
        LiveCommand::Queue(args) => queue(args),
        LiveCommand::Show(args) => show(args),
        LiveCommand::Accept(args) => accept(args),
        LiveCommand::Reject(args) => reject(args),
        LiveCommand::Taught(args) => taught(args),
        LiveCommand::Forget(args) => forget(args),
        LiveCommand::Retrain(args) => retrain(args),
        LiveCommand::Teach(args) => teach(args),
        LiveCommand::Export(args) => export(args),
        LiveCommand::Import(args) => import(args),
        LiveCommand::Stats(args) => stats(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn queue(args: &QueueArgs) -> Result<Exit, Exit> {
    let cases = ask(&args.place, "queue", SpamQueue {})?;
    for case in &cases {
        match args.place.format {
            Format::Json => say_json("case", case),
            Format::Human => say_case(case),
        }
    }
    if args.place.format == Format::Human {
        say!("{} to decide", counted(cases.len() as u64, "case", "cases"));
    }
    Ok(Exit::Fine)
}

fn say_case(case: &SpamCase) {
    let proposed = case.proposed.map_or("DISPUTED", Judged::word);
    let more = case.proposers_in_all.saturating_sub(case.proposers.len() as u64);
    let others = if more > 0 { format!(" and {more} more") } else { String::new() };
    say!("{}  {proposed}, {}", case.id, case.integrity);
    say!("    from     {}", case.from);
    say!("    subject  {}", case.subject);
    if !case.hosts.is_empty() {
        say!("    links    {}", case.hosts.join(" "));
    }
    let reported = counted(case.proposals, "report", "reports");
    say!("    {reported} by {}{others}, {} to {}", case.proposers.join(", "), time(case.first_s), time(case.last_s));
    say!("    received here by {}", counted(case.received, "mailbox", "mailboxes"));
    if !case.unusable.is_empty() {
        say!("    CANNOT BE LEARNED: {}", case.unusable);
    }
}

fn show(args: &OneArgs) -> Result<Exit, Exit> {
    let shown = ask(&args.place, "show", ShowSpam { id: args.id.clone() })?;
    match args.place.format {
        Format::Json => say_json("case", &shown),
        Format::Human => say_shown(&shown),
    }
    Ok(Exit::Fine)
}

fn say_shown(shown: &ShownSpam) {
    say_case(&shown.case);
    for (title, lines) in [("reports", &shown.each), ("scores", &shown.contributions), ("header", &shown.fields)] {
        say!("{title}");
        lines.iter().for_each(|line| say!("    {line}"));
    }
    say!("text");
    shown.text.lines().for_each(|line| say!("    {line}"));
    if !shown.attachments.is_empty() {
        say!("attached: {}", shown.attachments.join(", "));
    }
}

fn accept(args: &AcceptArgs) -> Result<Exit, Exit> {
    let request = DecideSpam {
        id: args.one.id.clone(),
        accept: true,
        judged: args.judged.map(Judged::from),
        only: args.only,
        by: args.by.clone(),
    };
    decide(&args.one.place, request)
}

fn reject(args: &RejectArgs) -> Result<Exit, Exit> {
    let (id, by) = (args.one.id.clone(), args.by.clone());
    decide(&args.one.place, DecideSpam { id, accept: false, judged: None, only: args.only, by })
}

fn decide(place: &Place, request: DecideSpam) -> Result<Exit, Exit> {
    let decided = ask(place, "decide", request)?;
    if place.format == Format::Json {
        say_json("decided", &decided);
        return Ok(Exit::Fine);
    }
    decided.taught.iter().for_each(|id| say!("learned as {id}"));
    if decided.known > 0 {
        say!("{} known already", counted(decided.known, "message was", "messages were"));
    }
    say!("{} closed", counted(decided.closed, "report", "reports"));
    Ok(Exit::Fine)
}

fn taught(args: &QueueArgs) -> Result<Exit, Exit> {
    let (mut after, mut all) = (None, 0);
    loop {
        let page = ask(&args.place, "taught", ListTaught { after })?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        all += page.len() as u64;
        for one in &page {
            if args.place.format == Format::Json {
                say_json("taught", one);
                continue;
            }
            let gone = if one.purged { ", its text is gone" } else { "" };
            say!("{}  {}, {} by {}{gone}", one.id, one.judged.word(), time(one.at_s), one.by);
            say!("    from     {}", one.from);
            say!("    subject  {}", one.subject);
        }
    }
    if args.place.format == Format::Human {
        say!("{} learned", counted(all, "message", "messages"));
    }
    Ok(Exit::Fine)
}

fn forget(args: &ForgetArgs) -> Result<Exit, Exit> {
    ask(&args.one.place, "forget", ForgetSpam { id: args.one.id.clone(), by: args.by.clone() })?;
    Ok(Exit::Fine)
}

fn retrain(args: &RetrainArgs) -> Result<Exit, Exit> {
    let done = ask(&args.place, "retrain", RecountSpam { by: args.by.clone() })?;
    if args.place.format == Format::Json {
        say_json("retrained", &done);
        return Ok(Exit::Fine);
    }
    let messages = counted(done.messages, "message", "messages");
    say!("{messages} counted, {} changed", counted(done.changed, "token", "tokens"));
    if done.lost > 0 {
        say!("{} not counted any more: the text is gone", counted(done.lost, "message is", "messages are"));
    }
    if done.base_dropped {
        say!("what was imported went: it was of another version, or its import did not end");
    }
    Ok(Exit::Fine)
}

fn teach(args: &TeachArgs) -> Result<Exit, Exit> {
    let from = absolute(args.place.format, &args.from)?;
    let done = ask(&args.place, "teach", TeachSpam { judged: Judged::of(args.spam), from, by: args.by.clone() })?;
    match args.place.format {
        Format::Json => say_json("taught", &done),
        Format::Human => {
            say!("{} learned, {} known already", counted(done.taught, "message", "messages"), number(done.known));
            say_problems(&done.problems);
        }
    }
    Ok(if done.problems.is_empty() { Exit::Fine } else { Exit::DifferencesFound })
}

fn export(args: &FileArgs) -> Result<Exit, Exit> {
    let file = absolute(args.place.format, &args.file)?;
    let moved = ask(&args.place, "export", ExportCounts { file })?;
    say_json_or(&args.place, "exported", &moved, moved.tokens);
    Ok(Exit::Fine)
}

fn import(args: &ImportArgs) -> Result<Exit, Exit> {
    let file = absolute(args.file.place.format, &args.file.file)?;
    let moved = ask(&args.file.place, "import", ImportCounts { file, by: args.by.clone() })?;
    say_json_or(&args.file.place, "imported", &moved, moved.tokens);
    Ok(Exit::Fine)
}

fn say_json_or(place: &Place, kind: &str, what: &impl serde::Serialize, tokens: u64) {
    match place.format {
        Format::Json => say_json(kind, what),
        Format::Human => say!("{} {kind}", counted(tokens, "token", "tokens")),
    }
}

fn stats(args: &QueueArgs) -> Result<Exit, Exit> {
    let stats = ask(&args.place, "stats", StatsOfSpam {})?;
    match args.place.format {
        Format::Json => say_json("stats", &stats),
        Format::Human => say_stats(&stats),
    }
    Ok(Exit::Fine)
}

fn say_stats(stats: &SpamStats) {
    say!("learned    {} spam, {} other", number(stats.spam.into()), number(stats.ham.into()));
    say!(
        "imported   {} spam, {} other of these",
        number(stats.imported_spam.into()),
        number(stats.imported_ham.into())
    );
    say!("tokens     {}, version {}", number(stats.tokens), stats.tokens_version);
    say!("kept       {}, {}", counted(stats.taught, "message", "messages"), size(stats.taught_octets));
    let oldest = stats.oldest_s.map(|at_s| format!(", the oldest of {}", time(at_s))).unwrap_or_default();
    say!("to decide  {}{oldest}", counted(stats.proposals, "report", "reports"));
    if !stats.trouble.is_empty() {
        say!("TROUBLE    {}", stats.trouble);
    }
}
