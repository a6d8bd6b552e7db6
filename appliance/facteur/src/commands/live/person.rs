//! `facteur person`: who there is, from a policy's folder into the store.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use server::operate::{GivenLead, PutPeople};

use super::access::{self, AccessesArgs, UnlockArgs};
use super::app_password::{self, AppPasswordArgs};
use super::credential::{self, LetterArgs, PasswordArgs, TotpArgs, WeakArgs};
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
    /// Print a letter with a new password, which its owner has to change; it is shown this once
    Letter(LetterArgs),
    /// Say whether somebody has a second factor at the portal; take a lost one away
    Totp(TotpArgs),
    /// Count passwords of weak schemes, of letters, and people without any
    Weak(WeakArgs),
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

pub fn run(args: &PersonArgs) -> Exit {
    let ended = match &args.command {
        PersonCommand::Load(args) => load(args),
        PersonCommand::People(command) => people::run(command),
        PersonCommand::Password(args) => credential::password(args),
        PersonCommand::Letter(args) => credential::letter(args),
        PersonCommand::Totp(args) => credential::totp(args),
        PersonCommand::Weak(args) => credential::weak(args),
        PersonCommand::AppPassword(args) => app_password::run(args),
        PersonCommand::Quota(args) => quota::run(args),
        PersonCommand::Standing(command) => standing::run(command),
        PersonCommand::Unlock(args) => access::unlock(args),
        PersonCommand::Accesses(args) => access::accesses(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn lead(lead: &policy::people::Lead) -> GivenLead {
    let policy::people::Lead { address, own, follows } = lead.clone();
    GivenLead { address, own: own.iter().map(ToString::to_string).collect(), follows }
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
    let (mut new, mut said) = (Vec::new(), Vec::new());
    for (people, stays) in directory.people.chunks(BATCH).zip(directory.stays.chunks(BATCH)) {
        let people = people.iter().zip(stays).map(crate::people::given).collect();
        let put = PutPeople { people, mailboxes: mailboxes.clone(), ..PutPeople::default() };
        let put = ask(&args.place, "people", put)?;
        new.extend(put.new);
        said.extend(put.said);
    }
    for batch in directory.aliases.chunks(BATCH) {
        let addresses = batch.iter().map(Into::into).collect();
        ask(&args.place, "people", PutPeople { addresses, ..PutPeople::default() })?;
    }
    // Whatever they follow is there by now.
    for batch in directory.leads.chunks(BATCH) {
        let leads = batch.iter().map(lead).collect();
        ask(&args.place, "people", PutPeople { leads, ..PutPeople::default() })?;
    }
    match format {
        Format::Json => {
            say_json("people", &serde_json::json!({"people": directory.people.len(), "new": new, "said": said}))
        }
        Format::Human => {
            say!("{}, {} of them new", counted(directory.people.len() as u64, "person", "people"), new.len());
            said.iter().for_each(|said| say!("{said}"));
            if !new.is_empty() {
                say!("they have no password yet: `facteur person password LOGIN`");
            }
        }
    }
    Ok(Exit::Fine)
}
