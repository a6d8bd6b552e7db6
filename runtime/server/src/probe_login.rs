//! The login of the health check. It goes the whole way of a login (TLS, the listener, limits on guessing, the store, the
//! workers that judge passwords, the answer) and is refused at its end like every login nobody has, but in words that only
//! the check knows to expect: a way in that lets nobody in.
//!
//! INVARIANT (no-account): what is drawn here never opens a session.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::random;

/// How long a login that was drawn is waited for.
const WAITS: Duration = Duration::from_secs(60);

/// A login and a secret of one use, and the word a server that does all of it answers with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeLogin {
    pub login: String,
    pub secret: String,
    pub word: String,
}

/// The one that is waited for.
#[derive(Default)]
pub(crate) struct ProbeLogins {
    waiting: Mutex<Option<(ProbeLogin, Instant)>>,
}

impl ProbeLogins {
    /// Draws one in the place of any before it.
    pub fn draw(&self, now: Instant) -> ProbeLogin {
        let text = |octets: [u8; 24]| URL_SAFE_NO_PAD.encode(octets);
        let drawn = ProbeLogin {
            login: format!("health-probe-{}", text(random::octets()).to_lowercase().replace(['-', '_'], "x")),
            secret: text(random::octets()),
            word: text(random::octets()),
        };
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some((drawn.clone(), now + WAITS));
        drawn
    }

    /// The word to answer with, once, to who brings the login and its secret in time.
    pub fn take(&self, login: &str, secret: &str, now: Instant) -> Option<String> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (drawn, until) = waiting.as_ref()?;
        // Hashes are compared, so that how long it takes tells nothing of the secret.
        let is_it = drawn.login == login && blake3::hash(drawn.secret.as_bytes()) == blake3::hash(secret.as_bytes());
        if !is_it || now > *until {
            return None;
        }
        waiting.take().map(|(drawn, _)| drawn.word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_login_is_answered_once_and_in_time() {
        let (logins, now) = (ProbeLogins::default(), Instant::now());
        assert_eq!(logins.take("", "", now), None);
        let drawn = logins.draw(now);
        assert!(mail::Login::new(&drawn.login).is_some(), "{}", drawn.login);
        assert_eq!(logins.take(&drawn.login, "another", now), None);
        assert_eq!(logins.take("another", &drawn.secret, now), None);
        assert_eq!(logins.take(&drawn.login, &drawn.secret, now + WAITS + Duration::from_secs(1)), None);
        assert_eq!(logins.take(&drawn.login, &drawn.secret, now), Some(drawn.word));
        assert_eq!(logins.take(&drawn.login, &drawn.secret, now), None);
        let (former, later) = (logins.draw(now), logins.draw(now));
        assert_eq!(logins.take(&former.login, &former.secret, now), None);
        assert!(logins.take(&later.login, &later.secret, now).is_some());
    }
}
