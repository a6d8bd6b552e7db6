//! Failed logins: limits per account and network, and per client address.
//!
//! Per network, so that guessing from outside never locks a person out inside. The same wrong password again within a
//! window is one failure: an old password in a telephone is not an attack.

use std::net::IpAddr;

use mail::reply;
use plan::{WhenOver, Window, Windows};

use crate::class::ClassId;
use crate::reason::{Reason, Refusal};
use crate::rings::{Rings, Tick, address_key};
use crate::tables::Tables;

/// One login attempt's facts.
#[derive(Clone, Copy, Debug)]
pub struct Guess<'a> {
    /// As typed; unknown logins are limited like known ones.
    pub login: &'a str,
    pub class: ClassId,
    pub address: IpAddr,
}

/// The two rings of a guess.
pub struct Guesses {
    account: String,
    address: String,
}

impl Guesses {
    pub fn of(tables: &Tables, guess: Guess<'_>) -> Guesses {
        let network = tables.class_name(tables.class_network(guess.class));
        // A login no directory can hold is cut, so that a key has a bound.
        let login: String = guess.login.chars().take(64).collect::<String>().to_lowercase();
        Guesses {
            account: format!("failed_logins|{network}|account:{login}"),
            address: format!("failed_logins|address:{}", address_key(guess.address)),
        }
    }

    /// While a window is full even the right password is not looked at.
    pub fn check(&self, tables: &Tables, rings: &Rings, now: Tick) -> Result<(), Refusal> {
        let rules = &tables.plan().logins;
        let full = [
            ("each_account_and_network", &self.account, &rules.each_account_and_network),
            ("each_client_address", &self.address, &rules.each_client_address),
        ]
        .into_iter()
        .find_map(|(name, key, windows)| rings.full(key, windows.list(), now).map(|w| (name, w.width_name())));
        let Some((name, width)) = full else { return Ok(()) };
        let rule = format!("logins.{name}.failed/{width}");
        let text = "too many failed logins, try later";
        let code = match rules.when_over {
            WhenOver::TryLater => reply::AUTH_LATER,
            WhenOver::Refuse => reply::AUTH_FAILED,
        };
        Err(Refusal::new(code, Reason::TooManyFailedLogins, rule, text))
    }

    /// Counts a failure. `secret_hash` is a keyed hash of the secret that was tried.
    pub fn failed(&self, tables: &Tables, rings: &mut Rings, secret_hash: u64, now: Tick) {
        let rules = &tables.plan().logins;
        count_distinct(rings, &self.account, &rules.each_account_and_network, secret_hash, now);
        count_distinct(rings, &self.address, &rules.each_client_address, secret_hash, now);
    }
}

fn count_distinct(rings: &mut Rings, key: &str, windows: &Windows, secret_hash: u64, now: Tick) {
    let Some(shortest) = windows.list().iter().map(|w| w.width_s).min() else { return };
    let marker = format!("{key}|{secret_hash:016x}");
    let once = [Window { max: 1, width_s: shortest }];
    if rings.full(&marker, &once, now).is_some() {
        return;
    }
    rings.count(&marker, 1, now);
    rings.count(key, windows.list().iter().map(|w| w.max).max().unwrap_or(0), now);
}
