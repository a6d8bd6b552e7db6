//! Out and in again.

use std::sync::atomic::Ordering;

use proptest::prelude::*;

use super::*;
use crate::operate::{Compact, Problem, StatsOf, Verify};

const MAILBOXES: [&str; 5] = ["INBOX", "Envoyés", "Projets/2026.x", "a/../b", "INBOX/Listes"];

fn content() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("From a Fri Nov 21 09:55:06 1997".to_owned()),
        Just(String::new()),
        Just("Status: RO".to_owned()),
        "[ -~\r\0\u{e9}]{0,12}",
    ];
    (proptest::collection::vec(line, 0..6), any::<bool>()).prop_map(|(lines, ended)| {
        let text = lines.join("\r\n") + if ended { "\r\n" } else { "" };
        text.into_bytes()
    })
}

fn mails() -> impl Strategy<Value = Vec<(usize, Mail)>> {
    let words = proptest::collection::btree_set("[a-z$]{1,3}", 0..3);
    let one = (0..MAILBOXES.len(), content(), 0..32_u8, words, 0..4_000_000_000_i64);
    let made = one.prop_map(|(mailbox, octets, bits, words, seconds)| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        (mailbox, Mail { octets, flags: flags(bits, &words), seconds })
    });
    proptest::collection::vec(made, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_account_comes_back_with_its_octets_flags_and_dates(mails in mails()) {
        let house = House::new();
        for (mailbox, mail) in &mails {
            house.append("one", MAILBOXES[*mailbox], mail);
        }
        for (layout, name) in [(Layout::Maildir, "maildir"), (Layout::Mbox, "mbox")] {
            let exported = house.export("one", None, &house.place(name), layout).unwrap();
            prop_assert_eq!((exported.messages, exported.problems.count()), (mails.len() as u64, 0));
            // An account as it was never used.
            for mailbox in house.mailboxes("two") {
                let op = Op::Expunge { mailbox: mailbox.id, which: store::Expunged::Exactly(store::UidSet::all()) };
                house.store().commit_wait(vec![op]).unwrap();
            }
            let imported = house.import("two", None, &house.place(name)).unwrap();
            prop_assert_eq!((imported.messages, imported.present), (mails.len() as u64, 0));
            for mailbox in MAILBOXES {
                prop_assert_eq!(house.mails("two", mailbox), house.mails("one", mailbox), "{} {}", name, mailbox);
            }
            let again = house.import("two", None, &house.place(name)).unwrap();
            prop_assert_eq!((again.messages, again.present), (0, mails.len() as u64));
        }
        prop_assert_eq!(house.run(Verify {}).unwrap().findings, Vec::<String>::new());
    }
}

#[test]
fn one_mailbox_goes_out_and_into_another_one() {
    let house = House::new();
    let kept =
        Mail { octets: b"Subject: a\r\n\r\nFrom me\r\n".to_vec(), flags: flags(5, &["x"]), seconds: 1_000_000_000 };
    house.append("one", "Projets", &kept);
    house.append("one", "INBOX", &mail(b"other\r\n"));
    for (layout, name) in [(Layout::Maildir, "maildir"), (Layout::Mbox, "one.mbox")] {
        house.export("one", Some("Projets"), &house.place(name), layout).unwrap();
        let into = format!("Venus/{name}");
        let imported = house.import("two", Some(&into), &house.place(name)).unwrap();
        assert_eq!((imported.messages, imported.mailboxes_created), (1, 1));
        assert_eq!(house.mails("two", &into), std::slice::from_ref(&kept));
    }
    assert_eq!(house.mails("two", "INBOX"), []);
}

#[test]
fn as_many_copies_come_in_as_the_source_has_and_the_mailbox_lacks() {
    let house = House::new();
    let twin = mail(b"Subject: twice\r\n\r\nsame\r\n");
    for _ in 0..3 {
        house.append("one", "INBOX", &twin);
    }
    house.append("two", "INBOX", &Mail { flags: flags(1, &[]), ..twin.clone() });
    house.export("one", None, &house.place("out"), Layout::Maildir).unwrap();
    let imported = house.import("two", None, &house.place("out")).unwrap();
    assert_eq!((imported.messages, imported.present), (2, 1));
    assert_eq!(house.mails("two", "INBOX")[0].flags, flags(1, &[]), "what was there keeps its flags");
}

#[test]
fn what_does_not_fit_into_the_quota_is_named_and_the_rest_comes_in() {
    let house = House::new();
    for size in [400, 700, 500, 100, 1] {
        house.append("one", "INBOX", &mail(&vec![b'x'; size]));
    }
    house.export("one", None, &house.place("out"), Layout::Maildir).unwrap();
    house.quota("two", 1_000);
    let imported = house.import("two", None, &house.place("out")).unwrap();
    let sizes: Vec<usize> = house.mails("two", "INBOX").iter().map(|mail| mail.octets.len()).collect();
    assert_eq!((sizes, imported.octets), (vec![400, 500, 100], 1_000));
    let left: Vec<(u64, u64)> = imported
        .problems
        .told
        .iter()
        .map(|problem| match problem {
            Problem::OverQuota { octets, left_octets, .. } => (*octets, *left_octets),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(left, [(700, 600), (1, 0)]);
    let usage = house.store().usage(&Login::new("two").unwrap()).unwrap();
    assert_eq!((usage.used_octets, usage.messages), (1_000, 3));
}

#[test]
fn lines_that_end_with_lf_alone_are_counted_and_come_back_with_crlf() {
    let house = House::new();
    house.append("one", "INBOX", &mail(b"a\r\nb\nc\r\n"));
    let exported = house.export("one", None, &house.place("out"), Layout::Maildir).unwrap();
    assert_eq!(exported.not_carried.bare_line_feeds, 1);
    house.import("two", None, &house.place("out")).unwrap();
    assert_eq!(house.mails("two", "INBOX")[0].octets, b"a\r\nb\r\nc\r\n");
}

#[test]
fn subscriptions_go_along() {
    let house = House::new();
    for mailbox in ["Lu", "Non lu"] {
        house.create("one", mailbox);
    }
    let (login, name) = (Login::new("one").unwrap(), MailboxName::new("Non lu").unwrap());
    house.store().commit_wait(vec![Op::Unsubscribe { login, name }]).unwrap();
    house.export("one", None, &house.place("out"), Layout::Maildir).unwrap();
    house.import("two", None, &house.place("out")).unwrap();
    let subscribed = |login: &str| house.store().subscriptions(&Login::new(login).unwrap()).unwrap();
    assert_eq!(subscribed("two"), subscribed("one"));
    assert_eq!(house.mailboxes("two").len(), 3);
}

#[test]
fn statistics_name_who_uses_most_and_count_what_is_dead() {
    let house = House::new();
    house.append("two", "INBOX", &mail(&[b'x'; 5_000]));
    house.append("one", "INBOX", &mail(&[b'x'; 4_000]));
    let stats = house.run(StatsOf { top: 1 }).unwrap();
    assert_eq!((stats.people, stats.messages, stats.used_octets, stats.bodies), (2, 2, 9_000, 2));
    let names: Vec<&str> = stats.top.iter().map(|account| account.login.as_str()).collect();
    assert_eq!(names, ["two"]);
    assert!(stats.free_octets > 0 && stats.segment_octets >= 9_000 && stats.dead_octets < 1_000);
    let mailbox = house.mailboxes("two")[0].id;
    let which = store::Expunged::Exactly(store::UidSet::all());
    house.store().commit_wait(vec![Op::Expunge { mailbox, which }]).unwrap();
    let dead = house.run(StatsOf { top: 1 }).unwrap().dead_octets;
    assert!((5_000..6_000).contains(&dead), "{dead}");
    // The segment written into now stays; the next store has another.
    let compacted = house.run(Compact { keep_s: 0 }).unwrap();
    assert_eq!((compacted.bodies, compacted.octets_moved), (1, 0));
}

#[test]
fn the_audit_has_who_did_what() {
    let house = House::new();
    house.append("one", "INBOX", &mail(b"a\r\n"));
    house.export("one", None, &house.place("out"), Layout::Maildir).unwrap();
    house.import("two", None, &house.place("out")).unwrap();
    let entries = house.store().audit(10).unwrap();
    let said: Vec<&str> = entries.iter().map(|(_, _, what)| what.as_str()).collect();
    let out = house.place("out").canonicalize().unwrap();
    let out = out.display();
    assert_eq!(
        said,
        [
            format!("import of 1 messages into the mail of two from {out}"),
            format!("export of all mailboxes of one to {out}")
        ]
    );
    assert!(entries.iter().all(|(_, who, _)| *who == Who::this_process().to_string()));
}

#[test]
fn work_nobody_waits_for_any_more_stops() {
    let house = House::new();
    house.append("one", "INBOX", &mail(b"a\r\n"));
    house.export("one", None, &house.place("whole"), Layout::Maildir).unwrap();
    house.context.stop.store(true, Ordering::Relaxed);
    let stopped = house.export("one", Some("INBOX"), &house.place("part.mbox"), Layout::Mbox);
    assert_eq!(stopped, Err(OperateError::Interrupted));
    assert!(!house.place("part.mbox").exists() && !house.place("part.mbox.new").exists());
    assert_eq!(house.import("two", None, &house.place("whole")), Err(OperateError::Interrupted));
    assert_eq!(house.mails("two", "INBOX"), []);
}
