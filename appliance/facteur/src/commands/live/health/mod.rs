//! `facteur health`: does everything work that has to? Run once after each start: listeners that take mail from strangers open
//! only when it says so, and the version that runs gets all its tries back. Each look has a limit of its own, and all
//! together end within three minutes.

mod doors;

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use plan::PlanHash;
use serde::Serialize;
use server::operate::{AskScanners, DrawProbeLogin, Healthy, ListenerNow, LookAtStore, Operation, Status, StatusNow};
use tokio::runtime::Runtime;

use super::{Place, failed, say_json};
use crate::Exit;
use crate::cli::Format;
use crate::commands::update::{self, MachineArgs};
use crate::serving;
use server::operate::client::{self, ClientError, Folders};
use server::slots::Slots;

/// All looks together, in seconds.
const ALL_S: u64 = 170;
/// Between two looks at something that is not there yet.
const AGAIN: Duration = Duration::from_millis(500);

#[derive(Args)]
pub struct HealthArgs {
    #[command(flatten)]
    place: Place,
    /// When all is well, give the version that runs all its tries back
    #[arg(long)]
    confirm_boot: bool,
    /// Seconds for all looks together
    #[arg(long, value_name = "SECONDS", default_value_t = ALL_S, value_parser = clap::value_parser!(u64).range(1..=ALL_S))]
    within: u64,
    #[command(flatten)]
    machine: MachineArgs,
}

/// One look.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Look {
    name: &'static str,
    well: bool,
    says: String,
    ms: u64,
}

/// What the looks share.
struct Looks<'a> {
    folders: Folders,
    runtime: Runtime,
    /// When all have to be done.
    until: Instant,
    place: &'a Place,
    done: Vec<Look>,
}

pub fn run(args: &HealthArgs) -> Exit {
    serving::keep_private();
    crate::logging::plain("warn");
    let place = &args.place;
    let looks = place.data().and_then(|data| {
        let folders = Folders { snapshots: place.snapshots(&data)?, data };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        Ok(Looks {
            folders,
            runtime,
            until: Instant::now() + Duration::from_secs(args.within),
            place,
            done: Vec::new(),
        })
    });
    let mut looks = match looks {
        Ok(looks) => looks,
        Err(why) => return failed(place.format, &why, Exit::Trouble),
    };
    looks.all();
    if !looks.done.iter().all(|look| look.well) {
        if place.format == Format::Human {
            say!("NOT HEALTHY");
        }
        // Where nothing else could be started another start would find the same: whoever runs us asks again.
        let is_alone = args.confirm_boot && !update::can_fall_back(&args.machine);
        return if is_alone { Exit::Refused } else { Exit::PolicyErrors };
    }
    if args.confirm_boot {
        match update::confirm(&args.machine) {
            Ok(entry) => looks.tell("boot", true, format!("{entry} has all its tries"), Instant::now()),
            // Mail works: starting again would not mend what keeps the name from being changed.
            Err(error) => eprintln!("facteur: healthy, and the running version could not be confirmed: {error}"),
        }
    }
    if place.format == Format::Human {
        say!("healthy");
    }
    Exit::Fine
}

impl Looks<'_> {
    /// In order; what rests on one that is not well is left out.
    fn all(&mut self) {
        let Some(now) = self.server() else { return };
        self.plan(&now);
        self.store();
        self.scanners();
        self.logins(&now);
        if self.done.iter().all(|look| look.well) {
            self.open(&now);
        }
    }

    fn tell(&mut self, name: &'static str, well: bool, says: String, since: Instant) {
        let ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let look = Look { name, well, says, ms };
        match self.place.format {
            Format::Human => {
                let well = if look.well { "ok" } else { "NOT OK" };
                say!("{:<9} {well:<7} {:>5.1} s  {}", look.name, look.ms as f64 / 1_000.0, look.says);
            }
            Format::Json => say_json("health", &look),
        }
        self.done.push(look);
    }

    /// When a look with this limit has to be done.
    fn limit(&self, seconds: u64) -> Instant {
        self.until.min(Instant::now() + Duration::from_secs(seconds))
    }

    /// Asks the server, until then.
    fn ask<O: Operation>(&self, request: O, until: Instant) -> Result<O::Response, String> {
        let asked = async {
            let stop = std::future::pending();
            let call = client::call(&self.folders, serving::store_options, request, stop, |_| ());
            match tokio::time::timeout(until.saturating_duration_since(Instant::now()), call).await {
                Ok(answer) => answer.map_err(|error: ClientError| error.to_string()),
                Err(_) => Err("no answer in time".to_owned()),
            }
        };
        self.runtime.block_on(asked)
    }

    /// Asks for the status until `enough`, or until the time is over: then the last answer.
    fn status(&self, until: Instant, enough: impl Fn(&StatusNow) -> bool) -> Result<StatusNow, String> {
        loop {
            let now = self.ask(Status {}, until);
            if now.as_ref().is_ok_and(&enough) || Instant::now() + AGAIN >= until {
                return now;
            }
            std::thread::sleep(AGAIN);
        }
    }

    /// Does it answer? It may be starting.
    fn server(&mut self) -> Option<StatusNow> {
        let since = Instant::now();
        match self.status(self.limit(60), |_| true) {
            Ok(now) => {
                self.tell("server", true, format!("process {}, version {}", now.pid, now.version), since);
                Some(now)
            }
            Err(why) => {
                self.tell("server", false, why, since);
                None
            }
        }
    }

    /// Is the plan that runs the one that was confirmed?
    fn plan(&mut self, now: &StatusNow) {
        let since = Instant::now();
        let (well, says) = match (confirmed(&self.folders.data), now.trial_until_s) {
            (Ok(_), Some(_)) => (true, format!("{} is on trial, which goes on", now.plan)),
            (Ok(Some(hash)), None) if hash != now.plan => {
                (false, format!("{} runs, and {hash} is confirmed", now.plan))
            }
            (Ok(_), None) => (true, format!("{} is the confirmed one", now.plan)),
            (Err(why), _) => (false, why),
        };
        self.tell("plan", well, says, since);
    }

    fn store(&mut self) {
        let since = Instant::now();
        let (well, says) = match self.ask(LookAtStore {}, self.limit(60)) {
            Ok(looked) if !looked.findings.is_empty() => (false, looked.findings.join("; ")),
            // No other version and no other start makes room: people have to be able to read and delete.
            Ok(looked) if looked.read_only => (true, "sound, and IT TAKES NOTHING NEW: the device is full".to_owned()),
            Ok(looked) => {
                let unchecked = match looked.unchecked {
                    0 => String::new(),
                    count => format!(", {count} databases too large to check now"),
                };
                (true, format!("sound, with its {} newest bodies{unchecked}", looked.bodies))
            }
            Err(why) => (false, why),
        };
        self.tell("store", well, says, since);
    }

    /// Do all engines answer? They take a while to read their signatures.
    fn scanners(&mut self) {
        let since = Instant::now();
        let until = self.limit(110);
        let asked = loop {
            let asked = self.ask(AskScanners {}, until);
            if asked.as_ref().is_ok_and(|asked| asked.silent.is_empty()) || Instant::now() + AGAIN >= until {
                break asked;
            }
            std::thread::sleep(AGAIN);
        };
        let (well, says) = match asked {
            Ok(asked) if !asked.silent.is_empty() => (false, format!("{} gives no verdict", asked.silent.join(", "))),
            Ok(asked) if asked.engines == 0 => (true, "the plan has none".to_owned()),
            Ok(asked) => (true, format!("{} know what is harmless and what is not", asked.engines)),
            Err(why) => (false, why),
        };
        self.tell("scanners", well, says, since);
    }

    /// Goes the whole way of a login, over TLS.
    fn logins(&mut self, now: &StatusNow) {
        let since = Instant::now();
        let imaps = now.listeners.iter().find(|it| it.speaks == "imaps" && it.open && !it.addresses.is_empty());
        let (well, says) = match imaps.map(|listener| (listener, self.login(listener))) {
            None => (true, "nothing is read here over TLS".to_owned()),
            Some((listener, Ok(says))) => (true, format!("{}: {says}", listener.name)),
            Some((listener, Err(why))) => (false, format!("{}: {why}", listener.name)),
        };
        self.tell("imaps", well, says, since);
    }

    fn login(&self, listener: &ListenerNow) -> Result<String, String> {
        let until = self.limit(30);
        let drawn = self.ask(DrawProbeLogin {}, until)?;
        let address = listener.addresses.first().map(String::as_str).unwrap_or_default();
        doors::login(address, &drawn, until).map_err(|error| error.to_string())
    }

    /// Says that all is well, and hears the greeting of everybody who takes mail.
    fn open(&mut self, now: &StatusNow) {
        let since = Instant::now();
        let until = self.limit(30);
        let greeted = self.opened(now, until);
        let well = greeted.is_ok();
        self.tell("smtp", well, greeted.unwrap_or_else(|why| why), since);
    }

    fn opened(&self, now: &StatusNow, until: Instant) -> Result<String, String> {
        self.ask(Healthy { plan: now.plan.clone() }, until)?;
        let now = self.ask(Status {}, until)?;
        let mut greeted = Vec::new();
        for listener in now.listeners.iter().filter(|it| it.speaks.starts_with("smtp") && !it.addresses.is_empty()) {
            if !listener.open {
                return Err(format!("{} did not open", listener.name));
            }
            for address in &listener.addresses {
                let heard = doors::greeting(address, listener.speaks == "smtps", until);
                let code = heard.map_err(|error| format!("{} at {address}: {error}", listener.name))?;
                greeted.push(format!("{} {code}", listener.name));
            }
        }
        Ok(if greeted.is_empty() { "nothing is taken here".to_owned() } else { greeted.join(", ") })
    }
}

/// The short hash of the plan that is confirmed on disk; `None` where none ran yet.
fn confirmed(data: &Path) -> Result<Option<String>, String> {
    let Some(state) = Slots::of(data).state().map_err(|error| error.to_string())? else { return Ok(None) };
    let hash =
        PlanHash::of_full(&state.confirmed).ok_or_else(|| format!("{} is no hash of a plan", state.confirmed))?;
    Ok(Some(hash.short()))
}
