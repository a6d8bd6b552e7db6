//! What each reason means for the person who is refused: at which step it falls, whose move it is.

use decide::Reason;

/// "at RCPT", for a sentence.
pub(super) fn stage(reason: Reason) -> &'static str {
    match reason {
        Reason::NoBlock | Reason::TooManyConnections => "at the connection",
        Reason::NoLogin | Reason::LoginFailed | Reason::TooManyFailedLogins | Reason::AccountState => "at AUTH",
        Reason::TlsRequired
        | Reason::LoginRequired
        | Reason::PasswordExpired
        | Reason::SenderNotYours
        | Reason::EmptySender
        | Reason::SendingLocked
        | Reason::MessageWindow => "at MAIL",
        Reason::Listed
        | Reason::Blocked
        | Reason::RecipientWindow
        | Reason::RecipientsInOneMessage
        | Reason::UnknownRecipientWindow
        | Reason::RelayDenied
        | Reason::UnknownRecipient
        | Reason::MalformedRecipient
        | Reason::RecipientUnsure
        | Reason::MailboxClosed
        | Reason::MailboxFull => "at RCPT",
        Reason::NotAReport
        | Reason::TooLarge
        | Reason::BadContent
        | Reason::Loop
        | Reason::Infected
        | Reason::Suspect
        | Reason::PosesAsUs
        | Reason::Spam
        | Reason::ScannerDown
        | Reason::StoreTrouble => "at the end of DATA",
    }
}

/// Whose fault it is and what to tell whom, one sentence each.
pub(super) fn of(reason: Reason) -> impl Iterator<Item = &'static str> {
    [whose(reason), tell(reason)].into_iter()
}

fn whose(reason: Reason) -> &'static str {
    match reason {
        Reason::NoBlock => "nothing is offered to that network here",
        Reason::TooManyConnections => "the client's server opens too many connections",
        Reason::Listed => "the client's address is on a list of addresses that send unwanted mail",
        Reason::Blocked => "the sender, the client, a link or an attachment is blocked by name",
        Reason::TlsRequired => "the mail program does not encrypt",
        Reason::LoginRequired => "the mail program does not log in",
        Reason::NoLogin => "this server takes no passwords",
        Reason::LoginFailed => "login or password is wrong",
        Reason::TooManyFailedLogins => "too many wrong passwords from there",
        Reason::PasswordExpired => "the password is too old, or is the one of a letter",
        Reason::SenderNotYours => "the reverse-path is not an address of that account",
        Reason::EmptySender => "mail without a reverse-path is only for reports, to one recipient",
        Reason::NotAReport => "mail without a reverse-path must be a report",
        Reason::MessageWindow | Reason::RecipientWindow => "the sender reached a limit that contains stolen passwords",
        Reason::RecipientsInOneMessage => "too many recipients in one message",
        Reason::UnknownRecipientWindow => "that server tries many addresses that do not exist",
        Reason::RelayDenied => "the recipient is not ours and the client did not log in",
        Reason::UnknownRecipient => "there is no such address here",
        Reason::MalformedRecipient => "the recipient's address names no mailbox",
        Reason::RecipientUnsure => "the directory or the next hop cannot answer now",
        Reason::MailboxFull => "the recipient's mailbox is full",
        Reason::TooLarge => "the message is larger than the policy allows",
        Reason::BadContent => "the content breaks the rules of the protocol",
        Reason::Loop => "the message has passed a hundred servers: it runs in a circle",
        Reason::Infected => "a scanner found a virus",
        Reason::Suspect => "a scanner found something it does not trust, such as a macro or an encrypted archive",
        Reason::PosesAsUs => "mail from outside that claims one of our domains and does not prove it",
        Reason::Spam => "the spam filter refuses it",
        Reason::ScannerDown => "a scanner does not answer",
        Reason::StoreTrouble => "the server cannot store mail now",
        Reason::AccountState => "the account has not begun, or has ended, or somebody suspended it",
        Reason::SendingLocked => "what this account sends is locked, as after a stolen password",
        Reason::MailboxClosed => "the person left, or the account is kept as it is",
    }
}

fn tell(reason: Reason) -> &'static str {
    match reason {
        Reason::NoBlock => "the person may use the webmail or the submission server of the pages",
        Reason::TooManyConnections => "its administrator, if it is not an attack",
        Reason::Listed => "its administrator, who asks the list to take the address off",
        Reason::Blocked => "the managers, who see why and until when with `facteur block list`",
        Reason::TlsRequired => "the person sets STARTTLS or SSL/TLS as the pages say",
        Reason::LoginRequired => "the person switches on authentication for outgoing mail",
        Reason::NoLogin => "the person uses the submission server of the pages",
        Reason::LoginFailed => "the person, who may have an old password in one of several devices",
        Reason::TooManyFailedLogins => "the person waits, and looks for a device with an old password",
        Reason::PasswordExpired => "the person changes the password at the page the reply names",
        Reason::SenderNotYours => "the person corrects the sender address of the mail program",
        Reason::EmptySender => "whoever runs the program that sends",
        Reason::NotAReport => "whoever runs the program that sends",
        Reason::MessageWindow | Reason::RecipientWindow => {
            "the person waits; if it was not the person, change the password now"
        }
        Reason::RecipientsInOneMessage => "the person uses a list, or sends in several messages",
        Reason::UnknownRecipientWindow => "its administrator, if it is not an attack",
        Reason::RelayDenied => "the person sends through the submission server, with a password",
        Reason::UnknownRecipient => "the sender, who may have mistyped it",
        Reason::MalformedRecipient => "the sender, who may have mistyped it",
        Reason::RecipientUnsure => "the managers, if it lasts; the sender's server tries again",
        Reason::MailboxFull => "the recipient, who makes room",
        Reason::TooLarge => "the sender, who may share the file by a link",
        Reason::Loop => "whoever set the redirect or the route that leads back",
        Reason::BadContent => "whoever runs the program that sends",
        Reason::Infected => "the sender's administrator; quarantine has the message if the policy keeps it",
        Reason::Suspect => "the sender, who may send it another way",
        Reason::PosesAsUs => "whoever sends in our name from elsewhere registers, or sends through us",
        Reason::Spam => "the sender, who may reach the person another way",
        Reason::ScannerDown => "the managers; the sender's server tries again",
        Reason::StoreTrouble => "the managers, at once",
        Reason::AccountState => "the managers, who see its dates and who did it with `facteur person state`",
        Reason::SendingLocked => "the person changes the password; the managers lift the lock",
        Reason::MailboxClosed => "the sender, who asks the department who has taken over",
    }
}

/// The reason a rule's path stands for.
pub(super) fn of_path(path: &str) -> Option<Reason> {
    let last = path.rsplit('.').next().unwrap_or(path);
    let section = path.split('.').next().unwrap_or(path);
    Some(match (section, last) {
        ("strangers", "connections_at_once" | "connections_attempted") => Reason::TooManyConnections,
        ("strangers", "unknown_recipients_attempted") => Reason::UnknownRecipientWindow,
        ("dns_lists", _) => Reason::Listed,
        ("blocked" | "block", _) => Reason::Blocked,
        (_, "at_expiry") => Reason::PasswordExpired,
        ("logins", _) => Reason::TooManyFailedLogins,
        (_, "messages_attempted" | "messages_accepted") => Reason::MessageWindow,
        (_, "recipients_attempted" | "recipients_accepted") => Reason::RecipientWindow,
        (_, "recipients_in_one_message") => Reason::RecipientsInOneMessage,
        ("may_send", "as") => Reason::SenderNotYours,
        ("may_send", "empty_sender") => Reason::EmptySender,
        ("may_send" | "may_receive", "to") => Reason::RelayDenied,
        ("listeners", "tls") => Reason::TlsRequired,
        ("listeners", "auth") => Reason::LoginRequired,
        ("listeners", _) => Reason::NoBlock,
        ("reception", "KnownRecipient") => Reason::UnknownRecipient,
        ("mailboxes", "when_full") => Reason::MailboxFull,
        ("mailboxes", "message_size") => Reason::TooLarge,
        ("antivirus", "infected") => Reason::Infected,
        ("antivirus", "suspect") => Reason::Suspect,
        ("authenticate", _) => Reason::PosesAsUs,
        ("antispam", _) => Reason::Spam,
        ("accounts", _) => Reason::AccountState,
        ("compromise", _) => Reason::SendingLocked,
        ("antivirus", "engine_down") => Reason::ScannerDown,
        _ => return None,
    })
}
