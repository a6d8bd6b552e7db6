//! A model that notices nothing proves nothing: stores that lie in one way each, and each of them is caught by the same runner
//! within its usual number of cases.

mod liar;

use std::path::Path;

use proptest::test_runner::TestError;

use super::lockstep::Waist;
use super::{CASES, holds, open};
use liar::{Defect, Liar};

/// What is seeded. Without a defect the property holds, which is the test beside this one.
const DEFECTS: [(Defect, &str); 14] = [
    (Defect::ChangesBeginLate, "changes since a MODSEQ leave out what changed with the next one"),
    (Defect::OneVanishedIsLost, "of the UIDs that went the last is not told"),
    (Defect::ExpungeKeepsOctets, "the quota sum is not lowered by what goes"),
    (Defect::UidsComeBack, "after a restart UIDNEXT follows the last message that is left"),
    (Defect::DeliversTwice, "a delivery id that comes again delivers again"),
    (Defect::CopyDropsKeywords, "a copy has no keywords"),
    (Defect::UnchangedSinceIgnored, "UNCHANGEDSINCE does not keep a message from a change"),
    (Defect::CommitsInPart, "ops before the refused one hold"),
    (Defect::ValidityComesBack, "a name that comes back has the UIDVALIDITY it had"),
    (Defect::MoveChangesEmail, "a moved message has another EMAILID"),
    (Defect::AttemptsUncounted, "a try of a queued recipient is not counted"),
    (Defect::LastOctetLost, "bodies lack their last octet"),
    (Defect::WatchersSleep, "nobody is woken by a change"),
    (Defect::CompactionForgets, "compaction takes messages in quarantine along"),
];

#[test]
fn each_seeded_defect_is_caught() {
    for (defect, what) in DEFECTS {
        let lying = |folder: &Path| -> Box<dyn Waist> {
            defect.before_open(folder);
            Box::new(Liar::new(open(folder, 1), defect))
        };
        let caught = holds(CASES, 0, 1, &lying);
        assert!(matches!(caught, Err(TestError::Fail(..))), "{defect:?} is not noticed: {what}; {caught:?}");
    }
}
