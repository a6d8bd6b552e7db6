//! What must hold of Authentication-Results, ours and those of others, whatever stands in them.

use decide::Alignment;
use mail::Domain;
use mail_auth::dmarc::Policy;

use super::field::Field;
use super::gateway;
use super::results::{Chain, Checked, Dmarc, Results, Signature, Spf};
use super::spf::SpfResult;

/// Between the texts of an input: no octet of UTF-8.
const BETWEEN: u8 = 0xff;
/// Methods of a field that are read.
const METHODS_MAX: usize = 50;
/// RFC 5322 2.1.1.
const LINE_OCTETS_MAX: usize = 998;

/// The first octet chooses what was found, the texts behind it are what others wrote. Our field reads back as it was meant, and
/// what stands in a comment or a quote of theirs is no result.
pub fn fuzz_authentication_results(octets: &[u8]) {
    let [bits, texts @ ..] = octets else { return };
    let texts: Vec<String> =
        texts.split(|octet| *octet == BETWEEN).map(|text| String::from_utf8_lossy(text).into_owned()).collect();
    let text = |at: usize| texts.get(at).cloned().unwrap_or_default();
    let chosen = usize::from(*bits);
    let spf = Spf {
        result: SpfResult::ALL[chosen % SpfResult::ALL.len()],
        domain: text(0),
        hello: SpfResult::Fail,
        hello_name: text(1),
    };
    let signature = Signature {
        result: Checked::ALL[chosen % Checked::ALL.len()],
        domain: text(2),
        selector: text(3),
        begins: "AbC+/1zz".to_owned(),
        why: if bits & 1 == 0 { "" } else { "the body was changed" },
    };
    let results = Results {
        spf: Some(spf),
        dkim: vec![signature; chosen >> 6],
        dmarc: Dmarc {
            result: Checked::ALL[(chosen >> 1) % Checked::ALL.len()],
            from: text(4).parse().ok(),
            policy: (bits & 8 != 0).then_some(Policy::Reject),
            ..Dmarc::default()
        },
        arc: Chain { result: if bits & 16 == 0 { Checked::None } else { Checked::Pass }, ..Chain::default() },
        claims: Vec::new(),
        by: (bits & 32 != 0).then(|| text(5)),
    };
    check_ours(&results, (bits & 4 != 0).then(|| text(6)).as_deref());
    check_theirs(&text(7));
}

fn check_ours(results: &Results, note: Option<&str>) {
    let host: Domain = "mx.example".parse().expect("a domain");
    let value = results.value(&host, note);
    for (at, line) in value.split("\r\n").enumerate() {
        let text = if at == 0 { line } else { line.strip_prefix('\t').expect("a line goes on") };
        assert!(line.len() <= LINE_OCTETS_MAX && text.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{line:?}");
        assert!(!text.trim().is_empty(), "{value:?}");
    }
    let read = Field::read(&value);
    assert_eq!(read.authserv_id, "mx.example", "{value:?}");
    let spf = results.spf.as_ref().expect("it was asked");
    let mut expected = vec![("spf", spf.result.word())];
    expected.extend((!spf.hello_name.is_empty()).then_some(("spf", spf.hello.word())));
    expected.extend(results.dkim.is_empty().then_some(("dkim", "none")));
    expected.extend(results.dkim.iter().map(|signature| ("dkim", signature.result.word())));
    expected.push(("dmarc", results.dmarc.result.word()));
    expected.extend((results.arc.result != Checked::None).then_some(("arc", results.arc.result.word())));
    let found: Vec<(&str, &str)> = read.methods.iter().map(|it| (it.name.as_str(), it.result.as_str())).collect();
    assert_eq!(found, expected, "{value:?}");
    for method in &read.methods {
        let places = ["smtp.mailfrom", "smtp.helo", "header.d", "header.s", "header.b", "header.from", "reason"];
        assert!(method.properties.iter().all(|(name, _)| places.contains(&name.as_str())), "{value:?}");
        assert!(method.name == "dmarc" || method.property("reason").is_none(), "{value:?}");
    }
    let sealed = Field::read_sealed(&format!("i=1; {value}"));
    assert_eq!(sealed, read, "under a seal it says the same");
}

fn check_theirs(text: &str) {
    assert!(Field::read(text).methods.len() <= METHODS_MAX, "too many methods");
    let escaped = |special: &[char]| -> String {
        let octets = text.chars().map(|c| if special.contains(&c) { format!("\\{c}") } else { c.to_string() });
        octets.collect()
    };
    let comment = escaped(&['(', ')', '\\']);
    let plain = Field::read("mx.example; spf=fail smtp.mailfrom=a.example");
    let commented = format!(
        "({comment})mx.example({comment});({comment}) spf ({comment})=({comment})fail ({comment}) smtp.mailfrom=a.example"
    );
    assert_eq!(Field::read(&commented), plain, "{commented:?}");
    let quote = escaped(&['"', '\\']);
    let quoted = Field::read(&format!("mx.example; spf=fail reason=\"{quote}\"; dkim=none"));
    let names: Vec<&str> = quoted.methods.iter().map(|method| method.name.as_str()).collect();
    assert_eq!(names, ["spf", "dkim"], "{text:?}");
    assert_eq!(quoted.methods[0].property("reason"), Some(text), "a value comes back");
    let alone = Field::read(&format!("mx.example; \"{quote}\""));
    assert!(alone.methods.iter().all(|method| method.name.starts_with('"')), "a quote is a result: {text:?}");
    let head = format!("Authentication-Results: {text}\r\nFrom: <jean@univ.example>\r\n\r\n");
    let found = gateway::results(head.as_bytes(), "mx.example", &["jean@univ.example".to_owned()]);
    let aligned = found.claims.iter().any(|(_, alignment)| *alignment == Alignment::Aligned);
    assert!(!aligned || text.to_ascii_lowercase().contains("pass"), "{text:?}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_texts_break_the_law(
            bits in any::<u8>(),
            texts in prop::collection::vec("(dmarc=pass|mx\\.example|[;=()\"\\\\ a.]|é|\r\n|\0){0,9}", 8),
            domain in "[a-z]{1,9}\\.example",
        ) {
            let mut texts: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
            texts[4] = domain.as_bytes();
            fuzz_authentication_results(&[&[bits], &texts.join(&BETWEEN)[..]].concat());
        }
    }
}
