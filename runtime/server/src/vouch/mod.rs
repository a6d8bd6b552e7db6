//! Who vouches for people at the portal: OpenID Connect and CAS (`identity.sign_in` of the plan).
//!
//! A browser goes out with a state (`outing`), and comes back with a code or a ticket that we redeem ourselves, server to
//! server. What comes of it is a login, by the word of who vouches; whether anybody here has it is another question.
//!
//! INVARIANT (one-return): what a browser brings back counts once, for the browser that went out, within ten minutes.

mod cas;
mod cas_answer;
mod configuration;
mod look;
mod oidc;
mod outing;
mod used;

use plan::SignIn;
use proto::sasl::Secret;

use self::cas::Cas;
use self::oidc::Oidc;
use self::outing::Key;
use self::used::Used;
pub use cas_answer::fuzz_cas;
pub use look::look;
pub use outing::Outing;

use crate::service::Service;
use crate::site::Site;

/// Why nobody is vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotVouched {
    /// They do not know it, or what they say is not what it must be. For the operator.
    Bad(&'static str),
    /// They cannot be asked now, or do not let us ask.
    Down(String),
}

/// What a browser brings back in its query.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Brought {
    pub state: String,
    /// OpenID Connect: to redeem, or why there is nothing to.
    pub code: String,
    pub error: String,
    /// RFC 9207.
    pub iss: String,
    /// CAS.
    pub ticket: String,
}

enum By {
    Oidc(Box<Oidc>),
    Cas(Cas),
}

/// One way in.
struct Way {
    /// The host that vouches.
    name: String,
    by: By,
}

/// All of them.
pub struct Ways {
    ways: Vec<Way>,
    key: Key,
    used: Used,
    /// The URL of ours that browsers come back to.
    back: String,
}

impl Ways {
    /// A way whose secret the site does not have is told of, and not offered.
    pub fn new(rules: &[SignIn], site: &Site, back: String) -> Ways {
        let ways = rules.iter().filter_map(|rule| match Way::of(rule, site) {
            Ok(way) => Some(way),
            Err(why) => {
                tracing::error!("nobody signs in this way: {why}");
                None
            }
        });
        Ways { ways: ways.collect(), key: Key::new(crate::random::octets()), used: Used::default(), back }
    }

    /// The hosts that vouch, in the order of the plan; a way is named by its place here.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.ways.iter().map(|way| way.name.as_str())
    }

    /// Where a browser goes first. `None` where the plan has no such way.
    pub async fn out(&self, service: &Service, outing: &Outing) -> Option<Result<String, NotVouched>> {
        Some(match &self.ways.get(outing.way)?.by {
            By::Oidc(oidc) => oidc.out(service, &self.back, &self.key, outing).await,
            By::Cas(cas) => Ok(cas.out(&self.back, &self.key.state(outing))),
        })
    }

    /// The outing a browser with this cookie comes back from, for the first time.
    pub fn back(&self, id: &[u8; 32], state: &str, now_s: u64) -> Option<Outing> {
        let outing = self.key.back(id, state, now_s)?;
        // INVARIANT (one-return)
        self.used.is_first(id, now_s).then_some(outing)
    }

    /// Whose login it is by the word of who vouches, for an outing that came back.
    pub async fn login(&self, service: &Service, outing: &Outing, brought: &Brought) -> Result<String, NotVouched> {
        match self.ways.get(outing.way).map(|way| &way.by) {
            Some(By::Oidc(oidc)) => oidc.login(service, &self.back, &self.key, outing, brought).await,
            Some(By::Cas(cas)) => cas.login(service, &self.back, &self.key.state(outing), &brought.ticket).await,
            None => Err(NotVouched::Bad("no such way")),
        }
    }

    /// What logs and lists of accesses call a way.
    pub fn word(&self, outing: &Outing) -> &'static str {
        match self.ways.get(outing.way).map(|way| &way.by) {
            Some(By::Oidc(_)) => "OpenID Connect",
            Some(By::Cas(_)) | None => "CAS",
        }
    }
}

impl Way {
    fn of(rule: &SignIn, site: &Site) -> Result<Way, String> {
        let (url, by) = match rule {
            SignIn::Oidc { issuer, client_id, secret, login_claim } => {
                let secret: Secret =
                    site.secrets.get(secret).cloned().ok_or_else(|| format!("the site has no secret `{secret}`"))?;
                (issuer, By::Oidc(Box::new(Oidc::new(issuer, client_id, secret, login_claim))))
            }
            SignIn::Cas { at } => (at, By::Cas(Cas::new(at))),
        };
        let uri: hyper::Uri = url.parse().map_err(|_| format!("`{url}` is no URL"))?;
        let name = uri.host().ok_or_else(|| format!("`{url}` names no host"))?.to_owned();
        Ok(Way { name, by })
    }
}

/// A text as a value of `application/x-www-form-urlencoded`, which is one of a query, too.
fn coded(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    text.bytes().map(|o| if plain(o) { char::from(o).to_string() } else { format!("%{o:02X}") }).collect()
}

/// Names and values behind one another.
fn pairs(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={}", coded(value))).collect::<Vec<_>>().join("&")
}
