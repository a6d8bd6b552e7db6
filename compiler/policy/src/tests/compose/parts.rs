//! Includes.

use super::*;

fn with_part(part: &str) -> Compiled {
    let policy = including("\"part.ron\"");
    compile(&files(&[("x/policy.ron", &policy), ("x/part.ron", part)]), "x/policy.ron").expect("the file is there")
}

#[test]
fn a_part_adds_entries_fields_and_items() {
    let part = r#"Part(
    redirects: (allow: { "cea": Suffix("cea.fr") }),
    networks: { "bench": In(["203.0.113.0/28"]) },
    domains: { "labo.example": Held() },
    waivers: [(lint: "L0512", at: "mailboxes.message_size", because: "the page says so", until: "2027-08-31")],
    mailboxes: (otherwise: "visitor"),
)"#;
    // The base writes `mailboxes.otherwise` too.
    let twice = with_part(part);
    let (found, at) = only(&twice, Code::E0103);
    assert_eq!(at, "otherwise");
    assert_eq!(found.message, "\"otherwise\" is defined in both x/policy.ron and x/part.ron");
    let compiled = with_part(&part.replace("    mailboxes: (otherwise: \"visitor\"),\n", ""));
    let text = plan_of(&compiled);
    for added in ["cea.fr", "203.0.113.0/28", "labo.example", "L0512"] {
        assert!(text.contains(added), "{added}");
    }
    let map = &compiled.plan.as_ref().expect("a plan").map;
    let place = &map.places["networks.bench"];
    assert_eq!((map.files[place.file as usize].as_str(), place.line), ("x/part.ron", 3));
}

#[test]
fn what_two_files_define_shows_both_places_and_the_addition_can_be_cut() {
    let part = "Part(\n    networks: {\n        \"inside\": In([\"203.0.113.0/28\"]),\n    },\n)\n";
    let compiled = with_part(part);
    let (found, at) = only(&compiled, Code::E0103);
    assert_eq!(at, "\"inside\"");
    let first = found.labels.iter().find(|label| !label.primary).expect("the first place").span;
    assert_eq!(compiled.sources.name(first.file), "x/policy.ron");
    assert_eq!(compiled.sources.slice(first), "\"inside\"");
    assert!(with_part(&mended(&compiled, found)).plan.is_some());
}

#[test]
fn an_error_in_a_part_is_told_in_the_part_at_its_line() {
    let part = "Part(\n    redirects: (allow: {\n        \"cea\": Sufix(\"cea.fr\"),\n    }),\n    networks: {\n        \"bench\": In([\"203.0.113.5/28\"]),\n    },\n)\n";
    let compiled = with_part(part);
    let file = || "x/part.ron".to_owned();
    assert_eq!(places(&compiled), [(Code::E0101, file(), 3), (Code::E0109, file(), 6)]);
    let unread = with_part("Part(\n    redirects: (allow: { \"cea\" Suffix(\"cea.fr\") }),\n)\n");
    assert_eq!(places(&unread), [(Code::E0001, file(), 2)]);
    let unknown = with_part("Part(\n    network: {},\n)\n");
    assert_eq!(places(&unknown), [(Code::E0002, file(), 2)]);
    let another = with_part("Policy(\n    networks: {},\n)\n");
    assert_eq!(places(&another), [(Code::E0104, file(), 1)]);
}

#[test]
fn parts_may_include_parts_and_one_that_two_include_is_added_once() {
    let policy = including("\"a.ron\", \"parts/b.ron\"");
    let all = [
        ("x/policy.ron", policy.as_str()),
        ("x/a.ron", "Part(include: [\"parts/c.ron\"], networks: { \"a\": In([\"203.0.113.0/28\"]) })"),
        ("x/parts/b.ron", "Part(include: [\"c.ron\"], networks: { \"b\": In([\"203.0.113.16/28\"]) })"),
        ("x/parts/c.ron", "Part(networks: { \"c\": In([\"203.0.113.32/28\"]) })"),
    ];
    let compiled = compile(&files(&all), "x/policy.ron").expect("the file is there");
    let text = plan_of(&compiled);
    assert!(["203.0.113.0/28", "203.0.113.16/28", "203.0.113.32/28"].iter().all(|prefix| text.contains(prefix)));
}

#[test]
fn an_include_cycle_is_shown_in_full_where_it_closes() {
    let policy = including("\"a.ron\"");
    let all = [
        ("x/policy.ron", policy.as_str()),
        ("x/a.ron", "Part(\n    include: [\"b.ron\"],\n)"),
        ("x/b.ron", "Part(\n\n    include: [\"a.ron\"],\n)"),
    ];
    let compiled = compile(&files(&all), "x/policy.ron").expect("the file is there");
    let (found, _) = only(&compiled, Code::E0102);
    assert_eq!(found.message, "include cycle: x/a.ron → x/b.ron → x/a.ron");
    assert_eq!(place(&compiled, found), (Code::E0102, "x/b.ron".to_owned(), 3));
}

#[test]
fn what_is_not_there_or_leads_out_of_the_folder_is_told_at_its_include() {
    let compile_with = |name: &str| {
        let policy = including(&format!("{name:?}"));
        compile(&files(&[("x/policy.ron", &policy), ("part.ron", "Part()")]), "x/policy.ron").expect("it is there")
    };
    let missing = compile_with("partners.ron");
    let (found, at) = only(&missing, Code::E0101);
    assert_eq!((found.message.as_str(), at), ("unknown file \"partners.ron\"", "\"partners.ron\""));
    for outside in ["../part.ron", "/part.ron", "", ".", "a//b.ron", "a/../../part.ron", "c:\\part.ron"] {
        let refused = compile_with(outside);
        assert_eq!(only(&refused, Code::E0104).1, format!("{outside:?}"));
    }
}

#[test]
fn lists_are_appended_in_the_order_of_the_includes() {
    let part = |name: &str| {
        format!("Part(waivers: [(lint: \"L0512\", at: \"{name}\", because: \"x\", until: \"2027-08-31\")])")
    };
    let policy = including("\"b.ron\", \"a.ron\"");
    let (a, b) = (part("first"), part("second"));
    let all = [("policy.ron", policy.as_str()), ("a.ron", &a), ("b.ron", &b)];
    let compiled = compile(&files(&all), "policy.ron").expect("the file is there");
    let text = plan_of(&compiled);
    assert!(text.find("\"second\"") < text.find("\"first\"") && text.contains("\"first\""));
}
