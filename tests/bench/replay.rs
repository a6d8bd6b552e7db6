//! A day of decisions judged again: `cargo bench -p tests --bench replay [-- DECISIONS]`. Prints what a row costs in the log, how
//! many decisions a second go through another plan, and how much memory that takes.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::IpAddr;
use std::path::Path;
use std::time::Instant;

use decide::replay::{Replay, Report, Survey, With};
use decide::{
    Account, Client, FACTS_EVENT, FACTS_SCHEMA, Facts, RecipientClass, Recorder, Rings, SenderClass, Tables, Tick,
    Transaction,
};
use mail::Login;
use plan::{Limits, Plan, Window, Windows};
use tests::scratch::Scratch;

const PEOPLE: u32 = 5_000;
const RECIPIENTS: u32 = 4;
const DAY: &str = "2026-11-30";
const DAY_TICKS: u64 = 864_000;
/// People who have more than 250 recipients in an hour, and people who have as many.
const OVER: u32 = 12;
const NEAR: u32 = 5;

fn main() {
    let decisions = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(400_000);
    let text = include_str!("../../policies/nantes/policy.plan.ron");
    let (plan, hash) = plan::read(text).expect("the plan of Nantes");
    let (plan, tables) = (plan.clone(), Tables::new(plan).expect("sound tables"));
    let scratch = Scratch::new("replay-bench");
    let file = scratch.join("day.log");

    let started = Instant::now();
    let (rows, count) = Served::day(&tables, &hash.full(), &file, decisions);
    let took = started.elapsed().as_secs_f64();
    let octets = std::fs::metadata(&file).expect("the log").len();
    println!("{count} decisions in {rows} rows of {} octets", octets / rows);
    println!("judged and written   {:>10.0} rows/s", rows as f64 / took);

    let started = Instant::now();
    each(&file, |_| ());
    println!("read                 {:>10.0} rows/s", rows as f64 / started.elapsed().as_secs_f64());

    let report = replayed(&tables, &hash.full(), &file, "its own plan");
    assert_eq!((report.decisions, report.differs()), (count, false), "a log under its own plan differs in nothing");

    let report = replayed(&tighter(plan), "another", &file, "500 → 250 an hour");
    let hurt: BTreeSet<String> = report.hurt.keys().cloned().collect();
    let scripted: BTreeSet<String> = (0..OVER).map(|number| hashed(PEOPLE + number)).collect();
    assert_eq!(hurt, scripted, "those who overran it and nobody else");
    println!("{} accounts would have been refused, {} decisions", hurt.len(), report.newly_refused);
}

/// Nantes with half of the recipients an hour outside.
fn tighter(mut plan: Plan) -> Tables {
    if let Some(block) = plan.may_send.get_mut("person-outside")
        && let Limits::EachAccount(row) = &mut block.limits
        && let Windows::Within(windows) = &mut row.recipients_attempted
    {
        *windows = vec![Window { max: 250, width_s: 900 }, Window { max: 250, width_s: 3_600 }];
    }
    Tables::new(plan).expect("sound tables")
}

fn each(file: &Path, mut look: impl FnMut(Facts)) {
    let mut from = BufReader::with_capacity(1 << 18, File::open(file).expect("the log"));
    let mut line = String::new();
    while from.read_line(&mut line).expect("a line") > 0 {
        look(serde_json::from_str(&line).expect("a row"));
        line.clear();
    }
}

/// As `facteur replay` does: the file is read twice.
fn replayed(tables: &Tables, plan: &str, file: &Path, what: &str) -> Report {
    let with = With { plan, before: None, granted: HashMap::new(), day: &|_| DAY.to_owned(), judged_from_s: i64::MIN };
    // From here on the kernel notes the most memory anew (proc_pid_clear_refs(5)).
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let started = Instant::now();
    let mut survey = Survey::default();
    each(file, |facts| survey.row(tables, &facts, &with).expect("so many are taken"));
    let mut replay = Replay::new(tables, &with, survey);
    each(file, |facts| replay.row(facts).expect("a log in order"));
    let report = replay.end().expect("the same rows twice");
    let took = started.elapsed().as_secs_f64();
    let (each_s, peak) = (report.decisions as f64 / took, most_memory());
    println!("replayed             {each_s:>10.0} decisions/s, all in {took:.2} s, at most {peak}: {what}");
    report
}

fn most_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown");
    line.trim().to_owned()
}

fn hashed(who: u32) -> String {
    format!("{:016x}", u64::from(who + 1) * 0x9E37_79B9)
}

/// A server that writes its log.
struct Served<'t> {
    tables: &'t Tables,
    plan: &'t str,
    rings: Rings,
    to: BufWriter<File>,
    rows: u64,
    decisions: u64,
}

impl<'t> Served<'t> {
    /// Messages of four recipients by 5,000 people, a tenth of them by one in a hundred; and in an hour of the day some people
    /// near the limit and over it. Says how many rows and decisions.
    fn day(tables: &'t Tables, plan: &'t str, file: &Path, decisions: u64) -> (u64, u64) {
        let to = BufWriter::new(File::create(file).expect("a file"));
        let mut served = Served { tables, plan, rings: Rings::default(), to, rows: 0, decisions: 0 };
        let messages = decisions / u64::from(RECIPIENTS + 2);
        for message in 0..messages {
            let who = if message % 10 == 0 { message as u32 / 10 % (PEOPLE / 100) } else { message as u32 % PEOPLE };
            let now = Tick((message * DAY_TICKS / messages.max(1)) as u32);
            served.message(who, RECIPIENTS, now);
            // At noon and some twenty minutes later: no quarter of an hour has 250.
            let times = [(messages / 2, [4, 2]), (messages / 2 + messages / 66, [3, 3])];
            for (over, near) in times.into_iter().filter(|(at, _)| *at == message).map(|(_, [over, near])| (over, near))
            {
                (0..OVER * over).for_each(|number| served.message(PEOPLE + number % OVER, 40, now));
                (0..NEAR * near).for_each(|number| served.message(PEOPLE + OVER + number % NEAR, 50, now));
            }
        }
        served.to.flush().expect("room");
        (served.rows, served.decisions)
    }

    fn message(&mut self, who: u32, recipients: u32, now: Tick) {
        let address: IpAddr = "198.18.4.7".parse().expect("an address");
        let listener = self.tables.listener("subm").expect("Nantes has it");
        let account =
            Some(Account { login: Login::new(&hashed(who)).expect("a login"), profile: "standard".to_owned() });
        let client = Client { listener, class: self.tables.class_of(address), address, tls: true, account };
        let own = SenderClass::Own;
        let judged = Transaction::mail(self.tables, &mut self.rings, &client, own, Some(9_000), DAY, now);
        let facts = self.facts(&client, who, now, judged.as_ref().err().map(Into::into));
        let Ok(mut transaction) = judged else { return self.write(&facts) };
        let mut recorder = Recorder::new(facts);
        for number in 0..recipients {
            let address = format!("{number}@elsewhere.example");
            let judged = transaction.rcpt(self.tables, &mut self.rings, RecipientClass::Remote, &address, now);
            let refused = judged.as_ref().err().map(Into::into);
            recorder.recipient(self.rings.turn(), now, RecipientClass::Remote, &address, refused);
        }
        let accepted = transaction.accepted() > 0;
        transaction.end(&mut self.rings, accepted);
        if accepted {
            let end = recorder.content();
            (end.octets, end.report) = (Some(9_000), Some(false));
        }
        let facts = recorder.end(self.rings.turn(), now, accepted);
        self.write(&facts);
    }

    fn facts(&mut self, client: &Client, who: u32, now: Tick, mail: Option<decide::Judged>) -> Facts {
        Facts {
            schema: FACTS_SCHEMA,
            event: FACTS_EVENT.to_owned(),
            at_s: i64::from(now.0 / 10),
            plan: self.plan.to_owned(),
            listener: "subm".to_owned(),
            class: self.tables.class_name(client.class).to_owned(),
            network: String::new(),
            block: "may_send.person-outside".to_owned(),
            tls: true,
            who: hashed(who),
            profile: Some("standard".to_owned()),
            grant: None,
            sender: SenderClass::Own,
            size: Some(9_000),
            turn: self.rings.turn(),
            tick: now.0,
            mail,
            recipients: Vec::new(),
            end: None,
            left_out: 0,
        }
    }

    fn write(&mut self, facts: &Facts) {
        (self.rows, self.decisions) = (self.rows + 1, self.decisions + facts.decisions());
        serde_json::to_writer(&mut self.to, facts).expect("room");
        self.to.write_all(b"\n").expect("room");
    }
}
