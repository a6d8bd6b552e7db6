//! The real clamd, with a database of one signature, asked by a server that `facteur serve` runs at a site.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::scratch::Scratch;
use tests::smtp::{letter, read_reply};
use tests::wire::{self, Wire};
use tests::{Facteur, Options, Outcome, policy_copy, program, wait};

use super::house::{Clamd, Running, WITHIN};
use crate::clients::found;
use crate::mail::EICAR;

/// The bench policy with this clamd as its only engine.
fn policy(scratch: &Scratch, socket: &Path) -> PathBuf {
    let engine = format!(
        "scanners: {{ \"clamav\": (does: Antivirus, at: Clamd(\"unix:{}\"), updates: AtLeast(\"2 / 1 day\")) }},\n\
         antivirus: (\n engines: [\"clamav\"], on: [Inbound, Outbound], infected_when: AnyEngine,\n\
         inbound: (infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody), suspect: (keep: Deliver, reply: Accept, tell: Nobody)),\n\
         outbound_from_person: (infected: (keep: Nothing, reply: Refuse, tell: Sender), suspect: (keep: Nothing, reply: Refuse, tell: Sender)),\n\
         outbound_from_machine: (infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody), suspect: (keep: Quarantine, reply: AcceptSilently, tell: Managers)),\n\
         engine_down: TryLater(for: \"4 h\"),\n),\n    antispam: None,",
        socket.display()
    );
    let changes = [
        ("reception: [KnownRecipient, Accept, Deliver]", "reception: [KnownRecipient, Antivirus, Accept, Deliver]"),
        ("sending: [Limits, Accept, Route]", "sending: [Limits, Antivirus, Accept, Route]"),
        ("antispam: None,", engine.as_str()),
    ];
    policy_copy::changed(scratch, "bench", &changes)
}

/// `facteur serve` with this plan on a data folder that has people, and where its listeners are.
fn serve(scratch: &Scratch, folder: &Path, data: &Path) -> (Running, SocketAddr, PathBuf) {
    let out = scratch.path().display().to_string();
    program::run(Command::new(program::facteur()).arg("compile").arg(folder).args(["--out", &out])).ends(0);
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_string()]).expect("a certificate can be made");
    fs::write(scratch.join("chain.pem"), key.cert.pem()).expect("the scratch folder is ours");
    fs::write(scratch.join("key.pem"), key.signing_key.serialize_pem()).expect("the scratch folder is ours");
    let site = format!(
        "Site(data: \"{}\", listeners: {{\"mx\": [\"127.0.0.1:0\"]}}, outbound: Sink,\n\
         certificates: {{\"default\": File(chain: \"{out}/chain.pem\", key: \"{out}/key.pem\")}})\n",
        data.display()
    );
    fs::write(scratch.join("site.ron"), site).expect("the scratch folder is ours");
    let log_path = scratch.join("serve.log");
    let mut command = Command::new(program::facteur());
    command.arg("serve").arg("--plan").arg(scratch.join("bench.plan.ron")).arg("--site").arg(scratch.join("site.ron"));
    let running = Running::start(command.env("RUST_LOG", "info"), &log_path);
    let mx = wait::until(WITHIN, "facteur serve says where it listens", || {
        let text = fs::read_to_string(&log_path).ok()?;
        let line = text.lines().find(|line| line.contains("listening") && line.contains("mx"))?;
        line.split(['"', ' ', '=']).find_map(|word| word.parse().ok())
    });
    (running, mx, log_path)
}

#[test]
fn the_real_clamd_finds_what_it_knows_and_lets_the_rest_pass() -> Outcome {
    let Some(program) = found("the_real_clamd", "clamd") else { return Ok(()) };
    let scratch = Scratch::new("clamd");
    let Clamd { running: engine, socket } = Clamd::start(&program, scratch.path());
    let data = scratch.join("data");
    let bench = program::top().join("policies/bench");
    let options = Options { data: Some(data.clone()), ..Options::default() };
    Facteur::start_with(&bench, options).stop();
    let folder = policy(&scratch, &socket);
    let (server, mx, log) = serve(&scratch, &folder, &data);
    let mut wire = Wire::plain(wire::connect(mx, std::net::Ipv4Addr::LOCALHOST)?);
    read_reply(&mut wire)?.expect(220)?;
    let mut say = |text: &str, code: u16| -> std::io::Result<()> {
        wire.send(text.as_bytes())?;
        read_reply(&mut wire)?.expect(code).map(|_| ())
    };
    say("EHLO client.example\r\n", 250)?;
    let virus = format!("Subject: virus\r\n\r\n{}\r\n.\r\n", EICAR.concat());
    let clean = format!("{}.\r\n", letter("a@client.example", "alice.bench@example.org", "clean"));
    let mut message = |body: &str, code: u16| -> std::io::Result<()> {
        say("MAIL FROM:<a@client.example>\r\n", 250)?;
        say("RCPT TO:<postmaster>\r\n", 250).or_else(|_| say("RCPT TO:<Alice.Bench@example.org>\r\n", 250))?;
        say("DATA\r\n", 354)?;
        say(body, code)
    };
    message(&virus, 250)?;
    message(&clean, 250)?;
    // With the engine gone nobody looks: later.
    drop(engine);
    message(&clean, 451)?;
    drop(server);
    let said = fs::read_to_string(log)?;
    assert!(said.contains("infected") || said.contains("Test.Eicar"), "{said}");
    Ok(())
}
