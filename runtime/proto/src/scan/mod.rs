//! Protocols of content scanners, without I/O.

pub mod clamd;
pub mod icap;
pub mod milter;
pub mod report;
pub mod rspamd;
pub mod spamc;

/// Longest name of a signature that is kept, in characters.
pub const NAME_CHARS_MAX: usize = 200;

/// How engines begin names of what is no known virus: rules of thumb, unwanted programs, what they cannot look into.
const HEURISTIC: [&str; 9] =
    ["heuristic", "heur:", "heur/", "heur.", "pua.", "pua:", "not-a-virus:", "suspicious", "encrypted"];

/// Is this the name of a suspicion (macros, encrypted archives, unwanted programs) and not of a virus?
pub fn is_heuristic(signature: &str) -> bool {
    let name = signature.to_ascii_lowercase();
    HEURISTIC.iter().any(|start| name.starts_with(start))
}
