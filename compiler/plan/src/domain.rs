//! Which domains are ours and where mail goes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A domain that is ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailDomain {
    /// Mailboxes are here. `profile` is the default one of its people, a key of `mailboxes.profiles`.
    Held { profile: String, only: HeldOnly },
    /// Accepted and handed to `next_hop`, never through that domain's MX.
    PassOn { next_hop: NextHop, recipients: PassOnRecipients },
    /// Another name of a held or passed-on domain.
    AliasOf(mail::Domain),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeldOnly {
    Everything,
    /// Aliases, nobody's official address.
    FormerAddresses,
}

/// A host written in the policy that takes mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NextHop {
    /// `host:port`.
    Lmtp(String),
    /// `host:port`.
    Smtp(String),
}

/// How recipients of a passed-on domain are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PassOnRecipients {
    Directory,
    AskThere { cache_s: u64 },
    Any,
}

/// Where mail goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routes {
    pub held: Held,
    pub remote: Remote,
    /// How a smart host knows us.
    pub remote_login: Option<RemoteLogin>,
    pub homes: Homes,
}

/// Where mail for people of held domains goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// A mailbox of this server.
    Mailbox,
    /// `host:port` of the mail store behind this server, which is its edge: no mailbox is here.
    Lmtp(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteLogin {
    pub login: String,
    /// The site's name for the password.
    pub secret: String,
}

/// Homes by name: where a person's mailbox is when it is not here.
pub type Homes = BTreeMap<String, NextHop>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remote {
    DirectMx,
    /// `host:port`.
    Smarthost(String),
    /// Everything bound for the outside is kept in this address's mailbox.
    Capture(mail::Address),
}
