//! Reading mbox: one file, or a folder of files `Name.Sub.mbox`.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mail::MailboxName;
use mail::archive::mbox::{Entry, Message, ReadError, Reader};
use mail::date::DateTime;
use store::InternalDate;

use super::batch::Arrival;
use super::{ByMailbox, MESSAGE_OCTETS_MAX, Run, Target};
use crate::operate::export::MBOX_SUFFIX;
use crate::operate::folder::{Folder, Opened, shown};
use crate::operate::{OperateError, Problem, Unit, folder_name};

/// An mbox that is open.
struct Source {
    file: File,
    path: PathBuf,
}

pub(super) fn import(run: &mut Run, from: &Path, target: Option<&MailboxName>) -> Result<(), OperateError> {
    run.unit = Unit::Octets;
    let sources = if from.is_dir() {
        let sources = by_name(run, &Folder::open(from)?)?;
        match target {
            None => sources,
            Some(_) => return Err(OperateError::NotMbox { path: from.to_owned() }),
        }
    } else {
        let target = target.ok_or_else(|| OperateError::WhichMailbox { path: from.to_owned() })?;
        ByMailbox::from([(target.clone(), vec![file(from)?])])
    };
    for source in sources.values().flatten() {
        run.total += source.file.metadata().map_or(0, |metadata| metadata.len());
    }
    for (name, files) in sources {
        let Some(mut mailbox) = run.target(&name)? else { continue };
        for source in files {
            messages(run, &name, source, &mut mailbox)?;
        }
        mailbox.finish(run)?;
    }
    let made = std::mem::take(&mut run.made);
    run.subscribe(&made)
}

/// One file. The path may be a link: whoever asked chose it.
fn file(path: &Path) -> Result<Source, OperateError> {
    let bad = |error| OperateError::file(path, error);
    // A pipe would be waited for.
    if !std::fs::metadata(path).map_err(bad)?.is_file() {
        return Err(OperateError::file(path, "no regular file"));
    }
    Ok(Source { file: File::open(path).map_err(bad)?, path: path.to_owned() })
}

fn by_name(run: &mut Run, folder: &Folder) -> Result<ByMailbox<Source>, OperateError> {
    let mut names = folder.names()?;
    names.sort();
    let mut found = ByMailbox::new();
    for name in names {
        let Some(stem) = name.as_bytes().strip_suffix(MBOX_SUFFIX.as_bytes()) else { continue };
        let place = shown(folder, &name);
        match (folder_name::decode(stem), folder.read(&name)?) {
            (Ok(mailbox), Opened::File(file)) => {
                let path = folder.path().join(OsStr::from_bytes(name.as_bytes()));
                found.entry(mailbox).or_default().push(Source { file, path });
            }
            (Ok(_), Opened::NotAFile) => run.problem(Problem::NotAFile { place }),
            (Err(why), Opened::File(_) | Opened::NotAFile) => run.problem(Problem::BadName { place, why }),
            (_, Opened::Gone) => {}
        }
    }
    if found.is_empty() && run.imported.problems.is_empty() {
        return Err(OperateError::NotMbox { path: folder.path().to_owned() });
    }
    Ok(found)
}

/// A file that one can ask how much of it was read.
struct Counted {
    file: File,
    octets: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.octets.set(self.octets.get() + read as u64);
        Ok(read)
    }
}

fn messages(run: &mut Run, on: &MailboxName, source: Source, target: &mut Target) -> Result<(), OperateError> {
    let Source { file, path } = source;
    let octets = Rc::new(Cell::new(0));
    let counted = Counted { file, octets: octets.clone() };
    let mut reader = Reader::new(BufReader::with_capacity(64 * 1024, counted), MESSAGE_OCTETS_MAX);
    let mut number = 0_u64;
    loop {
        run.step(on, octets.take())?;
        let entry = match reader.read() {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(()),
            Err(ReadError::NotMbox) => return Err(OperateError::NotMbox { path }),
            Err(ReadError::Io(error)) => return Err(OperateError::file(&path, error)),
        };
        number += 1;
        let place = format!("{} message {number}", path.display());
        match entry {
            Entry::TooLong { .. } => run.problem(Problem::TooLong { place }),
            Entry::Message(message) => target.take(run, arrival(place, *message))?,
        }
    }
}

/// Without a date in the `From ` line the message's own counts, else this moment.
fn arrival(place: String, message: Message) -> Arrival {
    let Message { octets, flags, date } = message;
    let own = || mail::header::find(&octets, "Date").and_then(|field| DateTime::parse_rfc5322(&field.value()));
    let date = date.or_else(own).unwrap_or_else(|| DateTime::utc(crate::clock::unix_s()));
    let internal_date = InternalDate { seconds: date.unix_seconds, offset_minutes: date.offset_minutes };
    Arrival { place, octets, flags, internal_date }
}
