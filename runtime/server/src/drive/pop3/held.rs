//! Whose maildrop has a session (RFC 1939 4: one at a time). IMAP is not kept out: a session of POP3 sees INBOX as of its
//! login, and what IMAP removes meanwhile it cannot fetch any more.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use mail::Login;

#[derive(Default)]
pub struct Held {
    logins: Mutex<BTreeSet<Login>>,
}

/// A maildrop that is held until this is dropped.
pub struct Hold {
    held: Arc<Held>,
    login: Login,
}

impl Held {
    /// `None` while another session has it.
    pub fn take(self: &Arc<Held>, login: &Login) -> Option<Hold> {
        let is_free = self.logins.lock().unwrap_or_else(PoisonError::into_inner).insert(login.clone());
        is_free.then(|| Hold { held: self.clone(), login: login.clone() })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.held.logins.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.login);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maildrop_has_one_session_and_is_free_behind_it() {
        let held = Arc::new(Held::default());
        let (one, two) = (Login::new("one").unwrap(), Login::new("two").unwrap());
        let first = held.take(&one);
        assert!(first.is_some() && held.take(&two).is_some());
        assert!(held.take(&one).is_none());
        drop(first);
        assert!(held.take(&one).is_some());
    }
}
