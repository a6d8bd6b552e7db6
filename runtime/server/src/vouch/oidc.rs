//! OpenID Connect: authorization code flow (Core 3.1) with PKCE (RFC 7636), the client secret shown by HTTP Basic.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use proto::sasl::Secret;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::configuration::{self, Configuration};
use super::outing::{Key, Outing};
use super::{Brought, NotVouched, coded, pairs};
use crate::clock;
use crate::service::Service;
use crate::tokens::{NoLogin, Tokens, fetch, identity};

/// A configuration is asked for again after this.
const CONFIGURATION_AGE_MAX: Duration = Duration::from_secs(600);
/// And not sooner than this after a failure.
const CONFIGURATION_AGE_MIN: Duration = Duration::from_secs(10);
/// Longest code.
const CODE_OCTETS_MAX: usize = 2_048;

/// One issuer, for which we are a client.
pub struct Oidc {
    issuer: String,
    client_id: String,
    secret: Secret,
    login_claim: String,
    known: Mutex<Known>,
    tokens: Tokens,
}

#[derive(Default)]
struct Known {
    configuration: Option<(Instant, Configuration)>,
    asked: Option<Instant>,
}

/// What a code is redeemed for; of an error only its kind (RFC 6749 5.2).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Redeemed {
    id_token: String,
    error: String,
}

impl Oidc {
    pub fn new(issuer: &str, client_id: &str, secret: Secret, login_claim: &str) -> Oidc {
        let (known, tokens) = (Mutex::default(), Tokens::default());
        let owned = str::to_owned;
        Oidc {
            issuer: owned(issuer),
            client_id: owned(client_id),
            secret,
            login_claim: owned(login_claim),
            known,
            tokens,
        }
    }

    /// Where a browser asks to be vouched for, to come back to `back`.
    pub async fn out(&self, service: &Service, back: &str, key: &Key, outing: &Outing) -> Result<String, NotVouched> {
        let configuration = self.configuration(service).await?;
        let (state, nonce, challenge) = (key.state(outing), key.nonce(outing), key.challenge(outing));
        let query = pairs(&[
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", back),
            ("scope", self.scope()),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let joint = if configuration.authorize.contains('?') { '&' } else { '?' };
        Ok(format!("{}{joint}{query}", configuration.authorize))
    }

    /// Enough for the claim with the login, and no more (Core 5.4).
    fn scope(&self) -> &'static str {
        match self.login_claim.as_str() {
            "sub" => "openid",
            "email" => "openid email",
            _ => "openid profile",
        }
    }

    /// Redeems a code.
    pub async fn login(
        &self,
        service: &Service,
        back: &str,
        key: &Key,
        outing: &Outing,
        brought: &Brought,
    ) -> Result<String, NotVouched> {
        if !brought.iss.is_empty() && brought.iss != self.issuer {
            return Err(NotVouched::Bad("the code is of another issuer"));
        }
        if brought.code.is_empty() || brought.code.len() > CODE_OCTETS_MAX {
            return Err(NotVouched::Bad("no code"));
        }
        let configuration = self.configuration(service).await?;
        let verifier = key.verifier(outing);
        let form = pairs(&[
            ("grant_type", "authorization_code"),
            ("code", &brought.code),
            ("redirect_uri", back),
            ("code_verifier", &verifier),
        ]);
        let answered = fetch::post(service.into(), &configuration.token, &self.authorization(), form).await;
        let id_token = redeemed(answered.map_err(|why| self.down(&why))?).map_err(|not| match not {
            NotVouched::Down(why) => self.down(&why),
            bad => bad,
        })?;
        let bad = |why: crate::tokens::BadToken| NotVouched::Bad(why.0);
        let token = identity::read(&id_token).map_err(bad)?;
        let nonce = key.nonce(outing);
        let expected = identity::Expected {
            issuer: &self.issuer,
            client_id: &self.client_id,
            nonce: &nonce,
            login_claim: &self.login_claim,
        };
        let login = identity::login(&token, expected, clock::unix_s()).map_err(bad)?.to_owned();
        match self.tokens.judge(service, &configuration.keys, &token).await {
            Ok(()) => Ok(login),
            Err(NoLogin::Bad(why)) => Err(bad(why)),
            Err(NoLogin::NoKeys) => Err(self.down("its keys are not to be had")),
        }
    }

    /// RFC 6749 2.3.1: both are coded before they are put together.
    fn authorization(&self) -> String {
        let both = format!("{}:{}", coded(&self.client_id), coded(self.secret.reveal()));
        format!("Basic {}", STANDARD.encode(both))
    }

    fn down(&self, why: &str) -> NotVouched {
        NotVouched::Down(format!("{}: {why}", self.issuer))
    }

    /// However many ask, the issuer is asked by one of them, and not again at once when it failed. An old configuration is
    /// used while no other is to be had.
    async fn configuration(&self, service: &Service) -> Result<Configuration, NotVouched> {
        let mut known = self.known.lock().await;
        let fresh = known.configuration.as_ref().is_some_and(|(read, _)| read.elapsed() < CONFIGURATION_AGE_MAX);
        let lately = known.asked.is_some_and(|asked| asked.elapsed() < CONFIGURATION_AGE_MIN);
        if !fresh && !lately {
            known.asked = Some(Instant::now());
            let got = fetch::get(service.into(), &configuration::place(&self.issuer), fetch::JSON).await;
            // From the answer on: those who waited for one that took long do not each ask again.
            known.asked = Some(Instant::now());
            match got.and_then(|octets| configuration::read(&octets, &self.issuer).map_err(str::to_owned)) {
                Ok(configuration) => known.configuration = Some((Instant::now(), configuration)),
                Err(why) => tracing::warn!("{}: {why}", self.issuer),
            }
        }
        let found = known.configuration.as_ref().map(|(_, configuration)| configuration.clone());
        found.ok_or_else(|| self.down("its configuration is not to be had"))
    }
}

/// The ID token in an answer.
fn redeemed((status, body): (StatusCode, hyper::body::Bytes)) -> Result<String, NotVouched> {
    let answer: Redeemed = serde_json::from_slice(&body).unwrap_or_default();
    match status {
        StatusCode::OK if answer.id_token.is_empty() => Err(NotVouched::Bad("no ID token")),
        StatusCode::OK => Ok(answer.id_token),
        _ if answer.error == "invalid_grant" => Err(NotVouched::Bad("the code is not good")),
        // What it says is not repeated: it may say what we sent.
        _ => Err(NotVouched::Down(format!("it redeems no code, status {}", status.as_u16()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_token_or_says_whose_fault_it_is() {
        for (status, body, expected) in [
            (200, r#"{"id_token":"a.b.c","access_token":"x"}"#, Ok("a.b.c".to_owned())),
            (200, r#"{"access_token":"x"}"#, Err(NotVouched::Bad("no ID token"))),
            (200, "<html>", Err(NotVouched::Bad("no ID token"))),
            (400, r#"{"error":"invalid_grant"}"#, Err(NotVouched::Bad("the code is not good"))),
            (401, r#"{"error":"invalid_client"}"#, Err(NotVouched::Down("it redeems no code, status 401".into()))),
            (302, "", Err(NotVouched::Down("it redeems no code, status 302".into()))),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(redeemed((status, body.into())), expected, "{body}");
        }
    }

    #[test]
    fn a_secret_with_a_colon_stays_whole() {
        let oidc = Oidc::new("https://id.example", "mail client", Secret::new("a:b+c"), "sub");
        assert_eq!(oidc.authorization(), format!("Basic {}", STANDARD.encode("mail%20client:a%3Ab%2Bc")));
    }
}
