//! Quarantine and messages that are taken out of mailboxes: by the real program, seen by mail programs, and cut short.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use mail::{Login, MailboxName};
use store::Store;
use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::smtp::{Reply, letter};
use tests::{Facteur, Imap, Options, Outcome, Smtp, policy_copy};

use crate::mail::EICAR;

/// Nobody else would write this.
const PHRASE: &str = "seventeen quarantined herons";
/// People of the test that is cut short.
const MANY: usize = 500;

/// A data folder, and a policy with managers that serves it.
pub struct House {
    pub scratch: Scratch,
    policy: PathBuf,
}

impl House {
    /// `managers` decide in the domain of the policy; empty where its people have some.
    pub fn new(name: &str, policy: &str, changes: &[(&str, &str)], managers: &str) -> House {
        let scratch = Scratch::new(name);
        let policy = policy_copy::changed(&scratch, policy, changes);
        let people = policy.join("people.ron");
        let text = fs::read_to_string(&people).expect("the policy has people");
        let text = match text.contains("functions: [") {
            _ if managers.is_empty() => text,
            true => text.replacen("functions: [", &format!("functions: [\n        {managers},"), 1),
            false => text.replacen("People(", &format!("People(\n    functions: [{managers}],"), 1),
        };
        fs::write(people, text).expect("the scratch folder is ours");
        House { scratch, policy }
    }

    fn nantes(name: &str) -> House {
        House::new(name, "nantes", &[], "")
    }

    pub fn data(&self) -> PathBuf {
        self.scratch.join("data")
    }

    #[track_caller]
    pub fn serve(&self, people: usize) -> Facteur {
        let options = Options { data: Some(self.data()), people: people as u32, ..Options::default() };
        Facteur::start_with(&self.policy, options)
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program::facteur());
        command.args(words).arg("--data").arg(self.data());
        command
    }

    pub fn run(&self, words: &[&str]) -> Ran {
        program::run(&mut self.command(words))
    }

    fn decided(&self, what: &str, ids: &[&str], by: &str) -> Ran {
        self.run(&[&["quarantine", what, "--by", by, "--because", "a test asks"], ids].concat())
    }

    /// Is `phrase` in a segment, or in the database?
    fn says(&self, phrase: &str) -> bool {
        says(&self.data(), phrase) || says(&self.data().join("segments"), phrase)
    }
}

fn says(folder: &Path, phrase: &str) -> bool {
    let files = fs::read_dir(folder).expect("the folder can be read").map(|file| file.expect("an entry").path());
    files.filter(|path| path.is_file() && !path.ends_with("ballast")).any(|path| {
        let octets = fs::read(path).unwrap_or_default();
        octets.windows(phrase.len()).any(|octets| octets == phrase.as_bytes())
    })
}

/// The id in `250 OK, kept as ID`.
fn id_of(reply: &Reply) -> String {
    reply.text().rsplit(' ').next().unwrap_or_default().to_owned()
}

fn infected(server: &Facteur, to: &str, subject: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    let text = format!("Subject: {subject}\r\n\r\n{PHRASE}\r\n\x1b[2J\u{202e}fdp.exe\r\n{}\r\n", EICAR.concat());
    Ok(id_of(&smtp.message("a@client.example", &[to], &text)?.expect(250)?))
}

/// The lines of `--format json`.
pub fn json(ran: &Ran) -> Vec<serde_json::Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
}

#[test]
fn an_infected_message_is_sealed_shown_safely_and_released_once_by_a_manager() -> Outcome {
    let house = House::nantes("quarantine");
    let server = house.serve(0);
    let who = server.describe.person("toto-j").clone();
    let id = infected(&server, &who.address, "one")?;
    assert!(!house.says(PHRASE), "nothing on the disk shows what is in quarantine");
    let listed = json(&house.run(&["quarantine", "list", "--format", "json"]).ends(0));
    assert_eq!((listed.len(), listed[0]["id"].as_str()), (1, Some(id.as_str())));
    assert_eq!(listed[0]["recipients"][0].as_str(), Some(who.address.as_str()));
    for (filter, matching) in [
        (["--recipient", "univ-nantes.fr"], 1),
        (["--recipient", "elsewhere.example"], 0),
        (["--since", "1h"], 1),
        (["--since", "2126-01-01"], 0),
        (["--reason", listed[0]["reason"].as_str().unwrap_or_default()], 1),
        (["--engine", "nothing"], 0),
    ] {
        let ran = house.run(&[&["quarantine", "list", "--format", "json"], &filter[..]].concat()).ends(0);
        assert_eq!(json(&ran).len(), matching, "{filter:?}");
    }
    let shown = house.run(&["quarantine", "show", &id]).ends(0).out;
    assert!(shown.contains("Subject: one") && shown.contains(PHRASE), "{shown}");
    assert!(!shown.contains(['\x1b', '\u{202e}']) && shown.contains("?[2J?fdp.exe"), "{shown}");
    let raw = house.scratch.join("raw.eml").display().to_string();
    house.run(&["quarantine", "show", &id, "--raw"]).ends(2);
    let write = ["quarantine", "show", &id, "--raw", "--output", &raw, "--by", "durand-e"];
    house.run(&write).ends(0);
    assert!(fs::read_to_string(&raw)?.contains(&EICAR.concat()));
    assert_ne!(house.run(&write).code, Some(0), "nothing is written over");
    let refused = house.decided("release", &[&id], "toto-j");
    assert!(refused.code != Some(0) && refused.err.contains("only a mail manager may"), "{}", refused.err);
    let stopped = house.decided("release", &[&id, "--rescan"], "durand-e");
    assert!(stopped.code != Some(0) && stopped.err.contains("stopped again"), "{}", stopped.err);
    let mut imap = Imap::person(&server, "outside", &who)?;
    assert_eq!(imap.count("INBOX")?, 0);
    house.decided("release", &[&id], "durand-e").ends(0);
    let again = house.decided("release", &[&id], "durand-e");
    assert!(again.code != Some(0) && again.err.contains("is in quarantine"), "{}", again.err);
    assert_eq!(imap.count("INBOX")?, 1);
    let body = String::from_utf8_lossy(&imap.command("FETCH 1 (BODY.PEEK[])")?.ok()?.untagged[0]).into_owned();
    assert!(body.contains("Return-Path: <a@client.example>\r\n") && body.contains(PHRASE), "{body}");
    let told = house.run(&["why", &id]).ends(0).out;
    for part in ["did not get it", "released, by durand-e: a test asks", "in mailbox"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let other = infected(&server, &who.address, "two")?;
    house.decided("purge", &[&other], "durand-e").ends(0);
    assert_eq!(json(&house.run(&["quarantine", "list", "--format", "json"]).ends(0)).len(), 0);
    let third = infected(&server, &who.address, "three")?;
    let to = server.describe.person("toto-jp").clone();
    house.decided("release", &[&third, "--to", &to.address], "durand-e").ends(0);
    assert_eq!((imap.count("INBOX")?, Imap::person(&server, "outside", &to)?.count("INBOX")?), (1, 1));
    server.stop();
    let audit = Store::open(house.data(), store::Options::default())?.audit(100)?;
    let has = |what: &str| {
        audit.iter().any(|(_, who, entry)| who.starts_with("durand-e, asked by uid") && entry.contains(what))
    };
    assert!(has(&format!("released {id}")) && has(&format!("purged {other}")) && has("raw.eml"), "{audit:?}");
    Ok(())
}

#[test]
fn a_message_is_taken_out_of_all_mailboxes_under_the_eyes_of_its_reader_and_put_back_as_it_was() -> Outcome {
    let house = House::nantes("taken");
    let server = house.serve(0);
    let (one, two) = (server.describe.person("toto-j").clone(), server.describe.person("toto-jp").clone());
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let bait = letter("a@client.example", &one.address, "bait").replace("Good day.", PHRASE);
    let id = id_of(&smtp.message("a@client.example", &[&one.address, &two.address], &bait)?.expect(250)?);
    let mut mover = Imap::person(&server, "outside", &two)?;
    mover.command("CREATE Projets")?.ok()?;
    mover.command("CREATE Ailleurs")?.ok()?;
    mover.command("SELECT INBOX")?.ok()?;
    mover.command("STORE 1 FLAGS (\\Seen \\Flagged $Forwarded projet)")?.ok()?;
    mover.command("COPY 1 Projets")?.ok()?;
    mover.command("MOVE 1 Ailleurs")?.ok()?;
    mover.append("INBOX", bait.as_bytes())?.ok()?;
    let facts = "FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE EMAILID THREADID SAVEDATE)";
    mover.command("EXAMINE Projets")?.ok()?;
    let before = mover.command(facts)?.ok()?.lines();
    let mut idle = Imap::person(&server, "outside", &one)?;
    idle.command("SELECT INBOX")?.ok()?;
    idle.send(b"i IDLE\r\n")?;
    assert!(idle.read()?.starts_with(b"+"), "IDLE is taken up");
    let taken = json(&house.decided("take", &[&id, "--format", "json"], "durand-e").ends(0));
    let count = |field: &str| taken[0][field].as_u64();
    assert_eq!((count("messages"), count("mailboxes"), count("accounts")), (Some(3), Some(3), Some(2)), "{taken:?}");
    let told = String::from_utf8_lossy(&idle.read()?).into_owned();
    assert_eq!(told, "* 1 EXPUNGE");
    assert_eq!((mover.count("Projets")?, mover.count("INBOX")?), (0, 1), "what the owner brought in again stays");
    assert_eq!(json(&house.run(&["quarantine", "list", "--taken", "--format", "json"]).ends(0)).len(), 1);
    let nothing = json(&house.decided("take", &[&id, "--format", "json"], "durand-e").ends(0));
    assert_eq!(nothing[0]["messages"].as_u64(), Some(0));
    let back = json(&house.decided("put-back", &[&id, "--format", "json"], "durand-e").ends(0));
    assert_eq!(back[0]["messages"], taken[0]["messages"]);
    let told = String::from_utf8_lossy(&idle.read()?).into_owned();
    assert_eq!(told, "* 1 EXISTS");
    mover.command("EXAMINE Projets")?.ok()?;
    let same = |lines: &[String]| lines.iter().map(|line| line.replace("\\Recent ", "")).collect::<Vec<_>>();
    assert_eq!(same(&mover.command(facts)?.ok()?.lines()), same(&before));
    assert!(house.decided("put-back", &[&id], "durand-e").err.contains("nothing is kept"), "it is back once");
    assert!(house.run(&["why", &id]).ends(0).out.contains("put-back, into the mailboxes by durand-e"));
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

/// How many copies each of the many has.
fn copies(house: &House) -> Result<Vec<usize>, Box<dyn std::error::Error>> {
    let store = Store::open(house.data(), store::Options::default())?;
    assert_eq!(store.verify()?.findings, []);
    let inbox = MailboxName::inbox();
    let of = |number: usize| {
        let login = Login::new(&format!("user{number:04}")).expect("a login");
        Ok(store.select(&login, &inbox)?.map_or(0, |selected| selected.messages.len()))
    };
    (1..=MANY).map(of).collect()
}

/// When the server is killed.
enum Kill {
    AtOnce,
    /// As soon as the first of the many hears of it.
    AtFirstNews,
}

/// Starts the command, and kills the server while it works.
fn cut_short(house: &House, server: &Facteur, words: &[&str], kill: &Kill) -> Outcome {
    let mut idle = Imap::connect(server, "imaps", "outside")?;
    idle.command("LOGIN user0001 pass")?.ok()?;
    idle.command("SELECT INBOX")?.ok()?;
    idle.send(b"i IDLE\r\n")?;
    idle.read()?;
    let mut command = house.command(words);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("facteur is built");
    let news = match kill {
        Kill::AtOnce => Ok(Vec::new()),
        Kill::AtFirstNews => idle.read(),
    };
    rustix::process::kill_process(server.pid(), rustix::process::Signal::KILL).expect("the server runs");
    child.wait().expect("the child is ours");
    news?;
    Ok(())
}

#[test]
fn kills_while_five_hundred_copies_are_taken_or_put_back_lose_and_double_nothing() -> Outcome {
    let changes = [("Policy(", "Policy(\n    response: (recall_alone_at_most: 10000, block_at_most: \"30 days\"),")];
    let managers = "(address: \"mail-managers@example.org\", members: [\"bench-a\"])";
    let house = House::new("taken-kills", "bench", &changes, managers);
    let server = house.serve(MANY);
    let all: Vec<String> = (1..=MANY).map(|number| format!("user{number:04}@example.org")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let reply = smtp.message("a@client.example", &all, &letter("a@client.example", "everybody@example.org", "bait"))?;
    let id = id_of(&reply.expect(250)?);
    server.kill();
    assert_eq!(copies(&house)?, vec![1; MANY]);
    let mut in_the_middle = 0;
    for round in 1..=6 {
        for (what, left) in [("take", 0), ("put-back", 1)] {
            let words = ["quarantine", what, &id, "--by", "bench-a", "--because", "a test asks"];
            let server = house.serve(MANY);
            let kill = if round % 3 == 0 { Kill::AtOnce } else { Kill::AtFirstNews };
            cut_short(&house, &server, &words, &kill)?;
            server.kill();
            let meanwhile = copies(&house)?;
            in_the_middle += usize::from((1..MANY).contains(&meanwhile.iter().sum::<usize>()));
            assert!(meanwhile.iter().all(|copies| *copies <= 1), "{round} {what}: {meanwhile:?}");
            let server = house.serve(MANY);
            let begun = Instant::now();
            let ran = house.run(&words);
            println!(
                "{what} round {round}: {} of {MANY} there, then {:?}",
                meanwhile.iter().sum::<usize>(),
                begun.elapsed()
            );
            // Nothing is kept when the first had come to its end.
            assert!(ran.code == Some(0) || ran.err.contains("nothing is kept"), "{}", ran.err);
            server.kill();
            assert_eq!(copies(&house)?, vec![left; MANY], "{round} {what}");
        }
    }
    println!("{in_the_middle} of 12 kills came in the middle");
    assert!(in_the_middle > 0, "no kill came in the middle");
    Ok(())
}
