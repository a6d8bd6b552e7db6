//! MTA-STS policies as text (RFC 8461 3): the TXT record that names one, and the policy itself. Pure.

use serde::{Deserialize, Serialize};

/// RFC 8461 3.2: a policy is believed for a year at most, in seconds.
const AGE_MAX_S: u64 = 31_557_600;
/// Patterns kept of one policy.
const PATTERNS_MAX: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    Enforce,
    Testing,
    None,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StsPolicy {
    pub mode: Mode,
    /// Host names, or `*.` and a name; lower case.
    pub mx: Vec<String>,
    /// Seconds.
    pub max_age_s: u64,
}

/// Why a text is no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPolicy {
    Version,
    Mode,
    MaxAge,
    Mx,
}

/// The id of the one record of this version (RFC 8461 3.1); several are as none.
pub fn id(records: &[String]) -> Option<String> {
    let mut ids = records.iter().filter_map(|record| record_id(record));
    let id = ids.next()?;
    if ids.next().is_some() { None } else { Some(id) }
}

fn record_id(record: &str) -> Option<String> {
    let mut fields = record.split(';').map(str::trim);
    if fields.next()? != "v=STSv1" {
        return None;
    }
    let id = fields.find_map(|field| field.strip_prefix("id="))?.trim();
    let sound = (1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric());
    sound.then(|| id.to_owned())
}

/// RFC 8461 3.2. Of a field that is there twice the first counts, except `mx`; unknown fields and patterns of no host are passed
/// over.
pub fn parse(text: &str) -> Result<StsPolicy, BadPolicy> {
    let (mut version, mut mode, mut max_age_s, mut mx) = (None, None, None, Vec::new());
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.trim() {
            "version" => version = version.or(Some(value)),
            "mode" => mode = mode.or(Some(value)),
            "max_age" => max_age_s = max_age_s.or(Some(value)),
            "mx" if mx.len() < PATTERNS_MAX => mx.extend(pattern(value)),
            _ => {}
        }
    }
    if version != Some("STSv1") {
        return Err(BadPolicy::Version);
    }
    let mode = match mode {
        Some("enforce") => Mode::Enforce,
        Some("testing") => Mode::Testing,
        Some("none") => Mode::None,
        Some(_) | None => return Err(BadPolicy::Mode),
    };
    let digits = max_age_s.filter(|digits| digits.len() <= 10 && digits.bytes().all(|octet| octet.is_ascii_digit()));
    let max_age_s: u64 = digits.and_then(|digits| digits.parse().ok()).ok_or(BadPolicy::MaxAge)?;
    if mx.is_empty() && mode != Mode::None {
        return Err(BadPolicy::Mx);
    }
    Ok(StsPolicy { mode, mx, max_age_s: max_age_s.min(AGE_MAX_S) })
}

/// A host name, or `*.` and one.
fn pattern(value: &str) -> Option<String> {
    let pattern = value.strip_suffix('.').unwrap_or(value).to_ascii_lowercase();
    let name = pattern.strip_prefix("*.").unwrap_or(&pattern);
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|o| o.is_ascii_alphanumeric() || b"-_".contains(&o));
    (name.len() <= 253 && name.split('.').all(label)).then_some(pattern)
}

/// The law of policies: patterns are those of hosts, nothing is believed for longer than a year, and the text a report cites says
/// the same.
pub fn fuzz_mta_sts(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    if let Some(id) = id(&[text.clone().into_owned()]) {
        assert!((1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric()), "{id:?}");
        assert_eq!(self::id(&[text.clone().into_owned(), text.clone().into_owned()]), None, "several are as none");
    }
    let Ok(policy) = parse(&text) else { return };
    assert!(policy.max_age_s <= AGE_MAX_S && policy.mx.len() <= PATTERNS_MAX, "{policy:?}");
    assert_eq!(parse(&policy.strings().join("\r\n")).as_ref(), Ok(&policy), "a policy reads back");
    for pattern in &policy.mx {
        let host = pattern.replace('*', "a");
        assert!(policy.allows(&host) && !policy.allows(pattern.strip_prefix('*').unwrap_or("")), "{pattern:?}");
        assert!(host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet)), "{pattern:?}");
        assert!(policy.mode == Mode::None || !policy.mx.is_empty(), "{policy:?}");
    }
}

impl StsPolicy {
    /// RFC 8461 4.1: a wildcard stands for exactly one label.
    pub fn allows(&self, host: &str) -> bool {
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(rest) => host.split_once('.').is_some_and(|(label, under)| !label.is_empty() && under == rest),
            None => pattern == host,
        })
    }

    /// As a TLS report cites it (RFC 8460 4.4).
    pub fn strings(&self) -> Vec<String> {
        let mode = match self.mode {
            Mode::Enforce => "enforce",
            Mode::Testing => "testing",
            Mode::None => "none",
        };
        let mut lines = vec!["version: STSv1".to_owned(), format!("mode: {mode}")];
        lines.extend(self.mx.iter().map(|pattern| format!("mx: {pattern}")));
        lines.push(format!("max_age: {}", self.max_age_s));
        lines
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let text = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\n\
                    mx: backupmx.example.com\r\nmax_age: 604800\r\n";
        let policy = parse(text).unwrap();
        assert_eq!((policy.mode, policy.mx.len(), policy.max_age_s), (Mode::Enforce, 3, 604_800));
        for (host, allowed) in [
            ("mail.example.com", true),
            ("mx1.example.net", true),
            ("a.b.example.net", false),
            ("example.net", false),
            ("mail.example.com.evil.example", false),
        ] {
            assert_eq!(policy.allows(host), allowed, "{host}");
        }
    }

    #[test]
    fn what_is_no_policy_is_said() {
        let cases = [
            ("mode: enforce\nmx: a.example\nmax_age: 1", Err(BadPolicy::Version)),
            ("version: STSv1\nmode: strict\nmx: a.example\nmax_age: 1", Err(BadPolicy::Mode)),
            ("version: STSv1\nmode: enforce\nmax_age: 1", Err(BadPolicy::Mx)),
            ("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: -1", Err(BadPolicy::MaxAge)),
            ("version: STSv1\nmode: none\nmax_age: 86400", Ok(86_400)),
            ("version: STSv1\nmode: none\nmax_age: 9999999999", Ok(AGE_MAX_S)),
            ("version: STSv1\nmode: none\nmode: enforce\nmax_age: 5\nfuture: x", Ok(5)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).map(|policy| policy.max_age_s), expected, "{text}");
        }
    }

    #[test]
    fn a_record_has_an_id_and_there_is_one_record() {
        let id = |records: &[&str]| id(&records.iter().map(|record| record.to_string()).collect::<Vec<_>>());
        assert_eq!(id(&["v=spf1 -all", "v=STSv1; id=20160831085700Z;"]).as_deref(), Some("20160831085700Z"));
        for none in
            [&["v=STSv1; id=a", "v=STSv1; id=b"][..], &["v=STSv1;"], &["v=STSv2; id=a"], &["v=STSv1; id=a b"], &[]]
        {
            assert_eq!(id(none), None, "{none:?}");
        }
    }

    #[test]
    fn patterns_of_no_host_are_passed_over() {
        let text = "version: STSv1\nmode: enforce\nmax_age: 5\nmx: a b\nmx: *.*.example\nmx: a .\nmx:\nmx: *.\nmx: *.A.example.";
        assert_eq!(parse(text).map(|policy| policy.mx), Ok(vec!["*.a.example".to_owned()]));
        assert_eq!(parse(&text.replace("mx: *.A.example.", "")), Err(BadPolicy::Mx));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_breaks_the_law(
            lines in prop::collection::vec("(mx|mode|max_age|version|x): ?(none|testing|STSv1|[0-9]{1,11}|(\\*\\.)?[aÉ. \r*-]{0,6})", 0..6),
            id in "v=STSv1;? ?(id=[a-z0-9 ]{0,34};?)?",
        ) {
            fuzz_mta_sts(format!("version: STSv1\r\n{}\nmode: enforce\nmax_age: 7\n", lines.join("\r\n")).as_bytes());
            fuzz_mta_sts(id.as_bytes());
        }
    }
}
