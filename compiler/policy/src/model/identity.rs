//! Who people are: addresses, logins, passwords (guide §2 to §4).

use serde::Deserialize;

use super::directory::{Ldap, Secret};
use super::literal::{Months, Size, Span, Url};
use crate::syntax::{Items, Spanned};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub directory: String,
    #[serde(default)]
    pub ldap: Option<Ldap>,
    pub newcomers: plan::Newcomers,
    pub address: AddressRules,
    pub login: LoginRules,
    pub password: PasswordRules,
    #[serde(default)]
    pub oauth: Option<Spanned<OAuth>>,
    #[serde(default)]
    pub sign_in: Items<SignIn>,
}

/// Who vouches for people at the portal.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SignIn {
    Oidc { issuer: Spanned<Url>, client_id: String, secret: Secret, login_claim: String },
    Cas { at: Spanned<Url> },
}

/// An issuer of bearer tokens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    pub issuer: Url,
    pub keys: Url,
    pub audience: String,
    pub login_claim: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRules {
    pub official: Spanned<String>,
    #[serde(default)]
    pub former: String,
    #[serde(default)]
    pub function: String,
    #[serde(default)]
    pub subaddress: Spanned<String>,
    #[serde(default)]
    pub homonyms: Option<Homonyms>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Homonyms {
    AskDirectory,
    Append { suffix: String, first: u32 },
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginRules {
    pub form: Spanned<String>,
    pub fold: plan::Fold,
    #[serde(default)]
    pub collision: Option<Collision>,
    #[serde(default)]
    pub examples: Items<(String, String, Spanned<String>)>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Collision {
    Append {
        suffix: String,
        first: u32,
        #[serde(default)]
        keeps_plain: KeepsPlain,
    },
}

/// Who keeps the plain login; one word today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub enum KeepsPlain {
    #[default]
    FirstRegistered,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordRules {
    pub case_sensitive: bool,
    pub quality: plan::PasswordQuality,
    #[serde(default)]
    pub renew_every: Option<Months>,
    pub at_expiry: plan::AtExpiry,
    pub initial: plan::InitialPassword,
    pub reset_by: plan::ResetBy,
    #[serde(default)]
    pub change_at: Option<Spanned<Url>>,
    #[serde(default)]
    pub change_from: Items<String>,
    pub sent_as: Items<plan::Mechanism>,
    #[serde(default)]
    pub hash: Option<Spanned<HashCost>>,
    #[serde(default)]
    pub warn_before: Option<Spanned<Items<Span>>>,
    /// Binds who signs in with the password; whoever vouches (`sign_in`) is trusted with factors of their own.
    #[serde(default)]
    pub second_factor: Option<Spanned<SecondFactor>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashCost {
    pub memory: Size,
    pub passes: u32,
    pub lanes: u32,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SecondFactor {
    Never,
    Offered,
    Required {
        #[serde(rename = "for")]
        for_: Items<plan::RoleName>,
    },
}
