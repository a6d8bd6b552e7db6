//! The mail store as plain maps. It keeps no sums, shares no bodies and has no disk: what it is asked it finds by looking at
//! everything it has. It knows nothing of the store, only the words of crate `mail`.

use std::collections::{BTreeMap, BTreeSet};

use mail::{Address, Alias, Flags, Grant, Login, MailboxName, Person, RightsChange, SpecialUse, SystemFlags};

/// Mailboxes of everybody in the order they were made, from 0; deleted ones keep their number.
pub type Number = usize;
pub type Id = [u8; 16];
pub type Octets = Vec<u8>;
/// A message, and where it went; by place and id.
pub type Delivery = (Mail, Vec<(Number, u32)>);
/// When a recipient is due and how often it was tried; forward path, next hop, facts, last reply.
pub type Waiting = (i64, u32, [String; 4]);
/// First and last UID of each range.
pub type Ranges = Vec<(u32, u32)>;
/// An EMAILID: which body, and the place where it first became a message.
pub type Email = (u64, u8);
pub type Defaults = Vec<(MailboxName, Option<SpecialUse>)>;
/// Where to: the mailbox of this name, else the one for this use, else INBOX.
pub type Target = (Login, Option<MailboxName>, Option<SpecialUse>);
/// Directory, id in it, first and last day.
pub type Origin = [String; 4];
/// Whose it is, whether it is a login, and whether nobody uses it.
pub type Held = (String, bool, bool);
/// First and last time, and how often.
pub type Accessed = (i64, i64, u64);
/// Why not, and of what: a login, a name, an address, the octets used and allowed.
pub type Refused = (&'static str, String);

/// Entries of one mailbox or account (RFC 5464), octets of a value and of an entry's name.
const ENTRIES_MAX: usize = 100;
const VALUE_MAX: usize = 64 * 1024;
const ENTRY_MAX: usize = 255;

/// A message on its way. Its body is the one that was written as number `put`; `email` is known when that was read back
/// from a message. `ids` are Message-ID, In-Reply-To and References; `date` is in seconds, with its zone in minutes.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    pub put: u64,
    pub octets: u64,
    pub email: Option<Email>,
    pub ids: [String; 3],
    pub flags: Flags,
    pub date: (i64, i16),
}

/// A message in the spool or in quarantine, there without recipients that wait. `words` are kept as they are.
#[derive(Clone, Debug, Default)]
pub struct Item {
    pub mail: Mail,
    pub words: Vec<String>,
    pub facts: Octets,
    pub waiting: BTreeMap<u32, Waiting>,
}

/// A change; its parts are those of the store's op. Flags are set by `+`, `-` or `=`.
#[derive(Clone, Debug)]
pub enum Step {
    Deliver(Id, Vec<Target>, Mail),
    Append(Login, MailboxName, Mail),
    Replace(Login, MailboxName, Mail, (Number, u32)),
    /// `true` when the quota binds.
    Import(Login, MailboxName, Vec<Mail>, bool),
    SetFlags(Number, Ranges, char, Flags, Option<u64>),
    Copy(Number, Ranges, Number),
    Move(Number, Ranges, Number),
    /// `true` for only what is `\Deleted`.
    Expunge(Number, Ranges, bool),
    Create(Login, MailboxName, Option<SpecialUse>),
    Delete(Login, MailboxName),
    Rename(Login, MailboxName, MailboxName),
    Subscribe(Login, MailboxName, bool),
    Annotate(Login, Option<MailboxName>, String, Option<Octets>),
    /// At a moment in seconds.
    Grant(Login, MailboxName, Grant, RightsChange, i64),
    Warned(Login, u32),
    Person(Person, Option<String>, Defaults, Option<Origin>),
    /// The halves of `Person`, for places that do not share a commit.
    Account(Login, u64, Defaults),
    Directory(Person, Option<String>, Option<Origin>),
    Alias(Alias),
    NoAlias(Address),
    Claim(Login),
    Verifier(Login, String),
    Standing(Login, Octets, Option<i64>),
    Secret(Login, Octets),
    Erase(Login),
    /// The halves of `Erase`: what lies in a place, and who there is.
    EraseAccount(Login, u8),
    EraseDirectory(Login),
    /// How, when and how often.
    Access(Login, String, i64, u64),
    TrimAccesses(i64),
    /// What is a login, whose, and when it was freed.
    Given(String, bool, String, Option<i64>),
    /// In `spool` or `quarantine`.
    Keep(&'static str, Id, Item),
    Progress(Id, Octets),
    Attempt(Id, u32, i64, String),
    Settle(Id, u32),
    Reschedule(Id, i64),
    Release(Id),
    /// Another kind and other facts.
    Recast(Id, String, Octets),
    /// Behind what a log has: `loss`, `decision`, `audit`.
    Write(&'static str, Vec<String>),
    /// By key into a table: `ring`, `setting`.
    Put(&'static str, Vec<(Octets, Octets)>),
    Tokens(u32, Vec<(u64, i32, i32)>),
    /// Before these milliseconds.
    Trim(u64),
    /// Rows of a log before a second.
    TrimLog(&'static str, i64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Whether it is a duplicate.
    Delivered(bool, Vec<(Login, Number, u32)>),
    /// UIDs in a mailbox, which may be new.
    Placed(Number, Vec<u32>),
    /// UID, flags as they print, MODSEQ; and the UIDs that did not pass.
    Flagged(Vec<(u32, String, u64)>, Vec<u32>),
    Copied(Number, Vec<(u32, u32)>),
    Expunged(Vec<u32>, u64),
    Trimmed(u64),
    Done,
}

#[derive(Clone, Debug)]
pub struct Message {
    pub mail: Mail,
    pub thread: u64,
    pub modseq: u64,
}

#[derive(Clone, Debug)]
pub struct Mailbox {
    pub account: String,
    pub name: MailboxName,
    pub special: Option<SpecialUse>,
    pub alive: bool,
    pub uidnext: u32,
    pub modseq: u64,
    pub messages: BTreeMap<u32, Message>,
    /// MODSEQ and UID of what went.
    pub gone: Vec<(u64, u32)>,
    pub notes: BTreeMap<String, Octets>,
    pub grants: Vec<Grant>,
}

#[derive(Clone, Debug)]
pub struct Human {
    pub person: Person,
    pub verifier: Option<String>,
    pub origin: Origin,
    pub standing: Octets,
    pub due_s: Option<i64>,
    pub secret: Octets,
}

#[derive(Clone, Debug, Default)]
pub struct Account {
    pub quota: u64,
    pub warned: u32,
    pub subscribed: BTreeSet<MailboxName>,
    pub notes: BTreeMap<String, Octets>,
    /// Which thread knows a Message-ID.
    threads: BTreeMap<String, u64>,
}

/// Everything. Accounts, aliases and logins are found by their folded spelling.
#[derive(Clone, Debug, Default)]
pub struct Naive {
    /// Accounts in one place share a commit and a delivery index; 0 unless said here.
    pub places: BTreeMap<String, u8>,
    pub decisions_max: usize,
    pub people: BTreeMap<String, Human>,
    pub aliases: BTreeMap<String, Alias>,
    pub given: BTreeMap<String, Held>,
    pub accesses: BTreeMap<(String, String), Accessed>,
    pub accounts: BTreeMap<String, Account>,
    pub mailboxes: Vec<Mailbox>,
    pub deliveries: BTreeMap<(u8, Id), Delivery>,
    pub items: BTreeMap<(&'static str, Id), Item>,
    pub logs: BTreeMap<&'static str, Vec<Vec<String>>>,
    pub tables: BTreeMap<(&'static str, Octets), Octets>,
    pub tokens: BTreeMap<(u32, u64), (i64, i64)>,
    /// Bodies that were ever part of something, and those forgotten since.
    held: BTreeSet<u64>,
    swept: BTreeSet<u64>,
    threads: u64,
}

pub(super) type Applied = Result<Answer, Refused>;
pub(super) type Changed = Result<(), Refused>;
pub(super) fn no(why: &'static str) -> Refused {
    (why, String::new())
}

pub fn fold(login: &Login) -> String {
    login.as_str().to_ascii_lowercase()
}

pub fn among(ranges: &Ranges, uid: u32) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&uid))
}

impl Naive {
    /// All of the steps or, with the index of the one that cannot be, none.
    pub fn commit(&mut self, steps: &[Step]) -> Result<Vec<Answer>, (usize, Refused)> {
        let before = self.clone();
        let steps = steps.iter().enumerate();
        let answers = steps.map(|(index, step)| self.apply(step).map_err(|why| (index, why))).collect();
        if Result::is_err(&answers) {
            *self = before;
        }
        answers
    }

    /// A warning ends as soon as the account is less full than it says.
    fn apply(&mut self, step: &Step) -> Applied {
        let answer = self.change(step)?;
        for login in self.accounts.keys().cloned().collect::<Vec<_>>() {
            let fill = self.fill(&login);
            self.accounts.entry(login).and_modify(|account| account.warned = account.warned.min(fill));
        }
        Ok(answer)
    }

    /// Bodies nobody has are forgotten.
    pub fn compact(&mut self) {
        let alive = self.mailboxes.iter().filter(|mailbox| mailbox.alive);
        let messages = alive.flat_map(|mailbox| mailbox.messages.values()).map(|message| message.mail.put);
        let needed: BTreeSet<u64> = messages.chain(self.items.values().map(|item| item.mail.put)).collect();
        self.swept = self.held.difference(&needed).copied().collect();
    }

    fn change(&mut self, step: &Step) -> Applied {
        match step {
            Step::Deliver(id, to, mail) => return self.deliver(*id, to, mail),
            Step::Append(login, name, mail) => {
                let at = self.named(login, name)?;
                self.fits(&fold(login), mail.octets, 0)?;
                return Ok(Answer::Placed(at, vec![self.arrive(at, mail, 1)?]));
            }
            Step::Replace(login, name, mail, old) => return self.replace(login, name, mail, *old),
            Step::Import(login, name, mails, bound) => return self.import(login, name, mails, *bound),
            Step::SetFlags(at, uids, mode, flags, since) => return self.set_flags(*at, uids, *mode, flags, *since),
            Step::Copy(from, uids, to) => return self.copy(*from, uids, *to, false),
            Step::Move(from, uids, to) => return self.copy(*from, uids, *to, true),
            Step::Expunge(at, uids, only_deleted) => return self.expunge(*at, uids, *only_deleted),
            Step::Create(login, name, special) => {
                self.account(login)?;
                self.free(&fold(login), name, *special)?;
                return Ok(Answer::Placed(self.make(&fold(login), name, *special), Vec::new()));
            }
            Step::Delete(login, name) => {
                let at = self.named(login, name)?;
                if name.is_inbox() {
                    return Err(no("InboxStays"));
                }
                self.live(at)?.alive = false;
            }
            Step::Rename(login, from, to) => self.rename(login, from, to)?,
            Step::Subscribe(login, name, true) => drop(self.account(login)?.subscribed.insert(name.clone())),
            Step::Subscribe(login, name, false) => drop(self.account(login)?.subscribed.remove(name)),
            Step::Annotate(login, name, entry, value) => self.annotate(login, name, entry, value)?,
            Step::Grant(login, name, grant, change, at_s) => self.grant(login, name, grant, *change, *at_s)?,
            Step::Warned(login, permille) => {
                let warned = self.account(login)?.warned;
                if warned >= *permille || self.fill(&fold(login)) < *permille {
                    return Err(no("AlreadyWarned"));
                }
                self.account(login)?.warned = *permille;
            }
            Step::Person(person, verifier, mailboxes, origin) => {
                self.open_account(&person.login, person.quota_octets, mailboxes)?;
                self.directory(person, verifier, origin)?;
            }
            Step::Account(login, quota, mailboxes) => self.open_account(login, *quota, mailboxes)?,
            Step::Directory(person, verifier, origin) => self.directory(person, verifier, origin)?,
            Step::TrimAccesses(before_s) => {
                let all = self.accesses.len();
                self.accesses.retain(|_, (_, last, _)| *last >= *before_s);
                return Ok(Answer::Trimmed((all - self.accesses.len()) as u64));
            }
            // The op takes more at a time than there ever are.
            Step::TrimLog(log, before_s) => {
                let at = if *log == "loss" { 5 } else { 0 };
                let rows = self.logs.entry(*log).or_default();
                let all = rows.len();
                rows.retain(|words| words[at].parse::<i64>().is_ok_and(|at| at >= *before_s));
                return Ok(Answer::Trimmed((all - rows.len()) as u64));
            }
            Step::Trim(before_ms) => {
                let all = self.deliveries.len();
                self.deliveries.retain(|(_, id), _| id[..6] >= before_ms.to_be_bytes()[2..]);
                return Ok(Answer::Trimmed((all - self.deliveries.len()) as u64));
            }
            other => self.people_step(other)?,
        }
        Ok(Answer::Done)
    }

    pub(super) fn record(&mut self, step: &Step) -> Changed {
        match step {
            Step::Keep("spool", _, item) if item.waiting.is_empty() => return Err(no("NoRecipients")),
            Step::Keep(place, id, _) if self.items.contains_key(&(*place, *id)) => return Err(no("QueueItemExists")),
            Step::Keep(place, id, item) => {
                self.hold(&item.mail)?;
                self.items.insert((*place, *id), item.clone());
            }
            Step::Progress(id, facts) => self.spooled(id)?.facts.clone_from(facts),
            Step::Attempt(id, n, due, reply) => {
                let waiting = self.spooled(id)?.waiting.get_mut(n).ok_or(no("NoSuchQueueItem"))?;
                (waiting.0, waiting.1, waiting.2[3]) = (*due, waiting.1 + 1, reply.clone());
            }
            Step::Reschedule(id, due) => {
                self.spooled(id)?.waiting.values_mut().for_each(|waiting| waiting.0 = *due);
            }
            Step::Settle(id, n) => {
                self.spooled(id)?.waiting.remove(n).ok_or(no("NoSuchQueueItem"))?;
                self.items.retain(|(place, _), item| *place != "spool" || !item.waiting.is_empty());
            }
            Step::Recast(id, kind, facts) => {
                let item = self.items.get_mut(&("quarantine", *id)).ok_or(no("NoSuchQuarantined"))?;
                item.words[6].clone_from(kind);
                item.facts.clone_from(facts);
            }
            Step::Release(id) => drop(self.items.remove(&("quarantine", *id)).ok_or(no("NoSuchQuarantined"))?),
            Step::Write(log, words) => {
                let rows = self.logs.entry(*log).or_default();
                rows.push(words.clone());
                // Two at a time, so that a lower bound is reached in steps.
                let over = if *log == "decision" { rows.len().saturating_sub(self.decisions_max) } else { 0 };
                rows.drain(..over.min(2));
            }
            Step::Put(table, entries) => {
                self.tables.extend(entries.iter().map(|(key, value)| ((*table, key.clone()), value.clone())));
                self.tables.retain(|_, value| !value.is_empty());
            }
            Step::Tokens(bucket, counts) => {
                for (token, spam, ham) in counts {
                    let now = self.tokens.entry((*bucket, *token)).or_default();
                    *now = ((now.0 + i64::from(*spam)).max(0), (now.1 + i64::from(*ham)).max(0));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn spooled(&mut self, id: &Id) -> Result<&mut Item, Refused> {
        self.items.get_mut(&("spool", *id)).ok_or(no("NoSuchQueueItem"))
    }

    pub(super) fn account(&mut self, login: &Login) -> Result<&mut Account, Refused> {
        self.accounts.get_mut(&fold(login)).ok_or(("NoSuchLogin", login.to_string()))
    }

    /// The mailboxes of an account that are not deleted.
    pub fn of(&self, login: &str) -> impl Iterator<Item = (Number, &Mailbox)> {
        self.mailboxes.iter().enumerate().filter(move |(_, m)| m.alive && m.account == login)
    }

    pub fn find(&self, login: &str, name: &MailboxName) -> Option<Number> {
        self.of(login).find(|(_, mailbox)| mailbox.name == *name).map(|(at, _)| at)
    }

    fn named(&mut self, login: &Login, name: &MailboxName) -> Result<Number, Refused> {
        self.account(login)?;
        self.find(&fold(login), name).ok_or(no("NoSuchMailbox"))
    }

    fn live(&mut self, at: Number) -> Result<&mut Mailbox, Refused> {
        self.mailboxes.get_mut(at).filter(|mailbox| mailbox.alive).ok_or(no("NoSuchMailbox"))
    }

    pub fn place(&self, login: &str) -> u8 {
        self.places.get(login).copied().unwrap_or(0)
    }

    pub fn used(&self, login: &str) -> (u64, u64) {
        let all = self.of(login).flat_map(|(_, mailbox)| mailbox.messages.values());
        all.fold((0, 0), |(octets, messages), message| (octets + message.mail.octets, messages + 1))
    }

    fn fill(&self, login: &str) -> u32 {
        let quota = self.accounts.get(login).map_or(1, |account| account.quota.max(1));
        u32::try_from(u128::from(self.used(login).0) * 1000 / u128::from(quota)).unwrap_or(u32::MAX)
    }

    fn fits(&self, login: &str, more: u64, less: u64) -> Changed {
        let (used, quota) = (self.used(login).0, self.accounts[login].quota);
        if used - less + more > quota { Err(("OverQuota", format!("{used} {quota}"))) } else { Ok(()) }
    }

    fn hold(&mut self, mail: &Mail) -> Changed {
        self.held.insert(mail.put);
        if self.swept.contains(&mail.put) { Err(no("BodyGone")) } else { Ok(()) }
    }

    /// `step` is 0 for what shares the MODSEQ of the message before it.
    fn arrive(&mut self, at: Number, mail: &Mail, step: u64) -> Result<u32, Refused> {
        let modseq = self.live(at)?.modseq + step;
        self.hold(mail)?;
        let account = self.live(at)?.account.clone();
        let email = Some(mail.email.unwrap_or((mail.put, self.place(&account))));
        let thread = self.thread(&account, mail);
        Ok(self.live(at)?.take(Message { mail: Mail { email, ..mail.clone() }, thread, modseq }))
    }

    /// The thread that knows the message's own identifier, else the one it answers, else the nearest of its references.
    fn thread(&mut self, account: &str, mail: &Mail) -> u64 {
        let first = mail.ids[..2].iter().flat_map(|ids| ids.split_whitespace().take(1));
        let ids: Vec<&str> = first.chain(mail.ids[2].split_whitespace().rev()).take(12).collect();
        self.threads += 1;
        let threads = &mut self.accounts.entry(account.to_owned()).or_default().threads;
        let thread = ids.iter().find_map(|id| threads.get(*id).copied()).unwrap_or(self.threads);
        for id in ids {
            threads.entry(id.to_owned()).or_insert(thread);
        }
        thread
    }

    /// All recipients are in one place.
    fn deliver(&mut self, id: Id, to: &[Target], mail: &Mail) -> Applied {
        let mut targets: Vec<(Login, Number)> = Vec::new();
        for (login, name, special) in to {
            let (inbox, owner) = (self.named(login, &MailboxName::inbox())?, fold(login));
            let special = self.of(&owner).find(|(_, m)| special.is_some() && m.special == *special).map(|(at, _)| at);
            let at = name.as_ref().and_then(|name| self.find(&owner, name)).or(special).unwrap_or(inbox);
            if targets.iter().all(|(_, other)| *other != at) {
                targets.push((login.clone(), at));
            }
        }
        let key = (to.first().map_or(0, |(login, _, _)| self.place(&fold(login))), id);
        if self.deliveries.contains_key(&key) {
            return Ok(Answer::Delivered(true, Vec::new()));
        }
        let mut placed = Vec::new();
        for (login, at) in targets {
            placed.push((login, at, self.arrive(at, mail, 1)?));
        }
        self.deliveries.insert(key, (mail.clone(), placed.iter().map(|(_, at, uid)| (*at, *uid)).collect()));
        Ok(Answer::Delivered(false, placed))
    }

    fn replace(&mut self, login: &Login, name: &MailboxName, mail: &Mail, (old, uid): (Number, u32)) -> Applied {
        let gone = self.live(old).ok().and_then(|mailbox| mailbox.messages.get(&uid).cloned());
        let gone = gone.ok_or(no("NoSuchMessage"))?;
        let at = self.named(login, name)?;
        let own = self.mailboxes[old].account == fold(login);
        self.fits(&fold(login), mail.octets, if own { gone.mail.octets } else { 0 })?;
        let new = self.arrive(at, mail, 1)?;
        self.live(old)?.remove(vec![uid]);
        Ok(Answer::Placed(at, vec![new]))
    }

    fn import(&mut self, login: &Login, name: &MailboxName, mails: &[Mail], bound: bool) -> Applied {
        self.account(login)?;
        if bound {
            self.fits(&fold(login), mails.iter().map(|mail| mail.octets).sum(), 0)?;
        }
        let at = self.find(&fold(login), name).unwrap_or_else(|| self.make(&fold(login), name, None));
        let mails = mails.iter().enumerate();
        let uids = mails.map(|(n, mail)| self.arrive(at, mail, u64::from(n == 0))).collect::<Result<_, _>>()?;
        Ok(Answer::Placed(at, uids))
    }

    fn set_flags(&mut self, at: Number, uids: &Ranges, mode: char, flags: &Flags, since: Option<u64>) -> Applied {
        let mailbox = self.live(at)?;
        let modseq = mailbox.modseq + 1;
        let (mut rows, mut modified) = (Vec::new(), Vec::new());
        for (uid, message) in mailbox.messages.iter_mut().filter(|(uid, _)| among(uids, **uid)) {
            if since.is_some_and(|since| message.modseq > since) {
                modified.push(*uid);
                continue;
            }
            let next = match mode {
                '+' => message.mail.flags.with(flags),
                '-' => message.mail.flags.without(flags),
                _ => flags.clone(),
            };
            // As they print, because another case of a keyword is a change.
            if next.to_string() != message.mail.flags.to_string() {
                (message.mail.flags, message.modseq, mailbox.modseq) = (next, modseq, modseq);
            }
            rows.push((*uid, message.mail.flags.to_string(), message.modseq));
        }
        Ok(Answer::Flagged(rows, modified))
    }

    fn copy(&mut self, from: Number, uids: &Ranges, to: Number, moving: bool) -> Applied {
        let source = self.live(from)?;
        let owner = source.account.clone();
        let taken = source.messages.iter().filter(|(uid, _)| among(uids, **uid));
        let taken: Vec<(u32, Message)> = taken.map(|(uid, message)| (*uid, message.clone())).collect();
        let target = self.live(to)?;
        let (account, modseq) = (target.account.clone(), target.modseq + 1);
        if !taken.is_empty() && (!moving || owner != account) {
            self.fits(&account, taken.iter().map(|(_, message)| message.mail.octets).sum(), 0)?;
        }
        let mut pairs = Vec::new();
        for (uid, message) in taken {
            let thread = if owner == account { message.thread } else { self.thread(&account, &message.mail) };
            pairs.push((uid, self.live(to)?.take(Message { modseq, thread, ..message })));
        }
        if moving {
            self.live(from)?.remove(pairs.iter().map(|(old, _)| *old).collect());
        }
        Ok(Answer::Copied(to, pairs))
    }

    fn expunge(&mut self, at: Number, uids: &Ranges, only_deleted: bool) -> Applied {
        let mailbox = self.live(at)?;
        let going = mailbox.messages.iter().filter(|(uid, message)| {
            among(uids, **uid) && (!only_deleted || message.mail.flags.system.contains(SystemFlags::DELETED))
        });
        let going: Vec<u32> = going.map(|(uid, _)| *uid).collect();
        mailbox.remove(going.clone());
        Ok(Answer::Expunged(going, mailbox.modseq))
    }

    fn push(&mut self, login: &str, name: MailboxName, special: Option<SpecialUse>) -> Number {
        let (account, messages, gone, notes) = (login.to_owned(), BTreeMap::new(), Vec::new(), BTreeMap::new());
        let (alive, uidnext, modseq, grants) = (true, 1, 1, self.grants_above(login, &name));
        self.mailboxes.push(Mailbox { account, name, special, alive, uidnext, modseq, messages, gone, notes, grants });
        self.mailboxes.len() - 1
    }

    /// A mailbox and those above it that are missing.
    fn make(&mut self, login: &str, name: &MailboxName, special: Option<SpecialUse>) -> Number {
        let above: Vec<MailboxName> = name.parents().filter(|name| self.find(login, name).is_none()).collect();
        for name in above.into_iter().rev() {
            self.push(login, name, None);
        }
        self.push(login, name.clone(), special)
    }

    fn free(&self, login: &str, name: &MailboxName, special: Option<SpecialUse>) -> Changed {
        if self.find(login, name).is_some() {
            return Err(("MailboxExists", name.to_string()));
        }
        let taken = special.is_some() && self.of(login).any(|(_, mailbox)| mailbox.special == special);
        if taken { Err(no("SpecialUseTaken")) } else { Ok(()) }
    }

    fn rename(&mut self, login: &Login, from: &MailboxName, to: &MailboxName) -> Changed {
        self.named(login, from)?;
        let (owner, inbox) = (fold(login), from.is_inbox());
        self.free(&owner, to, None)?;
        if !inbox && to.is_under(from) {
            return Err(no("BadName"));
        }
        let going = self.of(&owner).filter(|(_, m)| m.name == *from || (!inbox && m.name.is_under(from)));
        let mut renames: Vec<(MailboxName, Number)> = going.map(|(at, m)| (m.name.clone(), at)).collect();
        renames.sort();
        for (name, _) in &mut renames {
            let new = MailboxName::new(&format!("{to}{}", &name.as_str()[from.as_str().len()..]));
            *name = new.map_err(|_| no("BadName"))?;
            self.free(&owner, name, None)?;
        }
        if let Some(parent) = to.parents().next().filter(|parent| self.find(&owner, parent).is_none()) {
            self.make(&owner, &parent, None);
        }
        for (name, at) in renames {
            self.live(at)?.name = name;
        }
        if inbox && let Some(old) = self.find(&owner, to) {
            let new = self.push(&owner, from.clone(), None);
            self.live(new)?.grants = std::mem::take(&mut self.live(old)?.grants);
            // The new INBOX may be the one above.
            self.live(old)?.grants = self.grants_above(&owner, to);
        }
        Ok(())
    }

    fn grants_above(&self, login: &str, name: &MailboxName) -> Vec<Grant> {
        let above = name.parents().next().and_then(|parent| self.find(login, &parent));
        above.map(|at| self.mailboxes[at].grants.clone()).unwrap_or_default()
    }

    fn grant(&mut self, login: &Login, name: &MailboxName, to: &Grant, change: RightsChange, at_s: i64) -> Changed {
        let at = self.named(login, name)?;
        let grants = &mut self.live(at)?.grants;
        grants.retain(|grant| grant.holds_at(at_s));
        let before = grants.iter().position(|grant| grant.identifier == to.identifier).map(|at| grants.remove(at));
        let rights = change.apply(before.map(|grant| grant.rights).unwrap_or_default(), to.rights);
        if !rights.is_empty() {
            grants.push(Grant { rights, ..to.clone() });
            grants.sort_by_key(|grant| (grant.identifier.grantee.to_string(), grant.identifier.negative));
        }
        Ok(())
    }

    fn annotate(&mut self, login: &Login, name: &Option<MailboxName>, entry: &str, value: &Option<Octets>) -> Changed {
        let (at, entry) = (name.as_ref().map(|name| self.named(login, name)).transpose()?, entry.to_ascii_lowercase());
        let notes = match at {
            None => &mut self.account(login)?.notes,
            Some(at) => &mut self.live(at)?.notes,
        };
        let full = notes.len() >= ENTRIES_MAX && !notes.contains_key(&entry);
        match value {
            None => drop(notes.remove(&entry)),
            Some(value) if value.len() > VALUE_MAX || entry.len() > ENTRY_MAX => return Err(no("TooLarge")),
            Some(_) if full => return Err(no("TooManyAnnotations")),
            Some(value) => drop(notes.insert(entry, value.clone())),
        }
        Ok(())
    }

    fn open_account(&mut self, login: &Login, quota: u64, mailboxes: &Defaults) -> Changed {
        if !self.accounts.contains_key(&fold(login)) {
            let mut subscribed = BTreeSet::new();
            for (name, special) in std::iter::once(&(MailboxName::inbox(), None)).chain(mailboxes) {
                self.free(&fold(login), name, *special)?;
                self.push(&fold(login), name.clone(), *special);
                subscribed.insert(name.clone());
            }
            self.accounts.insert(fold(login), Account { subscribed, ..Account::default() });
        }
        self.account(login)?.quota = quota;
        Ok(())
    }
}

impl Mailbox {
    fn take(&mut self, message: Message) -> u32 {
        self.modseq = message.modseq;
        self.uidnext += 1;
        self.messages.insert(self.uidnext - 1, message);
        self.uidnext - 1
    }

    fn remove(&mut self, uids: Vec<u32>) {
        self.modseq += u64::from(!uids.is_empty());
        self.messages.retain(|uid, _| !uids.contains(uid));
        self.gone.extend(uids.into_iter().map(|uid| (self.modseq, uid)));
    }
}
