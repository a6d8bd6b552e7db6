//! Laws of hostile octets: public functions `fuzz…(octets)`, each called by a target of the fuzzer.

/// Files that give what they have to the module above.
const UNNAMED: [&str; 5] = ["lib", "mod", "fuzz", "law", "tests"];
/// Private modules, and where their laws are public.
const EXPORTED: [(&str, &str); 2] = [("plan::read", "plan"), ("proto::imap::session", "proto::imap")];

/// The paths by which a target calls the laws of this file: `runtime/proto/src/smtp/session/mod.rs` has
/// `proto::smtp::session::fuzz`.
pub fn laws(path: &str, source: &str) -> Vec<String> {
    let Some((folder, inside)) = path.trim_end_matches(".rs").split_once("/src/") else { return Vec::new() };
    let krate = folder.rsplit('/').next().unwrap_or(folder);
    let modules: Vec<&str> = inside.split('/').filter(|module| !UNNAMED.contains(module)).collect();
    let path = [&[krate], &modules[..]].concat().join("::");
    // The server has one door for them.
    let path = if krate == "server" { "server::fuzzing".to_owned() } else { path };
    let path = EXPORTED.iter().find(|(inner, _)| *inner == path).map_or(path.as_str(), |(_, outer)| outer);
    let functions = source.lines().filter_map(|line| line.strip_prefix("pub fn "));
    functions
        .filter(|line| line.starts_with("fuzz"))
        .filter_map(|line| line.split_once('('))
        .map(|(function, _)| format!("{path}::{function}"))
        .collect()
}

/// Whether a target calls it.
pub fn calls(target: &str, law: &str) -> bool {
    target.contains(&format!("{law}(octets)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_are_found_by_the_path_they_are_called_by() {
        let source =
            "/// The law.\npub fn fuzz(octets: &[u8]) {\n}\nfn fuzz_not() {}\npub fn fuzz_lists(raw: &[u8]) {}\n";
        for (path, expected) in [
            ("runtime/mail/src/date.rs", "mail::date"),
            ("runtime/mail/src/mime/fuzz.rs", "mail::mime"),
            ("runtime/proto/src/smtp/session/mod.rs", "proto::smtp::session"),
            ("compiler/plan/src/read.rs", "plan"),
            ("runtime/server/src/authenticate/spf/law.rs", "server::fuzzing"),
            ("runtime/proto/src/imap/session/tests/fuzz.rs", "proto::imap"),
        ] {
            assert_eq!(laws(path, source), [format!("{expected}::fuzz"), format!("{expected}::fuzz_lists")], "{path}");
        }
        assert!(laws("tests/style.rs", source).is_empty());
    }

    #[test]
    fn a_law_of_a_longer_name_is_another() {
        assert!(calls("fuzz_target!(|octets: &[u8]| mail::date::fuzz(octets));", "mail::date::fuzz"));
        assert!(!calls("fuzz_target!(|octets: &[u8]| mail::mime::fuzz_addresses(octets));", "mail::mime::fuzz"));
    }
}
