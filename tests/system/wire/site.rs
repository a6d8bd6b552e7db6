//! The bench policy with some places changed, served by `facteur serve`: there a client is who its socket says, so that a
//! test can be a gateway.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use store::{QueueItem, Store};
use tests::describe::Person;
use tests::scratch::Scratch;
use tests::wire::{self, Wire};
use tests::{Facteur, Options, policy_copy, program, wait};

/// A loaded machine is slow; this is generous.
const WITHIN: Duration = Duration::from_secs(60);

/// A data folder with people, a plan and a site.
pub struct Site {
    scratch: Scratch,
    data: PathBuf,
    pub people: Vec<Person>,
    /// Trusts the certificate of this site.
    pub tls: Arc<ClientConfig>,
}

/// A running `facteur serve`; killed when it goes.
pub struct Serving {
    child: Child,
    log: PathBuf,
}

impl Site {
    /// `changes` are made in the policy, `in_plan` in the plan it compiles to, each in the first place where it stands; `more`
    /// is added to the site.
    #[track_caller]
    pub fn new(changes: &[(&str, &str)], in_plan: &[(&str, &str)], listeners: &[&str], more: &str) -> Site {
        let scratch = Scratch::new("wire");
        let folder = policy_copy::changed(&scratch, "bench", changes);
        let data = scratch.join("data");
        let options = Options { data: Some(data.clone()), people: 2, ..Options::default() };
        let running = Facteur::start_with(&folder, options);
        let people = running.describe.people.iter().rev().take(2).cloned().collect();
        running.stop();
        let out = scratch.path();
        program::run(Command::new(program::facteur()).arg("compile").arg(&folder).arg("--out").arg(out)).ends(0);
        let plan = scratch.join("bench.plan.ron");
        let mut text = fs::read_to_string(&plan).expect("it was just written");
        for (was, becomes) in in_plan {
            assert!(text.contains(was), "{was} in\n{text}");
            text = text.replacen(was, becomes, 1);
        }
        let write = |path: PathBuf, text: &str| fs::write(path, text).expect("the scratch folder is ours");
        write(plan, &text);
        let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_string()]).expect("a certificate can be made");
        let (chain, secret) = (scratch.join("chain.pem"), scratch.join("key.pem"));
        write(chain.clone(), &key.cert.pem());
        write(secret.clone(), &key.signing_key.serialize_pem());
        let listeners: String = listeners.iter().map(|name| format!("{name:?}: [\"127.0.0.1:0\"], ")).collect();
        let outbound = if more.contains("outbound: ") { "" } else { ", outbound: Sink" };
        let site = format!(
            "Site(data: {data:?}, listeners: {{{listeners}}}{outbound},\n\
             certificates: {{\"default\": File(chain: {chain:?}, key: {secret:?})}}{more})\n"
        );
        write(scratch.join("site.ron"), &site);
        let tls = wire::trusting(&scratch.join("chain.pem"));
        Site { scratch, data, people, tls }
    }

    #[track_caller]
    pub fn serve(&self) -> Serving {
        let log = self.scratch.join("serve.log");
        let out = File::create(&log).expect("the scratch folder is ours");
        let mut command = Command::new(program::facteur());
        command.arg("serve").arg("--plan").arg(self.scratch.join("bench.plan.ron"));
        command.arg("--site").arg(self.scratch.join("site.ron")).env("RUST_LOG", "info");
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out).spawn();
        let mut serving = Serving { child: spawned.expect("facteur is built"), log };
        wait::until(WITHIN, "facteur serve listens", || {
            if let Ok(Some(status)) = serving.child.try_wait() {
                panic!("facteur serve ended with {status}\n{}", serving.log());
            }
            serving.log().contains("listening").then_some(())
        });
        serving
    }

    /// `facteur WORDS --data …`, with the server running or not.
    pub fn run(&self, words: &[&str]) -> program::Ran {
        program::run(Command::new(program::facteur()).args(words).arg("--data").arg(&self.data))
    }

    /// What is in the spool, while nothing serves.
    #[track_caller]
    pub fn spool(&self) -> Vec<QueueItem> {
        self.store().queue_list(None, 1_000).expect("the spool can be read")
    }

    /// The store, while nothing serves.
    #[track_caller]
    pub fn store(&self) -> Store {
        wait::until(WITHIN, "the data folder is free", || Store::open(&self.data, store::Options::default()).ok())
    }

    /// The newest message of a person, while nothing serves.
    #[track_caller]
    pub fn newest(&self, who: &Person) -> String {
        let store = self.store();
        let login = mail::Login::new(&who.login).expect("a login of the policy is one");
        let name = mail::MailboxName::new("INBOX").expect("INBOX is a name");
        let selected = store.select(&login, &name).expect("the store can be read").expect("people have an INBOX");
        let row = selected.messages.last().expect("a message was delivered");
        let body = store.body_of(selected.mailbox.id, row.uid).expect("it can be read").expect("it is there");
        String::from_utf8_lossy(&store.read_body(&body).expect("it can be read")).into_owned()
    }

    /// Messages in the inbox of an address, while nothing serves.
    #[track_caller]
    pub fn delivered(&self, address: &str) -> u32 {
        let store = self.store();
        let address = address.parse().expect("an address");
        let store::Resolution::Person(row) = store.resolve(&address).expect("the directory can be read") else {
            panic!("{address} is nobody's")
        };
        let mailboxes = store.mailboxes(&row.person.login).expect("mailboxes can be read");
        mailboxes.iter().map(|mailbox| mailbox.counts.messages).max().unwrap_or(0)
    }
}

impl Serving {
    /// A connection to a listener from an address of this machine.
    pub fn connect(&self, listener: &str, source: Ipv4Addr) -> io::Result<Wire> {
        Ok(Wire::plain(wire::connect(self.address(listener)?, source)?))
    }

    /// Where a listener, or the portal, is.
    pub fn address(&self, listener: &str) -> io::Result<SocketAddr> {
        let log = self.log();
        let said = log.lines().find(|line| line.contains("listening") && line.contains(listener));
        let address = said.and_then(|line| line.split(['"', ' ', '=']).find_map(|word| word.parse().ok()));
        address.ok_or(io::Error::other("it does not listen"))
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}
