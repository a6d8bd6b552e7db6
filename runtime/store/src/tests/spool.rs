//! Spool, quarantine, losses, decisions, rings, settings.

use mail::ReversePath;

use super::*;
use crate::{CommitError, Enqueue, Kept, Loss, NextHop, Quarantined, QueueId, QueueRecipient, Refusal, Ring, Settled};

fn enqueue(n: u8, body: &BodyRef, due: &[i64]) -> Op {
    let recipients = due.iter().enumerate().map(|(at, due_at_s)| QueueRecipient {
        forward_path: format!("r{at}@example.net").parse().unwrap(),
        next_hop: if at == 0 { NextHop::Mx } else { NextHop::Route("smart".to_owned()) },
        due_at_s: *due_at_s,
        facts: vec![n],
    });
    Op::Enqueue(Box::new(Enqueue {
        queue_id: QueueId([n; 16]),
        body: body.clone(),
        reverse_path: ReversePath::Address("a@example.org".parse().unwrap()),
        recipients: recipients.collect(),
        plan: "q7k3m2xw".to_owned(),
        accepted_at_s: 50,
        facts: b"steps".to_vec(),
    }))
}

#[test]
fn mailbox_rows_and_spool_rows_of_one_message_are_one_commit() {
    let folder = Folder::new("spool");
    let store = store_with(&folder, &["a"]);
    let body = store.put_body(&[b"to many"]).unwrap();
    store.commit_wait(vec![deliver(1, &[("a", Target::Inbox)], &body), enqueue(1, &body, &[100, 200])]).unwrap();
    drop((body, store));
    let store = folder.open();
    assert_sound(&store);
    let due = store.queue_due(150, 10).unwrap();
    assert_eq!((due.len(), store.queue_next_due().unwrap()), (1, Some(100)));
    let item = &due[0];
    assert_eq!(item.recipients.len(), 2, "all that wait come along");
    assert_eq!(item.recipients[1].next_hop, NextHop::Route("smart".to_owned()));
    assert_eq!((item.plan.as_str(), &item.facts[..]), ("q7k3m2xw", &b"steps"[..]));
    assert_eq!(store.read_body(&item.body).unwrap(), b"to many");
    // A body that was committed before can be delivered again, as steps that resume do.
    store.commit_wait(vec![deliver(2, &[("a", Target::Inbox)], &item.body)]).unwrap();
    assert_eq!(uids(&store, "a", "INBOX"), [1, 2]);
    assert_sound(&store);
}

#[test]
fn a_message_leaves_the_spool_with_its_last_recipient() {
    let folder = Folder::new("settle");
    let store = store_with(&folder, &["a"]);
    let queue_id = QueueId([1; 16]);
    let body = store.put_body(&[b"to many"]).unwrap();
    store.commit_wait(vec![enqueue(1, &body, &[100, 100])]).unwrap();
    let twice = Refusal::QueueItemExists;
    assert_eq!(store.commit_wait(vec![enqueue(1, &body, &[1])]), Err(CommitError::Refused { op: 0, why: twice }));
    store
        .commit_wait(vec![
            Op::Attempt { queue_id, recipient: 0, at_s: 100, due_at_s: 900, reply: "451 later".to_owned() },
            Op::Settle { queue_id, recipient: 1, outcome: Settled::Delivered },
            Op::Progress { queue_id, facts: b"less".to_vec() },
        ])
        .unwrap();
    assert_eq!(store.queue_due(899, 10).unwrap().len(), 0);
    let item = store.queue_item(queue_id).unwrap().unwrap();
    let waiting = &item.recipients[0];
    assert_eq!((waiting.attempts, waiting.due_at_s, waiting.last_reply.as_str()), (1, 900, "451 later"));
    assert_eq!((item.recipients.len(), &item.facts[..]), (1, &b"less"[..]));
    let settle = |recipient| store.commit_wait(vec![Op::Settle { queue_id, recipient, outcome: Settled::Failed }]);
    let gone = Err(CommitError::Refused { op: 0, why: Refusal::NoSuchQueueItem });
    assert_eq!(settle(1), gone, "settled once");
    settle(0).unwrap();
    assert_eq!((store.queue_count().unwrap(), store.queue_next_due().unwrap()), (0, None));
    assert_eq!(settle(0), gone);
    assert_eq!(
        store.commit_wait(vec![enqueue(2, &body, &[])]),
        Err(CommitError::Refused { op: 0, why: Refusal::NoRecipients })
    );
    assert_sound(&store);
}

#[test]
fn quarantine_keeps_the_message_until_it_is_released() {
    let folder = Folder::new("quarantine");
    let store = store_with(&folder, &["a"]);
    let body = store.put_body(&[b"EICAR"]).unwrap();
    let id = QueueId([9; 16]);
    let quarantined = Quarantined {
        id,
        kind: Kept::Quarantine,
        body: body.clone(),
        why: "virus".to_owned(),
        engine: "one".to_owned(),
        signature: "Eicar".to_owned(),
        reverse_path: ReversePath::Null,
        recipients: vec!["a@example.org".parse().unwrap(), "\"b c\"@example.org".parse().unwrap()],
        facts: vec![1, 2],
        at_s: 5,
    };
    store.commit_wait(vec![Op::Quarantine(Box::new(quarantined.clone()))]).unwrap();
    drop((body, store));
    let store = folder.open();
    assert_sound(&store);
    let kept = store.quarantined(None, 10).unwrap();
    assert_eq!(store.read_body(&kept[0].body).unwrap(), b"EICAR");
    assert_eq!((&kept[0].recipients, kept[0].signature.as_str()), (&quarantined.recipients, "Eicar"));
    assert_eq!(store.quarantined(Some(id), 10).unwrap().len(), 0);
    store.commit_wait(vec![Op::ReleaseQuarantined { id }]).unwrap();
    assert_eq!(store.quarantined(None, 10).unwrap().len(), 0);
    let gone = Err(CommitError::Refused { op: 0, why: Refusal::NoSuchQuarantined });
    assert_eq!(store.commit_wait(vec![Op::ReleaseQuarantined { id }]), gone);
    assert_sound(&store);
}

#[test]
fn records_rings_and_settings_survive_and_the_decision_log_is_bounded() {
    let folder = Folder::new("records");
    let options = Options { decision_rows_max: 3, ..Options::default() };
    let store = Store::open(folder.path(), options).unwrap();
    let loss = Loss {
        kind: "Virus".to_owned(),
        queue_id: QueueId([3; 16]),
        reverse_path: ReversePath::Null,
        recipient: "a@example.org".to_owned(),
        reason: "Eicar".to_owned(),
        at_s: 9,
    };
    let ring = |key: &[u8], ticks: &[u8]| Ring { key: key.to_vec(), ticks: ticks.to_vec() };
    store
        .commit_wait(vec![
            Op::RecordLoss(Box::new(loss.clone())),
            Op::FlushRings(vec![ring(b"a", b"123"), ring(b"b", b"4")]),
            Op::FlushRings(vec![ring(b"b", b""), ring(b"a", b"1234")]),
            Op::Setting { key: "tick".to_owned(), value: Some(b"7".to_vec()) },
        ])
        .unwrap();
    for n in 0..10 {
        store.commit_wait(vec![Op::LogDecision { at_s: n, row: format!("row {n}") }]).unwrap();
    }
    drop(store);
    let store = folder.open();
    assert_eq!(store.losses(10).unwrap(), [loss]);
    assert_eq!(store.load_rings().unwrap(), [ring(b"a", b"1234")]);
    assert_eq!(store.setting("tick").unwrap().as_deref(), Some(&b"7"[..]));
    assert_eq!(store.settings("ti", "", 9).unwrap(), [("tick".to_owned(), b"7".to_vec())]);
    assert_eq!(store.settings("tick/", "", 9).unwrap(), []);
    let rows: Vec<i64> = store.decisions(10).unwrap().into_iter().map(|(at, _)| at).collect();
    assert_eq!(rows, [9, 8, 7]);
}
