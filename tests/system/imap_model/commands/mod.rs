//! Commands the model gives: how each is written, what it does, and what its answer has to say. A command more is a function
//! more in `COMMANDS`.

mod flags;
mod mailboxes;
mod moves;
mod order;
mod reads;

use tests::random::Random;

use super::client::{Answer, Enabled, Rules};
use super::told::{Difference, Fetched};
use super::truth::{Change, Effect, Truth};

/// What a client sees when it gives a command.
pub struct Sight<'a> {
    pub truth: &'a Truth,
    /// The UIDs of its numbers, news included.
    pub numbers: Vec<u32>,
    pub enabled: Enabled,
    pub read_only: bool,
    /// Numbers of messages given now may mean others when the command is read.
    pub by_uid_only: bool,
}

/// An answer, and the mailbox around it.
pub struct Seen<'a> {
    pub answer: &'a Answer,
    pub effect: &'a Effect,
    /// Once the command was done.
    pub truth: &'a Truth,
    pub fetched: &'a [(u32, Fetched)],
}

type Check = Box<dyn Fn(&Seen) -> Result<(), Difference>>;

pub struct Command {
    /// Without the tag and the line end.
    pub line: Vec<u8>,
    pub change: Change,
    pub status: &'static str,
    pub rules: Rules,
    /// No mailbox is selected behind it.
    pub leaves: bool,
    /// It is refused before the news are told.
    pub without_news: bool,
    pub check: Check,
}

impl Command {
    pub fn new(line: impl Into<Vec<u8>>) -> Command {
        Command {
            line: line.into(),
            change: Change::Nothing,
            status: "OK",
            rules: Rules::default(),
            leaves: false,
            without_news: false,
            check: Box::new(|_| Ok(())),
        }
    }

    pub fn does(self, change: Change) -> Command {
        Command { change, ..self }
    }

    pub fn checked(self, check: impl Fn(&Seen) -> Result<(), Difference> + 'static) -> Command {
        Command { check: Box::new(check), ..self }
    }

    /// The mailbox was opened read-only.
    pub fn not_here(self) -> Command {
        let mut command = Command { without_news: true, ..self.refused("NO") };
        command.rules.holds_back = true;
        command
    }

    /// It is refused, and nothing happens.
    pub fn refused(mut self, status: &'static str) -> Command {
        self.rules.silent = None;
        Command { status, change: Change::Nothing, check: Box::new(|_| Ok(())), ..self }
    }
}

type Proposal = fn(&Sight, &mut Random) -> Option<Command>;

/// With their weights.
const COMMANDS: &[(u64, Proposal)] = &[
    (14, flags::store),
    (6, flags::store_silent),
    (6, flags::store_conditionally),
    (6, reads::fetch),
    (4, reads::fetch_content),
    (4, reads::fetch_changed),
    (8, reads::search),
    (3, order::sort),
    (2, order::thread),
    (1, order::uid_batches),
    (8, mailboxes::append),
    (2, mailboxes::append_several),
    (2, mailboxes::replace),
    (3, moves::copy),
    (5, moves::move_),
    (3, moves::expunge),
    (5, moves::uid_expunge),
    (5, reads::noop),
    (1, moves::close),
    (1, mailboxes::create),
    (1, mailboxes::delete),
    (1, mailboxes::rename),
    (2, mailboxes::status),
    (1, reads::no_such_number),
];

/// Those that several clients may give at once.
const AT_ONCE: &[(u64, Proposal)] = &[
    (6, flags::store),
    (3, flags::store_silent),
    (4, flags::store_conditionally),
    (3, reads::fetch),
    (2, reads::search),
    (4, mailboxes::append),
    (1, mailboxes::append_several),
    (1, order::sort),
    (2, moves::copy),
    (3, moves::move_),
    (3, moves::uid_expunge),
    (2, reads::noop),
];

pub fn any(sight: &Sight, random: &mut Random) -> Command {
    chosen(COMMANDS, sight, random)
}

pub fn at_once(sight: &Sight, random: &mut Random) -> Command {
    chosen(AT_ONCE, sight, random)
}

fn chosen(from: &[(u64, Proposal)], sight: &Sight, random: &mut Random) -> Command {
    let total = from.iter().map(|(weight, _)| weight).sum();
    loop {
        let mut at = random.below(total);
        for (weight, propose) in from {
            if at < *weight {
                match propose(sight, random) {
                    Some(command) => return command,
                    None => break,
                }
            }
            at -= weight;
        }
    }
}

/// Messages as a command names them.
pub struct Named {
    /// `UID ` or nothing.
    pub prefix: &'static str,
    pub set: String,
    pub uids: Vec<u32>,
}

impl Named {
    pub fn is_by_uid(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// Some messages of the mailbox: one, several or a range, by number or UID.
    pub fn some(sight: &Sight, random: &mut Random) -> Option<Named> {
        let count = sight.numbers.len() as u64;
        if count == 0 || sight.by_uid_only || random.below(2) == 0 {
            return Some(Named::by_uid(sight, random));
        }
        let (a, b) = (random.below(count) + 1, random.below(count) + 1);
        let (set, places) = match random.below(4) {
            0 => (a.to_string(), a..=a),
            1 => (format!("{a}:*"), a..=count),
            _ => (format!("{a}:{b}"), a.min(b)..=a.max(b).min(a.min(b) + 8)),
        };
        let set =
            if set.contains(':') && !set.contains('*') { format!("{}:{}", places.start(), places.end()) } else { set };
        let uids = places.filter_map(|number| sight.numbers.get(number as usize - 1).copied()).collect();
        Some(Named { prefix: "", set, uids })
    }

    pub fn by_uid(sight: &Sight, random: &mut Random) -> Named {
        let top = u64::from(sight.truth.uid_next) + 1;
        // Mostly those that are there.
        let one = |random: &mut Random| match sight.numbers.len() as u64 {
            count if count > 0 && random.below(4) > 0 => sight.numbers[random.below(count) as usize],
            _ => random.below(top) as u32 + 1,
        };
        let (a, b) = (one(random), one(random));
        let (set, uids): (String, Vec<u32>) = match random.below(3) {
            0 => (a.to_string(), vec![a]),
            1 => (format!("{a},{b}"), [a.min(b), a.max(b)].into()),
            _ => (format!("{}:{}", a, a.saturating_add(6)), (a..=a.saturating_add(6)).collect()),
        };
        let mut uids: Vec<u32> = uids;
        uids.dedup();
        Named { prefix: "UID ", set, uids }
    }
}
