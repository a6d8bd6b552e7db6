//! Who is connected: one entry for each connection that logged in, so that all of a login can be ended at once.
//!
//! A connection enters before its account is judged: a state that changes in this moment either is seen by the judgement, or
//! its change finds the connection here.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mail::Login;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// What a session speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    Smtp,
    Imap,
    Pop,
    Portal,
}

impl Protocol {
    pub fn word(self) -> &'static str {
        match self {
            Protocol::Smtp => "smtp",
            Protocol::Imap => "imap",
            Protocol::Pop => "pop",
            Protocol::Portal => "portal",
        }
    }
}

/// A session of somebody who logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionOf {
    pub login: Login,
    pub protocol: Protocol,
    /// By its name in the plan; `None` is the portal.
    pub listener: Option<Arc<str>>,
    /// The address the server believes.
    pub peer: IpAddr,
    /// Unix seconds.
    pub since_s: i64,
}

/// All of them. A login is one whatever its case.
#[derive(Debug, Default)]
pub struct Sessions {
    by_login: Mutex<HashMap<String, Vec<Arc<One>>>>,
}

#[derive(Debug)]
struct One {
    of: SessionOf,
    is_ended: AtomicBool,
    end: Notify,
}

/// An entry; the session leaves when this is dropped.
#[derive(Debug)]
pub struct Entered {
    sessions: Arc<Sessions>,
    one: Arc<One>,
}

impl Sessions {
    pub fn enter(self: &Arc<Sessions>, of: SessionOf) -> Entered {
        let key = key(&of.login);
        let one = Arc::new(One { of, is_ended: AtomicBool::new(false), end: Notify::new() });
        let mut by_login = self.by_login();
        let all = by_login.entry(key).or_insert_with(|| Vec::with_capacity(1));
        all.push(one.clone());
        drop(by_login);
        Entered { sessions: self.clone(), one }
    }

    /// The oldest first.
    pub fn of(&self, login: &Login) -> Vec<SessionOf> {
        self.by_login().get(&key(login)).into_iter().flatten().map(|one| one.of.clone()).collect()
    }

    /// Tells all sessions of `login` to end, and says how many there are. Each ends as its protocol says, as soon as it waits
    /// for its client.
    pub fn end(&self, login: &Login) -> usize {
        self.end_those(login, |_| true)
    }

    /// The same for mail programs alone: what opened them may be an app password, which never opens the portal.
    pub fn end_programs(&self, login: &Login) -> usize {
        self.end_those(login, |protocol| protocol != Protocol::Portal)
    }

    /// Tells all sessions to end that `which` names, and says how many there are.
    pub fn end_where(&self, which: impl Fn(&SessionOf) -> bool) -> usize {
        let by_login = self.by_login();
        let chosen = by_login.values().flatten().filter(|one| which(&one.of));
        chosen
            .map(|one| {
                one.is_ended.store(true, Ordering::Release);
                one.end.notify_waiters();
            })
            .count()
    }

    fn end_those(&self, login: &Login, which: impl Fn(Protocol) -> bool) -> usize {
        let by_login = self.by_login();
        let all = by_login.get(&key(login)).map(Vec::as_slice).unwrap_or_default();
        let chosen = all.iter().filter(|one| which(one.of.protocol));
        chosen
            .map(|one| {
                one.is_ended.store(true, Ordering::Release);
                one.end.notify_waiters();
            })
            .count()
    }

    /// Sessions there are.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.by_login().values().map(Vec::len).sum()
    }

    fn by_login(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<One>>>> {
        self.by_login.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(login: &Login) -> String {
    login.as_str().to_ascii_lowercase()
}

impl Entered {
    /// Resolves when the session is to end. Cancelling loses nothing.
    pub async fn ended(&self) {
        loop {
            // Made before the look: whoever ends it after the look wakes it.
            let woken = self.one.end.notified();
            if self.is_ended() {
                return;
            }
            woken.await;
        }
    }

    pub fn is_ended(&self) -> bool {
        self.one.is_ended.load(Ordering::Acquire)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut by_login = self.sessions.by_login();
        let key = key(&self.one.of.login);
        if let Some(all) = by_login.get_mut(&key) {
            all.retain(|one| !Arc::ptr_eq(one, &self.one));
            if all.is_empty() {
                by_login.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(login: &str, protocol: Protocol) -> SessionOf {
        SessionOf {
            login: Login::new(login).unwrap(),
            protocol,
            listener: None,
            peer: IpAddr::from([192, 0, 2, 1]),
            since_s: 7,
        }
    }

    #[tokio::test]
    async fn all_sessions_of_a_login_end_and_those_of_others_stay() {
        let sessions = Arc::new(Sessions::default());
        let imap = sessions.enter(of("toto-j", Protocol::Imap));
        let smtp = sessions.enter(of("Toto-J", Protocol::Smtp));
        let other = sessions.enter(of("dupont-m", Protocol::Imap));
        let login = Login::new("TOTO-j").unwrap();
        let protocols: Vec<Protocol> = sessions.of(&login).into_iter().map(|it| it.protocol).collect();
        assert_eq!(protocols, [Protocol::Imap, Protocol::Smtp]);
        let waiting = tokio::spawn(async move {
            imap.ended().await;
            imap
        });
        tokio::task::yield_now().await;
        assert_eq!(sessions.end(&login), 2);
        let imap = waiting.await.unwrap();
        // Whoever waits later is told as well.
        smtp.ended().await;
        assert!(!other.is_ended());
        drop((imap, smtp));
        assert_eq!((sessions.of(&login).len(), sessions.count(), sessions.end(&login)), (0, 1, 0));
        // Who comes back is somebody new.
        assert!(!sessions.enter(of("toto-j", Protocol::Pop)).is_ended());
    }

    #[test]
    fn mail_programs_end_and_the_portal_stays() {
        let sessions = Arc::new(Sessions::default());
        let (imap, portal) =
            (sessions.enter(of("toto-j", Protocol::Imap)), sessions.enter(of("toto-j", Protocol::Portal)));
        assert_eq!(sessions.end_programs(&Login::new("toto-j").unwrap()), 1);
        assert!(imap.is_ended() && !portal.is_ended());
    }

    fn resident_octets() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }

    #[test]
    fn twenty_four_thousand_sessions_cost_less_than_half_a_kibibyte_each() {
        const SESSIONS: usize = 24_000;
        let sessions = Arc::new(Sessions::default());
        let before = resident_octets();
        let entered: Vec<Entered> =
            (0..SESSIONS).map(|number| sessions.enter(of(&format!("user{number:05}"), Protocol::Imap))).collect();
        let each = resident_octets().saturating_sub(before) / SESSIONS;
        println!("{each} octets each");
        assert_eq!((entered.len(), sessions.count()), (SESSIONS, SESSIONS));
        assert!(each < 512, "{each} octets each");
    }
}
