//! What header From claims about us.

use mail::Domain;

use crate::content_table::FromClaim;
use crate::domains;
use crate::tables::Tables;

/// Does an identifier that SPF or DKIM authenticated agree with a domain (RFC 7489 3.1)? Ordered: the least of several
/// counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alignment {
    Aligned,
    /// DNS did not answer: nobody can tell now.
    Unknown,
    NotAligned,
}

/// The claim of a header From with these domains. With several domains, one of them ours, nothing can agree with all of
/// them (RFC 7489 6.6.1). Where nobody can tell it is as if the mail were from elsewhere: a time-out of DNS refuses nothing.
pub fn from_claim(tables: &Tables, from: &[(Domain, Alignment)]) -> FromClaim {
    let ours = from.iter().find(|(domain, _)| domains::is_ours(tables.plan(), domain));
    match (ours, from) {
        (None, _) => FromClaim::Another,
        (Some((_, Alignment::Aligned)), [_]) => FromClaim::OursAligned,
        (Some((_, Alignment::Unknown)), [_]) => FromClaim::Another,
        (Some(_), _) => FromClaim::OursNotAligned,
    }
}
