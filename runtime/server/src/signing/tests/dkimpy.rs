//! Seals as dkimpy (Debian: python3-dkim) sees them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;

/// Records as Python on the first line, the message behind. Says what the chain is.
const VERIFIER: &str = "
import sys, dkim
names = eval(sys.stdin.buffer.readline())
message = sys.stdin.buffer.read()
ask = lambda name, timeout=5: names.get(name.decode() if isinstance(name, bytes) else name)
validation = dkim.arc_verify(message, dnsfunc=ask)[0]
print(validation.decode() if validation else 'fail')
";

/// A Python that has dkimpy: Debian's own, where another comes first.
fn python() -> Option<&'static str> {
    let has = |python: &&str| {
        let ran = Command::new(python).args(["-c", "import dkim"]).output();
        ran.is_ok_and(|output| output.status.success())
    };
    ["python3", "/usr/bin/python3"].into_iter().find(has)
}

fn skip(test: &str) {
    assert!(std::env::var("CI").is_err(), "skipped in CI: {test}: no python3-dkim here");
    eprintln!("SKIP {test}: no python3-dkim here (tests/packages)");
    if let Ok(path) = std::env::var("FACTEUR_SKIPS") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| writeln!(file, "SKIP {test}: no python3-dkim here"));
        written.unwrap_or_else(|error| panic!("FACTEUR_SKIPS: {error}"));
    }
}

fn chain(python: &str, message: &[u8]) -> String {
    let record = |domain: &Domain, row: &Row| {
        let (selector, algorithm) = (&row.life.selector, keys::short(row.life.algorithm));
        format!("'{selector}._domainkey.{domain}.': b'v=DKIM1; k={algorithm}; p={}'", row.public)
    };
    let all = made_once().1.iter().flat_map(|(domain, rows)| rows.iter().map(move |row| record(domain, row)));
    let names = format!("{{{}}}\n", all.collect::<Vec<_>>().join(", "));
    let mut command = Command::new(python);
    command.args(["-c", VERIFIER]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(names.as_bytes()).and_then(|()| input.write_all(message)).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn dkimpy_finds_our_seals_good_and_what_was_changed_bad() {
    let Some(python) = python() else { return skip("dkimpy_finds_our_seals") };
    let (signing, _) = signing();
    let mut message = LETTER.replace("unit.univ.example", "elsewhere.example").into_bytes();
    assert_eq!(chain(python, &message), "none");
    for instance in 1..=4 {
        let validation = if instance == 1 { "none" } else { "pass" };
        let results = format!("mx.univ.example; spf=pass smtp.mailfrom=x@y (it is); arc={validation}");
        message = [lines(&signing, &results, &message), message].concat();
        assert_eq!(chain(python, &message), "pass", "{instance}");
    }
    let text = String::from_utf8(message.clone()).unwrap();
    for changed in [text.replace("tout le", "tous le"), text.replace("spf=pass", "spf=fail")] {
        assert_eq!(chain(python, changed.as_bytes()), "fail");
    }
    let failed = [lines(&signing, "mx.univ.example; arc=fail", &message), message].concat();
    assert_eq!(chain(python, &failed), "fail");
}
