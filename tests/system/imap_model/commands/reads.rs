//! FETCH, SEARCH, NOOP.

use tests::random::Random;

use super::{Command, Named, Seen, Sight};
use crate::imap_model::client::{Enabled, Rules};
use crate::imap_model::told::{Difference, FLAGS, Told};
use crate::imap_model::truth::{Change, Mode, Truth};

pub fn noop(_: &Sight, random: &mut Random) -> Option<Command> {
    Some(Command::new(["NOOP", "CHECK"][random.below(2) as usize]))
}

pub fn fetch(sight: &Sight, random: &mut Random) -> Option<Command> {
    let named = Named::some(sight, random)?;
    let items =
        ["(FLAGS)", "(UID FLAGS RFC822.SIZE)", "(UID INTERNALDATE FLAGS)", "FAST", "(UID RFC822.SIZE ENVELOPE)"];
    let items = items[random.below(5) as usize];
    let rules = Rules { holds_back: !named.is_by_uid(), ..Rules::default() };
    let line = format!("{}FETCH {} {items}", named.prefix, named.set);
    Some(Command { rules, ..Command::new(line) }.checked(move |seen| is_told(seen, &named.uids, items)))
}

/// Every message that is there, with everything that was asked.
fn is_told(seen: &Seen, uids: &[u32], items: &str) -> Result<(), Difference> {
    for uid in seen.truth.among(uids) {
        let message = &seen.truth.messages[&uid];
        let all = |it: &super::Fetched| {
            let flags = !(items.contains("FLAGS") || items == "FAST") || it.flags == Some(message.flags);
            let size = !(items.contains("SIZE") || items == "FAST") || (it.size.is_some() && it.size == message.size);
            let date = !(items.contains("DATE") || items == "FAST") || (it.date.is_some() && it.date == message.date);
            let subject = !items.contains("BODY") || it.subject.as_ref() == Some(&message.subject);
            flags && size && date && subject
        };
        if !seen.fetched.iter().any(|(of, it)| *of == uid && all(it)) {
            return Err(format!("FETCH {items} of UID {uid} is not told: {message:?}, {:?}", seen.fetched));
        }
    }
    Ok(())
}

/// Reading the content leaves `\Seen` behind, unless it is peeked at.
pub fn fetch_content(sight: &Sight, random: &mut Random) -> Option<Command> {
    let named = Named::some(sight, random)?;
    let peeks = random.below(2) == 0;
    let item = if peeks { "BODY.PEEK[]" } else { "BODY[]" };
    let rules = Rules { holds_back: !named.is_by_uid(), ..Rules::default() };
    let command = Command { rules, ..Command::new(format!("{}FETCH {} ({item})", named.prefix, named.set)) };
    let uids = named.uids.clone();
    let change = match peeks || sight.read_only {
        true => Change::Nothing,
        false => {
            let flags = crate::imap_model::told::SEEN;
            Change::Flags { uids: named.uids, mode: Mode::Add, flags, unchanged_since: None }
        }
    };
    Some(command.does(change).checked(move |seen| is_told(seen, &uids, item)))
}

/// Exactly those that changed since, and what went.
pub fn fetch_changed(sight: &Sight, random: &mut Random) -> Option<Command> {
    if sight.enabled == Enabled::Nothing {
        return None;
    }
    let since = sight.truth.highest.saturating_sub(random.below(40));
    let vanished = if sight.enabled >= Enabled::Qresync && random.below(2) == 0 { " VANISHED" } else { "" };
    let line = format!("UID FETCH 1:* (FLAGS RFC822.SIZE) (CHANGEDSINCE {since}{vanished})");
    Some(Command::new(line).checked(move |seen| {
        let changed: Vec<u32> =
            seen.truth.messages.iter().filter(|(_, it)| it.mod_seq > since).map(|(uid, _)| *uid).collect();
        let told: Vec<u32> = seen.fetched.iter().filter(|(_, it)| it.size.is_some()).map(|(uid, _)| *uid).collect();
        if told != changed {
            return Err(format!("CHANGEDSINCE {since} told {told:?} instead of {changed:?}"));
        }
        is_told(seen, &changed, "(FLAGS RFC822.SIZE)")?;
        let alive = seen.answer.told.iter().find_map(|told| match told {
            Told::Vanished { uids, .. } => uids.iter().find(|uid| seen.truth.messages.contains_key(uid)),
            _ => None,
        });
        alive.map_or(Ok(()), |uid| Err(format!("UID {uid} vanished and is there")))
    }))
}

/// Does a message have what a key asks for?
pub type Holds = Box<dyn Fn(&Truth, u32) -> bool>;

/// A key and the messages it finds.
pub fn key(truth: &Truth, random: &mut Random) -> (String, Holds) {
    let at = random.below(5) as usize;
    let words = ["ANSWERED", "FLAGGED", "DELETED", "SEEN", "DRAFT"];
    let bit = 1_u8 << at;
    match random.below(6) {
        0 => (words[at].to_owned(), Box::new(move |truth, uid| truth.messages[&uid].flags & bit != 0)),
        1 => (format!("UN{}", words[at]), Box::new(move |truth, uid| truth.messages[&uid].flags & bit == 0)),
        2 => {
            let at = 5 + random.below(2) as usize;
            (format!("KEYWORD {}", FLAGS[at]), Box::new(move |truth, uid| truth.messages[&uid].flags & 1 << at != 0))
        }
        3 => {
            let from = random.below(u64::from(truth.uid_next) + 1) as u32 + 1;
            (format!("UID {from}:{}", u32::MAX), Box::new(move |_, uid| uid >= from))
        }
        4 => {
            let size = 100 + random.below(400);
            let larger = move |truth: &Truth, uid| truth.messages[&uid].size.is_some_and(|it: u64| it > size);
            (format!("LARGER {size}"), Box::new(larger))
        }
        _ => {
            let digit = random.below(10).to_string();
            let text = format!("SUBJECT {digit}");
            (text, Box::new(move |truth, uid| truth.messages[&uid].subject.contains(&digit)))
        }
    }
}

pub fn search(sight: &Sight, random: &mut Random) -> Option<Command> {
    let by_uid = sight.by_uid_only || random.below(2) == 0;
    let (one, first) = key(sight.truth, random);
    let (two, second) = key(sight.truth, random);
    let (keys, both) = match random.below(3) {
        0 => (one, 0),
        1 => (format!("{one} {two}"), 1),
        _ => (format!("OR {one} NOT {two}"), 2),
    };
    let holds = move |truth: &Truth, uid: u32| match both {
        0 => first(truth, uid),
        1 => first(truth, uid) && second(truth, uid),
        _ => first(truth, uid) || !second(truth, uid),
    };
    let numbers = sight.numbers.clone();
    let rules = Rules { holds_back: !by_uid, ..Rules::default() };
    let line = format!("{}SEARCH {keys}", if by_uid { "UID " } else { "" });
    Some(Command { rules, ..Command::new(line) }.checked(move |seen| {
        let there = numbers.iter().enumerate().filter(|(_, uid)| seen.truth.messages.contains_key(uid));
        let found = there.filter(|(_, uid)| holds(seen.truth, **uid));
        let expected: Vec<u32> = found.map(|(at, uid)| if by_uid { *uid } else { at as u32 + 1 }).collect();
        match seen.answer.told.iter().find_map(|told| if let Told::Search(found) = told { Some(found) } else { None }) {
            Some(found) if *found == expected => Ok(()),
            found => Err(format!("SEARCH found {found:?} instead of {expected:?}")),
        }
    }))
}

pub fn no_such_number(sight: &Sight, random: &mut Random) -> Option<Command> {
    // Under UIDONLY those that are there are not to be named by number either.
    let number = match sight.enabled {
        Enabled::UidOnly => 1,
        _ => sight.numbers.len() as u64 + 1 + random.below(3),
    };
    let line = [format!("FETCH {number} FLAGS"), format!("COPY {number} INBOX")];
    let mut command = Command::new(line[random.below(2) as usize].clone()).refused("BAD");
    command.rules.holds_back = command.line.starts_with(b"FETCH");
    command.without_news = sight.enabled == Enabled::UidOnly;
    Some(command)
}
