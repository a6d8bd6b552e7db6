//! Signatures and seals against verifiers others wrote.

mod dkimpy;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::OnceLock;
use std::time::Instant;

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt};

use super::keys::{Row, made};
use super::rotation::{Life, State};
use super::*;

/// A zone in memory, where the verifier looks first.
#[derive(Default)]
struct Zone(BTreeMap<String, Arc<DomainKey>>);

impl ResolverCache<Box<str>, Txt> for Zone {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        // The only way from a borrowed name of any kind to a text is to compare.
        let found = self.0.iter().find(|(key, _)| Borrow::<Q>::borrow(&Box::<str>::from(key.as_str())) == name);
        Some(Txt::DomainKey(found?.1.clone()))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

const DOMAINS: [&str; 2] = ["univ.example", "other.example"];

type Made = (Seal, Vec<(Domain, Vec<Row>)>);

/// RSA keys are made once for all tests.
fn made_once() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let seal = Seal::unkept();
        let rows = |domain: &Domain| -> Vec<Row> {
            let life = |selector: &str, algorithm| Life {
                selector: selector.into(),
                algorithm,
                state: State::Signing,
                since_s: 0,
            };
            let lives = [life("r", SigningAlgorithm::RsaSha256), life("e", SigningAlgorithm::Ed25519Sha256)];
            lives.into_iter().map(|life| made(domain, life, &seal).unwrap()).collect()
        };
        let all = DOMAINS.map(|name| name.parse::<Domain>().unwrap()).map(|domain| (domain.clone(), rows(&domain)));
        (seal, all.into())
    })
}

fn signing() -> (Signing, Zone) {
    let (seal, all) = made_once();
    let (keys, mut zone) = (Keys::default(), Zone::default());
    for (domain, rows) in all {
        keys.set(domain, rows, seal);
        for row in rows {
            let record = format!("v=DKIM1; k={}; p={}", keys::short(row.life.algorithm), row.public);
            let name = format!("{}._domainkey.{domain}.", row.life.selector);
            zone.0.insert(name, DomainKey::parse(record.as_bytes()).unwrap().into());
        }
    }
    (Signing { seal: Seal::unkept(), domains: all.iter().map(|(domain, _)| domain.clone()).collect(), keys }, zone)
}

fn read(text: &[u8]) -> Message {
    Message::read(b"", &text.to_vec()).unwrap()
}

fn authenticator() -> MessageAuthenticator {
    MessageAuthenticator::new_system_conf().unwrap()
}

async fn dkim(zone: &Zone, message: &[u8]) -> Vec<(String, bool)> {
    let parsed = AuthenticatedMessage::parse(message).unwrap();
    let outputs = authenticator().verify_dkim(Parameters::new(&parsed).with_txt_cache(zone)).await;
    let told = outputs.iter().map(|output| {
        let signature = output.signature().unwrap();
        (format!("{} {}", signature.d, signature.s), *output.result() == DkimResult::Pass)
    });
    told.collect()
}

const LETTER: &str = "From: \"Toto\" <toto@unit.univ.example>\r\nTo: a@b\r\nSubject:  Où \r\n\test-il\r\n\
    Content-Type: text/plain\r\n\r\n\r\n Bonjour \t \r\n\r\ntout le monde\r\n";

#[tokio::test]
async fn mail_of_ours_has_a_signature_of_each_algorithm_that_verifies() {
    let (signing, zone) = signing();
    for (from, signs) in [
        ("toto@unit.univ.example", "univ.example"),
        ("toto@other.example", "other.example"),
        ("toto@elsewhere.example", "univ.example"),
    ] {
        let letter = LETTER.replace("toto@unit.univ.example", from);
        let lines = signing.own(&read(letter.as_bytes()), clock::unix_s()).unwrap();
        let whole = [lines.as_slice(), letter.as_bytes()].concat();
        let expected = [format!("{signs} r"), format!("{signs} e")].map(|name| (name, true));
        assert_eq!(dkim(&zone, &whole).await, expected, "{from}");
        let text = String::from_utf8(whole).unwrap();
        for changed in [text.replace("tout le", "tous le"), text.replace("To: a@b", "To: c@b")] {
            assert!(dkim(&zone, changed.as_bytes()).await.iter().all(|(_, pass)| !pass), "{changed}");
        }
        let spoofed = text.replace("To: a@b", "From: x@y\r\nTo: a@b");
        assert!(dkim(&zone, spoofed.as_bytes()).await.iter().all(|(_, pass)| !pass), "another From is not covered");
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_said() {
    let (_, zone) = signing();
    let signing =
        Signing { seal: Seal::unkept(), domains: vec!["univ.example".parse().unwrap()], keys: Keys::default() };
    assert!(matches!(signing.own(&read(LETTER.as_bytes()), 0), Err(Unsigned::NoKey)));
    assert!(dkim(&zone, LETTER.as_bytes()).await.is_empty());
    let nothing = Signing { seal: Seal::unkept(), domains: Vec::new(), keys: Keys::default() };
    assert!(nothing.own(&read(LETTER.as_bytes()), 0).unwrap().is_empty());
}

#[test]
fn keys_that_do_not_open_do_not_sign() {
    let (_, all) = made_once();
    let other = Seal::unkept();
    let keys = Keys::default();
    for (domain, rows) in all {
        keys.set(domain, rows, &other);
        assert!(keys.of(domain).is_empty());
    }
}

async fn arc(zone: &Zone, message: &[u8]) -> DkimResult {
    let parsed = AuthenticatedMessage::parse(message).unwrap();
    authenticator().verify_arc(Parameters::new(&parsed).with_txt_cache(zone)).await.result().clone()
}

fn lines(signing: &Signing, results: &str, message: &[u8]) -> Vec<u8> {
    signing.forwarded(&read(message), results, clock::unix_s()).unwrap()
}

#[tokio::test]
async fn mail_that_goes_on_is_sealed_and_each_server_on_its_way_lengthens_the_chain() {
    let (signing, zone) = signing();
    let mut message = LETTER.replace("unit.univ.example", "elsewhere.example").into_bytes();
    for instance in 1..=50 {
        let chain = if instance == 1 { "none" } else { "pass" };
        let results = format!("mx.univ.example; spf=pass smtp.mailfrom=x@y; dmarc=fail;\r\n\tarc={chain}");
        message = [lines(&signing, &results, &message), message].concat();
        let begins = format!("ARC-Seal: i={instance}; a=rsa-sha256;");
        assert!(message.starts_with(begins.as_bytes()), "{}", String::from_utf8_lossy(&message));
        if [1, 2, 3, 50].contains(&instance) {
            assert_eq!(arc(&zone, &message).await, DkimResult::Pass, "{instance}");
        }
    }
    let full = lines(&signing, "mx.univ.example; arc=pass", &message);
    assert!(!full.starts_with(b"ARC-"), "a chain has 50 sets at most");
    let text = String::from_utf8(message).unwrap().replace("tout le", "tous le");
    let found = arc(&zone, text.as_bytes()).await;
    assert_ne!(found, DkimResult::Pass);
}

#[tokio::test]
async fn a_chain_that_fails_here_says_so_and_is_left_alone_from_then_on() {
    let (signing, zone) = signing();
    let letter = LETTER.replace("unit.univ.example", "elsewhere.example").into_bytes();
    let first = [lines(&signing, "mx.univ.example; arc=none", &letter), letter.clone()].concat();
    let broken = String::from_utf8(first).unwrap().replace("tout le", "tous le").into_bytes();
    let failed = lines(&signing, "mx.univ.example; arc=fail", &broken);
    let text = String::from_utf8(failed.clone()).unwrap();
    assert!(text.starts_with("ARC-Seal: i=2; ") && text.contains("cv=fail"), "{text}");
    let failed = [failed, broken].concat();
    assert!(matches!(arc(&zone, &failed).await, DkimResult::Fail(_)));
    for results in ["mx.univ.example; arc=fail", "mx.univ.example; arc=pass", "mx.univ.example"] {
        assert!(!lines(&signing, results, &failed).starts_with(b"ARC-"), "{results}");
    }
    let unknown = [lines(&signing, "mx.univ.example; arc=none", &letter), letter].concat();
    assert!(!lines(&signing, "mx.univ.example; spf=pass", &unknown).starts_with(b"ARC-"), "nobody looked");
}

#[tokio::test]
async fn a_stranger_who_writes_our_name_gets_no_signature_of_ours() {
    let (signing, zone) = signing();
    for (from, results, signed) in [
        ("toto@univ.example", "mx; dmarc=fail", false),
        ("toto@unit.univ.example", "mx; spf=pass", false),
        ("toto@other.example", "", false),
        ("toto@univ.example", "mx; dmarc=pass header.from=univ.example", true),
        ("toto@elsewhere.example", "mx; dmarc=fail", true),
    ] {
        let letter = LETTER.replace("toto@unit.univ.example", from).into_bytes();
        let whole = [lines(&signing, results, &letter), letter].concat();
        assert_eq!(dkim(&zone, &whole).await.len(), if signed { 2 } else { 0 }, "{from} {results}");
        assert_eq!(arc(&zone, &whole).await, DkimResult::Pass, "the seal says what was found, and vouches for nothing");
    }
}
