//! A mail server that knows its people from directory servers.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use store::{Options, Store};
use tests::imap::Imap;
use tests::scratch::Scratch;
use tests::smtp::{letter, read_reply};
use tests::wire::{self, Wire};
use tests::{program, wait};

use super::slapd::{ASKER, ASKERS_SECRET, BASE, Slapd};
use crate::world::authority::Authority;

/// A loaded machine is slow, and a hundred thousand people are many; this is generous.
pub const WITHIN: Duration = Duration::from_secs(300);

/// The policy: two servers, one by TLS, one by StartTLS; what is known is trusted for a day.
const POLICY: &str = r#"Policy(
    language: 1,
    institution: (name: "Université", domain: "univ.example", time_zone: "Europe/Paris"),
    networks: { "inside": In(["192.0.2.0/24"]), "outside": Rest },
    listeners: {
        "mx":    (host: "mail.univ.example", port: 25,  speaks: Smtp, auth: Never),
        "subs":  (host: "mail.univ.example", port: 465, speaks: Smtp, auth: Required),
        "imaps": (host: "mail.univ.example", port: 993, speaks: Imap, auth: Required),
    },
    redirects: (asked_through: UnitItService, allow: { "cnrs": Suffix("cnrs.fr") }, on_grant: {}, refused_examples: [PublicProviders], otherwise: Refuse),
    accounts: (
        arriving: "14 days", leaving: [Grace("30 days")], notices: ["7 days"], reuse_after: Never,
        mass_change: (at_most: "3 %", floor: 20),
    ),
    identity: (
        directory: "annuaire",
        newcomers: AddressOnArrival,
        address: (
            official: "{First}.{Last}@univ.example",
            homonyms: Append(suffix: ".{n}", first: 2),
        ),
        login: (
            form: "{last}.{initials}", fold: AsciiLower,
            collision: Append(suffix: "-{n}", first: 2, keeps_plain: FirstRegistered),
            examples: [("Anne", "Benali", "benali.a")],
        ),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: WarnOnly,
            initial: HandedOverInWriting, reset_by: UnitCorrespondent, sent_as: [Plain, Login],
        ),
        ldap: (
            servers: ["ldaps://ldap1.univ.example", "ldap://ldap2.univ.example"],
            tls: StartTls,
            base: "BASE",
            bind: (dn: "ASKER", password: Secret("directory")),
            filter: "(objectClass=supannPerson)",
            attributes: (
                login: "uid", first: "givenName", last: "sn", mail: "mail", aliases: "supannAutreMail",
                profile: "eduPersonPrimaryAffiliation", unit: "supannEntiteAffectationPrincipale",
                until: "schacExpiryDate", redirect: "mailForwardingAddress",
            ),
        ),
    ),
)
"#;

/// A plan, a site and a data folder.
pub struct House {
    pub scratch: Scratch,
    pub authority: Authority,
}

impl House {
    pub fn new() -> House {
        House { scratch: Scratch::new("directory"), authority: Authority::new() }
    }

    /// Where the plan's servers are.
    #[track_caller]
    pub fn furnish(&self, servers: &[(&str, u16)], secret: &str) {
        let policy = POLICY.replace("BASE", BASE).replace("ASKER", ASKER);
        let write =
            |name: &str, text: &str| fs::write(self.scratch.join(name), text).expect("the scratch folder is ours");
        fs::create_dir_all(self.scratch.join("univ")).expect("the scratch folder is ours");
        fs::create_dir_all(self.scratch.join("secrets")).expect("the scratch folder is ours");
        write("univ/policy.ron", &policy);
        write("secrets/directory", secret);
        write("authority.pem", &self.authority.pem());
        let shown = self.authority.certifies("127.0.0.1");
        write("chain.pem", &shown.chain_pem);
        write("key.pem", &shown.key_pem);
        let hosts: String = servers.iter().map(|(host, port)| format!("{host:?}: \"127.0.0.1:{port}\", ")).collect();
        let at = |name: &str| self.scratch.join(name);
        let site = format!(
            "Site(data: {:?}, listeners: {{\"mx\": [\"127.0.0.1:0\"], \"imaps\": [\"127.0.0.1:0\"]}}, outbound: Sink,\n\
             hosts: {{{hosts}}}, authorities: [{:?}], secrets: Folder({:?}),\n\
             certificates: {{\"default\": File(chain: {:?}, key: {:?})}})\n",
            at("data"),
            at("authority.pem"),
            at("secrets"),
            at("chain.pem"),
            at("key.pem"),
        );
        write("site.ron", &site);
        let mut command = Command::new(program::facteur());
        command.arg("compile").arg(self.scratch.join("univ")).arg("--out").arg(self.scratch.path());
        program::run(&mut command).ends(0);
    }

    /// The usual: both servers where they are.
    #[track_caller]
    pub fn between(&self, first: &Slapd, second: &Slapd) {
        let servers = [("ldap1.univ.example:636", first.port), ("ldap2.univ.example:389", second.port)];
        self.furnish(&servers, ASKERS_SECRET);
    }

    #[track_caller]
    pub fn serve(&self) -> Serving<'_> {
        let log = self.scratch.join("serve.log");
        let out = File::create(&log).expect("the scratch folder is ours");
        let mut command = Command::new(program::facteur());
        command.arg("serve").arg("--plan").arg(self.scratch.join("univ.plan.ron"));
        command.arg("--site").arg(self.scratch.join("site.ron")).env("RUST_LOG", "info");
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out).spawn();
        let mut serving = Serving { child: spawned.expect("facteur is built"), log, house: self };
        serving.address("mx");
        serving
    }

    /// `facteur WORDS --data …`.
    pub fn run(&self, words: &[&str]) -> program::Ran {
        let mut command = Command::new(program::facteur());
        program::run(command.args(words).arg("--data").arg(self.scratch.join("data")))
    }

    /// What `facteur directory status` says, in JSON.
    #[track_caller]
    pub fn status(&self) -> Value {
        let ran = self.run(&["directory", "status", "--format", "json"]);
        serde_json::from_str(ran.out.trim()).unwrap_or_else(|error| panic!("{error}: {} {}", ran.out, ran.err))
    }

    #[track_caller]
    pub fn until(&self, what: &str, mut holds: impl FnMut(&Value) -> bool) -> Value {
        wait::until(WITHIN, what, || Some(self.status()).filter(|status| holds(status)))
    }

    /// The store, while nothing serves.
    #[track_caller]
    pub fn store(&self) -> Store {
        wait::until(WITHIN, "the data folder is free", || {
            Store::open(self.scratch.join("data"), Options::default()).ok()
        })
    }
}

/// A running `facteur serve`; killed when it goes.
pub struct Serving<'a> {
    child: Child,
    log: PathBuf,
    house: &'a House,
}

impl Serving<'_> {
    #[track_caller]
    fn address(&mut self, listener: &str) -> SocketAddr {
        wait::until(WITHIN, "facteur serve says where it listens", || {
            let text = self.log_text();
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("facteur serve ended with {status}\n{text}");
            }
            let line = text.lines().find(|line| line.contains("listening") && line.contains(listener))?;
            line.split(['"', ' ', '=']).find_map(|word| word.parse().ok())
        })
    }

    pub fn log_text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// What a stranger hears who has mail for `address`: code, enhanced code.
    #[track_caller]
    pub fn rcpt(&mut self, address: &str) -> String {
        let mut session = self.stranger();
        let reply = session.say(&format!("RCPT TO:<{address}>"));
        session.say("QUIT");
        reply.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// A stranger hands mail over; true when it was taken.
    #[track_caller]
    pub fn receives(&mut self, address: &str, subject: &str) -> bool {
        let mut session = self.stranger();
        if !session.say(&format!("RCPT TO:<{address}>")).starts_with("250") {
            return false;
        }
        session.say("DATA");
        let letter = letter("a@elsewhere.example", address, subject);
        session.say(&format!("{letter}\r\n.")).starts_with("250")
    }

    #[track_caller]
    fn stranger(&mut self) -> Session {
        let stream = wire::connect(self.address("mx"), Ipv4Addr::LOCALHOST).expect("it listens");
        let mut session = Session { wire: Wire::plain(stream) };
        read_reply(&mut session.wire).expect("it greets");
        session.say("EHLO elsewhere.example");
        session.say("MAIL FROM:<a@elsewhere.example>");
        session
    }

    /// The answer to LOGIN over IMAP: `OK`, `NO [AUTHENTICATIONFAILED]`, `NO [UNAVAILABLE]`.
    #[track_caller]
    pub fn login(&mut self, login: &str, password: &str) -> String {
        let stream = wire::connect(self.address("imaps"), Ipv4Addr::LOCALHOST).expect("it listens");
        let tls = wire::trusting(&self.house.scratch.join("authority.pem"));
        let wire = Wire::plain(stream).tls(&tls).expect("it has a certificate");
        let mut imap = Imap::over(wire).expect("it greets");
        let said = imap.command(&format!("LOGIN {login} {password}")).expect("it answers");
        match said.status.as_str() {
            "OK" => "OK".to_owned(),
            status => format!("{status} {}", said.text.split(' ').next().unwrap_or_default()),
        }
    }

    /// Now and at its peak, in KiB.
    pub fn memory_kib(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let of = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
            line.split_ascii_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0)
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    /// Asks it to end.
    #[track_caller]
    pub fn stop(mut self) {
        let log = self.log_text();
        assert!(!log.contains("panicked"), "{log}");
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the server runs");
        let status =
            wait::until(WITHIN, "the server ends when asked", || self.child.try_wait().expect("the child is ours"));
        assert!(status.success(), "asked to end, the server ended with {status}");
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log_text();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- serve\n{}\n---", lines[lines.len().saturating_sub(60)..].join("\n"));
        }
    }
}

struct Session {
    wire: Wire,
}

impl Session {
    /// The text of the reply with its codes.
    #[track_caller]
    fn say(&mut self, line: &str) -> String {
        self.wire.send(format!("{line}\r\n").as_bytes()).expect("it takes a line");
        let reply = read_reply(&mut self.wire).expect("it answers");
        format!("{} {}", reply.code, reply.text())
    }
}
