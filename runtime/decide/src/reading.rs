//! The reading table: one verdict for each listener × client class × TLS × login, for listeners of mailboxes
//! (`policy-language` 6.1).

use mail::reply;
use plan::{Speaks, TlsMode};

use crate::class::{ClassId, ListenerId};
use crate::envelope::{self, Auth, Reachable, Stage};
use crate::reason::{Reason, Refusal};
use crate::tables::Tables;

/// One cell of the table. `listener` speaks IMAP or POP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadingCell {
    pub listener: ListenerId,
    pub class: ClassId,
    pub tls: bool,
    pub auth: Auth,
}

/// The step of a conversation at which a verdict falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReadingStage {
    Greeting,
    Login,
    /// Commands on mailboxes.
    Mailboxes,
}

/// What a cell comes to: with no refusal the mail is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingVerdict {
    pub stage: ReadingStage,
    pub refusal: Option<Refusal>,
    pub rule: String,
}

impl ReadingVerdict {
    pub fn reads(&self) -> bool {
        self.refusal.is_none()
    }
}

fn is_reading(speaks: Speaks) -> bool {
    match speaks {
        Speaks::Imap | Speaks::Pop => true,
        Speaks::Smtp | Speaks::Lmtp => false,
    }
}

impl Tables {
    /// Every cell of the reading table, in the order of its radix.
    pub fn reading_cells(&self) -> impl Iterator<Item = ReadingCell> + '_ {
        self.listeners().filter(|(_, _, rules)| is_reading(rules.speaks)).flat_map(move |(listener, _, _)| {
            self.classes().flat_map(move |class| {
                [false, true].into_iter().flat_map(move |tls| {
                    Auth::ALL.into_iter().map(move |auth| ReadingCell { listener, class, tls, auth })
                })
            })
        })
    }

    /// The verdict on a cell of the reading table, in the order of judgement: block, TLS, login.
    pub fn reading(&self, cell: ReadingCell) -> ReadingVerdict {
        if let Err(refusal) = self.connection(cell.listener, cell.class) {
            return refused(ReadingStage::Greeting, refusal);
        }
        if cell.auth != Auth::None
            && let Some(refusal) = envelope::login_barred(self, cell.listener, cell.tls)
        {
            return refused(ReadingStage::Login, refusal);
        }
        let rule = format!("listeners.{}.auth", self.listener_name(cell.listener));
        match cell.auth {
            Auth::None => {
                let refusal = Refusal::new(reply::AUTH_REQUIRED, Reason::LoginRequired, rule, "log in first");
                refused(ReadingStage::Mailboxes, refusal)
            }
            Auth::Bad => {
                let refusal = Refusal::new(reply::AUTH_FAILED, Reason::LoginFailed, rule, "wrong login or password");
                refused(ReadingStage::Login, refusal)
            }
            Auth::Good => {
                let block = self.block(cell.listener, cell.class);
                let rule = block.map(|block| self.block_path(block)).unwrap_or_default();
                ReadingVerdict { stage: ReadingStage::Mailboxes, refusal: None, rule }
            }
        }
    }

    /// Can a client bring this cell about?
    pub fn reading_reachable(&self, cell: ReadingCell) -> Reachable {
        if self.block(cell.listener, cell.class).is_none() {
            return Reachable::TurnedAway;
        }
        match self.listener_rules(cell.listener).tls {
            TlsMode::None if cell.tls => return Reachable::Barred(Stage::Banner),
            TlsMode::Implicit if !cell.tls => return Reachable::Barred(Stage::Banner),
            TlsMode::None | TlsMode::Implicit | TlsMode::Offered | TlsMode::Required => {}
        }
        if cell.auth != Auth::None && envelope::login_barred(self, cell.listener, cell.tls).is_some() {
            return Reachable::Barred(Stage::Auth);
        }
        Reachable::Yes
    }
}

fn refused(stage: ReadingStage, refusal: Refusal) -> ReadingVerdict {
    ReadingVerdict { stage, rule: refusal.rule.clone(), refusal: Some(refusal) }
}
