//! A bundle for whoever helps: much of the server, nothing of its people.

use std::fs;
use std::process::Command;

use tests::program;
use tests::smtp::letter;
use tests::{Facteur, Imap, Outcome, Smtp};

use super::ask;

const SUBJECT: &str = "Vertraulich-7731";
const STRANGER: &str = "somebody.strange@client.example";

#[test]
fn a_bundle_has_logs_plan_and_metrics_and_no_address_subject_or_secret() -> Outcome {
    let server = Facteur::start("nantes");
    let (one, two) = (server.describe.person("toto-j").clone(), server.describe.person("toto-jp").clone());
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    smtp.message(STRANGER, &[&one.address], &letter(STRANGER, &one.address, SUBJECT))?;
    // What is refused is in the log, with the address it is about.
    smtp.mail(STRANGER)?;
    smtp.rcpt("nobody.at.all@elsewhere.example")?;
    let mut imap = Imap::connect(&server, "imaps", "outside")?;
    imap.command(&format!("LOGIN {} wrong-secret-9912", two.login))?;
    Imap::person(&server, "outside", &one)?.command("SELECT INBOX")?.ok()?;
    ask(&server, &["person", "show", &one.login]);
    let file = server.scratch().join("bundle.tar");
    let path = file.to_string_lossy().into_owned();
    ask(&server, &["doctor", "bundle", &path]).ends(0);
    // Nothing is written over.
    ask(&server, &["doctor", "bundle", &path]).ends(2);
    let out = server.scratch().join("bundle");
    fs::create_dir(&out)?;
    program::run(Command::new("tar").arg("-xf").arg(&file).arg("-C").arg(&out)).ends(0);
    let mut all = String::new();
    for name in ["log.txt", "metrics.txt", "plan.ron", "plan-hash.txt", "status.json", "doctor.txt", "machine.txt"] {
        let text = fs::read_to_string(out.join("facteur-bundle").join(name))?;
        assert!(text.len() > 20, "{name}: {text}");
        all += &text;
    }
    assert!(all.contains("facteur_messages_accepted_total") && all.contains(&server.describe.plan), "it is of use");
    assert!(all.contains("recipient-refused") || all.contains("reason="), "the log is in it");
    let small = all.to_lowercase();
    let words = |text: &str| -> Vec<String> {
        small
            .split(|c: char| !(c.is_alphanumeric() || "._+-@".contains(c)))
            .map(|word| word.trim_matches('.').to_owned())
            .filter(|word| word == text)
            .collect()
    };
    for person in &server.describe.people {
        for text in [&person.login, &person.address, &person.password] {
            let found = words(&text.to_lowercase());
            assert!(found.is_empty(), "{text} is in it");
        }
    }
    for text in [SUBJECT, STRANGER, "nobody.at.all", "wrong-secret-9912"] {
        assert!(!small.contains(&text.to_lowercase()), "{text} is in it");
    }
    let is_address = |at: usize| all[at + 1..].starts_with(char::is_alphanumeric);
    let left = all.match_indices('@').find(|(at, _)| is_address(*at));
    assert!(left.is_none(), "an address is in it: {left:?}");
    server.stop();
    Ok(())
}
