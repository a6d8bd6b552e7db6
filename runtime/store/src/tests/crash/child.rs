//! The parent's end: the test starts itself again as the process that dies.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::journal::Record;
use super::workload::Settings;

/// The test that is the child when its environment says so.
const ENTRY: &str = "tests::crash::acknowledged_mail_survives_kill_9_exactly_once";

pub(super) struct Process {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub(super) records: Vec<Record>,
}

impl Process {
    /// `variables` go into its environment besides the settings.
    pub(super) fn start(settings: &Settings, variables: &[(&str, String)]) -> Process {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let (name, value) = settings.environment();
        command.args([ENTRY, "--exact", "--nocapture"]).env(name, value);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let quiet = std::env::var("FACTEUR_CHILD_SPEAKS").is_err();
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(if quiet { Stdio::null() } else { Stdio::inherit() })
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Process { process, lines, records: Vec::new() }
    }

    /// Reads until `records` records were heard; `false` when the child ended before.
    pub(super) fn listen(&mut self, records: usize) -> bool {
        while self.records.len() < records {
            match self.lines.next() {
                Some(Ok(line)) => self.records.extend(Record::read(&line)),
                _ => return false,
            }
        }
        true
    }

    pub(super) fn kill(mut self) -> Vec<Record> {
        self.process.kill().unwrap();
        self.rest().0
    }

    /// Everything it says until it ends by itself.
    pub(super) fn rest(mut self) -> (Vec<Record>, ExitStatus) {
        self.listen(usize::MAX);
        let status = self.process.wait().unwrap();
        (std::mem::take(&mut self.records), status)
    }

    /// Returns when no thread of it runs: calls that were under way are over.
    pub(super) fn freeze(&self) {
        let id = self.process.id();
        kill_process(Pid::from_child(&self.process), Signal::STOP).unwrap();
        let stopped = |status: String| status.rsplit(')').next().is_some_and(|rest| rest.trim().starts_with('T'));
        loop {
            let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
            let mut statuses = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("stat")));
            if statuses.all(|status| status.is_ok_and(stopped)) {
                return;
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the test `name` as a child on `folder` until it told a number of at least `enough`, kills it, and gives the last
/// number it told.
pub(super) fn run_until(name: &str, variable: &str, folder: &std::path::Path, enough: u64) -> u64 {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture"]).env(variable, folder);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let (mut told, mut killed) = (0, false);
    for line in lines.map_while(Result::ok) {
        let Some(number) = line.strip_prefix("told ").and_then(|rest| rest.strip_suffix(" .")) else { continue };
        told = number.parse().unwrap();
        if told >= enough && !killed {
            process.kill().unwrap();
            killed = true;
        }
    }
    process.wait().unwrap();
    assert!(killed, "the child ended by itself");
    told
}

/// The child's side of it.
pub(super) fn tell(number: u64) {
    let line = format!("\ntold {number} .\n");
    if std::io::stdout().write_all(line.as_bytes()).is_err() {
        std::process::exit(1);
    }
}
