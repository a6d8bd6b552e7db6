//! Plays a dialogue against whatever speaks: the real server or the pure session.

use std::collections::VecDeque;

use crate::script::{Script, Step, matches};

/// The first whole line of what a session said, taken out, without its end.
pub fn take_line(out: &mut VecDeque<u8>) -> Result<String, String> {
    let end = out.iter().position(|octet| *octet == b'\n').ok_or("nothing came")?;
    let line: Vec<u8> = out.drain(..=end).collect();
    let line = line.strip_suffix(b"\r\n").ok_or("a bare LF")?;
    Ok(String::from_utf8_lossy(line).into_owned())
}

/// The other end of a dialogue.
pub trait Peer {
    /// The next line, without its end. An error when there is none.
    fn line(&mut self) -> Result<String, String>;
    fn send(&mut self, octets: &[u8]) -> Result<(), String>;
    fn tls(&mut self) -> Result<(), String>;
    /// Whether nothing more comes, ever.
    fn is_closed(&mut self) -> bool;
    /// Whether nothing has come that was not heard; `None` where only the next line can tell.
    fn is_silent(&mut self) -> Option<bool>;
}

struct Typist<'a> {
    peer: &'a mut dyn Peer,
    smtp: bool,
    /// Lines since the client last spoke.
    heard: Vec<String>,
    /// Octets that go with the next.
    held: Vec<u8>,
}

/// Plays the whole dialogue; the first difference is an error with its line.
pub fn play(peer: &mut dyn Peer, smtp: bool, script: &Script) -> Result<(), String> {
    let mut typist = Typist { peer, smtp, heard: Vec::new(), held: Vec::new() };
    for (number, step) in &script.steps {
        typist.step(step).map_err(|error| format!("line {number}: {error}"))?;
    }
    Ok(())
}

impl Typist<'_> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Line(pattern) => {
                let line = self.hear()?;
                let wrong = || format!("`{pattern}` was expected, `{line}` came");
                return matches(pattern, &line).then_some(()).ok_or_else(wrong);
            }
            Step::Rest(code) => return self.rest(code),
            Step::Until(pattern) => while !matches(pattern, &self.hear()?) {},
            Step::Has(pattern) => {
                if !self.heard.iter().any(|line| matches(pattern, self.compared(line))) {
                    return Err(format!("nothing like `{pattern}` in {:#?}", self.heard));
                }
            }
            Step::Lacks(pattern) => {
                if let Some(line) = self.heard.iter().find(|line| matches(pattern, self.compared(line))) {
                    return Err(format!("`{line}` is like `{pattern}`"));
                }
            }
            Step::Silent => {
                if self.peer.is_silent() == Some(false) {
                    return Err(format!("silence was expected, {:?} came", self.peer.line()));
                }
            }
            Step::Closes => {
                if !self.peer.is_closed() {
                    return Err("the server says more instead of closing".into());
                }
            }
            Step::Send(octets, now) => return self.say(octets, *now),
            Step::Tls => return self.peer.tls(),
        }
        Ok(())
    }

    fn hear(&mut self) -> Result<String, String> {
        let line = self.peer.line().map_err(|error| format!("{error}, after {:?}", self.heard))?;
        self.heard.push(line.clone());
        Ok(line)
    }

    fn rest(&mut self, code: &str) -> Result<(), String> {
        loop {
            let line = self.hear()?;
            if !line.starts_with(code) {
                return Err(format!("a line of a {code} was expected, `{line}` came"));
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }

    fn compared<'a>(&self, line: &'a str) -> &'a str {
        if self.smtp { line.get(4..).unwrap_or_default() } else { line }
    }

    fn say(&mut self, octets: &[u8], now: bool) -> Result<(), String> {
        self.heard.clear();
        self.held.extend_from_slice(octets);
        if now { self.peer.send(&std::mem::take(&mut self.held)) } else { Ok(()) }
    }
}
