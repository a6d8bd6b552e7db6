//! `facteur snapshot` and `facteur dump`: the plans committed beside the policies are what the policies say today.

use std::path::Path;
use std::process::Command;

use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::{Outcome, policy_copy};

fn run(arguments: &[&str], path: &Path) -> Ran {
    program::run(Command::new(program::facteur()).args(arguments).arg(path))
}

/// After a change that is meant: `facteur snapshot --accept policies/NAME`.
#[test]
fn the_committed_plans_are_those_of_the_policies() {
    for name in ["nantes", "office", "bench", "university", "hospital", "edge"] {
        let ran = run(&["snapshot"], &super::shipped(name));
        assert_eq!(ran.code, Some(0), "`facteur snapshot --accept policies/{name}` if this is meant\n{}", ran.out);
        let plan = super::shipped(name).join("policy.plan.ron");
        let committed = std::fs::read_to_string(&plan).expect("it was just compared");
        assert_eq!(run(&["dump", "--plan"], &super::shipped(name)).ends(0).out, committed);
        // The table is the same whichever it is made from.
        assert_eq!(run(&["dump"], &super::shipped(name)).ends(0).out, run(&["dump"], &plan).ends(0).out);
    }
}

#[test]
fn a_change_is_shown_with_the_line_that_caused_it_until_it_is_accepted() -> Outcome {
    let scratch = Scratch::new("snapshot");
    let change = ("\"250 / 15 min\", \"500 / 1 h\"", "\"200 / 15 min\", \"500 / 1 h\"");
    let gone = ("            \"inserm\":   Suffix(\"inserm.fr\"),\n", "");
    let folder = policy_copy::changed(&scratch, "nantes", &[change, gone]);
    let ran = run(&["snapshot"], &folder).ends(4);
    let lines: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    let of = |sign: &str, figure: &str| {
        format!("{sign} send person-outside account recipients attempted {figure} per 15 min policy.ron:85")
    };
    let said: Vec<String> = lines.iter().map(|line| line.join(" ")).collect();
    assert_eq!(said, [of("-", "250"), of("+", "200"), "- redirect inserm Suffix(\"inserm.fr\") policy.ron:157".into()]);
    assert!(ran.err.contains("error[E1003]") && ran.err.contains("snapshot --accept"), "{}", ran.err);
    let json = run(&["snapshot", "--format", "json"], &folder).ends(4).out;
    let lines: Vec<serde_json::Value> = json.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!((lines.len(), &lines[1]["sign"], &lines[1]["line"]), (4, &"+".into(), &85.into()));
    assert_eq!(lines[3]["code"], "E1003");
    run(&["snapshot", "--accept"], &folder).ends(0);
    run(&["snapshot"], &folder).ends(0);
    Ok(())
}

#[test]
fn a_snapshot_that_is_missing_or_no_plan_differs() -> Outcome {
    let scratch = Scratch::new("snapshot-bad");
    let folder = policy_copy::changed(&scratch, "office", &[]);
    let plan = folder.join("policy.plan.ron");
    std::fs::remove_file(&plan)?;
    assert!(run(&["snapshot"], &folder).ends(4).err.contains("there is no snapshot"));
    std::fs::write(&plan, "(\n    format: 1,\n    <<<<<<< HEAD\n")?;
    let said = run(&["snapshot"], &folder).ends(4).err;
    assert!(said.contains("policy.plan.ron:3 is no plan"), "{said}");
    run(&["snapshot", "--accept"], &folder).ends(0);
    run(&["snapshot"], &folder).ends(0);
    Ok(())
}

#[test]
fn a_plan_is_verified_by_its_octets_alone() -> Outcome {
    let committed = super::shipped("nantes").join("policy.plan.ron");
    let ran = run(&["verify"], &committed).ends(0);
    assert!(ran.out.contains("sound") && ran.out.contains("hash "), "{}", ran.out);
    let scratch = Scratch::new("verify");
    let text = std::fs::read_to_string(&committed)?;
    let relay = scratch.join("relay.plan.ron");
    std::fs::write(&relay, text.replace("to: OurAddresses", "to: Anyone"))?;
    let line = text.lines().position(|line| line.contains("to: OurAddresses")).ok_or("the block is there")? + 1;
    let ran = run(&["verify"], &relay).ends(1);
    assert!(ran.err.contains(&format!("relay.plan.ron:{line}: error[E0501]")), "{}", ran.err);
    let other = scratch.join("other.plan.ron");
    std::fs::write(&other, text.replacen("format: 1", "format: 9", 1))?;
    let both = program::run(Command::new(program::facteur()).arg("verify").args([&committed, &other])).ends(1);
    assert!(both.out.contains("sound") && both.err.contains("other.plan.ron:2: error[E1002]"), "{}", both.err);
    run(&["verify"], &scratch.join("nothing.plan.ron")).ends(2);
    Ok(())
}

#[test]
fn a_policy_with_errors_has_no_snapshot() {
    let scratch = Scratch::new("snapshot-errors");
    let change = ("time_zone: \"Europe/Paris\"", "time_zone: \"Europe/Nantes\"");
    let folder = policy_copy::changed(&scratch, "nantes", &[change]);
    run(&["snapshot", "--accept"], &folder).ends(1);
    assert!(policy_copy_is_untouched(&folder), "nothing is written");
}

fn policy_copy_is_untouched(folder: &Path) -> bool {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    read(&folder.join("policy.plan.ron")) == read(&super::shipped("nantes").join("policy.plan.ron"))
}
