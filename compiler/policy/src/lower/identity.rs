//! Addresses, logins, passwords.

use super::{list, set};
use crate::model::identity::{
    Collision, Homonyms, Identity, KeepsPlain, LoginRules, PasswordRules, SecondFactor, SignIn,
};

/// The second recommendation of OWASP for Argon2id: 7 MiB and five passes.
const HASH: plan::HashCost = plan::HashCost { memory_kib: 7_168, passes: 5, lanes: 1 };
const DAY_S: u64 = 86_400;
const WARN_BEFORE_S: [u64; 3] = [30 * DAY_S, 7 * DAY_S, DAY_S];

fn sign_in(way: &SignIn) -> plan::SignIn {
    match way {
        SignIn::Oidc { issuer, client_id, secret, login_claim } => plan::SignIn::Oidc {
            issuer: issuer.value.0.clone(),
            client_id: client_id.clone(),
            secret: super::directory::secret_name(secret),
            login_claim: login_claim.clone(),
        },
        SignIn::Cas { at } => plan::SignIn::Cas { at: at.value.0.clone() },
    }
}

pub(crate) fn identity(identity: &Identity) -> plan::Identity {
    let address = &identity.address;
    plan::Identity {
        directory: identity.directory.clone(),
        ldap: identity.ldap.as_ref().map(super::directory::ldap),
        newcomers: identity.newcomers,
        address: plan::AddressRules {
            official: address.official.value.clone(),
            former: address.former.clone(),
            function: address.function.clone(),
            subaddress: address.subaddress.value.clone(),
            homonyms: match &address.homonyms {
                Some(Homonyms::AskDirectory) => plan::Homonyms::AskDirectory,
                Some(Homonyms::Append { suffix, first }) => {
                    plan::Homonyms::Append { suffix: suffix.clone(), first: *first }
                }
                None => plan::Homonyms::NotSet,
            },
        },
        login: login(&identity.login),
        password: password(&identity.password),
        sign_in: identity.sign_in.values().map(sign_in).collect(),
        oauth: identity.oauth.as_ref().map(|oauth| plan::OAuth {
            issuer: oauth.value.issuer.0.clone(),
            keys: oauth.value.keys.0.clone(),
            audience: oauth.value.audience.clone(),
            login_claim: oauth.value.login_claim.clone(),
        }),
    }
}

pub(crate) fn login(login: &LoginRules) -> plan::LoginRules {
    plan::LoginRules {
        form: login.form.value.clone(),
        fold: login.fold,
        collision: match &login.collision {
            Some(Collision::Append { suffix, first, keeps_plain: KeepsPlain::FirstRegistered }) => {
                plan::Collision::Append { suffix: suffix.clone(), first: *first }
            }
            None => plan::Collision::NotSet,
        },
        examples: login
            .examples
            .values()
            .map(|(first, last, login)| plan::LoginExample {
                first: first.clone(),
                last: last.clone(),
                login: login.value.clone(),
            })
            .collect(),
    }
}

fn password(password: &PasswordRules) -> plan::PasswordRules {
    plan::PasswordRules {
        case_sensitive: password.case_sensitive,
        quality: password.quality,
        renew_every_months: password.renew_every.map_or(0, |months| months.0),
        at_expiry: password.at_expiry,
        initial: password.initial,
        reset_by: password.reset_by,
        change_at: password.change_at.as_ref().map(|url| url.value.0.clone()).unwrap_or_default(),
        change_from: set(&password.change_from),
        sent_as: list(&password.sent_as),
        hash: password.hash.as_ref().map_or(HASH, |hash| plan::HashCost {
            memory_kib: u32::try_from(hash.value.memory.0 / 1_024).unwrap_or(u32::MAX),
            passes: hash.value.passes,
            lanes: hash.value.lanes,
        }),
        warn_before_s: match &password.warn_before {
            Some(spans) => super::descending(&spans.value),
            None => WARN_BEFORE_S.to_vec(),
        },
        second_factor: match password.second_factor.as_ref().map(|factor| &factor.value) {
            Some(SecondFactor::Never) => plan::SecondFactor::Never,
            Some(SecondFactor::Offered) | None => plan::SecondFactor::Offered,
            Some(SecondFactor::Required { for_ }) => {
                let mut roles = list(for_);
                roles.sort();
                roles.dedup();
                plan::SecondFactor::RequiredFor(roles)
            }
        },
    }
}
