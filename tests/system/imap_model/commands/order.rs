//! SORT, THREAD, UIDBATCHES.

use tests::random::Random;

use super::reads::key;
use super::{Command, Seen, Sight};
use crate::imap_model::client::{Enabled, Rules};
use crate::imap_model::told::Told;

/// Those that are there and have what was asked, as the client knows them: UIDs.
fn expected(seen: &Seen, numbers: &[u32], holds: &super::reads::Holds) -> Vec<u32> {
    numbers.iter().copied().filter(|uid| seen.truth.messages.contains_key(uid) && holds(seen.truth, *uid)).collect()
}

/// What was found, as UIDs in the order told.
fn found(told: &[u32], numbers: &[u32], by_uid: bool) -> Vec<u32> {
    let uid = |number: &u32| if by_uid { *number } else { numbers.get(*number as usize - 1).copied().unwrap_or(0) };
    told.iter().map(uid).collect()
}

/// By size, or by the subject, whose one letter is the same in all of them: then the digits decide as text.
pub fn sort(sight: &Sight, random: &mut Random) -> Option<Command> {
    let by_uid = sight.by_uid_only || random.below(2) == 0;
    let (keys, holds) = key(sight.truth, random);
    let (reverse, by_size) = (random.below(2) == 0, random.below(2) == 0);
    let numbers = sight.numbers.clone();
    let (prefix, sign) = (if by_uid { "UID " } else { "" }, if reverse { "REVERSE " } else { "" });
    let line = format!("{prefix}SORT ({sign}{}) UTF-8 {keys}", if by_size { "SIZE" } else { "SUBJECT" });
    let rules = Rules { holds_back: !by_uid, ..Rules::default() };
    Some(Command { rules, ..Command::new(line) }.checked(move |seen| {
        let said =
            seen.answer.told.iter().find_map(|told| if let Told::Sort(found) = told { Some(found) } else { None });
        let Some(said) = said else { return Err("no SORT".to_owned()) };
        let found = found(said, &numbers, by_uid);
        let mut order = expected(seen, &numbers, &holds);
        let sizes_known = order.iter().all(|uid| seen.truth.messages[uid].size.is_some());
        match by_size {
            true => order.sort_by_key(|uid| seen.truth.messages[uid].size),
            false => order.sort_by_key(|uid| seen.truth.messages[uid].subject.clone()),
        }
        if reverse {
            // Equal ones stay in the order of the mailbox.
            order.reverse();
            let message = |uid: &u32| &seen.truth.messages[uid];
            let same = |a: &u32, b: &u32| match by_size {
                true => message(a).size == message(b).size,
                false => message(a).subject == message(b).subject,
            };
            order.chunk_by_mut(same).for_each(<[u32]>::reverse);
        }
        if by_size && !sizes_known {
            let (mut some, mut others) = (found, order);
            some.sort_unstable();
            others.sort_unstable();
            return if some == others { Ok(()) } else { Err(format!("SORT found {some:?} instead of {others:?}")) };
        }
        if found == order { Ok(()) } else { Err(format!("SORT found {found:?} instead of {order:?}")) }
    }))
}

/// Each message that is found is in one thread, once.
pub fn thread(sight: &Sight, random: &mut Random) -> Option<Command> {
    let by_uid = sight.by_uid_only || random.below(2) == 0;
    let (keys, holds) = key(sight.truth, random);
    let algorithm = ["REFERENCES", "ORDEREDSUBJECT"][random.below(2) as usize];
    let numbers = sight.numbers.clone();
    let line = format!("{}THREAD {algorithm} UTF-8 {keys}", if by_uid { "UID " } else { "" });
    let rules = Rules { holds_back: !by_uid, ..Rules::default() };
    Some(Command { rules, ..Command::new(line) }.checked(move |seen| {
        let said =
            seen.answer.told.iter().find_map(|told| if let Told::Thread(found) = told { Some(found) } else { None });
        let Some(said) = said else { return Err("no THREAD".to_owned()) };
        let mut found = found(said, &numbers, by_uid);
        found.sort_unstable();
        let expected = expected(seen, &numbers, &holds);
        if found == expected { Ok(()) } else { Err(format!("THREAD found {found:?} instead of {expected:?}")) }
    }))
}

/// One batch holds all that the model has, from the newest down to UID 1.
pub fn uid_batches(sight: &Sight, _: &mut Random) -> Option<Command> {
    if sight.enabled == Enabled::Nothing {
        return None;
    }
    Some(Command::new("UIDBATCHES 500").checked(|seen| {
        let batches = seen.answer.told.iter().find_map(|told| match told {
            Told::UidBatches(batches) => Some(batches.clone()),
            _ => None,
        });
        // One that is gone and was not told to be may be the newest.
        let newest = seen.truth.messages.keys().next_back().copied();
        let holds = |high: u32| newest.is_none_or(|uid| uid <= high) && high < seen.truth.uid_next;
        match batches.as_deref() {
            Some([(high, 1)]) if holds(*high) => Ok(()),
            Some([]) if newest.is_none() => Ok(()),
            batches => Err(format!("UIDBATCHES {batches:?}, and the newest is {newest:?}")),
        }
    }))
}
