//! What must hold of SPF records whatever a domain publishes.

use super::macros::{Facts, Template};
use super::record::{Mechanism, Record, is_spf};

/// Longest name in octets that is not one label (RFC 7208 7.3).
const NAME_OCTETS_MAX: usize = 253;
/// A macro of four characters stands for an address or a name.
const GROWTH_MAX: usize = 400;

/// The record stands behind the first line, which is the sender's: local part, HELO name. Prefixes are within their bounds, space
/// between terms says nothing, and names stay as short as DNS has them whatever a macro stands for.
pub fn fuzz_spf(octets: &[u8]) {
    let mut lines = octets.splitn(3, |octet| *octet == b'\n');
    let mut next = || lines.next().unwrap_or_default();
    let (local, hello, terms) = (String::from_utf8_lossy(next()), String::from_utf8_lossy(next()), next());
    let record = [b"v=spf1 ", terms].concat();
    assert!(is_spf(&record), "the version stands alone");
    assert_eq!(
        is_spf(terms),
        terms.get(..6).is_some_and(|it| it.eq_ignore_ascii_case(b"v=spf1"))
            && matches!(terms.get(6), None | Some(b' '))
    );
    let Some(read) = Record::read(&record) else { return };
    let spaced: Vec<u8> =
        record.iter().flat_map(|octet| std::iter::repeat_n(*octet, 1 + usize::from(*octet == b' '))).collect();
    assert_eq!(Record::read(&spaced).as_ref(), Some(&read), "space says nothing");
    for template in templates(&read) {
        for client in ["192.0.2.3", "2001:db8::cb01"] {
            let client = client.parse().expect("an address");
            let local = local.get(..local.floor_char_boundary(64)).unwrap_or_default();
            let hello = hello.get(..hello.floor_char_boundary(255)).unwrap_or_default();
            let facts = Facts { client, hello, local, sender_domain: "email.example.com" };
            let name = template.expand(&facts, "example.com", "mx.example.com");
            assert!(name.len() <= NAME_OCTETS_MAX || !name.contains('.'), "{name:?}");
            assert!(name.len() <= GROWTH_MAX * record.len(), "{} octets", name.len());
        }
    }
}

fn templates(record: &Record) -> Vec<&Template> {
    let mut templates: Vec<&Template> = record.redirect.iter().collect();
    for directive in &record.directives {
        match &directive.mechanism {
            Mechanism::All => {}
            Mechanism::Ip4(_, length) => assert!(*length <= 32, "{length}"),
            Mechanism::Ip6(_, length) => assert!(*length <= 128, "{length}"),
            Mechanism::A { name, prefix } | Mechanism::Mx { name, prefix } => {
                assert!(prefix.v4 <= 32 && prefix.v6 <= 128, "{prefix:?}");
                templates.extend(name);
            }
            Mechanism::Ptr(name) => templates.extend(name),
            Mechanism::Include(name) | Mechanism::Exists(name) => templates.push(name),
        }
    }
    templates
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_record_breaks_the_law(
            local in "[a-zé.@+-]{0,70}",
            terms in prop::collection::vec(
                "[-+~?]?(all|a|mx|ip4|ip6|exists|include|ptr|redirect|exp|x)[:=/]?(%\\{[slodipvhc][0-9]{0,2}r?[.-]?\\}|[a-z0-9.:/%{}]){0,6}",
                0..5,
            ),
            noise in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            fuzz_spf(format!("{local}\nmx.example\n{}", terms.join(" ")).as_bytes());
            fuzz_spf(&noise);
        }
    }
}
