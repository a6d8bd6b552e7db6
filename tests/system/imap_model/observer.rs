//! A connection of its own that looks at everything behind each command, so that the model knows MODSEQs and sees that
//! exactly what had to change did.

use std::collections::{BTreeMap, BTreeSet};

use tests::Facteur;

use super::client::{Client, Enabled};
use super::told::{Difference, Told};
use super::truth::{Effect, Message, Truth};

const ITEMS: &str = "(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (SUBJECT)])";

pub struct Observer {
    client: Client,
    pub uid_validity: u32,
}

/// What changed since the last look.
#[derive(Debug, Default)]
pub struct Look {
    pub rows: BTreeMap<u32, Message>,
    pub gone: BTreeSet<u32>,
}

impl Observer {
    pub fn connect(server: &Facteur) -> Result<Observer, Difference> {
        let mut client = Client::connect(server, Enabled::Qresync)?;
        let answer = client.command(b"SELECT INBOX")?;
        let validity = answer.told.iter().find_map(|told| match told {
            Told::UidValidity(validity) => Some(*validity),
            _ => None,
        });
        let empty = answer.told.contains(&Told::Exists(0));
        let uid_validity = validity.filter(|_| empty).ok_or("INBOX is not new")?;
        Ok(Observer { client, uid_validity })
    }

    /// What changed behind a MODSEQ.
    pub fn look(&mut self, since: u64) -> Result<Look, Difference> {
        let answer =
            self.client.command(format!("UID FETCH 1:* {ITEMS} (CHANGEDSINCE {since} VANISHED)").as_bytes())?;
        let mut look = Look::default();
        for told in answer.told {
            match told {
                Told::Vanished { earlier: false, uids } => look.gone.extend(uids),
                Told::Fetch(it) if it.size.is_some() => {
                    let (Some(uid), Some(flags), Some(mod_seq)) = (it.uid, it.flags, it.mod_seq) else {
                        return Err(format!("not what was asked: {it:?}"));
                    };
                    let subject = it.subject.unwrap_or_default();
                    look.rows.insert(uid, Message { flags, mod_seq, subject, size: it.size, date: it.date });
                }
                _ => (),
            }
        }
        Ok(look)
    }

    /// Exactly `effect` happened, and MODSEQ grew with it.
    pub fn sync(&mut self, truth: &mut Truth, effect: &Effect) -> Result<(), Difference> {
        let look = self.look(truth.highest)?;
        if look.gone != effect.gone {
            return Err(format!("{:?} went instead of {:?}", look.gone, effect.gone));
        }
        let changed: BTreeSet<u32> = effect.changed.difference(&effect.gone).copied().collect();
        let seen: BTreeSet<u32> = look.rows.keys().copied().collect();
        if seen != changed {
            return Err(format!("{seen:?} changed instead of {changed:?}"));
        }
        for (uid, message) in &look.rows {
            truth.observe(*uid, message, true)?;
        }
        let largest = look.rows.values().map(|message| message.mod_seq).max();
        truth.highest = truth.highest.max(largest.unwrap_or(0));
        Ok(())
    }

    pub fn uid_next(&mut self) -> Result<u32, Difference> {
        let answer = self.client.command(b"STATUS INBOX (MESSAGES UIDNEXT)")?;
        let said = answer.told.iter().find_map(|told| match told {
            Told::Status { uid_next, .. } => *uid_next,
            _ => None,
        });
        said.ok_or_else(|| format!("no UIDNEXT: {answer:?}"))
    }

    /// Every message, whatever was told before.
    pub fn check_all(&mut self, truth: &mut Truth) -> Result<(), Difference> {
        let look = self.look(0)?;
        if !look.rows.keys().eq(truth.messages.keys()) {
            return Err(format!("there are {:?}", look.rows.keys().collect::<Vec<_>>()));
        }
        look.rows.iter().try_for_each(|(uid, message)| truth.observe(*uid, message, false))
    }
}
