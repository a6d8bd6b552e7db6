//! Mail programs of the terminal: mutt, neomutt and aerc. (mutt opens a thousand messages in `corpus`.)

use std::fs;
use std::path::Path;

use tests::Outcome;

use super::desk::Desk;
use super::found;
use super::terminal::Terminal;

/// mutt or its descendant does what `keys` say, and ends; what it noted of its talk with the server.
#[track_caller]
fn mutt(program: &Path, desk: &Desk, keys: &str) -> String {
    let home = desk.folder().display();
    let text = format!(
        "set imap_user={} imap_pass={} folder=imaps://localhost:{}/ spoolfile=+INBOX\n\
         set ssl_force_tls=yes certificate_file={} imap_condstore=yes imap_qresync=yes imap_idle=no\n\
         set header_cache={home}/headers/ message_cachedir={home}/bodies/ tmpdir={home} record= postponed={home}/postponed\n\
         set delete=yes quit=yes confirmappend=no confirmcreate=no mark_old=no move=no sort=mailbox-order resolve=no wait_key=no\n",
        desk.who.login,
        desk.who.password,
        desk.port("imaps"),
        desk.ca(),
    );
    let config = desk.write("muttrc", &text);
    for folder in ["headers", "bodies"] {
        fs::create_dir_all(desk.folder().join(folder)).expect("the scratch folder is ours");
    }
    let push = format!("push \"{keys}\"");
    let inbox = format!("imaps://localhost:{}/INBOX", desk.port("imaps"));
    let arguments = ["-n", "-F", &config.to_string_lossy(), "-d", "3", "-f", &inbox, "-e", &push];
    Terminal::start(desk.folder(), program, &arguments, &[]).ends();
    // The newest log has the number 0.
    let name = program.file_name().expect("a program").to_string_lossy();
    let log = desk.folder().join(format!(".{name}debug0"));
    String::from_utf8_lossy(&fs::read(log).expect("it wrote one")).into_owned()
}

/// A first day; then one goes elsewhere, one changes and one comes while the program is away. Its notes of the second day.
#[track_caller]
fn two_days(program: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let mut desk = Desk::with(&["one", "two", "three", "four", "five"])?;
    mutt(
        program,
        &desk,
        "<first-entry><flag-message><next-entry><delete-message><next-entry><save-message>=Archives<enter>\
         <last-entry><display-message><exit><sync-mailbox><quit>",
    );
    assert_eq!(desk.mail("INBOX")?, ["one \\Flagged", "four", "five \\Seen"]);
    assert_eq!(desk.mail("Archives")?, ["three"]);
    desk.imap.command("SELECT INBOX")?.ok()?;
    desk.imap.command("STORE 2 +FLAGS.SILENT (\\Deleted)")?.ok()?;
    desk.imap.command("STORE 1 +FLAGS.SILENT (\\Answered)")?.ok()?;
    desk.imap.command("CLOSE")?.ok()?;
    desk.add("INBOX", "six")?;
    let log = mutt(program, &desk, "<first-entry><copy-message>=Archives<enter><last-entry><flag-message><quit>");
    // What changed and what went since it last selected comes with one question.
    assert!(log.contains("(CHANGEDSINCE ") && log.contains("Handling VANISHED"), "{log}");
    assert_eq!(desk.mail("INBOX")?, ["one \\Answered \\Flagged", "five \\Seen", "six \\Flagged"]);
    assert_eq!(desk.mail("Archives")?, ["three", "one \\Answered \\Flagged"]);
    Ok(log)
}

#[test]
fn mutt_catches_up_by_qresync_with_what_others_did() -> Outcome {
    let Some(mutt) = found("mutt_catches_up", "mutt") else { return Ok(()) };
    let log = two_days(&mutt)?;
    assert!(log.contains("* VANISHED (EARLIER) 2:4") && !log.contains("QRESYNC failed"), "{log}");
    Ok(())
}

/// What went keeps its number in the count of this version, unlike in mutt's: it finds that out, and reads all flags anew.
#[test]
fn neomutt_catches_up_by_qresync_with_what_others_did() -> Outcome {
    let Some(neomutt) = found("neomutt_catches_up", "neomutt") else { return Ok(()) };
    two_days(&neomutt).map(|_| ())
}

#[test]
fn aerc_flags_moves_deletes_and_sends() -> Outcome {
    let Some(aerc) = found("aerc_flags", "aerc") else { return Ok(()) };
    let mut desk = Desk::with(&["one", "two", "three"])?;
    let (login, secret) = (desk.who.login.clone(), desk.who.password.clone());
    let account = format!(
        "[me]\nsource = imaps://{login}:{secret}@localhost:{}\noutgoing = smtps+plain://{login}:{secret}@localhost:{}\n\
         default = INBOX\nfrom = Jean <{}>\ncopy-to = Envoyés\n",
        desk.port("imaps"),
        desk.port("subs"),
        desk.who.address
    );
    desk.write("aerc/accounts.conf", &account);
    desk.write("aerc/aerc.conf", "[ui]\nmouse-enabled = false\n[compose]\neditor = true\n");
    let ca = desk.server.describe.ca.clone();
    let mut aerc = Terminal::start(desk.folder(), &aerc, &[], &[("SSL_CERT_FILE", &ca)]);
    // The newest is selected.
    aerc.shows("three");
    aerc.types(":flag\r");
    desk.until("INBOX", &["one", "two", "three \\Flagged"]);
    aerc.types(":move Archives\r");
    desk.until("INBOX", &["one", "two"]);
    desk.until("Archives", &["three \\Flagged"]);
    desk.add("INBOX", "four")?;
    aerc.shows("four");
    aerc.types(":search two\r");
    aerc.types(":delete\r");
    desk.until("INBOX", &["one", "four"]);
    aerc.types(&format!(":compose -H 'To: {}' -H 'Subject: five'\r", desk.who.address));
    aerc.shows("Send this email?");
    aerc.types(":send\r");
    desk.until("Envoyés", &["five \\Seen"]);
    desk.until("INBOX", &["one", "four", "five"]);
    aerc.shows("five");
    Ok(())
}
