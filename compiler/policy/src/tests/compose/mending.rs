//! Suggested edits of reading, names and composition: made, they take the mistake away and bring no other.

use super::*;
use crate::examples;
use crate::tests::catalogue;

/// The files with the edits of one finding made.
fn mended_files(files: &Files, compiled: &Compiled, found: &Diagnostic) -> Files {
    let name = compiled.sources.name(found.fix[0].span.file).to_owned();
    let mut all = files.0.clone();
    all.insert(name, mended(compiled, found));
    Files(all)
}

/// What is wrong with the first finding of a code after its edits, in words.
fn fault(files: &Files, entry: &str, code: Code) -> Option<String> {
    let before = catalogue::compiled(files, entry);
    let found = before.diagnostics.iter().find(|found| found.code == code).expect("the code is found");
    if found.fix.is_empty() {
        return Some(format!("{code}: no edit for {:?}", found.message));
    }
    let after = catalogue::compiled(&mended_files(files, &before, found), entry);
    let errors: Vec<&str> = after.diagnostics.iter().filter(|f| f.is_error()).map(|f| f.message.as_str()).collect();
    (!errors.is_empty()).then(|| format!("{code}: {errors:?} after {:?}", found.fix))
}

#[test]
fn the_edits_suggested_for_the_examples_mend_them() {
    // No edit is known for these: what is missing, written twice, too new, out of range or
    // the name of two things is for a person.
    let open = [Code::E0003, Code::E0004, Code::E0005, Code::E0108, Code::E0119, Code::E0120];
    let ours = |code: Code| code.as_str() < "E0115" || [Code::E0118, Code::E0119, Code::E0120].contains(&code);
    let mut tried = 0;
    let mut wrong = Vec::new();
    for example in examples::all().filter(|one| ours(one.code) && !open.contains(&one.code)) {
        let Some((files, entry)) = catalogue::files(example.setting, example.good, example.bad) else { continue };
        wrong.extend(fault(&files, entry, example.code));
        tried += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(tried >= 15, "{tried}");
}

#[test]
fn slips_of_the_hand_are_mended_as_they_were_meant() {
    for (from, slip, meant) in [
        ("language: 1,", "language: 1", None),
        ("    language: 1,\n", "", Some("language: 1,")),
        ("label: \"Utilisateur type\",", "label: \"Utilisateur type,", None),
        ("speaks: Imap,", "speaks: Imapp,", Some("speaks: Imap,")),
        ("\"outside\"], to: Anyone", "\"outsdie\"], to: Anyone", Some("\"outside\"], to: Anyone")),
        ("certificate: Internal", "cerificate: Internal", Some("certificate: Internal")),
        ("\"10.44.0.0/16\"", "\"10.44.0.5/16\"", Some("\"10.44.0.0/16\"")),
        ("message_size: \"20 MB\"", "message_size: 20", Some("message_size: \"20 MB\"")),
        ("queue: \"5 days\"", "queue: 5", Some("queue: \"5 days\"")),
        ("queue: \"5 days\"", "queue: \"5 jours\"", Some("queue: \"5 days\"")),
        ("queue: \"5 days\"", "queue: \"1 month\"", Some("queue: \"30 days\"")),
        ("grace: \"10 %\"", "grace: \"10\"", Some("grace: \"10 %\"")),
        ("\"200 / 1 h\"", "\"200 / 1 hour\"", Some("\"200 / 1 h\"")),
        ("\"200 / 1 h\"", "\"200\"", Some("\"200 / 1 h\"")),
        ("Night(\"03:30\")", "Night(\"3h30\")", Some("Night(\"03:30\")")),
        ("until: \"2027-08-31\"),\n    ],", "until: \"31/8/2027\"),\n    ],", Some("until: \"2027-08-31\"),\n    ],")),
        ("taught_by: [\"mail-managers\"]", "taught_by: \"mail-managers\"", Some("taught_by: [\"mail-managers\"]")),
        ("\"Europe/Paris\"", "\"Europe/Pairs\"", Some("\"Europe/Paris\"")),
        ("routes: (held: Mailbox", "routes: (held: \"Mailbox\"", Some("routes: (held: Mailbox")),
    ] {
        let compiled = check(&with(NANTES, from, slip));
        let found = compiled.diagnostics.iter().find(|found| found.is_error()).expect("a mistake");
        assert!(!found.fix.is_empty(), "{slip}: {found:?}");
        let text = mended(&compiled, found);
        match meant {
            Some(meant) => assert!(text.contains(meant), "{slip}: {:?}", found.fix),
            None => assert!(check(&text).plan.is_some() || slip.contains("Utilisateur"), "{slip}: {:?}", found.fix),
        }
    }
}
