//! What overlays may and may not edit.

use super::*;

const LOCKED: &str = "locked: [\"antivirus\", \"never_reachable_beyond\", \"mailboxes.message_size\"],";

fn locked_nantes() -> String {
    NANTES.replacen("Policy(", &format!("Policy(\n    {LOCKED}"), 1)
}

#[test]
fn a_value_is_set_where_it_stands_and_typed_by_its_field() {
    let compiled = overlaid("    set: { \"mailboxes.message_size\": \"10 MB\", \"when_over.window\": Refuse },");
    assert!(plan_of(&compiled).contains("10000000"));
    let wrong = overlaid("    set: {\n        \"mailboxes.message_size\": 10,\n    },");
    let (_, at) = only(&wrong, Code::E0107);
    assert_eq!(at, "10");
    assert_eq!(places(&wrong), [(Code::E0107, "x/over.ron".to_owned(), 4)]);
}

#[test]
fn keys_with_dots_and_places_in_lists_are_paths() {
    let compiled = overlaid(
        "    set: {
        \"domains.univ-nantes.fr\": Held(profile: \"visitor\"),
        \"may_send.person-outside.each_account.recipients_attempted[0]\": \"123 / 15 min\",
        \"networks.private[0]\": \"10.45.0.0/16\",
    },
    add: { \"domains.labo.univ-nantes.fr\": Held() },",
    );
    let text = plan_of(&compiled);
    for part in ["visitor", "123", "10.45.0.0/16", "labo.univ-nantes.fr"] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn an_optional_field_may_be_set_and_a_wrong_one_names_the_nearest() {
    let compiled = overlaid(
        "    set: { \"domains.univ-nantes.fr.profile\": \"visitor\", \"may_send.machine.warn_at\": \"80 %\" },",
    );
    plan_of(&compiled);
    let wrong = overlaid("    set: { \"mailboxes.mesage_size\": \"10 MB\" },");
    let (found, at) = only(&wrong, Code::E0110);
    assert_eq!(at, "\"mailboxes.mesage_size\"");
    assert_eq!(found.help.as_deref(), Some("nearest: `mailboxes.message_size`"));
    let overlay = mended(&wrong, found);
    assert!(overlay.contains("\"mailboxes.message_size\": \"10 MB\""), "{overlay}");
}

#[test]
fn a_path_that_leads_nowhere_names_the_nearest() {
    for (path, near) in [
        (
            "may_send.person-ouside.each_account.messages_accepted",
            "may_send.person-outside.each_account.messages_accepted",
        ),
        ("maiboxes.message_size", "mailboxes.message_size"),
        ("redirects.allow.insrem", "redirects.allow.inserm"),
    ] {
        let compiled = overlaid(&format!("    set: {{ {path:?}: \"x\" }},"));
        let (found, _) = only(&compiled, Code::E0110);
        assert_eq!(found.message, format!("overlay path `{path}` does not exist in x/base.ron"));
        assert_eq!(found.help, Some(format!("nearest: `{near}`")));
        assert_eq!(found.fix[0].text, format!("{near:?}"));
    }
    for path in
        ["locked", "include", "nothing.like.it", "", ".", "networks[0]", "networks.inside[9]", "tls.certificate.x"]
    {
        let compiled = overlaid(&format!("    set: {{ {path:?}: [] }},"));
        only(&compiled, Code::E0110);
    }
}

#[test]
fn a_section_nobody_wrote_is_taken_from_the_defaults() {
    let compiled = over(
        OFFICE,
        "    set: {
        \"mailboxes.message_size\": \"10 MB\", \"tls.certificate\": SelfSigned,
        \"identity.password.renew_every\": \"6 months\", \"strangers.connections_at_once\": 7,
    },
    add: { \"guarantees\": [SpamIsAlwaysDelivered], \"limit_grants\": [] },",
    );
    let (text, plain) = (plan_of(&compiled), plan_text(OFFICE));
    assert!(text.contains("10000000") && text.contains("SelfSigned") && text.contains("connections_at_once: 7"));
    for kept in ["NoOpenRelay", "NobodyPosesAsUs(", "NoClearPassword(", "EveryLossIsRecorded"] {
        assert!(text.contains(kept) && plain.contains(kept), "{kept}");
    }
    let line = |text: &str, part: &str| text.lines().find(|line| line.contains(part)).map(str::to_owned);
    for same in ["official", "NobodyPosesAsUs", "not_for"] {
        assert_eq!(line(text, same), line(&plain, same), "{same}");
    }
    let derived = over(OFFICE, "    set: { \"may_send.person-inside.to\": OurAddresses },");
    assert!(only(&derived, Code::E0110).0.help.as_ref().is_some_and(|help| help.contains("write the whole section")));
}

#[test]
fn nothing_changes_when_nothing_is_edited() {
    for base in [NANTES, OFFICE, BENCH] {
        let compiled = over(base, "    name: \"the same\",");
        assert_eq!(plan_of(&compiled), plan_text(base));
    }
    let touched = "    set: { \"mailboxes.message_size\": \"20 MB\", \"logins.when_over\": TryLater },\n    add: { \"guarantees\": [] },";
    assert_eq!(plan_of(&over(OFFICE, touched)), plan_text(OFFICE));
}

#[test]
fn adding_extends_lists_and_maps_and_never_replaces() {
    let compiled = overlaid(
        "    add: {
        \"networks.bench\": In([\"203.0.113.0/28\"]),
        \"networks.inside\": [\"203.0.113.16/28\"],
        \"may_send.person-inside.from\": \"bench\",
        \"redirects.allow\": { \"cea\": Suffix(\"cea.fr\") },
        \"never_reachable_beyond.Relay\": [\"inside\"],
        \"web.Imaps\": \"https://imap.univ-nantes.fr\",
    },",
    );
    let text = plan_of(&compiled);
    assert!(text.contains("203.0.113.16/28") && text.contains("cea.fr") && text.contains("imap.univ-nantes.fr"));
    for (add, caret) in [
        ("\"networks.inside\": In([\"203.0.113.0/28\"])", "\"networks.inside\""),
        ("\"redirects.allow\": { \"cnrs\": Suffix(\"cnrs.eu\") }", "\"cnrs\""),
        ("\"mailboxes.message_size\": \"5 MB\"", "\"mailboxes.message_size\""),
    ] {
        let compiled = overlaid(&format!("    add: {{\n        {add},\n    }},"));
        let (found, at) = only(&compiled, Code::E0103);
        assert_eq!(at, caret);
        assert!(found.message.ends_with("is defined in both x/base.ron and x/over.ron"), "{}", found.message);
        assert!(found.labels.iter().any(|label| compiled.sources.name(label.span.file) == "x/base.ron"));
    }
}

#[test]
fn entries_and_items_can_be_removed_by_key_by_text_and_by_place() {
    let compiled = overlaid(
        "    remove: [\"redirects.allow.inserm\", \"redirects.allow.cnrs\", \"may_send.person-inside.from.private\",
        \"losses.record[0]\", \"losses.record.OverLimit\", \"antispam.passes[1]\"],
    set: { \"never_reachable_beyond.Webmail\": [\"inside\"] },",
    );
    let errors = places(&compiled);
    // A promise rests on what was removed from `losses.record`; it is not for the overlay to say.
    assert!(errors.iter().all(|(code, ..)| *code == Code::E0901), "{errors:?}");
    let text = &compiled.plan_unproved.as_ref().expect("a draft").text;
    assert!(!text.contains("inserm.fr") && !text.contains("\"cnrs.fr\"") && text.contains("chu-nantes.fr"));
    assert!(!text.contains("record: [UnknownRecipient"), "{text}");
    for (path, code) in
        [("redirects.allow.insern", Code::E0110), ("mailboxes.message_size", Code::E0110), ("tls", Code::E0118)]
    {
        only(&overlaid(&format!("    remove: [{path:?}],")), code);
    }
}

#[test]
fn guarantees_may_be_added_and_not_taken_away() {
    for fields in [
        "    remove: [\"guarantees\"],",
        "    remove: [\"guarantees[0]\"],",
        "    remove: [\"guarantees.NoOpenRelay\"],",
        "    set: { \"guarantees\": [NoOpenRelay] },",
        "    set: { \"guarantees[10].recipients\": \"9999 / 1 h\" },",
    ] {
        let (base, compiled) = (NANTES, overlaid(fields));
        let (found, _) = only(&compiled, Code::E0113);
        assert_eq!(place(&compiled, found).1, "x/over.ron", "{fields}");
        assert!(!mended(&compiled, found).contains("guarantees[") && !base.is_empty());
    }
    only(&over(OFFICE, "    set: { \"guarantees\": [NoOpenRelay] },"), Code::E0113);
    let kept =
        "    set: { \"guarantees\": [EveryLossIsRecorded, SpamIsAlwaysDelivered, NoClearPassword(from: [\"outside\"]),
        NobodyPosesAsUs(from: [\"outside\"]), NoOpenRelay] },";
    assert!(plan_of(&over(OFFICE, kept)).contains("SpamIsAlwaysDelivered"));
}

#[test]
fn what_the_base_locks_no_edit_touches_from_inside_or_outside() {
    for (edit, caret) in [
        ("set: { \"antivirus\": None }", "\"antivirus\""),
        ("set: { \"antivirus.infected_when\": AllEngines }", "\"antivirus.infected_when\""),
        ("add: { \"never_reachable_beyond.Relay\": [\"inside\"] }", "\"never_reachable_beyond.Relay\""),
        ("remove: [\"never_reachable_beyond.Pop\"]", "\"never_reachable_beyond.Pop\""),
        ("set: { \"mailboxes.message_size\": \"90 MB\" }", "\"mailboxes.message_size\""),
        ("set: { \"mailboxes\": None }", "\"mailboxes\""),
    ] {
        let base = locked_nantes();
        let compiled = over(&base, &format!("    {edit},"));
        let (found, at) = only(&compiled, Code::E0111);
        assert_eq!(at, caret, "{edit}");
        assert!(found.message.ends_with("locked by x/base.ron"), "{}", found.message);
        let lock = found.labels.iter().find(|label| !label.primary).expect("the lock").span;
        assert!(LOCKED.contains(compiled.sources.slice(lock)));
    }
    let base = locked_nantes();
    plan_of(&over(&base, "    set: { \"mailboxes.otherwise\": \"visitor\" }, add: { \"waivers\": [] },"));
    let unknown = check(&NANTES.replacen("Policy(", "Policy(locked: [\"antivirsu\"],", 1));
    assert_eq!(only(&unknown, Code::E0101).0.message, "unknown section \"antivirsu\"");
}

#[test]
fn locks_are_inherited_and_follow_the_hosts_that_are_renamed() {
    let base = NANTES.replacen("Policy(", "Policy(locked: [\"domains.univ-nantes.fr\"],", 1);
    let middle =
        "Overlay(base: \"base\", locked: [\"routes\"], replace_hosts: { \"univ-nantes.fr\": \"essai.example\" })";
    let compiled = |fields: &str| {
        let top = format!("Overlay(base: \"middle\", {fields})");
        let all = [("base.ron", base.as_str()), ("middle.ron", middle), ("top.ron", top.as_str())];
        compile(&files(&all), "top.ron").expect("the file is there")
    };
    plan_of(&compiled(""));
    let renamed = compiled("set: { \"domains.essai.example\": Held(profile: \"visitor\") }");
    assert!(only(&renamed, Code::E0111).0.message.ends_with("locked by base.ron"));
    let routes = compiled("set: { \"routes.remote\": Capture(\"a@essai.example\") }");
    assert!(only(&routes, Code::E0111).0.message.ends_with("locked by middle.ron"));
}

#[test]
fn a_removed_name_that_is_still_used_is_one_error_at_the_removal() {
    let compiled = overlaid("    remove: [\"networks.private\"],");
    let (found, at) = only(&compiled, Code::E0112);
    assert_eq!(at, "\"networks.private\"");
    assert_eq!(found.message, "overlay removes \"private\", still used by `may_send.person-inside.from`");
    assert_eq!(compiled.sources.name(found.labels[1].span.file), "x/base.ron");
    assert!(over(NANTES, "    remove: [],").plan.is_some());
    only(&overlaid("    remove: [\"scanners.clamav\"],"), Code::E0112);
    only(&overlaid("    remove: [\"listeners.relay\"],"), Code::E0112);
}

#[test]
fn backup_is_switched_off_only_where_mail_is_captured() {
    let compiled = overlaid("    set: { \"backup\": None },");
    let (found, at) = only(&compiled, Code::E0112);
    assert!(at == "\"backup\"" && found.message.ends_with("what replaces it?"), "{}", found.message);
    plan_of(&overlaid("    set: { \"backup\": None, \"routes.remote\": Capture(\"a@univ-nantes.fr\") },"));
}

#[test]
fn the_order_in_which_edits_are_written_means_nothing() {
    let one = "    set: { \"routes\": (held: Mailbox, remote: DirectMx, homes: {}), \"routes.remote\": Capture(\"a@univ-nantes.fr\"), \"when_over.window\": Refuse },
    add: { \"networks.a\": In([\"203.0.113.0/28\"]), \"networks.b\": In([\"203.0.113.16/28\"]) },
    remove: [\"redirects.allow.cnrs\", \"redirects.allow.inserm\"],";
    let other = "    remove: [\"redirects.allow.inserm\", \"redirects.allow.cnrs\"],
    add: { \"networks.b\": In([\"203.0.113.16/28\"]), \"networks.a\": In([\"203.0.113.0/28\"]) },
    set: { \"when_over.window\": Refuse, \"routes.remote\": Capture(\"a@univ-nantes.fr\"), \"routes\": (held: Mailbox, remote: DirectMx, homes: {}) },";
    assert_eq!(plan_of(&overlaid(one)), plan_of(&overlaid(other)));
}

#[test]
fn overlays_stand_on_overlays_and_not_in_a_circle() {
    let chain = |top: &str| {
        let all = [
            ("base.ron", NANTES),
            ("a.ron", "Overlay(base: \"base\", add: { \"networks.a\": In([\"203.0.113.0/28\"]) })"),
            ("b.ron", "Overlay(base: \"a\", set: { \"networks.a\": In([\"203.0.113.16/28\"]) })"),
            ("c.ron", "Overlay(base: \"d\")"),
            ("d.ron", "Overlay(\n    base: \"c\")"),
        ];
        compile(&files(&all), top).expect("the file is there")
    };
    let compiled = chain("b.ron");
    assert!(plan_of(&compiled).contains("203.0.113.16/28") && !plan_of(&compiled).contains("203.0.113.0/28"));
    let circle = chain("c.ron");
    assert_eq!(only(&circle, Code::E0102).0.message, "base cycle: c.ron → d.ron → c.ron");
    assert_eq!(places(&circle), [(Code::E0102, "d.ron".to_owned(), 2)]);
}

#[test]
fn hosts_are_renamed_everywhere_but_in_prose_and_two_may_not_become_one() {
    let compiled = overlaid("    replace_hosts: { \"univ-nantes.fr\": \"essai.example\" },");
    let text = plan_of(&compiled);
    assert!(!text.contains("univ-nantes.fr") && text.contains("smtp-tls.essai.example"));
    assert!(text.contains("scan.univ-nantes.prive:1344"));
    let base = NANTES.replacen("domains: {", "domains: {\n        \"labo.example\": Held(),", 1);
    let twice = over(
        &base,
        "    replace_hosts: { \"univ-nantes.fr\": \"essai.example\", \"labo.example\": \"essai.example\" },",
    );
    let (found, at) = only(&twice, Code::E0103);
    assert_eq!((at, place(&twice, found).1.as_str()), ("replace_hosts", "x/over.ron"));
    for wrong in ["{ \"fr\": \"example.fr\" }", "{ \"univ-nantes.fr\": \"not a host\" }", "[]"] {
        only(&overlaid(&format!("    replace_hosts: {wrong},")), Code::E0104);
    }
}

#[test]
fn an_overlay_says_what_it_lacks_and_what_it_does_not_know() {
    let alone = |text: &str| compile(&files(&[("o.ron", text), ("base.ron", OFFICE)]), "o.ron").expect("it is there");
    assert_eq!(only(&alone("Overlay(name: \"x\")"), Code::E0003).0.message, "`Overlay` lacks `base`");
    assert_eq!(only(&alone("Overlay(base: \"base\", sets: {})"), Code::E0002).1, "sets");
    assert_eq!(only(&alone("Overlay(base: \"base\", set: [])"), Code::E0104).1, "[]");
    assert_eq!(only(&alone("Overlay(base: \"base\", remove: \"x\")"), Code::E0104).1, "\"x\"");
    assert_eq!(only(&alone("Overlay(base: \"base\", set: { \"routes.remote\" DirectMx })"), Code::E0001).1, "DirectMx");
}
