//! The laws of the parsers in here, for `tests/fuzz` alone: each a function of any octets that panics when its law is broken.

pub use crate::authenticate::{fuzz_authentication_results, fuzz_spf};
pub use crate::drive::told::fuzz_received;
pub use crate::operate::{fuzz_people_csv, fuzz_people_ldif};
pub use crate::tokens::fuzz_jwt;
pub use crate::vouch::fuzz_cas;
pub use crate::world::{fuzz_mta_sts, fuzz_tlsa};
