//! A phish that was delivered is found by what is known of it, taken out of thousands of mailboxes, and put back.

use std::process::Stdio;
use std::time::Duration;

use mail::{Alias, AliasKind, Login};
use serde_json::Value;
use store::{Op, Options as StoreOptions, Store};
use tests::program::Ran;
use tests::{Facteur, Imap, Outcome, Smtp, wait};

use crate::outbound::site::Site;
use crate::quarantine::{House, json};

const FROM: &str = "helpdesk@phish.example";
const CAPTOR: &str = "Jean.Toto@univ-nantes.fr";
const EVERYBODY: &str = "everybody@univ-nantes.fr";
/// Of base64 `YWJj`.
const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/// People with a copy of their own, and those behind the functional address.
const BOXES: usize = 2_400;
const MEMBERS: usize = 600;
/// Counts the copies that were taken.
const TAKEN: &str = "facteur_taken_total";
/// A debug build on a loaded machine.
const WITHIN: Duration = Duration::from_secs(300);

/// What everybody gets: tagged as spam here.
fn phish() -> String {
    let gtube = ["XJS*C4JDBQADN1.NSBN3*2IDNEN*", "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"].concat();
    format!(
        "From: Help Desk <{FROM}>\r\nTo: <all@univ-nantes.fr>\r\nSubject: =?utf-8?Q?Votre_bo=C3=AEte?= est pleine\r\n\
         Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <phish.1@phish.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
         Log in at https://login.phish.example/renew now.\r\n{gtube}\r\n--b\r\n\
         Content-Type: application/octet-stream; name=a.bin\r\nContent-Disposition: attachment; filename=a.bin\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--b--\r\n"
    )
}

/// Nantes with two managers, thousands of people and what leaves the house in one mailbox.
fn house() -> House {
    let changes = [("remote: DirectMx", &*format!("remote: Capture(\"{CAPTOR}\")"))];
    let house = House::new("recall", "nantes", &changes, "");
    house.serve(BOXES + MEMBERS).stop();
    let members = (BOXES + 1..=BOXES + MEMBERS).filter_map(|number| Login::new(&format!("user{number:04}"))).collect();
    let address = EVERYBODY.parse().expect("an address");
    let alias = Alias { address, members, kind: AliasKind::Function };
    let store = Store::open(house.data(), StoreOptions::default()).expect("nothing serves it");
    store.commit_wait(vec![Op::UpsertAlias(Box::new(alias))]).expect("it fits");
    house
}

impl House {
    fn recall(&self, words: &[&str]) -> Ran {
        self.run(&[&["recall"], words, &["--format", "json"]].concat())
    }

    /// The last line of an answer, which is the result.
    #[track_caller]
    fn recalled(&self, words: &[&str]) -> Value {
        json(&self.recall(words).ends(0)).pop().expect("a line")
    }

    #[track_caller]
    fn found(&self, words: &[&str]) -> Value {
        self.recalled(&[&["find", "--limit", "10000", "--by", "durand-e"], words].concat())
    }

    /// Asked for by one manager, and agreed to by another when it waits for that.
    #[track_caller]
    fn taken(&self, id: &str) -> Value {
        let took = self.recalled(&["take", id, "--by", "durand-e", "--because", "a test asks"]);
        if took["state"] == "waiting" { self.recalled(&["approve", id, "--by", "dupont-p"]) } else { took }
    }
}

fn number(of: &Value, key: &str) -> u64 {
    of[key].as_u64().unwrap_or_else(|| panic!("{key} in {of}"))
}

/// Sends it to boxes, an alias, a functional address and two people whose mail goes on; a next hop brings one copy back to a
/// person here.
fn flood(house: &House, server: &Facteur) -> Outcome {
    let goes_on = server.describe.person("legoff-m").clone();
    let leaves = server.describe.person("martin-l").clone();
    for (who, to, keeps) in [(&goes_on, "one@lab.cnrs.fr", true), (&leaves, "two@lab.cnrs.fr", false)] {
        let words = ["redirect", "set", "--login", &who.login, "--to", to];
        house.run(&[&words[..], if keeps { &[][..] } else { &["--no-copy"] }].concat()).ends(0);
    }
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    let people = &server.describe.people;
    let boxes: Vec<&str> = people.iter().filter(|who| who.login.starts_with("user")).map(|who| &*who.address).collect();
    for some in boxes[..BOXES].chunks(100) {
        smtp.message(FROM, some, &phish())?.expect(250)?;
    }
    smtp.message(FROM, &[EVERYBODY, "accueil@univ-nantes.fr"], &phish())?.expect(250)?;
    smtp.message(FROM, &[&goes_on.address, &leaves.address], &phish())?.expect(250)?;
    wait::until(WITHIN, "all of it is spread, and gone", || {
        let waiting = house.run(&["queue", "list", "--format", "json"]).ends(0).out;
        (!waiting.contains("everybody") && !waiting.contains("lab.cnrs.fr")).then_some(())
    });
    smtp.message("bounces@lab.cnrs.fr", &[&server.describe.person("dupont-a").address], &phish())?.expect(250)?;
    Ok(())
}

/// What a find says of it; the same by whatever it is looked for.
#[track_caller]
fn found_by_each_key(house: &House) -> Value {
    let subject = "votre boite est pleine";
    let found = house.found(&["--subject", subject, "--since", "1d"]);
    // And by the alias, kept by who has a redirect, captured on its way out, come back from there, and copied by its owner.
    let copies = number(&found, "copies");
    assert_eq!(copies, (BOXES + MEMBERS + 5) as u64);
    assert_eq!(
        ["read", "answered", "forwarded", "handed_over", "waiting"].map(|key| number(&found, key)),
        [2, 2, 2, 2, 0]
    );
    let gone: Vec<&str> =
        found["gone"].as_array().expect("a list").iter().filter_map(|gone| gone["to"].as_str()).collect();
    assert_eq!(gone, ["one@lab.cnrs.fr", "two@lab.cnrs.fr"], "what left is named");
    for key in [
        ["--message-id", "<phish.1@phish.example>"],
        ["--sender", FROM],
        ["--subject", "[SPAM] Votre boîte est pleine"],
        ["--url-host", "https://login.phish.example/renew"],
        ["--attachment", SHA256],
    ] {
        assert_eq!(number(&house.found(&key), "copies"), copies, "{key:?}");
    }
    house.recall(&["find", "--subject", subject, "--sender", "other@phish.example"]).ends(4);
    house.recall(&["find", "--subject", subject, "--since", "2126-01-01"]).ends(4);
    let everything = house.recall(&["take", "--since", "1d", "--by", "durand-e", "--because", "a test asks"]);
    assert!(everything.code != Some(0) && everything.out.contains("all mail"), "{}", everything.out);
    found
}

#[test]
fn three_thousand_copies_of_a_phish_go_with_the_word_of_two_managers_and_come_back_as_they_were() -> Outcome {
    let house = house();
    let server = house.serve(BOXES + MEMBERS);
    flood(&house, &server)?;
    let reader = server.describe.person("user0007").clone();
    let mut owner = Imap::person(&server, "outside", &reader)?;
    owner.command("CREATE Travail")?.ok()?;
    owner.command("SELECT INBOX")?.ok()?;
    owner.command("STORE 1 FLAGS (\\Seen \\Answered $Forwarded urgent)")?.ok()?;
    owner.command("COPY 1 Travail")?.ok()?;
    let facts = "FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE EMAILID THREADID SAVEDATE)";
    owner.command("EXAMINE Travail")?.ok()?;
    let before = owner.command(facts)?.ok()?.lines();

    let found = found_by_each_key(&house);
    let copies = number(&found, "copies");
    let id = found["id"].as_str().expect("an id").to_owned();
    let stranger = house.recall(&["take", &id, "--by", "toto-j", "--because", "a test asks"]);
    assert!(stranger.out.contains("only a mail manager may"), "{}", stranger.out);
    let waits = house.recalled(&["take", &id, "--by", "durand-e", "--because", "a test asks"]);
    assert_eq!((&waits["state"], number(&waits, "messages")), (&"waiting".into(), 0));
    assert_eq!(number(&house.recalled(&["show", &id])["report"], "copies"), copies, "nothing went");
    let same = house.recall(&["approve", &id, "--by", "durand-e"]);
    assert!(same.code != Some(0) && same.out.contains("another manager"), "{}", same.out);
    let mut idle = Imap::person(&server, "outside", &server.describe.person("user0008").clone())?;
    idle.command("SELECT INBOX")?.ok()?;
    idle.send(b"i IDLE\r\n")?;
    assert!(idle.read()?.starts_with(b"+"), "IDLE is taken up");
    let took = house.recalled(&["approve", &id, "--by", "dupont-p"]);
    println!("{} copies taken in {} ms", number(&took, "messages"), number(&took, "ms"));
    assert_eq!((number(&took, "messages"), number(&took, "handed_over")), (copies, 2));
    assert_eq!(String::from_utf8_lossy(&idle.read()?), "* 1 EXPUNGE");
    let now = house.recalled(&["show", &id]);
    assert_eq!(["copies", "taken"].map(|key| number(&now["report"], key)), [0, copies]);
    assert_eq!(owner.count("Travail")?, 0);

    let back = house.recalled(&["undo", &id, "--by", "durand-e"]);
    assert_eq!(number(&back, "messages"), copies);
    assert_eq!(String::from_utf8_lossy(&idle.read()?), "* 1 EXISTS");
    owner.command("EXAMINE Travail")?.ok()?;
    let same = |lines: &[String]| lines.iter().map(|line| line.replace("\\Recent ", "")).collect::<Vec<_>>();
    assert_eq!(same(&owner.command(facts)?.ok()?.lines()), same(&before));
    let again = house.recalled(&["undo", &id, "--by", "durand-e"]);
    assert_eq!((number(&again, "messages"), &again["already"]), (0, &true.into()));
    assert_eq!(server.metric("facteur_panics_total"), 0.0);

    cut_short(&house, server, copies)?;
    let audit = Store::open(house.data(), StoreOptions::default())?.audit(1_000)?;
    for (who, what) in [("durand-e", "looked who"), ("durand-e", "asks for a second"), ("dupont-p", "took recall")] {
        let has = audit.iter().any(|(_, by, entry)| by.starts_with(who) && entry.contains(what));
        assert!(has, "{who} {what}: {audit:?}");
    }
    Ok(())
}

/// The server is killed while it takes; the same again does what is left.
fn cut_short(house: &House, server: Facteur, copies: u64) -> Outcome {
    let id = house.found(&["--sender", FROM])["id"].as_str().expect("an id").to_owned();
    house.recalled(&["take", &id, "--by", "durand-e", "--because", "a test asks"]);
    let mut approve = house.command(&["recall", "approve", &id, "--by", "dupont-p"]);
    let before = server.metric(TAKEN);
    let mut child = approve.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    wait::until(WITHIN, "the first of it is taken", || (server.metric(TAKEN) > before).then_some(()));
    server.kill();
    println!("cut short: {}", !child.wait()?.success());
    let server = house.serve(BOXES + MEMBERS);
    let now = house.recalled(&["show", &id]);
    let [left, away] = ["copies", "taken"].map(|key| number(&now["report"], key));
    println!("{} when it was killed: {left} there, {away} taken", now["recall"]["state"]);
    assert_eq!(left + away, copies, "each is in its mailbox or on the list");
    let took = match now["recall"]["state"].as_str() {
        Some("waiting") => house.recalled(&["approve", &id, "--by", "dupont-p"]),
        _ => house.taken(&id),
    };
    assert_eq!(number(&took, "messages"), left);
    let now = house.recalled(&["show", &id]);
    assert_eq!(["copies", "taken"].map(|key| number(&now["report"], key)), [0, copies]);
    assert_eq!(now["recall"]["state"], "taken");
    let why = house.run(&["why", "phish.1@phish.example"]).ends(0).out;
    assert!(why.contains("out of all mailboxes by durand-e: recall"), "{why}");
    assert_eq!(number(&house.recalled(&["undo", &id, "--by", "dupont-p"]), "messages"), copies);
    server.stop();
    Ok(())
}

#[test]
fn what_waits_in_the_queue_is_held_back_with_the_rest_and_goes_on_with_it() -> Outcome {
    let site = Site::new(9);
    let manager = Login::new(&site.sender.login).expect("a login");
    let alias = Alias {
        address: "mail-managers@example.org".parse()?,
        members: vec![manager].into_iter().collect(),
        kind: AliasKind::Function,
    };
    site.store().commit_wait(vec![Op::UpsertAlias(Box::new(alias))])?;
    let serving = site.serve();
    let text = phish().replace(FROM, &site.sender.address);
    serving.submit(&["x@elsewhere.example", &site.sender.address], text.as_bytes())?;
    let ran = |words: &[&str]| site.run(&[&["recall"], words, &["--format", "json"]].concat());
    let last = |ran: Ran| json(&ran.ends(0)).pop().expect("a line");
    let key = ["--url-host", "login.phish.example"];
    let found = last(ran(&[&["find"][..], &key].concat()));
    assert_eq!(["copies", "waiting", "handed_over"].map(|key| number(&found, key)), [1, 1, 0], "{found}");
    let by = ["--by", &site.sender.login];
    let took = last(ran(&[&["take"][..], &key, &by, &["--because", "a test asks"]].concat()));
    let id = took["id"].as_str().expect("an id").to_owned();
    assert_eq!((number(&took, "messages"), took["held"].as_array().map(Vec::len)), (1, Some(1)), "{took}");
    let shown = last(ran(&["show", &id]));
    assert_eq!(
        ["copies", "taken", "waiting", "held"].map(|key| number(&shown["report"], key)),
        [0, 1, 0, 1],
        "{shown}"
    );
    let back = last(ran(&[&["undo", &*id][..], &by].concat()));
    assert_eq!(["messages", "let_go"].map(|key| number(&back, key)), [1, 1]);
    let shown = last(ran(&["show", &id]));
    assert_eq!(
        ["copies", "taken", "waiting", "held"].map(|key| number(&shown["report"], key)),
        [1, 0, 1, 0],
        "{shown}"
    );
    serving.stop();
    Ok(())
}
