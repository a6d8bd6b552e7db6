//! What the child says on its standard output: each step before it is made, and after it was acknowledged. A line ends
//! with ` .`, so that one cut by death is known.

use std::io::Write;
use std::sync::Mutex;

use super::step::{Step, number, read_pairs, write_pairs};
use crate::OpResult;

#[derive(Clone, Debug)]
pub(super) enum Record {
    /// Thread `0` of the pair is about to do this.
    Intent(u64, Step),
    Acknowledged(u64, Answer),
    /// The step was refused, or failed in a way that promises it did not happen.
    Not(u64, String),
    /// The store stopped: the step may have happened or not.
    Unknown(u64),
    /// What a mailbox was seen to have reached.
    Mark(Mark),
    /// Something the child saw that must not be.
    Bad(String),
    /// How far the child got.
    Stage(Stage),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Opening,
    /// It could not be opened at this try.
    Unopened,
    Opened,
    /// Every account exists.
    People,
    /// All steps were made.
    Done,
}

const STAGES: [(Stage, &str); 5] = [
    (Stage::Opening, "opening"),
    (Stage::Unopened, "unopened"),
    (Stage::Opened, "opened"),
    (Stage::People, "people"),
    (Stage::Done, "done"),
];

/// Numbers that never go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) mailbox: u32,
    pub(super) uidvalidity: u32,
    pub(super) uidnext: u32,
    pub(super) modseq: u64,
}

/// The answer to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// (mailbox, UIDVALIDITY, UID) of each new message.
    Placed(Vec<(u32, u32, u32)>),
    /// (UID, MODSEQ).
    Flagged(Vec<(u32, u64)>),
    /// UIDVALIDITY of the target, (old UID, new UID).
    Copied(u32, Vec<(u32, u32)>),
    Expunged(Vec<u32>, u64),
    Created(u32),
    Done,
}

impl Answer {
    /// From the result of the first op of a step.
    pub(super) fn from_result(result: &OpResult) -> Answer {
        match result {
            OpResult::Delivered { placed, .. } => {
                Answer::Placed(placed.iter().map(|p| (p.mailbox.number(), p.uidvalidity, p.uid)).collect())
            }
            OpResult::Appended { mailbox, uidvalidity, uid, .. } => {
                Answer::Placed(vec![(mailbox.number(), *uidvalidity, *uid)])
            }
            OpResult::Flagged { rows, .. } => Answer::Flagged(rows.iter().map(|row| (row.uid, row.modseq)).collect()),
            OpResult::Copied { uidvalidity, uids, .. } => Answer::Copied(*uidvalidity, uids.clone()),
            OpResult::Taken(taken) => {
                Answer::Expunged(taken.iter().flat_map(|(_, uids)| uids.iter().copied()).collect(), 0)
            }
            OpResult::Expunged { uids, modseq, .. } => Answer::Expunged(uids.clone(), *modseq),
            OpResult::Created(mailbox) => Answer::Created(mailbox.number()),
            _ => Answer::Done,
        }
    }

    fn write(&self) -> String {
        match self {
            Answer::Placed(placed) => {
                let places: Vec<_> = placed.iter().map(|(m, v, u)| (format!("{m}:{v}"), u)).collect();
                format!("placed {}", write_pairs(&places))
            }
            Answer::Flagged(rows) => format!("flagged {}", write_pairs(rows)),
            Answer::Copied(uidvalidity, uids) => format!("copied {uidvalidity} {}", write_pairs(uids)),
            Answer::Expunged(uids, modseq) => {
                let uids: Vec<_> = uids.iter().map(|uid| (uid, 0)).collect();
                format!("expunged {modseq} {}", write_pairs(&uids))
            }
            Answer::Created(mailbox) => format!("created {mailbox}"),
            Answer::Done => "done".to_owned(),
        }
    }

    fn read(words: &mut std::str::SplitWhitespace) -> Answer {
        let kind = words.next().unwrap();
        let mut word = || words.next().unwrap();
        let narrow = |pairs: Vec<(u64, u64)>| pairs.into_iter().map(|(a, b)| (a as u32, b as u32)).collect();
        match kind {
            "placed" => Answer::Placed(word().split(',').filter_map(triple).collect()),
            "flagged" => Answer::Flagged(read_pairs(word()).into_iter().map(|(uid, m)| (uid as u32, m)).collect()),
            "copied" => Answer::Copied(number(word()) as u32, narrow(read_pairs(word()))),
            "expunged" => {
                let modseq = number(word());
                Answer::Expunged(read_pairs(word()).into_iter().map(|(uid, _)| uid as u32).collect(), modseq)
            }
            "created" => Answer::Created(number(word()) as u32),
            _ => Answer::Done,
        }
    }
}

fn triple(word: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = word.split(':').filter_map(|part| part.parse().ok());
    Some((numbers.next()?, numbers.next()?, numbers.next()?))
}

impl Record {
    fn write(&self) -> String {
        match self {
            Record::Intent(thread, step) => format!("intent {thread} {}", step.write()),
            Record::Acknowledged(thread, answer) => format!("ack {thread} {}", answer.write()),
            Record::Not(thread, why) => format!("not {thread} {}", why.replace(char::is_whitespace, "_")),
            Record::Unknown(thread) => format!("unknown {thread}"),
            Record::Mark(m) => format!("mark {} {} {} {}", m.mailbox, m.uidvalidity, m.uidnext, m.modseq),
            Record::Bad(what) => format!("bad {}", what.replace(char::is_whitespace, "_")),
            Record::Stage(stage) => {
                let name = STAGES.iter().find(|(one, _)| one == stage).map_or("", |(_, name)| name);
                format!("stage {name}")
            }
        }
    }

    /// Nothing for what is no whole record.
    pub(super) fn read(line: &str) -> Option<Record> {
        let mut words = line.strip_suffix(" .")?.split_whitespace();
        let kind = words.next()?;
        Some(match kind {
            "intent" => Record::Intent(number(words.next()?), Step::read(&mut words)),
            "ack" => Record::Acknowledged(number(words.next()?), Answer::read(&mut words)),
            "not" => Record::Not(number(words.next()?), words.next()?.to_owned()),
            "unknown" => Record::Unknown(number(words.next()?)),
            "mark" => {
                let mut next = || words.next().map(number);
                let (mailbox, uidvalidity) = (next()? as u32, next()? as u32);
                Record::Mark(Mark { mailbox, uidvalidity, uidnext: next()? as u32, modseq: next()? })
            }
            "bad" => Record::Bad(words.next()?.to_owned()),
            "stage" => {
                let name = words.next()?;
                Record::Stage(STAGES.iter().find(|(_, one)| *one == name)?.0)
            }
            _ => return None,
        })
    }
}

/// The child's end.
#[derive(Default)]
pub(super) struct Journal(Mutex<()>);

impl Journal {
    /// One write, in the order of the calls. A child whose parent is gone has nothing left to do.
    pub(super) fn say(&self, record: &Record) {
        let _alone = self.0.lock().unwrap();
        let line = format!("\n{} .\n", record.write());
        if std::io::stdout().write_all(line.as_bytes()).is_err() {
            std::process::exit(1);
        }
    }
}
