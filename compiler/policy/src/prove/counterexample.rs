//! A broken guarantee as a conversation that anybody can type and see.

use std::fmt;
use std::net::IpAddr;

use decide::{Cell, ClassId, ClassKind, SenderClass, Tables};
use plan::{Prefix, TlsMode};
use serde::Serialize;

use crate::figures::grouped;

/// An address of documentation and benchmarks (RFC 2544) that stands for the Internet; `facteur try` shows `Rest` so.
const INTERNET: [&str; 3] = ["198.18.4.7", "203.0.113.9", "192.0.2.200"];

/// A conversation with a server that runs the plan in question. Each code is what that server answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counterexample {
    pub guarantee: &'static str,
    /// The block that lets it happen.
    pub block: String,
    /// The client's network, or the gateway or application carved out of one.
    pub network: String,
    /// Cells that break the guarantee through this block.
    pub cases: usize,
    /// Of so many cells.
    pub of: usize,
    /// The client's address, as the server sees it.
    pub client: IpAddr,
    /// The listener's name in the policy.
    pub listener: String,
    pub host: String,
    pub port: u16,
    /// TLS is in use at the end; from the first octet unless a line says STARTTLS.
    pub tls: bool,
    pub lines: Vec<Line>,
}

/// What the client says and what the server answers. The first has no command: it is the greeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    pub command: String,
    pub code: u16,
    /// This answer is the one that breaks the promise.
    pub must_be_refused: bool,
}

/// A recipient nobody here is responsible for.
pub(super) const ELSEWHERE: &str = "someone@elsewhere.example";

impl Counterexample {
    /// The conversation of a cell that accepts a remote recipient.
    pub(super) fn of_cell(tables: &Tables, cell: Cell, block: &str, cases: usize, of: usize) -> Counterexample {
        let rules = tables.listener_rules(cell.listener);
        let mut lines = vec![line("", 220), line("EHLO client.example", 250)];
        if cell.tls && rules.tls != TlsMode::Implicit {
            lines.push(line("STARTTLS", 220));
            lines.push(line("EHLO client.example", 250));
        }
        let reverse_path = match cell.sender {
            SenderClass::Empty => String::new(),
            SenderClass::Own | SenderClass::OwnDomain => format!("someone@{}", tables.plan().institution.domain),
            SenderClass::Foreign => "stranger@elsewhere.example".to_owned(),
        };
        lines.push(line(&format!("MAIL FROM:<{reverse_path}>"), 250));
        lines.push(Line { must_be_refused: true, ..line(&format!("RCPT TO:<{ELSEWHERE}>"), 250) });
        Counterexample {
            guarantee: "NoOpenRelay",
            block: block.to_owned(),
            network: tables.class_name(cell.class).to_owned(),
            cases,
            of,
            client: address_of(tables, cell.class),
            listener: tables.listener_name(cell.listener).to_owned(),
            host: rules.host.to_string(),
            port: rules.port,
            tls: cell.tls,
            lines,
        }
    }

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
        let mut notes = vec![format!("a stranger can do this ({} of {} cases):", self.cases, grouped(self.of as u64))];
        notes.extend(self.to_string().lines().map(|line| format!("    {line}")));
        notes
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let starttls = self.lines.iter().any(|line| line.command == "STARTTLS");
        let tls = match (self.tls, starttls) {
            (false, _) => "no TLS",
            (true, true) => "STARTTLS",
            (true, false) => "TLS",
        };
        write!(f, "connect {} → {}:{}, {tls}, no login", self.client, self.host, self.port)?;
        let typed: Vec<&Line> = self.lines.iter().filter(|line| !line.command.is_empty()).collect();
        let width = typed.iter().map(|line| line.command.len()).max().unwrap_or(0);
        for line in typed {
            write!(f, "\n{:width$}  {}", line.command, line.code)?;
            if line.must_be_refused {
                f.write_str("   ← must be refused")?;
            }
        }
        Ok(())
    }
}

fn line(command: &str, code: u16) -> Line {
    Line { command: command.to_owned(), code, must_be_refused: false }
}

/// An address of a class: the first host of its first prefix that no narrower prefix takes away.
pub(crate) fn address_of(tables: &Tables, class: ClassId) -> IpAddr {
    let plan = tables.plan();
    let name = tables.class_name(class);
    let empty: &[Prefix] = &[];
    let prefixes = match tables.class_kind(class) {
        ClassKind::Network => plan.networks.get(name).map_or(empty, |network| network.prefixes()),
        ClassKind::Gateway => plan.gateways.get(name).map_or(empty, |gateway| &gateway.from),
        ClassKind::Application => {
            let known = plan.senders.as_ref().and_then(|senders| senders.known.get(name));
            known.map_or(empty, |application| &application.from)
        }
    };
    let hosts = prefixes.iter().map(Prefix::first_host).chain(INTERNET.iter().filter_map(|text| text.parse().ok()));
    let mut hosts = hosts.collect::<Vec<IpAddr>>().into_iter();
    let first = hosts.clone().next();
    let found = hosts.find(|host| tables.class_of(*host) == class);
    found.or(first).unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
}
