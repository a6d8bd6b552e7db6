//! Mail for people whose mail goes on: under a path of ours, which leads back for bounces and for nothing else.

use std::process::Command;

use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, policy_copy, program, wait};

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
