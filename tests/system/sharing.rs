//! Mailboxes of others: delegation with an end, a functional address that keeps its mail once, and nothing told to whom
//! nothing was granted.

use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use mail::{Identifier, Login, MailboxName, Rights, RightsChange};
use store::{Op, SetRights, Until};
use tests::describe::Person;
use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, policy_copy, wait};

use crate::outbound::site::open;

const WITHIN: Duration = Duration::from_secs(60);
const CONTACT: &str = "contact@cabinet-martin.example";

/// What may be asked about a mailbox `@`.
const ASKED: &[&str] = &[
    "SELECT \"@\"",
    "EXAMINE \"@\"",
    "STATUS \"@\" (MESSAGES)",
    "SUBSCRIBE \"@\"",
    "GETACL \"@\"",
    "MYRIGHTS \"@\"",
    "LISTRIGHTS \"@\" anyone",
    "SETACL \"@\" anyone lr",
    "DELETEACL \"@\" anyone",
    "GETMETADATA \"@\" /shared/comment",
    "SETMETADATA \"@\" (/private/comment \"x\")",
    "GETQUOTAROOT \"@\"",
    "GETQUOTA \"@\"",
    "CREATE \"@\"",
    "CREATE \"@/below\"",
    "DELETE \"@\"",
    "RENAME \"@\" other",
    "RENAME \"@\" \"@/other\"",
    "RENAME Envoy&AOk-s \"@/x\"",
    "LIST \"\" \"@\"",
    "LIST \"\" \"@*\" RETURN (STATUS (MESSAGES) MYRIGHTS)",
    "LSUB \"\" \"@\"",
    "ESEARCH IN (mailboxes \"@\") RETURN (COUNT) ALL",
    "ESEARCH IN (subtree \"@\" subtree-one \"@\") ALL",
    "NOTIFY SET STATUS (mailboxes \"@\" (MessageNew MessageExpunge MailboxName))",
];

/// The office, where mail for `contact@` is kept once.
struct House {
    _scratch: Scratch,
    policy: PathBuf,
    data: PathBuf,
}

impl House {
    fn new() -> House {
        let scratch = Scratch::new("sharing");
        let policy = policy_copy::changed(&scratch, "office", &[]);
        let people = policy.join("people.ron");
        let text = std::fs::read_to_string(&people).expect("the office has people");
        let (was, becomes) = ("\"martin-c\", \"lefevre-i\"])", "\"martin-c\", \"lefevre-i\"], mailbox: Own)");
        assert_eq!(text.matches(was).count(), 1);
        std::fs::write(&people, text.replace(was, becomes)).expect("the scratch folder is ours");
        House { data: scratch.join("data"), policy, _scratch: scratch }
    }

    fn serve(&self) -> Facteur {
        Facteur::start_with(&self.policy, Options { data: Some(self.data.clone()), ..Options::default() })
    }

    fn run(&self, words: &[&str]) -> Ran {
        program::run(Command::new(program::facteur()).args(words).arg("--data").arg(&self.data))
    }
}

/// The owner, somebody who does not belong to `contact@`, and a member of it.
fn people(server: &Facteur) -> [Person; 3] {
    [0, 1, 2].map(|at| server.describe.people[at].clone())
}

fn log_in(server: &Facteur, who: &Person) -> io::Result<Imap> {
    Imap::person(server, "outside", who)
}

/// Status and code of an answer, and what came before it.
fn said(imap: &mut Imap, command: &str) -> io::Result<String> {
    let response = imap.command(command)?;
    let before: String = response.lines().iter().map(|line| format!("{line}\n")).collect();
    Ok(format!("{before}{} {}", response.status, response.text))
}

fn message(subject: &str) -> Vec<u8> {
    format!("Subject: {subject}\r\nFrom: a@client.example\r\n\r\ntext\r\n").into_bytes()
}

#[test]
fn a_delegate_may_do_what_was_granted_until_it_is_taken_away() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let [owner, delegate, _] = people(&server);
    let mut mine = log_in(&server, &owner)?;
    mine.command("CREATE Projets")?.ok()?;
    mine.append("Projets", &message("one"))?.ok()?;
    mine.command(&format!("SETACL Projets {} lrs", delegate.login))?.ok()?;
    let mut theirs = log_in(&server, &delegate)?;
    let name = format!("\"Other Users/{}/Projets\"", owner.login);
    let listed = said(&mut theirs, "LIST \"\" * RETURN (MYRIGHTS)")?;
    assert!(listed.contains(&format!("LIST (\\HasNoChildren) \"/\" {name}\nMYRIGHTS {name} lrs\n")), "{listed}");
    assert!(listed.contains("LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users\""), "{listed}");
    let opened = said(&mut theirs, &format!("SELECT {name}"))?;
    assert!(opened.contains("[PERMANENTFLAGS (\\Seen)]") && opened.contains("[READ-WRITE]"), "{opened}");
    let all = said(&mut theirs, "STORE 1 FLAGS (\\Seen \\Flagged)")?;
    assert!(all.starts_with("1 FETCH (FLAGS (\\Seen))") && all.contains("OK "), "{all}");
    for command in ["STORE 1 +FLAGS (\\Flagged)", "STORE 1 +FLAGS (\\Deleted)", "MOVE 1 INBOX"] {
        let refused = said(&mut theirs, command)?;
        assert!(refused.starts_with("NO [NOPERM]"), "{command}: {refused}");
    }
    assert!(theirs.append(&name.replace('"', ""), &message("no"))?.text.starts_with("[NOPERM]"));
    theirs.command("COPY 1 INBOX")?.ok()?;
    mine.command(&format!("SETACL Projets {} -s", delegate.login))?.ok()?;
    mine.command("SELECT Projets")?.ok()?;
    mine.command("STORE 1 -FLAGS (\\Seen)")?.ok()?;
    let read = said(&mut theirs, "FETCH 1 BODY[HEADER.FIELDS (SUBJECT)]")?;
    assert!(read.contains("Subject: one") && !read.contains("\\Seen"), "{read}");
    // News come in IDLE; and the end of the right ends it.
    theirs.send(b"i IDLE\r\n")?;
    let mut heard = String::new();
    while !heard.contains("idling") {
        heard = String::from_utf8_lossy(&theirs.read()?).into_owned();
    }
    mine.append("Projets", &message("two"))?.ok()?;
    assert_eq!(theirs.read()?, b"* 2 EXISTS");
    mine.command(&format!("DELETEACL Projets {}", delegate.login))?.ok()?;
    let bye = String::from_utf8_lossy(&theirs.read()?).into_owned();
    assert_eq!(bye, "* BYE the right to read the selected mailbox ended");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn who_adds_to_a_mailbox_and_may_not_read_it_learns_no_uids() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let [owner, delegate, _] = people(&server);
    let mut mine = log_in(&server, &owner)?;
    mine.command("CREATE Drop")?.ok()?;
    mine.command(&format!("SETACL Drop {} lip", delegate.login))?.ok()?;
    let mut theirs = log_in(&server, &delegate)?;
    let to = format!("Other Users/{}/Drop", owner.login);
    let appended = theirs.append(&to, &message("one"))?.text;
    assert!(appended.starts_with("APPEND done"), "{appended}");
    theirs.append("INBOX", &message("two"))?.ok()?;
    theirs.command("SELECT INBOX")?.ok()?;
    theirs.command("STORE 1 +FLAGS (\\Seen \\Flagged $work)")?.ok()?;
    assert!(said(&mut theirs, &format!("COPY 1 \"{to}\""))?.starts_with("OK COPY done"));
    let moved = said(&mut theirs, &format!("MOVE 1 \"{to}\""))?;
    assert_eq!(moved, "OK moved\n1 EXPUNGE\nOK MOVE done");
    mine.command("SELECT Drop")?.ok()?;
    let flags = said(&mut mine, "FETCH 1:* FLAGS")?;
    assert_eq!(flags.matches("(FLAGS ())").count(), 3, "none of them came along: {flags}");
    Ok(())
}

#[test]
fn a_mailbox_made_in_an_account_of_others_is_shared_as_what_is_above_it() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let [owner, delegate, _] = people(&server);
    log_in(&server, &owner)?.command(&format!("SETACL INBOX {} lrsktex", delegate.login))?.ok()?;
    let mut theirs = log_in(&server, &delegate)?;
    let top = format!("Other Users/{}", owner.login);
    theirs.command(&format!("CREATE \"{top}/a/b/c\""))?.ok()?;
    theirs.command(&format!("CREATE \"{top}/a/d\""))?.ok()?;
    for name in ["a", "a/b", "a/b/c", "a/d"] {
        let rights = said(&mut theirs, &format!("MYRIGHTS \"{top}/{name}\""))?;
        assert!(rights.starts_with(&format!("MYRIGHTS \"{top}/{name}\" lrskxte")), "{name}: {rights}");
    }
    // Who deletes the mailbox it has selected is not hung up on.
    theirs.command(&format!("SELECT \"{top}/a/d\""))?.ok()?;
    let deleted = said(&mut theirs, &format!("DELETE \"{top}/a/d\""))?;
    assert!(deleted.ends_with("OK DELETE done") && deleted.contains("[CLOSED]"), "{deleted}");
    theirs.command("NOOP")?.ok()?;
    Ok(())
}

#[test]
fn who_may_look_nothing_up_learns_nothing() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let [owner, stranger, _] = people(&server);
    let mut mine = log_in(&server, &owner)?;
    mine.command("CREATE Secret")?.ok()?;
    let mut theirs = log_in(&server, &stranger)?;
    let there = [format!("Other Users/{}/Secret", owner.login), "Shared Folders/contact".to_owned()];
    let missing = ["Other Users/nobody-x/Secret".to_owned(), "Shared Folders/missing".to_owned()];
    for (there, missing) in there.iter().zip(&missing) {
        for command in ASKED {
            let [of_it, of_nothing] = [there, missing].map(|name| command.replace('@', name));
            assert_eq!(said(&mut theirs, &of_it)?, said(&mut theirs, &of_nothing)?, "{of_it}");
        }
        assert_eq!(theirs.append(there, &message("x"))?.text, theirs.append(missing, &message("x"))?.text);
    }
    let listed = said(&mut theirs, "LIST \"\" *")?;
    assert!(!listed.contains("Other Users") && !listed.contains("Shared Folders"), "{listed}");
    for name in ["\"Other Users\"", "\"Shared Folders\"", "\"Other Users/x\""] {
        let refused = said(&mut theirs, &format!("CREATE {name}"))?;
        assert!(refused.starts_with("NO [CANNOT]"), "{name}: {refused}");
    }
    // Looked up and no more: it is there, and may not be read.
    mine.command(&format!("SETACL Secret {} l", stranger.login))?.ok()?;
    let refused = said(&mut theirs, &format!("SELECT \"{}\"", there[0]))?;
    assert!(refused.starts_with("NO [NOPERM]"), "{refused}");
    Ok(())
}

#[test]
fn a_functional_address_keeps_its_mail_once_for_all_its_members() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let [one, stranger, other] = people(&server);
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    smtp.message("a@client.example", &[CONTACT], &letter("a@client.example", CONTACT, "a question"))?.expect(250)?;
    let [mut first, mut second] = [log_in(&server, &one)?, log_in(&server, &other)?];
    assert_eq!((first.count("INBOX")?, second.count("INBOX")?), (0, 0), "nobody has a copy");
    for imap in [&mut first, &mut second] {
        assert_eq!(imap.command("SELECT \"Shared Folders/contact\"")?.ok()?.number("EXISTS"), Some(1));
    }
    first.command("STORE 1 +FLAGS (\\Seen)")?.ok()?;
    let flags = said(&mut second, "FETCH 1 FLAGS")?;
    assert!(flags.contains("FLAGS (\\Seen)"), "what one has read the others need not: {flags}");
    let rights = said(&mut first, "MYRIGHTS \"Shared Folders/contact\"")?;
    assert!(rights.starts_with("MYRIGHTS \"Shared Folders/contact\" lrswipkxtecd"), "{rights}");
    let refused = said(&mut first, "SETACL \"Shared Folders/contact\" anyone lr")?;
    assert!(refused.starts_with("NO [NOPERM]"), "{refused}");
    first.command("CREATE \"Shared Folders/contact/Done\"")?.ok()?;
    second.command("MOVE 1 \"Shared Folders/contact/Done\"")?.ok()?;
    assert_eq!(first.count("Shared Folders/contact/Done")?, 1);
    let quota = said(&mut first, "GETQUOTAROOT \"Shared Folders/contact/Done\"")?;
    assert!(quota.contains("\" \"Shared Folders/contact\"\nQUOTA \"Shared Folders/contact\" (STORAGE 1 "), "{quota}");
    // The members of an address are a group rights are given to.
    first.command(&format!("SETACL INBOX \"${CONTACT}\" lr"))?.ok()?;
    let shared = format!("Other Users/{}", one.login);
    assert_eq!(second.count(&shared)?, 0);
    let mut third = log_in(&server, &stranger)?;
    assert!(third.count(&shared).is_err() && third.count("Shared Folders/contact").is_err());
    Ok(())
}

#[test]
fn a_grant_of_an_operator_ends_on_its_day_and_shows_until_then() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let [owner, delegate, _] = people(&server);
    let mailbox = format!("Other Users/{}", owner.login);
    let grant = |until: &str| house.run(&["grant", &delegate.login, &mailbox, "lr", "--until", until]);
    assert!(grant("2020-01-01").ends(2).err.contains("that day is over"));
    grant("2190-12-31").ends(0);
    house.run(&["grant", "nobody-x", &mailbox, "lr"]).ends(2);
    house.run(&["grant", &delegate.login, "Other Users/nobody-x", "lr"]).ends(2);
    let listed = house.run(&["grants", &delegate.login]).ends(0).out;
    assert!(listed.contains(&format!("{mailbox}  until 2190-12-31")), "{listed}");
    assert_eq!(log_in(&server, &delegate)?.count(&mailbox)?, 0);
    let shown = said(&mut log_in(&server, &owner)?, "GETACL INBOX")?;
    assert!(shown.contains(&format!(" \"{}\" lr", delegate.login)), "{shown}");
    house.run(&["grant", &delegate.login, &mailbox, "--remove"]).ends(0);
    assert!(log_in(&server, &delegate)?.count(&mailbox).is_err());
    server.stop();

    // An end so near that it is met.
    let store = open(&house.data);
    let (at_s, soon_s) = (0, now_s() + 5);
    let identifier = Identifier::parse(&delegate.login).expect("a login");
    let login = Login::new(&owner.login).expect("a login");
    let (change, rights) = (RightsChange::Replace, Rights::LOOKUP.with(Rights::READ));
    let (mailbox_of, until) = (MailboxName::inbox(), Until::Given(Some(soon_s)));
    let set = SetRights { login, mailbox: mailbox_of, identifier, change, rights, until, at_s };
    store.commit_wait(vec![Op::SetRights(Box::new(set))]).expect("it fits");
    drop(store);
    let server = house.serve();
    let mut theirs = log_in(&server, &delegate)?;
    let ended = format!("MYRIGHTS \"{mailbox}\"");
    wait::until(WITHIN, "the grant ends", || {
        said(&mut theirs, &ended).ok().filter(|said| said.starts_with("NO [NONEXISTENT]"))
    });
    assert!(now_s() >= soon_s, "it held until then");
    let shown = said(&mut log_in(&server, &owner)?, "GETACL INBOX")?;
    assert!(!shown.contains(&delegate.login), "{shown}");
    Ok(())
}

#[test]
fn rights_and_annotations_that_were_acknowledged_survive_a_kill() -> Outcome {
    let house = House::new();
    let mut server = house.serve();
    let [owner, delegate, _] = people(&server);
    for round in 0..3 {
        let mut mine = log_in(&server, &owner)?;
        mine.command(&format!("SETACL INBOX \"$round{round}\" lr"))?.ok()?;
        mine.command(&format!("SETMETADATA INBOX (/shared/round{round} \"kept\")"))?.ok()?;
        mine.command(&format!("SETACL INBOX {} lr", delegate.login))?.ok()?;
        let mut theirs = log_in(&server, &delegate)?;
        let note = format!("SETMETADATA \"Other Users/{}\" (/private/note \"{round}\")", owner.login);
        theirs.command(&note)?.ok()?;
        server.kill();
        server = house.serve();
        let mut mine = log_in(&server, &owner)?;
        let list = said(&mut mine, "GETACL INBOX")?;
        for before in 0..=round {
            assert!(list.contains(&format!("\"$round{before}\" lr")), "{list}");
            let one = said(&mut mine, &format!("GETMETADATA INBOX /shared/round{before}"))?;
            assert!(one.contains("\"kept\""), "{one}");
        }
        let mut theirs = log_in(&server, &delegate)?;
        let kept = said(&mut theirs, &format!("GETMETADATA \"Other Users/{}\" /private/note", owner.login))?;
        assert!(kept.contains(&format!("(/private/note \"{round}\")")), "{kept}");
        let own = said(&mut mine, "GETMETADATA INBOX /private/note")?;
        assert!(own.contains("/private/note NIL"), "what others note is theirs alone: {own}");
    }
    Ok(())
}

fn now_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}
