//! `facteur operator`: who operates a server from other machines, and what they show there.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use server::operate::{EnrollOperator, ListOperators, RemoveOperator, ShowControl};
use server::remote::client::{CERTIFICATE_FILE, KEY_FILE, PIN_FILE};
use server::remote::identity::{IdentityPem, fingerprint, read_fingerprint};
use server::remote::{Operator, OperatorRole};

use super::{Place, ask, counted, failed, say_json};
use crate::Exit;
use crate::cli::Format;
use crate::key_files::fresh;

#[derive(Args)]
pub struct OperatorArgs {
    #[command(subcommand)]
    command: OperatorCommand,
}

#[derive(Subcommand)]
enum OperatorCommand {
    /// Make what you show to an appliance (`--identity` of other commands), and say its fingerprint
    Identity(IdentityArgs),
    /// Write down which appliance an identity speaks to
    Trust(TrustArgs),
    /// Say by which fingerprint this appliance is known on the control channel
    Pin(PlaceArgs),
    /// Let somebody operate this appliance from other machines
    Enroll(EnrollArgs),
    /// Say who may
    List(PlaceArgs),
    /// Let somebody in no more, from the next request on; ends with 4 when there is no such operator
    Remove(RemoveArgs),
}

#[derive(Args)]
struct PlaceArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct IdentityArgs {
    name: String,
    /// A folder that is not there yet
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
    /// The appliance's fingerprint, as `facteur operator pin` or its console says it
    #[arg(long, value_name = "FINGERPRINT", value_parser = pin)]
    pin: Option<String>,
}

#[derive(Args)]
struct TrustArgs {
    /// As `facteur operator pin` or the appliance's console says it
    #[arg(value_parser = pin)]
    fingerprint: String,
    /// The folder of the identity
    #[arg(long, value_name = "FOLDER")]
    of: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Role {
    Administrator,
    Manager,
}

#[derive(Args)]
struct EnrollArgs {
    #[command(flatten)]
    place: Place,
    name: String,
    /// What they may do, as the policy's roles do
    #[arg(long, value_enum)]
    role: Role,
    /// As `facteur operator identity` said it
    #[arg(value_parser = pin)]
    fingerprint: String,
}

#[derive(Args)]
struct RemoveArgs {
    #[command(flatten)]
    place: Place,
    name: String,
}

fn pin(text: &str) -> Result<String, String> {
    read_fingerprint(text).ok_or_else(|| "a fingerprint is 64 hexadecimal digits".to_owned())
}

pub fn run(args: &OperatorArgs) -> Exit {
    let ended = match &args.command {
        OperatorCommand::Identity(args) => identity(args).map_err(trouble),
        OperatorCommand::Trust(args) => trust(args).map_err(trouble),
        OperatorCommand::Pin(args) => show(&args.place),
        OperatorCommand::Enroll(args) => enroll(args),
        OperatorCommand::List(args) => list(&args.place),
        OperatorCommand::Remove(args) => remove(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn trouble(why: String) -> Exit {
    failed(Format::Human, &why, Exit::Trouble)
}

fn identity(args: &IdentityArgs) -> Result<Exit, String> {
    let made = IdentityPem::new(&args.name).map_err(|error| error.to_string())?;
    let shown = made.read().and_then(|identity| fingerprint(&identity.certificate));
    let shown = shown.ok_or("the key that was made cannot be read")?;
    let folder = std::fs::DirBuilder::new().mode(0o700).create(&args.into);
    folder.map_err(|error| format!("{}: {error}", args.into.display()))?;
    fresh(&args.into.join(KEY_FILE), &made.key, 0o600)?;
    fresh(&args.into.join(CERTIFICATE_FILE), &made.certificate, 0o644)?;
    if let Some(pin) = &args.pin {
        write_pin(&args.into, pin)?;
    }
    say!("{shown}");
    eprintln!("on the appliance: facteur operator enroll {} --role ROLE {shown}", args.name);
    Ok(Exit::Fine)
}

fn write_pin(folder: &Path, pin: &str) -> Result<(), String> {
    fresh(&folder.join(PIN_FILE), &format!("{pin}\n"), 0o644)
}

/// Nothing is written over: whoever is told another fingerprint looks twice.
fn trust(args: &TrustArgs) -> Result<Exit, String> {
    write_pin(&args.of, &args.fingerprint).map(|()| Exit::Fine)
}

fn show(place: &Place) -> Result<Exit, Exit> {
    let shown = ask(place, "operator", ShowControl {})?;
    match place.format {
        Format::Json => say_json("control", &shown),
        Format::Human => {
            say!("{}", shown.fingerprint);
            let listens = shown.listens.map(|address| format!("the control channel listens on {address}"));
            eprintln!(
                "{}",
                listens.unwrap_or_else(|| "the control channel does not listen: `control` in site.ron".into())
            );
        }
    }
    Ok(Exit::Fine)
}

fn enroll(args: &EnrollArgs) -> Result<Exit, Exit> {
    let role = match args.role {
        Role::Administrator => OperatorRole::Administrator,
        Role::Manager => OperatorRole::Manager,
    };
    let request = EnrollOperator { name: args.name.clone(), role, fingerprint: args.fingerprint.clone() };
    let operator = ask(&args.place, "operator", request)?;
    say(args.place.format, &operator);
    Ok(Exit::Fine)
}

fn list(place: &Place) -> Result<Exit, Exit> {
    let all = ask(place, "operator", ListOperators {})?;
    all.iter().for_each(|operator| say(place.format, operator));
    if place.format == Format::Human {
        say!("{}", counted(all.len() as u64, "operator", "operators"));
    }
    Ok(Exit::Fine)
}

fn remove(args: &RemoveArgs) -> Result<Exit, Exit> {
    if ask(&args.place, "operator", RemoveOperator { name: args.name.clone() })? {
        return Ok(Exit::Fine);
    }
    let why = format!("there is no operator {}", args.name);
    Err(failed(args.place.format, &why, Exit::DifferencesFound))
}

fn say(format: Format, operator: &Operator) {
    if format == Format::Json {
        return say_json("operator", operator);
    }
    let since = jiff::Timestamp::from_second(operator.since_s).unwrap_or_default();
    say!("{:<20} {:<13} {}", operator.name, operator.role, operator.fingerprint);
    say!("{:<20} since {since}, by {}", "", operator.by);
}
