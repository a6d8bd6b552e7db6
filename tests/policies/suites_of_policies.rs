//! `facteur test`: the cases that ship with the policies, and what becomes of them when a policy changes.

use std::path::Path;
use std::process::Command;

use tests::policy_copy;
use tests::program::{self, Ran};
use tests::scratch::Scratch;

fn test(arguments: &[&str], path: &Path) -> Ran {
    program::run(Command::new(program::facteur()).arg("test").args(arguments).arg(path))
}

#[test]
fn every_policy_that_ships_with_cases_passes_them() {
    let mut tested = Vec::new();
    for folder in std::fs::read_dir(program::top().join("policies")).expect("there are policies") {
        let folder = folder.expect("the folder can be read").path();
        let files = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|file| file.path());
        if files.into_iter().any(|file| file.to_string_lossy().ends_with(".test.ron")) {
            let ran = test(&[], &folder).ends(0);
            assert!(ran.out.contains(" 0 failed."), "{}", ran.out);
            tested.extend(folder.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    assert!(
        ["nantes", "office", "university", "hospital", "edge"].iter().all(|name| tested.iter().any(|it| it == name)),
        "{tested:?}"
    );
}

#[test]
fn what_is_said_of_nantes() {
    insta::assert_snapshot!(test(&[], &program::top().join("policies/nantes")).ends(0).out);
}

/// Changes the policy of Nantes; these cases fail and no other.
#[track_caller]
fn fails(changes: &[(&str, &str)], cases: &[&str]) {
    let scratch = Scratch::new("tested");
    let folder = policy_copy::changed(&scratch, "nantes", changes);
    let ran = test(&[], &folder).ends(5);
    let failed: Vec<&str> = ran.out.lines().filter_map(|line| line.strip_prefix("  FAIL  ")).collect();
    for case in cases {
        assert!(failed.iter().any(|line| line.starts_with(case)), "`{case}` does not fail:\n{}", ran.out);
    }
    assert_eq!(failed.len(), cases.len(), "{}", ran.out);
    assert!(ran.out.contains(&format!(" {} failed.", cases.len())), "{}", ran.out);
}

#[test]
fn a_tighter_window_fails_the_cases_that_rest_on_it_and_no_other() {
    fails(
        &[("[\"250 / 15 min\", \"500 / 1 h\"]", "[\"250 / 15 min\", \"400 / 1 h\"]")],
        &[
            "limits table of the guide",
            "every access to the same service has the same row, whatever the port",
            "visitors have the limits of everybody (§3, equality)",
            "500 recipients in an hour from home, not 501",
        ],
    );
}

#[test]
fn an_answer_to_viruses_that_talks_fails_the_cases_of_silence() {
    fails(
        &[
            (
                "        inbound: (                                                         // SITE: replies; all about suspect\n            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),",
                "        inbound: (\n            infected: (keep: Quarantine, reply: AcceptSilently, tell: Managers),",
            ),
            ("        VirusIsSilent(on: [Inbound, Outbound]),\n", ""),
        ],
        &["an infected message vanishes without a word", "one of the two engines is enough"],
    );
}

#[test]
fn a_partner_taken_off_the_list_fails_the_case_that_names_it() {
    fails(
        &[("            \"cnrs\":     Suffix(\"cnrs.fr\"),\n", "")],
        &["the partners and everything under their names, nothing that only looks like them"],
    );
}

#[test]
fn counting_together_is_noticed() {
    fails(
        &[("one_account_in_several_blocks: CountedSeparately,", "one_account_in_several_blocks: CountedTogether,")],
        &["what somebody sends from home leaves their limits at work alone"],
    );
}

#[test]
fn a_failure_shows_what_was_expected_what_came_and_both_places() {
    let scratch = Scratch::new("shown");
    let folder = policy_copy::changed(&scratch, "nantes", &[("message_size: \"20 MB\",", "message_size: \"10 MB\",")]);
    let out = test(&["--filter", "20 MB"], &folder).ends(5).out;
    let policy = std::fs::read_to_string(folder.join("policy.ron")).expect("it was just written");
    let line = policy.lines().position(|line| line.contains("message_size:")).expect("it is there") + 1;
    for part in [
        "  FAIL  20 MB is the largest message, announced or not",
        "limits.test.ron:",
        "          expected  AllAccepted",
        "          got       Refused(at: Mail, code: 552, by: \"mailboxes.message_size\")",
        &format!("policy.ron:{line}"),
        "0 passed, 1 failed.",
    ] {
        assert!(out.contains(part), "`{part}` is not in\n{out}");
    }
    assert!(!out.contains("never exercised"), "of some cases nothing can be said about all rules:\n{out}");
}

#[test]
fn programs_read_one_object_a_line() {
    let out = test(&["--format", "json"], &program::top().join("policies/office")).ends(0).out;
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
    assert!(kinds.iter().filter(|kind| **kind == "case").count() > 5 && kinds.contains(&"coverage"), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"summary"));
    assert!(lines.iter().all(|line| line["schema"] == 1));
}

#[test]
fn mistakes_end_with_one_and_missing_files_with_two() {
    let scratch = Scratch::new("mistaken");
    let folder = policy_copy::changed(&scratch, "office", &[]);
    let tests = folder.join("office.test.ron");
    let text = std::fs::read_to_string(&tests).expect("the office has cases");
    std::fs::write(&tests, text.replacen("\"person-inside\"", "\"person-insid\"", 1))
        .expect("the scratch folder is ours");
    let said = test(&[], &tests).ends(1).err;
    assert!(said.contains("E0101") && said.contains("office.test.ron:"), "{said}");
    std::fs::remove_file(&tests).expect("the scratch folder is ours");
    test(&[], &folder).ends(2);
    test(&[], &tests).ends(2);
    test(&["--no-such-option"], &folder).ends(2);
    std::fs::write(&tests, text).expect("the scratch folder is ours");
    let broken = folder.join("policy.ron");
    let policy = std::fs::read_to_string(&broken).expect("there is a policy");
    std::fs::write(&broken, policy.replace("port: 465", "port: 0")).expect("the scratch folder is ours");
    test(&[], &folder).ends(1);
}

#[test]
fn only_record_writes_and_a_difference_fails() {
    let scratch = Scratch::new("recorded");
    let folder = policy_copy::changed(&scratch, "office", &[]);
    let (cases, written) = (folder.join("more.test.ron"), folder.join("more.test.expected.ron"));
    let text = "Tests(cases: [Case(name: \"an hour from home\", given: (block: \"person-outside\", login: \"martin-c\"), \
        when: [Attempts(recipients: 251), Wait(\"1 h\")], expect: Recorded)])";
    std::fs::write(&cases, text).expect("the scratch folder is ours");
    let said = test(&[], &cases).ends(5).out;
    assert!(said.contains("nothing is recorded") && !written.exists(), "{said}");
    test(&["--record"], &cases).ends(0);
    let first = std::fs::read_to_string(&written).expect("`--record` writes");
    assert!(first.contains("FirstAccepted(250)"), "{first}");
    test(&[], &cases).ends(0);
    std::fs::write(&cases, text.replace("251", "252")).expect("the scratch folder is ours");
    let said = test(&[], &cases).ends(5).out;
    assert!(said.contains("times: 1") && said.contains("times: 2"), "{said}");
    assert_eq!(std::fs::read_to_string(&written).ok(), Some(first));
    test(&["--record"], &cases).ends(0);
    test(&[], &cases).ends(0);
}
