//! Many mail programs that log in at once, as after a restart: each comes back later when it is told so, and none tries
//! another password.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use crate::imap::quoted;
use crate::wire::{self, Wire};

/// How long a program waits before it comes back: this, and twice as long each time, up to the second.
const BACK_AFTER: Duration = Duration::from_secs(2);
const BACK_AFTER_MAX: Duration = Duration::from_secs(30);
/// How often a program with nothing to do looks again.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What a thread of a storm needs: a TLS connection.
const STACK_OCTETS: usize = 256 * 1024;

/// Who logs in where.
pub struct Storm {
    pub imaps: SocketAddr,
    pub tls: Arc<ClientConfig>,
    /// Login and password.
    pub logins: Vec<(String, String)>,
    /// Programs at a time.
    pub connections: usize,
    /// Where the n-th login comes from.
    pub source: fn(usize) -> Ipv4Addr,
}

/// What came of a storm.
#[derive(Debug, Default)]
pub struct Report {
    /// From the first connection to the last login.
    pub lasted: Duration,
    /// From the beginning of the storm to the success of each login, ascending.
    pub waits: Vec<Duration>,
    /// Answers `[UNAVAILABLE]`: the program came back.
    pub later: u32,
    /// Connections turned away or lost: it came back, too.
    pub lost: u32,
    /// Answers that the password is wrong; those programs stopped.
    pub wrong: u32,
    /// What else was said, the first few times.
    pub strange: Vec<String>,
}

/// A login that is due: when, how often it was tried, which.
type Due = Reverse<(Instant, u32, usize)>;

enum Answer {
    In,
    Later,
    Wrong,
    Strange(String),
}

impl Storm {
    /// Runs until everybody is in or was told that the password is wrong.
    pub fn run(&self) -> Report {
        let begun = Instant::now();
        let due: BinaryHeap<Due> = (0..self.logins.len()).map(|login| Reverse((begun, 0, login))).collect();
        let (due, report) = (Mutex::new((due, self.logins.len())), Mutex::new(Report::default()));
        std::thread::scope(|scope| {
            for _ in 0..self.connections {
                let program = std::thread::Builder::new().stack_size(STACK_OCTETS);
                let spawned = program.spawn_scoped(scope, || self.work(begun, &due, &report));
                spawned.expect("the system has so many threads");
            }
        });
        let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
        report.lasted = begun.elapsed();
        report.waits.sort_unstable();
        report
    }

    fn work(&self, begun: Instant, due: &Mutex<(BinaryHeap<Due>, usize)>, report: &Mutex<Report>) {
        loop {
            let next = {
                let mut due = due.lock().unwrap_or_else(PoisonError::into_inner);
                if due.1 == 0 {
                    return;
                }
                let ripe = due.0.peek().is_some_and(|Reverse((at, ..))| *at <= Instant::now());
                ripe.then(|| due.0.pop()).flatten()
            };
            let Some(Reverse((_, tries, login))) = next else {
                std::thread::park_timeout(LOOK_EVERY);
                continue;
            };
            let answer = self.login(login);
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            let back = match answer {
                Ok(Answer::In) => {
                    report.waits.push(begun.elapsed());
                    false
                }
                Ok(Answer::Wrong) => {
                    report.wrong += 1;
                    false
                }
                Ok(Answer::Later) => {
                    report.later += 1;
                    true
                }
                Ok(Answer::Strange(said)) => {
                    report.lost += 1;
                    if report.strange.len() < 5 {
                        report.strange.push(said);
                    }
                    true
                }
                Err(error) => {
                    report.lost += 1;
                    if report.strange.len() < 5 {
                        report.strange.push(error.to_string());
                    }
                    true
                }
            };
            let mut due = due.lock().unwrap_or_else(PoisonError::into_inner);
            if back {
                due.0.push(Reverse((Instant::now() + back_after(tries, login), tries + 1, login)));
            } else {
                due.1 -= 1;
            }
        }
    }

    fn login(&self, number: usize) -> io::Result<Answer> {
        let (login, password) = &self.logins[number];
        let mut wire = Wire::plain(wire::connect(self.imaps, (self.source)(number))?).tls(&self.tls)?;
        let greeting = wire.line()?;
        if !greeting.starts_with("* OK") {
            return Ok(Answer::Strange(greeting));
        }
        wire.send(format!("a LOGIN {} {}\r\n", quoted(login), quoted(password)).as_bytes())?;
        let mut line = wire.line()?;
        while line.starts_with("* ") {
            line = wire.line()?;
        }
        Ok(match line.strip_prefix("a ") {
            Some(rest) if rest.starts_with("OK") => Answer::In,
            Some(rest) if rest.starts_with("NO [UNAVAILABLE]") => Answer::Later,
            Some(rest) if rest.starts_with("NO") => Answer::Wrong,
            _ => Answer::Strange(line),
        })
    }
}

/// Programs that were told at once do not come back at once.
fn back_after(tries: u32, login: usize) -> Duration {
    let whole = BACK_AFTER.saturating_mul(1 << tries.min(8)).min(BACK_AFTER_MAX);
    let share = u32::try_from(login % 64).unwrap_or(0);
    whole + whole * share / 128
}

/// Runs `beside` until the other work is done, and gives what both came to.
pub fn beside<T, P: Send>(work: impl FnOnce() -> T, probe: impl Fn() -> P + Sync) -> (T, Vec<P>) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let probing = scope.spawn(|| {
            let mut found = Vec::new();
            while !done.load(Ordering::Relaxed) {
                found.push(probe());
            }
            found
        });
        let worked = work();
        done.store(true, Ordering::Relaxed);
        (worked, probing.join().expect("the probe does not panic"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_come_back_later_each_time_and_not_together() {
        assert_eq!(back_after(0, 0), BACK_AFTER);
        assert_eq!(back_after(1, 64), 2 * BACK_AFTER);
        assert!(back_after(0, 1) > BACK_AFTER && back_after(0, 63) < 2 * BACK_AFTER);
        assert!(back_after(30, 63) < 2 * BACK_AFTER_MAX);
    }
}
