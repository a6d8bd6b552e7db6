//! Playing cells: one connection for each listener, network, TLS and login, a transaction for each reverse-path, a RCPT
//! for each class of recipient; every reply is held against the table.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use decide::{
    Auth, Cell, ClassId, ListenerId, Outcome, Reachable, RecipientClass, Refusal, SenderClass, Stage, Tables,
};
use plan::TlsMode;
use tests::describe::Person;
use tests::smtp::Reply;
use tests::wire;
use tests::{Facteur, Smtp};

const SENDS: &str = "toto-j";
/// A colleague of who sends.
const COLLEAGUE: &str = "Anne.Dupont@univ-nantes.fr";

/// How a cell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Brought about, and the reply compared.
    Played,
    /// What bars it was heard.
    Barred,
    TurnedAway,
    /// Without a login an address is nobody's own: written all the same, it got the answer of any address of ours.
    Impossible,
}

/// What cells of one connection share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    listener: ListenerId,
    class: ClassId,
    tls: bool,
    auth: Auth,
}

pub struct Game<'a> {
    pub tables: &'a Tables,
    pub server: &'a Facteur,
    /// A forward-path of each class that can be had now.
    pub recipients: BTreeMap<RecipientClass, String>,
    pub fates: &'a mut BTreeMap<Cell, Fate>,
    /// Where wire and table differ.
    pub faults: Vec<String>,
}

impl Game<'_> {
    /// Plays every cell that has no fate yet and whose facts can be had, one connection for each group.
    pub fn play(&mut self) -> io::Result<()> {
        let mut groups: BTreeMap<Group, Vec<Cell>> = BTreeMap::new();
        for cell in self.tables.cells() {
            let Cell { listener, class, tls, auth, .. } = cell;
            if self.fates.contains_key(&cell) {
                continue;
            }
            groups.entry(Group { listener, class, tls, auth }).or_default().push(cell);
        }
        for (group, cells) in groups {
            let reachable: BTreeSet<String> =
                cells.iter().map(|cell| format!("{:?}", self.tables.reachable(self.twin(*cell)))).collect();
            assert_eq!(reachable.len(), 1, "one connection has one fate: {reachable:?}");
            let begun = match self.tables.reachable(self.twin(cells[0])) {
                Reachable::Yes => self.converse(group, &cells),
                Reachable::Barred(Stage::Banner) => self.silence(group, &cells, Fate::Barred),
                Reachable::Barred(Stage::Auth) => self.no_login(group, &cells),
                Reachable::TurnedAway => self.turned_away(group, &cells),
                other => panic!("nobody knows how to play {other:?}"),
            };
            begun.map_err(|error| io::Error::other(format!("{}: {error}", self.named(group))))?;
        }
        Ok(())
    }

    fn named(&self, group: Group) -> String {
        let Group { listener, class, tls, auth } = group;
        let tls = if tls { "TLS" } else { "in the clear" };
        format!("{} × {}, {tls}, login {auth:?}", self.tables.listener_name(listener), self.tables.class_name(class))
    }

    fn who(&self) -> &Person {
        self.server.describe.person(SENDS)
    }

    /// What a client really is that tries to bring a cell about: nobody owns an address without a login.
    fn twin(&self, cell: Cell) -> Cell {
        match self.tables.reachable(cell) {
            Reachable::Impossible => Cell { sender: SenderClass::OwnDomain, ..cell },
            Reachable::Yes | Reachable::TurnedAway | Reachable::Barred(_) => cell,
        }
    }

    fn note(&mut self, cell: Cell, fate: Fate) {
        let fate = if self.twin(cell) == cell { fate } else { Fate::Impossible };
        assert_eq!(self.fates.insert(cell, fate), None, "a cell is played once: {cell:?}");
    }

    fn note_all(&mut self, cells: &[Cell], fate: Fate) {
        cells.iter().for_each(|cell| self.note(*cell, fate));
    }

    /// A refusal's line as clients read it, put together here so that the server's way of doing it is tried as well.
    fn line(&self, refusal: &Refusal, logged_in: bool) -> String {
        let source = if logged_in { refusal.rule.as_str() } else { refusal.reason.word() };
        format!("{} {} [{source} {}]", refusal.code, refusal.text, self.server.describe.plan)
    }

    /// Compares a reply with the table's verdict; what is accepted has `accepted` as its codes.
    fn compare(&mut self, cell: Cell, accepted: &str, reply: &Reply) {
        let verdict = self.tables.envelope(self.twin(cell));
        let (heard, expected) = match &verdict.outcome {
            Outcome::Accept => (reply.codes(), accepted.to_string()),
            Outcome::Refuse { .. } => {
                let refusal = verdict.refusal().expect("it refuses");
                // At the banner nobody is.
                let logged_in = cell.auth == Auth::Good && verdict.stage > Stage::Auth;
                (whole(reply), self.line(&refusal, logged_in))
            }
        };
        let at = format!("{:?}", verdict.stage);
        self.hear_at(cell, &at, &expected, &heard);
    }

    fn hear_at(&mut self, cell: Cell, at: &str, expected: &str, heard: &str) {
        if heard != expected {
            let Cell { listener, class, tls, auth, sender, recipient } = cell;
            let group = self.named(Group { listener, class, tls, auth });
            let about = format!("{group}, from {sender:?} to {recipient:?}, at {at}");
            self.faults.push(format!("{about}\n  table {expected}\n  wire  {heard}"));
        }
    }

    fn reverse_path(&self, sender: SenderClass) -> &str {
        match sender {
            SenderClass::Empty => "",
            SenderClass::Own => &self.who().address,
            SenderClass::OwnDomain => COLLEAGUE,
            SenderClass::Foreign => "a@client.example",
        }
    }

    /// A connection after EHLO, under TLS if the group has it.
    fn connect(&self, group: Group) -> io::Result<Smtp> {
        let (listener, network) = (self.tables.listener_name(group.listener), self.tables.class_name(group.class));
        let mut smtp = Smtp::stranger(self.server, listener, network)?;
        if group.tls && !smtp.wire().is_tls() {
            smtp = smtp.starttls()?;
            smtp.ehlo()?.expect(250)?;
        }
        assert_eq!(smtp.wire().is_tls(), group.tls, "{}", self.named(group));
        Ok(smtp)
    }

    fn login(&self, smtp: &mut Smtp, auth: Auth) -> io::Result<Reply> {
        let password = if auth == Auth::Good { &self.who().password } else { "not the password" };
        smtp.login(&self.who().login, password)
    }

    /// Reachable cells: the login, then a transaction for each reverse-path.
    fn converse(&mut self, group: Group, cells: &[Cell]) -> io::Result<()> {
        let mut smtp = self.connect(group)?;
        match group.auth {
            Auth::None => {}
            Auth::Good => drop(self.login(&mut smtp, Auth::Good)?.expect(235)?),
            Auth::Bad => {
                let reply = self.login(&mut smtp, Auth::Bad)?;
                for cell in cells {
                    self.compare(*cell, "no login", &reply);
                    self.note(*cell, Fate::Played);
                }
                // Nothing was gained by it.
                let reply = smtp.mail(self.reverse_path(SenderClass::Own))?;
                self.compare(Cell { auth: Auth::None, ..cells[0] }, "250 2.1.0", &reply);
                return quit(smtp);
            }
        }
        for sender in SenderClass::ALL {
            let of_sender: Vec<Cell> = cells.iter().copied().filter(|cell| cell.sender == sender).collect();
            match of_sender.first().map(|cell| self.tables.envelope(self.twin(*cell)).stage) {
                None => {}
                Some(Stage::Rcpt) => self.transaction(&mut smtp, sender, &of_sender)?,
                Some(Stage::Banner | Stage::Auth | Stage::Mail) => {
                    self.no_transaction(&mut smtp, sender, &of_sender)?
                }
            }
        }
        quit(smtp)
    }

    /// The verdict falls at MAIL, whoever the recipient would have been.
    fn no_transaction(&mut self, smtp: &mut Smtp, sender: SenderClass, cells: &[Cell]) -> io::Result<()> {
        let reply = smtp.mail(self.reverse_path(sender))?;
        for cell in cells {
            self.compare(*cell, "250 2.1.0", &reply);
            self.note(*cell, Fate::Played);
        }
        let after = smtp.rcpt(COLLEAGUE)?;
        if !(500..600).contains(&after.code) {
            self.faults.push(format!("{:?}: a recipient after a refused MAIL: {after:?}", cells[0]));
        }
        Ok(())
    }

    /// The verdict falls at RCPT.
    fn transaction(&mut self, smtp: &mut Smtp, sender: SenderClass, cells: &[Cell]) -> io::Result<()> {
        let mut open = false;
        for cell in cells {
            let forward_path = self.recipients.get(&cell.recipient).cloned();
            // MAIL alone shows that the address is not the client's own; nobody has a redirect to go on with.
            let is_shown = cell.recipient == RecipientClass::Redirected && self.twin(*cell) != *cell;
            if forward_path.is_none() && !is_shown {
                continue;
            }
            if !open {
                let reply = smtp.mail(self.reverse_path(sender))?;
                self.hear_at(*cell, "MAIL", "250 2.1.0", &reply.codes());
                open = true;
            }
            let Some(forward_path) = forward_path else {
                self.note(*cell, Fate::Impossible);
                continue;
            };
            let reply = smtp.rcpt(&forward_path)?;
            self.compare(*cell, "250 2.1.5", &reply);
            self.note(*cell, Fate::Played);
            // RFC 5321 4.5.5: mail without a reverse-path goes to one recipient.
            open = sender != SenderClass::Empty;
            if !open {
                smtp.command("RSET")?.expect(250)?;
            }
        }
        if open {
            smtp.command("RSET")?.expect(250)?;
        }
        Ok(())
    }

    /// AUTH where there is none, or before STARTTLS: not announced, and refused.
    fn no_login(&mut self, group: Group, cells: &[Cell]) -> io::Result<()> {
        let refusal = self.tables.login_barred(group.listener, group.tls).expect("AUTH is what bars these");
        let code = if self.tables.listener_rules(group.listener).auth == plan::ListenerAuth::Never { 502 } else { 538 };
        assert_eq!(refusal.code.basic, code, "{}", self.named(group));
        let mut smtp = self.connect(group)?;
        let announced = smtp.keywords.iter().any(|keyword| keyword.starts_with("AUTH"));
        assert!(!announced, "{}: {:?}", self.named(group), smtp.keywords);
        let reply = self.login(&mut smtp, group.auth)?;
        let expected = self.line(&refusal, false);
        self.hear_at(cells[0], "AUTH", &expected, &whole(&reply));
        self.note_all(cells, Fate::Barred);
        quit(smtp)
    }

    /// 554 as the greeting, and then nothing but QUIT (RFC 5321 3.1).
    fn turned_away(&mut self, group: Group, cells: &[Cell]) -> io::Result<()> {
        let implicit = self.tables.listener_rules(group.listener).tls == TlsMode::Implicit;
        if implicit && !group.tls {
            return self.silence(group, cells, Fate::TurnedAway);
        }
        let (listener, network) = (self.tables.listener_name(group.listener), self.tables.class_name(group.class));
        let mut smtp = Smtp::connect(self.server, listener, network)?;
        let greeting = smtp.greeting.clone();
        cells.iter().for_each(|cell| self.compare(*cell, "220", &greeting));
        self.note_all(cells, Fate::TurnedAway);
        let mut replies = vec![smtp.command("EHLO client.example")?];
        if group.tls && !implicit {
            replies.push(smtp.command("STARTTLS")?);
        }
        if group.auth != Auth::None {
            replies.push(self.login(&mut smtp, group.auth)?);
        }
        replies.push(smtp.mail("")?);
        for reply in replies {
            self.hear_at(cells[0], "a command after 554", "503 5.5.1", &reply.codes());
        }
        quit(smtp)
    }

    /// A client that speaks in the clear where TLS is implicit hears no SMTP.
    fn silence(&mut self, group: Group, cells: &[Cell], fate: Fate) -> io::Result<()> {
        let (describe, name) = (&self.server.describe, self.tables.listener_name(group.listener));
        let source = describe.network(self.tables.class_name(group.class)).source;
        let mut stream = wire::connect(describe.listener(name).addr, source)?;
        io::Write::write_all(&mut stream, b"EHLO client.example\r\n")?;
        let mut heard = Vec::new();
        match stream.read_to_end(&mut heard) {
            // Closed with our command unread, as TCP tells it.
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => return Err(error),
            Ok(_) | Err(_) => {}
        }
        // RFC 8446 5.1 and 6: at most an alert.
        let is_alert = heard.first().is_none_or(|kind| *kind == 21);
        assert!(is_alert, "{}: {:?}", self.named(group), String::from_utf8_lossy(&heard));
        self.note_all(cells, fate);
        Ok(())
    }
}

fn whole(reply: &Reply) -> String {
    format!("{} {}", reply.code, reply.text())
}

fn quit(mut smtp: Smtp) -> io::Result<()> {
    smtp.command("QUIT")?.expect(221)?;
    Ok(())
}
