//! INVARIANT (numbers): a client that does nothing but apply EXISTS, EXPUNGE and FETCH knows what the server knows.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Client, Store};
use mail::{Flags, Keyword, SystemFlags};

pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

/// What a client believes: the UID of each number, if it was told, and its flags.
struct Belief {
    client: Client,
    messages: Vec<Option<(u32, String)>>,
}

impl Belief {
    /// `looks`: it reads the mailbox at once; else it knows how many messages there are and no more.
    fn new(store: &Rc<RefCell<Store>>, looks: bool) -> Belief {
        let client = Client::sharing(store);
        let mut belief = Belief { client, messages: Vec::new() };
        belief.say("s SELECT INBOX");
        if looks {
            belief.say("f FETCH 1:* (UID FLAGS)");
        }
        belief
    }

    fn say(&mut self, line: &str) {
        let said = self.client.say(line);
        assert!(!self.client.closed, "{said}");
        let holds_back = ["FETCH", "STORE", "SEARCH"].iter().any(|word| line.split(' ').nth(1) == Some(word));
        for response in said.lines() {
            self.hear(response, holds_back);
        }
    }

    fn hear(&mut self, response: &str, holds_back: bool) {
        let words: Vec<&str> = response.split(' ').collect();
        match words.as_slice() {
            ["*", count, "EXISTS"] => {
                let count: usize = count.parse().unwrap();
                assert!(count >= self.messages.len(), "EXISTS may not shrink a mailbox");
                self.messages.resize(count, None);
            }
            ["*", number, "EXPUNGE"] => {
                assert!(!holds_back, "EXPUNGE in an answer to FETCH, STORE or SEARCH");
                self.messages.remove(number.parse::<usize>().unwrap() - 1);
            }
            ["*", number, "FETCH", ..] => {
                let number: usize = number.parse().unwrap();
                let uid: Option<u32> =
                    response.split("UID ").nth(1).map(|rest| rest.split([' ', ')']).next().unwrap().parse().unwrap());
                let flags = response.split("FLAGS (").nth(1).map(|rest| rest.split(')').next().unwrap().to_owned());
                let slot = &mut self.messages[number - 1];
                // A number whose UID was never told says nothing that could be compared.
                let Some(uid) = uid.or(slot.as_ref().map(|(uid, _)| *uid)) else { return };
                if let Some((before, _)) = slot {
                    assert_eq!(*before, uid, "a number changed its message: {response}");
                }
                *slot = Some((uid, flags.unwrap_or_else(|| slot.take().expect("flags are told first").1)));
            }
            _ => (),
        }
    }

    /// After NOOP nothing is held back: everything believed is so.
    fn check(&mut self, store: &Rc<RefCell<Store>>) {
        self.say("n NOOP");
        let store = store.borrow();
        let truth = &store.mailboxes[&mail::MailboxName::inbox()].messages;
        assert_eq!(truth.len(), self.messages.len());
        for ((row, _), believed) in truth.iter().zip(&self.messages) {
            if let Some((uid, flags)) = believed {
                assert_eq!((row.uid, row.flags.to_string()), (*uid, flags.clone()));
            }
        }
        drop(store);
        let known = std::mem::take(&mut self.messages);
        self.messages.resize(known.len(), None);
        if !known.is_empty() {
            self.say("f FETCH 1:* (UID FLAGS)");
        }
        assert!(self.messages.iter().all(Option::is_some), "every message can be fetched");
        assert!(known.iter().zip(&self.messages).all(|(known, now)| known.is_none() || known == now));
    }

    /// Idles while others change the mailbox, wakes at each change or at some.
    fn idle(&mut self, store: &Rc<RefCell<Store>>, dice: &mut Dice) {
        self.say("i IDLE");
        for _ in 0..dice.roll(4) {
            change(store, dice);
            if dice.roll(3) > 0 {
                let said = self.client.changed();
                assert!(!self.client.closed, "{said}");
                said.lines().for_each(|response| self.hear(response, false));
            }
        }
        self.say("DONE");
    }

    fn random_command(&mut self, dice: &mut Dice) {
        let count = self.messages.len();
        let flag = ["\\Seen", "\\Deleted", "\\Flagged", "$Work", "\\Deleted"][dice.roll(5)];
        let sign = ["+", "-", ""][dice.roll(3)];
        let silent = ["", ".SILENT"][usize::from(dice.roll(8) == 0)];
        let uid = ["", "UID "][dice.roll(2)];
        let top = self.messages.iter().flatten().map(|(uid, _)| *uid as usize).max().unwrap_or(1) + 1;
        let one = |dice: &mut Dice| if uid.is_empty() { dice.roll(count.max(1)) + 1 } else { dice.roll(top) + 1 };
        let (a, b) = (one(dice), one(dice));
        let mut line = match dice.roll(9) {
            0 => "x EXPUNGE".to_owned(),
            1 => format!("x UID EXPUNGE {}", dice.roll(top) + 1),
            2 | 3 => format!("x {uid}STORE {a}:{b} {sign}FLAGS{silent} ({flag})"),
            4 => format!("x {uid}FETCH {a},{b} (UID FLAGS BODY[])"),
            5 => format!("x {uid}SEARCH UNDELETED"),
            6 => format!("x {uid}COPY {a} {}", ["INBOX", "Sent"][dice.roll(2)]),
            7 => format!("x {uid}MOVE {a} {}", ["INBOX", "Trash"][dice.roll(2)]),
            _ => "x NOOP".to_owned(),
        };
        if !silent.is_empty() && line.contains("SILENT") {
            // A silent change is the client's own to remember; hearing it again keeps this model small.
            self.say(&line);
            line = "x FETCH 1:* (UID FLAGS)".to_owned();
        }
        self.say(&line);
    }
}

/// Something happens in the mailbox without any of the clients.
pub fn change(store: &Rc<RefCell<Store>>, dice: &mut Dice) {
    let uids = store.borrow().uids("INBOX");
    let one = uids.get(dice.roll(uids.len().max(1))).copied();
    match (dice.roll(3), one) {
        (0, _) => drop(store.borrow_mut().deliver("INBOX", b"Subject: new\r\n\r\nb\r\n")),
        (1, Some(uid)) => store.borrow_mut().expunge("INBOX", uid),
        (_, Some(uid)) => {
            let keywords = if dice.roll(3) == 0 { Keyword::new("$Junk").into_iter().collect() } else { [].into() };
            let flags = Flags { system: SystemFlags::from_bits(dice.roll(32) as u8), keywords };
            store.borrow_mut().set_flags("INBOX", uid, &flags);
        }
        (_, None) => (),
    }
}

fn round(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let store = Rc::new(RefCell::new(Store::new()));
    for _ in 0..5 {
        store.borrow_mut().deliver("INBOX", b"Subject: s\r\n\r\nb\r\n");
    }
    let mut clients = [true, false, seed.is_multiple_of(2)].map(|looks| Belief::new(&store, looks));
    for _ in 0..120 {
        match dice.roll(16) {
            0..6 => change(&store, &mut dice),
            6 | 7 => clients[dice.roll(3)].idle(&store, &mut dice),
            _ => clients[dice.roll(3)].random_command(&mut dice),
        }
    }
    for client in &mut clients {
        client.check(&store);
    }
}

#[test]
fn numbers_agree_with_a_naive_client_whatever_three_sessions_do() {
    for seed in 1..=150 {
        println!("seed {seed}");
        round(seed);
    }
}
