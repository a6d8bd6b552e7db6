//! Policies somebody might write that open a relay or break a promise: each is refused with a conversation, and the
//! conversation, typed against a server that runs the policy all the same, goes as it says.

use std::path::Path;

use serde::Deserialize;
use tests::describe::Person;
use tests::scratch::Scratch;
use tests::smtp::{base64, read_reply};
use tests::wire::{self, Wire};
use tests::{Facteur, Options, Outcome, policy_copy};

use super::{facteur, suite};

/// A change to Nantes, and what it breaks.
struct Mutant {
    what: &'static str,
    changes: &'static [(&'static str, &'static str)],
    code: &'static str,
    guarantee: &'static str,
    /// The conversation ends so.
    ends: &'static str,
}

/// The counterexample as `proof --format json` prints it.
#[derive(Debug, Deserialize)]
struct Counterexample {
    guarantee: String,
    protocol: String,
    client: String,
    host: String,
    port: u16,
    tls: bool,
    login: String,
    given: Vec<String>,
    message: Option<Message>,
    lines: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Message {
    from: String,
    holds: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    command: String,
    answer: serde_json::Value,
    fault: String,
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        what: "the reception takes mail for anyone",
        changes: &[("from: Everywhere, to: OurAddresses)", "from: Everywhere, to: Anyone)")],
        code: "E0501",
        guarantee: "NoOpenRelay",
        ends: "RCPT TO:<someone@elsewhere.example> 250",
    },
    Mutant {
        what: "the relay for machines also answers the Internet",
        changes: &[(
            "connecting_to: [\"relay\"], from: [\"private\"]",
            "connecting_to: [\"relay\"], from: [\"private\", \"outside\"]",
        )],
        code: "E0501",
        guarantee: "NoOpenRelay",
        ends: "RCPT TO:<someone@elsewhere.example> 250",
    },
    Mutant {
        what: "the ceiling trusts another network than the relay does",
        changes: &[("        Relay: [\"private\"],", "        Relay: [\"inside\"],")],
        code: "E0501",
        guarantee: "NoOpenRelay",
        ends: "RCPT TO:<someone@elsewhere.example> 250",
    },
    Mutant {
        what: "a submission under implicit TLS forgets to ask who it is",
        changes: &[
            ("speaks: Smtp, tls: Implicit,           auth: Required", "speaks: Smtp, tls: Implicit,           auth: Never"),
            (
                "connecting_to: [\"smtp\", \"subm\", \"subs\"], from: [\"inside\", \"private\"]",
                "connecting_to: [\"smtp\", \"subm\"], from: [\"inside\", \"private\"]",
            ),
            (
                "connecting_to: [\"smtp\", \"subm\", \"subs\"], from: [\"outside\"]",
                "connecting_to: [\"smtp\", \"subm\"], from: [\"outside\"]",
            ),
            (
                "        \"machine\": (\n",
                "        \"old-program\": (
            connecting_to: [\"subs\"], from: [\"outside\"], to: Anyone, as: AnyAddress, empty_sender: Refuse,
            each_client_address: (recipients_in_one_message: 10, messages_accepted: [\"10 / 1 h\"], recipients_attempted: [\"10 / 1 h\"]),
        ),
        \"machine\": (\n",
            ),
        ],
        code: "E0501",
        guarantee: "NoOpenRelay",
        ends: "RCPT TO:<someone@elsewhere.example> 250",
    },
    Mutant {
        what: "who sends a virus is told by a refusal",
        changes: &[(
            "        inbound: (                                                         // SITE: replies; all about suspect
            infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),",
            "        inbound: (
            infected: (keep: Quarantine, reply: Refuse, tell: Nobody),",
        )],
        code: "E0901",
        guarantee: "VirusIsSilent",
        ends: ". (the EICAR test file, From: <stranger@elsewhere.example>) 554",
    },
    Mutant {
        what: "what people send is not scanned any more",
        changes: &[("on: [Inbound, Outbound], infected_when", "on: [Inbound], infected_when")],
        code: "E0701",
        guarantee: "EveryMessageScanned",
        ends: ". (a plain message, From: <postmaster@univ-nantes.fr>) 250",
    },
    Mutant {
        what: "one engine of two is left",
        changes: &[("engines: [\"mcafee\", \"clamav\"], on:", "engines: [\"clamav\"], on:")],
        code: "E0701",
        guarantee: "EveryMessageScanned",
        ends: ". (a plain message, From: <stranger@elsewhere.example>) 250",
    },
    Mutant {
        what: "nobody looks who says that he is us",
        changes: &[("own_domains_from_outside: RequireAligned(else: Tag)", "own_domains_from_outside: Ignore")],
        code: "E0901",
        guarantee: "NobodyPosesAsUs",
        ends: ". (a plain message, From: <postmaster@univ-nantes.fr>) 250",
    },
    Mutant {
        what: "refused recipients leave no record",
        changes: &[("record: [UnknownRecipient, Virus,", "record: [Virus,")],
        code: "E0901",
        guarantee: "EveryLossIsRecorded",
        ends: "RCPT TO:<nobody-of-that-name@univ-nantes.fr> 550",
    },
    Mutant {
        what: "a promise of the test platform on a policy that is open to all",
        changes: &[(
            "        NoOpenRelay,\n",
            "        NoOpenRelay,\n        OnlyFrom([\"inside\", \"private\", \"webmail-hosts\"]),\n",
        )],
        code: "E0901",
        guarantee: "OnlyFrom",
        ends: "a LOGIN … … OK",
    },
    Mutant {
        what: "mailboxes are read from where they were promised to be out of reach",
        changes: &[("NotReachable(what: [Pop, Imap, Pops]", "NotReachable(what: [Pop, Imap, Pops, Imaps]")],
        code: "E0901",
        guarantee: "NotReachable",
        ends: " OK",
    },
    Mutant {
        what: "mailboxes are fetched by POP from where they were promised to be out of reach",
        changes: &[
            (
                "        \"imaps\": (host: \"imaps.univ-nantes.fr\",   port: 993, speaks: Imap, tls: Implicit,           auth: Required),\n",
                "        \"imaps\": (host: \"imaps.univ-nantes.fr\", port: 993, speaks: Imap, tls: Implicit, auth: Required),
        \"pops\": (host: \"imaps.univ-nantes.fr\", port: 995, speaks: Pop, tls: Implicit, auth: Required),\n",
            ),
            ("(connecting_to: [\"imaps\"], from: Everywhere)", "(connecting_to: [\"imaps\", \"pops\"], from: Everywhere)"),
            ("Pops: [\"inside\"]", "Pops: Everywhere"),
        ],
        code: "E0901",
        guarantee: "NotReachable",
        ends: " +OK",
    },
    Mutant {
        what: "mailboxes are fetched by POP from everywhere where it was promised to some",
        changes: &[
            (
                "        \"imaps\": (host: \"imaps.univ-nantes.fr\",   port: 993, speaks: Imap, tls: Implicit,           auth: Required),\n",
                "        \"pop\": (host: \"imaps.univ-nantes.fr\", port: 110, speaks: Pop, tls: StartTls(Required), auth: Required),\n",
            ),
            ("(connecting_to: [\"imaps\"], from: Everywhere)", "(connecting_to: [\"pop\"], from: Everywhere)"),
            ("        Imap: [\"inside\"], Pop: [\"inside\"]", "        Imap: [\"inside\"], Pop: Everywhere"),
            ("        NotReachable(what: [Pop, Imap, Pops], from: [\"outside\"]),\n", ""),
            ("        NoOpenRelay,\n", "        NoOpenRelay,\n        OnlyFrom([\"inside\", \"private\", \"webmail-hosts\"]),\n"),
        ],
        code: "E0901",
        guarantee: "OnlyFrom",
        ends: "PASS … +OK",
    },
    Mutant {
        what: "a platform that must keep its mail sends it",
        changes: &[("        NoOpenRelay,\n", "        NoOpenRelay,\n        NoMailLeaves,\n")],
        code: "E0901",
        guarantee: "NoMailLeaves",
        ends: "RCPT TO:<someone@elsewhere.example> 250",
    },
    Mutant {
        what: "passwords go over the wire in clear",
        changes: &[(
            "\"smtp\":  (host: \"smtp.univ-nantes.fr\",    port: 25,  speaks: Smtp, tls: StartTls(Required)",
            "\"smtp\":  (host: \"smtp.univ-nantes.fr\",    port: 25,  speaks: Smtp, tls: None",
        )],
        code: "E0401",
        guarantee: "NoClearPassword",
        ends: "AUTH PLAIN … 235",
    },
];

#[test]
fn each_mutant_is_refused_with_a_conversation_that_is_true() -> Outcome {
    assert!(MUTANTS.len() >= 10);
    let mut told = String::new();
    for mutant in MUTANTS {
        let scratch = Scratch::new("mutant");
        let folder = policy_copy::changed(&scratch, "nantes", mutant.changes);
        let codes: Vec<String> = suite::diagnostics(&folder).into_iter().map(|found| found.code).collect();
        assert!(codes.iter().any(|code| code == mutant.code), "{}: {codes:?}", mutant.what);
        facteur(&["check"], &folder).ends(6);
        facteur(&["dump"], &folder).ends(6);
        facteur(&["try", "--once"], &folder).ends(6);
        let said = facteur(&["proof", mutant.guarantee], &folder).ends(6).out;
        told += &format!("## {}\n\n{}\n\n", mutant.what, conversation(&said));
        let it = counterexample(&folder, mutant.guarantee);
        assert_eq!(it.guarantee, mutant.guarantee);
        assert_eq!(it.given, [""; 0], "{}: the client alone brings it about", mutant.what);
        let last = it.lines.last().ok_or("a conversation has lines")?;
        let answer = last.answer.to_string();
        assert_eq!(format!("{} {}", last.command, answer.trim_matches('"')), mutant.ends, "{}", mutant.what);
        assert!(!last.fault.is_empty(), "{}", mutant.what);
        let options = Options { arguments: vec!["--unproved".into()], ..Options::default() };
        let server = Facteur::start_with(&folder, options);
        play(&server, &it).map_err(|error| format!("{}: {error}\n{said}", mutant.what))?;
    }
    insta::assert_snapshot!(told);
    Ok(())
}

/// The conversation in what `proof` prints for people.
fn conversation(said: &str) -> String {
    let lines = said.lines().map(|line| line.trim_start_matches([' ', '|', '=']));
    let from = lines.skip_while(|line| !line.starts_with("connect "));
    from.take_while(|line| !line.is_empty() && !line.starts_with("help")).collect::<Vec<&str>>().join("\n")
}

fn counterexample(folder: &Path, guarantee: &str) -> Counterexample {
    let out = facteur(&["proof", "--format", "json", guarantee], folder).ends(6).out;
    let line = out.lines().find(|line| line.contains("\"kind\":\"counterexample\""));
    let line = line.unwrap_or_else(|| panic!("a counterexample in\n{out}"));
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))
}

/// Types each line; every answer must be the predicted one.
fn play(server: &Facteur, it: &Counterexample) -> Result<(), Box<dyn std::error::Error>> {
    let describe = &server.describe;
    let network = describe.networks.values().find(|network| network.seen_as == it.client);
    let network = network.ok_or_else(|| format!("no network is seen as {}", it.client))?;
    // Names of hosts are shared, ports are the kernel's: the policy's port tells listeners apart.
    let mut listeners = describe.listeners.iter().filter(|(_, listener)| listener.host == it.host);
    let listener =
        listeners.find(|(name, _)| port(name) == it.port).ok_or_else(|| format!("{}:{}", it.host, it.port))?;
    let mut wire = Wire::plain(wire::connect(listener.1.addr, network.source)?);
    let begins_tls = |line: &Line| matches!(line.command.as_str(), "STARTTLS" | "STLS");
    if it.tls && !it.lines.iter().any(begins_tls) {
        wire = wire.tls(&server.tls)?;
    }
    let who = (!it.login.is_empty()).then(|| describe.person(MEMBER));
    for line in &it.lines {
        let expected = line.answer.to_string();
        let heard = match it.protocol.as_str() {
            "Imap" => imap(&mut wire, &line.command, who)?,
            "Pop" => pop(&mut wire, &line.command, who)?,
            _ => smtp(&mut wire, &line.command, who, it.message.as_ref())?,
        };
        if heard != expected.trim_matches('"') {
            return Err(format!("`{}` was predicted to get {expected}, got {heard}", line.command).into());
        }
        if begins_tls(line) {
            wire = wire.tls(&server.tls)?;
        }
    }
    Ok(())
}

/// Who reads `postmaster@univ-nantes.fr`.
const MEMBER: &str = "dupont-p";

/// The ports of Nantes.
fn port(listener: &str) -> u16 {
    match listener {
        "mx" | "smtp" | "relay" => 25,
        "subm" => 587,
        "subs" => 465,
        "imaps" => 993,
        "pops" => 995,
        "pop" => 110,
        other => panic!("Nantes has no listener {other}"),
    }
}

fn smtp(wire: &mut Wire, command: &str, who: Option<&Person>, message: Option<&Message>) -> std::io::Result<String> {
    let typed = match (command, who, message) {
        ("", ..) => String::new(),
        ("AUTH PLAIN …", Some(who), _) => {
            format!("AUTH PLAIN {}\r\n", base64(format!("\0{}\0{}", who.login, who.password).as_bytes()))
        }
        (command, _, Some(message)) if command.starts_with('.') => content(message),
        (command, ..) => format!("{command}\r\n"),
    };
    wire.send(typed.as_bytes())?;
    Ok(read_reply(wire)?.code.to_string())
}

/// The EICAR test file in two halves, so that this source is not taken for one.
const EICAR_HALVES: [&str; 2] = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

fn content(message: &Message) -> String {
    let body = match message.holds.as_str() {
        "Eicar" => EICAR_HALVES.concat(),
        _ => "Good day.".to_owned(),
    };
    let from = &message.from;
    format!("From: <{from}>\r\nSubject: mutant\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\n\r\n{body}\r\n.\r\n")
}

/// The status of a response of POP3.
fn pop(wire: &mut Wire, command: &str, who: Option<&Person>) -> std::io::Result<String> {
    match (command, who) {
        ("", _) => {}
        ("USER …", Some(who)) => wire.send(format!("USER {}\r\n", who.login).as_bytes())?,
        ("PASS …", Some(who)) => wire.send(format!("PASS {}\r\n", who.password).as_bytes())?,
        (command, _) => wire.send(format!("{command}\r\n").as_bytes())?,
    }
    Ok(wire.line()?.split(' ').next().unwrap_or_default().to_owned())
}

/// The status word of the greeting or of the tagged response.
fn imap(wire: &mut Wire, command: &str, who: Option<&Person>) -> std::io::Result<String> {
    let Some(who) = who.filter(|_| !command.is_empty()) else {
        return Ok(wire.line()?.split(' ').nth(1).unwrap_or_default().to_owned());
    };
    assert_eq!(command, "a LOGIN … …");
    wire.send(format!("a LOGIN {} {}\r\n", who.login, who.password).as_bytes())?;
    loop {
        let line = wire.line()?;
        if let Some(rest) = line.strip_prefix("a ") {
            return Ok(rest.split(' ').next().unwrap_or_default().to_owned());
        }
    }
}
