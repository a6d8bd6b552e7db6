//! `facteur key`: keys that sign plans, and which of them a server takes plans from.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use server::keys::{KeyChange, KeyRequest, moment, read_request, request_octets};
use server::operate::{AcknowledgeKeyAlarm, ApplyKeyRequest, BreakGlass, EnrollFirstKey, ListPlanKeys, PlanKeysNow};

use super::{Place, ask, counted, failed, say_json};
use crate::Exit;
use crate::cli::Format;
use crate::{files, key_files};

#[derive(Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a key: NAME.key, to be kept by one person, and NAME.pub, for everybody
    New(NewArgs),
    /// Say whose plans are taken, and whether something about the keys has to be looked at
    List(PlaceArgs),
    /// Enrol the first key. From then on plans need a signature
    Enroll(EnrollArgs),
    /// Write the request for a change of the keys, to be signed by those who are enrolled
    Propose(ProposeArgs),
    /// Sign a request
    Sign(SignArgs),
    /// Have a signed request done
    Apply(ApplyArgs),
    /// Put other keys in the place of all, without a signature: as root on the machine, with an alarm
    BreakGlass(BreakGlassArgs),
    /// Say that an alarm about the keys was seen; ends with 4 when there is none
    Acknowledge(PlaceArgs),
}

#[derive(Args)]
struct PlaceArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct NewArgs {
    name: String,
    /// Where both files are written
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

#[derive(Args)]
struct EnrollArgs {
    #[command(flatten)]
    place: Place,
    /// NAME.pub
    public: PathBuf,
}

#[derive(Args)]
struct ProposeArgs {
    #[command(flatten)]
    place: Place,
    /// Enrol this key, NAME.pub
    #[arg(long, value_name = "PUBLIC")]
    enroll: Option<PathBuf>,
    /// Remove the key of this name or id
    #[arg(long, value_name = "KEY")]
    remove: Option<String>,
    /// Have so many keys sign
    #[arg(long, value_name = "N")]
    needed: Option<u8>,
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[arg(long, value_name = "NAME")]
    author: String,
    /// Where the request is written
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
struct SignArgs {
    request: PathBuf,
    /// Your private key
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
}

#[derive(Args)]
struct ApplyArgs {
    #[command(flatten)]
    place: Place,
    request: PathBuf,
}

#[derive(Args)]
struct BreakGlassArgs {
    #[command(flatten)]
    place: Place,
    /// You sit at the machine, and know that everybody will hear of it
    #[arg(long, required = true)]
    from_console: bool,
    /// NAME.pub of each key
    #[arg(required = true)]
    public: Vec<PathBuf>,
    /// So many keys sign
    #[arg(long, value_name = "N", default_value_t = 1)]
    needed: u8,
    #[arg(long, value_name = "TEXT")]
    because: String,
}

pub fn run(args: &KeyArgs) -> Exit {
    let ended = match &args.command {
        KeyCommand::New(args) => new(args),
        KeyCommand::List(args) => ask(&args.place, "key", ListPlanKeys {}).map(|now| said(args.place.format, &now)),
        KeyCommand::Enroll(args) => enroll(args),
        KeyCommand::Propose(args) => propose(args),
        KeyCommand::Sign(args) => sign(args),
        KeyCommand::Apply(args) => apply(args),
        KeyCommand::BreakGlass(args) => break_glass(args),
        KeyCommand::Acknowledge(args) => acknowledge(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

fn trouble(why: String) -> Exit {
    failed(Format::Human, &why, Exit::Trouble)
}

fn new(args: &NewArgs) -> Result<Exit, Exit> {
    let (key, private) = key_files::make(&args.name, &args.out).map_err(trouble)?;
    say!("{key}");
    eprintln!("{}: keep this file to yourself; the key's id is {}", private.display(), key.id());
    Ok(Exit::Fine)
}

fn line(path: &Path) -> Result<String, Exit> {
    key_files::public(path).map(|key| key.to_string()).map_err(trouble)
}

fn enroll(args: &EnrollArgs) -> Result<Exit, Exit> {
    let now = ask(&args.place, "key", EnrollFirstKey { key: line(&args.public)? })?;
    eprintln!("facteur: from now on this server takes plans only with a signature of this key");
    Ok(said(args.place.format, &now))
}

fn propose(args: &ProposeArgs) -> Result<Exit, Exit> {
    let now = ask(&args.place, "key", ListPlanKeys {})?;
    let change = match (&args.enroll, &args.remove, args.needed) {
        (Some(public), None, None) => {
            let key = key_files::public(public).map_err(trouble)?;
            KeyChange::Enroll { name: key.name.clone(), public: key.base64() }
        }
        (None, Some(word), None) => {
            // Names are one key's; what is neither is left to the server to refuse.
            let named = now.keys.iter().find(|key| key.id == *word || key.name.eq_ignore_ascii_case(word));
            KeyChange::Remove { id: named.map_or(word, |key| &key.id).clone() }
        }
        (None, None, Some(needed)) => KeyChange::Needed(needed),
        _ => return Err(trouble("a request is one change: --enroll, --remove or --needed".to_owned())),
    };
    let at = moment(crate::commands::unix_s());
    let (author, reason) = (args.author.clone(), args.reason.clone());
    let request = KeyRequest { state: now.state, change, author, at, reason, signatures: Vec::new() };
    let text = plan::emit(&request);
    read_request(&text).map_err(|error| trouble(format!("the request: {error}")))?;
    key_files::fresh(&args.out, &text, 0o644).map_err(trouble)?;
    eprintln!(
        "{}: {}; {} of the enrolled keys sign it (`facteur key sign`), then `facteur key apply`",
        args.out.display(),
        request.change,
        now.needed
    );
    Ok(Exit::Fine)
}

fn sign(args: &SignArgs) -> Result<Exit, Exit> {
    let named = |error: &dyn std::fmt::Display| trouble(format!("{}: {error}", args.request.display()));
    let mut request = read_request(&key_files::text(&args.request).map_err(trouble)?).map_err(|error| named(&error))?;
    let key = key_files::private(&args.key).map_err(trouble)?;
    let one = key.sign(&request_octets(&request));
    request.signatures.retain(|other| other.key != one.key);
    request.signatures.push(one);
    let text = plan::emit(&request);
    read_request(&text).map_err(|error| named(&error))?;
    files::write_whole(&args.request, &text).map_err(|error| named(&error))?;
    let KeyRequest { change, author, reason, signatures, .. } = &request;
    eprintln!("{} signed: {change}, asked by {author}: {reason}", key.public().name);
    eprintln!("{}: {}", args.request.display(), counted(signatures.len() as u64, "signature", "signatures"));
    Ok(Exit::Fine)
}

fn apply(args: &ApplyArgs) -> Result<Exit, Exit> {
    let request = key_files::text(&args.request).map_err(trouble)?;
    let now = ask(&args.place, "key", ApplyKeyRequest { request })?;
    Ok(said(args.place.format, &now))
}

fn break_glass(args: &BreakGlassArgs) -> Result<Exit, Exit> {
    let keys = args.public.iter().map(|path| line(path)).collect::<Result<Vec<String>, Exit>>()?;
    let request = BreakGlass { keys, needed: args.needed, because: args.because.clone() };
    let now = ask(&args.place, "key", request)?;
    Ok(said(args.place.format, &now))
}

fn acknowledge(args: &PlaceArgs) -> Result<Exit, Exit> {
    if ask(&args.place, "key", AcknowledgeKeyAlarm {})? {
        return Ok(Exit::Fine);
    }
    Err(failed(args.place.format, "there is no alarm about the plan keys", Exit::DifferencesFound))
}

fn said(format: Format, now: &PlanKeysNow) -> Exit {
    if format == Format::Json {
        say_json("plan_keys", now);
        return Exit::Fine;
    }
    now.keys.iter().for_each(|key| say!("{}  {:<20} {}", key.id, key.name, key.public));
    match now.keys.len() as u64 {
        0 => say!("no key is enrolled: plans are taken without a signature"),
        keys => say!("{} of {} have to sign", now.needed, counted(keys, "key", "keys")),
    }
    if let Some(alarm) = &now.alarm {
        let at = jiff::Timestamp::from_second(alarm.at_s).unwrap_or_default();
        say!("ALARM of {at}, by {}: {}; `facteur key acknowledge`", alarm.who, alarm.what);
    }
    Exit::Fine
}
