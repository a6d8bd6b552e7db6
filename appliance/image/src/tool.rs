//! Programs of Debian that do the work, run with an environment that is the same everywhere.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::fault::{Fault, Result};

/// Debian keeps some of them where a person's PATH does not look.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How much of what a failed program said is told.
const LINES_TOLD: usize = 20;

/// A program and its arguments.
pub struct Tool {
    command: Command,
    name: String,
    input: Option<Vec<u8>>,
}

impl Tool {
    /// Time zone, language and the date that goes into what is made are fixed.
    pub fn new(name: &str, epoch: u64) -> Tool {
        let mut command = Command::new(name);
        command.env_clear().env("PATH", PATH).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("HOME", "/nonexistent");
        command.env("DEBIAN_FRONTEND", "noninteractive").env("SOURCE_DATE_EPOCH", epoch.to_string());
        for kept in ["http_proxy", "https_proxy", "no_proxy", "TMPDIR"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        Tool { command, name: name.to_owned(), input: None }
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Tool {
        self.command.arg(argument);
        self
    }

    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, arguments: I) -> Tool {
        self.command.args(arguments);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Tool {
        self.command.env(name, value);
        self
    }

    /// What it reads on standard input; else nothing.
    pub fn input(mut self, octets: impl Into<Vec<u8>>) -> Tool {
        self.input = Some(octets.into());
        self
    }

    /// Runs to the end and gives standard output.
    pub fn run(mut self) -> Result<Vec<u8>> {
        let input = self.input.take();
        self.command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().map_err(|error| {
            Fault(format!("{}: {error} (tests/packages/image lists the packages that are needed)", self.name))
        })?;
        let feeder = input.zip(child.stdin.take()).map(|(octets, mut to)| {
            // A program that ends early is reported by its exit code.
            std::thread::spawn(move || drop(std::io::Write::write_all(&mut to, &octets)))
        });
        let ended = child.wait_with_output().map_err(|error| Fault(format!("{}: {error}", self.name)))?;
        if let Some(feeder) = feeder {
            let _ = feeder.join();
        }
        if ended.status.success() {
            return Ok(ended.stdout);
        }
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        let told = lines[lines.len().saturating_sub(LINES_TOLD)..].join("\n  ");
        Err(Fault(format!("{} ended with {}\n  {told}", self.name, ended.status)))
    }

    /// Runs to the end and gives standard output as text.
    pub fn text(self) -> Result<String> {
        let name = self.name.clone();
        String::from_utf8(self.run()?).map_err(|_| Fault(format!("{name} said what is no text")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_program_said_is_told() {
        let fault = Tool::new("ls", 0).arg("/nonexistent/x").run().expect_err("there is no such file");
        assert!(fault.0.starts_with("ls ended with exit status: 2\n  ls: cannot access"), "{fault}");
        assert!(Tool::new("no-such-program", 0).run().expect_err("none").0.contains("tests/packages/image"));
    }

    #[test]
    fn input_is_read_and_the_date_is_fixed() {
        assert_eq!(Tool::new("cat", 0).input("hello").text(), Ok("hello".to_string()));
        assert_eq!(Tool::new("date", 86400).args(["-u", "-d", "@0", "+%Z"]).text(), Ok("UTC\n".to_string()));
        let environment = Tool::new("env", 86400).text().expect("env runs");
        assert!(environment.contains("SOURCE_DATE_EPOCH=86400\n"), "{environment}");
    }
}
