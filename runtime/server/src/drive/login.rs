//! A login, the same for SMTP, IMAP and POP3: limits on guessing, the proof, limits again.

mod secret;
mod vouched;

use std::sync::Arc;
use std::time::Instant;

pub(crate) use secret::is_of_directory;
pub(crate) use vouched::vouched;

use decide::expiry::{self, Age, Use};
use decide::{Account, Auth, ClassId, Guess, Guesses, ReadingCell, Reason, Refusal, address_key};
use mail::{Login, reply};
use plan::Speaks;
use proto::sasl::{Bearer, Claim, Credentials, LoginFailure, Salt, ScramProof};
use store::{PersonRow, ReadError};

use super::Connection;
use crate::clock;
use crate::compromise;
use crate::outcome::{Event, Outcome, Peer};
use crate::passwords;
use crate::scram::Keys;
use crate::service::Service;
use crate::sessions::{Entered, Protocol, SessionOf};
use crate::tokens::{self, NoLogin};
use crate::verifier::{is_locked, scram_keys};

/// Somebody logged in.
pub struct LoggedIn {
    pub account: Account,
    /// What SCRAM proves to the client.
    pub server_signature: Option<Vec<u8>>,
    /// How old the person's password is, whatever they proved who they are by.
    pub age: Age,
    /// Its place among the sessions of the account; the connection keeps it.
    pub entered: Option<Entered>,
}

/// How far an old password lets somebody in, and whether a secret of one mail program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    MailProgram,
    /// Passwords are changed there.
    Portal,
}

/// Whose proof it is, and what SCRAM proves to the client.
type Proved = Option<(PersonRow, Option<Vec<u8>>)>;

/// May anybody log in to read on this connection, under TLS or without? What the table says before any password is looked at.
pub fn may_read(service: &Service, connection: &Connection, tls: bool) -> bool {
    let cell = ReadingCell { listener: connection.listener, class: connection.class, tls, auth: Auth::Good };
    // A listener that is closed leaves its connections under the plan before: nobody comes in there any more.
    connection.block.is_ok() && service.tables.reading(cell).reads()
}

/// How the verifier of a login is salted, for somebody who would read mail on this connection as it is.
pub fn reader_salt(service: &Service, connection: &Connection, login: &str) -> Result<Salt, LoginFailure> {
    if !may_read(service, connection, connection.stream.is_tls()) {
        return Err(LoginFailure::Private);
    }
    salt(service, &connection.peer, connection.class, login).map_err(|refusal| failure(&refusal))
}

/// Who reads mail on this connection as it is.
pub async fn reader(service: &Arc<Service>, connection: &Connection, claim: &Claim) -> Result<LoggedIn, LoginFailure> {
    if !may_read(service, connection, connection.stream.is_tls()) {
        return Err(LoginFailure::Private);
    }
    authenticate(service, &connection.peer, connection.class, claim).await.map_err(|refusal| failure(&refusal))
}

fn failure(refusal: &Refusal) -> LoginFailure {
    match refusal.reason {
        _ if refusal.code.is_temporary() => LoginFailure::Unavailable,
        Reason::AccountState => LoginFailure::Denied(plain(&refusal.text)),
        Reason::PasswordExpired => LoginFailure::Expired(plain(&refusal.text)),
        _ => LoginFailure::Wrong,
    }
}

/// Words of the plan, as a line of any protocol can carry them.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| (' '..='~').contains(letter)).collect()
}

/// Who makes this claim in a mail program. A refusal is logged and counted here, and a wrong password is answered later and later.
pub async fn authenticate(
    service: &Arc<Service>,
    peer: &Peer,
    class: ClassId,
    claim: &Claim,
) -> Result<LoggedIn, Refusal> {
    through(service, peer, class, claim, Door::MailProgram).await
}

/// Who signs in to the portal with a password, under the same limits on guessing. Their password may be too old: `age` says so,
/// and all they may do then is change it. A secret of one mail program opens nothing here.
pub async fn sign_in(
    service: &Arc<Service>,
    peer: &Peer,
    class: ClassId,
    credentials: Credentials,
) -> Result<LoggedIn, Refusal> {
    through(service, peer, class, &Claim::Password(credentials), Door::Portal).await
}

async fn through(
    service: &Arc<Service>,
    peer: &Peer,
    class: ClassId,
    claim: &Claim,
    door: Door,
) -> Result<LoggedIn, Refusal> {
    let entered = judge(service, peer, class, claim, door).await.and_then(|found| enter(service, peer, found));
    let judged = entered.and_then(|found| match door {
        Door::MailProgram => expiry::opens(service.tables.plan(), found.age, Use::Read).map(|()| found),
        Door::Portal => Ok(found),
    });
    match judged {
        Ok(logged_in) => Ok(told(service, peer, logged_in, "").await),
        Err(refusal) => {
            let refusal = refused(service, peer, claim.login().unwrap_or_default(), refusal);
            if refusal.reason == Reason::LoginFailed {
                delayed(service, peer, class, claim.login()).await;
            }
            Err(refusal)
        }
    }
}

/// Logs, counts and notes a good login; `by` says who vouched for it, if somebody did.
async fn told(service: &Arc<Service>, peer: &Peer, logged_in: LoggedIn, by: &str) -> LoggedIn {
    let login = &logged_in.account.login;
    service.metrics.logins.with_label_values(&["good"]).inc();
    service.outcome(Outcome::done(Event::LoggedIn, login).from_peer(peer).saying(by));
    service.accesses.note(login, protocol(service, peer), peer, by);
    compromise::logged_in(service, login, peer.seen_as).await;
    logged_in
}

/// What is spoken there. What is no listener of the plan is the portal.
fn protocol(service: &Service, peer: &Peer) -> Protocol {
    let listener = service.tables.listener(&peer.listener);
    match listener.map(|id| service.tables.listener_rules(id).speaks) {
        Some(Speaks::Smtp | Speaks::Lmtp) => Protocol::Smtp,
        Some(Speaks::Imap) => Protocol::Imap,
        Some(Speaks::Pop) => Protocol::Pop,
        None => Protocol::Portal,
    }
}

/// Takes the account's place among its sessions, then judges where it stands: a state that changes in this moment either is
/// seen here, or finds the session.
fn enter(service: &Service, peer: &Peer, found: LoggedIn) -> Result<LoggedIn, Refusal> {
    let login = found.account.login.clone();
    let protocol = protocol(service, peer);
    let session = SessionOf {
        login: login.clone(),
        protocol,
        listener: (protocol != Protocol::Portal).then(|| peer.listener.as_str().into()),
        peer: peer.seen_as,
        since_s: clock::unix_s(),
    };
    let entered = service.sessions.enter(session);
    let standing = service.standings.of(&login);
    if standing.contained.is_some() {
        // Whoever has what was stolen learns nothing.
        return Err(Refusal::new(reply::AUTH_FAILED, Reason::LoginFailed, "logins", "wrong login or password"));
    }
    decide::logs_in(standing.account_state(), &service.tables.plan().institution.contact)?;
    Ok(LoggedIn { entered: Some(entered), ..found })
}

/// Waits before a failure is told, as `logins.delay` says.
async fn delayed(service: &Service, peer: &Peer, class: ClassId, login: Option<&str>) {
    let address = address_key(peer.seen_as);
    let guesses = guesses(service, peer, class, login.unwrap_or(&address));
    let seconds = guesses.delay_s(&service.tables, &service.rings(), service.clock.now());
    service.delays.wait(&address, seconds, &mut service.stop.clone()).await;
}

/// What counts failures of `login` from there.
pub(crate) fn guesses(service: &Service, peer: &Peer, class: ClassId, login: &str) -> Guesses {
    let guess = Guess { login, class, address: peer.seen_as, known: false };
    let plain = Guesses::of(&service.tables, guess);
    let contested = plain.is_contested(&service.tables, &service.rings(), service.clock.now());
    let known = |login: Login| service.accesses.is_known(&service.store, &login, peer.seen_as);
    if contested && Login::new(login).is_some_and(known) {
        return Guesses::of(&service.tables, Guess { known: true, ..guess });
    }
    plain
}

/// How the verifier of a login is salted, nobody's as well. While a window of failed logins is full nothing is told.
pub fn salt(service: &Service, peer: &Peer, class: ClassId, login: &str) -> Result<Salt, Refusal> {
    let guesses = guesses(service, peer, class, login);
    let allowed = guesses.check(&service.tables, &service.rings(), service.clock.now());
    let keys = allowed.and_then(|()| Ok(keys(service, login, person(service, login)?.as_ref()).0));
    keys.map(|keys| keys.salt()).map_err(|refusal| refused(service, peer, login, refusal))
}

fn refused(service: &Service, peer: &Peer, login: &str, refusal: Refusal) -> Refusal {
    let result = match refusal.reason {
        Reason::LoginFailed => "failed",
        Reason::AccountState => "denied",
        Reason::PasswordExpired => "expired",
        _ => "later",
    };
    service.metrics.logins.with_label_values(&[result]).inc();
    // What was typed as a login may be a password: only what names somebody is told.
    let typed = Login::new(login).map(|login| login.to_string()).unwrap_or_default();
    service.outcome(Outcome::refused(Event::LoginRefused, &refusal, typed).from_peer(peer));
    refusal
}

async fn judge(service: &Service, peer: &Peer, class: ClassId, claim: &Claim, door: Door) -> Result<LoggedIn, Refusal> {
    let address = address_key(peer.seen_as);
    // Tokens without a name are limited by the address they come from.
    let guesses = guesses(service, peer, class, claim.login().unwrap_or(&address));
    let allowed = || guesses.check(&service.tables, &service.rings(), service.clock.now());
    allowed()?;
    let (found, guessed) = match claim {
        Claim::Password(credentials) => {
            let found = secret::judge(service, peer, credentials, door, allowed).await?;
            (found, service.passwords.guess_of(&credentials.login, &credentials.secret))
        }
        Claim::Scram(proof) => (scram(service, proof)?, hash(&proof.proof)),
        Claim::Token(bearer) => (token(service, bearer).await?, hash(bearer.token.reveal().as_bytes())),
    };
    // Many logins at once all passed the first looks: whoever comes back to a full window is not told.
    allowed()?;
    let Some((row, server_signature)) = found.filter(|(row, _)| !is_barred(row)) else {
        if let Some(word) = probed(service, claim) {
            return Err(Refusal::new(reply::AUTH_FAILED, Reason::AccountState, "", word));
        }
        guesses.failed(&service.tables, &mut service.rings(), guessed, service.clock.now());
        return Err(Refusal::new(reply::AUTH_FAILED, Reason::LoginFailed, "logins", "wrong login or password"));
    };
    let age = passwords::expiry::age(service, &row);
    let account = Account { login: row.person.login, profile: row.person.profile };
    Ok(LoggedIn { account, server_signature, age, entered: None })
}

/// What the health check is answered with: it is no login, and it is no guess.
fn probed(service: &Service, claim: &Claim) -> Option<String> {
    let Claim::Password(credentials) = claim else { return None };
    service.probe_logins.take(&credentials.login, credentials.secret.reveal(), Instant::now())
}

fn scram(service: &Service, proof: &ScramProof) -> Result<Proved, Refusal> {
    let person = person(service, &proof.login)?;
    let (keys, real) = keys(service, &proof.login, person.as_ref());
    let signature = keys.verify(proof);
    Ok(person.filter(|_| real && signature.is_some()).map(|row| (row, signature)))
}

async fn token(service: &Service, bearer: &Bearer) -> Result<Proved, Refusal> {
    let login = match tokens::login(service, &bearer.token).await {
        Ok(login) => login,
        Err(NoLogin::NoKeys) => return Err(later("tokens cannot be checked now, try later")),
        Err(NoLogin::Bad(why)) => {
            tracing::debug!("a token is refused: {}", why.0);
            return Ok(None);
        }
    };
    // A token is for one person: nobody uses it under another name.
    let same = |typed: &String| Login::new(typed).is_some_and(|typed| Some(typed) == Login::new(&login));
    if !bearer.login.as_ref().is_none_or(same) {
        return Ok(None);
    }
    Ok(person(service, &login)?.map(|row| (row, None)))
}

/// Is the login locked, whatever was proved?
fn is_barred(row: &PersonRow) -> bool {
    row.verifier.as_deref().is_some_and(is_locked)
}

/// The keys of a login, and whether they are somebody's.
fn keys(service: &Service, login: &str, person: Option<&PersonRow>) -> (Keys, bool) {
    // What a directory server let in once is not asked of it here.
    let own = person.filter(|row| !secret::is_of_directory(service, row));
    let kept = own.and_then(|row| row.verifier.as_deref()).and_then(scram_keys);
    // One person has one salt, however the login is typed.
    let folded = Login::new(login).map_or_else(|| login.to_owned(), |login| mail::fold(login.as_str()));
    let real = kept.is_some();
    (kept.unwrap_or_else(|| Keys::of_nobody(&service.nobodys_salts, &folded)), real)
}

fn hash(octets: &[u8]) -> u64 {
    let hash = blake3::hash(octets);
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn person(service: &Service, typed: &str) -> Result<Option<PersonRow>, Refusal> {
    let Some(login) = Login::new(typed) else { return Ok(None) };
    service.store.person(&login).map_err(|error| unreadable(&error))
}

fn unreadable(error: &ReadError) -> Refusal {
    tracing::error!("the directory cannot be read: {error}");
    later("logins cannot be checked now, try later")
}

fn later(text: &str) -> Refusal {
    Refusal::new(reply::AUTH_LATER, Reason::StoreTrouble, "", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_login_opens_to_no_proof() {
        let row = |verifier: Option<&str>| PersonRow {
            person: mail::Person {
                login: Login::new("toto-j").unwrap(),
                first: String::new(),
                last: String::new(),
                address: "toto@example.org".parse().unwrap(),
                profile: "standard".to_owned(),
                unit: String::new(),
                home: None,
                quota_octets: 0,
            },
            verifier: verifier.map(str::to_owned),
            origin: store::Origin::default(),
            standing: Vec::new(),
            due_s: None,
            secret: Vec::new(),
        };
        for (verifier, opens) in [(None, true), (Some("$argon2id$x"), true), (Some("!$argon2id$x;scram"), false)] {
            assert_eq!(!is_barred(&row(verifier)), opens, "{verifier:?}");
        }
    }
}
