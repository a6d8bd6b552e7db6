//! The decisions of the Nantes policy under a virtual clock: the very functions the server calls, at N, N+1 and at the
//! edges of each window.

use std::net::{IpAddr, Ipv4Addr};

use decide::{
    Accepted, Account, Alignment, Auth, Block, Client, EngineResult, FromClaim, Guess, Guesses, Reachable, Reason,
    RecipientClass, Rings, SenderClass, SpamVerdict, Tables, Tells, Tick, Transaction, antispam, spam_total,
    tags_what_leaves, takes_corrections,
};
use mail::Login;
use plan::{Copies, TagTotal};
use policy::{LoadError, Loader, compile};

struct Disk;

impl Loader for Disk {
    fn load(&self, name: &str) -> Result<String, LoadError> {
        std::fs::read_to_string(name).map_err(|_| LoadError::NotFound)
    }
}

fn nantes_with(edit: impl Fn(plan::Plan) -> plan::Plan) -> Tables {
    let file = tests::program::top().join("policies/nantes/policy.ron");
    let compiled = compile(&Disk, &file.display().to_string()).unwrap();
    Tables::new(edit(compiled.plan.expect("Nantes compiles").plan)).unwrap()
}

fn nantes() -> Tables {
    nantes_with(|plan| plan)
}

fn client(tables: &Tables, listener: &str, address: &str, login: Option<&str>) -> Client {
    let address: IpAddr = address.parse().unwrap();
    let account = login.map(|login| Account { login: Login::new(login).unwrap(), profile: "standard".to_owned() });
    Client {
        listener: tables.listener(listener).unwrap(),
        class: tables.class_of(address),
        address,
        tls: true,
        account,
    }
}

const OUTSIDE: &str = "198.18.4.7";
const INSIDE: &str = "192.0.2.1";

/// A client that sends messages and counts what was accepted.
struct Sender {
    tables: Tables,
    rings: Rings,
    client: Client,
    sent: u32,
}

impl Sender {
    fn new(tables: Tables, listener: &str, address: &str, login: Option<&str>) -> Sender {
        let client = client(&tables, listener, address, login);
        Sender { tables, rings: Rings::default(), client, sent: 0 }
    }

    fn mail(&mut self, at: u32) -> Result<Transaction, decide::Refusal> {
        let sender = if self.client.account.is_some() { SenderClass::Own } else { SenderClass::OwnDomain };
        Transaction::mail(&self.tables, &mut self.rings, &self.client, sender, None, "2026-11-23", Tick(at))
    }

    fn rcpt(&mut self, transaction: &mut Transaction, at: u32) -> Result<Accepted, decide::Refusal> {
        self.sent += 1;
        let address = format!("friend{}@elsewhere.example", self.sent);
        transaction.rcpt(&self.tables, &mut self.rings, RecipientClass::Remote, &address, Tick(at))
    }

    /// `messages` of `each` recipients, one recipient every `every` ticks; all must be accepted.
    fn fill(&mut self, messages: u32, each: u32, every: u32) {
        let mut at = 0;
        for _ in 0..messages {
            let mut transaction = self.mail(at).unwrap();
            for _ in 0..each {
                self.rcpt(&mut transaction, at).unwrap();
                at += every;
            }
            transaction.end(&mut self.rings, true);
        }
    }

    /// One recipient at `at`: its verdict.
    fn one(&mut self, at: u32) -> Result<Accepted, decide::Refusal> {
        let mut transaction = self.mail(at)?;
        let verdict = self.rcpt(&mut transaction, at);
        transaction.end(&mut self.rings, false);
        verdict
    }
}

#[test]
fn the_envelope_table_has_the_cells_of_the_specification() {
    let tables = nantes();
    let count = |wanted: fn(Reachable) -> bool| tables.cells().filter(|c| wanted(tables.reachable(*c))).count();
    let reachable = count(|r| r == Reachable::Yes);
    let barred = count(|r| matches!(r, Reachable::Barred(_)));
    let turned_away = count(|r| r == Reachable::TurnedAway);
    let impossible = count(|r| r == Reachable::Impossible);
    assert_eq!((reachable, barred, turned_away, impossible), (1_510, 1_490, 1_000, 800));
    let accepts = |c: &decide::Cell| tables.reachable(*c) == Reachable::Yes && tables.envelope(*c).accepts();
    assert_eq!(tables.cells().filter(accepts).count(), 168);
}

#[test]
fn only_the_relay_serves_strangers_who_write_to_strangers() {
    let tables = nantes();
    let relays: Vec<String> = tables
        .cells()
        .filter(|c| tables.reachable(*c) == Reachable::Yes && tables.envelope(*c).accepts())
        .filter(|c| c.recipient == RecipientClass::Remote && c.auth != Auth::Good)
        .map(|c| format!("{} × {}", tables.listener_name(c.listener), tables.class_name(c.class)))
        .collect();
    assert_eq!(relays, ["relay × private"; 4]);
}

#[test]
fn every_verdict_of_a_reachable_cell_names_a_rule_and_a_place_in_the_order_of_judgement() {
    let tables = nantes();
    for cell in tables.cells().filter(|c| tables.reachable(*c) == Reachable::Yes) {
        let verdict = tables.envelope(cell);
        assert!(!verdict.rule.is_empty(), "{cell:?}");
        if cell.recipient == RecipientClass::Unknown {
            assert!(!verdict.accepts(), "{cell:?}");
        }
    }
}

#[test]
fn the_251st_recipient_from_outside_is_refused_by_the_rule_that_says_so() {
    let mut sender = Sender::new(nantes(), "subm", OUTSIDE, Some("toto-j"));
    sender.fill(5, 50, 1);
    let refusal = sender.one(300).unwrap_err();
    assert_eq!(refusal.rule, "may_send.person-outside.recipients_attempted/15min");
    assert_eq!((refusal.code.basic, refusal.reason), (451, Reason::RecipientWindow));
}

/// The quarter of an hour ends exactly 9 000 ticks after the first recipient, spread over ten minutes or in one tick.
#[test]
fn the_window_opens_at_fifteen_minutes_and_not_one_tick_earlier() {
    for every in [0, 24] {
        for (at, accepted) in [(8_999, false), (9_000, true)] {
            let mut sender = Sender::new(nantes(), "subs", OUTSIDE, Some("toto-j"));
            sender.fill(5, 50, every);
            assert_eq!(sender.one(at).is_ok(), accepted, "one recipient every {every} ticks, then at {at}");
        }
    }
}

#[test]
fn refused_attempts_keep_the_door_shut() {
    let mut sender = Sender::new(nantes(), "subm", OUTSIDE, Some("toto-j"));
    sender.fill(5, 50, 0);
    // One refused attempt a minute for an hour: the quarter never empties of attempts, the hour fills with them.
    let mut transaction = sender.mail(10).unwrap();
    for _ in 0..1_000 {
        assert!(sender.rcpt(&mut transaction, 10).is_err());
    }
    transaction.end(&mut sender.rings, false);
    let refusal = sender.one(9_010).unwrap_err();
    assert_eq!(refusal.rule, "may_send.person-outside.recipients_attempted/1h");
    assert!(sender.one(36_010).is_ok());
}

#[test]
fn with_a_full_window_known_and_unknown_recipients_get_one_answer() {
    let mut sender = Sender::new(nantes(), "subm", OUTSIDE, Some("toto-j"));
    sender.fill(5, 50, 0);
    let mut transaction = sender.mail(1).unwrap();
    let mut verdict = |class, address| {
        let tables = &sender.tables;
        transaction.rcpt(tables, &mut sender.rings, class, address, Tick(1)).unwrap_err()
    };
    let known = verdict(RecipientClass::Local, "jean.toto@univ-nantes.fr");
    assert_eq!(known, verdict(RecipientClass::Unknown, "nobody@univ-nantes.fr"));
    assert_eq!(known, verdict(RecipientClass::Malformed, ""));
}

#[test]
fn the_51st_recipient_of_one_message_waits_and_the_others_stand() {
    let mut sender = Sender::new(nantes(), "subm", OUTSIDE, Some("toto-j"));
    let mut transaction = sender.mail(0).unwrap();
    for _ in 0..50 {
        sender.rcpt(&mut transaction, 0).unwrap();
    }
    let refusal = sender.rcpt(&mut transaction, 0).unwrap_err();
    assert_eq!(refusal.rule, "may_send.person-outside.recipients_in_one_message");
    assert_eq!((refusal.code.basic, transaction.accepted()), (452, 50));
}

#[test]
fn the_same_address_twice_is_two_attempts_and_one_recipient() {
    let mut sender = Sender::new(nantes(), "subm", OUTSIDE, Some("toto-j"));
    let mut transaction = sender.mail(0).unwrap();
    let tables = nantes();
    let mut again =
        || transaction.rcpt(&tables, &mut sender.rings, RecipientClass::Remote, "a@elsewhere.example", Tick(0));
    assert_eq!(again(), Ok(Accepted::New));
    for _ in 0..249 {
        assert_eq!(again(), Ok(Accepted::Again));
    }
    assert_eq!(again().unwrap_err().reason, Reason::RecipientWindow);
    assert_eq!(transaction.accepted(), 1);
}

/// "Messages per hour" counts what was accepted: a transaction that ends otherwise gives its place back.
#[test]
fn fifty_messages_an_hour_from_outside_and_the_unfinished_ones_do_not_count() {
    let mut sender = Sender::new(nantes(), "subm", OUTSIDE, Some("toto-j"));
    for _ in 0..80 {
        sender.mail(0).unwrap().end(&mut sender.rings, false);
    }
    for _ in 0..50 {
        sender.mail(0).unwrap().end(&mut sender.rings, true);
    }
    let refusal = sender.mail(35_999).unwrap_err();
    assert_eq!(refusal.rule, "may_send.person-outside.messages_accepted/1h");
    assert!(sender.mail(36_000).is_ok());
}

/// What is reserved counts at once, so that parallel connections cannot overshoot.
#[test]
fn open_transactions_hold_their_places() {
    let mut sender = Sender::new(nantes(), "subm", OUTSIDE, Some("toto-j"));
    let open: Vec<Transaction> = (0..50).map(|_| sender.mail(0).unwrap()).collect();
    assert!(sender.mail(0).is_err());
    for transaction in open {
        transaction.end(&mut sender.rings, false);
    }
    assert!(sender.mail(0).is_ok());
}

#[test]
fn each_access_has_its_own_count_as_the_policy_says() {
    let tables = nantes();
    let outside = client(&tables, "subm", OUTSIDE, Some("toto-j"));
    let mut sender = Sender::new(tables, "subm", INSIDE, Some("toto-j"));
    sender.fill(5, 100, 0);
    assert!(sender.one(1).is_err());
    sender.client = outside;
    assert!(sender.one(1).is_ok());
}

#[test]
fn counted_together_one_ring_serves_every_block() {
    let together = |mut plan: plan::Plan| {
        plan.one_account_in_several_blocks = plan::SeveralBlocks::CountedTogether;
        plan
    };
    let tables = nantes_with(together);
    let outside = client(&tables, "subm", OUTSIDE, Some("toto-j"));
    let mut sender = Sender::new(tables, "subm", INSIDE, Some("toto-j"));
    sender.fill(3, 100, 0);
    assert!(sender.one(1).is_ok());
    sender.client = outside;
    assert_eq!(sender.one(1).unwrap_err().rule, "may_send.person-outside.recipients_attempted/15min");
}

#[test]
fn mail_without_a_reverse_path_is_one_report_to_one_recipient() {
    let tables = nantes();
    let client = client(&tables, "subm", INSIDE, Some("toto-j"));
    let mut rings = Rings::default();
    let mut transaction =
        Transaction::mail(&tables, &mut rings, &client, SenderClass::Empty, None, "2026-11-23", Tick(0)).unwrap();
    let mut rcpt = |address| transaction.rcpt(&tables, &mut rings, RecipientClass::Remote, address, Tick(0));
    assert_eq!(rcpt("y@other.example"), Ok(Accepted::New));
    let second = rcpt("z@other.example").unwrap_err();
    assert_eq!((second.code.basic, second.rule.as_str()), (452, "may_send.person-inside.empty_sender"));
    assert!(transaction.content(&tables, 100, true).is_ok());
    let refusal = transaction.content(&tables, 100, false).unwrap_err();
    assert_eq!((refusal.code.basic, refusal.reason), (550, Reason::NotAReport));
}

#[test]
fn a_stranger_who_guesses_recipients_hears_nothing_more() {
    let tables = nantes();
    let stranger = client(&tables, "mx", OUTSIDE, None);
    let mut rings = Rings::default();
    let mut transaction =
        Transaction::mail(&tables, &mut rings, &stranger, SenderClass::Foreign, None, "2026-11-23", Tick(0)).unwrap();
    for guess in 0..30 {
        let address = format!("guess{guess}@univ-nantes.fr");
        assert!(transaction.is_open(&tables, &rings, &address, Tick(0)), "whoever knows may be asked");
        let judged = transaction.rcpt(&tables, &mut rings, RecipientClass::Unknown, &address, Tick(0));
        assert_eq!(judged.unwrap_err().code.basic, 550);
    }
    let address = "jean.toto@univ-nantes.fr";
    assert!(!transaction.is_open(&tables, &rings, address, Tick(0)), "nobody is asked for a stranger who guesses");
    let known = transaction.rcpt(&tables, &mut rings, RecipientClass::Local, address, Tick(0)).unwrap_err();
    assert_eq!((known.code.basic, known.reason), (451, Reason::UnknownRecipientWindow));
    assert!(!known.reply(false, "q7k3m2xw").text().contains("strangers"));
}

#[test]
fn guessing_from_outside_locks_nobody_out_inside_and_an_old_telephone_is_no_attack() {
    let tables = nantes();
    let mut rings = Rings::default();
    let guesses = |address: &str| {
        let address: IpAddr = address.parse().unwrap();
        Guesses::of(&tables, Guess { login: "toto-j", class: tables.class_of(address), address, known: false })
    };
    let outside = guesses(OUTSIDE);
    for _ in 0..500 {
        outside.failed(&tables, &mut rings, 7, Tick(0));
    }
    assert!(outside.check(&tables, &rings, Tick(1)).is_ok(), "one wrong password, however often");
    for secret in 0..10 {
        outside.failed(&tables, &mut rings, secret, Tick(1));
    }
    let refusal = outside.check(&tables, &rings, Tick(2)).unwrap_err();
    assert_eq!((refusal.code.basic, refusal.reason), (454, Reason::TooManyFailedLogins));
    assert!(guesses(INSIDE).check(&tables, &rings, Tick(2)).is_ok());
    assert!(outside.check(&tables, &rings, Tick(9_001)).is_ok());
}

#[test]
fn engines_that_are_down_never_mean_infected_and_never_mean_clean() {
    let tables = nantes();
    let judge = |a: EngineResult, b: EngineResult| {
        let results = [("mcafee".to_owned(), a), ("clamav".to_owned(), b)];
        decide::antivirus(&tables, decide::ContentDirection::Inbound, &results)
    };
    let down = |for_s| EngineResult::Down { for_s };
    let stopped = |verdict: decide::AntivirusVerdict| match verdict {
        decide::AntivirusVerdict::Pass { rescan, .. } => Err(rescan),
        decide::AntivirusVerdict::Stop(fate) => Ok((fate.reason, fate.quarantine, fate.refusal.map(|r| r.code.basic))),
    };
    assert_eq!(stopped(judge(EngineResult::Clean, EngineResult::Clean)), Err(false));
    let infected = || EngineResult::Infected("Eicar".into());
    assert_eq!(stopped(judge(EngineResult::Clean, infected())), Ok((Reason::Infected, true, None)));
    assert_eq!(stopped(judge(down(1), infected())), Ok((Reason::Infected, true, None)));
    assert_eq!(stopped(judge(EngineResult::Clean, down(60))), Ok((Reason::ScannerDown, false, Some(451))));
    assert_eq!(stopped(judge(EngineResult::Clean, down(4 * 3_600))), Err(true), "one engine looked, a rescan is owed");
    assert_eq!(stopped(judge(down(99_999), down(99_999))), Ok((Reason::ScannerDown, false, Some(451))));
}

#[test]
fn scores_are_added_or_the_lowest_counts_and_a_pass_without_one_is_left_out() {
    let with = |total, copies| {
        nantes_with(move |mut plan| {
            let rules = plan.antispam.as_mut().expect("Nantes judges mail");
            (rules.total, rules.tag.copies) = (total, copies);
            plan
        })
    };
    let (sum, lowest) = (with(TagTotal::Sum, Copies::All), with(TagTotal::Lowest, Copies::Local));
    for (scores, added, least) in [
        (&[Some(-1_500), Some(1_000)][..], Some(-500), Some(-1_500)),
        (&[None, Some(1_000)], Some(1_000), Some(1_000)),
        (&[Some(i64::MIN), Some(-1)], Some(i64::MIN), Some(i64::MIN)),
        (&[None, None], None, None),
        (&[], None, None),
    ] {
        assert_eq!((spam_total(&sum, scores), spam_total(&lowest, scores)), (added, least), "{scores:?}");
    }
    // Exactly at the threshold nothing is tagged.
    assert_eq!(antispam(&sum, 0), SpamVerdict::Pass);
    assert_eq!(antispam(&sum, -1), SpamVerdict::Tag("antispam.tag_when"));
    assert_eq!((tags_what_leaves(&sum), tags_what_leaves(&lowest)), (true, false));
    let takes = |address: &str| takes_corrections(&sum, &address.parse().unwrap());
    assert!(takes("TraitementSpam@univ-nantes.fr") && !takes("jean.toto@univ-nantes.fr"));
}

#[test]
fn a_pair_of_listener_and_network_without_a_block_is_turned_away() {
    let tables = nantes();
    for (listener, address) in
        [("relay", OUTSIDE), ("relay", INSIDE), ("smtp", "192.0.2.80"), ("subs", "192.0.2.80"), ("relay", "192.0.2.80")]
    {
        let client = client(&tables, listener, address, None);
        let refusal = tables.connection(client.listener, client.class).unwrap_err();
        assert_eq!((refusal.code.basic, refusal.reason), (554, Reason::NoBlock), "{listener} from {address}");
    }
    let webmail = client(&tables, "subm", "192.0.2.80", Some("toto-j"));
    assert!(matches!(tables.connection(webmail.listener, webmail.class), Ok(Block::Send(_))));
    assert_eq!(tables.recipients_max(&webmail), 50);
}

#[test]
fn header_from_is_held_to_as_unless_the_block_says_otherwise() {
    use SenderClass::{Foreign, Own, OwnDomain};
    use plan::HeaderFrom;
    let judged = |header_from: HeaderFrom, listener: &str, address: &str, authors: &[SenderClass]| {
        let tables = nantes_with(|mut plan| {
            plan.may_send.values_mut().for_each(|block| block.header_from = header_from);
            plan
        });
        let client = client(&tables, listener, address, None);
        let block = tables.connection(client.listener, client.class).unwrap();
        decide::authors(&tables, block, authors).map_err(|refusal| (refusal.reason, refusal.rule))
    };
    let not_yours = |rule: &str| Err((Reason::SenderNotYours, rule.to_owned()));
    let (person, machine) = (("subm", OUTSIDE), ("relay", "10.44.0.7"));
    let as_written = HeaderFrom::AsReversePath;
    for ((listener, address), header_from, authors, wanted) in [
        (person, as_written, &[Own][..], Ok(())),
        (person, as_written, &[], Ok(())),
        (person, as_written, &[OwnDomain], not_yours("may_send.person-outside.as")),
        (person, as_written, &[Own, Foreign], not_yours("may_send.person-outside.as")),
        (person, HeaderFrom::OwnDomain, &[Own, OwnDomain], Ok(())),
        (person, HeaderFrom::OwnDomain, &[Foreign], not_yours("may_send.person-outside.header_from")),
        (person, HeaderFrom::AnyAddress, &[Foreign], Ok(())),
        (machine, as_written, &[OwnDomain], Ok(())),
        (machine, as_written, &[Foreign], not_yours("may_send.machine.as")),
        (machine, HeaderFrom::OwnAddresses, &[OwnDomain], not_yours("may_send.machine.header_from")),
        (("mx", OUTSIDE), HeaderFrom::OwnAddresses, &[Foreign], Ok(())),
    ] {
        assert_eq!(judged(header_from, listener, address, authors), wanted, "{listener} {header_from:?} {authors:?}");
    }
}

#[test]
fn a_redirect_holds_where_the_policy_allows_it_or_somebody_approved_it_and_only_as_long() {
    use decide::{Grant, RedirectDenial, RedirectStop, redirect_holds};
    use plan::GrantNeeds;
    let tables = nantes();
    let home = "oxford.example".parse().unwrap();
    let approved = Grant { home: Some(&home), approver: "durand-m", because: "visits until June", until: "2027-06-30" };
    let holds = |target: &str, grant: Option<Grant<'_>>, today: &str| {
        redirect_holds(&tables, &target.parse().unwrap(), grant, today)
    };
    let allowed = |rule: &str| Ok(rule.to_owned());
    let denied = |rule: &str, because| Err(RedirectStop::Denied { rule: rule.into(), because });
    let rule = "redirects.on_grant.foreign-researcher";
    let lacks = |needs: &[GrantNeeds]| Err(RedirectStop::Lacks { rule: rule.into(), needs: needs.to_vec() });
    let today = "2026-11-30";
    for (target, grant, today, wanted) in [
        ("jean@in2p3.fr", None, today, allowed("redirects.allow.in2p3")),
        ("jean@gmail.com", None, today, denied("redirects.refused_examples", RedirectDenial::Example)),
        ("jean@orange.fr", Some(approved), today, denied("redirects.refused_examples", RedirectDenial::Example)),
        ("jean@univ-nantes.fr", Some(approved), today, denied("domains.univ-nantes.fr", RedirectDenial::Ours)),
        ("j@cs.oxford.example", None, today, denied("redirects.otherwise", RedirectDenial::NotAllowed)),
        ("j@cs.oxford.example", Some(approved), today, allowed(rule)),
        ("j@cs.oxford.example", Some(approved), "2027-06-30", allowed(rule)),
        (
            "j@cs.oxford.example",
            Some(approved),
            "2027-07-01",
            Err(RedirectStop::Ended { rule: rule.into(), until: "2027-06-30".into() }),
        ),
        ("j@cs.oxford.example", Some(Grant { approver: " ", ..approved }), today, lacks(&[GrantNeeds::Approver])),
        (
            "j@cs.oxford.example",
            Some(Grant { because: "", until: "", ..approved }),
            today,
            lacks(&[GrantNeeds::Reason, GrantNeeds::EndDate]),
        ),
        ("j@cambridge.example", Some(approved), today, denied("redirects.otherwise", RedirectDenial::NotAllowed)),
    ] {
        assert_eq!(holds(target, grant, today), wanted, "{target} {grant:?} {today}");
    }
}

#[test]
fn a_stolen_password_on_three_accesses_is_accepted_for_exactly_what_the_compiler_prints() {
    let policy = tests::program::top().join("policies/nantes");
    let ran = tests::program::run(std::process::Command::new(tests::program::facteur()).arg("check").arg(policy));
    let first = ran.err.lines().next().unwrap_or_default().to_owned();
    let printed: u32 = first.split_whitespace().nth(2).and_then(|number| number.parse().ok()).expect(&first);
    let quarter = 15 * 60 * decide::TICKS_PER_S;
    let mut accepted = 0;
    let mut rings = Rings::default();
    for (address, in_a_quarter, in_one_message) in [("192.0.2.80", 500, 50), (INSIDE, 500, 100), (OUTSIDE, 250, 50)] {
        let mut sender = Sender { rings, ..Sender::new(nantes(), "subm", address, Some("toto-j")) };
        // Twice what a quarter of an hour takes fills the hour; the thief never knocks at a door that is shut.
        for at in [10, 10 + quarter] {
            for _ in 0..in_a_quarter / in_one_message {
                let mut transaction = sender.mail(at).unwrap();
                for _ in 0..in_one_message {
                    sender.rcpt(&mut transaction, at).unwrap();
                    accepted += 1;
                }
                transaction.end(&mut sender.rings, true);
            }
        }
        let last_tick = 10 + 4 * quarter - 1;
        let full = sender.one(last_tick).unwrap_err();
        assert!(full.rule.ends_with("recipients_attempted/1h"), "{}", full.rule);
        assert!(sender.one(last_tick + 2).is_ok(), "the hour is over");
        rings = sender.rings;
    }
    assert_eq!((accepted, printed), (2_500, 2_500), "{first}");
}

#[test]
fn the_worst_list_decides_and_answers_outside_its_prefixes_do_not_count() {
    let tables = nantes_with(|mut plan| {
        use plan::OnListed::{Note, Refuse, TryLater};
        for (name, then) in [("a", TryLater), ("b", Refuse), ("c", Note)] {
            let zone = format!("{name}.example").parse().unwrap();
            let answers = vec!["127.0.0.0/29".parse().unwrap()];
            plan.dns_lists.insert(name.to_owned(), plan::DnsList { zone, on: vec!["mx".to_owned()], answers, then });
        }
        plan
    });
    let on = |name: &'static str, last: u8| (name, vec![Ipv4Addr::new(127, 0, 0, last)]);
    let rule = |answers: &[_]| decide::listed(&tables, answers).refusal.map(|it| (it.code.basic, it.rule));
    assert_eq!(rule(&[]), None);
    assert_eq!(rule(&[on("a", 2)]), Some((451, "dns_lists.a".to_owned())));
    assert_eq!(rule(&[on("a", 2), on("b", 2)]), Some((550, "dns_lists.b".to_owned())));
    assert_eq!(rule(&[on("b", 2), on("a", 2)]), Some((550, "dns_lists.b".to_owned())));
    assert_eq!(rule(&[on("b", 255), ("a", vec![])]), None);
    assert_eq!(rule(&[("b", vec![Ipv4Addr::new(192, 0, 2, 1)])]), None);
    let noted = decide::listed(&tables, &[on("c", 4)]);
    assert_eq!((noted.refusal, noted.noted), (None, vec!["c".to_owned()]));
    let looked_up = |address: &str| decide::lists(&tables, &client(&tables, "mx", address, None)).len();
    assert_eq!(looked_up(OUTSIDE), 3);
    for network in &tables.plan().strangers.not_for {
        let prefix = tables.plan().networks[network].prefixes()[0];
        assert_eq!(looked_up(&prefix.first_host().to_string()), 0, "{network}");
    }
}

#[test]
fn who_comes_near_a_limit_is_named_once_in_its_width() {
    let tables = nantes_with(|mut plan| {
        plan.may_send.get_mut("person-outside").expect("Nantes has it").warn_at_percent = 80;
        plan
    });
    let mut sender = Sender::new(tables, "subm", OUTSIDE, Some("toto-j"));
    let mut told = Vec::new();
    for number in 0..240 {
        let at = number * 2;
        let mut transaction = sender.mail(at).unwrap();
        sender.rcpt(&mut transaction, at).unwrap();
        let rule = transaction.nearing(&sender.tables, &mut sender.rings, Tick(at));
        told.extend(rule.map(|rule| (number + 1, rule)));
        transaction.end(&mut sender.rings, false);
    }
    // 80 % of 250; none of these messages was accepted.
    assert_eq!(told, [(200, "may_send.person-outside.recipients_attempted/15min".to_owned())]);
    let mut sender = Sender::new(nantes(), "subm", OUTSIDE, Some("toto-j"));
    sender.fill(4, 50, 1);
    let transaction = sender.mail(1_000).unwrap();
    assert_eq!(transaction.nearing(&sender.tables, &mut sender.rings, Tick(1_000)), None, "the policy warns nobody");
}

#[test]
fn only_fronts_and_gateways_tell_for_whom_they_speak_and_a_gateway_is_no_stranger() {
    for (told, expected) in [
        (plan::ClientAddress::Proxy2, Tells::Proxy2),
        (plan::ClientAddress::Xclient, Tells::Xclient),
        (plan::ClientAddress::Received { depth: 2 }, Tells::Received { depth: 2 }),
    ] {
        let tables = nantes_with(|mut plan| {
            let gateway = plan::Gateway {
                from: vec!["203.0.113.32/29".parse().unwrap()],
                on: vec!["mx".to_owned()],
                refuse_others: true,
                client_address: told.clone(),
                results: plan::GatewayResults::Nothing,
            };
            plan.gateways.insert("filter".to_owned(), gateway);
            plan
        });
        let tells = |address: &str| tables.tells(tables.class_of(address.parse().unwrap()));
        assert_eq!(tells("203.0.113.33"), expected);
        assert_eq!(
            (tells("192.0.2.80"), tells(INSIDE), tells(OUTSIDE)),
            (Tells::Either, Tells::Nothing, Tells::Nothing)
        );
        let gateway = client(&tables, "mx", "203.0.113.33", None);
        let mut rings = Rings::default();
        for _ in 0..10_000 {
            decide::stranger_connection(&tables, &mut rings, &gateway, 10_000, Tick(0)).unwrap();
        }
    }
}

#[test]
fn a_from_of_ours_counts_as_ours_only_alone_and_aligned() {
    use Alignment::{Aligned, NotAligned, Unknown};
    let tables = nantes();
    let ours = tables.plan().institution.domain.to_string();
    let claim = |from: &[(&str, Alignment)]| {
        let from: Vec<_> = from.iter().map(|(domain, aligned)| (domain.parse().unwrap(), *aligned)).collect();
        decide::from_claim(&tables, &from)
    };
    for (from, expected) in [
        (vec![], FromClaim::Another),
        (vec![("elsewhere.example", NotAligned)], FromClaim::Another),
        (vec![(ours.as_str(), Aligned)], FromClaim::OursAligned),
        (vec![(ours.as_str(), NotAligned)], FromClaim::OursNotAligned),
        // Nobody can tell now: a time-out refuses nothing.
        (vec![(ours.as_str(), Unknown)], FromClaim::Another),
        (vec![("elsewhere.example", Aligned), (ours.as_str(), Aligned)], FromClaim::OursNotAligned),
    ] {
        assert_eq!(claim(&from), expected, "{from:?}");
    }
}

#[test]
fn a_message_that_has_passed_a_hundred_servers_runs_in_a_circle() {
    assert_eq!(decide::loops(99), Ok(()));
    let refusal = decide::loops(100).unwrap_err();
    assert_eq!((refusal.code.to_string().as_str(), refusal.reason), ("554 5.4.6", Reason::Loop));
}
