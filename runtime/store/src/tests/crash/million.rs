//! How long a store of a million messages takes to open after kill -9.

use std::time::Instant;

use super::super::{Folder, deliver, login, person};
use super::random::{is_long, say};
use super::{Openings, child};
use crate::{Options, Store, Target};

/// Accounts, and messages each of them gets.
const PEOPLE: u64 = 100;
const MESSAGES: u64 = 10_000;
/// The short form has this share of them.
const SHORT: u64 = 200;
const COMMIT_OPS: u64 = 20;
const VARIABLE: &str = "FACTEUR_STORE_MILLION";

fn login_of(person: u64) -> String {
    format!("p{person}")
}

/// The child fills the store and goes on until it is killed.
#[test]
fn a_million_messages_open_after_kill_9_and_none_is_lost() {
    let per_person = if is_long() { MESSAGES } else { MESSAGES / SHORT };
    if let Ok(folder) = std::env::var(VARIABLE) {
        fill(&folder);
    }
    let folder = Folder::new("million");
    let begun = Instant::now();
    let name = "tests::crash::million::a_million_messages_open_after_kill_9_and_none_is_lost";
    let acknowledged = child::run_until(name, VARIABLE, folder.path(), per_person);
    let filled = begun.elapsed();
    let mut openings = Openings::default();
    let store = openings.open(folder.path());
    let mut found = 0;
    for person in 0..PEOPLE {
        let messages = store.usage(&login(&login_of(person))).unwrap().messages;
        assert!(messages >= acknowledged, "{person} has {messages} of {acknowledged}");
        found += messages;
    }
    let first = store.select(&login("p0"), &super::super::name("INBOX")).unwrap().unwrap();
    assert!(first.messages.len() as u64 >= acknowledged);
    say(&format!("a million: {found} messages, filled in {filled:.1?}"));
    openings.say("a million");
    assert!(store.verify().unwrap().findings.is_empty());
}

/// All messages share one body; each commit gives every account some. Says how many each has.
fn fill(folder: &str) -> ! {
    let store = Store::open(folder, Options::default()).unwrap();
    store.commit_wait((0..PEOPLE).map(|n| person(&login_of(n), 1 << 40)).collect()).unwrap();
    let logins: Vec<String> = (0..PEOPLE).map(login_of).collect();
    let to: Vec<(&str, Target)> = logins.iter().map(|login| (login.as_str(), Target::Inbox)).collect();
    let body = store.put_body(&[b"one for all"]).unwrap();
    for done in (0..).step_by(COMMIT_OPS as usize) {
        store.commit_wait((done..done + COMMIT_OPS).map(|n| deliver(n, &to, &body)).collect()).unwrap();
        child::tell(done + COMMIT_OPS);
    }
    std::process::exit(0);
}
