//! Who may do what for others, and what is given to people until a day: names to send in, redirects, room.

use std::process::Command;

use tests::describe::Person;
use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, policy_copy, wait};

use crate::outbound::site::WITHIN;

/// Nantes on loopback, and the command line beside it.
struct House {
    server: Facteur,
    scratch: Scratch,
}

impl House {
    fn new(name: &str) -> House {
        let scratch = Scratch::new(name);
        let policy = policy_copy::changed(&scratch, "nantes", &[]);
        let options = Options { data: Some(scratch.join("data")), ..Options::default() };
        House { server: Facteur::start_with(&policy, options), scratch }
    }

    fn person(&self, login: &str) -> Person {
        self.server.describe.person(login).clone()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let data = self.scratch.join("data");
        program::run(Command::new(program::facteur()).args(arguments).arg("--data").arg(data))
    }

    /// Submits as `who`, with these in MAIL and From.
    fn submit(&self, who: &Person, from: &str, fields: &str) -> std::io::Result<tests::smtp::Reply> {
        let mut smtp = Smtp::person(&self.server, "subm", "outside", who)?;
        let to = self.person("toto-j").address;
        let reply = smtp.mail(from)?;
        if !reply.is_ok() {
            return Ok(reply);
        }
        smtp.rcpt(&to)?.expect(250)?;
        smtp.data(&format!("{fields}{}", letter(from, &to, "in-a-name")))
    }
}

fn header_of_newest(house: &House, login: &str) -> std::io::Result<String> {
    let mut imap = Imap::person(&house.server, "inside", &house.person(login))?;
    imap.command("EXAMINE INBOX")?.ok()?;
    let response = imap.command("UID FETCH * (BODY.PEEK[HEADER])")?.ok()?;
    Ok(response.untagged.iter().map(|octets| String::from_utf8_lossy(octets).into_owned()).collect())
}

/// Is there a message with these words in its subject, however that is encoded?
fn has_subject(house: &House, login: &str, words: &str) -> std::io::Result<bool> {
    let mut imap = Imap::person(&house.server, "inside", &house.person(login))?;
    imap.command("EXAMINE INBOX")?.ok()?;
    let found = imap.command(&format!("SEARCH SUBJECT \"{words}\""))?.ok()?;
    Ok(found.untagged.iter().any(|line| line.iter().any(u8::is_ascii_digit)))
}

#[test]
fn a_colleague_sends_in_somebodys_name_until_it_ends_and_says_so_where_it_is_on_behalf() -> Outcome {
    let house = House::new("delegation");
    let (owner, colleague) = (house.person("dupont-a"), house.person("durand-e"));
    house.submit(&colleague, &owner.address, "")?.expect(553)?;
    let add = |how: &str, until: &str, by: &str| {
        let because = ["--because", "away", "--until", until, "--how", how, "--by", by];
        house.run(&[&["delegate", "add", "dupont-a", "--to", "durand-e"][..], &because].concat())
    };
    // Who is neither the owner nor a manager gives nobody's name away, and no day that is over.
    assert!(add("as", "2099-12-31", "toto-j").ends(2).err.contains("only the person it is about or a mail manager"));
    add("as", "2020-01-01", "dupont-a").ends(2);
    house.submit(&colleague, &owner.address, "")?.expect(553)?;
    add("on-behalf", "2099-12-31", "dupont-p").ends(0);
    house.submit(&colleague, &owner.address, "")?.expect(250)?;
    let header = header_of_newest(&house, "toto-j")?;
    assert!(header.contains(&format!("\r\nSender: {}\r\n", colleague.address)), "{header}");
    house.submit(&colleague, &owner.address, &format!("Sender: {}\r\n", owner.address))?.expect(550)?;
    // Somebody else's delegation is nobody's licence for a third name.
    house.submit(&colleague, &house.person("toto-jp").address, "")?.expect(553)?;
    house.submit(&house.person("durand-m"), &owner.address, "")?.expect(553)?;
    // What the owner has as a member of a functional address is not theirs to give.
    house.submit(&colleague, "docmessagerie@univ-nantes.fr", "")?.expect(553)?;
    add("as", "2099-12-31", "dupont-a").ends(0);
    house.submit(&colleague, &owner.address, "")?.expect(250)?;
    let header = header_of_newest(&house, "toto-j")?;
    assert!(!header.contains("\r\nSender:"), "{header}");
    // The owner was told when a manager gave it.
    wait::until(WITHIN, "the owner is told", || {
        has_subject(&house, "dupont-a", "Somebody may write in your name").ok()?.then_some(())
    });
    let listed = house.run(&["delegate", "list", "dupont-a"]).ends(0);
    assert!(listed.out.contains("durand-e") && listed.out.contains("2099-12-31"), "{}", listed.out);
    // Whoever stole the owner's account may have given it: it rests while that is contained.
    house.run(&["person", "contain", "dupont-a", "--because", "a test asks"]).ends(0);
    house.submit(&colleague, &owner.address, "")?.expect(553)?;
    house.run(&["person", "contain", "dupont-a", "--undo"]).ends(0);
    house.submit(&colleague, &owner.address, "")?.expect(250)?;
    house.run(&["delegate", "end", "dupont-a", "--to", "durand-e", "--by", "dupont-a"]).ends(0);
    house.run(&["delegate", "end", "dupont-a", "--to", "durand-e"]).ends(4);
    house.submit(&colleague, &owner.address, "")?.expect(553)?;
    let audit = house.run(&["audit", "--about", "durand-e"]).ends(0).out;
    assert!(audit.contains("dupont-p, asked by uid"), "{audit}");
    assert!(audit.contains("durand-e may send as dupont-a until 2099-12-31: away"), "{audit}");
    assert!(audit.contains("durand-e may no longer send for dupont-a"), "{audit}");
    let refusals = house.run(&["audit", "--about", "toto-j"]).ends(0).out;
    assert!(refusals.contains("refused to toto-j: Delegate about dupont-a"), "{refusals}");
    Ok(())
}

#[test]
fn a_redirect_is_allowed_at_once_refused_at_once_or_waits_for_who_may_approve_it() -> Outcome {
    let house = House::new("asked");
    let request = |to: &str, more: &[&str]| {
        house.run(
            &[&["redirect", "request", "--login", "toto-j", "--because", "partner", "--to", to][..], more].concat(),
        )
    };
    for refused in [
        "toto@gmail.com",
        "toto@orange.fr",
        "toto@free.fr",
        "toto@yahoo.co.uk",
        "toto@yopmail.com",
        "toto@wanadoo.fr",
        "toto@laposte.net",
        "toto@club-internet.fr",
        "toto@nowhere.example",
        "Anne.Dupont@univ-nantes.fr",
    ] {
        let said = request(refused, &[]).ends(4).out;
        assert!(said.contains("REFUSED by ") && said.contains("redirects.") | said.contains("domains."), "{said}");
        // An institution one says one comes from makes no provider an institution.
        if refused.ends_with("gmail.com") {
            request(refused, &["--home", "gmail.com"]).ends(4);
        }
    }
    assert!(request("toto@lab.cnrs.fr", &[]).ends(0).out.contains("allowed by redirects.allow.cnrs"));
    assert!(house.run(&["redirect", "list"]).out.contains("toto@lab.cnrs.fr"));
    let waits = request("toto@uni-bonn.example", &["--home", "uni-bonn.example"]).ends(0).out;
    assert!(waits.contains("waits for an approval, by redirects.on_grant.foreign-researcher"), "{waits}");
    assert!(house.run(&["redirect", "list"]).out.contains("toto@lab.cnrs.fr"), "what holds goes on meanwhile");
    let approve = |by: &str, more: &[&str]| {
        let to = ["--to", "toto@uni-bonn.example", "--because", "guest until summer", "--by", by];
        house.run(&[&["redirect", "approve", "--login", "toto-j"][..], &to, more].concat())
    };
    // Not by a colleague, somebody of another unit, or oneself; and not without an end where the policy wants one.
    for other in ["toto-jp", "delatour-ch", "toto-j"] {
        approve(other, &["--until", "2099-06-30"]).ends(2);
    }
    assert!(approve("leguennec-m", &[]).ends(2).err.contains("an end date"));
    approve("leguennec-m", &["--until", "2099-06-30"]).ends(0);
    let listed = house.run(&["redirect", "list"]).ends(0).out;
    assert!(listed.contains("toto@uni-bonn.example") && listed.contains("approved by leguennec-m"), "{listed}");
    approve("leguennec-m", &["--until", "2099-06-30"]).ends(2);
    house.run(&["redirect", "end", "--login", "toto-j"]).ends(0);
    assert!(house.run(&["redirect", "asked", "--login", "toto-j"]).out.contains("ended by"));
    request("toto@uni-bonn.example", &["--home", "uni-bonn.example"]).ends(0);
    let unit = house.run(&["redirect", "asked", "--unit", "sciences", "--waiting"]).ends(0).out;
    assert!(unit.contains("toto-j"), "{unit}");
    assert!(!house.run(&["redirect", "asked", "--unit", "dsi", "--waiting"]).out.contains("toto-j"));
    house.run(&["redirect", "refuse", "--login", "toto-j", "--because", "ask again", "--by", "leguennec-m"]).ends(0);
    assert!(house.run(&["redirect", "asked", "--login", "toto-j"]).out.contains("REFUSED by leguennec-m: ask again"));
    wait::until(WITHIN, "the person is told", || {
        has_subject(&house, "toto-j", "redirect is refused").ok()?.then_some(())
    });
    Ok(())
}

#[test]
fn more_room_is_for_profiles_that_have_it_on_request_with_an_approver_and_an_end() -> Outcome {
    let house = House::new("granted-room");
    let grant = |login: &str, size: &str, until: &str, by: &str| {
        let why = ["--because", "thesis archive", "--approver", "the dean", "--until", until, "--by", by];
        house.run(&[&["person", "quota", "grant", login, size][..], &why].concat())
    };
    let refused = grant("toto-j", "5 GB", "2099-12-31", "dupont-p").ends(2).err;
    assert!(refused.contains("[mailboxes.profiles.standard.quota]"), "{refused}");
    grant("leguennec-m", "500 MB", "2099-12-31", "dupont-p").ends(2);
    grant("leguennec-m", "5 GB", "2020-01-01", "dupont-p").ends(2);
    // Her own unit's correspondent is she herself.
    assert!(grant("leguennec-m", "5 GB", "2099-12-31", "leguennec-m").ends(2).err.contains("nobody decides this for"));
    let who = house.person("leguennec-m");
    let quota = || -> std::io::Result<String> {
        let mut imap = Imap::person(&house.server, "inside", &who)?;
        let response = imap.command("GETQUOTAROOT INBOX")?.ok()?;
        Ok(response.untagged.iter().map(|octets| String::from_utf8_lossy(octets).into_owned()).collect())
    };
    assert!(!quota()?.contains(" 4882812)"), "{}", quota()?);
    grant("leguennec-m", "5 GB", "2099-12-31", "dupont-p").ends(0);
    assert!(quota()?.contains(" 4882812)"), "{}", quota()?);
    let listed = house.run(&["person", "quota", "list"]).ends(0).out;
    assert!(listed.contains("approved by the dean: thesis archive"), "{listed}");
    house.run(&["person", "quota", "end", "leguennec-m", "--by", "dupont-p"]).ends(0);
    assert!(!quota()?.contains(" 4882812)"), "{}", quota()?);
    house.run(&["person", "quota", "end", "leguennec-m"]).ends(4);
    Ok(())
}
