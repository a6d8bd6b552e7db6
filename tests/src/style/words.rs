//! Words that may stand nowhere in the tree, and code that may not be handed over.

use super::Fault;
use super::mask::{code_only, line_of, only_tests, words};

/// Places of one machine and hosts of package registries. Written in two halves, so that this file may stand too.
const MACHINE: [(&str, &str); 11] = [
    ("/wor", "k/main"),
    ("/wor", "k/shared"),
    ("/tmp/", "w/"),
    ("/ro", "ot/"),
    ("/home", "/"),
    ("index.crates", ".io"),
    ("static.crates", ".io"),
    ("pypi", ".org"),
    ("files.python", "hosted"),
    ("deb.debian", ".org"),
    ("proxy.golang", ".org"),
];

/// Code that is not finished.
const UNFINISHED: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];

/// Faults of any text file.
pub fn text_faults(path: &str, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (first, second) in MACHINE {
        let word = format!("{first}{second}");
        for (at, _) in text.match_indices(&word) {
            let line = text[..at].matches('\n').count() + 1;
            faults.push(Fault { rule: "machine-word", place: path.into(), line, says: format!("`{word}`") });
        }
    }
    faults
}

/// Faults of a Rust file: unfinished code, ignored tests, and tests that wait for a time to pass instead of a fact.
pub fn rust_faults(path: &str, source: &str, all_test: bool) -> Vec<Fault> {
    let code = code_only(source);
    let tests = if all_test { code.clone() } else { only_tests(&code) };
    let fault = |rule: &'static str, at: usize, says: &str| Fault {
        rule,
        place: path.into(),
        line: line_of(&code, at),
        says: says.into(),
    };
    let unfinished = UNFINISHED.iter().flat_map(|word| words(&code, word));
    // `#[ignore]`, with a reason or without.
    let ignored = code.match_indices("#[ignore").map(|(at, _)| at);
    let slept = words(&tests, "sleep(").into_iter().chain(words(&tests, "sleep_ms("));
    unfinished
        .map(|at| fault("unfinished", at, "unfinished code"))
        .chain(ignored.map(|at| fault("ignored-test", at, "a test that is not run tests nothing")))
        .chain(slept.map(|at| fault("sleep", at, "a test waits for a fact, never for a time")))
        .collect()
}

/// Faults of a Python test client: the same about waiting.
pub fn python_faults(path: &str, source: &str) -> Vec<Fault> {
    let code = source.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
    code.filter(|(_, line)| !words(line, "sleep(").is_empty())
        .map(|(index, _)| Fault {
            rule: "sleep",
            place: path.into(),
            line: index + 1,
            says: "a test waits for a fact, never for a time".into(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_one_machine_are_faults() {
        for (first, second) in MACHINE {
            let found = text_faults("a.md", &format!("one\nsee {first}{second}x\n"));
            assert_eq!((found.len(), found[0].line), (1, 2), "{first}{second}");
        }
        assert_eq!(text_faults("a.md", "the work of main, in /var/lib/facteur"), []);
    }

    #[test]
    fn unfinished_code_is_a_fault_and_prose_about_it_is_not() {
        for bad in
            ["fn f() { todo!() }", "unimplemented!(\"later\")", "let a = dbg!(b);", "#[ignore = \"slow\"]", "#[ignore]"]
        {
            assert_eq!(rust_faults("a.rs", bad, false).len(), 1, "{bad}");
        }
        assert_eq!(rust_faults("a.rs", "// todo!() and #[ignore]\nlet a = \"dbg!\";", false), []);
    }

    #[test]
    fn a_test_may_not_sleep_and_a_driver_may() {
        let driver = "async fn f() { tokio::time::sleep(d).await }";
        assert_eq!(rust_faults("a.rs", driver, false), []);
        assert_eq!(rust_faults("tests/a.rs", driver, true).len(), 1);
        let test = "#[cfg(test)]\nmod tests { fn f() { std::thread::sleep(d) } }";
        let found = rust_faults("a.rs", test, false);
        assert_eq!((found.len(), found[0].rule, found[0].line), (1, "sleep", 2));
        assert_eq!(python_faults("a.py", "import time\ntime.sleep(1)\n# sleep(1)\n")[0].line, 2);
    }
}
