//! What the DNS zones of our domains should hold for a policy to be true outside.
//!
//! [`implied`] says it, from a plan and what is known of the place it runs at; [`written`] makes fragments of zone files of
//! it. Both are pure. [`Lookup`] asks what the zones hold now, [`compared`] tells the
//! difference.

mod compare;
mod data;
mod doctor;
mod implied;
mod lookup;
mod place;
mod set_up;
mod write;

pub use compare::{Finding, Standing, compared};
pub use data::{Data, Kind, Record};
pub use doctor::{certificates, connections, portal_certificate, reverse_names, zones as compared_with_dns};
pub use implied::{Zone, implied, mta_sts};
pub use lookup::{Lookup, LookupError};
pub use place::{Place, Shown};
pub(crate) use set_up::host as portal_host;
pub use set_up::{files as set_up_files, hosts as set_up_hosts};
pub use write::{TTL_S, written};

#[cfg(test)]
mod tests;
