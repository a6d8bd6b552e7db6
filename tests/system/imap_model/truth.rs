//! What is in the mailbox, and how changes change it.

use std::collections::{BTreeMap, BTreeSet};

use super::told::{DELETED, Difference};

/// A message of the mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub flags: u8,
    /// As the observer was told.
    pub mod_seq: u64,
    pub subject: String,
    /// Known at once for what the model appends, else from the first look.
    pub size: Option<u64>,
    pub date: Option<String>,
}

/// The mailbox.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    pub messages: BTreeMap<u32, Message>,
    pub uid_next: u32,
    /// The largest MODSEQ of a message so far.
    pub highest: u64,
    /// Other mailboxes and how many messages they have.
    pub sides: BTreeMap<String, u32>,
}

/// How flags change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Replace,
    Add,
    Remove,
}

impl Mode {
    pub fn applied(self, before: u8, given: u8) -> u8 {
        match self {
            Mode::Replace => given,
            Mode::Add => before | given,
            Mode::Remove => before & !given,
        }
    }
}

/// What a command does to the mailbox.
#[derive(Clone, Debug)]
pub enum Change {
    Nothing,
    Flags {
        uids: Vec<u32>,
        mode: Mode,
        flags: u8,
        unchanged_since: Option<u64>,
    },
    /// Only those with `\Deleted`.
    Expunge {
        uids: Vec<u32>,
    },
    Arrive(Message),
    /// All of them or none.
    ArriveTogether(Vec<Message>),
    /// One takes the place of another.
    Replace {
        uid: u32,
        by: Message,
    },
    /// `None` is the mailbox itself.
    Copy {
        uids: Vec<u32>,
        to: Option<String>,
        moves: bool,
    },
    /// Mailboxes beside it.
    Create(String),
    Delete(String),
    Rename(String, String),
}

/// What the answer to a change has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Messages that are new or have other flags.
    pub changed: BTreeSet<u32>,
    pub gone: BTreeSet<u32>,
    /// UIDs a conditional STORE leaves alone.
    pub modified: Vec<u32>,
    /// UIDs here and UIDs in the mailbox itself.
    pub copied: Vec<(u32, u32)>,
}

impl Truth {
    /// Those of the UIDs that exist.
    pub fn among(&self, uids: &[u32]) -> Vec<u32> {
        uids.iter().copied().filter(|uid| self.messages.contains_key(uid)).collect()
    }

    pub fn apply(&mut self, change: &Change) -> Effect {
        let mut effect = Effect::default();
        match change {
            Change::Nothing => (),
            Change::Flags { uids, mode, flags, unchanged_since } => {
                for uid in uids {
                    let Some(message) = self.messages.get_mut(uid) else { continue };
                    if unchanged_since.is_some_and(|since| message.mod_seq > since) {
                        effect.modified.push(*uid);
                        continue;
                    }
                    let after = mode.applied(message.flags, *flags);
                    if after != message.flags {
                        message.flags = after;
                        effect.changed.insert(*uid);
                    }
                }
            }
            Change::Expunge { uids } => {
                let has = |uid: &&u32| self.messages.get(uid).is_some_and(|message| message.flags & DELETED != 0);
                effect.gone = uids.iter().filter(has).copied().collect();
                self.messages.retain(|uid, _| !effect.gone.contains(uid));
            }
            Change::Arrive(message) => drop(effect.changed.insert(self.add(message.clone()))),
            Change::ArriveTogether(messages) => {
                effect.changed = messages.iter().map(|message| self.add(message.clone())).collect();
            }
            Change::Replace { uid, by } => {
                effect.changed.insert(self.add(by.clone()));
                effect.gone.insert(*uid);
                self.messages.remove(uid);
            }
            Change::Create(name) => drop(self.sides.insert(name.clone(), 0)),
            Change::Delete(name) => drop(self.sides.remove(name)),
            Change::Rename(from, to) => {
                if let Some(count) = self.sides.remove(from) {
                    self.sides.insert(to.clone(), count);
                }
            }
            Change::Copy { uids, to, moves } => {
                let from = self.among(uids);
                match to {
                    Some(side) => *self.sides.entry(side.clone()).or_default() += from.len() as u32,
                    None => {
                        let copies: Vec<(u32, Message)> =
                            from.iter().map(|uid| (*uid, self.messages[uid].clone())).collect();
                        effect.copied = copies.into_iter().map(|(uid, copy)| (uid, self.add(copy))).collect();
                        effect.changed = effect.copied.iter().map(|(_, to)| *to).collect();
                    }
                }
                if *moves {
                    effect.gone = from.into_iter().collect();
                    self.messages.retain(|uid, _| !effect.gone.contains(uid));
                }
            }
        }
        effect
    }

    pub fn add(&mut self, message: Message) -> u32 {
        let uid = self.uid_next;
        self.uid_next += 1;
        self.messages.insert(uid, message);
        uid
    }

    /// Takes what the observer saw of a message. `expected`: it had to change.
    pub fn observe(&mut self, uid: u32, seen: &Message, expected: bool) -> Result<(), Difference> {
        let (highest, message) = (self.highest, self.messages.get_mut(&uid));
        let message = message.ok_or_else(|| format!("UID {uid} is there and should not be"))?;
        if message.flags != seen.flags || message.subject != seen.subject {
            return Err(format!("UID {uid} should be {message:?} and is {seen:?}"));
        }
        if message.size.is_some_and(|size| Some(size) != seen.size)
            || (message.date.is_some() && message.date != seen.date)
        {
            return Err(format!("UID {uid} should stay {message:?} and is {seen:?}"));
        }
        match expected {
            true if seen.mod_seq <= highest => {
                return Err(format!("UID {uid} changed and has {seen:?} below {highest}"));
            }
            false if seen.mod_seq != message.mod_seq => {
                return Err(format!("UID {uid} did not change: {message:?}, {seen:?}"));
            }
            true | false => (),
        }
        (message.mod_seq, message.size, message.date) = (seen.mod_seq, seen.size, seen.date.clone());
        Ok(())
    }
}
