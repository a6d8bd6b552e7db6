//! `facteur health` over the real program: listeners for strangers stay closed until everything works.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use tests::scratch::Scratch;
use tests::smtp::read_reply;
use tests::wire::{self, Wire};
use tests::{Facteur, Options, Outcome, policy_copy, program, wait};

use crate::clients::found;
use crate::scanning::house::{Clamd, Running, WITHIN};

/// An address where nothing listens: what waits for its health has none to look up yet.
fn unused() -> SocketAddr {
    TcpListener::bind("127.83.11.7:0").and_then(|socket| socket.local_addr()).expect("the kernel has ports")
}

/// The bench policy with one engine at this socket.
fn plan(scratch: &Scratch, socket: &Path) {
    let engine = format!(
        "scanners: {{ \"clamav\": (does: Antivirus, at: Clamd(\"unix:{}\"), updates: AtLeast(\"2 / 1 day\")) }},\n\
         antivirus: (\n engines: [\"clamav\"], on: [Inbound], infected_when: AnyEngine,\n\
         inbound: (infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody), suspect: (keep: Deliver, reply: Accept, tell: Nobody)),\n\
         outbound_from_person: (infected: (keep: Nothing, reply: Refuse, tell: Sender), suspect: (keep: Nothing, reply: Refuse, tell: Sender)),\n\
         outbound_from_machine: (infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody), suspect: (keep: Quarantine, reply: AcceptSilently, tell: Managers)),\n\
         engine_down: TryLater(for: \"4 h\"),\n),\n    antispam: None,",
        socket.display()
    );
    let changes = [
        ("reception: [KnownRecipient, Accept, Deliver]", "reception: [KnownRecipient, Antivirus, Accept, Deliver]"),
        ("antispam: None,", engine.as_str()),
    ];
    let folder = policy_copy::changed(scratch, "bench", &changes);
    program::run(Command::new(program::facteur()).arg("compile").arg(folder).arg("--out").arg(scratch.path())).ends(0);
}

#[test]
fn nobody_is_greeted_on_port_25_until_everything_works() -> Outcome {
    let Some(clamd) = found("nobody_is_greeted", "clamd") else { return Ok(()) };
    let scratch = Scratch::new("health");
    plan(&scratch, &scratch.join("clamd.sock"));
    let data = scratch.join("data");
    let bench = program::top().join("policies/bench");
    Facteur::start_with(&bench, Options { data: Some(data.clone()), ..Options::default() }).stop();
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_string()])?;
    fs::write(scratch.join("chain.pem"), key.cert.pem())?;
    fs::write(scratch.join("key.pem"), key.signing_key.serialize_pem())?;
    let mx = unused();
    let site = format!(
        "Site(data: {data:?}, listeners: {{\"mx\": [\"{mx}\"], \"subm\": [\"127.0.0.1:0\"], \"imaps\": [\"127.0.0.1:0\"]}},\n\
         outbound: Sink, certificates: {{\"default\": File(chain: {:?}, key: {:?})}})\n",
        scratch.join("chain.pem"),
        scratch.join("key.pem")
    );
    fs::write(scratch.join("site.ron"), site)?;
    let log = scratch.join("serve.log");
    let mut serve = Command::new(program::facteur());
    serve.arg("serve").arg("--plan").arg(scratch.join("bench.plan.ron")).arg("--site").arg(scratch.join("site.ron"));
    let _server = Running::start(serve.arg("--wait-for-health").env("RUST_LOG", "info"), &log);
    let health = |within: &str| {
        let mut command = Command::new(program::facteur());
        command.arg("health").arg("--data").arg(&data).args(["--within", within]);
        program::run(&mut command)
    };
    let text = || fs::read_to_string(&log).unwrap_or_default();
    wait::until(WITHIN, "submission listens", || text().contains("subm").then_some(()));
    let sick = health("8");
    assert!(sick.out.contains("scanners  NOT OK"), "{}\n{}", sick.out, text());
    assert!(sick.out.contains("store     ok") && !sick.out.contains("smtp  "), "{}", sick.out);
    sick.ends(1);
    let refused = TcpStream::connect(mx).expect_err("port 25 is not open");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);

    let _engine = Clamd::start(&clamd, scratch.path());
    let well = health("150");
    assert!(well.out.contains("imaps: a login goes the whole way"), "{}\n{}", well.out, text());
    assert!(well.out.contains("mx 220"), "{}", well.out);
    well.ends(0);
    let mut wire = Wire::plain(wire::connect(mx, "127.0.0.1".parse()?)?);
    read_reply(&mut wire)?.expect(220)?;
    // It can be asked again, and nobody was let in by it.
    health("150").ends(0);
    assert!(!text().contains("logged-in"), "{}", text());
    Ok(())
}

/// An address of the site that this machine does not have yet, or whose port somebody else has.
#[test]
fn an_address_that_cannot_be_bound_keeps_the_others_from_nothing_where_that_is_asked() -> Outcome {
    let scratch = Scratch::new("unbound");
    let data = scratch.join("data");
    let bench = program::top().join("policies/bench");
    Facteur::start_with(&bench, Options { data: Some(data.clone()), ..Options::default() }).stop();
    program::run(Command::new(program::facteur()).arg("compile").arg(&bench).arg("--out").arg(scratch.path())).ends(0);
    let taken = TcpListener::bind("127.83.11.7:0")?;
    let (mx, busy) = (unused(), taken.local_addr()?);
    let site = format!(
        "Site(data: {data:?}, listeners: {{\"mx\": [\"{mx}\"], \"imaps\": [\"127.0.0.1:0\", \"{busy}\"]}}, outbound: Sink)\n"
    );
    fs::write(scratch.join("site.ron"), site)?;
    let serve = || {
        let mut serve = Command::new(program::facteur());
        serve.arg("serve").arg("--plan").arg(scratch.join("bench.plan.ron"));
        serve.arg("--site").arg(scratch.join("site.ron"));
        serve
    };
    let refused = program::run(&mut serve());
    assert!(refused.err.contains(&format!("listener imaps cannot bind {busy}")), "{}", refused.err);
    refused.ends(2);

    let log = scratch.join("serve.log");
    let _server = Running::start(serve().args(["--keep-trying", "--wait-for-health"]).env("RUST_LOG", "info"), &log);
    let ask = |command: &str| program::run(Command::new(program::facteur()).arg(command).arg("--data").arg(&data));
    wait::until(WITHIN, "it serves", || data.join("control.sock").exists().then_some(()));
    let sick = ask("health");
    assert!(sick.out.contains("imaps: a login goes the whole way"), "at the address it has: {}", sick.out);
    assert!(sick.out.contains(&format!("imaps cannot listen on {busy}")), "{}", sick.out);
    sick.ends(1);
    let refused = TcpStream::connect(mx).expect_err("port 25 is not open to a version that is not known to be good");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let status = ask("status");
    assert!(status.out.contains(&format!("CRITICAL addresses: imaps cannot listen on {busy}")), "{}", status.out);

    drop(taken);
    wait::until(WITHIN, "it listens there, too", || TcpStream::connect(busy).ok());
    let well = ask("health");
    assert!(well.out.contains("mx 220"), "{}", well.out);
    well.ends(0);
    Ok(())
}
