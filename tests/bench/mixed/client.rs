//! One mail program: an account, a connection, and what comes next by chance that is the same in every round.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tests::imap::quoted;
use tests::random::Random;
use tests::wire::{self, Wire};
use tests::{Facteur, Imap};

/// Octets of a message that is appended, without its header.
const MESSAGE_OCTETS: usize = 4_000;

pub struct Account {
    pub login: String,
    pub password: String,
}

/// Where a server is met.
pub enum Door<'a> {
    Ours(&'a Facteur),
    Peer(SocketAddr),
}

impl Door<'_> {
    fn open(&self, account: &Account) -> io::Result<Imap> {
        let mut imap = match self {
            Door::Ours(server) => Imap::connect(server, "imaps", "nearby")?,
            Door::Peer(at) => Imap::over(Wire::plain(wire::connect(*at, Ipv4Addr::LOCALHOST)?))?,
        };
        imap.command(&format!("LOGIN {} {}", quoted(&account.login), quoted(&account.password)))?.ok()?;
        Ok(imap)
    }
}

/// Brings INBOX to so many messages.
pub fn fill(door: &Door<'_>, account: &Account, messages: usize) -> io::Result<()> {
    let mut imap = door.open(account)?;
    let has = imap.count("INBOX")? as usize;
    (has..messages)
        .try_for_each(|number| imap.append("INBOX", &message(number as u64)).and_then(|it| it.ok()).map(drop))
}

fn message(number: u64) -> Vec<u8> {
    let line = "what is written here is of no concern to anybody who reads it\r\n";
    let mut text = format!(
        "From: Sender {number} <sender{number}@example.org>\r\nTo: user@example.org\r\nSubject: number {number}\r\n\
         Date: Mon, 2 Nov 2026 10:00:00 +0100\r\nMessage-ID: <mixed.{number}@example.org>\r\n\r\n"
    );
    while text.len() < MESSAGE_OCTETS {
        text.push_str(line);
    }
    text.into_bytes()
}

pub struct Client {
    imap: Imap,
    random: Random,
}

impl Client {
    pub fn open(door: &Door<'_>, account: &Account, number: u64) -> io::Result<Client> {
        let mut imap = door.open(account)?;
        imap.command("SELECT INBOX")?.ok()?;
        Ok(Client { imap, random: Random::from(number) })
    }

    /// Gives the next command and reads its answer.
    pub fn command(&mut self) -> io::Result<()> {
        let uid = 1 + self.random.below(200);
        let line = match self.random.below(100) {
            0..25 => format!("UID FETCH {uid}:{} (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", uid + 19),
            25..45 => format!("UID FETCH {uid} (BODY.PEEK[])"),
            45..53 => format!("UID STORE {uid} +FLAGS.SILENT (\\Seen)"),
            53..60 => format!("UID STORE {uid} -FLAGS (\\Seen)"),
            60..70 => "NOOP".to_owned(),
            70..75 => "UID SEARCH UNSEEN".to_owned(),
            75..78 => format!("UID SEARCH SUBJECT \"number {uid}\""),
            78..83 => "STATUS INBOX (MESSAGES UNSEEN UIDNEXT)".to_owned(),
            83..88 => format!("UID FETCH {uid}:* (FLAGS)"),
            88..93 => "SELECT INBOX".to_owned(),
            93..98 => {
                let message = message(uid);
                return self.imap.append("INBOX", &message)?.ok().map(drop);
            }
            98 => "UID STORE 201:* +FLAGS.SILENT (\\Deleted)".to_owned(),
            _ => "EXPUNGE".to_owned(),
        };
        self.imap.command(&line)?.ok().map(drop)
    }
}
