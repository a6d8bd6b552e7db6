//! `facteur doctor --online`: does everybody who vouches for people answer as they must?

use decide::Tables;
use plan::SignIn;

use super::cas_answer::{self, NoUser};
use super::{cas, configuration};
use crate::site::Site;
use crate::tokens::{fetch, keys};
use crate::world::World;
use crate::world::web::Reach;
use crate::zone::{Finding, Standing};

/// A finding for each way into the portal beside the password.
pub async fn look(tables: &Tables, site: &Site) -> Vec<Finding> {
    let plan = tables.plan();
    if plan.identity.sign_in.is_empty() {
        return Vec::new();
    }
    let world = match World::new(&site.world, plan) {
        Ok(world) => world,
        Err(why) => return vec![Finding::new(Standing::Unknown, "identity.sign_in".to_owned(), why)],
    };
    let back = plan.portal.as_ref().map_or("", |portal| portal.at.as_str());
    let mut findings = Vec::new();
    for way in &plan.identity.sign_in {
        let (url, looked) = match way {
            SignIn::Oidc { issuer, secret, .. } if !site.secrets.contains_key(secret) => {
                (issuer, Err(format!("put its secret `{secret}` into the site: nobody signs in this way")))
            }
            SignIn::Oidc { issuer, .. } => (issuer, oidc(Reach { world: &world, site }, issuer).await),
            SignIn::Cas { at } => (at, cas(Reach { world: &world, site }, at, back).await),
        };
        let what = format!("identity.sign_in {url}");
        findings.push(match looked {
            Ok(()) => Finding::ok(what),
            Err(says) => Finding::new(Standing::Bad, what, says),
        });
    }
    findings
}

async fn oidc(reach: Reach<'_>, issuer: &str) -> Result<(), String> {
    let octets = fetch::get(reach, &configuration::place(issuer), fetch::JSON).await?;
    let configuration = configuration::read(&octets, issuer)?;
    let said = fetch::get(reach, &configuration.keys, fetch::JSON).await;
    let said = said.map_err(|why| format!("its keys at {}: {why}", configuration.keys))?;
    match keys(&said) {
        Some(keys) if !keys.is_empty() => Ok(()),
        _ => Err(format!("no key at {} is one we can use: RS256, ES256 or EdDSA", configuration.keys)),
    }
}

/// A ticket nobody has is refused, by who speaks CAS.
async fn cas(reach: Reach<'_>, at: &str, service: &str) -> Result<(), String> {
    let url = cas::validation(at.trim_end_matches('/'), service, "ST-0-nobody");
    match cas_answer::user(&fetch::get(reach, &url, fetch::XML).await?) {
        Err(NoUser::Refused) => Ok(()),
        Err(NoUser::NoAnswer) => Err("what it says is no answer of CAS".to_owned()),
        Ok(_) => Err("it takes any ticket: do not trust it".to_owned()),
    }
}
