//! A machine from its first boot to the first login: what it is given as credentials and on a NoCloud disk is served.

use std::fs;
use std::process::Command;

use tests::program::{self, Ran};
use tests::{Outcome, wire};

use crate::certificates::house::House;

const PASSWORD: &str = "the first one of all";

fn boot(house: &House) -> Ran {
    let mut facteur = Command::new(program::facteur());
    facteur.args(["appliance", "first-boot", "--data"]).arg(house.data()).arg("--plan").arg(house.plan());
    facteur.arg("--cidata").arg(house.scratch.join("cidata"));
    program::run(facteur.env("CREDENTIALS_DIRECTORY", house.scratch.join("credentials")))
}

#[test]
fn a_machine_serves_the_site_the_people_and_the_passwords_it_was_given() -> Outcome {
    let house = House::new("");
    let at = |path: &str| house.scratch.join(path);
    for folder in ["credentials", "cidata/secrets"] {
        fs::create_dir_all(at(folder))?;
    }
    let site = format!(
        "Site(data: {:?}, listeners: {{\"imaps\": [\"127.0.0.1:0\"], \"mx\": [\"127.0.0.1:0\"]}}, outbound: Sink, secrets: Sealed)",
        house.data()
    );
    fs::write(at("credentials/facteur.site"), &site)?;
    fs::write(at("credentials/facteur.secret.password.bench-a"), format!("{PASSWORD}\n"))?;
    fs::copy(program::top().join("policies/bench/people.ron"), at("cidata/people.ron"))?;
    fs::write(at("cidata/secrets/ldap"), "kept apart")?;
    let said = boot(&house).ends(0).out;
    assert!(said.contains("imported: "), "{said}");

    let serving = house.serve_at(&house.data().join("site.ron"));
    let trust = wire::trusting(&house.data().join("certificates/default.pem"));
    assert!(serving.shown(&trust).is_ok(), "under a certificate of its own making");
    let answer = serving.login(&trust, "bench-a", PASSWORD)?;
    assert!(answer.starts_with("a OK"), "{answer}");
    serving.stop();

    // Another boot of the same machine, with other words: nothing moves, and somebody is told.
    fs::write(at("credentials/facteur.site"), site.replace("Sink", "Network"))?;
    let said = boot(&house).ends(0).out;
    assert!(said.contains("site differs from what was imported"), "{said}");
    assert!(fs::read_to_string(house.data().join("site.ron"))?.contains("Sink"));
    assert!(!house.holds(PASSWORD) && !house.holds("kept apart"), "nothing of it lies open on the disk");
    Ok(())
}

#[test]
fn a_disk_that_is_somebody_elses_is_refused_aloud() {
    let house = House::new("");
    let disk = house.scratch.join("disk");
    let mut octets = vec![0_u8; 64 << 20];
    octets[512..520].copy_from_slice(b"EFI PART");
    fs::write(&disk, &octets).expect("the scratch folder is ours");
    let ran = program::run(Command::new(program::facteur()).args(["appliance", "disk"]).arg(&disk)).ends(2);
    assert!(ran.err.contains("THE DATA DISK CANNOT BE USED") && ran.err.contains("NOT BLANK"), "{}", ran.err);
    assert!(fs::read(&disk).expect("it is there") == octets, "not an octet was touched");
}
