use super::*;

const CONTENT: &str =
    "Received: from client.example\r\nSubject: Bonjour\r\nMessage-ID: <m1@client.example>\r\n\r\nle corps\r\n";

fn notification<'a>(
    kind: Kind,
    language: Language,
    to: &'a Address,
    mta: &'a Domain,
    message: &'a MessageFacts,
    about: &'a [About<'a>],
) -> Notification<'a> {
    Notification {
        kind,
        language,
        institution: "Université de Nantes",
        contact: "assistance@univ-nantes.fr",
        reporting_mta: mta,
        to,
        id: "0123abcd",
        at_s: 1_796_000_000,
        accepted_at_s: 1_795_900_000,
        will_retry_until_s: Some(1_796_332_000),
        message,
        content: CONTENT.as_bytes(),
        about,
    }
}

/// What a parser of another house makes of it: type of each part, and the decoded text of the first.
fn parts(octets: &[u8]) -> (Vec<String>, String) {
    let text = String::from_utf8_lossy(octets);
    let types = text.lines().filter_map(|line| line.strip_prefix("Content-Type: ")).map(str::to_owned).collect();
    (types, text.into_owned())
}

#[test]
fn a_failure_has_the_fields_programs_read() {
    let (to, recipient) = ("alice@univ-nantes.fr".parse().unwrap(), "bob@elsewhere.example".parse().unwrap());
    let mta = "univ-nantes.fr".parse().unwrap();
    let message = MessageFacts { envid: Some("QQ+2B314".into()), ret: Some(Return::Full), ..MessageFacts::default() };
    let facts = RecipientFacts { orcpt: Some("rfc822;Bob+2Bx@elsewhere.example".into()), ..RecipientFacts::default() };
    let about = [About {
        recipient: &recipient,
        facts: &facts,
        action: Action::Failed,
        status: EnhancedCode(5, 1, 1),
        remote: Some("mx.elsewhere.example"),
        said: "550 5.1.1 nobody has this name",
        rule: "",
        last_attempt_s: Some(1_796_000_000),
    }];
    let written = write(&notification(Kind::Failure, Language::French, &to, &mta, &message, &about));
    let (types, text) = parts(&written);
    assert!(types[0].starts_with("multipart/report"), "{types:?}");
    assert_eq!(types[2..], ["message/delivery-status", "message/rfc822"]);
    let status = text.split("\r\n\r\n").find(|part| part.contains("Reporting-MTA")).unwrap();
    assert!(status.ends_with(
        "Original-Envelope-Id: QQ+314\r\nReporting-MTA: dns; univ-nantes.fr\r\nArrival-Date: Sat, 28 Nov 2026 21:06:40 +0000"
    ), "{status}");
    assert!(text.contains(
        "\r\nOriginal-Recipient: rfc822; Bob+x@elsewhere.example\r\nFinal-Recipient: rfc822; bob@elsewhere.example\r\n\
         Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.elsewhere.example\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 nobody has this name\r\nLast-Attempt-Date: Mon, 30 Nov 2026 00:53:20 +0000\r\n"
    ), "{text}");
    assert!(text.contains("\r\nIn-Reply-To: <m1@client.example>\r\n") && text.contains("le corps"), "{text}");
    assert!(!text.contains("Will-Retry-Until"));
    assert!(text.split("\r\n").all(|line| !line.contains(['\r', '\n'])));
}

#[test]
fn only_what_failed_and_was_asked_for_whole_comes_back_whole() {
    let (to, recipient) = ("alice@univ-nantes.fr".parse().unwrap(), "bob@elsewhere.example".parse().unwrap());
    let (mta, facts) = ("univ-nantes.fr".parse().unwrap(), RecipientFacts::default());
    let about = [About {
        recipient: &recipient,
        facts: &facts,
        action: Action::Delayed,
        status: EnhancedCode(4, 4, 1),
        remote: None,
        said: "no connection",
        rule: "",
        last_attempt_s: None,
    }];
    for (kind, ret, whole) in [
        (Kind::Failure, Some(Return::Full), true),
        (Kind::Failure, Some(Return::Headers), false),
        (Kind::Failure, None, false),
        (Kind::Delay, Some(Return::Full), false),
        (Kind::Success, Some(Return::Full), false),
    ] {
        let message = MessageFacts { ret, ..MessageFacts::default() };
        let (types, text) = parts(&write(&notification(kind, Language::English, &to, &mta, &message, &about)));
        assert_eq!(text.contains("le corps"), whole, "{kind:?} {ret:?}");
        assert_eq!(types[3], if whole { "message/rfc822" } else { "text/rfc822-headers" });
        assert!(text.contains("Subject: Bonjour\r\n"));
        assert!(text.contains("Will-Retry-Until: Thu, 3 Dec 2026 "), "{text}");
        assert!(!text.contains("Diagnostic-Code"), "words of ours are no reply of a server");
    }
}

#[test]
fn of_a_binary_message_the_header_alone_comes_back() {
    let (to, recipient) = ("alice@univ-nantes.fr".parse().unwrap(), "bob@elsewhere.example".parse().unwrap());
    let (mta, facts) = ("univ-nantes.fr".parse().unwrap(), RecipientFacts::default());
    let message = MessageFacts { ret: Some(Return::Full), body: Body::BinaryMime, ..MessageFacts::default() };
    let about = [About {
        recipient: &recipient,
        facts: &facts,
        action: Action::Failed,
        status: EnhancedCode(5, 6, 1),
        remote: None,
        said: "no BINARYMIME",
        rule: "",
        last_attempt_s: None,
    }];
    let told = notification(Kind::Failure, Language::English, &to, &mta, &message, &about);
    let content = [CONTENT.as_bytes(), b"\0\n\r"].concat();
    let (types, text) = parts(&write(&Notification { content: &content, ..told }));
    assert_eq!(types[3], "text/rfc822-headers");
    assert!(!text.contains("le corps") && !text.contains('\0'), "{text}");
}

#[test]
fn the_institutions_language_comes_first_and_a_reply_is_quoted_without_what_it_hides() {
    let (to, recipient) = ("alice@univ-nantes.fr".parse().unwrap(), "jérôme@elsewhere.example".parse().unwrap());
    let (mta, facts) = ("univ-nantes.fr".parse().unwrap(), RecipientFacts::default());
    let message = MessageFacts::default();
    let about = [About {
        recipient: &recipient,
        facts: &facts,
        action: Action::Failed,
        status: EnhancedCode(5, 2, 2),
        remote: Some("mx.elsewhere.example"),
        said: "552 full\u{1b}[2J\r\n--report-0123abcd",
        rule: "retention.queue",
        last_attempt_s: None,
    }];
    let place = |text: &str, needle: &str| text.find(needle).unwrap_or_else(|| panic!("{needle}: {text}"));
    let french = words::text(&notification(Kind::Failure, Language::French, &to, &mta, &message, &about));
    assert!(place(&french, "La boîte aux lettres est pleine") < place(&french, "The mailbox is full"));
    let english = words::text(&notification(Kind::Failure, Language::English, &to, &mta, &message, &about));
    assert!(place(&english, "The mailbox is full") < place(&english, "La boîte aux lettres est pleine"));
    place(&english, "    > 552 full?[2J??--report-0123abcd\r\n");
    place(&english, "Rule: retention.queue");
    place(&english, "Questions: assistance@univ-nantes.fr");
    // An address beyond ASCII: RFC 6533.
    let written = write(&notification(Kind::Failure, Language::French, &to, &mta, &message, &about));
    let (types, text) = parts(&written);
    assert_eq!(types[2..], ["message/global-delivery-status", "message/global-headers"]);
    assert!(text.contains("Final-Recipient: utf-8; jérôme@elsewhere.example\r\n"), "{text}");
    assert_eq!(text.matches("\r\n--report-0123abcd").count(), 4, "three parts and an end");
}
