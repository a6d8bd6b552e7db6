//! Random ops against a model so simple that it cannot be wrong, with restarts between.

use std::collections::BTreeMap;

use mail::{Flags, Keyword};
use proptest::prelude::*;

use super::*;
use crate::{Expunged, FlagMode, SetFlags, UidSet};

const MAILBOXES: [&str; 3] = ["INBOX", "Corbeille", "Indésirables"];

#[derive(Clone, Debug)]
enum Step {
    Deliver { to: usize, flags: Flags },
    Flag { at: usize, uids: Vec<u32>, mode: FlagMode, flags: Flags, unchanged_since: Option<u64> },
    Copy { from: usize, uids: Vec<u32>, to: usize },
    Move { from: usize, uids: Vec<u32>, to: usize },
    Expunge { at: usize, among: Option<Vec<u32>> },
    Restart,
}

fn flags() -> impl Strategy<Value = Flags> {
    (0u8..32, prop::collection::btree_set("[ab]", 0..3)).prop_map(|(bits, words)| Flags {
        system: SystemFlags::from_bits(bits),
        keywords: words.iter().map(|word| Keyword::new(word).unwrap()).collect(),
    })
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0..MAILBOXES.len();
    let uids = || prop::collection::vec(1u32..20, 0..8);
    let mode = prop_oneof![Just(FlagMode::Add), Just(FlagMode::Remove), Just(FlagMode::Replace)];
    prop_oneof![
        6 => (at(), flags()).prop_map(|(to, flags)| Step::Deliver { to, flags }),
        5 => (at(), uids(), mode, flags(), prop::option::of(0u64..30))
            .prop_map(|(at, uids, mode, flags, unchanged_since)| Step::Flag { at, uids, mode, flags, unchanged_since }),
        3 => (at(), uids(), at()).prop_map(|(from, uids, to)| Step::Copy { from, uids, to }),
        2 => (at(), uids(), at()).prop_map(|(from, uids, to)| Step::Move { from, uids, to }),
        2 => (at(), prop::option::of(uids())).prop_map(|(at, among)| Step::Expunge { at, among }),
        1 => Just(Step::Restart),
    ]
}

/// One mailbox of the model: UID to (flags, MODSEQ, which message), and what went at which MODSEQ.
#[derive(Clone, Debug)]
struct Simple {
    messages: BTreeMap<u32, (Flags, u64, usize)>,
    gone: Vec<(u64, u32)>,
    uidnext: u32,
    modseq: u64,
}

impl Simple {
    fn add(&mut self, flags: Flags, modseq: u64, text: usize) {
        self.messages.insert(self.uidnext, (flags, modseq, text));
        self.uidnext += 1;
        self.modseq = modseq;
    }

    fn remove(&mut self, uids: Vec<u32>) {
        if !uids.is_empty() {
            self.modseq += 1;
        }
        for uid in uids {
            self.messages.remove(&uid);
            self.gone.push((self.modseq, uid));
        }
    }
}

struct Model {
    mailboxes: Vec<Simple>,
    delivered: usize,
}

impl Model {
    fn apply(&mut self, step: &Step) {
        match step {
            Step::Deliver { to, flags } => {
                let modseq = self.mailboxes[*to].modseq + 1;
                self.mailboxes[*to].add(flags.clone(), modseq, self.delivered);
                self.delivered += 1;
            }
            Step::Flag { at, uids, mode, flags, unchanged_since } => {
                self.flag(*at, uids, *mode, flags, *unchanged_since);
            }
            Step::Copy { from, uids, to } => drop(self.copy(*from, uids, *to)),
            Step::Move { from, uids, to } => {
                let moved = self.copy(*from, uids, *to);
                self.mailboxes[*from].remove(moved);
            }
            Step::Expunge { at, among } => {
                let mailbox = &mut self.mailboxes[*at];
                let going = mailbox.messages.iter().filter(|(uid, (flags, _, _))| {
                    flags.system.contains(SystemFlags::DELETED) && among.as_ref().is_none_or(|set| set.contains(uid))
                });
                let going = going.map(|(uid, _)| *uid).collect();
                mailbox.remove(going);
            }
            Step::Restart => {}
        }
    }

    fn flag(&mut self, at: usize, uids: &[u32], mode: FlagMode, flags: &Flags, unchanged_since: Option<u64>) {
        let mailbox = &mut self.mailboxes[at];
        let modseq = mailbox.modseq + 1;
        for (uid, (now, changed, _)) in &mut mailbox.messages {
            if !uids.contains(uid) || unchanged_since.is_some_and(|since| *changed > since) {
                continue;
            }
            let next = match mode {
                FlagMode::Add => now.with(flags),
                FlagMode::Remove => now.without(flags),
                FlagMode::Replace => flags.clone(),
            };
            if next != *now {
                (*now, *changed, mailbox.modseq) = (next, modseq, modseq);
            }
        }
    }

    fn copy(&mut self, from: usize, uids: &[u32], to: usize) -> Vec<u32> {
        let source = self.mailboxes[from].messages.clone();
        let modseq = self.mailboxes[to].modseq + 1;
        let copied = source.into_iter().filter(|(uid, _)| uids.contains(uid));
        copied
            .map(|(uid, (flags, _, text))| {
                self.mailboxes[to].add(flags, modseq, text);
                uid
            })
            .collect()
    }
}

fn op(step: &Step, ids: &[MailboxId], store: &Store, n: usize) -> Option<Op> {
    let set = |uids: &[u32]| uids.iter().copied().collect::<UidSet>();
    Some(match step {
        Step::Deliver { to, flags } => {
            let body = store.put_body(&[format!("message {n}").as_bytes()]).unwrap();
            let Op::Deliver(mut op) = deliver(n as u64, &[("a", Target::Mailbox(name(MAILBOXES[*to])))], &body) else {
                return None;
            };
            op.flags = flags.clone();
            Op::Deliver(op)
        }
        Step::Flag { at, uids, mode, flags, unchanged_since } => Op::SetFlags(Box::new(SetFlags {
            mailbox: ids[*at],
            uids: set(uids),
            mode: *mode,
            flags: flags.clone(),
            unchanged_since: *unchanged_since,
        })),
        Step::Copy { from, uids, to } => Op::Copy { from: ids[*from], uids: set(uids), to: ids[*to] },
        Step::Move { from, uids, to } => Op::Move { from: ids[*from], uids: set(uids), to: ids[*to] },
        Step::Expunge { at, among } => {
            let which = among.as_ref().map_or(Expunged::Deleted, |uids| Expunged::DeletedAmong(set(uids)));
            Op::Expunge { mailbox: ids[*at], which }
        }
        Step::Restart => return None,
    })
}

fn compare(store: &Store, model: &Model, since: u64) {
    for (at, simple) in model.mailboxes.iter().enumerate() {
        let selected = store.select(&login("a"), &name(MAILBOXES[at])).unwrap().unwrap();
        let rows: Vec<_> = selected.messages.iter().map(|m| (m.uid, (m.flags.clone(), m.modseq))).collect();
        let expected: Vec<_> = simple.messages.iter().map(|(uid, m)| (*uid, (m.0.clone(), m.1))).collect();
        assert_eq!(rows, expected, "{}", MAILBOXES[at]);
        let (info, count) = (&selected.mailbox, |flag| expected.iter().filter(|m| m.1.0.system.contains(flag)).count());
        assert_eq!((info.uidnext, info.highestmodseq), (simple.uidnext, simple.modseq));
        assert_eq!(info.counts.messages as usize, expected.len());
        assert_eq!(info.counts.unseen as usize, expected.len() - count(SystemFlags::SEEN));
        assert_eq!(info.counts.deleted as usize, count(SystemFlags::DELETED));
        let changes = store.changes_since(info.id, since).unwrap().unwrap();
        let changed: Vec<u32> = changes.messages.iter().map(|m| m.uid).collect();
        let expected: Vec<u32> = simple.messages.iter().filter(|(_, m)| m.1 > since).map(|(uid, _)| *uid).collect();
        assert_eq!(changed, expected, "changes since {since}");
        let mut gone: Vec<u32> = simple.gone.iter().filter(|(modseq, _)| *modseq > since).map(|g| g.1).collect();
        gone.sort_unstable();
        assert_eq!(changes.vanished, gone);
        if let Some((uid, message)) = simple.messages.last_key_value() {
            assert_eq!(body_text(store, info.id, *uid), format!("message {}", message.2));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_simple_model_does(steps in prop::collection::vec(step(), 1..50), since in 0u64..30) {
        let folder = Folder::new("model");
        let mut store = store_with(&folder, &["a"]);
        let id = |at: &str| store.mailbox(&login("a"), &name(at)).unwrap().unwrap().id;
        let ids = MAILBOXES.map(id);
        let empty = Simple { messages: BTreeMap::new(), gone: Vec::new(), uidnext: 1, modseq: 1 };
        let mut model = Model { mailboxes: vec![empty; MAILBOXES.len()], delivered: 0 };
        for step in &steps {
            match op(step, &ids, &store, model.delivered) {
                Some(op) => drop(store.commit_wait(vec![op]).unwrap()),
                None => {
                    drop(store);
                    store = folder.open();
                }
            }
            model.apply(step);
        }
        compare(&store, &model, since);
        assert_sound(&store);
    }
}
