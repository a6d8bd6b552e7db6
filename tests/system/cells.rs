//! The whole envelope table over the wire: each cell of Nantes that a client can bring about is brought about, and the
//! reply is the table's word for word; what bars the others is heard, too (`policy-language` 6.1, assumption A3).

mod game;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use decide::{Cell, RecipientClass, Tables};
use policy::{LoadError, Loader};
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Options, Outcome, Smtp, policy_copy, program, wait};

use game::{Fate, Game};

/// Limits that the game cannot reach, mailboxes that are soon full, and neighbours: the envelope table is the same.
const CHANGES: &[(&str, &str)] = &[
    ("[\"100 / 1 h\"], recipients_attempted: [\"500", "[\"900 / 1 h\"], recipients_attempted: [\"900"),
    ("[\"200 / 1 h\"], recipients_attempted: [\"500", "[\"900 / 1 h\"], recipients_attempted: [\"900"),
    ("[\"50 / 1 h\"]", "[\"900 / 1 h\"]"),
    ("\"250 / 15 min\", \"500 / 1 h\"", "\"900 / 15 min\", \"1000 / 1 h\""),
    ("[\"100 / 1 h\"], recipients_attempted: Unlimited", "[\"900 / 1 h\"], recipients_attempted: Unlimited"),
    ("AtMost(recipients: \"2500 / 1 h\"", "AtMost(recipients: \"9000 / 1 h\""),
    ("failed: [\"10 / 15 min\", \"50 / 1 day\"]", "failed: [\"900 / 15 min\"]"),
    ("failed: [\"30 / 15 min\"]", "failed: [\"900 / 15 min\"]"),
    ("connections_attempted: [\"120 / 1 min\"]", "connections_attempted: [\"9000 / 1 min\"]"),
    ("unknown_recipients_attempted: [\"30 / 15 min\"]", "unknown_recipients_attempted: [\"900 / 15 min\"]"),
    ("message_size: \"20 MB\"", "message_size: \"60 kB\""),
    ("quota: Fixed(\"2 GB\")", "quota: Fixed(\"100 kB\")"),
    (
        "        \"univ-nantes.fr\":        Held(),\n",
        "        \"univ-nantes.fr\":        Held(),
        \"labo.example\":   PassOn(next_hop: Smtp(\"mx.labo.example:25\"), recipients: Any),
        \"listes.example\": PassOn(next_hop: Lmtp(\"lists.labo.example:24\"), recipients: AskThere(cache: \"10 min\")),\n",
    ),
];
/// For the second server: a full mailbox has soon been full for long.
const SOON: (&str, &str) = ("full: TryLater(for: \"3 days\")", "full: TryLater(for: \"1 s\")");

/// A visitor, who has the small quota.
const HOARDS: &str = "Jerome.Toto@univ-nantes.fr";
/// Somebody with room for all of it.
const SHARES: &str = "Jean.Toto@univ-nantes.fr";
/// Somebody whose account is closed.
const LEFT: &str = "martin-l";
/// Below the size of `CHANGES`; two or three fill the quota of `CHANGES` and its grace.
const HOARDED_OCTETS: usize = 50_000;

struct Disk;

impl Loader for Disk {
    fn load(&self, name: &str) -> Result<String, LoadError> {
        std::fs::read_to_string(name).map_err(|_| LoadError::NotFound)
    }
}

fn tables(folder: &Path) -> Tables {
    let compiled = policy::compile(&Disk, &folder.join("policy.ron").display().to_string()).expect("it can be read");
    Tables::new(compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics)).plan).expect("a sound plan")
}

/// The verdicts of a policy cell by cell, with names for listeners and networks.
fn verdicts(tables: &Tables) -> Vec<String> {
    let line = |cell: Cell| {
        let (listener, class) = (tables.listener_name(cell.listener), tables.class_name(cell.class));
        format!("{listener} {class} {cell:?}: {:?} {:?}", tables.reachable(cell), tables.envelope(cell))
    };
    tables.cells().map(line).collect()
}

#[test]
fn every_cell_of_the_envelope_table_is_what_the_wire_says() -> Outcome {
    let (scratch, again) = (Scratch::new("cells"), Scratch::new("cells-later"));
    let folder = policy_copy::changed(&scratch, "nantes", CHANGES);
    let tables = tables_like_nantes(&folder);
    let options = || Options { data: Some(scratch.join("data")), ..Options::default() };
    let mut fates = BTreeMap::new();
    let server = Facteur::start_with(&folder, options());
    fill(&server)?;
    let mut recipients = recipients();
    recipients.insert(RecipientClass::Full, HOARDS.into());
    recipients.insert(RecipientClass::Closed, server.describe.person(LEFT).address.clone());
    let mut close = Command::new(program::facteur());
    close.args(["person", "close", LEFT, "--because", "a test asks", "--data"]).arg(scratch.join("data"));
    program::run(&mut close).ends(0);
    let mut game = Game { tables: &tables, server: &server, recipients, fates: &mut fates, faults: Vec::new() };
    game.play()?;
    let mut faults = game.faults;
    faults.append(&mut reading::play(&tables, &server)?);
    faults.append(&mut hacks(&tables, &server)?);
    server.stop();
    // Since when a mailbox is full outlives the server, so its successor finds it full for long.
    let folder = policy_copy::changed(&again, "nantes", &[CHANGES, &[SOON]].concat());
    let tables = tables_like_nantes(&folder);
    let server = Facteur::start_with(&folder, options());
    wait::until(Duration::from_secs(30), "the mailbox has been full for long", || {
        let reply = Smtp::stranger(&server, "mx", "inside").and_then(|mut smtp| {
            smtp.mail("a@client.example")?.expect(250)?;
            smtp.rcpt(HOARDS)
        });
        reply.is_ok_and(|reply| reply.code == 552).then_some(())
    });
    let recipients = [(RecipientClass::FullForLong, HOARDS.to_string())].into();
    let mut game = Game { tables: &tables, server: &server, recipients, fates: &mut fates, faults: Vec::new() };
    game.play()?;
    faults.append(&mut game.faults);
    assert!(faults.is_empty(), "{} differences\n{}", faults.len(), faults.join("\n"));
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    told(&tables, &fates);
    Ok(())
}

/// Says and checks the sums.
fn told(tables: &Tables, fates: &BTreeMap<Cell, Fate>) {
    let left: Vec<Cell> = tables.cells().filter(|cell| !fates.contains_key(cell)).collect();
    let of = |wanted: Fate| fates.values().filter(|fate| **fate == wanted).count();
    let (played, barred) = (of(Fate::Played), of(Fate::Barred));
    let (turned_away, impossible) = (of(Fate::TurnedAway), of(Fate::Impossible));
    let missing: BTreeSet<RecipientClass> = left.iter().map(|cell| cell.recipient).collect();
    let all = tables.cells().count();
    // Nothing the language says of people gives anybody a redirect, and the server finds none: no client can bring these
    // about in this build.
    insta::assert_snapshot!(format!(
        "{played} played\n{barred} barred on the wire\n{turned_away} turned away at the banner\n{impossible} of \
         nobody's own address, answered as any address of ours\n{} not constructible ({missing:?})\n= {all} envelope \
         cells\n",
        left.len()
    ));
    assert_eq!(played + barred + turned_away + impossible + left.len(), all);
    assert_eq!((played + left.len(), barred, turned_away, impossible), (1_510, 1_490, 1_000, 800));
    assert_eq!(missing, [RecipientClass::Redirected].into());
}

/// The tables of a changed copy: the envelope table must still be that of Nantes.
fn tables_like_nantes(folder: &Path) -> Tables {
    let (nantes, copy) = (tables(&program::top().join("policies/nantes")), tables(folder));
    assert_eq!(verdicts(&nantes), verdicts(&copy));
    copy
}

fn recipients() -> BTreeMap<RecipientClass, String> {
    let some = [
        (RecipientClass::Local, "Jean-Pierre.Toto@univ-nantes.fr"),
        (RecipientClass::PassedOn, "someone@labo.example"),
        (RecipientClass::Unknown, "nobody.at.all@univ-nantes.fr"),
        // Asking the next hop is not built, so it can never say now.
        (RecipientClass::Unsure, "readers@listes.example"),
        (RecipientClass::Remote, "someone@elsewhere.example"),
        (RecipientClass::Malformed, "@univ-nantes.fr:someone@elsewhere.example"),
    ];
    some.into_iter().map(|(class, address)| (class, address.to_string())).collect()
}

/// Mail until the small mailbox is past its grace. It takes the last message only because somebody else takes it, too:
/// alone it would be refused at the final dot.
fn fill(server: &Facteur) -> io::Result<()> {
    let mut smtp = Smtp::stranger(server, "mx", "inside")?;
    let line = "0123456789abcdef\r\n";
    let message = letter("a@client.example", HOARDS, "hoard") + &line.repeat(HOARDED_OCTETS / line.len());
    for _ in 0..4 {
        smtp.mail("a@client.example")?.expect(250)?;
        if smtp.rcpt(HOARDS)?.code == 452 {
            return Ok(());
        }
        smtp.rcpt(SHARES)?.expect(250)?;
        smtp.data(&message)?.expect(250)?;
    }
    Err(io::Error::other("the mailbox is never full"))
}

/// Forms of an address by which old mail programs were made to relay (`policy-language` 6.2): none is a remote recipient,
/// not even where one is welcome.
const HACKS: &[&str] = &[
    "user%elsewhere.example@univ-nantes.fr",
    "\"user@elsewhere.example\"@univ-nantes.fr",
    "elsewhere.example!user@univ-nantes.fr",
    "user%elsewhere.example%other.example@univ-nantes.fr",
    "@univ-nantes.fr:user@elsewhere.example",
    "@univ-nantes.fr,@mx.univ-nantes.fr:user@elsewhere.example",
    "elsewhere.example!user",
    "user%elsewhere.example",
];

/// Types each form at the door for strangers and at the relay for machines; says which were taken, or refused otherwise
/// than an address of ours that nobody has.
fn hacks(tables: &Tables, server: &Facteur) -> io::Result<Vec<String>> {
    let mut faults = Vec::new();
    for (listener, network) in [("mx", "outside"), ("relay", "private")] {
        let (listener_id, class) = (tables.listener(listener), tables.network(network));
        let (Some(listener_id), Some(class)) = (listener_id, class) else { panic!("Nantes has {listener}") };
        let mut allowed: BTreeSet<String> = BTreeSet::new();
        for recipient in [RecipientClass::Unknown, RecipientClass::Malformed] {
            let (auth, sender) = (decide::Auth::None, decide::SenderClass::OwnDomain);
            let cell = Cell { listener: listener_id, class, tls: false, auth, sender, recipient };
            allowed.extend(tables.envelope(cell).refusal().map(|refusal| refusal.code.to_string()));
        }
        assert_eq!(allowed.len(), 2, "both are refused");
        let mut smtp = Smtp::stranger(server, listener, network)?;
        smtp.mail("Anne.Dupont@univ-nantes.fr")?.expect(250)?;
        for hack in HACKS {
            let codes = smtp.rcpt(hack)?.codes();
            // Without a domain it is no forward-path at all (RFC 5321 4.1.2).
            let no_path = !hack.contains('@') && codes == "501 5.1.3";
            if !allowed.contains(&codes) && !no_path {
                faults.push(format!("{listener} × {network}: <{hack}> got {codes}, not one of {allowed:?}"));
            }
        }
    }
    Ok(faults)
}
