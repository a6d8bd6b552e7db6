//! The commands on live state: they ask the owner of the data folder, or do it themselves when it has none
//! (`server::operate`). One file each; here is what they share: where the state is, how far it is, how it ends.

mod access;
pub mod alias;
mod app_password;
pub mod audit;
pub mod backup;
mod bar;
pub mod block;
pub mod compromise;
mod credential;
pub mod delegate;
pub mod deploy;
pub mod directory;
pub mod export;
pub mod grant;
pub mod health;
pub mod import;
pub mod key;
pub mod log;
pub mod operator;
mod own_listener;
pub mod people;
pub mod person;
pub mod probe;
pub mod quarantine;
pub mod queue;
mod quota;
pub mod recall;
pub mod redirect;
mod redirect_asked;
pub mod reports;
pub mod restore;
pub mod spam;
mod standing;
pub mod status;
pub mod store;
pub mod trace;
pub mod why;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use server::operate::client::{self, ClientError, Folders};
use server::operate::{Operation, Problems, Progress};
use server::remote::client::Appliance;

use crate::Exit;
use crate::cli::Format;
use crate::serving::{self, Stop};
use crate::{logging, site_file};
use bar::Bar;

/// Where a packaged server keeps its state.
pub const DATA: &str = "/var/lib/facteur";

#[derive(Args)]
pub struct Place {
    /// The data folder [default: /var/lib/facteur]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The facts of this machine, site.ron: they name the data folder
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    site: Option<PathBuf>,
    /// An appliance on the network instead, by its control channel
    #[arg(long, value_name = "HOST:PORT", requires = "identity", conflicts_with_all = ["data", "site"])]
    appliance: Option<String>,
    /// What you show there: a folder of `facteur operator identity`
    #[arg(long, value_name = "FOLDER", requires = "appliance")]
    identity: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

impl Place {
    /// A data folder of this machine.
    fn here(data: Option<&Path>, site: Option<&Path>) -> Place {
        let (data, site) = (data.map(Path::to_owned), site.map(Path::to_owned));
        Place { data, site, appliance: None, identity: None, format: Format::Human }
    }

    /// The appliance on the network that is asked; `None` for a data folder of this machine.
    fn appliance(&self) -> Result<Option<Appliance>, String> {
        let (Some(address), Some(identity)) = (&self.appliance, &self.identity) else { return Ok(None) };
        Appliance::new(address, identity).map(Some)
    }

    fn is_remote(&self) -> bool {
        self.appliance.is_some()
    }

    /// The data folder, for what is done on this machine alone.
    fn data(&self) -> Result<PathBuf, String> {
        if self.appliance.is_some() {
            return Err("this is done on the machine itself, not over its control channel".to_owned());
        }
        match (&self.data, &self.site) {
            (Some(data), _) => Ok(data.clone()),
            (None, Some(site)) => site_file::data(site).map_err(|error| error.to_string()),
            (None, None) => Ok(PathBuf::from(DATA)),
        }
    }

    /// Where its backups are.
    fn snapshots(&self, data: &Path) -> Result<PathBuf, String> {
        let elsewhere = match &self.site {
            Some(site) => site_file::backups(site).map_err(|error| error.to_string())?,
            None => None,
        };
        Ok(elsewhere.unwrap_or_else(|| data.join("snapshots")))
    }
}

/// Runs a request to its end, showing how far it is. What went wrong is said. `name` is what the bar calls it.
fn ask<O: Operation>(place: &Place, name: &'static str, request: O) -> Result<O::Response, Exit> {
    let bar = Bar::new(name);
    let answer = match place.format {
        Format::Human => follow(place, request, move |progress| bar.draw(&progress)),
        Format::Json => follow(place, request, |progress| say_json("progress", &progress)),
    };
    Bar::new(name).clear();
    answer.map_err(|error| failed(place.format, &error, Exit::Trouble))
}

/// Runs a request to its end; the error is what went wrong, in words.
fn follow<O: Operation>(
    place: &Place,
    request: O,
    tell: impl FnMut(Progress) + Send + 'static,
) -> Result<O::Response, String> {
    serving::keep_private();
    logging::plain("warn");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    if let Some(appliance) = place.appliance()? {
        let answer = runtime.block_on(async {
            let mut stop = Stop::listen().map_err(|error| ClientError::Socket { path: PathBuf::new(), error })?;
            appliance.call(request, stop.told(), tell).await
        });
        return answer.map_err(|error| error.to_string());
    }
    let data = place.data()?;
    let folders = Folders { snapshots: place.snapshots(&data)?, data: data.clone() };
    let answer = runtime.block_on(async {
        let mut stop = Stop::listen().map_err(|error| ClientError::Socket { path: data.clone(), error })?;
        client::call(&folders, serving::store_options, request, stop.told(), tell).await
    });
    answer.map_err(|error| error.to_string())
}

/// The data folder a command without [`Place`] is given.
pub fn folder(data: Option<&Path>, site: Option<&Path>) -> Result<PathBuf, String> {
    match (data, site) {
        (Some(data), _) => Ok(data.to_path_buf()),
        (None, Some(site)) => site_file::data(site).map_err(|error| error.to_string()),
        (None, None) => Ok(PathBuf::from(DATA)),
    }
}

/// Runs a short request without saying anything. For commands that read live state on the way to something else.
pub fn called<O: Operation>(data: &Path, request: O) -> Result<O::Response, ClientError> {
    let folders = Folders { snapshots: data.join("snapshots"), data: data.to_path_buf() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ClientError::Socket { path: data.to_path_buf(), error })?;
    runtime.block_on(client::call(&folders, serving::store_options, request, std::future::pending(), |_| ()))
}

fn failed(format: Format, why: &str, exit: Exit) -> Exit {
    match format {
        Format::Human => eprintln!("facteur: {why}"),
        Format::Json => say_json("error", &json!({ "message": why })),
    }
    exit
}

/// One line: the fields of `what` with the schema and the kind in front.
fn say_json(kind: &str, what: &impl Serialize) {
    let mut line = json!({"schema": 1, "kind": kind});
    if let (Value::Object(line), Ok(Value::Object(fields))) = (&mut line, serde_json::to_value(what)) {
        line.extend(fields);
    }
    say!("{line}");
}

/// What did not go with the rest, one a line.
fn say_problems(problems: &Problems) {
    for problem in &problems.told {
        eprintln!("facteur: {problem}");
    }
    if problems.untold > 0 {
        eprintln!("facteur: and {} more like these", number(problems.untold));
    }
}

/// An absolute path: the owner of the data folder has another current folder.
fn absolute(format: Format, path: &std::path::Path) -> Result<PathBuf, Exit> {
    std::path::absolute(path).map_err(|error| failed(format, &format!("{}: {error}", path.display()), Exit::Trouble))
}

/// `12,345,678`.
fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 message`, `2 messages`.
fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// Octets for people: `17 octets`, `4.2 MiB`.
fn size(octets: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| octets >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", octets as f64 / *unit as f64),
        None => counted(octets, "octet", "octets"),
    }
}

/// `0.2 s`, `83 s`.
fn seconds(ms: u64) -> String {
    if ms < 10_000 { format!("{:.1} s", ms as f64 / 1_000.0) } else { format!("{} s", number(ms / 1_000)) }
}

/// A time in Unix seconds as people write it.
fn moment(at_s: i64) -> String {
    jiff::Timestamp::from_second(at_s).map(|at| at.to_string()).unwrap_or_default()
}

/// `45 s`, `12 min`, `31 h`, `9 days`.
fn age(seconds: i64) -> String {
    match seconds.max(0) {
        s if s < 120 => format!("{s} s"),
        s if s < 7_200 => format!("{} min", s / 60),
        s if s < 2 * 86_400 => format!("{} h", (s + 1_800) / 3_600),
        s => format!("{} days", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1, 1_023, 1_536, 5 << 40].map(size), ["1 octet", "1,023 octets", "1.5 KiB", "5.0 TiB"]);
        assert_eq!([149, 83_900].map(seconds), ["0.1 s", "83 s"]);
        assert_eq!([0, 119, 120, 7_200, 86_400 * 9].map(age), ["0 s", "119 s", "2 min", "2 h", "9 days"]);
        assert_eq!(counted(2, "message", "messages"), "2 messages");
    }
}
