//! One message for everybody: spread over all mailboxes once, whatever hits the server meanwhile, while other mail goes on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mail::{Alias, AliasKind, Login};
use store::Op;
use tests::program;
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, wait};

use crate::outbound::site::{Site, open};

const EVERYBODY: &str = "everybody@univ-nantes.fr";
/// A debug build on a loaded machine.
const WITHIN: Duration = Duration::from_secs(300);

/// Nantes with `people` more behind one address.
fn house(scratch: &Scratch, people: u32) -> (Options, Facteur) {
    let data = scratch.join("data");
    let options = || Options { people, data: Some(data.clone()), ..Options::default() };
    let policy = program::top().join("policies/nantes");
    Facteur::start_with(&policy, options()).stop();
    let store = open(&data);
    let members = (1..=people).filter_map(|number| Login::new(&format!("user{number:04}"))).collect();
    let address = EVERYBODY.parse().expect("an address");
    store
        .commit_wait(vec![Op::UpsertAlias(Box::new(Alias { address, members, kind: AliasKind::Function }))])
        .expect("it fits");
    drop(store);
    (options(), Facteur::start_with(&policy, options()))
}

fn write_to_everybody(server: &Facteur) -> Outcome {
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    smtp.message("a@client.example", &[EVERYBODY], &letter("a@client.example", EVERYBODY, "to all"))?.expect(250)?;
    Ok(())
}

/// Messages of each account that has any, by the store itself.
fn counts(scratch: &Scratch, top: u32) -> (u64, Vec<u64>) {
    let mut command = std::process::Command::new(program::facteur());
    command.args(["store", "stats", "--format", "json", "--top", &top.to_string(), "--data"]).arg(scratch.join("data"));
    let stats: serde_json::Value =
        serde_json::from_str(program::run(&mut command).ends(0).out.lines().last().unwrap_or_default()).expect("JSON");
    let accounts = stats["top"].as_array().expect("a list").iter();
    let of = accounts.map(|account| account["messages"].as_u64().unwrap_or_default());
    (stats["messages"].as_u64().unwrap_or_default(), of.filter(|messages| *messages > 0).collect())
}

/// The spool is empty.
fn spread(scratch: &Scratch) -> Option<()> {
    let mut command = std::process::Command::new(program::facteur());
    command.args(["queue", "list", "--format", "json", "--data"]).arg(scratch.join("data"));
    (!program::run(&mut command).ends(0).out.contains(EVERYBODY)).then_some(())
}

#[test]
fn a_message_for_everybody_reaches_each_once_although_the_server_is_killed_amid() -> Outcome {
    let people = 600;
    let scratch = Scratch::new("spread");
    let (options, server) = house(&scratch, people);
    write_to_everybody(&server)?;
    server.kill();
    let server = Facteur::start_with(&program::top().join("policies/nantes"), options);
    wait::until(WITHIN, "the message is spread", || spread(&scratch));
    let mut imap = Imap::person(&server, "outside", &server.describe.person("user0007").clone())?;
    assert_eq!(imap.count("INBOX")?, 1);
    server.stop();
    let (messages, of) = counts(&scratch, people + 100);
    assert_eq!((messages, of.len()), (u64::from(people), people as usize));
    assert!(of.iter().all(|messages| *messages == 1), "nobody has it twice");
    Ok(())
}

#[test]
fn a_part_that_is_done_is_not_done_again() -> Outcome {
    let site = Site::new(9);
    let store = site.store();
    let body = store.put_body(&[letter("a@client.example", "b@example.org", "to all").as_bytes()])?;
    // Of two messages one has its only part behind it.
    for (number, spread) in [(1, [(0, 1)].into()), (2, BTreeMap::new())] {
        let recipient = store::QueueRecipient {
            forward_path: site.sender.address.parse()?,
            next_hop: store::NextHop::Local,
            due_at_s: 0,
            facts: queue::facts::written(&queue::RecipientFacts { parts: 1, ..queue::RecipientFacts::default() }),
        };
        store.commit_wait(vec![Op::Enqueue(Box::new(store::Enqueue {
            queue_id: store::QueueId([number; 16]),
            body: body.clone(),
            reverse_path: mail::ReversePath::Null,
            recipients: vec![recipient],
            plan: String::new(),
            accepted_at_s: i64::from(u32::MAX),
            facts: queue::facts::written(&queue::MessageFacts { spread, ..queue::MessageFacts::default() }),
        }))])?;
    }
    drop(store);
    let serving = site.serve();
    serving.until_told("delivered", 2);
    serving.stop();
    assert_eq!(site.inbox().len(), 1);
    Ok(())
}

/// With FACTEUR_LONG 40,000, and what ordinary mail waits for meanwhile; else a few thousand.
#[test]
fn other_mail_goes_on_while_a_message_is_spread() -> Outcome {
    let people = if std::env::var("FACTEUR_LONG").is_ok() { 40_000 } else { 2_000 };
    let scratch = Scratch::new("spread-wide");
    let (_, server) = house(&scratch, people);
    let who = server.describe.person("toto-j").clone();
    let mut smtp = Smtp::stranger(&server, "mx", "inside")?;
    let mut one = |number: usize| -> std::io::Result<Duration> {
        let began = Instant::now();
        let message = letter("a@client.example", &who.address, &format!("other{number}"));
        smtp.message("a@client.example", &[&who.address], &message)?.expect(250)?;
        Ok(began.elapsed())
    };
    let mut alone = (0..200).map(&mut one).collect::<Result<Vec<_>, _>>()?;
    let began = Instant::now();
    write_to_everybody(&server)?;
    let mut beside = Vec::new();
    while spread(&scratch).is_none() || beside.len() < 20 {
        beside.push(one(1_000 + beside.len())?);
        assert!(began.elapsed() < WITHIN, "it takes too long");
    }
    let took = began.elapsed();
    alone.sort();
    beside.sort();
    let p99 = |all: &[Duration]| all[all.len() * 99 / 100];
    println!("{people} mailboxes in {took:?}; other mail p99 {:?} alone, {:?} beside", p99(&alone), p99(&beside));
    server.stop();
    let others = (alone.len() + beside.len()) as u64;
    let (messages, _) = counts(&scratch, 10);
    assert_eq!(messages, u64::from(people) + others);
    Ok(())
}
