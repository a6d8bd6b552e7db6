//! Limits that only watch (`observed`): counted in rings of their own as if they refused, and never refusing.

use plan::{Observed, Window};

use crate::class::{Block, Client};
use crate::rings::{OBSERVED, Rings, Tick, WOULD};
use crate::row;
use crate::tables::Tables;
use crate::transaction::Keys;

/// How long somebody who would have had too many recipients in one message is not said again.
const SAID_AGAIN_S: u32 = 86_400;

/// A limit that only watches would have refused this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Would {
    /// `may_send.person-outside.observed.recipients_attempted/1h`.
    pub rule: String,
    /// For the first time in the window's own width.
    pub is_first: bool,
}

/// What one transaction is watched by.
#[derive(Debug)]
pub(crate) struct Watch {
    observed: Observed,
    path: String,
    /// Behind the event in the keys of rings.
    subject: String,
    told: Vec<Would>,
}

impl Watch {
    /// `None` where nothing is watched.
    pub fn of(tables: &Tables, block: Block, client: &Client, today: &str) -> Option<Watch> {
        let Block::Send(index) = block else { return None };
        let row = row::of(tables, index, client, today);
        let observed = row.row.observed.clone()?;
        let (scope, subject) = Keys::scope(tables, tables.send_block(index).0, client);
        let path = format!("{}.observed", row.path);
        Some(Watch { observed, path, subject: format!("{scope}|{subject}"), told: Vec::new() })
    }

    pub fn told(&mut self) -> Vec<Would> {
        std::mem::take(&mut self.told)
    }

    /// A message the limits that refuse let pass. What it reserves is given back with the others.
    pub fn message(&mut self, tables: &Tables, rings: &mut Rings, now: Tick) -> Option<(String, Tick)> {
        let keep = &tables.keep_observed;
        let (attempted, accepted) = (keep.messages_attempted, keep.messages_accepted);
        let is_full = self.is_full(rings, ["messages_attempted", "messages_accepted"], now);
        self.count(rings, "messages_attempted", attempted, now);
        if is_full { None } else { self.count(rings, "messages_accepted", accepted, now) }
    }

    /// A recipient that the limits that refuse let pass, or not; `accepted_before` is how many were accepted before it, where
    /// it is new.
    pub fn recipient(
        &mut self,
        tables: &Tables,
        rings: &mut Rings,
        passes: bool,
        accepted_before: Option<usize>,
        now: Tick,
    ) -> Option<(String, Tick)> {
        let keep = &tables.keep_observed;
        let (attempted, accepted) = (keep.recipients_attempted, keep.recipients_accepted);
        // What another limit refuses is no news of this one.
        let is_full = passes && self.is_full(rings, ["recipients_attempted", "recipients_accepted"], now);
        self.count(rings, "recipients_attempted", attempted, now);
        let before = accepted_before?;
        if is_full {
            return None;
        }
        let most = self.observed.recipients_in_one_message;
        if most.is_some_and(|most| before >= most as usize) {
            let once = Window { max: 1, width_s: SAID_AGAIN_S };
            self.tell(
                rings,
                "recipients_in_one_message",
                format!("{}.recipients_in_one_message", self.path),
                once,
                now,
            );
            return None;
        }
        self.count(rings, "recipients_accepted", accepted, now)
    }

    fn key(&self, event: &str) -> String {
        format!("{OBSERVED}{event}|{}", self.subject)
    }

    fn is_full(&mut self, rings: &mut Rings, events: [&str; 2], now: Tick) -> bool {
        let full = self
            .observed
            .windows()
            .into_iter()
            .filter(|(event, _)| events.contains(event))
            .find_map(|(event, windows)| Some((event, *rings.full(&self.key(event), windows.list(), now)?)));
        let Some((event, window)) = full else { return false };
        let rule = format!("{}.{event}/{}", self.path, window.width_name());
        self.tell(rings, event, rule, Window { max: 1, ..window }, now);
        true
    }

    /// Each window is told of once in its own width.
    fn tell(&mut self, rings: &mut Rings, event: &str, rule: String, once: Window, now: Tick) {
        let said = format!("{WOULD}{event}|{}|{}", self.subject, once.width_s);
        let is_first = rings.full(&said, &[once], now).is_none();
        if is_first {
            rings.count(&said, 1, now);
        }
        self.told.push(Would { rule, is_first });
    }

    fn count(&self, rings: &mut Rings, event: &str, keep: u32, now: Tick) -> Option<(String, Tick)> {
        if keep == 0 {
            return None;
        }
        let key = self.key(event);
        let at = rings.count(&key, keep, now);
        Some((key, at))
    }
}

#[cfg(test)]
mod tests;
