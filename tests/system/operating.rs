//! What an operator does to live state, with the server running and without.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::describe::Person;
use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::skip::{Missing, skip};
use tests::{Facteur, Imap, Options, Outcome};

use crate::clients::found;

/// A uid nobody has who runs these tests: Debian's `nobody`.
const NOBODY: u32 = 65_534;

/// A data folder, and a server that may be on it.
struct House {
    scratch: Scratch,
    data: PathBuf,
}

impl House {
    fn new() -> House {
        let scratch = Scratch::new("operate");
        let data = scratch.join("data");
        House { scratch, data }
    }

    #[track_caller]
    fn serve(&self) -> Facteur {
        let options = Options { data: Some(self.data.clone()), ..Options::default() };
        Facteur::start_with(&program::top().join("policies/nantes"), options)
    }

    /// `facteur WORDS --data …`.
    fn run(&self, words: &[&str]) -> Ran {
        program::run(Command::new(program::facteur()).args(words).arg("--data").arg(&self.data))
    }

    fn place(&self, name: &str) -> String {
        self.scratch.join(name).to_string_lossy().into_owned()
    }

    fn export(&self, login: &str, layout: &str, to: &str) -> Ran {
        self.run(&["export", "--login", login, "--as", layout, "--to", &self.place(to)])
    }

    fn import(&self, login: &str, from: &str) -> Ran {
        self.run(&["import", "--login", login, "--from", &self.place(from), "--format", "json"])
    }
}

/// A field of the last line of `--format json`.
#[track_caller]
fn told(ran: &Ran, field: &str) -> u64 {
    let last = ran.out.lines().last().unwrap_or_default();
    let line: serde_json::Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error} in {last}"));
    line[field].as_u64().unwrap_or_else(|| panic!("no number `{field}` in {line}"))
}

/// Messages of many forms in three mailboxes; how many.
fn fill(server: &Facteur, who: &Person) -> Result<usize, Box<dyn std::error::Error>> {
    let mut imap = Imap::person(server, "outside", who)?;
    imap.command("CREATE \"Projets/2026.x\"")?.ok()?;
    for number in 0..12 {
        let body = ["plain\r\n", "From the start\r\n>From there\r\n", "", "no end"][number % 4];
        let message = format!("Subject: message {number}\r\nFrom: a@client.example\r\n\r\n{body}");
        imap.append(["INBOX", "Envoy&AOk-s", "Projets/2026.x"][number % 3], message.as_bytes())?.ok()?;
    }
    imap.command("SELECT INBOX")?.ok()?;
    imap.command("STORE 1 FLAGS (\\Seen \\Flagged $Forwarded projet)")?.ok()?;
    imap.command("STORE 2 FLAGS (\\Answered \\Draft \\Deleted autre)")?.ok()?;
    Ok(12)
}

#[test]
fn an_account_goes_out_and_comes_back_with_the_server_and_without() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let (one, two) = (server.describe.person("toto-j").clone(), server.describe.person("toto-jp").clone());
    let messages = fill(&server, &one)? as u64;
    house.export(&one.login, "maildir", "maildir").ends(0);
    house.export(&one.login, "mbox", "mbox").ends(0);
    // Nothing is written over.
    assert!(house.export(&one.login, "mbox", "mbox").ends(2).err.contains("nothing is written over"));
    let imported = house.import(&two.login, "maildir");
    assert_eq!(told(&imported.ends(0), "messages"), messages);
    assert_eq!(Imap::person(&server, "outside", &two)?.count("INBOX")?, 4);
    if found("an_account_goes_out", "python3").is_some() {
        let script = program::top().join("tests/clients/archive.py");
        let mut python = Command::new("python3");
        python.env("PYTHONDONTWRITEBYTECODE", "1").arg(script).arg(server.scratch().join("describe.json"));
        let read = program::run(python.args([&one.login, &house.place("maildir"), &house.place("mbox")])).ends(0);
        assert_eq!(read.out, format!("{messages} messages compared\n"));
    }
    let verified = house.run(&["store", "verify", "--format", "json"]).ends(0);
    assert_eq!(told(&verified, "messages"), 2 * messages);
    let log = server.log_text();
    assert!(log.contains(&format!("import of {messages} messages into the mail of {}", two.login)), "{log}");
    server.stop();

    // The same without a server: what was written through it is there, and a repetition adds nothing.
    let again = house.import(&two.login, "mbox").ends(0);
    assert_eq!((told(&again, "messages"), told(&again, "present")), (0, messages));
    house.export(&two.login, "mbox", "again").ends(0);
    for name in ["INBOX.mbox", "Envoy&AOk-s.mbox", "Projets.2026&AC4-x.mbox"] {
        let read = |folder: &str| fs::read(Path::new(&house.place(folder)).join(name));
        assert_eq!(read("again")?, read("mbox")?, "{name}");
    }
    assert_eq!(told(&house.run(&["store", "stats", "--format", "json"]).ends(0), "messages"), 2 * messages);
    let verified = house.run(&["store", "verify"]).ends(0);
    assert!(verified.out.starts_with("sound: "), "{}", verified.out);
    Ok(())
}

#[test]
fn a_message_comes_back_from_a_backup_taken_while_the_server_runs() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let one = server.describe.person("toto-j").clone();
    let mut imap = Imap::person(&server, "outside", &one)?;
    for number in 0..3 {
        let message = format!("Message-ID: <m{number}@client.example>\r\nSubject: s\r\n\r\nbody {number}\r\n");
        imap.append("INBOX", message.as_bytes())?.ok()?;
    }
    let taken = house.run(&["backup", "now", "--format", "json"]).ends(0);
    assert_eq!(told(&taken, "messages"), 3);
    imap.command("SELECT INBOX")?.ok()?;
    imap.command("STORE 1:2 FLAGS (\\Deleted)")?.ok()?;
    imap.command("EXPUNGE")?.ok()?;
    let restore = |more: &[&str]| {
        let words = ["restore", "--login", &one.login, "--from", "2999-01-01", "--format", "json"];
        house.run(&[&words[..], more].concat()).ends(0)
    };
    assert_eq!(told(&restore(&["--dry-run"]), "messages"), 2);
    assert_eq!(told(&restore(&["--message", "m1@client.example"]), "messages"), 1);
    assert_eq!(Imap::person(&server, "outside", &one)?.count("INBOX")?, 2);
    server.stop();
    assert_eq!(told(&restore(&[]), "messages"), 1);
    let listed = house.run(&["backup", "list"]).ends(0);
    assert_eq!(listed.out.lines().count(), 1, "{}", listed.out);
    let sound = house.run(&["backup", "verify"]).ends(0);
    assert!(sound.out.contains("is sound"), "{}", sound.out);
    let verified = house.run(&["store", "verify", "--format", "json"]).ends(0);
    assert_eq!(told(&verified, "messages"), 3);
    Ok(())
}

#[test]
fn a_damaged_body_is_found_and_named_and_the_rest_goes_out() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let one = server.describe.person("toto-j").clone();
    let mut imap = Imap::person(&server, "outside", &one)?;
    // The last message is looked at when the store opens, which is another story.
    for word in ["damaged", "sound"] {
        imap.append("INBOX", format!("Subject: s\r\n\r\n{word}\r\n").as_bytes())?.ok()?;
    }
    server.stop();
    let segment = house.data.join("segments/00000001.seg");
    let mut octets = fs::read(&segment)?;
    let at = octets.windows(7).position(|window| window == b"damaged").expect("the body is there");
    octets[at] = b'D';
    fs::write(&segment, octets)?;
    let verified = house.run(&["store", "verify"]).ends(4);
    assert!(verified.out.contains("1 finding") && verified.out.contains("checksum"), "{}", verified.out);
    let exported = house.export(&one.login, "mbox", "mbox").ends(4);
    assert!(exported.err.contains("INBOX UID 1") && exported.out.starts_with("1 message of "), "{exported:?}");
    Ok(())
}

#[test]
fn what_is_not_there_and_what_may_not_be_is_said() -> Outcome {
    let house = House::new();
    let nothing = house.run(&["store", "stats"]).ends(2);
    assert!(nothing.err.contains("there is no store here"), "{}", nothing.err);
    assert!(!house.data.exists(), "asking makes no store");
    let server = house.serve();
    let unknown = house.export("nobody-here", "mbox", "out").ends(2);
    assert!(unknown.err.contains("there is no account nobody-here"), "{}", unknown.err);
    let inside = house.run(&["export", "--login", "toto-j", "--as", "mbox", "--to", &house.place("data/out")]).ends(2);
    assert!(inside.err.contains("inside the data folder"), "{}", inside.err);
    let json = house.run(&["export", "--login", "x", "--as", "mbox", "--to", "/", "--format", "json"]).ends(2);
    assert!(json.out.contains("\"kind\":\"error\"") && json.err.is_empty(), "{json:?}");
    server.stop();
    Ok(())
}

/// Posts octets to the control socket; the whole answer.
fn post(house: &House, path: &str, body: &[u8]) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(house.data.join("control.sock"))?;
    write!(stream, "POST {path} HTTP/1.1\r\nHost: control\r\nContent-Length: {}\r\n\r\n", body.len())?;
    // The answer may come before all of it is taken.
    let _ = stream.write_all(body);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    Ok(answer)
}

#[test]
fn the_control_socket_bounds_and_names_what_it_does_not_understand() -> Outcome {
    let house = House::new();
    let server = house.serve();
    for (path, body, status, word) in [
        ("/store/verify", &b"{}"[..], "200", "\"done\""),
        ("/store/verify", b"{\"more\":1}", "400", "bad_request"),
        ("/export", b"\xff", "400", "bad_request"),
        ("/export", &[b' '; 200_000], "400", "bad_request"),
        ("/store/burn", b"{}", "404", "unknown_command"),
    ] {
        let answer = post(&house, path, body)?;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(word), "{path}: {answer}");
    }
    server.stop();
    Ok(())
}

#[test]
fn another_user_is_refused_on_the_control_socket() -> Outcome {
    if !rustix::process::geteuid().is_root() {
        skip("another_user_is_refused", Missing::Root);
        return Ok(());
    }
    let house = House::new();
    let server = house.serve();
    // Modes keep others out before they are asked; without them the kernel's word on who they are does.
    let (tool, socket) = (house.scratch.join("facteur"), house.data.join("control.sock"));
    assert_eq!(fs::metadata(&socket)?.permissions().mode() & 0o777, 0o600);
    fs::copy(program::facteur(), &tool)?;
    for (path, mode) in [(house.scratch.path(), 0o755), (&*house.data, 0o755), (&*socket, 0o666), (&*tool, 0o755)] {
        fs::set_permissions(path, PermissionsExt::from_mode(mode))?;
    }
    let call = |uid: u32| {
        let mut command = Command::new(&tool);
        program::run(command.args(["store", "stats", "--data"]).arg(&house.data).uid(uid).gid(uid))
    };
    let refused = call(NOBODY).ends(2);
    assert!(refused.err.contains("uid 65534 may not do this"), "{}", refused.err);
    assert!(server.log_text().contains("refused on the control socket"));
    call(0).ends(0);
    server.stop();
    Ok(())
}

#[test]
fn the_whole_store_goes_back_to_a_backup_when_no_server_runs() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let who = server.describe.person("toto-j").clone();
    fill(&server, &who)?;
    let mut imap = Imap::person(&server, "outside", &who)?;
    let validity = |imap: &mut Imap| -> std::io::Result<Option<String>> {
        let selected = imap.command("EXAMINE INBOX")?.ok()?;
        Ok(selected.lines().into_iter().find(|line| line.contains("UIDVALIDITY")))
    };
    let before = validity(&mut imap)?;
    let taken = house.run(&["backup", "now", "--format", "json"]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    imap.command("SELECT INBOX")?.ok()?;
    imap.command("STORE 1:2 +FLAGS.SILENT (\\Deleted)")?.ok()?;
    imap.command("EXPUNGE")?.ok()?;
    imap.append("INBOX", b"Subject: since\r\n\r\nsince\r\n")?.ok()?;
    let all = ["restore", "--all", "--from", "2999-01-01", "--format", "json"];
    let refused = house.run(&all);
    assert_eq!(refused.code, Some(2), "a server runs: {refused:?}");
    assert!(refused.out.contains("belongs to process"), "{refused:?}");
    server.stop();
    let restored = house.run(&all);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert_eq!((told(&restored, "returned"), told(&restored, "vanished")), (2, 1));
    assert_eq!(told(&restored, "kept_uidvalidity"), told(&restored, "mailboxes"));
    let sound = house.run(&["store", "verify"]);
    assert_eq!(sound.code, Some(0), "{sound:?}");
    let server = house.serve();
    let who = server.describe.person("toto-j").clone();
    let mut imap = Imap::person(&server, "outside", &who)?;
    assert_eq!(validity(&mut imap)?, before);
    // Four as then: two kept their UIDs, two have new ones, and what came since is gone.
    let uids = imap.command("UID SEARCH ALL")?.ok()?;
    assert_eq!(uids.lines(), ["SEARCH 3 4 6 7"]);
    Ok(())
}
