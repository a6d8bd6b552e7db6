//! Bearer tokens: who they are for, by the word of the plan's issuer (`identity.oauth`).
//!
//! INVARIANT (calm-fetching): however many tokens come with keys nobody knows, an issuer is asked once a minute at most, and
//! by one task.

pub mod fetch;
pub mod identity;
mod jwt;
mod law;

use std::time::{Duration, Instant};

use proto::sasl::Secret;
use tokio::sync::Mutex;

pub use self::jwt::{BadToken, Token, keys};
use self::jwt::{Key, Kind};
pub use self::law::fuzz_jwt;
use crate::clock;
use crate::service::Service;

/// Keys are asked for again after this.
const KEYS_AGE_MAX: Duration = Duration::from_secs(600);
/// And not sooner than this for an unknown key, or after a failure.
const KEYS_AGE_MIN: Duration = Duration::from_secs(60);

/// What is known of the keys of one issuer.
#[derive(Debug, Default)]
pub struct Tokens {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Option<(Instant, Vec<Key>)>,
    asked: Option<Instant>,
}

/// Why a token logs nobody in.
#[derive(Debug, PartialEq, Eq)]
pub enum NoLogin {
    Bad(BadToken),
    /// The issuer's keys are not to be had now.
    NoKeys,
}

/// The login a token is for. It says so and the issuer signed it; whether we have such a login is another question.
pub async fn login(service: &Service, token: &Secret) -> Result<String, NoLogin> {
    let Some(rules) = &service.tables.plan().identity.oauth else { return Err(NoLogin::Bad(BadToken("no issuer"))) };
    let token = Token::read(token.reveal(), Kind::Access).map_err(NoLogin::Bad)?;
    // Cheap to judge, so that nobody makes us ask for keys with a token that is of no use.
    let login = token.login(rules, clock::unix_s()).map_err(NoLogin::Bad)?;
    service.tokens.judge(service, &rules.keys, &token).await?;
    Ok(login.to_owned())
}

impl Tokens {
    /// Did the issuer whose keys are at `url` sign it? It is always the same `url`.
    pub async fn judge(&self, service: &Service, url: &str, token: &Token<'_>) -> Result<(), NoLogin> {
        let mut known = self.known.lock().await;
        known.refresh(service, url, token).await;
        match &known.keys {
            None => Err(NoLogin::NoKeys),
            Some((_, keys)) if token.is_signed(keys) => Ok(()),
            Some(_) => Err(NoLogin::Bad(BadToken("no key of the issuer signed it"))),
        }
    }
}

impl Known {
    async fn refresh(&mut self, service: &Service, url: &str, token: &Token<'_>) {
        let fresh = self.keys.as_ref().is_some_and(|(read, _)| read.elapsed() < KEYS_AGE_MAX);
        let has_key = self.keys.as_ref().is_some_and(|(_, keys)| token.has_key(keys));
        // INVARIANT (calm-fetching)
        if (fresh && has_key) || self.asked.is_some_and(|asked| asked.elapsed() < KEYS_AGE_MIN) {
            return;
        }
        self.asked = Some(Instant::now());
        // Keys that are old still sign while no others are to be had.
        match fetch::get(service.into(), url, fetch::JSON).await.map(|octets| jwt::keys(&octets)) {
            Ok(Some(keys)) => self.keys = Some((Instant::now(), keys)),
            Ok(None) => tracing::warn!("{url}: no set of keys"),
            Err(error) => tracing::warn!("{url}: {error}"),
        }
    }
}
