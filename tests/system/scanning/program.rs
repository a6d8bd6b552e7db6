//! A scanner that is a program of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tests::scratch::Scratch;
use tests::smtp::{Reply, base64, letter};
use tests::{Facteur, Outcome, Smtp};

use super::house::{Engines, metric, policy, serve, subjects, wait_up};
use super::samples;
use super::scripted::{Scripted, Speaks};

const STRANGER: &str = "a@client.example";

fn send(server: &Facteur, message: &str) -> std::io::Result<Reply> {
    let to = server.describe.person("toto-j").address.clone();
    Smtp::stranger(server, "mx", "inside")?.message(STRANGER, &[&to], message)
}

/// Puts a script into the scanner's place.
fn write(path: &Path, script: &str) -> std::io::Result<()> {
    let next = path.with_extension("next");
    fs::write(&next, format!("#!/bin/sh\n{script}\n"))?;
    fs::set_permissions(&next, fs::Permissions::from_mode(0o755))?;
    fs::rename(next, path)
}

#[test]
fn a_program_finds_hangs_fails_and_is_well_again() -> Outcome {
    let (scratch, mcafee) = (Scratch::new("program"), Scripted::start(Speaks::Icap));
    let scanner = scratch.join("scanner");
    let coded = base64(&samples::eicar());
    let good =
        format!("grep -qF -e '{}' \"$2\" && {{ echo \"$2: Script.Eicar FOUND\"; exit 1; }}\nexit 0", &coded[..60]);
    write(&scanner, &good)?;
    let exits = "exits: [(code: 0, means: Clean), (code: 1, means: Infected)]";
    let engines = Engines {
        mcafee: &format!("Icap(\"{}/av\")", mcafee.address),
        clamav: &format!("Command(\"{} --file {{file}}\"), {exits}", scanner.display()),
        engine_down: "TryLater(for: \"4 h\")",
        within: "5 s",
    };
    let server = serve(&policy(&scratch, &engines), None);
    wait_up(&server, "clamav", 1.0);
    let to = server.describe.person("toto-j").address.clone();
    send(&server, &letter(STRANGER, &to, "clean"))?.expect(250)?;
    let found = samples::all(STRANGER, &to).into_iter().find(|sample| sample.name == "base64");
    send(&server, &found.expect("it is one of the ways").message)?.expect(250)?;
    assert!(server.log_text().contains("clamav: Script.Eicar"), "by the name the program gives");
    assert_eq!(metric(&server, "facteur_quarantined_total"), 1.0);
    for bad in ["sleep 600", "kill -KILL $$", "exit 7", "cat /dev/zero"] {
        write(&scanner, bad)?;
        let reply = send(&server, &letter(STRANGER, &to, "bad"))?;
        assert_eq!(reply.code, 451, "{bad}: {reply:?}");
        write(&scanner, &good)?;
        wait_up(&server, "clamav", 1.0);
    }
    send(&server, &letter(STRANGER, &to, "well again"))?.expect(250)?;
    assert_eq!(subjects(&server, "toto-j")?, ["clean", "well again"]);
    let left = fs::read_dir(server.describe.data.join("scanning"))?.count();
    assert_eq!(left, 0, "no message is left where the program read it");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}
