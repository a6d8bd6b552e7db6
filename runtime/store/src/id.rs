//! Numbers that name things in the store, and sets of UIDs (RFC 9051 2.3.1).

use std::fmt;
use std::ops::RangeInclusive;

/// Names one delivery; giving it twice delivers once. Ids that begin with the time keep the index of them compact.
pub type DeliveryId = [u8; 16];

/// Modification sequence of a mailbox (RFC 7162 3.1), 1 to 2^63 - 1.
pub type Modseq = u64;

/// A mailbox as long as it exists; a rename keeps it, a mailbox created again under the same name has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxId(pub(crate) u32);

impl MailboxId {
    /// The bits above these say in which shard the mailbox lies: 32 shards at most, so that keys of messages stay positive.
    pub(crate) const NUMBER_BITS: u32 = 26;

    /// The shard of the mailbox, for life.
    pub(crate) fn shard(self) -> u8 {
        (self.0 >> MailboxId::NUMBER_BITS) as u8
    }

    /// For logs and RFC 8474 MAILBOXID.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A message in the spool, as logs and traces name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub [u8; 16]);

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// OBJECTID of a message (RFC 8474): EMAILID names its immutable content and is kept by COPY, MOVE and restores; THREADID
/// names the conversation within the account. Both are at most 20 letters and digits when printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub(crate) i64);

impl ObjectId {
    /// For those who print it in another way.
    pub fn number(self) -> u64 {
        self.0 as u64
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// Shards a store may have.
pub const SHARDS_MAX: u8 = 32;

/// INTERNALDATE (RFC 9051 2.3.3): seconds since 1970 in UTC, and the zone it is shown in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InternalDate {
    pub seconds: i64,
    pub offset_minutes: i16,
}

/// UIDs as ranges: sorted, disjoint, none empty, none holds 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UidSet(Vec<(u32, u32)>);

impl UidSet {
    /// Every UID there can be.
    pub fn all() -> UidSet {
        UidSet(vec![(1, u32::MAX)])
    }

    /// From ranges in any order; empty ones and UID 0 fall out.
    pub fn from_ranges(ranges: impl IntoIterator<Item = RangeInclusive<u32>>) -> UidSet {
        let mut spans: Vec<(u32, u32)> =
            ranges.into_iter().map(|r| ((*r.start()).max(1), *r.end())).filter(|(a, b)| a <= b).collect();
        spans.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(spans.len());
        for (first, last) in spans {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        UidSet(merged)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, uid: u32) -> bool {
        self.0
            .binary_search_by(|(a, b)| {
                if uid < *a {
                    std::cmp::Ordering::Greater
                } else if uid > *b {
                    std::cmp::Ordering::Less
                } else {
                    std::cmp::Ordering::Equal
                }
            })
            .is_ok()
    }

    /// First and last of each range, ascending.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }
}

impl FromIterator<u32> for UidSet {
    fn from_iter<I: IntoIterator<Item = u32>>(uids: I) -> UidSet {
        UidSet::from_ranges(uids.into_iter().map(|uid| uid..=uid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_merge_and_zero_falls_out() {
        let set = UidSet::from_ranges([5..=7, 0..=2, 3..=3, 9..=9, 6..=8, 0..=0]);
        assert_eq!(set.ranges(), [(1, 3), (5, 9)]);
        let gaps: UidSet = [1, 4, 5].into_iter().collect();
        assert_eq!(gaps.ranges(), [(1, 1), (4, 5)]);
        assert!(gaps.contains(1) && gaps.contains(5) && !gaps.contains(3) && !gaps.contains(6));
        assert!(UidSet::all().contains(u32::MAX));
    }
}
