//! COPY, MOVE, EXPUNGE, CLOSE.

use tests::random::Random;

use super::{Command, Named, Seen, Sight};
use crate::imap_model::told::{Difference, Told, copy_uid};
use crate::imap_model::truth::Change;

pub fn copy(sight: &Sight, random: &mut Random) -> Option<Command> {
    to_somewhere(sight, random, false)
}

pub fn move_(sight: &Sight, random: &mut Random) -> Option<Command> {
    to_somewhere(sight, random, true)
}

fn to_somewhere(sight: &Sight, random: &mut Random, moves: bool) -> Option<Command> {
    let named = Named::some(sight, random)?;
    let side = format!("side{}", random.below(4));
    let to = (random.below(3) > 0).then_some(side);
    let word = if moves { "MOVE" } else { "COPY" };
    let place = to.as_deref().unwrap_or("INBOX");
    let command = Command::new(format!("{}{word} {} {place}", named.prefix, named.set));
    if moves && sight.read_only {
        return Some(command.not_here());
    }
    let uids = sight.truth.among(&named.uids);
    if to.as_ref().is_some_and(|side| !sight.truth.sides.contains_key(side)) {
        // TRYCREATE, if there is anything to take there.
        return Some(command.refused(if uids.is_empty() { "OK" } else { "NO" }));
    }
    let into_itself = to.is_none();
    let change = Change::Copy { uids: named.uids, to, moves };
    Some(command.does(change).checked(move |seen| paired(seen, &uids, into_itself)))
}

/// COPYUID pairs what went with what came (RFC 4315 3).
fn paired(seen: &Seen, uids: &[u32], into_itself: bool) -> Result<(), Difference> {
    let untagged = seen.answer.told.iter().find(|told| matches!(told, Told::CopyUid { .. })).cloned();
    let said = match (uids.is_empty(), untagged) {
        (true, None) => return Ok(()),
        (_, Some(told)) => told,
        (false, None) => copy_uid(&seen.answer.text)?,
    };
    let Told::CopyUid { from, to } = said else { return Err("no COPYUID".to_owned()) };
    let pairs: Vec<(u32, u32)> = from.iter().copied().zip(to.iter().copied()).collect();
    if from.len() != to.len() || from != uids || (into_itself && pairs != seen.effect.copied) {
        return Err(format!("COPYUID {from:?} {to:?} of {uids:?}, {:?}", seen.effect));
    }
    Ok(())
}

pub fn expunge(sight: &Sight, _: &mut Random) -> Option<Command> {
    let command =
        Command::new("EXPUNGE").does(Change::Expunge { uids: sight.truth.messages.keys().copied().collect() });
    Some(if sight.read_only { command.not_here() } else { command })
}

pub fn uid_expunge(sight: &Sight, random: &mut Random) -> Option<Command> {
    let named = Named::by_uid(sight, random);
    let command = Command::new(format!("UID EXPUNGE {}", named.set)).does(Change::Expunge { uids: named.uids });
    Some(if sight.read_only { command.not_here() } else { command })
}

/// Expunges without a word.
pub fn close(sight: &Sight, _: &mut Random) -> Option<Command> {
    let uids = if sight.read_only { Vec::new() } else { sight.truth.messages.keys().copied().collect() };
    let mut command = Command { leaves: true, ..Command::new("CLOSE") }.does(Change::Expunge { uids });
    command.rules.holds_back = true;
    Some(command)
}
