//! Which domains are ours and where mail goes.

use serde::Deserialize;

use super::directory::Secret;
use super::literal::{DomainName, Endpoint, MailAddress, Span};
use crate::syntax::{Entries, Spanned};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum MailDomain {
    Held {
        #[serde(default)]
        profile: Option<Spanned<String>>,
        #[serde(default)]
        only: Option<plan::HeldOnly>,
    },
    PassOn {
        next_hop: NextHop,
        recipients: PassOnRecipients,
    },
    AliasOf(Spanned<DomainName>),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum NextHop {
    Lmtp(Endpoint),
    Smtp(Endpoint),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum PassOnRecipients {
    Directory,
    AskThere { cache: Span },
    Any,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routes {
    pub held: Held,
    pub remote: Remote,
    /// How a smart host knows us.
    #[serde(default)]
    pub remote_login: Option<RemoteLogin>,
    #[serde(default)]
    pub homes: Entries<NextHop>,
}

/// Where mail for people of held domains goes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum Held {
    Mailbox,
    Lmtp(Endpoint),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteLogin {
    pub login: String,
    pub password: Secret,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum Remote {
    DirectMx,
    Smarthost(Endpoint),
    Capture(MailAddress),
}
