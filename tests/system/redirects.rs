//! Mail for people whose mail goes on: under a path of ours, which leads back for bounces and for nothing else.

use std::process::Command;

use tests::redirects::{Answer, cases};
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Browser, Facteur, Imap, Options, Outcome, Smtp, policy_copy, program, wait};

use crate::outbound::site::WITHIN;

const CAPTOR: &str = "Jean.Toto@univ-nantes.fr";
const PARTNER: &str = "toto@lab.cnrs.fr";

/// Header sections of what was captured.
fn captured(server: &Facteur) -> std::io::Result<Vec<String>> {
    let mut imap = Imap::person(server, "inside", &server.describe.person("toto-j").clone())?;
    imap.command("EXAMINE INBOX")?.ok()?;
    let response = imap.command("UID FETCH 1:* (BODY.PEEK[HEADER])")?.ok()?;
    let text = |octets: &Vec<u8>| String::from_utf8_lossy(octets).into_owned();
    Ok(response.untagged.iter().map(text).filter(|text| text.contains("Subject: ")).collect())
}

#[test]
fn mail_of_who_has_a_redirect_goes_on_and_its_bounce_comes_back_to_the_sender() -> Outcome {
    for keeps in [false, true] {
        let scratch = Scratch::new("redirects");
        let changes = [("remote: DirectMx", &*format!("remote: Capture(\"{CAPTOR}\")"))];
        let policy = policy_copy::changed(&scratch, "nantes", &changes);
        let data = scratch.join("data");
        let server = Facteur::start_with(&policy, Options { data: Some(data.clone()), ..Options::default() });
        let who = server.describe.person("toto-jp").clone();
        let mut command = Command::new(program::facteur());
        command.args(["redirect", "set", "--login", &who.login, "--to", PARTNER]);
        command.args(if keeps { &[][..] } else { &["--no-copy"] }).arg("--data").arg(&data);
        program::run(&mut command).ends(0);
        let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
        smtp.message("a@client.example", &[&who.address], &letter("a@client.example", &who.address, "onward"))?
            .expect(250)?;
        let onward = wait::until(WITHIN, "it goes on", || captured(&server).ok()?.pop());
        let path = onward.split("Return-Path: <").nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default();
        assert!(path.starts_with("SRS0=") && path.ends_with("=client.example=a@univ-nantes.fr"), "{onward}");
        assert!(onward.contains("Subject: onward\r\n"), "{onward}");
        let own = Imap::person(&server, "outside", &who)?.count("INBOX")?;
        assert_eq!(own, u32::from(keeps), "a copy stays where it was asked for");
        // Nobody but a bounce gets there.
        smtp.mail("a@client.example")?.expect(250)?;
        smtp.rcpt(path)?.expect(550)?;
        smtp.command("RSET")?.expect(250)?;
        smtp.message("", &[path], &letter("mailer@lab.cnrs.fr", "a@client.example", "bounced"))?.expect(250)?;
        wait::until(WITHIN, "the bounce goes to the sender", || {
            captured(&server).ok()?.iter().any(|header| header.contains("Subject: bounced\r\n")).then_some(())
        });
        assert_eq!(server.metric("facteur_panics_total"), 0.0);
    }
    Ok(())
}

#[test]
fn what_the_policy_refuses_is_refused_by_every_way_and_an_approval_that_ended_stops_mail_here() -> Outcome {
    let scratch = Scratch::new("refused-redirects");
    let changes = [("remote: DirectMx", &*format!("remote: Capture(\"{CAPTOR}\")"))];
    let policy = policy_copy::changed(&scratch, "nantes", &changes);
    let data = scratch.join("data");
    let serve = || Facteur::start_with(&policy, Options { data: Some(data.clone()), ..Options::default() });
    let server = serve();
    let who = server.describe.person("toto-jp").clone();
    let run = |words: &[&str]| program::run(Command::new(program::facteur()).args(words).arg("--data").arg(&data));
    let mut browser = Browser::signed_in(&server, "inside", &who);
    for (to, answer) in cases("univ-nantes.fr") {
        let ran = run(&["redirect", "set", "--login", &who.login, "--to", &to]);
        let is_allowed = answer == Answer::Allowed;
        assert_eq!(ran.code == Some(0), is_allowed, "{to}: {}{}", ran.out, ran.err);
        assert!(is_allowed || ran.err.contains(answer.by_command()), "{to}: {}", ran.err);
        for language in ["en", "fr"] {
            browser.language = language;
            browser.fill("/redirect", "/redirect", &[("to", &to), ("because", "je travaille là-bas")])?;
            let page = browser.get("/redirect")?.body;
            assert!(page.contains(answer.by_page(language)), "{language} {to}: {page}");
            assert!(language == "en" || !page.contains("the policy"), "{to}: {page}");
        }
        let listed = run(&["redirect", "list"]);
        assert!(is_allowed || !listed.out.contains(&to), "{to}: {}", listed.out);
    }
    // Whoever says they come from a provider does not make it an institution, whoever approves it.
    for to in ["toto@gmail.com", "toto@voila.fr"] {
        let home = to.rsplit('@').next().unwrap_or_default();
        let words = ["redirect", "set", "--login", &who.login, "--to", to, "--home", home];
        let approved = ["--approver", "dupont-p", "--because", "a guest", "--until", "2999-12-31"];
        let ran = run(&[&words[..], &approved].concat());
        assert!(ran.code != Some(0) && ran.err.contains("public mailbox providers"), "{to}: {}{}", ran.out, ran.err);
    }
    // A chain of aliases never gets out of the house.
    for to in ["toto@gmail.com", PARTNER] {
        let ran = run(&["alias", "add", "sortie@univ-nantes.fr", to]);
        assert!(ran.code != Some(0) && ran.err.contains("leads to nobody"), "{to}: {}{}", ran.out, ran.err);
    }
    // Somebody from abroad, whose approval ends.
    let guest = ["redirect", "set", "--login", &who.login, "--to", "toto@uni.example", "--home", "uni.example"];
    let approved = ["--approver", "dupont-p", "--because", "a guest", "--until"];
    let ran = run(&[&guest[..], &approved, &["2020-01-01"]].concat());
    assert!(ran.code != Some(0) && ran.err.contains("ended on 2020-01-01"), "{}{}", ran.out, ran.err);
    run(&[&guest[..], &approved, &["2999-12-31"]].concat()).ends(0);
    server.stop();
    let store = crate::outbound::site::open(&data);
    let (key, octets) = store.settings("redirect/", "", 9)?.pop().expect("the redirect is kept");
    let ended = String::from_utf8_lossy(&octets).replace("2999-12-31", "2020-01-01").into_bytes();
    store.commit_wait(vec![store::Op::Setting { key, value: Some(ended) }])?;
    drop(store);
    let server = serve();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    smtp.message("a@client.example", &[&who.address], &letter("a@client.example", &who.address, "kept"))?
        .expect(250)?;
    assert_eq!(Imap::person(&server, "outside", &who)?.count("INBOX")?, 1, "mail stays here");
    assert!(captured(&server)?.is_empty(), "and nothing leaves");
    let listed = run(&["redirect", "list", "--stopped"]);
    assert!(listed.out.contains("STOPPED") && listed.out.contains("ended on 2020-01-01"), "{}", listed.out);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn a_people_file_is_judged_by_the_same_rules_and_loads_what_they_allow() -> Outcome {
    let scratch = Scratch::new("redirects-of-a-file");
    let policy = policy_copy::changed(&scratch, "nantes", &[]);
    let file = policy.join("people.ron");
    let text = std::fs::read_to_string(&file)?;
    let nantes = |people: &str| text.replacen("    people: [", &format!("    people: [{people}"), 1);
    // What a compiler takes for an address is no literal.
    let written = || cases("univ-nantes.fr").filter(|(to, _)| !to.contains('['));
    let person = |n: usize, to: &str| {
        format!(
            "(first: \"Ann\", last: \"Redirect-{n}\", login: \"redirect-{n}\", address: \"r{n}@univ-nantes.fr\", \
             profile: \"standard\", unit: \"dsi\", registered: \"2004-01-05\", redirect: \"{to}\"),\n"
        )
    };
    let everybody: String = written().enumerate().map(|(n, (to, _))| person(n, &to)).collect();
    std::fs::write(&file, nantes(&everybody))?;
    let ran = program::run(Command::new(program::facteur()).arg("check").arg(&policy));
    for (n, (to, answer)) in written().enumerate() {
        let said = format!("the redirect of Ann Redirect-{n} to {to}");
        let line = ran.err.lines().find(|line| line.to_lowercase().contains(&said.to_lowercase()));
        assert_eq!(line.is_none(), answer == Answer::Allowed, "{to}: {}", ran.err);
        assert!(line.is_none_or(|line| line.contains(answer.by_compiler())), "{line:?}");
    }
    // Loaded into a server, what is allowed holds; a file that says it no longer ends it.
    let data = scratch.join("data");
    std::fs::write(&file, nantes(&person(7, "toto@lab.cnrs.fr")))?;
    let server = Facteur::start_with(&policy, Options { data: Some(data.clone()), ..Options::default() });
    let run = |words: &[&str]| program::run(Command::new(program::facteur()).args(words).arg("--data").arg(&data));
    let folder = policy.to_string_lossy().into_owned();
    run(&["person", "load", &folder]).ends(0);
    let listed = run(&["redirect", "list"]);
    assert!(listed.out.contains("redirect-7") && listed.out.contains("toto@lab.cnrs.fr"), "{}", listed.out);
    std::fs::write(&file, nantes(&person(7, "").replace(", redirect: \"\"", "")))?;
    run(&["person", "load", &folder]).ends(0);
    assert!(!run(&["redirect", "list"]).out.contains("redirect-7"));
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}
