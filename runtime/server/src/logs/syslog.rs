//! Log lines as RFC 5424 has them, in the frames of RFC 5425.

use std::fmt::Write as _;

use super::Entry;

/// Facility `mail` (RFC 5424 6.2.1).
const FACILITY: u8 = 2;
/// The fields' name of structured data (RFC 5424 7.2.2 keeps 32473 for documentation: we have no number of our own).
const FIELDS: &str = "fields@32473";
/// What every receiver has to take (RFC 5425 4.3.1); longer messages are cut.
const OCTETS_MAX: usize = 2_048;

/// A frame: the length, a blank, the message (RFC 5425 4.3).
pub fn frame(entry: &Entry, host: &str, pid: u32) -> Vec<u8> {
    let message = message(entry, host, pid);
    [message.len().to_string().as_bytes(), b" ", message.as_bytes()].concat()
}

fn message(entry: &Entry, host: &str, pid: u32) -> String {
    let priority = FACILITY * 8 + entry.severity();
    // Milliseconds: six digits are the most that is allowed.
    let at = entry.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let id = name(entry.target.rsplit("::").next().unwrap_or_default(), 32);
    let mut text = format!("<{priority}>1 {at} {} facteur {pid} {id} ", name(host, 255));
    let message: String = entry.message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let data = data(&entry.fields, OCTETS_MAX.saturating_sub(text.len() + message.len().min(OCTETS_MAX / 2) + 8));
    // The mark in front says that the text is UTF-8 (6.4).
    let _ = write!(text, "{data} \u{feff}{message}");
    let mut end = text.len().min(OCTETS_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// Structured data, those fields that have room: what is cut off elsewhere could not be read (RFC 5424 6.3).
fn data(fields: &[(&'static str, String)], room: usize) -> String {
    let mut data = format!("[{FIELDS}");
    for (field, value) in fields {
        let mut one = format!(" {}=\"", name(field, 32));
        for c in value.chars() {
            match c {
                '"' | '\\' | ']' => one.extend(['\\', c]),
                c if c.is_control() => one.push(' '),
                c => one.push(c),
            }
        }
        one.push('"');
        if data.len() + one.len() < room {
            data += &one;
        }
    }
    if data.len() == FIELDS.len() + 1 { "-".to_owned() } else { data + "]" }
}

/// Printable US-ASCII without what ends a name; `-` where nothing is left.
fn name(text: &str, max: usize) -> String {
    let is_good = |c: &char| c.is_ascii_graphic() && !matches!(c, '=' | ']' | '"');
    let name: String = text.chars().filter(is_good).take(max).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tracing::Level;

    use super::*;

    fn entry(message: &str, fields: Vec<(&'static str, String)>) -> Entry {
        Entry {
            at: Timestamp::from_millisecond(1_796_040_000_123).unwrap(),
            level: Level::INFO,
            target: "server::outcome",
            file: "",
            line: 0,
            message: message.to_owned(),
            fields,
        }
    }

    #[test]
    fn a_line_is_a_message_of_rfc_5424() {
        let fields = vec![("rule", "a.b".to_owned()), ("said", "5]\\\"\n".to_owned())];
        let message = message(&entry("accepted\r\né", fields), "mail.example", 42);
        assert_eq!(
            message,
            "<22>1 2026-11-30T12:00:00.123Z mail.example facteur 42 outcome \
             [fields@32473 rule=\"a.b\" said=\"5\\]\\\\\\\" \"] \u{feff}accepted  é"
        );
    }

    #[test]
    fn without_fields_there_is_no_data_and_without_a_name_a_dash() {
        assert!(message(&entry("x", vec![]), " \n", 1).ends_with("Z - facteur 1 outcome - \u{feff}x"));
    }

    #[test]
    fn no_message_is_longer_than_every_receiver_takes_and_its_data_ends() {
        let long = "é]".repeat(4_000);
        let entry = entry(&long, vec![("short", "s".to_owned()), ("about", long.clone()), ("rule", "r".to_owned())]);
        let message = message(&entry, "h", 1);
        assert!(message.len() <= OCTETS_MAX && message.len() > OCTETS_MAX - 8);
        assert!(message.contains("[fields@32473 short=\"s\" rule=\"r\"] \u{feff}é]"));
        let frame = frame(&entry, "h", 1);
        let length: usize = std::str::from_utf8(&frame[..4]).unwrap().parse().unwrap();
        assert_eq!((length, frame[4]), (frame.len() - 5, b' '));
    }
}
