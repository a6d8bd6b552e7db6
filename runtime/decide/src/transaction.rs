//! One mail transaction under the limits of its block, in the order of judgement of the policy language.
//!
//! What counts: a message attempt is a valid MAIL; a recipient attempt is a syntactically valid RCPT after an accepted
//! MAIL, whatever the answer. Accepted messages and recipients are reserved at MAIL and RCPT and given back when the
//! transaction ends without 250. RSET and lost connections take no attempt back.

use std::collections::HashSet;

use mail::reply;
use plan::{EmptySender, RECIPIENTS_CEILING, Row, SeveralBlocks, WhenOver, Window, Windows};

use crate::class::{Block, Client};
use crate::envelope::{Auth, Cell, RecipientClass, SenderClass, Verdict};
use crate::observe::{Watch, Would};
use crate::reason::{Reason, Refusal};
use crate::rings::{Rings, Tick, address_key};
use crate::row;
use crate::tables::Tables;

/// A transaction whose MAIL was accepted.
#[derive(Debug)]
pub struct Transaction {
    client: Client,
    block: Block,
    sender: SenderClass,
    limits: Limits,
    /// Folded addresses of accepted recipients.
    recipients: HashSet<String>,
    /// Reservations to give back unless the message is accepted.
    reserved: Vec<(String, Tick)>,
    /// Limits that only watch.
    observed: Option<Watch>,
}

/// What an accepted RCPT adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    New,
    /// The same address again: 250, and nothing changes.
    Again,
}

/// The limits of this transaction, resolved once at MAIL.
#[derive(Debug)]
enum Limits {
    Sending {
        row: Box<Row>,
        path: String,
        keys: Keys,
    },
    /// A receiving block whose clients `strangers` judges; the ring of unknown recipients.
    Strangers {
        unknown_key: String,
    },
    None,
}

/// Ring keys of one subject in one block.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    messages_attempted: String,
    messages_accepted: String,
    recipients_attempted: String,
    recipients_accepted: String,
}

impl Keys {
    /// The block that is meant, or all, and who is.
    pub(crate) fn scope<'b>(tables: &Tables, block: &'b str, client: &Client) -> (&'b str, String) {
        match &client.account {
            Some(account) => {
                // Rows kept per client address are always per block.
                let together = tables.plan().one_account_in_several_blocks == SeveralBlocks::CountedTogether;
                (if together { "*" } else { block }, format!("account:{}", account.login))
            }
            None => (block, format!("address:{}", address_key(client.address))),
        }
    }

    fn of(tables: &Tables, block: &str, client: &Client) -> Keys {
        let (scope, subject) = Keys::scope(tables, block, client);
        let key = |event: &str| format!("{event}|{scope}|{subject}");
        Keys {
            messages_attempted: key("messages_attempted"),
            messages_accepted: key("messages_accepted"),
            recipients_attempted: key("recipients_attempted"),
            recipients_accepted: key("recipients_accepted"),
        }
    }
}

impl Transaction {
    /// Judges MAIL. `declared_size_octets` is SIZE (RFC 1870), `today` is `YYYY-MM-DD` for grants that end.
    pub fn mail(
        tables: &Tables,
        rings: &mut Rings,
        client: &Client,
        sender: SenderClass,
        declared_size_octets: Option<u64>,
        today: &str,
        now: Tick,
    ) -> Result<Transaction, Refusal> {
        let block = tables.connection(client.listener, client.class)?;
        before_limits(tables, client, sender)?;
        let limits = Limits::of(tables, block, client, today);
        let observed = Watch::of(tables, block, client, today);
        let mut transaction = Transaction {
            client: client.clone(),
            block,
            sender,
            limits,
            recipients: HashSet::new(),
            reserved: Vec::new(),
            observed,
        };
        transaction.count_message(tables, rings, now)?;
        let size_octets_max = tables.plan().mailboxes.message_size_octets;
        if declared_size_octets.is_some_and(|size| size > size_octets_max) {
            transaction.end(rings, false);
            return Err(too_large(size_octets_max));
        }
        if let Some(observed) = &mut transaction.observed {
            transaction.reserved.extend(observed.message(tables, rings, now));
        }
        Ok(transaction)
    }

    fn count_message(&mut self, tables: &Tables, rings: &mut Rings, now: Tick) -> Result<(), Refusal> {
        match &self.limits {
            Limits::Sending { row, path, keys } => {
                let attempted = windows_full(rings, &keys.messages_attempted, &row.messages_attempted, now);
                let accepted = windows_full(rings, &keys.messages_accepted, &row.messages_accepted, now);
                rings.count(&keys.messages_attempted, tables.keep.messages_attempted, now);
                if let Some((event, window)) =
                    later(attempted.map(|w| ("messages_attempted", w)), accepted.map(|w| ("messages_accepted", w)))
                {
                    let rule = format!("{path}.{event}/{}", window.width_name());
                    return Err(over_window(tables, Reason::MessageWindow, rule, "messages", window));
                }
                if tables.keep.messages_accepted > 0 {
                    let at = rings.count(&keys.messages_accepted, tables.keep.messages_accepted, now);
                    self.reserved.push((keys.messages_accepted.clone(), at));
                }
                Ok(())
            }
            Limits::Strangers { .. } => stranger_message(tables, rings, &self.client, now),
            Limits::None => Ok(()),
        }
    }

    /// Judges one syntactically valid RCPT. `address` is the folded forward-path.
    pub fn rcpt(
        &mut self,
        tables: &Tables,
        rings: &mut Rings,
        recipient: RecipientClass,
        address: &str,
        now: Tick,
    ) -> Result<Accepted, Refusal> {
        let again = self.recipients.contains(address);
        let judged = self.judge_rcpt(tables, rings, (recipient, address, again), now);
        if let Some(observed) = &mut self.observed {
            let is_new = judged == Ok(Accepted::New);
            let before = self.recipients.len() - usize::from(is_new);
            let new = is_new.then_some(before);
            self.reserved.extend(observed.recipient(tables, rings, judged.is_ok(), new, now));
        }
        judged
    }

    fn judge_rcpt(
        &mut self,
        tables: &Tables,
        rings: &mut Rings,
        (recipient, address, again): (RecipientClass, &str, bool),
        now: Tick,
    ) -> Result<Accepted, Refusal> {
        self.count_recipient(tables, rings, now)?;
        if !again {
            self.room_for_one_more(tables)?;
        }
        let verdict = self.verdict(tables, recipient);
        if let Some(refusal) = verdict.refusal() {
            if recipient == RecipientClass::Unknown {
                self.count_unknown(tables, rings, now);
            }
            return Err(refusal);
        }
        if again {
            return Ok(Accepted::Again);
        }
        self.recipients.insert(address.to_owned());
        if let Limits::Sending { keys, .. } = &self.limits
            && tables.keep.recipients_accepted > 0
        {
            let at = rings.count(&keys.recipients_accepted, tables.keep.recipients_accepted, now);
            self.reserved.push((keys.recipients_accepted.clone(), at));
        }
        Ok(Accepted::New)
    }

    /// Would a recipient with this folded address be judged, or does a limit answer for it? Nothing is counted. Whoever
    /// knows the recipient is not asked when the answer cannot matter.
    pub fn is_open(&self, tables: &Tables, rings: &Rings, address: &str, now: Tick) -> bool {
        let has_room = self.recipients.contains(address) || self.room_for_one_more(tables).is_ok();
        has_room && self.recipient_window(tables, rings, now).is_ok()
    }

    /// Windows come before the recipient: with a full one every RCPT gets the same answer, so a stolen account learns
    /// nothing about which addresses exist.
    fn count_recipient(&self, tables: &Tables, rings: &mut Rings, now: Tick) -> Result<(), Refusal> {
        let judged = self.recipient_window(tables, rings, now);
        if let Limits::Sending { keys, .. } = &self.limits {
            rings.count(&keys.recipients_attempted, tables.keep.recipients_attempted, now);
        }
        judged
    }

    fn recipient_window(&self, tables: &Tables, rings: &Rings, now: Tick) -> Result<(), Refusal> {
        match &self.limits {
            Limits::Sending { row, path, keys } => {
                let attempted = windows_full(rings, &keys.recipients_attempted, &row.recipients_attempted, now);
                let accepted = windows_full(rings, &keys.recipients_accepted, &row.recipients_accepted, now);
                let full =
                    later(attempted.map(|w| ("recipients_attempted", w)), accepted.map(|w| ("recipients_accepted", w)));
                match full {
                    Some((event, window)) => {
                        let rule = format!("{path}.{event}/{}", window.width_name());
                        Err(over_window(tables, Reason::RecipientWindow, rule, "recipients", window))
                    }
                    None => Ok(()),
                }
            }
            Limits::Strangers { unknown_key } => {
                let windows = tables.plan().strangers.unknown_recipients_attempted.list();
                match rings.full(unknown_key, windows, now) {
                    Some(window) => {
                        let rule = format!("strangers.unknown_recipients_attempted/{}", window.width_name());
                        let text = "too many unknown recipients from your address, try later";
                        Err(strangers_over(tables, Reason::UnknownRecipientWindow, rule, text))
                    }
                    None => Ok(()),
                }
            }
            Limits::None => Ok(()),
        }
    }

    fn room_for_one_more(&self, tables: &Tables) -> Result<(), Refusal> {
        let max = match &self.limits {
            Limits::Sending { row, .. } => row.recipients_in_one_message,
            Limits::Strangers { .. } => tables.plan().strangers.recipients_in_one_message,
            Limits::None => RECIPIENTS_CEILING,
        };
        let accepted = self.recipients.len();
        // RFC 5321 4.5.5: notifications go to one recipient.
        if self.reports_only(tables) && accepted >= 1 {
            let rule = format!("{}.empty_sender", tables.block_path(self.block));
            let text = "mail without a reverse-path goes to one recipient";
            return Err(Refusal::new(reply::TOO_MANY_RECIPIENTS, Reason::EmptySender, rule, text));
        }
        if accepted < max as usize {
            return Ok(());
        }
        let rule = match &self.limits {
            Limits::Sending { path, .. } => format!("{path}.recipients_in_one_message"),
            Limits::Strangers { .. } => "strangers.recipients_in_one_message".to_owned(),
            Limits::None => tables.block_path(self.block),
        };
        let text = format!("at most {max} recipients in one message");
        let code = match tables.plan().when_over.recipients_in_one_message {
            WhenOver::TryLater => reply::TOO_MANY_RECIPIENTS,
            WhenOver::Refuse => reply::POLICY,
        };
        Err(Refusal::new(code, Reason::RecipientsInOneMessage, rule, text))
    }

    fn reports_only(&self, tables: &Tables) -> bool {
        let Block::Send(index) = self.block else { return false };
        let rules = tables.send_block(index).1;
        self.sender == SenderClass::Empty && rules.empty_sender == EmptySender::ReportsOnly
    }

    fn count_unknown(&self, tables: &Tables, rings: &mut Rings, now: Tick) {
        if let Limits::Strangers { unknown_key } = &self.limits {
            let keep = longest(&tables.plan().strangers.unknown_recipients_attempted);
            rings.count(unknown_key, keep, now);
        }
    }

    fn verdict<'t>(&self, tables: &'t Tables, recipient: RecipientClass) -> &'t Verdict {
        tables.envelope(cell(&self.client, self.sender, recipient))
    }

    /// Judges the content's form at the final dot. `is_report`: `multipart/report`, or `Auto-Submitted` other than
    /// `no` (RFC 3834 5).
    pub fn content(&self, tables: &Tables, octets: u64, is_report: bool) -> Result<(), Refusal> {
        let size_octets_max = tables.plan().mailboxes.message_size_octets;
        if octets > size_octets_max {
            return Err(too_large(size_octets_max));
        }
        if self.reports_only(tables) && !is_report {
            let rule = format!("{}.empty_sender", tables.block_path(self.block));
            let text = "mail without a reverse-path must be a report";
            return Err(Refusal::new(reply::NOT_A_REPORT, Reason::NotAReport, rule, text));
        }
        Ok(())
    }

    /// The rule of a window of which `warn_at` was reached just now. Each is told once in its own width.
    pub fn nearing(&self, tables: &Tables, rings: &mut Rings, now: Tick) -> Option<String> {
        let (Limits::Sending { row, path, keys }, Block::Send(index)) = (&self.limits, self.block) else { return None };
        let percent = u64::from(tables.send_block(index).1.warn_at_percent);
        if percent == 0 {
            return None;
        }
        let events = [
            ("messages_attempted", &keys.messages_attempted, &row.messages_attempted),
            ("messages_accepted", &keys.messages_accepted, &row.messages_accepted),
            ("recipients_attempted", &keys.recipients_attempted, &row.recipients_attempted),
            ("recipients_accepted", &keys.recipients_accepted, &row.recipients_accepted),
        ];
        for (event, key, windows) in events {
            for window in windows.list() {
                let share = (u64::from(window.max) * percent).div_ceil(100).max(1);
                let near = Window { max: u32::try_from(share).unwrap_or(window.max), ..*window };
                let (told, once) = (format!("nearing|{key}|{}", window.width_s), Window { max: 1, ..*window });
                if rings.full(key, &[near], now).is_some() && rings.full(&told, &[once], now).is_none() {
                    rings.count(&told, 1, now);
                    return Some(format!("{path}.{event}/{}", window.width_name()));
                }
            }
        }
        None
    }

    /// What limits that only watch would have refused since this was asked last.
    pub fn would_refuse(&mut self) -> Vec<Would> {
        self.observed.as_mut().map(Watch::told).unwrap_or_default()
    }

    /// Accepted recipients so far.
    pub fn accepted(&self) -> usize {
        self.recipients.len()
    }

    pub fn block(&self) -> Block {
        self.block
    }

    pub fn sender(&self) -> SenderClass {
        self.sender
    }

    /// Ends the transaction: without a 250 its reservations are given back, its attempts stay.
    pub fn end(self, rings: &mut Rings, accepted: bool) {
        if accepted {
            return;
        }
        for (key, at) in &self.reserved {
            rings.give_back(key, *at);
        }
    }
}

impl Limits {
    fn of(tables: &Tables, block: Block, client: &Client, today: &str) -> Limits {
        match block {
            Block::Send(index) => {
                let row = row::of(tables, index, client, today);
                let keys = Keys::of(tables, tables.send_block(index).0, client);
                Limits::Sending { row: Box::new(row.row.clone()), path: row.path, keys }
            }
            Block::Receive(_) if row::strangers_judge(tables, client) => {
                Limits::Strangers { unknown_key: format!("unknown_recipients|{}", address_key(client.address)) }
            }
            Block::Receive(_) | Block::Read(_) => Limits::None,
        }
    }
}

fn cell(client: &Client, sender: SenderClass, recipient: RecipientClass) -> Cell {
    let auth = if client.account.is_some() { Auth::Good } else { Auth::None };
    Cell { listener: client.listener, class: client.class, tls: client.tls, auth, sender, recipient }
}

/// TLS, login and reverse-path: what the table says before any recipient is known, whichever recipient is asked for.
fn before_limits(tables: &Tables, client: &Client, sender: SenderClass) -> Result<(), Refusal> {
    let verdict = tables.envelope(cell(client, sender, RecipientClass::Local));
    verdict.refusal().map_or(Ok(()), Err)
}

fn windows_full<'w>(rings: &Rings, key: &str, windows: &'w Windows, now: Tick) -> Option<&'w Window> {
    rings.full(key, windows.list(), now)
}

/// Of two full windows the wider one: it frees last unless the other was filled later, which no client can tell.
fn later<'w>(
    a: Option<(&'static str, &'w Window)>,
    b: Option<(&'static str, &'w Window)>,
) -> Option<(&'static str, &'w Window)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if a.1.width_s >= b.1.width_s { a } else { b }),
        (a, b) => a.or(b),
    }
}

fn longest(windows: &Windows) -> u32 {
    windows.list().iter().map(|w| w.max).max().unwrap_or(0)
}

fn over_window(tables: &Tables, reason: Reason, rule: String, what: &str, window: &Window) -> Refusal {
    let text = format!("at most {} {what} in {}", window.max, window.width_text());
    match tables.plan().when_over.window {
        WhenOver::TryLater => Refusal::new(reply::WINDOW_FULL, reason, rule, format!("{text}, try later")),
        WhenOver::Refuse => Refusal::new(reply::POLICY, reason, rule, text),
    }
}

pub(crate) fn too_large(size_octets_max: u64) -> Refusal {
    let text = format!("at most {size_octets_max} octets in one message");
    Refusal::new(reply::TOO_LARGE, Reason::TooLarge, "mailboxes.message_size", text)
}

fn stranger_message(tables: &Tables, rings: &mut Rings, client: &Client, now: Tick) -> Result<(), Refusal> {
    let windows = &tables.plan().strangers.messages_attempted;
    let key = format!("stranger_messages|{}", address_key(client.address));
    let full = rings.full(&key, windows.list(), now).map(Window::width_name);
    rings.count(&key, longest(windows), now);
    match full {
        Some(width) => {
            let rule = format!("strangers.messages_attempted/{width}");
            let text = "too many messages from your address, try later";
            Err(strangers_over(tables, Reason::MessageWindow, rule, text))
        }
        None => Ok(()),
    }
}

fn strangers_over(tables: &Tables, reason: Reason, rule: String, text: &str) -> Refusal {
    let code = match tables.plan().strangers.when_over {
        WhenOver::TryLater => reply::WINDOW_FULL,
        WhenOver::Refuse => reply::POLICY,
    };
    Refusal::new(code, reason, rule, text)
}
