//! The real program, started for one test on ports the kernel chose, with a data folder of its own. It is killed by its
//! pid when the test ends, and its log is printed when the test failed.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use crate::describe::Describe;
use crate::scratch::Scratch;
use crate::{program, wait, wire};

/// A loaded machine compiles, hashes passwords and opens a store; this is generous for all of it.
const START_WITHIN: Duration = Duration::from_secs(90);
/// How much of the log a failed test prints.
const LOG_LINES_SHOWN: usize = 60;

/// How to start.
#[derive(Default)]
pub struct Options {
    /// So many people more, `user0001` onwards, with the password `pass`.
    pub people: u32,
    /// A folder that outlives the server: for tests that start it again. Else one that goes with it.
    pub data: Option<PathBuf>,
    /// Further arguments of `facteur try`.
    pub arguments: Vec<String>,
}

/// A running server.
pub struct Facteur {
    child: Child,
    pub describe: Describe,
    /// Trusts the certificate of this server and no other.
    pub tls: Arc<ClientConfig>,
    log: PathBuf,
    scratch: Scratch,
}

impl Facteur {
    /// Serves a folder below `policies/`.
    #[track_caller]
    pub fn start(policy: &str) -> Facteur {
        Facteur::start_with(&program::top().join("policies").join(policy), Options::default())
    }

    /// Serves a policy folder.
    #[track_caller]
    pub fn start_with(policy: &Path, options: Options) -> Facteur {
        let scratch = Scratch::new("try");
        let (log, description) = (scratch.join("log"), scratch.join("describe.json"));
        let data = options.data.unwrap_or_else(|| scratch.join("data"));
        let out = File::create(&log).expect("the scratch folder is ours");
        let mut command = Command::new(program::facteur());
        command.arg("try").arg(policy).args(["--no-story", "--describe"]).arg(&description).arg("--data").arg(&data);
        if options.people > 0 {
            command.args(["--people", &options.people.to_string()]);
        }
        command.args(&options.arguments).stdin(Stdio::null());
        command.stdout(out.try_clone().expect("a file handle can be doubled")).stderr(out);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        // The description is renamed into place when everything listens.
        let text = wait::until(START_WITHIN, &format!("{command:?} describes itself"), || {
            if let Ok(Some(status)) = child.try_wait() {
                panic!("{command:?} ended with {status}\n{}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            std::fs::read_to_string(&description).ok()
        });
        let describe: Describe = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"));
        let tls = wire::trusting(&describe.ca);
        Facteur { child, describe, tls, log, scratch }
    }

    /// SIGKILL, as a power cut would: nothing in memory survives.
    pub fn kill(mut self) {
        self.end();
    }

    /// The SIGKILL alone, for a thread that has no time to wait for the end.
    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Asks the server to end and waits for it.
    #[track_caller]
    pub fn stop(mut self) {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::TERM).expect("the server runs");
        let status = wait::until(Duration::from_secs(30), "the server ends when asked", || {
            self.child.try_wait().expect("the child is ours")
        });
        assert!(status.success(), "asked to end, the server ended with {status}\n{}", self.log_text());
    }

    /// Everything the server printed so far.
    pub fn log_text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// A folder for files of the test.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Resident memory in KiB: now, and the most there ever was.
    pub fn resident_kib(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the server runs");
        let of = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("Linux says so");
            line.trim().trim_end_matches(" kB").parse().expect("a number of KiB")
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    /// Memory in KiB now: the process's own and its part of what it shares with others.
    pub fn proportional_kib(&self) -> u64 {
        let rollup =
            std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id())).expect("the server runs");
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).expect("Linux says so");
        line.trim().trim_end_matches(" kB").parse().expect("a number of KiB")
    }

    /// Forgets the most memory there ever was: from here on `resident_kib` tells of what comes.
    pub fn forget_peak(&self) {
        // proc(5): 5 resets the peak of the resident set.
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").expect("the server is ours");
    }

    /// The page of metrics.
    pub fn metrics(&self) -> String {
        let page = self.page("metrics");
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        page
    }

    /// A page beside the metrics, with its status line and header.
    pub fn page(&self, path: &str) -> String {
        let rest = self.describe.metrics.strip_prefix("http://").expect("metrics are over plain HTTP");
        let host = rest.split('/').next().unwrap_or(rest);
        let mut stream = TcpStream::connect(host).expect("metrics listen");
        write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("asked");
        let mut page = String::new();
        stream.read_to_string(&mut page).expect("answered");
        page
    }

    /// The sum of a metric over its labels; 0 when it is not there.
    pub fn metric(&self, name: &str) -> f64 {
        let page = self.metrics();
        let of = |line: &str| {
            let rest = line.strip_prefix(name)?;
            (rest.starts_with('{') || rest.starts_with(' ')).then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
        };
        page.lines().filter_map(of).sum()
    }

    fn end(&mut self) {
        // The child may have ended by itself; both are then errors that change nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Facteur {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            let log = self.log_text();
            let lines: Vec<&str> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            eprintln!("--- log of the server, last {} lines\n{}\n---", shown.len(), shown.join("\n"));
        }
    }
}
