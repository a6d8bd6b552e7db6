//! Why something was refused: one closed list for replies, logs, metrics and `explain`.

use std::fmt;

use mail::{Code, Reply};
use plan::Loss;

/// The reason of a refusal. Its word is the metric label, the log value and what a stranger reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    NoBlock,
    TooManyConnections,
    /// The client's address is on a list in DNS.
    Listed,
    TlsRequired,
    LoginRequired,
    /// There is no login on this listener.
    NoLogin,
    LoginFailed,
    TooManyFailedLogins,
    /// The password is too old, or was drawn for a letter.
    PasswordExpired,
    SenderNotYours,
    EmptySender,
    NotAReport,
    MessageWindow,
    RecipientWindow,
    RecipientsInOneMessage,
    UnknownRecipientWindow,
    RelayDenied,
    UnknownRecipient,
    MalformedRecipient,
    RecipientUnsure,
    MailboxFull,
    TooLarge,
    BadContent,
    /// It has passed too many servers.
    Loop,
    Infected,
    Suspect,
    ScannerDown,
    StoreTrouble,
    /// Header From is a domain of ours, and nothing shows that it is from us.
    PosesAsUs,
    Spam,
    /// Its sender, client, a link or an attachment is blocked by name.
    Blocked,
    /// The account of who logs in or sends may not do this now: it arrives, leaves, is suspended or closed.
    AccountState,
    /// Somebody locked what this account sends.
    SendingLocked,
    /// The recipient's mailbox takes no mail any more.
    MailboxClosed,
}

impl Reason {
    pub const ALL: [Reason; 34] = [
        Reason::NoBlock,
        Reason::TooManyConnections,
        Reason::Listed,
        Reason::TlsRequired,
        Reason::LoginRequired,
        Reason::NoLogin,
        Reason::LoginFailed,
        Reason::TooManyFailedLogins,
        Reason::PasswordExpired,
        Reason::SenderNotYours,
        Reason::EmptySender,
        Reason::NotAReport,
        Reason::MessageWindow,
        Reason::RecipientWindow,
        Reason::RecipientsInOneMessage,
        Reason::UnknownRecipientWindow,
        Reason::RelayDenied,
        Reason::UnknownRecipient,
        Reason::MalformedRecipient,
        Reason::RecipientUnsure,
        Reason::MailboxFull,
        Reason::TooLarge,
        Reason::BadContent,
        Reason::Loop,
        Reason::Infected,
        Reason::Suspect,
        Reason::ScannerDown,
        Reason::StoreTrouble,
        Reason::PosesAsUs,
        Reason::Spam,
        Reason::Blocked,
        Reason::AccountState,
        Reason::SendingLocked,
        Reason::MailboxClosed,
    ];

    /// The kind of loss when such a refusal is for good; `None` for what is no mail of ours, or is the client's to mend.
    pub fn loss(self) -> Option<Loss> {
        match self {
            Reason::UnknownRecipient | Reason::MailboxClosed => Some(Loss::UnknownRecipient),
            Reason::MailboxFull => Some(Loss::QuotaFull),
            Reason::TooLarge => Some(Loss::TooLarge),
            Reason::MessageWindow | Reason::RecipientWindow | Reason::RecipientsInOneMessage => Some(Loss::OverLimit),
            Reason::Infected | Reason::Suspect => Some(Loss::Virus),
            Reason::PosesAsUs | Reason::Spam | Reason::Blocked => Some(Loss::NotDelivered),
            Reason::NoBlock
            | Reason::TooManyConnections
            | Reason::Listed
            | Reason::TlsRequired
            | Reason::LoginRequired
            | Reason::NoLogin
            | Reason::LoginFailed
            | Reason::TooManyFailedLogins
            | Reason::PasswordExpired
            | Reason::SenderNotYours
            | Reason::EmptySender
            | Reason::NotAReport
            | Reason::UnknownRecipientWindow
            | Reason::RelayDenied
            | Reason::MalformedRecipient
            | Reason::RecipientUnsure
            | Reason::BadContent
            | Reason::Loop
            | Reason::ScannerDown
            | Reason::StoreTrouble
            | Reason::AccountState
            | Reason::SendingLocked => None,
        }
    }

    /// The word strangers read, stable for ever.
    pub fn word(self) -> &'static str {
        match self {
            Reason::NoBlock => "no-block",
            Reason::TooManyConnections => "too-many-connections",
            Reason::Listed => "listed",
            Reason::TlsRequired => "tls-required",
            Reason::LoginRequired => "login-required",
            Reason::NoLogin => "no-login",
            Reason::LoginFailed => "login-failed",
            Reason::TooManyFailedLogins => "too-many-failed-logins",
            Reason::PasswordExpired => "password-expired",
            Reason::SenderNotYours => "sender-not-yours",
            Reason::EmptySender => "empty-sender",
            Reason::NotAReport => "not-a-report",
            Reason::MessageWindow => "message-window",
            Reason::RecipientWindow => "recipient-window",
            Reason::RecipientsInOneMessage => "recipients-in-one-message",
            Reason::UnknownRecipientWindow => "unknown-recipient-window",
            Reason::RelayDenied => "relay-denied",
            Reason::UnknownRecipient => "unknown-recipient",
            Reason::MalformedRecipient => "malformed-recipient",
            Reason::RecipientUnsure => "recipient-unsure",
            Reason::MailboxFull => "mailbox-full",
            Reason::TooLarge => "too-large",
            Reason::BadContent => "bad-content",
            Reason::Loop => "loop",
            Reason::Infected => "infected",
            Reason::Suspect => "suspect",
            Reason::ScannerDown => "scanner-down",
            Reason::StoreTrouble => "store-trouble",
            Reason::PosesAsUs => "poses-as-us",
            Reason::Spam => "spam",
            Reason::Blocked => "blocked-here",
            Reason::AccountState => "account-state",
            Reason::SendingLocked => "sending-locked",
            Reason::MailboxClosed => "mailbox-closed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A refusal: what is answered and which rule of the policy caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub reason: Reason,
    /// Path in the policy, e.g. `may_send.person-outside.recipients_attempted/15min`.
    pub rule: String,
    /// For whoever is refused; no names, no facts about others.
    pub text: String,
}

impl Refusal {
    pub fn new(code: Code, reason: Reason, rule: impl Into<String>, text: impl Into<String>) -> Refusal {
        Refusal { code, reason, rule: rule.into(), text: text.into() }
    }

    /// The kind of loss this is. A temporary refusal loses nothing yet.
    pub fn loss(&self) -> Option<Loss> {
        if self.code.is_temporary() { None } else { self.reason.loss() }
    }

    /// The reply on the wire: people who are logged in read the rule, strangers only the reason's word; both the
    /// plan.
    pub fn reply(&self, logged_in: bool, plan_short: &str) -> Reply {
        let source = if logged_in { self.rule.as_str() } else { self.reason.word() };
        Reply::new(self.code, format!("{} [{source} {plan_short}]", self.text))
    }
}
