//! What a case is drawn from: few people, few names and small numbers, so that steps meet.

use std::collections::BTreeMap;

use mail::{
    Address, Alias, AliasKind, Flags, Grant, Identifier, Keyword, Login, MailboxName, Person, Rights, RightsChange,
    SpecialUse, SystemFlags,
};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use super::naive::{Defaults, Id, Item, Mail, Octets, Origin, Ranges, Step, Target, Waiting};

/// `c` is not there at first and `nobody` never comes; `A` is `a`.
pub const LOGINS: [&str; 5] = ["a", "b", "c", "nobody", "A"];
pub const NAMES: [&str; 9] =
    ["INBOX", "Corbeille", "Indésirables", "x", "x/y", "x/y/z", "Indésirables/z", "INBOX/q", "été"];
pub const ADDRESSES: [&str; 6] =
    ["a@example.org", "b@example.org", "C@example.org", "c@example.org", "info@example.org", "old@example.org"];
const ENTRIES: [&str; 3] = ["/private/comment", "/shared/Comment", "/private/vendor/x"];

/// What happens in a case.
#[derive(Clone, Debug)]
pub enum Happening {
    Commit(Vec<Drawn>),
    Restart,
    Compact,
}

impl Happening {
    /// A commit of one step.
    pub fn one(step: Step) -> Happening {
        Happening::Commit(vec![Drawn { step, source: Source::Fresh }])
    }
}

/// A step whose bodies have no numbers yet.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub step: Step,
    pub source: Source,
}

/// Where the bodies of a step come from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    Fresh,
    /// The body of the step before.
    Again,
    /// The body of a message, by mailbox and UID.
    Of(usize, u32),
}

pub fn happenings(length: usize) -> BoxedStrategy<Vec<Happening>> {
    let commit = prop_oneof![4 => prop::collection::vec(drawn(), 1), 1 => prop::collection::vec(drawn(), 2..5)];
    // Each shard trims for itself, so it is never one commit with others.
    let trim = (0u64..4).prop_map(|before| vec![Drawn { step: Step::Trim(before), source: Source::Fresh }]);
    let happening = prop_oneof![
        60 => commit.prop_map(Happening::Commit),
        1 => trim.prop_map(Happening::Commit),
        2 => Just(Happening::Restart),
        2 => Just(Happening::Compact),
    ];
    prop::collection::vec(happening, 1..length).boxed()
}

/// Commits whose bodies are all fresh.
pub fn commits(length: usize) -> BoxedStrategy<Vec<Vec<Step>>> {
    let step = || drawn().prop_map(|drawn| drawn.step);
    let commit = prop_oneof![4 => prop::collection::vec(step(), 1), 1 => prop::collection::vec(step(), 2..5)];
    prop::collection::vec(commit, length).boxed()
}

fn drawn() -> BoxedStrategy<Drawn> {
    let step = prop_oneof![30 => messages(), 12 => mailboxes(), 5 => people(), 7 => queue(), 4 => records()];
    let source = prop_oneof![
        6 => Just(Source::Fresh),
        1 => Just(Source::Again),
        2 => (number(), uid()).prop_map(|(at, uid)| Source::Of(at, uid)),
    ];
    (step, source).prop_map(|(step, source)| Drawn { step, source }).boxed()
}

fn messages() -> BoxedStrategy<Step> {
    let deliver = (id(), prop::collection::vec(target(), 1..4), mail());
    let import = (login(), name(), prop::collection::vec(mail(), 0..3), any::<bool>());
    prop_oneof![
        9 => deliver.prop_map(|(id, to, mail)| Step::Deliver(id, to, mail)),
        1 => (id(), mail()).prop_map(|(id, mail)| Step::Deliver(id, Vec::new(), mail)),
        3 => (login(), name(), mail()).prop_map(|(login, name, mail)| Step::Append(login, name, mail)),
        2 => (login(), name(), mail(), (number(), uid()))
            .prop_map(|(login, name, mail, old)| Step::Replace(login, name, mail, old)),
        2 => import.prop_map(|(login, name, mails, bound)| Step::Import(login, name, mails, bound)),
        6 => (number(), uids(), select(vec!['+', '-', '=']), flags(), weighted(0.4, 0u64..25))
            .prop_map(|(at, uids, mode, flags, since)| Step::SetFlags(at, uids, mode, flags, since)),
        4 => (number(), uids(), number()).prop_map(|(from, uids, to)| Step::Copy(from, uids, to)),
        4 => (number(), uids(), number()).prop_map(|(from, uids, to)| Step::Move(from, uids, to)),
        3 => (number(), expunged()).prop_map(|(at, (uids, only_deleted))| Step::Expunge(at, uids, only_deleted)),
    ]
    .boxed()
}

fn mailboxes() -> BoxedStrategy<Step> {
    let annotation = (login(), weighted(0.6, name()), select(ENTRIES.to_vec()), weighted(0.7, octets()));
    prop_oneof![
        3 => (login(), name(), weighted(0.4, special())).prop_map(|(login, name, to)| Step::Create(login, name, to)),
        2 => (login(), name()).prop_map(|(login, name)| Step::Delete(login, name)),
        3 => (login(), name(), name()).prop_map(|(login, from, to)| Step::Rename(login, from, to)),
        1 => (login(), any::<bool>()).prop_map(|(login, away)| {
            let (from, to) = (MailboxName::inbox(), name_of(if away { "x/y" } else { "été" }));
            Step::Rename(login, from, to)
        }),
        2 => (login(), name(), any::<bool>()).prop_map(|(login, name, on)| Step::Subscribe(login, name, on)),
        2 => annotation.prop_map(|(login, name, entry, value)| Step::Annotate(login, name, entry.to_owned(), value)),
        3 => grant(),
        2 => (login(), select(vec![1, 500, 800, 950])).prop_map(|(login, permille)| Step::Warned(login, permille)),
    ]
    .boxed()
}

/// Few names and a clock of few moments, so that entries meet and end.
fn grant() -> BoxedStrategy<Step> {
    let who = select(vec!["anyone", "b", "-b", "$physics"]);
    let rights = select(vec!["", "l", "lr", "rswi", "lrswipkxtea"]);
    let change = select(vec![RightsChange::Replace, RightsChange::Add, RightsChange::Remove]);
    let drawn = (login(), name(), who, rights, weighted(0.5, 0i64..9), change, 0i64..9);
    let step = drawn.prop_filter_map("no grant", |(login, name, who, rights, until_s, change, at_s)| {
        let (identifier, rights) = (Identifier::parse(who)?, Rights::parse(rights)?);
        Some(Step::Grant(login, name, Grant { identifier, rights, until_s }, change, at_s))
    });
    step.boxed()
}

fn people() -> BoxedStrategy<Step> {
    let person = (login(), address(), quota(), weighted(0.5, word()), defaults(), weighted(0.5, origin()));
    let moment = || weighted(0.5, 0i64..9);
    let given = (select(vec!["a", "nobody", "c@example.org"]), any::<bool>(), word(), moment());
    let kind = select(vec![AliasKind::Former, AliasKind::Alias, AliasKind::Function]);
    prop_oneof![
        4 => person.prop_map(|(login, address, quota, verifier, mailboxes, origin)| {
            let login = if login.as_str() == "nobody" { login_of("c") } else { login };
            Step::Person(person_of(login, address, quota), verifier, mailboxes, origin)
        }),
        3 => (address(), prop::collection::vec(login(), 0..3), kind)
            .prop_map(|(address, members, kind)| Step::Alias(Alias { address, members, kind })),
        1 => address().prop_map(Step::NoAlias),
        1 => login().prop_map(Step::Claim),
        1 => (login(), word()).prop_map(|(login, verifier)| Step::Verifier(login, verifier)),
        1 => (login(), octets(), moment()).prop_map(|(login, octets, due)| Step::Standing(login, octets, due)),
        1 => (login(), octets()).prop_map(|(login, octets)| Step::Secret(login, octets)),
        1 => login().prop_map(Step::Erase),
        2 => (login(), word(), 0i64..9, 1u64..3).prop_map(|(login, how, at, times)| Step::Access(login, how, at, times)),
        1 => (0i64..9).prop_map(Step::TrimAccesses),
        1 => given.prop_map(|(what, login, holder, freed)| Step::Given(what.to_owned(), login, holder, freed)),
    ]
    .boxed()
}

fn origin() -> BoxedStrategy<Origin> {
    let source = select(crate::PersonSource::ALL.to_vec()).prop_map(|source| format!("{source:?}"));
    let day = || select(vec!["", "2020-01-01", "2027-08-31"]).prop_map(str::to_owned);
    (source, select(vec!["", "", "uid-1", "uid-2"]), day(), day())
        .prop_map(|(source, id, from, until)| [source, id.to_owned(), from, until])
        .boxed()
}

fn queue() -> BoxedStrategy<Step> {
    prop_oneof![
        4 => (spool_id(), spooled()).prop_map(|(id, item)| Step::Keep("spool", id, item)),
        1 => (spool_id(), octets()).prop_map(|(id, facts)| Step::Progress(id, facts)),
        2 => (spool_id(), 0u32..3, 0i64..9, word()).prop_map(|(id, n, due, reply)| Step::Attempt(id, n, due, reply)),
        3 => (spool_id(), 0u32..3).prop_map(|(id, n)| Step::Settle(id, n)),
        1 => (spool_id(), 0i64..9).prop_map(|(id, due)| Step::Reschedule(id, due)),
        1 => (select(vec!["loss", "decision", "audit"]), 0i64..9).prop_map(|(log, before)| Step::TrimLog(log, before)),
        2 => (spool_id(), quarantined()).prop_map(|(id, item)| Step::Keep("quarantine", id, item)),
        1 => spool_id().prop_map(Step::Release),
        1 => (spool_id(), kind(), octets()).prop_map(|(id, kind, facts)| Step::Recast(id, kind, facts)),
    ]
    .boxed()
}

fn records() -> BoxedStrategy<Step> {
    let loss = (word(), path(), word(), word(), 0i64..9).prop_map(|(kind, path, recipient, reason, at)| {
        let words = vec![kind, hex([7; 16]), path, recipient, reason, at.to_string()];
        Step::Write("loss", words)
    });
    let key = || select(vec![b"k".to_vec(), b"l".to_vec(), b"m".to_vec()]);
    let rings = prop::collection::vec((key(), prop::collection::vec(any::<u8>(), 0..3)), 0..3);
    let counts = prop::collection::vec((0u64..3, -3i32..5, -3i32..5), 0..4);
    prop_oneof![
        loss,
        (0i64..9, word()).prop_map(|(at, row)| Step::Write("decision", vec![at.to_string(), row])),
        (0i64..9, word(), word()).prop_map(|(at, who, what)| Step::Write("audit", vec![at.to_string(), who, what])),
        rings.prop_map(|rings| Step::Put("ring", rings)),
        (key(), weighted(0.7, octets()))
            .prop_map(|(key, value)| Step::Put("setting", vec![(key, value.unwrap_or_default())])),
        (0u32..2, counts).prop_map(|(bucket, counts)| Step::Tokens(bucket, counts)),
    ]
    .boxed()
}

fn login() -> BoxedStrategy<Login> {
    prop_oneof![5 => Just("a"), 5 => Just("b"), 2 => Just("c"), 1 => Just("A"), 1 => Just("nobody")]
        .prop_map(login_of)
        .boxed()
}

fn name() -> BoxedStrategy<MailboxName> {
    select(NAMES.to_vec()).prop_map(name_of).boxed()
}

fn address() -> BoxedStrategy<Address> {
    select(ADDRESSES.to_vec()).prop_map(address_of).boxed()
}

fn special() -> BoxedStrategy<SpecialUse> {
    select(vec![SpecialUse::Archive, SpecialUse::Junk, SpecialUse::Trash]).boxed()
}

/// Of a mailbox that may not be there: the first six are those of `a` and `b`.
fn number() -> BoxedStrategy<usize> {
    prop_oneof![8 => 0usize..6, 2 => 0usize..14].boxed()
}

fn uid() -> BoxedStrategy<u32> {
    (1u32..8).boxed()
}

fn uids() -> BoxedStrategy<Ranges> {
    let some = prop::collection::vec((uid(), 0u32..4).prop_map(|(first, more)| (first, first + more)), 0..4);
    prop_oneof![3 => some, 2 => Just(vec![(1, u32::MAX)])].boxed()
}

/// All, all that are `\Deleted`, or some of either.
fn expunged() -> BoxedStrategy<(Ranges, bool)> {
    prop_oneof![2 => Just((vec![(1, u32::MAX)], true)), 3 => (uids(), any::<bool>())].boxed()
}

fn target() -> BoxedStrategy<Target> {
    prop_oneof![
        3 => login().prop_map(|login| (login, None, None)),
        3 => (login(), name()).prop_map(|(login, name)| (login, Some(name), None)),
        2 => (login(), special()).prop_map(|(login, special)| (login, None, Some(special))),
    ]
    .boxed()
}

/// Small numbers in the first and last octets, so that ids meet and some are older than a trim.
fn id() -> BoxedStrategy<Id> {
    (0u8..4, 0u8..16)
        .prop_map(|(ms, n)| {
            std::array::from_fn(|at| {
                if at == 5 {
                    ms
                } else if at == 15 {
                    n
                } else {
                    0
                }
            })
        })
        .boxed()
}

fn spool_id() -> BoxedStrategy<Id> {
    (1u8..4).prop_map(|n| [n; 16]).boxed()
}

pub fn flags() -> BoxedStrategy<Flags> {
    let bits = prop_oneof![Just(0u8), Just(SystemFlags::DELETED.bits()), 0u8..32];
    (bits, prop::collection::btree_set(select(vec!["a", "A", "b", "$Junk"]), 0..3))
        .prop_map(|(bits, words)| Flags {
            system: SystemFlags::from_bits(bits),
            keywords: words.iter().filter_map(|word| Keyword::new(word)).collect(),
        })
        .boxed()
}

pub fn mail() -> BoxedStrategy<Mail> {
    let id = || prop_oneof![1 => Just(String::new()), 3 => (1u8..7).prop_map(|n| format!("<{n}@x>"))];
    let references = prop::collection::vec(id(), 0..4).prop_map(|ids| ids.join(" "));
    let octets = prop_oneof![1 => Just(0u64), 9 => 8u64..250];
    (octets, id(), id(), references, flags(), (0i64..2_000_000_000, -720i16..841))
        .prop_map(|(octets, message_id, in_reply_to, references, flags, date)| Mail {
            octets,
            ids: [message_id, in_reply_to, references],
            flags,
            date,
            ..Mail::default()
        })
        .boxed()
}

fn spooled() -> BoxedStrategy<Item> {
    let hop = select(vec!["local", "mx", "smart-host"]).prop_map(str::to_owned);
    let recipient = (0i64..9, [address().prop_map(|it| it.to_string()).boxed(), hop.boxed(), word()])
        .prop_map(|(due, [path, hop, facts])| -> Waiting { (due, 0, [path, hop, facts, String::new()]) });
    (mail(), path(), word(), 0i64..9, octets(), prop::collection::vec(recipient, 0..4))
        .prop_map(|(mail, path, plan, accepted, facts, waiting)| {
            let waiting: BTreeMap<u32, Waiting> = (0..).zip(waiting).collect();
            Item { mail, words: vec![path, plan, accepted.to_string()], facts, waiting }
        })
        .boxed()
}

fn quarantined() -> BoxedStrategy<Item> {
    let recipients = prop::collection::vec(address(), 0..3).prop_map(|all| {
        let all: Vec<String> = all.iter().map(Address::to_string).collect();
        all.join(" ")
    });
    (mail(), word(), word(), path(), recipients, 0i64..9, (octets(), kind()))
        .prop_map(|(mail, why, engine, path, recipients, at, (facts, kind))| {
            let words = vec![why, engine, "signature".to_owned(), path, recipients, at.to_string(), kind];
            Item { mail, words, facts, ..Item::default() }
        })
        .boxed()
}

fn kind() -> BoxedStrategy<String> {
    select(crate::Kept::ALL.to_vec()).prop_map(|kind| format!("{kind:?}")).boxed()
}

/// A reverse-path; nothing for `<>`.
fn path() -> BoxedStrategy<String> {
    prop_oneof![Just(String::new()), address().prop_map(|address| address.to_string())].boxed()
}

fn word() -> BoxedStrategy<String> {
    select(vec!["", "a", "bé", "c d"]).prop_map(str::to_owned).boxed()
}

fn octets() -> BoxedStrategy<Octets> {
    prop::collection::vec(any::<u8>(), 1..4).boxed()
}

fn quota() -> BoxedStrategy<u64> {
    prop_oneof![Just(0u64), 200u64..3000, Just(1 << 40)].boxed()
}

/// Sometimes two of a name or of a use.
fn defaults() -> BoxedStrategy<Defaults> {
    let names = select(vec!["Corbeille", "Indésirables", "été"]).prop_map(name_of);
    prop_oneof![
        3 => Just(vec![(name_of("Corbeille"), Some(SpecialUse::Trash)), (name_of("Indésirables"), Some(SpecialUse::Junk))]),
        1 => prop::collection::vec((names, weighted(0.5, special())), 0..3),
    ].boxed()
}

pub fn person_of(login: Login, address: Address, quota_octets: u64) -> Person {
    let (first, last, profile, unit) =
        ("Jean".to_owned(), "Toto".to_owned(), "standard".to_owned(), "physics".to_owned());
    Person { login, first, last, address, profile, unit, home: None, quota_octets }
}

pub fn login_of(text: &str) -> Login {
    super::super::login(text)
}

pub fn name_of(text: &str) -> MailboxName {
    super::super::name(text)
}

pub fn address_of(text: &str) -> Address {
    text.parse().expect("an address of this file")
}

pub fn hex(id: Id) -> String {
    crate::QueueId(id).to_string()
}
