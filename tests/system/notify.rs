//! NOTIFY and searches that are kept up to date, over the wire: what others do is told between commands, and in time.

use std::io;

use tests::describe::Person;
use tests::smtp::letter;
use tests::{Facteur, Imap, Outcome, Smtp};

fn log_in(server: &Facteur, who: &Person) -> io::Result<Imap> {
    Imap::person(server, "outside", who)
}

/// One response that nobody asked for, as text.
fn told(imap: &mut Imap) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&imap.read()?).into_owned())
}

fn deliver(server: &Facteur, to: &Person, subject: &str) -> Outcome {
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    smtp.message("a@client.example", &[&to.address], &letter("a@client.example", &to.address, subject))?.expect(250)?;
    Ok(())
}

#[test]
fn mail_for_another_mailbox_and_what_others_do_there_is_told_between_commands() -> Outcome {
    let server = Facteur::start("office");
    let who = server.describe.people[0].clone();
    let [mut one, mut other] = [log_in(&server, &who)?, log_in(&server, &who)?];
    one.command("CREATE Projets")?.ok()?;
    one.command("SELECT Projets")?.ok()?;
    one.command(
        "NOTIFY SET (selected (MessageNew (BODY[HEADER.FIELDS (SUBJECT)]) MessageExpunge)) \
         (personal (MessageNew MessageExpunge FlagChange MailboxName MailboxMetadataChange ServerMetadataChange))",
    )?
    .ok()?;
    deliver(&server, &who, "news")?;
    let status = told(&mut one)?;
    assert!(status.starts_with("* STATUS INBOX (MESSAGES 1 UIDNEXT 2 ") && status.ends_with(" UNSEEN 1)"), "{status}");
    other.command("SELECT INBOX")?.ok()?;
    other.command("STORE 1 +FLAGS (\\Seen)")?.ok()?;
    assert!(told(&mut one)?.ends_with(" UNSEEN 0)"));
    other.command("MOVE 1 Projets")?.ok()?;
    let mut heard = vec![told(&mut one)?, told(&mut one)?, told(&mut one)?];
    heard.sort();
    assert!(heard[0].starts_with("* 1 EXISTS"), "{heard:?}");
    assert_eq!(heard[1], "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {17}\r\nSubject: news\r\n\r\n)");
    assert!(heard[2].starts_with("* STATUS INBOX (MESSAGES 0 "), "{heard:?}");
    // It was fetched, and nobody read it.
    other.command("SELECT Projets")?.ok()?;
    other.command("STORE 1 FLAGS ()")?.ok()?;
    other.command("SETMETADATA Projets (/private/comment \"x\")")?.ok()?;
    assert_eq!(told(&mut one)?, "* METADATA Projets /private/comment");
    other.command("SETMETADATA \"\" (/private/comment \"x\")")?.ok()?;
    assert_eq!(told(&mut one)?, "* METADATA \"\" /private/comment");
    other.command("RENAME Projets Anciens")?.ok()?;
    assert_eq!(told(&mut one)?, "* LIST () \"/\" Anciens (\"OLDNAME\" (Projets))");
    // The flags of the selected mailbox were not asked for: they come with a command.
    let said = one.command("NOOP")?.ok()?.lines();
    assert_eq!(said, ["1 FETCH (UID 1 FLAGS ())"]);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn a_result_that_is_kept_follows_what_others_do() -> Outcome {
    let server = Facteur::start("office");
    let who = server.describe.people[0].clone();
    let [mut one, mut other] = [log_in(&server, &who)?, log_in(&server, &who)?];
    for subject in ["b", "a"] {
        deliver(&server, &who, subject)?;
    }
    one.command("SELECT INBOX")?.ok()?;
    one.command("NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))")?.ok()?;
    one.send(b"k UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNSEEN\r\n")?;
    assert_eq!(told(&mut one)?, "* ESEARCH (TAG \"k\") UID ALL 2,1");
    assert!(told(&mut one)?.starts_with("k OK "));
    deliver(&server, &who, "aa")?;
    assert_eq!([told(&mut one)?, told(&mut one)?], ["* 3 EXISTS", "* ESEARCH (TAG \"k\") UID ADDTO (2 3)"]);
    other.command("SELECT INBOX")?.ok()?;
    other.command("STORE 2 +FLAGS (\\Seen)")?.ok()?;
    let flags = "* 2 FETCH (UID 2 FLAGS (\\Seen))";
    assert_eq!([told(&mut one)?, told(&mut one)?], [flags, "* ESEARCH (TAG \"k\") UID REMOVEFROM (1 2)"]);
    other.command("STORE 1 +FLAGS.SILENT (\\Deleted)")?.ok()?;
    assert!(told(&mut one)?.starts_with("* 1 FETCH "));
    other.command("EXPUNGE")?.ok()?;
    assert_eq!([told(&mut one)?, told(&mut one)?], ["* ESEARCH (TAG \"k\") UID REMOVEFROM (2 1)", "* 1 EXPUNGE"]);
    let left = one.command("UID SORT (SUBJECT) UTF-8 UNSEEN")?.ok()?.lines();
    assert_eq!(left, ["SORT 3"]);
    one.command("CANCELUPDATE \"k\"")?.ok()?;
    deliver(&server, &who, "c")?;
    assert_eq!(told(&mut one)?, "* 3 EXISTS");
    assert!(one.command("NOOP")?.ok()?.lines().is_empty());
    Ok(())
}

#[test]
fn a_mailbox_of_others_comes_and_goes_with_the_rights_on_it() -> Outcome {
    let server = Facteur::start("office");
    let [owner, delegate] = [0, 1].map(|at| server.describe.people[at].clone());
    let [mut mine, mut theirs] = [log_in(&server, &owner)?, log_in(&server, &delegate)?];
    mine.command("CREATE Projets")?.ok()?;
    theirs.command("NOTIFY SET (subtree \"Other Users\" (MailboxName MessageNew MessageExpunge))")?.ok()?;
    mine.command(&format!("SETACL Projets {} lr", delegate.login))?.ok()?;
    let name = format!("\"Other Users/{}/Projets\"", owner.login);
    assert_eq!(told(&mut theirs)?, format!("* LIST () \"/\" {name}"));
    assert!(told(&mut theirs)?.starts_with(&format!("* STATUS {name} (MESSAGES 0 ")));
    mine.append("Projets", b"Subject: one\r\n\r\ntext\r\n")?.ok()?;
    assert!(told(&mut theirs)?.starts_with(&format!("* STATUS {name} (MESSAGES 1 ")));
    mine.command(&format!("DELETEACL Projets {}", delegate.login))?.ok()?;
    assert_eq!(told(&mut theirs)?, format!("* LIST (\\NonExistent) \"/\" {name}"));
    mine.append("Projets", b"Subject: two\r\n\r\ntext\r\n")?.ok()?;
    assert!(theirs.command("NOOP")?.ok()?.lines().is_empty(), "nothing is told of it any more");
    // Selected when the right goes, the session goes with it.
    mine.command(&format!("SETACL Projets {} lr", delegate.login))?.ok()?;
    let mut selecting = log_in(&server, &delegate)?;
    selecting.command(&format!("SELECT {name}"))?.ok()?;
    selecting.command("NOTIFY SET (selected (MessageNew MessageExpunge))")?.ok()?;
    mine.command(&format!("DELETEACL Projets {}", delegate.login))?.ok()?;
    assert_eq!(told(&mut selecting)?, "* BYE the right to read the selected mailbox ended");
    Ok(())
}
