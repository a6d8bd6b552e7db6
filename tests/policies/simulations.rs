//! `facteur simulate` says what a real server says: the same dialogues against both.

use std::io::Write;
use std::process::{Command, Stdio};

use tests::describe::Tls;
use tests::program;
use tests::smtp::{self, base64};
use tests::wire::{self, Wire};
use tests::{Facteur, Outcome};

/// One connection. `{plain:LOGIN}` stands for a login with the right password.
struct Dialogue {
    listener: &'static str,
    network: &'static str,
    arguments: &'static [&'static str],
    lines: &'static [&'static str],
}

const LETTER: [&str; 4] = ["From: <x@other.example>", "", "..# a line of the content", "."];

const DIALOGUES: &[Dialogue] = &[
    Dialogue {
        listener: "mx",
        network: "outside",
        arguments: &[],
        lines: &[
            "EHLO client.example",
            "MAIL FROM:<x@other.example>",
            "RCPT TO:<y@other.example>",
            "RCPT TO:<Personne.Ici@univ-nantes.fr>",
            "RCPT TO:<Jean.Toto@univ-nantes.fr>",
            "RCPT TO:<postmaster>",
            "DATA",
            LETTER[0],
            LETTER[1],
            LETTER[2],
            LETTER[3],
            "MAIL FROM:<x@other.example> SIZE=20000001",
            "AUTH PLAIN AGEAYg==",
            "VRFY toto-j",
            "NONSENSE",
            "QUIT",
        ],
    },
    Dialogue { listener: "relay", network: "outside", arguments: &[], lines: &["EHLO client.example", "QUIT"] },
    Dialogue {
        listener: "subm",
        network: "outside",
        arguments: &[],
        lines: &[
            "EHLO client.example",
            "MAIL FROM:<Jean.Toto@univ-nantes.fr>",
            "AUTH PLAIN AHRvdG8tagB3cm9uZw==",
            "STARTTLS",
            "EHLO client.example",
            "MAIL FROM:<Jean.Toto@univ-nantes.fr>",
            "AUTH PLAIN AHRvdG8tagB3cm9uZw==",
            "AUTH PLAIN {plain:toto-j}",
            "EHLO client.example",
            "MAIL FROM:<Anne.Dupont@univ-nantes.fr>",
            "MAIL FROM:<>",
            "RCPT TO:<y@other.example>",
            "RCPT TO:<z@other.example>",
            "DATA",
            LETTER[0],
            LETTER[1],
            LETTER[2],
            LETTER[3],
            "MAIL FROM:<Jean.Toto@univ-nantes.fr>",
            "RCPT TO:<y@other.example>",
            "RSET",
            "QUIT",
        ],
    },
    Dialogue {
        listener: "subs",
        network: "inside",
        arguments: &["--engine", "clamav=Infected", "--engine", "mcafee=Infected"],
        lines: &[
            "EHLO client.example",
            "AUTH LOGIN",
            "dG90by1q",
            "d3Jvbmc=",
            "AUTH PLAIN {plain:toto-j}",
            "MAIL FROM:<Jean.Toto@univ-nantes.fr>",
            "RCPT TO:<y@other.example>",
            "DATA",
            "Subject: test",
            "",
            "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
            ".",
            "QUIT",
        ],
    },
];

/// Lines with the password of somebody filled in.
fn lines(dialogue: &Dialogue, password: &dyn Fn(&str) -> String) -> Vec<String> {
    let filled =
        |line: &&str| match line.split_once("{plain:").and_then(|(verb, rest)| Some((verb, rest.strip_suffix('}')?))) {
            Some((verb, login)) => format!("{verb}{}", base64(format!("\0{login}\0{}", password(login)).as_bytes())),
            None => (*line).to_owned(),
        };
    dialogue.lines.iter().map(filled).collect()
}

/// Every line the server says.
fn on_the_server(server: &Facteur, dialogue: &Dialogue) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let listener = server.describe.listener(dialogue.listener);
    let mut wire = Wire::plain(wire::connect(listener.addr, server.describe.network(dialogue.network).source)?);
    if listener.tls == Tls::Implicit {
        wire = wire.tls(&server.tls)?;
    }
    let mut said = Vec::new();
    let mut hear = |wire: &mut Wire| -> Result<u16, std::io::Error> {
        let reply = smtp::read_reply(wire)?;
        let last = reply.lines.len() - 1;
        let line = |(at, text): (usize, &String)| format!("{}{}{text}", reply.code, if at == last { ' ' } else { '-' });
        said.extend(reply.lines.iter().enumerate().map(line));
        Ok(reply.code)
    };
    hear(&mut wire)?;
    let password = |login: &str| server.describe.person(login).password.clone();
    let mut in_content = false;
    for line in lines(dialogue, &password) {
        wire.send(format!("{line}\r\n").as_bytes())?;
        if in_content && line != "." {
            continue;
        }
        let code = hear(&mut wire)?;
        in_content = code == 354;
        if line == "STARTTLS" && code == 220 {
            wire = wire.tls(&server.tls)?;
        }
    }
    Ok(said)
}

/// What `simulate` prints, and what it says beside it.
fn simulated(arguments: &[&str], input: &str) -> (String, String) {
    let mut command = Command::new(program::facteur());
    command.arg("simulate").arg(program::top().join("policies/nantes")).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("the whole input is read");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends with its input");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    (out, err)
}

/// The id of a message is another one each time.
fn without_ids(line: &str) -> String {
    match line.split_once("kept as ") {
        Some((before, id)) => format!("{before}kept as {} digits", id.len()),
        None => line.to_owned(),
    }
}

#[test]
fn a_simulation_answers_as_the_server_does() -> Outcome {
    let server = Facteur::start("nantes");
    for dialogue in DIALOGUES {
        let real = on_the_server(&server, dialogue)?;
        let client = server.describe.network(dialogue.network).seen_as.clone();
        let arguments = [&["--listener", dialogue.listener, "--from", &client], dialogue.arguments].concat();
        let input: String = lines(dialogue, &|_| "any".to_owned()).iter().map(|line| format!("{line}\r\n")).collect();
        let (out, err) = simulated(&arguments, &input);
        let told: Vec<String> = out.lines().map(without_ids).collect();
        let real: Vec<String> = real.iter().map(|line| without_ids(line)).collect();
        assert_eq!(told, real, "{}\n{err}", dialogue.listener);
    }
    Ok(())
}

#[test]
fn each_refusal_is_followed_by_the_rule_and_its_line() {
    let input = "EHLO me\nMAIL FROM:<x@evil.example>\nRCPT TO:<y@other.example>\nRCPT TO:<personne@univ-nantes.fr>\n";
    let (out, err) = simulated(&["--host", "mx.univ-nantes.fr", "--port", "25", "--from", "203.0.113.9"], input);
    assert!(out.contains("relay-denied") && out.contains("unknown-recipient"), "{out}");
    let rules: Vec<&str> = err.lines().collect();
    assert_eq!(rules.len(), 2, "{err}");
    assert!(
        rules[0].contains("may_receive.reception.to   policy.ron:") && rules[1].contains("reception.KnownRecipient"),
        "{err}"
    );
}

#[test]
fn the_clock_moves_when_somebody_says_so() {
    let rcpt: String = (0..50).map(|n| format!("RCPT TO:<r{n}@other.example>\n")).collect();
    let message = format!("MAIL FROM:<Jean.Toto@univ-nantes.fr>\n{rcpt}RSET\n");
    let five = message.repeat(5);
    let input = format!(
        "EHLO me\n{five}MAIL FROM:<Jean.Toto@univ-nantes.fr>\nRCPT TO:<a@other.example>\n# wait 15 min\nRCPT TO:<b@other.example>\n"
    );
    let arguments = ["--listener", "subs", "--from", "203.0.113.9", "--login", "toto-j", "--at", "2026-11-23 10:00:00"];
    let (out, err) = simulated(&arguments, &input);
    let last: Vec<&str> = out.lines().rev().take(2).collect();
    assert!(last[0].starts_with("250 ") && last[1].starts_with("451 4.7.1"), "{out}");
    assert!(last[1].contains("[may_send.person-outside.recipients_attempted/15min "), "{out}");
    assert!(err.contains("it is 2026-11-23 10:15:00") && err.contains("toto-j is logged in"), "{err}");
}

#[test]
fn arguments_that_name_nothing_end_with_two() {
    for arguments in [
        &["--listener", "nowhere", "--from", "203.0.113.9"][..],
        &["--listener", "imaps", "--from", "203.0.113.9"],
        &["--listener", "mx", "--from", "nowhere"],
        &["--listener", "mx"],
        &["--from", "203.0.113.9"],
        &["--listener", "mx", "--from", "203.0.113.9", "--login", "toto-j"],
        &["--listener", "subs", "--from", "203.0.113.9", "--login", "nobody-n"],
        &["--listener", "mx", "--from", "203.0.113.9", "--engine", "clamv=Infected"],
        &["--listener", "mx", "--from", "203.0.113.9", "--engine", "clamav=Sick"],
        &["--listener", "mx", "--from", "203.0.113.9", "--at", "2026-03-29 02:30:00"],
        &["--host", "mx.univ-nantes.fr", "--port", "26", "--from", "203.0.113.9"],
    ] {
        let mut command = Command::new(program::facteur());
        command.arg("simulate").arg(program::top().join("policies/nantes")).args(arguments).stdin(Stdio::null());
        program::run(&mut command).ends(2);
    }
}
