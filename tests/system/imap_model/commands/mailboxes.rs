//! APPEND, and mailboxes beside the one of the model: CREATE, DELETE, RENAME, STATUS.

use tests::random::Random;

use super::{Command, Sight};
use crate::imap_model::told::{Told, code, flag_list};
use crate::imap_model::truth::{Change, Message};

/// More messages would make every look at them slow.
const MESSAGES_MAX: usize = 70;

pub fn append(sight: &Sight, random: &mut Random) -> Option<Command> {
    if sight.truth.messages.len() > MESSAGES_MAX {
        return None;
    }
    let subject = format!("n{}", random.below(1_000_000));
    let content = format!("Subject: {subject}\r\n\r\n{}\r\n", "x".repeat(random.below(500) as usize));
    let flags = (random.below(128) & random.below(128) & random.below(128)) as u8;
    let day = 10 + random.below(20);
    let date = (random.below(2) == 0).then(|| format!("{day}-Jan-2020 10:00:00 +0100"));
    let written = date.as_ref().map(|date| format!(" \"{date}\"")).unwrap_or_default();
    let size = content.len();
    let line = format!("APPEND INBOX ({}){written} {{{size}+}}\r\n{content}", flag_list(flags));
    let message = Message { flags, mod_seq: 0, subject, size: Some(size as u64), date };
    Some(Command::new(line).does(Change::Arrive(message)).checked(|seen| {
        let said = code(&seen.answer.text, "APPENDUID").and_then(|code| code.split(' ').nth(1)?.parse().ok());
        match seen.effect.changed.first() {
            uid if uid == said.as_ref() => Ok(()),
            uid => Err(format!("APPENDUID {said:?} instead of {uid:?}")),
        }
    }))
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
