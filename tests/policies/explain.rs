//! `facteur explain`, `fmt`, `check --deny`, completions and manual pages, as a person runs them.

use std::process::Command;

use tests::program::{self, Ran};
use tests::scratch::Scratch;

use super::shipped;

fn explain(arguments: &[&str]) -> Ran {
    let policy = shipped("nantes").display().to_string();
    program::run(Command::new(program::facteur()).arg("explain").args(arguments).args(["--policy", &policy]))
}

/// Without the folder and the plan's name, which move for other reasons.
fn steady(text: &str) -> String {
    let text = text.replace(&program::top().display().to_string(), "TOP");
    let words = text.split_inclusive(' ').map(|word| {
        let name = word.trim_end_matches([',', ' ']);
        let hash = name.len() == 8
            && name.bytes().all(|b| b.is_ascii_alphanumeric())
            && name.bytes().any(|b| b.is_ascii_digit());
        if hash { word.replace(name, "HASH") } else { word.to_owned() }
    });
    words.collect()
}

#[test]
fn a_pasted_reply_leads_to_the_line_of_the_policy() {
    let reply = "451 4.7.1 at most 250 recipients in 15 min, try later [may_send.person-outside.recipients_attempted/15min 00000000]";
    insta::assert_snapshot!(steady(&explain(&[reply]).ends(0).out));
}

#[test]
fn a_word_read_by_a_stranger_leads_to_every_rule_that_says_it() {
    insta::assert_snapshot!(steady(&explain(&["550 5.7.1 relaying denied [relay-denied 00000000]"]).ends(0).out));
}

#[test]
fn every_reason_and_every_rule_of_the_map_can_be_pasted() {
    for reason in decide::Reason::ALL {
        let said = explain(&[reason.word()]).ends(0).out;
        assert!(said.starts_with("Refused ") && said.lines().count() > 2, "{said}");
    }
    for rule in
        ["mailboxes.message_size", "strangers.connections_attempted/1min", "logins.each_client_address.failed/15min"]
    {
        let said = explain(&[rule]).ends(0).out;
        assert!(said.contains(rule.split('/').next().unwrap_or_default()) && said.contains("policy.ron:"), "{said}");
    }
}

#[test]
fn what_would_happen_is_what_the_server_would_do() {
    let said = explain(&["--would", "--block", "person-outside", "--login", "toto-j", "--to", "60", "--size", "3 MB"]);
    insta::assert_snapshot!(steady(&said.ends(0).out));
    let large = explain(&["--would", "--block", "person-inside", "--size", "21 MB"]).ends(0).out;
    assert!(large.contains("552") && large.contains("mailboxes.message_size"), "{large}");
    assert!(explain(&["--would", "--block", "person-inside", "--to", "100"]).ends(0).out.starts_with("accepted"));
    explain(&["--would", "--block", "nobody"]).ends(2);
    explain(&["--would", "--block", "person-inside", "--to", "4000000000"]).ends(2);
}

#[test]
fn people_are_found_by_name_login_or_address() {
    let by_name = explain(&["--who", "Jean-Pierre Toto"]).ends(0).out;
    assert!(by_name.starts_with("toto-jp, Jean-Pierre.Toto@univ-nantes.fr, 1 GB\n"), "{by_name}");
    assert_eq!(by_name, explain(&["--who", "toto-jp"]).ends(0).out);
    assert_eq!(by_name, explain(&["--who", "JEAN-PIERRE.TOTO@univ-nantes.fr"]).ends(0).out);
    explain(&["--who", "nobody at all"]).ends(4);
}

#[test]
fn codes_and_sections_need_no_policy_and_nonsense_finds_nothing() {
    let alone = |what: &str| program::run(Command::new(program::facteur()).current_dir("/").args(["explain", what]));
    let code = alone("E0702").ends(0).out;
    assert!(code.contains("bad, in a policy") && code.contains("good:"), "{code}");
    assert!(alone("may_send").ends(0).out.contains("Who may send mail"));
    explain(&["[["]).ends(4);
    explain(&[&format!("[{} {}]", "x".repeat(100_000), "]".repeat(1_000))]).ends(4);
    let json = explain(&["--format", "json", "relay-denied"]).ends(0).out;
    let one: serde_json::Value = serde_json::from_str(json.trim()).expect("one object a line");
    assert_eq!((one["schema"].as_u64(), one["kind"].as_str()), (Some(1), Some("explanation")));
}

#[test]
fn the_office_is_told_what_holds_by_default() {
    let office = shipped("office").display().to_string();
    let said =
        program::run(Command::new(program::facteur()).args(["explain", "--defaults", "--policy", &office])).ends(0).out;
    for fact in ["section `mailboxes`, by default", "Fixed(\"1 GB\")", "person-outside", "SameDisk", "NobodyPosesAsUs"]
    {
        assert!(said.contains(fact), "{fact} in\n{said}");
    }
}

#[test]
fn formatting_says_what_it_would_change_and_then_changes_it() {
    let scratch = Scratch::new("fmt");
    let text = std::fs::read_to_string(shipped("nantes").join("policy.ron")).expect("it ships");
    let policy = scratch.join("policy.ron");
    std::fs::write(&policy, text.replace("\"20 MB\"", "\"20 Mo\"")).expect("the scratch folder is ours");
    let fmt =
        |arguments: &[&str]| program::run(Command::new(program::facteur()).arg("fmt").args(arguments).arg(&policy));
    let said = fmt(&["--check"]).ends(4).err;
    assert!(said.contains("line 108 message_size: \"20 Mo\" → message_size: \"20 MB\""), "{said}");
    let plan = || program::run(Command::new(program::facteur()).arg("dump").arg(&policy)).ends(0).out;
    let before = plan();
    fmt(&[]).ends(0);
    fmt(&["--check"]).ends(0);
    assert_eq!(before, plan());
    std::fs::write(&policy, "Policy(language: 1,,)").expect("the scratch folder is ours");
    fmt(&[]).ends(1);
    assert_eq!(std::fs::read_to_string(&policy).expect("it is there"), "Policy(language: 1,,)");
}

#[test]
fn every_command_has_a_manual_page_and_completions() {
    let scratch = Scratch::new("manual");
    let folder = scratch.join("man1");
    program::run(Command::new(program::facteur()).args(["manual", "--out"]).arg(&folder)).ends(0);
    for page in ["facteur.1", "facteur-check.1", "facteur-explain.1", "facteur-try.1"] {
        let text = std::fs::read_to_string(folder.join(page)).expect("the page is written");
        assert!(text.contains(".SH OPTIONS"), "{page}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let said = program::run(Command::new(program::facteur()).args(["completions", shell])).ends(0).out;
        assert!(said.contains("snapshot") && said.contains("deny"), "{shell}");
    }
}
