//! The bench policy with a smart host, served at a site by `facteur serve`, with people that `facteur try` made.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use store::{Op, QueueItem, Store};
use tests::describe::Person;
use tests::scratch::Scratch;
use tests::smtp::{Reply, base64, read_reply};
use tests::wire::{self, Wire};
use tests::{Facteur, Options, policy_copy, program, wait};

/// A loaded machine is slow; this is generous.
pub const WITHIN: Duration = Duration::from_secs(60);
/// A server that is asked to end lets a handover run for 5 s.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// How much of the log a failed test prints.
const LOG_LINES_SHOWN: usize = 60;

/// A data folder, a plan and a site.
pub struct Site {
    scratch: Scratch,
    data: PathBuf,
    tls: Arc<ClientConfig>,
    pub sender: Person,
    starts: AtomicU32,
}

impl Site {
    /// Everything of the outside goes to 127.0.0.1:`port`, and nothing is signed.
    #[track_caller]
    pub fn new(port: u16) -> Site {
        Site::with(port, "signing: None,", &[], &[])
    }

    /// The same with `more` in the policy, for people who write under `authors`.
    #[track_caller]
    pub fn with_authors(port: u16, more: &str, authors: &str) -> Site {
        let own = "as: OwnAddresses, ";
        Site::with(port, more, &[(own, &format!("{own}header_from: {authors}, "))], &[])
    }

    /// The same with more blocks in the policy, other changes of it, and more hosts that are 127.0.0.1.
    #[track_caller]
    pub fn with(port: u16, more: &str, others: &[(&str, &str)], hosts: &[String]) -> Site {
        let routes = format!("routes: (held: Mailbox, remote: Smarthost(\"smarthost.example:{port}\"), homes: {{}}),");
        let hosts: String = hosts.iter().map(|host| format!(", {host:?}: \"127.0.0.1\"")).collect();
        let facts = format!("hosts: {{\"smarthost.example\": \"127.0.0.1\"{hosts}}},");
        Site::built(Scratch::new("way-out"), &format!("{routes}\n    {more}"), others, &facts)
    }

    /// `policy` is put into the bench policy, `facts` into its site.
    #[track_caller]
    pub fn built(scratch: Scratch, policy: &str, others: &[(&str, &str)], facts: &str) -> Site {
        let losses = "losses: (record: [NotDelivered]),";
        let blocks = format!("    {policy}\n    {losses}\n    antispam: None,");
        let changes = [&[("    antispam: None,", &*blocks)], others].concat();
        let folder = policy_copy::changed(&scratch, "bench", &changes);
        let data = scratch.join("data");
        let people = Facteur::start_with(&folder, Options { data: Some(data.clone()), ..Options::default() });
        let sender = people.describe.people.first().expect("bench has people").clone();
        people.stop();
        let out = scratch.path();
        program::run(Command::new(program::facteur()).arg("compile").arg(&folder).arg("--out").arg(out)).ends(0);
        let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_string()]).expect("a certificate can be made");
        let write = |name: &str, text: &str| fs::write(scratch.join(name), text).expect("the scratch folder is ours");
        write("chain.pem", &key.cert.pem());
        write("key.pem", &key.signing_key.serialize_pem());
        let site = format!(
            "Site(data: {data:?}, listeners: {{\"subm\": [\"127.0.0.1:0\"]}}, outbound: Network,\n\
             {facts}\n\
             certificates: {{\"default\": File(chain: {:?}, key: {:?})}})\n",
            scratch.join("chain.pem"),
            scratch.join("key.pem")
        );
        write("site.ron", &site);
        let tls = wire::trusting(&scratch.join("chain.pem"));
        Site { scratch, data, tls, sender, starts: AtomicU32::new(0) }
    }

    #[track_caller]
    pub fn serve(&self) -> Serving<'_> {
        self.serve_with(&[])
    }

    /// The same with more arguments.
    #[track_caller]
    pub fn serve_with(&self, arguments: &[&str]) -> Serving<'_> {
        let number = self.starts.fetch_add(1, Ordering::Relaxed);
        let log = self.scratch.join(&format!("serve{number}.log"));
        let out = File::create(&log).expect("the scratch folder is ours");
        let mut command = Command::new(program::facteur());
        command.arg("serve").arg("--plan").arg(self.scratch.join("bench.plan.ron"));
        command.arg("--site").arg(self.scratch.join("site.ron")).args(arguments).env("RUST_LOG", "info");
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out).spawn();
        let mut child = spawned.expect("facteur is built");
        let subm = wait::until(WITHIN, "facteur serve says where it listens", || {
            let text = fs::read_to_string(&log).ok()?;
            if let Ok(Some(status)) = child.try_wait() {
                panic!("facteur serve ended with {status}\n{text}");
            }
            let line = text.lines().find(|line| line.contains("listening") && line.contains("subm"))?;
            line.split(['"', ' ', '=']).find_map(|word| word.parse().ok())
        });
        Serving { child, subm, log, site: self }
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// `facteur WORDS --data …`, with the server running or not.
    pub fn run(&self, words: &[&str]) -> program::Ran {
        program::run(&mut self.command(words))
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program::facteur());
        command.args(words).arg("--data").arg(&self.data);
        command
    }

    /// What is in the spool, while nothing serves.
    #[track_caller]
    pub fn spool(&self) -> Vec<QueueItem> {
        self.store().queue_list(None, 1_000).expect("the spool can be read")
    }

    /// How many messages it has, however many.
    #[track_caller]
    pub fn spool_count(&self) -> u64 {
        self.store().queue_count().expect("the spool can be read")
    }

    /// The messages of the sender's INBOX, while nothing serves.
    #[track_caller]
    pub fn inbox(&self) -> Vec<String> {
        let store = self.store();
        let login = mail::Login::new(&self.sender.login).expect("a login of the policy is one");
        let name = mail::MailboxName::new("INBOX").expect("INBOX is a name");
        let selected = store.select(&login, &name).expect("the store can be read").expect("people have an INBOX");
        let text = |row: &store::MessageRow| {
            let body = store.body_of(selected.mailbox.id, row.uid).expect("it can be read").expect("it is there");
            String::from_utf8_lossy(&store.read_body(&body).expect("it can be read")).into_owned()
        };
        selected.messages.iter().map(text).collect()
    }

    #[track_caller]
    pub fn store(&self) -> Store {
        open(&self.data)
    }

    /// Makes everything in the spool due, while nothing serves: what the hours between two tries would do.
    #[track_caller]
    pub fn let_time_pass(&self) {
        let store = self.store();
        for item in store.queue_list(None, 1_000).expect("the spool can be read") {
            let due = |recipient: &store::WaitingRecipient| Op::Attempt {
                queue_id: item.queue_id,
                recipient: recipient.number,
                at_s: 0,
                due_at_s: 0,
                reply: recipient.last_reply.clone(),
            };
            store.commit_wait(item.recipients.iter().map(due).collect()).expect("the spool can be written");
        }
    }
}

/// Opens the store of a server that has ended. A process that another test is starting can hold the lock of this one's
/// files for the moment between fork and exec.
#[track_caller]
pub fn open(data: &Path) -> Store {
    wait::until(WITHIN, "the data folder is free and sound", || Store::open(data, store::Options::default()).ok())
}

/// A running `facteur serve`; killed when it goes.
pub struct Serving<'a> {
    child: Child,
    subm: SocketAddr,
    log: PathBuf,
    site: &'a Site,
}

impl Serving<'_> {
    /// SIGKILL.
    pub fn kill(mut self) {
        self.end();
    }

    /// Asks it to end, and looks for panics before.
    #[track_caller]
    pub fn stop(mut self) {
        let status = self.page("status").expect("the control socket answers");
        assert!(status.contains("\"panics\":0"), "{status}");
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the server runs");
        let status = wait::until(STOP_WITHIN, "the server ends when asked", || {
            self.child.try_wait().expect("the child is ours")
        });
        assert!(status.success(), "asked to end, the server ended with {status}");
    }

    /// Lines of the log so far that tell of `event`.
    pub fn told(&self, event: &str) -> Vec<String> {
        let log = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
        let word = format!(" {event} queue_id=");
        log.lines().filter(|line| line.contains(&word)).map(str::to_string).collect()
    }

    /// The log so far.
    pub fn log_text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The whole log so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until `event` was told so often.
    #[track_caller]
    pub fn until_told(&self, event: &str, times: usize) {
        wait::until(WITHIN, &format!("`{event}` {times} times"), || (self.told(event).len() >= times).then_some(()));
    }

    /// Most memory the server ever used, in KiB.
    pub fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        line.split_ascii_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0)
    }

    /// Where mail is submitted.
    pub fn address(&self) -> SocketAddr {
        self.subm
    }

    /// A page of the control socket.
    pub fn page(&self, path: &str) -> io::Result<String> {
        use std::io::{Read, Write};
        let mut stream = UnixStream::connect(self.site.data.join("control.sock"))?;
        write!(stream, "GET /{path} HTTP/1.1\r\nHost: control\r\nConnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        Ok(page)
    }

    /// Sends one message from the sender; its id in the queue.
    pub fn submit(&self, to: &[&str], message: &[u8]) -> io::Result<String> {
        self.login()?.message(&self.site.sender.address, "", to, message)
    }

    /// A connection on which the sender has logged in.
    pub fn login(&self) -> io::Result<Submission> {
        let mut wire = Wire::plain(wire::connect(self.subm, Ipv4Addr::LOCALHOST)?);
        read_reply(&mut wire)?.expect(220)?;
        let mut submission = Submission { wire };
        submission.say("EHLO client.example", 250)?;
        submission.say("STARTTLS", 220)?;
        let mut submission = Submission { wire: submission.wire.tls(&self.site.tls)? };
        submission.say("EHLO client.example", 250)?;
        let Person { login, password, .. } = &self.site.sender;
        submission.say(&format!("AUTH PLAIN {}", base64(format!("\0{login}\0{password}").as_bytes())), 235)?;
        Ok(submission)
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            show(&self.log);
        }
    }
}

fn show(log: &Path) {
    let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let shown = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
    eprintln!("--- {}, last {} lines\n{}\n---", log.display(), shown.len(), shown.join("\n"));
}

/// A connection to the submission listener.
pub struct Submission {
    wire: Wire,
}

impl Submission {
    fn say(&mut self, line: &str, code: u16) -> io::Result<Reply> {
        self.wire.send(format!("{line}\r\n").as_bytes())?;
        read_reply(&mut self.wire)?.expect(code)
    }

    /// `message` is octets whose lines end with CR LF. Gives the queue id of the 250.
    pub fn message(&mut self, from: &str, parameters: &str, to: &[&str], message: &[u8]) -> io::Result<String> {
        let to: Vec<(&str, &str)> = to.iter().map(|recipient| (*recipient, "")).collect();
        self.message_asking(from, parameters, &to, message)
    }

    /// The same with parameters of each RCPT.
    pub fn message_asking(
        &mut self,
        from: &str,
        parameters: &str,
        to: &[(&str, &str)],
        message: &[u8],
    ) -> io::Result<String> {
        self.say(format!("MAIL FROM:<{from}> {parameters}").trim_end(), 250)?;
        for (recipient, parameters) in to {
            self.say(format!("RCPT TO:<{recipient}> {parameters}").trim_end(), 250)?;
        }
        self.say("DATA", 354)?;
        let mut octets = Vec::with_capacity(message.len() + 64);
        for line in message.split_inclusive(|octet| *octet == b'\n') {
            octets.extend_from_slice(if line.starts_with(b".") { b"." } else { b"" });
            octets.extend_from_slice(line);
        }
        octets.extend_from_slice(b".\r\n");
        self.wire.send(&octets)?;
        let reply = read_reply(&mut self.wire)?.expect(250)?;
        Ok(reply.text().rsplit(' ').next().unwrap_or_default().to_string())
    }
}
