use plan::{Blocked, BlockedWhat, Plan};
use proptest::prelude::*;

use super::*;

const TODAY: &str = "2026-11-30";
const NOW_S: i64 = 1_000;
const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn nantes() -> Plan {
    plan::read(include_str!("../../../../policies/nantes/policy.plan.ron")).unwrap().0
}

fn tables(blocked: Vec<Blocked>) -> Tables {
    Tables::new(Plan { blocked, ..nantes() }).unwrap()
}

fn entry(what: BlockedWhat, until: Option<&str>) -> Blocked {
    Blocked { what, because: "phish".into(), until: until.map(str::to_owned) }
}

fn live(whats: &[BlockedWhat]) -> LiveBlocks {
    let one = |(index, what): (usize, &BlockedWhat)| LiveBlock {
        id: format!("k{index}"),
        what: what.clone(),
        until_s: NOW_S + 1,
    };
    LiveBlocks::new(whats.iter().enumerate().map(one))
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn kinds() -> [BlockedWhat; 6] {
    [
        BlockedWhat::Sender(address("billing@phish.example")),
        BlockedWhat::SenderDomain("phish.example".parse().unwrap()),
        BlockedWhat::Client("203.0.113.0/28".parse().unwrap()),
        BlockedWhat::UrlHost("evil.example".parse().unwrap()),
        BlockedWhat::Attachment(HASH.into()),
        BlockedWhat::ReplyTo(address("drop@evil.example")),
    ]
}

/// Which kinds refuse these facts, each alone.
fn refusing(facts: &BlockFacts<'_>) -> Vec<usize> {
    let tables = tables(Vec::new());
    let kinds = kinds();
    let refuses = |what: &BlockedWhat| blocked(&tables, &live(std::slice::from_ref(what)), facts, NOW_S).is_some();
    (0..kinds.len()).filter(|index| refuses(&kinds[*index])).collect()
}

#[test]
fn each_kind_looks_at_its_facts_and_at_nothing_else() {
    let none = BlockFacts { today: TODAY, ..BlockFacts::default() };
    let (exact, shouted, under, beside) = (
        address("billing@phish.example"),
        address("Billing@PHISH.example"),
        address("x@a.b.phish.example"),
        address("x@notphish.example"),
    );
    let drop_box = [address("Drop@evil.example")];
    let hosts = |host: &str| [host.to_owned()];
    let [evil, deep, near, hash] =
        [hosts("evil.example"), hosts("a.evil.example"), hosts("notevil.example"), hosts(HASH)];
    let client = |text: &str| Some(text.parse().unwrap());
    let out = BlockFacts { outgoing: true, ..none };
    let cases: Vec<(BlockFacts<'_>, &[usize])> = vec![
        (none, &[]),
        (BlockFacts { reverse_path: Some(&exact), ..none }, &[0, 1]),
        (BlockFacts { reverse_path: Some(&shouted), ..none }, &[0, 1]),
        (BlockFacts { authors: std::slice::from_ref(&exact), ..none }, &[0, 1]),
        (BlockFacts { reverse_path: Some(&under), ..none }, &[1]),
        (BlockFacts { reverse_path: Some(&beside), ..none }, &[]),
        (BlockFacts { reverse_path: Some(&exact), ..out }, &[]),
        (BlockFacts { client: client("203.0.113.15"), ..none }, &[2]),
        (BlockFacts { client: client("::ffff:203.0.113.1"), ..none }, &[2]),
        (BlockFacts { client: client("203.0.113.16"), ..none }, &[]),
        (BlockFacts { client: client("2001:db8::1"), ..none }, &[]),
        (BlockFacts { client: client("203.0.113.15"), ..out }, &[2]),
        (BlockFacts { url_hosts: &evil, ..none }, &[3]),
        (BlockFacts { url_hosts: &deep, ..out }, &[3]),
        (BlockFacts { url_hosts: &near, ..none }, &[]),
        (BlockFacts { attachments: &hash, ..none }, &[4]),
        (BlockFacts { attachments: &hash, ..out }, &[4]),
        (BlockFacts { reply_to: &drop_box, ..none }, &[]),
        (BlockFacts { reply_to: &drop_box, ..out }, &[5]),
        (BlockFacts { authors: &drop_box, ..out }, &[5]),
    ];
    for (facts, wanted) in cases {
        assert_eq!(refusing(&facts), wanted, "{facts:?}");
    }
}

#[test]
fn an_entry_of_the_policy_speaks_first_and_both_end() {
    let what = kinds()[0].clone();
    let sender = address("billing@phish.example");
    let live = live(std::slice::from_ref(&what));
    let judged = |tables: &Tables, today: &str, now_s: i64| {
        let facts = BlockFacts { reverse_path: Some(&sender), today, ..BlockFacts::default() };
        blocked(tables, &live, &facts, now_s)
    };
    let rule = |tables: &Tables, today: &str, now_s: i64| judged(tables, today, now_s).map(|refusal| refusal.rule);
    let other = entry(BlockedWhat::ReplyTo(address("a@b.example")), None);
    let dated = tables(vec![other, entry(what.clone(), Some("2026-11-30"))]);
    assert_eq!(rule(&dated, "2026-11-30", NOW_S).as_deref(), Some("blocked.1"));
    assert_eq!(rule(&dated, "2026-12-01", NOW_S).as_deref(), Some("block.k0"));
    assert_eq!(rule(&dated, "2026-12-01", NOW_S + 1), None, "a block holds before its end");
    let endless = tables(vec![entry(what, None)]);
    assert_eq!(rule(&endless, "2099-01-01", i64::MAX).as_deref(), Some("blocked.0"));
    let refusal = judged(&endless, TODAY, NOW_S).unwrap();
    assert_eq!((refusal.reason, refusal.code.is_temporary()), (Reason::Blocked, false));
}

#[test]
fn of_two_blocks_of_one_thing_the_one_that_lasts_holds() {
    let what = kinds()[1].clone();
    let both =
        [("a", NOW_S), ("b", NOW_S + 9)].map(|(id, until_s)| LiveBlock { id: id.into(), what: what.clone(), until_s });
    let sender = address("x@phish.example");
    let facts = BlockFacts { reverse_path: Some(&sender), today: TODAY, ..BlockFacts::default() };
    let found = blocked(&tables(Vec::new()), &LiveBlocks::new(both), &facts, NOW_S).unwrap();
    assert_eq!(found.rule, "block.b");
}

#[test]
fn nothing_is_read_that_no_block_asks_for() {
    let tables = tables(Vec::new());
    let wants = |what: &BlockedWhat, outgoing| wanted(&tables, &live(std::slice::from_ref(what)), outgoing);
    let words = |wants: Wants| {
        let all = [(wants.authors, "a"), (wants.reply_to, "r"), (wants.url_hosts, "u"), (wants.attachments, "h")];
        all.iter().filter(|(wanted, _)| *wanted).map(|(_, word)| *word).collect::<String>()
    };
    let seen: Vec<[String; 2]> = kinds().iter().map(|what| [false, true].map(|out| words(wants(what, out)))).collect();
    assert_eq!(seen, [["a", ""], ["a", ""], ["", ""], ["u", "u"], ["h", "h"], ["", "r"]]);
    assert!(!wanted(&tables, &LiveBlocks::default(), true).anything());
}

#[test]
fn complaints_reach_the_addresses_of_ours_that_hear_them() {
    let tables = tables(Vec::new());
    for (text, hears) in [
        ("postmaster@univ-nantes.fr", true),
        ("Abuse@Univ-Nantes.fr", true),
        ("abuse@elsewhere.example", false),
        ("jean.toto@univ-nantes.fr", false),
    ] {
        assert_eq!(hears_complaints(&tables, &address(text)), hears, "{text}");
    }
}

#[test]
fn what_is_ours_or_everybodys_is_not_blocked() {
    let tables = tables(Vec::new());
    let ours = |what: BlockedWhat| too_wide(&tables, &what);
    let domain = |text: &str| text.parse().unwrap();
    let denied = [
        BlockedWhat::Sender(address("jean.toto@univ-nantes.fr")),
        BlockedWhat::ReplyTo(address("jean.toto@univ-nantes.fr")),
        BlockedWhat::SenderDomain(domain("univ-nantes.fr")),
        BlockedWhat::SenderDomain(domain("fr")),
        BlockedWhat::SenderDomain(domain("co.uk")),
        BlockedWhat::SenderDomain(domain("gmail.com")),
        BlockedWhat::UrlHost(domain("webmail.univ-nantes.fr")),
        BlockedWhat::UrlHost(domain("univ-nantes.fr")),
        BlockedWhat::Client("0.0.0.0/0".parse().unwrap()),
        BlockedWhat::Client("10.44.1.0/24".parse().unwrap()),
    ];
    for what in denied {
        assert!(ours(what.clone()).is_some(), "{what:?}");
    }
    for what in kinds() {
        assert_eq!(ours(what.clone()), None, "{what:?}");
    }
    let neighbours = [
        BlockedWhat::Sender(address("some.one@gmail.com")),
        BlockedWhat::SenderDomain(domain("notuniv-nantes.fr")),
        BlockedWhat::UrlHost(domain("taken-over.lab.example")),
    ];
    for what in neighbours {
        assert_eq!(ours(what.clone()), None, "{what:?}");
    }
}

/// What a block covers, said without any index.
fn covers(what: &BlockedWhat, facts: &BlockFacts<'_>) -> bool {
    let sent = || facts.reverse_path.into_iter().chain(facts.authors).filter(|_| !facts.outgoing);
    match what {
        BlockedWhat::Sender(sender) => sent().any(|one| one.folded() == sender.folded()),
        BlockedWhat::SenderDomain(domain) => sent().any(|one| one.domain().is_within(domain)),
        BlockedWhat::Client(prefix) => facts.client.is_some_and(|client| prefix.contains(client)),
        BlockedWhat::UrlHost(domain) => {
            facts.url_hosts.iter().any(|host| host.parse().is_ok_and(|host: mail::Domain| host.is_within(domain)))
        }
        BlockedWhat::Attachment(hash) => facts.attachments.contains(hash),
        BlockedWhat::ReplyTo(drop) => {
            let asked = facts.reply_to.iter().chain(facts.authors).chain(facts.reverse_path);
            facts.outgoing && asked.into_iter().any(|one| one.folded() == drop.folded())
        }
    }
}

fn some_domain() -> impl Strategy<Value = mail::Domain> {
    proptest::collection::vec("[ab]", 1..4).prop_map(|labels| labels.join(".").parse().unwrap())
}

fn some_address() -> impl Strategy<Value = Address> {
    ("[abAB]", some_domain()).prop_map(|(local, domain)| Address::new(&local, domain).unwrap())
}

fn some_client() -> impl Strategy<Value = IpAddr> {
    (0u8..4, any::<bool>()).prop_map(|(last, six)| {
        if six { format!("2001:db8::{last}").parse().unwrap() } else { format!("192.0.2.{last}").parse().unwrap() }
    })
}

fn some_block() -> impl Strategy<Value = BlockedWhat> {
    let prefix = (some_client(), 0u8..3).prop_map(|(client, wider)| {
        let width = if client.is_ipv4() { 32 } else { 128 };
        plan::Prefix::new(client, width).unwrap().widened(width - wider)
    });
    prop_oneof![
        some_address().prop_map(BlockedWhat::Sender),
        some_domain().prop_map(BlockedWhat::SenderDomain),
        prefix.prop_map(BlockedWhat::Client),
        some_domain().prop_map(BlockedWhat::UrlHost),
        "[01]{2}".prop_map(|two| BlockedWhat::Attachment(two.repeat(32))),
        some_address().prop_map(BlockedWhat::ReplyTo),
    ]
}

proptest! {
    /// Blocks only narrow: what is taken with them is what was taken without, less what one of them covers.
    #[test]
    fn verdicts_with_blocks_are_a_subset_of_those_without(
        policy in proptest::collection::vec(some_block(), 0..3),
        first in proptest::collection::vec(some_block(), 0..4),
        more in proptest::collection::vec(some_block(), 0..4),
        outgoing in any::<bool>(),
        client in proptest::option::of(some_client()),
        reverse_path in proptest::option::of(some_address()),
        authors in proptest::collection::vec(some_address(), 0..3),
        reply_to in proptest::collection::vec(some_address(), 0..3),
        hosts in proptest::collection::vec(some_domain(), 0..3),
        hash in "[01]{2}",
    ) {
        let url_hosts: Vec<String> = hosts.iter().map(|host| host.as_str().to_owned()).collect();
        let attachments = [hash.repeat(32)];
        let facts = BlockFacts {
            outgoing, client, reverse_path: reverse_path.as_ref(), authors: &authors, reply_to: &reply_to,
            url_hosts: &url_hosts, attachments: &attachments, today: TODAY,
        };
        let register = |whats: &[BlockedWhat]| Register::of_policy(
            &whats.iter().map(|what| entry(what.clone(), None)).collect::<Vec<_>>(),
        );
        let all = [first.clone(), more.clone()].concat();
        let refused = |live: &LiveBlocks| register(&policy).find(&facts, NOW_S).is_some() || live.find(&facts, NOW_S).is_some();
        let (without, with, with_more) = (refused(&LiveBlocks::default()), refused(&live(&first)), refused(&live(&all)));
        prop_assert!(!without || with, "a block opened what was closed");
        prop_assert!(!with || with_more, "one more block opened what was closed");
        prop_assert_eq!(with_more, policy.iter().chain(&all).any(|what| covers(what, &facts)));
        let ended = LiveBlocks::new(all.iter().map(|what| LiveBlock { id: "k".into(), what: what.clone(), until_s: NOW_S }));
        prop_assert_eq!(refused(&ended), without, "what ended still acts");
    }
}
