//! A broken guarantee as a conversation that anybody can type and see.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::figures::grouped;

/// A conversation with a server that runs the plan in question. Each answer is what that server gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counterexample {
    pub guarantee: &'static str,
    /// The block that lets it happen.
    pub block: String,
    /// The client's network, or the gateway or application carved out of one.
    pub network: String,
    /// Cells that break the guarantee, through this block where it is one of several.
    pub cases: usize,
    /// Of so many cells.
    pub of: usize,
    pub protocol: Protocol,
    /// The client's address, as the server sees it.
    pub client: IpAddr,
    /// The listener's name in the policy.
    pub listener: String,
    pub host: String,
    pub port: u16,
    /// TLS is in use at the end; from the first octet unless a line says STARTTLS or STLS.
    pub tls: bool,
    /// An address whose owner logs in; empty for a stranger. `…` in a line stands for their login and password.
    pub login: String,
    /// What must be so and no client can bring about, in words.
    pub given: Vec<String>,
    /// The message that is sent, where one is.
    pub message: Option<Message>,
    pub lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Protocol {
    Smtp,
    Imap,
    Pop,
}

/// What the client says and what the server answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Empty for the greeting, which nobody asks for. A line that begins with a dot sends the message.
    pub command: String,
    pub answer: Answer,
    /// Why this answer breaks the promise; empty where it does not.
    pub fault: String,
}

/// A reply's code, or the status of a response of IMAP or POP3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    Code(u16),
    Word(&'static str),
}

/// A message, as far as a verdict can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The address in its header From.
    pub from: String,
    pub holds: Holds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Holds {
    Nothing,
    /// The EICAR test file, which every engine finds.
    Eicar,
    /// What the spam passes count below 0.
    Spam,
}

impl Line {
    pub(super) fn new(command: impl Into<String>, answer: Answer) -> Line {
        Line { command: command.into(), answer, fault: String::new() }
    }
}

impl Message {
    /// The line that sends it.
    pub(super) fn command(&self) -> String {
        let what = match self.holds {
            Holds::Nothing => "a plain message",
            Holds::Eicar => "the EICAR test file",
            Holds::Spam => "a message the spam passes count below 0",
        };
        format!(". ({what}, From: <{}>)", self.from)
    }
}

impl Counterexample {
    /// One JSON object in one line, for `--format json`.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Outer<'c> {
            schema: u32,
            kind: &'static str,
            #[serde(flatten)]
            counterexample: &'c Counterexample,
        }
        let outer = Outer { schema: 1, kind: "counterexample", counterexample: self };
        // Strings, numbers and addresses always have a JSON form.
        serde_json::to_string(&outer).unwrap_or_default()
    }

    /// The lines a diagnostic shows below the message.
    pub(super) fn notes(&self) -> Vec<String> {
        let who = if self.login.is_empty() { "a stranger can do this" } else { "anybody with a password can do this" };
        let mut notes = vec![format!("{who} ({} of {} cases):", grouped(self.cases as u64), grouped(self.of as u64))];
        notes.extend(self.to_string().lines().map(|line| format!("    {line}")));
        notes
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for given in &self.given {
            writeln!(f, "while {given}:")?;
        }
        let begins = self.lines.iter().find(|line| matches!(line.command.as_str(), "STARTTLS" | "STLS"));
        let tls = match (self.tls, begins) {
            (false, _) => "no TLS",
            (true, Some(line)) => line.command.as_str(),
            (true, None) => "TLS",
        };
        let login = match self.login.as_str() {
            "" => "no login".to_owned(),
            owner => format!("login of who has {owner}"),
        };
        write!(f, "connect {} → {}:{}, {tls}, {login}", self.client, self.host, self.port)?;
        let shown = self.lines.iter().filter(|line| !line.command.is_empty() || !line.fault.is_empty());
        let words = |line: &Line| if line.command.is_empty() { "(greeting)".to_owned() } else { line.command.clone() };
        let typed: Vec<(String, &Line)> = shown.map(|line| (words(line), line)).collect();
        let width = typed.iter().map(|(words, _)| words.chars().count()).max().unwrap_or(0);
        for (words, line) in typed {
            write!(f, "\n{words:width$}  {}", line.answer)?;
            if !line.fault.is_empty() {
                write!(f, "   ← {}", line.fault)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Code(code) => code.fmt(f),
            Answer::Word(word) => f.write_str(word),
        }
    }
}
