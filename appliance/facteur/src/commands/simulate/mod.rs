//! `facteur simulate`: an SMTP conversation with a policy. The session code and the decisions are the server's; the
//! clock, the client's address, the engines and TLS are what is said on the command line. Nothing is delivered.

mod clock;
mod judge;
mod talk;

use std::io::{BufRead, Read, Write, stdin, stdout};
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use decide::{Client, EngineResult, ListenerId};
use plan::{ListenerAuth, Speaks, TlsMode};
use policy::suite::House;

use super::ready;
use crate::Exit;
use clock::{Clock, wait};
use talk::Talk;

/// Octets of a line that are taken at a time; a longer one goes to the session in pieces.
const LINE_OCTETS_MAX: u64 = 64 * 1024;

#[derive(Args)]
#[command(after_long_help = HELP)]
pub struct SimulateArgs {
    /// A policy file, or a folder with policy.ron and people.ron
    pub policy: PathBuf,
    /// The listener, by its name in the policy
    #[arg(long, value_name = "NAME", required_unless_present = "host", conflicts_with_all = ["host", "port"])]
    pub listener: Option<String>,
    /// The listener, by the host name clients use
    #[arg(long, value_name = "HOST", requires = "port")]
    pub host: Option<String>,
    /// The listener's port
    #[arg(long, requires = "host")]
    pub port: Option<u16>,
    /// The client's address
    #[arg(long, value_name = "ADDRESS")]
    pub from: IpAddr,
    /// The local time it begins, "2026-11-23 10:00:00"; else now
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// This person has logged in already
    #[arg(long, value_name = "LOGIN")]
    pub login: Option<String>,
    /// What an engine says: clamav=Infected, also Clean, Suspect, Down, "Down:4 h"
    #[arg(long = "engine", value_name = "NAME=SAYS")]
    pub engines: Vec<String>,
    /// The total of the spam passes, on the scale of `ScoreBelow`
    #[arg(long, default_value_t = 1, allow_hyphen_values = true)]
    pub score: i32,
}

const HELP: &str = r#"The client's lines come from standard input, replies go to standard output as a server that runs this plan gives them.
After each refusal the rule that decided and its line in the policy are said on standard error.

  # wait 15 min      the clock moves; so does `+15 min`. The connection stays.
  # connect          a new connection; after QUIT the next line begins one by itself
  # …                anything else behind `#` is a comment

STARTTLS changes the state without a handshake. AUTH takes any password for the logins of people.ron, unless it begins
with `wrong`.

  printf 'EHLO me\r\nMAIL FROM:<x@evil.example>\r\nRCPT TO:<y@other.example>\r\n' |
      facteur simulate policies/nantes --listener mx --from 203.0.113.9

Ends with 0 whatever is refused, 2 when the command cannot be understood."#;

/// Talks until the input ends.
pub fn run(args: &SimulateArgs) -> Exit {
    let ready = match ready(&args.policy, false) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let people = ready.people.unwrap_or_default();
    let Some(house) = House::new(&ready.sealed, &people) else { return Exit::PolicyErrors };
    match begin(args, &house) {
        Ok(talk) => converse(talk),
        Err(why) => {
            eprintln!("facteur simulate: {why}");
            Exit::Trouble
        }
    }
}

/// The conversation that the arguments describe, or what is wrong with them.
fn begin<'h>(args: &SimulateArgs, house: &'h House) -> Result<Talk<'h>, String> {
    let tables = &house.tables;
    let listener = listener(args, house)?;
    let rules = tables.listener_rules(listener);
    match rules.speaks {
        Speaks::Smtp | Speaks::Lmtp => {}
        Speaks::Imap | Speaks::Pop => {
            return Err(format!("listener \"{}\" takes no mail", tables.listener_name(listener)));
        }
    }
    let tls = rules.tls == TlsMode::Implicit;
    let client = Client { listener, class: tables.class_of(args.from), address: args.from, tls, account: None };
    let account = match &args.login {
        None => None,
        Some(_) if rules.auth == ListenerAuth::Never => {
            return Err(format!("there is no login on listener \"{}\"", tables.listener_name(listener)));
        }
        Some(login) => Some(house.account(login).ok_or_else(|| format!("people.ron has no login \"{login}\""))?),
    };
    let clock = Clock::new(args.at.as_deref(), &tables.plan().institution.time_zone)?;
    let engines = engines(args, house)?;
    Ok(Talk::new(house, client, account, clock, engines, i64::from(args.score) * 1_000))
}

fn listener(args: &SimulateArgs, house: &House) -> Result<ListenerId, String> {
    let tables = &house.tables;
    if let Some(name) = &args.listener {
        let names: Vec<&str> = tables.listeners().map(|(_, name, _)| name).collect();
        return tables.listener(name).ok_or_else(|| format!("no listener \"{name}\"; there are {}", names.join(", ")));
    }
    let (host, port) = (args.host.as_deref().unwrap_or_default().to_lowercase(), args.port.unwrap_or_default());
    let named = |rules: &plan::Listener| {
        let mut names = std::iter::once(&rules.host).chain(&rules.also);
        rules.port == port && names.any(|name| name.as_str() == host)
    };
    let mut found = tables.listeners().filter(|(_, _, rules)| named(rules));
    found.next().map(|(id, ..)| id).ok_or_else(|| format!("no listener is at {host}:{port}"))
}

/// What each engine of the policy says: nothing bad, where the arguments say nothing.
fn engines(args: &SimulateArgs, house: &House) -> Result<Vec<(String, EngineResult)>, String> {
    let antivirus = house.tables.plan().antivirus.as_ref();
    let names: Vec<String> = antivirus.map(|antivirus| antivirus.engines.clone()).unwrap_or_default();
    let mut engines: Vec<(String, EngineResult)> =
        names.iter().map(|name| (name.clone(), EngineResult::Clean)).collect();
    for said in &args.engines {
        let (name, what) = said.split_once('=').ok_or_else(|| format!("`{said}` is not NAME=SAYS"))?;
        let (word, more) = what.split_once(':').unwrap_or((what, ""));
        let signature = if more.is_empty() { "simulated" } else { more };
        let result = match word {
            "Clean" => EngineResult::Clean,
            "Suspect" => EngineResult::Suspect(signature.to_owned()),
            "Infected" => EngineResult::Infected(signature.to_owned()),
            "Down" if more.is_empty() => EngineResult::Down { for_s: 0 },
            "Down" => EngineResult::Down { for_s: clock::seconds(more)? },
            _ => return Err(format!("`{word}` is none of Clean, Suspect, Infected, Down")),
        };
        let engine = engines.iter_mut().find(|(engine, _)| engine == name);
        engine.ok_or_else(|| format!("no engine \"{name}\"; there are: {}", names.join(", ")))?.1 = result;
    }
    Ok(engines)
}

fn converse(mut talk: Talk<'_>) -> Exit {
    talk.connect();
    let mut input = stdin().lock();
    let mut line = Vec::new();
    loop {
        if print(&mut talk).is_err() {
            return Exit::Fine;
        }
        line.clear();
        match (&mut input).take(LINE_OCTETS_MAX).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                eprintln!("facteur simulate: {error}");
                return Exit::Trouble;
            }
        }
        if let Err(why) = hear(&mut talk, &line) {
            eprintln!("facteur simulate: {why}");
            return Exit::Trouble;
        }
    }
    talk.leave();
    // A reader that went away is no error of ours.
    let _ = print(&mut talk);
    Exit::Fine
}

/// A line of the client, or of the person who types for it.
fn hear(talk: &mut Talk<'_>, line: &[u8]) -> Result<(), String> {
    let text = line.strip_suffix(b"\n").map(|text| text.strip_suffix(b"\r").unwrap_or(text));
    if !talk.is_in_content()
        && let Some(text) = text.and_then(|text| std::str::from_utf8(text).ok())
        && (text.starts_with('#') || text.starts_with('+'))
    {
        let command = text.trim_start_matches('#').trim();
        if let Some(span) = wait(command) {
            return talk.wait(span?);
        }
        if command == "connect" {
            talk.leave();
            talk.connect();
        }
        return Ok(());
    }
    if talk.is_closed() {
        talk.connect();
    }
    match text {
        Some(text) => {
            let mut octets = text.to_vec();
            octets.extend_from_slice(b"\r\n");
            talk.feed(&octets);
        }
        None => talk.feed(line),
    }
    Ok(())
}

fn print(talk: &mut Talk<'_>) -> std::io::Result<()> {
    let mut out = stdout();
    for said in talk.said() {
        out.write_all(&said.octets)?;
        out.flush()?;
        for note in said.notes {
            eprintln!("  = {note}");
        }
    }
    Ok(())
}
