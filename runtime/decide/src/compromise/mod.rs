//! Signs that somebody else uses an account (section `compromise` of a policy). A window `max / w` of a sign is overrun by
//! the event that finds `max` others in `(t−w, t]`, as a limit refuses it.
//!
//! Events that count are kept in [`Rings`], one for each detector and account and only once there is something to count; the
//! networks of an account in [`Networks`]. A detector that goes off begins anew.

mod known;
mod networks;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;

use mail::Login;
use plan::{Detector, Sign, Window};

use crate::reason::{Reason, Refusal};
use crate::rings::{Rings, Tick};

pub use known::{KNOWN_MAX, Known};
pub use networks::Networks;

/// A limit that is run into again is news after so long: whoever tries the same message again and again did one thing.
const TRIP_AGAIN: Window = Window { max: 1, width_s: 900 };
/// Recipients of which a share is taken: the newest so many of the window.
const ASKED_MAX: u32 = 2_000;

/// What an account did. What others do to it is none: nobody outside sets a detector off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    /// A limit on sending refused it; the rule.
    LimitTripped(&'a str),
    /// It named a recipient. `refused`: there is no such recipient, or it is not for this client.
    Asked {
        refused: bool,
    },
    /// A recipient outside the house that it never wrote to before.
    FirstTime,
    /// Its mail goes on to an address outside the house from now on.
    Redirected,
    /// A next hop refused for good what it sent.
    Bounced,
    LoggedIn {
        from: IpAddr,
    },
}

/// What a detector saw when it went off: `count` events, of `of` where it is a share, within `within_s` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub count: u32,
    pub of: Option<u32>,
    pub within_s: u32,
}

/// A detector that went off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tripped {
    /// Its name in the policy; the rule is `compromise.NAME`.
    pub detector: String,
    pub seen: Seen,
}

/// Counts `deed` of `login` for each detector, and names those it sets off.
pub fn signs(
    detectors: &BTreeMap<String, Detector>,
    rings: &mut Rings,
    networks: &mut Networks,
    login: &Login,
    deed: Deed<'_>,
    now: Tick,
) -> Vec<Tripped> {
    let login = mail::fold(login.as_str());
    if let Deed::LimitTripped(rule) = deed {
        let told = format!("compromise.limit|{rule}|{login}");
        if rings.full(&told, &[TRIP_AGAIN], now).is_some() {
            return Vec::new();
        }
        rings.count(&told, TRIP_AGAIN.max, now);
    }
    let one = |(name, detector): (&String, &Detector)| {
        let key = key_of(name, &login);
        let seen = match (&detector.when, deed) {
            (Sign::LimitTrips(window), Deed::LimitTripped(_))
            | (Sign::FirstTimeRecipients(window), Deed::FirstTime)
            | (Sign::Bounces(window), Deed::Bounced) => overrun(rings, &key, *window, now),
            (Sign::RefusedRecipients { share_percent, of_at_least, within_s }, Deed::Asked { refused }) => {
                let width_s = u32::try_from(*within_s).unwrap_or(u32::MAX);
                share(rings, &key, u32::from(*share_percent), (*of_at_least, width_s), refused, now)
            }
            (Sign::Networks(window), Deed::LoggedIn { from }) => networks.entered(&key, from, *window, now),
            (Sign::NewExternalRedirect, Deed::Redirected) => Some(Seen { count: 1, of: None, within_s: 0 }),
            _ => None,
        };
        seen.map(|seen| Tripped { detector: name.clone(), seen })
    };
    detectors.iter().filter_map(one).collect()
}

/// Has the networks `login` was seen from before a restart counted on.
pub fn recall(
    detectors: &BTreeMap<String, Detector>,
    networks: &mut Networks,
    login: &Login,
    from: &[(IpAddr, Tick)],
    now: Tick,
) {
    for (name, detector) in detectors {
        if let Sign::Networks(window) = &detector.when {
            networks.recall(&key_of(name, &mail::fold(login.as_str())), from, *window, now);
        }
    }
}

fn key_of(detector: &str, folded: &str) -> String {
    format!("compromise|{detector}|{folded}")
}

/// Counts one event. When it overruns the window, the ring begins anew.
fn overrun(rings: &mut Rings, key: &str, window: Window, now: Tick) -> Option<Seen> {
    if rings.full(key, &[window], now).is_none() {
        rings.count(key, window.max, now);
        return None;
    }
    rings.forget(key);
    Some(Seen { count: window.max.saturating_add(1), of: None, within_s: window.width_s })
}

/// Counts a recipient, and says whether at least `share_percent` of at least `of` recipients within `width_s` were refused.
fn share(
    rings: &mut Rings,
    key: &str,
    share_percent: u32,
    (of_at_least, width_s): (u32, u32),
    refused: bool,
    now: Tick,
) -> Option<Seen> {
    let refused_key = format!("{key}|refused");
    rings.count(key, ASKED_MAX, now);
    if refused {
        rings.count(&refused_key, ASKED_MAX, now);
    }
    let (of, oldest) = rings.within(key, width_s, now);
    let count = rings.since(&refused_key, oldest);
    let is_much = u64::from(count) * 100 >= u64::from(share_percent) * u64::from(of);
    // Whom nobody refuses is not suspected, whatever share is written.
    if count == 0 || of < of_at_least || !is_much {
        return None;
    }
    rings.forget(key);
    rings.forget(&refused_key);
    Some(Seen { count, of: Some(of), within_s: width_s })
}

/// Is this the answer to a recipient that does not exist, or is not for this client? Limits and passing trouble are none.
pub fn is_refused_recipient(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::UnknownRecipient | Reason::MalformedRecipient | Reason::RelayDenied)
}

/// Is this a limit on sending that was run into?
pub fn is_limit_trip(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::MessageWindow | Reason::RecipientWindow)
}
