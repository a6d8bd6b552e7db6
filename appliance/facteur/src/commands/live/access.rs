//! `facteur person unlock`, `accesses`: who got in from where, and who cannot for wrong passwords.

use clap::Args;
use server::operate::{AccessesOf, ListedAccess, UnlockPerson};

use super::queue::time;
use super::{Place, ask, counted, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct UnlockArgs {
    login: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct AccessesArgs {
    login: String,
    #[command(flatten)]
    place: Place,
}

/// Says how much was forgotten.
pub fn unlock(args: &UnlockArgs) -> Result<Exit, Exit> {
    let unlocked = ask(&args.place, "unlock", UnlockPerson { login: args.login.clone() })?;
    match args.place.format {
        Format::Json => say_json("unlocked", &unlocked),
        Format::Human if unlocked.forgotten == 0 => say!("nothing kept {} out", args.login),
        Format::Human => say!("the failed logins of {} are forgotten", args.login),
    }
    Ok(Exit::Fine)
}

/// Names the ways, the newest first.
pub fn accesses(args: &AccessesArgs) -> Result<Exit, Exit> {
    let all = ask(&args.place, "accesses", AccessesOf { login: args.login.clone() })?;
    match args.place.format {
        Format::Json => all.iter().for_each(|access| say_json("access", access)),
        Format::Human => {
            all.iter().for_each(say);
            say!("{}", counted(all.len() as u64, "way", "ways"));
        }
    }
    Ok(Exit::Fine)
}

fn say(access: &ListedAccess) {
    let ListedAccess { protocol, network, client, program, first_s, last_s, times } = access;
    let (first, last) = (time(*first_s), time(*last_s));
    say!("{last}  {protocol:<6} {client:<20} {network:<12} {times:>6} times since {first}  {program}");
}
