//! Is this the password of somebody? The directory is asked by a bind (RFC 4513 5.1.3).

use std::time::Duration;

use mail::Login;
use proto::sasl::Secret;
use store::PersonSource;

use super::connect::{self, Fault, INVALID_CREDENTIALS, NO_SUCH_OBJECT, SUCCESS};
use super::facts::id_in_filter;
use super::read::{self, Unread};
use super::{Ldap, Rules};

/// A bind waits for its turn at most so long, and is over after this.
const TURN_MAX: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(12);

/// What the directory says of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Right,
    Wrong,
    /// No server answers, or too many wait: nobody may be told that the password is wrong.
    Down,
}

impl Ldap {
    /// Is `secret` the password of `login` in the directory? An empty one never is: a bind with it would be anonymous, and
    /// succeed (RFC 4513 5.1.2).
    pub async fn bind(&self, login: &Login, secret: &Secret) -> Bound {
        if secret.reveal().is_empty() {
            return Bound::Wrong;
        }
        let Ok(Ok(turn)) = tokio::time::timeout(TURN_MAX, self.binds.acquire()).await else { return Bound::Down };
        let bound = tokio::time::timeout(ANSWER_MAX, self.bound(login, secret)).await.unwrap_or(Bound::Down);
        drop(turn);
        bound
    }

    async fn bound(&self, login: &Login, secret: &Secret) -> Bound {
        let Ok(filter) = self.filter_of(login) else { return Bound::Down };
        for server in self.servers.in_turn() {
            match self.bound_at(server, &filter, secret).await {
                Ok(true) => return Bound::Right,
                Ok(false) => return Bound::Wrong,
                Err(fault) => self.servers.failed(server, &fault).await,
            }
        }
        Bound::Down
    }

    async fn bound_at(&self, server: usize, filter: &str, secret: &Secret) -> Result<bool, Fault> {
        let mut asking = self.servers.asking(server).await?;
        let mut found = match read::matching(&mut asking, self.rules(), filter, 2).await {
            Ok(found) => found,
            // More than one: which of them it would be is nobody's guess.
            Err(Unread::Limited | Unread::TooMany) => return Ok(false),
            Err(Unread::Fault(fault)) => return Err(fault),
            Err(other) => return Err(Fault::Broken(other.to_string())),
        };
        let (Some(entry), true) = (found.pop(), found.is_empty()) else { return Ok(false) };
        let mut ldap = self.servers.for_bind(server).await?;
        let code = match connect::bind(&mut ldap, &entry.dn, secret).await {
            Ok(code) => code,
            // A connection that was kept may be gone without anybody being down.
            Err(Fault::Broken(_)) => {
                ldap = self.servers.fresh(server).await?;
                connect::bind(&mut ldap, &entry.dn, secret).await?
            }
            Err(fault) => return Err(fault),
        };
        let right = meaning(code)?;
        self.servers.spared(server, ldap);
        Ok(right)
    }

    /// The one entry of a login: by what never changes where that is known, else by the login itself.
    fn filter_of(&self, login: &Login) -> Result<String, store::ReadError> {
        let rules: &Rules = self.rules();
        let row = self.store.person(login)?;
        let origin =
            row.map(|row| row.origin).filter(|it| it.source == PersonSource::Ldap && !it.foreign_id.is_empty());
        let one = match origin {
            Some(origin) => format!("({}={})", rules.attributes.id, id_in_filter(&origin.foreign_id)),
            None => read::equals(&rules.attributes.login, login.as_str()),
        };
        Ok(read::narrowed(rules, &one))
    }
}

/// Is it the password? What says neither yes nor no is a fault of the server.
fn meaning(code: u32) -> Result<bool, Fault> {
    match code {
        SUCCESS => Ok(true),
        // Also: no password there (48), a locked account (19, 50), a server that will not take this one (53).
        INVALID_CREDENTIALS | NO_SUCH_OBJECT | 19 | 48 | 50 | 53 => Ok(false),
        code => Err(Fault::Code(code, "to a bind".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_busy_says_nothing_of_a_password() {
        assert_eq!(meaning(0), Ok(true));
        for wrong in [19, 32, 48, 49, 50, 53] {
            assert_eq!(meaning(wrong), Ok(false), "{wrong}");
        }
        for trouble in [1, 2, 8, 10, 51, 52, 80, 999] {
            assert!(meaning(trouble).is_err(), "{trouble}");
        }
    }
}
