//! The power goes at a random moment while mail comes in: nothing that was acknowledged is lost. Long.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::time::Duration;

use tests::smtp::letter;
use tests::{Outcome, wait};

use super::disks::{Recipe, SIGNATURES};
use super::vm;
use super::{Booted, Machine};

const CUTS: usize = 10;
/// Connections that bring mail at once.
const SENDERS: usize = 3;
/// At most so many messages are acknowledged before a cut.
const MESSAGES_MAX: u64 = 30;
const LOAD_WITHIN: Duration = Duration::from_secs(300);

/// Brings mail until the machine is gone, and notes each subject that was acknowledged.
fn load(booted: &Booted, to: &str, name: &str, acknowledged: &Mutex<BTreeSet<String>>) {
    for number in 0.. {
        let subject = format!("{name}-{number}");
        match booted.deliver(to, &letter("a@client.example", to, &subject)) {
            Ok(250) => drop(acknowledged.lock().expect("nobody panics with it").insert(subject)),
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

#[test]
fn power_cuts_under_load_lose_nothing_that_was_acknowledged() -> Outcome {
    if std::env::var_os("FACTEUR_LONG").is_none() || !vm::found("power_cuts_under_load") {
        return Ok(());
    }
    let machine = Machine::new("cuts");
    let built = Recipe::new(&machine.scratch).build(&machine.scratch, &machine.house.plan, "0.1.0", SIGNATURES);
    let who = &machine.house.person;
    let acknowledged = Mutex::new(BTreeSet::new());
    let count = || acknowledged.lock().expect("nobody panics with it").len();
    for cut in 0..CUTS {
        let booted = machine.boot(&built.disk);
        let moment = count() + 1 + (RandomState::new().hash_one(cut) % MESSAGES_MAX) as usize;
        eprintln!("cut {cut}: after {moment} messages in all");
        std::thread::scope(|scope| {
            for sender in 0..SENDERS {
                let (booted, acknowledged) = (&booted, &acknowledged);
                scope.spawn(move || load(booted, &who.address, &format!("{cut}-{sender}"), acknowledged));
            }
            wait::until(LOAD_WITHIN, "messages are acknowledged", || (count() >= moment).then_some(()));
            booted.vm.cut_power();
        });
    }
    let booted = machine.boot(&built.disk);
    let there: BTreeSet<String> = booted.inbox(who)?.into_iter().collect();
    let acknowledged = acknowledged.into_inner().expect("nobody panicked with it");
    let lost: Vec<&String> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "of {} acknowledged messages {lost:?} are lost", acknowledged.len());
    booted.vm.power_off();
    Ok(())
}
