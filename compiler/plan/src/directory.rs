//! A directory server that people are read from (LDAP, RFC 4511).

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ldap {
    /// In the order they are tried, never empty.
    pub servers: Vec<LdapServer>,
    /// Distinguished name below which people are (RFC 4514).
    pub base: String,
    /// Who asks; `None` asks anonymously.
    pub bind: Option<LdapBind>,
    pub attributes: LdapAttributes,
    /// What was read before is used for so long when no server answers.
    pub stale_at_most_s: u64,
    /// Which entries below `base` are people (RFC 4515).
    pub filter: String,
    /// The directory is read again after so long.
    pub refresh_s: u64,
    pub passwords: LdapPasswords,
    /// Entries asked for at once (RFC 2696).
    pub page: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapServer {
    /// A host name, or an address in its text form.
    pub host: String,
    /// 1 to 65 535.
    pub port: u32,
    pub tls: LdapTls,
}

/// There is no word for clear text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LdapTls {
    Implicit,
    StartTls,
}

/// Where the password of a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LdapPasswords {
    /// In the directory: a login is a bind (RFC 4513).
    Bind,
    /// Here.
    Kept,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapBind {
    pub dn: String,
    /// Name of a secret of the site.
    pub password_secret: String,
}

/// Which attribute holds what; empty where none does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapAttributes {
    /// What never changes of a person, whatever their name; `entryUUID` (RFC 4530) where the policy names none.
    pub id: String,
    pub login: String,
    pub first: String,
    pub last: String,
    pub mail: String,
    pub aliases: String,
    pub profile: String,
    pub unit: String,
    pub until: String,
    /// First day.
    pub registered: String,
    /// Address that a copy goes to; judged as any redirect.
    pub redirect: String,
    /// Where the mail of the person is kept, a key of `routes.homes`.
    pub home: String,
    /// A quota of their own, in megabytes (10⁶ octets).
    pub quota_mb: String,
}
