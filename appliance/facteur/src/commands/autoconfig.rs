//! `facteur autoconfig`: the file that mail programs look for at `autoconfig.DOMAIN` to set an account up by themselves.

use std::path::PathBuf;

use clap::Args;
use mail::Address;
use pages::NoAutoconfig;
use policy::people::Directory;

use super::ready;
use crate::Exit;

#[derive(Args)]
pub struct AutoconfigArgs {
    /// A policy file, or a folder with policy.ron and people.ron
    pub policy: PathBuf,
    /// The domain of the addresses; else the institution's
    #[arg(long, value_name = "DOMAIN", conflicts_with = "address")]
    pub domain: Option<String>,
    /// For the person with this address: the file names the login. Else programs ask for it, or try the address
    #[arg(long)]
    pub address: Option<Address>,
}

pub fn run(args: &AutoconfigArgs) -> Exit {
    match text(args) {
        Ok(text) => {
            say!("{}", text.trim_end());
            Exit::Fine
        }
        Err(exit) => exit,
    }
}

fn text(args: &AutoconfigArgs) -> Result<String, Exit> {
    let ready = ready(&args.policy, false)?;
    let trouble = |why: String| {
        eprintln!("facteur autoconfig: {why}");
        Exit::Trouble
    };
    let plan = &ready.sealed.plan;
    let domain = match (&args.address, &args.domain) {
        (Some(address), _) => address.domain().to_string(),
        (None, Some(domain)) => domain.to_lowercase(),
        (None, None) => plan.institution.domain.to_string(),
    };
    let login = match &args.address {
        Some(address) => {
            let found = ready.people.as_ref().and_then(|people| login_of(people, address));
            Some(found.ok_or_else(|| trouble(format!("nobody here has the address {address}")))?)
        }
        None => None,
    };
    pages::autoconfig(plan, &domain, login).map_err(|why| trouble(told(why, &domain)))
}

/// Why there is nothing for a domain.
pub(super) fn told(why: NoAutoconfig, domain: &str) -> String {
    match why {
        NoAutoconfig::NotOurs => format!("the policy has no domain {domain}"),
        NoAutoconfig::PassedOn => format!("mailboxes of {domain} are on another server: its file is there"),
        NoAutoconfig::NoTls => "no listener offers TLS for reading or for sending; nothing can be advised".into(),
    }
}

/// The login behind an official address or an alias of one person.
pub(super) fn login_of<'p>(people: &'p Directory, address: &Address) -> Option<&'p str> {
    let folded = address.folded();
    let official = people.people.iter().find(|person| person.address.folded() == folded);
    let aliased = || {
        let alias = people.aliases.iter().find(|alias| alias.address.folded() == folded)?;
        if let [member] = alias.members.as_slice() { Some(member.as_str()) } else { None }
    };
    official.map(|person| person.login.as_str()).or_else(aliased)
}
