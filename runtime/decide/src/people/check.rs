//! What one line of a list may say.

use mail::Login;

use super::Wanted;
use crate::tables::Tables;

/// Characters of a name, of a unit.
const NAME_CHARS_MAX: usize = 128;
const UNIT_CHARS_MAX: usize = 64;
const ID_OCTETS_MAX: usize = 128;
/// Former addresses of one person.
const FORMER_MAX: usize = 50;
/// A petabyte is a slip of the pen.
const QUOTA_OCTETS_MAX: u64 = 1 << 50;

/// Everything about it that no other line decides.
pub(super) fn row(tables: &Tables, wanted: &Wanted) -> Result<(), String> {
    name("first name", &wanted.first, true)?;
    name("last name", &wanted.last, false)?;
    let who = format!("{} {}", wanted.first, wanted.last);
    if wanted.foreign_id.len() > ID_OCTETS_MAX || wanted.foreign_id.chars().any(char::is_control) {
        return Err(format!("the id of {who} is too long, or no text"));
    }
    if let Some(login) = &wanted.login
        && (Login::new(login).is_none() || login.starts_with(['$', '-']))
    {
        return Err(format!("{login:?} is no login: letters, digits, `-` and `.`, at most 64"));
    }
    let until = wanted.until.as_deref().unwrap_or_default();
    for text in [wanted.registered.as_str(), until].into_iter().filter(|text| !text.is_empty()) {
        day(text).ok_or_else(|| format!("{text:?} is no day: write 2027-08-31"))?;
    }
    if !until.is_empty() && until < wanted.registered.as_str() {
        return Err(format!("the last day of {who}, {until}, is before the first, {}", wanted.registered));
    }
    if wanted.former.len() > FORMER_MAX {
        return Err(format!("{who} has more than {FORMER_MAX} former addresses"));
    }
    if wanted.quota_octets.is_some_and(|octets| octets == 0 || octets > QUOTA_OCTETS_MAX) {
        return Err(format!("the quota of {who} is nothing, or more than there is"));
    }
    let plan = tables.plan();
    if let Some(profile) = &wanted.profile {
        known("profile", profile, plan.mailboxes.profiles.keys(), &who)?;
    }
    if let Some(home) = &wanted.home {
        known("home", home, plan.routes.homes.keys(), &who)?;
    }
    match &wanted.unit {
        Some(unit) if unit.chars().count() > UNIT_CHARS_MAX || unit.chars().any(char::is_control) => {
            Err(format!("the unit of {who} is too long, or no text"))
        }
        _ => Ok(()),
    }
}

/// A name people have. Control characters would stand in header fields and on letters.
pub fn name(what: &str, text: &str, may_be_empty: bool) -> Result<(), String> {
    if text.trim().is_empty() && !may_be_empty {
        return Err(format!("the {what} is missing"));
    }
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(format!("the {what} has more than {NAME_CHARS_MAX} characters"));
    }
    if text.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)) {
        return Err(format!("the {what} has control characters in it"));
    }
    Ok(())
}

/// Is it a day of a calendar, as `2027-08-31`?
pub fn day(text: &str) -> Option<()> {
    let number = |range: std::ops::Range<usize>| -> Option<u32> {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let dashes = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    (dashes && (1..=days).contains(&day)).then_some(())
}

fn known<'n>(kind: &str, given: &str, names: impl Iterator<Item = &'n String>, who: &str) -> Result<(), String> {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.contains(&given) {
        return Ok(());
    }
    let there = if names.is_empty() { "there is none".to_owned() } else { format!("there are {}", names.join(", ")) };
    Err(format!("{who} has unknown {kind} {given:?}; {there}"))
}
