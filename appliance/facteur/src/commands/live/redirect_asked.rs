//! `facteur redirect request`, `approve`, `refuse`, `asked`.

use clap::Args;
use server::operate::{
    ApproveRedirect, Asked, AskedOf, AskedRedirect, AskedState, ListAsked, RefuseRedirect, RequestRedirect,
};

use super::{Place, ask, say_json};
use crate::Exit;
use crate::cli::Format;

#[derive(Args)]
pub struct RequestArgs {
    #[command(flatten)]
    place: Place,
    #[arg(long)]
    login: String,
    /// Where to
    #[arg(long, value_name = "ADDRESS")]
    to: mail::Address,
    /// Keep no copy in the mailbox
    #[arg(long)]
    no_copy: bool,
    #[arg(long, value_name = "TEXT", default_value = "")]
    because: String,
    /// The domain of the institution the person comes from
    #[arg(long, value_name = "DOMAIN")]
    home: Option<mail::Domain>,
    /// Its last day
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<String>,
}

#[derive(Args)]
pub struct ApproveArgs {
    #[command(flatten)]
    place: Place,
    #[arg(long)]
    login: String,
    /// What was asked for
    #[arg(long, value_name = "ADDRESS")]
    to: mail::Address,
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// Its last day
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<String>,
    /// The domain of the institution the person comes from
    #[arg(long, value_name = "DOMAIN")]
    home: Option<mail::Domain>,
    /// The correspondent or manager
    #[arg(long, value_name = "LOGIN")]
    by: String,
}

#[derive(Args)]
pub struct RefuseArgs {
    #[command(flatten)]
    place: Place,
    #[arg(long)]
    login: String,
    /// The person reads it
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// The correspondent or manager
    #[arg(long, value_name = "LOGIN")]
    by: String,
}

#[derive(Args)]
pub struct AskedArgs {
    #[command(flatten)]
    place: Place,
    #[arg(long)]
    login: Option<String>,
    #[arg(long, conflicts_with = "login")]
    unit: Option<String>,
    /// Only what waits for an approval
    #[arg(long)]
    waiting: bool,
}

/// Ends with 4 when the policy refuses it.
pub fn request(args: &RequestArgs) -> Result<Exit, Exit> {
    let (login, to, home) = (args.login.clone(), args.to.clone(), args.home.clone());
    let (because, until) = (args.because.clone(), args.until.clone());
    let request = RequestRedirect { login, to, keeps_copy: !args.no_copy, because, home, until };
    let asked = ask(&args.place, "redirect", request)?;
    say(args.place.format, &args.login, &asked);
    Ok(if matches!(asked.state, AskedState::Refused { .. }) { Exit::DifferencesFound } else { Exit::Fine })
}

pub fn approve(args: &ApproveArgs) -> Result<Exit, Exit> {
    let (login, to, because) = (args.login.clone(), args.to.clone(), args.because.clone());
    let (until, home, by) = (args.until.clone(), args.home.clone(), Some(args.by.clone()));
    let asked = ask(&args.place, "redirect", ApproveRedirect { login, to, because, until, home, by })?;
    say(args.place.format, &args.login, &asked);
    Ok(Exit::Fine)
}

pub fn refuse(args: &RefuseArgs) -> Result<Exit, Exit> {
    let (login, because, by) = (args.login.clone(), args.because.clone(), Some(args.by.clone()));
    let asked = ask(&args.place, "redirect", RefuseRedirect { login, because, by })?;
    say(args.place.format, &args.login, &asked);
    Ok(Exit::Fine)
}

pub fn list(args: &AskedArgs) -> Result<Exit, Exit> {
    let of = match (&args.login, &args.unit) {
        (Some(login), _) => AskedOf::Login(login.clone()),
        (None, Some(unit)) => AskedOf::Unit(unit.clone()),
        (None, None) => AskedOf::All,
    };
    for AskedRedirect { login, asked, .. } in ask(&args.place, "redirect", ListAsked { of, waiting: args.waiting })? {
        say(args.place.format, &login, &asked);
    }
    Ok(Exit::Fine)
}

fn say(format: Format, login: &str, asked: &Asked) {
    if format == Format::Json {
        return say_json("asked", &serde_json::json!({ "login": login, "asked": asked }));
    }
    say!("{login:<20} → {}  {}", asked.to, asked.because);
    match &asked.state {
        AskedState::Allowed { rule } => say!("{:<20}   allowed by {rule}", ""),
        AskedState::Waits { rule } => say!("{:<20}   waits for an approval, by {rule}", ""),
        AskedState::Approved { by, rule, .. } => say!("{:<20}   approved by {by}, by {rule}", ""),
        AskedState::Refused { why, rule, by } if by.is_empty() => say!("{:<20}   REFUSED by {rule}: {why}", ""),
        AskedState::Refused { why, by, .. } => say!("{:<20}   REFUSED by {by}: {why}", ""),
        AskedState::Ended { by, .. } => say!("{:<20}   ended by {by}", ""),
    }
}
