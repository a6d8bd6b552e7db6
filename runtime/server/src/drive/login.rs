//! A login, the same for SMTP, IMAP and POP3: limits on guessing, the proof, limits again.

use decide::expiry::{self, Age, Use};
use decide::{Account, Auth, ClassId, Guess, Guesses, ReadingCell, Reason, Refusal, address_key};
use mail::{Login, reply};
use proto::sasl::{Bearer, Claim, Credentials, LoginFailure, Salt, ScramProof};
use store::{PersonRow, ReadError};

use super::Connection;
use crate::outcome::{Event, Outcome, Peer};
use crate::passwords::{self, Attempt, Checked};
use crate::scram::Keys;
use crate::service::Service;
use crate::tokens::{self, NoLogin};
use crate::verifier::{is_locked, scram_keys};

/// Somebody logged in.
pub struct LoggedIn {
    pub account: Account,
    /// What SCRAM proves to the client.
    pub server_signature: Option<Vec<u8>>,
    pub by: ProvedBy,
    /// How old the person's password is, whatever they proved who they are by.
    pub age: Age,
}

/// What somebody proved who they are by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvedBy {
    Password,
    AppPassword,
    Token,
}

/// How far an old password lets somebody in, and whether a secret of one mail program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    MailProgram,
    /// Passwords are changed there.
    Portal,
}

/// May anybody log in to read on this connection, under TLS or without? What the table says before any password is looked at.
pub fn may_read(service: &Service, connection: &Connection, tls: bool) -> bool {
    let cell = ReadingCell { listener: connection.listener, class: connection.class, tls, auth: Auth::Good };
    service.tables.reading(cell).reads()
}

/// How the verifier of a login is salted, for somebody who would read mail on this connection as it is.
pub fn reader_salt(service: &Service, connection: &Connection, login: &str) -> Result<Salt, LoginFailure> {
    if !may_read(service, connection, connection.stream.is_tls()) {
        return Err(LoginFailure::Private);
    }
    salt(service, &connection.peer, connection.class, login).map_err(|refusal| failure(&refusal))
}

/// Who reads mail on this connection as it is.
pub async fn reader(service: &Service, connection: &Connection, claim: &Claim) -> Result<LoggedIn, LoginFailure> {
    if !may_read(service, connection, connection.stream.is_tls()) {
        return Err(LoginFailure::Private);
    }
    authenticate(service, &connection.peer, connection.class, claim).await.map_err(|refusal| failure(&refusal))
}

fn failure(refusal: &Refusal) -> LoginFailure {
    match refusal.reason {
        Reason::PasswordExpired => LoginFailure::Expired,
        _ if refusal.code.is_temporary() => LoginFailure::Unavailable,
        _ => LoginFailure::Wrong,
    }
}

/// Who makes this claim in a mail program. A refusal is logged and counted here.
pub async fn authenticate(service: &Service, peer: &Peer, class: ClassId, claim: &Claim) -> Result<LoggedIn, Refusal> {
    through(service, peer, class, claim, Door::MailProgram).await
}

/// Who signs in to the portal with a password, under the same limits on guessing. Their password may be too old: `age` says so, and
/// all they may do then is change it. A secret of one mail program opens nothing here.
pub async fn sign_in(
    service: &Service,
    peer: &Peer,
    class: ClassId,
    credentials: Credentials,
) -> Result<LoggedIn, Refusal> {
    through(service, peer, class, &Claim::Password(credentials), Door::Portal).await
}

async fn through(
    service: &Service,
    peer: &Peer,
    class: ClassId,
    claim: &Claim,
    door: Door,
) -> Result<LoggedIn, Refusal> {
    let judged = judge(service, peer, class, claim, door).await.and_then(|logged_in| {
        if door == Door::MailProgram {
            expiry::opens(service.tables.plan(), logged_in.age, Use::Read)?;
        }
        Ok(logged_in)
    });
    match judged {
        Ok(logged_in) => {
            service.metrics.logins.with_label_values(&["good"]).inc();
            service.outcome(Outcome::done(Event::LoggedIn, &logged_in.account.login).from_peer(peer));
            Ok(logged_in)
        }
        Err(refusal) => Err(refused(service, peer, claim.login().unwrap_or_default(), refusal)),
    }
}

/// How the verifier of a login is salted, nobody's as well. While a window of failed logins is full nothing is told.
pub fn salt(service: &Service, peer: &Peer, class: ClassId, login: &str) -> Result<Salt, Refusal> {
    let guesses = Guesses::of(&service.tables, Guess { login, class, address: peer.seen_as });
    let allowed = guesses.check(&service.tables, &service.rings(), service.clock.now());
    let keys = allowed.and_then(|()| Ok(keys(service, login, person(service, login)?.as_ref()).0));
    keys.map(|keys| keys.salt()).map_err(|refusal| refused(service, peer, login, refusal))
}

fn refused(service: &Service, peer: &Peer, login: &str, refusal: Refusal) -> Refusal {
    let result = match refusal.reason {
        Reason::LoginFailed => "failed",
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
    let guess = Guess { login: claim.login().unwrap_or(&address), class, address: peer.seen_as };
    let guesses = Guesses::of(&service.tables, guess);
    let allowed = || guesses.check(&service.tables, &service.rings(), service.clock.now());
    allowed()?;
    let (found, guessed) = match claim {
        Claim::Password(credentials) => {
            let found = password(service, credentials, &address, door, allowed).await?;
            (found, service.passwords.guess_of(&credentials.login, &credentials.secret))
        }
        Claim::Scram(proof) => (scram(service, proof)?, hash(&proof.proof)),
        Claim::Token(bearer) => (token(service, bearer).await?, hash(bearer.token.reveal().as_bytes())),
    };
    // Many logins at once all passed the first looks: whoever comes back to a full window is not told.
    allowed()?;
    let Some((row, server_signature, by)) = found.filter(|(row, ..)| !is_barred(row)) else {
        guesses.failed(&service.tables, &mut service.rings(), guessed, service.clock.now());
        return Err(Refusal::new(reply::AUTH_FAILED, Reason::LoginFailed, "logins", "wrong login or password"));
    };
    let age = passwords::expiry::age(service, &row);
    let account = Account { login: row.person.login, profile: row.person.profile };
    Ok(LoggedIn { account, server_signature, by, age })
}

/// Whose proof it is, what SCRAM proves to the client, and what it was.
type Proved = Option<(PersonRow, Option<Vec<u8>>, ProvedBy)>;

async fn password(
    service: &Service,
    credentials: &Credentials,
    address: &str,
    door: Door,
    allowed: impl Fn() -> Result<(), Refusal>,
) -> Result<Proved, Refusal> {
    let person = person(service, &credentials.login)?;
    let counted = |how: &str| service.metrics.password_checks.with_label_values(&[how]).inc();
    if door == Door::MailProgram && opens_app_password(service, credentials, person.as_ref())? {
        counted("app_password");
        return Ok(person.map(|row| (row, None, ProvedBy::AppPassword)));
    }
    let attempt = Attempt {
        login: person.as_ref().map_or(&credentials.login, |row| row.person.login.as_str()),
        secret: &credentials.secret,
        verifier: person.as_ref().and_then(|row| row.verifier.as_deref()).filter(|verifier| !verifier.is_empty()),
        address,
    };
    match service.passwords.check(attempt, allowed).await? {
        Checked::Judged { right, how } => {
            counted(how.word());
            Ok(person.filter(|_| right).map(|row| (row, None, ProvedBy::Password)))
        }
        Checked::Busy => {
            counted("shed");
            Err(later("the server has many logins to check, try later"))
        }
    }
}

/// Is the secret an app password of this person? Asked of nobody as well, so that it takes as long.
fn opens_app_password(
    service: &Service,
    credentials: &Credentials,
    person: Option<&PersonRow>,
) -> Result<bool, Refusal> {
    let Some(typed) = Login::new(&credentials.login) else { return Ok(false) };
    let login = person.map_or(&typed, |row| &row.person.login);
    let opens = service.app_passwords.opens(&service.store, login, &credentials.secret, &service.today());
    let opens = opens.map_err(|error| unreadable(&error))?;
    // Of a locked login it opens nothing, and costs what a wrong password costs.
    Ok(opens && person.is_some_and(|row| !is_barred(row)))
}

fn scram(service: &Service, proof: &ScramProof) -> Result<Proved, Refusal> {
    let person = person(service, &proof.login)?;
    let (keys, real) = keys(service, &proof.login, person.as_ref());
    let signature = keys.verify(proof);
    Ok(person.filter(|_| real && signature.is_some()).map(|row| (row, signature, ProvedBy::Password)))
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
    Ok(person(service, &login)?.map(|row| (row, None, ProvedBy::Token)))
}

/// Is the login locked, whatever was proved?
fn is_barred(row: &PersonRow) -> bool {
    row.verifier.as_deref().is_some_and(is_locked)
}

/// The keys of a login, and whether they are somebody's.
fn keys(service: &Service, login: &str, person: Option<&PersonRow>) -> (Keys, bool) {
    let kept = person.and_then(|row| row.verifier.as_deref()).and_then(scram_keys);
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
