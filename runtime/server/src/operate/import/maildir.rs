//! Reading Maildir++.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use mail::archive::lines;
use mail::archive::maildir::{KEYWORDS_FILE, Keywords, order};
use mail::{Flags, MailboxName};
use store::InternalDate;

use super::batch::Arrival;
use super::{ByMailbox, MESSAGE_OCTETS_MAX, Run, Target};
use crate::operate::folder::{Folder, Opened, shown};
use crate::operate::{OperateError, Problem, folder_name};

/// Longest `dovecot-keywords` or `subscriptions` that is read, in octets.
const LIST_OCTETS_MAX: u64 = 1 << 20;

/// The Maildir `from` into one mailbox, or it and the folders in it into those of their names.
pub(super) fn import(run: &mut Run, from: &Path, target: Option<&MailboxName>) -> Result<(), OperateError> {
    let root = Folder::open(from)?;
    if !is_maildir(&root) {
        return Err(OperateError::NotMaildir { path: from.to_owned() });
    }
    let (mut sources, subscribed) = match target {
        Some(_) => {
            run.imported.passed_over = folders(&root)?.len() as u64;
            (ByMailbox::new(), None)
        }
        None => (by_name(run, &root)?, subscriptions(&root)?),
    };
    sources.entry(target.cloned().unwrap_or_else(MailboxName::inbox)).or_default().push(root);
    for folder in sources.values().flatten() {
        run.total += files(folder)?.len() as u64;
    }
    for (name, folders) in &sources {
        let Some(mut mailbox) = run.target(name)? else { continue };
        for folder in folders {
            messages(run, name, folder, &mut mailbox)?;
        }
        mailbox.finish(run)?;
    }
    let made = std::mem::take(&mut run.made);
    run.subscribe(&subscribed.unwrap_or(made))
}

fn is_maildir(folder: &Folder) -> bool {
    folder.has_folder("cur") && folder.has_folder("new")
}

/// Folders of Maildir++ in this one.
fn folders(root: &Folder) -> Result<Vec<(OsString, Folder)>, OperateError> {
    let mut names = root.names()?;
    names.retain(|name| name.as_bytes().starts_with(b"."));
    names.sort();
    let mut found = Vec::new();
    for name in names {
        if let Some(folder) = root.folder(&name)?.filter(is_maildir) {
            found.push((name, folder));
        }
    }
    Ok(found)
}

fn by_name(run: &mut Run, root: &Folder) -> Result<ByMailbox<Folder>, OperateError> {
    let mut found = ByMailbox::new();
    for (name, folder) in folders(root)? {
        match folder_name::decode(&name.as_bytes()[1..]) {
            Ok(mailbox) => found.entry(mailbox).or_default().push(folder),
            Err(why) => run.problem(Problem::BadName { place: shown(root, &name), why }),
        }
    }
    Ok(found)
}

/// What a file is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Cur,
    New,
}

/// In the order they were delivered in, as far as their names say.
fn files(folder: &Folder) -> Result<Vec<(Part, OsString)>, OperateError> {
    let mut found = Vec::new();
    for (part, name) in [(Part::Cur, "cur"), (Part::New, "new")] {
        let Some(inside) = folder.folder(OsStr::new(name))? else { continue };
        let names = inside.names()?.into_iter().filter(|name| !name.as_bytes().starts_with(b"."));
        found.extend(names.map(|name| (part, name)));
    }
    found.sort_by(|(_, a), (_, b)| order(a.as_bytes()).cmp(&order(b.as_bytes())));
    Ok(found)
}

fn messages(run: &mut Run, on: &MailboxName, folder: &Folder, target: &mut Target) -> Result<(), OperateError> {
    let keywords = Keywords::read(&list(folder, KEYWORDS_FILE)?.unwrap_or_default());
    let cur = folder.folder(OsStr::new("cur"))?;
    let new = folder.folder(OsStr::new("new"))?;
    for (part, name) in files(folder)? {
        run.step(on, 1)?;
        let inside = match part {
            Part::Cur => &cur,
            Part::New => &new,
        };
        let Some(inside) = inside else { continue };
        // Dovecot gives flags to names in `new`, too.
        let flags = keywords.flags(name.as_bytes());
        if let Some(arrival) = arrival(run, inside, &name, flags)? {
            target.take(run, arrival)?;
        }
    }
    Ok(())
}

/// Reads a message; `None` when it cannot be taken, which is noted.
fn arrival(run: &mut Run, folder: &Folder, name: &OsStr, flags: Flags) -> Result<Option<Arrival>, OperateError> {
    let place = shown(folder, name);
    let file = match folder.read(name) {
        Ok(Opened::File(file)) => file,
        Ok(Opened::NotAFile) => {
            run.problem(Problem::NotAFile { place });
            return Ok(None);
        }
        Ok(Opened::Gone) => return Ok(None),
        Err(OperateError::File { why, .. }) => {
            run.problem(Problem::Unreadable { place, why });
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let seconds = file.metadata().map(|metadata| metadata.mtime());
    let read = seconds.and_then(|seconds| Ok((seconds, octets(file, MESSAGE_OCTETS_MAX as u64 + 1)?)));
    let (seconds, octets) = match read {
        Ok(read) => read,
        Err(error) => {
            run.problem(Problem::Unreadable { place, why: error.to_string() });
            return Ok(None);
        }
    };
    if octets.len() > MESSAGE_OCTETS_MAX {
        run.problem(Problem::TooLong { place });
        return Ok(None);
    }
    let octets = lines::from_file(&octets).into_owned();
    Ok(Some(Arrival { place, octets, flags, internal_date: InternalDate { seconds, offset_minutes: 0 } }))
}

fn octets(file: File, octets_max: u64) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    file.take(octets_max).read_to_end(&mut octets)?;
    Ok(octets)
}

/// A small file beside the messages; `None` when there is none.
fn list(folder: &Folder, name: &str) -> Result<Option<Vec<u8>>, OperateError> {
    match folder.read(OsStr::new(name))? {
        Opened::File(file) => {
            let read = octets(file, LIST_OCTETS_MAX);
            read.map(Some).map_err(|error| OperateError::file(&folder.path().join(name), error))
        }
        Opened::NotAFile | Opened::Gone => Ok(None),
    }
}

/// The names in `subscriptions`: one a line, or Dovecot's second version with a header and tabs between the levels. A line
/// that names no mailbox is passed over.
fn subscriptions(root: &Folder) -> Result<Option<Vec<MailboxName>>, OperateError> {
    let Some(text) = list(root, "subscriptions")? else { return Ok(None) };
    let second = text.starts_with(b"V\t2\n");
    let lines = text.split(|octet| *octet == b'\n').skip(usize::from(second)).filter(|line| !line.is_empty());
    let name = |line: &[u8]| {
        let line = line.to_vec();
        let dotted =
            if second { line.iter().map(|octet| if *octet == b'\t' { b'.' } else { *octet }).collect() } else { line };
        folder_name::decode(OsString::from_vec(dotted).as_bytes()).ok()
    };
    Ok(Some(lines.filter_map(name).collect()))
}
