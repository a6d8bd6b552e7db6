//! A connection and what it was told: the UIDs of its numbers, flags, MODSEQ.

use std::collections::BTreeMap;

use tests::{Facteur, Imap};

use super::defects::Harm;
use super::told::{Difference, Fetched, Told, told};
use super::truth::{Mode, Truth};

/// What a client enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enabled {
    Nothing,
    Condstore,
    Qresync,
    /// And QRESYNC.
    UidOnly,
}

/// What a client was told of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub flags: u8,
    /// 0 when it was not told.
    pub mod_seq: u64,
}

/// What came for one command.
#[derive(Debug)]
pub struct Answer {
    pub status: String,
    pub text: String,
    pub told: Vec<Told>,
}

/// A STORE that tells no flags: the client knows itself what it did.
#[derive(Clone, Debug)]
pub struct Silent {
    pub uids: Vec<u32>,
    pub mode: Mode,
    pub flags: u8,
}

/// How responses are to be taken.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// RFC 9051 7.5.1: no EXPUNGE in answer to FETCH, STORE and SEARCH.
    pub holds_back: bool,
    pub silent: Option<Silent>,
    /// The UIDs that EXISTS may be about, ascending, where that is known.
    pub arrivals: Vec<u32>,
}

pub struct Client {
    imap: Imap,
    commands: u32,
    pub enabled: Enabled,
    pub selected: bool,
    pub read_only: bool,
    /// The UID of each number, once it is known.
    pub numbers: Vec<Option<u32>>,
    pub uid_max: u32,
    pub known: BTreeMap<u32, Known>,
    /// The MODSEQ it may come back with (RFC 7162 6).
    pub mod_seq: u64,
    pub harm: Option<Harm>,
}

fn io(error: std::io::Error) -> Difference {
    format!("the connection: {error}")
}

impl Client {
    /// Logged in as the one person of the model.
    pub fn connect(server: &Facteur, enabled: Enabled) -> Result<Client, Difference> {
        let who = server.describe.people.first().ok_or("nobody lives here")?;
        let imap = Imap::person(server, "outside", who).map_err(io)?;
        let mut client = Client {
            imap,
            commands: 0,
            enabled,
            selected: false,
            read_only: false,
            numbers: Vec::new(),
            uid_max: 0,
            known: BTreeMap::new(),
            mod_seq: 0,
            harm: None,
        };
        let wanted = match enabled {
            Enabled::Nothing => return Ok(client),
            Enabled::Condstore => "ENABLE CONDSTORE",
            Enabled::Qresync => "ENABLE QRESYNC",
            Enabled::UidOnly => "ENABLE QRESYNC UIDONLY",
        };
        let answer = client.command(wanted.as_bytes())?;
        if answer.status == "OK" { Ok(client) } else { Err(format!("{wanted}: {answer:?}")) }
    }

    /// Sends a command and does not wait.
    pub fn begin(&mut self, line: &[u8]) -> Result<String, Difference> {
        self.commands += 1;
        let tag = format!("m{}", self.commands);
        self.imap.send(&[tag.as_bytes(), b" ", line, b"\r\n"].concat()).map_err(io)?;
        Ok(tag)
    }

    pub fn command(&mut self, line: &[u8]) -> Result<Answer, Difference> {
        let tag = self.begin(line)?;
        self.answer(&tag)
    }

    /// Octets that are no command.
    pub fn send(&mut self, octets: &[u8]) -> Result<(), Difference> {
        self.imap.send(octets).map_err(io)
    }

    /// One response that is not tagged, as it is told to this client; nothing for `+`.
    pub fn push(&mut self) -> Result<Vec<Told>, Difference> {
        let line = self.imap.read().map_err(io)?;
        match line.strip_prefix(b"* ") {
            Some(rest) => self.passed(rest),
            None if line.starts_with(b"+ ") => Ok(Vec::new()),
            None => Err(format!("untagged hoped for: {}", String::from_utf8_lossy(&line))),
        }
    }

    fn passed(&mut self, line: &[u8]) -> Result<Vec<Told>, Difference> {
        let lines = match &mut self.harm {
            Some(harm) => harm.pass(line.to_vec()),
            None => vec![line.to_vec()],
        };
        lines.iter().map(|line| told(line)).collect()
    }

    pub fn answer(&mut self, tag: &str) -> Result<Answer, Difference> {
        let mut all = Vec::new();
        loop {
            let line = self.imap.read().map_err(io)?;
            if let Some(rest) = line.strip_prefix(b"* ") {
                all.extend(self.passed(rest)?);
                continue;
            }
            let text = String::from_utf8_lossy(&line).into_owned();
            let mut words = text.splitn(3, ' ');
            if words.next() != Some(tag) {
                return Err(format!("not for {tag}: {text}"));
            }
            let status = words.next().unwrap_or_default().to_owned();
            return Ok(Answer { status, text: words.next().unwrap_or_default().to_owned(), told: all });
        }
    }

    /// What numbers will be once the news of a command are told.
    pub fn numbers_with_news(&self, truth: &Truth) -> Vec<u32> {
        let arrived = truth.messages.keys().copied().filter(|uid| *uid > self.uid_max);
        self.numbers.iter().flatten().copied().chain(arrived).collect()
    }

    /// Takes responses; gives what was fetched, by UID.
    pub fn hear(&mut self, all: &[Told], rules: &Rules) -> Result<Vec<(u32, Fetched)>, Difference> {
        let (mut fetched, mut named) = (Vec::new(), None);
        for one in all {
            match one {
                Told::Exists(count) => self.exists(*count, &rules.arrivals)?,
                Told::Expunge(_) | Told::Vanished { earlier: false, .. } if rules.holds_back => {
                    return Err(format!("{one:?} in answer to FETCH, STORE or SEARCH"));
                }
                Told::Expunge(number) => self.expunge(*number)?,
                Told::Vanished { earlier, uids } => self.vanished(*earlier, uids)?,
                Told::Fetch(it) => fetched.extend(self.fetched(it, rules.silent.as_ref())?),
                Told::HighestModSeq(highest) => named = Some(*highest),
                Told::Bye => return Err("BYE".to_owned()),
                Told::Search(_) | Told::Sort(_) | Told::Thread(_) | Told::UidBatches(_) => (),
                Told::Status { .. } | Told::CopyUid { .. } | Told::UidValidity(_) | Told::Other => (),
            }
        }
        let largest = fetched.iter().filter_map(|(_, it)| it.mod_seq).max();
        self.mod_seq = named.unwrap_or(self.mod_seq.max(largest.unwrap_or(0)));
        if let Some(silent) = rules.silent.as_ref().filter(|_| self.enabled == Enabled::Nothing) {
            for uid in &silent.uids {
                // Flags that were told are news from before, or say the same.
                if let Some(known) = self.known.get_mut(uid) {
                    known.flags = silent.mode.applied(known.flags, silent.flags);
                }
            }
        }
        Ok(fetched)
    }

    fn exists(&mut self, count: usize, arrivals: &[u32]) -> Result<(), Difference> {
        if count < self.numbers.len() {
            return Err(format!("EXISTS {count} with {} messages", self.numbers.len()));
        }
        let mut new = arrivals.iter().copied().filter(|uid| *uid > self.uid_max).collect::<Vec<_>>().into_iter();
        while self.numbers.len() < count {
            let uid = new.next();
            if uid.is_none() && !arrivals.is_empty() {
                return Err(format!("EXISTS {count}: there are no such messages"));
            }
            self.uid_max = self.uid_max.max(uid.unwrap_or(0));
            self.numbers.push(uid);
        }
        Ok(())
    }

    fn expunge(&mut self, number: usize) -> Result<(), Difference> {
        if self.enabled >= Enabled::Qresync || number == 0 || number > self.numbers.len() {
            return Err(format!("EXPUNGE {number} of {} messages, {:?}", self.numbers.len(), self.enabled));
        }
        if let Some(uid) = self.numbers.remove(number - 1) {
            self.known.remove(&uid);
        }
        Ok(())
    }

    fn vanished(&mut self, earlier: bool, uids: &[u32]) -> Result<(), Difference> {
        if self.enabled < Enabled::Qresync {
            return Err("VANISHED for a client that did not enable it".to_owned());
        }
        for uid in uids {
            self.known.remove(uid);
            if earlier {
                continue;
            }
            let known = self.numbers.iter().position(|of| *of == Some(*uid));
            // One it does not know by its UID stands before those with greater ones.
            let greater = self.numbers.iter().position(|of| of.is_some_and(|of| of > *uid));
            // Without numbers the unknown ones stand last.
            let greater = greater.filter(|_| self.enabled != Enabled::UidOnly);
            let before = &self.numbers[..greater.unwrap_or(self.numbers.len())];
            let at = known.or_else(|| before.iter().rposition(Option::is_none));
            self.numbers.remove(at.ok_or_else(|| format!("VANISHED {uid}, which this client was not told of"))?);
        }
        Ok(())
    }

    fn fetched(&mut self, it: &Fetched, silent: Option<&Silent>) -> Result<Option<(u32, Fetched)>, Difference> {
        let count = self.numbers.len();
        if (it.number == 0) != (self.enabled == Enabled::UidOnly) {
            return Err(format!("FETCH and UIDFETCH are not the same: {it:?}"));
        }
        let by_uid = || {
            let known = self.numbers.iter().position(|of| *of == it.uid);
            known.or_else(|| self.numbers.iter().position(Option::is_none)).map_or(0, |at| at + 1)
        };
        let number = if it.number == 0 { by_uid() } else { it.number };
        let place = number.checked_sub(1).and_then(|at| self.numbers.get_mut(at));
        let place = place.ok_or_else(|| format!("FETCH of number {} among {count}", it.number))?;
        if let (Some(told), Some(known)) = (it.uid, *place)
            && told != known
        {
            return Err(format!("number {} was UID {known} and is {told}", it.number));
        }
        *place = place.or(it.uid);
        let Some(uid) = *place else { return Ok(None) };
        self.uid_max = self.uid_max.max(uid);
        if self.enabled == Enabled::UidOnly {
            // Which of the unknown ones it is only its neighbours say.
            self.numbers.sort_unstable_by_key(|of| of.unwrap_or(u32::MAX));
        }
        if it.flags.is_some() && self.enabled >= Enabled::Condstore && it.mod_seq.is_none() {
            return Err(format!("flags without MODSEQ: {it:?}"));
        }
        if it.flags.is_some() && self.enabled >= Enabled::Qresync && it.uid.is_none() {
            return Err(format!("flags without UID: {it:?}"));
        }
        let before = self.known.get(&uid).copied();
        let mod_seq = it.mod_seq.unwrap_or(before.map_or(0, |known| known.mod_seq));
        if before.is_some_and(|known| known.mod_seq > mod_seq) {
            return Err(format!("MODSEQ went back from {before:?}: {it:?}"));
        }
        let quiet = silent.filter(|silent| it.mod_seq.is_some() && silent.uids.contains(&uid));
        let kept = before.map(|known| match quiet {
            Some(silent) => silent.mode.applied(known.flags, silent.flags),
            None => known.flags,
        });
        if let Some(flags) = it.flags.or(kept) {
            self.known.insert(uid, Known { flags, mod_seq });
        }
        Ok(Some((uid, it.clone())))
    }

    /// Does it know what is so? `all`: nothing may be held back from it.
    pub fn agrees(&self, truth: &Truth, all: bool) -> Result<(), Difference> {
        if !self.selected {
            return Ok(());
        }
        let numbers: Vec<u32> = self.numbers.iter().flatten().copied().collect();
        if numbers.len() != self.numbers.len() {
            return Err(format!("numbers without a message: {:?}", self.numbers));
        }
        let there: Vec<u32> = numbers.iter().copied().filter(|uid| truth.messages.contains_key(uid)).collect();
        if !there.iter().eq(truth.messages.keys()) || (all && there.len() != numbers.len()) {
            return Err(format!(
                "it was told of {numbers:?}, there are {:?}",
                truth.messages.keys().collect::<Vec<_>>()
            ));
        }
        for (uid, known) in &self.known {
            let Some(message) = truth.messages.get(uid) else { continue };
            let told_mod_seq = self.enabled >= Enabled::Condstore && known.mod_seq > 0;
            if known.flags != message.flags || (told_mod_seq && known.mod_seq != message.mod_seq) {
                return Err(format!("of UID {uid} it was told {known:?}, it is {message:?}"));
            }
        }
        Ok(())
    }
}
