//! Integrity of the header: what must be there, what may be there once, and what says who really wrote it.

use mail::date::DateTime;
use mail::header::{field_name, is_blank};

use super::found::{Case, Found};
use super::rules;

const DAY: i64 = 86_400;

/// Fields that stand at most once (RFC 5322 3.6) and in which a second one shows different readers different things.
const ONCE: [&str; 6] = ["From", "Subject", "Date", "Message-ID", "Reply-To", "Sender"];

pub(super) fn judge(case: &Case<'_>, found: &mut Found) {
    from(case, found);
    date(case, found);
    message_id(case, found);
    if let Some(twice) = ONCE.into_iter().find(|name| case.view.count(name) > 1) {
        found.say(&rules::TWICE, twice);
    }
    raw(case, found);
    stray_lines(case, found);
    subject(case, found);
    mailer(case, found);
    encoded_ascii(case, found);
}

fn from(case: &Case<'_>, found: &mut Found) {
    let Some(field) = case.view.field("From") else {
        return found.say(&rules::NO_FROM, "");
    };
    match case.from {
        None => found.say(&rules::NO_FROM, field.text()),
        Some(from) if from.local.is_empty() || !from.domain.contains(['.', '[']) || from.domain.contains(' ') => {
            found.say(&rules::BAD_FROM, from.address());
        }
        Some(_) => {}
    }
}

fn date(case: &Case<'_>, found: &mut Found) {
    let Some(field) = case.view.field("Date") else {
        return found.say(&rules::NO_DATE, "");
    };
    let value = field.value();
    let Some(date) = DateTime::parse_rfc5322(&value) else {
        return found.say(&rules::BAD_DATE, String::from_utf8_lossy(&value));
    };
    // Zones go from -12 to +14, in steps of a quarter of an hour.
    if !(-12 * 60..=14 * 60).contains(&date.offset_minutes) || date.offset_minutes % 15 != 0 {
        found.say(&rules::ODD_ZONE, String::from_utf8_lossy(&value));
    }
    if let Some(now) = case.facts.now {
        if date.unix_seconds > now + DAY {
            found.say(&rules::LATE_DATE, String::from_utf8_lossy(&value));
        } else if date.unix_seconds < now - 10 * DAY {
            found.say(&rules::EARLY_DATE, String::from_utf8_lossy(&value));
        }
    }
}

fn message_id(case: &Case<'_>, found: &mut Found) {
    let Some(field) = case.view.field("Message-ID") else {
        return found.say(&rules::NO_MESSAGE_ID, "");
    };
    let value = field.text();
    let inner = value.trim().strip_prefix('<').and_then(|it| it.strip_suffix('>'));
    let sides = inner.and_then(|it| it.rsplit_once('@'));
    let sound = sides.is_some_and(|(left, right)| {
        !left.is_empty() && !right.is_empty() && !inner.is_some_and(|it| it.contains(char::is_whitespace))
    });
    if !sound {
        found.say(&rules::BAD_MESSAGE_ID, value);
    }
}

/// Octets above 127 in the fields that people see.
fn raw(case: &Case<'_>, found: &mut Found) {
    for field in &case.view.fields {
        if !(field.is("Subject") || field.is("From") || field.is("To") || field.is("Reply-To")) {
            continue;
        }
        let value = field.raw_value();
        if value.is_ascii() {
            continue;
        }
        let rule = if std::str::from_utf8(value).is_ok() { &rules::RAW_UTF8 } else { &rules::RAW_HEADER };
        found.say(rule, String::from_utf8_lossy(field.name()));
    }
}

/// Lines of the header that are no field and continue none. The line that mailbox files put first does not count.
fn stray_lines(case: &Case<'_>, found: &mut Found) {
    let header = &case.view.raw[case.view.structure.top.header.clone()];
    let header = &header[..header.len().min(crate::view::bounds::HEADER_OCTETS_MAX)];
    for (index, line) in header.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        let of_mailbox = index == 0 && (line.starts_with(b"From ") || line.starts_with(b">From "));
        if !(folded || of_mailbox || is_blank(line) || field_name(line).is_some()) {
            return found.say(&rules::STRAY_LINES, String::from_utf8_lossy(line));
        }
    }
}

fn subject(case: &Case<'_>, found: &mut Found) {
    let Some(subject) = case.view.subject.as_deref() else {
        return found.say(&rules::NO_SUBJECT, "");
    };
    let named = ["In-Reply-To", "References", "Thread-Index", "X-Original-Message-ID"];
    let reply = subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:"));
    if reply && named.into_iter().all(|name| case.view.field(name).is_none()) {
        found.say(&rules::FALSE_REPLY, subject);
    }
    if is_padded(subject) {
        found.say(&rules::PADDED_SUBJECT, subject);
    }
    let letters = subject.chars().filter(|c| c.is_alphabetic()).count();
    let small = subject.chars().filter(|c| c.is_lowercase()).count();
    let large = subject.chars().filter(|c| c.is_uppercase()).count();
    if small == 0 && large * 2 > letters && large >= 12 && subject.split_whitespace().count() >= 3 {
        found.say(&rules::SHOUTED_SUBJECT, subject);
    }
    if calls_by_address(case, subject) {
        found.say(&rules::ADDRESS_IN_SUBJECT, subject);
    }
    if is_gappy(subject) {
        found.say(&rules::GAPPY_SUBJECT, subject);
    }
}

/// Encoded words that hide plain letters: `=?utf-8?q?=46=72=65=65?=`.
fn encoded_ascii(case: &Case<'_>, found: &mut Found) {
    for field in case.view.fields.iter().filter(|field| field.is("Subject") || field.is("From")) {
        let value = field.raw_value();
        if !value.windows(2).any(|two| two == b"=?") {
            continue;
        }
        let letters = escaped_letters(value);
        if letters >= 4 {
            return found.say(&rules::ENCODED_ASCII, field.text());
        }
        let lower = value.to_ascii_lowercase();
        if lower.windows(3).any(|three| three == b"?b?") && field.text().is_ascii() {
            found.weigh(&rules::ENCODED_ASCII, rules::ENCODED_ASCII.thousandths / 3, field.text());
        }
    }
}

/// Letters and digits of US-ASCII written as `=46`.
pub(super) fn escaped_letters(text: &[u8]) -> usize {
    let letter = |three: &[u8]| {
        let [b'=', high @ b'3'..=b'7', low] = three else { return false };
        low.is_ascii_hexdigit()
            && (mail::mime::transfer::hex(*high) << 4 | mail::mime::transfer::hex(*low)).is_ascii_alphanumeric()
    };
    text.windows(3).filter(|three| letter(three)).count()
}

/// A run of space, then a short mark: `Great offer          gkx81`.
fn is_padded(subject: &str) -> bool {
    let words = subject.trim_end();
    let Some((before, mark)) = words.rsplit_once("      ") else { return false };
    !before.trim().is_empty() && !mark.trim().is_empty() && mark.trim().len() <= 20 && !mark.trim().contains(' ')
}

/// The Subject holds an address of the reader.
fn calls_by_address(case: &Case<'_>, subject: &str) -> bool {
    if !subject.contains('@') {
        return false;
    }
    let subject = subject.to_lowercase();
    case.view.to.iter().any(|to| !to.local.is_empty() && to.domain.contains('.') && subject.contains(&to.address()))
}

/// Five single letters in a row with space or marks between them: `V I A G R A`.
fn is_gappy(subject: &str) -> bool {
    let mut row = 0;
    for word in subject.split(|c: char| c.is_whitespace() || matches!(c, '.' | '-' | '_' | '*' | '\'')) {
        let mut chars = word.chars();
        let single = chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none();
        row = if single { row + 1 } else { 0 };
        if row >= 5 {
            return true;
        }
    }
    false
}

/// Programs whose Message-IDs have a form of their own. What a server wrote in its place is not held against anybody: only
/// programs that always write their own are named here.
fn mailer(case: &Case<'_>, found: &mut Found) {
    let Some(field) = case.view.field("X-Mailer").or_else(|| case.view.field("User-Agent")) else { return };
    let Some(id) = case.view.field("Message-ID").map(|id| id.text()) else { return };
    let mailer = field.text();
    let left = id.trim().trim_start_matches('<').split('@').next().unwrap_or_default().to_owned();
    let forged = if mailer.starts_with("Microsoft Outlook Express") && !mailer.contains("Macintosh")
        || mailer.starts_with("Microsoft Outlook, Build 1")
    {
        !is_outlook_id(&left)
    } else if mailer.starts_with("The Bat!") {
        !left.bytes().all(|b| b.is_ascii_digit() || b == b'.') || !left.contains('.')
    } else {
        false
    };
    // Lists and forwarding programs keep the mailer and make a new identifier.
    if forged && !case.listed_mail {
        found.say(&rules::FORGED_MAILER, mailer);
    }
}

/// `000901c1a2b3$4d5e6f70$0100007f` and what versions put before it.
fn is_outlook_id(left: &str) -> bool {
    let pieces: Vec<&str> = left.rsplit('$').collect();
    let hex = |piece: &str| piece.len() >= 8 && piece.bytes().all(|b| b.is_ascii_hexdigit());
    // Later versions of the family make others too, with a letter series and numbers.
    let later = left.len() >= 20 && left.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    pieces.len() >= 3 && hex(pieces[0]) && hex(pieces[1]) || later && left.contains('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_in_disguise_are_told_from_ordinary_ones() {
        assert!(is_padded("Great offer          gkx81") && !is_padded("a      b c") && !is_padded("one two"));
        assert!(
            is_gappy("get V I A G R A now")
                && is_gappy("C.I.A.L.I.S")
                && !is_gappy("plan A - B")
                && !is_gappy("J. R. R. T")
        );
    }

    #[test]
    fn identifiers_of_outlook_are_known() {
        assert!(is_outlook_id("000901c1a2b3$4d5e6f70$0100007f"));
        assert!(!is_outlook_id("20020101.ABC") && !is_outlook_id("abc"));
    }
}
