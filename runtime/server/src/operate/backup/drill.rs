//! `facteur backup verify`: the restore drill. The backup is made into a store beside, everything in it is compared with what
//! must be there, and it goes again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::snapshot::{Depth, DrillFinding, Pace, SnapshotName};

use super::{SCRATCH, snapshots, words};
use crate::operate::progress::Throttled;
use crate::operate::{Context, OperateError, Operation, Progress};

/// `POST /backup/verify`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyBackup {
    /// The newest when absent.
    pub name: Option<String>,
    /// Look at indexes against their tables, too.
    pub full: bool,
}

/// What was looked at, how long a restore takes, and what was wrong. A backup is sound when `findings` is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drilled {
    pub name: String,
    pub pages: u64,
    pub bodies: u64,
    pub body_octets: u64,
    pub restoring_ms: u64,
    pub checking_ms: u64,
    /// One sentence each.
    pub findings: Vec<String>,
}

impl Operation for VerifyBackup {
    type Response = Drilled;
    const PATH: &'static str = "/backup/verify";
    const LONG: bool = true;

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::Maintain
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Drilled, OperateError> {
        let snapshots = snapshots(context)?;
        let name = match &self.name {
            Some(text) => text.parse().map_err(|_| OperateError::NoSuchBackup { of: text.clone() })?,
            None => newest(&snapshots)?,
        };
        let depth = if self.full { Depth::Full } else { Depth::Quick };
        let pace = if context.served { Pace::GENTLE } else { Pace::FULL };
        let mut throttled = Throttled::new(tell);
        let scratch = context.data.join(SCRATCH);
        let report = snapshots.verify(name, &scratch, depth, pace, &mut |progress| throttled.tell(words(progress)))?;
        Ok(Drilled {
            name: name.to_string(),
            pages: report.pages,
            bodies: report.bodies,
            body_octets: report.body_octets,
            restoring_ms: ms(report.restoring),
            checking_ms: ms(report.checking_databases + report.checking_bodies),
            findings: report.findings.iter().map(sentence).collect(),
        })
    }
}

fn newest(snapshots: &store::snapshot::Snapshots) -> Result<SnapshotName, OperateError> {
    let newest = snapshots.newest_until(i64::MAX)?;
    newest.ok_or_else(|| OperateError::NoSuchBackup { of: "any day".to_owned() })
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn sentence(finding: &DrillFinding) -> String {
    match finding {
        DrillFinding::File(error) => error.to_string(),
        DrillFinding::Database { database, says } => format!("{database}: SQLite says: {says}"),
        DrillFinding::Counts { expected, found } => format!(
            "{}: {} messages where the backup counted {}, or other numbers differ",
            expected.name, found.messages, expected.messages
        ),
        DrillFinding::Body { database, blob, segment } => {
            format!("{database}: body {blob} in segment {segment} is damaged or gone")
        }
    }
}
