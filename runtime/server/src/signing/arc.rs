//! ARC seals (RFC 8617) on mail that goes on: what authentication said here, signed, so that who gets it may believe us.

use std::collections::BTreeMap;

use mail::header::Field;

use super::canonical;
use super::dkim::{self, Covered, SIGNED, Signer};
use super::key::word;
use super::message::{Message, Unsigned};

/// Sets of a chain (RFC 8617 4.2.1).
const SETS_MAX: usize = 50;

/// A set of a chain: its three fields.
struct Set<'a> {
    results: Field<'a>,
    message_signature: Field<'a>,
    seal: Field<'a>,
}

/// What a chain was found to be when the message came in (RFC 8617 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    None,
    Pass,
    Fail,
}

impl Validation {
    fn word(self) -> &'static str {
        match self {
            Validation::None => "none",
            Validation::Pass => "pass",
            Validation::Fail => "fail",
        }
    }
}

/// The sets of a message in order; `None` when they are no chain (RFC 8617 5.2, step 3).
fn chain(message: &Message) -> Option<Vec<Set<'_>>> {
    let mut by_instance: BTreeMap<usize, [Option<Field<'_>>; 3]> = BTreeMap::new();
    for field in message.fields() {
        let kinds = ["arc-authentication-results", "arc-message-signature", "arc-seal"];
        let Some(kind) = kinds.iter().position(|kind| field.is(kind)) else { continue };
        let instance = tag(&field, "i")?.parse().ok().filter(|instance| (1..=SETS_MAX).contains(instance))?;
        if by_instance.entry(instance).or_default()[kind].replace(field).is_some() {
            return None;
        }
    }
    let contiguous = by_instance.keys().copied().eq(1..=by_instance.len());
    if contiguous { by_instance.into_values().map(whole).collect() } else { None }
}

fn whole(fields: [Option<Field<'_>>; 3]) -> Option<Set<'_>> {
    let [results, message_signature, seal] = fields;
    Some(Set { results: results?, message_signature: message_signature?, seal: seal? })
}

/// The value of a tag of a tag list (RFC 6376 3.2), its space taken out.
fn tag(field: &Field<'_>, name: &str) -> Option<String> {
    let value = String::from_utf8_lossy(field.raw_value()).into_owned();
    let tags = value.split(';').filter_map(|tag| tag.split_once('='));
    let mut named = tags.filter(|(tag, _)| tag.trim() == name);
    named.next().map(|(_, value)| value.split_whitespace().collect())
}

/// What `results`, the value of Authentication-Results (RFC 8601), says a method came to.
pub fn result_of<'a>(results: &'a str, method: &str) -> Option<&'a str> {
    let mut said = results.split(';').skip(1).filter_map(|result| result.trim().split_once('='));
    let (_, value) = said.find(|(name, _)| name.trim().eq_ignore_ascii_case(method))?;
    value.trim_start().split(|c: char| !c.is_ascii_alphanumeric()).next()
}

/// The set that continues the chain of `message`, as header fields. `results` is what Authentication-Results said of it
/// when it came in. Nothing for what is better left alone: sets that are no chain, a chain that failed before or is
/// full, and one that was not looked at.
pub fn set(signer: &Signer<'_>, message: &Message, results: &str, at_s: i64) -> Result<Vec<u8>, Unsigned> {
    let Some(sets) = chain(message) else { return Ok(Vec::new()) };
    let validation = match (sets.last(), result_of(results, "arc")) {
        (None, _) => Validation::None,
        (Some(last), _) if tag(&last.seal, "cv").is_none_or(|cv| cv == "fail") => return Ok(Vec::new()),
        (Some(_), Some("pass")) => Validation::Pass,
        (Some(_), Some("fail")) => Validation::Fail,
        (Some(_), _) => return Ok(Vec::new()),
    };
    let instance = sets.len() + 1;
    if instance > SETS_MAX {
        return Ok(Vec::new());
    }
    let results = format!(" i={instance}; {}", unfolded(results));
    // RFC 8617 4.1.2: it covers DKIM signatures, and no field of a chain.
    let covered = Covered::of(message, &[&SIGNED[..], &["dkim-signature"]].concat())?;
    let first = format!("i={instance}");
    let message_signature = dkim::field("ARC-Message-Signature", &first, signer, &covered, message, at_s)?;
    // RFC 8617 5.1.1: a chain that failed is not covered any more.
    let covered = if validation == Validation::Fail { &[] } else { sets.as_slice() };
    let mut signed = Vec::new();
    for set in covered {
        for field in [&set.results, &set.message_signature, &set.seal] {
            canonical::field(field.name(), field.raw_value(), &mut signed);
        }
    }
    canonical::field(b"arc-authentication-results", results.as_bytes(), &mut signed);
    let value = message_signature.iter().position(|byte| *byte == b':').map_or(0, |colon| colon + 1);
    canonical::field(b"arc-message-signature", &message_signature[value..], &mut signed);
    let Signer { domain, selector, key } = signer;
    let seal = format!(
        " {first}; a={}; t={at_s}; cv={};\r\n\td={domain};\r\n\ts={selector};\r\n\tb=",
        word(key.algorithm()),
        validation.word()
    );
    canonical::field(b"arc-seal", seal.as_bytes(), &mut signed);
    let seal = dkim::finished("ARC-Seal", seal, &signed, key)?;
    let results = format!("ARC-Authentication-Results:{}\r\n", results.replace("; ", ";\r\n\t"));
    Ok([seal, message_signature, results.into_bytes()].concat())
}

/// On one line, with one space wherever there was any.
fn unfolded(results: &str) -> String {
    results.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message::read(b"", &text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn results_are_read_by_method() {
        let results =
            "mx.example; spf=pass smtp.mailfrom=a; dkim=none;\r\n\tarc=fail (i=2); dmarc = pass header.from=b";
        assert_eq!(result_of(results, "arc"), Some("fail"));
        assert_eq!(result_of(results, "dmarc"), Some("pass"));
        assert_eq!(result_of(results, "iprev"), None);
        assert_eq!(result_of("arc=pass", "arc"), None, "that is the name of a server");
    }

    #[test]
    fn what_is_no_chain_is_told_from_one() {
        let set = |i: &str| {
            format!(
                "ARC-Seal: a=b; i={i}; cv=none\r\nARC-Message-Signature: i = {i}\r\nARC-Authentication-Results: i={i}; x\r\n"
            )
        };
        let sets = |text: &str| chain(&message(&format!("{text}\r\n"))).map(|sets| sets.len());
        assert_eq!(sets(""), Some(0));
        assert_eq!(sets(&[set("2"), set("1")].concat()), Some(2));
        assert_eq!(sets(&set("2")), None);
        assert_eq!(sets(&[set("1"), set("1")].concat()), None);
        assert_eq!(sets(&[set("1"), set("3")].concat()), None);
        assert_eq!(sets(&set("0")), None);
        assert_eq!(sets(&set("x")), None);
        assert_eq!(sets("ARC-Seal: i=1\r\n"), None);
        let many: String = (1..=51).map(|i| set(&i.to_string())).collect();
        assert_eq!(sets(&many), None);
    }
}
