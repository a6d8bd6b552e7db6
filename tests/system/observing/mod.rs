//! What whoever looks after a server is told: status, probes, metrics and alerts in a real Prometheus, log lines at a
//! syslog server, and a bundle that has nobody's mail in it.

mod bundle;
mod house;
mod mail;
mod prometheus;
mod syslog;
mod verifying;

use std::process::Command;

use serde_json::Value;
use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::{Facteur, Options, Outcome, wait};

/// `facteur WORDS --data …` on the folder of a server.
fn ask(server: &Facteur, words: &[&str]) -> Ran {
    program::run(Command::new(program::facteur()).args(words).arg("--data").arg(&server.describe.data))
}

#[test]
fn one_screen_says_how_the_server_does_and_ends_with_1_while_something_is_to_do() -> Outcome {
    let server = Facteur::start("nantes");
    // Its certificate is its own, which nobody believes: there is always something.
    let shown = ask(&server, &["status"]).ends(1);
    let lines: Vec<&str> = shown.out.lines().collect();
    assert!(lines.len() <= 24 && lines.iter().all(|line| line.chars().count() <= 80), "{}", shown.out);
    for word in [server.describe.plan.as_str(), "! WARNING certificate", "mx", "engines", "queue", "compromise"] {
        assert!(shown.out.contains(word), "{word} in\n{}", shown.out);
    }
    let told = ask(&server, &["status", "--format", "json"]).ends(1);
    let status: Value = serde_json::from_str(told.out.trim())?;
    assert_eq!(status["kind"], "status");
    assert_eq!(status["plan"], server.describe.plan.as_str());
    let listeners = status["listeners"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(listeners.len(), server.describe.listeners.len());
    assert!(listeners.iter().all(|listener| listener["open"] == true), "{status}");
    server.stop();
    Ok(())
}

#[test]
fn probes_end_as_plugins_do() -> Outcome {
    let scratch = Scratch::new("probes");
    let options = Options { data: Some(scratch.join("data")), ..Options::default() };
    let server = Facteur::start_with(&program::top().join("policies/nantes"), options);
    let listed = ask(&server, &["probe", "--list"]).ends(0);
    let names: Vec<&str> = listed.out.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.len() >= 13, "{names:?}");
    // The engines of the stand-in are well, and nothing waits.
    for name in ["smtp", "imaps", "queue", "scanners", "disk", "plan", "compromise", "process"] {
        let said = ask(
            &server,
            &[
                "probe",
                name,
                "--crit",
                if name == "disk" { "0" } else { "1000000" },
                "--warn",
                if name == "disk" { "0" } else { "1000000" },
            ],
        )
        .ends(0);
        let line = said.out.trim_end();
        assert!(line.starts_with(&format!("{} OK - ", name.to_uppercase())) && !line.contains('\n'), "{line}");
    }
    let said = ask(&server, &["probe", "certificate"]).ends(1);
    assert!(said.out.starts_with("CERTIFICATE WARNING - ") && said.out.contains("self-signed"), "{}", said.out);
    let said = ask(&server, &["probe", "disk", "--crit", "100"]).ends(2);
    assert!(said.out.starts_with("DISK CRITICAL - ") && said.out.contains("'free'="), "{}", said.out);
    ask(&server, &["probe", "weather"]).ends(3);
    // A recount is kept.
    ask(&server, &["store", "verify"]).ends(0);
    let said = ask(&server, &["probe", "store"]).ends(0);
    assert!(said.out.contains("found sound"), "{}", said.out);
    let data = server.describe.data.clone();
    server.kill();
    // Nobody opens the store for a probe.
    let gone = program::run(Command::new(program::facteur()).args(["probe", "queue", "--data"]).arg(&data)).ends(2);
    assert!(gone.out.starts_with("QUEUE CRITICAL - "), "{}", gone.out);
    Ok(())
}

#[test]
fn doctor_looks_at_the_machine_while_the_server_works() -> Outcome {
    let server = Facteur::start("bench");
    let told = ask(&server, &["doctor", "--all", "--format", "json"]);
    let findings: Vec<Value> = told.out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let of =
        |what: &str| findings.iter().find(|finding| finding["what"].as_str().is_some_and(|found| found.contains(what)));
    for what in ["clock", "permissions of", "server answers", "room on the device", "open files", "memory"] {
        assert!(of(what).is_some(), "{what} in {findings:?}");
    }
    assert!(of("server answers").is_some_and(|finding| finding["standing"] == "ok"), "{findings:?}");
    server.kill();
    Ok(())
}

#[test]
fn what_the_vitals_tell_is_in_the_metrics() -> Outcome {
    let server = Facteur::start("nantes");
    let all = server.describe.listeners.len() as f64;
    wait::until(std::time::Duration::from_secs(60), "the vitals were looked at", || {
        (server.metric("facteur_listener_open") == all).then_some(())
    });
    assert_eq!(server.metric("facteur_build_info"), 1.0);
    assert!(server.metric("facteur_store_size_bytes") > 0.0);
    assert!(server.metric("process_open_fds") > 5.0 && server.metric("process_start_time_seconds") > 1e9);
    server.stop();
    Ok(())
}
