//! `facteur grant` and `facteur grants`: who may do what with mailboxes of others.

use clap::Args;
use server::operate::{GrantRights, GrantsOf, ListedGrant};

use super::{Place, ask, counted, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct GrantArgs {
    #[command(flatten)]
    place: Place,
    /// A login, `anyone`, `$group` (`$contact@example.org` or a unit); a `-` in front takes rights away
    #[arg(allow_hyphen_values = true)]
    login: String,
    /// As others see it: `Other Users/dupont-m/Sent`, `Shared Folders/contact`
    mailbox: String,
    /// Letters: l look up, r read, s seen, w flags, i insert, p post, k create, x delete mailbox, t delete, e expunge, a administer
    #[arg(required_unless_present = "remove")]
    rights: Option<String>,
    /// The last day
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "remove")]
    until: Option<String>,
    /// Take back what was granted
    #[arg(long, conflicts_with = "rights")]
    remove: bool,
}

#[derive(Args)]
pub struct GrantsArgs {
    #[command(flatten)]
    place: Place,
    login: String,
}

pub fn grant(args: &GrantArgs) -> Exit {
    let request = GrantRights {
        to: args.login.clone(),
        mailbox: args.mailbox.clone(),
        rights: args.rights.clone().unwrap_or_default(),
        until: args.until.clone(),
    };
    match ask(&args.place, "rights", request) {
        Ok(listed) => {
            say(args.place.format, &listed);
            Exit::Fine
        }
        Err(exit) => exit,
    }
}

pub fn grants(args: &GrantsArgs) -> Exit {
    let listed = match ask(&args.place, "rights", GrantsOf { login: args.login.clone() }) {
        Ok(listed) => listed,
        Err(exit) => return exit,
    };
    listed.iter().for_each(|grant| say(args.place.format, grant));
    if args.place.format == Format::Human {
        let ended = listed.iter().filter(|grant| !grant.holds).count();
        say!("{}, {ended} of them ended", counted(listed.len() as u64, "grant", "grants"));
    }
    Exit::Fine
}

fn say(format: Format, listed: &ListedGrant) {
    if format == Format::Json {
        return say_json("grant", listed);
    }
    let ListedGrant { mailbox, to, rights, until, holds } = listed;
    let end = match (until, holds) {
        (None, _) => String::new(),
        (Some(day), true) => format!("  until {day}"),
        (Some(day), false) => format!("  ended {day}"),
    };
    let rights = if rights.is_empty() { "nothing" } else { rights };
    say!("{to:<20} {rights:<12} {mailbox}{end}");
}
