//! Facts of transactions for the decision log, one row each: what MAIL, every RCPT and the content were judged by
//! (`decide::Facts`), so that a day can be judged again under another plan. Rows are written behind the reply, never before
//! it, and one that finds no place is counted in the next.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use decide::{
    ClassKind, Client, End, FACTS_EVENT, FACTS_SCHEMA, Facts, Judged, RecipientClass, Recorder, Refusal, Rings,
    SenderClass, Tick, Transaction, address_key,
};
use serde::Deserialize;
use store::{Op, ReadError, Store};

use crate::service::Service;
use crate::throttle::{Line, Throttle};
use crate::{clock, decisions};

/// The setting that says from which Unix second on the log has all that counts in a window.
const KNOWN_FROM: &str = "decisions.known-from";
/// Rows that are looked at for the newest moment: they are written when transactions end, not in the order of moments.
const NEWEST_ROWS: usize = 1_000;
/// No window is wider.
pub(crate) const WIDEST_S: i64 = 86_400;

/// What all transactions share.
#[derive(Debug, Default)]
pub struct Recording {
    /// Decisions that have no row since the last row that was written.
    left_out: AtomicU32,
    /// Strangers who are refused again and again cost only so many rows.
    strangers: Throttle,
}

/// The facts of one transaction. The last that holds them writes the row.
pub struct Recorded {
    service: Arc<Service>,
    row: Mutex<Row>,
}

struct Row {
    recorder: Option<Recorder>,
    ended: Option<(u64, Tick, bool)>,
}

/// Judges MAIL and begins its row; that of a refused one is written at once.
pub fn mail(
    service: &Arc<Service>,
    client: &Client,
    sender: SenderClass,
    size: Option<u64>,
) -> Result<(Transaction, Recorded), Refusal> {
    let (at_s, today, now) = (clock::unix_s(), service.today(), service.clock.now());
    let (judged, turn) = {
        let mut rings = service.rings();
        let judged = Transaction::mail(&service.tables, &mut rings, client, sender, size, &today, now);
        (judged, rings.turn())
    };
    let facts = Facts { sender, size, turn, tick: now.0, at_s, ..of_client(service, client, &today) };
    match judged {
        Ok(transaction) => {
            let row = Mutex::new(Row { recorder: Some(Recorder::new(facts)), ended: None });
            Ok((transaction, Recorded { service: service.clone(), row }))
        }
        Err(refusal) => {
            write(service, Facts { mail: Some(Judged::from(&refusal)), ..facts });
            Err(refusal)
        }
    }
}

fn of_client(service: &Service, client: &Client, today: &str) -> Facts {
    let tables = &service.tables;
    let network = match tables.class_kind(client.class) {
        ClassKind::Network => String::new(),
        ClassKind::Gateway | ClassKind::Application => tables.class_name(tables.class_network(client.class)).to_owned(),
    };
    let name = match &client.account {
        Some(account) => account.login.to_string(),
        None => address_key(client.address),
    };
    Facts {
        schema: FACTS_SCHEMA,
        event: FACTS_EVENT.to_owned(),
        at_s: 0,
        plan: service.plan_full.clone(),
        listener: tables.listener_name(client.listener).to_owned(),
        class: tables.class_name(client.class).to_owned(),
        network,
        block: tables.block(client.listener, client.class).map(|block| tables.block_path(block)).unwrap_or_default(),
        tls: client.tls,
        who: decisions::hashed(&name, &service.decisions_key),
        profile: client.account.as_ref().map(|account| account.profile.clone()),
        grant: tables.grant(client, today),
        sender: SenderClass::Empty,
        size: None,
        turn: 0,
        tick: 0,
        mail: None,
        recipients: Vec::new(),
        end: None,
        left_out: 0,
    }
}

impl Recorded {
    fn with(&self, change: impl FnOnce(&mut Row)) {
        change(&mut self.row.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn recipient(&self, turn: u64, now: Tick, to: RecipientClass, address: &str, refused: Option<&Refusal>) {
        self.with(|row| {
            if let Some(recorder) = &mut row.recorder {
                recorder.recipient(turn, now, to, address, refused.map(Judged::from));
            }
        });
    }

    /// What is known of the content.
    pub fn content(&self, note: impl FnOnce(&mut End)) {
        self.with(|row| {
            if let Some(recorder) = &mut row.recorder {
                note(recorder.content());
            }
        });
    }

    pub fn ended(&self, turn: u64, now: Tick, accepted: bool) {
        self.with(|row| row.ended = Some((turn, now, accepted)));
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        let row = self.row.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let (Some(recorder), Some((turn, now, accepted))) = (row.recorder.take(), row.ended) {
            write(&self.service, recorder.end(turn, now, accepted));
        }
    }
}

/// Writes a row soon.
fn write(service: &Service, facts: Facts) {
    let recording = &service.recording;
    let decisions = u32::try_from(facts.decisions()).unwrap_or(u32::MAX).saturating_add(facts.left_out);
    let is_loud = !facts.is_of_account() && facts.end.as_ref().is_none_or(|end| !end.accepted);
    // By the second it is now: transactions that began apart may end together.
    if is_loud && recording.strangers.line(clock::unix_s()) == Line::LeftOut {
        recording.left_out.fetch_add(decisions, Ordering::Relaxed);
        return;
    }
    let left_out = recording.left_out.swap(0, Ordering::Relaxed);
    let at_s = facts.at_s;
    let facts = Facts { left_out: facts.left_out.saturating_add(left_out), ..facts };
    // INVARIANT: strings and numbers always have a JSON form.
    let row = serde_json::to_string(&facts).unwrap_or_default();
    if !service.records.behind(Op::LogDecision { at_s, row }) {
        recording.left_out.fetch_add(decisions.saturating_add(left_out), Ordering::Relaxed);
        service.metrics.records_dropped.inc();
    }
}

/// Keeps from when on the log has all that counts: from the first start where no window holds anything yet, else a day later.
pub fn known_from(store: &Store, rings: &Rings) -> Result<Option<Op>, ReadError> {
    if store.setting(KNOWN_FROM)?.is_some() {
        return Ok(None);
    }
    let from_s = clock::unix_s() + if rings.is_empty() { 0 } else { WIDEST_S };
    Ok(Some(Op::Setting { key: KNOWN_FROM.to_owned(), value: Some(from_s.to_string().into_bytes()) }))
}

/// See [`known_from`].
pub fn is_known_from_s(store: &Store) -> Result<i64, ReadError> {
    let kept = store.setting(KNOWN_FROM)?;
    let text = kept.as_deref().and_then(|octets| std::str::from_utf8(octets).ok());
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(i64::MAX))
}

/// The newest moment of the log, and the newest turn.
pub fn newest(store: &Store) -> Result<(Tick, u64), ReadError> {
    #[derive(Default, Deserialize)]
    struct Moment {
        #[serde(default)]
        tick: u32,
        #[serde(default)]
        turn: u64,
    }
    #[derive(Deserialize)]
    struct Row {
        #[serde(flatten)]
        began: Moment,
        /// Counted from where it began.
        #[serde(default)]
        end: Moment,
    }
    let rows = store.decisions(NEWEST_ROWS)?;
    let rows = rows.iter().filter_map(|(_, row)| serde_json::from_str::<Row>(row).ok());
    Ok(rows.fold((Tick(0), 0), |(tick, turn), row| {
        let ended = (row.began.tick.saturating_add(row.end.tick), row.began.turn.saturating_add(row.end.turn));
        (tick.max(Tick(ended.0)), turn.max(ended.1))
    }))
}

/// Turns begin at the moment the clock of windows says: 100,000 in each of its ticks.
pub fn turn_at(epoch_s: i64, now: Tick) -> u64 {
    let epoch_ms = u64::try_from(epoch_s).unwrap_or(0).saturating_mul(1_000);
    epoch_ms.saturating_add(u64::from(now.0) * 100).saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use store::{Options, Store};

    use super::*;

    /// The clock of the machine was set back between two starts, and no window was counting.
    #[test]
    fn turns_go_on_behind_the_newest_row_whatever_the_wall_clock_says() {
        let folder = std::env::temp_dir().join(format!("facteur-turns-{}", std::process::id()));
        let store = Store::open(&folder, Options::default()).unwrap();
        assert_eq!(newest(&store).unwrap(), (Tick(0), 0));
        let epoch_s = clock::unix_s() - 1_000;
        // An hour ahead of what the wall says now; a row without an end; one of an outcome; one that is none.
        let ahead = Tick(46_000);
        let turn = turn_at(epoch_s, ahead) + 70_000;
        let rows = [
            format!("{{\"tick\":{},\"turn\":{turn},\"end\":{{\"tick\":5,\"turn\":9}}}}", ahead.0),
            format!("{{\"tick\":{},\"turn\":{}}}", ahead.0 + 3, turn + 4),
            "{\"tick\":12,\"event\":\"delivered\"}".to_owned(),
            "no row".to_owned(),
        ];
        let op = |row: &String| Op::LogDecision { at_s: 1, row: row.clone() };
        store.commit_wait(rows.iter().map(op).collect()).unwrap();
        let (tick, last) = newest(&store).unwrap();
        assert_eq!((tick, last), (Tick(ahead.0 + 5), turn + 9));
        let clock = clock::Clock::start(epoch_s, tick);
        let mut rings = Rings::default();
        rings.turns_from(last);
        rings.turns_from(turn_at(epoch_s, clock.now()));
        assert!(clock.now() >= tick && rings.turn() > last);
        drop(store);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
