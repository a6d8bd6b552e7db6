//! `facteur check` as an administrator and a pipeline run it: denied lints, waivers that end, the plan that runs now, and
//! again on each save.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::Duration;

use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::{policy_copy, wait};

use super::shipped;

/// Long enough for a busy machine; a saved file is seen within a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(60);

fn check(arguments: &[&str], policy: &std::path::Path) -> Ran {
    program::run(Command::new(program::facteur()).arg("check").args(arguments).arg(policy))
}

#[test]
fn denied_lints_end_with_3_and_are_shown_with_their_lines() {
    let nantes = shipped("nantes");
    let said = check(&["--deny", "L0307,L0412"], &nantes).ends(3).err;
    assert!(said.contains("denied: L0307, L0412") && said.contains("person-webmail 1000"), "{said}");
    check(&["--deny", "L0301"], &nantes).ends(0);
    check(&["--deny", "all"], &nantes).ends(3);
    check(&["--deny", "E0501"], &nantes).ends(2);
    check(&["--deny", "L9999"], &nantes).ends(2);
}

#[test]
fn what_is_waived_is_no_longer_denied_and_is_shown_on_demand() {
    let nantes = shipped("nantes");
    check(&["--deny", "L0502", "--today", "2026-11-23"], &nantes).ends(0);
    let all = check(&["--all", "--today", "2026-11-23"], &nantes).ends(0).err;
    assert!(all.contains("lint[L0502]") && all.contains("(waived)"), "{all}");
    let one = check(&["--lint", "L0308", "--today", "2026-11-23"], &nantes).ends(0).err;
    assert!(one.contains("write one, e.g. the widest of the others (1000)"), "{one}");
}

#[test]
fn a_waiver_holds_on_its_last_day_and_not_on_the_next() {
    let nantes = shipped("nantes");
    check(&["--today", "2027-08-31"], &nantes).ends(0);
    let said = check(&["--today", "2027-09-01"], &nantes).ends(1).err;
    assert!(said.contains("E0115") && said.contains("2027-08-31"), "{said}");
    check(&["--today", "yesterday"], &nantes).ends(2);
}

#[test]
fn a_limit_that_jumps_against_the_plan_that_runs_is_asked_about() {
    let scratch = Scratch::new("deployed");
    let plan = shipped("nantes").join("policy.plan.ron").display().to_string();
    check(&["--deny", "L0310", "--deployed", &plan], &shipped("nantes")).ends(0);
    let change = (
        "recipients_attempted: [\"250 / 15 min\", \"500 / 1 h\"]",
        "recipients_attempted: [\"2500 / 15 min\", \"500 / 1 h\"]",
    );
    let folder = policy_copy::changed(&scratch, "nantes", &[change]);
    let said = check(&["--deny", "L0310", "--deployed", &plan], &folder).ends(3).err;
    assert!(said.contains("may_send.person-outside.recipients_attempted"), "{said}");
    check(&["--deployed", "/nothing/here.plan.ron"], &folder).ends(2);
}

#[test]
fn every_line_for_programs_is_one_object_of_schema_1() {
    let said = check(&["--format", "json"], &shipped("nantes")).ends(0).out;
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    assert!(lines.iter().all(|line| line["schema"] == 1));
    let summary = lines.last().expect("a summary");
    assert_eq!(summary["kind"], "summary");
    assert_eq!(
        (summary["lints"].as_u64(), summary["waived"].as_u64(), summary["errors"].as_u64()),
        (Some(28), Some(1), Some(0))
    );
    assert!(lines.iter().any(|line| line["code"] == "L0502" && line["waived"] == true));
}

#[test]
fn a_saved_file_is_checked_again() {
    let scratch = Scratch::new("watch");
    let policy = scratch.join("policy.ron");
    let good = fs::read_to_string(shipped("office").join("policy.ron")).expect("it ships");
    fs::write(&policy, &good).expect("the scratch folder is ours");
    let log = scratch.join("said");
    let mut child = Command::new(program::facteur())
        .args(["check", "--watch"])
        .arg(&policy)
        .stderr(File::create(&log).expect("the scratch folder is ours"))
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let said = |what: &str, times: usize| {
        wait::until(PATIENCE, what, || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            (text.matches(what).count() >= times).then_some(())
        });
    };
    said("0 errors", 1);
    fs::write(&policy, good.replace("auth: Never", "auth: Newer")).expect("the scratch folder is ours");
    said("was saved", 1);
    said("unknown", 1);
    fs::write(&policy, &good).expect("the scratch folder is ours");
    said("0 errors", 2);
    // People that appear beside it are seen too.
    fs::write(scratch.join("people.ron"), "People(people: [])").expect("the scratch folder is ours");
    said("E0513", 1);
    child.kill().expect("it still runs");
    child.wait().expect("it ends");
}
