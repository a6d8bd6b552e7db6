//! The portal in Debian's Chromium: journeys of people, and axe-core on each page. `tests/run portal` runs them.

mod axe;

use std::process::Command;

use tests::program::{self, Ran};
use tests::skip::{Missing, skip};
use tests::{Facteur, Outcome};

/// Are the programs here? A line says so where the test does not run.
fn can_drive(test: &str) -> bool {
    let missing = ["python3", "chromium", "chromedriver"].into_iter().find(|name| program::find(name).is_none());
    if let Some(name) = missing {
        skip(test, Missing::Program(name));
    }
    missing.is_none()
}

/// A script of `tests/portal` with the description of the server. What it says is kept for who reads the log.
fn drive(script: &str, server: &Facteur, more: &[&str]) -> Ran {
    let mut command = Command::new("python3");
    command.arg("-B").arg(program::top().join("tests/portal").join(script));
    let ran = program::run(command.arg(server.scratch().join("describe.json")).args(more)).ends(0);
    println!("{}", ran.out);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    ran
}

/// A journey twice: scripts allowed, and forbidden.
fn journey(test: &str, script: &str) -> Outcome {
    if can_drive(test) {
        drive(script, &Facteur::start("nantes"), &[]);
    }
    Ok(())
}

#[test]
fn people_sign_in_learn_what_is_wrong_and_sign_out_everywhere() -> Outcome {
    journey("people_sign_in", "sign_in.py")
}

#[test]
fn a_password_is_changed_from_inside_alone_and_weak_ones_are_refused_with_words_that_help() -> Outcome {
    journey("a_password_is_changed", "password.py")
}

#[test]
fn a_redirect_is_asked_for_and_approved_by_somebody_else() -> Outcome {
    journey("a_redirect_is_asked_for", "redirect.py")
}

#[test]
fn a_second_factor_is_turned_on_asked_for_and_turned_off() -> Outcome {
    journey("a_second_factor", "second_factor.py")
}

#[test]
fn mailboxes_have_app_passwords_corrections_archives_and_an_address_book() -> Outcome {
    journey("mailboxes_have_app_passwords", "own_mailbox.py")
}

#[test]
fn managers_contain_an_account_find_people_and_explain_a_refusal() -> Outcome {
    journey("managers_contain_an_account", "manager.py")
}

#[test]
fn what_would_be_a_script_runs_nowhere() -> Outcome {
    journey("what_would_be_a_script", "hostile.py")
}
