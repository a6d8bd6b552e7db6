//! Writing Maildir++ (`mail::archive::maildir`).

use std::io::Write;
use std::path::Path;

use mail::archive::lines;
use mail::archive::maildir::{KEYWORDS_FILE, Keywords, Unique};
use store::{MailboxInfo, MessageRow};

use super::{Run, file_name};
use crate::operate::OperateError;
use crate::operate::folder::{Folder, set_time};

/// Files that wait in `tmp` for one flush. One each would cost the flush of a journal each.
const BATCH_FILES: usize = 512;
/// Octets of them, so that a flush does not take long.
const BATCH_OCTETS: u64 = 64 << 20;
/// Marks a folder as one of Maildir++.
const MARK: &str = "maildirfolder";

/// INBOX in `to` itself, each other mailbox in `.Name.Sub`.
pub(super) fn account(run: &mut Run, mailboxes: &[MailboxInfo], to: &Path) -> Result<(), OperateError> {
    let names = mailboxes.iter().map(|mailbox| file_name(&mailbox.name, 1)).collect::<Result<Vec<_>, _>>()?;
    let root = Maildir::make(Folder::fresh(to)?)?;
    for (mailbox, name) in mailboxes.iter().zip(&names) {
        if mailbox.name.is_inbox() {
            write(run, mailbox, &root)?;
            continue;
        }
        let folder = Maildir::make(root.folder.make(&format!(".{name}"))?)?;
        folder.folder.create(MARK)?;
        write(run, mailbox, &folder)?;
    }
    subscriptions(run, &root.folder)?;
    root.folder.flush()
}

/// The mailbox in `to` itself.
pub(super) fn one(run: &mut Run, mailboxes: &[MailboxInfo], to: &Path) -> Result<(), OperateError> {
    let root = Maildir::make(Folder::fresh(to)?)?;
    for mailbox in mailboxes {
        write(run, mailbox, &root)?;
    }
    root.folder.flush()
}

struct Maildir {
    folder: Folder,
    cur: Folder,
    tmp: Folder,
}

impl Maildir {
    fn make(folder: Folder) -> Result<Maildir, OperateError> {
        folder.make("new")?;
        Ok(Maildir { cur: folder.make("cur")?, tmp: folder.make("tmp")?, folder })
    }
}

fn write(run: &mut Run, mailbox: &MailboxInfo, maildir: &Maildir) -> Result<(), OperateError> {
    let Some(rows) = run.rows(mailbox)? else { return Ok(()) };
    let keywords = Keywords::of(rows.iter().map(|row| &row.flags));
    let text = keywords.text();
    if !text.is_empty() {
        let mut file = maildir.folder.create(KEYWORDS_FILE)?;
        file.write_all(text.as_bytes()).map_err(|error| OperateError::file(maildir.folder.path(), error))?;
    }
    let mut batch = Batch { maildir, keywords, uidvalidity: mailbox.uidvalidity, names: Vec::new(), octets: 0 };
    let mut seconds = 0;
    for row in &rows {
        // What programs order messages by never falls.
        seconds = row.internal_date.seconds.max(seconds);
        let Some(octets) = run.body(mailbox, row.uid)? else { continue };
        run.exported.not_carried.keywords += batch.put(row, seconds, &octets)?;
        if batch.names.len() >= BATCH_FILES || batch.octets >= BATCH_OCTETS {
            batch.finish()?;
        }
    }
    batch.finish()
}

/// Files in `tmp`, with the names they will have in `cur`.
struct Batch<'a> {
    maildir: &'a Maildir,
    keywords: Keywords,
    uidvalidity: u32,
    names: Vec<(String, String)>,
    octets: u64,
}

impl Batch<'_> {
    /// Writes a file; how many keywords have no letter.
    fn put(&mut self, row: &MessageRow, seconds: i64, octets: &[u8]) -> Result<u64, OperateError> {
        let text = lines::to_file(octets);
        let (file_octets, size_octets) = (text.len() as u64, octets.len() as u64);
        let unique = Unique { seconds, uidvalidity: self.uidvalidity, uid: row.uid, file_octets, size_octets };
        let (letters, lost) = self.keywords.letters(&row.flags);
        let (name, new_name) = (unique.name(), unique.name_with(&letters));
        let tmp = &self.maildir.tmp;
        let mut file = tmp.create(&name)?;
        let written = file.write_all(&text).and_then(|()| set_time(&file, row.internal_date.seconds));
        written.map_err(|error| OperateError::file(&tmp.path().join(&name), error))?;
        self.names.push((name, new_name));
        self.octets += file_octets;
        Ok(lost as u64)
    }

    /// On the device first, then under their names.
    fn finish(&mut self) -> Result<(), OperateError> {
        if self.names.is_empty() {
            return Ok(());
        }
        let Maildir { tmp, cur, .. } = self.maildir;
        tmp.flush()?;
        for (name, new_name) in self.names.drain(..) {
            tmp.rename_into(&name, cur, &new_name)?;
        }
        self.octets = 0;
        Ok(())
    }
}

/// `subscriptions` as Dovecot has it: one name a line, with the names of the folders.
fn subscriptions(run: &mut Run, root: &Folder) -> Result<(), OperateError> {
    let names = run.context.store.subscriptions(&run.login)?;
    // A name too long for a file has no mailbox here.
    let lines = names.iter().filter_map(|name| crate::operate::folder_name::encode(name, 1));
    let text: String = lines.map(|line| line + "\n").collect();
    let mut file = root.create("subscriptions")?;
    file.write_all(text.as_bytes()).map_err(|error| OperateError::file(root.path(), error))
}
