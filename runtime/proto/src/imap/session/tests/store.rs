//! A small store in memory that answers as `Question` says.

use std::collections::BTreeMap;

use crate::imap::question::*;
use crate::sasl::{Claim, LoginFailure, Salt};
use mail::date::DateTime;
use mail::index::Index;
use mail::mailbox_name::NAMESPACES;
use mail::mime::{Searched, SummaryParts, summarize};
use mail::order::{KeyParts, Keys, MessageKeys, Source as KeySource};
use mail::{Flags, Identifier, MailboxName, Rights, RightsChange, SpecialUse, SystemFlags};

/// 2021-01-01, the day everything arrives.
const ARRIVAL: DateTime = DateTime { unix_seconds: 1_609_459_200, offset_minutes: 0 };

/// So many that went are named.
const NAMED_MAX: usize = 10;

#[derive(Debug, Default)]
pub struct Mailbox {
    id: u64,
    uid_validity: u32,
    uid_next: u32,
    mod_seq: u64,
    special_use: Option<SpecialUse>,
    pub messages: Vec<(Row, Vec<u8>)>,
    vanished: Vec<(u64, u32)>,
    list: BTreeMap<String, Rights>,
    metadata: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Default)]
pub struct Store {
    pub mailboxes: BTreeMap<MailboxName, Mailbox>,
    pub subscribed: Vec<MailboxName>,
    ids: u64,
    /// Every question but a login fails with this.
    pub broken: Option<Trouble>,
    pub logins: Option<LoginFailure>,
    /// The index of texts knows messages up to this UID.
    pub known_to: u32,
    /// The clock, and how far it moves each time it is looked at.
    pub now_s: i64,
    pub seconds_pass: i64,
    /// Of toto-j, by name; all where none are said.
    pub rights: BTreeMap<String, Rights>,
    server: BTreeMap<String, Vec<u8>>,
    /// Entries of METADATA in the order they were set.
    annotated: Vec<(Option<MailboxName>, String)>,
}

/// Messages that APPEND brings.
#[derive(Debug, Default)]
pub struct Incoming {
    to: Option<MailboxName>,
    replaces: Option<Replaced>,
    begun: Vec<(Flags, Option<DateTime>, Vec<u8>)>,
    /// Of the last of them.
    pub octets: Vec<u8>,
}

impl Incoming {
    /// The last message has its octets.
    fn complete(&mut self) {
        if let Some((_, _, octets)) = self.begun.last_mut() {
            *octets = std::mem::take(&mut self.octets);
        }
    }
}

/// FNV-1a.
fn number_of(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3))
}

pub fn name(text: &str) -> MailboxName {
    MailboxName::new(text).unwrap()
}

impl Store {
    pub fn new() -> Store {
        let mut store = Store::default();
        store.create(&name("INBOX"), None);
        store.create(&name("Sent"), Some(SpecialUse::Sent));
        store.create(&name("Trash"), Some(SpecialUse::Trash));
        store.subscribed = vec![name("INBOX"), name("Sent")];
        store
    }

    fn create(&mut self, at: &MailboxName, special_use: Option<SpecialUse>) {
        self.ids += 1;
        let id = self.ids;
        let fresh =
            Mailbox { id, uid_validity: 100 + id as u32, uid_next: 1, mod_seq: 1, special_use, ..Mailbox::default() };
        self.mailboxes.entry(at.clone()).or_insert(fresh);
    }

    pub fn add(&mut self, at: &str) {
        self.create(&name(at), None);
    }

    fn rights_on(&self, at: &MailboxName) -> Rights {
        self.rights.get(at.as_str()).copied().unwrap_or(Rights::ALL)
    }

    pub fn deliver(&mut self, to: &str, content: &[u8]) -> u32 {
        self.mailboxes.get_mut(&name(to)).unwrap().add(content.to_vec(), Flags::default(), ARRIVAL)
    }

    pub fn set_flags(&mut self, at: &str, uid: u32, flags: &Flags) {
        self.mailboxes.get_mut(&name(at)).unwrap().flag(uid, FlagChange::Replace, flags);
    }

    pub fn expunge(&mut self, at: &str, uid: u32) {
        self.mailboxes.get_mut(&name(at)).unwrap().remove(&[uid]);
    }

    /// EMAILID and THREADID of a message.
    pub fn names_of(&self, at: &str, uid: u32) -> (String, String) {
        let identity = self.mailboxes[&name(at)].identities(&[uid])[0];
        (identity.email.to_string(), identity.thread.unwrap().to_string())
    }

    /// As when another session's expunge is not published yet: the content is gone, the change is not heard of.
    pub fn lose(&mut self, at: &str, uid: u32) {
        self.mailboxes.get_mut(&name(at)).unwrap().messages.retain(|(row, _)| row.uid != uid);
    }

    pub fn uids(&self, at: &str) -> Vec<u32> {
        self.mailboxes[&name(at)].messages.iter().map(|(row, _)| row.uid).collect()
    }

    fn selected(&mut self, id: MailboxId) -> Result<&mut Mailbox, Trouble> {
        self.mailboxes.values_mut().find(|mailbox| mailbox.id == id.0).ok_or(Trouble::NoSuchMailbox)
    }

    fn row(&self, at: &MailboxName) -> Option<MailboxRow> {
        let subscribed = self.subscribed.contains(at);
        let Some(mailbox) = self.mailboxes.get(at) else {
            let counts = Counts::default();
            return subscribed.then(|| MailboxRow {
                name: at.clone(),
                exists: false,
                subscribed,
                special_use: None,
                rights: Rights::NONE,
                counts,
            });
        };
        let count = |flag, set| {
            mailbox.messages.iter().filter(|(row, _)| row.flags.system.contains(flag) == set).count() as u32
        };
        let counts = Counts {
            mailbox: MailboxId(mailbox.id),
            messages: mailbox.messages.len() as u32,
            unseen: count(SystemFlags::SEEN, false),
            deleted: count(SystemFlags::DELETED, true),
            uid_next: mailbox.uid_next,
            uid_validity: mailbox.uid_validity,
            highest_mod_seq: mailbox.mod_seq,
            size_octets: mailbox.messages.iter().map(|(row, _)| row.size_octets).sum(),
        };
        let (name, special_use, rights) = (at.clone(), mailbox.special_use, self.rights_on(at));
        Some(MailboxRow { name, exists: true, subscribed, special_use, rights, counts })
    }

    pub fn answer(&mut self, question: Question, incoming: &mut Incoming) -> Answer {
        match &question {
            Question::Authenticate(claim) => return self.authenticate(claim),
            Question::Salt { .. } => {
                return Answer::Salt(Salt { octets: vec![1; 16], iterations: 4_096, nonce: "s".to_owned() });
            }
            _ => {}
        }
        match self.broken {
            Some(trouble) => Answer::Failed(trouble),
            None => self.try_answer(question, incoming).unwrap_or_else(Answer::Failed),
        }
    }

    fn authenticate(&self, claim: &Claim) -> Answer {
        let right = match claim {
            Claim::Password(it) => it.login == "toto-j" && it.secret.reveal() == "secret",
            Claim::Scram(proof) => proof.login == "toto-j" && proof.proof == [7; 32],
            Claim::Token(_) => false,
        };
        match self.logins.clone() {
            Some(failure) => Answer::NotAuthenticated(failure),
            None if right => Answer::Authenticated { server_signature: Some(b"signed".to_vec()) },
            None => Answer::NotAuthenticated(LoginFailure::Wrong),
        }
    }

    fn try_answer(&mut self, question: Question, incoming: &mut Incoming) -> Result<Answer, Trouble> {
        Ok(match question {
            Question::Authenticate(_) | Question::Salt { .. } => unreachable!("answered before"),
            Question::Watch { .. } => Answer::Done,
            Question::Mailboxes => {
                let names =
                    self.mailboxes.keys().chain(self.subscribed.iter().filter(|n| !self.mailboxes.contains_key(n)));
                Answer::Mailboxes(names.filter_map(|name| self.row(name)).collect())
            }
            Question::Status { name } => {
                Answer::Mailbox(self.row(&name).filter(|row| row.exists).ok_or(Trouble::NoSuchMailbox)?)
            }
            Question::Select { name, .. } => {
                let subscribed = self.subscribed.contains(&name);
                let mailbox = self.mailboxes.get(&name).ok_or(Trouble::NoSuchMailbox)?;
                Answer::Selected(Selection { rights: self.rights_on(&name), ..mailbox.selection(subscribed) })
            }
            Question::Unselect => Answer::Done,
            Question::Refresh { mailbox, since, rows } => Answer::Changed(self.selected(mailbox)?.changes(since, rows)),
            Question::Open { name } => {
                let mailbox = self.mailboxes.get(&name).ok_or(Trouble::NoSuchMailbox)?;
                let index = mailbox.changes(0, true).index.unwrap();
                Answer::Opened(Box::new((mailbox.selection(false), index)))
            }
            Question::Now => {
                self.now_s += self.seconds_pass;
                Answer::Now(self.now_s)
            }
            Question::Copy { mailbox, uids, to } => self.copy(mailbox, &uids, &to)?,
            Question::Move { mailbox, uids, to } => {
                let copied = self.copy(mailbox, &uids, &to)?;
                self.selected(mailbox)?.remove(&uids);
                copied
            }
            Question::Expunge { mailbox, uids } => Answer::Expunged(self.selected(mailbox)?.expunge(&uids)),
            Question::AppendStart { mailbox, flags, internal_date, replaces } => {
                self.mailboxes.get(&mailbox).ok_or(Trouble::NoSuchMailbox)?;
                incoming.complete();
                (incoming.to, incoming.replaces) = (Some(mailbox), replaces);
                incoming.begun.push((flags, internal_date, Vec::new()));
                Answer::Done
            }
            Question::AppendMore { size_octets } => {
                assert!(size_octets <= super::APPEND_OCTETS_MAX);
                Answer::Done
            }
            Question::AppendPart(source) => {
                let octets = self.part(&source).ok_or(Trouble::NoSuchMailbox)?;
                incoming.octets.extend(octets);
                Answer::Done
            }
            Question::AppendEnd => self.append(std::mem::take(incoming))?,
            Question::Compress => Answer::Done,
            Question::Quota { root } if root.is_empty() => self.quota(root),
            Question::Quota { root } => {
                self.mailboxes.get(&name(&root)).ok_or(Trouble::NoSuchMailbox)?;
                self.quota(root)
            }
            Question::QuotaOf { name } => {
                self.mailboxes.get(&name).ok_or(Trouble::NoSuchMailbox)?;
                let others = NAMESPACES.iter().any(|first| name.as_str().starts_with(first));
                self.quota(if others { name.to_string() } else { String::new() })
            }
            Question::DeletedOctets { names } => Answer::Sizes(names.iter().map(|name| self.deleted(name)).collect()),
            other => return self.contents(other),
        })
    }

    /// What messages are and hold, and their flags.
    fn contents(&mut self, question: Question) -> Result<Answer, Trouble> {
        Ok(match question {
            Question::Fetch { mailbox, uids, need } => Answer::Messages(self.selected(mailbox)?.fetch(&uids, need)),
            Question::Octets { mailbox, uid, from, count } => {
                let mailbox = self.selected(mailbox)?;
                let found = mailbox.messages.iter().find(|(row, _)| row.uid == uid);
                let (_, content) = found.ok_or(Trouble::Expunged)?;
                let rest = content.get(from as usize..).unwrap_or_default();
                Answer::Octets(rest[..count.min(rest.len())].to_vec())
            }
            Question::Renderings { mailbox, uids, parts } => {
                Answer::Rendered(self.selected(mailbox)?.renderings(&uids, parts))
            }
            Question::Identities { mailbox, uids } => Answer::Identities(self.selected(mailbox)?.identities(&uids)),
            Question::Keys { mailbox, uids, parts } => {
                Answer::Keys(Box::new(self.selected(mailbox)?.keys(&uids, parts)))
            }
            Question::Candidates { mailbox, texts } => {
                let known_to = self.known_to;
                let mailbox = self.selected(mailbox)?;
                Answer::Candidates(texts.iter().map(|text| mailbox.candidates(text, known_to)).collect())
            }
            Question::Vanished { mailbox, since } => {
                let vanished = &self.selected(mailbox)?.vanished;
                let mut uids: Vec<u32> = vanished.iter().filter(|(at, _)| *at > since).map(|(_, uid)| *uid).collect();
                uids.sort_unstable();
                Answer::Vanished(if uids.len() > NAMED_MAX { Vanished::Many } else { Vanished::Uids(uids) })
            }
            Question::Store { mailbox, uids, change, flags, unchanged_since } => {
                let mailbox = self.selected(mailbox)?;
                let mut stored = Stored::default();
                for uid in uids {
                    let later = |(row, _): &&(Row, Vec<u8>)| unchanged_since.is_some_and(|since| row.mod_seq > since);
                    match mailbox.messages.iter().find(|(row, _)| row.uid == uid).filter(later) {
                        Some(_) => stored.modified.push(uid),
                        None => stored.flagged.extend(mailbox.flag(uid, change, &flags)),
                    }
                }
                Answer::Stored(stored)
            }
            other => return self.others(other),
        })
    }

    fn quota(&self, root: String) -> Answer {
        Answer::Quota(Quota { root, used_octets: 1_025, limit_octets: 10_240 })
    }

    fn deleted(&self, name: &MailboxName) -> u64 {
        let messages = self.mailboxes.get(name).map(|mailbox| mailbox.messages.as_slice()).unwrap_or_default();
        let deleted = messages.iter().filter(|(row, _)| row.flags.system.contains(SystemFlags::DELETED));
        deleted.map(|(row, _)| row.size_octets).sum()
    }

    /// Rights and METADATA.
    fn others(&mut self, question: Question) -> Result<Answer, Trouble> {
        let owner = "toto-j";
        Ok(match question {
            Question::Acl { name } => {
                if self.mailboxes.contains_key(&name) && !self.rights_on(&name).contains(Rights::ADMINISTER) {
                    return Err(Trouble::NoPermission);
                }
                let list = self.mailboxes.get(&name).ok_or(Trouble::NoSuchMailbox)?.list.clone();
                Answer::Acl([(owner.to_owned(), Rights::ALL)].into_iter().chain(list).collect())
            }
            Question::SetAcl { name, identifier, change, rights } => {
                let mailbox = self.mailboxes.get_mut(&name).ok_or(Trouble::NoSuchMailbox)?;
                let entry = mailbox.list.entry(identifier.to_string()).or_default();
                *entry = RightsChange::apply(change, *entry, rights);
                mailbox.list.retain(|_, rights| !rights.is_empty());
                Answer::Done
            }
            Question::MyRights { name } => {
                self.mailboxes.get(&name).ok_or(Trouble::NoSuchMailbox)?;
                Answer::Rights(self.rights_on(&name))
            }
            Question::FixedRights { name, identifier } => {
                self.mailboxes.get(&name).ok_or(Trouble::NoSuchMailbox)?;
                let is_owner = Identifier::parse(owner) == Some(identifier);
                Answer::Rights(if is_owner { Rights::ALL } else { Rights::NONE })
            }
            Question::Metadata { name } => Answer::Metadata(self.metadata(name)?),
            Question::Annotated { since } => {
                let number = self.annotated.len();
                let since = since.map_or(number, |since| since as usize);
                Answer::Annotated { number: number as u64, changed: self.annotated[since..].to_vec() }
            }
            Question::SetMetadata { name, values } => {
                let changed = values.iter().map(|(entry, _)| (name.clone(), entry.to_ascii_lowercase()));
                self.annotated.extend(changed);
                self.set_metadata(name, values)?
            }
            other => return self.admin(other),
        })
    }

    /// What a URL of CATENATE leads to.
    fn part(&self, source: &Source) -> Option<Vec<u8>> {
        let mailbox = match &source.mailbox {
            SourceMailbox::Selected(id) => self.mailboxes.values().find(|mailbox| mailbox.id == id.0)?,
            SourceMailbox::Named { name, uid_validity } => {
                let mailbox = self.mailboxes.get(name)?;
                uid_validity.is_none_or(|validity| validity == mailbox.uid_validity).then_some(mailbox)?
            }
        };
        let (_, content) = mailbox.messages.iter().find(|(row, _)| row.uid == source.uid)?;
        Some(source.places(content)?.into_iter().flat_map(|place| content[place].to_vec()).collect())
    }

    fn append(&mut self, mut incoming: Incoming) -> Result<Answer, Trouble> {
        incoming.complete();
        let Incoming { to, replaces, begun, .. } = incoming;
        if let Some(Replaced { mailbox, uid }) = replaces {
            let old = self.selected(mailbox)?;
            old.messages.iter().find(|(row, _)| row.uid == uid).ok_or(Trouble::Expunged)?;
            old.remove(&[uid]);
        }
        let to = to.ok_or(Trouble::Bug)?;
        let is_readable = self.rights_on(&to).contains(Rights::READ);
        let mailbox = self.mailboxes.get_mut(&to).ok_or(Trouble::NoSuchMailbox)?;
        let added = begun.into_iter().map(|(flags, date, octets)| mailbox.add(octets, flags, date.unwrap_or(ARRIVAL)));
        let uids = added.collect();
        let uid_validity = Some(mailbox.uid_validity).filter(|_| is_readable);
        Ok(Answer::Appended { uid_validity, uids })
    }

    fn metadata(&self, name: Option<MailboxName>) -> Result<Vec<(String, Vec<u8>)>, Trouble> {
        let Some(name) = name else { return Ok(self.server.clone().into_iter().collect()) };
        let mailbox = self.mailboxes.get(&name).ok_or(Trouble::NoSuchMailbox)?;
        let mut entries = mailbox.metadata.clone();
        if let Some(special_use) = mailbox.special_use {
            entries.insert(SPECIAL_USE.into(), special_use.attribute().into());
        }
        Ok(entries.into_iter().collect())
    }

    fn set_metadata(
        &mut self,
        name: Option<MailboxName>,
        values: Vec<(String, Option<Vec<u8>>)>,
    ) -> Result<Answer, Trouble> {
        for (entry, value) in values {
            if let (Some(name), SPECIAL_USE) = (&name, entry.as_str()) {
                let special_use = value.and_then(|value| SpecialUse::named(std::str::from_utf8(&value).ok()?));
                let taken =
                    |(other, mailbox): (&MailboxName, &Mailbox)| other != name && mailbox.special_use == special_use;
                if special_use.is_some() && self.mailboxes.iter().any(taken) {
                    return Err(Trouble::SpecialUseTaken);
                }
                self.mailboxes.get_mut(name).ok_or(Trouble::NoSuchMailbox)?.special_use = special_use;
                continue;
            }
            let entries = match &name {
                None => &mut self.server,
                Some(name) => &mut self.mailboxes.get_mut(name).ok_or(Trouble::NoSuchMailbox)?.metadata,
            };
            match value {
                Some(value) => drop(entries.insert(entry, value)),
                None => drop(entries.remove(&entry)),
            }
        }
        Ok(Answer::Done)
    }

    fn admin(&mut self, question: Question) -> Result<Answer, Trouble> {
        match question {
            Question::Create { name, special_use } => {
                if self.mailboxes.contains_key(&name) {
                    return Err(Trouble::AlreadyExists);
                }
                if special_use.is_some() && self.mailboxes.values().any(|it| it.special_use == special_use) {
                    return Err(Trouble::SpecialUseTaken);
                }
                for parent in name.parents() {
                    self.create(&parent, None);
                }
                self.create(&name, special_use);
                return Ok(Answer::Created(MailboxId(self.ids)));
            }
            Question::Delete { name } => {
                if self.mailboxes.keys().any(|other| other.is_under(&name)) {
                    return Err(Trouble::HasChildren);
                }
                self.mailboxes.remove(&name).ok_or(Trouble::NoSuchMailbox)?;
            }
            Question::Rename { from, to } => {
                if self.mailboxes.contains_key(&to) {
                    return Err(Trouble::AlreadyExists);
                }
                let mailbox = self.mailboxes.remove(&from).ok_or(Trouble::NoSuchMailbox)?;
                self.mailboxes.insert(to, mailbox);
            }
            Question::Subscribe { name, on } => {
                self.subscribed.retain(|each| *each != name);
                if on {
                    self.subscribed.push(name);
                }
            }
            other => panic!("no admin: {other:?}"),
        }
        Ok(Answer::Done)
    }

    fn copy(&mut self, from: MailboxId, uids: &[u32], to: &MailboxName) -> Result<Answer, Trouble> {
        let messages = self.selected(from)?.messages.clone();
        let is_readable = self.rights_on(to).contains(Rights::READ);
        let target = self.mailboxes.get_mut(to).ok_or(Trouble::NoSuchMailbox)?;
        let mut pairs = Vec::new();
        for (row, content) in messages.into_iter().filter(|(row, _)| uids.contains(&row.uid)) {
            pairs.push((row.uid, target.add(content, row.flags, row.internal_date)));
        }
        let uid_validity = Some(target.uid_validity).filter(|_| is_readable);
        Ok(Answer::Copied(Copied { uid_validity, pairs }))
    }
}

impl Mailbox {
    fn add(&mut self, content: Vec<u8>, flags: Flags, internal_date: DateTime) -> u32 {
        self.mod_seq += 1;
        let uid = self.uid_next;
        self.uid_next += 1;
        let size_octets = content.len() as u64;
        self.messages.push((Row { uid, mod_seq: self.mod_seq, flags, size_octets, internal_date }, content));
        uid
    }

    fn flag(&mut self, uid: u32, change: FlagChange, flags: &Flags) -> Option<Flagged> {
        let (row, _) = self.messages.iter_mut().find(|(row, _)| row.uid == uid)?;
        let new = match change {
            FlagChange::Replace => flags.clone(),
            FlagChange::Add => row.flags.with(flags),
            FlagChange::Remove => row.flags.without(flags),
        };
        if new != row.flags {
            self.mod_seq += 1;
            row.mod_seq = self.mod_seq;
            row.flags = new;
        }
        Some(Flagged { uid, mod_seq: row.mod_seq, flags: row.flags.clone() })
    }

    fn remove(&mut self, uids: &[u32]) {
        self.mod_seq += 1;
        let before: Vec<u32> = self.messages.iter().map(|(row, _)| row.uid).collect();
        self.messages.retain(|(row, _)| !uids.contains(&row.uid));
        self.vanished.extend(before.into_iter().filter(|uid| uids.contains(uid)).map(|uid| (self.mod_seq, uid)));
    }

    fn expunge(&mut self, uids: &[u32]) -> Vec<u32> {
        let deleted = self.messages.iter().filter(|(row, _)| row.flags.system.contains(SystemFlags::DELETED));
        let gone: Vec<u32> = deleted.map(|(row, _)| row.uid).filter(|uid| uids.contains(uid)).collect();
        self.remove(&gone);
        gone
    }

    fn selection(&self, subscribed: bool) -> Selection {
        Selection {
            mailbox: MailboxId(self.id),
            special_use: self.special_use,
            subscribed,
            rights: Rights::ALL,
            uid_validity: self.uid_validity,
            uid_next: self.uid_next,
            highest_mod_seq: self.mod_seq,
            messages: self.messages.len() as u32,
            keywords: self.messages.iter().flat_map(|(row, _)| row.flags.keywords.iter().cloned()).collect(),
            first_unseen: self
                .messages
                .iter()
                .position(|(row, _)| !row.flags.system.contains(SystemFlags::SEEN))
                .map(|at| at as u32 + 1),
        }
    }

    fn changes(&self, since: u64, rows: bool) -> Changes {
        let mut index = Index::default();
        index.append(self.messages.iter().map(|(row, _)| row.entry()));
        Changes {
            index: rows.then_some(index),
            rows: self.messages.iter().map(|(row, _)| row.clone()).filter(|row| row.mod_seq > since).collect(),
            vanished: self.vanished.iter().filter(|(mod_seq, _)| *mod_seq > since).map(|(_, uid)| *uid).collect(),
            highest_mod_seq: self.mod_seq,
        }
    }

    fn renderings(&self, uids: &[u32], parts: SummaryParts) -> Renderings {
        let mut found = Renderings { more_from: uids.get(1_000).copied(), ..Renderings::default() };
        for message in self.fetch(&uids[..uids.len().min(1_000)], Need { summary: parts, content: Content::None }) {
            let Summary { envelope, body, body_structure, preview, .. } = message.summary.unwrap_or_default();
            let ends = [envelope, body, body_structure, preview.into_bytes()].map(|text| {
                found.octets.extend(text);
                found.octets.len()
            });
            found.messages.push((message.uid, ends));
        }
        found
    }

    /// Messages with the same octets have the same EMAILID; those with the same subject are one thread.
    fn identities(&self, uids: &[u32]) -> Vec<Identity> {
        let found = self.messages.iter().filter(|(row, _)| uids.contains(&row.uid));
        found
            .map(|(row, content)| Identity {
                uid: row.uid,
                email: EmailId(number_of(content)),
                thread: Some(ThreadId(number_of(summarize(content).subject.as_bytes()))),
                saved_s: ARRIVAL.unix_seconds + i64::from(row.uid),
            })
            .collect()
    }

    fn keys(&self, uids: &[u32], parts: KeyParts) -> Keys {
        let mut keys = Keys::default();
        for (row, content) in self.messages.iter().filter(|(row, _)| uids.contains(&row.uid)) {
            let parsed = summarize(content);
            let bracketed = |ids: &[String]| ids.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join(" ");
            let of = MessageKeys::of(&KeySource {
                envelope: &parsed.envelope_imap,
                subject: &parsed.subject,
                message_id: &parsed.bracketed_id(),
                in_reply_to: &bracketed(&parsed.in_reply_to),
                references: &bracketed(&parsed.references),
                sent_s: parsed.sent.map(|date| date.unix_seconds),
            });
            keys.push(row.uid, &of, parts);
        }
        keys
    }

    fn candidates(&self, text: &str, known_to: u32) -> Candidates {
        assert_eq!(mail::fold(text), text);
        let has = |content: &[u8]| {
            let searched = Searched::of(content);
            searched.header.contains(text) || searched.body.contains(text)
        };
        let found = self.messages.iter().filter(|(row, content)| row.uid <= known_to && has(content));
        Candidates { known_to, maybe: found.map(|(row, _)| row.uid).collect() }
    }

    fn fetch(&self, uids: &[u32], need: Need) -> Vec<Message> {
        let found = self.messages.iter().filter(|(row, _)| uids.contains(&row.uid));
        found
            .map(|(row, content)| {
                let summary = (need.summary != SummaryParts::NONE).then(|| summary(content, need.summary));
                let header = content.windows(4).position(|w| w == b"\r\n\r\n").map_or(content.len(), |at| at + 4);
                let content = match need.content {
                    Content::None => Vec::new(),
                    Content::Header => content[..header].to_vec(),
                    Content::Whole => content.clone(),
                };
                Message { uid: row.uid, summary, content }
            })
            .collect()
    }
}

/// What a store keeps of a message; what is not asked is as if it were not there.
pub fn summary(content: &[u8], asked: SummaryParts) -> Summary {
    let parsed = summarize(content);
    let text = |part, text: String| if asked.contains(part) { text } else { String::new() };
    let octets = |part, octets: Vec<u8>| if asked.contains(part) { octets } else { Vec::new() };
    Summary {
        message_id: text(SummaryParts::MESSAGE_ID, parsed.bracketed_id()),
        envelope: octets(SummaryParts::ENVELOPE, parsed.envelope_imap),
        body_structure: octets(SummaryParts::BODYSTRUCTURE, parsed.bodystructure_imap),
        body: octets(SummaryParts::BODY, parsed.body_imap),
        preview: text(SummaryParts::PREVIEW, parsed.preview),
        whole: parsed.whole.among(asked),
        subject: text(SummaryParts::SUBJECT, parsed.subject),
        from: text(SummaryParts::FROM, parsed.from),
        to: text(SummaryParts::TO, parsed.to),
        cc: text(SummaryParts::CC, parsed.cc),
        bcc: text(SummaryParts::BCC, parsed.bcc),
        sent_s: parsed.sent.map(|date| date.unix_seconds).filter(|_| asked.contains(SummaryParts::DATE)),
    }
}
