//! `facteur restore`: messages of one account as they were at a backup.
//!
//! The backup is made into a store of its own beside the one that works, and what the account has no more is put back from
//! there. A message that comes back is a new message with its own INTERNALDATE, flags and EMAILID; doing it twice adds nothing.

use std::path::{Path, PathBuf};

use jiff::civil;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use store::snapshot::{SnapshotName, Snapshots};
use store::{Options, Store, Wanted};

use super::{SCRATCH, snapshots, words};
use crate::operate::progress::Throttled;
use crate::operate::{Context, OperateError, Operation, Progress, Unit, audit, place};

/// `POST /restore`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    pub login: String,
    /// This mailbox, by its name of then; all when absent.
    pub mailbox: Option<String>,
    /// A Message-ID, or an EMAILID (RFC 8474); all messages when absent.
    pub message: Option<String>,
    /// A backup by its name, or a day or a moment in UTC: the newest backup until then.
    pub from: String,
    /// Where to; where each message was when absent.
    pub into: Option<String>,
    /// Count only.
    pub dry_run: bool,
}

/// What came back, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredMail {
    /// The backup it came from.
    pub backup: String,
    pub messages: u64,
    pub octets: u64,
    /// Messages of then the account still has.
    pub present: u64,
    /// Messages of then that were recalled since: they stay away until the recall is undone.
    pub recalled: u64,
    /// Messages by mailbox.
    pub mailboxes: Vec<(String, u64)>,
}

impl Operation for Restore {
    type Response = RestoredMail;
    const PATH: &'static str = "/restore";
    const LONG: bool = true;

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::Maintain
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<RestoredMail, OperateError> {
        let login = place::login(context, &self.login)?;
        let wanted = Wanted {
            login: login.clone(),
            mailbox: self.mailbox.as_deref().map(place::mailbox_name).transpose()?,
            message: self.message.as_deref().map(bracketed),
            into: self.into.as_deref().map(place::mailbox_name).transpose()?,
        };
        let snapshots = snapshots(context)?;
        let name = named(&snapshots, &self.from)?;
        let mut throttled = Throttled::new(tell);
        let scratch = Scratch::new(&context.data, name)?;
        snapshots.materialise(name, &scratch.0, &mut |progress| throttled.tell(words(progress)))?;
        context.go_on()?;
        // It is read only, and goes in a moment: nothing is kept aside for it.
        let options = Options { reserve_bytes: 0, ballast_bytes: 0, ..Options::default() };
        let old = Store::open(&scratch.0, options);
        let old = old.map_err(|error| OperateError::Store { why: format!("the backup: {error}") })?;
        let restored = context.store.restore(&old, &wanted, self.dry_run, &mut |progress| {
            let (on, total) = ("putting back".to_owned(), Some(progress.total));
            throttled.tell(Progress { on, done: progress.done, total, unit: Unit::Messages });
        });
        if !self.dry_run {
            let messages = restored.as_ref().map_or(0, |restored| restored.messages);
            audit(context, &format!("restore of {} to {login} from backup {name}: {messages} messages", self.what()));
        }
        let restored = restored.map_err(|error| OperateError::Store { why: error.to_string() })?;
        Ok(RestoredMail {
            backup: name.to_string(),
            messages: restored.messages,
            octets: restored.octets,
            present: restored.present,
            recalled: restored.taken,
            mailboxes: restored.mailboxes.into_iter().map(|(name, messages)| (name.to_string(), messages)).collect(),
        })
    }
}

impl Restore {
    /// What was asked for, for the audit.
    fn what(&self) -> String {
        let mailbox = self.mailbox.as_deref().unwrap_or("all mailboxes");
        match &self.message {
            Some(message) => format!("message {message} of {mailbox}"),
            None => mailbox.to_owned(),
        }
    }
}

/// A Message-ID as the store has it, when it was given without its brackets.
fn bracketed(id: &str) -> String {
    if id.contains('@') && !id.starts_with('<') { format!("<{id}>") } else { id.to_owned() }
}

/// The backup a text means.
pub(super) fn named(snapshots: &Snapshots, text: &str) -> Result<SnapshotName, OperateError> {
    if let Ok(name) = text.parse() {
        return Ok(name);
    }
    let until_s = moment(text).ok_or_else(|| OperateError::BadDate { text: text.to_owned() })?;
    let newest = snapshots.newest_until(until_s)?;
    newest.ok_or_else(|| OperateError::NoSuchBackup { of: text.to_owned() })
}

/// Seconds since 1970 of a moment in UTC, `2026-11-30T14:00` or with a zone of its own; of a day, its last second.
fn moment(text: &str) -> Option<i64> {
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(timestamp.as_second());
    }
    // A date alone also reads as its midnight.
    let at = match text.len() {
        10 => text.parse::<civil::Date>().ok()?.at(23, 59, 59, 0),
        _ => text.parse::<civil::DateTime>().ok()?,
    };
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// A folder for the store of then; gone with the value.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(data: &Path, name: SnapshotName) -> Result<Scratch, OperateError> {
        let path = data.join(SCRATCH).join(format!("restore-{name}"));
        match std::fs::remove_dir_all(&path) {
            // Of a restore that was killed.
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(OperateError::file(&path, error)),
        }
        std::fs::create_dir_all(&path).map_err(|error| OperateError::file(&path, error))?;
        Ok(Scratch(path))
    }
}

impl Scratch {
    pub(super) fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("{}: the scratch folder stays: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_means_its_end_and_a_moment_itself() {
        for (text, seconds) in [
            ("2026-11-30", Some(1_796_083_199)),
            ("2026-11-30T03:30", Some(1_796_009_400)),
            ("2026-11-30T03:30:01Z", Some(1_796_009_401)),
            ("2026-11-30T04:30+01:00", Some(1_796_009_400)),
            ("yesterday", None),
            ("2026-02-30", None),
            ("", None),
        ] {
            assert_eq!(moment(text), seconds, "{text}");
        }
    }

    #[test]
    fn a_message_id_may_lack_its_brackets_and_an_emailid_has_none() {
        assert_eq!([bracketed("a@b"), bracketed("<a@b>"), bracketed("1f0c")], ["<a@b>", "<a@b>", "1f0c"]);
    }
}
