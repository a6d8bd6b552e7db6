//! Rspamd: what is told beside a message with `POST /checkv2`, and the JSON it answers (its "protocol" page).
//!
//! HTTP itself is not here. Rspamd has several thresholds and names none of them but the one it would refuse at, so its
//! action says what it holds the message for, and its score how sure it is.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::report::{Report, of_float};

pub const PATH: &str = "/checkv2";
/// Longest answer that is read, in octets.
pub const ANSWER_OCTETS_MAX: usize = 256 * 1024;
/// Recipients that are told.
const RECIPIENTS_MAX: usize = 100;
/// Longest value that is told, in octets.
const VALUE_OCTETS_MAX: usize = 1_024;

/// What is told of the session. Values that cannot stand in a field of HTTP are left out.
#[derive(Clone, Debug, Default)]
pub struct Question<'a> {
    /// The address in MAIL, empty for the null reverse-path.
    pub from: &'a str,
    pub recipients: Vec<String>,
    pub client: String,
    pub hello: Option<&'a str>,
    /// The client's name in DNS.
    pub client_name: Option<&'a str>,
    /// Our own name.
    pub host: &'a str,
    pub login: Option<&'a str>,
    pub queue_id: &'a str,
}

impl Question<'_> {
    /// Names and values of the fields of the request.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("From", format!("<{}>", self.from)), ("IP", self.client.clone())];
        fields.extend(self.recipients.iter().take(RECIPIENTS_MAX).map(|recipient| ("Rcpt", format!("<{recipient}>"))));
        let told = [
            ("Helo", self.hello),
            ("Hostname", self.client_name),
            ("MTA-Name", Some(self.host)),
            ("User", self.login),
            ("Queue-Id", Some(self.queue_id)),
            // All rules are asked, also once the first have refused.
            ("Pass", Some("all")),
        ];
        fields.extend(told.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))));
        fields.retain(|(_, value)| is_sayable(value));
        fields
    }
}

/// RFC 9110 5.5: visible octets, spaces inside.
fn is_sayable(value: &str) -> bool {
    let inside = !value.is_empty() && value.trim() == value && value.len() <= VALUE_OCTETS_MAX;
    inside && !value.chars().any(char::is_control)
}

/// Why an answer cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadAnswer {
    TooLong,
    /// No JSON, or not of this form.
    Unknown,
    /// A figure no score can be.
    Figure,
    /// Rspamd was told by its own configuration to leave the message alone.
    Skipped,
    /// Its own words.
    Error(String),
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    is_skipped: bool,
    score: Option<f64>,
    action: Option<String>,
    #[serde(default)]
    symbols: BTreeMap<String, Symbol>,
    #[serde(default)]
    thresholds: BTreeMap<String, Option<f64>>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Symbol {
    score: f64,
}

/// Reads the body of an answer.
pub fn answer(body: &[u8]) -> Result<Report, BadAnswer> {
    if body.len() > ANSWER_OCTETS_MAX {
        return Err(BadAnswer::TooLong);
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| BadAnswer::Unknown)?;
    if let Some(error) = answer.error {
        return Err(BadAnswer::Error(error.chars().filter(|c| !c.is_control()).take(200).collect()));
    }
    let is_spam = match answer.action.as_deref().ok_or(BadAnswer::Unknown)? {
        "reject" | "add header" | "rewrite subject" | "quarantine" | "discard" => Some(true),
        "no action" | "greylist" | "soft reject" => Some(false),
        _ => None,
    };
    // What is refused outright was not looked at further, and is skipped in its words, too.
    if answer.is_skipped && is_spam != Some(true) {
        return Err(BadAnswer::Skipped);
    }
    let score = of_float(answer.score.ok_or(BadAnswer::Unknown)?).ok_or(BadAnswer::Figure)?;
    let marked = ["add header", "rewrite subject"].into_iter().filter_map(|action| *answer.thresholds.get(action)?);
    let threshold = marked.filter_map(of_float).min();
    let mut report = Report { is_spam, score, threshold, rules: Vec::new() };
    let mut symbols = Vec::with_capacity(answer.symbols.len());
    for (name, symbol) in &answer.symbols {
        symbols.push((name, of_float(symbol.score).ok_or(BadAnswer::Figure)?));
    }
    // The weightiest are kept.
    symbols.sort_by_key(|(_, thousandths)| std::cmp::Reverse(thousandths.abs()));
    symbols.into_iter().for_each(|(name, thousandths)| report.rule(name, thousandths));
    Ok(report)
}

/// The law: no octets make the reader panic, its figures are bounded, and no value that is told begins a line of its own.
pub fn fuzz(octets: &[u8]) {
    if let Ok(report) = answer(octets) {
        let figures = report.rules.iter().map(|(_, thousandths)| *thousandths).chain([report.score]);
        let figures = figures.chain(report.threshold);
        assert!(figures.max().is_none_or(|most| most <= super::report::THOUSANDTHS_MAX));
        assert!(report.rules.len() <= super::report::RULES_MAX);
    }
    let text = String::from_utf8_lossy(octets);
    let question = Question {
        from: &text,
        recipients: vec![text.to_string(); 2],
        client: text.to_string(),
        hello: Some(&text),
        client_name: Some(&text),
        host: &text,
        login: Some(&text),
        queue_id: &text,
    };
    for (_, value) in question.fields() {
        assert!(!value.bytes().any(|octet| octet < 32 || octet == 127), "{value:?}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judged(is_spam: Option<bool>, score: i64, rules: &[(&str, i64)]) -> Result<Report, BadAnswer> {
        let rules = rules.iter().map(|(name, share)| (name.to_string(), *share)).collect();
        Ok(Report { is_spam, score, threshold: None, rules })
    }

    #[test]
    fn answers() {
        for (body, expected) in [
            (
                r#"{"is_skipped":false,"score":6.0,"required_score":15.0,"action":"add header","symbols":{
                    "HAS_SUBJECT":{"name":"HAS_SUBJECT","score":-1.0,"metric_score":-1.0},
                    "LETTER":{"name":"LETTER","score":7.0,"options":["a"]}},"messages":{},"time_real":0.1}"#,
                judged(Some(true), 6_000, &[("LETTER", 7_000), ("HAS_SUBJECT", -1_000)]),
            ),
            (r#"{"is_skipped":false,"score":-1,"action":"no action","symbols":{}}"#, judged(Some(false), -1_000, &[])),
            (r#"{"score":4.5,"action":"greylist"}"#, judged(Some(false), 4_500, &[])),
            (r#"{"score":4.5,"action":"of our own"}"#, judged(None, 4_500, &[])),
            // GTUBE.
            (
                r#"{"is_skipped":true,"score":15.0,"action":"reject","symbols":{"GTUBE":{"score":0.0}}}"#,
                judged(Some(true), 15_000, &[("GTUBE", 0)]),
            ),
            (r#"{"is_skipped":true,"score":0.0,"action":"no action"}"#, Err(BadAnswer::Skipped)),
            (r#"{"error":"invalid command"}"#, Err(BadAnswer::Error("invalid command".into()))),
            (r#"{"score":1e9,"action":"reject"}"#, Err(BadAnswer::Figure)),
            (r#"{"score":1,"action":"reject","symbols":{"A":{"score":-1e300}}}"#, Err(BadAnswer::Figure)),
            (r#"{"score":1e999,"action":"reject"}"#, Err(BadAnswer::Unknown)),
            (r#"{"score":"15","action":"reject"}"#, Err(BadAnswer::Unknown)),
            (r#"{"score":15,"score":0,"action":"reject"}"#, Err(BadAnswer::Unknown)),
            (r#"{"score":15}"#, Err(BadAnswer::Unknown)),
            (r#"{"action":"reject"}"#, Err(BadAnswer::Unknown)),
            (r#"{"score":15,"action":"reject"} {}"#, Err(BadAnswer::Unknown)),
            ("[]", Err(BadAnswer::Unknown)),
            ("", Err(BadAnswer::Unknown)),
        ] {
            assert_eq!(answer(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn the_threshold_of_marking_counts_where_it_is_told() {
        let body =
            br#"{"score":3,"action":"no action","thresholds":{"reject":15,"add header":6,"rewrite subject":null}}"#;
        assert_eq!(answer(body).map(|report| report.threshold), Ok(Some(6_000)));
    }

    #[test]
    fn large_and_deep_answers_are_none() {
        let deep = [r#"{"score":1,"action":"reject","x":"#.as_bytes(), &[b'['; 100_000]].concat();
        assert_eq!(answer(&deep), Err(BadAnswer::Unknown));
        assert_eq!(answer(&vec![b' '; ANSWER_OCTETS_MAX + 1]), Err(BadAnswer::TooLong));
        let symbols: Vec<_> = (0..5_000).map(|number| format!(r#""S{number}":{{"score":{number}}}"#)).collect();
        let many = format!(r#"{{"score":1,"action":"reject","symbols":{{{}}}}}"#, symbols.join(","));
        let report = answer(many.as_bytes()).unwrap();
        assert_eq!(report.rules.len(), super::super::report::RULES_MAX);
        assert_eq!(report.rules[0], ("S4999".to_owned(), 4_999_000));
    }

    #[test]
    fn what_is_told() {
        let question = Question {
            from: "",
            recipients: vec!["b@example.org".into(), "c\r\nUser: root@example.org".into()],
            client: "192.0.2.7".into(),
            hello: Some("client.example"),
            host: "mx.example.org",
            login: Some("toto-j\n"),
            queue_id: "0123",
            ..Question::default()
        };
        let fields = question.fields();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let expected = [
            ("From", "<>"),
            ("IP", "192.0.2.7"),
            ("Rcpt", "<b@example.org>"),
            ("Helo", "client.example"),
            ("MTA-Name", "mx.example.org"),
            ("Queue-Id", "0123"),
            ("Pass", "all"),
        ];
        assert_eq!(fields, expected);
        let many = Question { recipients: vec!["b@example.org".into(); 10_000], ..question };
        assert!(many.fields().len() < 200);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

        #[test]
        fn the_law_holds(
            head in prop::sample::select(&["", r#"{"score":1,"action":"reject","symbols":{"A":{"score":"#][..]),
            tail in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            fuzz(&[head.as_bytes(), &tail].concat());
        }
    }
}
