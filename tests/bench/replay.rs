//! A day of decisions judged again: `cargo bench -p tests --bench replay [-- DECISIONS]`. Prints what a row costs in the log
//! and how many decisions a second go through another plan.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use decide::replay::{With, replay};
use decide::{
    Account, Client, FACTS_EVENT, FACTS_SCHEMA, Facts, RecipientClass, Recorder, Rings, SenderClass, Tables, Tick,
    Transaction,
};
use mail::Login;

const PEOPLE: u32 = 5_000;
const RECIPIENTS: u32 = 4;
const DAY: &str = "2026-11-30";

fn main() {
    let decisions = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(400_000);
    let text = include_str!("../../policies/nantes/policy.plan.ron");
    let (plan, hash) = plan::read(text).expect("the plan of Nantes");
    let tables = Tables::new(plan).expect("sound tables");
    let log = served(&tables, &hash.full(), decisions);
    let count: u64 = log.iter().map(Facts::decisions).sum();

    let started = Instant::now();
    let rows: Vec<String> = log.iter().map(|facts| serde_json::to_string(facts).expect("JSON")).collect();
    let octets: usize = rows.iter().map(String::len).sum();
    let wrote = started.elapsed().as_secs_f64();
    println!("{count} decisions in {} rows of {} octets", rows.len(), octets / rows.len());
    println!("written  {:>10.0} rows/s", rows.len() as f64 / wrote);

    let started = Instant::now();
    let read: Vec<Facts> = rows.iter().map(|row| serde_json::from_str(row).expect("a row")).collect();
    println!("read     {:>10.0} rows/s", read.len() as f64 / started.elapsed().as_secs_f64());

    let with = With {
        plan: &hash.full(),
        before: None,
        granted: HashMap::new(),
        day: &|_| DAY.to_owned(),
        judged_from_s: i64::MIN,
    };
    let started = Instant::now();
    let report = replay(&tables, &read, &with).expect("so many are taken");
    let took = started.elapsed().as_secs_f64();
    println!("replayed {:>10.0} decisions/s, all in {took:.2} s", report.decisions as f64 / took);
    assert!(!report.differs(), "a log under its own plan differs in nothing");
}

/// Messages of four recipients, each of somebody else, some of them beyond the windows.
fn served(tables: &Tables, plan: &str, decisions: u64) -> Vec<Facts> {
    let mut rings = Rings::default();
    let mut log = Vec::new();
    let address: IpAddr = "198.18.4.7".parse().expect("an address");
    let listener = tables.listener("subm").expect("Nantes has it");
    let messages = decisions / u64::from(RECIPIENTS + 2);
    for message in 0..messages {
        // A tenth of the messages is of one in a hundred.
        let who = if message % 10 == 0 { message as u32 % (PEOPLE / 100) } else { message as u32 % PEOPLE };
        let now = Tick((message * 864_000 / messages.max(1)) as u32);
        let login = Login::new(&format!("user{who:04}")).expect("a login");
        let account = Some(Account { login, profile: "standard".to_owned() });
        let client = Client { listener, class: tables.class_of(address), address, tls: true, account };
        let own = SenderClass::Own;
        let judged = Transaction::mail(tables, &mut rings, &client, own, Some(9_000), DAY, now);
        let facts = Facts {
            schema: FACTS_SCHEMA,
            event: FACTS_EVENT.to_owned(),
            at_s: i64::from(now.0 / 10),
            plan: plan.to_owned(),
            listener: "subm".to_owned(),
            class: tables.class_name(client.class).to_owned(),
            network: String::new(),
            block: "may_send.person-outside".to_owned(),
            tls: true,
            who: format!("{:016x}", u64::from(who) * 0x9E37_79B9),
            profile: Some("standard".to_owned()),
            grant: None,
            sender: own,
            size: Some(9_000),
            turn: rings.turn(),
            tick: now.0,
            mail: judged.as_ref().err().map(Into::into),
            recipients: Vec::new(),
            end: None,
            left_out: 0,
        };
        let Ok(mut transaction) = judged else {
            log.push(facts);
            continue;
        };
        let mut recorder = Recorder::new(facts);
        for number in 0..RECIPIENTS {
            let address = format!("{number}@elsewhere.example");
            let judged = transaction.rcpt(tables, &mut rings, RecipientClass::Remote, &address, now);
            let refused = judged.as_ref().err().map(Into::into);
            recorder.recipient(rings.turn(), now, RecipientClass::Remote, &address, refused);
        }
        let accepted = transaction.accepted() > 0;
        transaction.end(&mut rings, accepted);
        if accepted {
            let end = recorder.content();
            (end.octets, end.report) = (Some(9_000), Some(false));
        }
        log.push(recorder.end(rings.turn(), now, accepted));
    }
    log
}
