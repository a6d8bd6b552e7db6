//! `facteur person add|change|remove|list|show`.

use clap::Args;
use policy::model::literal::Size;
use server::operate::{
    AddPerson, ChangePerson, ImportedPerson, ListPeople, ListedPerson, RemovePerson, ShowPerson, ShownPerson,
    WantedPerson,
};

use super::super::{Place, ask, counted, number, say_json, size};
use crate::Exit;
use crate::cli::Format;

/// What may be said of a person besides the name.
#[derive(Args)]
struct Facts {
    #[arg(long)]
    address: Option<String>,
    #[arg(long)]
    profile: Option<String>,
    #[arg(long)]
    unit: Option<String>,
    #[arg(long)]
    home: Option<String>,
    /// As `500 MB`
    #[arg(long, value_parser = quota)]
    quota: Option<u64>,
    /// The first day
    #[arg(long, value_name = "YYYY-MM-DD")]
    registered: Option<String>,
    /// The last day; empty for no end
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<String>,
    /// A local part, or a whole address, that once was theirs; may be given again
    #[arg(long, value_name = "ADDRESS")]
    former: Vec<String>,
}

#[derive(Args)]
pub struct AddArgs {
    /// First names; empty for nobody's
    first: String,
    last: String,
    #[command(flatten)]
    place: Place,
    /// The id in a directory of the institution
    #[arg(long, default_value = "")]
    id: String,
    #[arg(long)]
    login: Option<String>,
    #[command(flatten)]
    facts: Facts,
}

#[derive(Args)]
pub struct ChangeArgs {
    login: String,
    #[command(flatten)]
    place: Place,
    #[arg(long)]
    first: Option<String>,
    #[arg(long)]
    last: Option<String>,
    #[command(flatten)]
    facts: Facts,
}

#[derive(Args)]
pub struct RemoveArgs {
    login: String,
    #[command(flatten)]
    place: Place,
    /// The last day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<String>,
}

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    place: Place,
    /// Who has a name, login or address that begins like each of these words
    like: Option<String>,
    #[arg(long)]
    unit: Option<String>,
    /// Only so many
    #[arg(long, default_value_t = 1_000)]
    limit: u32,
}

#[derive(Args)]
pub struct ShowArgs {
    login: String,
    #[command(flatten)]
    place: Place,
}

fn quota(text: &str) -> Result<u64, String> {
    Size::of(text).map(|size| size.0).ok_or_else(|| "a size is written \"500 MB\"".to_owned())
}

pub fn add(args: &AddArgs) -> Result<Exit, Exit> {
    let Facts { address, profile, unit, home, quota, registered, until, former } = &args.facts;
    let person = WantedPerson {
        line: 1,
        id: args.id.clone(),
        login: args.login.clone(),
        first: args.first.clone(),
        last: args.last.clone(),
        address: address.clone(),
        profile: profile.clone(),
        unit: unit.clone(),
        home: home.clone(),
        quota_octets: *quota,
        registered: registered.clone().unwrap_or_default(),
        until: until.clone(),
        former: former.clone(),
        ..WantedPerson::default()
    };
    let added = ask(&args.place, "person", AddPerson { person })?;
    say(args.place.format, &added);
    if args.place.format == Format::Human {
        say!("there is no password yet: `facteur person password {}`", added.login);
    }
    Ok(Exit::Fine)
}

pub fn change(args: &ChangeArgs) -> Result<Exit, Exit> {
    let Facts { address, profile, unit, home, quota, registered, until, former } = &args.facts;
    let request = ChangePerson {
        login: args.login.clone(),
        first: args.first.clone(),
        last: args.last.clone(),
        address: address.clone(),
        profile: profile.clone(),
        unit: unit.clone(),
        home: home.clone(),
        quota_octets: *quota,
        registered: registered.clone(),
        until: until.clone(),
        former: former.clone(),
    };
    say(args.place.format, &ask(&args.place, "person", request)?);
    Ok(Exit::Fine)
}

pub fn remove(args: &RemoveArgs) -> Result<Exit, Exit> {
    let request = RemovePerson { login: args.login.clone(), on: args.on.clone() };
    say(args.place.format, &ask(&args.place, "person", request)?);
    Ok(Exit::Fine)
}

fn say(format: Format, person: &ImportedPerson) {
    if format == Format::Json {
        return say_json("person", person);
    }
    let ImportedPerson { login, address, changes, instead_of, profile, quota_octets, .. } = person;
    say!("{login:<20} {address:<48} {profile:<12} {}", size(*quota_octets));
    for (wanted, given) in instead_of {
        say!("  {wanted} is taken: {given}");
    }
    if !changes.is_empty() {
        say!("  changed: {}", changes.join(", "));
    }
}

pub fn list(args: &ListArgs) -> Result<Exit, Exit> {
    let mut left = args.limit;
    let mut request =
        ListPeople { after: None, unit: args.unit.clone(), like: args.like.clone(), limit: left.min(1_000) };
    let mut told = 0;
    while left > 0 {
        let page = ask(&args.place, "people", request.clone())?;
        for person in page.iter().take(left as usize) {
            listed(args.place.format, person);
        }
        told += page.len().min(left as usize) as u64;
        left = left.saturating_sub(page.len() as u32);
        // A search is one answer.
        let Some(last) = page.last().filter(|_| args.like.is_none()) else { break };
        request.after.clone_from(&last.person.login);
    }
    if args.place.format == Format::Human {
        say!("{}", counted(told, "person", "people"));
    }
    Ok(Exit::Fine)
}

fn listed(format: Format, listed: &ListedPerson) {
    if format == Format::Json {
        return say_json("person", listed);
    }
    let WantedPerson { login, first, last, address, unit, .. } = &listed.person;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    say!("{:<20} {:<48} {:<12} {first} {last}", text(login), text(address), text(unit));
}

pub fn show(args: &ShowArgs) -> Result<Exit, Exit> {
    let shown = ask(&args.place, "person", ShowPerson { login: args.login.clone() })?;
    if args.place.format == Format::Json {
        say_json("person", &shown);
        return Ok(Exit::Fine);
    }
    let ShownPerson { listed: ListedPerson { person, source }, aliases, functions, used_octets, messages, .. } = &shown;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let line = |what: &str, value: String| {
        if !value.is_empty() {
            say!("{what:<12} {value}");
        }
    };
    line("login", text(&person.login));
    line("name", format!("{} {}", person.first, person.last).trim().to_owned());
    line("address", text(&person.address));
    person.former.iter().for_each(|former| line("former", former.clone()));
    let others = |(address, others): &(String, u64)| match others {
        0 => address.clone(),
        others => format!("{address}, with {}", counted(*others, "other", "others")),
    };
    aliases.iter().for_each(|alias| line("alias", others(alias)));
    functions.iter().for_each(|function| line("function", others(function)));
    line("unit", text(&person.unit));
    line("profile", text(&person.profile));
    line("home", text(&person.home));
    let quota = size(person.quota_octets.unwrap_or_default());
    line("quota", format!("{} of {quota} in {} messages", size(*used_octets), number(*messages)));
    line("first day", person.registered.clone());
    line("last day", text(&person.until));
    line("from", source.clone());
    line("id", person.id.clone());
    line("password", if shown.has_password { "yes" } else { "none yet" }.to_owned());
    Ok(Exit::Fine)
}
