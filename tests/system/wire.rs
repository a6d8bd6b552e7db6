//! What a server of SMTP and LMTP takes besides ordinary mail: who speaks for whom, logins without a password on the wire,
//! a reply for each recipient.

mod issuer;
mod scram;
pub mod site;

use std::io;
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use tests::describe::Tls;
use tests::scratch::Scratch;
use tests::smtp::{Reply, base64, letter, read_reply};
use tests::wire::{self as octets, Wire};
use tests::zone::{NameServer, Zone};
use tests::{Facteur, Imap, Options, Outcome, Smtp, policy_copy, program, wait};

use self::issuer::Issuer;
use self::site::Site;

/// A PROXY v2 header of TCP over IPv4.
fn proxied(source: [u8; 4]) -> Vec<u8> {
    let addresses = [source, [192, 0, 2, 1]].concat();
    [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".as_slice(), &addresses, &[0x82, 0x35, 0, 25]].concat()
}

/// The newest message of a person.
fn newest(server: &Facteur, who: &tests::describe::Person) -> io::Result<String> {
    let mut imap = Imap::person(server, "inside", who)?;
    let count = imap.count("INBOX")?;
    let fetched = imap.command(&format!("FETCH {count} BODY[]"))?.ok()?;
    Ok(fetched.lines().concat())
}

#[test]
fn a_front_speaks_for_its_clients_by_xclient_and_nobody_else_does() -> Outcome {
    let server = Facteur::start("nantes");
    let (from, to) = (server.describe.person("toto-j").clone(), server.describe.person("toto-jp").clone());
    let mut front = Smtp::stranger(&server, "subm", "webmail-hosts")?;
    assert!(!front.keywords.iter().any(|line| line.starts_with("XCLIENT")), "TLS comes first: {:?}", front.keywords);
    assert_eq!(front.command("XCLIENT ADDR=203.0.113.9")?.codes(), "530 5.7.0");
    let mut front = front.starttls()?;
    front.ehlo()?.expect(250)?;
    assert!(front.announces("XCLIENT NAME ADDR PORT PROTO HELO"), "{:?}", front.keywords);
    front.command("XCLIENT ADDR=203.0.113.9 NAME=[UNAVAILABLE] HELO=browser")?.expect(220)?;
    front.command("MAIL FROM:<>")?.expect(503)?;
    front.ehlo()?.expect(250)?;
    front.login(&from.login, &from.password)?.expect(235)?;
    front.message(&from.address, &[&to.address], &letter(&from.address, &to.address, "told"))?.expect(250)?;
    let body = newest(&server, &to)?;
    assert!(body.contains("Received: from browser ([203.0.113.9])\r\n"), "{body}");
    // What is logged in is logged in for one client.
    front.command("XCLIENT ADDR=203.0.113.10")?.expect(220)?;
    front.ehlo()?.expect(250)?;
    assert_eq!(front.mail(&from.address)?.codes(), "530 5.7.0");

    for (listener, network) in [("mx", "outside"), ("relay", "private")] {
        let mut other = Smtp::stranger(&server, listener, network)?;
        assert!(!other.keywords.iter().any(|line| line.starts_with("XCLIENT")), "{:?}", other.keywords);
        assert_eq!(other.command("XCLIENT ADDR=192.0.2.80")?.codes(), "550 5.7.0", "{network}");
    }
    Ok(())
}

#[test]
fn failed_logins_of_one_client_do_not_bar_the_others_behind_a_front() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let behind = |address: &str| -> io::Result<Smtp> {
        let mut smtp = Smtp::stranger(&server, "subm", "webmail-hosts")?.starttls()?;
        smtp.ehlo()?.expect(250)?;
        smtp.command(&format!("XCLIENT ADDR={address}"))?.expect(220)?;
        smtp.ehlo()?.expect(250)?;
        Ok(smtp)
    };
    // Other logins each time: what fills is the window of the address.
    let mut guesses = 0;
    let barred = loop {
        let mut smtp = behind("203.0.113.9")?;
        let refused = smtp.login(&format!("ghost{guesses}"), "x")?;
        guesses += 1;
        assert!(guesses < 1_000, "never barred");
        if refused.codes() == "454 4.7.0" {
            break behind("203.0.113.9")?.login(&who.login, &who.password)?;
        }
    };
    assert_eq!(barred.codes(), "454 4.7.0", "{barred:?}");
    behind("203.0.113.10")?.login(&who.login, &who.password)?.expect(235)?;
    Ok(())
}

#[test]
fn a_front_speaks_for_its_clients_by_proxy_headers_before_the_first_command_or_before_tls() -> Outcome {
    let server = Facteur::start("nantes");
    let (from, to) = (server.describe.person("toto-j").clone(), server.describe.person("toto-jp").clone());
    let mut front = Smtp::connect(&server, "subm", "webmail-hosts")?;
    front.send(&proxied([203, 0, 113, 7]))?;
    front.ehlo()?.expect(250)?;
    let mut front = front.starttls()?;
    front.ehlo()?.expect(250)?;
    front.login(&from.login, &from.password)?.expect(235)?;
    front.message(&from.address, &[&to.address], &letter(&from.address, &to.address, "told"))?.expect(250)?;
    let body = newest(&server, &to)?;
    assert!(body.contains("Received: from client.example ([203.0.113.7])\r\n"), "{body}");

    let listener = server.describe.listener("imaps");
    assert_eq!(listener.tls, Tls::Implicit);
    let mut wire = Wire::plain(octets::connect(listener.addr, server.describe.network("webmail-hosts").source)?);
    wire.send(&proxied([203, 0, 113, 8]))?;
    let mut wire = wire.tls(&server.tls)?;
    assert!(wire.line()?.starts_with("* OK "));
    wire.send(format!("a LOGIN {} {}\r\n", from.login, from.password).as_bytes())?;
    assert!(wire.line()?.starts_with("a OK "));
    assert!(server.log_text().contains("seen_as=203.0.113.8"), "the log names the client");
    // Without a header it speaks for itself.
    Imap::person(&server, "webmail-hosts", &from)?;
    Ok(())
}

#[test]
fn a_proxy_header_from_others_ends_the_connection() -> Outcome {
    let server = Facteur::start("nantes");
    let mut stranger = Smtp::connect(&server, "mx", "outside")?;
    stranger.send(&proxied([192, 0, 2, 80]))?;
    assert!(stranger.is_closed(), "nothing is answered");
    let listener = server.describe.listener("imaps");
    let mut wire = Wire::plain(octets::connect(listener.addr, server.describe.network("outside").source)?);
    wire.send(&proxied([192, 0, 2, 80]))?;
    assert!(wire.tls(&server.tls).is_err());
    Ok(())
}

#[test]
fn swaks_speaks_for_a_client_from_a_front() -> Outcome {
    let Some(swaks) = crate::clients::found("swaks_speaks_for_a_client", "swaks") else { return Ok(()) };
    let server = Facteur::start("nantes");
    let (from, to) = (server.describe.person("toto-j").clone(), server.describe.person("toto-jp").clone());
    let run = |network: &str, more: &[&str]| {
        let mut command = Command::new(&swaks);
        command.arg("--server").arg(server.describe.listener("subm").addr.to_string());
        command.arg("--local-interface").arg(server.describe.network(network).source.to_string());
        command.args(["--helo", "client.example", "--timeout", "60s", "--tls", "--auth", "PLAIN"]);
        command.args(["--auth-user", &from.login, "--auth-password", &from.password]);
        command.args(["--from", &from.address, "--to", &to.address]).args(more);
        program::run(&mut command)
    };
    run("webmail-hosts", &["--xclient-addr", "203.0.113.44", "--xclient-helo", "browser"]).ends(0);
    let body = newest(&server, &to)?;
    assert!(body.contains("Received: from browser ([203.0.113.44])"), "{body}");
    assert_ne!(run("outside", &["--xclient-addr", "203.0.113.44"]).code, Some(0));
    Ok(())
}

const GATEWAY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// A gateway in front of `mx` that tells the client so, and all others turned away.
fn gateway(client_address: &str, more: &str) -> Site {
    let gateways = format!(
        "    gateways: {{ \"filter\": (from: [\"{GATEWAY}/32\"], on: [\"mx\"], refuse_others: true,\n\
         client_address: {client_address}, results: Nothing) }},\n    tls: ("
    );
    let limits = "connections_at_once: 2, connections_attempted: Unlimited,";
    let unknown = "unknown_recipients_attempted: [\"2 / 1 h\"],";
    let changes = [
        ("    tls: (", &*gateways),
        ("connections_at_once: 100000, connections_attempted: Unlimited,", limits),
        ("unknown_recipients_attempted: Unlimited,", unknown),
        ("not_for: [\"nearby\", \"outside\"]", "not_for: [\"nearby\"]"),
        ("KnownRecipient, Accept", "KnownRecipient, Authenticate, Accept"),
    ];
    Site::new(&changes, &[], &["mx"], more)
}

/// The reply to the first unknown recipient that finds the window full, or to the third.
fn unknown_recipients(mut wire: Wire) -> io::Result<Reply> {
    let mut say = |line: &str| -> io::Result<Reply> {
        wire.send(format!("{line}\r\n").as_bytes())?;
        read_reply(&mut wire)
    };
    say("EHLO gateway.example")?.expect(250)?;
    say("MAIL FROM:<a@client.example>")?.expect(250)?;
    say("RCPT TO:<nobody1@example.org>")?;
    say("RCPT TO:<nobody2@example.org>")?;
    say("RCPT TO:<nobody3@example.org>")
}

#[test]
fn limits_of_strangers_fall_on_the_client_a_gateway_tells_by_its_header() -> Outcome {
    let site = gateway("Proxy2", "");
    let serving = site.serve();
    let connect = |source: [u8; 4]| -> io::Result<Wire> {
        let mut wire = serving.connect("mx", GATEWAY)?;
        wire.send(&proxied(source))?;
        read_reply(&mut wire)?.expect(220)?;
        Ok(wire)
    };
    // More at once than any stranger may have.
    let held: Vec<Wire> = (0..4).map(|_| connect([203, 0, 113, 1])).collect::<io::Result<_>>()?;
    assert_eq!(unknown_recipients(connect([203, 0, 113, 7])?)?.codes(), "451 4.7.1");
    assert_eq!(unknown_recipients(connect([203, 0, 113, 8])?)?.codes(), "451 4.7.1");
    let mut first = connect([203, 0, 113, 9])?;
    first.send(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@example.org>\r\n")?;
    let codes: Vec<u16> = (0..3).map(|_| read_reply(&mut first).map(|reply| reply.code)).collect::<io::Result<_>>()?;
    assert_eq!(codes, [250, 250, 550], "another client has its own window");
    drop(held);
    // No header, no greeting.
    let mut wire = serving.connect("mx", GATEWAY)?;
    wire.send(b"EHLO gateway.example\r\n")?;
    assert!(wire.is_closed());
    // And nobody goes round it.
    let mut other = serving.connect("mx", Ipv4Addr::LOCALHOST)?;
    read_reply(&mut other)?.expect(554)?;
    Ok(())
}

#[test]
fn a_gateway_tells_its_clients_by_xclient_or_in_a_received_field() -> Outcome {
    let site = gateway("Xclient", "");
    let serving = site.serve();
    let mut wire = serving.connect("mx", GATEWAY)?;
    read_reply(&mut wire)?.expect(220)?;
    wire.send(b"EHLO gateway.example\r\n")?;
    let offered = read_reply(&mut wire)?.expect(250)?;
    assert!(offered.lines.iter().any(|line| line.starts_with("XCLIENT ")), "{offered:?}");
    wire.send(b"XCLIENT ADDR=IPV6:2001:db8::7\r\n")?;
    read_reply(&mut wire)?.expect(220)?;
    assert_eq!(unknown_recipients(wire)?.codes(), "451 4.7.1");
    drop(serving);

    let names = NameServer::start(Zone::read("c.example TXT v=spf1 ip4:203.0.113.7 -all\n"))?;
    let site = gateway("Received(depth: 1)", &format!(", dns: (servers: [\"{}\"])", names.address));
    let serving = site.serve();
    let connect = || -> io::Result<Wire> {
        let mut wire = serving.connect("mx", GATEWAY)?;
        read_reply(&mut wire)?.expect(220)?;
        Ok(wire)
    };
    // Before the content all of its clients are one, and none is limited for the others.
    assert_eq!(unknown_recipients(connect()?)?.codes(), "550 5.1.1");
    let to = site.people[0].address.clone();
    let message = format!("Received: from c (c.example [203.0.113.7]) by gw\r\n{}", letter("a@c.example", &to, "x"));
    let mut wire = connect()?;
    wire.send(format!("EHLO gw\r\nMAIL FROM:<a@c.example>\r\nRCPT TO:<{to}>\r\nDATA\r\n").as_bytes())?;
    for code in [250, 250, 250, 354] {
        read_reply(&mut wire)?.expect(code)?;
    }
    wire.send(format!("{message}\r\n.\r\n").as_bytes())?;
    read_reply(&mut wire)?.expect(250)?;
    assert!(serving.log().contains("seen_as=203.0.113.7"), "{}", serving.log());
    drop(serving);
    let message = site.newest(&site.people[0]);
    assert!(message.contains("spf=pass smtp.mailfrom=c.example"), "the client is judged, not the gateway: {message}");
    Ok(())
}

#[test]
fn lmtp_answers_for_each_recipient_what_became_of_its_copy() -> Outcome {
    let small = ("quota: Fixed(\"1 TB\")", "quota: Fixed(\"100 kB\")");
    let lmtp = ("port: 25,\n            speaks: Smtp", "port: 25,\n            speaks: Lmtp");
    let tiny = ("message_size: \"100 MB\"", "message_size: \"80 kB\"");
    let site = Site::new(&[small, tiny], &[lmtp], &["mx"], "");
    let serving = site.serve();
    let (one, two) = (site.people[0].address.clone(), site.people[1].address.clone());
    let mut wire = serving.connect("mx", Ipv4Addr::LOCALHOST)?;
    assert!(read_reply(&mut wire)?.expect(220)?.text().ends_with(" LMTP"));
    let mut say = |line: &str, replies: usize| -> io::Result<Vec<String>> {
        wire.send(format!("{line}\r\n").as_bytes())?;
        (0..replies).map(|_| read_reply(&mut wire).map(|reply| reply.codes())).collect()
    };
    assert_eq!(say("EHLO c", 1)?, ["500 5.5.2"]);
    assert_eq!(say("LHLO c", 1)?, ["250"]);
    let filler = "0123456789abcdef\r\n".repeat(60_000 / 18);
    let mut send = |to: &[&str]| -> io::Result<Vec<String>> {
        assert_eq!(say("MAIL FROM:<a@client.example>", 1)?, ["250 2.1.0"]);
        for recipient in to {
            assert_eq!(say(&format!("RCPT TO:<{recipient}>"), 1)?, ["250 2.1.5"], "{recipient}");
        }
        assert_eq!(say("DATA", 1)?, ["354"]);
        say(&format!("Subject: large\r\n\r\n{filler}."), to.len())
    };
    assert_eq!(send(&[&one])?, ["250 2.6.0"]);
    // It has no room for a second of that size; the other has, and is answered twice as it was named twice.
    assert_eq!(send(&[&two, &one, &two])?, ["250 2.6.0", "452 4.2.2", "250 2.6.0"]);
    assert_eq!(send(&[&one])?, ["452 4.2.2"]);
    assert_eq!(say("MAIL FROM:<a@client.example>", 1)?, ["250 2.1.0"]);
    assert_eq!(say("RCPT TO:<nobody@example.org>", 1)?, ["550 5.1.1"]);
    assert_eq!(say("DATA", 1)?, ["503 5.5.1"]);
    drop(serving);
    assert_eq!(site.delivered(&one), 1);
    assert_eq!(site.delivered(&two), 1);
    Ok(())
}

#[test]
fn scram_logs_in_without_the_password_on_the_wire() -> Outcome {
    let scratch = Scratch::new("scram");
    let changes = [("sent_as: [Plain, Login],", "sent_as: [Plain, ScramSha256],")];
    let folder = policy_copy::changed(&scratch, "nantes", &changes);
    let server = Facteur::start_with(&folder, Options::default());
    let who = server.describe.person("toto-j").clone();
    let connect = || -> io::Result<Smtp> {
        let mut smtp = Smtp::stranger(&server, "subm", "outside")?.starttls()?;
        smtp.ehlo()?.expect(250)?;
        Ok(smtp)
    };
    let mut smtp = connect()?;
    assert!(smtp.announces("AUTH SCRAM-SHA-256-PLUS PLAIN SCRAM-SHA-256"), "{:?}", smtp.keywords);
    scram::log_in(&mut smtp, &who.login, &who.password, None)?.expect(235)?;
    smtp.message(&who.address, &[&who.address], &letter(&who.address, &who.address, "scram"))?.expect(250)?;
    // Bound to the channel; and the binding of another connection is no use.
    let mut smtp = connect()?;
    let exported = smtp.wire().exported()?;
    scram::log_in(&mut smtp, &who.login, &who.password, Some(&exported))?.expect(235)?;
    let mut smtp = connect()?;
    let refused = scram::log_in(&mut smtp, &who.login, &who.password, Some(&exported))?;
    assert_eq!(refused.codes(), "535 5.7.8");
    // A wrong password and a login nobody has look alike, and the second keeps its salt.
    assert_eq!(scram::log_in(&mut connect()?, &who.login, "wrong", None)?.codes(), "535 5.7.8");
    assert_eq!(scram::log_in(&mut connect()?, "ghost", "wrong", None)?.codes(), "535 5.7.8");
    let salts: Vec<String> = (0..2).map(|_| scram::salt(&mut connect()?, "ghost")).collect::<io::Result<_>>()?;
    assert_eq!(salts[0], salts[1]);
    // The old way still works beside it.
    connect()?.login(&who.login, &who.password)?.expect(235)?;
    Ok(())
}

/// Replies until the server has nothing more to say: QUIT ends it, whatever came of the rest.
fn replies(wire: &mut Wire) -> Vec<u16> {
    std::iter::from_fn(|| read_reply(wire).ok()).map(|reply| reply.code).collect()
}

#[test]
fn no_published_sequence_smuggles_a_message_past_the_server() -> Outcome {
    let Some(corpus) = tests::corpus::folder() else {
        tests::skip::skip("no_published_sequence_smuggles", tests::skip::Missing::Corpus);
        return Ok(());
    };
    let text = std::fs::read_to_string(corpus.join("smtp/end-of-data-vectors.json"))?;
    let vectors: serde_json::Value = serde_json::from_str(&text)?;
    let site = Site::new(&[], &[], &["mx"], "");
    let serving = site.serve();
    let to = &site.people[0].address;
    let start = format!("EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<{to}>\r\n");
    for vector in vectors["vectors"].as_array().expect("a list of vectors") {
        let sequence = scram::decoded(vector["bytes_base64"].as_str().expect("octets"));
        let smuggled = format!("MAIL FROM:<>\r\nRCPT TO:<{to}>\r\nDATA\r\nSubject: smuggled\r\n\r\n.\r\n");
        let body = [b"Auto-Submitted: auto-replied\r\n\r\nabc".as_slice(), &sequence, smuggled.as_bytes()].concat();
        // "see-note" is a true end behind a bare CR, for which the message is refused.
        let ends = vector["expect"] != "not-end";
        let mut wire = serving.connect("mx", Ipv4Addr::LOCALHOST)?;
        wire.send(&[start.as_bytes(), b"DATA\r\n", &body, b"\r\n.\r\nQUIT\r\n"].concat())?;
        let codes = replies(&mut wire);
        let contents = codes.iter().filter(|code| **code == 354).count();
        assert_eq!(contents, if ends { 2 } else { 1 }, "{}: {codes:?}", vector["name"]);
        let mut wire = serving.connect("mx", Ipv4Addr::LOCALHOST)?;
        let bdat = format!("BDAT {} LAST\r\n", body.len());
        wire.send(&[start.as_bytes(), bdat.as_bytes(), &body, b"QUIT\r\n"].concat())?;
        let codes = replies(&mut wire);
        assert!(matches!(codes[..], [220, 250, 250, 250, 250 | 554, 221]), "{}: {codes:?}", vector["name"]);
    }
    Ok(())
}

#[test]
fn a_token_of_the_issuer_logs_in_and_its_keys_are_asked_for_once() -> Outcome {
    let issuer = Issuer::start();
    let oauth = format!(
        "oauth: Some((\n            issuer: \"https://id.example\",\n            keys: \"{}\",\n            \
         audience: \"mail\",\n            login_claim: \"uid\",\n        ))",
        issuer.keys
    );
    let offered = "                Login,\n                OAuthBearer,\n                XOAuth2,\n            ]";
    let in_plan = [("oauth: None", &*oauth), ("                Login,\n            ]", offered)];
    let more = format!(", authorities: [{:?}]", issuer.authority());
    let site = Site::new(&[], &in_plan, &["subm"], &more);
    let serving = site.serve();
    let (login, other) = (&site.people[0].login, &site.people[1].login);
    let log_in = |mechanism: &str, response: &str| -> io::Result<Vec<u16>> {
        let mut wire = serving.connect("subm", Ipv4Addr::LOCALHOST)?;
        let codes = |wire: &mut Wire, line: &str| -> io::Result<u16> {
            wire.send(format!("{line}\r\n").as_bytes())?;
            Ok(read_reply(wire)?.code)
        };
        read_reply(&mut wire)?.expect(220)?;
        codes(&mut wire, "EHLO c")?;
        codes(&mut wire, "STARTTLS")?;
        let mut wire = wire.tls(&site.tls)?;
        codes(&mut wire, "EHLO c")?;
        let first = codes(&mut wire, &format!("AUTH {mechanism} {}", base64(response.as_bytes())))?;
        if first != 334 {
            return Ok(vec![first]);
        }
        Ok(vec![first, codes(&mut wire, "AQ==")?])
    };
    let bearer = |token: &str| format!("n,,\u{1}auth=Bearer {token}\u{1}\u{1}");
    let x = |user: &str, token: &str| format!("user={user}\u{1}auth=Bearer {token}\u{1}\u{1}");
    let good = issuer.token(login, "mail", 3_600);
    assert_eq!(log_in("OAUTHBEARER", &bearer(&good))?, [235]);
    assert_eq!(log_in("XOAUTH2", &x(login, &good))?, [235]);
    let refused = [334, 535];
    assert_eq!(log_in("XOAUTH2", &x(other, &good))?, refused, "under another name");
    assert_eq!(log_in("OAUTHBEARER", &bearer(&issuer.token(login, "files", 3_600)))?, refused);
    assert_eq!(log_in("OAUTHBEARER", &bearer(&issuer.token(login, "mail", -3_600)))?, refused);
    assert_eq!(log_in("OAUTHBEARER", &bearer(&issuer.token("ghost", "mail", 3_600)))?, refused);
    assert_eq!(log_in("OAUTHBEARER", &bearer(&format!("{good}A")))?, refused);
    assert_eq!(log_in("OAUTHBEARER", &bearer(&Issuer::start().token(login, "mail", 3_600)))?, refused, "another key");
    assert_eq!(issuer.asked(), 1);
    Ok(())
}

#[test]
fn whoever_comes_near_a_limit_and_the_owner_of_a_refused_application_are_told_once() -> Outcome {
    let scratch = Scratch::new("notices");
    let warned = "from: [\"outside\"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly, warn_at: \"80 %\",";
    let known = "known: { \"printer\": (from: [\"198.18.4.7/32\"], as: [\"imprimante@univ-nantes.fr\"], \
        owner: \"docmessagerie@univ-nantes.fr\", until: \"2099-01-01\", limits: (recipients_in_one_message: 50, \
        messages_accepted: [\"100 / 1 h\"], recipients_attempted: Unlimited)) }";
    let changes = [
        ("from: [\"outside\"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,", warned),
        ("known: {}", known),
        // Where `try` sees sources it has no name for.
        ("In([\"10.44.0.0/16\"])", "In([\"10.44.0.0/16\", \"198.18.4.7/32\"])"),
    ];
    let folder = policy_copy::changed(&scratch, "nantes", &changes);
    let server = Facteur::start_with(&folder, Options::default());
    let who = server.describe.person("toto-j").clone();
    let subjects = |login: &str, word: &str| -> io::Result<usize> {
        let who = server.describe.person(login).clone();
        let mut imap = Imap::person(&server, "inside", &who)?;
        imap.command("EXAMINE INBOX")?.ok()?;
        let found = imap.command(&format!("SEARCH SUBJECT {word}"))?.ok()?.lines();
        let found = found.iter().find_map(|line| line.strip_prefix("SEARCH")).unwrap_or_default().to_owned();
        Ok(found.split_whitespace().count())
    };
    let mut smtp = Smtp::person(&server, "subm", "outside", &who)?;
    // 200 of the 250 recipients in a quarter of an hour, and 40 more.
    for message in 0..5 {
        smtp.mail(&who.address)?.expect(250)?;
        for number in 0..if message == 4 { 40 } else { 50 } {
            smtp.rcpt(&format!("reader{number}@elsewhere.example"))?.expect(250)?;
        }
        smtp.command("RSET")?.expect(250)?;
    }
    let told = |login: &str, word: &str| {
        wait::until(Duration::from_secs(30), "the notice is there", || {
            subjects(login, word).ok().filter(|count| *count > 0)
        })
    };
    assert_eq!(told("toto-j", "limit"), 1);
    let rule = "may_send.person-outside.recipients_attempted/15min";
    assert_eq!(server.log_text().matches(" near-limit ").count(), 1);
    assert!(newest(&server, &who)?.contains(rule), "the rule is named");

    let relay = server.describe.listener("relay").addr;
    let mut printer = Wire::plain(octets::connect(relay, Ipv4Addr::LOCALHOST)?);
    read_reply(&mut printer)?.expect(220)?;
    for (line, code) in
        [("EHLO printer", 250), ("MAIL FROM:<x@elsewhere.example>", 553), ("MAIL FROM:<y@c.example>", 553)]
    {
        printer.send(format!("{line}\r\n").as_bytes())?;
        read_reply(&mut printer)?.expect(code)?;
    }
    assert_eq!(told("dupont-a", "printer"), 1);
    Ok(())
}

#[test]
fn the_spool_keeps_what_a_client_asked_of_delivery_and_subaddresses_lead_to_their_person() -> Outcome {
    let subaddress = ("subaddress: \"\"", "subaddress: \"+\"");
    let site = Site::new(&[], &[subaddress], &["subm"], ", outbound: Network, hosts: {}");
    let who = &site.people[0];
    let (local, domain) = who.address.split_once('@').expect("an address");
    let sub = format!("{local}+lists@{domain}");
    // It looks like a subaddress, and is an address of somebody else.
    let taken = format!("{local}+taken@{domain}");
    let members = vec![mail::Login::new(&site.people[1].login).expect("a login of the policy is one")];
    let alias = mail::Alias { address: taken.parse()?, members, kind: mail::AliasKind::Alias };
    site.store().commit_wait(vec![store::Op::UpsertAlias(Box::new(alias))])?;
    let serving = site.serve();
    let mut wire = serving.connect("subm", Ipv4Addr::LOCALHOST)?;
    read_reply(&mut wire)?.expect(220)?;
    wire.send(b"EHLO c\r\n")?;
    read_reply(&mut wire)?.expect(250)?;
    wire.send(b"STARTTLS\r\n")?;
    read_reply(&mut wire)?.expect(220)?;
    let mut wire = wire.tls(&site.tls)?;
    let login = base64(format!("\0{}\0{}", who.login, who.password).as_bytes());
    for (line, code) in [
        ("EHLO c".to_owned(), 250),
        (format!("AUTH PLAIN {login}"), 235),
        (format!("MAIL FROM:<{taken}>"), 553),
        (format!("MAIL FROM:<{sub}> RET=HDRS ENVID=QQ+3D BODY=8BITMIME SMTPUTF8 REQUIRETLS"), 250),
        ("RCPT TO:<a@elsewhere.example> NOTIFY=FAILURE ORCPT=rfc822;b@c.example".to_owned(), 250),
        (format!("RCPT TO:<{sub}>"), 250),
        (format!("RCPT TO:<nobody+lists@{domain}>"), 550),
        ("DATA".to_owned(), 354),
        (letter(&sub, "a@elsewhere.example", "asked") + "\r\n.", 250),
    ] {
        wire.send(format!("{line}\r\n").as_bytes())?;
        read_reply(&mut wire)?.expect(code)?;
    }
    drop(serving);
    assert_eq!(site.delivered(&who.address), 1);
    let spool = site.spool();
    let [item] = &spool[..] else { panic!("{spool:?}") };
    let facts: queue::MessageFacts = queue::facts::read(&item.facts);
    let expected = queue::MessageFacts {
        ret: Some(mail::Return::Headers),
        envid: Some("QQ+3D".to_owned()),
        body: mail::Body::EightBitMime,
        smtputf8: true,
        require_tls: true,
        login: Some(who.login.clone()),
        block: "may_send.person".to_owned(),
        ..queue::MessageFacts::default()
    };
    assert_eq!(facts, expected);
    let facts: queue::RecipientFacts = queue::facts::read(&item.recipients[0].facts);
    assert_eq!(facts.notify, Some(mail::Notify { success: false, failure: true, delay: false }));
    assert_eq!((facts.orcpt.as_deref(), facts.behind), (Some("rfc822;b@c.example"), None));
    Ok(())
}
