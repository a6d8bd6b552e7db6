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
    // The 51st recipient of a message, the 251st within a quarter of an hour.
    says(&ran, "51");
    says(&ran, "251");
}

#[test]
fn the_story_follows_the_numbers_of_the_policy() {
    let scratch = Scratch::new("story");
    let was = "each_account: (recipients_in_one_message:  50, messages_accepted:  [\"50 / 1 h\"], \
               recipients_attempted: [\"250 / 15 min\", \"500 / 1 h\"]),";
    let becomes = "each_account: (recipients_in_one_message:  30, messages_accepted:  [\"50 / 1 h\"], \
                   recipients_attempted: [\"120 / 15 min\", \"500 / 1 h\"]),";
    let ran = told(&policy_copy::changed(&scratch, "nantes", &[(was, becomes)]));
    says(&ran, "31");
    says(&ran, "121");
    assert!(!ran.out.contains("251"), "a number that is not in this policy\n{}", ran.out);
}

#[test]
fn an_office_has_the_part_of_the_story_its_policy_has() {
    let ran = told(&program::top().join("policies/office"));
    says(&ran, "cabinet-martin.example");
    says(&ran, "452 4.5.3");
}
