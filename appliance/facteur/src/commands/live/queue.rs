//! `facteur queue`, `facteur drain`: what waits for other servers, and what an operator does with it.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use server::operate::{
    Act, ActOn, DownDestination, Drain, Filter, Listed, QueueList, QueueShow, Queued, Shown, Waiting,
};

use super::{Place, ask, counted, say_json, size};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct QueueArgs {
    #[command(subcommand)]
    command: QueueCommand,
}

#[derive(Subcommand)]
enum QueueCommand {
    /// Name what waits, and destinations that are down or block us
    List(ListArgs),
    /// Show one message: envelope, states, last replies, header
    Show(ShowArgs),
    /// Let nobody try messages until they are released
    Hold(ActArgs),
    /// End the hold: they are due now, and their destinations are tried whatever they said
    Release(ActArgs),
    /// Make messages due now, and try their destinations whatever they said
    Retry(ActArgs),
    /// Give messages up and tell their senders
    Bounce(ActArgs),
    /// Take messages away without a word to their senders
    Remove(ActArgs),
}

#[derive(Args)]
struct FilterArgs {
    /// With a waiting recipient in this domain
    #[arg(long)]
    domain: Option<String>,
    /// With this reverse-path; "<>" for notifications
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// Sent by this person
    #[arg(long)]
    login: Option<String>,
}

impl FilterArgs {
    fn filter(&self) -> Filter {
        Filter { domain: self.domain.clone(), sender: self.sender.clone(), login: self.login.clone() }
    }
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Name at most N messages
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    limit: u16,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct ShowArgs {
    /// As the reply and the log name it
    id: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct ActArgs {
    /// Messages, as replies and the log name them
    #[arg(conflicts_with_all = ["domain", "sender", "login"])]
    ids: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    place: Place,
}

/// Takes no new mail: clients hear 421, mail in the queue goes on. Ends when nothing can be delivered now, and says how much
/// waits for another time.
#[derive(Args)]
#[command(about = "Take no new mail, and deliver what can be delivered", verbatim_doc_comment)]
pub struct DrainArgs {
    /// Take mail again
    #[arg(long)]
    end: bool,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &QueueArgs) -> Exit {
    let ended = match &args.command {
        QueueCommand::List(args) => list(args),
        QueueCommand::Show(args) => show(args),
        QueueCommand::Hold(args) => act(args, Act::Hold, "held"),
        QueueCommand::Release(args) => act(args, Act::Release, "released"),
        QueueCommand::Retry(args) => act(args, Act::Retry, "due now"),
        QueueCommand::Bounce(args) => act(args, Act::Bounce, "given up, senders told"),
        QueueCommand::Remove(args) => act(args, Act::Remove, "removed"),
    };
    ended.unwrap_or_else(|exit| exit)
}

pub fn drain(args: &DrainArgs) -> Exit {
    let drained = match ask(&args.place, "drain", Drain { end: args.end }) {
        Ok(drained) => drained,
        Err(exit) => return exit,
    };
    match args.place.format {
        Format::Human if drained.draining => {
            say!("no new mail is taken; {} left", counted(drained.left, "message is", "messages are"));
        }
        Format::Human => say!("mail is taken again"),
        Format::Json => say_json("drained", &drained),
    }
    Exit::Fine
}

fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let request = QueueList { filter: args.filter.filter(), limit: usize::from(args.limit) };
    let listed = ask(&args.place, "queue", request)?;
    match args.place.format {
        Format::Human => say_listed(&listed),
        Format::Json => {
            listed.messages.iter().for_each(|message| say_json("queued", message));
            listed.down.iter().for_each(|down| say_json("destination_down", down));
        }
    }
    Ok(Exit::Fine)
}

fn say_listed(listed: &Listed) {
    for message in &listed.messages {
        say_message(message);
    }
    if !listed.down.is_empty() {
        say!("destinations that are not tried now:");
    }
    for DownDestination { destination, blocked, why, since_s, probed_at_s, waiting } in &listed.down {
        let word = if *blocked { "BLOCKS US" } else { "does not answer" };
        say!("  {destination} {word} since {}, next try {}, {waiting} waiting", time(*since_s), time(*probed_at_s));
        say!("    {why}");
    }
    let shown = listed.messages.len() as u64;
    let of = if listed.matching == listed.total { String::new() } else { format!(" of {}", listed.total) };
    say!("{}{of}, {shown} named", counted(listed.matching, "message waits", "messages wait"));
}

fn say_message(message: &Queued) {
    let sender = if message.sender.is_empty() { "<>" } else { &message.sender };
    let login = message.login.as_ref().map(|login| format!(" ({login})")).unwrap_or_default();
    let held = if message.held { format!("  HELD: {}", message.because) } else { String::new() };
    say!("{}  {}  {}  {sender}{login}{held}", message.queue_id, time(message.accepted_at_s), size(message.size_octets));
    for Waiting { address, next_hop, due_at_s, attempts, last_reply } in &message.recipients {
        let tries = counted(u64::from(*attempts), "try", "tries");
        say!("    {address}  by {next_hop}, {tries}, next {}", time(*due_at_s));
        if !last_reply.is_empty() {
            say!("        {last_reply}");
        }
    }
    if message.more > 0 {
        say!("    and {} more", message.more);
    }
}

fn show(args: &ShowArgs) -> Result<Exit, Exit> {
    let shown = ask(&args.place, "show", QueueShow { id: args.id.clone() })?;
    match args.place.format {
        Format::Human => say_shown(&shown),
        Format::Json => say_json("queued_message", &shown),
    }
    Ok(Exit::Fine)
}

fn say_shown(shown: &Shown) {
    say_message(&shown.message);
    let facts = &shown.facts;
    let asked = [
        facts.ret.map(|ret| format!("RET {ret:?}")),
        facts.envid.as_ref().map(|envid| format!("ENVID {envid}")),
        facts.require_tls.then(|| "REQUIRETLS".to_owned()),
        facts.smtputf8.then(|| "SMTPUTF8".to_owned()),
        facts.delay_told.then(|| "the sender was told of the delay".to_owned()),
    ];
    let asked: Vec<String> = asked.into_iter().flatten().collect();
    if !asked.is_empty() {
        say!("    {}", asked.join(", "));
    }
    say!("    accepted under plan {}", shown.plan);
    say!("");
    for line in shown.header.lines() {
        // What a client wrote must not work the terminal.
        say!("{}", line.replace(|c: char| c.is_control() && c != '\t', "?"));
    }
}

fn act(args: &ActArgs, act: Act, done: &str) -> Result<Exit, Exit> {
    let request = ActOn { act, ids: args.ids.clone(), filter: args.filter.filter() };
    let acted = ask(&args.place, "queue", request)?;
    match args.place.format {
        Format::Human => {
            let recipients = counted(acted.recipients, "recipient", "recipients");
            say!("{} {done}, {recipients}", counted(acted.messages, "message", "messages"));
            if acted.revived > 0 {
                say!("{} tried again", counted(acted.revived, "destination is", "destinations are"));
            }
        }
        Format::Json => say_json("acted", &acted),
    }
    Ok(Exit::Fine)
}

/// To the second, in UTC.
pub(super) fn time(at_s: i64) -> String {
    Timestamp::from_second(at_s).map_or_else(|_| "never".to_owned(), |at| at.to_string())
}
