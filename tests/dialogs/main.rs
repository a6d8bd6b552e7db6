//! Dialogues as data: each file of `tests/dialogs/smtp` and `tests/dialogs/imap` is one connection, with every line the
//! client sends and every line the server must answer.

mod script;
mod server;

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
fn play(path: &Path, servers: &mut BTreeMap<String, Facteur>) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let policy = script::read(&text, &|_| Some(String::new()))?.policy;
    let server = servers.entry(policy.clone()).or_insert_with(|| Facteur::start(&policy));
    let password =
        |login: &str| server.describe.people.iter().find(|it| it.login == login).map(|it| it.password.clone());
    server::play(server, &script::read(&text, &password)?)
}

#[track_caller]
fn all(protocol: &str) {
    let (mut wrong, mut servers) = (Vec::new(), BTreeMap::new());
    let files = files(protocol);
    for path in &files {
        let mut played = play(path, &mut servers);
        if played.is_err() {
            // Windows may be full from dialogues before: what went otherwise is played again on a server of its own.
            servers.clear();
            played = play(path, &mut servers);
        }
        if let Err(error) = played {
            wrong.push(format!("{}: {error}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} dialogues went otherwise:\n{}", wrong.len(), files.len(), wrong.join("\n"));
    println!("{} dialogues", files.len());
}

#[test]
fn smtp_dialogues_go_as_written_on_the_real_server() {
    all("smtp");
}

#[test]
fn imap_dialogues_go_as_written_on_the_real_server() {
    all("imap");
}
