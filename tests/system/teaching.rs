//! People report what the spam filter judged wrongly, and managers decide: over SMTP, IMAP and `facteur spam`.

use std::process::Command;

use serde_json::Value;
use tests::describe::Person;
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, program, wait};

use crate::outbound::site::WITHIN;

const TO: &str = "traitementspam@univ-nantes.fr";

/// The server of Nantes with a data folder that outlives it.
struct House {
    scratch: Scratch,
    server: Facteur,
}

impl House {
    fn new() -> House {
        let scratch = Scratch::new("teaching");
        let server = House::serve(&scratch);
        House { scratch, server }
    }

    fn serve(scratch: &Scratch) -> Facteur {
        let options = Options { data: Some(scratch.join("data")), ..Options::default() };
        Facteur::start_with(&program::top().join("policies/nantes"), options)
    }

    fn killed(self) -> House {
        self.server.kill();
        let server = House::serve(&self.scratch);
        House { scratch: self.scratch, server }
    }

    fn person(&self, login: &str) -> Person {
        self.server.describe.person(login).clone()
    }

    /// `facteur spam …`, and what it says.
    fn spam(&self, arguments: &[&str]) -> Vec<Value> {
        let mut command = Command::new(program::facteur());
        command.arg("spam").args(arguments).arg("--data").arg(self.scratch.join("data")).args(["--format", "json"]);
        let ran = program::run(&mut command).ends(0);
        let lines = ran.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["kind"] != "progress").collect()
    }

    fn cases(&self, wanted: usize) -> Vec<Value> {
        wait::until(WITHIN, "the reports are in the queue", || {
            let cases = self.spam(&["queue"]);
            (cases.iter().map(|case| case["proposals"].as_u64().unwrap_or(0)).sum::<u64>() == wanted as u64)
                .then_some(cases)
        })
    }

    /// Mail from outside for these people.
    fn receives(&self, to: &[&Person], message: &str) -> Outcome {
        let mut smtp = Smtp::stranger(&self.server, "mx", "outside")?;
        let to: Vec<&str> = to.iter().map(|person| person.address.as_str()).collect();
        smtp.message("ads@client.example", &to, message)?.expect(250)?;
        Ok(())
    }

    /// The newest message of a person, as their program has it.
    fn newest(&self, who: &Person) -> std::io::Result<String> {
        let mut imap = Imap::person(&self.server, "inside", who)?;
        imap.command("EXAMINE INBOX")?.ok()?;
        let response = imap.command("FETCH * (BODY.PEEK[])")?.ok()?;
        let mut texts = response.untagged.iter().map(|octets| String::from_utf8_lossy(octets).into_owned());
        let text = texts.rfind(|text| text.contains("BODY[]")).unwrap_or_default();
        // Behind the literal's length, before the closing parenthesis.
        let text = text.split_once("}\r\n").map_or("", |(_, rest)| rest).trim_end();
        Ok(text.strip_suffix(')').unwrap_or(text).to_owned())
    }

    /// Forwards an original as an attachment.
    fn reports(&self, who: &Person, original: &str) -> Outcome {
        let mut smtp = Smtp::person(&self.server, "subm", "inside", who)?;
        smtp.message(&who.address, &[TO], &report(who, original))?.expect(250)?;
        Ok(())
    }
}

fn report(who: &Person, original: &str) -> String {
    format!(
        "From: <{}>\r\nTo: <{TO}>\r\nSubject: spam\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=b\"\r\n\r\n\
         --=b\r\nContent-Type: text/plain\r\n\r\nPlease look.\r\n--=b\r\nContent-Type: message/rfc822; name=\"x.eml\"\r\n\
         Content-Disposition: attachment\r\n\r\n{original}\r\n--=b--\r\n",
        who.address
    )
}

#[test]
fn a_report_shows_intact_or_altered_and_what_is_accepted_is_learned_until_it_is_forgotten() -> Outcome {
    let house = House::new();
    let who = house.person("toto-j");
    house.receives(&[&who], &letter("ads@client.example", &who.address, "cheap"))?;
    let original = house.newest(&who)?;
    house.reports(&who, &original)?;
    let cases = house.cases(1);
    let case = &cases[0];
    assert_eq!((&case["integrity"], &case["proposed"]), (&"intact".into(), &"spam".into()), "{case}");
    assert_eq!((&case["proposers"][0], &case["received"]), (&"toto-j".into(), &1.into()), "{case}");
    assert_eq!(case["subject"], "cheap");
    let id = case["id"].as_str().expect("an id").to_owned();
    let shown = house.spam(&["show", &id]);
    assert!(shown[0]["text"].as_str().is_some_and(|text| text.contains("Good day.")), "{shown:?}");
    let decided = house.spam(&["accept", &id]);
    let taught = decided[0]["taught"][0].as_str().expect("it is learned").to_owned();
    assert_eq!(house.spam(&["stats"])[0]["spam"], 1);
    assert!(house.spam(&["queue"]).is_empty());
    let file = house.scratch.join("one.eml");
    std::fs::write(&file, &original)?;
    let explained = &house.spam(&["explain", &file.display().to_string()])[0];
    let reasons = explained["reasons"].as_array().expect("reasons");
    let learned = reasons.iter().find(|reason| reason["pass"] == "learned").expect("what was learned is asked");
    assert_eq!((&explained["learned"], &learned["about"]), (&0.into(), &"nothing was taught yet".into()));
    house.spam(&["forget", &taught]);
    let stats = &house.spam(&["stats"])[0];
    assert_eq!((&stats["spam"], &stats["tokens"]), (&0.into(), &0.into()), "{stats}");
    // Somebody changed it before they handed it in.
    house.reports(&who, &original.replace("Good day.", "Bad day."))?;
    let case = &house.cases(1)[0];
    assert_eq!(case["integrity"], "altered: the body was changed", "{case}");
    // What is learned is what was delivered.
    let shown = house.spam(&["show", case["id"].as_str().expect("an id")]);
    assert!(shown[0]["text"].as_str().is_some_and(|text| text.contains("Good day.")), "{shown:?}");
    // Nobody else's mail is shown because its Message-ID is named.
    let other = house.person("toto-jp");
    house.reports(&other, &original.replace("Good day.", "Any day."))?;
    let cases = house.cases(2);
    assert!(cases.iter().any(|case| case["integrity"] == "unknown here"), "{cases:?}");
    assert_eq!(house.server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn reports_of_one_message_are_one_case_that_says_how_many_received_it() -> Outcome {
    let house = House::new();
    let (one, two, three) = (house.person("toto-j"), house.person("toto-jp"), house.person("dupont-a"));
    house.receives(&[&one, &two, &three], &letter("ads@client.example", "you", "campaign"))?;
    house.reports(&one, &house.newest(&one)?)?;
    // Programs keep other line ends and add fields.
    house.reports(&two, &format!("X-Mozilla-Status: 0001\r\n{}", house.newest(&two)?))?;
    let cases = house.cases(2);
    assert_eq!(cases.len(), 1, "{cases:?}");
    assert_eq!((&cases[0]["received"], &cases[0]["integrity"]), (&3.into(), &"intact".into()), "{cases:?}");
    // Of two that came within a moment either stands first.
    let mut proposers: Vec<&str> =
        cases[0]["proposers"].as_array().into_iter().flatten().filter_map(|it| it.as_str()).collect();
    proposers.sort_unstable();
    assert_eq!(proposers, ["toto-j", "toto-jp"]);
    // A stranger may report, and is not taken for anybody.
    let mut smtp = Smtp::stranger(&house.server, "mx", "outside")?;
    let stranger =
        report(&one, "From: a@b.example\r\nSubject: other\r\n\r\nnever here").replace(&one.address, "x@client.example");
    smtp.message("x@client.example", &[TO], &stranger)?.expect(250)?;
    smtp.message("x@client.example", &[TO], &letter("x@client.example", TO, "inline"))?.expect(250)?;
    let cases = house.cases(4);
    let of =
        |subject: &str| cases.iter().find(|case| case["subject"] == subject).unwrap_or_else(|| panic!("{cases:?}"));
    assert_eq!(
        (&of("other")["integrity"], &of("other")["proposers"][0]),
        (&"unknown here".into(), &"x@client.example?".into())
    );
    assert!(of("inline")["unusable"].as_str().is_some_and(|why| why.contains("as an attachment")), "{cases:?}");
    let id = cases.iter().find(|case| case["received"] == 3).and_then(|case| case["id"].as_str()).expect("an id");
    assert_eq!(house.spam(&["reject", id])[0]["closed"], 2);
    assert_eq!(house.cases(2).len(), 2);
    assert_eq!(house.spam(&["stats"])[0]["spam"], 0);
    Ok(())
}

#[test]
fn a_keyword_is_a_proposal_until_it_is_taken_back() -> Outcome {
    let house = House::new();
    let who = house.person("toto-j");
    house.receives(&[&who], &letter("ads@client.example", &who.address, "marked"))?;
    let mut imap = Imap::person(&house.server, "inside", &who)?;
    imap.command("SELECT INBOX")?.ok()?;
    // As programs do by themselves with mail they hold for good: no correction.
    imap.command("STORE 1 +FLAGS (NonJunk)")?.ok()?;
    imap.command("STORE 1 -FLAGS (NonJunk)")?.ok()?;
    imap.command("STORE 1 +FLAGS ($Junk)")?.ok()?;
    // Programs move it at once.
    imap.command("CREATE Spam")?;
    imap.command("MOVE 1 Spam")?.ok()?;
    let case = &house.cases(1)[0];
    assert_eq!((&case["proposed"], &case["integrity"]), (&"spam".into(), &"intact".into()), "{case}");
    assert_eq!(case["subject"], "marked");
    imap.command("SELECT Spam")?.ok()?;
    imap.command("STORE 1 -FLAGS ($Junk)")?.ok()?;
    assert!(house.cases(0).is_empty());
    // A message nobody delivered is none either.
    imap.append("INBOX", letter("a@b.example", &who.address, "own").as_bytes())?.ok()?;
    imap.command("SELECT INBOX")?.ok()?;
    imap.command("STORE 1 +FLAGS ($Junk)")?.ok()?;
    imap.command("SELECT Spam")?.ok()?;
    imap.command("STORE 1 FLAGS (Junk)")?.ok()?;
    assert_eq!(house.cases(1)[0]["subject"], "marked");
    Ok(())
}

#[test]
fn a_crash_between_the_reply_and_the_reading_loses_no_report_and_doubles_none() -> Outcome {
    let mut house = House::new();
    let who = house.person("toto-j");
    let mut wanted = 0;
    for round in 0..3 {
        let mut smtp = Smtp::person(&house.server, "subm", "inside", &who)?;
        for number in 0..4 {
            let original =
                format!("From: a@b.example\r\nSubject: r{round}n{number}\r\n\r\nnever here {round} {number}");
            smtp.message(&who.address, &[TO], &report(&who, &original))?.expect(250)?;
            wanted += 1;
        }
        house = house.killed();
        let cases = house.cases(wanted);
        let mut subjects: Vec<&str> = cases.iter().filter_map(|case| case["subject"].as_str()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        assert_eq!(subjects.len(), wanted, "{subjects:?}");
    }
    Ok(())
}

/// Twenty-five letters of each kind, no two alike.
fn collection(folder: &std::path::Path, subject: &str, words: &str) {
    std::fs::create_dir(folder).expect("the scratch folder is ours");
    for number in 0..25 {
        let text = format!(
            "From: <a{number}@client.example>\r\nTo: <you@univ-nantes.fr>\r\nSubject: {subject}\r\n\
             Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <c{number}-{subject}@client.example>\r\n\r\n{words}\r\n"
        );
        std::fs::write(folder.join(number.to_string()), text).expect("the scratch folder is ours");
    }
}

/// What the learned pass said of the newest message.
fn learned(house: &House, who: &Person) -> std::io::Result<f64> {
    let message = house.newest(who)?.replace("\r\n\t", " ").replace("\r\n ", " ");
    let status = message.lines().find(|line| line.starts_with("X-Spam-Status:")).unwrap_or_default().to_owned();
    let said = status.split("learned=").nth(1).and_then(|rest| rest.split([' ', ';', ',']).next());
    said.and_then(|score| score.parse().ok()).ok_or_else(|| std::io::Error::other(status))
}

#[test]
fn the_next_copy_of_what_was_accepted_scores_lower() -> Outcome {
    let house = House::new();
    let who = house.person("toto-j");
    let words = "the laboratory meets on thursday to speak of the seminar and the budget of the department";
    collection(&house.scratch.join("ham"), "seminar", words);
    collection(&house.scratch.join("spam"), "pills", "order cheap pills now without prescription and save money today");
    for kind in ["ham", "spam"] {
        let folder = house.scratch.join(kind).display().to_string();
        assert_eq!(house.spam(&["teach", &folder, &format!("--{kind}")])[0]["taught"], 25);
    }
    let text = |number: u8| {
        let words = "your parcel waits at the depot confirm the delivery address and pay the customs fee";
        letter("ads@client.example", &who.address, &format!("parcel{number}")).replace("Good day.", words)
    };
    house.receives(&[&who], &text(1))?;
    let before = learned(&house, &who)?;
    house.reports(&who, &house.newest(&who)?)?;
    let case = house.cases(1).remove(0);
    let judged = house.spam(&["accept", case["id"].as_str().expect("an id"), "--as", "spam"]);
    assert_eq!(judged[0]["closed"], 1);
    house.receives(&[&who], &text(2))?;
    let after = learned(&house, &who)?;
    assert!(after < before, "{before} before, {after} after");
    // What is in memory after a restart is what was.
    let house = house.killed();
    house.receives(&[&who], &text(2).replace("parcel2@", "parcel3@"))?;
    assert!((learned(&house, &who)? - after).abs() < 0.001);
    Ok(())
}
