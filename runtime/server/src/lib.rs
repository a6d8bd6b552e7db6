//! The doing side: sockets, TLS, the clock, drivers of the conversations in `proto`, scanners, the way out, metrics.
//!
//! A driver reads octets, feeds the session, answers its questions with facts from `store` and verdicts from `decide`,
//! and writes what the session says. Policy text is never seen here: the server executes the tables of one plan.

mod accesses;
mod acme;
mod admission;
mod annotated;
mod app_passwords;
mod authenticate;
mod bindings;
mod blocks;
mod certificates;
mod clock;
mod compress;
mod compromise;
mod content;
mod control;
mod decisions;
mod delays;
mod delegations;
mod directory;
mod doors;
mod drive;
mod durable;
mod facts;
mod full;
mod fullness;
#[doc(hidden)]
pub mod fuzzing;
mod http;
pub mod keys;
mod ldap;
mod left;
mod listen;
mod lists;
pub mod logs;
mod loops;
mod marks;
mod metrics;
mod new_account;
mod night;
mod notices;
pub mod operate;
mod outbound;
mod outcome;
mod passwords;
mod plans;
mod portal;
mod probe_login;
mod quality;
mod quarantine;
mod quotas;
mod random;
mod recall;
mod recording;
mod records;
mod redirects;
pub mod remote;
mod reports;
mod rings;
mod roles;
mod scan;
mod schemes;
mod scram;
mod sealed;
mod sealed_secrets;
mod service;
mod sessions;
mod setup;
mod signing;
mod site;
mod spam;
mod standing;
mod start;
mod stream;
mod taken;
mod teaching;
mod throttle;
mod tls;
mod tokens;
mod trace;
mod transcripts;
mod verifier;
mod verifying;
mod vitals;
mod vouch;
mod world;
pub mod zone;

pub use drive::opening;
pub use ldap::look as directory_servers;
pub use metrics::{Described as DescribedMetric, table as metric_table};
pub use new_account::default_mailboxes;
pub use outcome::{Event, Outcome, Peer};
pub use plans::slots;
pub use sealed_secrets::{NotKept, SECRET_OCTETS_MAX, SECRETS_MAX, Vault, kept_secrets};
pub use setup::profile;
pub use site::{
    AccountBinding, Acme, Certificate, CertificateFrom, Certificates, Challenge, ClientAddress, DEFAULT, DirectoryAt,
    Outbound, PortalAddress, SeenAs, Site, StandIn, Syslog, World,
};
pub use start::{Running, Server, Start, StartError, unserved};
pub use tls::public_authorities;
pub use verifier::{verifier, verifier_of};
pub use vouch::look as sign_in_servers;
