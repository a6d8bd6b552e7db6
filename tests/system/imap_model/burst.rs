//! Several clients give commands at once, each of them some in one write. The order in which the server takes them is its own:
//! each outcome that some order has is allowed, and no other.

use std::collections::{BTreeMap, BTreeSet};

use super::client::{Answer, Rules};
use super::commands::{self, Command, Sight};
use super::told::{DELETED, Difference, Told, code, copy_uid, set};
use super::truth::{Change, Truth};
use super::world::World;

/// What the commands of one client leave of a message's flags, each flag as the last of them left it.
#[derive(Clone, Copy, Debug, Default)]
struct Left {
    set: u8,
    clear: u8,
}

/// What may have become of the mailbox.
#[derive(Debug, Default)]
struct Fate {
    /// By client.
    flags: Vec<BTreeMap<u32, Left>>,
    may_go: BTreeSet<u32>,
    /// Somebody gave them `\Deleted`, maybe not for long.
    deleted: BTreeSet<u32>,
    must_go: BTreeSet<u32>,
    /// UIDs that the server said it gave.
    arrived: BTreeSet<u32>,
    /// Messages beside them that came, as their number is not known.
    delivered: usize,
    /// Conditional STOREs that were done, of messages that they change for sure.
    winners: BTreeMap<u32, usize>,
}

/// A client, its commands, and their tags.
type Given = (usize, Vec<(String, Command)>);

pub fn at_once(world: &mut World) -> Result<(), Difference> {
    let (mut fate, mut all) = (Fate::default(), Vec::new());
    for who in 0..world.clients.len() {
        fate.flags.push(BTreeMap::new());
        if !world.clients[who].selected || world.clients[who].read_only {
            continue;
        }
        all.push(give(world, who)?);
    }
    if world.random.below(4) == 0 {
        // Its answer is waited for while the others are under way.
        fate.delivered += 1;
        world.deliver_unseen()?;
    }
    let alone = touched_once(&all);
    for (who, given) in all {
        for (tag, mut command) in given {
            let answer = world.clients[who].answer(&tag)?;
            command.rules.arrivals.clear();
            if !["OK", "NO"].contains(&answer.status.as_str()) {
                return Err(format!("{}: {answer:?}", String::from_utf8_lossy(&command.line)));
            }
            world.clients[who].hear(&answer.told, &command.rules)?;
            fate.learn(who, &command, &answer, &world.truth, &alone)?;
        }
    }
    settle(world, &fate)
}

/// Sends some commands in one write.
fn give(world: &mut World, who: usize) -> Result<Given, Difference> {
    let mut given = Vec::new();
    let mut octets = Vec::new();
    for at in 0..=world.random.below(4) {
        let client = &world.clients[who];
        let sight = Sight {
            truth: &world.truth,
            numbers: client.numbers_with_news(&world.truth),
            enabled: client.enabled,
            read_only: client.read_only,
            // RFC 9051 5.5: a number behind a command that may be answered by EXPUNGE is ambiguous; so is one of a message
            // that is told as news, or not.
            by_uid_only: true,
        };
        let command = commands::at_once(&sight, &mut world.random);
        world.note(who, &command.line);
        let tag = format!("b{at}x{}", world.commands);
        octets.extend([tag.as_bytes(), b" ", &command.line, b"\r\n"].concat());
        given.push((tag, command));
    }
    world.clients[who].send(&octets)?;
    Ok((who, given))
}

/// Messages whose flags only one kind of command means to change, so that of several conditional ones only one can.
fn touched_once(all: &[Given]) -> BTreeSet<u32> {
    let mut plain = BTreeSet::new();
    let mut conditional = BTreeSet::new();
    for (_, command) in all.iter().flat_map(|(_, given)| given) {
        if let Change::Flags { uids, unchanged_since, .. } = &command.change {
            if unchanged_since.is_some() { conditional.extend(uids) } else { plain.extend(uids) }
        }
    }
    conditional.difference(&plain).copied().collect()
}

impl Fate {
    fn learn(
        &mut self,
        who: usize,
        command: &Command,
        answer: &Answer,
        truth: &Truth,
        alone: &BTreeSet<u32>,
    ) -> Result<(), Difference> {
        for told in &answer.told {
            match told {
                Told::Vanished { uids, .. } => self.must_go.extend(uids),
                Told::CopyUid { from, to } => self.copied(command, from, to),
                _ => (),
            }
        }
        match &command.change {
            Change::Flags { uids, mode, flags, unchanged_since } => {
                let modified = code(&answer.text, "MODIFIED").map(set).transpose()?.unwrap_or_default();
                for uid in uids.iter().filter(|uid| !modified.contains(uid)) {
                    let left = self.flags[who].entry(*uid).or_default();
                    let (set, clear) = match mode {
                        super::truth::Mode::Add => (*flags, 0),
                        super::truth::Mode::Remove => (0, *flags),
                        super::truth::Mode::Replace => (*flags, !*flags),
                    };
                    (left.set, left.clear) = (left.set & !clear | set, left.clear & !set | clear);
                    if set & DELETED != 0 {
                        self.deleted.insert(*uid);
                    }
                    let changes = truth.messages.get(uid).is_some_and(|it| mode.applied(it.flags, *flags) != it.flags);
                    if unchanged_since.is_some() && changes && alone.contains(uid) {
                        *self.winners.entry(*uid).or_default() += 1;
                    }
                }
            }
            Change::Expunge { uids } => self.may_go.extend(uids),
            Change::Copy { uids, moves, .. } => {
                if *moves {
                    self.may_go.extend(uids);
                }
                if let Some(Told::CopyUid { from, to }) =
                    code(&answer.text, "COPYUID").map(|_| copy_uid(&answer.text)).transpose()?
                {
                    self.copied(command, &from, &to);
                }
            }
            Change::Arrive(_) | Change::ArriveTogether(_) => {
                let uids = code(&answer.text, "APPENDUID").and_then(|code| code.split(' ').nth(1));
                self.arrived.extend(set(uids.ok_or_else(|| format!("no APPENDUID: {answer:?}"))?)?);
            }
            // Not given at once with others.
            Change::Replace { .. } => (),
            Change::Nothing | Change::Create(_) | Change::Delete(_) | Change::Rename(..) => (),
        }
        Ok(())
    }

    fn copied(&mut self, command: &Command, from: &[u32], to: &[u32]) {
        if let Change::Copy { to: place, moves, .. } = &command.change {
            if *moves {
                self.must_go.extend(from);
            }
            if place.is_none() {
                self.arrived.extend(to);
            }
        }
    }

    /// The flags that may be set, and those that may be clear.
    fn possible(&self, uid: u32, before: u8) -> Left {
        let all: Vec<Left> = self.flags.iter().filter_map(|of| of.get(&uid)).copied().collect();
        let touched = all.iter().fold(0, |bits, left| bits | left.set | left.clear);
        Left {
            set: all.iter().fold(before & !touched, |bits, left| bits | left.set),
            clear: all.iter().fold(!before & !touched, |bits, left| bits | left.clear),
        }
    }

    fn check(&self, before: &Truth, after: &BTreeMap<u32, super::truth::Message>) -> Result<(), Difference> {
        for (uid, message) in &before.messages {
            let possible = self.possible(*uid, message.flags);
            let Some(now) = after.get(uid) else {
                let marked = message.flags & DELETED != 0 || self.deleted.contains(uid);
                if !self.may_go.contains(uid) || !(self.must_go.contains(uid) || marked) {
                    return Err(format!("UID {uid} is gone, and nobody took it: {message:?}"));
                }
                continue;
            };
            if self.must_go.contains(uid) {
                return Err(format!("UID {uid} was said to be gone and is there"));
            }
            if now.flags & !possible.set & 0x7f != 0 || !now.flags & !possible.clear & 0x7f != 0 {
                return Err(format!("UID {uid} was {message:?} and is {now:?}, {possible:?} is possible"));
            }
            if (now.flags != message.flags && now.mod_seq <= before.highest) || now.subject != message.subject {
                return Err(format!("UID {uid} was {message:?} below {} and is {now:?}", before.highest));
            }
        }
        // One that went before is in no MODIFIED.
        let mut winners = self.winners.iter().filter(|(uid, _)| after.contains_key(uid));
        if let Some((uid, count)) = winners.find(|(_, count)| **count > 1) {
            return Err(format!("{count} conditional STOREs changed UID {uid}"));
        }
        let new: BTreeSet<u32> = after.keys().copied().filter(|uid| !before.messages.contains_key(uid)).collect();
        let unknown = new.difference(&self.arrived).count();
        let lost: Vec<&u32> = self.arrived.difference(&new).filter(|uid| !self.may_go.contains(uid)).collect();
        if unknown > self.delivered || !lost.is_empty() {
            return Err(format!(
                "{new:?} came, {:?} and {} more had to; {lost:?} are lost",
                self.arrived, self.delivered
            ));
        }
        Ok(())
    }
}

/// Everybody hears everything, and what there is now is what there is from now on.
fn settle(world: &mut World, fate: &Fate) -> Result<(), Difference> {
    let look = world.observer.look(0)?;
    fate.check(&world.truth, &look.rows)?;
    // A message may have come and gone without a word.
    let uid_next = world.observer.uid_next()?;
    let above = fate.arrived.iter().chain(look.rows.keys()).find(|uid| **uid >= uid_next);
    if let Some(uid) = above.or((uid_next < world.truth.uid_next).then_some(&uid_next)) {
        return Err(format!("UIDNEXT {uid_next}, there was {uid}"));
    }
    world.truth.uid_next = uid_next;
    world.truth.messages = look.rows;
    let largest = world.truth.messages.values().map(|message| message.mod_seq).max();
    world.truth.highest = world.truth.highest.max(largest.unwrap_or(0));
    world.count_sides()?;
    for who in 0..world.clients.len() {
        let client = &mut world.clients[who];
        if !client.selected {
            continue;
        }
        for line in ["NOOP", "UID FETCH 1:* (FLAGS)"] {
            let answer = client.command(line.as_bytes())?;
            let fetched = client.hear(&answer.told, &Rules::default())?;
            let all =
                fetched.iter().filter(|(_, it)| it.flags.is_some()).map(|(uid, _)| *uid).collect::<BTreeSet<u32>>();
            if line != "NOOP" && !all.iter().eq(world.truth.messages.keys()) {
                return Err(format!("{line} told {all:?}"));
            }
        }
        client.uid_max = world.truth.uid_next - 1;
        client.agrees(&world.truth, true)?;
        world.commands += 2;
    }
    Ok(())
}
