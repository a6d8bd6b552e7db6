//! Checks of passwords with real hashes; whose turn it is is held by the tests.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use decide::Reason;
use mail::reply;

use super::*;
use crate::verifier::verifier;

const RIGHT: Checked = Checked::Judged { right: true, how: How::Hashed };
const WRONG: Checked = Checked::Judged { right: false, how: How::Hashed };

const MAKING: Making = Making { cost: crate::verifier::COST, scram: false };

fn passwords() -> Passwords {
    Passwords::new(&[1; 32], MAKING)
}

async fn check(passwords: &Passwords, login: &str, secret: &str, verifier: Option<&str>) -> Checked {
    check_from(passwords, "192.0.2.1", login, secret, verifier).await
}

async fn check_from(
    passwords: &Passwords,
    address: &str,
    login: &str,
    secret: &str,
    verifier: Option<&str>,
) -> Checked {
    let secret = Secret::new(secret);
    passwords.check(Attempt { login, secret: &secret, verifier, address }, || Ok(())).await.unwrap()
}

/// Takes one step of a check.
fn once(check: &mut Pin<Box<impl Future<Output = Checked>>>) -> Poll<Checked> {
    check.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// All turns at the processors.
fn all_turns(passwords: &Passwords) -> Vec<Place> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (0..processors as u64).map(|n| passwords.queue.join(&format!("198.51.100.{n}"), n).unwrap()).collect()
}

#[tokio::test]
async fn a_success_is_remembered_until_the_verifier_changes() {
    let passwords = passwords();
    let first = verifier(&Secret::new("correct horse"));
    assert_eq!(check(&passwords, "toto-j", "correct horse", Some(&first)).await, RIGHT);
    let remembered = Checked::Judged { right: true, how: How::Remembered };
    assert_eq!(check(&passwords, "toto-j", "correct horse", Some(&first)).await, remembered);
    let second = verifier(&Secret::new("battery staple"));
    assert_eq!(check(&passwords, "toto-j", "correct horse", Some(&second)).await, WRONG);
    assert_eq!(check(&passwords, "toto-j", "correct hors", Some(&first)).await, WRONG);
    passwords.forget(&Login::new("toto-j").unwrap());
    assert_eq!(check(&passwords, "toto-j", "correct horse", Some(&first)).await, RIGHT);
}

#[tokio::test]
async fn nobody_is_never_right_and_failures_are_not_remembered() {
    let passwords = passwords();
    for _ in 0..2 {
        assert_eq!(check(&passwords, "ghost", "", None).await, WRONG);
    }
    assert_eq!((passwords.waiting(), passwords.remembered().len()), (0, 0));
}

#[tokio::test]
async fn connections_with_one_secret_share_one_hash() {
    let passwords = passwords();
    let kept = verifier(&Secret::new("correct horse"));
    let turns = all_turns(&passwords);
    let addresses: Vec<String> = (1..8).map(|n| format!("192.0.2.{n}")).collect();
    let check = |address| Box::pin(check_from(&passwords, address, "toto-j", "correct horse", Some(&kept)));
    let mut checks: Vec<_> = addresses.iter().map(|address| check(address)).collect();
    assert!(checks.iter_mut().all(|check| once(check).is_pending()));
    assert_eq!(passwords.waiting(), 7);
    drop(turns);
    let mut how = Vec::new();
    for check in checks {
        how.push(check.await);
    }
    let hashed = how.iter().filter(|checked| **checked == RIGHT).count();
    let shared = how.iter().filter(|checked| **checked == Checked::Judged { right: true, how: How::Shared }).count();
    assert_eq!((hashed, shared), (1, 6));
    assert_eq!(passwords.waiting(), 0);
}

#[tokio::test]
async fn another_secret_of_the_account_waits_and_another_account_does_not() {
    let passwords = passwords();
    let kept = verifier(&Secret::new("correct horse"));
    let turn = passwords.queue.join("198.51.100.1", passwords.account("toto-j")).unwrap();
    let mut waits = Box::pin(check_from(&passwords, "192.0.2.1", "toto-j", "correct horse", Some(&kept)));
    assert!(once(&mut waits).is_pending());
    if std::thread::available_parallelism().map_or(1, usize::from) > 1 {
        assert_eq!(check(&passwords, "toto-jp", "correct horse", Some(&kept)).await, RIGHT);
        assert!(once(&mut waits).is_pending());
    }
    drop(turn);
    assert_eq!(waits.await, RIGHT);
}

#[tokio::test]
async fn a_check_that_goes_away_leaves_its_hash_to_the_others() {
    let passwords = passwords();
    let kept = verifier(&Secret::new("correct horse"));
    let turns = all_turns(&passwords);
    let mut first = Box::pin(check_from(&passwords, "192.0.2.1", "toto-j", "correct horse", Some(&kept)));
    let mut second = Box::pin(check_from(&passwords, "192.0.2.2", "toto-j", "correct horse", Some(&kept)));
    assert!(once(&mut first).is_pending() && once(&mut second).is_pending());
    drop(turns);
    drop(first);
    assert_eq!(second.await, RIGHT);
}

#[tokio::test]
async fn whoever_would_wait_too_long_hears_busy_and_not_wrong_unless_it_is_remembered() {
    let passwords = passwords();
    let kept = verifier(&Secret::new("correct horse"));
    assert_eq!(check(&passwords, "toto-j", "correct horse", Some(&kept)).await, RIGHT);
    let _turns = all_turns(&passwords);
    for _ in 0..100 {
        passwords.queue.took(Duration::from_secs(600));
    }
    assert_eq!(check(&passwords, "ghost", "x", None).await, Checked::Busy);
    assert_eq!(check(&passwords, "toto-jp", "correct horse", Some(&kept)).await, Checked::Busy);
    let remembered = Checked::Judged { right: true, how: How::Remembered };
    assert_eq!(check(&passwords, "toto-j", "correct horse", Some(&kept)).await, remembered);
}

#[tokio::test]
async fn a_login_that_was_barred_while_it_waited_is_not_hashed() {
    let passwords = passwords();
    let secret = Secret::new("correct horse");
    let kept = verifier(&secret);
    let attempt = Attempt { login: "toto-j", secret: &secret, verifier: Some(&kept), address: "192.0.2.1" };
    let barred = || Err(Refusal::new(reply::AUTH_LATER, Reason::TooManyFailedLogins, "", "later"));
    let refusal = passwords.check(attempt, barred).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::TooManyFailedLogins);
    assert_eq!(passwords.remembered().len(), 0, "the right password would be remembered");
    assert_eq!(check(&passwords, "toto-j", "correct horse", Some(&kept)).await, RIGHT, "its turn was given back");
}

struct House {
    folder: std::path::PathBuf,
    store: store::Store,
}

impl House {
    fn new(name: &str, verifier: &str) -> House {
        let folder = std::env::temp_dir().join(format!("facteur-renewals-{name}-{}", std::process::id()));
        let store = store::Store::open(&folder, store::Options::default()).unwrap();
        let person = mail::Person {
            login: Login::new("toto-j").unwrap(),
            first: String::new(),
            last: String::new(),
            address: "toto@example.org".parse().unwrap(),
            profile: String::new(),
            unit: String::new(),
            home: None,
            quota_octets: 1,
        };
        let verifier = Some(verifier.to_owned());
        let op = store::Op::UpsertPerson { person: Box::new(person), verifier, mailboxes: Vec::new(), origin: None };
        store.commit_wait(vec![op]).unwrap();
        House { folder, store }
    }

    fn row(&self) -> store::PersonRow {
        self.store.person(&Login::new("toto-j").unwrap()).unwrap().unwrap()
    }

    fn kept(&self) -> String {
        self.row().verifier.unwrap_or_default()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn an_imported_hash_becomes_a_verifier_of_ours_at_the_first_good_login_and_stays_remembered() {
    // `x` under openssl passwd -6.
    let weak = "$6$saltsalt$8RWsOfwR6M6PpnoeQiEiWzNTPo1f0HjVYjDnLZhGx16aBFRkeqiHAzfXP/LgrOWMBMXqiU2pLrXsSOHNUyUm91";
    let (house, passwords) = (House::new("weak", weak), passwords());
    assert_eq!(check(&passwords, "toto-j", "y", Some(weak)).await, WRONG);
    passwords.renewals.flush(&house.store, &passwords);
    assert_eq!(house.kept(), weak, "a wrong password renews nothing");
    assert_eq!(check(&passwords, "toto-j", "x", Some(weak)).await, RIGHT);
    passwords.renewals.flush(&house.store, &passwords);
    let renewed = house.kept();
    assert!(MAKING.made(&renewed), "{renewed}");
    let remembered = Checked::Judged { right: true, how: How::Remembered };
    assert_eq!(check(&passwords, "toto-j", "x", Some(&renewed)).await, remembered);
    assert_eq!(check(&passwords, "toto-j", "y", Some(&renewed)).await, WRONG);
}

#[tokio::test]
async fn a_password_that_was_set_meanwhile_is_not_overwritten_by_a_renewed_one() {
    let weak = "{SSHA}0jrj1dmvjcQiIGGzqh0vwSBl1b1zYWx0c2FsdA==";
    let (house, passwords) = (House::new("meanwhile", weak), passwords());
    assert_eq!(check(&passwords, "toto-j", "corréct horse battery", Some(weak)).await, RIGHT);
    let new = verifier(&Secret::new("another"));
    let op = store::Op::SetVerifier { login: Login::new("toto-j").unwrap(), verifier: new.clone() };
    house.store.commit_wait(vec![op]).unwrap();
    passwords.renewals.flush(&house.store, &passwords);
    assert_eq!(house.kept(), new);
}

#[test]
fn a_good_bind_is_kept_with_its_time_and_a_refusal_forgets_it() {
    let (house, passwords) = (House::new("bound", ""), passwords());
    let made = verifier(&Secret::new("x"));
    passwords.renewals.add(Renewal::bound("toto-j", "", Some(made.clone()), 77));
    passwords.renewals.flush(&house.store, &passwords);
    assert_eq!((house.kept(), facts::Facts::read(&house.row().secret).bound_s), (made.clone(), Some(77)));
    passwords.renewals.add(Renewal::bound("toto-j", &made, None, 99));
    passwords.renewals.flush(&house.store, &passwords);
    assert_eq!((house.kept(), facts::Facts::read(&house.row().secret).bound_s), (made.clone(), Some(99)));
    passwords.renewals.add(Renewal::refused("toto-j", &made));
    passwords.renewals.flush(&house.store, &passwords);
    assert_eq!((house.kept(), house.row().secret), (String::new(), Vec::new()));
}
