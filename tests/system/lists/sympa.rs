//! Debian's Sympa with a Postfix of its own in front, as its manual has it: the MTA knows the addresses of the lists and pipes
//! their mail to `queue` and `bouncequeue`; what Sympa sends goes to the relay of the house.
//!
//! Sympa and `sendmail` read fixed places: each of their programs has our folders laid over them, in a mount namespace that
//! `ip netns exec` makes.

use std::fs::{self, File};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tests::program;
use tests::scratch::Scratch;

use crate::exchange::net::Net;
use crate::exchange::postfix::{open_to_all, services};

pub const DOMAIN: &str = "listes.univ.example";
const BIN: &str = "/usr/lib/sympa/bin";
/// Programs that work through Sympa's spools.
const DAEMONS: [&str; 3] = ["sympa_msg.pl", "bulk.pl", "bounced.pl"];

/// Killed when it goes.
pub struct Sympa<'n> {
    net: &'n Net,
    folder: PathBuf,
    daemons: Vec<Child>,
    /// Sympa tells its listmaster by mail when nothing takes its log lines; these are never read.
    _syslog: UdpSocket,
}

impl<'n> Sympa<'n> {
    /// Takes mail at `address`, port 25, and sends through `relay`, port 25.
    #[track_caller]
    pub fn new(net: &'n Net, scratch: &Scratch, address: &str, relay: &str) -> Sympa<'n> {
        let folder = scratch.join("sympa");
        let at = folder.display();
        for sub in ["conf", "queue", "data", "run"] {
            fs::create_dir_all(folder.join(sub)).expect("the scratch folder is ours");
        }
        open_to_all(&folder);
        // Debian's defaults, and none of what this machine's Sympa may have.
        shell(&format!(
            "cp -a /etc/sympa {at}/etc && cp -a --attributes-only /var/lib/sympa {at}/lib && cp -a --attributes-only \
             /var/spool/sympa {at}/spool && rm -rf {at}/etc/sympa/* {at}/lib/list_data/* && mkdir -p /run/sympa && \
             chown sympa: {at}/run && chown postfix {at}/data && cp -a /etc/postfix/. {at}/conf"
        ));
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("the scratch folder is ours");
        write("etc/sympa/sympa.conf", &sympa_conf());
        write("conf/main.cf", &main_cf(&folder, address, relay));
        write("conf/recipients", "");
        write("conf/transport", "");
        write("conf/master.cf", &(services(address) + PIPES));
        shell(&format!("chown sympa: {at}/etc/sympa/sympa.conf"));
        net.has(address);
        let syslog = net.inside(|| UdpSocket::bind("127.0.0.1:514")).expect("the network is ours");
        Sympa { net, folder, daemons: Vec::new(), _syslog: syslog }
    }

    /// A program that sees our folders where Sympa and Postfix look.
    fn command(&self, program: &str) -> Command {
        let at = self.folder.display();
        let script = format!(
            "mount --bind {at}/etc /etc/sympa && mount --bind {at}/lib /var/lib/sympa && mount --bind {at}/spool /var/spool/sympa \
             && mount --bind {at}/run /run/sympa && mount --bind {at}/conf /etc/postfix && exec \"$@\""
        );
        let mut command = self.net.command("sh");
        command.args(["-c", &script, "sh", program]);
        command
    }

    fn sympa(&self, words: &[&str]) -> program::Ran {
        program::run(self.command(&format!("{BIN}/sympa")).args(words))
    }

    /// Makes a list, with the addresses the MTA has to know for it.
    #[track_caller]
    pub fn create(&self, list: &str, owner: &str, subscribers: &[&str]) {
        let write = |name: &str, text: &str| {
            let file = self.folder.join(name);
            fs::write(&file, text).expect("the scratch folder is ours");
            file
        };
        let order = write(
            "order.xml",
            &format!(
                "<?xml version=\"1.0\" ?>\n<list><listname>{list}</listname><type>discussion_list</type><subject>{list}</subject>\
                 <description>{list}</description><topics>computing</topics><status>open</status><language>en</language><owner multiple=\"1\">\
                 <email>{owner}</email></owner></list>\n"
            ),
        );
        self.know(list);
        // Sympa tells its listmaster of each new list.
        self.mta("start");
        self.sympa(&["check"]).ends(0);
        self.sympa(&["create", &format!("--input_file={}", order.display()), DOMAIN]).ends(0);
        let members = write("members", &subscribers.iter().map(|address| format!("{address}\n")).collect::<String>());
        let mut add = self.command(&format!("{BIN}/sympa"));
        add.args(["add", "--quiet", "--force", &format!("{list}@{DOMAIN}")]);
        // A quiet addition ends with 1, since it has nothing to report.
        program::run(add.stdin(File::open(members).expect("it was written")));
        assert_eq!(self.query("SELECT count(*) FROM subscriber_table"), subscribers.len().to_string());
        shell(&format!("chown -R sympa: {}", self.folder.join("lib").display()));
    }

    /// The addresses of a list, for the MTA.
    fn know(&self, list: &str) {
        let write =
            |name: &str, text: &str| fs::write(self.folder.join(name), text).expect("the scratch folder is ours");
        let ends = ["", "-request", "-editor", "-subscribe", "-unsubscribe", "-owner"];
        let pipe = |end: &str| if end == "-owner" { "sympabounce" } else { "sympa" };
        let transport: String = ends
            .iter()
            .map(|end| {
                format!("{list}{end}@{DOMAIN} {}:{list}{}@{DOMAIN}\n", pipe(end), end.trim_start_matches("-owner"))
            })
            .collect();
        write(
            "conf/transport",
            &format!("{transport}sympa@{DOMAIN} sympa:sympa@{DOMAIN}\nlistmaster@{DOMAIN} discard:\n"),
        );
        let known: String = ends.iter().map(|end| format!("{list}{end}@{DOMAIN} x\n")).collect();
        write("conf/recipients", &format!("{known}sympa@{DOMAIN} x\nlistmaster@{DOMAIN} x\n"));
    }

    #[track_caller]
    pub fn start(&mut self) {
        for daemon in DAEMONS {
            let log = File::create(self.folder.join(daemon)).expect("the scratch folder is ours");
            let mut command = self.command(&format!("{BIN}/{daemon}"));
            let spawned = command.arg("--foreground").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
            self.daemons.push(spawned.expect("Sympa starts"));
        }
    }

    /// `start`, `stop` and so on, of the Postfix in front.
    #[track_caller]
    pub fn mta(&self, what: &str) {
        program::run(self.command("postfix").arg(what)).ends(0);
    }

    /// What the MTA and the daemons say.
    pub fn log(&self) -> String {
        let text =
            |name: &&str| String::from_utf8_lossy(&fs::read(self.folder.join(name)).unwrap_or_default()).into_owned();
        ["log"].iter().chain(&DAEMONS).map(|name| format!("--- {name}\n{}", text(name))).collect()
    }

    /// What Sympa keeps of a subscriber's bounces: `FIRST LAST COUNT SCORE`, once it has read one.
    pub fn bounce(&self, subscriber: &str) -> Option<String> {
        let query = format!(
            "SELECT bounce_subscriber FROM subscriber_table WHERE user_subscriber = '{subscriber}' AND bounce_subscriber <> ''"
        );
        Some(self.query(&query)).filter(|row| !row.is_empty())
    }

    /// Nothing, too, while Sympa writes.
    fn query(&self, query: &str) -> String {
        let ran = program::run(Command::new("sqlite3").arg(self.folder.join("lib/sympa.sqlite")).arg(query));
        ran.out.trim().to_owned()
    }

    /// The bounce of a subscriber as Sympa filed it.
    pub fn filed_bounce(&self, list: &str, subscriber: &str) -> Option<String> {
        let folder = self.folder.join("lib/bounce").join(format!("{list}@{DOMAIN}"));
        fs::read_to_string(folder.join(subscriber)).ok()
    }
}

impl Drop for Sympa<'_> {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        let stop = self.command("postfix").arg("abort").output();
        if std::thread::panicking() {
            eprintln!("{}\n{stop:?}", self.log());
        }
    }
}

#[track_caller]
fn shell(line: &str) {
    program::run(Command::new("sh").args(["-c", line])).ends(0);
}

fn sympa_conf() -> String {
    format!(
        "domain {DOMAIN}\nlistmaster listmaster@{DOMAIN}\nlang en\ndb_type SQLite\ndb_name /var/lib/sympa/sympa.sqlite\n\
         sendmail_aliases none\naliases_program none\nsleep 1\nbulk_sleep 1\nlog_level 1\nlog_socket_type udp\nwwsympa_url http://{DOMAIN}/sympa\n\
         process_archive off\n"
    )
}

const PIPES: &str = "\
sympa unix - n n - - pipe flags=R user=sympa argv=/usr/lib/sympa/bin/queue ${nexthop}\n\
sympabounce unix - n n - - pipe flags=R user=sympa argv=/usr/lib/sympa/bin/bouncequeue ${nexthop}\n";

fn main_cf(folder: &Path, address: &str, relay: &str) -> String {
    let at = folder.display();
    format!(
        "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\nmaillog_file = {at}/log\n\
         maillog_file_prefixes = {at}\nsyslog_name = postfix-sympa\nmyhostname = sympa.univ.example\nmyorigin = {DOMAIN}\n\
         inet_interfaces = {address}\nsmtp_bind_address = {address}\ninet_protocols = ipv4\nmydestination =\nalias_maps =\n\
         alias_database =\nlocal_recipient_maps =\nmynetworks = {address}/32\nrelay_domains = {DOMAIN}\n\
         relay_recipient_maps = texthash:/etc/postfix/recipients\ntransport_maps = texthash:/etc/postfix/transport\n\
         sympa_destination_recipient_limit = 1\nsympabounce_destination_recipient_limit = 1\n\
         smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\nrelayhost = [{relay}]:25\n\
         smtp_tls_security_level = may\n"
    )
}
