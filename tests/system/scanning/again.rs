//! Second looks: what passed while an engine was down, and what was delivered before its signature existed.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Imap, Outcome, Smtp, wait};

use super::house::{Clamd, Engines, House, Icap, WITHIN, metric, policy, serve, subjects, wait_up};
use crate::clients::found;

const SOON: &str = "TryLater(for: \"1 s\", then: ContinueWith(at_least: 1, rescan: true, alarm: true))";
const RENEWED: &str =
    "TryLater(for: \"4 h\", then: ContinueWith(at_least: 1, rescan: true, alarm: true)), rescan: Within(\"24 h\")";
const STRANGER: &str = "a@client.example";
const OUTSIDE: &str = "someone@elsewhere.example";
/// What no engine knows at first.
const BAIT: &str = "twenty-three herons that nobody has met before";
/// Engines are asked for their signatures once a minute.
const RENEWED_WITHIN: Duration = Duration::from_secs(240);

/// The signature of the bait, in a database of its own that outlives a restart.
fn learn(folder: &Path) {
    let hex: String = BAIT.bytes().map(|octet| format!("{octet:02x}")).collect();
    let file = folder.join("signatures").join("later.ndb");
    fs::write(file, format!("Test.Late:0:*:{hex}\n")).expect("the scratch folder is ours");
}

/// Makes a running clamd read its databases, and waits until it knows the bait.
fn reload(clamd: &Clamd) {
    let ask = |octets: &[u8]| -> Option<String> {
        let mut stream = UnixStream::connect(&clamd.socket).ok()?;
        stream.write_all(octets).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    };
    assert!(ask(b"zRELOAD\0").is_some_and(|answer| answer.starts_with("RELOADING")));
    let length = (BAIT.len() as u32).to_be_bytes();
    let scan = [&b"zINSTREAM\0"[..], &length, BAIT.as_bytes(), &[0; 4]].concat();
    wait::until(WITHIN, "clamd knows the bait", || ask(&scan)?.contains("FOUND").then_some(()));
}

fn bait(from: &str, to: &str, subject: &str) -> String {
    format!("{}{BAIT}\r\n", letter(from, to, subject))
}

/// Sends until it is taken; the id it is kept as.
fn taken(server: &Facteur, to: &[&str], message: &str) -> String {
    wait::until(WITHIN, "it is taken", || {
        let mut smtp = Smtp::stranger(server, "mx", "inside").ok()?;
        let reply = smtp.message(STRANGER, to, message).ok().filter(|reply| reply.code == 250)?;
        reply.text().rsplit(' ').next().map(str::to_owned)
    })
}

/// The same from a person to somebody outside.
fn left(server: &Facteur, login: &str, message: &str) -> String {
    let who = server.describe.person(login).clone();
    wait::until(WITHIN, "it is taken", || {
        let mut smtp = Smtp::person(server, "subm", "inside", &who).ok()?;
        let reply = smtp.message(&who.address, &[OUTSIDE], message).ok().filter(|reply| reply.code == 250)?;
        reply.text().rsplit(' ').next().map(str::to_owned)
    })
}

fn selected(server: &Facteur, login: &str) -> std::io::Result<Imap> {
    let who = server.describe.person(login).clone();
    let mut imap = Imap::person(server, "outside", &who)?;
    imap.command("SELECT INBOX")?.ok()?;
    Ok(imap)
}

fn facteur(data: &Path, words: &[&str]) -> Ran {
    program::run(Command::new(program::facteur()).args(words).arg("--data").arg(data))
}

fn quarantine(data: &Path) -> Vec<serde_json::Value> {
    let listed = facteur(data, &["quarantine", "list", "--format", "json"]).ends(0);
    listed.out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[track_caller]
fn wait_looks(server: &Facteur, within: Duration, why: &str, result: &str, count: f64) {
    let line = format!("facteur_rescans_total{{result=\"{result}\",why=\"{why}\"}}");
    wait::until(within, &format!("{line} {count}"), || (metric(server, &line) == count).then_some(()));
}

#[test]
fn what_passed_during_an_outage_is_looked_at_once_the_engine_is_back() -> Outcome {
    let Some(house) = House::start("what_passed_during_an_outage", SOON, "2 s") else { return Ok(()) };
    let (data, policy) = (house.scratch.join("data"), house.scratch.join("nantes"));
    let server = house.server;
    wait_up(&server, "mcafee", 1.0);
    wait_up(&server, "clamav", 1.0);
    drop(house.behind.running);
    let address = |login: &str| server.describe.person(login).address.clone();
    let (one, two) = (address("toto-j"), address("toto-jp"));
    taken(&server, &[&one], &letter(STRANGER, &one, "clean"));
    let stays = taken(&server, &[&one], &bait(STRANGER, &one, "stays"));
    let deleted = taken(&server, &[&two], &bait(STRANGER, &two, "deleted"));
    let gone = left(&server, "toto-jp", &bait(&two, OUTSIDE, "gone"));
    let mut imap = selected(&server, "toto-jp")?;
    imap.command("STORE 1 +FLAGS.SILENT (\\Deleted)")?.ok()?;
    imap.command("EXPUNGE")?.ok()?;
    wait::until(WITHIN, "one is gone", || (server.metric("facteur_queue_messages") == 0.0).then_some(()));
    wait::until(WITHIN, "four are owed", || (server.metric("facteur_rescans_owed") == 4.0).then_some(()));
    assert_eq!(subjects(&server, "toto-j")?, ["clean", "stays"]);
    // What is owed is owed by the next run of the server, too.
    server.stop();
    let server = serve(&policy, Some(data.clone()));
    let mut watching = selected(&server, "toto-j")?;
    let behind = house.scratch.join("behind");
    learn(&behind);
    let _behind = Clamd::start(&house.programs.clamd, &behind);
    wait_looks(&server, WITHIN, "outage", "infected", 3.0);
    wait_looks(&server, WITHIN, "outage", "clean", 1.0);
    wait::until(WITHIN, "nothing is owed", || (server.metric("facteur_rescans_owed") == 0.0).then_some(()));
    assert_eq!(watching.command("NOOP")?.ok()?.lines().iter().filter(|line| line.ends_with("EXPUNGE")).count(), 1);
    assert_eq!(subjects(&server, "toto-j")?, ["clean"]);
    let kept = quarantine(&data);
    assert_eq!(kept.len(), 1, "{kept:?}");
    let words = ["engine", "signature", "rule", "reason"].map(|name| kept[0][name].as_str().unwrap_or_default());
    assert_eq!((words[0], words[2], words[3]), ("mcafee", "antivirus.inbound.infected", "infected"), "{kept:?}");
    assert!(words[1].contains("Test.Late") && kept[0]["recipients"][0] == one.as_str(), "{kept:?}");
    // Two have left, and the managers hear of it; everybody has a record.
    wait::until(WITHIN, "the managers are told", || server.log_text().contains("est déjà parti").then_some(()));
    for (id, who) in [(&stays, one.as_str()), (&deleted, two.as_str()), (&gone, OUTSIDE)] {
        let told = facteur(&data, &["why", id]).ends(0).out;
        assert!(told.contains(&format!("{who} did not get it: Virus")), "{told}");
    }
    // A manager who knows better puts it back where it was.
    let id = kept[0]["id"].as_str().unwrap_or_default();
    facteur(&data, &["quarantine", "release", "--by", "durand-e", "--because", "a test asks", id]).ends(0);
    assert_eq!(subjects(&server, "toto-j")?, ["clean", "stays"]);
    assert_eq!(quarantine(&data).len(), 0);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

/// A way to a clamd that says of its signatures what it is told to: a database of one line has no version.
struct Numbered {
    address: String,
    version: Arc<AtomicU32>,
}

impl Numbered {
    fn start(socket: PathBuf) -> Numbered {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the kernel has ports");
        let address = listener.local_addr().expect("a bound socket has an address").to_string();
        let version = Arc::new(AtomicU32::new(27_500));
        let theirs = version.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (version, socket) = (theirs.clone(), socket.clone());
                // Either end may be gone in the middle of anything.
                thread::spawn(move || passed(stream, &version, &socket).ok());
            }
        });
        Numbered { address, version }
    }
}

fn passed(mut client: TcpStream, version: &AtomicU32, socket: &Path) -> std::io::Result<()> {
    let mut command = Vec::new();
    let mut octet = [0];
    while command.last() != Some(&0) && client.read(&mut octet)? == 1 {
        command.push(octet[0]);
    }
    if command == b"zVERSION\0" {
        let number = version.load(Ordering::Relaxed);
        return client.write_all(format!("ClamAV 1.4.6/{number}/Mon Nov 30 10:00:00 2026\0").as_bytes());
    }
    let mut clamd = UnixStream::connect(socket)?;
    clamd.write_all(&command)?;
    let (mut asks, mut hears) = (client.try_clone()?, clamd.try_clone()?);
    let there = thread::spawn(move || std::io::copy(&mut asks, &mut hears).ok());
    std::io::copy(&mut clamd, &mut client)?;
    client.shutdown(std::net::Shutdown::Both)?;
    let _ = there.join();
    Ok(())
}

#[test]
fn what_was_delivered_before_its_signature_existed_is_found_when_there_is_one() -> Outcome {
    let test = "what_was_delivered_before_its_signature";
    let (Some(clamd), Some(icap)) = (found(test, "clamd"), found(test, "c-icap")) else { return Ok(()) };
    let scratch = Scratch::new("renewed");
    let folders = ["behind", "clamd", "icap"].map(|name| scratch.join(name));
    folders.iter().for_each(|folder| fs::create_dir_all(folder).expect("the scratch folder is ours"));
    let [behind, clamd] = [&folders[0], &folders[1]].map(|folder| Clamd::start(&clamd, folder));
    let icap = Icap::start(&icap, &folders[2], &behind.socket);
    let numbered = Numbered::start(clamd.socket.clone());
    let engines = Engines {
        mcafee: &format!("Icap(\"{}/avscan\")", icap.address),
        clamav: &format!("Clamd(\"{}\")", numbered.address),
        engine_down: RENEWED,
        within: "20 s",
    };
    let data = scratch.join("data");
    let server = serve(&policy(&scratch, &engines), Some(data.clone()));
    wait_up(&server, "mcafee", 1.0);
    wait_up(&server, "clamav", 1.0);
    let age = "facteur_scanner_signature_age_seconds{engine=\"clamav\"}";
    wait::until(WITHIN, "the first signatures are known", || server.metrics().contains(age).then_some(()));
    let address = |login: &str| server.describe.person(login).address.clone();
    let (one, two) = (address("toto-j"), address("toto-jp"));
    taken(&server, &[&one], &letter(STRANGER, &one, "clean"));
    taken(&server, &[&one, &two], &bait(STRANGER, &one, "late"));
    // Where it was put is not where it is.
    let mut moved = selected(&server, "toto-jp")?;
    moved.command("CREATE Birds")?.ok()?;
    moved.command("MOVE 1 Birds")?.ok()?;
    moved.command("SELECT Birds")?.ok()?;
    let mut watching = selected(&server, "toto-j")?;
    learn(&folders[1]);
    reload(&clamd);
    numbered.version.fetch_add(1, Ordering::Relaxed);
    wait_looks(&server, RENEWED_WITHIN, "signatures", "infected", 1.0);
    for imap in [&mut watching, &mut moved] {
        wait::until(WITHIN, "a reader sees it go", || {
            imap.command("NOOP").ok()?.lines().iter().any(|line| line.ends_with("EXPUNGE")).then_some(())
        });
    }
    assert_eq!(subjects(&server, "toto-j")?, ["clean"]);
    let kept = quarantine(&data);
    assert_eq!((kept.len(), kept[0]["engine"].as_str()), (1, Some("clamav")), "{kept:?}");
    assert_eq!(kept[0]["recipients"].as_array().map(Vec::len), Some(2), "{kept:?}");
    assert!(!server.log_text().contains("est déjà parti"), "no copy is out of reach");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}
