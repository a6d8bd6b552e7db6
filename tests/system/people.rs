//! A list of people from another mail server, and what is said of people here, by the real program.

use std::fs;

use tests::{Imap, Outcome};

use crate::quarantine::House;

const PASSWORD: &str = "quatre chevaux bleus dorment";
const HASH: &str = "{SSHA}LFWMxLqOqretp7UHObOjXf12fiJzYWx0c2FsdA==";

#[test]
fn a_list_brings_passwords_aliases_and_functions_and_a_dry_run_says_so() -> Outcome {
    let house = House::new("list", "nantes", &[], "");
    let server = house.serve(0);
    let list = house.scratch.join("list.csv");
    let text = format!(
        "first;last;unit;aliases;functions;password\nJeanne;Toto;sciences;jeanne.t;accueil-sciences;{HASH}\n         Luc;Neuf;sciences;;accueil-sciences;*locked\n"
    );
    fs::write(&list, text)?;
    let list = list.display().to_string();
    let dry = house.run(&["person", "import", &list, "--dry-run"]).ends(0);
    assert!(dry.out.contains("toto-j is taken: toto-j-2"), "{}", dry.out);
    assert!(
        dry.out.contains("passwords: 1 taken over, 0 set here already and kept, 1 that open nothing"),
        "{}",
        dry.out
    );
    assert!(dry.out.contains("addresses: 1 aliases and 1 functions"), "{}", dry.out);
    assert!(dry.err.contains("list.csv:3: the password of neuf-l is a locked password"), "{}", dry.err);
    let done = house.run(&["person", "import", &list]).ends(0);
    let json = house.run(&["person", "import", &list, "--dry-run", "--format", "json"]).ends(0);
    let audit = house.run(&["audit"]).ends(0);
    for ran in [&dry, &done, &json, &audit] {
        assert!(!ran.out.contains(&HASH[..12]) && !ran.err.contains(&HASH[..12]), "{}{}", ran.out, ran.err);
    }
    let mut imap = Imap::connect(&server, "imaps", "inside")?;
    imap.command("ID (\"name\" \"Heron\")")?.ok()?;
    imap.command(&format!("LOGIN toto-j-2 \"{PASSWORD}\""))?.ok()?;
    imap.command("NOOP")?.ok()?;
    let ways = house.run(&["person", "accesses", "toto-j-2"]).ends(0).out;
    assert!(ways.contains("Heron"), "{ways}");
    let again = house.run(&["person", "import", &list]).ends(0).out;
    assert!(again.contains("0 new, 0 changed, 2 as they are") && again.contains("1 set here already"), "{again}");
    let export = house.run(&["person", "export"]).ends(0).out;
    assert!(export.contains("jeanne.t@univ-nantes.fr") && !export.contains("SSHA"), "{export}");
    Ok(())
}

#[test]
fn explain_says_who_somebody_is_now_and_what_a_namesake_would_get() -> Outcome {
    let house = House::new("who", "nantes", &[], "");
    let _server = house.serve(0);
    let who = |text: &str| house.run(&["explain", "--who", text]).ends(0).out;
    for text in ["toto-j", "Jean.Toto@univ-nantes.fr", "Jean Toto"] {
        let said = who(text);
        assert!(said.contains("toto-j, Jean.Toto@univ-nantes.fr") && said.contains("unit sciences"), "{text}: {said}");
    }
    let said = who("Jean Toto");
    assert!(said.contains("could not be taken on") && said.contains("is or was somebody else's"), "{said}");
    let said = who("Jeanne Toto");
    assert!(said.contains("a new Jeanne Toto would get login toto-j-2"), "{said}");
    assert!(said.contains("toto-j is taken: toto-j-2"), "{said}");
    assert!(who("accueil@univ-nantes.fr").contains("toto-jp, "), "an alias leads to somebody");
    house.run(&["explain", "--who", "nobody-at-all"]).ends(4);
    Ok(())
}
