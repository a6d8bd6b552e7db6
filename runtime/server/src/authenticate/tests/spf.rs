//! The OpenSPF suites, and those of a library.

use std::net::IpAddr;

use saphyr::{LoadableYamlNode, YamlOwned};

use super::zone::{Data, NameServer, Zone};
use super::{Compared, corpus, judge, names, unpacked};
use crate::authenticate::resolver::{Resolver, reversed};
use crate::authenticate::spf::{Identity, check};

/// The text of a scalar, whatever type YAML sees in it.
fn text(node: &YamlOwned) -> Option<String> {
    match node {
        YamlOwned::Representation(text, _, _) => Some(text.clone()),
        YamlOwned::Value(value) => match value {
            saphyr::ScalarOwned::String(text) => Some(text.clone()),
            saphyr::ScalarOwned::Integer(number) => Some(number.to_string()),
            saphyr::ScalarOwned::FloatingPoint(number) => Some(number.to_string()),
            saphyr::ScalarOwned::Boolean(_) | saphyr::ScalarOwned::Null => None,
        },
        _ => None,
    }
}

fn texts(node: &YamlOwned) -> Vec<String> {
    match node.as_sequence() {
        Some(list) => list.iter().filter_map(text).collect(),
        None => text(node).into_iter().collect(),
    }
}

fn strings(node: &YamlOwned) -> Vec<Vec<u8>> {
    texts(node).into_iter().map(String::into_bytes).collect()
}

/// The zone of a scenario. SPF values are those of TXT where a name has no TXT of its own.
fn zone(data: &YamlOwned) -> Zone {
    let mut zone = Zone::default();
    for (name, entries) in data.as_mapping().unwrap() {
        let name = text(name).unwrap();
        let entries = entries.as_sequence().unwrap();
        let has_txt = entries.iter().any(|entry| entry.as_mapping_get("TXT").is_some());
        for entry in entries {
            let Some(entry) = entry.as_mapping() else {
                zone.add(&name, Data::Failing);
                continue;
            };
            for (kind, value) in entry {
                if let Some(data) = data_of(&text(kind).unwrap(), value, has_txt) {
                    zone.add(&name, data);
                }
            }
        }
    }
    zone
}

fn data_of(kind: &str, value: &YamlOwned, has_txt: bool) -> Option<Data> {
    let one = text(value).unwrap_or_default();
    match kind {
        "SPF" if has_txt => None,
        "TXT" | "SPF" if one == "NONE" => None,
        "TXT" if one == "TIMEOUT" => Some(Data::Failing),
        "SPF" if one == "TIMEOUT" => None,
        "TXT" | "SPF" => Some(Data::Txt(strings(value))),
        "A" => one.parse().ok().map(Data::A),
        "AAAA" => one.parse().ok().map(Data::Aaaa),
        "PTR" => Some(Data::Ptr(one)),
        "CNAME" => Some(Data::Cname(one)),
        "MX" => match texts(value).as_slice() {
            [preference, host] => Some(Data::Mx(preference.parse().unwrap(), host.clone())),
            other => panic!("MX {other:?}"),
        },
        other => panic!("a record of type {other}"),
    }
}

async fn asked(resolver: &Resolver, client: IpAddr, hello: &str, mail_from: &str) -> &'static str {
    let (local, domain) = match mail_from.rsplit_once('@') {
        Some(parts) => parts,
        None if mail_from.is_empty() => ("", hello),
        None => ("", mail_from),
    };
    check(resolver, Identity { client, hello, local, domain }).await.word()
}

async fn suite(file: &str) {
    let Some(folder) = corpus() else { return };
    let documents = YamlOwned::load_from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap();
    let suite = file.trim_end_matches(".yml");
    let (server, resolver) = names(Zone::default());
    let mut compared = Vec::new();
    for scenario in documents.iter().filter(|scenario| scenario.as_mapping_get("tests").is_some()) {
        server.replace(zone(&scenario["zonedata"]));
        for (name, test) in scenario["tests"].as_mapping().unwrap() {
            let field = |name: &str| test.as_mapping_get(name).and_then(text).unwrap_or_default();
            let client = field("host").parse().unwrap();
            let ours = asked(&resolver, client, &field("helo"), &field("mailfrom")).await;
            let theirs = texts(&test["result"]);
            compared.push(Compared { name: text(name).unwrap(), ours: ours.to_owned(), theirs });
        }
    }
    judge(suite, &compared);
}

#[tokio::test]
async fn the_vectors_of_rfc_7208_hold() {
    suite("spf-rfc7208-tests.yml").await;
}

#[tokio::test]
async fn the_vectors_of_rfc_4408_hold() {
    suite("spf-rfc4408-tests.yml").await;
}

/// The suites of the library: blocks of lines `kind: values`, ended by `---`.
#[tokio::test]
async fn the_vectors_of_the_library_hold() {
    let Some(files) = unpacked("mail-auth-resources") else { return };
    let (server, resolver) = names(Zone::default());
    let mut compared = Vec::new();
    for (path, octets) in files.iter().filter(|(path, _)| path.contains("/spf/")) {
        let file = path.rsplit('/').next().unwrap();
        for (block, text) in String::from_utf8_lossy(octets).split("\n---").enumerate() {
            play(&format!("{file}-{}", block + 1), text, &server, &resolver, &mut compared).await;
        }
    }
    judge("mail-auth-spf", &compared);
}

async fn play(block: &str, text: &str, server: &NameServer, resolver: &Resolver, compared: &mut Vec<Compared>) {
    let mut zone = Zone::default();
    // Records of single tests stand for the test alone.
    let mut own = Zone::default();
    let (mut inside, mut domain, mut sender, mut client, mut count) = (false, String::new(), String::new(), None, 0);
    for line in text.lines() {
        let line = line.trim().trim_start_matches("- ").trim();
        let Some((key, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) else { continue };
        let value = value.trim();
        match key {
            "tests" => inside = true,
            "domain" => domain = value.to_owned(),
            "sender" => sender = value.to_owned(),
            "name" => own = zone.clone(),
            "ip" => client = value.parse::<IpAddr>().ok(),
            "expect" => {
                count += 1;
                server.replace(own.clone());
                let ours = asked(resolver, client.unwrap(), &domain, &sender).await;
                let theirs = value.split(' ').next().unwrap().to_ascii_lowercase();
                compared.push(Compared::new(format!("{block}-{count}"), ours, &theirs));
            }
            kind => {
                record(kind, value, &mut own);
                if !inside {
                    record(kind, value, &mut zone);
                }
            }
        }
        if !inside {
            own = zone.clone();
        }
    }
}

/// `kind: name value, value`.
fn record(kind: &str, value: &str, zone: &mut Zone) {
    let Some((name, values)) = value.split_once(' ') else { return };
    if kind == "spf" || kind == "exp" || kind == "txt" {
        return zone.add(name, Data::Txt(vec![values.as_bytes().to_vec()]));
    }
    for (index, value) in values.split(',').map(str::trim).enumerate() {
        let address: Option<IpAddr> = value.parse().ok();
        match (kind, address) {
            ("ptr", _) => {
                let client: IpAddr = name.parse().unwrap();
                let arpa = if client.is_ipv4() { "in-addr.arpa" } else { "ip6.arpa" };
                zone.add(&format!("{}.{arpa}", reversed(client)), Data::Ptr(value.to_owned()));
            }
            ("a" | "aaaa", Some(IpAddr::V4(v4))) => zone.add(name, Data::A(v4)),
            ("a" | "aaaa", Some(IpAddr::V6(v6))) => zone.add(name, Data::Aaaa(v6)),
            // An address in place of a host: a host of that address.
            ("mx", Some(address)) => {
                let host = format!("mx-{index}.{name}");
                match address {
                    IpAddr::V4(v4) => zone.add(&host, Data::A(v4)),
                    IpAddr::V6(v6) => zone.add(&host, Data::Aaaa(v6)),
                }
                zone.add(name, Data::Mx(10, host));
            }
            other => panic!("{other:?}: {value}"),
        }
    }
}

#[tokio::test]
async fn a_record_that_asks_without_end_is_cut_off() {
    let (server, resolver) = names(Zone::read(
        "circle.example TXT v=spf1 include:circle.example -all\n\
         wide.example TXT v=spf1 a:a.no.example a:b.no.example a:c.no.example a:d.no.example -all\n\
         both.example TXT v=spf1 -all\n\
         both.example TXT v=spf1 +all\n",
    ));
    let client = "192.0.2.1".parse().unwrap();
    for (domain, questions) in [("circle.example", 11), ("wide.example", 4), ("both.example", 1)] {
        let before = server.asked().len();
        assert_eq!(asked(&resolver, client, "mx.example", &format!("a@{domain}")).await, "permerror", "{domain}");
        assert_eq!(server.asked().len() - before, questions, "{domain}");
    }
}
