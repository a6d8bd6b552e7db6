//! Real scorers from Debian, asked by the real program: SpamAssassin's spamd, Rspamd over HTTP, and Rspamd as a milter.
//! Each has a socket of its own and looks at nothing outside of this machine.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, policy_copy, wait};

use crate::clients::found;

/// spamd reads all its rules, Rspamd compiles its expressions.
const START_WITHIN: Duration = Duration::from_secs(120);
/// The line every filter takes for spam.
const GTUBE: [&str; 2] = ["XJS*C4JDBQADN1.NSBN3*2IDNEN*", "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"];

/// A daemon with children of its own: asked to end, so that it takes them with it.
struct Daemon(Child);

impl Daemon {
    fn start(mut command: Command, scratch: &Scratch, socket: &Path) -> Daemon {
        let log = fs::File::create(scratch.join("scorer.log")).expect("the scratch folder is ours");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file handle can be doubled")).stderr(log);
        let daemon = Daemon(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")));
        wait::until(START_WITHIN, &format!("{command:?} listens"), || UnixStream::connect(socket).ok());
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}

/// SpamAssassin with its own rules and without the network.
fn spamd(program: &Path, scratch: &Scratch) -> (Daemon, PathBuf) {
    let socket = scratch.join("spamd.sock");
    let mut command = Command::new(program);
    command.args(["-x", "-L", "-m", "1", "--min-children=1", "--max-spare=1", "-s", "stderr", "--socketmode=666"]);
    command.arg(format!("--socketpath={}", socket.display())).arg("-r").arg(scratch.join("spamd.pid"));
    command.env("HOME", scratch.path());
    (Daemon::start(command, scratch, &socket), socket)
}

/// Rspamd with two rules of the test, a worker that speaks HTTP and one that is a milter.
fn rspamd(program: &Path, scratch: &Scratch) -> (Daemon, PathBuf, PathBuf) {
    let (http, milter) = (scratch.join("rspamd.sock"), scratch.join("milter.sock"));
    let write = |name: &str, text: &str| fs::write(scratch.join(name), text).expect("the scratch folder is ours");
    let rules = "rspamd_config:register_symbol({name = 'HAS_SUBJECT', score = -1.0, group = 'test', callback = function(task)\n\
         return task:get_header('Subject') ~= nil end})\n\
         rspamd_config:register_symbol({name = 'FROM_THERE', score = 7.0, group = 'test', callback = function(task)\n\
         local from, ip = task:get_from('smtp'), task:get_from_ip()\n\
         return from and from[1].addr == 'cheap@client.example' and tostring(ip) == '198.18.4.7'\n\
         and task:get_helo() == 'client.example' and #task:get_recipients('smtp') == 1 end})\n";
    write("rules.lua", rules);
    write("tld.dat", "example\norg\n");
    let folder = scratch.path().display();
    // What compiles expressions, and the list of all top-level domains, take a minute; neither is needed here.
    let config = format!(
        "options {{ pidfile = \"{folder}/rspamd.pid\"; filters = \"\"; tempdir = \"{folder}\"; hs_cache_dir = \"{folder}\";\n\
         url_tld = \"{folder}/tld.dat\"; control_socket = \"{folder}/control.sock mode=0600\"; explicit_modules = [];\n\
         dns {{ nameserver = [\"127.0.0.1:1:1\"]; timeout = 0.1s; retransmits = 1; }} }}\n\
         logging {{ type = \"console\"; level = \"info\"; }}\n\
         actions {{ reject = 15; add_header = 6; greylist = 4; }}\n\
         worker \"normal\" {{ bind_socket = \"{} mode=0666\"; count = 1; }}\n\
         worker \"rspamd_proxy\" {{ bind_socket = \"{} mode=0666\"; count = 1; milter = yes;\n\
         upstream \"local\" {{ default = yes; self_scan = yes; }} }}\n\
         lua = \"{folder}/rules.lua\";\n",
        http.display(),
        milter.display()
    );
    write("rspamd.conf", &config);
    let mut command = Command::new(program);
    command.args(["-f", "-i", "-c"]).arg(scratch.join("rspamd.conf"));
    let daemon = Daemon::start(command, scratch, &http);
    wait::until(START_WITHIN, "the milter listens", || UnixStream::connect(&milter).ok());
    (daemon, http, milter)
}

/// The bench policy with this scorer as its only pass.
fn policy(scratch: &Scratch, at: &str) -> PathBuf {
    let scorer = format!(
        "scanners: {{ \"scorer\": (does: SpamScore, at: {at}, says: PositiveIsSpam, within: \"30 s\") }},\n\
         antispam: (passes: [\"scorer\"], total: Sum, tag_when: ScoreBelow(0), tag: (subject: \"[SPAM]\", copies: All),\n\
         always: Deliver, taught_by: []),"
    );
    let changes = [
        ("reception: [KnownRecipient, Accept, Deliver]", "reception: [KnownRecipient, Accept, Antispam, Deliver]"),
        ("antispam: None,", scorer.as_str()),
    ];
    policy_copy::changed(scratch, "bench", &changes)
}

/// A server that asks its scorer where the policy says it is.
fn serve(policy: &Path) -> Facteur {
    Facteur::start_with(policy, Options { arguments: vec!["--real-engines".to_owned()], ..Options::default() })
}

/// Header sections in the order of delivery, unfolded.
fn headers(server: &Facteur) -> std::io::Result<Vec<String>> {
    let who = server.describe.people.first().expect("somebody is there").clone();
    let mut imap = Imap::person(server, "outside", &who)?;
    imap.command("EXAMINE INBOX")?.ok()?;
    let response = imap.command("UID FETCH 1:* (BODY.PEEK[HEADER])")?.ok()?;
    let text = |octets: &Vec<u8>| String::from_utf8_lossy(octets).replace("\r\n ", " ").replace("\r\n\t", " ");
    Ok(response.untagged.iter().map(text).filter(|text| text.contains("Subject: ")).collect())
}

/// The score of the pass in thousandths.
fn score(header: &str) -> i64 {
    let status = header.lines().find(|line| line.starts_with("X-Spam-Status: ")).unwrap_or_default();
    let figure = status.split([' ', ',']).find_map(|word| word.strip_prefix("scorer="));
    let figure: f64 = figure.and_then(|figure| figure.parse().ok()).unwrap_or_else(|| panic!("no score in {header}"));
    (figure * 1_000.0).round() as i64
}

/// Sends each message with its sender to a server with this scorer: the header sections of what was delivered.
fn delivered(scratch: &Scratch, at: &str, messages: &[(&str, String)]) -> std::io::Result<Vec<String>> {
    let server = serve(&policy(scratch, at));
    let to = server.describe.people.first().expect("somebody is there").address.clone();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    for (from, message) in messages {
        smtp.message(from, &[&to], message)?.expect(250)?;
    }
    headers(&server)
}

fn gtube() -> String {
    let mut text = letter("a@client.example", "b@example.org", "gtube");
    text.push_str(&GTUBE.concat());
    text.push_str("\r\n");
    text
}

/// One clean and one with GTUBE: the scores of both.
fn clean_and_gtube(headers: &[String]) -> (i64, i64) {
    let [clean, spam] = headers else { panic!("two are delivered: {headers:?}") };
    assert!(clean.contains("Subject: clean\r\n") && !clean.contains("X-Spam-Flag"), "{clean}");
    assert!(spam.contains("Subject: [SPAM] gtube\r\n"), "{spam}");
    (score(clean), score(spam))
}

#[test]
fn spamd_gives_a_score_and_gtube_is_below_nothing() -> Outcome {
    let Some(program) = found("spamd_gives_a_score", "spamd") else { return Ok(()) };
    let scratch = Scratch::new("spamd");
    let (_spamd, socket) = spamd(&program, &scratch);
    let clean = letter("a@client.example", "b@example.org", "clean");
    let at = format!("Spamd(\"unix:{}\")", socket.display());
    let headers = delivered(&scratch, &at, &[("a@client.example", clean), ("a@client.example", gtube())])?;
    let (clean, spam) = clean_and_gtube(&headers);
    assert!((1..=6_000).contains(&clean), "above, and not further than its threshold is: {clean}");
    assert!(spam < -900_000, "its rule for GTUBE is worth a thousand points: {spam}");
    assert!(headers[1].contains("GTUBE"), "{}", headers[1]);
    Ok(())
}

#[test]
fn rspamd_is_told_of_the_session_and_its_action_counts() -> Outcome {
    let Some(program) = found("rspamd_is_told", "rspamd") else { return Ok(()) };
    let scratch = Scratch::new("rspamd");
    let (_rspamd, http, milter) = rspamd(&program, &scratch);
    let clean = letter("a@client.example", "b@example.org", "clean");
    let cheap = letter("cheap@client.example", "b@example.org", "cheap");
    let messages = [("a@client.example", clean), ("a@client.example", gtube()), ("cheap@client.example", cheap)];
    let headers = delivered(&scratch, &format!("Rspamd(\"unix:{}\")", http.display()), &messages)?;
    assert_eq!(clean_and_gtube(&headers[..2]), (1_000, -15_000), "what HAS_SUBJECT gives; what it refuses at");
    // It would mark this one, far from where it would refuse it.
    assert_eq!(score(&headers[2]), -6_000, "{}", headers[2]);
    assert!(headers[2].contains("FROM_THERE") && headers[2].contains("Subject: [SPAM] cheap\r\n"), "{}", headers[2]);
    let at = format!("Milter(\"unix:{}\")", milter.display());
    let headers = delivered(&scratch, &at, &messages[..2])?;
    assert_eq!(clean_and_gtube(&headers), (0, -10_000), "a milter refuses GTUBE, and says no figure");
    Ok(())
}

#[test]
fn without_a_scorer_mail_is_delivered_and_says_so() -> Outcome {
    let scratch = Scratch::new("scorer");
    let socket = scratch.join("nobody.sock");
    let _deaf = std::os::unix::net::UnixListener::bind(&socket)?;
    let at = format!("Spamd(\"unix:{}\")", socket.display());
    let policy = policy(&scratch, &at);
    let text = fs::read_to_string(policy.join("policy.ron"))?.replace("within: \"30 s\"", "within: \"1 s\"");
    fs::File::create(policy.join("policy.ron"))?.write_all(text.as_bytes())?;
    let server = serve(&policy);
    let to = server.describe.people.first().expect("somebody is there").address.clone();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    smtp.message("a@client.example", &[&to], &gtube())?.expect(250)?;
    let headers = headers(&server)?;
    assert!(headers[0].contains("Subject: gtube\r\n") && headers[0].contains("scorer=none"), "{headers:?}");
    Ok(())
}
