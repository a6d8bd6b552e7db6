//! `people.ron`: who there is, in order of registration. Facts beside a policy, never part of a plan.

use serde::Deserialize;

use super::literal::{Date, MailAddress, Size};
use crate::diagnostic::Diagnostic;
use crate::syntax::{Decoded, Document, Items, Spanned};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename = "People")]
pub struct People {
    pub people: Decoded<Items<Person>>,
    #[serde(default)]
    pub functions: Decoded<Items<Function>>,
    #[serde(default)]
    pub aliases: Decoded<Items<Alias>>,
}

/// One person. Login and official address follow from the policy unless they are given.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub first: Spanned<String>,
    pub last: Spanned<String>,
    #[serde(default)]
    pub profile: Option<Spanned<String>>,
    #[serde(default)]
    pub unit: Option<Spanned<String>>,
    pub registered: Spanned<Date>,
    /// The last day.
    #[serde(default)]
    pub until: Option<Spanned<Date>>,
    /// Where a copy of their mail goes.
    #[serde(default)]
    pub redirect: Option<Spanned<MailAddress>>,
    /// Local parts, or whole addresses, that once were theirs.
    #[serde(default)]
    pub former: Items<String>,
    #[serde(default)]
    pub login: Option<Spanned<String>>,
    #[serde(default)]
    pub address: Option<Spanned<MailAddress>>,
    #[serde(default)]
    pub home: Option<Spanned<String>>,
    #[serde(default)]
    pub quota: Option<Spanned<Size>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    pub address: Spanned<MailAddress>,
    pub members: Items<String>,
    /// Whose mailboxes take its mail.
    #[serde(default)]
    pub mailbox: FunctionMailbox,
    /// The profile whose quota its own mailboxes have; as for people where none is given.
    #[serde(default)]
    pub profile: Option<Spanned<String>>,
    #[serde(default)]
    pub quota: Option<Spanned<Size>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum FunctionMailbox {
    /// Each member gets a copy.
    #[default]
    Members,
    /// It is kept once, in mailboxes the members share.
    Own,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    pub address: Spanned<MailAddress>,
    /// Logins, or addresses of this file.
    pub to: Items<String>,
}

impl People {
    pub fn decode(document: &Document, sink: &mut Vec<Diagnostic>) -> People {
        document.expect("People", &["people", "functions", "aliases"], sink);
        People {
            people: document.decode_field("people", sink),
            functions: document.decode_field("functions", sink),
            aliases: document.decode_field("aliases", sink),
        }
    }
}
