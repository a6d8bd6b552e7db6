//! INVARIANT (same): a client that applies ADDTO and REMOVEFROM has what the same search would find.

use std::cell::RefCell;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::sample::select;

use super::{Client, Store};
use mail::{Flags, SystemFlags};

/// What is searched, as a command without RETURN; the tag of each is `k` and its place.
const SEARCHES: &[&str] = &[
    "UID SEARCH UNSEEN",
    "SEARCH OR DELETED SUBJECT a",
    "UID SORT (SUBJECT) UTF-8 NOT DELETED",
    "SORT (REVERSE SIZE SUBJECT) UTF-8 UNSEEN BODY x",
];

#[derive(Clone, Debug)]
enum Step {
    /// Somebody else, to a message by its place.
    Deliver(&'static str, usize),
    Flag(usize, SystemFlags),
    Expunge(usize),
    /// The client itself.
    Store(usize, &'static str),
    Expunges,
    /// What hears of it.
    Noop,
    /// The same where no EXPUNGE may be told.
    Fetch,
    Idle,
    Wake,
}

fn step() -> impl Strategy<Value = Step> {
    let place = || 0..6_usize;
    let flags = select(vec![SystemFlags::SEEN, SystemFlags::DELETED, SystemFlags::NONE]);
    let change = select(vec!["+FLAGS (\\Seen)", "-FLAGS.SILENT (\\Seen)", "+FLAGS (\\Deleted)", "FLAGS (\\Flagged)"]);
    prop_oneof![
        3 => (select(vec!["a", "b", "c"]), 0..3_usize).prop_map(|(subject, size)| Step::Deliver(subject, size)),
        4 => (place(), flags).prop_map(|(at, flags)| Step::Flag(at, flags)),
        2 => place().prop_map(Step::Expunge),
        3 => (place(), change).prop_map(|(at, change)| Step::Store(at, change)),
        1 => Just(Step::Expunges),
        3 => Just(Step::Noop),
        2 => Just(Step::Fetch),
        1 => Just(Step::Idle),
        3 => Just(Step::Wake),
    ]
}

struct Reader {
    client: Client,
    store: Rc<RefCell<Store>>,
    results: Vec<Vec<u32>>,
}

impl Reader {
    fn new(condstore: bool) -> Reader {
        let store = Rc::new(RefCell::new(Store::new()));
        for subject in ["b", "a", "c", "a"] {
            store.borrow_mut().deliver("INBOX", format!("Subject: {subject}\r\n\r\nx\r\n").as_bytes());
        }
        let mut client = Client::sharing(&store);
        if condstore {
            client.say("q ENABLE CONDSTORE");
        }
        let mut reader = Reader { client: client.select("INBOX"), store, results: vec![Vec::new(); SEARCHES.len()] };
        reader.client.say("n NOTIFY SET (selected-delayed (MessageNew MessageExpunge))");
        for (at, search) in SEARCHES.iter().enumerate() {
            let (verb, rest) = verb(search);
            let said = reader.client.say(&format!("k{at} {verb} RETURN (UPDATE ALL) {rest}"));
            let all = said.lines().next().and_then(|line| line.split_once(" ALL ")).map(|(_, all)| all);
            reader.results[at] = all.map(numbers).unwrap_or_default();
        }
        reader
    }

    fn uid(&self, at: usize) -> Option<u32> {
        self.store.borrow().uids("INBOX").get(at).copied()
    }

    fn say(&mut self, line: &str) {
        let said = self.client.say(line);
        self.hear(&said);
    }

    fn hear(&mut self, said: &str) {
        for line in said.lines() {
            assert!(!line.contains("NOUPDATE") && !line.contains(" BAD "), "{line}");
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["*", number, "EXPUNGE"] => self.renumber(number.parse().unwrap()),
                ["*", "ESEARCH", "(TAG", tag, changes @ ..] => self.change(tag.trim_end_matches(')'), changes),
                _ => (),
            }
        }
    }

    /// A message is gone: the results by number lose it before, and those behind it move.
    fn renumber(&mut self, gone: u32) {
        for (result, _) in self.results.iter_mut().zip(SEARCHES).filter(|(_, search)| !search.starts_with("UID")) {
            assert!(!result.contains(&gone), "REMOVEFROM comes before EXPUNGE");
            result.iter_mut().filter(|number| **number > gone).for_each(|number| *number -= 1);
        }
    }

    fn change(&mut self, tag: &str, changes: &[&str]) {
        let at: usize = tag.trim_matches('"').trim_start_matches('k').parse().unwrap();
        let (result, is_sorted) = (&mut self.results[at], SEARCHES[at].contains("SORT"));
        let mut word = "";
        let mut words = changes.iter().filter(|word| **word != "UID");
        while let Some(next) = words.next() {
            let position = if ["ADDTO", "REMOVEFROM"].contains(next) {
                word = next;
                words.next().unwrap()
            } else {
                next
            };
            let position: usize = position.trim_start_matches('(').parse().unwrap();
            assert_eq!(position > 0, is_sorted);
            for number in numbers(words.next().unwrap().trim_end_matches(')')) {
                match word {
                    "ADDTO" => {
                        let place =
                            if is_sorted { position - 1 } else { result.partition_point(|each| *each < number) };
                        result.insert(place, number);
                    }
                    _ => {
                        let place = result.iter().position(|each| *each == number).unwrap();
                        assert!(!is_sorted || place == position - 1);
                        result.remove(place);
                    }
                }
            }
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Deliver(subject, size) => {
                let message = format!("Subject: {subject}\r\n\r\nx{}\r\n", "y".repeat(*size));
                self.store.borrow_mut().deliver("INBOX", message.as_bytes());
            }
            Step::Flag(at, flags) => {
                let Some(uid) = self.uid(*at) else { return };
                self.store.borrow_mut().set_flags("INBOX", uid, &Flags::system(*flags));
            }
            Step::Expunge(at) => {
                let Some(uid) = self.uid(*at) else { return };
                self.store.borrow_mut().expunge("INBOX", uid);
            }
            Step::Store(at, change) => {
                let Some(uid) = self.uid(*at) else { return };
                self.say(&format!("s UID STORE {uid} {change}"));
            }
            Step::Expunges => self.say("e EXPUNGE"),
            Step::Noop => self.say("n NOOP"),
            Step::Fetch => {
                // In an empty mailbox no number is one of a message.
                let said = self.client.say("f FETCH 1:* UID");
                self.hear(&said.replace("f BAD there is no message", "f NO there is no message"));
            }
            Step::Idle => {
                self.say("i IDLE");
                self.say("DONE");
            }
            Step::Wake => {
                let said = self.client.changed();
                self.hear(&said);
            }
        }
    }

    fn check(&mut self) {
        self.say("n NOOP");
        for (at, search) in SEARCHES.iter().enumerate() {
            let said = self.client.say(&format!("c {search}"));
            let line = said.lines().next().unwrap_or_default();
            let found: Vec<u32> = line.split(' ').skip(2).map(|number| number.parse().unwrap()).collect();
            assert_eq!(self.results[at], found, "{search}");
        }
    }
}

/// `UID SEARCH` and what is behind it.
fn verb(search: &str) -> (&str, &str) {
    let at = search.find("SEARCH").map(|at| at + 6).or(search.find("SORT").map(|at| at + 4)).unwrap();
    (&search[..at], &search[at + 1..])
}

fn numbers(set: &str) -> Vec<u32> {
    let range = |part: &str| {
        let (low, high) = part.split_once(':').unwrap_or((part, part));
        low.parse::<u32>().unwrap()..=high.parse::<u32>().unwrap()
    };
    set.split(',').flat_map(range).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn results_that_are_kept_are_those_of_a_fresh_search(
        steps in prop::collection::vec(step(), 1..40),
        every in 1..12_usize,
        condstore in any::<bool>(),
    ) {
        let mut reader = Reader::new(condstore);
        for (at, step) in steps.iter().enumerate() {
            reader.take(step);
            if at % every == 0 {
                reader.check();
            }
        }
        reader.check();
    }
}
