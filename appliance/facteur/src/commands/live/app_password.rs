//! `facteur person app-password`: secrets of one mail program each.

use clap::{Args, Subcommand};
use server::operate::{AddAppPassword, ListAppPasswords, ListedAppPassword, RemoveAppPassword};

use super::{Place, ask, counted, failed, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct AppPasswordArgs {
    login: String,
    #[command(subcommand)]
    command: AppPasswordCommand,
}

#[derive(Subcommand)]
enum AppPasswordCommand {
    /// Draw one for a mail program; it is shown this once
    Add(NamedArgs),
    /// Say which there are, and when each was used last
    List(ListArgs),
    /// Take one away, at once; ends with 4 when there was none of this name
    Remove(NamedArgs),
}

#[derive(Args)]
struct NamedArgs {
    /// What the person calls it, for instance the program it is for
    name: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &AppPasswordArgs) -> Result<Exit, Exit> {
    match &args.command {
        AppPasswordCommand::Add(named) => add(&args.login, named),
        AppPasswordCommand::List(list) => self::list(&args.login, list),
        AppPasswordCommand::Remove(named) => remove(&args.login, named),
    }
}

fn add(login: &str, args: &NamedArgs) -> Result<Exit, Exit> {
    let request = AddAppPassword { login: login.to_owned(), name: args.name.clone() };
    let added = ask(&args.place, "app password", request)?;
    match args.place.format {
        Format::Json => say_json("app_password", &added),
        Format::Human => say!("{}", added.secret),
    }
    Ok(Exit::Fine)
}

fn list(login: &str, args: &ListArgs) -> Result<Exit, Exit> {
    let all = ask(&args.place, "app password", ListAppPasswords { login: login.to_owned() })?;
    all.iter().for_each(|one| say(args.place.format, one));
    if args.place.format == Format::Human {
        say!("{}", counted(all.len() as u64, "app password", "app passwords"));
    }
    Ok(Exit::Fine)
}

fn remove(login: &str, args: &NamedArgs) -> Result<Exit, Exit> {
    let request = RemoveAppPassword { login: login.to_owned(), name: args.name.clone() };
    if ask(&args.place, "app password", request)? {
        return Ok(Exit::Fine);
    }
    let said = format!("{login} has no app password {}", args.name);
    Err(failed(args.place.format, &said, Exit::DifferencesFound))
}

fn say(format: Format, one: &ListedAppPassword) {
    if format == Format::Json {
        return say_json("app_password", one);
    }
    let used = one.used_on.as_deref().map_or_else(|| "never used".to_owned(), |day| format!("used last on {day}"));
    let from = one.used_from.as_deref().map(|from| format!(" by {from}")).unwrap_or_default();
    say!("{:<32} made {}, {used}{from}", one.name, day(one.created_s));
}

/// A day in UTC.
fn day(unix_s: i64) -> String {
    let at = jiff::Timestamp::from_second(unix_s).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}
