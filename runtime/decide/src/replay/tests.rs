//! Logs that a simulated server writes with the functions that judge, judged again.

use std::collections::{BTreeSet, HashMap};

use plan::{Plan, Window, Windows};
use proptest::prelude::*;

use super::*;
use crate::class::{ClassId, ClassKind};
use crate::envelope::{RecipientClass, SenderClass};
use crate::facts::{FACTS_EVENT, FACTS_SCHEMA, Recorder};

fn nantes() -> Plan {
    plan::read(include_str!("../../../../policies/nantes/policy.plan.ron")).unwrap().0
}

/// Nantes with other windows in every block, and a grant to `granted`.
fn with_windows(max: u32, width_s: u32) -> Tables {
    let mut plan = nantes();
    for block in plan.may_send.values_mut() {
        let row = match &mut block.limits {
            plan::Limits::EachAccount(row) | plan::Limits::EachClientAddress(row) => row,
        };
        row.recipients_attempted = Windows::Within(vec![Window { max, width_s }]);
        row.messages_accepted = Windows::Within(vec![Window { max: max.div_ceil(2), width_s }]);
        row.recipients_in_one_message = max.max(2) - 1;
    }
    let granted = plan::Row {
        recipients_in_one_message: 2,
        messages_attempted: Windows::Within(vec![Window { max: 2, width_s }]),
        messages_accepted: Windows::NotCounted,
        recipients_attempted: Windows::Unlimited,
        recipients_accepted: Windows::NotCounted,
        observed: None,
    };
    plan.limit_grants.push(plan::LimitGrant {
        login: "granted".to_owned(),
        block: "person-outside".to_owned(),
        because: "a test".to_owned(),
        approver: "the board".to_owned(),
        until: "2030-01-01".to_owned(),
        limits: granted,
    });
    plan.strangers.messages_attempted = Windows::Within(vec![Window { max, width_s }]);
    plan.strangers.unknown_recipients_attempted = Windows::Within(vec![Window { max, width_s }]);
    Tables::new(plan).unwrap()
}

/// A hash as long as the server's, of a name.
fn hashed(name: &str) -> String {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

/// Who connects: a login or none, by listener and client.
const CLIENTS: [(Option<&str>, &str, &str); 6] = [
    (Some("toto-j"), "subm", "198.18.4.7"),
    (Some("toto-j"), "subm", "192.0.2.1"),
    (Some("granted"), "subm", "198.18.4.7"),
    (None, "mx", "198.18.4.7"),
    (None, "mx", "2001:db8::7"),
    (None, "subm", "198.18.4.9"),
];

struct Server<'t> {
    tables: &'t Tables,
    rings: Rings,
    open: Vec<(Transaction, Recorder)>,
    rows: Vec<Facts>,
    now: u32,
    decisions: u64,
}

const PLAN: &str = "the plan";
const DAY: &str = "2026-11-30";

impl<'t> Server<'t> {
    fn new(tables: &'t Tables) -> Server<'t> {
        Server { tables, rings: Rings::default(), open: Vec::new(), rows: Vec::new(), now: 7, decisions: 0 }
    }

    fn client(&self, (login, listener, address): (Option<&str>, &str, &str)) -> Client {
        let address: IpAddr = address.parse().unwrap();
        let account = login.map(|login| Account { login: Login::new(login).unwrap(), profile: "standard".to_owned() });
        let listener = self.tables.listener(listener).unwrap();
        Client { listener, class: self.tables.class_of(address), address, tls: true, account }
    }

    fn facts(&mut self, client: &Client, sender: SenderClass, size: Option<u64>) -> Facts {
        let name = match &client.account {
            Some(account) => account.login.to_string(),
            None => crate::rings::address_key(client.address),
        };
        let of_network = |class: ClassId| self.tables.class_kind(class) == ClassKind::Network;
        Facts {
            schema: FACTS_SCHEMA,
            event: FACTS_EVENT.to_owned(),
            at_s: i64::from(self.now / 10),
            plan: PLAN.to_owned(),
            listener: self.tables.listener_name(client.listener).to_owned(),
            class: self.tables.class_name(client.class).to_owned(),
            network: match of_network(client.class) {
                true => String::new(),
                false => self.tables.class_name(self.tables.class_network(client.class)).to_owned(),
            },
            block: String::new(),
            tls: client.tls,
            who: hashed(&name),
            profile: client.account.as_ref().map(|account| account.profile.clone()),
            grant: self.tables.grant(client, DAY),
            sender,
            size,
            turn: self.rings.turn(),
            tick: self.now,
            mail: None,
            recipients: Vec::new(),
            end: None,
            left_out: 0,
        }
    }

    fn mail(&mut self, who: usize, sender: SenderClass, size: Option<u64>) {
        let client = self.client(CLIENTS[who % CLIENTS.len()]);
        self.decisions += 1;
        let now = Tick(self.now);
        let judged = Transaction::mail(self.tables, &mut self.rings, &client, sender, size, DAY, now);
        let facts = self.facts(&client, sender, size);
        match judged {
            Ok(transaction) => self.open.push((transaction, Recorder::new(facts))),
            Err(refusal) => self.rows.push(Facts { mail: Some(Judged::from(&refusal)), ..facts }),
        }
    }

    fn rcpt(&mut self, slot: usize, to: RecipientClass, address: &str) -> bool {
        let Some(slot) = slot.checked_rem(self.open.len()) else { return false };
        self.decisions += 1;
        let (transaction, recorder) = &mut self.open[slot];
        let judged = transaction.rcpt(self.tables, &mut self.rings, to, address, Tick(self.now));
        let refused = judged.as_ref().err().map(Judged::from);
        recorder.recipient(self.rings.turn(), Tick(self.now), to, address, refused);
        judged.is_ok()
    }

    fn end(&mut self, slot: usize, octets: Option<u64>, report: bool, scanner_says_no: bool) {
        let Some(slot) = slot.checked_rem(self.open.len()) else { return };
        let (transaction, mut recorder) = self.open.swap_remove(slot);
        // A server asks for a content only where there is a recipient.
        let octets = octets.filter(|_| transaction.accepted() > 0);
        let mut accepted = false;
        if let Some(octets) = octets {
            self.decisions += 1;
            let judged = transaction.content(self.tables, octets, report);
            let mut refused = judged.as_ref().err().map(Judged::from);
            if refused.is_none() && scanner_says_no {
                refused = Some(Judged { reason: "infected".to_owned(), rule: "antivirus.inbound.infected".to_owned() });
            }
            accepted = refused.is_none();
            let end = recorder.content();
            (end.octets, end.report, end.refused) = (Some(octets), Some(report), refused);
        }
        transaction.end(&mut self.rings, accepted);
        self.rows.push(recorder.end(self.rings.turn(), Tick(self.now), accepted));
    }

    /// Rows as the store would give them: in the order of ends.
    fn log(mut self) -> (Vec<Facts>, u64) {
        while !self.open.is_empty() {
            self.end(0, None, false, false);
        }
        (self.rows, self.decisions)
    }
}

fn rewritten(tables: &Tables, log: &[Facts], with: &With<'_>) -> Vec<Facts> {
    let mut survey = Survey::default();
    log.iter().for_each(|facts| survey.row(tables, facts, with).unwrap());
    let mut replay = Replay::new(tables, with, survey).writing();
    log.iter().for_each(|facts| replay.row(facts.clone()).unwrap());
    replay.finish().unwrap();
    replay.wrote()
}

fn judged(tables: &Tables, log: &[Facts], plan: &str, before: Option<(&str, &Plan)>) -> Report {
    let with = With { plan, before, granted: HashMap::new(), day: &|_| DAY.to_owned(), judged_from_s: i64::MIN };
    replay(tables, log, &with).unwrap()
}

#[derive(Clone, Debug)]
enum Deed {
    Mail(usize, usize, Option<u64>),
    Rcpt(usize, usize, u8),
    End(usize, Option<u64>, bool, bool),
    Wait(u32),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let size = proptest::option::of(prop_oneof![Just(100u64), Just(50_000_000)]);
    let deed = prop_oneof![
        2 => (0..CLIENTS.len(), 0..4usize, size.clone()).prop_map(|(who, sender, size)| Deed::Mail(who, sender, size)),
        6 => (0..8usize, 0..10usize, 0..6u8).prop_map(|(slot, to, address)| Deed::Rcpt(slot, to, address)),
        2 => (0..8usize, size, any::<bool>(), proptest::bool::weighted(0.2))
            .prop_map(|(slot, octets, report, no)| Deed::End(slot, octets, report, no)),
        1 => (0..400u32).prop_map(Deed::Wait),
    ];
    proptest::collection::vec(deed, 1..250)
}

fn served(tables: &Tables, deeds: &[Deed]) -> (Vec<Facts>, u64) {
    let mut server = Server::new(tables);
    for deed in deeds {
        match deed {
            Deed::Mail(who, sender, size) => server.mail(*who, SenderClass::ALL[*sender], *size),
            Deed::Rcpt(slot, to, address) => {
                server.rcpt(*slot, RecipientClass::ALL[*to], &format!("{address}@elsewhere.example"));
            }
            Deed::End(slot, octets, report, no) => server.end(*slot, *octets, *report, *no),
            Deed::Wait(ticks) => server.now += ticks,
        }
    }
    server.log()
}

proptest! {
    #[test]
    fn a_log_under_its_own_plan_differs_in_nothing(deeds in deeds(), max in 1u32..7, width_s in 1u32..60) {
        let tables = with_windows(max, width_s);
        let (log, decisions) = served(&tables, &deeds);
        let report = judged(&tables, &log, PLAN, None);
        prop_assert!(!report.differs(), "{report:?}");
        prop_assert_eq!((report.decisions, report.same), (decisions, decisions));
        prop_assert_eq!(report.grants_unnamed, 0);
    }

    #[test]
    fn a_log_written_anew_by_another_plan_is_one_of_that_plan(
        deeds in deeds(), first in 1u32..7, second in 1u32..7, width_s in 1u32..60,
    ) {
        let (tables, other) = (with_windows(first, width_s), with_windows(second, width_s));
        let (log, _) = served(&tables, &deeds);
        let before = tables.plan().clone();
        let with = With {
            plan: "another",
            before: Some((PLAN, &before)),
            granted: HashMap::new(),
            day: &|_| DAY.to_owned(),
            judged_from_s: i64::MIN,
        };
        let anew = rewritten(&other, &log, &with);
        let report = judged(&other, &anew, "another", None);
        prop_assert!(!report.differs(), "{report:?}");
        // Every decision is in one of the kinds.
        let report = judged(&other, &log, "another", Some((PLAN, &before)));
        let kinds = report.same + report.newly_refused + report.newly_accepted + report.other_reason + report.unknown;
        prop_assert_eq!(kinds, report.decisions);
    }

    #[test]
    fn the_order_of_rows_does_not_matter(deeds in deeds(), max in 1u32..7) {
        let tables = with_windows(max, 30);
        let (mut log, _) = served(&tables, &deeds);
        let other = with_windows(max.div_ceil(2), 30);
        let report = judged(&other, &log, "another", None);
        log.reverse();
        prop_assert_eq!(judged(&other, &log, "another", None), report);
    }
}

/// Transactions that overlap: what is in memory is what overlaps, in blocks, and no more.
#[test]
fn rows_wait_only_for_what_comes_before_them() {
    let tables = with_windows(6, 60);
    let mut server = Server::new(&tables);
    for row in 0..20_000_usize {
        server.mail(row, SenderClass::Own, None);
        server.now += 3;
        if row >= 8 {
            server.end(row, None, false, false);
        }
    }
    let (log, decisions) = server.log();
    let with =
        With { plan: PLAN, before: None, granted: HashMap::new(), day: &|_| DAY.to_owned(), judged_from_s: i64::MIN };
    let mut survey = Survey::default();
    log.iter().for_each(|facts| survey.row(&tables, facts, &with).unwrap());
    let mut replay = Replay::new(&tables, &with, survey);
    let mut most = 0;
    for facts in &log {
        replay.row(facts.clone()).unwrap();
        most = most.max(replay.waiting.len());
    }
    assert!(most < 3_000, "{most} of {} rows were in memory", log.len());
    let report = replay.end().unwrap();
    assert_eq!((report.same, report.decisions), (decisions, decisions));
    // A log that is cut between the two looks says nothing.
    let mut survey = Survey::default();
    log.iter().for_each(|facts| survey.row(&tables, facts, &with).unwrap());
    let mut replay = Replay::new(&tables, &with, survey);
    log[1..].iter().for_each(|facts| replay.row(facts.clone()).unwrap());
    assert_eq!(replay.end(), Err(Unreplayable::Changed));
}

/// 500 → 250 recipients an hour, outside: those who had more than 250 are named, whatever the others did.
#[test]
fn a_tighter_window_names_exactly_those_who_overran_it() {
    let outside = |max: u32| {
        let mut plan = nantes();
        if let Some(block) = plan.may_send.get_mut("person-outside")
            && let plan::Limits::EachAccount(row) = &mut block.limits
        {
            row.recipients_attempted = Windows::Within(vec![Window { max, width_s: 3_600 }]);
        }
        Tables::new(plan).unwrap()
    };
    let (tables, tighter) = (outside(500), outside(250));
    let mut server = Server::new(&tables);
    let script = [("a", 249), ("b", 250), ("c", 251), ("d", 499), ("e", 40)];
    let mut sent: Vec<(&str, u32)> = script.to_vec();
    while sent.iter().any(|(_, left)| *left > 0) {
        for (name, left) in sent.iter_mut().filter(|(_, left)| *left > 0) {
            let client = server.client((Some(name), "subm", "198.18.4.7"));
            let now = Tick(server.now);
            let own = SenderClass::Own;
            let judged = Transaction::mail(&tables, &mut server.rings, &client, own, None, DAY, now).unwrap();
            let facts = server.facts(&client, own, None);
            server.open.push((judged, Recorder::new(facts)));
            for number in 0..(*left).min(50) {
                assert!(server.rcpt(0, RecipientClass::Remote, &format!("{number}@elsewhere.example")));
            }
            *left = left.saturating_sub(50);
            server.end(0, Some(1_000), false, false);
            server.now += 300;
        }
    }
    let (log, _) = server.log();
    let report = judged(&tighter, &log, "another", Some((PLAN, tables.plan())));
    let hurt: BTreeSet<String> = report.hurt.keys().cloned().collect();
    assert_eq!(hurt, ["c", "d"].map(hashed).into());
    let lost = |name: &str| (report.hurt[&hashed(name)].messages, report.hurt[&hashed(name)].recipients);
    // The last message of `c` has one recipient, so it goes nowhere at all.
    assert_eq!((lost("c"), lost("d")), ((1, 1), (5, 249)));
    assert!(
        report.rules.keys().all(
            |(kind, rule)| *kind == Kind::NewlyRefused && rule == "may_send.person-outside.recipients_attempted/1h"
        )
    );
    assert_eq!(report.newly_accepted + report.other_reason + report.unknown, 0);
    // And the other way round nobody is worse off.
    let with = With {
        plan: "another",
        before: None,
        granted: HashMap::new(),
        day: &|_| DAY.to_owned(),
        judged_from_s: i64::MIN,
    };
    let anew = rewritten(&tighter, &log, &with);
    let back = judged(&tables, &anew, PLAN, None);
    assert_eq!((back.newly_refused, back.hurt.len()), (0, 0));
    assert_eq!(back.newly_accepted, 1 + 249, "the contents never came");
}

#[test]
fn what_the_plan_does_not_know_is_not_guessed() {
    let tables = with_windows(5, 60);
    let mut server = Server::new(&tables);
    server.mail(0, SenderClass::Own, None);
    server.rcpt(0, RecipientClass::Remote, "a@elsewhere.example");
    server.end(0, Some(10), false, false);
    let (mut log, _) = server.log();
    log[0].class = "a network that was".to_owned();
    let report = judged(&tables, &log, PLAN, None);
    assert_eq!((report.decisions, report.unknown, report.same), (3, 3, 0));
    log[0].class = "outside".to_owned();
    log[0].recipients[0].times = u32::MAX;
    let with =
        With { plan: PLAN, before: None, granted: HashMap::new(), day: &|_| DAY.to_owned(), judged_from_s: i64::MIN };
    assert_eq!(replay(&tables, &log, &with), Err(Unreplayable::TooMany));
}

#[test]
fn early_rows_fill_windows_and_are_not_compared() {
    let tables = with_windows(2, 3_600);
    let mut server = Server::new(&tables);
    for _ in 0..2 {
        server.mail(0, SenderClass::Own, None);
        for number in 0..2 {
            server.rcpt(0, RecipientClass::Remote, &format!("{number}@elsewhere.example"));
        }
        server.end(0, Some(10), false, false);
        server.now += 600;
    }
    let (log, _) = server.log();
    let from_s = log[1].at_s;
    let with =
        With { plan: PLAN, before: None, granted: HashMap::new(), day: &|_| DAY.to_owned(), judged_from_s: from_s };
    let report = replay(&tables, &log, &with).unwrap();
    assert!(!report.differs() && report.before > 0 && report.decisions > 0, "{report:?}");
    // Without the early row the same decisions look wrong.
    assert!(replay(&tables, &log[1..], &with).unwrap().differs());
}
