//! Programs that fetch mail from another server: fetchmail and getmail.

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::{Outcome, program};

use super::desk::Desk;
use super::found;

/// The subjects in a file of messages, in order.
fn subjects(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_prefix("Subject: ")).map(str::to_owned).collect()
}

/// Ends with 1 where there was nothing to fetch.
#[track_caller]
fn fetchmail(program: &Path, desk: &Desk, protocol: (&str, u16), arguments: &[&str], code: i32) {
    let (name, port) = protocol;
    let text = format!(
        "poll localhost protocol {name} service {port}\n  user \"{}\" password \"{}\" is root here\n  \
         ssl sslproto \"TLS1.2+\" sslcertck sslcertfile \"{}\"\n  mda \"/usr/bin/tee -a {}\"\n",
        desk.who.login,
        desk.who.password,
        desk.ca(),
        desk.folder().join("fetched").display(),
    );
    let config = desk.write("fetchmailrc", &text);
    let mut command = Command::new(program);
    command.arg("-f").arg(config).args(["--nosyslog", "--nodetach"]).args(arguments);
    program::run(command.env("FETCHMAILHOME", desk.folder()).env("HOME", desk.folder())).ends(code);
}

#[test]
fn fetchmail_takes_what_is_new_over_imaps_and_keeps_what_it_is_told_to_keep() -> Outcome {
    let Some(fetchmail_program) = found("fetchmail_takes_what_is_new", "fetchmail") else { return Ok(()) };
    let mut desk = Desk::with(&["one", "two", "three"])?;
    desk.imap.command("SELECT INBOX")?.ok()?;
    desk.imap.command("STORE 2 +FLAGS (\\Seen)")?.ok()?;
    let imaps = ("IMAP", desk.port("imaps"));
    let fetched = desk.folder().join("fetched");
    fetchmail(&fetchmail_program, &desk, imaps, &[], 0);
    assert_eq!(subjects(&fetched), ["one", "three"]);
    assert_eq!(desk.mail("INBOX")?, ["two \\Seen"], "what was fetched is gone, what was read before stays");
    desk.add("INBOX", "four")?;
    fetchmail(&fetchmail_program, &desk, imaps, &["--keep"], 0);
    fetchmail(&fetchmail_program, &desk, imaps, &["--keep"], 1);
    assert_eq!(subjects(&fetched), ["one", "three", "four"], "once");
    assert_eq!(desk.mail("INBOX")?, ["two \\Seen", "four \\Seen"]);
    fetchmail(&fetchmail_program, &desk, imaps, &["--all", "--folder", "INBOX"], 0);
    assert_eq!(subjects(&fetched), ["one", "three", "four", "two", "four"]);
    assert_eq!(desk.mail("INBOX")?, [""; 0]);
    Ok(())
}

/// Its messages go through `tee`: getmail delivers no mail as root by itself.
fn getmailrc(desk: &Desk, retriever: &str, port: u16, options: &str) -> String {
    format!(
        "[retriever]\ntype = {retriever}\nserver = localhost\nport = {port}\nusername = {}\npassword = {}\nca_certs = {}\n\
         {options}\n[destination]\ntype = MDA_external\npath = /usr/bin/tee\narguments = (\"-a\", \"{}\")\n\
         allow_root_commands = true\n[options]\ndelete = true\nread_all = true\n",
        desk.who.login,
        desk.who.password,
        desk.ca(),
        desk.folder().join("got").display(),
    )
}

#[track_caller]
fn getmail(program: &Path, desk: &Desk) {
    let folder = desk.folder();
    let mut command = Command::new(program);
    command.arg(format!("--getmaildir={}", folder.display())).arg("--rcfile=getmailrc");
    program::run(command.env("HOME", folder)).ends(0);
}

#[test]
fn getmail_fetches_each_message_once_and_moves_it_away() -> Outcome {
    let Some(getmail_program) = found("getmail_fetches_each_message_once", "getmail") else { return Ok(()) };
    let mut desk = Desk::with(&["one", "two"])?;
    let options = "mailboxes = (\"INBOX\",)\nmove_on_delete = Archives\nrecord_mailbox = true";
    desk.write("getmailrc", &getmailrc(&desk, "SimpleIMAPSSLRetriever", desk.port("imaps"), options));
    getmail(&getmail_program, &desk);
    desk.add("INBOX", "three")?;
    getmail(&getmail_program, &desk);
    getmail(&getmail_program, &desk);
    assert_eq!(subjects(&desk.folder().join("got")), ["one", "two", "three"]);
    assert_eq!(desk.mail("INBOX")?, [""; 0]);
    let archived = desk.mail("Archives")?;
    assert_eq!(archived.len(), 3, "{archived:?}");
    assert!(archived.iter().all(|message| !message.contains("\\Deleted")), "{archived:?}");
    Ok(())
}
