//! `facteur spam export` and `import`: what was learned, as a file.
//!
//! Lines of JSON: first what it is, then `[token, spam, ham]` in order of token, last the BLAKE3 of all lines before. What is
//! imported takes the place of what was imported before, and goes on counting beside what is taught here.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store::TokenCounts;

use super::super::manager::decider;
use super::super::{Context, OperateError, Operation, Progress, audit, place};
use super::counts::State;
use super::recount::{Counts, become_, bucket, recount};
use super::{ALL, BASE, alone};
use crate::teaching::learned::{MESSAGES, TOKENS_VERSION};

/// Tokens of a file, and octets of a line of it.
const TOKENS_MAX: u64 = 10_000_000;
/// Messages of a file: what is taught here is added, and all of it is counted in 32 bits.
const MESSAGES_MAX: u32 = 1_000_000_000;
const LINE_OCTETS_MAX: usize = 256;

/// `POST /spam/export`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportCounts {
    /// Absolute; nothing may be there.
    pub file: PathBuf,
}

/// `POST /spam/import`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportCounts {
    /// Absolute.
    pub file: PathBuf,
    pub by: Option<String>,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Messages that were taught.
    pub spam: u32,
    pub ham: u32,
    pub tokens: u64,
}

/// The first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// 1.
    facteur_spam_counts: u32,
    tokens_version: u32,
    #[serde(flatten)]
    holds: Moved,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct Tail {
    blake3: String,
}

impl Operation for ExportCounts {
    type Response = Moved;
    const PATH: &'static str = "/spam/export";
    const LONG: bool = true;

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Moved, OperateError> {
        let path = place::outside(context, &self.file)?;
        let state = State::read(&context.store)?;
        state.whole()?;
        let _alone = alone(context);
        let counts = bucket(context, ALL)?;
        let file = File::create_new(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => OperateError::NotEmpty { path: path.clone() },
            _ => OperateError::file(&path, error),
        })?;
        let written = write(BufWriter::new(file), &counts, state.tokens_version.max(1))
            .map_err(|error| OperateError::file(&path, error));
        if written.is_err() {
            // Half a file is worth nothing.
            let _ = std::fs::remove_file(&path);
        }
        audit(context, &format!("exported what the spam filter learned to {}", path.display()));
        written
    }
}

fn holds(counts: &Counts) -> Moved {
    let messages = counts.get(&MESSAGES).copied().unwrap_or_default();
    let tokens = counts.len() as u64 - u64::from(counts.contains_key(&MESSAGES));
    Moved { spam: messages.spam, ham: messages.ham, tokens }
}

fn write(mut to: BufWriter<File>, counts: &Counts, tokens_version: u32) -> std::io::Result<Moved> {
    let holds = holds(counts);
    let mut hasher = blake3::Hasher::new();
    let mut line = |line: String| {
        hasher.update(line.as_bytes());
        to.write_all(line.as_bytes())
    };
    line(format!("{}\n", serde_json::to_string(&Head { facteur_spam_counts: 1, tokens_version, holds })?))?;
    for (token, counts) in counts.iter().filter(|(token, _)| **token != MESSAGES) {
        line(format!("[\"{token:016x}\",{},{}]\n", counts.spam, counts.ham))?;
    }
    let tail = Tail { blake3: hasher.finalize().to_hex().to_string() };
    to.write_all(format!("{}\n", serde_json::to_string(&tail)?).as_bytes())?;
    to.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(holds)
}

impl Operation for ImportCounts {
    type Response = Moved;
    const PATH: &'static str = "/spam/import";
    const LONG: bool = true;

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Moved, OperateError> {
        let who = decider(context, &self, self.by.as_deref())?;
        let path = place::outside(context, &self.file)?;
        let file = File::open(&path).map_err(|error| OperateError::file(&path, error))?;
        let (counts, holds) = read(BufReader::new(file), &path)?;
        let _alone = alone(context);
        let state = State::read(&context.store)?;
        let importing = State { importing: true, base_version: TOKENS_VERSION, ..state.clone() };
        context.store.commit_wait(vec![importing.op()])?;
        become_(context, BASE, &counts)?;
        context.store.commit_wait(vec![State { importing: false, recounting: true, ..importing }.op()])?;
        recount(context, &who, tell)?;
        audit(
            context,
            &format!(
                "{who} imported what a spam filter learned from {}: {} spam, {} ham",
                path.display(),
                holds.spam,
                holds.ham
            ),
        );
        Ok(holds)
    }
}

/// All of a file, once its checksum and its totals are right.
fn read(mut from: impl BufRead, path: &Path) -> Result<(Counts, Moved), OperateError> {
    let bad = |why: &str| OperateError::file(path, why);
    let mut hasher = blake3::Hasher::new();
    let first = line(&mut from, path)?;
    let head: Head = serde_json::from_str(&first).map_err(|_| bad("no counts of a spam filter"))?;
    if head.facteur_spam_counts != 1 {
        return Err(bad("a file of another version of this program"));
    }
    if head.tokens_version != TOKENS_VERSION {
        let why = format!(
            "its tokens are of version {}, here it is {TOKENS_VERSION}: teach messages instead",
            head.tokens_version
        );
        return Err(OperateError::Refused { why, rule: "antispam.taught_by".to_owned() });
    }
    if head.holds.tokens > TOKENS_MAX {
        return Err(bad("too many tokens"));
    }
    if head.holds.spam.max(head.holds.ham) > MESSAGES_MAX {
        return Err(bad("too many messages"));
    }
    hasher.update(first.as_bytes());
    let mut counts = Counts::new();
    for _ in 0..head.holds.tokens {
        let row = line(&mut from, path)?;
        hasher.update(row.as_bytes());
        let (token, spam, ham): (String, u32, u32) =
            serde_json::from_str(&row).map_err(|_| bad("a line is no count"))?;
        let token = u64::from_str_radix(&token, 16).map_err(|_| bad("a line is no count"))?;
        if token == MESSAGES || counts.insert(token, TokenCounts { spam, ham }).is_some() {
            return Err(bad("a token stands there twice"));
        }
    }
    let tail: Tail = serde_json::from_str(&line(&mut from, path)?).map_err(|_| bad("it ends too early or too late"))?;
    if tail.blake3 != hasher.finalize().to_hex().as_str() {
        return Err(bad("its checksum is wrong"));
    }
    if counts.values().any(|one| one.spam > head.holds.spam || one.ham > head.holds.ham) {
        return Err(bad("a token is in more messages than there are"));
    }
    if (head.holds.spam, head.holds.ham) != (0, 0) {
        counts.insert(MESSAGES, TokenCounts { spam: head.holds.spam, ham: head.holds.ham });
    }
    Ok((counts, head.holds))
}

fn line(from: &mut impl BufRead, path: &Path) -> Result<String, OperateError> {
    let mut line = String::new();
    let read = from.by_ref().take(LINE_OCTETS_MAX as u64).read_line(&mut line);
    read.map_err(|error| OperateError::file(path, error))?;
    Ok(line)
}
