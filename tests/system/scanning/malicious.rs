//! An engine is a program of somebody else's on another machine: whatever it answers, mail waits at most until the
//! deadline, memory stays bounded, and nothing but a clear verdict is one.

use tests::scratch::Scratch;
use tests::smtp::{Reply, letter};
use tests::{Facteur, Outcome, Smtp, wait};

use super::house::{Engines, WITHIN, metric, policy, serve, wait_up};
use super::scripted::{Script, Scripted, Speaks};

const LATER: &str = "TryLater(for: \"4 h\")";
const STRANGER: &str = "a@client.example";
/// Lines of a message, 18 octets each; and of one that does not fit in buffers on the way.
const LINES: usize = 10_000;
const MANY_LINES: usize = 1_000_000;
/// Memory all of this may take on top of what the server has, in KiB: buffers of a few connections.
const GROWTH_KIB_MAX: u64 = 48 * 1024;

fn send(server: &Facteur, subject: &str, lines: usize) -> std::io::Result<Reply> {
    let to = server.describe.person("toto-j").address.clone();
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    let message = format!("{}{}", letter(STRANGER, &to, subject), "0123456789abcdef\r\n".repeat(lines));
    smtp.message(STRANGER, &[&to], &message)
}

/// The engine `clamav` or `mcafee` is this one, the other is good.
fn house(scratch: &Scratch, mcafee: &Scripted, clamav: &Scripted) -> Facteur {
    let engines = Engines {
        mcafee: &format!("Icap(\"{}/av\")", mcafee.address),
        clamav: &format!("Clamd(\"{}\")", clamav.address),
        engine_down: LATER,
        within: "2 s",
    };
    serve(&policy(scratch, &engines), None)
}

/// Plays every script in turn: 451, and then the engine is good and comes back by itself.
fn suffer(engine: &str, scripts: &[Script]) -> Outcome {
    let (mcafee, clamav) = (Scripted::start(Speaks::Icap), Scripted::start(Speaks::Clamd));
    let scratch = Scratch::new("malicious");
    let server = house(&scratch, &mcafee, &clamav);
    let scripted = if engine == "mcafee" { &mcafee } else { &clamav };
    wait_up(&server, engine, 1.0);
    // What a good message needs is no growth.
    send(&server, "good", LINES)?.expect(250)?;
    let (before, _) = server.resident_kib();
    for (number, script) in scripts.iter().enumerate() {
        scripted.now(*script);
        let lines = if matches!(script, Script::SayAtOnce(_)) { MANY_LINES } else { LINES };
        let reply = send(&server, &format!("bad{number}"), lines)?;
        assert_eq!(reply.code, 451, "{script:?}: {reply:?}");
        scripted.now(Script::Good);
        wait_up(&server, engine, 1.0);
    }
    let (_, peak) = server.resident_kib();
    eprintln!("{engine}: {before} KiB before, {peak} KiB at most with {} misbehaviours", scripts.len());
    assert!(peak < before + GROWTH_KIB_MAX, "from {before} to {peak} KiB");
    let clean = format!("facteur_scans_total{{engine=\"{engine}\",result=\"clean\"}}");
    assert_eq!(metric(&server, &clean), 1.0, "nothing it said but that was a verdict");
    assert_eq!(metric(&server, "facteur_quarantined_total"), 0.0);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    send(&server, "good again", LINES)?.expect(250)?;
    Ok(())
}

#[test]
fn a_malicious_clamd_gives_no_verdict_and_takes_no_memory() -> Outcome {
    let scripts = [
        Script::Close,
        Script::Silent,
        Script::Say("stream:  FOUND\0"),
        Script::SayAndClose("stream: OK"),
        Script::Say("HTTP/1.1 200 OK\r\n\r\n\0"),
        Script::Say("stream: Can't allocate memory ERROR\0"),
        Script::Say("INSTREAM size limit exceeded. ERROR\0"),
        Script::SayAtOnce("stream: OK\0"),
        Script::Endless("", b"stream: "),
        Script::Drip(b"stream: "),
    ];
    suffer("clamav", &scripts)
}

#[test]
fn a_malicious_icap_server_gives_no_verdict_and_takes_no_memory() -> Outcome {
    let scripts = [
        Script::Close,
        Script::Silent,
        Script::SayAndClose("ICAP/1.0 204 No Content\r\n"),
        Script::Say("ICAP/1.0 204 No Content\r\nX-Virus-ID: Eicar\r\n\r\n"),
        Script::Say("ICAP/1.0 100 Continue\r\n\r\nICAP/1.0 204 No Content\r\n\r\n"),
        Script::Say("ICAP/1.0 500 Server error\r\n\r\n"),
        Script::Say("ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=99\r\n\r\n"),
        Script::Say(
            "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=26\r\n\r\nHTTP/1.1 403 Forbidden\r\n\r\n0\r\n\r\n",
        ),
        Script::SayAtOnce("ICAP/1.0 204 No Content\r\n\r\n"),
        Script::Endless("ICAP/1.0 200 OK\r\n", b"X-Field: value\r\n"),
        Script::Endless("ICAP/1.0 200 OK\r\nEncapsulated: opt-body=0\r\n\r\n", b"5\r\nvirus\r\n"),
        Script::Drip(b"ICAP/1.0 200 OK\r\nX: y\r\n"),
    ];
    suffer("mcafee", &scripts)
}

#[test]
fn old_signatures_are_told_once_and_over_a_restart() -> Outcome {
    let (mcafee, clamav) = (Scripted::start(Speaks::Icap), Scripted::start(Speaks::Clamd));
    clamav.version("ClamAV 1.4.6/27000/Mon Nov 23 09:00:00 2020");
    let scratch = Scratch::new("old");
    let data = scratch.join("data");
    let engines = Engines {
        mcafee: &format!("Icap(\"{}/av\")", mcafee.address),
        clamav: &format!("Clamd(\"{}\")", clamav.address),
        engine_down: LATER,
        within: "2 s",
    };
    let folder = policy(&scratch, &engines);
    let server = serve(&folder, Some(data.clone()));
    let said = "the signatures are older than the policy wants";
    wait::until(WITHIN, said, || server.log_text().contains("signatures anciennes").then_some(()));
    assert_eq!(server.log_text().matches(said).count(), 1);
    let age_s = metric(&server, "facteur_scanner_signature_age_seconds{engine=\"clamav\"}");
    assert!(age_s > 31_536_000.0, "{age_s}");
    // It gives verdicts all the same.
    send(&server, "old but well", LINES)?.expect(250)?;
    server.stop();
    // Whoever starts anew does not tell it again, and hears of new ones.
    clamav.version("ClamAV 1.4.6");
    let server = serve(&folder, Some(data));
    let renewed = "the signatures are as new as the policy wants";
    wait::until(WITHIN, renewed, || server.log_text().contains(renewed).then_some(()));
    assert_eq!(server.log_text().matches(said).count(), 0);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}
