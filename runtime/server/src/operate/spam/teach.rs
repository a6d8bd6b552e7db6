//! `facteur spam teach`: a manager who has a collection teaches it at once, from a folder of messages or an mbox.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use mail::archive::mbox;
use mail::original::{self, Ours};
use serde::{Deserialize, Serialize};

use super::super::manager::{Decider, decider};
use super::super::{Context, OperateError, Operation, Problem, Problems, Progress, place};
use super::counts::{self, New, State};
use super::{Judged, alone};
use crate::clock;
use crate::teaching::facts::{Proposer, Taught, Way};
use crate::teaching::find::Located;
use crate::teaching::{ours, report};

/// Messages of one run, and octets of one message.
const MESSAGES_MAX: usize = 100_000;
const OCTETS_MAX: usize = 20 << 20;

/// `POST /spam/teach`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeachSpam {
    pub judged: Judged,
    /// Absolute: a folder whose files are messages, or an mbox.
    pub from: PathBuf,
    pub by: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaughtSpam {
    pub taught: u64,
    /// Taught as the same before.
    pub known: u64,
    pub problems: Problems,
}

impl Operation for TeachSpam {
    type Response = TaughtSpam;
    const PATH: &'static str = "/spam/teach";
    const LONG: bool = true;

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<TaughtSpam, OperateError> {
        let who = decider(context, &self, self.by.as_deref())?;
        let path = place::outside(context, &self.from)?;
        let mut run = Run { context, judged: self.judged, who, done: TaughtSpam::default(), seen: 0 };
        if path.is_dir() {
            run.folder(&path)?
        } else {
            run.mbox(&path)?
        }
        Ok(run.done)
    }
}

struct Run<'a> {
    context: &'a Context,
    judged: Judged,
    who: Decider,
    done: TaughtSpam,
    seen: usize,
}

impl Run<'_> {
    fn folder(&mut self, path: &Path) -> Result<(), OperateError> {
        let entries = std::fs::read_dir(path).map_err(|error| OperateError::file(path, error))?;
        let mut files: Vec<PathBuf> =
            entries.take(MESSAGES_MAX + 1).filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
        for file in files {
            let place = file.display().to_string();
            // A link could lead to a file of the server's own.
            let meta = std::fs::symlink_metadata(&file);
            if !meta.is_ok_and(|meta| meta.is_file()) {
                self.done.problems.add(Problem::NotAFile { place });
                continue;
            }
            match whole(&file) {
                Ok(Some(octets)) => self.message(place, &octets)?,
                Ok(None) => self.done.problems.add(Problem::TooLong { place }),
                Err(error) => self.done.problems.add(Problem::Unreadable { place, why: error.to_string() }),
            }
        }
        Ok(())
    }

    fn mbox(&mut self, path: &Path) -> Result<(), OperateError> {
        let file = File::open(path).map_err(|error| OperateError::file(path, error))?;
        let mut reader = mbox::Reader::new(BufReader::new(file), OCTETS_MAX);
        let mut number = 0;
        loop {
            number += 1;
            let place = format!("{}, message {number}", path.display());
            match reader.read() {
                Ok(None) => return Ok(()),
                Ok(Some(mbox::Entry::Message(message))) => self.message(place, &message.octets)?,
                Ok(Some(mbox::Entry::TooLong { .. })) => self.done.problems.add(Problem::TooLong { place }),
                Err(mbox::ReadError::NotMbox) => return Err(OperateError::NotMbox { path: path.to_owned() }),
                Err(mbox::ReadError::Io(error)) => return Err(OperateError::file(path, error)),
            }
        }
    }

    fn message(&mut self, place: String, octets: &[u8]) -> Result<(), OperateError> {
        self.context.go_on()?;
        self.seen += 1;
        if self.seen > MESSAGES_MAX {
            return Err(OperateError::BadRequest {
                why: format!("more than {MESSAGES_MAX} messages: teach them in parts"),
            });
        }
        if octets.trim_ascii().is_empty() {
            self.done.problems.add(Problem::Unreadable { place, why: "it is empty".to_owned() });
            return Ok(());
        }
        let ours = self.context.server.as_ref().map_or_else(Ours::default, |service| ours(service));
        let octets = original::undo(octets, &ours, true).octets().to_vec();
        let located = Located { octets, ..Located::default() };
        let proposer = Proposer { name: self.who.name(), proved: true };
        let facts = report::described(&located, proposer.clone(), Way::Manager, self.judged.is_spam());
        let taught = Taught {
            spam: self.judged.is_spam(),
            by: self.who.name(),
            at_s: clock::unix_s(),
            proposers: vec![proposer],
            hash: facts.hash,
            message_id: facts.message_id,
            subject: facts.subject,
            from: facts.from,
            ..Taught::default()
        };
        // Others may teach between two messages.
        let _alone = alone(self.context);
        let state = State::read(&self.context.store)?;
        match counts::teach(self.context, &state, New { octets: &located.octets, taught })? {
            None => self.done.known += 1,
            Some(change) => {
                let what = format!("taught as {} from {place}", self.judged.word());
                change.commit(self.context, &self.who, &what, Vec::new())?;
                self.done.taught += 1;
            }
        }
        Ok(())
    }
}

/// `None` when it is too long.
fn whole(file: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let mut octets = Vec::new();
    File::open(file)?.take(OCTETS_MAX as u64 + 1).read_to_end(&mut octets)?;
    Ok((octets.len() <= OCTETS_MAX).then_some(octets))
}
