//! Policies that keep the letter of a promise and break it in fact: by machines in two networks, by classes that are no
//! network, by lists that name nothing.

use decide::{Block, ClassKind, Tables};

use super::*;

const SENDERS: &str = "senders: (of: [\"machine\"], unknown: Shadow, known: {}),";

/// Nantes with an application `app` at these prefixes, which may also use a block for people.
fn with_application(from: &str, unknown: &str) -> String {
    let senders = format!(
        "senders: (of: [\"machine\", \"person-outside\"], unknown: {unknown}, known: {{
            \"app\": (from: [{from}], as: [\"app@univ-nantes.fr\"], owner: \"o@univ-nantes.fr\", until: \"2099-01-01\",
                limits: (recipients_in_one_message: 100, messages_accepted: Unlimited, recipients_attempted: [\"20000 / 1 h\"])),
        }}),"
    );
    with(NANTES, SENDERS, &senders)
}

fn tables_of(text: &str) -> Tables {
    let compiled = check(text);
    Tables::new(compiled.plan.expect("no errors").plan).unwrap()
}

#[test]
fn a_machine_of_an_application_relays_only_where_its_own_network_does() {
    for from in [
        "\"10.44.3.4/32\", \"203.0.113.9/32\"",
        "\"10.44.3.4/32\", \"0.0.0.0/1\", \"128.0.0.0/1\"",
        // Its first address is in the trusted network, the rest is not.
        "\"10.44.0.0/15\"",
    ] {
        let tables = tables_of(&with_application(from, "Shadow"));
        let relay = tables.listener("relay").unwrap();
        let of = |address: &str| tables.class_of(address.parse().unwrap());
        for outside in ["203.0.113.9", "10.45.3.4"] {
            assert_eq!(tables.block(relay, of(outside)), None, "{from}: {outside}");
        }
        assert!(matches!(tables.block(relay, of("10.44.3.4")), Some(Block::Send(_))), "{from}");
    }
}

#[test]
fn an_application_has_a_class_for_each_network_it_is_in() {
    let tables = tables_of(&with_application("\"10.44.3.4/32\", \"10.44.3.5/32\", \"203.0.113.9/32\"", "Shadow"));
    let classes = tables.classes().filter(|class| tables.class_kind(*class) == ClassKind::Application);
    let networks: Vec<&str> = classes.map(|class| tables.class_name(tables.class_network(class))).collect();
    assert_eq!(networks, ["outside", "private"]);
}

#[test]
fn who_is_let_in_by_register_alone_is_still_reached_from_its_network() {
    let promise = with(
        &with_application("\"10.44.3.4/32\"", "Refuse"),
        "NoOpenRelay,",
        "NoOpenRelay, NotReachable(what: [Relay], from: [\"private\"]),",
    );
    assert_eq!(errors(&check(&promise)), [(Code::E0901, line_of(&promise, "NotReachable(what: [Relay]"))]);
}

#[test]
fn the_sum_of_an_address_has_the_row_of_its_application_in_each_block() {
    let text = with_application("\"10.44.3.4/32\"", "Shadow");
    let second = "\"machine\": (
            connecting_to: [\"relay-2\"], from: [\"private\"], to: Anyone, as: OwnDomain, empty_sender: ReportsOnly,
            each_client_address: (recipients_in_one_message: 50, messages_accepted: [\"100 / 1 h\"], recipients_attempted: [\"10000 / 1 h\"]),
        ),
        \"machine-1\": (";
    let text = with(&text, "\"machine\": (", second);
    let listener = "listeners: {
        \"relay-2\": (host: \"smtp-2.univ-nantes.prive\", port: 25, speaks: Smtp, tls: StartTls(Offered), auth: Never, certificate: Internal),";
    let text = with(&text, "listeners: {", listener);
    // 20 000 by its own row in "machine", and 5 000 in the other block like every machine there.
    let holds = |most: &str| {
        let promise = format!("NoOpenRelay, AtMost(recipients: \"{most} / 1 h\", of: ClientAddress, via: AnyBlock),");
        !errors(&check(&with(&text, "NoOpenRelay,", &promise))).iter().any(|(code, _)| *code == Code::E0901)
    };
    assert!(holds("25000") && !holds("24999"));
}

#[test]
fn a_promise_whose_list_is_empty_is_no_promise() {
    for (from, to) in [
        ("NobodyPosesAsUs(from: [\"outside\"])", "NobodyPosesAsUs(from: [])"),
        ("NoClearPassword(from: [\"outside\"])", "NoClearPassword(from: [])"),
        ("NotReachable(what: [Pop, Imap, Pops],", "NotReachable(what: [],"),
        ("EveryMessageScanned(by: [\"mcafee\", \"clamav\"],", "EveryMessageScanned(by: [],"),
        ("VirusIsSilent(on: [Inbound, Outbound])", "VirusIsSilent(on: [])"),
    ] {
        let text = with(NANTES, from, to);
        assert_eq!(errors(&check(&text)), [(Code::E0902, line_of(&text, to))], "{to}");
    }
}

#[test]
fn a_redirect_on_grant_needs_somebody_who_approves_it() {
    let text = with(NANTES, "needs: [Approver, Reason, EndDate]", "needs: [Reason, EndDate]");
    assert_eq!(errors(&check(&text)), [(Code::E0901, line_of(&text, "RedirectsStayProfessional"))]);
}

#[test]
fn a_list_of_steps_that_keeps_mail_nowhere_is_an_error() {
    for (from, to) in [("Filters, Redirect, Deliver]", "Filters, Redirect]"), ("Accept, Route]", "Accept]")] {
        let text = with(NANTES, from, to);
        assert_eq!(errors(&check(&text)), [(Code::E0003, line_of(&text, to))], "{to}");
    }
}

#[test]
fn spam_between_the_two_totals_is_tagged_and_below_both_refused() {
    use decide::{SpamVerdict, Tables, antispam};
    let text = with(NANTES, "        SpamIsAlwaysDelivered,\n", "");
    let text = with(&text, "always: Deliver,  ", "always: Refuse, refuse_when: ScoreBelow(-10),  ");
    let compiled = check(&text);
    let sealed = compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    let tables = Tables::new(sealed.plan).expect("a plan of ours");
    assert!(matches!(antispam(&tables, -10_001), SpamVerdict::Refuse(_)));
    assert_eq!(antispam(&tables, -10_000), SpamVerdict::Tag("antispam.tag_when"));
    assert_eq!(antispam(&tables, 0), SpamVerdict::Pass);
    // The table has the worst of them: what is promised about every message is judged by it.
    let broken = with(NANTES, "always: Deliver,  ", "always: Refuse, refuse_when: ScoreBelow(-10),  ");
    assert!(check(&broken).diagnostics.iter().any(|found| found.is_error()));
}
