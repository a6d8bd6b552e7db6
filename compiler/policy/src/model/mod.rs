//! What a person may write: every section of language 1 as typed values with their places (policy-language.md 3).
//! `lower` turns it into the Plan, one file per block with the same names. Words whose shape is the same in both are
//! the Plan's own enums.
//!
//! Each section is decoded on its own, so a mistake in one hides none in another.

pub mod account;
pub mod block;
pub mod compromise;
pub mod delivery;
pub mod deployment;
pub mod directory;
pub mod domain;
pub mod guarantee;
pub mod identity;
pub mod imap;
pub mod literal;
pub mod mailboxes;
pub mod network;
pub mod people;
pub mod portal;
pub mod response;
pub mod retention;
pub mod scan;
pub mod steps;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::diagnostic::Diagnostic;
use crate::syntax::{Decoded, Document, Entries, Items, Spanned};

/// The language this compiler reads.
pub const LANGUAGE: u32 = 1;

/// A map by name; names between sections are plain strings, resolved later.
pub type Named<V> = Entries<V>;

/// A section that may be switched off by `None`.
#[derive(Clone, Debug, PartialEq)]
pub enum Switch<T> {
    Off,
    On(T),
}

impl<T> Switch<T> {
    pub fn on(&self) -> Option<&T> {
        match self {
            Switch::Off => None,
            Switch::On(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Switch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(|value| value.map_or(Switch::Off, Switch::On))
    }
}

/// Other deserializers than ours stop at the first mistake: what they give is whole.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Decoded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Decoded::Whole)
    }
}

/// A section nobody wrote. Not derived: that would ask for a default of the content.
impl<T> Default for Decoded<T> {
    fn default() -> Self {
        Decoded::Absent
    }
}

impl<T> Decoded<T> {
    /// What can be seen of the section, even if members with mistakes were left out.
    pub fn seen(&self) -> Option<&T> {
        match self {
            Decoded::Whole(value) | Decoded::Partial(value) => Some(value),
            Decoded::Absent | Decoded::Broken => None,
        }
    }

    pub fn is_absent(&self) -> bool {
        match self {
            Decoded::Absent => true,
            Decoded::Whole(_) | Decoded::Partial(_) | Decoded::Broken => false,
        }
    }

    /// The value if the section has no mistake.
    pub fn sound(&self) -> Option<&T> {
        match self {
            Decoded::Whole(value) => Some(value),
            Decoded::Absent | Decoded::Partial(_) | Decoded::Broken => None,
        }
    }
}

macro_rules! sections {
    ($($name:ident: $type:ty,)*) => {
        /// One policy file, section by section.
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Policy {
            $(#[serde(default)] pub $name: Decoded<$type>,)*
        }

        /// The sections of the language.
        pub const SECTIONS: &[&str] = &[$(stringify!($name)),*];

        impl Policy {
            /// Decodes every section of a file on its own. Mistakes go to the sink.
            pub fn decode(document: &Document, sink: &mut Vec<Diagnostic>) -> Policy {
                document.expect("Policy", SECTIONS, sink);
                Policy { $($name: document.decode_field(stringify!($name), sink),)* }
            }

            /// Takes a section out, as if nobody had written it.
            pub fn forget(&mut self, section: &str) {
                $(if section == stringify!($name) {
                    self.$name = Decoded::Absent;
                })*
            }

            /// Sections with mistakes, in the order of the language.
            pub fn broken(&self) -> Vec<&'static str> {
                let mut broken = Vec::new();
                $(if self.$name.has_mistakes() {
                    broken.push(stringify!($name));
                })*
                broken
            }
        }
    };
}

sections! {
    language: Spanned<u32>,
    institution: Institution,
    domains: Entries<domain::MailDomain, literal::DomainKey>,
    identity: identity::Identity,
    accounts: account::Accounts,
    roles: account::Roles,
    portal: Switch<portal::Portal>,
    networks: Named<network::Network>,
    gateways: Named<network::Gateway>,
    tls: network::Tls,
    listeners: Named<network::Listener>,
    web: Entries<literal::Url, plan::Reach>,
    never_reachable_beyond: Entries<network::Names, plan::Reach>,
    may_send: Named<block::SendBlock>,
    may_receive: Named<block::ReceiveBlock>,
    may_read: Named<block::ReadBlock>,
    when_over: block::WhenOverLimits,
    one_account_in_several_blocks: plan::SeveralBlocks,
    limit_grants: Items<block::LimitGrant>,
    senders: Switch<block::Senders>,
    counters: block::Counters,
    logins: Switch<block::Logins>,
    compromise: Switch<Named<compromise::Detector>>,
    strangers: block::Strangers,
    dns_lists: Named<delivery::DnsList>,
    blocked: Items<response::Blocked>,
    mailboxes: mailboxes::Mailboxes,
    imap: imap::Imap,
    reception: Items<plan::ReceptionStep>,
    sending: Items<plan::SendingStep>,
    authenticate: steps::Authenticate,
    scanners: Named<scan::Scanner>,
    antivirus: Switch<scan::Antivirus>,
    antispam: Switch<scan::Antispam>,
    filters: steps::Filters,
    losses: steps::Losses,
    response: response::Response,
    redirects: steps::Redirects,
    routes: domain::Routes,
    delivery: delivery::Delivery,
    signing: Switch<delivery::Signing>,
    retention: retention::Retention,
    backup: Switch<retention::Backup>,
    deployment: deployment::Deployment,
    include: Items<String>,
    locked: Items<String>,
    guarantees: Items<guarantee::Guarantee>,
    waivers: Items<guarantee::Waiver>,
}

/// Who runs this service.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Institution {
    pub name: String,
    pub domain: Spanned<literal::DomainName>,
    pub time_zone: literal::Zone,
    #[serde(default)]
    pub guide: String,
    #[serde(default)]
    pub contact: Option<literal::MailAddress>,
    #[serde(default)]
    pub pages: plan::Language,
}

/// Entries as a sorted map, for lowering. Keys are unique in a section that read without a mistake.
pub fn sorted<V, K: Ord + Clone, W>(entries: &Entries<V, K>, lower: impl Fn(&V) -> W) -> BTreeMap<K, W> {
    entries.iter().map(|(key, value)| (key.value.clone(), lower(&value.value))).collect()
}
