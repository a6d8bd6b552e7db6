//! Programs that a script tells what to do: imapfilter and curl.

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::program::{self, Ran};
use tests::{Outcome, describe::Tls};

use super::desk::{Desk, letter};
use super::found;

/// What the script has imapfilter do, and print.
const FILTER: &str = r"
local inbox = me.INBOX
local one = inbox:contain_subject('one')
one:mark_flagged()
one:add_flags({ 'Travail' })
inbox:contain_body('Text of two'):move_messages(me['Tri/2026'])
inbox:contain_subject('three'):delete_messages()
inbox:contain_subject('four'):copy_messages(me['Archives'])
inbox:append_message('Subject: five\r\n\r\nText of five.\r\n', { '\\Seen' })
print('unseen', #inbox:is_unseen())
print('narrowed', #(inbox:is_flagged() + inbox:is_smaller(1000) * inbox:has_keyword('Travail')))
for _, message in ipairs(inbox:select_all()) do
    local mailbox, uid = table.unpack(message)
    print((mailbox[uid]:fetch_field('Subject')))
end
local total, _, unseen = inbox:check_status()
print('status', total, unseen)
";

#[test]
fn imapfilter_sorts_moves_flags_and_appends() -> Outcome {
    let Some(imapfilter) = found("imapfilter_sorts", "imapfilter") else { return Ok(()) };
    let mut desk = Desk::with(&["one", "two", "three", "four"])?;
    let account = format!(
        "options.create = true\noptions.subscribe = true\noptions.info = false\n\
         local me = IMAP {{ server = 'localhost', port = {}, username = '{}', password = '{}', ssl = 'auto' }}\n{FILTER}",
        desk.port("imaps"),
        desk.who.login,
        desk.who.password
    );
    let config = desk.write("filter.lua", &account);
    let mut command = Command::new(imapfilter);
    command.arg("-c").arg(config).arg("-t").arg(&desk.server.describe.ca).env("HOME", desk.folder());
    let said = program::run(&mut command).ends(0).out;
    let expected = ["unseen\t2", "narrowed\t1", "Subject: one", "Subject: four", "Subject: five", "status\t3\t2"];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    assert_eq!(desk.mail("INBOX")?, ["one Travail \\Flagged", "four", "five \\Seen"]);
    assert_eq!((desk.mail("Tri/2026")?, desk.mail("Archives")?), (vec!["two".to_owned()], vec!["four".to_owned()]));
    assert!(desk.imap.command("LSUB \"\" \"Tri/*\"")?.ok()?.lines()[0].contains("Tri/2026"), "it is subscribed to");
    Ok(())
}

/// curl as the person, to `url` below a listener.
fn curl(program: &Path, desk: &Desk, listener: &str, url: &str, arguments: &[&str]) -> Ran {
    let listener = desk.server.describe.listener(listener);
    let scheme = if listener.speaks == "Smtp" { "smtp" } else { "imap" };
    let (secure, require) = if listener.tls == Tls::Implicit { ("s", &[][..]) } else { ("", &["--ssl-reqd"][..]) };
    let mut command = Command::new(program);
    command.args(["--silent", "--show-error", "--cacert"]).arg(&desk.server.describe.ca).args(require);
    command.arg("--user").arg(format!("{}:{}", desk.who.login, desk.who.password)).args(arguments);
    program::run(command.arg(format!("{scheme}{secure}://localhost:{}/{url}", listener.addr.port())))
}

#[test]
fn curl_lists_reads_searches_stores_appends_and_submits() -> Outcome {
    let Some(curl_program) = found("curl_lists", "curl") else { return Ok(()) };
    let mut desk = Desk::with(&["one", "two"])?;
    let message = desk.write("three.eml", &letter("three")).display().to_string();
    let said = |url: &str, arguments: &[&str]| curl(&curl_program, &desk, "imaps", url, arguments).ends(0).out;
    assert!(said("", &[]).contains("* LIST (\\HasNoChildren \\Sent) \"/\" Envoy&AOk-s\r\n"));
    assert_eq!(said("INBOX;UID=2", &[]), letter("two"));
    assert_eq!(said("INBOX;UID=1;SECTION=TEXT", &[]), "Text of one.\r\n");
    assert_eq!(said("INBOX?SUBJECT%20two", &[]), "* SEARCH 2\r\n");
    said("INBOX", &["--upload-file", &message]);
    said("INBOX", &["--request", "STORE 1 +FLAGS (\\Deleted)"]);
    assert_eq!(said("INBOX", &["--request", "EXPUNGE"]), "* 1 EXPUNGE\r\n");
    assert_eq!(said("INBOX", &["--request", "UID MOVE 2 Archives"]).matches("EXPUNGE").count(), 1);
    assert_eq!(curl(&curl_program, &desk, "imaps", "Nulle-part;UID=1", &[]).code, Some(67), "SELECT is refused");
    // What is submitted has to be ours.
    let own = letter("four").replace("anne@client.example", &desk.who.address);
    let own = desk.write("four.eml", &own).display().to_string();
    let envelope = ["--mail-from", &desk.who.address, "--mail-rcpt", &desk.who.address, "--upload-file"];
    for listener in ["subs", "subm"] {
        curl(&curl_program, &desk, listener, "client.example", &[&envelope[..], &[&own]].concat()).ends(0);
    }
    // The code of a reply that was not hoped for.
    let refused = curl(&curl_program, &desk, "subs", "client.example", &[&envelope[..], &[&message]].concat());
    assert_eq!(refused.code, Some(8), "{}", refused.err);
    assert_eq!(desk.mail("INBOX")?, ["three \\Seen", "four", "four"], "curl says that what it appends is read");
    assert_eq!(desk.mail("Archives")?, ["two \\Seen"]);
    assert_eq!(fs::read_to_string(&message)?, letter("three"));
    Ok(())
}
