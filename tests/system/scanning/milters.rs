//! Debian's clamav-milter, with a real clamd and a database of one signature, shown messages as the server shows them.

use std::fs;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use proto::scan::milter::{Conversation, Infection, Outcome as Said, QUIT, Saw, Step, Told, Verdict, section};
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Outcome, wait};

use crate::clients::found;
use crate::mail::EICAR;

const START_WITHIN: Duration = Duration::from_secs(120);
const TEMPORARY_AFTER: Duration = Duration::from_secs(60);

/// A process that ends with the test.
struct Running(Child);

impl Running {
    fn start(program: &Path, config: &Path, socket: &Path) -> Running {
        let log = fs::File::create(config.with_extension("log")).expect("the scratch folder is ours");
        let mut command = Command::new(program);
        command.arg("--config-file").arg(config).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a file handle can be doubled")).stderr(log);
        let running = Running(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")));
        wait::until(START_WITHIN, &format!("{command:?} listens"), || UnixStream::connect(socket).ok());
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// clamd and clamav-milter before it, which adds its field and does with a virus what `on_infected` says.
fn start(scratch: &Scratch, on_infected: &str) -> Option<(Running, Running, PathBuf)> {
    let (clamd, milter) = (found("clamav_milter", "clamd")?, found("clamav_milter", "clamav-milter")?);
    let (database, folder) = (scratch.join("signatures"), scratch.path().display());
    fs::create_dir_all(&database).expect("the scratch folder is ours");
    let hex: String = EICAR.concat().bytes().map(|octet| format!("{octet:02x}")).collect();
    let write = |name: &str, text: String| fs::write(scratch.join(name), text).expect("the scratch folder is ours");
    write("signatures/test.ndb", format!("Test.Eicar:0:*:{hex}\n"));
    write(
        "clamd.conf",
        format!("Foreground yes\nLocalSocket {folder}/clamd.sock\nDatabaseDirectory {folder}/signatures\n"),
    );
    write(
        "milter.conf",
        format!(
            "Foreground yes\nMilterSocket unix:{folder}/milter.sock\nMilterSocketMode 666\nTemporaryDirectory {folder}\n\
             ClamdSocket unix:{folder}/clamd.sock\nOnClean Accept\nOnInfected {on_infected}\nOnFail Defer\n\
             AddHeader Replace\nRejectMsg infected by %v\n"
        ),
    );
    let engine = Running::start(&clamd, &scratch.join("clamd.conf"), &scratch.join("clamd.sock"));
    let socket = scratch.join("milter.sock");
    let milter = Running::start(&milter, &scratch.join("milter.conf"), &socket);
    Some((engine, milter, socket))
}

/// Shows one message of this client.
fn show(socket: &Path, client: Option<IpAddr>, message: &[u8]) -> io::Result<Said> {
    let told = Told {
        client,
        hello: Some("client.example"),
        host: "mx.example.org",
        login: None,
        queue_id: "0123",
        reverse_path: "a@client.example",
        recipients: vec!["b@example.org".to_owned()],
    };
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(TEMPORARY_AFTER))?;
    let section = section(message);
    let mut body = message[section.body_at..].chunks(50_000);
    let mut conversation = Conversation::new(&told, section);
    let mut buffer = [0; 4_096];
    loop {
        match conversation.next() {
            Step::Send(octets) => stream.write_all(&octets)?,
            Step::NeedBody => conversation.body(body.next().unwrap_or_default()),
            Step::NeedInput => match stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => conversation.feed(&buffer[..read]),
            },
            Step::Done(said) => {
                stream.write_all(&QUIT)?;
                return Ok(said);
            }
            Step::Bad(bad) => panic!("a real filter speaks the protocol: {bad:?}"),
        }
    }
}

#[test]
fn clamav_milter_finds_what_its_engine_knows_and_says_later_without_it() -> Outcome {
    let client: IpAddr = "192.0.2.7".parse()?;
    // As the server shows it, of no session; and as one that scores would be.
    let of = [("Reject", None), ("Quarantine", Some(client)), ("Blackhole", None), ("Accept", Some(client))];
    for (on_infected, client) in of {
        let scratch = Scratch::new("clamav-milter");
        let Some((engine, _milter, socket)) = start(&scratch, on_infected) else { return Ok(()) };
        let clean = letter("a@client.example", "b@example.org", "clean");
        let long = format!("{clean}{}", "A line that says nothing.\r\n".repeat(10_000));
        // It listens before it knows its engine.
        wait::until(Duration::from_secs(60), "the milter knows its engine", || {
            (show(&socket, client, clean.as_bytes()).ok()?.verdict == Verdict::Accept).then_some(())
        });
        for message in [&clean, &long] {
            let said = show(&socket, client, message.as_bytes())?;
            assert_eq!((&said.verdict, said.saw), (&Verdict::Accept, Saw::Whole), "{said:?}");
            assert_eq!(said.infection(), Infection::Clean, "{said:?}");
            assert!(said.fields.contains(&("X-Virus-Status".to_owned(), "Clean".to_owned())), "{said:?}");
        }
        let virus = format!("{long}{}\r\n", EICAR.concat());
        let said = show(&socket, client, virus.as_bytes())?;
        let Infection::Found(name) = said.infection() else { panic!("{on_infected}: {said:?}") };
        assert!(on_infected == "Blackhole" || name.contains("Test.Eicar"), "{on_infected}: {name}");
        drop(engine);
        let said = show(&socket, client, clean.as_bytes())?;
        assert!(matches!(said.infection(), Infection::NoVerdict(_)), "without its engine it knows nothing: {said:?}");
    }
    Ok(())
}
