//! The second factor of the portal: codes that change every 30 s (TOTP, RFC 6238), and codes for a day without the device.
//!
//! The secret is sealed, so that a backup of the store opens nothing. A code counts once (RFC 6238 5.2), one step early or
//! late; a recovery code counts once. Wrong codes are counted with wrong passwords, so that nobody tries a million.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use decide::{ClassId, Reason, Refusal};
use mail::{Login, reply};
use serde::{Deserialize, Serialize};
use store::{CommitError, Op, ReadError, Store};
use totp_rs::{Algorithm, Builder, Totp};

use crate::outcome::{Event, Outcome, Peer};
use crate::service::Service;
use crate::signing::Seal;
use crate::{clock, random};

/// Settings: this and the login.
const PREFIX: &str = "totp/";
/// Octets of a secret, as long as an output of SHA-1 (RFC 4226 4, R6).
const SECRET_OCTETS: usize = 20;
const STEP_S: u64 = 30;
const RECOVERY_CODES: usize = 10;
/// Letters of a recovery code: 50 bits.
const RECOVERY_LETTERS: usize = 10;
/// Letters and digits nobody confuses: five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What the store keeps, sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    secret: Vec<u8>,
    /// The person has shown a code: it counts.
    confirmed: bool,
    /// The newest step a code was taken of.
    last_step: u64,
    /// Hashes of recovery codes that are left, in hexadecimal digits.
    recovery: Vec<String>,
}

/// What a device needs, shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// In base32, for typing.
    pub secret: String,
    /// `otpauth://totp/…`, for a QR code.
    pub uri: String,
}

/// Why a second factor could not be changed.
#[derive(Debug)]
pub enum TotpError {
    /// There is one that counts already; it has to be ended first.
    On,
    /// None was begun.
    NotBegun,
    /// The code is not the one of now.
    WrongCode,
    Read(ReadError),
    Commit(CommitError),
}

impl fmt::Display for TotpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TotpError::On => f.write_str("there is a second factor already; end it first"),
            TotpError::NotBegun => f.write_str("no second factor was begun"),
            TotpError::WrongCode => f.write_str("the code is not the one the device shows now"),
            TotpError::Read(error) => error.fmt(f),
            TotpError::Commit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TotpError {}

impl From<ReadError> for TotpError {
    fn from(error: ReadError) -> TotpError {
        TotpError::Read(error)
    }
}

impl From<CommitError> for TotpError {
    fn from(error: CommitError) -> TotpError {
        TotpError::Commit(error)
    }
}

/// How a second factor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpState {
    pub is_on: bool,
    /// Recovery codes that are left.
    pub recovery_left: usize,
}

/// Changes, one after the other: a code is read and marked as used by one of two who have it.
static CHANGING: Mutex<()> = Mutex::new(());

fn changing() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The setting that keeps the second factor of a login; whoever erases a person takes it away.
pub fn setting_of(login: &Login) -> String {
    format!("{PREFIX}{}", mail::fold(login.as_str()))
}

/// Draws a secret that counts once a code of it was shown ([`confirm`]). One that was begun before is forgotten. Blocks.
pub fn begin(store: &Store, seal: &Seal, institution: &str, login: &Login) -> Result<Enrolment, TotpError> {
    let _changing = changing();
    if kept(store, seal, login)?.is_some_and(|kept| kept.confirmed) {
        return Err(TotpError::On);
    }
    let secret: [u8; SECRET_OCTETS] = random::octets();
    let kept = Kept { secret: secret.to_vec(), confirmed: false, last_step: 0, recovery: Vec::new() };
    store.commit_wait(vec![op(seal, login, Some(&kept))])?;
    let base32 = totp_rs::Secret::from(secret.to_vec()).to_base32();
    let (issuer, who) = (percent(institution), percent(login.as_str()));
    // The form of the Key URI that authenticators read; the figures are those they take when none are given.
    let uri = format!("otpauth://totp/{issuer}:{who}?secret={base32}&issuer={issuer}");
    Ok(Enrolment { secret: base32, uri })
}

/// The first code makes it count. Gives the recovery codes, which are nowhere else. Blocks.
pub fn confirm(store: &Store, seal: &Seal, login: &Login, code: &str, now_s: i64) -> Result<Vec<String>, TotpError> {
    let _changing = changing();
    let mut begun = kept(store, seal, login)?.ok_or(TotpError::NotBegun)?;
    if begun.confirmed {
        return Err(TotpError::On);
    }
    begun.last_step = begun.step_of(code, now_s).ok_or(TotpError::WrongCode)?;
    begun.confirmed = true;
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
    begun.recovery = codes.iter().filter_map(|code| recovery_hash(login, code)).collect();
    store.commit_wait(vec![op(seal, login, Some(&begun))])?;
    Ok(codes)
}

/// Is `code` right: one of the device that was not used yet, or a recovery code? It counts once. True as well where there is no
/// second factor: whoever asks has looked with [`state`]. Blocks.
pub fn opens(store: &Store, seal: &Seal, login: &Login, code: &str, now_s: i64) -> Result<bool, TotpError> {
    let _changing = changing();
    let Some(mut kept) = kept(store, seal, login)?.filter(|kept| kept.confirmed) else { return Ok(true) };
    if let Some(step) = kept.step_of(code, now_s) {
        if step <= kept.last_step {
            return Ok(false);
        }
        kept.last_step = step;
    } else {
        let hash = recovery_hash(login, code);
        let Some(at) = hash.and_then(|hash| kept.recovery.iter().position(|one| *one == hash)) else {
            return Ok(false);
        };
        kept.recovery.remove(at);
    }
    store.commit_wait(vec![op(seal, login, Some(&kept))])?;
    Ok(true)
}

/// How the second factor of a login stands.
pub fn state(store: &Store, seal: &Seal, login: &Login) -> Result<TotpState, ReadError> {
    let kept = kept(store, seal, login)?.filter(|kept| kept.confirmed);
    Ok(TotpState { is_on: kept.is_some(), recovery_left: kept.map_or(0, |kept| kept.recovery.len()) })
}

/// Takes it away; false when there was none. Needs no key: an operator may have lost it. Blocks.
pub fn end(store: &Store, login: &Login) -> Result<bool, TotpError> {
    let _changing = changing();
    let key = setting_of(login);
    let was = store.setting(&key)?.is_some();
    if was {
        store.commit_wait(vec![Op::Setting { key, value: None }])?;
    }
    Ok(was)
}

/// Judges a code at sign-in as a password is judged: while a window of failures is full nothing is looked at, and a wrong code
/// is counted. Blocks.
pub fn check(service: &Service, peer: &Peer, class: ClassId, login: &Login, code: &str) -> Result<(), Refusal> {
    let guesses = crate::drive::login::guesses(service, peer, class, login.as_str());
    let allowed = || guesses.check(&service.tables, &service.rings(), service.clock.now());
    let judged = allowed().and_then(|()| {
        let opened = opens(&service.store, &service.signing.seal, login, code, clock::unix_s());
        // Many codes at once all passed the first look.
        allowed()?;
        opened.map_err(|error| {
            tracing::error!("a second factor cannot be checked: {error}");
            Refusal::new(reply::AUTH_LATER, Reason::StoreTrouble, "", "codes cannot be checked now, try later")
        })
    });
    let refusal = match judged {
        Ok(true) => return Ok(()),
        Ok(false) => {
            let guessed = service.passwords.guess_of(login.as_str(), &proto::sasl::Secret::new(code));
            guesses.failed(&service.tables, &mut service.rings(), guessed, service.clock.now());
            Refusal::new(reply::AUTH_FAILED, Reason::LoginFailed, "logins", "wrong code")
        }
        Err(refusal) => refusal,
    };
    service.outcome(Outcome::refused(Event::LoginRefused, &refusal, login.to_string()).from_peer(peer));
    Err(refusal)
}

impl Kept {
    /// The step whose code this is, one before or after now at most.
    fn step_of(&self, code: &str, now_s: i64) -> Option<u64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).take(7).collect();
        let now_s = u64::try_from(now_s).ok()?;
        (digits.len() == 6).then(|| self.totp()?.check(&digits, now_s)).flatten()
    }

    fn totp(&self) -> Option<Totp> {
        let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(1);
        builder.with_step_duration(STEP_S).with_secret(self.secret.clone()).build().ok()
    }
}

fn kept(store: &Store, seal: &Seal, login: &Login) -> Result<Option<Kept>, ReadError> {
    let key = setting_of(login);
    let Some(sealed) = store.setting(&key)? else { return Ok(None) };
    let opened = seal.open(&key, &sealed).and_then(|octets| serde_json::from_slice(&octets).ok());
    // INVARIANT (closed-when-damaged): what cannot be read opens to no code, and does not count as none.
    Ok(Some(opened.unwrap_or_else(|| {
        tracing::error!("the second factor of {login} cannot be read: no code opens it, end it");
        Kept { secret: Vec::new(), confirmed: true, last_step: u64::MAX, recovery: Vec::new() }
    })))
}

fn op(seal: &Seal, login: &Login, kept: Option<&Kept>) -> Op {
    let key = setting_of(login);
    // INVARIANT: octets, numbers and strings always have a JSON form.
    let value = kept.and_then(|kept| seal.seal(&key, &serde_json::to_vec(kept).unwrap_or_default()));
    Op::Setting { key, value }
}

/// `abcde-fgh23`.
fn recovery_code() -> String {
    let letters = random::octets::<RECOVERY_LETTERS>().map(|octet| ALPHABET[usize::from(octet) % ALPHABET.len()]);
    let halves: Vec<_> = letters.chunks(RECOVERY_LETTERS / 2).map(String::from_utf8_lossy).collect();
    halves.join("-")
}

/// `None` for what is no recovery code. They are drawn by us and kept sealed: a fast hash is enough.
fn recovery_hash(login: &Login, code: &str) -> Option<String> {
    let typed = code.chars().filter(|typed| !matches!(typed, '-' | ' ')).take(RECOVERY_LETTERS + 1);
    let letters: String = typed.map(|letter| letter.to_ascii_lowercase()).collect();
    if letters.len() != RECOVERY_LETTERS || !letters.bytes().all(|letter| ALPHABET.contains(&letter)) {
        return None;
    }
    let mut hasher = blake3::Hasher::new_derive_key("facteur 2026 recovery codes");
    hasher.update(mail::fold(login.as_str()).as_bytes()).update(b"\0").update(letters.as_bytes());
    Some(hasher.finalize().to_hex().to_string())
}

/// RFC 3986 2.1, all but unreserved characters.
fn percent(text: &str) -> String {
    let unreserved = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    text.bytes().map(|o| if unreserved(o) { char::from(o).to_string() } else { format!("%{o:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct House {
        folder: std::path::PathBuf,
        store: Store,
        seal: Seal,
        login: Login,
    }

    impl House {
        fn new(name: &str) -> House {
            let folder = std::env::temp_dir().join(format!("facteur-totp-{name}-{}", std::process::id()));
            let store = Store::open(&folder, store::Options::default()).unwrap();
            House { folder, store, seal: Seal::unkept(), login: Login::new("toto-j").unwrap() }
        }

        /// What a device shows at that moment.
        fn code(&self, enrolment: &Enrolment, now_s: i64) -> String {
            let secret = totp_rs::Secret::try_from_base32(&enrolment.secret).unwrap();
            let device = Builder::new().with_secret(secret).build().unwrap();
            device.generate(u64::try_from(now_s).unwrap()).to_string()
        }

        fn begin(&self) -> Enrolment {
            begin(&self.store, &self.seal, "Université de Nantes", &self.login)
                .unwrap_or_else(|error| panic!("{error}"))
        }

        fn opens(&self, code: &str, now_s: i64) -> bool {
            opens(&self.store, &self.seal, &self.login, code, now_s).unwrap()
        }

        fn state(&self) -> (bool, usize) {
            let state = state(&self.store, &self.seal, &self.login).unwrap();
            (state.is_on, state.recovery_left)
        }
    }

    impl Drop for House {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    const NOW_S: i64 = 1_800_000_000;

    #[test]
    fn a_second_factor_counts_once_a_code_of_it_was_shown_and_each_code_once() {
        let house = House::new("codes");
        let enrolment = house.begin();
        assert!(
            enrolment.uri.starts_with("otpauth://totp/Universit%C3%A9%20de%20Nantes:toto-j?secret="),
            "{}",
            enrolment.uri
        );
        assert_eq!(house.state(), (false, 0));
        let wrong = confirm(&house.store, &house.seal, &house.login, "000000", NOW_S);
        assert!(matches!(wrong, Err(TotpError::WrongCode)) || house.code(&enrolment, NOW_S) == "000000");
        let first = house.code(&enrolment, NOW_S);
        let codes = confirm(&house.store, &house.seal, &house.login, &first, NOW_S).unwrap();
        assert_eq!((house.state(), codes.len()), ((true, RECOVERY_CODES), RECOVERY_CODES));
        assert!(!house.opens(&first, NOW_S), "it was used to confirm");
        let next = house.code(&enrolment, NOW_S + 30);
        assert!(house.opens(&format!("{} {}", &next[..3], &next[3..]), NOW_S), "a clock that is a step ahead");
        assert!(!house.opens(&next, NOW_S + 30), "each counts once");
        assert!(!house.opens(&house.code(&enrolment, NOW_S + 150), NOW_S + 60), "too far ahead");
        assert!(matches!(begin(&house.store, &house.seal, "", &house.login), Err(TotpError::On)));
    }

    #[test]
    fn recovery_codes_count_once_each_and_are_kept_nowhere_as_they_are() {
        let house = House::new("recovery");
        let enrolment = house.begin();
        let first = house.code(&enrolment, NOW_S);
        let codes = confirm(&house.store, &house.seal, &house.login, &first, NOW_S).unwrap();
        assert!(house.opens(&codes[3].to_uppercase().replace('-', " "), NOW_S));
        assert!(!house.opens(&codes[3], NOW_S));
        assert_eq!(house.state(), (true, RECOVERY_CODES - 1));
        assert!(!house.opens("aaaaa-aaaaa", NOW_S) && !house.opens("", NOW_S) && !house.opens("é23456", NOW_S));
        let kept = house.store.setting(&setting_of(&house.login)).unwrap().unwrap();
        let secret = totp_rs::Secret::try_from_base32(&enrolment.secret).unwrap();
        for told in [codes[0].as_bytes(), enrolment.secret.as_bytes(), secret.as_bytes()] {
            assert!(!kept.windows(told.len()).any(|octets| octets == told), "it is sealed");
        }
    }

    #[test]
    fn one_that_cannot_be_read_opens_to_nothing_until_it_is_ended() {
        let house = House::new("damaged");
        assert!(house.opens("123456", NOW_S), "there is none");
        let key = setting_of(&house.login);
        house.store.commit_wait(vec![Op::Setting { key, value: Some(b"damaged".to_vec()) }]).unwrap();
        assert!(house.state().0 && !house.opens("123456", NOW_S));
        assert!(end(&house.store, &house.login).unwrap() && !end(&house.store, &house.login).unwrap());
        assert_eq!(house.state(), (false, 0));
    }
}
