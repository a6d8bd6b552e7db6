//! A decision log under another plan: each fact goes through the functions that judge mail, in the order it was judged,
//! with windows counted anew.
//!
//! What the log does not have stays as it was: what a scanner found, who was blocked by name, where an address belongs that
//! has another network now. A client that is refused at MAIL is taken to say no RCPT, and one that is refused no more to go
//! on as others do.

mod compare;
mod content;
#[cfg(test)]
mod tests;
mod written;

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use mail::Login;
use plan::Plan;

use crate::class::{Account, Client};
use crate::facts::{End, Facts, Judged, Run};
use crate::rings::{Rings, Tick};
use crate::tables::Tables;
use crate::transaction::Transaction;
use compare::{Changes, Was};
pub use compare::{Hurt, Kind, OfRule, Report};
use written::Written;

/// Decisions one log may hold.
const DECISIONS_MAX: u64 = 50_000_000;

/// What a replay is told beside the plan and the log.
pub struct With<'w> {
    /// Full hash of the plan the log is judged under.
    pub plan: &'w str,
    /// The plan that judged before, with its full hash: a log names its limit grants by their place in it.
    pub before: Option<(&'w str, &'w Plan)>,
    /// Logins the plan grants limits to, by their hash; empty without the key of the hashes.
    pub granted: HashMap<String, Login>,
    /// The day of a Unix second, `YYYY-MM-DD` in the institution's time zone.
    pub day: &'w dyn Fn(i64) -> String,
    /// What was decided before this Unix second fills windows and is not compared.
    pub judged_from_s: i64,
}

/// Why a log cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreplayable {
    TooMany,
}

impl fmt::Display for Unreplayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreplayable::TooMany => write!(f, "more than {DECISIONS_MAX} decisions"),
        }
    }
}

impl std::error::Error for Unreplayable {}

/// One decision: its moment, the row it is of, and which of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    turn: u64,
    row: u32,
    what: What,
    tick: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Mail,
    /// The run.
    Recipient(u32),
    End,
}

/// Where a transaction stands under the new plan.
enum State {
    Open(Box<Going>),
    /// MAIL was refused.
    Refused(Judged),
    /// The plan does not know the listener's or the network's name: nobody can say.
    Unknown,
}

/// A transaction whose MAIL was accepted.
struct Going {
    transaction: Transaction,
    /// Recipients the log numbers.
    numbered: u32,
    /// The newest refusal of a recipient.
    refused: Option<Judged>,
}

struct Replay<'r> {
    tables: &'r Tables,
    log: &'r [Facts],
    with: &'r With<'r>,
    rings: Rings,
    /// Who a hash stands for, where a limit grant is theirs.
    logins: HashMap<&'r str, Login>,
    open: HashMap<u32, State>,
    changes: Changes<'r>,
    /// The log as this plan would have written it, where that is asked for.
    written: Option<Written>,
}

/// Judges a log under `tables`. Its rows may stand in any order.
pub fn replay(tables: &Tables, log: &[Facts], with: &With<'_>) -> Result<Report, Unreplayable> {
    run(tables, log, with, None).map(|replay| replay.changes.report)
}

/// The log as a server with this plan would have written it, as far as its facts go.
pub fn rewritten(tables: &Tables, log: &[Facts], with: &With<'_>) -> Result<Vec<Facts>, Unreplayable> {
    let replay = run(tables, log, with, Some(Written::default()))?;
    Ok(replay.written.map(|written| written.rows).unwrap_or_default())
}

fn run<'r>(
    tables: &'r Tables,
    log: &'r [Facts],
    with: &'r With<'r>,
    written: Option<Written>,
) -> Result<Replay<'r>, Unreplayable> {
    let decisions = log.iter().map(Facts::decisions).fold(0, u64::saturating_add);
    if decisions > DECISIONS_MAX || u32::try_from(log.len()).is_err() {
        return Err(Unreplayable::TooMany);
    }
    let mut events = Vec::with_capacity(decisions as usize + log.len());
    for (row, facts) in log.iter().enumerate() {
        events_of(facts, row as u32, &mut events);
    }
    events.sort_unstable();
    let mut replay = Replay {
        tables,
        log,
        with,
        rings: Rings::default(),
        logins: HashMap::new(),
        open: HashMap::new(),
        changes: Changes::new(log, with.judged_from_s),
        written,
    };
    replay.name_grants();
    for event in events {
        replay.judge(event);
    }
    Ok(replay)
}

fn events_of(facts: &Facts, row: u32, events: &mut Vec<Event>) {
    let at = |turn: u64, tick: u32, what| Event {
        turn: facts.turn.saturating_add(turn),
        tick: facts.tick.saturating_add(tick),
        row,
        what,
    };
    events.push(at(0, 0, What::Mail));
    for (index, run) in facts.recipients.iter().enumerate() {
        let of_run =
            |number: u32| at(run.turn.saturating_add(u64::from(number)), run.tick, What::Recipient(index as u32));
        events.extend((0..run.times).map(of_run));
    }
    if let Some(end) = &facts.end {
        events.push(at(end.turn, end.tick, What::End));
    }
}

impl<'r> Replay<'r> {
    /// An account has one name in all its rows, or its windows would be counted apart.
    fn name_grants(&mut self) {
        for facts in self.log {
            if let Some(login) = self.with.granted.get(&facts.who) {
                self.logins.insert(&facts.who, login.clone());
                continue;
            }
            let Some(place) = facts.grant else { continue };
            let plan = match self.with.before {
                _ if facts.plan == self.with.plan => Some(self.tables.plan()),
                Some((hash, plan)) if facts.plan == hash => Some(plan),
                Some(_) | None => None,
            };
            let grant = plan.and_then(|plan| plan.limit_grants.get(place as usize));
            match grant.and_then(|grant| Login::new(&grant.login)) {
                Some(login) => drop(self.logins.insert(&facts.who, login)),
                None => self.changes.report.grants_unnamed += 1,
            }
        }
    }

    fn judge(&mut self, event: Event) {
        let Some(facts) = self.log.get(event.row as usize) else { return };
        match event.what {
            What::Mail => self.mail(event, facts),
            What::Recipient(run) => {
                if let Some(run) = facts.recipients.get(run as usize) {
                    self.recipient(event, run);
                }
            }
            What::End => self.end(event, facts),
        }
    }

    fn mail(&mut self, event: Event, facts: &'r Facts) {
        let (row, now) = (event.row, Tick(event.tick));
        let was = Was::mail(facts.mail.as_ref());
        let Some(client) = self.client(facts) else {
            self.changes.unknown(row);
            self.open.insert(row, State::Unknown);
            return;
        };
        let today = (self.with.day)(facts.at_s);
        let judged = Transaction::mail(self.tables, &mut self.rings, &client, facts.sender, facts.size, &today, now);
        if let Some(written) = &mut self.written {
            written.mail(row, facts, self.with.plan, self.tables.grant(&client, &today), judged.as_ref().err());
        }
        match judged {
            Ok(transaction) if facts.mail.is_some() => {
                self.changes.compare(row, was, None);
                // It was refused, so nobody knows what would have come: the message counts, and no recipient.
                transaction.end(&mut self.rings, true);
            }
            Ok(transaction) => {
                self.changes.compare(row, was, None);
                self.open.insert(row, State::Open(Box::new(Going { transaction, numbered: 0, refused: None })));
            }
            Err(refusal) => {
                let refused = Judged::from(&refusal);
                self.changes.compare(row, was, Some(&refused));
                self.open.insert(row, State::Refused(refused));
            }
        }
    }

    fn recipient(&mut self, event: Event, run: &'r Run) {
        let (row, now) = (event.row, Tick(event.tick));
        let was = Was::recipient(run.refused.as_ref());
        match self.open.get_mut(&row) {
            Some(State::Open(going)) => {
                let number = run.again.unwrap_or(going.numbered);
                going.numbered += u32::from(run.again.is_none());
                let address = number.to_string();
                let judged = going.transaction.rcpt(self.tables, &mut self.rings, run.to, &address, now);
                let refused = judged.err().map(|refusal| Judged::from(&refusal));
                self.changes.compare(row, was, refused.as_ref());
                if let Some(written) = &mut self.written {
                    written.recipient(row, (event.turn, now), run.to, &address, refused.clone());
                }
                if refused.is_some() {
                    going.refused = refused;
                }
            }
            Some(State::Refused(refused)) => self.changes.unreached(row, was, refused),
            // A row whose MAIL was refused has no recipients; one that has is not of ours.
            Some(State::Unknown) | None => self.changes.unknown(row),
        }
    }

    fn end(&mut self, event: Event, facts: &'r Facts) {
        let row = event.row;
        let Some(end) = &facts.end else { return };
        let was = Was::content(end.refused.as_ref());
        let is_decision = end.octets.is_some();
        let going = match self.open.remove(&row) {
            Some(State::Open(going)) => going,
            Some(State::Refused(refused)) if is_decision => return self.changes.unreached(row, was, &refused),
            Some(State::Unknown) if is_decision => return self.changes.unknown(row),
            Some(State::Refused(_) | State::Unknown) | None => return,
        };
        let nobody = going.transaction.accepted() == 0;
        if !is_decision {
            // Nobody was accepted then and somebody is now: the content would have come.
            let comes = end.accepted || !nobody && facts.recipients.iter().all(|run| run.refused.is_some());
            self.wrote(event, end, None, comes);
            return going.transaction.end(&mut self.rings, comes);
        }
        if nobody {
            match &going.refused {
                Some(refused) => self.changes.unreached(row, was, refused),
                None => self.changes.compare(row, was, end.refused.as_ref()),
            }
            // Under this plan no content would have come.
            let none = End { turn: end.turn, tick: end.tick, ..End::default() };
            self.wrote(event, &none, None, false);
            return going.transaction.end(&mut self.rings, false);
        }
        let refused = content::judged(self.tables, &going.transaction, facts, end);
        self.changes.compare(row, was, refused.as_ref());
        // What a quarantine did with its reservations is a fact, too.
        let keeps = if refused == end.refused { end.accepted } else { refused.is_none() };
        self.wrote(event, end, refused, keeps);
        going.transaction.end(&mut self.rings, keeps);
    }

    fn wrote(&mut self, event: Event, end: &End, refused: Option<Judged>, accepted: bool) {
        if let Some(written) = &mut self.written {
            let end = End { refused, ..end.clone() };
            written.end(event.row, (event.turn, Tick(event.tick)), end, accepted);
        }
    }

    /// `None` when the plan has no such listener with envelopes, or no such network.
    fn client(&self, facts: &Facts) -> Option<Client> {
        let listener = self.tables.listener(&facts.listener).filter(|id| self.tables.has_envelopes(*id))?;
        let class = self.tables.class_named(&facts.class, &facts.network)?;
        let login = || self.logins.get(facts.who.as_str()).cloned().or_else(|| Login::new(&facts.who));
        let account = match &facts.profile {
            Some(profile) => Some(Account { login: login()?, profile: profile.clone() }),
            None => None,
        };
        Some(Client { listener, class, address: address(&facts.who), tls: facts.tls, account })
    }
}

/// An address of its own for each hash: a network of 64 bits.
fn address(who: &str) -> IpAddr {
    let digits = who.get(..16).unwrap_or(who);
    let network = u64::from_str_radix(digits, 16).unwrap_or_default();
    // The upper half of a mapped IPv4 address is 0; hashes are not.
    IpAddr::V6(Ipv6Addr::from(u128::from(network.max(1)) << 64))
}
