//! Two engines look at everything, in and out, whatever the test file is wrapped in.

use std::process::Command;

use tests::smtp::letter;
use tests::{Facteur, Outcome, Smtp, program};

use super::house::{House, metric, subjects};
use super::samples;

/// What the Nantes policy says of an engine that is down.
const AS_NANTES: &str = "TryLater(for: \"4 h\", then: ContinueWith(at_least: 1, rescan: true, alarm: true))";

/// The quarantine has it under both engines' names, and nobody was written to.
fn assert_kept(server: &Facteur, reply: &str, what: &str) {
    let id = reply.rsplit(' ').next().unwrap_or_default();
    let mut command = Command::new(program::facteur());
    let ran = program::run(command.arg("why").arg(id).arg("--data").arg(&server.describe.data)).ends(0);
    for word in ["quarantine", "clamav", "Test.Eicar"] {
        assert!(ran.out.contains(word), "{what}: {}", ran.out);
    }
}

#[test]
fn the_test_file_is_caught_in_and_out_whatever_it_is_wrapped_in() -> Outcome {
    let Some(house) = House::start("the_test_file_is_caught", AS_NANTES, "60 s") else { return Ok(()) };
    let server = &house.server;
    let (who, colleague) = (server.describe.person("toto-j").clone(), server.describe.person("toto-jp").clone());
    let stranger = "a@client.example";
    let mut sent = 0.0;
    for sample in samples::all(stranger, &who.address) {
        let mut smtp = Smtp::stranger(server, "mx", "outside")?;
        let reply = smtp.message(stranger, &[&who.address], &sample.message)?.expect(250)?;
        assert_kept(server, &reply.text(), sample.name);
        sent += 1.0;
    }
    for sample in samples::all(&colleague.address, &who.address) {
        let mut smtp = Smtp::person(server, "subm", "inside", &colleague)?;
        let reply = smtp.message(&colleague.address, &[&who.address], &sample.message)?.expect(250)?;
        assert_kept(server, &reply.text(), sample.name);
        sent += 1.0;
    }
    let machine = "scanner@univ-nantes.fr";
    for sample in samples::all(machine, "someone@elsewhere.example") {
        let mut smtp = Smtp::stranger(server, "relay", "private")?;
        let reply = smtp.message(machine, &["someone@elsewhere.example"], &sample.message)?.expect(250)?;
        assert_kept(server, &reply.text(), sample.name);
        sent += 1.0;
    }
    for engine in ["mcafee", "clamav"] {
        let line = format!("facteur_scans_total{{engine=\"{engine}\",result=\"infected\"}}");
        assert_eq!(metric(server, &line), sent, "{engine} found it each time");
    }
    // And what is well passes, also when it is large.
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    smtp.message(stranger, &[&who.address], &letter(stranger, &who.address, "clean"))?.expect(250)?;
    let line = format!("{}\r\n", "0123456789".repeat(7));
    let large = format!("{}{}", letter(stranger, &who.address, "large"), line.repeat(200_000));
    let (_, peak_before) = server.resident_kib();
    smtp.message(stranger, &[&who.address], &large)?.expect(250)?;
    let (_, peak) = server.resident_kib();
    eprintln!("14 MB through two engines: peak {peak_before} KiB before, {peak} KiB after");
    assert_eq!(subjects(server, "toto-j")?, ["clean", "large"], "nobody hears of the others");
    assert_eq!(subjects(server, "toto-jp")?, Vec::<String>::new(), "the sender neither");
    assert_eq!(metric(server, "facteur_quarantined_total"), sent);
    assert_eq!(server.metric("facteur_queue_messages"), 0.0, "nothing waits to be sent to anybody");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}
