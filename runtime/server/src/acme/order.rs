//! One order: account, challenges, certificate.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error, ExternalAccountKey, Identifier, NewAccount,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::client::verify_server_name;
use rustls::server::ParsedCertificate;
use rustls_pki_types::ServerName;
use store::Op;

use super::answer::{self, Asked};
use super::course::Failure;
use super::web::Web;
use crate::certificates::{Kept, new_key, usable};
use crate::durable;
use crate::service::Service;
use crate::site::{Acme, Challenge};

/// An order may take this long in all, and each wait for the authority this long.
const ORDER_MAX: Duration = Duration::from_secs(600);
const WAITS: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(180));

/// Why an order brought no certificate.
#[derive(Debug)]
pub(crate) struct NoCertificate {
    pub failure: Failure,
    pub why: String,
    /// Hosts the authority named in its refusal.
    pub hosts: Vec<String>,
}

impl fmt::Display for NoCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl NoCertificate {
    fn unreached(why: impl Into<String>) -> NoCertificate {
        NoCertificate { failure: Failure::Unreached, why: why.into(), hosts: Vec::new() }
    }

    fn refused(why: impl Into<String>, hosts: Vec<String>) -> NoCertificate {
        NoCertificate { failure: Failure::Refused, why: why.into(), hosts }
    }
}

impl From<Error> for NoCertificate {
    fn from(error: Error) -> NoCertificate {
        let why = error.to_string();
        let Error::Api(problem) = error else { return NoCertificate::unreached(why) };
        let named = problem.subproblems.iter().filter_map(|one| match &one.identifier {
            Some(Identifier::Dns(host)) => Some(host.clone()),
            _ => None,
        });
        NoCertificate::refused(why, named.collect())
    }
}

/// Orders a certificate for `hosts`, with the key of `before` where there is one: TLSA records that name it stay true.
pub(crate) async fn order(
    service: &Arc<Service>,
    acme: &Acme,
    hosts: &[String],
    before: Option<&Kept>,
) -> Result<Kept, NoCertificate> {
    let ordering = ordered(service, acme, hosts, before);
    match tokio::time::timeout(ORDER_MAX, ordering).await {
        Ok(ended) => ended,
        Err(_) => Err(NoCertificate::unreached(format!("the order took more than {} s", ORDER_MAX.as_secs()))),
    }
}

async fn ordered(
    service: &Arc<Service>,
    acme: &Acme,
    hosts: &[String],
    before: Option<&Kept>,
) -> Result<Kept, NoCertificate> {
    let account = account(service, acme).await?;
    let identifiers: Vec<Identifier> = hosts.iter().cloned().map(Identifier::Dns).collect();
    let mut order = match account.new_order(&NewOrder::new(&identifiers)).await {
        Ok(order) => order,
        Err(error) => {
            forget_unknown(service, acme, &error).await;
            return Err(error.into());
        }
    };
    proved(&mut order, acme.challenge).await?;
    let key = match before {
        Some(before) => before.key.clone(),
        None => new_key().map_err(|error| NoCertificate::unreached(error.to_string()))?,
    };
    order.finalize_csr(&request(hosts, &key)?).await?;
    let chain = order.poll_certificate(&WAITS).await?;
    let kept = Kept { hosts: hosts.to_vec(), chain, key, directory: acme.directory.clone() };
    judge(&kept)?;
    Ok(kept)
}

/// Answers the challenges of an order until the authority is content.
async fn proved(order: &mut Order, challenge: Challenge) -> Result<(), NoCertificate> {
    let kind = match challenge {
        Challenge::Http01(_) => ChallengeType::Http01,
        Challenge::TlsAlpn01(_) => ChallengeType::TlsAlpn01,
    };
    let mut asked = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        let host = authorization.identifier().to_string();
        let Some(challenge) = authorization.challenge(kind.clone()) else {
            return Err(NoCertificate::refused(format!("the authority takes no {kind:?} for {host}"), vec![host]));
        };
        let (token, says) = (challenge.token.clone(), challenge.key_authorization());
        let (key_authorization, digest) = (says.as_str().to_owned(), says.digest().as_ref().to_vec());
        asked.push(Asked { host, token, key_authorization, digest });
    }
    // What the authority saw a short while ago it may believe without another look.
    let answering = if asked.is_empty() { Ok(None) } else { answer::start(challenge, asked).map(Some) };
    let answering =
        answering.map_err(|error| NoCertificate::unreached(format!("the challenge cannot be met: {error}")))?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Pending
            && let Some(mut challenge) = authorization.challenge(kind.clone())
        {
            challenge.set_ready().await?;
        }
    }
    let status = order.poll_ready(&WAITS).await;
    drop(answering);
    match status {
        Ok(OrderStatus::Ready) => Ok(()),
        Ok(_) => Err(refused(order, "the order is invalid".to_owned()).await),
        Err(Error::Api(problem)) => Err(refused(order, problem.to_string()).await),
        Err(error) => Err(error.into()),
    }
}

/// Which hosts the authority did not find to be ours, and why.
async fn refused(order: &mut Order, why: String) -> NoCertificate {
    let (mut hosts, mut details) = (Vec::new(), vec![why]);
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let host = authorization.identifier().to_string();
        let Ok(state) = authorization.refresh().await else { continue };
        if state.status == AuthorizationStatus::Invalid {
            let said = state.challenges.iter().find_map(|challenge| challenge.error.as_ref());
            details.push(format!("{host}: {}", said.map(ToString::to_string).unwrap_or_default()));
            hosts.push(host);
        }
    }
    NoCertificate::refused(details.join("; "), hosts)
}

/// A request for a certificate (RFC 2986), DER.
fn request(hosts: &[String], key: &str) -> Result<Vec<u8>, NoCertificate> {
    let made = || {
        let key = KeyPair::from_pem(key)?;
        let mut params = CertificateParams::new(hosts.to_vec())?;
        params.distinguished_name = DistinguishedName::new();
        Ok(params.serialize_request(&key)?.der().to_vec())
    };
    made().map_err(|error: rcgen::Error| NoCertificate::unreached(error.to_string()))
}

/// Is what came ours, and for all the hosts?
fn judge(kept: &Kept) -> Result<(), NoCertificate> {
    let bad =
        |why: String| NoCertificate::refused(format!("what the authority sent cannot be used: {why}"), Vec::new());
    let certificate = kept.certificate().ok_or_else(|| bad("it is no chain of certificates".to_owned()))?;
    usable(&certificate).map_err(|error| bad(error.to_string()))?;
    let own = certificate.chain.first().ok_or_else(|| bad("it is empty".to_owned()))?;
    let own = ParsedCertificate::try_from(own).map_err(|error| bad(error.to_string()))?;
    for host in &kept.hosts {
        let name = ServerName::try_from(host.as_str()).map_err(|error| bad(error.to_string()))?;
        verify_server_name(&own, &name).map_err(|_| bad(format!("it is not for {host}")))?;
    }
    Ok(())
}

/// The account at the authority: the one that is kept, else a new one, kept before anything is ordered with it.
async fn account(service: &Arc<Service>, acme: &Acme) -> Result<Account, NoCertificate> {
    let here = |error: &dyn fmt::Display| NoCertificate::unreached(error.to_string());
    let (setting, seal) = (setting(acme), &service.certificates.seal);
    let sealed = service.store.setting(&setting).map_err(|error| here(&error))?;
    let kept = sealed.and_then(|sealed| seal.open(&setting, &sealed));
    let builder = Account::builder_with_http(Box::new(Web(service.clone())));
    if let Some(kept) = kept.and_then(|text| serde_json::from_slice::<AccountCredentials>(&text).ok()) {
        return Ok(builder.from_credentials(kept).await?);
    }
    let contacts = contacts(service, acme);
    let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
    let wanted = NewAccount { contact: &contacts, terms_of_service_agreed: true, only_return_existing: false };
    let binding = binding(service, acme)?;
    let (account, kept) = builder.create(&wanted, acme.directory.clone(), binding.as_ref()).await?;
    let text = serde_json::to_vec(&kept).map_err(|error| here(&error))?;
    let op = Op::Setting { key: setting.clone(), value: seal.seal(&setting, &text) };
    durable::commit(&service.store, vec![op]).await.map_err(|error| here(&error))?;
    tracing::info!(directory = acme.directory, "an ACME account was made");
    Ok(account)
}

/// One account for each directory and each key it is bound to.
fn setting(acme: &Acme) -> String {
    let bound = acme.account_binding.as_ref().map(|binding| binding.key.as_str()).unwrap_or_default();
    let hash = blake3::hash(format!("{}\0{bound}", acme.directory).as_bytes()).to_hex();
    format!("acme/account/{}", &hash[..32])
}

/// URIs (RFC 8555 7.1.2): the site's, else the plan's.
fn contacts(service: &Service, acme: &Acme) -> Vec<String> {
    let of_plan = match &service.tables.plan().tls.certificate {
        plan::Certificate::Acme(contact) => vec![contact.clone()],
        _ => Vec::new(),
    };
    let written = if acme.contact.is_empty() { &of_plan } else { &acme.contact };
    let uri = |contact: &String| if contact.contains(':') { contact.clone() } else { format!("mailto:{contact}") };
    written.iter().map(uri).collect()
}

fn binding(service: &Service, acme: &Acme) -> Result<Option<ExternalAccountKey>, NoCertificate> {
    let Some(binding) = &acme.account_binding else { return Ok(None) };
    let secret = service.site.secrets.get(&binding.secret);
    let secret =
        secret.ok_or_else(|| NoCertificate::unreached(format!("the secret `{}` is missing", binding.secret)))?;
    let key = URL_SAFE_NO_PAD.decode(secret.reveal().trim().trim_end_matches('='));
    let key = key.map_err(|_| NoCertificate::unreached(format!("the secret `{}` is no base64url", binding.secret)))?;
    Ok(Some(ExternalAccountKey::new(binding.key.clone(), &key)))
}

/// An account the authority does not know (any more) is made anew with the next order.
async fn forget_unknown(service: &Service, acme: &Acme, error: &Error) {
    let Error::Api(problem) = error else { return };
    if problem.r#type.as_deref() != Some("urn:ietf:params:acme:error:accountDoesNotExist") {
        return;
    }
    let op = Op::Setting { key: setting(acme), value: None };
    if let Err(error) = durable::commit(&service.store, vec![op]).await {
        tracing::error!("the ACME account the authority does not know cannot be forgotten: {error}");
    }
}
