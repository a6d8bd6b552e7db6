//! A decision log under another plan: each fact goes through the functions that judge mail, in the order it was judged,
//! with windows counted anew.
//!
//! A log is looked at twice and never whole in memory. A row is written when its transaction ends, so decisions of later rows may
//! come before those of earlier ones: the first look ([`Survey`]) finds how far back later rows reach, and the second
//! ([`Replay`]) judges what no later row comes before.
//!
//! What the log does not have stays as it was: what a scanner found, who was blocked by name, where an address belongs that
//! has another network now. A client that is refused at MAIL is taken to say no RCPT, and one that is refused no more to go
//! on as others do.

mod compare;
mod content;
mod survey;
#[cfg(test)]
mod tests;
mod written;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use mail::Login;
use plan::Plan;

use crate::class::{Account, Client};
use crate::facts::{End, Facts, Judged};
use crate::rings::{Rings, Tick};
use crate::tables::Tables;
use crate::transaction::Transaction;
pub use compare::{Hurt, Kind, OfRule, Report};
use compare::{Marks, Was};
pub use survey::Survey;
use written::Written;

/// Decisions one log may hold.
const DECISIONS_MAX: u64 = 50_000_000;
/// Rows, and runs of recipients in them, that wait for rows that come before them.
const WAITING_MAX: usize = 4_000_000;

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
    /// Rows stand too far from where they belong.
    OutOfOrder,
    /// The second look saw other rows than the first.
    Changed,
}

impl fmt::Display for Unreplayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreplayable::TooMany => write!(f, "more than {DECISIONS_MAX} decisions"),
            Unreplayable::OutOfOrder => write!(f, "{WAITING_MAX} rows stand before those they follow"),
            Unreplayable::Changed => write!(f, "the log changed while it was read"),
        }
    }
}

impl std::error::Error for Unreplayable {}

/// One decision, or a run of them: its moment, the row it is of, and which of the row.
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
    /// The run, and how many of it are left: each has a turn of its own.
    Recipient(u32, u32),
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

/// A row with decisions that wait.
struct Waiting {
    facts: Facts,
    /// Of its events.
    left: usize,
    state: Option<State>,
    marks: Marks,
}

/// The second look: judges a log under another plan, a row at a time.
pub struct Replay<'r> {
    tables: &'r Tables,
    with: &'r With<'r>,
    survey: Survey,
    rings: Rings,
    rows: u64,
    /// The newest tick a decision was judged at.
    newest: u32,
    events: BinaryHeap<Reverse<Event>>,
    waiting: HashMap<u32, Box<Waiting>>,
    report: Report,
    /// The log as this plan would have written it, where that is asked for.
    written: Option<Written>,
}

/// Judges a log under `tables`. Its rows may stand in any order.
pub fn replay(tables: &Tables, log: &[Facts], with: &With<'_>) -> Result<Report, Unreplayable> {
    let mut survey = Survey::default();
    log.iter().try_for_each(|facts| survey.row(tables, facts, with))?;
    let mut replay = Replay::new(tables, with, survey);
    log.iter().try_for_each(|facts| replay.row(facts.clone()))?;
    replay.end()
}

impl<'r> Replay<'r> {
    /// `survey` has seen all rows.
    pub fn new(tables: &'r Tables, with: &'r With<'r>, mut survey: Survey) -> Replay<'r> {
        survey.look_back();
        Replay {
            tables,
            with,
            report: Report::of(&survey),
            survey,
            rings: Rings::default(),
            rows: 0,
            newest: 0,
            events: BinaryHeap::new(),
            waiting: HashMap::new(),
            written: None,
        }
    }

    /// It also writes the log as a server with this plan would have written it, as far as its facts go.
    #[must_use]
    pub fn writing(self) -> Replay<'r> {
        Replay { written: Some(Written::default()), ..self }
    }

    /// Takes the next row, and judges what no later row comes before.
    pub fn row(&mut self, facts: Facts) -> Result<(), Unreplayable> {
        let row = u32::try_from(self.rows).map_err(|_| Unreplayable::TooMany)?;
        self.rows += 1;
        let left = self.await_events(&facts, row);
        let waiting = Waiting { facts, left, state: None, marks: Marks::default() };
        self.waiting.insert(row, Box::new(waiting));
        if let Some(turn) = self.survey.whole_before(self.rows) {
            self.judge_before(turn);
            // Nobody keeps these rings, and what no window holds need not be here.
            self.rings.dirty.clear();
            self.rings.sweep(Tick(self.newest));
        }
        if self.events.len() > WAITING_MAX {
            return Err(Unreplayable::OutOfOrder);
        }
        Ok(())
    }

    /// Rows that were written since this was asked last; none unless it is [writing](Replay::writing).
    pub fn wrote(&mut self) -> Vec<Facts> {
        self.written.as_mut().map(|written| std::mem::take(&mut written.rows)).unwrap_or_default()
    }

    /// All rows were there.
    pub fn finish(&mut self) -> Result<(), Unreplayable> {
        if self.rows != self.survey.rows() {
            return Err(Unreplayable::Changed);
        }
        while let Some(Reverse(event)) = self.events.pop() {
            self.judge(event);
        }
        Ok(())
    }

    /// What was found, after the last row.
    pub fn end(mut self) -> Result<Report, Unreplayable> {
        self.finish()?;
        Ok(self.report)
    }

    /// Says how many there are.
    fn await_events(&mut self, facts: &Facts, row: u32) -> usize {
        let at = |turn: u64, tick: u32, what| {
            let (turn, tick) = (facts.turn.saturating_add(turn), facts.tick.saturating_add(tick));
            Reverse(Event { turn, tick, row, what })
        };
        let before = self.events.len();
        self.events.push(at(0, 0, What::Mail));
        for (index, run) in facts.recipients.iter().enumerate().filter(|(_, run)| run.times > 0) {
            self.events.push(at(run.turn, run.tick, What::Recipient(index as u32, run.times)));
        }
        if let Some(end) = &facts.end {
            self.events.push(at(end.turn, end.tick, What::End));
        }
        self.events.len() - before
    }

    fn judge_before(&mut self, turn: u64) {
        while self.events.peek().is_some_and(|Reverse(event)| event.turn < turn) {
            if let Some(Reverse(event)) = self.events.pop() {
                self.judge(event);
            }
        }
    }

    fn judge(&mut self, event: Event) {
        let Some(mut waiting) = self.waiting.remove(&event.row) else { return };
        self.newest = self.newest.max(event.tick);
        match event.what {
            What::Mail => self.mail(event, &mut waiting),
            What::Recipient(run, left) => {
                self.recipient(event, run, &mut waiting);
                if left > 1 {
                    let (turn, what) = (event.turn.saturating_add(1), What::Recipient(run, left - 1));
                    self.events.push(Reverse(Event { turn, what, ..event }));
                    waiting.left += 1;
                }
            }
            What::End => self.content(event, &mut waiting),
        }
        waiting.left -= 1;
        if waiting.left > 0 {
            self.waiting.insert(event.row, waiting);
        }
    }

    fn mail(&mut self, event: Event, waiting: &mut Waiting) {
        let (row, now) = (event.row, Tick(event.tick));
        let Some(client) = self.client(&waiting.facts) else {
            self.unknown(waiting);
            waiting.state = Some(State::Unknown);
            return;
        };
        let facts = &waiting.facts;
        let today = (self.with.day)(facts.at_s);
        let judged = Transaction::mail(self.tables, &mut self.rings, &client, facts.sender, facts.size, &today, now);
        if let Some(written) = &mut self.written {
            written.mail(row, facts, self.with.plan, self.tables.grant(&client, &today), judged.as_ref().err());
        }
        let refused = judged.as_ref().err().map(Judged::from);
        let was = Was::mail(facts.mail.as_ref());
        self.report.compare(facts, &mut waiting.marks, self.with.judged_from_s, was, refused.as_ref());
        match (judged, refused) {
            // It was refused, so nobody knows what would have come: the message counts, and no recipient.
            (Ok(transaction), _) if facts.mail.is_some() => transaction.end(&mut self.rings, true),
            (Ok(transaction), _) => {
                waiting.state = Some(State::Open(Box::new(Going { transaction, numbered: 0, refused: None })));
            }
            (Err(_), refused) => waiting.state = refused.map(State::Refused),
        }
    }

    fn recipient(&mut self, event: Event, run: u32, waiting: &mut Waiting) {
        let now = Tick(event.tick);
        let from_s = self.with.judged_from_s;
        let Waiting { facts, state, marks, .. } = waiting;
        let Some(run) = facts.recipients.get(run as usize) else { return };
        let was = Was::recipient(run.refused.as_ref());
        match state {
            Some(State::Open(going)) => {
                let number = run.again.unwrap_or(going.numbered);
                going.numbered += u32::from(run.again.is_none());
                let address = number.to_string();
                let judged = going.transaction.rcpt(self.tables, &mut self.rings, run.to, &address, now);
                let refused = judged.err().map(|refusal| Judged::from(&refusal));
                self.report.compare(facts, marks, from_s, was, refused.as_ref());
                if let Some(written) = &mut self.written {
                    written.recipient(event.row, (event.turn, now), run.to, &address, refused.clone());
                }
                if refused.is_some() {
                    going.refused = refused;
                }
            }
            Some(State::Refused(refused)) => self.report.unreached(facts, marks, from_s, was, refused),
            // A row whose MAIL was refused has no recipients; one that has is not of ours.
            Some(State::Unknown) | None => self.report.unknown(facts, from_s),
        }
    }

    fn content(&mut self, event: Event, waiting: &mut Waiting) {
        let from_s = self.with.judged_from_s;
        let state = waiting.state.take();
        let Waiting { facts, marks, .. } = waiting;
        let Some(end) = &facts.end else { return };
        let was = Was::content(end.refused.as_ref());
        let is_decision = end.octets.is_some();
        let going = match state {
            Some(State::Open(going)) => going,
            Some(State::Refused(refused)) if is_decision => {
                return self.report.unreached(facts, marks, from_s, was, &refused);
            }
            Some(State::Unknown) if is_decision => return self.report.unknown(facts, from_s),
            Some(State::Refused(_) | State::Unknown) | None => return,
        };
        let nobody = going.transaction.accepted() == 0;
        if !is_decision {
            // Nobody was accepted then and somebody is now: the content would have come.
            let comes = end.accepted || !nobody && facts.recipients.iter().all(|run| run.refused.is_some());
            self.write_end(event, end, None, comes);
            return going.transaction.end(&mut self.rings, comes);
        }
        if nobody {
            match &going.refused {
                Some(refused) => self.report.unreached(facts, marks, from_s, was, refused),
                None => self.report.compare(facts, marks, from_s, was, end.refused.as_ref()),
            }
            // Under this plan no content would have come.
            let none = End { turn: end.turn, tick: end.tick, ..End::default() };
            self.write_end(event, &none, None, false);
            return going.transaction.end(&mut self.rings, false);
        }
        let refused = content::judged(self.tables, &going.transaction, facts, end);
        self.report.compare(facts, marks, from_s, was, refused.as_ref());
        // What a quarantine did with its reservations is a fact, too.
        let keeps = if refused == end.refused { end.accepted } else { refused.is_none() };
        self.write_end(event, end, refused, keeps);
        going.transaction.end(&mut self.rings, keeps);
    }

    fn write_end(&mut self, event: Event, end: &End, refused: Option<Judged>, accepted: bool) {
        if let Some(written) = &mut self.written {
            let end = End { refused, ..end.clone() };
            written.end(event.row, (event.turn, Tick(event.tick)), end, accepted);
        }
    }

    fn unknown(&mut self, waiting: &Waiting) {
        self.report.unknown(&waiting.facts, self.with.judged_from_s);
    }

    /// `None` when the plan has no such listener with envelopes, or no such network.
    fn client(&self, facts: &Facts) -> Option<Client> {
        let listener = self.tables.listener(&facts.listener).filter(|id| self.tables.has_envelopes(*id))?;
        let class = self.tables.class_named(&facts.class, &facts.network)?;
        let login = || self.survey.login(&facts.who, self.with).cloned().or_else(|| Login::new(&facts.who));
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
