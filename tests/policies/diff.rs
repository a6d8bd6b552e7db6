//! `facteur diff`: each change of a fact is one line with the class it must have.

use std::collections::BTreeMap;

use policy::diff::{Class, Difference, Side, diff};
use policy::{LoadError, Loader};
use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::{Outcome, policy_copy};

struct One(String);

impl Loader for One {
    fn load(&self, name: &str) -> Result<String, LoadError> {
        if name == "policy.ron" { Ok(self.0.clone()) } else { Err(LoadError::NotFound) }
    }
}

fn nantes() -> String {
    std::fs::read_to_string(super::shipped("nantes").join("policy.ron")).expect("the policy is there")
}

fn compiled(text: &str) -> policy::Compiled {
    policy::compile(&One(text.to_owned()), "policy.ron").expect("the file is there")
}

#[track_caller]
fn plan(text: &str) -> policy::Sealed {
    let compiled = compiled(text);
    let errors: Vec<_> = compiled.diagnostics.iter().filter(|found| found.is_error()).map(|e| &e.message).collect();
    compiled.plan_unproved.clone().unwrap_or_else(|| panic!("no plan: {errors:?}"))
}

fn between(old: &policy::Sealed, new: &policy::Sealed) -> Difference {
    let old = Side { text: &old.text, map: Some(&old.map), found: None };
    let new = Side { text: &new.text, map: Some(&new.map), found: None };
    diff(old, new).expect("both are canonical")
}

/// Policy with one place changed.
#[track_caller]
fn with(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from:?} stands once");
    text.replacen(from, to, 1)
}

use Class::{Different, Looser, Text, Tighter};

/// A place of the policy, what stands there afterwards, the path and the class of the one line this must be.
const CHANGES: &[(&str, &str, &str, Class)] = &[
    (
        "\"250 / 15 min\", \"500 / 1 h\"",
        "\"250 / 15 min\", \"250 / 1 h\"",
        "may_send.person-outside.recipients_attempted",
        Tighter,
    ),
    ("\"250 / 15 min\"", "\"250 / 20 min\"", "may_send.person-outside.recipients_attempted", Tighter),
    ("\"250 / 15 min\"", "\"300 / 15 min\"", "may_send.person-outside.recipients_attempted", Looser),
    ("\"250 / 15 min\"", "\"200 / 10 min\"", "may_send.person-outside.recipients_attempted", Different),
    (
        "\"250 / 15 min\", \"500 / 1 h\"]",
        "\"250 / 15 min\", \"500 / 1 h\", \"2000 / 1 day\"]",
        "may_send.person-outside.recipients_attempted",
        Tighter,
    ),
    ("[\"200 / 1 h\"]", "Unlimited", "may_send.person-inside.messages_accepted", Looser),
    (
        "recipients_attempted: Unlimited),   // no window in §2.1: say so",
        "recipients_attempted: [\"1000 / 1 h\"]),",
        "may_send.machine.recipients_attempted",
        Tighter,
    ),
    ("messages_accepted: [\"200 / 1 h\"]", "messages_attempted: [\"200 / 1 h\"]", "may_send.person-inside", Different),
    (
        "(recipients_in_one_message: 100,",
        "(recipients_in_one_message: 80,",
        "may_send.person-inside.recipients_in_one_message",
        Tighter,
    ),
    ("from: Everywhere, to: OurAddresses)", "from: Everywhere, to: Anyone)", "may_receive.reception.to", Looser),
    (
        "connecting_to: [\"subm\"], from: [\"webmail-hosts\"], to: Anyone, as: OwnAddresses",
        "connecting_to: [\"subm\"], from: [\"webmail-hosts\"], to: Anyone, as: OwnDomain",
        "may_send.person-webmail.as",
        Looser,
    ),
    (
        "connecting_to: [\"smtp\", \"subm\", \"subs\"], from: [\"outside\"]",
        "connecting_to: [\"subm\", \"subs\"], from: [\"outside\"]",
        "may_send.person-outside.connecting_to",
        Tighter,
    ),
    (
        "from: [\"outside\"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly",
        "from: [\"outside\"], to: Anyone, as: OwnAddresses, empty_sender: Refuse",
        "may_send.person-outside.empty_sender",
        Tighter,
    ),
    (
        "\"chu\":      Suffix(\"chu-nantes.fr\"),",
        "\"chu\":      Suffix(\"chu-nantes.fr\"), \"cea\": Suffix(\"cea.fr\"),",
        "redirects.allow",
        Looser,
    ),
    ("\"subatech\": Suffix(\"subatech.in2p3.fr\"),", "", "redirects.allow", Different),
    ("\"inserm\":   Suffix(\"inserm.fr\"),", "", "redirects.allow", Tighter),
    ("Brand(\"free\"), ", "", "redirects.refused_examples", Looser),
    ("\"198.51.100.0/24\", ", "", "networks.inside", Different),
    ("Relay: [\"private\"]", "Relay: [\"private\", \"inside\"]", "never_reachable_beyond.Relay", Looser),
    (
        "one_account_in_several_blocks: CountedSeparately",
        "one_account_in_several_blocks: CountedTogether",
        "one_account_in_several_blocks",
        Tighter,
    ),
    (
        "failed: [\"10 / 15 min\", \"50 / 1 day\"]",
        "failed: [\"10 / 15 min\", \"80 / 1 day\"]",
        "logins.each_account_and_network.failed",
        Looser,
    ),
    (
        "to: Anyone, as: OwnDomain, empty_sender: ReportsOnly",
        "to: Anyone, as: OwnDomain, header_from: OwnAddresses, empty_sender: ReportsOnly",
        "may_send.machine.header_from",
        Different,
    ),
    ("connections_at_once: 30", "connections_at_once: 20", "strangers.connections_at_once", Tighter),
    ("message_size: \"20 MB\"", "message_size: \"30 MB\"", "mailboxes.message_size", Looser),
    ("quota: Fixed(\"2 GB\")", "quota: Fixed(\"1 GB\")", "mailboxes.profiles.visitor.quota", Tighter),
    ("label: \"Utilisateur type\"", "label: \"Utilisateur\"", "mailboxes.profiles.standard.label", Text),
    ("name: \"Université de Nantes\"", "name: \"Nantes Université\"", "institution.name", Text),
    ("quarantine: \"30 days\"", "quarantine: \"20 days\"", "retention.quarantine", Tighter),
    ("else: Tag", "else: Refuse", "authenticate.own_domains_from_outside", Tighter),
    (
        "sending: [Limits, Antivirus, Accept, Route]",
        "sending: [Antivirus, Limits, Accept, Route]",
        "sending",
        Different,
    ),
    (
        "(keep: Nothing,    reply: Refuse,         tell: Sender)",
        "(keep: Nothing,    reply: Refuse,         tell: Managers)",
        "antivirus.outbound_from_person.suspect.tell",
        Different,
    ),
    ("        SpamIsAlwaysDelivered,\n", "", "guarantees", Looser),
    ("remote: DirectMx", "remote: Smarthost(\"relay.example:25\")", "routes.remote", Different),
    (
        "(host: \"imaps.univ-nantes.fr\",   port: 993",
        "(host: \"imaps.univ-nantes.fr\",   port: 994",
        "listeners.imaps.port",
        Different,
    ),
    ("renew_every: \"6 months\"", "renew_every: \"12 months\"", "identity.password.renew_every", Looser),
    ("keep: (at_least: \"30 days\"", "keep: (at_least: \"31 days\"", "backup.keep.at_least", Tighter),
];

#[test]
fn each_change_of_a_fact_is_one_line_with_its_class() {
    let text = nantes();
    let old = plan(&text);
    let mut wrong = Vec::new();
    for (from, to, path, class) in CHANGES {
        let new = plan(&with(&text, from, to));
        for (a, b, class) in [(&old, &new, *class), (&new, &old, opposite(*class))] {
            let found = between(a, b).changes;
            let shown: Vec<_> = found.iter().map(|it| (it.path.as_str(), it.shown.as_str(), it.class)).collect();
            if !matches!(shown.as_slice(), [(is, _, of)] if is == path && *of == class) {
                wrong.push(format!("{to}: wanted {path} {class:?}, found {shown:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn opposite(class: Class) -> Class {
    match class {
        Tighter => Looser,
        Looser => Tighter,
        Different | Text => class,
    }
}

#[test]
fn a_policy_does_not_differ_from_itself() {
    for name in ["nantes", "office", "bench"] {
        let ran = run(&["diff"], &[&super::shipped(name), &super::shipped(name)]).ends(0);
        assert_eq!(ran.out, "no difference\n");
    }
}

/// The octets of each number of the policy that stands before a unit or alone, outside comments and names.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let code = line.find("//").filter(|end| !line[..*end].contains("https:")).map_or(line, |end| &line[..end]);
        let bytes = code.as_bytes();
        let mut place = 0;
        while place < bytes.len() {
            let digits = bytes[place..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let before = place.checked_sub(1).map(|before| bytes[before]);
            if digits > 0
                && matches!(before, Some(b'"' | b' '))
                && matches!(bytes.get(place + digits), Some(b' ' | b',' | b')'))
            {
                found.push((at + place, digits));
            }
            place += digits.max(1);
        }
        at += line.len();
    }
    found
}

#[test]
fn one_number_changed_is_exactly_one_line() {
    let text = nantes();
    let old = plan(&text);
    let mut tried = 0;
    // Compiling is slow: every eighth number, and all of them in the plan below.
    for (place, digits) in numbers(&text).into_iter().step_by(8) {
        let number: u64 = text[place..place + digits].parse().expect("digits");
        let changed = format!("{}{}{}", &text[..place], number + 1, &text[place + digits..]);
        // What is no policy any more is not compared; what means the same is no difference.
        let Some(new) = compiled(&changed).plan_unproved else { continue };
        if new.text == old.text {
            continue;
        }
        let found = between(&old, &new).changes;
        assert_eq!(found.len(), 1, "{:?}", &changed[place.saturating_sub(60)..place + digits + 20]);
        let line = text[..place].matches('\n').count() as u32 + 1;
        let said = found[0].place.as_ref().map(|(_, line)| *line);
        assert_eq!(said, Some(line), "{} {}", found[0].rule, found[0].shown);
        tried += 1;
    }
    assert!(tried > 5, "{tried} numbers were tried");
}

#[test]
fn each_number_of_a_plan_changed_alone_is_exactly_one_line() {
    let old = plan(&nantes()).text;
    let mut tried = 0;
    for (place, _) in old.match_indices(": ") {
        let digits = old[place + 2..].bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            continue;
        }
        let (start, end) = (place + 2, place + 2 + digits);
        let number: u64 = old[start..end].parse().expect("digits");
        let new = format!("{}{}{}", &old[..start], number + 1, &old[end..]);
        let side = |text| Side { text, map: None, found: None };
        let found = diff(side(&old), side(&new)).expect("both are canonical").changes;
        assert_eq!(found.len(), 1, "{}: {found:?}", &new[start.saturating_sub(30)..end + 10]);
        let back = diff(side(&new), side(&old)).expect("both are canonical").changes;
        assert_eq!(back.len(), 1);
        assert_eq!(opposite(found[0].class), back[0].class, "{}", found[0].shown);
        tried += 1;
    }
    assert!(tried > 50, "{tried} numbers were tried");
}

#[test]
fn a_scan_that_goes_is_looser_by_the_cells_it_no_longer_stops() {
    let guarantees = nantes();
    let start = guarantees.find("    guarantees: [").expect("there are guarantees");
    let end = start + guarantees[start..].find("\n    ],\n").expect("the list ends") + 8;
    let text = format!("{}{}", &guarantees[..start], &guarantees[end..]);
    let new = with(&text, "sending: [Limits, Antivirus, Accept, Route]", "sending: [Limits, Accept, Route]");
    let new = with(&new, "on: [Inbound, Outbound], infected_when", "on: [Inbound], infected_when");
    let found = between(&plan(&text), &plan(&new)).changes;
    let shown: Vec<_> = found.iter().map(|it| (it.path.as_str(), it.class)).collect();
    assert!(shown.contains(&("antivirus.on", Looser)) && shown.contains(&("sending", Looser)), "{shown:?}");
    assert!(found.iter().any(|it| it.notes.iter().any(|note| note.contains("let through what was refused"))));
}

fn run(arguments: &[&str], paths: &[&std::path::Path]) -> Ran {
    program::run(std::process::Command::new(program::facteur()).args(arguments).args(paths))
}

#[test]
fn a_tighter_hour_is_shown_with_what_follows_from_it() -> Outcome {
    let scratch = Scratch::new("diff");
    let change = ("\"250 / 15 min\", \"500 / 1 h\"", "\"250 / 15 min\", \"250 / 1 h\"");
    let changed = policy_copy::changed(&scratch, "nantes", &[change]);
    let ran = run(&["diff"], &[&super::shipped("nantes"), &changed]).ends(4);
    for wanted in [
        "500 → 250 per 1 h  TIGHTER",
        "line 85",
        "L0303, the 250 per 15 min limit can no longer refuse on its own",
        "2500 → 2250 recipients per hour",
        "nothing else changed in 11 574 cells",
        "restart                      none",
    ] {
        assert!(ran.out.contains(wanted), "{wanted:?} in\n{}", ran.out);
    }
    assert!(ran.err.is_empty(), "{}", ran.err);
    // Backwards it loosens, and somebody has to say that it is meant.
    let ran = run(&["diff"], &[&changed, &super::shipped("nantes")]).ends(4);
    assert!(ran.out.contains("LOOSER") && ran.err.contains("lint[L1007]"), "{}\n{}", ran.out, ran.err);
    let ran = run(&["diff", "--ack", "loosen"], &[&changed, &super::shipped("nantes")]).ends(4);
    assert!(ran.out.contains("acknowledged") && ran.err.is_empty(), "{}\n{}", ran.out, ran.err);
    Ok(())
}

#[test]
fn a_plan_is_compared_like_the_policy_it_came_from() -> Outcome {
    let scratch = Scratch::new("diff-plan");
    let out = scratch.path().display().to_string();
    run(&["compile", "--out", &out], &[&super::shipped("nantes")]).ends(0);
    let plan = scratch.join("nantes.plan.ron");
    run(&["diff"], &[&plan, &super::shipped("nantes")]).ends(0);
    let change = ("message_size: \"20 MB\"", "message_size: \"30 MB\"");
    let changed = policy_copy::changed(&scratch, "nantes", &[change]);
    let ran = run(&["diff", "--format", "json"], &[&plan, &changed]).ends(4);
    let lines: Vec<BTreeMap<String, serde_json::Value>> =
        ran.out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let kinds: Vec<_> = lines.iter().filter_map(|line| line.get("kind")?.as_str()).collect();
    assert_eq!(kinds, ["change", "summary", "diagnostic"]);
    assert_eq!(lines[0]["class"], "LOOSER");
    assert_eq!(lines[0]["rule"], "mailboxes.message_size");
    assert_eq!(lines[1]["cells"]["total"], 11_574);
    let ran = run(&["diff", "--format", "markdown"], &[&plan, &changed]).ends(4);
    assert!(ran.out.contains("| mailboxes.message\\_size | 20000000 → 30000000 bytes | LOOSER |"), "{}", ran.out);
    Ok(())
}

#[test]
fn what_cannot_be_compared_is_said() -> Outcome {
    let scratch = Scratch::new("diff-bad");
    let bad = scratch.join("bad.plan.ron");
    std::fs::write(&bad, "(\n    format: 1,\n  institution: ())\n")?;
    let ran = run(&["diff"], &[&super::shipped("nantes"), &bad]).ends(2);
    assert!(ran.err.contains("bad.plan.ron:3"), "{}", ran.err);
    run(&["diff"], &[&super::shipped("nantes"), &scratch.join("nothing")]).ends(2);
    let mistaken =
        policy_copy::changed(&scratch, "nantes", &[("time_zone: \"Europe/Paris\"", "time_zone: \"Europe/Nantes\"")]);
    run(&["diff"], &[&super::shipped("nantes"), &mistaken]).ends(1);
    Ok(())
}
