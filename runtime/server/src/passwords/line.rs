//! Who is hashed next: a pure line of those that wait, fair between client addresses, with one hash an account at a time.
//!
//! Addresses take turns: one whose login was called goes behind all others. Whoever brings a thousand logins waits for itself,
//! and whoever brings one waits for one of each other address at most.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// A place in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

/// Those that wait, and those whose turn it is. `W` is how somebody is told.
#[derive(Debug)]
pub struct Line<W> {
    /// Turns at a time, in all and of one address.
    at_once: usize,
    at_once_of_address: usize,
    /// Addresses with somebody who waits, whose turn is next first.
    rota: BTreeMap<u64, String>,
    addresses: HashMap<String, OfAddress<W>>,
    accounts: HashMap<u64, OfAccount>,
    /// Whose place it is, and whether it is a turn.
    places: HashMap<Ticket, Place>,
    running: usize,
    /// Numbers places in `rota`, and tickets.
    next: u64,
}

#[derive(Debug)]
struct OfAddress<W> {
    waiting: VecDeque<Waiting<W>>,
    running: usize,
    /// Its place in `rota`, while somebody waits.
    turn: u64,
}

#[derive(Debug)]
struct Waiting<W> {
    ticket: Ticket,
    account: u64,
    wake: W,
}

#[derive(Debug, Default)]
struct OfAccount {
    present: usize,
    running: usize,
    /// How many of each address are present.
    addresses: HashMap<String, usize>,
}

#[derive(Debug)]
struct Place {
    address: String,
    account: u64,
    running: bool,
}

impl<W> Line<W> {
    /// `at_once` turns at a time, `at_once_of_address` of them for one address.
    pub fn new(at_once: usize, at_once_of_address: usize) -> Line<W> {
        Line {
            at_once: at_once.max(1),
            at_once_of_address: at_once_of_address.max(1),
            rota: BTreeMap::new(),
            addresses: HashMap::new(),
            accounts: HashMap::new(),
            places: HashMap::new(),
            running: 0,
            next: 0,
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.places.len() - self.running
    }

    /// Of an address, waiting or served.
    pub fn of_address(&self, address: &str) -> usize {
        self.addresses.get(address).map_or(0, |line| line.waiting.len() + line.running)
    }

    /// Of an account, waiting or served.
    pub fn of_account(&self, account: u64) -> usize {
        self.accounts.get(&account).map_or(0, |account| account.present)
    }

    /// How long whoever joins now would wait, where a turn takes `turn`.
    pub fn expected(&self, address: &str, account: u64, turn: Duration) -> Duration {
        // Before each of its own address stands one of each other address.
        let rounds = self.addresses.get(address).map_or(0, |line| line.waiting.len()) + 1;
        let before = self.waiting().min(rounds.saturating_mul(self.rota.len()));
        let of_account = self.accounts.get(&account).map_or(0, |account| {
            let rounds = account.addresses.get(address).unwrap_or(&0) + 1;
            account.present.min(rounds.saturating_mul(account.addresses.len()) + account.running)
        });
        let turns =
            [(before + self.running) / self.at_once, self.of_address(address) / self.at_once_of_address, of_account];
        let turns = turns.into_iter().max().unwrap_or(0);
        turn.saturating_mul(u32::try_from(turns).unwrap_or(u32::MAX))
    }

    /// Joins at the end of the address's own line.
    pub fn join(&mut self, address: &str, account: u64, wake: W) -> Ticket {
        let ticket = Ticket(self.number());
        let turn = self.number();
        let line = self.addresses.entry(address.to_owned()).or_insert_with(|| OfAddress {
            waiting: VecDeque::new(),
            running: 0,
            turn,
        });
        if line.waiting.is_empty() {
            line.turn = turn;
            self.rota.insert(turn, address.to_owned());
        }
        line.waiting.push_back(Waiting { ticket, account, wake });
        let of_account = self.accounts.entry(account).or_default();
        of_account.present += 1;
        *of_account.addresses.entry(address.to_owned()).or_default() += 1;
        self.places.insert(ticket, Place { address: address.to_owned(), account, running: false });
        ticket
    }

    /// Whose turn has come, if anybody's has. The turn is theirs until they leave.
    pub fn call(&mut self) -> Option<W> {
        if self.running >= self.at_once {
            return None;
        }
        let (turn, at) = self.rota.iter().find_map(|(turn, address)| Some((*turn, self.ready(address)?)))?;
        let address = self.rota.remove(&turn)?;
        let behind = self.number();
        let line = self.addresses.get_mut(&address)?;
        let Waiting { ticket, account, wake } = line.waiting.remove(at)?;
        line.running += 1;
        line.turn = behind;
        if !line.waiting.is_empty() {
            self.rota.insert(behind, address);
        }
        self.accounts.entry(account).or_default().running += 1;
        self.places.entry(ticket).and_modify(|place| place.running = true);
        self.running += 1;
        Some(wake)
    }

    /// Who of an address may have a turn: its first whose account has none.
    fn ready(&self, address: &str) -> Option<usize> {
        let line = self.addresses.get(address).filter(|line| line.running < self.at_once_of_address)?;
        let free =
            |waiting: &Waiting<W>| self.accounts.get(&waiting.account).is_none_or(|account| account.running == 0);
        line.waiting.iter().position(free)
    }

    /// Gives a place or a turn back. Nothing happens when it was given back before.
    pub fn leave(&mut self, ticket: Ticket) {
        let Some(Place { address, account, running }) = self.places.remove(&ticket) else { return };
        self.running -= usize::from(running);
        if let Some(line) = self.addresses.get_mut(&address) {
            line.running -= usize::from(running);
            if !running {
                line.waiting.retain(|waiting| waiting.ticket != ticket);
            }
            if line.waiting.is_empty() {
                self.rota.remove(&line.turn);
            }
            if line.waiting.is_empty() && line.running == 0 {
                self.addresses.remove(&address);
            }
        }
        if let Some(of_account) = self.accounts.get_mut(&account) {
            of_account.running -= usize::from(running);
            of_account.present -= 1;
            if let Some(count) = of_account.addresses.get_mut(&address) {
                *count -= 1;
            }
            of_account.addresses.retain(|_, count| *count > 0);
            if of_account.present == 0 {
                self.accounts.remove(&account);
            }
        }
    }

    /// Takes the last place from the address that has most logins of this account, if it has two more than `address`: who
    /// guesses from one address keeps the owner out from no other.
    pub fn make_way(&mut self, address: &str, account: u64) -> bool {
        let Some(of_account) = self.accounts.get(&account) else { return false };
        let own = of_account.addresses.get(address).copied().unwrap_or(0);
        let most = of_account.addresses.iter().max_by_key(|(_, count)| **count);
        let Some((most, _)) = most.filter(|(_, count)| **count >= own + 2) else { return false };
        let mut waiting = self.addresses.get(most).into_iter().flat_map(|line| line.waiting.iter().rev());
        let Some(last) = waiting.find(|waiting| waiting.account == account).map(|waiting| waiting.ticket) else {
            return false;
        };
        self.leave(last);
        true
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Duration = Duration::from_millis(20);

    /// A line in which everybody has a name.
    struct Named {
        line: Line<&'static str>,
        tickets: Vec<(&'static str, Ticket)>,
    }

    impl Named {
        fn new(at_once: usize, at_once_of_address: usize) -> Named {
            Named { line: Line::new(at_once, at_once_of_address), tickets: Vec::new() }
        }

        fn join(&mut self, address: &str, account: u64, name: &'static str) {
            let ticket = self.line.join(address, account, name);
            self.tickets.push((name, ticket));
        }

        /// Who is called now, in order.
        fn called(&mut self) -> Vec<&'static str> {
            std::iter::from_fn(|| self.line.call()).collect()
        }

        fn leave(&mut self, name: &str) {
            let at = self.tickets.iter().position(|(kept, _)| *kept == name).unwrap();
            self.line.leave(self.tickets.remove(at).1);
        }

        /// Serves one after the other until nobody waits.
        fn served(&mut self) -> Vec<&'static str> {
            let mut order = Vec::new();
            while let Some(name) = self.line.call() {
                order.push(name);
                self.leave(name);
            }
            order
        }
    }

    #[test]
    fn an_address_with_many_logins_waits_for_itself() {
        let mut line = Named::new(1, 1);
        for (account, name) in ["a1", "a2", "a3", "a4"].into_iter().enumerate() {
            line.join("192.0.2.1", account as u64, name);
        }
        line.join("192.0.2.2", 10, "b1");
        assert_eq!(line.called(), ["a1"]);
        line.join("192.0.2.3", 11, "c1");
        line.join("192.0.2.2", 12, "b2");
        line.leave("a1");
        assert_eq!(line.served(), ["b1", "a2", "c1", "b2", "a3", "a4"]);
    }

    #[test]
    fn strangers_that_keep_coming_do_not_starve_whoever_waits() {
        let mut line = Named::new(1, 1);
        line.join("192.0.2.1", 1, "first");
        line.join("192.0.2.1", 2, "second");
        let mut order = Vec::new();
        for (number, name) in ["s1", "s2", "s3", "s4"].into_iter().enumerate() {
            line.join(&format!("198.51.100.{number}"), 10 + number as u64, name);
            let name = line.line.call().unwrap();
            order.push(name);
            line.leave(name);
        }
        assert_eq!(order, ["first", "s1", "second", "s2"]);
    }

    #[test]
    fn an_account_has_one_turn_at_a_time_and_others_pass_by() {
        let mut line = Named::new(4, 2);
        line.join("192.0.2.1", 7, "guess");
        line.join("192.0.2.2", 7, "owner");
        line.join("192.0.2.2", 9, "behind the owner");
        line.join("192.0.2.3", 8, "colleague");
        assert_eq!(line.called(), ["guess", "behind the owner", "colleague"]);
        line.leave("guess");
        assert_eq!(line.called(), ["owner"]);
    }

    #[test]
    fn turns_are_bounded_in_all_and_for_an_address() {
        let mut line = Named::new(3, 2);
        for account in 0..3 {
            line.join("192.0.2.1", account, "a");
            line.join("192.0.2.2", 10 + account, "b");
        }
        assert_eq!(line.called(), ["a", "b", "a"]);
        let mut line = Named::new(3, 2);
        for account in 0..3 {
            line.join("192.0.2.1", account, "a");
        }
        assert_eq!(line.called(), ["a", "a"]);
    }

    #[test]
    fn what_is_expected_is_what_comes_before() {
        let mut named = Named::new(2, 2);
        assert_eq!(named.line.expected("192.0.2.1", 1, TURN), Duration::ZERO);
        for account in 0..100 {
            named.join("192.0.2.1", account, "a");
        }
        assert_eq!(named.called().len(), 2);
        assert_eq!(named.line.expected("192.0.2.1", 500, TURN), 50 * TURN, "behind its own");
        assert_eq!(named.line.expected("192.0.2.2", 500, TURN), TURN, "after one of the others");
        for other in 0..50 {
            named.join(&format!("198.51.100.{other}"), 1_000, "guess");
            named.join("192.0.2.1", 2_000, "guess");
        }
        assert_eq!(named.line.expected("192.0.2.2", 2_000, TURN), 26 * TURN, "one of the address that guesses");
        assert_eq!(named.line.expected("192.0.2.2", 1_000, TURN), 50 * TURN, "an account has one turn at a time");
        assert_eq!(named.line.expected("192.0.2.2", 500, TURN), 26 * TURN, "51 addresses, and two that are served");
    }

    #[test]
    fn who_has_most_places_of_an_account_makes_way_and_an_equal_does_not() {
        let mut line = Named::new(1, 1);
        for name in ["g1", "g2", "g3"] {
            line.join("192.0.2.1", 7, name);
        }
        assert_eq!(line.called(), ["g1"]);
        assert!(line.line.make_way("192.0.2.2", 7));
        line.join("192.0.2.2", 7, "owner");
        assert!(!line.line.make_way("192.0.2.2", 7) && !line.line.make_way("192.0.2.2", 8));
        assert!(line.line.make_way("192.0.2.3", 7), "the one that waits goes, not the one that is served");
        assert!(!line.line.make_way("192.0.2.3", 7));
        line.leave("g1");
        assert_eq!(line.called(), ["owner"]);
    }

    #[test]
    fn nothing_is_left_of_those_that_left() {
        let mut line = Line::new(1, 1);
        let tickets: Vec<Ticket> = (0..9).map(|n| line.join(&format!("192.0.2.{}", n % 3), n % 2, "x")).collect();
        assert!(line.call().is_some());
        assert_eq!(line.waiting(), 8);
        for ticket in tickets {
            line.leave(ticket);
            line.leave(ticket);
        }
        assert_eq!((line.waiting(), line.running, line.call()), (0, 0, None));
        assert!(line.addresses.is_empty() && line.accounts.is_empty() && line.rota.is_empty());
    }
}
