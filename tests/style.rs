//! The rules of the house applied to the whole tree. The rules are functions of `tests::style`, tried there on bad
//! snippets; here stand the exceptions, by name and with a reason. An exception that is no longer needed is a failure.

use tests::style::{Exception, Fault, edges, judge, laws, lengths, lock, names, purity, tree, words};

/// Nothing is added here without a reason that a reader accepts.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        rule: "duplicate-crate",
        place: "base64",
        because: "pem, under rcgen, is at 0.23; everything else is at 0.22",
    },
    Exception {
        rule: "duplicate-crate",
        place: "bit-vec",
        because: "zxcvbn is at 0.8; the other is locked for an optional part of rcgen that is never built",
    },
    Exception { rule: "duplicate-crate", place: "core-foundation", because: "other systems only, never compiled here" },
    Exception { rule: "duplicate-crate", place: "getrandom", because: "ring is at 0.2, argon2 at 0.4" },
    Exception { rule: "duplicate-crate", place: "mail-builder", because: "mail-auth is at 1, ours is 2" },
    Exception {
        rule: "duplicate-crate",
        place: "nom",
        because: "locked for an optional part of rcgen that is never built; ours is 8",
    },
    Exception {
        rule: "duplicate-crate",
        place: "similar",
        because: "insta, of tests alone, is at 2; ours and mail-auth are at 3",
    },
    Exception { rule: "duplicate-crate", place: "syn", because: "derive macros have not all moved" },
    Exception { rule: "duplicate-crate", place: "synstructure", because: "derive macros have not all moved" },
    Exception { rule: "duplicate-crate", place: "windows-sys", because: "other systems only, never compiled here" },
];

/// Each integration binary links the whole house: at most four.
const BINARIES_MAX: usize = 4;

fn files() -> Vec<tree::File> {
    let files = tree::files(&tree::top());
    assert!(files.len() > 50, "the walk must have found the tree, not {} files", files.len());
    files
}

/// Fails with every open fault of these rules. Exceptions of other rules are not judged here.
#[track_caller]
fn check(rules: &[&str], faults: Vec<Fault>) {
    assert!(faults.iter().all(|fault| rules.contains(&fault.rule)), "a rule is not named in its test");
    let exceptions: Vec<Exception> = EXCEPTIONS
        .iter()
        .filter(|exception| rules.contains(&exception.rule))
        .map(|it| Exception { rule: it.rule, place: it.place, because: it.because })
        .collect();
    let found = judge(&faults, &exceptions);
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}

#[test]
fn crates_know_only_those_they_may_know() {
    let files = files();
    let manifests = files.iter().filter(|file| file.path.ends_with("Cargo.toml"));
    check(&["edges"], manifests.flat_map(|file| edges::faults(&file.path, file.text())).collect());
}

#[test]
fn pure_crates_are_pure() {
    let mut faults = Vec::new();
    for file in files() {
        if file.is_rust() && purity::is_pure(&file.path) && !file.is_test() {
            faults.extend(purity::faults(&file.path, file.text()));
        }
        let folder = file.path.trim_end_matches("/Cargo.toml");
        if purity::PURE.contains(&folder) {
            let dependencies = edges::dependencies(file.text());
            let ordinary: Vec<&str> = dependencies.iter().filter(|it| !it.dev).map(|it| it.name.as_str()).collect();
            faults.extend(purity::manifest_faults(&file.path, &ordinary));
        }
    }
    check(&["purity"], faults);
}

#[test]
fn functions_and_files_fit() {
    let rust: Vec<_> = files().into_iter().filter(tree::File::is_rust).collect();
    let faults = rust.iter().flat_map(|file| lengths::faults(&file.path, file.text()));
    check(&["function-length", "file-length"], faults.collect());
}

#[test]
fn names_say_something_and_the_top_is_as_designed() {
    let paths: Vec<String> = files().into_iter().map(|file| file.path).collect();
    check(&["name", "top-level"], names::faults(&paths));
}

#[test]
fn nothing_is_unfinished_ignored_or_slept_through() {
    let mut faults = Vec::new();
    for file in files() {
        if file.is_rust() {
            faults.extend(words::rust_faults(&file.path, file.text(), file.is_test()));
        } else if file.path.ends_with(".py") && file.is_test() {
            faults.extend(words::python_faults(&file.path, file.text()));
        }
    }
    check(&["unfinished", "ignored-test", "sleep"], faults);
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    let faults = files().iter().flat_map(|file| words::text_faults(&file.path, file.text())).collect();
    check(&["machine-word"], faults);
}

#[test]
fn each_crate_is_there_once_and_ring_is_the_only_cryptography() {
    let files = files();
    let lock = files.iter().find(|file| file.path == "Cargo.lock").expect("Cargo.lock is tracked");
    check(&["duplicate-crate", "forbidden-crate", "crate-source"], lock::faults(lock.text()));
}

#[test]
fn every_law_is_fuzzed_by_a_target() {
    let files = files();
    let targets = || files.iter().filter(|file| file.path.starts_with("tests/fuzz/src/bin/"));
    let laws: Vec<String> =
        files.iter().filter(|file| file.is_rust()).flat_map(|file| laws::laws(&file.path, file.text())).collect();
    assert!(laws.len() > 10, "{laws:?}");
    let unfuzzed: Vec<&String> =
        laws.iter().filter(|law| !targets().any(|file| laws::calls(file.text(), law))).collect();
    assert!(unfuzzed.is_empty(), "no file of tests/fuzz/src/bin calls {unfuzzed:?}");
}

#[test]
fn the_whole_house_is_linked_at_most_four_times() {
    let files = files();
    let manifest = files.iter().find(|file| file.path == "tests/Cargo.toml").expect("this package has a manifest");
    let binaries = manifest.text().lines().filter(|line| *line == "[[test]]").count();
    assert!((1..=BINARIES_MAX).contains(&binaries), "{binaries} integration binaries");
    assert!(manifest.text().contains("\nautotests = false\n"), "no integration binary is found by accident");
}
