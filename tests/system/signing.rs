//! What left, as a verifier others wrote sees it: dkimpy, with the keys `facteur dns` tells.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::scratch::Scratch;
use tests::skip::{Missing, skip};
use tests::smtp::letter;
use tests::{Outcome, corpus, program, wait};

use crate::outbound::site::{Site, WITHIN};
use crate::outbound::smart_host::SmartHost;

/// Of the list's 5,991 messages.
const FROM_LIST: usize = 500;
/// Archives of messages mail libraries are tested with.
const ARCHIVES: [&str; 6] = ["mimekit", "mail-parser", "python-email", "thunderbird", "zbateson", "wildduck"];

/// A Python that has dkimpy: Debian's own, where another comes first.
pub fn python_with_dkim(test: &str) -> Option<PathBuf> {
    let has = |python: &PathBuf| {
        let ran = Command::new(python).args(["-c", "import dkim, nacl"]).output();
        ran.is_ok_and(|output| output.status.success())
    };
    let found = program::find("python3").into_iter().chain([PathBuf::from("/usr/bin/python3")]).find(has);
    if found.is_none() {
        skip(test, Missing::Program("python3-dkim"));
    }
    found
}

/// The records of a site's domains, one JSON object a line.
fn records(site: &Site) -> String {
    let mut command = Command::new(program::facteur());
    command.arg("dns").arg(site.scratch().join("bench.plan.ron")).arg("--data").arg(site.data());
    program::run(command.args(["--format", "json"])).ends(0).out
}

/// Every file below a folder, in order.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("it was unpacked").map(|entry| entry.expect("readable").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// The octets as a submission can carry them: lines ended by CR LF, none too long, one From.
fn sendable(octets: &[u8]) -> Option<Vec<u8>> {
    let mut message = Vec::with_capacity(octets.len() + octets.len() / 40);
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > 990 || line.contains(&b'\r') || line.contains(&0) {
            return None;
        }
        message.extend_from_slice(line);
        message.extend_from_slice(b"\r\n");
    }
    let fields: Vec<_> = mail::header::fields(&message).collect();
    let froms: Vec<_> = fields.iter().filter(|field| field.is("from")).collect();
    let [from] = froms.as_slice() else { return None };
    let addressed = mail::mime::parse_addresses(&from.value()).iter().any(|address| address.is_mailbox());
    // What is not a field ends the header section for some readers and not for others.
    let end = fields.last().map_or(0, |field| field.lines.end);
    let whole =
        fields.windows(2).all(|pair| pair[0].lines.end == pair[1].lines.start) && fields.first()?.lines.start == 0;
    (addressed && whole && message[end..].starts_with(b"\r\n")).then_some(message)
}

/// Letters that try what canonical forms do to space and line ends.
fn thorny(from: &str) -> Vec<Vec<u8>> {
    let letter = |header: &str, body: &str| {
        format!("From: {from}\r\nTo: a@elsewhere.example\r\n{header}\r\n{body}").into_bytes()
    };
    vec![
        letter("Subject: nothing\r\n", ""),
        letter("Subject: empty lines\r\n", "\r\n\r\n\r\n"),
        letter("Subject: lines of space at the end\r\n", "x\r\n \t \r\n\r\n \r\n"),
        letter("Subject: space  inside\r\n", " a \t b \r\n.\r\n..\r\n\tc\r\n\r\n\r\n"),
        letter("Subject:\r\n\tfolded \r\n  twice \r\nsUbJeCt:again\r\n", "x\r\n"),
        letter("List-Id: <a.example>\r\nList-Unsubscribe: <https://a.example>\r\n", "é\r\n"),
        letter("Subject: long\r\n", &"a line that comes again and again \t \r\n".repeat(20_000)),
    ]
}

#[test]
fn dkimpy_verifies_both_signatures_of_everything_that_leaves() -> Outcome {
    const TEST: &str = "dkimpy_verifies_both_signatures";
    let Some(python) = python_with_dkim(TEST) else { return Ok(()) };
    let host = SmartHost::willing(&["PIPELINING", "8BITMIME", "SIZE 100000000"]);
    let site = Site::with_authors(host.port, "", "AnyAddress");
    let serving = site.serve();
    let told = wait::until(WITHIN, "the keys are made", || {
        let told = records(&site);
        (told.matches("signing: the key in use").count() == 2).then_some(told)
    });
    let mut messages = thorny(&site.sender.address);
    let scratch = Scratch::new("signed");
    if corpus::folder().is_some() {
        let mut found = Vec::new();
        files(&corpus::unpack("mailbox-bench/openbmc-list-6000.tar.zst", &scratch), &mut found);
        found.truncate(FROM_LIST);
        for archive in ARCHIVES {
            let into = Scratch::new(archive);
            let before = found.len();
            files(&corpus::unpack(&format!("mime/{archive}.tar.zst"), &into), &mut found);
            messages.extend(found.drain(before..).filter_map(|file| sendable(&fs::read(file).ok()?)));
        }
        messages.extend(found.into_iter().filter_map(|file| sendable(&fs::read(file).ok()?)));
        assert!(messages.len() > FROM_LIST, "{} messages", messages.len());
    } else {
        skip(TEST, Missing::Corpus);
    }
    let mut submission = serving.login()?;
    for message in &messages {
        submission.message(&site.sender.address, "BODY=8BITMIME", &["reader@elsewhere.example"], message)?;
    }
    serving.until_told("delivered", messages.len());
    serving.stop();
    let left = scratch.join("left");
    fs::create_dir(&left)?;
    for (number, handed) in host.seen().iter().enumerate() {
        fs::write(left.join(format!("{number:04}.eml")), handed.content())?;
    }
    assert_eq!(host.seen().len(), messages.len());
    let zone = scratch.join("records.json");
    fs::write(&zone, &told)?;
    let script = program::top().join("tests/clients/dkim_verify.py");
    program::run(Command::new(python).env("PYTHONDONTWRITEBYTECODE", "1").arg(script).arg(zone).arg(left)).ends(0);
    // The keys stay the same, and are told without a server as well.
    assert_eq!(records(&site), told);
    Ok(())
}

#[test]
fn one_algorithm_of_the_policy_is_one_signature() -> Outcome {
    let host = SmartHost::willing(&["PIPELINING"]);
    let site =
        Site::with_authors(host.port, "signing: (algorithms: [Ed25519Sha256], rotate_every: Never),", "AnyAddress");
    let serving = site.serve();
    wait::until(WITHIN, "the key is made", || records(&site).contains("signing: the key in use").then_some(()));
    let text = letter("boss@example.org", "reader@elsewhere.example", "ours");
    serving.submit(&["reader@elsewhere.example"], text.as_bytes())?;
    serving.until_told("delivered", 1);
    serving.stop();
    let seen = host.seen();
    let content = String::from_utf8(seen[0].content().to_vec())?;
    assert!(content.starts_with("DKIM-Signature: v=1; a=ed25519-sha256; "), "{content}");
    assert_eq!(content.matches("DKIM-Signature").count(), 1, "one algorithm, one signature");
    Ok(())
}
