//! `facteur person`: who there is, from a policy's folder into the store.

use std::io::BufRead;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use server::operate::{PutPeople, SetPassword};

use super::access::{self, AccessesArgs, UnlockArgs};
use super::app_password::{self, AppPasswordArgs};
use super::people::{self, PeopleCommand};
use super::quota::{self, QuotaArgs};
use super::standing::{self, StandingCommand};
use super::{Place, ask, counted, failed, say_json};
use crate::Exit;
use crate::cli::Format;
use crate::commands;
use server::default_mailboxes;

/// People of one request.
const BATCH: usize = 50;

#[derive(Args)]
pub struct PersonArgs {
    #[command(subcommand)]
    command: PersonCommand,
}

#[derive(Subcommand)]
enum PersonCommand {
    /// Bring people up to date from the people.ron beside a policy; nobody is taken away
    Load(LoadArgs),
    #[command(flatten)]
    People(PeopleCommand),
    /// Set somebody's password: one line of standard input
    Password(PasswordArgs),
    /// Secrets of one mail program each: drawn here, taken away one by one
    AppPassword(AppPasswordArgs),
    /// More room for a person of a profile that has it on request, until a day
    Quota(QuotaArgs),
    /// Forget failed logins, so that somebody gets in again at once
    Unlock(UnlockArgs),
    #[command(flatten)]
    Standing(StandingCommand),
    /// Say from where an account was used, by which protocol and program
    Accesses(AccessesArgs),
}

#[derive(Args)]
struct LoadArgs {
    /// A folder with policy.ron and people.ron
    policy: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Only say who they are
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
struct PasswordArgs {
    login: String,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &PersonArgs) -> Exit {
    let ended = match &args.command {
        PersonCommand::Load(args) => load(args),
        PersonCommand::People(command) => people::run(command),
        PersonCommand::Password(args) => password(args),
        PersonCommand::AppPassword(args) => app_password::run(args),
        PersonCommand::Quota(args) => quota::run(args),
        PersonCommand::Standing(command) => standing::run(command),
        PersonCommand::Unlock(args) => access::unlock(args),
        PersonCommand::Accesses(args) => access::accesses(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn load(args: &LoadArgs) -> Result<Exit, Exit> {
    let format = args.place.format;
    let ready = commands::ready(&args.policy, false)?;
    let Some(directory) = ready.people else {
        return Err(failed(format, "there is no people.ron beside the policy", Exit::Trouble));
    };
    if args.dry_run {
        for person in &directory.people {
            let (quota, profile) = (super::size(person.quota_octets), &person.profile);
            say!("{:<20} {:<48} {profile:<12} {quota}", person.login, person.address.to_string());
        }
        say!("{}", counted(directory.people.len() as u64, "person", "people"));
        return Ok(Exit::Fine);
    }
    let mailboxes: Vec<(String, String)> = default_mailboxes(ready.sealed.plan.institution.pages)
        .into_iter()
        .filter_map(|mailbox| Some((mailbox.name.to_string(), mailbox.special_use?.attribute().to_owned())))
        .collect();
    let mut new = Vec::new();
    for batch in directory.people.chunks(BATCH) {
        let people = batch.iter().map(Into::into).collect();
        let put = PutPeople { people, addresses: Vec::new(), mailboxes: mailboxes.clone() };
        new.extend(ask(&args.place, "people", put)?.new);
    }
    for batch in directory.aliases.chunks(BATCH) {
        let addresses = batch.iter().map(Into::into).collect();
        ask(&args.place, "people", PutPeople { people: Vec::new(), addresses, mailboxes: Vec::new() })?;
    }
    match format {
        Format::Json => say_json("people", &serde_json::json!({"people": directory.people.len(), "new": new})),
        Format::Human => {
            say!("{}, {} of them new", counted(directory.people.len() as u64, "person", "people"), new.len());
            if !new.is_empty() {
                say!("they have no password yet: `facteur person password LOGIN`");
            }
        }
    }
    Ok(Exit::Fine)
}

fn password(args: &PasswordArgs) -> Result<Exit, Exit> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| failed(args.place.format, &error.to_string(), Exit::Trouble))?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    ask(&args.place, "password", SetPassword { login: args.login.clone(), password })?;
    Ok(Exit::Fine)
}
