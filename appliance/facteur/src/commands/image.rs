//! `facteur image`: the appliance as a disk.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use image::convert::{Form, convert};
use image::{Description, Fault, Lock, Order, SecureBoot, Sources, inspect};

use super::{compiled, exit_of, report::Report};
use crate::Exit;
use crate::cli::Format;
use crate::files::policy_files;

#[derive(Args)]
pub struct ImageArgs {
    #[command(subcommand)]
    command: ImageCommand,
}

#[derive(Subcommand)]
enum ImageCommand {
    /// Build the disk, its list of parts and what an update consists of; needs root and Debian's tools
    Build(BuildArgs),
    /// Write the disk in the forms hypervisors take
    Convert(ConvertArgs),
    /// Say what a raw disk holds: partitions, kernel images, plan, versions, parts
    Inspect(InspectArgs),
    /// Print the list of parts, CycloneDX 1.6, as the package lock has them
    Sbom(SbomArgs),
}

#[derive(Args)]
struct BuildArgs {
    /// What is in the image; the folder `tree` beside it is laid over the system
    #[arg(long, value_name = "FILE", default_value = "appliance/image/image.ron")]
    description: PathBuf,
    /// Debian's packages, with version and digest
    #[arg(long, value_name = "FILE", default_value = "appliance/image.lock")]
    lock: PathBuf,
    /// Take what Debian has now, and write the package lock
    #[arg(long)]
    update_lock: bool,
    /// The policy whose plan runs until another one is deployed: a file, or a folder with policy.ron
    #[arg(long, required_unless_present = "plan")]
    policy: Option<PathBuf>,
    /// Its plan, compiled already
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    plan: Option<PathBuf>,
    /// An overlay of the policy, and of the image: the test platform is `staging`
    #[arg(long, value_name = "NAME")]
    overlay: Option<String>,
    /// The program to run, for Debian's C library or linked statically; else this one
    #[arg(long, value_name = "FILE")]
    daemon: Option<PathBuf>,
    /// Sign the boot loader and the kernel image for UEFI Secure Boot (sbsigntool): a private RSA key and its certificate, PEM
    #[arg(long, num_args = 2, value_names = ["KEY", "CERT"])]
    secure_boot: Option<Vec<PathBuf>>,
    /// A mirror of Debian, and one of its security updates; else those apt uses here
    #[arg(long, num_args = 2, value_names = ["DEBIAN", "SECURITY"])]
    mirror: Option<Vec<String>>,
    /// Where unpacked packages are kept for the next build
    #[arg(long, value_name = "DIR", default_value = "target/image-cache")]
    cache: PathBuf,
    #[arg(long, short, value_name = "DIR", default_value = "target/image")]
    out: PathBuf,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum To {
    RawZst,
    Qcow2,
    /// With an OVF beside it
    Vmdk,
    Vhdx,
}

#[derive(Args)]
struct ConvertArgs {
    /// What `build` wrote, facteur.raw
    disk: PathBuf,
    /// Else all of them
    #[arg(long, value_enum, value_delimiter = ',')]
    to: Vec<To>,
}

#[derive(Args)]
struct InspectArgs {
    /// A raw disk
    disk: PathBuf,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Args)]
struct SbomArgs {
    #[arg(long, value_name = "FILE", default_value = "appliance/image/image.ron")]
    description: PathBuf,
    #[arg(long, value_name = "FILE", default_value = "appliance/image.lock")]
    lock: PathBuf,
}

pub fn run(args: &ImageArgs) -> Exit {
    let ended = match &args.command {
        ImageCommand::Build(args) => build(args),
        ImageCommand::Convert(args) => convert_all(args),
        ImageCommand::Inspect(args) => inspected(args),
        ImageCommand::Sbom(args) => sbom(args),
    };
    ended.unwrap_or_else(|exit| exit)
}

/// Says what went wrong.
fn failed(fault: impl std::fmt::Display) -> Exit {
    eprintln!("facteur: {fault}");
    Exit::Trouble
}

fn build(args: &BuildArgs) -> Result<Exit, Exit> {
    let description = Description::read(&args.description).map_err(failed)?;
    let plan = plan_text(args)?;
    let lock = if args.update_lock { None } else { Some(Lock::read(&args.lock).map_err(failed)?) };
    let daemon = match &args.daemon {
        Some(daemon) => daemon.clone(),
        None => std::env::current_exe().map_err(failed)?,
    };
    let mirrors = args.mirror.clone().and_then(|both| <[String; 2]>::try_from(both).ok());
    let cache = absolute(&args.cache)?;
    let out = absolute(&args.out)?;
    let order = Order {
        sources: Sources { cache: &cache, mirrors, lock: lock.as_ref() },
        daemon: &daemon,
        plan: &plan,
        overlay: args.overlay.as_deref(),
        secure_boot: match args.secure_boot.as_deref() {
            Some([key, certificate]) => Some(SecureBoot { key, certificate }),
            _ => None,
        },
        out: &out,
    };
    let built = image::build(&description, &order).map_err(failed)?;
    if args.update_lock {
        std::fs::write(&args.lock, built.lock.text()).map_err(|error| failed(Fault(error.to_string())))?;
    }
    let octets = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
    let (root, verity, kernel) = (&built.system.root.data, &built.system.root.verity, &built.system.kernel);
    match args.format {
        Format::Human => {
            say!("{}: version {}, plan {}", built.disk.display(), built.system.version, &built.plan_hash);
            say!("root hash {}", built.system.root.hash);
            let mib = |path: &Path| octets(path) as f64 / f64::from(1 << 20);
            say!("root {:.1} MiB, hashes {:.1} MiB, kernel image {:.1} MiB", mib(root), mib(verity), mib(kernel));
        }
        Format::Json => say!(
            "{}",
            serde_json::json!({"schema": 1, "kind": "image", "disk": built.disk, "version": built.system.version,
            "plan": built.plan_hash, "root_hash": built.system.root.hash, "root_octets": octets(root),
            "verity_octets": octets(verity), "kernel_octets": octets(kernel), "packages": built.lock.0.len()})
        ),
    }
    Ok(Exit::Fine)
}

/// Tools that change into another root need paths that say the same from everywhere.
fn absolute(path: &Path) -> Result<PathBuf, Exit> {
    std::fs::create_dir_all(path)
        .and_then(|()| path.canonicalize())
        .map_err(|error| failed(format!("{}: {error}", path.display())))
}

fn plan_text(args: &BuildArgs) -> Result<String, Exit> {
    let (policy, plan) = match (&args.policy, &args.plan) {
        (Some(policy), _) => (policy, None),
        (None, Some(plan)) => (plan, Some(plan)),
        (None, None) => return Err(failed("--policy or --plan says what runs")),
    };
    if let Some(plan) = plan {
        return std::fs::read_to_string(plan).map_err(|error| failed(format!("{}: {error}", plan.display())));
    }
    let files = policy_files(policy);
    let wanted = match &args.overlay {
        Some(overlay) => Path::new(&files.policy).with_file_name(format!("{overlay}.ron")),
        None => policy.clone(),
    };
    let compiled = compiled(&wanted)?;
    match (&compiled.plan, compiled.has_errors()) {
        (Some(sealed), false) => Ok(sealed.text.clone()),
        _ => {
            Report::default().print(&compiled, args.format);
            Err(exit_of(&compiled))
        }
    }
}

fn convert_all(args: &ConvertArgs) -> Result<Exit, Exit> {
    let wanted = args.to.iter().map(|to| match to {
        To::RawZst => Form::RawZst,
        To::Qcow2 => Form::Qcow2,
        To::Vmdk => Form::Vmdk,
        To::Vhdx => Form::Vhdx,
    });
    let forms: Vec<Form> = if args.to.is_empty() { Form::ALL.to_vec() } else { wanted.collect() };
    for form in forms {
        for file in convert(&args.disk, form).map_err(failed)? {
            say!("{}", file.display());
        }
    }
    Ok(Exit::Fine)
}

fn inspected(args: &InspectArgs) -> Result<Exit, Exit> {
    let work = std::env::temp_dir().join(format!("facteur-inspect-{}", std::process::id()));
    std::fs::create_dir_all(&work).map_err(failed)?;
    let found = inspect::inspect(&args.disk, &work);
    let _ = std::fs::remove_dir_all(&work);
    let found = found.map_err(failed)?;
    if args.format == Format::Json {
        let partitions = found
            .partitions
            .iter()
            .map(|it| serde_json::json!({"label": it.label, "uuid": it.uuid, "at": it.at, "octets": it.octets}));
        let kernels = found.kernels.iter().map(|it| {
            serde_json::json!({"name": it.name, "version": it.version, "plan": it.plan_hash, "root_hash": it.root_hash,
                "linux": it.linux, "slot": it.slot})
        });
        let parts = found.parts.iter().map(|(name, version)| serde_json::json!({"name": name, "version": version}));
        say!(
            "{}",
            serde_json::json!({"schema": 1, "kind": "inspected", "partitions": partitions.collect::<Vec<_>>(),
            "kernels": kernels.collect::<Vec<_>>(), "parts": parts.collect::<Vec<_>>()})
        );
        return Ok(Exit::Fine);
    }
    for it in &found.partitions {
        say!("{:<9} {:>6} MiB at {:>5} MiB  {}", it.label, it.octets >> 20, it.at >> 20, it.uuid);
    }
    for it in &found.kernels {
        let slot = it.slot.as_deref().unwrap_or("no slot of this disk");
        say!("{}: version {}, Linux {}, {slot}", it.name, it.version, it.linux);
        say!("  root hash {}\n  plan      {}", it.root_hash, it.plan_hash);
    }
    for (name, version) in &found.parts {
        say!("{name} {version}");
    }
    Ok(Exit::Fine)
}

fn sbom(args: &SbomArgs) -> Result<Exit, Exit> {
    let description = Description::read(&args.description).map_err(failed)?;
    let lock = Lock::read(&args.lock).map_err(failed)?;
    let text = image::document(&description, &lock).map_err(failed)?;
    say!("{}", text.trim_end());
    Ok(Exit::Fine)
}
