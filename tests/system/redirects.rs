//! Mail for people whose mail goes on: under a path of ours, which leads back for bounces and for nothing else.

use std::process::Command;

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

/// Why a redirect is refused, in the words of the command and of the page in both languages.
const REFUSED: [(&str, &str, &str, &str); 4] = [
    ("toto@gmail.com", "public mailbox providers", "public mailbox providers", "fournisseurs grand public"),
    ("toto@orange.fr", "public mailbox providers", "public mailbox providers", "fournisseurs grand public"),
    ("toto@unknown.example", "no redirect to this domain", "no redirect to this domain", "aucune redirection"),
    // An alias of ours that leads to an alias: whatever it led to outside, mail would come back first.
    ("accueil@univ-nantes.fr", "one of ours", "one of ours", "de notre établissement"),
];

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
    for (to, by_command, english, french) in REFUSED {
        let ran = run(&["redirect", "set", "--login", &who.login, "--to", to]);
        assert!(ran.code != Some(0) && ran.err.contains(by_command), "{to}: {}{}", ran.out, ran.err);
        for (language, word) in [("en", english), ("fr", french)] {
            browser.language = language;
            browser.fill("/redirect", "/redirect", &[("to", to), ("because", "je travaille là-bas")])?;
            let page = browser.get("/redirect")?.body;
            assert!(page.contains(word), "{language} {to}: {page}");
        }
        let page = browser.get("/redirect")?.body;
        assert!(page.contains("Votre courrier reste ici") && !page.contains("the policy"), "{to}: {page}");
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
