//! The doing side: sockets, TLS, the clock, drivers of the conversations in `proto`, scanners, the way out, metrics.
//!
//! A driver reads octets, feeds the session, answers its questions with facts from `store` and verdicts from `decide`,
//! and writes what the session says. Policy text is never seen here: the server executes the tables of one plan.

mod accesses;
mod admission;
mod annotated;
mod app_passwords;
mod authenticate;
mod bindings;
mod blocks;
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
mod ldap;
mod left;
mod listen;
mod lists;
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
mod quality;
mod quarantine;
mod quotas;
mod random;
mod recall;
mod records;
mod redirects;
mod reports;
mod rings;
mod roles;
mod scan;
mod schemes;
mod scram;
mod sealed;
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
mod vouch;
mod world;
pub mod zone;

pub use drive::opening;
pub use ldap::look as directory_servers;
pub use new_account::default_mailboxes;
pub use outcome::{Event, Outcome, Peer};
pub use plans::slots;
pub use setup::profile;
pub use site::{
    Certificate, Certificates, ClientAddress, DirectoryAt, Outbound, PortalAddress, SeenAs, Site, StandIn, World,
};
pub use start::{Running, Server, Start, StartError, unserved};
pub use verifier::{verifier, verifier_of};
pub use vouch::look as sign_in_servers;
