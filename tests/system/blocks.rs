//! What a manager blocks: refused by the next command of connections that are open, until it is removed or ends.

use std::path::PathBuf;
use std::process::Command;

use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::smtp::{base64, letter};
use tests::{Facteur, Options, Outcome, Smtp};

const PHISHER: &str = "billing@phish.example";
struct House {
    data: PathBuf,
    _scratch: Scratch,
}

impl House {
    fn new() -> House {
        let scratch = Scratch::new("blocks");
        House { data: scratch.join("data"), _scratch: scratch }
    }

    fn serve(&self) -> Facteur {
        let options = Options { data: Some(self.data.clone()), ..Options::default() };
        Facteur::start_with(&program::top().join("policies/nantes"), options)
    }

    fn run(&self, words: &[&str]) -> Ran {
        program::run(Command::new(program::facteur()).arg("block").args(words).arg("--data").arg(&self.data))
    }

    /// Blocks, and says under which id.
    fn add(&self, kind: &str, value: &str) -> String {
        let words = ["add", kind, value, "--because", "phish of November", "--for", "7 days", "--format", "json"];
        let said = self.run(&words).ends(0).out;
        let line: serde_json::Value = serde_json::from_str(said.trim()).expect("one line of JSON");
        line["id"].as_str().unwrap_or_default().to_owned()
    }

    fn remove(&self, id: &str) {
        self.run(&["remove", id]).ends(0);
    }
}

fn sha256(octets: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, octets);
    hash.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The codes of a message on a connection that stays open.
fn sent(smtp: &mut Smtp, from: &str, to: &str, message: &str) -> std::io::Result<String> {
    smtp.mail(from)?.expect(250)?;
    let recipient = smtp.rcpt(to)?;
    if !recipient.is_ok() {
        smtp.command("RSET")?.expect(250)?;
        return Ok(format!("RCPT {} {}", recipient.code, recipient.text()));
    }
    let end = smtp.data(message)?;
    Ok(format!("DATA {} {}", end.code, end.text()))
}

#[track_caller]
fn refused(said: &str, stage: &str) {
    assert!(said.starts_with(&format!("{stage} 550")) && said.contains("[blocked-here "), "{said}");
}

#[test]
fn a_block_acts_on_open_connections_until_it_is_removed() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let to = server.describe.person("toto-jp").address.clone();
    let seen_as = server.describe.network("outside").seen_as.clone();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let from_phisher = letter(PHISHER, &to, "invoice");
    let link = letter("a@client.example", &to, "link").replace("Good day.", "See https://login.evil.example/x today.");
    let attached = letter("a@client.example", &to, "file").replace(
        "\r\n\r\nGood day.\r\n",
        &format!(
            "\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=\"a.exe\"\r\n\
             Content-Disposition: attachment; filename=\"a.exe\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            base64(b"MZ trojan")
        ),
    );
    let trojan = sha256(b"MZ trojan");
    let cases = [
        ("sender", PHISHER, PHISHER, &from_phisher, "RCPT"),
        ("sender", PHISHER, "bounce@client.example", &from_phisher, "DATA"),
        ("domain", "phish.example", "x@mail.phish.example", &from_phisher, "RCPT"),
        ("client", &seen_as, "a@client.example", &link, "RCPT"),
        ("url-host", "https://evil.example/y", "a@client.example", &link, "DATA"),
        ("attachment", &trojan, "a@client.example", &attached, "DATA"),
    ];
    for (kind, value, from, message, stage) in cases {
        assert!(sent(&mut smtp, from, &to, message)?.starts_with("DATA 250"), "{kind} before");
        let id = house.add(kind, value);
        let said = sent(&mut smtp, from, &to, message)?;
        assert!(said.starts_with(&format!("{stage} 550")) && said.contains("[blocked-here "), "{kind}: {said}");
        // Complaints come through.
        let said = sent(&mut smtp, from, "Abuse@univ-nantes.fr", message)?;
        assert!(said.starts_with("DATA 250"), "{kind}: {said}");
        house.remove(&id);
        assert!(sent(&mut smtp, from, &to, message)?.starts_with("DATA 250"), "{kind} after");
    }
    house.run(&["remove", "nobody"]).ends(4);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn a_stolen_account_cannot_ask_for_answers_at_a_blocked_address() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let (who, to) = (server.describe.person("toto-j").clone(), server.describe.person("toto-jp").address.clone());
    let mut smtp = Smtp::person(&server, "subm", "outside", &who)?;
    let plain = letter(&who.address, &to, "plain");
    let asks = plain.replace("Subject:", "Reply-To: IT desk <Drop@evil.example>\r\nSubject:");
    let html = "Content-Type: text/html\r\n\r\n<a href=\"mailto:drop%40evil.example?subject=x\">answer</a>\r\n";
    let links = plain.replace("\r\nGood day.\r\n", html);
    for message in [&plain, &asks, &links] {
        assert!(sent(&mut smtp, &who.address, &to, message)?.starts_with("DATA 250"));
    }
    let id = house.add("reply-to", "drop@evil.example");
    assert!(sent(&mut smtp, &who.address, &to, &plain)?.starts_with("DATA 250"));
    for message in [&asks, &links] {
        let said = sent(&mut smtp, &who.address, &to, message)?;
        assert!(said.starts_with("DATA 550") && said.contains(&format!("[block.{id} ")), "{said}");
    }
    // From outside the address is free: mail is stopped where it leaves.
    let mut stranger = Smtp::stranger(&server, "mx", "outside")?;
    assert!(
        sent(&mut stranger, "drop@evil.example", &to, &letter("drop@evil.example", &to, "x"))?.starts_with("DATA 250")
    );
    Ok(())
}

#[test]
fn what_is_blocked_can_be_reported() -> Outcome {
    let house = House::new();
    let server = house.serve();
    house.add("url-host", "phish.example");
    let who = server.describe.person("toto-j").clone();
    let mut smtp = Smtp::person(&server, "subm", "inside", &who)?;
    let phish = "From: a@client.example\r\nSubject: x\r\n\r\nhttps://www.phish.example/login\r\n";
    let report = |to: &str| {
        format!(
            "From: <{}>\r\nTo: <{to}>\r\nSubject: spam\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{phish}\r\n--b--\r\n",
            who.address
        )
    };
    for (to, stage) in [("traitementspam@univ-nantes.fr", "DATA 250"), (who.address.as_str(), "DATA 550")] {
        let said = sent(&mut smtp, &who.address, to, &report(to))?;
        assert!(said.starts_with(stage), "{to}: {said}");
    }
    Ok(())
}

#[test]
fn blocks_outlive_the_server_and_are_set_without_one() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let to = server.describe.person("toto-jp").address.clone();
    let id = house.add("sender", PHISHER);
    server.stop();
    house.add("domain", "evil.example");
    let own = house.run(&["add", "sender", &to, "--because", "x", "--for", "1 h"]).ends(2).err;
    assert!(own.contains("one of ours"), "{own}");
    // Whom a plan is needed for can be no manager here.
    house.run(&["add", "sender", "a@b.example", "--because", "x", "--for", "1 h", "--by", "toto-j"]).ends(2);
    let server = house.serve();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    refused(&sent(&mut smtp, PHISHER, &to, "")?, "RCPT");
    refused(&sent(&mut smtp, "x@mail.evil.example", &to, "")?, "RCPT");
    let listed = house.run(&["list"]).ends(0).out;
    assert!(listed.contains(&id) && listed.contains("domain evil.example") && listed.contains("2 blocks"), "{listed}");
    let entry = house.run(&["promote", &id, "--until", "2027-01-31"]).ends(0).out;
    let wanted = r#"(what: Sender("billing@phish.example"), because: "phish of November", until: "2027-01-31")"#;
    assert!(entry.contains(wanted), "{entry}");
    house.run(&["promote", &id, "--until", "tomorrow"]).ends(2);
    Ok(())
}

/// The moment a block ends is kept with it: one whose end lies behind acts no more, whoever has a look first.
#[test]
fn a_block_that_has_ended_acts_no_more() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let to = server.describe.person("toto-jp").address.clone();
    let id = house.add("sender", PHISHER);
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    refused(&sent(&mut smtp, PHISHER, &to, "")?, "RCPT");
    server.stop();
    let key = format!("block/{id}");
    {
        let store = store::Store::open(&house.data, store::Options::default())?;
        let kept = store.setting(&key)?.ok_or("the block is kept")?;
        let mut block: serde_json::Value = serde_json::from_slice(&kept)?;
        block["until_s"] = block["at_s"].clone();
        let ended = store::Op::Setting { key: key.clone(), value: Some(serde_json::to_vec(&block)?) };
        store.commit_wait(vec![ended])?;
    }
    let server = house.serve();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let message = letter(PHISHER, &to, "invoice");
    assert!(sent(&mut smtp, PHISHER, &to, &message)?.starts_with("DATA 250"));
    assert_eq!(house.run(&["list"]).ends(0).out.trim(), "0 blocks");
    // The next block that is set takes it out of the store.
    house.add("sender", "other@phish.example");
    server.stop();
    let store = store::Store::open(&house.data, store::Options::default())?;
    assert_eq!(store.setting(&key)?, None);
    Ok(())
}

#[test]
fn what_is_ours_too_wide_or_too_long_is_not_blocked() {
    let house = House::new();
    let _server = house.serve();
    let cases = [
        ("domain", "univ-nantes.fr", "1 h", "one of our domains"),
        ("sender", "jean.toto@univ-nantes.fr", "1 h", "one of ours"),
        ("domain", "gmail.com", "1 h", "block the one address with `sender`"),
        ("domain", "com", "1 h", "everybody under a registry"),
        ("domain", "fr", "1 h", "holds univ-nantes.fr"),
        ("client", "0.0.0.0/0", "1 h", "too wide"),
        ("client", "10.44.0.1", "1 h", "which the policy knows as ours"),
        ("url-host", "https://webmail.univ-nantes.fr/", "1 h", "one of our domains"),
        ("attachment", "abc", "1 h", "is no SHA-256"),
        ("sender", "nobody", "1 h", "is no address"),
        ("sender", PHISHER, "31 days", "response.block_at_most"),
    ];
    for (kind, value, time, why) in cases {
        let said = house.run(&["add", kind, value, "--because", "x", "--for", time]).ends(2).err;
        assert!(said.contains(why), "{kind} {value}: {said}");
    }
    let said = house.run(&["add", "sender", PHISHER, "--because", " ", "--for", "1 h"]).ends(2).err;
    assert!(said.contains("say why"), "{said}");
    let said = house.run(&["list"]).ends(0).out;
    assert_eq!(said.trim(), "0 blocks");
}
