//! `facteur trace session`: what a person's SMTP sessions say from now on, for whoever an operator lets watch. A line is a
//! command without its secrets, or a reply; content never comes here.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mail::{Login, Reply};
use proto::smtp::Question;

use crate::clock;
use crate::outcome::Peer;

/// Lines that wait for a watcher that is slow; older ones are left out, and told of.
const LINES_MAX: usize = 1_000;
/// Watchers at a time.
const WATCHERS_MAX: usize = 8;
/// Octets of one line.
const LINE_OCTETS_MAX: usize = 512;

/// Who watches whom.
#[derive(Default)]
pub struct Transcripts {
    /// So that sessions nobody watches cost nothing.
    open: AtomicUsize,
    watchers: Mutex<Vec<Arc<Watcher>>>,
}

pub struct Watcher {
    login: String,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    waiting: VecDeque<String>,
    left_out: usize,
}

/// There are as many watchers as there may be.
#[derive(Debug)]
pub struct TooMany;

/// Watching; it ends when this is dropped.
pub struct Watching<'a> {
    transcripts: &'a Transcripts,
    watcher: Arc<Watcher>,
}

impl Transcripts {
    pub fn watch(&self, login: &Login) -> Result<Watching<'_>, TooMany> {
        let mut watchers = self.watchers();
        if watchers.len() >= WATCHERS_MAX {
            return Err(TooMany);
        }
        let watcher = Arc::new(Watcher { login: login.to_string(), lines: Mutex::default() });
        watchers.push(watcher.clone());
        self.open.store(watchers.len(), Ordering::Relaxed);
        Ok(Watching { transcripts: self, watcher })
    }

    /// A command of a session whose client is logged in.
    pub fn asked(&self, login: Option<&Login>, peer: &Peer, question: &Question) {
        self.tell(login, peer, "C", || command(question));
    }

    pub fn replied(&self, login: Option<&Login>, peer: &Peer, reply: &Reply) {
        self.tell(login, peer, "S", || format!("{} {}", reply.code, reply.all_lines().join(" | ")));
    }

    fn tell(&self, login: Option<&Login>, peer: &Peer, side: &str, words: impl FnOnce() -> String) {
        if self.open.load(Ordering::Relaxed) == 0 {
            return;
        }
        let Some(login) = login.map(Login::to_string) else { return };
        let watchers: Vec<_> = self.watchers().iter().filter(|watcher| watcher.login == login).cloned().collect();
        if watchers.is_empty() {
            return;
        }
        let mut line = format!("{} {} {} {side}: ", clock::unix_s(), peer.listener, peer.client);
        line.extend(words().chars().map(|c| if c.is_control() { '?' } else { c }));
        line.truncate(line.floor_char_boundary(LINE_OCTETS_MAX));
        watchers.iter().for_each(|watcher| watcher.hear(line.clone()));
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<Arc<Watcher>>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    fn hear(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.waiting.len() >= LINES_MAX {
            lines.waiting.pop_front();
            lines.left_out += 1;
        }
        lines.waiting.push_back(line);
    }
}

impl Watching<'_> {
    /// What came since the last look.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.watcher.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let left_out = std::mem::take(&mut lines.left_out);
        let told = (left_out > 0).then(|| format!("… {left_out} lines are left out"));
        told.into_iter().chain(lines.waiting.drain(..)).collect()
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        let mut watchers = self.transcripts.watchers();
        watchers.retain(|watcher| !Arc::ptr_eq(watcher, &self.watcher));
        self.transcripts.open.store(watchers.len(), Ordering::Relaxed);
    }
}

/// The command as the session understood it. What proves who somebody is, is not said.
fn command(question: &Question) -> String {
    match question {
        Question::Salt { .. } | Question::Authenticate { .. } => "AUTH (masked)".to_owned(),
        Question::Told(_) => "XCLIENT (masked)".to_owned(),
        Question::Mail { reverse_path, parameters } => {
            let mut line = format!("MAIL FROM:{reverse_path}");
            if let Some(octets) = parameters.size_octets {
                let _ = write!(line, " SIZE={octets}");
            }
            line
        }
        Question::Recipient { forward_path, .. } => format!("RCPT TO:{forward_path}"),
        Question::ContentStart { .. } => "DATA or BDAT".to_owned(),
        Question::ContentEnd { octets, .. } => format!("(content of {octets} octets)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_watched_is_heard_and_a_slow_watcher_misses_the_oldest() {
        let transcripts = Transcripts::default();
        let (one, two) = (Login::new("one").unwrap(), Login::new("two").unwrap());
        let address = std::net::IpAddr::from([192, 0, 2, 1]);
        let peer = Peer { listener: "subm".to_owned(), class: "outside".to_owned(), client: address, seen_as: address };
        let reply = Reply::new(mail::reply::OK, "fine\u{1b}");
        let watching = transcripts.watch(&one).unwrap();
        transcripts.replied(Some(&two), &peer, &reply);
        transcripts.replied(None, &peer, &reply);
        transcripts.replied(Some(&one), &peer, &reply);
        let lines = watching.lines();
        assert!(lines.len() == 1 && lines[0].ends_with(" subm 192.0.2.1 S: 250 2.0.0 fine?"), "{lines:?}");
        for _ in 0..LINES_MAX + 5 {
            transcripts.replied(Some(&one), &peer, &reply);
        }
        let lines = watching.lines();
        assert_eq!((lines.len(), lines[0].as_str()), (LINES_MAX + 1, "… 5 lines are left out"));
        drop(watching);
        assert_eq!(transcripts.open.load(Ordering::Relaxed), 0);
        let all: Vec<_> = (0..WATCHERS_MAX).map(|_| transcripts.watch(&one).unwrap()).collect();
        assert!(transcripts.watch(&two).is_err() && all.len() == WATCHERS_MAX);
    }
}
