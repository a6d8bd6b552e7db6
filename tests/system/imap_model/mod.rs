//! Several clients on one mailbox, and a model of what each of them must see, checked after every response (RFC 9051 7.5.1,
//! RFC 7162).
//!
//! A client more is a line in `world`, a command more a function in `commands`, a defect more one in `defects`.

mod burst;
mod client;
mod commands;
mod defects;
mod observer;
mod told;
mod truth;
mod world;

use std::time::{Duration, Instant};

use tests::random::Random;
use tests::{Facteur, Outcome};

use defects::Defect;
use told::Difference;
use world::World;

/// Commands of the short form.
const COMMANDS: u64 = 1_500;
/// The long form ends after this time, and gives more commands than these.
const LONG: Duration = Duration::from_secs(600);
const LONG_COMMANDS: u64 = 50_000;
/// A defect is found within so many.
const FOUND_WITHIN: u64 = 4_000;

/// Steps until there is a difference or `enough`.
fn walk(world: &mut World, mut enough: impl FnMut(&World) -> bool) -> Result<(), Difference> {
    while !enough(world) {
        if let Err(difference) = world.step() {
            let log: Vec<&str> = world.log.iter().map(String::as_str).collect();
            return Err(format!(
                "{difference}\nafter {} commands, the last of them\n{}",
                world.commands,
                log.join("\n")
            ));
        }
    }
    Ok(())
}

#[test]
fn clients_of_one_mailbox_see_what_the_model_says() -> Outcome {
    let server = Facteur::start("bench");
    let mut world = World::new(&server, Random::seeded("imap_model"))?;
    let begun = Instant::now();
    if std::env::var_os("FACTEUR_LONG").is_some() {
        walk(&mut world, |world| begun.elapsed() > LONG && world.commands > LONG_COMMANDS)?;
    } else {
        walk(&mut world, |world| world.commands > COMMANDS)?;
    }
    println!("{} commands in {} s", world.commands, begun.elapsed().as_secs());
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

/// The model finds what is put between the server and one client.
fn finds(defect: Defect) -> Outcome {
    let server = Facteur::start("bench");
    let mut world = World::new(&server, Random::seeded(&format!("{defect:?}")))?;
    walk(&mut world, |world| world.commands > 100)?;
    world.harm(defect);
    let end = world.commands + FOUND_WITHIN;
    let found = walk(&mut world, |world| world.commands > end);
    let difference = found.expect_err("the defect was not found");
    println!("{defect:?}: {}", difference.lines().next().unwrap_or_default());
    assert!(world.clients.iter().any(|client| client.harm.as_ref().is_some_and(|harm| harm.done)), "{difference}");
    Ok(())
}

#[test]
fn a_lost_expunge_is_found() -> Outcome {
    finds(Defect::LostExpunge)
}

#[test]
fn a_modseq_off_by_one_is_found() -> Outcome {
    finds(Defect::ModSeqOff)
}

#[test]
fn a_flag_for_another_is_found() -> Outcome {
    finds(Defect::FlagSwapped)
}

#[test]
fn an_exists_that_is_late_is_found() -> Outcome {
    finds(Defect::LateExists)
}

#[test]
fn a_number_off_by_one_is_found() -> Outcome {
    finds(Defect::NumberOff)
}
