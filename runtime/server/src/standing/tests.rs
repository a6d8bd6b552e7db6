use std::path::PathBuf;

use mail::{Person, ReversePath};
use queue::MessageFacts;
use store::{Enqueue, NextHop, Origin, QueueId, QueueRecipient};

use super::*;

/// A store of its own with one person, gone when it is dropped.
struct House {
    folder: PathBuf,
    store: Store,
    login: Login,
}

impl House {
    fn new(name: &str) -> House {
        let folder = std::env::temp_dir().join(format!("facteur-standing-{name}-{}", std::process::id()));
        let store = Store::open(&folder, store::Options::default()).unwrap();
        let login = Login::new("toto-j").unwrap();
        let person = Person {
            login: login.clone(),
            first: "Jean".into(),
            last: "Toto".into(),
            address: "jean.toto@univ-nantes.fr".parse().unwrap(),
            profile: "standard".into(),
            unit: String::new(),
            home: None,
            quota_octets: 1_000,
        };
        let origin = Origin { until: "2026-11-30".into(), ..Origin::default() };
        let person = Op::UpsertPerson {
            person: Box::new(person),
            verifier: Some("$old".into()),
            mailboxes: Vec::new(),
            origin: Some(origin),
        };
        store.commit_wait(vec![person]).unwrap();
        House { folder, store, login }
    }

    fn enqueue(&self, number: u8, login: &str) -> QueueId {
        let facts = MessageFacts { login: Some(login.to_owned()), ..MessageFacts::default() };
        let queue_id = QueueId([number; 16]);
        let enqueue = Enqueue {
            queue_id,
            body: self.store.put_body(&[b"x"]).unwrap(),
            reverse_path: ReversePath::Null,
            recipients: vec![QueueRecipient {
                forward_path: "a@elsewhere.example".parse().unwrap(),
                next_hop: NextHop::Mx,
                due_at_s: 1,
                facts: Vec::new(),
            }],
            plan: String::new(),
            accepted_at_s: 1,
            facts: queue::facts::written(&facts),
        };
        self.store.commit_wait(vec![Op::Enqueue(Box::new(enqueue))]).unwrap();
        queue_id
    }

    fn facts(&self, id: QueueId) -> MessageFacts {
        queue::facts::read(&self.store.queue_item(id).unwrap().unwrap().facts)
    }

    fn verifier(&self) -> String {
        self.store.person(&self.login).unwrap().unwrap().verifier.unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn lock(until_s: Option<i64>) -> Lock {
    Lock { because: "many strangers".into(), rule: "compromise.x".into(), by: "guard".into(), at_s: 5, until_s }
}

#[test]
fn what_is_changed_is_in_memory_and_in_the_store_and_has_somebody_look() {
    let house = House::new("change");
    let standings = Standings::load(&house.store).unwrap();
    assert_eq!(*standings.of(&house.login), Standing::default());
    let typed = Login::new("TOTO-J").unwrap();
    standings.change(&house.store, &typed, |standing| standing.outgoing_held = Some(lock(Some(10)))).unwrap();
    let loaded = Standings::load(&house.store).unwrap();
    for standings in [&standings, &loaded] {
        let standing = standings.of(&house.login);
        assert!(standing.outgoing_hold(9).is_some() && standing.outgoing_hold(10).is_none());
        assert_eq!(standing.account_state(), AccountState::Active);
    }
    assert!(house.store.person(&house.login).unwrap().unwrap().due_s.is_some());
    standings.change(&house.store, &house.login, |standing| standing.outgoing_held = None).unwrap();
    assert!(house.store.person(&house.login).unwrap().unwrap().standing.is_empty(), "the usual is not kept");
    assert_eq!(*standings.of(&house.login), Standing::default());
    let nobody = Login::new("nobody").unwrap();
    assert!(matches!(standings.change(&house.store, &nobody, |_| ()), Err(ChangeError::NoSuchPerson)));
}

#[test]
fn a_standing_that_cannot_be_read_opens_nothing() {
    let login = Login::new("toto-j").unwrap();
    for octets in [&b"{"[..], b"{\"state\":{\"state\":\"sleeping\"}}", b"[]", b"\xff"] {
        assert_eq!(Standing::read(&login, octets).account_state(), AccountState::Suspended, "{octets:?}");
    }
    let standing = Standing { by_dates: AccountState::Grace, sending_locked: Some(lock(None)), ..Standing::default() };
    assert_eq!(Standing::read(&login, &standing.written()), standing);
    // What a later build adds is passed over.
    assert_eq!(Standing::read(&login, b"{\"later\":1}"), Standing::default());
}

#[test]
fn containing_closes_in_one_commit_and_is_undone() {
    let house = House::new("contain");
    let (store, login) = (&house.store, &house.login);
    let standings = Standings::load(store).unwrap();
    let redirect = Redirect {
        to: "me@partner.example".parse().unwrap(),
        keeps_copy: false,
        approval: None,
        set_by: "x".into(),
        set_at_s: 1,
    };
    store.commit_wait(vec![crate::redirects::op(login, Some(&redirect))]).unwrap();
    standings.change(store, login, |standing| standing.sending_locked = Some(lock(Some(99)))).unwrap();
    house.enqueue(1, "Toto-J");
    house.enqueue(2, "dupont-m");
    let operator = house.enqueue(3, "toto-j");
    let held = MessageFacts { held: true, ..house.facts(operator) };
    store.commit_wait(vec![Op::Progress { queue_id: operator, facts: queue::facts::written(&held) }]).unwrap();

    let done = contain::contain(store, &standings, None, (login, "spam", "root")).unwrap();
    assert_eq!(done, contain::Done { sessions: 0, messages: 1, redirect: true, opens: false });
    assert_eq!(house.verifier(), "!$old");
    assert_eq!(crate::redirects::kept(store, login).unwrap(), None);
    let standing = Standings::load(store).unwrap().of(login);
    assert!(standing.sending_lock(1_000).is_some_and(|lock| lock.until_s.is_none()));
    assert!(standing.contained.is_some());
    // Again changes nothing of what is put back.
    contain::contain(store, &standings, None, (login, "again", "root")).unwrap();
    assert_eq!(house.verifier(), "!$old");

    let done = contain::undo(store, &standings, None, (login, false, "root")).unwrap().unwrap();
    assert_eq!(done, contain::Done { sessions: 0, messages: 1, redirect: true, opens: false });
    assert_eq!(house.verifier(), "!$old", "it was stolen");
    assert!(house.facts(operator).held, "what an operator held stays");
    assert_eq!(crate::redirects::kept(store, login).unwrap(), Some(redirect));
    let standing = standings.of(login);
    assert_eq!((standing.contained.clone(), standing.sending_locked.clone()), (None, Some(lock(Some(99)))));
    assert_eq!(
        contain::undo(store, &standings, None, (login, true, "root")).unwrap(),
        None,
        "there is nothing to undo"
    );
}

#[test]
fn the_old_password_comes_back_only_where_that_is_wanted_and_a_new_one_stays() {
    for (set, old_password, verifier, opens) in [
        (None, true, "$old", true),
        (None, false, "!$old", false),
        (Some("$new"), false, "$new", true),
        (Some("$new"), true, "$new", true),
    ] {
        let house = House::new("password");
        let standings = Standings::load(&house.store).unwrap();
        contain::contain(&house.store, &standings, None, (&house.login, "spam", "root")).unwrap();
        if let Some(new) = set {
            let op = Op::SetVerifier { login: house.login.clone(), verifier: new.to_owned() };
            house.store.commit_wait(vec![op]).unwrap();
        }
        let done = contain::undo(&house.store, &standings, None, (&house.login, old_password, "root")).unwrap();
        assert_eq!((house.verifier().as_str(), done.unwrap().opens), (verifier, opens), "{set:?} {old_password}");
    }
}
