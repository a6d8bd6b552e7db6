//! The server, its clients and the model, one step after another.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tests::random::Random;
use tests::smtp::letter;
use tests::{Facteur, Smtp};

use super::burst;
use super::client::{Client, Enabled, Known, Rules};
use super::commands::{self, Command, Seen, Sight};
use super::defects::{Defect, Harm};
use super::observer::Observer;
use super::told::{Difference, Told};
use super::truth::{Effect, Message, Truth};

const CLIENTS: usize = 4;
/// States to come back from.
const PASTS: usize = 60;
/// Commands shown when there is a difference.
const SHOWN: usize = 25;

/// What a client may know that was away.
struct Past {
    mod_seq: u64,
    known: BTreeMap<u32, Known>,
    /// It knows every message there was.
    whole: bool,
}

pub struct World<'a> {
    server: &'a Facteur,
    smtp: Smtp,
    address: String,
    pub clients: Vec<Client>,
    pub observer: Observer,
    pub truth: Truth,
    pub random: Random,
    pasts: Vec<Past>,
    /// Given so far.
    pub commands: u64,
    pub log: VecDeque<String>,
}

impl<'a> World<'a> {
    pub fn new(server: &'a Facteur, random: Random) -> Result<World<'a>, Difference> {
        let observer = Observer::connect(server)?;
        let all = [Enabled::Qresync, Enabled::Condstore, Enabled::Nothing, Enabled::UidOnly];
        let clients = (0..CLIENTS).map(|at| Client::connect(server, all[at % all.len()])).collect::<Result<_, _>>()?;
        let smtp = Smtp::stranger(server, "mx", "outside").map_err(|error| error.to_string())?;
        let address = server.describe.people.first().map(|who| who.address.clone()).unwrap_or_default();
        let truth = Truth { uid_next: 1, ..Truth::default() };
        let (pasts, log) = (Vec::new(), VecDeque::new());
        Ok(World { server, smtp, address, clients, observer, truth, random, pasts, commands: 0, log })
    }

    /// Puts a defect before one of the clients.
    pub fn harm(&mut self, defect: Defect) {
        let who = match defect {
            // The one without CONDSTORE hears EXPUNGE; the others hear MODSEQ.
            Defect::LostExpunge => 2,
            _ => 0,
        };
        self.clients[who].harm = Some(Harm::new(defect));
    }

    pub fn note(&mut self, who: usize, line: &[u8]) {
        self.commands += 1;
        let line = String::from_utf8_lossy(line.split(|octet| *octet == b'\r').next().unwrap_or_default()).into_owned();
        self.log.push_back(format!("{who} {:?}: {line}", self.clients[who].enabled));
        if self.log.len() > SHOWN {
            self.log.pop_front();
        }
    }

    pub fn step(&mut self) -> Result<(), Difference> {
        let who = self.random.below(CLIENTS as u64) as usize;
        match self.random.below(100) {
            0 | 1 => self.deliver(),
            2 => self.reconnect(who),
            3..=5 => self.idle(who),
            6..=15 => burst::at_once(self),
            _ => self.one(who),
        }
    }

    /// One command of one client; everything is known before and behind it.
    fn one(&mut self, who: usize) -> Result<(), Difference> {
        if !self.clients[who].selected || self.random.below(30) == 0 {
            return self.select(who);
        }
        let client = &self.clients[who];
        let sight = Sight {
            truth: &self.truth,
            numbers: client.numbers_with_news(&self.truth),
            enabled: client.enabled,
            read_only: client.read_only,
            by_uid_only: client.enabled == Enabled::UidOnly,
        };
        let command = commands::any(&sight, &mut self.random);
        self.run(who, command)
    }

    pub fn run(&mut self, who: usize, mut command: Command) -> Result<(), Difference> {
        self.note(who, &command.line);
        let before: BTreeSet<u32> = self.truth.messages.keys().copied().collect();
        let answer = self.clients[who].command(&command.line)?;
        if answer.status != command.status {
            return Err(format!("{} hoped for, got {answer:?}", command.status));
        }
        let effect = self.truth.apply(&command.change);
        self.observer.sync(&mut self.truth, &effect)?;
        let arrivals = before.iter().chain(self.truth.messages.keys()).copied().collect::<BTreeSet<u32>>();
        command.rules.arrivals = arrivals.into_iter().collect();
        let client = &mut self.clients[who];
        let fetched = client.hear(&answer.told, &command.rules)?;
        (command.check)(&Seen { answer: &answer, effect: &effect, truth: &self.truth, fetched: &fetched })?;
        client.selected &= !command.leaves;
        if !command.without_news {
            client.agrees(&self.truth, !command.rules.holds_back)?;
        }
        self.remember();
        if self.commands.is_multiple_of(101) {
            self.observer.check_all(&mut self.truth)?;
        }
        Ok(())
    }

    /// What is so now may be where a client comes back from.
    fn remember(&mut self) {
        if self.random.below(5) > 0 {
            return;
        }
        let known = self.truth.messages.iter();
        let known = known.map(|(uid, it)| (*uid, Known { flags: it.flags, mod_seq: it.mod_seq })).collect();
        self.keep(Past { mod_seq: self.truth.highest, known, whole: true });
    }

    fn keep(&mut self, past: Past) {
        if past.mod_seq == 0 {
            return;
        }
        match self.pasts.len() < PASTS {
            true => self.pasts.push(past),
            false => {
                let at = self.random.below(PASTS as u64) as usize;
                self.pasts[at] = past;
            }
        }
    }

    pub fn select(&mut self, who: usize) -> Result<(), Difference> {
        let read_only = self.random.below(5) == 0;
        let comes_back =
            self.clients[who].enabled >= Enabled::Qresync && !self.pasts.is_empty() && self.random.below(4) > 0;
        let (mut known, mut whole, mut parameters) = (BTreeMap::new(), false, String::new());
        if comes_back {
            let at = self.random.below(self.pasts.len() as u64) as usize;
            let past = &self.pasts[at];
            let (set, pairs) = (self.random.below(2) == 0, self.random.below(2) == 0);
            let pairs = pairs && self.clients[who].enabled != Enabled::UidOnly;
            parameters = parameters_of(past, self.observer.uid_validity, set, pairs);
            (known, whole) = (past.known.clone(), past.whole && !set);
        }
        let line = format!("{} INBOX{parameters}", if read_only { "EXAMINE" } else { "SELECT" });
        self.note(who, line.as_bytes());
        let client = &mut self.clients[who];
        let answer = client.command(line.as_bytes())?;
        if answer.status != "OK" {
            return Err(format!("{answer:?}"));
        }
        client.numbers.clear();
        (client.uid_max, client.known, client.mod_seq) = (0, known, 0);
        (client.selected, client.read_only) = (true, read_only);
        let arrivals: Vec<u32> = self.truth.messages.keys().copied().collect();
        client.hear(&answer.told, &Rules { arrivals, ..Rules::default() })?;
        client.uid_max = self.truth.uid_next - 1;
        client.agrees(&self.truth, true)?;
        let is_all = !whole || client.known.keys().eq(self.truth.messages.keys());
        match client.known.keys().find(|uid| !self.truth.messages.contains_key(uid)) {
            None if is_all => Ok(()),
            gone => Err(format!("after {line} it knows {:?}, {gone:?} went", client.known)),
        }
    }

    /// A new connection; what the old one was told is kept.
    fn reconnect(&mut self, who: usize) -> Result<(), Difference> {
        let enabled =
            [Enabled::Nothing, Enabled::Condstore, Enabled::Qresync, Enabled::UidOnly][self.random.below(4) as usize];
        let mut new = Client::connect(self.server, enabled)?;
        new.harm = self.clients[who].harm.take();
        let old = std::mem::replace(&mut self.clients[who], new);
        if old.enabled >= Enabled::Qresync && old.selected {
            self.keep(Past { mod_seq: old.mod_seq, known: old.known, whole: false });
        }
        self.select(who)
    }

    /// A delivery the model does not look at.
    pub fn deliver_unseen(&mut self) -> Result<String, Difference> {
        let subject = format!("d{}", self.random.below(1_000_000));
        let text = letter("a@client.example", &self.address, &subject);
        let reply =
            self.smtp.message("a@client.example", &[&self.address], &text).map_err(|error| error.to_string())?;
        if reply.code == 250 { Ok(subject) } else { Err(format!("{reply:?}")) }
    }

    /// How many messages are in the mailboxes beside it, as they say themselves.
    pub fn count_sides(&mut self) -> Result<(), Difference> {
        for (name, count) in &mut self.truth.sides {
            let answer = self.clients[0].command(format!("STATUS {name} (MESSAGES)").as_bytes())?;
            let rules = Rules::default();
            self.clients[0].hear(&answer.told, &rules)?;
            let said = answer.told.iter().find_map(|told| match told {
                Told::Status { messages, .. } => Some(*messages),
                _ => None,
            });
            *count = said.ok_or_else(|| format!("{answer:?}"))?;
        }
        Ok(())
    }

    pub fn deliver(&mut self) -> Result<(), Difference> {
        let subject = self.deliver_unseen()?;
        let uid = self.truth.add(Message { subject, ..Message::default() });
        let effect = Effect { changed: [uid].into(), ..Effect::default() };
        self.observer.sync(&mut self.truth, &effect)
    }

    /// A client idles, something happens, and it hears of it.
    fn idle(&mut self, who: usize) -> Result<(), Difference> {
        if !self.clients[who].selected {
            return self.select(who);
        }
        self.run(who, Command::new("NOOP"))?;
        self.note(who, b"IDLE");
        let tag = self.clients[who].begin(b"IDLE")?;
        let mut told = self.clients[who].push()?;
        let before: Vec<u32> = self.truth.messages.keys().copied().collect();
        match self.random.below(3) {
            0 => self.deliver()?,
            _ => self.one((who + 1) % CLIENTS)?,
        }
        let client = &mut self.clients[who];
        let stale =
            client.agrees(&self.truth, true).is_err() || before.len() != client.numbers_with_news(&self.truth).len();
        if stale {
            told.extend(client.push()?);
        }
        self.commands += 1;
        client.send(b"DONE\r\n")?;
        let answer = client.answer(&tag)?;
        told.extend(answer.told);
        let arrivals: BTreeSet<u32> = before.iter().chain(self.truth.messages.keys()).copied().collect();
        client.hear(&told, &Rules { arrivals: arrivals.into_iter().collect(), ..Rules::default() })?;
        client.agrees(&self.truth, true)
    }
}

/// `(QRESYNC (…))`; numbers and UIDs that go together can be given by who knows every message.
fn parameters_of(past: &Past, uid_validity: u32, set: bool, pairs: bool) -> String {
    let joined =
        |numbers: &mut dyn Iterator<Item = u32>| numbers.map(|it| it.to_string()).collect::<Vec<_>>().join(",");
    let mut text = format!(" (QRESYNC ({uid_validity} {}", past.mod_seq);
    if set && !past.known.is_empty() {
        text.push_str(&format!(" {}", joined(&mut past.known.keys().copied())));
    }
    if pairs && past.whole && !past.known.is_empty() {
        let every = |step: usize| past.known.keys().copied().enumerate().step_by(step);
        let numbers = joined(&mut every(3).map(|(at, _)| at as u32 + 1));
        text.push_str(&format!(" ({numbers} {})", joined(&mut every(3).map(|(_, uid)| uid))));
    }
    text + "))"
}
