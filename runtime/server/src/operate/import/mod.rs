//! `facteur import`: Maildir or mbox into one mailbox or a whole account.
//!
//! INVARIANT (import-again): a second import of the same source adds nothing. A mailbox gets as many copies of a content as
//! the source has and it lacks; what it has already keeps its flags. Two contents are the same when their octets are.
//!
//! Messages go in by small commits, as APPEND puts them in: exact about quota, each with its summary, and an import that
//! was cut short goes on when it is called again. One message and one batch are in memory, beside the names of the files of
//! one mailbox and a hash for each message that might be a copy.

mod batch;
mod maildir;
mod mbox;
mod present;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mail::{Login, MailboxName};
use serde::{Deserialize, Serialize};
use store::{CommitError, MailboxId, Op, Refusal};

use super::folder::Folder;
use super::place::{self, Layout};
use super::progress::Throttled;
use super::{Context, OperateError, Operation, Problem, Problems, Progress, Unit, audit};
use batch::Batch;
use present::Present;

/// Longest message taken in, in octets of the file.
const MESSAGE_OCTETS_MAX: usize = 100 << 20;

/// `POST /import`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    pub login: String,
    /// Where the messages go; absent, each mailbox of the source goes to the one of its name.
    pub mailbox: Option<String>,
    /// Absolute.
    pub from: PathBuf,
    /// What the source is; found out when absent.
    pub layout: Option<Layout>,
}

/// What came in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    pub mailboxes: u64,
    pub mailboxes_created: u64,
    /// Messages added.
    pub messages: u64,
    pub octets: u64,
    /// Messages that were there already.
    pub present: u64,
    /// Mailboxes of the source nobody asked for: the others of a Maildir++ that goes into one mailbox.
    pub passed_over: u64,
    pub problems: Problems,
}

impl Operation for Import {
    type Response = Imported;
    const PATH: &'static str = "/import";
    const LONG: bool = true;

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Imported, OperateError> {
        let login = place::login(context, &self.login)?;
        let from = place::outside(context, &self.from)?;
        let target = self.mailbox.as_deref().map(place::mailbox_name).transpose()?;
        let mut run = Run {
            context,
            login,
            unit: Unit::Messages,
            total: 0,
            done: 0,
            throttled: Throttled::new(tell),
            made: Vec::new(),
            imported: Imported::default(),
        };
        let ended = match self.layout.map_or_else(|| guess(&from), Ok)? {
            Layout::Maildir => maildir::import(&mut run, &from, target.as_ref()),
            Layout::Mbox => mbox::import(&mut run, &from, target.as_ref()),
        };
        let Run { login, imported, .. } = run;
        audit(
            context,
            &format!("import of {} messages into the mail of {login} from {}", imported.messages, from.display()),
        );
        ended.map(|()| imported)
    }
}

/// A file is an mbox; a folder with `cur` is a Maildir, any other one holds files of mbox.
fn guess(from: &Path) -> Result<Layout, OperateError> {
    let is_folder = std::fs::metadata(from).map_err(|error| OperateError::file(from, error))?.is_dir();
    if is_folder && Folder::open(from)?.has_folder("cur") { Ok(Layout::Maildir) } else { Ok(Layout::Mbox) }
}

/// An import under way.
struct Run<'a> {
    context: &'a Context,
    login: Login,
    unit: Unit,
    total: u64,
    done: u64,
    throttled: Throttled<'a>,
    /// Mailboxes that were created.
    made: Vec<MailboxName>,
    imported: Imported,
}

impl Run<'_> {
    fn step(&mut self, on: &MailboxName, more: u64) -> Result<(), OperateError> {
        self.context.go_on()?;
        self.done += more;
        let (on, total) = (on.to_string(), Some(self.total));
        self.throttled.tell(Progress { on, done: self.done, total, unit: self.unit });
        Ok(())
    }

    fn problem(&mut self, problem: Problem) {
        self.imported.problems.add(problem);
    }

    /// Opens a mailbox for messages, creating it when there is none. `None` when it cannot be created, which is noted.
    fn target(&mut self, name: &MailboxName) -> Result<Option<Target>, OperateError> {
        let store = &self.context.store;
        if store.mailbox(&self.login, name)?.is_none() {
            let op = Op::CreateMailbox { login: self.login.clone(), name: name.clone(), special_use: None };
            match store.commit_wait(vec![op]) {
                Ok(_) => {
                    self.imported.mailboxes_created += 1;
                    self.made.push(name.clone());
                }
                // Somebody was faster.
                Err(CommitError::Refused { why: Refusal::MailboxExists(_), .. }) => {}
                Err(CommitError::Refused { why, .. }) => {
                    self.problem(Problem::Refused { place: name.to_string(), why: why.to_string() });
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            }
        }
        let selected = store.select(&self.login, name)?;
        let selected = selected.ok_or_else(|| OperateError::NoSuchMailbox { mailbox: name.to_string() })?;
        self.imported.mailboxes += 1;
        Ok(Some(Target {
            id: selected.mailbox.id,
            present: Present::new(&selected.messages),
            batch: Batch::new(name.clone()),
        }))
    }

    /// Subscribes to mailboxes that exist.
    fn subscribe(&mut self, names: &[MailboxName]) -> Result<(), OperateError> {
        let op = |name: &MailboxName| Op::Subscribe { login: self.login.clone(), name: name.clone() };
        let ops: Vec<Op> = names.iter().map(op).collect();
        for ops in ops.chunks(128) {
            self.context.store.commit_wait(ops.to_vec())?;
        }
        Ok(())
    }
}

/// A mailbox that takes messages.
struct Target {
    id: MailboxId,
    present: Present,
    batch: Batch,
}

impl Target {
    /// Takes a message unless the mailbox has it. `place` says where it comes from.
    fn take(&mut self, run: &mut Run, message: batch::Arrival) -> Result<(), OperateError> {
        if self.present.takes(run.context, self.id, &message.octets)? {
            run.imported.present += 1;
            return Ok(());
        }
        self.batch.add(run, message)
    }

    fn finish(mut self, run: &mut Run) -> Result<(), OperateError> {
        self.batch.commit(run)
    }
}

/// Sources by the mailbox they go to: two folders may have names that mean one mailbox.
type ByMailbox<T> = BTreeMap<MailboxName, Vec<T>>;
