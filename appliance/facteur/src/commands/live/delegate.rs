//! `facteur delegate`: who sends in whose name.

use clap::{Args, Subcommand, ValueEnum};
use server::operate::{AddDelegation, EndDelegation, ListDelegations, ListedDelegation, Manner};

use super::{Place, ask, counted, failed, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct DelegateArgs {
    #[command(subcommand)]
    command: DelegateCommand,
}

#[derive(Subcommand)]
enum DelegateCommand {
    /// Let somebody send in the name of another person, who is told of it
    Add(AddArgs),
    /// End that; ends with 4 when there was nothing to end
    End(EndArgs),
    /// Say who sends in whose name
    List(ListArgs),
}

#[derive(Clone, Copy, ValueEnum)]
enum How {
    /// As if the owner had sent it
    As,
    /// With a field Sender that names who did
    OnBehalf,
}

#[derive(Args)]
struct AddArgs {
    /// Whose name it is
    login: String,
    #[command(flatten)]
    place: Place,
    /// Who may send
    #[arg(long, value_name = "LOGIN")]
    to: String,
    #[arg(long, value_enum, default_value = "on-behalf")]
    how: How,
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// The last day; without one it does not end
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<String>,
    /// The manager, or the owner
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

#[derive(Args)]
struct EndArgs {
    login: String,
    #[command(flatten)]
    place: Place,
    #[arg(long, value_name = "LOGIN")]
    to: String,
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
}

#[derive(Args)]
struct ListArgs {
    /// In whose name others send, and in whose name this person does; everybody without it
    login: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &DelegateArgs) -> Exit {
    let ended = match &args.command {
        DelegateCommand::Add(args) => add(args),
        DelegateCommand::End(args) => end(args),
        DelegateCommand::List(args) => list(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn add(args: &AddArgs) -> Result<Exit, Exit> {
    let manner = match args.how {
        How::As => Manner::As,
        How::OnBehalf => Manner::OnBehalf,
    };
    let (login, to, because) = (args.login.clone(), args.to.clone(), args.because.clone());
    let (until, by) = (args.until.clone(), args.by.clone());
    say(args.place.format, &ask(&args.place, "delegate", AddDelegation { login, to, manner, because, until, by })?);
    Ok(Exit::Fine)
}

fn end(args: &EndArgs) -> Result<Exit, Exit> {
    let (login, to, by) = (args.login.clone(), args.to.clone(), args.by.clone());
    if ask(&args.place, "delegate", EndDelegation { login, to, by })? {
        return Ok(Exit::Fine);
    }
    let why = format!("{} does not send for {}", args.to, args.login);
    Err(failed(args.place.format, &why, Exit::DifferencesFound))
}

fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let all = ask(&args.place, "delegate", ListDelegations { login: args.login.clone() })?;
    all.iter().for_each(|one| say(args.place.format, one));
    if args.place.format == Format::Human {
        say!("{}", counted(all.len() as u64, "delegation", "delegations"));
    }
    Ok(Exit::Fine)
}

fn say(format: Format, one: &ListedDelegation) {
    if format == Format::Json {
        return say_json("delegation", one);
    }
    let how = match one.manner {
        Manner::As => "as",
        Manner::OnBehalf => "on behalf of",
    };
    let until = if one.until.is_empty() { "without end".to_owned() } else { format!("until {}", one.until) };
    let ended = if one.holds { "" } else { "  ENDED" };
    say!("{:<20} sends {how} {:<20} {until}{ended}", one.to, one.login);
    say!("{:<20} given by {}: {}", "", one.by, one.because);
}
