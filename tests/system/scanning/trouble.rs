//! Engines that stop, go and come back. The policy's answer comes within the deadline, no mail is lost, and nobody has to
//! help an engine back.

use rustix::process::Signal;
use tests::smtp::{Reply, letter};
use tests::{Facteur, Outcome, Smtp, wait};

use super::house::{Clamd, House, Icap, WITHIN, metric, subjects, wait_up};
use super::samples;

const LATER: &str = "TryLater(for: \"4 h\", then: ContinueWith(at_least: 1, rescan: true, alarm: true))";
const SOON: &str = "TryLater(for: \"1 s\", then: ContinueWith(at_least: 1, rescan: true, alarm: true))";
const STRANGER: &str = "a@client.example";

fn send(server: &Facteur, subject: &str) -> std::io::Result<Reply> {
    let to = server.describe.person("toto-j").address.clone();
    let mut smtp = Smtp::stranger(server, "mx", "inside")?;
    smtp.message(STRANGER, &[&to], &letter(STRANGER, &to, subject))
}

/// Sends until it is taken: what was refused for a while is tried again by whoever has it.
fn until_taken(server: &Facteur, subject: &str) {
    wait::until(WITHIN, &format!("{subject} is taken"), || {
        send(server, subject).ok().filter(|reply| reply.code == 250)
    });
}

#[test]
fn while_an_engine_is_stopped_or_gone_mail_waits_and_it_comes_back_by_itself() -> Outcome {
    let Some(mut house) = House::start("while_an_engine_is_stopped", LATER, "2 s") else { return Ok(()) };
    wait_up(&house.server, "mcafee", 1.0);
    wait_up(&house.server, "clamav", 1.0);
    until_taken(&house.server, "before");
    // Hung: it takes connections and says nothing.
    house.clamd.running.signal(Signal::STOP);
    send(&house.server, "hung")?.expect(451)?;
    // Seen without any more mail.
    wait_up(&house.server, "clamav", 0.0);
    house.clamd.running.signal(Signal::CONT);
    // No mail is needed for it to be seen.
    wait_up(&house.server, "clamav", 1.0);
    until_taken(&house.server, "hung");
    // Hung behind c-icap.
    house.behind.running.signal(Signal::STOP);
    send(&house.server, "behind")?.expect(451)?;
    wait_up(&house.server, "mcafee", 0.0);
    house.behind.running.signal(Signal::CONT);
    wait_up(&house.server, "mcafee", 1.0);
    until_taken(&house.server, "behind");
    // The service itself is gone, and started anew at another time.
    let Icap { running, address } = house.icap;
    drop(running);
    send(&house.server, "gone")?.expect(451)?;
    drop(house.clamd.running);
    send(&house.server, "both gone")?.expect(451)?;
    house.clamd = Clamd::start(&house.programs.clamd, &house.scratch.join("clamd"));
    wait_up(&house.server, "clamav", 1.0);
    send(&house.server, "one is back")?.expect(451)?;
    house.icap = Icap::start_at(&house.programs.icap, &house.scratch.join("icap"), &house.behind.socket, address);
    wait_up(&house.server, "mcafee", 1.0);
    for subject in ["gone", "both gone", "one is back"] {
        until_taken(&house.server, subject);
    }
    let expected = ["before", "hung", "behind", "gone", "both gone", "one is back"];
    assert_eq!(subjects(&house.server, "toto-j")?, expected, "each once");
    assert_eq!(house.server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn after_the_time_of_the_policy_one_engine_is_enough_and_none_is_not() -> Outcome {
    let Some(house) = House::start("after_the_time_of_the_policy", SOON, "2 s") else { return Ok(()) };
    let server = &house.server;
    wait_up(server, "mcafee", 1.0);
    wait_up(server, "clamav", 1.0);
    // An error for a night: c-icap answers, and says 500 because what is behind it is gone.
    drop(house.behind.running);
    until_taken(server, "with one engine");
    let marks = server.log_text().matches("passed without an engine that is down").count();
    assert_eq!(marks, 1, "it is owed a second look");
    // The one that works still finds things.
    let to = server.describe.person("toto-j").address.clone();
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    let samples = samples::all(STRANGER, &to);
    smtp.message(STRANGER, &[&to], &samples[1].message)?.expect(250)?;
    assert_eq!(metric(server, "facteur_quarantined_total"), 1.0);
    // None: later, however long it has been.
    drop(house.clamd.running);
    for subject in ["none", "none again"] {
        send(server, subject)?.expect(451)?;
    }
    assert_eq!(subjects(server, "toto-j")?, ["with one engine"]);
    // Both outages last, and the managers hear of each once.
    for engine in ["mcafee", "clamav"] {
        let told = format!("Antivirus {engine} : aucune");
        wait::until(WITHIN, "the managers are told", || server.log_text().contains(&told).then_some(()));
    }
    Ok(())
}
