//! Dialogues as data: each file of `tests/dialogs/smtp`, `imap` and `pop3` is one connection, with every line the
//! client sends and every line the server must answer.

mod imap_session;
/// The store in memory that `proto` tests its session with, read from there. It is written with paths of that crate,
/// which the two modules below give it.
#[allow(dead_code)]
#[path = "../../runtime/proto/src/imap/session/tests/store.rs"]
mod imap_store;
mod play;
/// The same for POP3.
#[allow(dead_code)]
#[path = "../../runtime/proto/src/pop3/desk.rs"]
mod pop3_desk;
mod pop3_session;
mod script;
mod server;
mod session;

mod imap {
    pub mod question {
        pub use proto::imap::*;
    }
}

mod pop3 {
    pub mod question {
        pub use proto::pop3::*;
    }
}

mod sasl {
    pub use proto::sasl::{Claim, LoginFailure, Salt};
}

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tests::{Facteur, program};

/// Every dialogue file of a protocol.
fn files(protocol: &str) -> Vec<PathBuf> {
    let folder = program::top().join("tests/dialogs").join(protocol);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    assert!(!files.is_empty(), "no dialogue in {}", folder.display());
    files
}

/// Plays a dialogue on a server that others have used, when there is one.
fn on_a_server(path: &Path, servers: &mut BTreeMap<String, Facteur>) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let policy = script::read(&text, &|_| Some(String::new()))?.policy;
    let server = servers.entry(policy.clone()).or_insert_with(|| Facteur::start(&policy));
    let password =
        |login: &str| server.describe.people.iter().find(|it| it.login == login).map(|it| it.password.clone());
    server::run(server, &script::read(&text, &password)?)
}

#[track_caller]
fn all(protocol: &str) {
    let (mut wrong, mut servers) = (Vec::new(), BTreeMap::new());
    let files = files(protocol);
    for path in &files {
        let mut played = on_a_server(path, &mut servers);
        if played.is_err() {
            // Windows may be full from dialogues before: what went otherwise is played again on a server of its own.
            servers.clear();
            played = on_a_server(path, &mut servers);
        }
        if let Err(error) = played {
            wrong.push(format!("{}: {error}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} dialogues went otherwise:\n{}", wrong.len(), files.len(), wrong.join("\n"));
    println!("{} dialogues", files.len());
}

/// Of Nantes, for messages that come by IMAP.
const APPEND_OCTETS_MAX: u64 = 20_000_000;
/// Octets of a dialogue that are also fed one by one.
const ONE_BY_ONE_MAX: usize = 1 << 20;

/// Plays every dialogue of a protocol without a socket, in pieces of several sizes.
#[track_caller]
fn pure(protocol: &str, play: &mut dyn FnMut(&script::Script, usize) -> Result<(), String>) {
    let mut wrong = Vec::new();
    for path in files(protocol) {
        let text = std::fs::read_to_string(&path).expect("it was just listed");
        let script = script::read(&text, &|_| Some(session::PASSWORD.to_string())).expect("a dialogue can be read");
        let octets: usize = script.steps.iter().map(|(_, step)| step.octets()).sum();
        let one_by_one = octets < ONE_BY_ONE_MAX && !script.steps.iter().any(|(_, step)| step.injects());
        for piece_octets in [usize::MAX, 16 * 1024, 7, 1] {
            if piece_octets > 7 || one_by_one {
                let played = play(&script, piece_octets);
                wrong.extend(played.err().map(|error| format!("{} by {piece_octets}: {error}", path.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn smtp_dialogues_go_as_written_on_the_pure_session_in_every_split() {
    let mut houses = BTreeMap::new();
    pure("smtp", &mut |script, piece_octets| {
        let house = houses.entry(script.policy.clone()).or_insert_with(|| session::House::of(&script.policy));
        session::run(house, script, piece_octets)
    });
}

#[test]
fn imap_dialogues_go_as_written_on_the_pure_session_in_every_split() {
    pure("imap", &mut imap_session::run);
}

#[test]
fn pop3_dialogues_go_as_written_on_the_pure_session_in_every_split() {
    pure("pop3", &mut pop3_session::run);
}

#[test]
fn pop3_dialogues_go_as_written_on_the_real_server() {
    all("pop3");
}

#[test]
fn smtp_dialogues_go_as_written_on_the_real_server() {
    all("smtp");
}

#[test]
fn imap_dialogues_go_as_written_on_the_real_server() {
    all("imap");
}
