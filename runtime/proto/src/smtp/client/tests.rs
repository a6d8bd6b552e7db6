//! Tests of the client against scripted servers.

use mail::{Notify, Return, ReversePath};
use proptest::prelude::*;

use super::*;
use crate::sasl::Secret;

fn handover(recipients: &[&str]) -> Handover {
    let address = |text: &&str| text.parse().unwrap();
    Handover {
        reverse_path: ReversePath::Address("b@c.example".parse().unwrap()),
        size_octets: 10,
        only_asks: false,
        ..Handover::question(recipients.iter().map(address).collect())
    }
}

fn hello() -> Hello {
    Hello {
        protocol: Protocol::Smtp,
        host: "mx.example".parse().unwrap(),
        tls: TlsUse::IfOffered,
        credentials: None,
        nonce: None,
    }
}

/// Plays `replies`, one each time the client waits; gives what the client wrote and its results.
fn play(hello: Hello, handover: Handover, replies: &[&str]) -> (String, Vec<Outcome>) {
    let mut client = Client::new(hello, handover);
    let mut written = Vec::new();
    let mut replies = replies.iter();
    loop {
        match client.next() {
            ClientStep::Write(octets) => written.extend_from_slice(&octets),
            ClientStep::StartTls => {
                written.extend_from_slice(b"(TLS)\r\n");
                client.tls_started();
            }
            ClientStep::WriteContent => {
                client.content(b"Subject: x\r\n", &mut written);
                client.content(b"\r\n.\r\n", &mut written);
                client.content_end(&mut written);
            }
            ClientStep::NeedInput => match replies.next() {
                Some(reply) => client.feed(reply.as_bytes()),
                None => client.disconnected(),
            },
            ClientStep::Prove(challenge) => {
                written.extend_from_slice(format!("({} iterations)\r\n", challenge.iterations).as_bytes());
                client.proved(&Proof { client: [0; 32], server: [0; 32] });
            }
            ClientStep::Ready => client.quit(),
            ClientStep::Done => return (String::from_utf8(written).unwrap(), client.take_results()),
        }
    }
}

/// One word an outcome: the code of a reply with the stage that refused, or the trouble.
fn words(outcomes: &[Outcome]) -> Vec<String> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Delivered(reply) => format!("delivered {}", reply.code.basic),
        Outcome::Refused { stage, reply } => format!("{stage:?} {}", reply.code.basic),
        Outcome::Broken { stage, trouble } => format!("{stage:?} {trouble:?}"),
    };
    outcomes.iter().map(word).collect()
}

#[track_caller]
fn check(handover: Handover, replies: &[&str], expected: &[&str]) -> String {
    check_with(hello(), handover, replies, expected)
}

#[track_caller]
fn check_with(hello: Hello, handover: Handover, replies: &[&str], expected: &[&str]) -> String {
    let (written, outcomes) = play(hello, handover, replies);
    assert_eq!(words(&outcomes), expected, "{written}");
    written
}

const PLAIN_EHLO: &str = "250 mx.there.example\r\n";
const FULL_EHLO: &str = "250-mx.there.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 8BITMIME\r\n";

#[test]
fn a_message_goes_out_command_by_command() {
    let replies = ["220 hi\r\n", PLAIN_EHLO, "250 a\r\n", "250 b\r\n", "354 go\r\n", "250 2.6.0 q\r\n", "221 x\r\n"];
    let written = check(handover(&["a@d.example"]), &replies, &["delivered 250"]);
    assert_eq!(
        written,
        "EHLO mx.example\r\nMAIL FROM:<b@c.example>\r\nRCPT TO:<a@d.example>\r\nDATA\r\n\
         Subject: x\r\n\r\n..\r\n.\r\nQUIT\r\n"
    );
}

#[test]
fn extensions_are_used_when_offered() {
    let message = Handover { content: Content::EightBit, ..handover(&["a@d.example", "b@d.example"]) };
    let replies =
        ["220 hi\r\n", FULL_EHLO, "250 a\r\n250 b\r\n", "550 5.1.1 c\r\n", "354 go\r\n", "250 ok\r\n", "221 x\r\n"];
    let written = check(message, &replies, &["delivered 250", "Recipient 550"]);
    assert!(written.contains("MAIL FROM:<b@c.example> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<a@d.example>\r\nRCPT"));
}

#[test]
fn a_server_without_ehlo_gets_helo() {
    let replies = ["220 hi\r\n", "502 what\r\n", "250 hello\r\n", "250 a\r\n", "250 b\r\n", "354 go\r\n", "250 ok\r\n"];
    let written = check(handover(&["a@d.example"]), &replies, &["delivered 250"]);
    assert!(written.contains("HELO mx.example\r\n"));
}

#[test]
fn each_refusal_names_its_stage() {
    let one = || handover(&["a@d.example"]);
    check(one(), &["554 no\r\n"], &["Greeting 554"]);
    check(one(), &["220 hi\r\n", "451 no\r\n"], &["Hello 451"]);
    check(one(), &["220 hi\r\n", PLAIN_EHLO, "451 no\r\n"], &["Mail 451"]);
    check(one(), &["220 hi\r\n", FULL_EHLO, "451 no\r\n", "503 what\r\n", "221 x\r\n"], &["Mail 451"]);
    check(one(), &["220 hi\r\n", PLAIN_EHLO, "250 a\r\n", "550 no\r\n"], &["Recipient 550"]);
    check(one(), &["220 hi\r\n", PLAIN_EHLO, "250 a\r\n", "250 b\r\n", "554 no\r\n"], &["Content 554"]);
    check(one(), &["220 hi\r\n", PLAIN_EHLO, "250 a\r\n", "250 b\r\n", "354 go\r\n", "552 no\r\n"], &["End 552"]);
    check(one(), &["220 hi\r\n", PLAIN_EHLO, "250 a\r\n", "250 b\r\n", "250 go\r\n"], &["Content BadReply(Codes)"]);
    check(one(), &["220 hi\r\n", PLAIN_EHLO, "421 bye\r\n"], &["Mail 421"]);
    check(one(), &["220 hi\r\n", "nonsense\r\n"], &["Hello BadReply(Syntax)"]);
}

#[test]
fn a_lost_connection_is_temporary_at_every_stage() {
    let replies = ["220 hi\r\n", PLAIN_EHLO, "250 a\r\n", "250 b\r\n", "354 go\r\n"];
    for kept in 0..=replies.len() {
        let (_, outcomes) = play(hello(), handover(&["a@d.example"]), &replies[..kept]);
        assert!(matches!(outcomes[0], Outcome::Broken { trouble: Trouble::Disconnected, .. }), "{kept}");
        assert!(outcomes[0].is_temporary());
    }
}

#[test]
fn tls_is_used_when_offered_and_needed_when_required() {
    let offer = "250-there\r\n250 STARTTLS\r\n";
    let rest = [PLAIN_EHLO, "250 a\r\n", "250 b\r\n", "354 go\r\n", "250 ok\r\n"];
    let mut replies = vec!["220 hi\r\n", offer, "220 go\r\n"];
    replies.extend(rest);
    let written = check(handover(&["a@d.example"]), &replies, &["delivered 250"]);
    assert!(written.contains("STARTTLS\r\n(TLS)\r\nEHLO mx.example\r\nMAIL"));
    let required = || Hello { tls: TlsUse::Required, ..hello() };
    let one = || handover(&["a@d.example"]);
    check_with(required(), one(), &["220 hi\r\n", PLAIN_EHLO], &["Hello NoTls"]);
    check_with(required(), one(), &["220 hi\r\n", offer, "454 later\r\n"], &["Tls NoTls"]);
    let written = check(handover(&["a@d.example"]), &["220 hi\r\n", offer, "454 later\r\n"], &["Mail Disconnected"]);
    assert!(written.ends_with("STARTTLS\r\nMAIL FROM:<b@c.example>\r\n"));
    check_with(required(), one(), &["220 hi\r\n", offer, "220 go\r\n250 injected\r\n"], &["Tls BadReply(Injected)"]);
}

#[test]
fn a_login_is_given_under_tls_only() {
    let credentials = Some(Credentials { login: "relay".into(), secret: Secret::new("pw") });
    let plain = Hello { credentials, ..hello() };
    let one = || handover(&["a@d.example"]);
    check_with(plain.clone(), one(), &["220 hi\r\n", "250-there\r\n250 AUTH PLAIN\r\n"], &["Hello NoLogin"]);
    let secured = Hello { tls: TlsUse::Active, ..plain };
    let replies = ["220 hi\r\n", "250-there\r\n250 AUTH LOGIN PLAIN\r\n", "535 no\r\n"];
    let written = check_with(secured.clone(), one(), &replies, &["Login 535"]);
    assert!(written.contains("AUTH PLAIN AHJlbGF5AHB3\r\n"));
    let replies = [
        "220 hi\r\n",
        "250-there\r\n250 AUTH LOGIN\r\n",
        "334 VXNlcm5hbWU6\r\n",
        "334 UGFzc3dvcmQ6\r\n",
        "235 hello\r\n",
    ];
    let written = check_with(secured, one(), &replies, &["Mail Disconnected"]);
    assert!(written.contains("AUTH LOGIN\r\ncmVsYXk=\r\ncHc=\r\nMAIL"), "{written}");
}

#[test]
fn scram_goes_before_a_password_in_the_clear_and_the_server_has_to_know_it_too() {
    let credentials = Some(Credentials { login: "relay".into(), secret: Secret::new("pw") });
    let known = Hello { credentials, nonce: Some("abc".into()), tls: TlsUse::Active, ..hello() };
    let first = format!("334 {}\r\n", STANDARD.encode("r=abcdef,s=AAAA,i=4096"));
    let good = format!("334 {}\r\n", STANDARD.encode(format!("v={}", STANDARD.encode([0; 32]))));
    let bad = format!("334 {}\r\n", STANDARD.encode(format!("v={}", STANDARD.encode([1; 32]))));
    let offer = "250-there\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n";
    let replies = ["220 hi\r\n", offer, &first, &good, "235 hello\r\n"];
    let written = check_with(known.clone(), handover(&["a@d.example"]), &replies, &["Mail Disconnected"]);
    assert!(written.contains("AUTH SCRAM-SHA-256 biwsbj1yZWxheSxyPWFiYw==\r\n(4096 iterations)\r\nYz1ia"), "{written}");
    let replies = ["220 hi\r\n", offer, &first, &bad];
    check_with(known.clone(), handover(&["a@d.example"]), &replies, &["Login NoLogin"]);
    let replies = ["220 hi\r\n", offer, &first, "535 no\r\n"];
    check_with(known.clone(), handover(&["a@d.example"]), &replies, &["Login 535"]);
    check_with(known, handover(&["a@d.example"]), &["220 hi\r\n", offer, "334 AAAA\r\n"], &["Login NoLogin"]);
}

#[test]
fn what_a_server_cannot_take_is_not_sent() {
    let large = Handover { size_octets: 1_001, ..handover(&["a@d.example"]) };
    check(large, &["220 hi\r\n", FULL_EHLO], &["Hello TooLarge"]);
    let (_, outcomes) = play(hello(), handover(&["é@d.example"]), &["220 hi\r\n", FULL_EHLO]);
    assert_eq!(words(&outcomes), ["Hello NoUtf8"]);
    assert!(!outcomes[0].is_temporary());
    let offer = "250-there\r\n250 SMTPUTF8\r\n";
    let written = check(handover(&["é@d.example"]), &["220 hi\r\n", offer], &["Mail Disconnected"]);
    assert!(written.contains("MAIL FROM:<b@c.example> SMTPUTF8\r\n"));
}

#[test]
fn many_recipients_go_in_batches() {
    let names: Vec<String> = (0..250).map(|n| format!("r{n}@d.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let batch = "250 ok\r\n".repeat(100);
    let mail_and_batch = format!("250 ok\r\n{batch}");
    let last = "250 ok\r\n".repeat(50);
    let replies = ["220 hi\r\n", FULL_EHLO, &mail_and_batch, &batch, &last, "354 go\r\n", "250 ok\r\n", "221 x\r\n"];
    let written = check(handover(&names), &replies, &vec!["delivered 250"; 250]);
    assert_eq!(written.matches("RCPT TO").count(), 250);
}

#[test]
fn lmtp_has_a_reply_for_each_recipient() {
    let lmtp = Hello { protocol: Protocol::Lmtp, ..hello() };
    let message = handover(&["a@d.example", "b@d.example", "c@d.example"]);
    let replies =
        ["220 hi\r\n", FULL_EHLO, "250 a\r\n250 b\r\n550 c\r\n250 d\r\n", "354 go\r\n", "250 one\r\n", "452 two\r\n"];
    let written = check_with(lmtp, message, &replies, &["delivered 250", "Recipient 550", "End 452"]);
    assert!(written.starts_with("LHLO mx.example\r\n"));
}

#[test]
fn a_server_that_never_says_bye_is_left() {
    let endless = "250 and another\r\n".repeat(1_000);
    let replies = ["220 hi\r\n", PLAIN_EHLO, "250 a\r\n", "550 no\r\n", &endless];
    check(handover(&["a@d.example"]), &replies, &["Recipient 550"]);
}

#[test]
fn what_the_sender_asked_of_notifications_goes_on_where_dsn_is_offered() {
    let recipient = |name: &str, notify, orcpt: Option<&str>| Recipient {
        address: format!("{name}@d.example").parse().unwrap(),
        notify,
        orcpt: orcpt.map(str::to_owned),
    };
    let never = Notify { success: false, failure: false, delay: false };
    let both = Notify { success: true, failure: true, delay: false };
    let message = || Handover {
        recipients: vec![
            recipient("a", Some(never), None),
            recipient("b", Some(both), Some("rfc822;b+40x")),
            recipient("c", None, Some("rfc822;c\r\nQUIT")),
        ],
        ret: Some(Return::Headers),
        envid: Some("id+2Bx".into()),
        ..handover(&[])
    };
    let offer = "250-there\r\n250-PIPELINING\r\n250 DSN\r\n";
    let broken = ["Mail Disconnected"; 3];
    let written = check(message(), &["220 hi\r\n", offer], &broken);
    assert!(written.ends_with(
        "MAIL FROM:<b@c.example> RET=HDRS ENVID=id+2Bx\r\nRCPT TO:<a@d.example> NOTIFY=NEVER\r\n\
         RCPT TO:<b@d.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+40x\r\nRCPT TO:<c@d.example>\r\n"
    ));
    let written = check(message(), &["220 hi\r\n", "250-there\r\n250 PIPELINING\r\n"], &broken);
    assert!(written.contains("MAIL FROM:<b@c.example>\r\nRCPT TO:<a@d.example>\r\n"), "{written}");
}

#[test]
fn a_binary_content_goes_by_bdat_or_not_at_all() {
    let binary = || Handover { content: Content::Binary, size_octets: 17, ..handover(&["a@d.example"]) };
    check(binary(), &["220 hi\r\n", "250-there\r\n250 BINARYMIME\r\n"], &["Hello NoBinary"]);
    let replies =
        ["220 hi\r\n", "250-there\r\n250-CHUNKING\r\n250 BINARYMIME\r\n", "250 a\r\n", "250 b\r\n", "250 c\r\n"];
    let written = check(binary(), &replies, &["delivered 250"]);
    assert!(
        written.ends_with(
            "MAIL FROM:<b@c.example> BODY=BINARYMIME\r\nRCPT TO:<a@d.example>\r\nBDAT 17 LAST\r\n\
             Subject: x\r\n\r\n.\r\nQUIT\r\n"
        ),
        "{written}"
    );
}

#[test]
fn requiretls_is_passed_on_or_the_message_is_not() {
    let message = || Handover { require_tls: true, ..handover(&["a@d.example"]) };
    check(message(), &["220 hi\r\n", PLAIN_EHLO], &["Hello NoRequireTls"]);
    let written = check(message(), &["220 hi\r\n", "250-there\r\n250 REQUIRETLS\r\n"], &["Mail Disconnected"]);
    assert!(written.ends_with("MAIL FROM:<b@c.example> REQUIRETLS\r\n"));
}

#[test]
fn several_messages_go_over_one_connection() {
    let mut client = Client::new(hello(), handover(&["a@d.example"]));
    let replies = [
        "220 hi\r\n",
        PLAIN_EHLO,
        "250 a\r\n",
        "250 b\r\n",
        "354 go\r\n",
        "250 ok\r\n", // taken
        "250 a\r\n",
        "550 b\r\n", // nobody is taken: RSET is next
        "250 reset\r\n",
        "250 a\r\n",
        "250 b\r\n", // only asked
        "250 reset\r\n",
        "250 a\r\n",
        "250 b\r\n",
        "354 go\r\n",
        "451 later\r\n",
        "221 bye\r\n",
    ];
    let (mut written, mut replies, mut results) = (Vec::new(), replies.iter(), Vec::new());
    loop {
        match client.next() {
            ClientStep::Write(octets) => written.extend(octets),
            ClientStep::WriteContent => client.content_end(&mut written),
            ClientStep::NeedInput => client.feed(replies.next().unwrap().as_bytes()),
            ClientStep::Ready => {
                results.extend(words(&client.take_results()));
                let only_asks = results.len() == 2;
                match results.len() {
                    4 => client.quit(),
                    _ => client.hand(Handover { only_asks, ..handover(&["a@d.example"]) }),
                }
            }
            ClientStep::StartTls | ClientStep::Prove(_) => unreachable!(),
            ClientStep::Done => break,
        }
    }
    assert_eq!(results, ["delivered 250", "Recipient 550", "delivered 250", "End 451"]);
    let transaction = "MAIL FROM:<b@c.example>\r\nRCPT TO:<a@d.example>\r\n";
    assert_eq!(
        String::from_utf8(written).unwrap(),
        format!(
            "EHLO mx.example\r\n{transaction}DATA\r\n.\r\n{transaction}RSET\r\n{transaction}RSET\r\n{transaction}\
             DATA\r\n.\r\nQUIT\r\n"
        )
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_server_breaks_the_law_of_the_client(
        head in any::<[u8; 3]>(),
        octets in prop::collection::vec(any::<u8>(), 0..200),
        lines in prop::collection::vec(
            prop::sample::select(&[
                "220 a\r\n", "250 a\r\n", "250-STARTTLS\r\n", "250 PIPELINING\r\n", "354 a\r\n", "421 a\r\n", "550 5.1.1 a\r\n",
                "221 a\r\n", "334 a\r\n", "2", "\r\n",
            ][..]),
            0..30,
        ),
    ) {
        fuzz(&octets);
        // A whole conversation is rare by chance.
        let whole = ["220 a\r\n", "250 PIPELINING\r\n", "250 a\r\n", "250 a\r\n", &lines.concat()].concat();
        fuzz(&[&head, lines.concat().as_bytes()].concat());
        fuzz(&[&head, lines.concat().as_bytes(), &octets].concat());
        fuzz(&[&head, whole.as_bytes()].concat());
    }
}
