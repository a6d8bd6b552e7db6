//! What is learned: whatever is taught, forgotten, imported and counted afresh, the counts are those of what is taught.

use std::collections::BTreeMap;

use proptest::prelude::*;
use store::{Kept, Op, TokenCounts};

use super::super::spam::{ALL, BASE};
use super::super::{
    DecideSpam, DecidedSpam, ExportCounts, ForgetSpam, ImportCounts, Judged, ListTaught, OperateError, RecountSpam,
    ShowSpam, SpamQueue, StatsOfSpam, TeachSpam,
};
use super::House;
use crate::signing::Seal;
use crate::teaching::facts::{Integrity, Proposal, Proposer, Way, written};
use crate::teaching::find::{Located, hash};
use crate::teaching::learned::{MESSAGES, TOKENS_VERSION, tokens};
use crate::teaching::{kept, report};

/// A message of some words; equal numbers are equal messages.
fn message(number: u8) -> Vec<u8> {
    let words = ["money", "offer", "meeting", "seminar", "pills", "invoice", "university", "free"];
    let text: Vec<&str> = (0..8).filter(|bit| number >> bit & 1 == 1).map(|bit| words[bit]).collect();
    format!(
        "From: a@a.example\r\nSubject: number {number}\r\nMessage-ID: <{number}@a.example>\r\n\r\nx{number} {}\r\n",
        text.join(" ")
    )
    .into_bytes()
}

fn facts(number: u8, spam: bool, who: &str) -> Proposal {
    let located = Located { integrity: Integrity::Intact, ours: true, octets: message(number), ..Located::default() };
    report::described(&located, Proposer { name: who.to_owned(), proved: true }, Way::Report, spam)
}

impl House {
    /// Puts a proposal into the queue, under an id made of the number and who proposes it.
    fn propose(&self, number: u8, who: u8, facts: &Proposal) -> String {
        let id = store::QueueId([number, who, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        let seal = Seal::of(&self.context.data).unwrap();
        let body = kept::body(self.store(), &seal, id, &message(number)).unwrap();
        let row = kept::row(id, Kept::Proposal, body, written(facts), i64::from(who));
        self.store().commit_wait(vec![Op::Quarantine(Box::new(row))]).unwrap();
        id.to_string()
    }

    fn decide(&self, id: &str, accept: bool, judged: Option<Judged>) -> Result<DecidedSpam, OperateError> {
        self.run(DecideSpam { id: id.to_owned(), accept, judged, only: true, by: None })
    }

    fn counts(&self, bucket: u32) -> BTreeMap<u64, TokenCounts> {
        self.store().statistics(bucket, None, 100_000).unwrap().into_iter().collect()
    }

    fn taught(&self, number: u8) -> String {
        let id = kept::taught_id(&crate::teaching::facts::Octets(hash(&message(number)).to_vec()));
        id.to_string()
    }
}

/// What the counts should be: of each message that is taught, and of what was imported.
fn wanted(taught: &BTreeMap<u8, bool>, base: &BTreeMap<u64, TokenCounts>) -> BTreeMap<u64, TokenCounts> {
    let mut counts = base.clone();
    for (number, spam) in taught {
        for token in [MESSAGES].into_iter().chain(tokens(&message(*number))) {
            let one = counts.entry(token).or_default();
            *(if *spam { &mut one.spam } else { &mut one.ham }) += 1;
        }
    }
    counts
}

#[derive(Clone, Debug)]
enum Act {
    Accept(u8, bool),
    Reject(u8),
    Forget(u8),
    Retrain,
    /// Export and import what is there.
    Carry,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let number = 0..12_u8;
    let act = prop_oneof![
        6 => (number.clone(), any::<bool>()).prop_map(|(number, spam)| Act::Accept(number, spam)),
        1 => number.clone().prop_map(Act::Reject),
        3 => number.prop_map(Act::Forget),
        1 => Just(Act::Retrain),
        1 => Just(Act::Carry),
    ];
    proptest::collection::vec(act, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn the_counts_are_those_of_what_is_taught_whatever_happened_before(acts in acts()) {
        let house = House::new();
        let (mut taught, mut base) = (BTreeMap::new(), BTreeMap::new());
        for (at, act) in acts.into_iter().enumerate() {
            match act {
                Act::Accept(number, spam) => {
                    let id = house.propose(number, at as u8, &facts(number, spam, "one"));
                    let done = house.decide(&id, true, None).unwrap();
                    let known = taught.insert(number, spam) == Some(spam);
                    prop_assert_eq!((done.taught.len(), done.known, done.closed), (usize::from(!known), u64::from(known), 1));
                }
                Act::Reject(number) => {
                    let id = house.propose(number, at as u8, &facts(number, true, "one"));
                    prop_assert_eq!(house.decide(&id, false, None).unwrap().closed, 1);
                }
                Act::Forget(number) => {
                    let forgot = house.run(ForgetSpam { id: house.taught(number), by: None });
                    prop_assert_eq!(forgot.is_ok(), taught.remove(&number).is_some());
                }
                Act::Retrain => prop_assert_eq!(house.run(RecountSpam { by: None }).unwrap().changed, 0),
                Act::Carry => {
                    let file = house.place(&format!("counts-{at}"));
                    let before = house.counts(ALL);
                    house.run(ExportCounts { file: file.clone() }).unwrap();
                    house.run(ImportCounts { file, by: None }).unwrap();
                    prop_assert_eq!(&house.counts(BASE), &before, "a file carries all there is");
                    base = before;
                }
            }
            prop_assert_eq!(house.counts(ALL), wanted(&taught, &base));
        }
        let left = house.run(SpamQueue {}).unwrap();
        prop_assert!(left.is_empty());
    }
}

#[test]
fn a_case_shows_who_reported_it_and_is_decided_at_once() {
    let house = House::new();
    let first = house.propose(7, 1, &Proposal { delivery: "d1".into(), received: 3, ..facts(7, true, "jean") });
    house.propose(7, 2, &Proposal { delivery: "d1".into(), received: 3, ..facts(7, true, "paul\u{1b}[1m") });
    house.propose(9, 3, &facts(9, false, "anna"));
    let cases = house.run(SpamQueue {}).unwrap();
    assert_eq!(cases.len(), 2);
    let case = &cases[0];
    assert_eq!((case.id.as_str(), case.proposals, case.received, case.proposed), (&*first, 2, 3, Some(Judged::Spam)));
    assert_eq!(case.proposers, ["jean", "paul[1m"]);
    assert_eq!((case.subject.as_str(), case.integrity.as_str()), ("number 7", "intact"));
    let shown = house.run(ShowSpam { id: first.clone() }).unwrap();
    assert!(
        shown.text.contains("x7 money offer meeting") && shown.fields.iter().any(|line| line == "Subject: number 7")
    );
    assert_eq!(shown.each.len(), 2);
    let all = DecideSpam { id: first.clone(), accept: true, judged: None, only: false, by: None };
    let done = house.run(all.clone()).unwrap();
    assert_eq!((done.taught, done.closed), (vec![house.taught(7)], 2));
    assert!(matches!(house.run(all), Err(OperateError::NoSuchMessage { .. })), "a case is decided once");
    let listed = house.run(ListTaught { after: None }).unwrap();
    assert_eq!((listed.len(), listed[0].judged, listed[0].proposers.len()), (1, Judged::Spam, 2));
    let audit = house.store().audit(9).unwrap();
    assert!(audit.iter().any(|(_, _, what)| what.contains("taught message") && what.contains("jean")), "{audit:?}");
    assert_eq!(house.run(StatsOfSpam {}).unwrap().spam, 1);
}

#[test]
fn what_is_disputed_or_altered_is_not_learned_by_itself() {
    let house = House::new();
    let disputed = house.propose(1, 1, &facts(1, true, "jean"));
    house.propose(1, 2, &facts(1, false, "paul"));
    assert!(matches!(house.decide(&disputed, true, None), Err(OperateError::BadRequest { .. })));
    assert_eq!(house.decide(&disputed, true, Some(Judged::Ham)).unwrap().closed, 2);
    let altered = Proposal {
        integrity: Integrity::Altered(vec!["the body was changed".into()]),
        ours: false,
        ..facts(2, true, "jean")
    };
    let id = house.propose(2, 3, &altered);
    assert!(matches!(house.decide(&id, true, Some(Judged::Spam)), Err(OperateError::BadRequest { .. })));
    let case = &house.run(SpamQueue {}).unwrap()[0];
    assert_eq!(case.integrity, "altered: the body was changed");
    assert!(!case.unusable.is_empty());
    assert_eq!(house.decide(&id, false, None).unwrap().closed, 1);
}

#[test]
fn nothing_is_added_to_counts_that_are_not_whole_and_a_recount_mends_them() {
    let house = House::new();
    for number in 1..5 {
        let id = house.propose(number, number, &facts(number, number % 2 == 0, "jean"));
        house.decide(&id, true, None).unwrap();
    }
    let right = house.counts(ALL);
    // A crash in the middle of a recount.
    let half: Vec<_> = right
        .iter()
        .take(3)
        .map(|(token, one)| store::TokenCount { token: *token, spam: -(one.spam as i32), ham: 5 })
        .collect();
    let state = format!("{{\"tokens_version\":{TOKENS_VERSION},\"recounting\":true}}").into_bytes();
    let setting = Op::Setting { key: "spam/counts".into(), value: Some(state) };
    house.store().commit_wait(vec![Op::CountTokens { bucket: ALL, tokens: half }, setting]).unwrap();
    let id = house.propose(9, 9, &facts(9, true, "jean"));
    assert!(matches!(house.decide(&id, true, None), Err(OperateError::Refused { .. })));
    assert!(matches!(house.run(ForgetSpam { id: house.taught(1), by: None }), Err(OperateError::Refused { .. })));
    assert!(!house.run(StatsOfSpam {}).unwrap().trouble.is_empty());
    let done = house.run(RecountSpam { by: None }).unwrap();
    assert!(done.messages == 4 && done.changed > 0);
    assert_eq!(house.counts(ALL), right);
    house.decide(&id, true, None).unwrap();
}

#[test]
fn a_collection_is_taught_once_and_a_file_of_counts_is_believed_only_whole() {
    let house = House::new();
    let folder = house.place("ham");
    std::fs::create_dir(&folder).unwrap();
    for number in 0..3 {
        std::fs::write(folder.join(format!("{number}.eml")), message(number)).unwrap();
    }
    std::os::unix::fs::symlink("/etc/hostname", folder.join("link")).unwrap();
    std::fs::write(folder.join("empty"), b"").unwrap();
    let teach = |from| house.run(TeachSpam { judged: Judged::Ham, from, by: None }).unwrap();
    let done = teach(folder.clone());
    assert_eq!((done.taught, done.known, done.problems.count()), (3, 0, 2));
    let mut mbox = Vec::new();
    for number in 1..5 {
        mail::archive::mbox::write(&message(number), &mail::Flags::default(), mail::date::DateTime::utc(0), &mut mbox);
    }
    std::fs::write(house.place("mbox"), &mbox).unwrap();
    let done = teach(house.place("mbox"));
    assert_eq!((done.taught, done.known), (2, 2), "a message is the same in a folder and in an mbox");
    let file = house.place("counts");
    let moved = house.run(ExportCounts { file: file.clone() }).unwrap();
    assert_eq!((moved.spam, moved.ham), (0, 5));
    assert!(matches!(house.run(ExportCounts { file: file.clone() }), Err(OperateError::NotEmpty { .. })));
    let text = std::fs::read_to_string(&file).unwrap();
    let before = house.counts(ALL);
    let cut = text.lines().take(3).map(|line| format!("{line}\n")).collect::<String>();
    let other = [
        text.replace("\"tokens_version\":", "\"tokens_version\":9"),
        text.replacen(",0,1]", ",0,2]", 1),
        text.replacen("\"ham\":5", "\"ham\":1", 1),
        text.replacen("\"ham\":5", "\"ham\":4294967295", 1),
        cut,
        "[]".to_owned(),
        String::new(),
    ];
    for bad in other {
        assert_ne!(bad, text);
        std::fs::write(house.place("bad"), bad).unwrap();
        assert!(house.run(ImportCounts { file: house.place("bad"), by: None }).is_err());
        assert_eq!(house.counts(ALL), before);
    }
    let empty = House::new();
    empty.run(ImportCounts { file, by: None }).unwrap();
    assert_eq!(empty.counts(ALL), before, "another server has learned the same");
}
