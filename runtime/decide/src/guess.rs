//! Failed logins: limits per account and network, and per client address.
//!
//! Per network, so that guessing from outside never locks a person out inside; and apart for each neighbourhood outside that
//! the account was used from lately, so that it does not lock out somebody at home either. The same wrong password again
//! within a window is one failure: an old password in a telephone is not an attack.

use std::net::IpAddr;

use mail::reply;
use plan::{Delay, WhenOver, Window, Windows};

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
    /// The account was used from this neighbourhood lately: guesses from elsewhere do not lock it out here.
    pub known: bool,
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
        let address = address_key(guess.address);
        let own = if guess.known { format!("|from:{address}") } else { String::new() };
        Guesses {
            account: format!("failed_logins|{network}|account:{login}{own}"),
            address: format!("failed_logins|address:{address}"),
        }
    }

    /// Did any login of the account fail in this network lately? Else it makes no difference where it is used from.
    pub fn is_contested(&self, tables: &Tables, rings: &Rings, now: Tick) -> bool {
        let windows = tables.plan().logins.each_account_and_network.list();
        windows.iter().any(|window| rings.within(&self.account, window.width_s, now).0 > 0)
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

    /// How long the answer to a failure that was counted just now waits, in seconds: by the failures of the account in this
    /// network or of the address, whichever are more, within the shortest window.
    pub fn delay_s(&self, tables: &Tables, rings: &Rings, now: Tick) -> u32 {
        let rules = &tables.plan().logins;
        let failed = |key: &str, windows: &Windows| {
            let shortest = windows.list().iter().map(|window| window.width_s).min();
            shortest.map_or(0, |width_s| rings.within(key, width_s, now).0)
        };
        let account = failed(&self.account, &rules.each_account_and_network);
        delay_s(rules.delay, account.max(failed(&self.address, &rules.each_client_address)))
    }

    /// Counts a failure. `secret_hash` is a keyed hash of the secret that was tried.
    pub fn failed(&self, tables: &Tables, rings: &mut Rings, secret_hash: u64, now: Tick) {
        let rules = &tables.plan().logins;
        count_distinct(rings, &self.account, &rules.each_account_and_network, secret_hash, now);
        count_distinct(rings, &self.address, &rules.each_client_address, secret_hash, now);
    }
}

/// Is this the ring of failures of this account, in any network, or a mark beside it?
pub fn is_of_account(key: &str, login: &str) -> bool {
    let mut parts = key.split('|');
    let account = format!("account:{}", login.to_lowercase());
    parts.next() == Some("failed_logins") && parts.any(|part| part == account)
}

/// Nothing up to `after` failures, then 1, 2, 4 … seconds.
fn delay_s(delay: Delay, failures: u32) -> u32 {
    match failures.checked_sub(delay.after) {
        None | Some(0) => 0,
        Some(beyond) => 1_u32.checked_shl(beyond - 1).unwrap_or(u32::MAX).min(delay.at_most_s),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_to_failures_wait_longer_and_longer_up_to_a_bound() {
        let waits = |delay: Delay, failures: &[u32]| failures.iter().map(|n| delay_s(delay, *n)).collect::<Vec<_>>();
        let usual = Delay { after: 3, at_most_s: 8 };
        assert_eq!(waits(usual, &[0, 1, 3, 4, 5, 6, 7, 8, 40, u32::MAX]), [0, 0, 0, 1, 2, 4, 8, 8, 8, 8]);
        assert_eq!(waits(Delay { after: 0, at_most_s: 1 }, &[0, 1, 2]), [0, 1, 1]);
        assert_eq!(waits(Delay { after: 3, at_most_s: 0 }, &[4, 100]), [0, 0], "switched off");
    }

    #[test]
    fn an_unlocked_account_is_that_one_in_all_networks_and_no_other() {
        for (key, is) in [
            ("failed_logins|outside|account:toto-j", true),
            ("failed_logins|inside|account:toto-j|00ff00ff00ff00ff", true),
            ("failed_logins|outside|account:toto-j|from:192.0.2.1", true),
            ("failed_logins|outside|account:toto-j-1", false),
            ("failed_logins|address:192.0.2.1", false),
            ("recipients_attempted|*|account:toto-j", false),
        ] {
            assert_eq!(is_of_account(key, "Toto-J"), is, "{key}");
        }
    }
}
