//! A facteur of its own in the network: policy, people, site, `facteur serve` on port 25 like everybody else.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tests::describe::Person;
use tests::scratch::Scratch;
use tests::smtp::{base64, read_reply};
use tests::wire::{self, Wire};
use tests::{Facteur, Options, program, wait};

use super::net::Net;
use crate::world::authority::{Authority, Shown};

pub const WITHIN: Duration = Duration::from_secs(60);

/// What tells one house from another.
pub struct Plan {
    pub domain: &'static str,
    pub host: &'static str,
    pub address: &'static str,
    /// Sections of the policy besides those that say who and where.
    pub sections: String,
    /// First and last name of its people.
    pub people: &'static [(&'static str, &'static str)],
    /// Does it keep mailboxes, which can be read?
    pub keeps: bool,
}

/// A listener `relay`, and the network `servers` of those it is for.
pub struct Relay {
    pub address: &'static str,
    pub servers: &'static str,
}

/// Killed when it goes.
pub struct House {
    child: Child,
    pub people: Vec<Person>,
    pub data: PathBuf,
    address: Ipv4Addr,
    log: PathBuf,
    tls: Arc<ClientConfig>,
    /// The digest of its key, for TLSA.
    pub key_digest: String,
}

impl House {
    /// `site` are further facts of its site.
    #[track_caller]
    pub fn start(net: &Net, scratch: &Scratch, plan: &Plan, authority: &Authority, site: &str) -> House {
        House::start_with(net, scratch, (plan, None), authority, site)
    }

    /// The same with a listener for applications.
    #[track_caller]
    pub fn start_with(
        net: &Net,
        scratch: &Scratch,
        (plan, relay): (&Plan, Option<&Relay>),
        authority: &Authority,
        site: &str,
    ) -> House {
        let folder = scratch.join(plan.domain);
        fs::create_dir_all(&folder).expect("the scratch folder is ours");
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("the scratch folder is ours");
        write("policy.ron", &policy(plan, relay));
        write("people.ron", &people(plan));
        let data = folder.join("data");
        let made = Facteur::start_with(&folder, Options { data: Some(data.clone()), ..Options::default() });
        let people = made.describe.people.clone();
        made.stop();
        program::run(Command::new(program::facteur()).arg("compile").arg(&folder).arg("--out").arg(&folder)).ends(0);
        let shown: Shown = authority.certifies_all(&[plan.host, plan.address]);
        write("chain.pem", &shown.chain_pem);
        write("key.pem", &shown.key_pem);
        write("authority.pem", &authority.pem());
        let at = plan.address;
        let imaps = if plan.keeps { format!("\"imaps\": [\"{at}:993\"], ") } else { String::new() };
        let listens = relay.map(|relay| format!("\"relay\": [\"{}:25\"], ", relay.address));
        let listens = listens.unwrap_or_default();
        let facts = format!(
            "Site(data: {data:?}, outbound: Network, sources: {{\"usual\": [\"{at}\"]}}, authorities: [{:?}],\n\
             listeners: {{\"mx\": [\"{at}:25\"], \"subs\": [\"{at}:465\"], {imaps}{listens}}}, {site}\n\
             certificates: {{\"default\": File(chain: {:?}, key: {:?})}})\n",
            folder.join("authority.pem"),
            folder.join("chain.pem"),
            folder.join("key.pem")
        );
        write("site.ron", &facts);
        let log = folder.join("log");
        let out = File::create(&log).expect("the scratch folder is ours");
        let mut command = net.command(program::facteur());
        command.arg("serve").arg("--plan").arg(folder.join(format!("{}.plan.ron", plan.domain)));
        command.arg("--site").arg(folder.join("site.ron")).env("RUST_LOG", "info");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out).spawn().expect("facteur is built");
        wait::until(WITHIN, "facteur serve listens", || {
            let text = fs::read_to_string(&log).ok()?;
            text.lines()
                .filter(|line| line.contains("listening"))
                .count()
                .checked_sub(1 + usize::from(plan.keeps) + usize::from(!listens.is_empty()))
        });
        let tls = wire::trusting(&folder.join("authority.pem"));
        let address = at.parse().expect("an address");
        House { child, people, data, address, log, tls, key_digest: shown.key_digest }
    }

    #[track_caller]
    pub fn person(&self, login: &str) -> &Person {
        self.people.iter().find(|person| person.login == login).unwrap_or_else(|| panic!("{login} is not here"))
    }

    /// Submits a message as a person does; the id in the queue.
    pub fn submit(&self, net: &Net, login: &str, parameters: &str, to: &str, message: &str) -> io::Result<String> {
        let who = self.person(login);
        net.inside(|| {
            let mut wire = self.connect(465)?;
            read_reply(&mut wire)?.expect(220)?;
            let token = base64(format!("\0{}\0{}", who.login, who.password).as_bytes());
            for (line, code) in [
                ("EHLO client.example".to_owned(), 250),
                (format!("AUTH PLAIN {token}"), 235),
                (format!("MAIL FROM:<{}> {parameters}", who.address).trim_end().to_owned(), 250),
                (format!("RCPT TO:<{to}>"), 250),
                ("DATA".to_owned(), 354),
            ] {
                wire.send(format!("{line}\r\n").as_bytes())?;
                read_reply(&mut wire)?.expect(code)?;
            }
            wire.send(format!("{message}\r\n.\r\n").as_bytes())?;
            let kept = read_reply(&mut wire)?.expect(250)?;
            Ok(kept.text().rsplit(' ').next().unwrap_or_default().to_owned())
        })
    }

    fn connect(&self, port: u16) -> io::Result<Wire> {
        self.plain(port)?.tls(&self.tls)
    }

    /// A connection without TLS.
    pub fn plain(&self, port: u16) -> io::Result<Wire> {
        wire::connect(SocketAddr::from((self.address, port)), Ipv4Addr::LOCALHOST).map(Wire::plain)
    }

    /// The messages in somebody's INBOX, whole.
    pub fn inbox(&self, net: &Net, login: &str) -> io::Result<String> {
        let who = self.person(login);
        net.inside(|| {
            let mut wire = self.connect(993)?;
            wire.line()?;
            let mut all = String::new();
            for (tag, line) in [
                ("a", format!("LOGIN {} {}", who.login, who.password)),
                ("b", "EXAMINE INBOX".to_owned()),
                ("c", "FETCH 1:* BODY.PEEK[]".to_owned()),
            ] {
                wire.send(format!("{tag} {line}\r\n").as_bytes())?;
                loop {
                    let line = wire.line()?;
                    let done = line.starts_with(&format!("{tag} "));
                    all.push_str(&line);
                    all.push_str("\r\n");
                    if done {
                        break;
                    }
                }
            }
            Ok(all)
        })
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// A command of an operator.
    pub fn operate(&self, arguments: &[&str]) -> program::Ran {
        program::run(Command::new(program::facteur()).args(arguments).arg("--data").arg(&self.data))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.log.display(), self.log());
        }
    }
}

fn policy(plan: &Plan, relay: Option<&Relay>) -> String {
    let Plan { domain, host, .. } = plan;
    let imaps = format!("\"imaps\": (host: \"{host}\", port: 993, speaks: Imap, auth: Required),");
    let imaps = if plan.keeps { imaps.as_str() } else { "" };
    let (relay, servers) = match relay {
        Some(relay) => (
            format!(
                "\"relay\": (host: \"relay.{domain}\", port: 25, speaks: Smtp, tls: StartTls(Offered), auth: Never, certificate: Internal),"
            ),
            format!("\"servers\": In([\"{}\"]),", relay.servers),
        ),
        None => Default::default(),
    };
    format!(
        "Policy(\n    language: 1,\n    institution: (name: \"{domain}\", domain: \"{domain}\", time_zone: \"Europe/Paris\", pages: English),\n    \
         networks: {{ \"inside\": In([\"127.0.0.1/32\"]), {servers} \"outside\": Rest }},\n    \
         listeners: {{\n        \"mx\": (host: \"{host}\", port: 25, speaks: Smtp, auth: Never),\n        \
         \"subs\": (host: \"{host}\", port: 465, speaks: Smtp, auth: Required),\n        {imaps}\n        {relay}\n    }},\n    \
         antispam: None,\n    authenticate: (own_domains_from_outside: RequireAligned(else: Refuse)),\n    tls: (oldest: Tls12, certificate: Internal),\n    \
         delivery: (retry: [\"2 s\"], warn_after: \"4 h\", connections_at_once: 10, dane: true, mta_sts: true, tls_reports: Store),\n    {}\n)\n",
        plan.sections
    )
}

fn people(plan: &Plan) -> String {
    let people: String = plan
        .people
        .iter()
        .map(|(first, last)| format!("        (first: \"{first}\", last: \"{last}\", registered: \"2020-01-01\"),\n"))
        .collect();
    format!("People(\n    people: [\n{people}    ],\n)\n")
}
