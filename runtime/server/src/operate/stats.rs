//! `facteur store stats`: how much of everything there is.

use std::io;
use std::path::{Path, PathBuf};

use decide::roles;
use serde::{Deserialize, Serialize};

use super::progress::Throttled;
use super::{Context, OperateError, Operation, Progress, Unit};

/// People read at a time.
const SLICE: u32 = 1_000;
/// Most accounts one may ask for.
const TOP_MAX: usize = 10_000;

/// `POST /store/stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatsOf {
    /// How many accounts are named, those that use most first.
    pub top: usize,
}

/// Octets are octets of files where nothing else is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    pub data: PathBuf,
    pub format: i64,
    pub shards: u8,
    pub people: u64,
    pub mailboxes: u64,
    pub messages: u64,
    /// The sum of what counts against quotas: a message in two mailboxes counts twice.
    pub used_octets: u64,
    pub top: Vec<AccountUse>,
    pub bodies: u64,
    pub segments: u64,
    pub segment_octets: u64,
    /// Of those, what no message points at any more.
    pub dead_octets: u64,
    pub database_octets: u64,
    pub wal_octets: u64,
    pub index_octets: u64,
    pub snapshot_octets: u64,
    pub spooled: u64,
    pub quarantined: u64,
    /// Left on the file system for this process.
    pub free_octets: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountUse {
    pub login: String,
    pub mailboxes: u64,
    pub messages: u64,
    pub used_octets: u64,
    pub quota_octets: u64,
}

impl Operation for StatsOf {
    type Response = Stats;
    const PATH: &'static str = "/store/stats";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::SeeStatistics
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Stats, OperateError> {
        let mut stats = Stats { data: context.data.clone(), ..Stats::default() };
        accounts(context, self.top.min(TOP_MAX), &mut stats, tell)?;
        let amounts = context.store.amounts()?;
        stats.format = amounts.format;
        stats.shards = amounts.shards;
        stats.bodies = amounts.bodies;
        stats.spooled = amounts.spooled;
        stats.quarantined = amounts.quarantined;
        files(&context.data, &mut stats).map_err(|error| OperateError::file(&context.data, error))?;
        let snapshots = &context.snapshots;
        stats.snapshot_octets = tree(snapshots).map_err(|error| OperateError::file(snapshots, error))?;
        stats.dead_octets = stats.segment_octets.saturating_sub(amounts.live_octets);
        let space = rustix::fs::statvfs(&context.data);
        let space = space.map_err(|error| OperateError::file(&context.data, error))?;
        stats.free_octets = space.f_bavail.saturating_mul(space.f_frsize);
        Ok(stats)
    }
}

fn accounts(
    context: &Context,
    top: usize,
    stats: &mut Stats,
    tell: &mut dyn FnMut(Progress),
) -> Result<(), OperateError> {
    let total = Some(context.store.people_count()?);
    let mut throttled = Throttled::new(tell);
    let mut after = None;
    loop {
        let slice = context.store.people(after.as_ref(), SLICE)?;
        let Some(last) = slice.last() else { break };
        after = Some(last.person.login.clone());
        for row in &slice {
            context.go_on()?;
            throttled.tell(Progress { on: "counting".to_owned(), done: stats.people, total, unit: Unit::Accounts });
            let login = &row.person.login;
            let usage = context.store.usage(login)?;
            let (used_octets, messages, quota_octets) = (usage.used_octets, usage.messages, usage.quota_octets);
            let mailboxes = context.store.mailboxes(login)?.len() as u64;
            stats.people += 1;
            stats.mailboxes += mailboxes;
            stats.messages += messages;
            stats.used_octets += used_octets;
            stats.top.push(AccountUse { login: login.to_string(), mailboxes, messages, used_octets, quota_octets });
        }
        stats.top.sort_by(|a, b| b.used_octets.cmp(&a.used_octets).then_with(|| a.login.cmp(&b.login)));
        stats.top.truncate(top);
    }
    Ok(())
}

/// Octets of the files in the data folder, by what they are for.
fn files(data: &Path, stats: &mut Stats) -> io::Result<()> {
    for entry in std::fs::read_dir(data)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(metadata) = entry.metadata() else { continue };
        if !metadata.is_file() {
            continue;
        }
        if name.ends_with("-wal") {
            stats.wal_octets += metadata.len();
        } else if name.starts_with("meta-") && name.ends_with(".db") {
            stats.database_octets += metadata.len();
        } else if name.ends_with(".db") {
            stats.index_octets += metadata.len();
        }
    }
    for entry in std::fs::read_dir(data.join("segments"))? {
        let Ok(metadata) = entry?.metadata() else { continue };
        stats.segments += 1;
        stats.segment_octets += metadata.len();
    }
    Ok(())
}

/// Octets of all files below a folder; 0 when there is none. Links are not followed.
fn tree(folder: &Path) -> io::Result<u64> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut octets = 0;
    for entry in entries {
        let entry = entry?;
        let Ok(metadata) = std::fs::symlink_metadata(entry.path()) else { continue };
        octets += if metadata.is_dir() { tree(&entry.path())? } else { metadata.len() };
    }
    Ok(octets)
}
