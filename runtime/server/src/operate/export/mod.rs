//! `facteur export`: one mailbox or a whole account as Maildir or mbox.
//!
//! A mailbox is written as it is at one moment; what is expunged meanwhile is left out and counted. Nothing that is there
//! is written over. Each file is complete under its name, or has another one.

mod maildir;
mod mbox;

use std::path::PathBuf;

use mail::date::DateTime;
use mail::{Login, MailboxName};
use serde::{Deserialize, Serialize};
use store::{InternalDate, MailboxInfo, MessageRow, ReadError};

use super::place::{self, Layout};
use super::progress::Throttled;
use super::{Context, OperateError, Operation, Problem, Problems, Progress, Unit, audit};

pub(crate) use mbox::SUFFIX as MBOX_SUFFIX;

/// `POST /export`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    pub login: String,
    /// All of the account when absent.
    pub mailbox: Option<String>,
    /// Absolute. A folder that is empty or not there yet, or for one mailbox as mbox a file that is not there yet.
    pub to: PathBuf,
    pub layout: Layout,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    pub mailboxes: u64,
    pub messages: u64,
    /// As stored: the sum of RFC822.SIZE.
    pub octets: u64,
    /// Expunged while this ran.
    pub gone: u64,
    pub not_carried: NotCarried,
    pub problems: Problems,
}

/// What the layout has no place for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCarried {
    /// Messages with a line that ends with LF alone: it comes back as CRLF.
    pub bare_line_feeds: u64,
    /// Keywords of messages past the 26 a Maildir has letters for.
    pub keywords: u64,
}

impl Operation for Export {
    type Response = Exported;
    const PATH: &'static str = "/export";
    const LONG: bool = true;

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Exported, OperateError> {
        let login = place::login(context, &self.login)?;
        let to = place::outside(context, &self.to)?;
        let mailboxes = match &self.mailbox {
            None => context.store.mailboxes(&login)?,
            Some(name) => {
                let wanted = place::mailbox_name(name)?;
                let found = context.store.mailbox(&login, &wanted)?;
                vec![found.ok_or_else(|| OperateError::NoSuchMailbox { mailbox: name.clone() })?]
            }
        };
        let whole = self.mailbox.is_none();
        let what = self.mailbox.as_deref().unwrap_or("all mailboxes");
        audit(context, &format!("export of {what} of {login} to {}", to.display()));
        let total = mailboxes.iter().map(|mailbox| u64::from(mailbox.counts.messages)).sum();
        let mut run =
            Run { context, login, total, done: 0, throttled: Throttled::new(tell), exported: Exported::default() };
        match (self.layout, whole) {
            (Layout::Maildir, true) => maildir::account(&mut run, &mailboxes, &to)?,
            (Layout::Maildir, false) => maildir::one(&mut run, &mailboxes, &to)?,
            (Layout::Mbox, true) => mbox::account(&mut run, &mailboxes, &to)?,
            (Layout::Mbox, false) => mbox::one(&mut run, &mailboxes, &to)?,
        }
        Ok(run.exported)
    }
}

/// An export under way.
struct Run<'a> {
    context: &'a Context,
    login: Login,
    total: u64,
    done: u64,
    throttled: Throttled<'a>,
    exported: Exported,
}

impl Run<'_> {
    /// The rows of a mailbox at one moment; `None` when it was deleted meanwhile.
    fn rows(&mut self, mailbox: &MailboxInfo) -> Result<Option<Vec<MessageRow>>, OperateError> {
        let selected = self.context.store.select(&self.login, &mailbox.name)?;
        self.exported.mailboxes += u64::from(selected.is_some());
        Ok(selected.map(|selected| selected.messages))
    }

    /// The octets of a message; `None` when it is gone or damaged, which is noted.
    fn body(&mut self, mailbox: &MailboxInfo, uid: u32) -> Result<Option<Vec<u8>>, OperateError> {
        self.context.go_on()?;
        let on = mailbox.name.to_string();
        self.throttled.tell(Progress { on, done: self.done, total: Some(self.total), unit: Unit::Messages });
        self.done += 1;
        let Some(body) = self.context.store.body_of(mailbox.id, uid)? else {
            self.exported.gone += 1;
            return Ok(None);
        };
        match self.context.store.read_body(&body) {
            Ok(octets) => {
                self.exported.messages += 1;
                self.exported.octets += octets.len() as u64;
                self.exported.not_carried.bare_line_feeds += u64::from(mail::archive::lines::has_bare_lf(&octets));
                Ok(Some(octets))
            }
            Err(ReadError::Damaged) => {
                self.problem(Problem::Damaged { place: format!("{} UID {uid}", mailbox.name) });
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.exported.problems.add(problem);
    }
}

/// The name of a mailbox in the folder of an account. Known before anything is written.
fn file_name(name: &MailboxName, extra_octets: usize) -> Result<String, OperateError> {
    super::folder_name::encode(name, extra_octets).ok_or_else(|| OperateError::BadName {
        name: name.to_string(),
        why: "the name is too long for a file; export this mailbox alone".to_owned(),
    })
}

fn date(internal_date: InternalDate) -> DateTime {
    DateTime { unix_seconds: internal_date.seconds, offset_minutes: internal_date.offset_minutes }
}
