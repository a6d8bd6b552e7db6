//! `facteur person state` and what changes it: suspend, hold, close, the last day, containing a stolen account, erasing.

use clap::{Args, Subcommand};
use server::operate::{
    ChangeState, ContainPerson, ContainedPerson, ErasePerson, LeaveOn, ShownLock, ShownState, StateAct, StateOf,
    UndoContain,
};

use super::queue::time;
use super::{Place, ask, counted, failed, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Subcommand)]
pub enum StandingCommand {
    /// Say where an account stands: state, dates, locks, sessions
    State(LoginArgs),
    /// Let nobody log in for a while; mail is kept
    Suspend(ChangeArgs),
    /// End a suspension, or open what a command closed
    Resume(ChangeArgs),
    /// Keep an account as it is for a legal reason: nothing in, nothing out, nothing erased
    Hold(ChangeArgs),
    /// End such a hold
    Release(ChangeArgs),
    /// Close an account: nothing in, nothing out; erased when the policy says
    Close(ChangeArgs),
    /// Set the last day of somebody, after which the account ends step by step as the policy says
    Leave(LeaveArgs),
    /// Close at once what somebody else uses: password, tokens, sessions, outgoing mail, redirect; mail still comes in
    Contain(ContainArgs),
    /// Erase a closed account before its time: mailboxes, addresses, rights
    Erase(EraseArgs),
}

#[derive(Args)]
pub struct LoginArgs {
    login: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct ChangeArgs {
    login: String,
    /// Why, in one line
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// The last day of it
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<String>,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct LeaveArgs {
    login: String,
    /// The last day
    #[arg(long, value_name = "YYYY-MM-DD", required_unless_present = "stays")]
    on: Option<String>,
    /// There is none
    #[arg(long, conflicts_with = "on")]
    stays: bool,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct ContainArgs {
    login: String,
    /// Why, in one line
    #[arg(long, value_name = "TEXT", required_unless_present = "undo")]
    because: Option<String>,
    /// Put everything back as it was, but for the sessions and the password
    #[arg(long, conflicts_with = "because")]
    undo: bool,
    /// The password of before opens the account again
    #[arg(long, requires = "undo")]
    old_password: bool,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct EraseArgs {
    login: String,
    /// It cannot be undone
    #[arg(long, required = true)]
    yes: bool,
    /// The manager who decides
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub fn run(command: &StandingCommand) -> Result<Exit, Exit> {
    match command {
        StandingCommand::State(args) => {
            let shown = ask(&args.place, "state", StateOf { login: args.login.clone() })?;
            Ok(say(args.place.format, &shown))
        }
        StandingCommand::Suspend(args) => change(args, StateAct::Suspend),
        StandingCommand::Resume(args) => change(args, StateAct::Resume),
        StandingCommand::Hold(args) => change(args, StateAct::Hold),
        StandingCommand::Release(args) => change(args, StateAct::Release),
        StandingCommand::Close(args) => change(args, StateAct::Close),
        StandingCommand::Leave(args) => {
            let request = LeaveOn { login: args.login.clone(), on: args.on.clone(), by: args.by.clone() };
            Ok(say(args.place.format, &ask(&args.place, "state", request)?))
        }
        StandingCommand::Contain(args) if args.undo => undo(args),
        StandingCommand::Contain(args) => contain(args),
        StandingCommand::Erase(args) => erase(args),
    }
}

fn change(args: &ChangeArgs, act: StateAct) -> Result<Exit, Exit> {
    let request = ChangeState {
        login: args.login.clone(),
        act,
        because: args.because.clone(),
        until: args.until.clone(),
        by: args.by.clone(),
    };
    Ok(say(args.place.format, &ask(&args.place, "state", request)?))
}

fn say(format: Format, shown: &ShownState) -> Exit {
    if format == Format::Json {
        say_json("state", shown);
        return Exit::Fine;
    }
    say!("{}  {}  {}", shown.login, shown.name, shown.state);
    if let Some(given) = &shown.given {
        let until = if given.until.is_empty() { String::new() } else { format!(" until {}", given.until) };
        say!("    {} by {} since {}{until}: {}", given.state, given.by, given.since, given.because);
    }
    let days = [("first day", &shown.registered), ("last day", &shown.until)];
    days.iter().filter(|(_, day)| !day.is_empty()).for_each(|(what, day)| say!("    {what} {day}"));
    if let Some(next) = &shown.next {
        say!("    {} from {} on", next.to, next.on);
    }
    let yes = |it: bool| if it { "yes" } else { "no" };
    say!("    reads: {}, sends: {}, receives: {}", yes(shown.reads), yes(shown.sends), yes(shown.receives));
    let locks = [
        ("sending is locked", &shown.sending_locked),
        ("outgoing mail is held", &shown.outgoing_held),
        ("contained", &shown.contained),
    ];
    locks.iter().for_each(|(what, lock)| say_lock(what, lock.as_ref()));
    if shown.held > 0 {
        say!("    {} in the queue", counted(shown.held, "message waits", "messages wait"));
    }
    for session in &shown.sessions {
        say!("    connected: {} from {} since {}", session.protocol.word(), session.peer, time(session.since_s));
    }
    Exit::Fine
}

fn say_lock(what: &str, lock: Option<&ShownLock>) {
    let Some(lock) = lock else { return };
    let until = lock.until_s.map(|until_s| format!(" until {}", time(until_s))).unwrap_or_default();
    let rule = if lock.rule.is_empty() { String::new() } else { format!(" ({})", lock.rule) };
    say!("    {what} since {}{until}, by {}{rule}: {}", time(lock.at_s), lock.by, lock.because);
}

fn contain(args: &ContainArgs) -> Result<Exit, Exit> {
    let because = args.because.clone().unwrap_or_default();
    let request = ContainPerson { login: args.login.clone(), because, by: args.by.clone() };
    let done = ask(&args.place, "contain", request)?;
    match args.place.format {
        Format::Json => say_json("contained", &done),
        Format::Human => say_contained(&done),
    }
    Ok(Exit::Fine)
}

fn say_contained(done: &ContainedPerson) {
    say!("{} is contained: nothing opens the account and nothing of it goes out; mail comes in", done.login);
    say!("    {} ended", counted(done.sessions as u64, "session", "sessions"));
    if done.redirect {
        say!("    mail goes on elsewhere no more");
    }
    let held = done.held.len() + done.more_held;
    if held > 0 {
        say!("    {} in the queue:", counted(held as u64, "message waits", "messages wait"));
    }
    for message in &done.held {
        let to = counted(message.recipients as u64, "recipient", "recipients");
        say!("        {}  {}  {to}  {}", message.queue_id, time(message.at_s), message.subject);
    }
    say!("sent within 72 hours: {}", counted(done.sent.len() as u64, "message", "messages"));
    for sent in &done.sent {
        let held = if sent.held { "  HELD" } else { "" };
        let to = counted((sent.here + sent.away.len()) as u64, "recipient", "recipients");
        say!("    {}  {}  {to}{held}  {}", sent.queue_id, time(sent.at_s), sent.subject);
    }
    if done.more_sent {
        say!("    and more");
    }
    say!("give the person a new password, then `facteur person contain {} --undo`", done.login);
}

fn undo(args: &ContainArgs) -> Result<Exit, Exit> {
    let request = UndoContain { login: args.login.clone(), old_password: args.old_password, by: args.by.clone() };
    let done = ask(&args.place, "contain", request)?;
    if args.place.format == Format::Json {
        say_json("uncontained", &done);
        return Ok(Exit::Fine);
    }
    say!("{} is contained no more; {} on", done.login, counted(done.messages, "message goes", "messages go"));
    if done.redirect {
        say!("    mail goes on elsewhere again");
    }
    if !done.opens {
        say!("    no password opens the account yet: `facteur person password {}`", done.login);
    }
    Ok(Exit::Fine)
}

fn erase(args: &EraseArgs) -> Result<Exit, Exit> {
    if !args.yes {
        return Err(failed(args.place.format, "say --yes: it cannot be undone", Exit::Trouble));
    }
    ask(&args.place, "erase", ErasePerson { login: args.login.clone(), by: args.by.clone() })?;
    if args.place.format == Format::Human {
        say!("{} is erased", args.login);
    }
    Ok(Exit::Fine)
}
