//! Whose maildrop has a session (RFC 1939 4: one at a time). IMAP is not kept out: a session of POP3 sees INBOX as of its
//! login, and what IMAP removes meanwhile it cannot fetch any more.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use mail::Login;

#[derive(Default)]
pub struct Maildrops {
    logins: Mutex<BTreeSet<Login>>,
}

/// A maildrop that is held until this is dropped.
pub struct Hold {
    maildrops: Arc<Maildrops>,
    login: Login,
}

impl Maildrops {
    /// `None` while another session has it.
    pub fn take(self: &Arc<Maildrops>, login: &Login) -> Option<Hold> {
        let is_free = self.logins.lock().unwrap_or_else(PoisonError::into_inner).insert(login.clone());
        is_free.then(|| Hold { maildrops: self.clone(), login: login.clone() })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.maildrops.logins.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.login);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maildrop_has_one_session_and_is_free_behind_it() {
        let maildrops = Arc::new(Maildrops::default());
        let (one, two) = (Login::new("one").unwrap(), Login::new("two").unwrap());
        let first = maildrops.take(&one);
        assert!(first.is_some() && maildrops.take(&two).is_some());
        assert!(maildrops.take(&one).is_none());
        drop(first);
        assert!(maildrops.take(&one).is_some());
    }
}
