//! Values of a plan as people read them, on one line.

use plan::Window;

use super::step::{window, without_unit};
use crate::verify::node::{Kind, Node};

/// A value on its own: names without quotes, numbers with the unit that `field` carries in its name.
pub(crate) fn plain(node: &Node<'_>, field: &str) -> String {
    match &node.kind {
        Kind::Text("") => "\"\"".to_owned(),
        Kind::Text(text) => (*text).to_owned(),
        Kind::List(items) if items.is_empty() => "none".to_owned(),
        Kind::List(items) => items.iter().map(|item| plain(item, field)).collect::<Vec<_>>().join(", "),
        Kind::Word("Unlimited") => "unlimited, as written".to_owned(),
        Kind::Word("None") => "none".to_owned(),
        _ => inline(node, field),
    }
}

/// A value as the policy's words have it.
pub(crate) fn inline(node: &Node<'_>, field: &str) -> String {
    if let Some(window) = window(node) {
        return rate(window);
    }
    match &node.kind {
        Kind::Word(word) => number(word, field),
        Kind::Text(text) => format!("\"{text}\""),
        Kind::List(items) => format!("[{}]", joined(items.iter().map(|item| inline(item, field)))),
        Kind::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{}: {}", inline(key, ""), inline(value, "")));
            format!("{{{}}}", joined(entries))
        }
        Kind::Tuple("Some" | "Within", parts) => joined(parts.iter().map(|part| inline(part, field))),
        Kind::Tuple(name, parts) => format!("{name}({})", joined(parts.iter().map(|part| inline(part, "")))),
        Kind::Fields("Fixed", fields) => joined(fields.iter().map(|(name, value)| inline(value, name))),
        Kind::Fields("OnRequest", fields) => {
            let above = joined(fields.iter().map(|(name, value)| inline(value, name)));
            format!("above {above}, on request")
        }
        Kind::Fields("For", fields) => joined(fields.iter().map(|(name, value)| inline(value, name))),
        Kind::Fields(name, fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{}: {}", without_unit(name), inline(value, name)));
            format!("{name}({})", joined(fields))
        }
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// `500 per 15 min`.
pub(crate) fn rate(window: Window) -> String {
    format!("{} per {}", window.max, span(u64::from(window.width_s)))
}

/// `15 min`: the largest unit that is whole.
pub(crate) fn span(s: u64) -> String {
    for (unit_s, one, many) in [(86_400, "day", "days"), (3_600, "h", "h"), (60, "min", "min")] {
        if s >= unit_s && s.is_multiple_of(unit_s) {
            let count = s / unit_s;
            return format!("{count} {}", if count == 1 { one } else { many });
        }
    }
    format!("{s} s")
}

fn number(word: &str, field: &str) -> String {
    let Ok(number) = word.parse::<i64>() else { return word.to_owned() };
    let whole = number.unsigned_abs();
    let unit = field.rsplit('_').next().unwrap_or(field);
    match unit {
        "octets" => format!("{word} bytes"),
        "s" => span(whole),
        "percent" => format!("{word} %"),
        "months" => {
            if number == 0 {
                "never".to_owned()
            } else {
                format!("{word} months")
            }
        }
        "min" => format!("{:02}:{:02}", whole / 60, whole % 60),
        "thousandths" => {
            let sign = if number < 0 { "-" } else { "" };
            let fraction = format!("{:03}", whole % 1_000);
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            format!("{sign}{}{point}{fraction}", whole / 1_000)
        }
        _ => word.to_owned(),
    }
}
