//! The ARC suite, and signed messages of other people's tests.

use std::time::Duration;

use saphyr::{LoadableYamlNode, YamlOwned};
use tokio::time::Instant;

use super::zone::{Data, Zone};
use super::{Compared, corpus, judge, names, unpacked};
use crate::authenticate::body::Hasher;
use crate::authenticate::resolver::Resolver;
use crate::authenticate::results::{Checked, Signature};
use crate::authenticate::signatures::Signed;
use crate::authenticate::step::end_of_head;

/// Lines ended by CRLF, as they come over the wire.
fn wire(message: &str) -> Vec<u8> {
    message.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

/// Reads a message as the step does.
fn read(message: &[u8]) -> Option<Signed<'_>> {
    let end = end_of_head(message).unwrap_or(message.len());
    let mut signed = Signed::read(&message[..end])?;
    signed.with_body(&Hasher::of(&message[end..]));
    Some(signed)
}

async fn arc(resolver: &Resolver, message: &[u8]) -> Checked {
    match read(message) {
        Some(signed) => signed.arc(resolver).await.result,
        None => Checked::None,
    }
}

async fn dkim(resolver: &Resolver, message: &[u8]) -> Vec<Signature> {
    match read(message) {
        Some(signed) => signed.dkim(resolver, Instant::now() + Duration::from_secs(60)).await,
        None => Vec::new(),
    }
}

fn txt(zone: &mut Zone, name: &str, value: &str) {
    zone.add(name, Data::Txt(vec![value.trim().replace('\n', "").into_bytes()]));
}

/// The keys of a scenario.
fn keys(scenario: &YamlOwned) -> Zone {
    let mut zone = Zone::default();
    for (name, value) in scenario["txt-records"].as_mapping().unwrap() {
        txt(&mut zone, name.as_str().unwrap(), value.as_str().unwrap_or_default());
    }
    zone
}

fn documents(file: &str) -> Option<Vec<YamlOwned>> {
    Some(YamlOwned::load_from_str(&std::fs::read_to_string(corpus()?.join(file)).unwrap()).unwrap())
}

#[tokio::test]
async fn the_vectors_of_arc_validation_hold() {
    let Some(documents) = documents("arc-validation-tests.yml") else { return };
    let (server, resolver) = names(Zone::default());
    let mut compared = Vec::new();
    for scenario in documents.iter().filter(|scenario| scenario.as_mapping_get("tests").is_some()) {
        server.replace(keys(scenario));
        for (name, test) in scenario["tests"].as_mapping().unwrap() {
            let message = wire(test["message"].as_str().unwrap_or_default());
            let ours = arc(&resolver, &message).await.word();
            let theirs = test["cv"].as_str().unwrap_or("None").to_ascii_lowercase();
            compared.push(Compared::new(name.as_str().unwrap(), ours, &theirs));
        }
    }
    judge("arc-validation-tests", &compared);
}

/// `name: value`, lines that end in a backslash going on.
fn chasquid_zone(octets: &[u8]) -> Zone {
    let mut zone = Zone::default();
    for line in String::from_utf8_lossy(octets).replace("\\\n", " ").lines() {
        if let Some((name, value)) = line.split_once(':') {
            txt(&mut zone, name, value);
        }
    }
    zone
}

#[tokio::test]
async fn the_messages_of_chasquid_are_judged_alike() {
    let Some(files) = unpacked("chasquid-dkim") else { return };
    let (server, resolver) = names(Zone::default());
    let usual = &files["chasquid-dkim/08-our_signature.dns"];
    let mut compared = Vec::new();
    for (path, message) in files.iter().filter(|(path, _)| path.ends_with(".msg")) {
        let stem = path.trim_end_matches(".msg");
        server.replace(chasquid_zone(files.get(&format!("{stem}.dns")).unwrap_or(usual)));
        let ours = dkim(&resolver, &wire(&String::from_utf8_lossy(message))).await;
        let Some(result) = files.get(&format!("{stem}.result")) else {
            // No message at all: no signature of it counts.
            assert_eq!(ours, [], "{path}");
            continue;
        };
        let result: serde_json::Value = serde_json::from_slice(result).unwrap();
        for (index, theirs) in result["Results"].as_array().unwrap().iter().enumerate() {
            let theirs = if theirs["State"] == "SUCCESS" { "pass" } else { "fail" };
            let name = format!("{}/{}", stem.rsplit('/').next().unwrap(), index + 1);
            let word = ours.get(index).map_or("none", |signature| signature.result.word());
            compared.push(Compared::new(name, word, theirs));
        }
    }
    judge("chasquid-dkim", &compared);
}

#[tokio::test]
async fn the_messages_of_the_library_are_judged_alike() {
    let Some(files) = unpacked("mail-auth-resources") else { return };
    let (server, resolver) = names(Zone::default());
    let mut compared = Vec::new();
    for (path, octets) in files.iter().filter(|(path, _)| path.contains("/dkim/")) {
        let text = String::from_utf8_lossy(octets).replace("\r\n", "\n");
        let (records, message) = text.split_once("\n\n").unwrap();
        let mut zone = Zone::default();
        for (name, value) in records.lines().filter_map(|line| line.split_once(' ')) {
            txt(&mut zone, name, value);
        }
        server.replace(zone);
        let ours = dkim(&resolver, &wire(message)).await;
        let passed = ours.iter().any(|signature| signature.result == Checked::Pass);
        compared.push(Compared::new(path.rsplit('/').next().unwrap(), if passed { "pass" } else { "fail" }, "pass"));
    }
    judge("mail-auth-dkim", &compared);
}

#[tokio::test]
async fn the_messages_and_keys_of_dkimpy_are_judged_alike() {
    let Some(files) = unpacked("dkimpy-tests") else { return };
    let file = |name: &str| String::from_utf8(files[&format!("dkimpy-tests/{name}")].clone()).unwrap();
    let (server, resolver) = names(Zone::default());
    let mut compared = Vec::new();
    let mut zone = Zone::default();
    let brisbane = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    txt(&mut zone, "brisbane._domainkey.football.example.com", brisbane);
    txt(&mut zone, "test._domainkey.football.example.com", &file("test.txt"));
    txt(&mut zone, "sed._domainkey.test.ex", &file("eximtest.dns"));
    server.replace(zone);
    for message in ["rfc6376.signed.msg", "ed25519test2.msg"] {
        for (index, signature) in dkim(&resolver, &wire(&file(message))).await.iter().enumerate() {
            compared.push(Compared::new(format!("{message}/{}", index + 1), signature.result.word(), "pass"));
        }
    }
    // The second signature is under the key the other files spoil.
    let signed = wire(&file("rfc6376.signed.msg"));
    for (key, theirs) in [
        ("test.txt", "pass"),
        ("test2.txt", "pass"),
        ("test_bad.txt", "no pass"),
        ("badk.txt", "no pass"),
        ("badversion.txt", "no pass"),
        ("test_tlsrpt.txt", "no pass"),
    ] {
        let mut zone = Zone::default();
        txt(&mut zone, "test._domainkey.football.example.com", &file(key));
        server.replace(zone);
        let passed = dkim(&resolver, &signed).await.iter().any(|signature| signature.result == Checked::Pass);
        compared.push(Compared::new(key, if passed { "pass" } else { "no pass" }, theirs));
    }
    judge("dkimpy-tests", &compared);
}

/// Their keys are in the public DNS: only the hashes of the bodies are compared.
#[test]
fn the_bodies_of_spamassassin_hash_as_signed() {
    let Some(files) = unpacked("spamassassin-dkim") else { return };
    let mut compared = Vec::new();
    let passing = |path: &str| path.contains("test-pass") || path.contains("/nice/");
    for (path, octets) in files.iter().filter(|(path, _)| passing(path)) {
        let message = wire(&String::from_utf8_lossy(octets));
        let end = end_of_head(&message).unwrap_or(message.len());
        let hashes = Hasher::of(&message[end..]);
        let Some(message) = mail_auth::AuthenticatedMessage::parse(&message[..end]) else { continue };
        for (index, header) in message.dkim_headers.iter().enumerate() {
            let signature = &header.header;
            if signature.a == mail_auth::common::crypto::Algorithm::RsaSha1 {
                continue;
            }
            let simple = signature.cb == mail_auth::dkim::Canonicalization::Simple;
            let ours = if simple { &hashes.simple } else { &hashes.relaxed };
            let word = if *ours == signature.bh { "same" } else { "other" };
            let name = format!("{}/{}", path.rsplit('/').next().unwrap(), index + 1);
            compared.push(Compared::new(name, word, "same"));
        }
    }
    judge("spamassassin-dkim", &compared);
}
