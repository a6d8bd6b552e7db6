//! What a person writes in a `NAME.test.ron`: cases with what is given, what happens and what is expected. Closed
//! lists, so that a mail administrator can ask for everything a policy decides and for nothing else.

use decide::RecipientClass;
use plan::{Loss, Tell};
use serde::Deserialize;

use super::expect::Expect;
use super::given::Given;
use super::table::Row;
use crate::diagnostic::Diagnostic;
use crate::model::literal::{DomainName, MailAddress, Size, Span};
use crate::syntax::{Decoded, Document, Entries, Items, Spanned};

/// One file of tests.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tests {
    /// The policy's folder, for the reader.
    #[serde(default)]
    pub policy: Decoded<String>,
    /// People the cases speak of, over those of `people.ron`.
    #[serde(default)]
    pub people: Decoded<Entries<PersonGiven>>,
    #[serde(default)]
    pub cases: Decoded<Items<Entry>>,
}

const SECTIONS: [&str; 3] = ["policy", "people", "cases"];

impl Tests {
    /// Decodes every section of a file on its own. Mistakes go to the sink.
    pub fn decode(document: &Document, sink: &mut Vec<Diagnostic>) -> Tests {
        document.expect("Tests", &SECTIONS, sink);
        Tests {
            policy: document.decode_field("policy", sink),
            people: document.decode_field("people", sink),
            cases: document.decode_field("cases", sink),
        }
    }
}

/// A person of the cases. What is left out is as in `people.ron`; somebody who is not there has the usual profile and
/// the address LOGIN at the main domain.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonGiven {
    #[serde(default)]
    pub profile: Option<Spanned<String>>,
    #[serde(default)]
    pub address: Option<Spanned<MailAddress>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum Entry {
    Case(Box<Case>),
    Each(Each),
}

/// One case: `expect` has an item for each item of `when`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: Spanned<String>,
    #[serde(default)]
    pub given: Given,
    pub when: Items<Event>,
    pub expect: Spanned<Expect>,
}

/// A case for each row of a table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Each {
    pub name: Spanned<String>,
    pub columns: Items<String>,
    pub rows: Items<Row>,
}

/// What happens. Each event but `Wait` is a connection of its own; what was counted stays.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Event {
    /// Whole messages, one `every` so long, each to new recipients.
    Sends {
        messages: Spanned<u32>,
        recipients_each: Spanned<u32>,
        #[serde(default)]
        every: Option<Span>,
        /// What kind of recipients; else whom the block is for.
        #[serde(default)]
        to: Option<To>,
        #[serde(default)]
        from: Option<Spanned<String>>,
        #[serde(default)]
        size: Option<Size>,
    },
    /// RCPT commands, spread evenly, in messages of as many as one may have.
    Attempts {
        recipients: Spanned<u32>,
        #[serde(default)]
        within: Option<Span>,
        #[serde(default)]
        to: Option<To>,
    },
    /// Time passes.
    Wait(Spanned<Span>),
    /// One message.
    Mail(Mail),
    /// The person asks for a redirect to this address.
    AsksRedirect(Spanned<String>),
    /// So does a person who comes from another institution, whose domain is `home`.
    AsksRedirectHome { to: Spanned<String>, home: Spanned<DomainName> },
    /// Connections that hear the greeting.
    Connects {
        #[serde(default)]
        times: Option<Spanned<u32>>,
        #[serde(default)]
        every: Option<Span>,
        /// They stay open.
        #[serde(default)]
        staying: bool,
    },
    /// A login with the right password.
    LogsIn,
    /// Logins with wrong passwords.
    FailsLogin {
        times: Spanned<u32>,
        #[serde(default)]
        every: Option<Span>,
        /// The same wrong password each time.
        #[serde(default)]
        same: bool,
    },
    /// From here on another client, or another person. What is left out stays.
    Moves(Moves),
    /// A newcomer: which login and address the policy makes. Newcomers of one case come one after the other.
    Derives { first: String, last: String },
}

/// Where somebody goes on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moves {
    #[serde(default)]
    pub block: Option<Spanned<String>>,
    #[serde(default)]
    pub listener: Option<Spanned<String>>,
    #[serde(default)]
    pub client: Option<Spanned<String>>,
    #[serde(default)]
    pub network: Option<Spanned<String>>,
    #[serde(default)]
    pub login: Option<Spanned<String>>,
    #[serde(default)]
    pub tls: Option<bool>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The reverse-path; `""` is the empty one. Left out: an address of the person, or a stranger's.
    #[serde(default)]
    pub from: Option<Spanned<String>>,
    pub to: Items<String>,
    /// The message is a report (RFC 3834 5).
    #[serde(default)]
    pub report: bool,
    #[serde(default)]
    pub size: Option<Size>,
    /// Whether SIZE tells the size at MAIL, as mail programs do. Left out: it does.
    #[serde(default)]
    pub declares: Option<bool>,
    /// The address in the header From. Left out: the reverse-path.
    #[serde(default)]
    pub from_header: Option<Spanned<String>>,
    /// SPF or DKIM agree with it (RFC 7489 3.1).
    #[serde(default)]
    pub aligned: bool,
    /// The total of the spam passes, on the scale of `ScoreBelow`. Left out: 1, which is good.
    #[serde(default)]
    pub score: Option<i64>,
}

/// Recipient classes as a test names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum To {
    /// Somebody here.
    Local,
    Full,
    FullForLong,
    Redirected,
    PassedOn,
    Closed,
    Unknown,
    Unsure,
    /// Somebody elsewhere.
    Remote,
    Malformed,
}

impl To {
    pub fn class(self) -> RecipientClass {
        match self {
            To::Local => RecipientClass::Local,
            To::Full => RecipientClass::Full,
            To::FullForLong => RecipientClass::FullForLong,
            To::Redirected => RecipientClass::Redirected,
            To::PassedOn => RecipientClass::PassedOn,
            To::Closed => RecipientClass::Closed,
            To::Unknown => RecipientClass::Unknown,
            To::Unsure => RecipientClass::Unsure,
            To::Remote => RecipientClass::Remote,
            To::Malformed => RecipientClass::Malformed,
        }
    }
}

/// The step of a conversation at which a refusal falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum At {
    Banner,
    Auth,
    Mail,
    Rcpt,
    /// The final dot.
    Data,
}

/// What is expected of one event.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Expectation {
    /// Every recipient, connection or login was accepted, and no message was stopped.
    AllAccepted,
    /// So many were accepted, and then none.
    FirstAccepted(u32),
    /// Nobody said anything: time passed.
    Nothing,
    /// What the last one that was refused heard.
    Refused {
        at: At,
        code: u16,
        by: String,
        /// How many heard exactly this.
        #[serde(default)]
        times: Option<u64>,
        #[serde(default)]
        recorded: Option<Loss>,
    },
    /// The message is kept aside.
    Quarantined {
        told: Tell,
        reply: u16,
        #[serde(default)]
        recorded: Option<Loss>,
    },
    /// The message is gone, and the client heard a yes.
    Dropped {
        told: Tell,
        reply: u16,
        #[serde(default)]
        recorded: Option<Loss>,
    },
    /// The message goes where it was sent.
    Delivered {
        /// The copies are tagged as spam is.
        #[serde(default)]
        tagged: Option<bool>,
        /// The engines that were down look at it later.
        #[serde(default)]
        rescan: Option<bool>,
        /// Who hears that something was suspect.
        #[serde(default)]
        told: Option<Tell>,
    },
    /// The redirect is granted.
    Allowed { by: String },
    /// The redirect is not granted.
    Denied { by: String },
    /// The redirect needs somebody's approval.
    OnGrant { by: String },
    /// What the newcomer gets.
    Gets {
        #[serde(default)]
        login: Option<String>,
        #[serde(default)]
        address: Option<String>,
    },
    /// Each of these.
    All(Items<Expectation>),
}
