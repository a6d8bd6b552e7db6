//! Writing mbox (`mail::archive::mbox`).

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use store::MailboxInfo;

use super::{Run, date, file_name};
use crate::operate::OperateError;
use crate::operate::folder::Folder;

/// How the files of an account end.
pub(crate) const SUFFIX: &str = ".mbox";
/// How they end until they are complete.
const UNFINISHED: &str = ".new";

/// A file `Name.Sub.mbox` for each mailbox.
pub(super) fn account(run: &mut Run, mailboxes: &[MailboxInfo], to: &Path) -> Result<(), OperateError> {
    let extra = SUFFIX.len() + UNFINISHED.len();
    let names = mailboxes.iter().map(|mailbox| file_name(&mailbox.name, extra)).collect::<Result<Vec<_>, _>>()?;
    let folder = Folder::fresh(to)?;
    for (mailbox, name) in mailboxes.iter().zip(&names) {
        whole(run, mailbox, &folder, &format!("{name}{SUFFIX}"))?;
    }
    folder.flush()
}

/// The file `to`.
pub(super) fn one(run: &mut Run, mailboxes: &[MailboxInfo], to: &Path) -> Result<(), OperateError> {
    let there = || OperateError::NotEmpty { path: to.to_owned() };
    let (Some(parent), Some(name)) = (to.parent(), to.file_name().and_then(OsStr::to_str)) else {
        return Err(OperateError::file(to, "the name of the file is not UTF-8"));
    };
    if std::fs::symlink_metadata(to).is_ok() {
        return Err(there());
    }
    let folder = Folder::open(parent)?;
    for mailbox in mailboxes {
        whole(run, mailbox, &folder, name)?;
    }
    folder.flush()
}

/// Under another name until it is complete; gone when it does not get there.
fn whole(run: &mut Run, mailbox: &MailboxInfo, folder: &Folder, name: &str) -> Result<(), OperateError> {
    let unfinished = format!("{name}{UNFINISHED}");
    let file = folder.create(&unfinished)?;
    let written = write(run, mailbox, file, &folder.path().join(&unfinished));
    let written = written.and_then(|()| folder.rename_into(&unfinished, folder, name));
    if written.is_err() {
        // What it was about is more to the point than that this failed too.
        let _ = folder.remove(&unfinished);
    }
    written
}

fn write(run: &mut Run, mailbox: &MailboxInfo, file: File, path: &Path) -> Result<(), OperateError> {
    let bad = |error| OperateError::file(path, error);
    let mut file = BufWriter::new(file);
    let mut text = Vec::new();
    for row in run.rows(mailbox)?.unwrap_or_default() {
        let Some(octets) = run.body(mailbox, row.uid)? else { continue };
        text.clear();
        mail::archive::mbox::write(&octets, &row.flags, date(row.internal_date), &mut text);
        file.write_all(&text).map_err(bad)?;
    }
    file.into_inner().map_err(|error| error.into_error()).and_then(|file| file.sync_all()).map_err(bad)
}
