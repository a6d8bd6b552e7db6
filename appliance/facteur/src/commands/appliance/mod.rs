//! `facteur appliance`: what the image runs, and what a person at its console sees. There is no shell: these commands are all there
//! is.

mod addresses;
mod console;
mod disk;
mod first_boot;
mod given;
mod imported;
mod minimal;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::{Exit, serving};
use first_boot::Places;

#[derive(Args)]
pub struct ApplianceArgs {
    #[command(subcommand)]
    command: ApplianceCommand,
}

#[derive(Subcommand)]
enum ApplianceCommand {
    /// Format the data disk if it is blank; leave it if it is ours; refuse it if it is anything else
    Disk(DiskArgs),
    /// Take the site, secrets, people and plan keys the machine was given, once; make do without them
    FirstBoot(PlacesArgs),
    /// Look at what the machine is given now, and with `--again` take it in the place of what was taken before
    Import(ImportArgs),
    /// The screen of the machine: what it is, and what can be done without a shell
    Console(console::ConsoleArgs),
}

#[derive(Args)]
struct DiskArgs {
    /// A whole disk, as `/dev/disk/by-…`, or a file
    device: PathBuf,
    #[arg(long, value_name = "PROGRAM", default_value = "/usr/sbin/mkfs.ext4")]
    mkfs: PathBuf,
}

#[derive(Args)]
struct PlacesArgs {
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/facteur")]
    data: PathBuf,
    /// The plan that is served until another is deployed
    #[arg(long, value_name = "FILE", default_value = "/usr/share/facteur/factory.plan.ron")]
    plan: PathBuf,
    /// A NoCloud disk, mounted; nothing where the folder is empty or missing
    #[arg(long, value_name = "FOLDER", default_value = "/run/facteur/cidata")]
    cidata: PathBuf,
}

#[derive(Args)]
struct ImportArgs {
    #[command(flatten)]
    places: PlacesArgs,
    /// Take what differs, too
    #[arg(long)]
    again: bool,
}

pub fn run(args: &ApplianceArgs) -> Exit {
    match &args.command {
        ApplianceCommand::Disk(args) => disk(args),
        ApplianceCommand::FirstBoot(args) => import(args, false),
        ApplianceCommand::Import(args) => import(&args.places, args.again),
        ApplianceCommand::Console(args) => console::run(args),
    }
}

fn disk(args: &DiskArgs) -> Exit {
    match disk::prepare(&args.device, &args.mkfs) {
        Ok(disk::Found::Ready) => Exit::Fine,
        Ok(_) => {
            say!("{}: formatted, label {}", args.device.display(), disk::LABEL);
            Exit::Fine
        }
        Err(why) => {
            // The console shows it, whatever else it shows.
            let frame = "*".repeat(72);
            eprintln!("\n{frame}\n  THE DATA DISK CANNOT BE USED\n  {why}\n{frame}\n");
            Exit::Trouble
        }
    }
}

fn import(args: &PlacesArgs, again: bool) -> Exit {
    serving::keep_private();
    crate::logging::plain("warn");
    let places = Places {
        data: args.data.clone(),
        plan: args.plan.clone(),
        // systemd reads SMBIOS type 11 and fw_cfg, and hands over what a unit imports.
        credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        cidata: Some(args.cidata.clone()),
        addresses: addresses::interfaces().into_iter().flat_map(|interface| interface.addresses).collect(),
    };
    if !again {
        first_boot::wait_for_disk(&places, &mut || std::thread::sleep(first_boot::PAUSE));
    }
    match first_boot::run(&places, again, &mut |_| Ok(())) {
        Ok(lines) => {
            lines.iter().for_each(|line| say!("{line}"));
            Exit::Fine
        }
        Err(error) => serving::trouble(error.as_ref()),
    }
}
