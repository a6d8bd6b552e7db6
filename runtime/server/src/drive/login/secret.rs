//! A secret that is sent as it is: of one mail program, the password of the store, or one a directory server judges.

use std::time::Duration;

use decide::{Refusal, address_key};
use mail::Login;
use plan::LdapPasswords;
use proto::sasl::Credentials;
use store::{PersonRow, PersonSource};

use super::{Door, Proved, is_barred, later, person, unreadable};
use crate::app_passwords::Used;
use crate::ldap::{Bound, Ldap};
use crate::outcome::Peer;
use crate::passwords::facts::Facts;
use crate::passwords::renewals::Renewal;
use crate::passwords::{Attempt, Checked};
use crate::service::Service;
use crate::{accesses, clock};

/// Who has this secret.
pub async fn judge(
    service: &Service,
    peer: &Peer,
    credentials: &Credentials,
    door: Door,
    allowed: impl Fn() -> Result<(), Refusal>,
) -> Result<Proved, Refusal> {
    let person = person(service, &credentials.login)?;
    let counted = |how: &str| service.metrics.password_checks.with_label_values(&[how]).inc();
    if door == Door::MailProgram && opens_app_password(service, peer, credentials, person.as_ref())? {
        counted("app_password");
        return Ok(person.map(|row| (row, None)));
    }
    let right = own(service, peer, credentials, person.as_ref(), &allowed).await?;
    let right = match person.as_ref().zip(service.ldap.as_ref()) {
        Some((row, ldap)) if is_of_directory(service, row) => {
            let verdict =
                Kept::of(row, right, clock::unix_s()).judge(service, ldap, credentials, peer, allowed).await?;
            counted(verdict.word());
            verdict.is_right()
        }
        _ => right,
    };
    Ok(person.filter(|_| right).map(|row| (row, None)))
}

/// Does the secret open the verifier of the store? A login without one costs the same.
async fn own(
    service: &Service,
    peer: &Peer,
    credentials: &Credentials,
    person: Option<&PersonRow>,
    allowed: impl Fn() -> Result<(), Refusal>,
) -> Result<bool, Refusal> {
    let address = address_key(peer.seen_as);
    let attempt = Attempt {
        login: person.map_or(&credentials.login, |row| row.person.login.as_str()),
        secret: &credentials.secret,
        verifier: person.and_then(|row| row.verifier.as_deref()).filter(|verifier| !verifier.is_empty()),
        address: &address,
    };
    match service.passwords.check(attempt, allowed).await? {
        Checked::Judged { right, how } => {
            service.metrics.password_checks.with_label_values(&[how.word()]).inc();
            Ok(right)
        }
        Checked::Busy => {
            service.metrics.password_checks.with_label_values(&["shed"]).inc();
            Err(later("the server has many logins to check, try later"))
        }
    }
}

/// Is the secret an app password of this person? Asked of nobody as well, so that it takes as long.
fn opens_app_password(
    service: &Service,
    peer: &Peer,
    credentials: &Credentials,
    person: Option<&PersonRow>,
) -> Result<bool, Refusal> {
    let Some(typed) = Login::new(&credentials.login) else { return Ok(false) };
    let login = person.map_or(&typed, |row| &row.person.login);
    let from = accesses::How::new(super::protocol(service, peer), peer, "").to_string();
    let used = Used { on: service.today(), from };
    let opens = service.app_passwords.opens(&service.store, login, &credentials.secret, &used);
    let opens = opens.map_err(|error| unreadable(&error))?;
    // Of a locked login it opens nothing, and costs what a wrong password costs.
    Ok(opens && person.is_some_and(|row| !is_barred(row)))
}

/// Is the password of this person one that a directory server judges? One that was set here is not.
pub fn is_of_directory(service: &Service, row: &PersonRow) -> bool {
    let binds = service.tables.plan().identity.ldap.as_ref().is_some_and(|it| it.passwords == LdapPasswords::Bind);
    binds && row.origin.source == PersonSource::Ldap && is_kept_for_directory(row)
}

fn is_kept_for_directory(row: &PersonRow) -> bool {
    row.verifier.as_deref().unwrap_or_default().is_empty() || Facts::read(&row.secret).bound_s.is_some()
}

/// What the store has of a password that a directory server judges.
#[derive(Clone, Debug)]
struct Kept {
    login: Login,
    verifier: String,
    /// The secret opens what was kept of the last good bind.
    right: bool,
    /// Seconds since that.
    old_s: Option<u64>,
}

/// How a secret was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// A bind a moment ago stands for one now.
    Lately,
    Bound(bool),
    /// No server answers, and what was kept is new enough.
    Stale,
    /// No server answers, and it is not what was kept.
    StaleWrong,
}

impl Verdict {
    fn is_right(self) -> bool {
        matches!(self, Verdict::Lately | Verdict::Bound(true) | Verdict::Stale)
    }

    /// For metrics.
    fn word(self) -> &'static str {
        match self {
            Verdict::Lately => "bound_lately",
            Verdict::Bound(_) => "bound",
            Verdict::Stale | Verdict::StaleWrong => "directory_down",
        }
    }
}

impl Kept {
    fn of(row: &PersonRow, right: bool, now_s: i64) -> Kept {
        // A clock that was set back makes nothing young.
        let old_s = Facts::read(&row.secret).bound_s.and_then(|bound_s| u64::try_from(now_s - bound_s).ok());
        Kept { login: row.person.login.clone(), verifier: row.verifier.clone().unwrap_or_default(), right, old_s }
    }

    fn is_younger(&self, than: Duration) -> bool {
        self.right && self.old_s.is_some_and(|old_s| old_s < than.as_secs())
    }

    /// Asks the directory, and has the answer kept.
    async fn judge(
        self,
        service: &Service,
        ldap: &Ldap,
        credentials: &Credentials,
        peer: &Peer,
        allowed: impl Fn() -> Result<(), Refusal>,
    ) -> Result<Verdict, Refusal> {
        let Some(rules) = &service.tables.plan().identity.ldap else { return Ok(Verdict::Bound(false)) };
        if self.is_younger(Duration::from_secs(rules.refresh_s)) {
            return Ok(Verdict::Lately);
        }
        // Guesses that failed while this one waited may have barred it.
        allowed()?;
        let bound = ldap.bind(&self.login, &credentials.secret).await;
        let verdict = self.verdict(bound, Duration::from_secs(rules.stale_at_most_s))?;
        match verdict {
            Verdict::Bound(true) => self.keep(service, credentials, peer).await,
            Verdict::Bound(false) if self.right => {
                service.passwords.renewals.add(Renewal::refused(self.login.as_str(), &self.verifier));
                service.passwords.forget(&self.login);
            }
            _ => {}
        }
        Ok(verdict)
    }

    fn verdict(&self, bound: Bound, stale_at_most: Duration) -> Result<Verdict, Refusal> {
        match bound {
            Bound::Right => Ok(Verdict::Bound(true)),
            Bound::Wrong => Ok(Verdict::Bound(false)),
            Bound::Down if self.is_younger(stale_at_most) => Ok(Verdict::Stale),
            // Somebody is known, and this is not their password of late: a guess is counted as one.
            Bound::Down if !self.right && self.old_s.is_some_and(|old_s| old_s < stale_at_most.as_secs()) => {
                Ok(Verdict::StaleWrong)
            }
            Bound::Down => Err(later("the directory does not answer, try later")),
        }
    }

    /// A good bind opens, for a while, when no server answers. Where too many hashes wait it is not kept.
    async fn keep(&self, service: &Service, credentials: &Credentials, peer: &Peer) {
        let login = self.login.as_str();
        let made = if self.right {
            None
        } else {
            let address = address_key(peer.seen_as);
            let Some(made) = service.passwords.hashed(login, &credentials.secret, &address).await else { return };
            Some(made)
        };
        service.passwords.renewals.add(Renewal::bound(login, &self.verifier, made, clock::unix_s()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn kept(right: bool, old_s: Option<u64>) -> Kept {
        Kept { login: Login::new("toto-j").unwrap(), verifier: String::new(), right, old_s }
    }

    #[test]
    fn the_directory_decides_and_without_it_what_it_said_of_late() {
        let (young, old) = (Some(3_600), Some(90_000));
        for (right, old_s, bound, expected) in [
            (false, None, Bound::Right, Some(Verdict::Bound(true))),
            (true, old, Bound::Right, Some(Verdict::Bound(true))),
            (true, young, Bound::Wrong, Some(Verdict::Bound(false))),
            (false, young, Bound::Wrong, Some(Verdict::Bound(false))),
            (true, young, Bound::Down, Some(Verdict::Stale)),
            (false, young, Bound::Down, Some(Verdict::StaleWrong)),
            (true, old, Bound::Down, None),
            (false, old, Bound::Down, None),
            (false, None, Bound::Down, None),
        ] {
            let verdict = kept(right, old_s).verdict(bound, DAY);
            if let Err(refusal) = &verdict {
                assert!(refusal.code.is_temporary(), "{refusal:?}");
            }
            assert_eq!(verdict.ok(), expected, "{right} {old_s:?} {bound:?}");
        }
    }

    #[test]
    fn a_good_bind_stands_for_the_next_ones_for_a_while_and_only_for_its_own_secret() {
        assert!(kept(true, Some(10)).is_younger(Duration::from_secs(900)));
        assert!(!kept(true, Some(900)).is_younger(Duration::from_secs(900)));
        assert!(!kept(false, Some(10)).is_younger(Duration::from_secs(900)));
        assert!(!kept(true, None).is_younger(Duration::from_secs(900)));
    }
}
