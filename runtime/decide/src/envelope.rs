//! The envelope table: one verdict for each listener × client class × TLS × login × sender class × recipient class.
//!
//! Dense and finite (`policy-language` 6.1). `judge` is the only place where these verdicts are made; the server looks
//! them up, the compiler's proofs enumerate them. What depends on counts is no cell: see `transaction`.

use mail::{Code, reply};
use plan::{As, EmptySender, ListenerAuth, Speaks, Then, TlsMode, To};
use serde::{Deserialize, Serialize};

use crate::class::{Block, ClassId, ClassKind, ListenerId};
use crate::reason::{Reason, Refusal};
use crate::tables::Tables;

/// What a client did about a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Auth {
    None,
    Good,
    Bad,
}

/// The reverse-path, seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SenderClass {
    /// `<>`.
    Empty,
    /// An address of the account, or of the registered application.
    Own,
    /// Another address in a domain of ours.
    OwnDomain,
    Foreign,
}

/// The forward-path, seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RecipientClass {
    Local,
    /// Past the grace.
    Full,
    /// Full for longer than `when_full.full`.
    FullForLong,
    Redirected,
    /// A passed-on domain, or a person whose home is elsewhere.
    PassedOn,
    Unknown,
    /// The directory or the next hop cannot say now.
    Unsure,
    Remote,
    Malformed,
    /// A person's mailbox that takes no mail any more: closed, or kept as it is.
    Closed,
}

impl Auth {
    pub const ALL: [Auth; 3] = [Auth::None, Auth::Good, Auth::Bad];
}

impl SenderClass {
    pub const ALL: [SenderClass; 4] =
        [SenderClass::Empty, SenderClass::Own, SenderClass::OwnDomain, SenderClass::Foreign];
}

impl RecipientClass {
    pub const ALL: [RecipientClass; 10] = [
        RecipientClass::Local,
        RecipientClass::Full,
        RecipientClass::FullForLong,
        RecipientClass::Redirected,
        RecipientClass::PassedOn,
        RecipientClass::Unknown,
        RecipientClass::Unsure,
        RecipientClass::Remote,
        RecipientClass::Malformed,
        RecipientClass::Closed,
    ];
}

/// One cell of the table. `listener` speaks SMTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    pub listener: ListenerId,
    pub class: ClassId,
    pub tls: bool,
    pub auth: Auth,
    pub sender: SenderClass,
    pub recipient: RecipientClass,
}

/// The step of a conversation at which a verdict falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    Banner,
    Auth,
    Mail,
    Rcpt,
}

/// What a cell comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Accept,
    Refuse { code: Code, reason: Reason, text: &'static str },
}

/// The verdict on a cell, where it falls and the rule of the policy that decides it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    pub stage: Stage,
    pub outcome: Outcome,
    pub rule: String,
}

impl Verdict {
    pub fn accepts(&self) -> bool {
        self.outcome == Outcome::Accept
    }

    /// What the client hears; `None` when the cell is accepted.
    pub fn refusal(&self) -> Option<Refusal> {
        match self.outcome {
            Outcome::Accept => None,
            Outcome::Refuse { code, reason, text } => Some(Refusal::new(code, reason, self.rule.clone(), text)),
        }
    }
}

/// Can a client bring this cell about? Each other cell says what bars it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reachable {
    Yes,
    /// No block serves the pair: refused at the banner.
    TurnedAway,
    /// This step of the wire refuses before the rest can be said.
    Barred(Stage),
    /// `Own` without a good login where no application is registered.
    Impossible,
}

/// See [`Tables::reachable`].
pub(crate) fn reachable(tables: &Tables, cell: Cell) -> Reachable {
    let class = tables.class(cell.class);
    if cell.sender == SenderClass::Own && cell.auth != Auth::Good && class.kind != ClassKind::Application {
        return Reachable::Impossible;
    }
    if tables.block(cell.listener, cell.class).is_none() {
        return Reachable::TurnedAway;
    }
    let listener = tables.listener_rules(cell.listener);
    let tls_possible = match listener.tls {
        TlsMode::None => !cell.tls,
        TlsMode::Implicit => cell.tls,
        TlsMode::Offered | TlsMode::Required => true,
    };
    if !tls_possible {
        return Reachable::Barred(Stage::Banner);
    }
    if cell.auth != Auth::None && login_barred(tables, cell.listener, cell.tls).is_some() {
        return Reachable::Barred(Stage::Auth);
    }
    Reachable::Yes
}

/// See [`Tables::login_barred`].
pub(crate) fn login_barred(tables: &Tables, listener: ListenerId, tls: bool) -> Option<Refusal> {
    let (name, rules) = (tables.listener_name(listener), tables.listener_rules(listener));
    if rules.auth == ListenerAuth::Never {
        let rule = format!("listeners.{name}.auth");
        return Some(Refusal::new(reply::NOT_IMPLEMENTED, Reason::NoLogin, rule, "there is no login here"));
    }
    if tls || rules.tls == TlsMode::None {
        return None;
    }
    let rule = format!("listeners.{name}.tls");
    Some(Refusal::new(reply::AUTH_NEEDS_TLS, Reason::TlsRequired, rule, "issue STARTTLS first"))
}

fn refuse(stage: Stage, rule: String, code: Code, reason: Reason, text: &'static str) -> Verdict {
    Verdict { stage, outcome: Outcome::Refuse { code, reason, text }, rule }
}

/// The verdict on a cell, in the order of judgement: block, TLS, login, reverse-path, recipient.
pub(crate) fn judge(tables: &Tables, cell: Cell) -> Verdict {
    let listener_name = tables.listener_name(cell.listener);
    let Some(block) = tables.block(cell.listener, cell.class) else {
        let rule = format!("listeners.{listener_name}");
        return refuse(Stage::Banner, rule, reply::TURNED_AWAY, Reason::NoBlock, "nothing here for you");
    };
    let listener = tables.listener_rules(cell.listener);
    if listener.tls == TlsMode::Required && !cell.tls {
        let rule = format!("listeners.{listener_name}.tls");
        return refuse(Stage::Mail, rule, reply::TLS_REQUIRED, Reason::TlsRequired, "issue STARTTLS first");
    }
    if listener.auth == ListenerAuth::Required {
        let rule = format!("listeners.{listener_name}.auth");
        match cell.auth {
            Auth::Good => {}
            Auth::None => {
                return refuse(Stage::Mail, rule, reply::AUTH_REQUIRED, Reason::LoginRequired, "log in first");
            }
            Auth::Bad => {
                let text = "wrong login or password";
                return refuse(Stage::Auth, rule, reply::AUTH_FAILED, Reason::LoginFailed, text);
            }
        }
    }
    if let Some(refused) = sender(tables, block, cell) {
        return refused;
    }
    recipient(tables, block, cell)
}

fn sender(tables: &Tables, block: Block, cell: Cell) -> Option<Verdict> {
    let Block::Send(index) = block else { return None };
    let (name, rules) = tables.send_block(index);
    let text = match (cell.sender, rules.as_) {
        (SenderClass::Empty, _) if rules.empty_sender == EmptySender::ReportsOnly => return None,
        (SenderClass::Empty, _) => {
            let rule = format!("may_send.{name}.empty_sender");
            let text = "mail without a reverse-path is not sent from here";
            return Some(refuse(Stage::Mail, rule, reply::POLICY, Reason::EmptySender, text));
        }
        (SenderClass::Own, _) => return None,
        (SenderClass::OwnDomain, As::OwnDomain | As::AnyAddress) => return None,
        (SenderClass::Foreign, As::AnyAddress) => return None,
        (SenderClass::OwnDomain | SenderClass::Foreign, As::OwnAddresses) => "this reverse-path is not yours",
        (SenderClass::Foreign, As::OwnDomain) => "this reverse-path is not in a domain of ours",
    };
    let rule = format!("may_send.{name}.as");
    Some(refuse(Stage::Mail, rule, reply::SENDER_NOT_YOURS, Reason::SenderNotYours, text))
}

fn recipient(tables: &Tables, block: Block, cell: Cell) -> Verdict {
    let path = tables.block_path(block);
    let no = |rule: &str, code, reason, text| refuse(Stage::Rcpt, rule.to_owned(), code, reason, text);
    let to = match block {
        Block::Send(index) => tables.send_block(index).1.to,
        Block::Receive(index) => tables.receive_block(index).1.to,
        Block::Read(_) => To::OurAddresses,
    };
    match cell.recipient {
        RecipientClass::Local | RecipientClass::Redirected | RecipientClass::PassedOn => {
            Verdict { stage: Stage::Rcpt, outcome: Outcome::Accept, rule: path }
        }
        RecipientClass::Full => {
            let text = "the mailbox is full, try later";
            no("mailboxes.when_full", reply::MAILBOX_FULL_NOW, Reason::MailboxFull, text)
        }
        RecipientClass::FullForLong => match tables.plan().mailboxes.when_full.then {
            Then::Refuse => {
                let text = "the mailbox has been full for long";
                no("mailboxes.when_full", reply::MAILBOX_FULL, Reason::MailboxFull, text)
            }
            Then::TryLater => {
                let text = "the mailbox is full, try later";
                no("mailboxes.when_full", reply::MAILBOX_FULL_NOW, Reason::MailboxFull, text)
            }
        },
        RecipientClass::Closed => {
            let text = "this mailbox takes no mail any more";
            no("accounts.leaving", reply::MAILBOX_CLOSED, Reason::MailboxClosed, text)
        }
        RecipientClass::Unknown => {
            no("reception.KnownRecipient", reply::MAILBOX_UNKNOWN, Reason::UnknownRecipient, "no such mailbox here")
        }
        RecipientClass::Unsure => {
            let text = "this recipient cannot be checked now, try later";
            no("reception.KnownRecipient", reply::DIRECTORY_UNSURE, Reason::RecipientUnsure, text)
        }
        RecipientClass::Remote => match to {
            To::Anyone => Verdict { stage: Stage::Rcpt, outcome: Outcome::Accept, rule: path },
            To::OurAddresses => {
                let text = "relaying denied: this is no address of ours";
                no(&format!("{path}.to"), reply::POLICY, Reason::RelayDenied, text)
            }
        },
        RecipientClass::Malformed => {
            let text = "this address names no mailbox";
            no(&path, reply::MAILBOX_MALFORMED, Reason::MalformedRecipient, text)
        }
    }
}

/// Listeners whose conversations the table describes.
pub(crate) fn has_envelopes(speaks: Speaks) -> bool {
    match speaks {
        Speaks::Smtp | Speaks::Lmtp => true,
        Speaks::Imap | Speaks::Pop => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole_and_in_the_order_the_table_counts_in() {
        assert!(Auth::ALL.iter().enumerate().all(|(place, one)| *one as usize == place));
        assert!(SenderClass::ALL.iter().enumerate().all(|(place, one)| *one as usize == place));
        assert!(RecipientClass::ALL.iter().enumerate().all(|(place, one)| *one as usize == place));
    }
}
