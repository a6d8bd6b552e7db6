//! The recipe of `policies/README.md`, run as it is written there.

use std::path::Path;
use std::process::Command;

use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::{Outcome, policy_copy};

fn readme() -> String {
    std::fs::read_to_string(program::top().join("policies/README.md")).expect("there is a README")
}

/// The blocks of one kind, in order.
fn blocks(readme: &str, kind: &str) -> Vec<String> {
    let fence = format!("```{kind}\n");
    readme.split(&fence).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())).collect()
}

/// Runs a block where the policy's folder lies, with our program first in the path.
fn shell(block: &str, folder: &Path) -> Ran {
    let ours = program::facteur();
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", ours.parent().expect("a program lies in a folder").display());
    program::run(Command::new("sh").arg("-c").arg(block).current_dir(folder).env("PATH", path))
}

/// A repository with the policy of Nantes, changed, and the plan that runs.
#[track_caller]
fn repository(scratch: &Scratch, changes: &[(&str, &str)]) {
    policy_copy::changed(scratch, "nantes", changes);
    let deployed = super::shipped("nantes").join("policy.plan.ron");
    std::fs::copy(deployed, scratch.join("deployed.plan.ron")).expect("the snapshot is committed");
}

#[test]
fn the_recipe_for_ci_does_what_it_says() -> Outcome {
    let blocks = blocks(&readme(), "sh");
    let [gate, comment] = blocks.as_slice() else { return Err("two steps".into()) };
    let scratch = Scratch::new("review");
    repository(&scratch, &[]);
    shell(gate, scratch.path()).ends(0);
    shell(comment, scratch.path()).ends(0);
    assert!(std::fs::read_to_string(scratch.join("review.md"))?.contains("No difference"));

    // A change whose snapshot nobody wrote.
    let scratch = Scratch::new("review-change");
    repository(&scratch, &[("statistics: \"365 days\"", "statistics: \"200 days\"")]);
    let ran = shell(gate, scratch.path()).ends(4);
    assert!(ran.err.contains("error[E1003]") && ran.out.contains("statistics 200 days"), "{}{}", ran.out, ran.err);
    shell("facteur snapshot --accept nantes", scratch.path()).ends(0);
    shell(gate, scratch.path()).ends(0);
    shell(comment, scratch.path()).ends(0);
    let review = std::fs::read_to_string(scratch.join("review.md"))?;
    assert!(review.contains("| retention.statistics | 365 → 200 days | TIGHTER | line 174 |"), "{review}");
    Ok(())
}

#[test]
fn each_exit_code_comes_with_what_the_page_says() -> Outcome {
    let readme = readme();
    let gate = blocks(&readme, "sh").first().cloned().ok_or("a gate")?;
    for (from, to, code, said) in [
        ("time_zone: \"Europe/Paris\"", "time_zone: \"Europe/Nantes\"", 1, "error[E0120]"),
        ("\"250 / 15 min\", \"500 / 1 h\"", "\"250 / 15 min\", \"250 / 1 h\"", 3, "lint[L0303]"),
        ("quota: Fixed(\"1 GB\")", "quota: Fixed(\"2 GB\")", 5, "FAIL"),
        ("from: Everywhere, to: OurAddresses", "from: Everywhere, to: Anyone", 6, "error[E0501]"),
    ] {
        let scratch = Scratch::new("review-codes");
        repository(&scratch, &[(from, to)]);
        let ran = shell(&gate, scratch.path()).ends(code);
        assert!(ran.out.contains(said) || ran.err.contains(said), "{said} in\n{}{}", ran.out, ran.err);
        assert!(readme.contains(&format!("\n| {code} | ")), "{code} is explained");
    }
    let scratch = Scratch::new("review-nothing");
    shell(&gate, scratch.path()).ends(2);
    Ok(())
}

#[test]
fn both_ci_files_run_the_lines_of_the_recipe() {
    let readme = readme();
    let recipe = blocks(&readme, "sh").concat();
    let lines: Vec<&str> = recipe.lines().filter(|line| line.starts_with("facteur ")).collect();
    let files = blocks(&readme, "yaml");
    assert_eq!((lines.len(), files.len()), (5, 2));
    for file in files {
        let written: Vec<&str> = file.lines().map(|line| line.trim_start_matches([' ', '-'])).collect();
        let run: Vec<&&str> = written.iter().filter(|line| line.starts_with("facteur ")).collect();
        assert_eq!(run, lines.iter().collect::<Vec<_>>(), "{file}");
    }
}
