//! What was found out about a message, and the Authentication-Results field that says it (RFC 8601).

use std::fmt::Write as _;

use decide::Alignment;
use mail::Domain;
use mail_auth::dmarc::{Dmarc as Record, Policy};

use super::spf::SpfResult;

/// Octets of a value in our field.
const VALUE_OCTETS_MAX: usize = 255;
/// Signatures told in our field.
const SIGNATURES_TOLD_MAX: usize = 10;

/// A result of DKIM, DMARC or ARC (RFC 8601 2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Checked {
    #[default]
    None,
    Pass,
    Fail,
    Neutral,
    TempError,
    PermError,
}

impl Checked {
    pub const ALL: [Checked; 6] =
        [Checked::None, Checked::Pass, Checked::Fail, Checked::Neutral, Checked::TempError, Checked::PermError];

    pub fn word(self) -> &'static str {
        match self {
            Checked::None => "none",
            Checked::Pass => "pass",
            Checked::Fail => "fail",
            Checked::Neutral => "neutral",
            Checked::TempError => "temperror",
            Checked::PermError => "permerror",
        }
    }

    pub fn from_word(word: &str) -> Option<Checked> {
        Checked::ALL.into_iter().find(|result| result.word().eq_ignore_ascii_case(word))
    }
}

/// One DKIM signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub result: Checked,
    /// Tags d and s; empty when they could not be read.
    pub domain: String,
    pub selector: String,
    /// The beginning of tag b.
    pub begins: String,
    /// Why it is no pass, in our own words.
    pub why: &'static str,
}

impl Signature {
    /// A signature that could not be read.
    pub fn unknown(result: Checked, why: &'static str) -> Signature {
        Signature { result, domain: String::new(), selector: String::new(), begins: String::new(), why }
    }
}

/// The ARC chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    pub result: Checked,
    /// Of the newest set: its number, who sealed it, what its results say.
    pub instance: u32,
    pub sealer: String,
    pub said: String,
}

impl Chain {
    pub fn of(result: Checked) -> Chain {
        Chain { result, ..Chain::default() }
    }
}

/// SPF of both identities (RFC 7208 2.3, 2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spf {
    /// Of MAIL FROM; where it is null, of `postmaster` at the HELO name.
    pub result: SpfResult,
    pub domain: String,
    pub hello: SpfResult,
    pub hello_name: String,
}

/// DMARC of the author domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dmarc {
    pub result: Checked,
    /// `None` where header From names no domain, or several.
    pub from: Option<Domain>,
    /// Whether an identifier of each agrees with it.
    pub dkim: Alignment,
    pub spf: Alignment,
    pub policy: Option<Policy>,
    /// The record, and where it stands.
    pub record: Option<(Domain, Record)>,
}

impl Default for Dmarc {
    fn default() -> Self {
        let (dkim, spf) = (Alignment::NotAligned, Alignment::NotAligned);
        Dmarc { result: Checked::None, from: None, dkim, spf, policy: None, record: None }
    }
}

/// Everything about one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// `None` where nothing was asked.
    pub spf: Option<Spf>,
    pub dkim: Vec<Signature>,
    pub dmarc: Dmarc,
    pub arc: Chain,
    /// Every domain header From claims, and whether anything agrees with it.
    pub claims: Vec<(Domain, Alignment)>,
    /// A gateway found it out, and we believe it.
    pub by: Option<String>,
}

impl Results {
    /// May whoever sent it use this reverse-path?
    pub fn is_spf_pass(&self) -> bool {
        self.spf.as_ref().is_some_and(|spf| spf.result == SpfResult::Pass)
    }

    /// The value of the field, without its name: `host; spf=pass …`, folded.
    pub fn value(&self, host: &Domain, note: Option<&str>) -> String {
        let mut value = host.to_string();
        let before = value.len();
        if let Some(spf) = &self.spf {
            let _ = write!(value, ";\r\n\tspf={} smtp.mailfrom={}", spf.result.word(), tame(&spf.domain));
            if !spf.hello_name.is_empty() {
                let _ = write!(value, ";\r\n\tspf={} smtp.helo={}", spf.hello.word(), tame(&spf.hello_name));
            }
            if self.dkim.is_empty() {
                value.push_str(";\r\n\tdkim=none");
            }
            for signature in self.dkim.iter().take(SIGNATURES_TOLD_MAX) {
                signature.write(&mut value);
            }
            self.write_dmarc(note, &mut value);
            if self.arc.result != Checked::None {
                let _ = write!(value, ";\r\n\tarc={} (i={})", self.arc.result.word(), self.arc.instance);
            }
        }
        if value.len() == before {
            value.push_str("; none");
        }
        value
    }

    fn write_dmarc(&self, note: Option<&str>, value: &mut String) {
        let _ = write!(value, ";\r\n\tdmarc={}", self.dmarc.result.word());
        if let Some(policy) = self.dmarc.policy {
            let _ = write!(value, " (p={policy})");
        }
        if let Some(by) = &self.by {
            let _ = write!(value, " (said by {})", tame(by));
        }
        if let Some(note) = note {
            let _ = write!(value, " reason=\"{}\"", quoted(note));
        }
        if let Some(from) = &self.dmarc.from {
            let _ = write!(value, " header.from={}", tame(from.as_str()));
        }
    }
}

impl Signature {
    fn write(&self, value: &mut String) {
        let _ = write!(value, ";\r\n\tdkim={}", self.result.word());
        if !self.why.is_empty() {
            let _ = write!(value, " ({})", self.why);
        }
        for (name, text) in [("header.d", &self.domain), ("header.s", &self.selector), ("header.b", &self.begins)] {
            if text.is_empty() {
                continue;
            }
            // Base64 has characters a token cannot have.
            if name == "header.b" {
                let _ = write!(value, " {name}=\"{text}\"");
            } else {
                let _ = write!(value, " {name}={}", tame(text));
            }
        }
    }
}

/// A value as one token, without anything that means something in a header field.
fn tame(text: &str) -> String {
    let tamed = text.chars().map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '?' });
    let tamed: String = tamed.take(VALUE_OCTETS_MAX).collect();
    if tamed.is_empty() { "unknown".to_owned() } else { tamed }
}

fn quoted(text: &str) -> String {
    let sound = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
    text.chars().map(|c| if sound(c) || c == ' ' { c } else { '?' }).take(VALUE_OCTETS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_words_do_not_leave_their_place() {
        let host: Domain = "mx.example".parse().unwrap();
        let evil = "a.b\r\nX-Evil: 1; dmarc=pass (";
        let results = Results {
            spf: Some(Spf {
                result: SpfResult::Fail,
                domain: evil.to_owned(),
                hello: SpfResult::None,
                hello_name: evil.to_owned(),
            }),
            dkim: vec![Signature { domain: evil.to_owned(), ..Signature::unknown(Checked::Fail, "bad signature") }],
            by: Some(evil.to_owned()),
            ..Results::default()
        };
        let value = results.value(&host, Some("x\"\r\ny"));
        assert!(!value.contains("Evil:") && !value.contains("dmarc=pass"), "{value}");
        assert!(value.split("\r\n").skip(1).all(|line| line.starts_with('\t')), "{value}");
        assert!(value.contains("reason=\"x???y\""), "{value}");
    }

    #[test]
    fn nothing_asked_is_said_in_the_word_of_the_standard() {
        assert_eq!(Results::default().value(&"mx.example".parse().unwrap(), None), "mx.example; none");
    }
}
