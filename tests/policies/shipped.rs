//! The policies of the tree are examples: each is without errors, in canonical layout, tested, proved, and has its pages.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::Outcome;
use tests::program::{self, Ran};
use tests::scratch::Scratch;

use crate::{facteur, shipped};

/// Those that institutions are shown; `bench` is what measuring uses.
const EXAMPLES: [&str; 5] = ["edge", "hospital", "nantes", "office", "university"];

/// Every folder of `policies/`, so that a new one is held to the same.
fn folders() -> Vec<PathBuf> {
    let all = std::fs::read_dir(program::top().join("policies")).expect("there are policies");
    let mut folders: Vec<PathBuf> = all.flatten().map(|file| file.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    assert!(EXAMPLES.iter().all(|name| folders.iter().any(|path| path.ends_with(name))), "{folders:?}");
    folders
}

fn hash(path: &Path) -> String {
    let out = facteur(&["verify"], path).ends(0).out;
    out.split_whitespace().last().unwrap_or_default().to_owned()
}

#[test]
fn every_policy_is_in_canonical_layout() {
    for folder in folders() {
        facteur(&["fmt", "--check"], &folder).ends(0);
    }
}

#[test]
fn every_policy_is_without_errors_and_keeps_its_promises() {
    for folder in folders() {
        let said = facteur(&["check"], &folder).ends(0).err;
        let summary = said.lines().find(|line| line.starts_with("0 errors")).unwrap_or_default();
        let promised = summary.split("Guarantees: ").nth(1).and_then(|rest| rest.split_once(" of "));
        let (held, rest) = promised.unwrap_or_else(|| panic!("{}: {said}", folder.display()));
        let all = rest.split_whitespace().next().unwrap_or_default();
        assert!(held == all && held != "0", "{}: {summary}", folder.display());
    }
}

/// Institutions that mended or waived every lint let their review refuse the next one.
#[test]
fn the_university_and_the_hospital_have_no_lint_that_nobody_answered_for() {
    for name in ["university", "hospital"] {
        facteur(&["check", "--deny", "all"], &shipped(name)).ends(0);
    }
}

#[test]
fn laying_a_policy_out_does_not_move_its_plan() -> Outcome {
    for name in EXAMPLES {
        let scratch = Scratch::new("layout");
        let folder = tests::policy_copy::changed(&scratch, name, &[]);
        let policy = folder.join("policy.ron");
        let before = hash(&folder.join("policy.plan.ron"));
        // Somebody's editor takes the columns away and indents by one.
        let text = std::fs::read_to_string(&policy)?;
        let squeezed: Vec<String> = text.lines().map(|line| format!(" {}", line.trim_start())).collect();
        std::fs::write(&policy, squeezed.join("\n"))?;
        facteur(&["fmt", "--check"], &folder).ends(4);
        facteur(&["fmt"], &folder).ends(0);
        facteur(&["fmt", "--check"], &folder).ends(0);
        facteur(&["snapshot"], &folder).ends(0);
        let out = scratch.path().display().to_string();
        facteur(&["compile", "--out", &out], &folder).ends(0);
        assert_eq!(hash(&scratch.join(&format!("{name}.plan.ron"))), before, "{name}");
    }
    Ok(())
}

#[test]
fn every_plan_is_accepted_by_the_independent_reader() {
    for folder in folders() {
        let ran = facteur(&["verify"], &folder.join("policy.plan.ron")).ends(0);
        assert!(ran.out.contains("sound"), "{}", ran.out);
    }
}

#[test]
fn every_example_has_its_pages() {
    for name in EXAMPLES {
        for (kind, options) in [("html", [].as_slice()), ("md", &["--markdown"])] {
            let scratch = Scratch::new("pages-of-all");
            let out = scratch.path().display().to_string();
            facteur(&[&["doc"], options, &["--out", &out]].concat(), &shipped(name)).ends(0);
            facteur(&[&["doc"], options, &["--check", &out]].concat(), &shipped(name)).ends(0);
            let of_kind = |file: &PathBuf| file.extension().is_some_and(|it| it == kind);
            let count = written(scratch.path()).iter().filter(|file| of_kind(file)).count();
            assert!(count >= 10, "{name}: {count} {kind} files");
        }
    }
}

fn written(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|file| file.path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

fn tried(name: &str) -> Ran {
    program::run(Command::new(program::facteur()).arg("try").arg(shipped(name)).arg("--once"))
}

#[test]
fn the_university_is_served_with_people_of_the_file_for_its_directory() {
    let ran = tried("university").ends(0);
    assert!(ran.out.contains("people.ron stands in for the directory server"), "{}", ran.out);
    for told in ["one recipient too many in one message", "the recipient past the window"] {
        assert!(ran.out.contains(&format!("=> as the plan says: {told}")), "{}", ran.out);
    }
}

#[test]
fn the_hospital_is_served_and_its_story_goes_as_its_plan_says() {
    let ran = tried("hospital").ends(0);
    for told in ["a stranger tries to relay", "an infected message"] {
        assert!(ran.out.contains(&format!("=> as the plan says: {told}")), "{}", ran.out);
    }
    // Nobody reads or sends from the world: these steps are left out, and the story says why.
    for left_out in ["no listener reads mail", "nobody may send from there"] {
        assert!(ran.out.contains(left_out), "{}", ran.out);
    }
}
