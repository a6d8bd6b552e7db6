//! What an Authentication-Results field says (RFC 8601), for messages that were kept without their facts.

use super::facts::{Authentication, Outcome, Signed};
use crate::view::View;

/// Signatures read of one field.
const SIGNATURES_MAX: usize = 20;

/// Results as a field of a believed host reports them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    pub spf: Outcome,
    /// Domain and result of each signature.
    pub dkim: Vec<(String, Outcome)>,
    pub dmarc: Outcome,
}

impl Reported {
    /// Reads the first Authentication-Results field, if its authserv-id is one that `believed` accepts. Others prove nothing.
    pub fn read(view: &View<'_>, believed: impl Fn(&str) -> bool) -> Option<Reported> {
        let field = view.field("Authentication-Results")?;
        let text = without_comments(&field.text());
        let mut methods = text.split(';');
        let id = methods.next()?.split_ascii_whitespace().next()?.to_ascii_lowercase();
        if !believed(&id) {
            return None;
        }
        let mut reported = Reported::default();
        for method in methods {
            reported.method(method);
        }
        Some(reported)
    }

    fn method(&mut self, text: &str) {
        let mut words = text.split_ascii_whitespace();
        let Some((name, result)) = words.next().and_then(|word| word.split_once('=')) else { return };
        let outcome = outcome(result);
        match name.to_ascii_lowercase().as_str() {
            "spf" => self.spf = outcome,
            "dmarc" => self.dmarc = outcome,
            "dkim" if self.dkim.len() < SIGNATURES_MAX => {
                let named = |word: &str| {
                    let domain = word.strip_prefix("header.d=").or_else(|| word.strip_prefix("header.i="))?;
                    Some(domain.rsplit('@').next().unwrap_or(domain).to_ascii_lowercase())
                };
                if let Some(domain) = words.find_map(named) {
                    self.dkim.push((domain, outcome));
                }
            }
            _ => {}
        }
    }

    /// The signatures, for [`Authentication`].
    pub fn signed(&self) -> Vec<Signed<'_>> {
        self.dkim.iter().map(|(domain, outcome)| Signed { domain, outcome: *outcome }).collect()
    }

    /// The facts, with what [`Reported::signed`] gave.
    pub fn authentication<'a>(&self, signed: &'a [Signed<'a>]) -> Authentication<'a> {
        Authentication { spf: self.spf, dkim: signed, dmarc: self.dmarc }
    }
}

fn outcome(word: &str) -> Outcome {
    match word.to_ascii_lowercase().as_str() {
        "pass" => Outcome::Pass,
        "fail" | "hardfail" => Outcome::Fail,
        "softfail" => Outcome::SoftFail,
        "neutral" | "policy" => Outcome::Neutral,
        "temperror" => Outcome::TempError,
        "permerror" => Outcome::PermError,
        _ => Outcome::None,
    }
}

fn without_comments(text: &str) -> String {
    let mut depth = 0u32;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_believed_field_is_read_and_others_are_not() {
        let raw =
            b"Authentication-Results: MX.example.org 1; dkim=pass (2048 bit; good) header.d=A.example header.s=x;\r\n \
                    dkim=fail header.i=@b.example; spf=softfail smtp.mailfrom=c@d.example; dmarc=none\r\n\r\n";
        let view = View::read(raw);
        let expected = Reported {
            spf: Outcome::SoftFail,
            dkim: vec![("a.example".into(), Outcome::Pass), ("b.example".into(), Outcome::Fail)],
            dmarc: Outcome::None,
        };
        assert_eq!(Reported::read(&view, |id| id == "mx.example.org"), Some(expected));
        assert_eq!(Reported::read(&view, |_| false), None);
        assert_eq!(Reported::read(&View::read(b"\r\n"), |_| true), None);
    }
}
