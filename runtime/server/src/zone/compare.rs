//! What a zone has against what it should have: pure.

use std::collections::BTreeSet;

use serde::Serialize;

use super::data::{Data, Kind, Record};

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Ok,
    Missing,
    Different,
    /// It is there and does not do.
    Bad,
    /// Nobody could be asked.
    Unknown,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub standing: Standing,
    /// What was looked at.
    pub what: String,
    /// What was found, and what to do; empty where all is well.
    pub says: String,
}

impl Finding {
    pub fn ok(what: impl Into<String>) -> Finding {
        Finding { standing: Standing::Ok, what: what.into(), says: String::new() }
    }

    pub fn new(standing: Standing, what: impl Into<String>, says: impl Into<String>) -> Finding {
        Finding { standing, what: what.into(), says: says.into() }
    }
}

/// The expected records of one name and kind against those that are there.
pub fn compared(name: &str, kind: Kind, expected: &[&Record], found: &[Data]) -> Vec<Finding> {
    if kind == Kind::Txt {
        return expected.iter().map(|record| text(record, found)).collect();
    }
    let what = format!("{name} {kind}");
    let wanted: BTreeSet<&Data> = expected.iter().map(|record| &record.data).collect();
    let there: BTreeSet<&Data> = found.iter().collect();
    let list = |all: &BTreeSet<&Data>| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    vec![if wanted == there {
        Finding::ok(what)
    } else if there.is_empty() {
        Finding::new(Standing::Missing, what, format!("add {}", list(&wanted)))
    } else {
        Finding::new(Standing::Different, what, format!("it is {}; it should be {}", list(&there), list(&wanted)))
    }]
}

/// A text is compared with those that begin as it does: other texts at the name are not ours to judge.
fn text(record: &Record, found: &[Data]) -> Finding {
    let what = format!("{} TXT", record.name);
    let Data::Txt(wanted) = &record.data else { return Finding::ok(what) };
    let tag = wanted.split([' ', ';']).next().unwrap_or_default();
    let what = format!("{what} {tag}");
    let alike = |text: &&str| text.split([' ', ';']).next() == Some(tag);
    let texts = found.iter().filter_map(|data| if let Data::Txt(text) = data { Some(text.as_str()) } else { None });
    let there: Vec<&str> = texts.filter(alike).collect();
    let revoked = tag == "v=DKIM1" && tag_of(wanted, "p").is_some_and(|key| key.is_empty());
    match there.as_slice() {
        // A key that counts no more may be gone.
        [] if revoked => Finding::ok(what),
        [] => Finding::new(Standing::Missing, what, format!("add {}", record.data)),
        [one] if does(tag, wanted, one) => Finding::ok(what),
        [one] => Finding::new(Standing::Different, what, format!("it is \"{one}\"; it should be {}", record.data)),
        several => {
            let says = format!("there are {}, and only one may be; it should be {}", several.len(), record.data);
            Finding::new(Standing::Bad, what, says)
        }
    }
}

/// Does the text that is there do what the wanted one does? Where reports go is the owner's choice.
fn does(tag: &str, wanted: &str, there: &str) -> bool {
    match tag {
        "v=DMARC1" => strength(there) >= strength(wanted),
        "v=TLSRPTv1" => tag_of(there, "rua").is_some_and(|rua| !rua.is_empty()),
        "v=DKIM1" => {
            let key = |text| (tag_of(text, "k").unwrap_or_else(|| "rsa".to_owned()), tag_of(text, "p"));
            key(there) == key(wanted)
        }
        _ => there.split_whitespace().eq(wanted.split_whitespace()),
    }
}

/// How much a DMARC record asks for.
fn strength(record: &str) -> u8 {
    match tag_of(record, "p").as_deref() {
        Some("reject") => 3,
        Some("quarantine") => 2,
        Some("none") => 1,
        _ => 0,
    }
}

/// A tag of a tag list, its space taken out.
fn tag_of(text: &str, name: &str) -> Option<String> {
    let mut tags = text.split(';').filter_map(|tag| tag.split_once('='));
    tags.find(|(tag, _)| tag.trim() == name).map(|(_, value)| value.split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(wanted: &str, found: &[&str]) -> Standing {
        let record = Record { name: "a.example".into(), data: Data::Txt(wanted.into()), why: String::new() };
        let found: Vec<Data> = found.iter().map(|text| Data::Txt((*text).into())).collect();
        compared("a.example", Kind::Txt, &[&record], &found)[0].standing
    }

    #[test]
    fn texts_are_compared_by_what_they_do() {
        use Standing::{Bad, Different, Missing, Ok};
        for (wanted, found, expected) in [
            ("v=spf1 mx -all", &["v=spf1  mx -all", "google-verification=x"][..], Ok),
            ("v=spf1 mx -all", &["v=spf1 +all"], Different),
            ("v=spf1 mx -all", &["v=spf10 mx -all"], Missing),
            ("v=spf1 mx -all", &["v=spf1 mx -all", "v=spf1 mx -all"], Bad),
            ("v=DMARC1; p=quarantine; rua=mailto:a@b", &["v=DMARC1;p=reject"], Ok),
            ("v=DMARC1; p=quarantine; rua=mailto:a@b", &["v=DMARC1; p=none; rua=mailto:a@b"], Different),
            ("v=DKIM1; k=rsa; p=AB", &["v=DKIM1; p=A B"], Ok),
            ("v=DKIM1; k=rsa; p=AB", &["v=DKIM1; k=rsa; p=AC"], Different),
            ("v=DKIM1; k=rsa; p=", &[], Ok),
            ("v=DKIM1; k=rsa; p=", &["v=DKIM1; k=rsa; p=AB"], Different),
            ("v=TLSRPTv1; rua=mailto:a@b", &["v=TLSRPTv1; rua=https://c"], Ok),
            ("v=STSv1; id=1;", &["v=STSv1; id=2;"], Different),
        ] {
            assert_eq!(standing(wanted, found), expected, "{wanted} {found:?}");
        }
    }

    #[test]
    fn other_records_are_compared_as_a_whole() {
        let mx = |host: &str| Data::Mx { preference: 10, host: host.into() };
        let record = Record { name: "a.example".into(), data: mx("mx.a.example"), why: String::new() };
        for (found, standing) in [
            (vec![mx("mx.a.example")], Standing::Ok),
            (vec![], Standing::Missing),
            (vec![mx("old.a.example")], Standing::Different),
            (vec![mx("mx.a.example"), mx("old.a.example")], Standing::Different),
        ] {
            assert_eq!(compared("a.example", Kind::Mx, &[&record], &found)[0].standing, standing, "{found:?}");
        }
    }
}
