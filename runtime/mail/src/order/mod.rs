//! Messages in order (RFC 5256 SORT, RFC 5957): what they are compared by, and the comparison.
//!
//! What a message is compared by is made once, when its summary is at hand (`MessageKeys`), and compared octet by octet from
//! then on. `Keys` holds that of many messages side by side.

mod casemap;
mod envelope;
mod keys;
mod sort;
mod subject;

pub use casemap::casemap;
pub use keys::{KeyParts, Keys, MessageKeys, Source};
pub(crate) use sort::by_time;
pub use sort::{Criterion, Facts, Key, sort};
pub use subject::{BaseSubject, base_subject};
