//! `facteur alias` and `facteur function`: addresses that lead to people.

use clap::{Args, Subcommand};
use mail::Address;
use policy::model::literal::Size;
use server::operate::{AddAlias, ChangeMembers, ListAddresses, ListedAddress, RemoveAddress, SetFunction};

use super::{Place, ask, counted, failed, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct AliasArgs {
    #[command(subcommand)]
    command: AliasCommand,
}

#[derive(Subcommand)]
enum AliasCommand {
    /// Let an address lead to people, or to whomever another address leads, now and later
    Add {
        address: Address,
        /// Logins, or addresses of ours
        #[arg(required = true)]
        to: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Let it lead nowhere
    Remove {
        address: Address,
        #[command(flatten)]
        place: Place,
    },
    /// Say which there are, former addresses among them
    List {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args)]
pub struct FunctionArgs {
    #[command(subcommand)]
    command: FunctionCommand,
}

#[derive(Subcommand)]
enum FunctionCommand {
    /// Make a functional address, or give it these members
    Add {
        address: Address,
        #[arg(required = true)]
        members: Vec<String>,
        /// Mailboxes of its own of this size, which its members share; else each member gets a copy
        #[arg(long, value_name = "SIZE", value_parser = quota)]
        own_mailbox: Option<u64>,
        #[command(flatten)]
        place: Place,
    },
    /// Let people into it and out of it
    Member {
        address: Address,
        #[arg(long, value_name = "LOGIN", required_unless_present = "remove")]
        add: Vec<String>,
        /// A login, or an address whose members are its own
        #[arg(long, value_name = "LOGIN")]
        remove: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Let it lead nowhere
    Remove {
        address: Address,
        #[command(flatten)]
        place: Place,
    },
    /// Say which there are
    List {
        #[command(flatten)]
        place: Place,
    },
}

fn quota(text: &str) -> Result<u64, String> {
    Size::of(text).map(|size| size.0).ok_or_else(|| "a size is written \"500 MB\"".to_owned())
}

pub fn alias(args: &AliasArgs) -> Exit {
    let ended = match &args.command {
        AliasCommand::Add { address, to, place } => {
            let request = AddAlias { address: address.clone(), to: to.clone() };
            ask(place, "address", request).map(|listed| say(place.format, &listed))
        }
        AliasCommand::Remove { address, place } => remove(address, place, false),
        AliasCommand::List { place } => list(place, false),
    };
    ended.map_or_else(|exit| exit, |()| Exit::Fine)
}

pub fn function(args: &FunctionArgs) -> Exit {
    let ended = match &args.command {
        FunctionCommand::Add { address, members, own_mailbox, place } => {
            let (address, members) = (address.clone(), members.clone());
            let request = SetFunction { address, members, quota_octets: *own_mailbox };
            ask(place, "address", request).map(|listed| say(place.format, &listed))
        }
        FunctionCommand::Member { address, add, remove, place } => {
            let request = ChangeMembers { address: address.clone(), add: add.clone(), remove: remove.clone() };
            ask(place, "address", request).map(|listed| say(place.format, &listed))
        }
        FunctionCommand::Remove { address, place } => remove(address, place, true),
        FunctionCommand::List { place } => list(place, true),
    };
    ended.map_or_else(|exit| exit, |()| Exit::Fine)
}

fn remove(address: &Address, place: &Place, is_function: bool) -> Result<(), Exit> {
    match ask(place, "address", RemoveAddress { address: address.clone(), is_function })? {
        true => Ok(()),
        false => Err(failed(place.format, &format!("there is no {address}"), Exit::Trouble)),
    }
}

fn list(place: &Place, functions: bool) -> Result<(), Exit> {
    let (mut after, mut told) = (String::new(), 0);
    loop {
        let page = ask(place, "addresses", ListAddresses { after: after.clone() })?;
        let Some(last) = page.last() else { break };
        after = last.address.to_lowercase();
        for listed in page.iter().filter(|listed| listed.kind.starts_with("function") == functions) {
            say(place.format, listed);
            told += 1;
        }
    }
    if place.format == Format::Human {
        say!("{}", counted(told, "address", "addresses"));
    }
    Ok(())
}

fn say(format: Format, listed: &ListedAddress) {
    if format == Format::Json {
        return say_json("address", listed);
    }
    let by = match &listed.follows[..] {
        [] => String::new(),
        follows => format!("  (by way of {})", follows.join(" ")),
    };
    say!("{:<40} {:<24} {}{by}", listed.address, listed.kind, listed.members.join(" "));
}
