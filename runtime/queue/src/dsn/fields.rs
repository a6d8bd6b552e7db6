//! The part for programs (RFC 3464 2).

use std::fmt::Write as _;

use mail::date::DateTime;

use super::{About, Action, Notification};

/// RFC 3464 2: lines are folded by nobody, so they are bounded.
const VALUE_OCTETS_MAX: usize = 900;

pub(super) fn text(notification: &Notification<'_>, utf8: bool) -> String {
    let mut out = String::with_capacity(512);
    // RFC 3464 2.2.1: as the client wrote it, decoded.
    if let Some(envid) = &notification.message.envid {
        field(&mut out, "Original-Envelope-Id", &unxtext(envid, utf8), utf8);
    }
    field(&mut out, "Reporting-MTA", &format!("dns; {}", notification.reporting_mta), utf8);
    field(&mut out, "Arrival-Date", &DateTime::utc(notification.accepted_at_s).to_rfc5322(), utf8);
    for about in notification.about {
        out.push_str("\r\n");
        recipient(&mut out, notification, about, utf8);
    }
    out
}

fn recipient(out: &mut String, notification: &Notification<'_>, about: &About<'_>, utf8: bool) {
    if let Some((kind, address)) = about.facts.orcpt.as_deref().and_then(|orcpt| orcpt.split_once(';')) {
        field(out, "Original-Recipient", &format!("{kind}; {}", unxtext(address, utf8)), utf8);
    }
    // RFC 6533 4: an address beyond ASCII has a type of its own.
    let kind = if utf8 && about.recipient.needs_utf8() { "utf-8" } else { "rfc822" };
    field(out, "Final-Recipient", &format!("{kind}; {}", about.recipient), utf8);
    field(out, "Action", action(about.action), utf8);
    field(out, "Status", &about.status.to_string(), utf8);
    if let Some(remote) = about.remote {
        field(out, "Remote-MTA", &format!("dns; {remote}"), utf8);
        // RFC 3464 2.3.6: the type says whose reply it is; words of ours are no reply.
        field(out, "Diagnostic-Code", &format!("smtp; {}", about.said), utf8);
    }
    if let Some(last_attempt_s) = about.last_attempt_s {
        field(out, "Last-Attempt-Date", &DateTime::utc(last_attempt_s).to_rfc5322(), utf8);
    }
    if let (Action::Delayed, Some(until_s)) = (about.action, notification.will_retry_until_s) {
        field(out, "Will-Retry-Until", &DateTime::utc(until_s).to_rfc5322(), utf8);
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Failed => "failed",
        Action::Delayed => "delayed",
        Action::Delivered => "delivered",
        Action::Relayed => "relayed",
        Action::Expanded => "expanded",
    }
}

/// One line, whatever a client or next hop wrote; ASCII unless the part is in UTF-8 (RFC 3464 2.1).
fn field(out: &mut String, name: &str, value: &str, utf8: bool) {
    let end = value.floor_char_boundary(VALUE_OCTETS_MAX);
    let sound = |c: char| !c.is_control() && (utf8 || c.is_ascii());
    let value: String = value[..end].chars().map(|c| if sound(c) { c } else { '?' }).collect();
    let _ = write!(out, "{name}: {value}\r\n");
}

/// RFC 3461 4: `+` and two capital hexadecimal digits stand for an octet. What is no xtext stays as it is,
/// and what is UTF-8 behind it where nobody may read that.
fn unxtext(text: &str, utf8: bool) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |at: usize| tail.get(at).and_then(|digit| (*digit as char).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'+', Some(high), Some(low)) => {
                octets.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            _ => {
                octets.push(*first);
                rest = tail;
            }
        }
    }
    if utf8 || octets.is_ascii() { String::from_utf8_lossy(&octets).into_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xtext_is_decoded_and_what_is_none_stays() {
        for (text, plain) in [("a+2Bb+3D", "a+b="), ("a+", "a+"), ("+4", "+4"), ("+zz", "+zz"), ("+C3+A9", "é")] {
            assert_eq!(unxtext(text, true), plain);
        }
        assert_eq!(unxtext("a+2Bb", false), "a+b");
        assert_eq!(unxtext("+C3+A9+2B", false), "+C3+A9+2B");
    }

    #[test]
    fn no_value_ends_its_line() {
        let mut out = String::new();
        field(&mut out, "Diagnostic-Code", &format!("smtp; 550\r\nAction: delivered {}", "é".repeat(1_000)), true);
        assert_eq!(out.matches("\r\n").count(), 1);
        assert!(out.starts_with("Diagnostic-Code: smtp; 550??Action: delivered é") && out.len() < 1_000);
        field(&mut out, "X", "é\u{85}a", false);
        assert!(out.ends_with("\r\nX: ??a\r\n"), "{out}");
    }
}
