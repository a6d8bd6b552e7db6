//! APPEND, REPLACE, and mailboxes beside the one of the model: CREATE, DELETE, RENAME, STATUS.

use tests::random::Random;

use super::{Command, Seen, Sight};
use crate::imap_model::told::{Difference, Told, code, flag_list, set};
use crate::imap_model::truth::{Change, Message};

/// More messages would make every look at them slow.
const MESSAGES_MAX: usize = 70;

/// A message, and how APPEND says it behind the mailbox.
fn message(random: &mut Random) -> (Message, String) {
    let subject = format!("n{}", random.below(1_000_000));
    let content = format!("Subject: {subject}\r\n\r\n{}\r\n", "x".repeat(random.below(500) as usize));
    let flags = (random.below(128) & random.below(128) & random.below(128)) as u8;
    let day = 10 + random.below(20);
    let date = (random.below(2) == 0).then(|| format!("{day}-Jan-2020 10:00:00 +0100"));
    let written = date.as_ref().map(|date| format!(" \"{date}\"")).unwrap_or_default();
    let size = content.len();
    let said = format!(" ({}){written} {{{size}+}}\r\n{content}", flag_list(flags));
    (Message { flags, mod_seq: 0, subject, size: Some(size as u64), date }, said)
}

pub fn append(sight: &Sight, random: &mut Random) -> Option<Command> {
    if sight.truth.messages.len() > MESSAGES_MAX {
        return None;
    }
    let (message, said) = message(random);
    Some(Command::new(format!("APPEND INBOX{said}")).does(Change::Arrive(message)).checked(told_uids))
}

/// Several at once (RFC 3502).
pub fn append_several(sight: &Sight, random: &mut Random) -> Option<Command> {
    if sight.truth.messages.len() > MESSAGES_MAX {
        return None;
    }
    let several = (0..2 + random.below(3)).map(|_| message(random));
    let (messages, said): (Vec<Message>, String) = several.unzip();
    Some(Command::new(format!("APPEND INBOX{said}")).does(Change::ArriveTogether(messages)).checked(told_uids))
}

/// APPENDUID names the messages that are new, in their order.
fn told_uids(seen: &Seen) -> Result<(), Difference> {
    let said = code(&seen.answer.text, "APPENDUID").and_then(|code| code.split(' ').nth(1));
    let said = said.map(set).transpose()?.unwrap_or_default();
    let expected: Vec<u32> = seen.effect.changed.iter().copied().collect();
    if said == expected { Ok(()) } else { Err(format!("APPENDUID {said:?} instead of {expected:?}")) }
}

/// One message in place of another, in one step (RFC 8508).
pub fn replace(sight: &Sight, random: &mut Random) -> Option<Command> {
    let there: Vec<u32> = sight.truth.messages.keys().copied().collect();
    if sight.read_only || there.is_empty() {
        return None;
    }
    let uid = there[random.below(there.len() as u64) as usize];
    let (by, said) = message(random);
    Some(Command::new(format!("UID REPLACE {uid} INBOX{said}")).does(Change::Replace { uid, by }))
}

fn side(random: &mut Random) -> String {
    format!("side{}", random.below(4))
}

pub fn create(sight: &Sight, random: &mut Random) -> Option<Command> {
    let name = side(random);
    let command = Command::new(format!("CREATE {name}"));
    Some(match sight.truth.sides.contains_key(&name) {
        true => command.refused("NO"),
        false => command.does(Change::Create(name)),
    })
}

pub fn delete(sight: &Sight, random: &mut Random) -> Option<Command> {
    let name = side(random);
    let command = Command::new(format!("DELETE {name}"));
    Some(match sight.truth.sides.contains_key(&name) {
        true => command.does(Change::Delete(name)),
        false => command.refused("NO"),
    })
}

pub fn rename(sight: &Sight, random: &mut Random) -> Option<Command> {
    let (from, to) = (side(random), side(random));
    let command = Command::new(format!("RENAME {from} {to}"));
    Some(match sight.truth.sides.contains_key(&from) && !sight.truth.sides.contains_key(&to) {
        true => command.does(Change::Rename(from, to)),
        false => command.refused("NO"),
    })
}

pub fn status(sight: &Sight, random: &mut Random) -> Option<Command> {
    let name = if random.below(2) == 0 { "INBOX".to_owned() } else { side(random) };
    let expected = match name.as_str() {
        "INBOX" => Some(sight.truth.messages.len() as u32),
        side => sight.truth.sides.get(side).copied(),
    };
    let command = Command::new(format!("STATUS {name} (MESSAGES)"));
    let Some(expected) = expected else { return Some(command.refused("NO")) };
    Some(command.checked(move |seen| {
        let said = seen.answer.told.iter().find(|told| matches!(told, Told::Status { .. }));
        match said {
            Some(Told::Status { messages, .. }) if *messages == expected => Ok(()),
            said => Err(format!("STATUS {said:?} instead of {expected}")),
        }
    }))
}
