//! A list of people from another mail server, and what is said of people here, by the real program.

use std::fs;
use std::process::Command;

use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, program};

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

#[test]
fn an_alias_of_a_function_reaches_whoever_is_a_member_now() -> Outcome {
    let house = House::new("follows", "nantes", &[], "");
    let server = house.serve(0);
    let function = "guichet@univ-nantes.fr";
    house.run(&["function", "add", function, "toto-j", "toto-jp"]).ends(0);
    let added = house.run(&["alias", "add", "bureau@univ-nantes.fr", function, "dupont-p"]).ends(0);
    assert!(added.out.contains(function), "it is said by way of what: {}", added.out);
    house.run(&["alias", "add", "porte@univ-nantes.fr", "bureau@univ-nantes.fr"]).ends(0);
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let count = |login: &str| -> std::io::Result<u32> {
        Imap::person(&server, "inside", server.describe.person(login))?.count("INBOX")
    };
    let mut send = |to: &str| -> Outcome {
        let from = "a@client.example";
        smtp.message(from, &[to], &letter(from, to, "to all of you"))?.expect(250)?;
        Ok(())
    };
    send("porte@univ-nantes.fr")?;
    assert_eq!((count("toto-j")?, count("toto-jp")?, count("dupont-p")?), (1, 1, 1));
    // One leaves, one comes: whatever leads there follows.
    house.run(&["function", "member", function, "--add", "kerguelen-y", "--remove", "toto-j"]).ends(0);
    send("bureau@univ-nantes.fr")?;
    send("porte@univ-nantes.fr")?;
    assert_eq!((count("toto-j")?, count("toto-jp")?, count("kerguelen-y")?), (1, 3, 2));
    // Those of `people.ron` follow too: accueil leads to the webmaster, whoever that is.
    house.run(&["alias", "add", "webmestre@univ-nantes.fr", "toto-jp", "kerguelen-y"]).ends(0);
    send("accueil@univ-nantes.fr")?;
    assert_eq!(count("kerguelen-y")?, 3);
    let who = house.run(&["explain", "--who", "porte@univ-nantes.fr"]).ends(0).out;
    assert!(who.contains("kerguelen-y") && !who.contains("toto-j,"), "{who}");
    // No way back to itself, and nothing leads to what is gone.
    for (words, why) in [
        (vec!["function", "member", function, "--add", "porte@univ-nantes.fr"], "lead back to itself"),
        (vec!["alias", "add", "bureau@univ-nantes.fr", "porte@univ-nantes.fr"], "lead back to itself"),
        (vec!["function", "add", function, function], "lead back to itself"),
        (vec!["function", "remove", function], "bureau@univ-nantes.fr leads to"),
        (vec!["function", "member", function, "--remove", "dupont-p"], "is no member"),
    ] {
        let ran = house.run(&words);
        assert!(ran.code != Some(0) && ran.err.contains(why), "{words:?}: {}{}", ran.out, ran.err);
    }
    Ok(())
}

/// How many the directory has before one more comes; a hundred thousand in the long form.
fn many() -> u32 {
    if std::env::var_os("FACTEUR_LONG").is_some() { 100_000 } else { 300 }
}

#[test]
fn one_person_more_is_judged_among_many_as_a_list_would_judge_them() -> Outcome {
    let options = Options { people: many(), ..Options::default() };
    let scratch = Scratch::new("one-more");
    let data = scratch.join("data");
    let server =
        Facteur::start_with(&program::top().join("policies/nantes"), Options { data: Some(data.clone()), ..options });
    let run = |words: &[&str]| {
        let began = std::time::Instant::now();
        let ran = program::run(Command::new(program::facteur()).args(words).arg("--data").arg(&data));
        eprintln!("among {} people: {} {:?}", many(), words[..2].join(" "), began.elapsed());
        ran
    };
    let jeanne = ["Jeanne", "Toto", "--registered", "2026-09-01"];
    let added = run(&[&["person", "add"][..], &jeanne].concat()).ends(0).out;
    assert!(added.contains("toto-j-2"), "the plain login and the next are others': {added}");
    let again = run(&[&["person", "add"][..], &jeanne].concat());
    assert!(again.code != Some(0) && again.err.contains("toto-j-2 is here already"), "{}", again.err);
    let changed = run(&["person", "change", "toto-j-2", "--last", "Titi"]).ends(0).out;
    assert!(changed.contains("toto-j-2") && changed.contains("last name"), "{changed}");
    let taken = run(&["person", "change", "toto-j-2", "--address", "jean.toto@univ-nantes.fr"]);
    assert!(taken.code != Some(0) && taken.err.contains("is or was somebody else's"), "{}", taken.err);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}
