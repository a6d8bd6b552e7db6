//! Pure crates neither do input and output nor read a clock: their answers depend on their arguments alone.

use super::Fault;
use super::mask::{code_only, line_of, without_tests, words};

/// The crates that must be pure, by folder.
pub const PURE: [&str; 8] = [
    "runtime/mail",
    "compiler/plan",
    "runtime/proto",
    "runtime/sieve",
    "runtime/spam",
    "runtime/decide",
    "compiler/policy",
    "compiler/pages",
];

/// What a pure crate may not name outside its tests.
const IMPURE: [&str; 20] = [
    "tokio",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "ToSocketAddrs",
    "std::fs",
    "fs::",
    "SystemTime",
    "Instant::now",
    "std::env",
    "env::",
    "std::process",
    "thread::spawn",
    "thread::sleep",
    "rand::",
    "getrandom",
    "OsRng",
];

/// Whether the file is source of a pure crate.
pub fn is_pure(path: &str) -> bool {
    PURE.iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with("/src/")))
}

/// Faults of one source file of a pure crate.
pub fn faults(path: &str, source: &str) -> Vec<Fault> {
    let code = without_tests(&code_only(source));
    let mut faults = Vec::new();
    for name in IMPURE {
        for at in words(&code, name) {
            let says = format!("`{name}` in a pure crate");
            faults.push(Fault { rule: "purity", place: path.into(), line: line_of(&code, at), says });
        }
    }
    faults
}

/// Faults of the manifest of a pure crate: no dependency on a runtime.
pub fn manifest_faults(path: &str, dependencies: &[&str]) -> Vec<Fault> {
    let runtimes = ["tokio", "tokio-rustls", "hyper", "hyper-util", "rand", "getrandom", "rustix", "socket2", "mio"];
    let found = dependencies.iter().filter(|name| runtimes.contains(name));
    found
        .map(|name| Fault {
            rule: "purity",
            place: path.into(),
            line: 0,
            says: format!("a pure crate depends on `{name}`"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_impurity_is_a_fault() {
        for bad in [
            "use tokio::net;",
            "use std::net::TcpStream;",
            "fn f() { std::fs::read(p); }",
            "use std::{fs, io}; fn f() { fs::read(p); }",
            "let now = SystemTime::now();",
            "let now = std::time::Instant::now();",
            "std::env::var(\"A\");",
            "std::thread::spawn(f);",
            "let x: u8 = rand::random();",
        ] {
            let found = faults("runtime/mail/src/a.rs", bad);
            assert!(!found.is_empty(), "{bad}");
            assert!(found.iter().all(|fault| fault.rule == "purity" && fault.line == 1));
        }
    }

    #[test]
    fn addresses_prose_and_tests_are_pure() {
        for good in [
            "use std::net::IpAddr;",
            "// SystemTime::now is for others.",
            "let offsets::A = \"std::fs\";",
            "#[cfg(test)]\nmod tests { use std::fs; fn f() { fs::read(p); } }",
            "const VERSION: &str = env!(\"CARGO_PKG_VERSION\");",
        ] {
            assert_eq!(faults("runtime/mail/src/a.rs", good), [], "{good}");
        }
    }

    #[test]
    fn a_runtime_among_the_dependencies_is_a_fault() {
        assert_eq!(manifest_faults("runtime/mail/Cargo.toml", &["serde", "nom"]), []);
        assert_eq!(manifest_faults("runtime/mail/Cargo.toml", &["serde", "tokio"]).len(), 1);
    }

    #[test]
    fn pure_crates_are_known_by_folder() {
        assert!(is_pure("runtime/mail/src/lib.rs") && is_pure("compiler/policy/src/syntax/mod.rs"));
        assert!(!is_pure("runtime/server/src/lib.rs") && !is_pure("runtime/mailer/src/lib.rs"));
    }
}
