//! A dialogue typed against the real server.

use std::io;
use std::sync::Arc;

use tests::Facteur;
use tests::describe::Tls;
use tests::wire::{self, Wire};

use crate::script::{Script, Step, matches};

struct Typist<'a> {
    server: &'a Facteur,
    smtp: bool,
    wire: Wire,
    /// Lines since the client last spoke.
    heard: Vec<String>,
    /// Octets that go with the next.
    held: Vec<u8>,
}

/// Plays the whole dialogue; the first difference is an error with its line.
pub fn play(server: &Facteur, script: &Script) -> Result<(), String> {
    let listener = server.describe.listener(&script.listener);
    let socket = wire::connect(listener.addr, server.describe.network(&script.from).source);
    let mut wire = Wire::plain(socket.map_err(|error| error.to_string())?);
    if listener.tls == Tls::Implicit {
        wire = wire.tls(&server.tls).map_err(|error| format!("TLS: {error}"))?;
    }
    let smtp = listener.speaks == "Smtp";
    let mut typist = Typist { server, smtp, wire, heard: Vec::new(), held: Vec::new() };
    for (number, step) in &script.steps {
        typist = typist.step(step).map_err(|error| format!("line {number}: {error}"))?;
    }
    Ok(())
}

impl Typist<'_> {
    fn step(mut self, step: &Step) -> Result<Self, String> {
        match step {
            Step::Line(pattern) => {
                let line = self.hear()?;
                if !matches(pattern, &line) {
                    return Err(format!("`{pattern}` was expected, `{line}` came"));
                }
            }
            Step::Rest(code) => self.rest(code)?,
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
            // Judged by the reply to the next line, which must match.
            Step::Silent => {}
            Step::Closes => {
                if !self.wire.is_closed() {
                    return Err("the server says more instead of closing".into());
                }
            }
            Step::Send(octets, now) => self.say(octets, *now)?,
            Step::Tls => {
                let config = Arc::clone(&self.server.tls);
                self.wire = self.wire.tls(&config).map_err(|error| format!("TLS: {error}"))?;
            }
        }
        Ok(self)
    }

    fn hear(&mut self) -> Result<String, String> {
        let line = self.wire.line().map_err(|error| format!("{error}, after {:?}", self.heard))?;
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
        if !now {
            return Ok(());
        }
        let sent: io::Result<()> = self.wire.send(&self.held);
        self.held.clear();
        sent.map_err(|error| error.to_string())
    }
}
