//! What requests name: an account, a mailbox in it, a place on the disk of the process that runs the handler.

use std::path::{Path, PathBuf};

use mail::{Login, MailboxName};
use serde::{Deserialize, Serialize};

use super::{Context, OperateError};

/// How files keep mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Maildir++: `cur`, `new` and `tmp` of INBOX, and the other mailboxes in folders `.Name.Sub`.
    Maildir,
    /// mboxrd: one file for a mailbox, or a folder of files `Name.Sub.mbox`.
    Mbox,
}

/// The login of an account that exists.
pub fn login(context: &Context, text: &str) -> Result<Login, OperateError> {
    let unknown = || OperateError::NoSuchLogin { login: text.to_owned() };
    let login = Login::new(text).ok_or_else(unknown)?;
    context.store.person(&login)?.map(|row| row.person.login).ok_or_else(unknown)
}

pub fn mailbox_name(text: &str) -> Result<MailboxName, OperateError> {
    MailboxName::new(text).map_err(|why| OperateError::BadName { name: text.to_owned(), why: why.to_string() })
}

/// Refuses what lies in the data folder, links resolved, and what is not absolute. The last part of `path` need not exist.
pub fn outside(context: &Context, path: &Path) -> Result<PathBuf, OperateError> {
    let Some(parent) = path.parent().filter(|_| path.is_absolute()) else {
        return Err(OperateError::RelativePath { path: path.to_owned() });
    };
    let Some(name) = path.file_name() else {
        return Err(OperateError::File { path: path.to_owned(), why: "the path has no last name".to_owned() });
    };
    let real = |path: &Path| std::fs::canonicalize(path).map_err(|error| OperateError::file(path, error));
    let whole = if path.exists() { real(path)? } else { real(parent)?.join(name) };
    if whole.starts_with(real(&context.data)?) {
        return Err(OperateError::InsideData { path: path.to_owned() });
    }
    Ok(whole)
}
