//! Who is signed in. Sessions live in memory: a server that starts again knows none, so nothing that opens an account lies
//! on a disk. The cookie's secret is kept as a hash, and a sign-in always draws a new one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mail::Login;

use super::cookie::Id;
use crate::sessions::Entered;

/// Sessions at a time; the one that was idle longest goes first.
const SESSIONS_MAX: usize = 20_000;
/// Of one person.
const OF_ONE_MAX: usize = 16;
/// Wrong codes of one sign-in.
pub const CODES_MAX: u32 = 5;
/// How long a sign-in waits for its code.
const CODE_MAX_S: u64 = 300;

/// How far a sign-in came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The password was right; so many codes were wrong.
    NeedsCode {
        wrong: u32,
    },
    SignedIn,
}

/// What showed who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Password,
    /// The word of who vouches for people here: how old their password is and second factors are their business.
    Word,
}

/// A session as pages see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub login: Login,
    pub stage: Stage,
    pub proof: Proof,
    /// Unix seconds.
    pub since_s: i64,
    pub address: IpAddr,
    /// What the browser calls itself.
    pub program: String,
    /// Names the session on pages; it opens nothing.
    pub number: u64,
}

struct Kept {
    session: Session,
    /// Its place among all sessions of the account, where it can be ended.
    entered: Option<Entered>,
    /// Monotonic seconds.
    began_s: u64,
    seen_s: u64,
    /// Said on the next page.
    said: Option<String>,
}

pub struct Sessions {
    idle_s: AtomicU64,
    at_most_s: AtomicU64,
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    by_key: HashMap<blake3::Hash, Kept>,
    last: u64,
}

/// What is kept of a secret.
fn key(id: &Id) -> blake3::Hash {
    blake3::hash(id)
}

impl Sessions {
    /// Sessions end after `idle_s` without a request, and after `at_most_s` whatever happens.
    pub fn new(idle_s: u64, at_most_s: u64) -> Sessions {
        Sessions { idle_s: AtomicU64::new(idle_s), at_most_s: AtomicU64::new(at_most_s), all: Mutex::default() }
    }

    /// They end after other times from now on.
    pub fn bound(&self, idle_s: u64, at_most_s: u64) {
        self.idle_s.store(idle_s, Ordering::Relaxed);
        self.at_most_s.store(at_most_s, Ordering::Relaxed);
    }

    /// A new session. `now_s` counts monotonic seconds, here and below.
    pub fn begin(&self, session: Session, entered: Option<Entered>, now_s: u64) -> Id {
        let id: Id = crate::random::octets();
        let mut all = self.all();
        all.make_room(&session.login);
        all.last += 1;
        let session = Session { number: all.last, ..session };
        let kept = Kept { session, entered, began_s: now_s, seen_s: now_s, said: None };
        all.by_key.insert(key(&id), kept);
        id
    }

    /// The session of a secret, which is used now.
    pub fn of(&self, id: &Id, now_s: u64) -> Option<Session> {
        let mut all = self.all();
        let kept = all.by_key.get_mut(&key(id))?;
        if self.is_over(kept, now_s) {
            all.by_key.remove(&key(id));
            return None;
        }
        kept.seen_s = now_s;
        Some(kept.session.clone())
    }

    fn is_over(&self, kept: &Kept, now_s: u64) -> bool {
        let at_most = match kept.session.stage {
            Stage::NeedsCode { .. } => CODE_MAX_S,
            Stage::SignedIn => self.at_most_s.load(Ordering::Relaxed),
        };
        kept.entered.as_ref().is_some_and(Entered::is_ended)
            || now_s.saturating_sub(kept.seen_s) >= self.idle_s.load(Ordering::Relaxed)
            || now_s.saturating_sub(kept.began_s) >= at_most
    }

    /// Ends one; its place among the sessions of the account is given back to who begins another.
    pub fn end(&self, id: &Id) -> Option<(Session, Option<Entered>)> {
        self.all().by_key.remove(&key(id)).map(|kept| (kept.session, kept.entered))
    }

    /// Ends the one of this number, if it is this person's.
    pub fn end_number(&self, login: &Login, number: u64) -> bool {
        let mut all = self.all();
        let is_it = |kept: &Kept| kept.session.login == *login && kept.session.number == number;
        let key = all.by_key.iter().find(|(_, kept)| is_it(kept)).map(|(key, _)| *key);
        key.is_some_and(|key| all.by_key.remove(&key).is_some())
    }

    /// Counts a wrong code; the session ends with the last that is allowed. False once it ended.
    pub fn wrong_code(&self, id: &Id) -> bool {
        let mut all = self.all();
        let Some(kept) = all.by_key.get_mut(&key(id)) else { return false };
        if let Stage::NeedsCode { wrong } = &mut kept.session.stage {
            *wrong += 1;
            if *wrong >= CODES_MAX {
                all.by_key.remove(&key(id));
                return false;
            }
        }
        true
    }

    /// Ends all of a person but one; how many.
    pub fn end_all(&self, login: &Login, but: Option<&Id>) -> usize {
        let but = but.map(key);
        let mut all = self.all();
        let before = all.by_key.len();
        all.by_key.retain(|key, kept| kept.session.login != *login || Some(*key) == but);
        before - all.by_key.len()
    }

    /// Those of a person, oldest first.
    pub fn of_login(&self, login: &Login, now_s: u64) -> Vec<Session> {
        let all = self.all();
        let open = all.by_key.values().filter(|kept| kept.session.login == *login && !self.is_over(kept, now_s));
        let mut list: Vec<Session> = open.map(|kept| kept.session.clone()).collect();
        list.sort_by_key(|session| session.number);
        list
    }

    /// Keeps a sentence for the next page.
    pub fn say(&self, id: &Id, sentence: String) {
        if let Some(kept) = self.all().by_key.get_mut(&key(id)) {
            kept.said = Some(sentence);
        }
    }

    /// The sentence kept for this page.
    pub fn said(&self, id: &Id) -> Option<String> {
        self.all().by_key.get_mut(&key(id))?.said.take()
    }

    /// Forgets those that are over.
    pub fn sweep(&self, now_s: u64) {
        self.all().by_key.retain(|_, kept| !self.is_over(kept, now_s));
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.all().by_key.len()
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    /// Ends the least used where there are as many as there may be.
    fn make_room(&mut self, login: &Login) {
        let own = self.by_key.values().filter(|kept| kept.session.login == *login).count();
        if own >= OF_ONE_MAX {
            self.end_least_used(|kept| kept.session.login == *login);
        } else if self.by_key.len() >= SESSIONS_MAX {
            self.end_least_used(|_| true);
        }
    }

    fn end_least_used(&mut self, of: impl Fn(&Kept) -> bool) {
        let candidates = self.by_key.iter().filter(|(_, kept)| of(kept));
        let least = candidates.min_by_key(|(_, kept)| (kept.seen_s, kept.session.number)).map(|(key, _)| *key);
        if let Some(key) = least {
            self.by_key.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(login: &str) -> Session {
        Session {
            login: Login::new(login).unwrap(),
            stage: Stage::SignedIn,
            proof: Proof::Password,
            since_s: 0,
            address: "192.0.2.1".parse().unwrap(),
            program: String::new(),
            number: 0,
        }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
        let sessions = Sessions::new(10, 25);
        let id = sessions.begin(session("toto-j"), None, 100);
        for (now_s, is_open) in [(105, true), (114, true), (123, true), (124, true), (125, false), (124, false)] {
            assert_eq!(sessions.of(&id, now_s).is_some(), is_open, "at {now_s}");
        }
        let id = sessions.begin(session("toto-j"), None, 200);
        assert!(sessions.of(&id, 210).is_none(), "idle");
        assert!(sessions.of(&[0; 32], 200).is_none());
    }

    #[test]
    fn wrong_codes_end_a_sign_in_and_so_does_waiting() {
        let sessions = Sessions::new(1_000, 10_000);
        let waits = || Session { stage: Stage::NeedsCode { wrong: 0 }, ..session("toto-j") };
        let id = sessions.begin(waits(), None, 0);
        assert_eq!(
            (1..=CODES_MAX).map(|_| sessions.wrong_code(&id)).collect::<Vec<_>>(),
            [true, true, true, true, false]
        );
        assert!(sessions.of(&id, 0).is_none());
        let id = sessions.begin(waits(), None, 0);
        assert!(sessions.of(&id, CODE_MAX_S - 1).is_some() && sessions.of(&id, CODE_MAX_S).is_none());
    }

    #[test]
    fn one_person_takes_no_place_of_others_and_ends_all_but_this_one() {
        let sessions = Sessions::new(10, 100);
        let other = sessions.begin(session("toto-jp"), None, 0);
        let mine: Vec<Id> = (0..=OF_ONE_MAX).map(|_| sessions.begin(session("toto-j"), None, 1)).collect();
        assert!(sessions.of(&mine[0], 1).is_none() && sessions.of(&mine[1], 1).is_some());
        assert_eq!(sessions.end_all(&Login::new("toto-j").unwrap(), Some(&mine[3])), OF_ONE_MAX - 1);
        assert!(sessions.of(&mine[3], 1).is_some() && sessions.of(&other, 1).is_some());
        sessions.sweep(500);
        assert_eq!(sessions.len(), 0);
    }
}
