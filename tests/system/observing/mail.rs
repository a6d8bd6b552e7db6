//! `facteur probe mail`: a message from end to end.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tests::Outcome;
use tests::program::{self, Ran};

use super::house::{House, Serving};

fn probe(house: &House, serving: &Serving, password: &str, mode: u32) -> Ran {
    let file = house.scratch.join("probe.ron");
    let who = &house.people[0];
    let text = format!(
        "ProbeMail(sending: (at: {:?}, name: \"mail.example.org\", tls: StartTls),\n\
         reading: (at: {:?}, name: \"mail.example.org\"),\n\
         login: {:?}, password: {password:?}, from: {:?}, to: {:?}, authority: {:?})\n",
        serving.address("subm"),
        serving.address("imaps"),
        who.login,
        who.address,
        who.address,
        house.scratch.join("ca.pem")
    );
    fs::write(&file, text).expect("the scratch folder is ours");
    fs::set_permissions(&file, Permissions::from_mode(mode)).expect("the file is ours");
    program::run(
        Command::new(program::facteur())
            .args(["probe", "mail", "--with"])
            .arg(&file)
            .args(["--warn", "1000", "--crit", "1000"]),
    )
}

#[test]
fn a_probe_is_sent_read_and_removed() -> Outcome {
    let house = House::new();
    let serving = house.serve("", &[]);
    let password = house.people[0].password.clone();
    let went = probe(&house, &serving, &password, 0o600).ends(0);
    assert!(went.out.starts_with("MAIL OK - sent and read in ") && went.out.contains("'total'="), "{}", went.out);
    let stats = program::run(
        Command::new(program::facteur()).args(["store", "stats", "--format", "json", "--data"]).arg(&house.data),
    );
    assert!(stats.out.contains("\"messages\":0"), "nothing is left: {}", stats.out);
    // It is on the record as what it is.
    let refused = probe(&house, &serving, "unlike-it-9912", 0o600).ends(2);
    assert!(refused.out.starts_with("MAIL CRITICAL - ") && refused.out.contains("535"), "{}", refused.out);
    assert!(!refused.out.contains("unlike-it-9912"), "{}", refused.out);
    let open = probe(&house, &serving, &password, 0o644).ends(3);
    assert!(open.out.contains("others may read it"), "{}", open.out);
    serving.stop();
    Ok(())
}
