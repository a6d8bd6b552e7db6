//! `peer`: SMTP and IMAP of the whole server beside Postfix and Dovecot, by `tests/bench/ingest`.

use std::path::Path;
use std::process::Command;

pub fn run(words: &[String]) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/ingest");
    match Command::new(&program).args(words).status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => println!("{}: {error}", program.display()),
    }
}
