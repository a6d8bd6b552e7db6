//! `facteur health`: does everything work that has to? Run once after each start: listeners that take mail from strangers open
//! only when it says so, and the version that runs gets all its tries back. Each look has a limit of its own, and all
//! together end within three minutes.

mod doors;
mod good;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use plan::PlanHash;
use serde::Serialize;
use server::operate::{
    AskScanners, DrawProbeLogin, Healthy, ListenerNow, LookAtStore, Operation, Status, StatusNow, UnboundNow,
};
use tokio::runtime::Runtime;

use super::{Place, failed, say_json, status};
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
/// The look at what the site says and this machine cannot do.
const ADDRESSES: &str = "addresses";

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
    /// Where versions that were found healthy are remembered
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/appliance")]
    state: PathBuf,
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
    let stand = if args.confirm_boot {
        let was_good = good::was_good(&args.state, &args.machine);
        Stand { can_fall_back: update::can_fall_back(&args.machine), was_good }
    } else {
        Stand { can_fall_back: true, was_good: false }
    };
    looks.all(stand);
    if !looks.done.iter().all(|look| look.well) {
        if place.format == Format::Human {
            say!("NOT HEALTHY");
        }
        // No other version brings an address: the one that works gets its tries back, or three starts would give it up.
        if args.confirm_boot
            && stand.was_good
            && only_addresses(&looks.done)
            && let Err(error) = update::confirm(&args.machine)
        {
            eprintln!("facteur: the running version could not be confirmed: {error}");
        }
        return stand.verdict(&looks.done);
    }
    if args.confirm_boot {
        match update::confirm(&args.machine) {
            Ok(entry) => {
                good::note(&args.state, &args.machine);
                looks.tell("boot", true, format!("{entry} has all its tries"), Instant::now());
            }
            // Mail works: starting again would not mend what keeps the name from being changed.
            Err(error) => eprintln!("facteur: healthy, and the running version could not be confirmed: {error}"),
        }
    }
    if place.format == Format::Human {
        say!("healthy");
    }
    Exit::Fine
}

/// What another start of the machine could lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stand {
    /// Another version could be started.
    can_fall_back: bool,
    /// The version that runs was found healthy before.
    was_good: bool,
}

impl Stand {
    /// Is an address that is missing no reason to keep the rest closed? No version brings the address, and this one is known to be good,
    /// or all there is.
    fn bears_unbound(self) -> bool {
        self.was_good || !self.can_fall_back
    }

    /// Of looks of which some are not well. Where another start would find the same, whoever runs us asks again (7).
    fn verdict(self, done: &[Look]) -> Exit {
        let again = !self.can_fall_back || (self.was_good && only_addresses(done));
        if again { Exit::Refused } else { Exit::PolicyErrors }
    }
}

/// Is all well but for addresses that cannot be bound?
fn only_addresses(done: &[Look]) -> bool {
    done.iter().all(|look| look.well || look.name == ADDRESSES)
}

impl Looks<'_> {
    /// In order; what rests on one that is not well is left out.
    fn all(&mut self, stand: Stand) {
        let Some(now) = self.server() else { return };
        self.plan(&now);
        self.store(&now);
        self.scanners();
        self.logins(&now);
        let bears = stand.bears_unbound();
        if self.done.iter().all(|look| look.well) && (now.unbound.is_empty() || bears) {
            self.open(&now, bears);
        }
        self.addresses();
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

    fn store(&mut self, now: &StatusNow) {
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
        let says = format!("{says}, format {}", status::store_format(&now.store));
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
        let of_imaps = now.listeners.iter().filter(|it| it.speaks == "imaps");
        let imaps = of_imaps.into_iter().find_map(|it| Some((it, *bound(now, it).first()?)));
        let (well, says) = match imaps.map(|(listener, address)| (listener, self.login(address))) {
            None => (true, "nothing is read here over TLS".to_owned()),
            Some((listener, Ok(says))) => (true, format!("{}: {says}", listener.name)),
            Some((listener, Err(why))) => (false, format!("{}: {why}", listener.name)),
        };
        self.tell("imaps", well, says, since);
    }

    fn login(&self, address: &str) -> Result<String, String> {
        let until = self.limit(30);
        let drawn = self.ask(DrawProbeLogin {}, until)?;
        doors::login(address, &drawn, until).map_err(|error| error.to_string())
    }

    /// Are all addresses of the site listened on?
    fn addresses(&mut self) {
        let since = Instant::now();
        let (well, says) = match self.ask(Status {}, self.limit(30)) {
            Ok(now) if now.unbound.is_empty() => (true, "all of the site are listened on".to_owned()),
            Ok(now) => {
                let one = |it: &UnboundNow| format!("{} cannot listen on {}: {}", it.listener, it.address, it.why);
                (false, now.unbound.iter().map(one).collect::<Vec<_>>().join("; "))
            }
            Err(why) => (false, why),
        };
        self.tell(ADDRESSES, well, says, since);
    }

    /// Says that all is well, and hears the greeting of everybody who takes mail.
    fn open(&mut self, now: &StatusNow, bears: bool) {
        let since = Instant::now();
        let until = self.limit(30);
        let greeted = self.opened(now, bears, until);
        let well = greeted.is_ok();
        self.tell("smtp", well, greeted.unwrap_or_else(|why| why), since);
    }

    fn opened(&self, now: &StatusNow, bears_unbound: bool, until: Instant) -> Result<String, String> {
        self.ask(Healthy { plan: now.plan.clone(), bears_unbound }, until)?;
        let now = self.ask(Status {}, until)?;
        let mut greeted = Vec::new();
        for listener in now.listeners.iter().filter(|it| it.speaks.starts_with("smtp") && !it.addresses.is_empty()) {
            if !listener.open && !now.unbound.iter().any(|it| it.listener == listener.name) {
                return Err(format!("{} did not open", listener.name));
            }
            for address in bound(&now, listener) {
                let heard = doors::greeting(address, listener.speaks == "smtps", until);
                let code = heard.map_err(|error| format!("{} at {address}: {error}", listener.name))?;
                greeted.push(format!("{} {code}", listener.name));
            }
        }
        Ok(if greeted.is_empty() { "nothing is taken here".to_owned() } else { greeted.join(", ") })
    }
}

/// Where a listener is open. One that lacks an address may be so at others.
fn bound<'a>(now: &StatusNow, listener: &'a ListenerNow) -> Vec<&'a str> {
    let missing: Vec<&str> =
        now.unbound.iter().filter(|it| it.listener == listener.name).map(|it| it.address.as_str()).collect();
    if !listener.open && missing.is_empty() {
        return Vec::new();
    }
    listener.addresses.iter().map(String::as_str).filter(|address| !missing.contains(address)).collect()
}

/// The short hash of the plan that is confirmed on disk; `None` where none ran yet.
fn confirmed(data: &Path) -> Result<Option<String>, String> {
    let Some(state) = Slots::of(data).state().map_err(|error| error.to_string())? else { return Ok(None) };
    let hash =
        PlanHash::of_full(&state.confirmed).ok_or_else(|| format!("{} is no hash of a plan", state.confirmed))?;
    Ok(Some(hash.short()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_starts_again_only_where_that_may_lead_to_something_else() {
        let look = |name: &'static str, well: bool| Look { name, well, says: String::new(), ms: 1 };
        let addresses = [look("store", true), look(ADDRESSES, false)];
        let store = [look("store", false), look(ADDRESSES, true)];
        let both = [look("store", false), look(ADDRESSES, false)];
        for (can_fall_back, was_good, done, expected) in [
            // Nothing else could be started: it is asked again, whatever is wrong.
            (false, false, &store, Exit::Refused),
            (false, false, &addresses, Exit::Refused),
            (false, true, &both, Exit::Refused),
            // A new version falls back.
            (true, false, &addresses, Exit::PolicyErrors),
            (true, false, &store, Exit::PolicyErrors),
            // One that was good before does so for what a start may mend, and no other version brings an address.
            (true, true, &addresses, Exit::Refused),
            (true, true, &store, Exit::PolicyErrors),
            (true, true, &both, Exit::PolicyErrors),
        ] {
            let stand = Stand { can_fall_back, was_good };
            assert_eq!(stand.verdict(done), expected, "{stand:?} {done:?}");
        }
        let bears = |can_fall_back: bool, was_good: bool| Stand { can_fall_back, was_good }.bears_unbound();
        assert!(bears(false, false) && bears(true, true) && !bears(true, false));
    }

    #[test]
    fn a_listener_is_asked_where_it_is_open() {
        let listener = |open: bool| ListenerNow {
            name: "imaps".to_owned(),
            addresses: vec!["127.0.0.1:993".to_owned(), "192.0.2.9:993".to_owned()],
            open,
            ..ListenerNow::default()
        };
        let missing = UnboundNow { listener: "imaps".into(), address: "192.0.2.9:993".into(), why: String::new() };
        let now = StatusNow { unbound: vec![missing], ..StatusNow::default() };
        assert_eq!(bound(&now, &listener(false)), ["127.0.0.1:993"]);
        assert_eq!(bound(&StatusNow::default(), &listener(true)).len(), 2);
        assert!(bound(&StatusNow::default(), &listener(false)).is_empty());
    }
}
