//! STORE.

use tests::random::Random;

use super::{Command, Named, Seen, Sight};
use crate::imap_model::client::{Enabled, Rules, Silent};
use crate::imap_model::told::{DELETED, Difference, code, flag_list, set};
use crate::imap_model::truth::{Change, Mode};

pub fn store(sight: &Sight, random: &mut Random) -> Option<Command> {
    any(sight, random, false, None)
}

pub fn store_silent(sight: &Sight, random: &mut Random) -> Option<Command> {
    any(sight, random, true, None)
}

/// UNCHANGEDSINCE something between long ago and now.
pub fn store_conditionally(sight: &Sight, random: &mut Random) -> Option<Command> {
    if sight.enabled == Enabled::Nothing {
        return None;
    }
    let since = match random.below(4) {
        0 => sight.truth.highest,
        1 => 0,
        _ => sight.truth.highest.saturating_sub(random.below(30)),
    };
    let silent = random.below(2) == 0;
    any(sight, random, silent, Some(since))
}

fn any(sight: &Sight, random: &mut Random, silent: bool, unchanged_since: Option<u64>) -> Option<Command> {
    let named = Named::some(sight, random)?;
    let (mode, sign) =
        [(Mode::Add, "+"), (Mode::Add, "+"), (Mode::Remove, "-"), (Mode::Replace, "")][random.below(4) as usize];
    let deleted = if random.below(3) == 0 { DELETED } else { 0 };
    let flags = (1 << random.below(7)) | (random.below(128) & random.below(128)) as u8 & !DELETED | deleted;
    let since = unchanged_since.map(|since| format!(" (UNCHANGEDSINCE {since})")).unwrap_or_default();
    let word = if silent { ".SILENT" } else { "" };
    let line = format!("{}STORE {}{since} {sign}FLAGS{word} ({})", named.prefix, named.set, flag_list(flags));
    let silence = Silent { uids: named.uids.clone(), mode, flags };
    let rules = Rules { holds_back: !named.is_by_uid(), silent: silent.then_some(silence), ..Rules::default() };
    let change = Change::Flags { uids: named.uids.clone(), mode, flags, unchanged_since };
    let enabled = sight.enabled;
    let (by_uid, uids, numbers) = (named.is_by_uid(), named.uids, sight.numbers.clone());
    let command = Command { rules, ..Command::new(line) }.does(change).checked(move |seen| {
        modified(seen, by_uid, &numbers)?;
        told(seen, &uids, enabled, silent)
    });
    Some(if sight.read_only { command.not_here() } else { command })
}

/// MODIFIED names those that were left alone, and no others.
fn modified(seen: &Seen, by_uid: bool, numbers: &[u32]) -> Result<(), Difference> {
    let said = code(&seen.answer.text, "MODIFIED").map(set).transpose()?.unwrap_or_default();
    let name = |uid: &u32| match by_uid {
        true => Some(*uid),
        false => numbers.iter().position(|of| of == uid).map(|at| at as u32 + 1),
    };
    let expected: Vec<u32> = seen.effect.modified.iter().filter_map(name).collect();
    if said == expected { Ok(()) } else { Err(format!("MODIFIED {said:?} instead of {expected:?}")) }
}

/// Each message is told, with its flags unless it is silent.
fn told(seen: &Seen, uids: &[u32], enabled: Enabled, silent: bool) -> Result<(), Difference> {
    for uid in seen.truth.among(uids).iter().filter(|uid| !seen.effect.modified.contains(uid)) {
        let last = seen.fetched.iter().rev().find(|(of, _)| of == uid).map(|(_, it)| it);
        let flags = last.and_then(|it| it.flags);
        let message = &seen.truth.messages[uid];
        if !silent && flags != Some(message.flags) {
            return Err(format!("STORE of UID {uid} told {last:?} of {message:?}"));
        }
        if enabled >= Enabled::Condstore && last.and_then(|it| it.mod_seq) != Some(message.mod_seq) {
            return Err(format!("STORE of UID {uid} told {last:?}, MODSEQ is {}", message.mod_seq));
        }
    }
    Ok(())
}
