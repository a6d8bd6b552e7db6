//! `facteur appliance console`: the screen of the machine. Lines are read and text is written; what there is to choose is in
//! `menu`, and nothing in it leads to a shell.

mod menu;
mod network;
#[cfg(test)]
mod tests;

use std::io::{BufRead, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use clap::Args;
use server::operate::{BreakGlass, Status, StatusNow};

use super::given::{Given, KEYS};
use super::{addresses, first_boot};
use crate::Exit;
use crate::commands::live;
use menu::{Effect, Facts, Menu};
use network::Wanted;

#[derive(Args)]
pub struct ConsoleArgs {
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/facteur")]
    data: PathBuf,
    /// A NoCloud disk, mounted: new plan keys come from there
    #[arg(long, value_name = "FOLDER", default_value = "/run/facteur/cidata")]
    cidata: PathBuf,
    /// Where systemd-networkd looks for addresses of this machine
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/appliance/network")]
    network: PathBuf,
}

/// How long the screen waits for the server.
const STATUS_WITHIN: Duration = Duration::from_secs(5);
/// An update is looked for under this name on the disk `cidata`.
const UPDATE: &str = "facteur.update";
/// Octets of one line somebody types; the rest of it is left out.
const LINE_OCTETS_MAX: u64 = 4_096;

/// Asks and does until the terminal ends.
pub fn run(args: &ConsoleArgs) -> Exit {
    let (mut menu, mut input) = (Menu::new(), std::io::stdin().lock());
    loop {
        let facts = facts(args);
        shown(&menu.screen(&facts));
        let mut octets = Vec::new();
        match input.by_ref().take(LINE_OCTETS_MAX).read_until(b'\n', &mut octets) {
            // The terminal is gone; whoever runs us starts us again.
            Ok(0) | Err(_) => return Exit::Fine,
            Ok(_) => {}
        }
        let (effect, says) = menu.line(&String::from_utf8_lossy(&octets), &facts);
        shown(&says);
        if let Some(effect) = effect {
            match done(args, effect) {
                Ok(text) => shown(&menu::clean(&text)),
                Err(why) => shown(&menu::clean(&format!("that went wrong: {why}\n"))),
            }
        }
    }
}

fn shown(text: &str) {
    let mut out = std::io::stdout();
    // A terminal that is gone shows nothing.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn facts(args: &ConsoleArgs) -> Facts {
    let interfaces = addresses::interfaces().into_iter();
    let interfaces = interfaces.map(|one| (one.name, one.addresses.iter().map(ToString::to_string).collect()));
    let report = std::fs::read_to_string(args.data.join(first_boot::REPORT)).unwrap_or_default();
    let mut missing: Vec<String> = report.lines().map(str::to_owned).collect();
    let mut twin = false;
    let plan = match status(args) {
        Ok(now) => {
            twin = now.twin;
            missing.splice(0..0, now.warnings.iter().cloned());
            plan_line(&now)
        }
        Err(why) => format!("THE SERVER DOES NOT ANSWER: {why}"),
    };
    Facts { version: env!("CARGO_PKG_VERSION").to_owned(), twin, interfaces: interfaces.collect(), plan, missing }
}

/// Only of a server that runs: we must not be the owner of the data folder when it wants to start. One that hangs must not keep
/// anybody from starting the machine again.
fn status(args: &ConsoleArgs) -> Result<StatusNow, String> {
    let (data, (tell, told)) = (args.data.clone(), mpsc::channel());
    std::thread::spawn(move || {
        let asked = UnixStream::connect(data.join("control.sock")).map_err(|_| "it starts, or has ended".to_owned());
        // Nobody listens any more where it came too late.
        let _ = tell.send(asked.and_then(|_| live::called(&data, Status {}).map_err(|error| error.to_string())));
    });
    told.recv_timeout(STATUS_WITHIN).unwrap_or_else(|_| Err(format!("nothing within {} s", STATUS_WITHIN.as_secs())))
}

fn plan_line(now: &StatusNow) -> String {
    let trial = now.trial_until_s.map(|until_s| {
        let left = until_s.saturating_sub(now.at_s).max(0);
        format!(", ON TRIAL for {left} s more")
    });
    format!("plan {} number {}{}", now.plan, now.serial, trial.unwrap_or_default())
}

fn done(args: &ConsoleArgs, effect: Effect) -> Result<String, String> {
    match effect {
        Effect::Run(words) => {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            own(args, &words)
        }
        Effect::Network(wanted) => network(args, &wanted),
        Effect::ImportAgain => import_again(&args.data, &mut |words| system("systemctl", words)),
        Effect::Update => {
            let bundle = args.cidata.join(UPDATE);
            let data = args.data.display().to_string();
            own(args, &["update", "apply", &bundle.display().to_string(), "--data", &data])
        }
        Effect::BreakGlass { because } => break_glass(args, because),
        Effect::PowerOff => system("systemctl", &["poweroff"]),
        Effect::Reboot => system("systemctl", &["reboot"]),
    }
}

/// Stops serving, takes what the machine is given, and serves again, whatever the import came to. Gives what it says.
fn import_again(data: &Path, systemctl: &mut dyn FnMut(&[&str]) -> Result<String, String>) -> Result<String, String> {
    systemctl(&["stop", "facteur.service"])?;
    // That unit has the credentials, and the rights of the server alone.
    let imported = systemctl(&["start", "facteur-import-again.service"]);
    systemctl(&["start", "--no-block", "facteur.service"])?;
    imported?;
    Ok(std::fs::read_to_string(data.join(first_boot::REPORT)).unwrap_or_default())
}

/// Our own program on this data folder, and all it says.
fn own(args: &ConsoleArgs, words: &[&str]) -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(words);
    // The slots of the machine are no matter of the data folder.
    if words.first() != Some(&"update") {
        command.arg("--data").arg(&args.data);
    }
    let ran = command.output().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned())
}

fn system(program: &str, words: &[&str]) -> Result<String, String> {
    let ran = Command::new(program).args(words).output().map_err(|error| format!("{program}: {error}"))?;
    let says = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    if ran.status.success() { Ok(says) } else { Err(format!("{program} {}: {}", words.join(" "), says.trim())) }
}

/// Writes the file of the interface and has it read.
fn network(args: &ConsoleArgs, wanted: &Wanted) -> Result<String, String> {
    let file = wanted.file(&args.network).ok_or("no name of an interface")?;
    std::fs::create_dir_all(&args.network).map_err(|error| error.to_string())?;
    crate::files::write_whole(&file, &wanted.text()).map_err(|error| format!("{}: {error}", file.display()))?;
    // networkd is no user of ours, and nothing in it is secret.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&file, readable).map_err(|error| error.to_string())?;
    system("networkctl", &["reload"])?;
    system("networkctl", &["reconfigure", wanted.interface()])?;
    Ok("The network is being set. A site that names an address has to name the new one.\n".to_owned())
}

fn break_glass(args: &ConsoleArgs, because: String) -> Result<String, String> {
    let given = Given::read(None, Some(&args.cidata));
    let text = given.values.get(KEYS).ok_or_else(|| format!("there is no `keys` in {}", args.cidata.display()))?;
    let (public, needed) = first_boot::keys_of(text)?;
    let request = BreakGlass { keys: public.iter().map(ToString::to_string).collect(), needed, because };
    live::called(&args.data, request).map_err(|error| error.to_string())?;
    Ok(format!("{} keys, {needed} of which have to sign. Everybody is told.\n", public.len()))
}
