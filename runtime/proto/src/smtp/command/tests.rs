//! Tests of the grammar of commands.

use mail::Address;
use proptest::prelude::*;

use super::*;
use mail::{Body, Notify, Return};

#[track_caller]
fn check(line: &str, expected: Result<Command, BadCommand>) {
    assert_eq!(parse(line.as_bytes()), expected, "{line:?}");
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn mail_from(reverse_path: ReversePath, parameters: MailParameters) -> Result<Command, BadCommand> {
    Ok(Command::Mail { reverse_path, parameters })
}

fn rcpt_to(forward_path: ForwardPath) -> Result<Command, BadCommand> {
    Ok(Command::Rcpt { forward_path, parameters: RcptParameters::default() })
}

#[test]
fn verbs_without_arguments() {
    check("STARTTLS", Ok(Command::StartTls));
    check("data  ", Ok(Command::Data));
    check("Rset", Ok(Command::Rset));
    check("QUIT", Ok(Command::Quit));
    check("NOOP whatever comes", Ok(Command::Noop));
    check("HELP MAIL", Ok(Command::Help));
    check("VRFY jean", Ok(Command::Vrfy));
    check("EXPN", Ok(Command::Expn));
    check("QUIT now", Err(BadCommand::Argument("QUIT")));
    check("QUITTE", Err(BadCommand::Unknown));
    check("", Err(BadCommand::Unknown));
    check("MAILFROM:<>", Err(BadCommand::Unknown));
}

#[test]
fn ehlo_takes_what_clients_write() {
    check("EHLO mx.example", Ok(Command::Ehlo(HelloName("mx.example".into()))));
    check("HELO [192.0.2.1]", Ok(Command::Helo(HelloName("[192.0.2.1]".into()))));
    check("EHLO PC_de_Jean", Ok(Command::Ehlo(HelloName("PC_de_Jean".into()))));
    check("EHLO", Err(BadCommand::Argument("EHLO domain")));
    check("EHLO a b", Err(BadCommand::Argument("EHLO domain")));
    check(&format!("EHLO {}", "a".repeat(256)), Err(BadCommand::Argument("EHLO domain")));
    assert_eq!(HelloName("MX.Example".into()).domain(), Some("mx.example".parse().unwrap()));
}

#[test]
fn auth_has_a_mechanism_and_perhaps_a_response() {
    let auth = |mechanism: &str, initial: Option<&str>| {
        Ok(Command::Auth { mechanism: mechanism.into(), initial: initial.map(str::to_owned) })
    };
    check("AUTH PLAIN", auth("PLAIN", None));
    check("AUTH SCRAM-SHA-256 =", auth("SCRAM-SHA-256", Some("=")));
    check("AUTH PLAIN AGEAYg==", auth("PLAIN", Some("AGEAYg==")));
    let usage = BadCommand::Argument("AUTH mechanism [initial-response]");
    check("AUTH", Err(usage.clone()));
    check("AUTH PLAIN a b", Err(usage));
}

#[test]
fn bdat_has_a_length() {
    check("BDAT 0", Ok(Command::Bdat { octets: 0, last: false }));
    check("BDAT 86 last", Ok(Command::Bdat { octets: 86, last: true }));
    for bad in ["BDAT", "BDAT -1", "BDAT 1 FIRST", "BDAT 1LAST", "BDAT 18446744073709551616"] {
        check(bad, Err(BadCommand::Argument("BDAT octets [LAST]")));
    }
}

#[test]
fn mail_has_a_reverse_path() {
    let none = MailParameters::default;
    check("MAIL FROM:<>", mail_from(ReversePath::Null, none()));
    check("mail from: <A@b.example>", mail_from(ReversePath::Address(address("A@b.example")), none()));
    check("MAIL FROM:<\"a>b\"@c.example>", mail_from(ReversePath::Address(address("\"a>b\"@c.example")), none()));
    check(
        "MAIL FROM:<@r.example,@s.example:a@b.example>",
        mail_from(ReversePath::Address(address("a@b.example")), none()),
    );
    check("MAIL FROM:a@b.example", Err(BadCommand::ReversePath(BadPath::Brackets)));
    check("MAIL FROM:<a@b.example", Err(BadCommand::ReversePath(BadPath::Brackets)));
    check("MAIL FROM:<a>", Err(BadCommand::ReversePath(BadPath::Address(mail::BadAddress::NoAt))));
    check("MAIL TO:<>", Err(BadCommand::Argument("MAIL FROM:<address> [parameters]")));
}

#[test]
fn mail_has_parameters() {
    let line = "MAIL FROM:<> SIZE=20000000 body=binarymime SMTPUTF8 REQUIRETLS AUTH=<> RET=HDRS ENVID=QQ+3D314";
    check(
        line,
        mail_from(
            ReversePath::Null,
            MailParameters {
                size_octets: Some(20_000_000),
                body: Body::BinaryMime,
                smtputf8: true,
                require_tls: true,
                auth: Some("<>".into()),
                ret: Some(Return::Headers),
                envid: Some("QQ+3D314".into()),
            },
        ),
    );
    check(
        "MAIL FROM:<> SIZE=99999999999999999999",
        mail_from(ReversePath::Null, MailParameters { size_octets: Some(u64::MAX), ..MailParameters::default() }),
    );
    let bad = |parameters: &str, expected: BadParameter| {
        check(&format!("MAIL FROM:<>{parameters}"), Err(BadCommand::Parameter(expected)));
    };
    bad(" X-NEW=1", BadParameter::Unknown("X-NEW".into()));
    bad(" REQUIRETLS=1", BadParameter::Value("REQUIRETLS"));
    bad(" BODY=9BIT", BadParameter::Value("BODY"));
    bad(" SIZE", BadParameter::Value("SIZE"));
    bad(" SIZE=+1", BadParameter::Value("SIZE"));
    bad(" SIZE=1 size=2", BadParameter::Twice("SIZE"));
    bad(" SMTPUTF8=yes", BadParameter::Value("SMTPUTF8"));
    bad(" ENVID=a+zz", BadParameter::Value("ENVID"));
    bad("SIZE=1", BadParameter::Syntax);
    bad(" SIZE=1=2", BadParameter::Syntax);
    bad(" =1", BadParameter::Syntax);
}

#[test]
fn rcpt_has_a_forward_path() {
    check("RCPT TO:<Jean.Toto@univ-nantes.fr>", rcpt_to(ForwardPath::Address(address("Jean.Toto@univ-nantes.fr"))));
    check("RCPT TO:<PostMaster>", rcpt_to(ForwardPath::Postmaster));
    check(
        "RCPT TO:<@a.example,@b.example:u@h.example>",
        rcpt_to(ForwardPath::Malformed("@a.example,@b.example:u@h.example".into())),
    );
    for bad in ["RCPT TO:<>", "RCPT TO:<jean>", "RCPT TO:<a@b@c.example>", "RCPT TO:<@a.example:>", "RCPT TO:<a@b c>"] {
        assert!(matches!(parse(bad.as_bytes()), Err(BadCommand::ForwardPath(BadPath::Address(_)))), "{bad}");
    }
    check(
        "RCPT TO:<a@b.example> NOTIFY=SUCCESS,delay ORCPT=rfc822;a@b.example",
        Ok(Command::Rcpt {
            forward_path: ForwardPath::Address(address("a@b.example")),
            parameters: RcptParameters {
                notify: Some(Notify { success: true, failure: false, delay: true }),
                orcpt: Some("rfc822;a@b.example".into()),
            },
        }),
    );
    check("RCPT TO:<a@b.example> NOTIFY=NEVER,DELAY", Err(BadCommand::Parameter(BadParameter::Value("NOTIFY"))));
}

#[test]
fn octets_that_no_command_holds() {
    for line in
        [&b"NOOP\0"[..], b"NOOP \r", b"NOOP \n", b"NOOP\t", b"NOOP \x7f", b"NOOP \xff", "NOOP \u{85}".as_bytes()]
    {
        assert_eq!(parse(line), Err(BadCommand::Octets), "{line:?}");
    }
}

#[test]
fn each_mistake_has_a_reply_that_refuses() {
    for line in ["", "\0", "MAIL FROM:x", "RCPT TO:x", "MAIL FROM:<> X", "MAIL", "GET / HTTP/1.1"] {
        let reply = parse(line.as_bytes()).unwrap_err().reply();
        assert!(!reply.code.is_positive(), "{line:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_command_makes_no_panic(
        seed in prop::sample::select(&[
            "MAIL FROM:<@r.example:\"a\\\"b\"@b.example> SIZE=1 BODY=7BIT SMTPUTF8 AUTH=<> RET=FULL ENVID=a+2B",
            "RCPT TO:<@a.example,@b.example:jérôme@h.example> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;é",
            "RCPT TO:<\"a b\"@[IPv6:2001:db8::1]>",
            "BDAT 123456 LAST",
            "AUTH PLAIN AGEAYg==",
            "EHLO [192.0.2.1]",
        ][..]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 0..6),
    ) {
        let mut octets = seed.as_bytes().to_vec();
        for (place, octet, kind) in edits {
            if octets.is_empty() {
                break;
            }
            let at = place.index(octets.len());
            match kind {
                0 => octets[at] = octet,
                1 => octets.insert(at, octet),
                _ => drop(octets.remove(at)),
            }
        }
        fuzz(&octets);
    }
}
