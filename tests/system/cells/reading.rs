//! The reading table over the wire: each cell is brought about, or what bars it is heard.

use std::io::{self, Read, Write};

use decide::{Auth, Reachable, ReadingCell, ReadingStage, Tables};
use tests::imap::quoted;
use tests::{Facteur, Imap, wire};

/// Who reads.
const READS: &str = "toto-j";

/// Plays every cell; where wire and table differ is told.
pub fn play(tables: &Tables, server: &Facteur) -> io::Result<Vec<String>> {
    let mut faults = Vec::new();
    let (mut played, mut barred) = (0, 0);
    for cell in tables.reading_cells() {
        let (listener, network) = (tables.listener_name(cell.listener), tables.class_name(cell.class));
        let (expected, heard) = match tables.reading_reachable(cell) {
            Reachable::Yes => {
                played += 1;
                (expected(tables, cell), conversation(server, listener, network, cell.auth)?)
            }
            Reachable::Barred(_) | Reachable::TurnedAway | Reachable::Impossible => {
                barred += 1;
                (String::new(), in_the_clear(server, listener, network)?)
            }
        };
        if heard != expected {
            faults.push(format!("{listener} × {network}, {cell:?}\n  table {expected}\n  wire  {heard}"));
        }
    }
    assert_eq!((played, barred), (12, 12), "Nantes reads under implicit TLS");
    Ok(faults)
}

/// What the table's verdict is in the words of RFC 9051 and RFC 5530.
fn expected(tables: &Tables, cell: ReadingCell) -> String {
    let verdict = tables.reading(cell);
    let words = match (verdict.stage, verdict.reads(), cell.auth) {
        (ReadingStage::Mailboxes, true, _) => "OK then OK",
        (ReadingStage::Mailboxes, false, Auth::None) => "nothing then BAD",
        (ReadingStage::Login, false, Auth::Bad) => "NO [AUTHENTICATIONFAILED] then BAD",
        (stage, reads, auth) => panic!("not a cell of implicit TLS: {stage:?} {reads} {auth:?}"),
    };
    words.to_owned()
}

/// The answers to the login and to a command on a mailbox.
fn conversation(server: &Facteur, listener: &str, network: &str, auth: Auth) -> io::Result<String> {
    let who = server.describe.person(READS);
    let mut imap = Imap::connect(server, listener, network)?;
    let password = match auth {
        Auth::None => None,
        Auth::Good => Some(who.password.as_str()),
        Auth::Bad => Some("not the password"),
    };
    let login = match password {
        None => "nothing".to_owned(),
        Some(password) => {
            let response = imap.command(&format!("LOGIN {} {}", quoted(&who.login), quoted(password)))?;
            match response.text.split_once(']') {
                Some((code, _)) if response.status != "OK" => format!("{} {code}]", response.status),
                Some(_) | None => response.status,
            }
        }
    };
    let mailbox = imap.command("EXAMINE INBOX")?.status;
    Ok(format!("{login} then {mailbox}"))
}

/// What is heard of IMAP without TLS: nothing.
fn in_the_clear(server: &Facteur, listener: &str, network: &str) -> io::Result<String> {
    let source = server.describe.network(network).source;
    let mut stream = wire::connect(server.describe.listener(listener).addr, source)?;
    stream.write_all(b"a CAPABILITY\r\n")?;
    let mut heard = Vec::new();
    match stream.read_to_end(&mut heard) {
        // Closed with our command unread, as TCP tells it.
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => return Err(error),
        Ok(_) | Err(_) => {}
    }
    // RFC 8446 5.1 and 6: at most an alert.
    let is_alert = heard.first().is_none_or(|kind| *kind == 21);
    Ok(if is_alert { String::new() } else { String::from_utf8_lossy(&heard).into_owned() })
}
