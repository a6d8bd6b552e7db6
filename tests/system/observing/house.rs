//! `facteur serve` of the bench policy with a site of the test.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tests::describe::Person;
use tests::scratch::Scratch;
use tests::{Facteur, Options, program, wait};

use crate::world::authority::Authority;

pub const WITHIN: Duration = Duration::from_secs(60);

/// A data folder with people, a plan, and certificates of an authority.
pub struct House {
    pub scratch: Scratch,
    pub data: PathBuf,
    pub people: Vec<Person>,
    pub authority: Authority,
}

/// A running `facteur serve`; killed when it goes.
pub struct Serving {
    child: Child,
    data: PathBuf,
    log: PathBuf,
}

impl House {
    #[track_caller]
    pub fn new() -> House {
        let scratch = Scratch::new("observing");
        let data = scratch.join("data");
        let options = Options { data: Some(data.clone()), people: 2, ..Options::default() };
        let policy = program::top().join("policies/bench");
        let running = Facteur::start_with(&policy, options);
        let people = running.describe.people.iter().rev().take(2).cloned().collect();
        running.stop();
        program::run(Command::new(program::facteur()).arg("compile").arg(&policy).arg("--out").arg(scratch.path()))
            .ends(0);
        let authority = Authority::new();
        let shown = authority.certifies_all(&["mail.example.org", "mx.example.org"]);
        for (name, text) in [("ca.pem", authority.pem()), ("chain.pem", shown.chain_pem), ("key.pem", shown.key_pem)] {
            fs::write(scratch.join(name), text).expect("the scratch folder is ours");
        }
        House { scratch, data, people, authority }
    }

    /// Serves with `more` in the site.
    #[track_caller]
    pub fn serve(&self, more: &str, arguments: &[&str]) -> Serving {
        let [chain, key, site, log] =
            ["chain.pem", "key.pem", "site.ron", "serve.log"].map(|name| self.scratch.join(name));
        let text = format!(
            "Site(data: {:?}, outbound: Sink,\n\
             listeners: {{\"mx\": [\"127.0.0.1:0\"], \"subm\": [\"127.0.0.1:0\"], \"imaps\": [\"127.0.0.1:0\"]}},\n\
             certificates: {{\"default\": File(chain: {chain:?}, key: {key:?})}}{more})\n",
            self.data
        );
        fs::write(&site, text).expect("the scratch folder is ours");
        let out = File::create(&log).expect("the scratch folder is ours");
        let mut command = Command::new(program::facteur());
        command.arg("serve").arg("--plan").arg(self.scratch.join("bench.plan.ron")).arg("--site").arg(site);
        command.args(arguments).env("RUST_LOG", "info").env_remove("JOURNAL_STREAM");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out).spawn().expect("facteur is built");
        let mut serving = Serving { child, data: self.data.clone(), log };
        wait::until(WITHIN, "facteur serve listens", || {
            if let Ok(Some(status)) = serving.child.try_wait() {
                panic!("facteur serve ended with {status}\n{}", serving.log());
            }
            serving.get("/status").map(drop)
        });
        serving
    }
}

impl Serving {
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// A page of the control socket.
    pub fn get(&self, path: &str) -> Option<String> {
        let mut stream = UnixStream::connect(self.data.join("control.sock")).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: control\r\n\r\n").ok()?;
        let mut page = String::new();
        stream.read_to_string(&mut page).ok()?;
        page.starts_with("HTTP/1.1 200").then_some(page)
    }

    /// A metric without labels; 0 when it is not there.
    pub fn metric(&self, name: &str) -> f64 {
        let page = self.get("/metrics").unwrap_or_default();
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        line.unwrap_or(0.0)
    }

    /// Where a listener is.
    #[track_caller]
    pub fn address(&self, listener: &str) -> String {
        let asked =
            Command::new(program::facteur()).args(["status", "--format", "json", "--data"]).arg(&self.data).output();
        let asked = asked.expect("facteur is built");
        let status: serde_json::Value = serde_json::from_slice(&asked.stdout).expect("a status");
        let all = status["listeners"].as_array().expect("listeners");
        let one = all.iter().find(|one| one["name"] == listener).expect("the plan has it");
        one["addresses"][0].as_str().expect("it listens").to_owned()
    }

    #[track_caller]
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the server runs");
        let status = wait::until(WITHIN, "the server ends when asked", || self.child.try_wait().expect("it is ours"));
        assert!(status.success(), "{status}\n{}", self.log());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}
