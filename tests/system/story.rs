//! `facteur try POLICY --once` tells its story and ends with 0; every number in it is read from the plan.

use std::path::Path;
use std::process::Command;

use tests::policy_copy;
use tests::program::{self, Ran};
use tests::scratch::Scratch;

fn told(policy: &Path) -> Ran {
    program::run(Command::new(program::facteur()).arg("try").arg(policy).arg("--once")).ends(0)
}

#[track_caller]
fn says(ran: &Ran, word: &str) {
    assert!(ran.out.contains(word) || ran.err.contains(word), "nothing about `{word}` in\n{}\n{}", ran.out, ran.err);
}

/// The story shows this recipient refused with these codes, and no other with them.
#[track_caller]
fn refused(ran: &Ran, number: u32, codes: &str) {
    let said = format!("{}\n{}", ran.out, ran.err);
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    let pairs = lines.windows(2).filter(|pair| pair[1].starts_with(&format!("S: {codes} ")));
    let asked: Vec<&str> = pairs.map(|pair| pair[0]).collect();
    let is_it = |line: &&str| line.starts_with("C: RCPT TO:<") && line.contains(&format!("{number}@"));
    assert!(asked.len() == 1 && asked.iter().all(is_it), "{codes} was the answer to {asked:?}\n{said}");
}

#[test]
fn the_story_of_nantes_goes_as_told() {
    let ran = told(&program::top().join("policies/nantes"));
    for word in [
        "Jean.Toto@univ-nantes.fr",
        "452 4.5.3",
        "451 4.7.1",
        "may_send.person-outside.recipients_in_one_message",
        "may_send.person-outside.recipients_attempted/15min",
        "policy.ron:",
    ] {
        says(&ran, word);
    }
    refused(&ran, 51, "452 4.5.3");
    refused(&ran, 251, "451 4.7.1");
}

#[test]
fn the_story_follows_the_numbers_of_the_policy() {
    let scratch = Scratch::new("story");
    let was = "each_account: (recipients_in_one_message: 50, messages_accepted: [\"50 / 1 h\"], \
               recipients_attempted: [\"250 / 15 min\", \"500 / 1 h\"]),";
    let becomes = "each_account: (recipients_in_one_message: 30, messages_accepted: [\"50 / 1 h\"], \
                   recipients_attempted: [\"120 / 15 min\", \"500 / 1 h\"]),";
    let ran = told(&policy_copy::changed(&scratch, "nantes", &[(was, becomes)]));
    refused(&ran, 31, "452 4.5.3");
    refused(&ran, 121, "451 4.7.1");
}

#[test]
fn an_office_has_the_part_of_the_story_its_policy_has() {
    let ran = told(&program::top().join("policies/office"));
    says(&ran, "cabinet-martin.example");
    refused(&ran, 51, "452 4.5.3");
    refused(&ran, 251, "451 4.7.1");
}
