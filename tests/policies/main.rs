//! The policies that ship, the mistakes people make in them, and what the program says about each.

mod autoconfig;
mod broken;
mod checking;
mod counterexample;
mod decisions;
mod derivation;
mod diff;
mod explain;
mod mutants;
mod pages;
mod review;
mod set_up;
mod shipped;
mod simulations;
mod snapshot;
mod suite;
mod suites_of_policies;

use std::process::Command;

use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::{Facteur, Options, Outcome, policy_copy};

fn facteur(arguments: &[&str], policy: &std::path::Path) -> Ran {
    program::run(Command::new(program::facteur()).args(arguments).arg(policy))
}

fn shipped(name: &str) -> std::path::PathBuf {
    program::top().join("policies").join(name)
}

#[test]
fn check_says_how_many_cells_it_visited_and_what_it_decides() {
    let said = facteur(&["check"], &shipped("nantes")).ends(0).err;
    let digits = said.replace([' ', '\u{a0}', '\u{202f}', ','], "");
    assert!(digits.contains("4800"), "the envelope table has 4 800 cells:\n{said}");
    assert!(said.contains("uarantees"), "{said}");
    insta::assert_snapshot!(said.replace(&program::top().display().to_string(), "TOP"));
}

fn suite_named(name: &str) {
    assert!(suite::check(&program::top().join("tests/policies/suites").join(name)) > 0);
}

#[test]
fn mistakes_of_reading_are_found_where_they_are() {
    suite_named("reading.md");
}

#[test]
fn mistakes_of_networks_are_found_where_they_are() {
    suite_named("networks.md");
}

#[test]
fn mistakes_of_limits_are_found_where_they_are() {
    suite_named("limits.md");
}

#[test]
fn mistakes_of_relaying_are_found_where_they_are() {
    suite_named("relay.md");
}

#[test]
fn a_duplicate_key_shows_both_places() {
    let scratch = Scratch::new("twice");
    let change = (
        "        \"outside\":       Rest,\n",
        "        \"outside\":       Rest,\n        \"inside\":        In([\"203.0.113.0/24\"]),\n",
    );
    let folder = policy_copy::changed(&scratch, "nantes", &[change]);
    let text = std::fs::read_to_string(folder.join("policy.ron")).expect("it was just written");
    let lines: Vec<usize> =
        text.lines().zip(1..).filter(|(line, _)| line.contains("\"inside\":  ")).map(|it| it.1).collect();
    let found = suite::diagnostics(&folder);
    let twice = found.iter().find(|it| it.code == "E0004").expect("the second would silently win");
    let shown: Vec<usize> = twice.labels.iter().map(|label| label.span.line).collect();
    assert!(lines.len() == 2 && lines.iter().all(|line| shown.contains(line)), "{lines:?} and {shown:?}");
    assert!(twice.labels.iter().any(|label| label.primary));
}

/// What is broken, where the caret is, and the counterexample, which a server running that plan confirms.
#[track_caller]
fn open_relay(change: (&str, &str), caret: &str) -> Result<counterexample::Counterexample, Box<dyn std::error::Error>> {
    let scratch = Scratch::new("relay");
    let folder = policy_copy::changed(&scratch, "nantes", &[change]);
    let said = facteur(&["check"], &folder).ends(6).err;
    assert!(said.contains("E0501"), "{said}");
    let text = std::fs::read_to_string(folder.join("policy.ron"))?;
    let line = text.lines().position(|line| line.contains(caret)).ok_or("the change is in the policy")? + 1;
    let found = suite::diagnostics(&folder);
    let relay = found.iter().find(|it| it.code == "E0501").ok_or("E0501 is reported")?;
    assert_eq!(relay.span.as_ref().map(|span| span.line), Some(line), "{said}");
    let below = said.lines().skip_while(|text| !text.contains(caret)).nth(1).unwrap_or_default();
    assert!(below.contains('^'), "a caret below the line:\n{said}");
    // Such a plan is neither written nor served, except to show that the dialogue is true.
    facteur(&["dump"], &folder).ends(6);
    facteur(&["try", "--once"], &folder).ends(6);
    let out = scratch.path().display().to_string();
    facteur(&["compile", "--unproved", "--out", &out], &folder).ends(0);
    assert!(scratch.join("nantes.plan.ron").is_file() && scratch.join("nantes.map.ron").is_file());
    let it = counterexample::read(&said).ok_or_else(|| format!("a dialogue in\n{said}"))?;
    let options = Options { arguments: vec!["--unproved".into()], ..Options::default() };
    counterexample::type_against(&Facteur::start_with(&folder, options), &it)?;
    Ok(it)
}

#[test]
fn an_open_relay_is_shown_with_a_dialogue_that_is_true() -> Outcome {
    let reception = ("from: Everywhere, to: OurAddresses)", "from: Everywhere, to: Anyone)");
    let at_mx = open_relay(reception, "from: Everywhere, to: Anyone)")?;
    assert_eq!((at_mx.host.as_str(), at_mx.port), ("mx.univ-nantes.fr", 25));
    let machine = (
        "connecting_to: [\"relay\"], from: [\"private\"]",
        "connecting_to: [\"relay\"], from: [\"private\", \"outside\"]",
    );
    let at_relay = open_relay(machine, "connecting_to: [\"relay\"]")?;
    assert_eq!((at_relay.host.as_str(), at_relay.port), ("smtp.univ-nantes.prive", 25));
    assert_ne!(at_mx, at_relay);
    Ok(())
}

#[test]
fn exit_codes_tell_what_happened() {
    let scratch = Scratch::new("codes");
    facteur(&["check"], &scratch.join("nothing-here")).ends(2);
    facteur(&["check", "--no-such-option"], &shipped("nantes")).ends(2);
    let unknown = policy_copy::changed(
        &scratch,
        "nantes",
        &[("connecting_to: [\"mx\"], from", "connecting_to: [\"mxx\"], from")],
    );
    facteur(&["check"], &unknown).ends(1);
    facteur(&["dump"], &unknown).ends(1);
    facteur(&["try", "--once"], &unknown).ends(1);
}

#[test]
fn the_policy_of_the_readme_compiles() {
    let readme = std::fs::read_to_string(program::top().join("README.md")).expect("there is a README");
    let mut blocks = suite::blocks(&readme);
    blocks.retain(|(_, block)| block.starts_with("Policy("));
    assert!(!blocks.is_empty(), "the README shows a policy that works");
    let scratch = Scratch::new("readme");
    for (line, block) in blocks {
        let policy = scratch.join("policy.ron");
        std::fs::write(&policy, block).expect("the scratch folder is ours");
        let ran = facteur(&["check"], &policy);
        assert_eq!(ran.code, Some(0), "README.md:{line}\n{}", ran.err);
    }
}
