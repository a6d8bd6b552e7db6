//! Mail programs of the terminal: neomutt and aerc. (mutt opens a thousand messages in `corpus`.)

use std::fs;
use std::path::Path;

use tests::Outcome;

use super::desk::Desk;
use super::found;
use super::terminal::Terminal;

/// neomutt does what `keys` say, and ends; what it said to the server and heard.
#[track_caller]
fn neomutt(program: &Path, desk: &Desk, keys: &str) -> String {
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
    let config = desk.write("neomuttrc", &text);
    for folder in ["headers", "bodies"] {
        fs::create_dir_all(desk.folder().join(folder)).expect("the scratch folder is ours");
    }
    let log = desk.folder().join("neomutt");
    let push = format!("push \"{keys}\"");
    let arguments =
        ["-n", "-F", &config.to_string_lossy(), "-d", "3", "-l", &log.to_string_lossy(), "-f", "+INBOX", "-e", &push];
    Terminal::start(desk.folder(), program, &arguments, &[]).ends();
    // The newest log has the number 0.
    String::from_utf8_lossy(&fs::read(desk.folder().join("neomutt0")).expect("neomutt wrote it")).into_owned()
}

#[test]
fn neomutt_reads_flags_deletes_and_saves_and_catches_up_with_what_others_did() -> Outcome {
    let Some(neomutt_program) = found("neomutt_reads", "neomutt") else { return Ok(()) };
    let mut desk = Desk::with(&["one", "two", "three", "four"])?;
    neomutt(
        &neomutt_program,
        &desk,
        "<first-entry><flag-message><next-entry><delete-message><next-entry><save-message>=Archives<enter>\
         <last-entry><display-message><exit><sync-mailbox><quit>",
    );
    assert_eq!(desk.mail("INBOX")?, ["one \\Flagged", "four \\Seen"]);
    assert_eq!(desk.mail("Archives")?, ["three"]);
    // Meanwhile, elsewhere: one goes, one is answered, one comes.
    desk.imap.command("SELECT INBOX")?.ok()?;
    desk.imap.command("STORE 1 +FLAGS.SILENT (\\Deleted)")?.ok()?;
    desk.imap.command("STORE 2 +FLAGS.SILENT (\\Answered)")?.ok()?;
    desk.imap.command("CLOSE")?.ok()?;
    desk.add("INBOX", "five")?;
    let log = neomutt(
        &neomutt_program,
        &desk,
        "<last-entry><tag-message><previous-entry><copy-message>=Archives<enter><quit>",
    );
    assert!(log.contains("SELECT \"INBOX\""), "{log}");
    assert_eq!(desk.mail("INBOX")?, ["four \\Answered \\Seen", "five"]);
    assert_eq!(desk.mail("Archives")?, ["three", "four \\Answered \\Seen"]);
    Ok(())
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
