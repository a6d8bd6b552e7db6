//! Who may operate from elsewhere, and whose plans are taken.

mod channel;
mod deploying;
mod plan_keys;

use std::path::PathBuf;
use std::process::Command;

use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::{Facteur, Options};

/// A server with a control channel, and a folder for keys.
pub struct House {
    pub scratch: Scratch,
    pub server: Facteur,
}

/// `facteur WORDS` somewhere.
pub fn facteur(words: &[&str]) -> Ran {
    program::run(Command::new(program::facteur()).args(words))
}

impl House {
    #[track_caller]
    pub fn new() -> House {
        House::of("nantes")
    }

    /// Serves a folder below `policies/`.
    #[track_caller]
    pub fn of(policy: &str) -> House {
        let arguments = ["--control", "127.0.0.1:0"].map(str::to_owned).to_vec();
        let options = Options { arguments, ..Options::default() };
        let server = Facteur::start_with(&program::top().join("policies").join(policy), options);
        House { scratch: Scratch::new("control"), server }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    /// `facteur WORDS --data …`: on the machine itself.
    pub fn here(&self, words: &[&str]) -> Ran {
        program::run(Command::new(program::facteur()).args(words).arg("--data").arg(&self.server.describe.data))
    }

    /// `facteur WORDS --appliance … --identity …`.
    pub fn afar(&self, identity: &str, words: &[&str]) -> Ran {
        let address = self.server.describe.remote.expect("the control channel listens").to_string();
        let folder = self.text(identity);
        facteur(&[words, &["--appliance", &address, "--identity", &folder]].concat())
    }

    /// An identity that trusts this server; its fingerprint.
    #[track_caller]
    pub fn identity(&self, name: &str) -> String {
        let pin = self.here(&["operator", "pin"]).ends(0).out;
        let made = facteur(&["operator", "identity", name, "--into", &self.text(name), "--pin", pin.trim()]);
        made.ends(0).out.trim().to_owned()
    }

    /// One that is enrolled.
    #[track_caller]
    pub fn operator(&self, name: &str, role: &str) -> String {
        let fingerprint = self.identity(name);
        self.here(&["operator", "enroll", name, "--role", role, &fingerprint]).ends(0);
        fingerprint
    }

    /// A key that signs; the path of its private file without the ending.
    #[track_caller]
    pub fn key(&self, name: &str) -> String {
        facteur(&["key", "new", name, "--out", &self.scratch.path().to_string_lossy()]).ends(0);
        self.text(name)
    }
}
