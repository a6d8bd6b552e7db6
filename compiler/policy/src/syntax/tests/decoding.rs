use super::model::{Duration, Everywhere, Network, Policy, Quota, WHOLE};
use super::oracle::ron;
use super::*;
use crate::syntax::{Decoded, Entries, Items, Spanned, WordOr};
use serde::Deserialize;

/// Decodes a text as a whole; reading must be without a mistake.
fn decode<'t, T: Deserialize<'t>>(document: &'t Document, text: &str) -> (Decoded<T>, Vec<Diagnostic>) {
    let (_, found) = read_alone(text);
    assert!(found.is_empty(), "{}", drawn(text, &found));
    let mut sink = Vec::new();
    let decoded = document.decode(&mut sink);
    (decoded, sink)
}

/// One decode, its one diagnostic as code, text of the place, message and help.
fn one<T: for<'t> Deserialize<'t>>(text: &str) -> (Code, String, String, String) {
    let (document, _) = read_alone(text);
    let (decoded, found) = decode::<T>(&document, text);
    assert!(decoded.has_mistakes());
    assert_eq!(found.len(), 1, "{}", drawn(text, &found));
    let place = places(text, &found).remove(0).2;
    (found[0].code, place, found[0].message.clone(), found[0].help.clone().unwrap_or_default())
}

fn check<T: for<'t> Deserialize<'t>>(text: &str, code: Code, place: &str, message: &str, help: &str) {
    assert_eq!(one::<T>(text), (code, place.to_owned(), message.to_owned(), help.to_owned()), "{text}");
}

#[test]
fn a_whole_policy_decodes_with_places() {
    let (document, _) = read_alone(WHOLE);
    let (decoded, found) = decode::<Policy>(&document, WHOLE);
    assert!(found.is_empty(), "{}", drawn(WHOLE, &found));
    let policy = decoded.whole().expect("decoded without a mistake");
    let mut sources = Sources::new();
    sources.add("policy.ron", WHOLE);
    let (key, subs) = policy.listeners.iter().nth(1).expect("there are three");
    assert_eq!((sources.slice(key.span), key.as_str()), ("\"subs\"", "subs"));
    assert_eq!((sources.slice(subs.port.span), *subs.port), ("4_65", 465));
    assert_eq!(sources.slice(subs.speaks.span), "Smtp");
    assert!(sources.slice(subs.span).starts_with("Listener(host"));
    let Network::Front(front) = &policy.networks.get("front").expect("is there").value else { panic!("a front") };
    assert_eq!(sources.slice(front.prefixes[0].span), "\"192.0.2.80/32\"");
    assert_eq!(sources.slice(policy.grants[1].span), "(login: \"toto-jp\")");
    let person = policy.may_send.get("person").expect("is there");
    assert_eq!(person.lasts, Some(Duration(15)));
    assert_eq!(policy.may_send.get("machine").map(|block| &block.from), Some(&WordOr::Word(Everywhere::Everywhere)));
    let WordOr::Value(windows) = &person.recipients else { panic!("a list") };
    assert_eq!(sources.slice(windows[1].span), "\"1000 / 1 h\"");
    assert_eq!(policy.examples[0], ("a\tb".to_owned(), "éA".to_owned(), -3));
}

#[test]
fn a_model_with_places_decodes_from_ron_and_json_with_empty_places() {
    let policy: Policy = ron(WHOLE).expect("ron reads it");
    assert!(policy.listeners.keys().all(|key| key.span.is_empty()));
    let value: Spanned<Vec<Spanned<u16>>> = serde_json::from_str("[1, 2]").expect("JSON reads it");
    assert_eq!(value, Spanned::from(vec![Spanned::from(1), Spanned::from(2)]));
    let value: Entries<WordOr<Everywhere, Items<String>>> =
        serde_json::from_str(r#"{"a": ["x"]}"#).expect("JSON reads it");
    assert_eq!(value.get("a").and_then(|value| value.value().map(|items| items.len())), Some(1));
}

#[test]
fn unknown_fields_are_named_with_the_nearest() {
    check::<Policy>(
        &WHOLE.replace("domain: r#", "domian: \"x\", domain: r#"),
        Code::E0002,
        "domian",
        "`institution` has no field `domian`",
        "did you mean `domain`? Fields here: name, domain, guide, initial, public",
    );
}

#[test]
fn missing_fields_are_named_with_their_entry() {
    check::<Policy>(
        &WHOLE.replace("port: 0x19, ", ""),
        Code::E0003,
        "\"mx\"",
        "listener \"mx\" lacks `port`",
        "add `port: 25`; it decides where clients connect",
    );
    check::<Policy>(
        &WHOLE.replace(", carries: ClientAddress", ""),
        Code::E0003,
        "\"front\"",
        "`Front` of network \"front\" lacks `carries`",
        "add `carries: …`",
    );
    check::<Policy>(
        &WHOLE.replace("login: \"toto-jp\"", ""),
        Code::E0003,
        "(",
        "grant 2 lacks `login`",
        "add `login: …`",
    );
    let (code, place, message, _) = one::<Policy>(&WHOLE.replace("    language: 1,\n", ""));
    assert_eq!((code, &*place, &*message), (Code::E0003, "Policy", "`Policy` lacks `language`"));
}

#[test]
fn a_slip_in_a_word_finds_the_word() {
    check::<Policy>(
        &WHOLE.replace("speaks: Imap", "speaks: Imaps"),
        Code::E0101,
        "Imaps",
        "unknown word \"Imaps\" for `speaks`",
        "did you mean `Imap`? Defined: Smtp, Imap, Pop",
    );
    check::<Policy>(
        &WHOLE.replace("{ Webmail:", "{ Webmial:"),
        Code::E0101,
        "Webmial",
        "unknown word \"Webmial\" for `web`",
        "did you mean `Webmail`? Defined: Webmail, Imaps",
    );
    check::<Policy>(
        &WHOLE.replace("from: Everywhere", "from: Everwhere"),
        Code::E0101,
        "Everwhere",
        "unknown word \"Everwhere\" for `from`",
        "did you mean `Everywhere`? Defined: Everywhere, Nowhere",
    );
}

#[test]
fn a_value_of_another_kind_says_what_was_wanted() {
    let swap = |from: &str, to: &str| WHOLE.replacen(from, to, 1);
    let port = "for example `25`";
    check::<Policy>(
        &swap("port: 993", "port: \"993\""),
        Code::E0104,
        "\"993\"",
        "expected a whole number, found a string: `\"993\"`",
        port,
    );
    check::<Policy>(
        &swap("port: 993", "port: 9.5"),
        Code::E0104,
        "9.5",
        "expected a whole number, found a fraction: `9.5`",
        port,
    );
    check::<Policy>(
        &swap("speaks: Imap", "speaks: \"Imap\""),
        Code::E0104,
        "\"Imap\"",
        "expected one of the words `Smtp`, `Imap`, `Pop`, found a string: `\"Imap\"`",
        "write `Imap` without quotes",
    );
    check::<Policy>(
        &swap("(host: \"imaps.office.example\"", "In(host: \"imaps.office.example\""),
        Code::E0104,
        "In(host: \"imaps.office.example\", port: 993, speaks: Imap, tls: None)",
        "expected a group `( … )`, found a word with brackets: `In(host: \"imaps.office.example\",…`",
        "",
    );
    check::<Policy>(
        &swap("\"outside\": Rest", "\"outside\": Rest()"),
        Code::E0104,
        "Rest()",
        "expected `Rest` without brackets, found a word with brackets: `Rest()`",
        "",
    );
    check::<Policy>(
        &swap("(\"\", \"\\\"\", 0)", "(\"\", 0)"),
        Code::E0104,
        "(\"\", 0)",
        "expected 3 values in brackets, found a group: `(\"\", 0)`",
        "",
    );
}

#[test]
fn a_number_outside_its_range_says_the_range() {
    check::<Policy>(
        &WHOLE.replace("993", "99300"),
        Code::E0108,
        "99300",
        "99300 is out of range for `port` (0–65535)",
        "",
    );
    check::<Policy>(&WHOLE.replace("993", "-1"), Code::E0108, "-1", "-1 is out of range for `port` (0–65535)", "");
}

#[test]
fn a_literal_raises_its_own_code_at_its_place() {
    let text = WHOLE.replace("lasts: \"15 min\"", "lasts: 15");
    check::<Policy>(&text, Code::E0107, "15", "a number without a unit", "write \"15 min\"");
    let text = WHOLE.replace("lasts: \"15 min\"", "lasts: \"soon\"");
    check::<Policy>(&text, Code::E0104, "\"soon\"", "a duration that nobody understands", "");
    let text = WHOLE.replace("lasts: \"15 min\"", "lasts: [1]");
    check::<Policy>(&text, Code::E0104, "[1]", "expected a duration such as \"15 min\", found a list: `[1]`", "");
}

#[test]
fn a_diagnostic_knows_its_policy_path() {
    let text = WHOLE.replace("\"2001:db8::/32\"", "7");
    let (document, _) = read_alone(&text);
    let (_, found) = decode::<Policy>(&document, &text);
    assert_eq!(found[0].rule.as_deref(), Some("networks.inside[1]"));
}

#[test]
fn mistakes_accumulate_over_sections_entries_and_fields() {
    let text = WHOLE
        .replace("language: 1", "language: \"1\"")
        .replace("name: \"Office\"", "name: 5, nmae: 6")
        .replace("initial: 'é'", "initial: \"é\"")
        .replace("[\"192.0.2.0/24\"", "[192, true")
        .replace("port: 0x19, speaks: Smtp", "port: 70000, speaks: Smpt")
        .replace("tls: Implicit", "tls: Implicit, colour: 3")
        .replace("login: \"toto-jp\"", "logn: \"toto-jp\"")
        .replace("above: \"1 GB\"", "above: 1");
    let (document, _) = read_alone(&text);
    let (decoded, found) = decode::<Policy>(&document, &text);
    assert_eq!(decoded, Decoded::Broken);
    let mut places: Vec<_> = places(&text, &found).into_iter().map(|(code, _, place)| (code, place)).collect();
    places.sort();
    let expected = [
        (Code::E0002, "colour"),
        (Code::E0002, "logn"),
        (Code::E0002, "nmae"),
        (Code::E0101, "Smpt"),
        (Code::E0104, "\"1\""),
        (Code::E0104, "\"é\""),
        (Code::E0104, "1"),
        (Code::E0104, "192"),
        (Code::E0104, "5"),
        (Code::E0104, "true"),
        (Code::E0108, "70000"),
    ];
    assert_eq!(places, expected.map(|(code, place)| (code, place.to_owned())), "{}", drawn(&text, &found));
}

#[test]
fn a_broken_entry_is_left_out_and_its_name_remembered() {
    let text = "Policy(networks: { \"a\": In([\"x\"]), \"b\": Inn, \"c\": Rest })";
    let (document, _) = read_alone(text);
    let mut sink = Vec::new();
    let networks: Decoded<Entries<Network>> = document.decode_field("networks", &mut sink);
    assert_eq!(codes(&sink), [Code::E0101]);
    let Decoded::Partial(networks) = networks else { panic!("decoded in part") };
    assert_eq!(networks.keys().map(|key| key.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(networks.broken().iter().map(|key| key.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(document.decode_field::<u8>("nowhere", &mut sink), Decoded::Absent);
}

#[test]
fn what_the_reader_could_not_read_is_no_second_mistake() {
    let text = "Policy(listeners: { \"mx\": (host: \"x\", port: = 5, speaks Smtp) })";
    let (document, found) = read_alone(text);
    assert_eq!(codes(&found), [Code::E0001, Code::E0001]);
    let mut sink = Vec::new();
    let listeners: Decoded<Entries<model::Listener>> = document.decode_field("listeners", &mut sink);
    assert!(sink.is_empty(), "{}", drawn(text, &sink));
    assert!(listeners.has_mistakes());
}

#[test]
fn sections_nobody_knows_and_another_name_are_reported() {
    let text = "Polcy(langage: 1, networks: {})";
    let (document, _) = read_alone(text);
    let mut sink = Vec::new();
    document.expect("Policy", &["language", "networks"], &mut sink);
    assert_eq!(places(text, &sink), [(Code::E0104, 1, "Polcy".to_owned()), (Code::E0002, 1, "langage".to_owned())]);
    assert_eq!(sink[1].help.as_deref(), Some("did you mean `language`? Fields here: language, networks"));
}

#[test]
fn words_with_brackets_follow_ron_to_the_letter() {
    let forms = [
        "Fixed(\"x\")",
        "Fixed((\"x\"))",
        "Fixed(\"x\", \"y\")",
        "Fixed()",
        "Fixed",
        "OnRequest(above: \"x\")",
        "OnRequest((above: \"x\"))",
        "OnRequest(\"x\")",
        "OnRequest()",
        "Between(1, 2)",
        "Between(1)",
        "Between((1, 2))",
        "Between(1, 2, 3)",
        "Between()",
        "Held()",
        "Held(only: \"x\")",
        "Held(only: Some(\"x\"))",
        "Held(only: None)",
        "Held",
        "Held(())",
        "Graced(1)",
        "Graced(Some(1))",
        "Graced(None)",
        "Graced(Some(None))",
        "Some(Fixed(\"x\"))",
        "Some(Some(Fixed(\"x\")))",
        "None",
        "Fixed(r\"x\",)",
        "Fixed (\"x\")",
    ];
    let mut accepted = 0;
    for form in forms {
        let (document, found) = read_alone(form);
        let mut sink = found;
        let ours: Decoded<Option<Quota>> = document.decode(&mut sink);
        let theirs = ron::<Option<Quota>>(form);
        match ours.whole().filter(|_| sink.is_empty()) {
            Some(ours) => {
                accepted += 1;
                assert_eq!(Some(ours), theirs.ok(), "{form}");
            }
            None => assert!(theirs.is_err(), "{form} is refused by us alone: {}", drawn(form, &sink)),
        }
    }
    assert_eq!(accepted, 14);
}

#[test]
fn diagnostics_of_a_decode_read_well() {
    let text = "Policy(
    language: 1,
    institution: (name: \"Office\", domian: \"office.example\"),
    networks: { \"inside\": In([\"192.0.2.0/24\", 7]), \"outside\": Rset },
    listeners: {
        \"mx\": (host: \"mx.office.example\", speaks: Smtp),
    },
    may_send: { \"a\": (from: Everywhere, recipients: Unlimited, lasts: 15) },
)
";
    let (document, _) = read_alone(text);
    let (_, found) = decode::<Policy>(&document, text);
    insta::assert_snapshot!(drawn(text, &found), @r##"
    error[E0002]: `institution` has no field `domian`
     --> policy.ron:3:35
      |
    3 |     institution: (name: "Office", domian: "office.example"),
      |                                   ^^^^^^
      |
      = help: did you mean `domain`? Fields here: name, domain, guide, initial, public

    error[E0104]: expected a string, found a number: `7`
     --> policy.ron:4:47
      |
    4 |     networks: { "inside": In(["192.0.2.0/24", 7]), "outside": Rset },
      |                                               ^

    error[E0101]: unknown word "Rset" for `networks`
     --> policy.ron:4:63
      |
    4 |     networks: { "inside": In(["192.0.2.0/24", 7]), "outside": Rset },
      |                                                               ^^^^
      |
      = help: did you mean `Rest`? Defined: In, Front, Rest

    error[E0003]: listener "mx" lacks `port`
     --> policy.ron:6:9
      |
    6 |         "mx": (host: "mx.office.example", speaks: Smtp),
      |         ^^^^
      |
      = help: add `port: 25`; it decides where clients connect

    error[E0107]: a number without a unit
     --> policy.ron:8:71
      |
    8 |     may_send: { "a": (from: Everywhere, recipients: Unlimited, lasts: 15) },
      |                                                                       ^^
      |
      = help: write "15 min"
    "##);
}
