//! The restore drill: materialises a snapshot into a scratch folder and compares everything with what must be there.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::bodies::Bodies;
use super::error::{damaged, io_at, sqlite_at};
use super::manifest::{DatabaseCounts, Manifest};
use super::materialise::name_databases;
use super::pace::{Pacer, apart};
use super::pack::{mark, pack_path};
use super::{Pace, Progress, SnapshotError, SnapshotName, Snapshots, Step};
use crate::read::body_row;

/// How thoroughly SQLite looks at a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// `PRAGMA quick_check`: every page and row.
    Quick,
    /// `PRAGMA integrity_check`: indexes against their tables too.
    Full,
}

/// What a drill looked at, what was wrong, and how long a restore would take.
#[derive(Debug, Default)]
pub struct DrillReport {
    pub pages: u64,
    pub bodies: u64,
    pub body_octets: u64,
    pub databases: Vec<DatabaseCounts>,
    /// Writing the databases and placing the segments: what a restore has to do.
    pub restoring: Duration,
    pub checking_databases: Duration,
    pub checking_bodies: Duration,
    /// Empty when the snapshot is sound.
    pub findings: Vec<DrillFinding>,
}

#[derive(Debug)]
pub enum DrillFinding {
    /// A file of the snapshot is missing, damaged, or of a later version. The databases are not looked at then.
    File(SnapshotError),
    /// What SQLite says about a database.
    Database { database: String, says: String },
    /// A database has not what the manifest counted.
    Counts { expected: DatabaseCounts, found: DatabaseCounts },
    /// The record of a body is damaged or gone.
    Body { database: String, blob: i64, segment: u32 },
}

/// Findings of SQLite per database.
const SAYS_MAX: usize = 100;
/// Findings of bodies; a lost segment has more than anybody reads.
const BODIES_MAX: usize = 1_000;

/// Goes with the drill, whatever it found.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("{}: the scratch folder stays: {error}", self.0.display());
        }
    }
}

impl Snapshots {
    /// Restores the snapshot into a new folder in `scratch`, which has to have room for the databases, checks it, and
    /// removes it again. Packs found damaged are remembered, so that the next snapshot stores their pages anew. Runs on a
    /// thread of its own; `progress` is called on the caller's, and waited for.
    pub fn verify(
        &self,
        name: SnapshotName,
        scratch: &Path,
        depth: Depth,
        pace: Pace,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<DrillReport, SnapshotError> {
        let _reading = self.lock_reading()?;
        let mut report = DrillReport::default();
        let manifest = match self.manifest(name) {
            Ok(manifest) => manifest,
            Err(error @ (SnapshotError::Damaged { .. } | SnapshotError::Newer { .. })) => {
                report.findings.push(DrillFinding::File(error));
                return Ok(report);
            }
            Err(error) => return Err(error),
        };
        let folder = scratch.join(format!("drill-{name}"));
        if folder.try_exists().map_err(io_at(&folder))? {
            // Of a drill that was killed.
            std::fs::remove_dir_all(&folder).map_err(io_at(&folder))?;
        }
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(io_at(&folder))?;
        let scratch = Scratch(folder);
        let work = |progress: &mut dyn FnMut(Progress)| {
            self.drill(&manifest, &scratch.0, depth, &mut Pacer::start(pace), &mut report, progress)
        };
        apart(work, progress)?;
        Ok(report)
    }

    fn drill(
        &self,
        manifest: &Manifest,
        folder: &Path,
        depth: Depth,
        pacer: &mut Pacer,
        report: &mut DrillReport,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), SnapshotError> {
        report.pages = manifest.pages.len() as u64;
        report.databases = manifest.head.databases.clone();
        let began = Instant::now();
        match self.place_segments(manifest, folder, pacer, progress) {
            Ok(_) => {}
            Err(error @ SnapshotError::Damaged { .. }) => report.findings.push(DrillFinding::File(error)),
            Err(error) => return Err(error),
        }
        let (temporary, found) = self.write_databases(manifest, folder, pacer, progress)?;
        report.restoring = began.elapsed();
        for (pack, damage) in found {
            mark(&self.packs, pack)?;
            report.findings.push(DrillFinding::File(damaged(&pack_path(&self.packs, pack), damage)));
        }
        if !report.findings.is_empty() {
            return Ok(());
        }
        let mut opened = Vec::new();
        for (path, counts) in name_databases(&temporary)?.into_iter().zip(&manifest.head.databases) {
            let db = open_unchanging(&path)?;
            opened.push(Opened { path, db, counts });
        }
        let began = Instant::now();
        for database in &opened {
            database.check(depth, report)?;
        }
        report.checking_databases = began.elapsed();
        let began = Instant::now();
        let total = manifest.head.databases.iter().map(|database| database.octets).sum();
        let mut bodies = Bodies::of(folder);
        for database in &opened {
            database.bodies(&mut bodies, pacer, report, &mut |done| {
                // One body may belong to many messages: what is done ends below the sum of their sizes.
                progress(Progress { step: Step::Bodies, done, total });
            })?;
        }
        report.checking_bodies = began.elapsed();
        Ok(())
    }
}

/// A database of the drill and what it must have.
struct Opened<'a> {
    path: PathBuf,
    db: Connection,
    counts: &'a DatabaseCounts,
}

impl Opened<'_> {
    fn check(&self, depth: Depth, report: &mut DrillReport) -> Result<(), SnapshotError> {
        let pragma = match depth {
            Depth::Quick => "PRAGMA quick_check",
            Depth::Full => "PRAGMA integrity_check",
        };
        let says = || -> rusqlite::Result<Vec<String>> {
            self.db.prepare(pragma)?.query_map([], |row| row.get(0))?.take(SAYS_MAX).collect()
        };
        for says in says().map_err(sqlite_at(&self.path))?.into_iter().filter(|says| says != "ok") {
            report.findings.push(DrillFinding::Database { database: self.counts.name.clone(), says });
        }
        let number = |sql: &str| {
            self.db.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|n| n as u64).map_err(sqlite_at(&self.path))
        };
        let found = DatabaseCounts {
            name: self.counts.name.clone(),
            pages: number("PRAGMA page_count")? as u32,
            seq: number("SELECT value FROM meta WHERE key = 'seq'")?,
            messages: number("SELECT count(*) FROM msg")?,
            octets: number("SELECT ifnull(sum(size), 0) FROM msg")?,
            mailboxes: number("SELECT count(*) FROM mailbox")?,
        };
        if found != *self.counts {
            report.findings.push(DrillFinding::Counts { expected: self.counts.clone(), found });
        }
        Ok(())
    }

    fn bodies(
        &self,
        bodies: &mut Bodies,
        pacer: &mut Pacer,
        report: &mut DrillReport,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), SnapshotError> {
        let sql = "SELECT id, seg, off, skip, len, crc, NULL FROM blob WHERE refs > 0 ORDER BY id";
        let mut query = self.db.prepare(sql).map_err(sqlite_at(&self.path))?;
        let mut damaged = 0;
        let rows = query.query_map([], |row| Ok((row.get(0)?, body_row(0, row, 0)?)));
        for row in rows.map_err(sqlite_at(&self.path))? {
            let (blob, body) = row.map_err(sqlite_at(&self.path))?;
            report.bodies += 1;
            report.body_octets += body.len();
            if bodies.read(&body.0.place)?.is_none() && damaged < BODIES_MAX {
                damaged += 1;
                report.findings.push(DrillFinding::Body {
                    database: self.counts.name.clone(),
                    blob,
                    segment: body.segment(),
                });
            }
            progress(report.body_octets);
            pacer.rest();
        }
        Ok(())
    }
}

/// A connection to a database nobody changes. SQLite would else need a WAL and an index of it beside the file.
fn open_unchanging(path: &Path) -> Result<Connection, SnapshotError> {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            // Writing into a string does not fail.
            _ => drop(write!(uri, "%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(uri, flags).map_err(sqlite_at(path))
}
