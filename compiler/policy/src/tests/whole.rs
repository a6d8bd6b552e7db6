//! The policies of this repository, whole.

use super::*;
use crate::model::Policy;
use crate::model::people::People;

#[test]
fn the_policies_of_this_repository_compile_without_an_error() {
    for (name, policy, people, count) in
        [("nantes", NANTES, NANTES_PEOPLE, 30), ("office", OFFICE, OFFICE_PEOPLE, 4), ("bench", BENCH, BENCH_PEOPLE, 2)]
    {
        let compiled = check_with(policy, people);
        assert_eq!(errors(&compiled), [], "{name}");
        let sealed = compiled.plan.unwrap_or_else(|| panic!("{name} has a plan"));
        let (read, hash) = plan::read(&sealed.text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((read, hash), (sealed.plan, sealed.hash), "{name}");
        assert_eq!(compiled.people.expect("people").people.len(), count, "{name}");
    }
}

#[test]
fn the_ron_crate_decodes_every_file_into_the_same_model() {
    use ron::extensions::Extensions;
    let options = ron::Options::default()
        .with_default_extension(Extensions::IMPLICIT_SOME)
        .with_default_extension(Extensions::UNWRAP_NEWTYPES)
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES);
    let neighbours = include_str!("neighbours.ron");
    for text in [NANTES, OFFICE, BENCH, neighbours, crate::defaults::TEXT] {
        let mut sources = crate::diagnostic::Sources::new();
        let file = sources.add("policy.ron", text);
        let mut sink = Vec::new();
        let document = crate::syntax::read(file, text, &mut sink);
        let ours = Policy::decode(&document, &mut sink);
        assert_eq!(sink, []);
        let theirs: Policy = options.from_str(text).unwrap_or_else(|error| panic!("{error}"));
        // A section `None` is absent for them: their option knows one nothing, ours two.
        let mut ours = ours;
        for section in ["senders", "logins", "antivirus", "antispam", "backup"] {
            if document.section(section).is_some_and(|s| s.node.name().is_some_and(|name| &*name.text == "None")) {
                ours.forget(section);
            }
        }
        let mut theirs_without = theirs;
        for section in ["senders", "logins", "antivirus", "antispam", "backup"] {
            if document.section(section).is_some_and(|s| s.node.name().is_some_and(|name| &*name.text == "None")) {
                theirs_without.forget(section);
            }
        }
        assert_eq!(ours, theirs_without);
    }
    for text in [NANTES_PEOPLE, OFFICE_PEOPLE, BENCH_PEOPLE] {
        let mut sources = crate::diagnostic::Sources::new();
        let file = sources.add("people.ron", text);
        let mut sink = Vec::new();
        let document = crate::syntax::read(file, text, &mut sink);
        let ours = People::decode(&document, &mut sink);
        assert_eq!(sink, []);
        let theirs: People = options.from_str(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            format!("{ours:?}").replace("Absent", "Whole([])"),
            format!("{theirs:?}").replace("Absent", "Whole([])")
        );
    }
}

#[test]
fn a_university_with_neighbours_compiles() {
    let compiled = check(include_str!("neighbours.ron"));
    assert_eq!(errors(&compiled), []);
    assert!(compiled.plan.is_some());
    let plan = compiled.plan.expect("a plan").plan;
    assert_eq!(plan.may_receive["reception"].connecting_to, ["mx"]);
    assert_eq!(plan.may_read["reading"].from, ["campus", "internet", "servers"]);
}

#[test]
fn the_office_gets_the_defaults_of_the_language() {
    let plan = check(OFFICE).plan.expect("a plan").plan;
    assert_eq!(plan.may_send.keys().collect::<Vec<_>>(), ["person-inside", "person-outside"]);
    assert_eq!(plan.may_send["person-inside"].limits.row().recipients_in_one_message, 100);
    assert_eq!(plan.may_send["person-outside"].limits.row().recipients_in_one_message, 50);
    assert_eq!(plan.one_account_in_several_blocks, plan::SeveralBlocks::CountedTogether);
    assert_eq!(plan.listeners["mx"].tls, plan::TlsMode::Offered);
    assert_eq!(plan.listeners["subs"].tls, plan::TlsMode::Implicit);
    assert_eq!(plan.strangers.not_for, ["inside"]);
    assert_eq!(plan.antivirus, None);
    assert!(!plan.reception.contains(&plan::ReceptionStep::Antivirus));
    assert_eq!(plan.never_reachable_beyond.get(&plan::Reach::Relay), None);
    assert_eq!(plan.never_reachable_beyond[&plan::Reach::Submission], ["inside", "outside"]);
    let promised: Vec<&str> = plan.guarantees.iter().map(plan::Guarantee::name).collect();
    assert_eq!(promised, ["NoOpenRelay", "NobodyPosesAsUs", "NoClearPassword", "EveryLossIsRecorded"]);
    assert_eq!(plan.identity.address.official, "{First}.{Last}@cabinet-martin.example");
}

#[test]
fn rule_ids_lead_to_their_lines() {
    let map = check(NANTES).plan.expect("a plan").map;
    for (rule, needle) in [
        ("may_send.person-outside.recipients_attempted/15min", "[\"250 / 15 min\""),
        ("may_send.person-outside.recipients_in_one_message", "messages_accepted: [\"50 / 1 h\"]"),
        ("may_send.machine.messages_accepted/1h", "each_client_address: (recipients_in"),
        ("may_send.person-inside.empty_sender", "from: [\"inside\", \"private\"], to: Anyone"),
        ("may_receive.reception.to", "\"reception\": (connecting_to"),
        ("antivirus.inbound.infected", "infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody),"),
        ("logins.each_account_and_network.failed/15min", "each_account_and_network: (failed"),
        ("strangers.unknown_recipients_attempted/15min", "unknown_recipients_attempted: ["),
        ("listeners.subm.auth", "\"subm\":  (host"),
        ("reception.KnownRecipient", "reception: [KnownRecipient"),
        ("mailboxes.when_full", "when_full: ("),
        ("mailboxes.message_size", "message_size:"),
    ] {
        let place = map.places.get(rule).unwrap_or_else(|| panic!("{rule} has a place"));
        assert_eq!(place.line, line_of(NANTES, needle), "{rule}");
        assert_eq!(place.text, NANTES.lines().nth(place.line as usize - 1).expect("a line").trim_end(), "{rule}");
        assert_eq!(place.file, 0);
    }
    let outside = &map.places["may_send.person-outside.recipients_attempted/15min"];
    assert!(outside.text.chars().skip(outside.column as usize - 1).collect::<String>().starts_with("\"250 / 15 min\""));
    assert!(map.places.keys().all(|rule| !rule.contains("each_account.")), "no rule id keeps the key");
}

#[test]
fn rules_of_defaults_lead_to_the_defaults_and_derived_blocks_to_their_listener() {
    let map = check(OFFICE).plan.expect("a plan").map;
    assert_eq!(map.files, ["policy.ron", crate::defaults::FILE_NAME]);
    let strangers = &map.places["strangers.unknown_recipients_attempted/15min"];
    assert_eq!(strangers.file, 1);
    let block = map.find("may_send.person-inside.recipients_attempted/15min").expect("a place");
    assert_eq!((block.file, block.line), (0, line_of(OFFICE, "\"subs\":")));
}

#[test]
fn grants_and_applications_have_rule_ids_by_name() {
    let map = check(include_str!("neighbours.ron")).plan.expect("a plan").map;
    for rule in [
        "limit_grants.elections.person.recipients_attempted/1day",
        "senders.moodle.recipients_attempted/1h",
        "may_send.person.by_profile.student.messages_accepted/1h",
    ] {
        assert!(map.places.contains_key(rule), "{rule}");
    }
}

#[test]
fn the_blast_radius_of_nantes_is_that_of_the_guide() {
    let compiled = check(NANTES);
    assert_eq!(
        compiled.blast.expect("figures").to_string(),
        "one password: 2500 recipients an hour; from the Internet alone 1500 an hour, 36 000 a day"
    );
    let together = with(NANTES, "CountedSeparately, ", "CountedTogether, ");
    let blast = check(&together).blast.expect("figures");
    assert_eq!((blast.hour, blast.internet_hour), (Some(1_000), Some(1_000)));
}

#[test]
fn three_mistakes_in_different_sections_are_reported_in_one_run() {
    let text = with(NANTES, "port: 587,", "prot: 587,");
    let text = with(&text, "message_size: \"20 MB\"", "message_size: 20");
    let text = with(&text, "\"cnrs\":     Suffix", "\"cnrs\":     Sufix");
    let expected = [(Code::E0002, line_of(&text, "prot: 587")), (Code::E0107, line_of(&text, "message_size: 20"))];
    let mut found = errors(&check(&text));
    let sufix = found.pop();
    assert_eq!(found.iter().filter(|e| expected.contains(e)).count(), 2, "{found:?}");
    assert_eq!(sufix.map(|(_, line)| line), Some(line_of(&text, "Sufix")));
    assert!(found.len() <= 3, "nothing follows from the mistakes: {found:?}");
}

#[test]
fn mistakes_of_different_phases_do_not_hide_each_other() {
    // Reading, typing, resolving, checking.
    let text = with(NANTES, "covers: [System, Mailboxes], ", "covers: [System, Mailboxes] ");
    let text = with(&text, "otherwise: \"standard\"", "otherwise: \"standart\"");
    let text = with(&text, "\"toto-j-1\")", "\"toto-j-2\")");
    let text = with(&text, "time_zone: \"Europe/Paris\"", "time_zone: \"Europe/Nantes\"");
    let found: Vec<Code> = errors(&check(&text)).into_iter().map(|(code, _)| code).collect();
    assert_eq!(found, [Code::E0120, Code::E0804, Code::E0101, Code::E0001]);
}

#[test]
fn a_key_written_twice_shows_both_places() {
    let text = with(
        NANTES,
        "        \"private\":       In([\"10.44.0.0/16\"]),\n",
        "        \"private\":       In([\"10.44.0.0/16\"]),\n        \"inside\":        In([\"203.0.113.0/24\"]),\n",
    );
    let compiled = check(&text);
    let twice: Vec<_> = compiled.diagnostics.iter().filter(|found| found.code == Code::E0004).collect();
    let [twice] = twice.as_slice() else { panic!("{:?}", compiled.diagnostics) };
    let lines: Vec<u32> =
        twice.labels.iter().map(|label| compiled.sources.position(label.span.file, label.span.start).line).collect();
    assert_eq!(
        lines,
        [line_of(&text, "In([\"203.0.113.0/24\"])"), line_of(&text, "\"inside\":        In([\"192.0.2.0/24\"")]
    );
    assert!(compiled.plan.is_none());
}

#[test]
fn people_with_mistakes_leave_the_plan_as_it_is() {
    let wrong = with(NANTES_PEOPLE, "members: [\"dupont-a\"]", "members: [\"dupond-a\"]");
    let compiled = check_with(NANTES, &wrong);
    assert_eq!(errors(&compiled), [(Code::E0813, line_of(&wrong, "dupond-a"))]);
    assert_eq!(compiled.plan.expect("a plan").hash, check(NANTES).plan.expect("a plan").hash);
    assert!(compiled.people.is_none());
}

#[test]
fn hostile_text_is_reported_and_never_panics() {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let spice = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "Some(",
        "None",
        "0",
        "-1",
        "99999999999999999999",
        "é",
        "\u{202e}",
        "Rest",
        "Everywhere",
        "Unlimited",
        "\"1 / 1 s\"",
        "//",
        "/*",
    ];
    for _ in 0..400 {
        let mut text: String = if next() % 2 == 0 { NANTES.to_owned() } else { OFFICE.to_owned() };
        for _ in 0..1 + next() % 4 {
            let mut at = (next() as usize) % text.len();
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let mut end = (at + (next() as usize) % 12).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            text.replace_range(at..end, spice[(next() as usize) % spice.len()]);
        }
        let compiled = check(&text);
        assert_eq!(compiled.plan.is_none(), compiled.has_errors(), "a plan or errors:\n{text}");
    }
}
