//! `facteur update`: signed update bundles, and the two slots of an appliance they are written to (`image::bundle`,
//! `image::slots`).

mod machine;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use image::bundle::{self, Header, Reader, SigningKey, StoreFormats, Trusted};
use image::slots::{self, Running, SlotNow, Standing};
use plan::signed::PublicKey;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use server::operate::ListPlanKeys;

use super::live;
use crate::Exit;
use crate::cli::Format;
pub use machine::MachineArgs;

type Anything = Box<dyn std::error::Error + Send + Sync>;

/// Octets an update that comes through a pipe leaves free on the disk it is kept on: mail arrives there.
const KEPT_FREE: u64 = 512 << 20;

#[derive(Args)]
pub struct UpdateArgs {
    #[command(subcommand)]
    command: UpdateCommand,
    #[arg(long, value_enum, default_value = "human", global = true)]
    format: Format,
}

#[derive(Subcommand)]
enum UpdateCommand {
    /// Make a signed bundle of a built image
    Pack(PackArgs),
    /// Say what is in a bundle and who signed it; reads it to its end
    Inspect(InspectArgs),
    /// Write a bundle into the slot that does not run; the next start tries it
    Apply(ApplyArgs),
    /// Say what lies in both slots and what is started next
    Status(MachineArgs),
    /// Say that the running version is good: it has all its tries again
    Confirm(MachineArgs),
    /// Give the running version up: the next start takes the other slot
    Rollback(MachineArgs),
}

#[derive(Args)]
struct PackArgs {
    /// The folder `facteur image build` wrote, with facteur.raw and kernel.efi; or the raw disk
    image: PathBuf,
    /// The kernel image of the slot [default: kernel.efi beside the disk]
    #[arg(long, value_name = "FILE")]
    kernel: Option<PathBuf>,
    /// A private key, as `facteur key new` writes it; each signs
    #[arg(long, required = true, value_name = "KEY")]
    sign: Vec<PathBuf>,
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Args)]
struct TrustArgs {
    /// A public key that is trusted, NAME.pub
    #[arg(long, value_name = "PUB")]
    key: Vec<PathBuf>,
    /// So many of them have to have signed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    needed: u8,
}

/// Whose keys are taken when none is named.
#[derive(Args)]
struct EnrolledArgs {
    /// The data folder, whose enrolled keys are trusted when no --key is given
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/facteur")]
    data: PathBuf,
}

#[derive(Args)]
struct InspectArgs {
    /// A bundle; - is standard input
    bundle: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

#[derive(Args)]
struct ApplyArgs {
    /// A bundle; - is standard input
    bundle: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    enrolled: EnrolledArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

pub fn run(args: &UpdateArgs) -> Exit {
    let done = match &args.command {
        UpdateCommand::Pack(pack) => packed(pack, args.format),
        UpdateCommand::Inspect(inspect) => inspected(inspect, args.format),
        UpdateCommand::Apply(apply) => applied(apply, args.format),
        UpdateCommand::Status(machine) => status(machine, args.format),
        UpdateCommand::Confirm(machine) => confirmed(machine, args.format),
        UpdateCommand::Rollback(machine) => rolled_back(machine, args.format),
    };
    match done {
        Ok(()) => Exit::Fine,
        Err(error) => {
            match args.format {
                Format::Human => eprintln!("facteur: {error}"),
                Format::Json => say_json("error", json!({ "message": error.to_string() })),
            }
            Exit::Trouble
        }
    }
}

/// What this program does with formats of the store.
fn store_formats() -> StoreFormats {
    let store::Formats { writes, served_by, leads_from } = store::FORMATS;
    StoreFormats { writes, served_by, leads_from }
}

fn packed(args: &PackArgs, format: Format) -> Result<(), Anything> {
    let disk = if args.image.is_dir() { args.image.join("facteur.raw") } else { args.image.clone() };
    let beside = disk.with_file_name("kernel.efi");
    let kernel = args.kernel.as_ref().unwrap_or(&beside);
    let keys = args.sign.iter().map(|path| signing_key(path)).collect::<Result<Vec<_>, _>>()?;
    let content = bundle::content_of_disk(&disk, bounded(kernel, bundle::KERNEL_OCTETS_MAX)?)?;
    let unfinished = PathBuf::from(format!("{}.part", args.output.display()));
    let file = File::create(&unfinished).map_err(|error| named(&unfinished, error))?;
    let mut to = BufWriter::new(file);
    let header = bundle::pack(&content, (plan::FORMAT, plan::FORMAT), store_formats(), &keys, &mut to)?;
    to.into_inner().map_err(|error| error.into_error())?.sync_all()?;
    std::fs::rename(&unfinished, &args.output).map_err(|error| named(&args.output, error))?;
    say_header(&header, format);
    Ok(())
}

fn inspected(args: &InspectArgs, format: Format) -> Result<(), Anything> {
    let mut reader = opened(&args.bundle)?;
    say_header(reader.header(), format);
    let ids: Vec<String> = reader.signed_by().map(str::to_owned).collect();
    let trusted = trusted(&args.trust)?;
    let names = if trusted.keys.is_empty() { None } else { Some(reader.judge(&trusted)?) };
    bundle::read_through(&mut reader)?;
    match format {
        Format::Human => {
            say!("signed by   {}", if ids.is_empty() { "nobody".to_owned() } else { ids.join(", ") });
            match &names {
                Some(names) => say!("trusted     {}", names.join(", ")),
                None => say!("trusted     unknown: no --key was given"),
            }
            say!("whole       every part is what the header says");
        }
        Format::Json => say_json("signatures", json!({ "keys": ids, "trusted": names, "whole": true })),
    }
    Ok(())
}

fn applied(args: &ApplyArgs, format: Format) -> Result<(), Anything> {
    let mut trusted = trusted(&args.trust)?;
    if trusted.keys.is_empty() {
        trusted = enrolled(&args.enrolled.data)?;
    }
    let mut reader = twice(&args.bundle, &trusted, &args.enrolled.data)?;
    let (mut machine, root_hash) = args.machine.open()?;
    let running = Running { root_hash: &root_hash, plan_format: Some(plan::FORMAT), store: store_formats() };
    let mut told = 0;
    let mut tell = |done: u64, all: u64| {
        let percent = done.saturating_mul(100) / all.max(1);
        if percent >= told + 10 && format == Format::Human {
            told = percent;
            eprintln!("{percent} %");
        }
    };
    let applied = slots::apply(&mut machine, &mut reader, &trusted, &running, &mut tell)?;
    let (slot, signed_by) = (format!("{:?}", applied.slot), applied.signed_by.join(", "));
    let version = &reader.header().version;
    match format {
        Format::Human => say!(
            "{version}, signed by {signed_by}, is in slot {slot} and read back; the next start tries it {} times: reboot",
            image::Layout::TRIES
        ),
        Format::Json => say_json(
            "applied",
            json!({ "version": version, "slot": slot, "entry": applied.entry.to_string(), "signed_by": applied.signed_by }),
        ),
    }
    Ok(())
}

fn status(args: &MachineArgs, format: Format) -> Result<(), Anything> {
    let (machine, root_hash) = args.look()?;
    let standing = slots::look(&machine, &root_hash)?;
    match format {
        Format::Human => say_standing(&standing),
        Format::Json => say_json(
            "slots",
            json!({
                "running": slot_json(&standing.running),
                "other": slot_json(&standing.other),
                "next": standing.next.as_ref().map(ToString::to_string),
                "leftovers": standing.strays,
            }),
        ),
    }
    Ok(())
}

fn confirmed(args: &MachineArgs, format: Format) -> Result<(), Anything> {
    let entry = confirm(args)?;
    match format {
        Format::Human => say!("confirmed: {entry}"),
        Format::Json => say_json("confirmed", json!({ "entry": entry })),
    }
    Ok(())
}

/// Gives the running version all its tries again; the name of its kernel image now.
pub fn confirm(args: &MachineArgs) -> Result<String, Anything> {
    let (mut machine, root_hash) = args.open()?;
    Ok(slots::confirm(&mut machine, &root_hash)?.to_string())
}

/// Is there another version that could be started? Where nobody can say, there is.
pub fn can_fall_back(args: &MachineArgs) -> bool {
    let standing = args.look().and_then(|(machine, root_hash)| Ok(slots::look(&machine, &root_hash)?));
    standing.map_or(true, |it| it.other.can_start())
}

fn rolled_back(args: &MachineArgs, format: Format) -> Result<(), Anything> {
    let (mut machine, root_hash) = args.open()?;
    let entry = slots::roll_back(&mut machine, &root_hash)?;
    match format {
        Format::Human => say!("the next start takes {entry}: reboot"),
        Format::Json => say_json("rolled_back", json!({ "entry": entry.to_string() })),
    }
    Ok(())
}

fn say_standing(standing: &Standing) {
    for (what, slot) in [("runs", &standing.running), ("other", &standing.other)] {
        let version = slot.version.as_deref().unwrap_or("empty");
        let state = match slot.entry() {
            None => "nothing starts it".to_owned(),
            Some(entry) if entry.is_bad() => "given up after its tries".to_owned(),
            Some(_) if slot.is_confirmed() => "good".to_owned(),
            Some(entry) => format!("on trial, {} tries left", entry.counter.map_or(0, |counter| counter.left)),
        };
        say!("{what:<6} slot {:?}  {version:<12}  {state}  root {}", slot.slot, &slot.root_hash()[..16]);
    }
    match &standing.next {
        Some(next) => say!("next   {next}"),
        None => say!("next   nothing can be started"),
    }
    if !standing.strays.is_empty() {
        say!("left over from an update that was cut: {}", standing.strays.join(", "));
    }
}

fn slot_json(slot: &SlotNow) -> Value {
    json!({
        "slot": format!("{:?}", slot.slot),
        "version": slot.version,
        "root_hash": slot.root_hash(),
        "entry": slot.entry().map(ToString::to_string),
        "confirmed": slot.is_confirmed(),
    })
}

fn say_header(header: &Header, format: Format) {
    let StoreFormats { writes, served_by, leads_from } = header.store;
    match format {
        Format::Human => {
            say!("version     {}", header.version);
            if !header.variant.is_empty() {
                say!("overlay     {}", header.variant);
            }
            say!("root hash   {}", header.root_hash);
            say!("plans       format {} to {}", header.plan.0, header.plan.1);
            say!("store       writes format {writes}, served by {served_by} and later, leads from {leads_from}");
            for (name, part) in [("root", &header.root), ("hash tree", &header.verity), ("kernel", &header.kernel)] {
                say!("{name:<10}  {} octets", part.octets);
            }
        }
        Format::Json => say_json("bundle", serde_json::to_value(header).unwrap_or_default()),
    }
}

fn say_json(kind: &str, what: Value) {
    let mut line = json!({"schema": 1, "kind": kind});
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, what) {
        line.extend(fields);
    }
    say!("{line}");
}

fn opened(path: &Path) -> Result<Reader<Box<dyn Read>>, Anything> {
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).map_err(|error| named(path, error))?))
    };
    Reader::open(input).map_err(|error| named(path, error))
}

/// A bundle that can be read twice: checked to its end first, and written then. What comes through a pipe is kept meanwhile, once it
/// is known who signed it.
fn twice(path: &Path, trusted: &Trusted, data: &Path) -> Result<Reader<File>, Anything> {
    let bad = |error: bundle::BundleError| named(path, error);
    if path != Path::new("-") {
        let file = File::open(path).map_err(|error| named(path, error))?;
        return Reader::open(file).map_err(bad);
    }
    let reader = opened(path)?;
    reader.judge(trusted).map_err(bad)?;
    let folder = if data.is_dir() { data.to_owned() } else { std::env::temp_dir() };
    let room = rustix::fs::statvfs(&folder)?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    if free < reader.header().octets().saturating_add(KEPT_FREE) {
        return Err(named(&folder, "no room to keep what comes through a pipe: name a file instead"));
    }
    // A file without a name: nothing of it is left, however this ends.
    let kept = folder.join(format!("update.{}.part", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&kept);
    let file = file.map_err(|error| named(&kept, error))?;
    std::fs::remove_file(&kept).map_err(|error| named(&kept, error))?;
    reader.keep_in(file).map_err(bad)
}

fn trusted(args: &TrustArgs) -> Result<Trusted, Anything> {
    let one = |path: &PathBuf| -> Result<PublicKey, Anything> {
        let text = String::from_utf8(bounded(path, 4_096)?).map_err(|error| named(path, error))?;
        text.parse().map_err(|error| named(path, error))
    };
    let keys = args.key.iter().map(one).collect::<Result<_, _>>()?;
    Ok(Trusted { needed: usize::from(args.needed), keys })
}

/// The keys whose plans this appliance takes: their updates are taken, too.
fn enrolled(data: &Path) -> Result<Trusted, Anything> {
    let now = live::called(data, ListPlanKeys {})?;
    let keys = now.keys.iter().map(|key| PublicKey::of(&key.name, &key.public)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err("no key is enrolled here (`facteur key enroll`), and none was named with --key".into());
    }
    Ok(Trusted { needed: usize::from(now.needed), keys })
}

fn signing_key(path: &Path) -> Result<SigningKey, Anything> {
    let der = PrivatePkcs8KeyDer::from_pem_file(path).map_err(|error| named(path, error))?;
    SigningKey::of_pkcs8(der.secret_pkcs8_der()).ok_or_else(|| named(path, "this is no Ed25519 key"))
}

/// The octets of a file that is not larger than this.
fn bounded(path: &Path, octets_max: u64) -> Result<Vec<u8>, Anything> {
    let mut octets = Vec::new();
    let file = File::open(path).map_err(|error| named(path, error))?;
    file.take(octets_max + 1).read_to_end(&mut octets).map_err(|error| named(path, error))?;
    if octets.len() as u64 > octets_max {
        return Err(named(path, format!("larger than {octets_max} octets")));
    }
    Ok(octets)
}

fn named(path: &Path, error: impl std::fmt::Display) -> Anything {
    crate::serving::named(path, error)
}
