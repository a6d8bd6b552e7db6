//! The Plan: the contract between compiler and runtime.
//!
//! Everything here is a resolved fact: no options left open, every name defined, every unit converted. The types
//! hold the words of the policy language; `emit` writes them as canonical RON, `read` takes only that canonical form
//! back, `hash` names it. No decision is taken here: that is `decide`.
//!
//! Units in field names: `_octets`, `_s` (seconds), `_days`, `_percent`, `_thousandths`.
//!
//! **Invariant (canonical):** one Plan has one text. Fields come in the order of the structs, map keys sorted by bytes.

mod account;
mod block;
mod compromise;
mod delivery;
mod deployment;
mod directory;
mod domain;
mod emit;
mod guarantee;
mod hash;
mod identity;
mod imap;
mod mailboxes;
mod network;
mod pins;
mod portal;
mod read;
mod response;
mod retention;
mod role;
mod scan;
pub mod signed;
mod source_map;
mod steps;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use account::{Accounts, Leaving, LeavingState, MassChange};
pub use block::{
    As, Delay, EmptySender, HeaderFrom, LimitGrant, Limits, Logins, Observed, ReadBlock, ReceiveBlock, Row, SendBlock,
    SenderApplication, Senders, SeveralBlocks, Strangers, To, UnknownSenders, WhenOver, WhenOverLimits, Window,
    Windows,
};
pub use compromise::{Detector, Reaction, Sign};
pub use delivery::{Delivery, DnsList, OnListed, Provider, Signing, SigningAlgorithm};
pub use deployment::{Deployment, Guards};
pub use directory::{Ldap, LdapAttributes, LdapBind, LdapPasswords, LdapServer, LdapTls};
pub use domain::{Held, HeldOnly, Homes, MailDomain, NextHop, PassOnRecipients, Remote, RemoteLogin, Routes};
pub use emit::emit;
pub use guarantee::{Direction, EqualityExcept, Guarantee, Of, Reach, Via, Waiver};
pub use hash::{PlanHash, hash};
pub use identity::{
    AddressRules, AtExpiry, Collision, Fold, HashCost, Homonyms, Identity, InitialPassword, LoginExample, LoginRules,
    Mechanism, Newcomers, OAuth, PasswordQuality, PasswordRules, ResetBy, SecondFactor, SignIn,
};
pub use imap::{CapabilityMask, ImapRules, MASKABLE};
pub use mailboxes::{Counted, MailboxRules, Profile, Quota, QuotaGrant, Then, WhenFull};
pub use network::{
    BadPrefix, Certificate, ClientAddress, Gateway, GatewayResults, Listener, ListenerAuth, Network, Prefix, Speaks,
    Tls, TlsMode, TlsVersion,
};
pub use pins::{PUBLIC_PROVIDERS, PUBLIC_SUFFIXES, Pin, Pins};
pub use portal::Portal;
pub use read::{ReadError, fuzz, read};
pub use response::{Blocked, BlockedWhat, Response};
pub use retention::{Backup, BackupCover, BackupTo, Life, Restores, Retention};
pub use role::{RoleName, Roles};
pub use scan::{
    Antispam, Antivirus, At, BuiltInPass, ContinueWith, Copies, Corrections, CorrectionsAccept, Does, EngineDown, Exit,
    ExitMeans, InfectedWhen, Infection, Keep, OnInfection, ReplyTo, ScanDirection, Scanner, ScoreSign, SpamAction, Tag,
    TagTotal, Tell,
};
pub use source_map::{BadSourceMap, Place, SourceMap};
pub use steps::{
    AskedThrough, Authenticate, DomainPattern, ElseTag, FilterMay, FilterOn, Filters, GrantNeeds, GrantTo, Loss,
    Losses, OnGrant, OwnDomains, ReceptionStep, RedirectOtherwise, Redirects, Reports, SendingStep,
};

/// The plan format this build writes and reads.
pub const FORMAT: u32 = 1;

/// Largest number of recipients a message may have anywhere; RCPTMAX where no block says less.
pub const RECIPIENTS_CEILING: u32 = 1_000;

/// A validated policy, ready to be executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `FORMAT` of the compiler that wrote it.
    pub format: u32,
    pub institution: Institution,
    /// Domains that are ours, never empty. Keys are A-labels; a key may begin with `{unit}.`.
    pub domains: BTreeMap<String, MailDomain>,
    pub identity: Identity,
    pub accounts: Accounts,
    pub roles: Roles,
    /// `None` where people manage nothing themselves.
    pub portal: Option<Portal>,
    /// Exactly one of them is `Rest`.
    pub networks: BTreeMap<String, Network>,
    pub gateways: BTreeMap<String, Gateway>,
    pub tls: Tls,
    pub listeners: BTreeMap<String, Listener>,
    /// Pages clients use, by service.
    pub web: BTreeMap<Reach, String>,
    /// The ceiling: for each service the networks that may ever reach it, sorted. A service that is absent is
    /// reachable from nowhere.
    pub never_reachable_beyond: BTreeMap<Reach, Vec<String>>,
    pub may_send: BTreeMap<String, SendBlock>,
    pub may_receive: BTreeMap<String, ReceiveBlock>,
    pub may_read: BTreeMap<String, ReadBlock>,
    pub when_over: WhenOverLimits,
    pub one_account_in_several_blocks: SeveralBlocks,
    pub limit_grants: Vec<LimitGrant>,
    pub senders: Option<Senders>,
    pub logins: Logins,
    /// Detectors of stolen accounts, by name; empty where nobody looks.
    pub compromise: BTreeMap<String, Detector>,
    pub strangers: Strangers,
    pub dns_lists: BTreeMap<String, DnsList>,
    /// In the order written; rule ids count from 0.
    pub blocked: Vec<Blocked>,
    pub mailboxes: MailboxRules,
    #[serde(default, skip_serializing_if = "ImapRules::is_silent")]
    pub imap: ImapRules,
    pub reception: Vec<ReceptionStep>,
    pub sending: Vec<SendingStep>,
    pub authenticate: Authenticate,
    pub scanners: BTreeMap<String, Scanner>,
    pub antivirus: Option<Antivirus>,
    pub antispam: Option<Antispam>,
    pub filters: Filters,
    pub losses: Losses,
    pub response: Response,
    pub redirects: Redirects,
    pub routes: Routes,
    pub delivery: Delivery,
    /// `None` where nothing is signed.
    pub signing: Option<Signing>,
    pub retention: Retention,
    pub backup: Option<Backup>,
    #[serde(default, skip_serializing_if = "Deployment::is_silent")]
    pub deployment: Deployment,
    pub guarantees: Vec<Guarantee>,
    pub waivers: Vec<Waiver>,
    pub pins: Pins,
}

/// Who runs this service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Institution {
    pub name: String,
    /// The main domain, a key of `domains`.
    pub domain: mail::Domain,
    /// IANA name.
    pub time_zone: String,
    /// The written guide the policy follows; empty when none.
    pub guide: String,
    /// Where questions go; empty when the policy names nobody.
    pub contact: String,
    pub pages: Language,
}

/// Language of pages, notices and mailbox names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    #[default]
    French,
    English,
}
