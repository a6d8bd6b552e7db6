//! Who people are: how addresses, logins and passwords are made (guide §2 to §4).

use serde::{Deserialize, Serialize};

use crate::role::RoleName;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Name of the directory that holds people; `local` when the policy names none.
    pub directory: String,
    /// The server people are read from; `None` where they come from a file.
    pub ldap: Option<crate::Ldap>,
    pub newcomers: Newcomers,
    pub address: AddressRules,
    pub login: LoginRules,
    pub password: PasswordRules,
    /// Who vouches for tokens; `None` where no mechanism takes one.
    pub oauth: Option<OAuth>,
    /// Other ways into the portal than the password, in the order they are shown.
    pub sign_in: Vec<SignIn>,
}

/// Who vouches for people at the portal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignIn {
    /// OpenID Connect, authorization code with PKCE (RFC 7636).
    Oidc {
        /// An `https` URL; its configuration is below `/.well-known/openid-configuration`.
        issuer: String,
        client_id: String,
        /// Name of a secret of the site.
        secret: String,
        /// The claim that holds the login.
        login_claim: String,
    },
    /// CAS protocol 3.
    Cas {
        /// An `https` URL.
        at: String,
    },
}

/// An issuer of bearer tokens (RFC 7628, RFC 9068).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// Where its keys are (RFC 7517), an `https` URL.
    pub keys: String,
    /// The `aud` its tokens must have.
    pub audience: String,
    /// The claim that holds the login.
    pub login_claim: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Newcomers {
    AddressOnArrival,
    OnRequest,
}

/// Forms with `{First}`, `{Last}`, `{local}`, `{unit}`, `{Unit}`, `{Role}` in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRules {
    pub official: String,
    /// Empty when former addresses are not kept.
    pub former: String,
    /// Empty when there are no functional addresses.
    pub function: String,
    /// `toto-j+lists@` is `toto-j@` where this is `+` (RFC 5233); empty where every character is the person's.
    pub subaddress: String,
    pub homonyms: Homonyms,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Homonyms {
    /// The directory says which address a homonym gets.
    AskDirectory,
    Append {
        suffix: String,
        first: u32,
    },
    NotSet,
}

/// The login program: form, folding, what happens on a collision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginRules {
    /// With `{last}`, `{first}`, `{initials}` (one initial per part of the first name).
    pub form: String,
    pub fold: Fold,
    pub collision: Collision,
    pub examples: Vec<LoginExample>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fold {
    /// Lower case, accents off, ligatures apart, everything but letters, digits and `-` dropped; initials are letters.
    AsciiLower,
    /// As written.
    Keep,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Collision {
    /// `suffix` holds `{n}`, counted from `first`; the first registered keeps the plain login.
    Append {
        suffix: String,
        first: u32,
    },
    NotSet,
}

/// (first name, last name, login): checked in order, earlier people first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginExample {
    pub first: String,
    pub last: String,
    pub login: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordRules {
    pub case_sensitive: bool,
    pub quality: PasswordQuality,
    /// 0 is never.
    pub renew_every_months: u32,
    pub at_expiry: AtExpiry,
    pub initial: InitialPassword,
    pub reset_by: ResetBy,
    /// Page where passwords are changed; empty when there is none.
    pub change_at: String,
    /// Networks that may use that page, sorted.
    pub change_from: Vec<String>,
    pub sent_as: Vec<Mechanism>,
    pub hash: HashCost,
    /// Mails so long before a password expires, descending.
    pub warn_before_s: Vec<u64>,
    /// Goes with the password: whom a way of `sign_in` vouches for is asked for none.
    pub second_factor: SecondFactor,
}

/// What one password costs to check, and to guess: Argon2id (RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashCost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

/// A code beside the password, at the portal (TOTP, RFC 6238).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecondFactor {
    Never,
    /// Whoever wants one.
    Offered,
    /// Asked of people with one of these roles, offered to the others; sorted, never empty.
    RequiredFor(Vec<RoleName>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PasswordQuality {
    HardToGuess,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AtExpiry {
    ReadOnlyImap,
    Refuse,
    WarnOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InitialPassword {
    HandedOverInWriting,
    SentToOldAddress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetBy {
    UnitCorrespondent,
    Managers,
}

/// SASL mechanisms a policy can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mechanism {
    Plain,
    Login,
    ScramSha256,
    OAuthBearer,
    XOAuth2,
}
