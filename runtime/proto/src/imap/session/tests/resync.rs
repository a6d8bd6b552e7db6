//! INVARIANT (nothing lost): a client that keeps what it was told, and the MODSEQ RFC 7162 3.2 and 6 let it keep, and comes
//! back with that one, then knows what the store knows.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::numbers::{Dice, change};
use super::{Client, Store};
use crate::imap::question::Trouble;
use crate::imap::response::OUT_OCTETS;

/// What a client of QRESYNC keeps, and where it stands.
struct Keeper {
    client: Client,
    /// UID and flags, MODSEQ if it was told.
    messages: BTreeMap<u32, (String, u64)>,
    /// The UIDs of the numbers; `None` for one that was never told.
    numbers: Vec<Option<u32>>,
    /// A resynchronisation from here loses nothing.
    mod_seq: u64,
    /// Sign and flag of a silent STORE.
    silent: Option<(&'static str, &'static str)>,
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(begin)?.1.split_once(end)?.0)
}

fn uids_of(set: &str) -> Vec<u32> {
    let ranges = set.split(',').map(|range| range.split_once(':').unwrap_or((range, range)));
    ranges.flat_map(|(low, high)| low.parse().unwrap()..=high.parse().unwrap()).collect()
}

impl Keeper {
    fn new(store: &Rc<RefCell<Store>>) -> Keeper {
        let mut client = Client::sharing(store);
        client.check("e ENABLE QRESYNC", "* ENABLED QRESYNC\ne OK ENABLE done\n");
        Keeper { client, messages: BTreeMap::new(), numbers: Vec::new(), mod_seq: 0, silent: None }
    }

    /// RFC 7162 6: at the end of a command the largest MODSEQ of its FETCH responses counts, unless the server said another.
    fn hear(&mut self, said: &str, holds_back: bool) {
        let (mut largest, mut named) = (self.mod_seq, None);
        for line in said.replace("{1}\n", "").lines() {
            if let Some(highest) = between(line, "[HIGHESTMODSEQ ", "]") {
                named = Some(highest.parse().unwrap());
            }
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["*", count, "EXISTS"] => {
                    let count = count.parse().unwrap();
                    assert!(count >= self.numbers.len(), "{line}");
                    self.numbers.resize(count, None);
                }
                ["*", "VANISHED", "(EARLIER)", set] => {
                    uids_of(set).iter().for_each(|uid| drop(self.messages.remove(uid)))
                }
                ["*", "VANISHED", set] => {
                    assert!(!holds_back, "VANISHED in an answer to FETCH, STORE or SEARCH");
                    self.vanish(&uids_of(set));
                }
                ["*", _, "EXPUNGE"] => panic!("{line}"),
                ["*", number, "FETCH", ..] => largest = largest.max(self.fetched(line, number.parse().unwrap())),
                _ => (),
            }
        }
        self.mod_seq = named.unwrap_or(largest);
    }

    /// The smallest numbers without a known UID are the ones whose UID lies between their neighbours'.
    fn vanish(&mut self, uids: &[u32]) {
        for uid in uids {
            self.messages.remove(uid);
            match self.numbers.iter().position(|known| known == &Some(*uid)) {
                Some(at) => _ = self.numbers.remove(at),
                None => {
                    let after = self.numbers.iter().position(|known| known.is_some_and(|known| known > *uid));
                    let unknown = self.numbers[..after.unwrap_or(self.numbers.len())].iter().rposition(Option::is_none);
                    _ = self.numbers.remove(unknown.expect("a message the client was told of"));
                }
            }
        }
    }

    fn fetched(&mut self, line: &str, number: usize) -> u64 {
        let uid: u32 = between(line, "(UID ", " ").expect(line).parse().unwrap();
        let mod_seq: u64 = between(line, "MODSEQ (", ")").expect(line).parse().unwrap();
        let before = self.messages.get(&uid);
        assert!(before.is_none_or(|(_, before)| *before <= mod_seq), "MODSEQ went back: {line}");
        let flags = between(line, "FLAGS (", ")").map(str::to_owned);
        // Of a message that came meanwhile the client knows nothing yet.
        let Some(flags) = flags.or(before.map(|(flags, _)| self.after_silence(flags))) else { return mod_seq };
        let known = self.numbers[number - 1].replace(uid);
        assert!(known.is_none_or(|known| known == uid), "a number changed its message: {line}");
        self.messages.insert(uid, (flags, mod_seq));
        mod_seq
    }

    /// Comes back after a while, with all it knows or some of it.
    fn comes_back(&mut self, store: &Rc<RefCell<Store>>, dice: &mut Dice) {
        self.client = Keeper::new(store).client;
        meddle(&mut self.client, dice.roll(1 << 30) as u64);
        self.numbers.clear();
        let kept: Vec<u32> = self.messages.keys().copied().collect();
        let named = |uids: &[u32]| uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        // The UIDs of messages it was told of by EXISTS alone are in no set of its own.
        let known = match dice.roll(3) {
            0 if !kept.is_empty() => format!(" {}", named(&kept)),
            1 if !kept.is_empty() => format!(" 1:{}", u32::MAX),
            _ => String::new(),
        };
        let said = self.client.say(&format!("s SELECT INBOX (QRESYNC (101 {}{known}))", self.mod_seq));
        assert!(said.ends_with("s OK [READ-WRITE] SELECT done\n"), "{said}");
        self.hear(&said, false);
        let top = kept.last().copied().unwrap_or(0);
        let fetched = self.client.say(&format!("f UID FETCH {}:* (FLAGS)", top.saturating_add(1)));
        self.hear(&fetched, false);
    }

    fn command(&mut self, dice: &mut Dice) {
        let count = self.numbers.len();
        let top = self.messages.keys().max().map_or(1, |uid| *uid as usize) + 1;
        let uid = if dice.roll(2) == 0 || count == 0 { "UID " } else { "" };
        let one = |dice: &mut Dice| if uid.is_empty() { dice.roll(count) + 1 } else { dice.roll(top) + 1 };
        let (a, b) = (one(dice), one(dice));
        let flag = ["\\Seen", "\\Deleted", "\\Deleted", "$Work"][dice.roll(4)];
        let (sign, silent) = (["+", "-", ""][dice.roll(3)], ["", ".SILENT"][dice.roll(2)]);
        let since = match dice.roll(4) {
            0 => format!(" (UNCHANGEDSINCE {})", self.mod_seq.saturating_sub(dice.roll(6) as u64)),
            _ => String::new(),
        };
        let line = match dice.roll(10) {
            0 => "x EXPUNGE".to_owned(),
            1 => format!("x UID EXPUNGE {}", dice.roll(top) + 1),
            2 | 3 => format!("x {uid}STORE {a}:{b}{since} {sign}FLAGS{silent} ({flag})"),
            4 => format!("x {uid}FETCH {a} (FLAGS BODY[]<0.1>)"),
            5 => format!("x {uid}FETCH {a}:{b} (FLAGS) (CHANGEDSINCE {})", dice.roll(self.mod_seq as usize + 1)),
            6 => format!("x UID FETCH 1:* FLAGS (CHANGEDSINCE {} VANISHED)", self.mod_seq),
            7 => format!("x {uid}COPY {a} INBOX"),
            8 => format!("x {uid}MOVE {a} {}", ["INBOX", "Trash"][dice.roll(2)]),
            _ => "x NOOP".to_owned(),
        };
        // What a silent STORE does is the client's own to remember, so it hears of every message first.
        let fetched = self.client.say("f UID FETCH 1:* (FLAGS)");
        self.hear(&fetched, false);
        let said = self.client.say(&line);
        assert!(!said.contains("x BAD The server"), "{said}");
        self.silent = line.contains("SILENT").then_some((sign, flag));
        let holds_back = ["FETCH", "STORE", "SEARCH"].iter().any(|word| line.split(' ').nth(1) == Some(word));
        self.hear(&said, holds_back);
        self.silent = None;
        // It asks for what it was told of by EXISTS alone before it goes.
        if let Some(first) = self.numbers.iter().position(Option::is_none) {
            let fetched = self.client.say(&format!("f FETCH {}:* FLAGS", first + 1));
            self.hear(&fetched, true);
        }
    }

    /// The flags of a message after the silent STORE that is under way.
    fn after_silence(&self, before: &str) -> String {
        let Some((sign, flag)) = self.silent else { return before.to_owned() };
        let kept = before.split(' ').filter(|each| !each.is_empty() && *each != flag && !sign.is_empty());
        let mut set: Vec<&str> = kept.chain((sign != "-").then_some(flag)).collect();
        let order = ["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"];
        set.sort_by_key(|flag| (!flag.starts_with('\\'), order.iter().position(|each| each == flag)));
        set.join(" ")
    }

    fn check(&self, store: &Rc<RefCell<Store>>, when: &str) {
        let store = store.borrow();
        let truth = &store.mailboxes[&mail::MailboxName::inbox()].messages;
        let truth: BTreeMap<u32, (String, u64)> =
            truth.iter().map(|(row, _)| (row.uid, (row.flags.to_string(), row.mod_seq))).collect();
        assert_eq!(truth, self.messages, "{when}");
    }
}

/// Others change the mailbox between a question and its answer.
fn meddle(client: &mut Client, seed: u64) {
    let mut dice = Dice(seed | 1);
    client.meddler = Some(Box::new(move |store: &Rc<RefCell<Store>>| {
        if dice.roll(4) == 0 {
            change(store, &mut dice);
        }
    }));
}

fn round(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let store = Rc::new(RefCell::new(Store::new()));
    (0..5).for_each(|_| _ = store.borrow_mut().deliver("INBOX", b"Subject: s\r\n\r\nb\r\n"));
    let mut keeper = Keeper::new(&store);
    keeper.comes_back(&store, &mut dice);
    for _ in 0..60 {
        match dice.roll(8) {
            0 | 1 => change(&store, &mut dice),
            2 => {
                (0..dice.roll(6)).for_each(|_| change(&store, &mut dice));
                keeper.comes_back(&store, &mut dice);
                keeper.client.meddler = None;
                let said = keeper.client.say("n NOOP");
                keeper.hear(&said, false);
                let fetched = keeper.client.say("f UID FETCH 1:* (FLAGS)");
                keeper.check(&store, "after SELECT (QRESYNC …) and NOOP");
                keeper.hear(&fetched, false);
                keeper.check(&store, "FETCH says the same");
                meddle(&mut keeper.client, dice.roll(1 << 30) as u64);
            }
            _ => keeper.command(&mut dice),
        }
    }
}

#[test]
fn a_client_that_comes_back_with_the_modseq_it_was_told_lost_nothing() {
    for seed in 1..=300 {
        println!("seed {seed}");
        round(seed);
    }
}

fn four() -> Client {
    let mut client = Client::with_inbox(&["a: 1\n\nb\n"; 4]);
    client.check("a ENABLE QRESYNC", "* ENABLED QRESYNC\n* OK [HIGHESTMODSEQ 5] told up to here\na OK ENABLE done\n");
    client
}

#[test]
fn what_went_and_what_changed_is_told_by_select() {
    let mut client = four();
    client.say("a UID STORE 2 +FLAGS.SILENT (\\Seen)");
    client.store.borrow_mut().expunge("INBOX", 1);
    client.store.borrow_mut().expunge("INBOX", 3);
    let mut resync = |known: &str, expected: &str| {
        let said = client.say(&format!("a SELECT INBOX (QRESYNC ({known}))"));
        let (_, behind) = said.split_once("* OK [HIGHESTMODSEQ 8] told up to here\n").expect(&said);
        assert_eq!(behind, format!("{expected}a OK [READ-WRITE] SELECT done\n"), "{known}");
    };
    let seen = "* 1 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (6))\n";
    resync("101 5", &format!("* VANISHED (EARLIER) 1,3\n{seen}"));
    resync("101 6", "* VANISHED (EARLIER) 1,3\n");
    resync("101 7 2:4", "* VANISHED (EARLIER) 3\n");
    resync("101 8", "");
    resync("101 99", "");
    resync("102 5", "");
    // Number 1 was UID 2 then and is now: of the messages up to it none is gone.
    resync("101 5 2:4 (1 2)", &format!("* VANISHED (EARLIER) 3\n{seen}"));
    resync("101 5 (1:2 2,4)", seen);
    resync("101 5 (1:4 1:4)", &format!("* VANISHED (EARLIER) 1,3\n{seen}"));
    resync("101 5 (4294967295 4294967295)", &format!("* VANISHED (EARLIER) 1,3\n{seen}"));
}

#[test]
fn qresync_is_for_those_who_enabled_it() {
    let mut client = Client::with_inbox(&["a: 1\n\nb\n"]);
    client.check("a SELECT INBOX (QRESYNC (101 1))", "a BAD QRESYNC is for those who enabled it\n");
    client.check("a UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)", "a BAD VANISHED is for those who enabled QRESYNC\n");
    client.check("a NOOP", "a OK NOOP done\n");
}

#[test]
fn asking_for_mod_seqs_is_enabling_them() {
    let highest = "* OK [HIGHESTMODSEQ 2] told up to here\n";
    for (line, answer) in [
        ("a FETCH 1 MODSEQ", "* 1 FETCH (MODSEQ (2))\na OK FETCH done\n"),
        ("a FETCH 1 UID (CHANGEDSINCE 0)", "* 1 FETCH (UID 1 MODSEQ (2))\na OK FETCH done\n"),
        ("a STORE 1 (UNCHANGEDSINCE 0) FLAGS ()", "a OK [MODIFIED 1] STORE done\n"),
        ("a STATUS Sent (HIGHESTMODSEQ)", "* STATUS Sent (HIGHESTMODSEQ 1)\na OK STATUS done\n"),
        ("a ENABLE CONDSTORE", "a OK ENABLE done\n"),
    ] {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n"]);
        let said = client.say(line).replace("* ENABLED CONDSTORE\n", "");
        assert_eq!(said, format!("{highest}{answer}"), "{line}");
        client.check("a STORE 1 FLAGS (\\Seen)", "* 1 FETCH (FLAGS (\\Seen) MODSEQ (3))\na OK STORE done\n");
    }
    let mut client = Client::new();
    client.store.borrow_mut().deliver("INBOX", b"a: 1\r\n\r\nb\r\n");
    client.say("a SELECT INBOX (CONDSTORE)");
    client.check(
        "a FETCH 1 BODY[TEXT]",
        "* 1 FETCH (BODY[TEXT] {3}\nb\n MODSEQ (3) FLAGS (\\Seen))\n* OK [HIGHESTMODSEQ 2] told up to here\na OK FETCH done\n",
    );
}

#[test]
fn a_conditional_store_leaves_alone_what_others_changed() {
    let mut client = Client::with_inbox(&["a: 1\n\nb\n"; 3]);
    client.store.borrow_mut().set_flags("INBOX", 2, &mail::Flags::system(mail::SystemFlags::SEEN));
    client.check(
        "a STORE 1:3 (UNCHANGEDSINCE 4) +FLAGS.SILENT (\\Deleted)",
        "* OK [HIGHESTMODSEQ 4] told up to here\n* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (5))\n\
         * 1 FETCH (MODSEQ (6))\n* 3 FETCH (MODSEQ (7))\na OK [MODIFIED 2] STORE done\n",
    );
    client.say("a UID EXPUNGE 1");
    client.check("a UID STORE 2:3 (UNCHANGEDSINCE 0) FLAGS ()", "a OK [MODIFIED 2:3] STORE done\n");
    client.check("a STORE 1 (UNCHANGEDSINCE 0) FLAGS ()", "a OK [MODIFIED 1] STORE done\n");
}

#[test]
fn vanished_takes_the_place_of_expunge() {
    let mut client = four();
    client.store.borrow_mut().expunge("INBOX", 2);
    client.check(
        "a FETCH 4 FLAGS",
        "* 4 FETCH (UID 4 FLAGS () MODSEQ (5))\n* OK [HIGHESTMODSEQ 5] told up to here\na OK FETCH done\n",
    );
    client.check("a NOOP", "* VANISHED 2\na OK NOOP done\n");
    client.say("a STORE 1,3 +FLAGS.SILENT (\\Deleted)");
    client.check("a UID EXPUNGE 4", "* VANISHED 4\na OK [HIGHESTMODSEQ 9] EXPUNGE done\n");
    client.check("a EXPUNGE", "* VANISHED 1\na OK [HIGHESTMODSEQ 10] EXPUNGE done\n");
    client.check("a EXPUNGE", "a OK EXPUNGE done\n");
    client.check("a MOVE 1 Trash", "* OK [COPYUID 103 3 1] moved\n* VANISHED 3\na OK [HIGHESTMODSEQ 11] MOVE done\n");
    client.check("a IDLE", "+ idling\n");
    client.store.borrow_mut().deliver("INBOX", b"a: 5\r\n\r\nb\r\n");
    assert_eq!(client.changed(), "* 1 EXISTS\n");
    client.store.borrow_mut().expunge("INBOX", 5);
    assert_eq!(client.changed(), "* VANISHED 5\n");
    client.check("DONE", "a OK IDLE done\n");
    client.check("a UID FETCH 4:* FLAGS (CHANGEDSINCE 5 VANISHED)", "* VANISHED (EARLIER) 4:5\na OK FETCH done\n");
    // RFC 7162 3.2.8: CLOSE says no MODSEQ.
    client.check("a CLOSE", "a OK CLOSE done\n");
}

#[test]
fn a_silent_store_tells_what_another_session_changed_meanwhile() {
    let mut client = Client::with_inbox(&["a: 1\n\nb\n"]);
    client.meddler = Some(Box::new(|store: &Rc<RefCell<Store>>| {
        store.borrow_mut().set_flags("INBOX", 1, &mail::Flags::system(mail::SystemFlags::FLAGGED));
    }));
    client.asked_to_meddle = Some("Store");
    client.check("a STORE 1 +FLAGS.SILENT (\\Seen)", "* 1 FETCH (FLAGS (\\Flagged \\Seen))\na OK STORE done\n");
}

#[test]
fn under_uid_only_no_number_is_taken_or_told() {
    let mut client = Client::with_inbox(&["a: 1\n\nb\n"; 4]);
    client.check("a ENABLE UIDONLY", "* ENABLED UIDONLY\na OK ENABLE done\n");
    for line in [
        "FETCH 1 FLAGS",
        "STORE 1 FLAGS ()",
        "COPY 1 Sent",
        "MOVE 1 Sent",
        "SEARCH ALL",
        "UID SEARCH OR SEEN NOT (ALL 1:2)",
    ] {
        client.check(&format!("a {line}"), "a BAD [UIDREQUIRED] messages have UIDs only\n");
    }
    client.check("a UID FETCH 2:3 FLAGS", "* 2 UIDFETCH (FLAGS ())\n* 3 UIDFETCH (FLAGS ())\na OK FETCH done\n");
    client.check("a UID FETCH 3 (UID RFC822.SIZE)", "* 3 UIDFETCH (UID 3 RFC822.SIZE 11)\na OK FETCH done\n");
    client.check("a UID FETCH 4 BODY[TEXT]", "* 4 UIDFETCH (BODY[TEXT] {3}\nb\n FLAGS (\\Seen))\na OK FETCH done\n");
    assert!(client.say("a UID FETCH 4 BODYSTRUCTURE").starts_with("* 4 UIDFETCH (BODYSTRUCTURE ("));
    client.check("a UID STORE 1 +FLAGS (\\Deleted)", "* 1 UIDFETCH (FLAGS (\\Deleted))\na OK STORE done\n");
    client.store.borrow_mut().expunge("INBOX", 3);
    client.check("a EXPUNGE", "* VANISHED 1,3\na OK EXPUNGE done\n");
    client.check("a UID SEARCH RETURN (SAVE) SEEN", "a OK SEARCH done\n");
    client.check("a UID SEARCH $", "* SEARCH 4\na OK SEARCH done\n");
    let said = client.say("a SELECT INBOX");
    assert!(said.contains("* 2 EXISTS\n") && !said.contains("UNSEEN"), "{said}");
    client.say("a ENABLE QRESYNC");
    client.check("a SELECT INBOX (QRESYNC (101 1 (1 1)))", "a BAD [UIDREQUIRED] messages have UIDs only\n");
    assert!(client.say("a SELECT INBOX (QRESYNC (101 1))").contains("* 2 UIDFETCH (FLAGS () MODSEQ (3))\n"));
}

#[test]
fn much_that_changed_is_sent_in_small_steps() {
    let mut client = Client::with_inbox(&["a: 1\n\nb\n"; 5_000]);
    client.say("a STORE 1:2000 +FLAGS.SILENT (\\Deleted)");
    client.say("a EXPUNGE");
    client.say("a ENABLE QRESYNC");
    client.largest_send = 0;
    let said = client.say("a SELECT INBOX (QRESYNC (101 1))");
    assert!(client.largest_send < OUT_OCTETS + 1_024, "{}", client.largest_send);
    // More than are named: all UIDs that no message has.
    assert!(said.contains("* VANISHED (EARLIER) 1:2000\n* 1 FETCH (UID 2001 FLAGS () MODSEQ (2002))\n"));
    assert_eq!(said.matches(" FETCH (UID ").count(), 3_000);
    (2..2_500).step_by(2).for_each(|half| client.store.borrow_mut().expunge("INBOX", half * 2));
    let said = client.say("a UID FETCH 1990:2006,2010:2012,4995:9999 UID (CHANGEDSINCE 5000 VANISHED)");
    assert!(said.contains("* VANISHED (EARLIER) 1990:2000\n"), "{said}");
    client.say("a SELECT INBOX");
    let said = client.say("a UID FETCH 1990:2006,2010:2012,4995:9999 UID (CHANGEDSINCE 9999 VANISHED)");
    assert!(!said.contains("VANISHED"), "{said}");
    let said = client.say("a UID FETCH 1990:2006,2010:2012,4995:9999 UID (CHANGEDSINCE 5000 VANISHED)");
    assert!(said.contains("* VANISHED (EARLIER) 1990:2000,2004,2012,4996\n"), "{said}");
}

#[test]
fn half_of_the_news_is_no_select() {
    let mut client = four();
    client.meddler = Some(Box::new(|store: &Rc<RefCell<Store>>| {
        store.borrow_mut().broken = Some(Trouble::Unavailable);
    }));
    client.asked_to_meddle = Some("Vanished");
    let said = client.say("a SELECT INBOX (QRESYNC (101 1))");
    assert!(said.ends_with("a NO [UNAVAILABLE] the mail store is not available, try again later\n"), "{said}");
    client.check("a CHECK", "a BAD [CLIENTBUG] no mailbox is selected\n");
}
