//! The directory server.

use plan::{LdapAttributes, LdapBind, LdapServer, LdapTls};

use crate::model::directory::{Attributes, Bind, Ldap, Schema, Secret, SecretWord};
use crate::model::literal::AttributeName;
use crate::syntax::WordOr;

/// A day: an evening's failure of the directory locks nobody out.
const STALE_AT_MOST_S: u64 = 86_400;
/// Who arrived this morning has mail this morning.
const REFRESH_S: u64 = 15 * 60;
/// Unique for the life of an entry, whatever it is renamed to (RFC 4530).
const ID: &str = "entryUUID";
/// What servers give at once without a word from their administrator.
const PAGE: u32 = 500;

pub(super) fn ldap(ldap: &Ldap) -> plan::Ldap {
    plan::Ldap {
        servers: ldap.servers.values().map(server).collect(),
        base: ldap.base.0.clone(),
        bind: ldap.bind.as_ref().map(bind),
        attributes: attributes(&ldap.attributes),
        filter: ldap.filter.as_ref().map_or_else(|| filter(&ldap.attributes).to_owned(), |filter| filter.0.clone()),
        refresh_s: ldap.refresh.as_ref().map_or(REFRESH_S, |span| span.value.0),
        passwords: ldap.passwords.unwrap_or(plan::LdapPasswords::Bind),
        stale_at_most_s: ldap.stale_at_most.as_ref().map_or(STALE_AT_MOST_S, |span| span.value.0),
        page: ldap.page.as_ref().map_or(PAGE, |page| page.value),
    }
}

/// A server without `ldaps:` asks for TLS before anything else; a check holds that the policy says so.
fn server(server: &crate::model::literal::LdapServer) -> LdapServer {
    let tls = if server.is_encrypted { LdapTls::Implicit } else { LdapTls::StartTls };
    LdapServer { host: server.host.clone(), port: server.port, tls }
}

fn bind(bind: &Bind) -> LdapBind {
    LdapBind { dn: bind.dn.0.clone(), password_secret: secret_name(&bind.password) }
}

/// The name a secret has at the site.
pub(super) fn secret_name(secret: &Secret) -> String {
    match secret {
        WordOr::Word(SecretWord::Secret(name)) => name.0.clone(),
        WordOr::Value(inline) => match *inline {},
    }
}

/// People, of all that stands below a base.
fn filter(attributes: &Attributes) -> &'static str {
    match &attributes.0 {
        WordOr::Word(Schema::Supann) => "(objectClass=eduPerson)",
        WordOr::Value(_) => "(objectClass=person)",
    }
}

fn attributes(attributes: &Attributes) -> LdapAttributes {
    let names = match &attributes.0 {
        WordOr::Word(Schema::Supann) => return supann(),
        WordOr::Value(names) => names,
    };
    let optional = |name: &Option<AttributeName>| name.as_ref().map(|name| name.0.clone()).unwrap_or_default();
    LdapAttributes {
        id: names.id.as_ref().map_or_else(|| ID.to_owned(), |name| name.0.clone()),
        login: names.login.0.clone(),
        first: names.first.0.clone(),
        last: names.last.0.clone(),
        mail: optional(&names.mail),
        aliases: optional(&names.aliases),
        profile: optional(&names.profile),
        unit: optional(&names.unit),
        until: optional(&names.until),
        registered: optional(&names.registered),
        redirect: optional(&names.redirect),
        home: optional(&names.home),
        quota_mb: optional(&names.quota_mb),
    }
}

/// SupAnn 2021, with eduPerson and SCHAC as it recommends.
fn supann() -> LdapAttributes {
    LdapAttributes {
        id: ID.into(),
        login: "uid".into(),
        first: "givenName".into(),
        last: "sn".into(),
        mail: "mail".into(),
        aliases: "supannAutreMail".into(),
        profile: "eduPersonPrimaryAffiliation".into(),
        unit: "supannEntiteAffectationPrincipale".into(),
        until: "schacExpiryDate".into(),
        registered: String::new(),
        redirect: String::new(),
        home: String::new(),
        quota_mb: String::new(),
    }
}
