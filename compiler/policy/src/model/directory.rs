//! A directory server that people are read from.

use serde::Deserialize;

use super::literal::{AttributeName, DistinguishedName, Filter, Inline, LdapServer, SecretName, Span};
use crate::syntax::{Items, Spanned, WordOr};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ldap {
    /// In the order they are tried.
    pub servers: Items<LdapServer>,
    /// For servers written `ldap://…`; `ldaps://…` is TLS from the first octet.
    #[serde(default)]
    pub tls: Option<LdapTls>,
    pub base: DistinguishedName,
    #[serde(default)]
    pub bind: Option<Bind>,
    #[serde(default)]
    pub attributes: Attributes,
    #[serde(default)]
    pub filter: Option<Filter>,
    #[serde(default)]
    pub refresh: Option<Spanned<Span>>,
    #[serde(default)]
    pub passwords: Option<plan::LdapPasswords>,
    #[serde(default)]
    pub stale_at_most: Option<Spanned<Span>>,
    #[serde(default)]
    pub page: Option<Spanned<u32>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub enum LdapTls {
    StartTls,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    pub dn: DistinguishedName,
    pub password: Secret,
}

/// `Secret("name")`; a secret itself is refused.
pub type Secret = WordOr<SecretWord, Inline>;

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum SecretWord {
    Secret(SecretName),
}

/// Attributes that are meant.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Attributes(pub WordOr<Schema, AttributeNames>);

impl Default for Attributes {
    fn default() -> Self {
        Attributes(WordOr::Word(Schema::Supann))
    }
}

/// Schemas whose attributes are known.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub enum Schema {
    /// French universities: SupAnn with eduPerson and SCHAC.
    Supann,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeNames {
    pub login: AttributeName,
    pub first: AttributeName,
    pub last: AttributeName,
    #[serde(default)]
    pub mail: Option<AttributeName>,
    #[serde(default)]
    pub aliases: Option<AttributeName>,
    #[serde(default)]
    pub profile: Option<AttributeName>,
    #[serde(default)]
    pub unit: Option<AttributeName>,
    #[serde(default)]
    pub until: Option<AttributeName>,
    #[serde(default)]
    pub id: Option<AttributeName>,
    #[serde(default)]
    pub registered: Option<AttributeName>,
    #[serde(default)]
    pub redirect: Option<AttributeName>,
    #[serde(default)]
    pub home: Option<AttributeName>,
    #[serde(default)]
    pub quota_mb: Option<AttributeName>,
}
