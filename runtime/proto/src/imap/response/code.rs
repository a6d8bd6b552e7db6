//! Status responses (RFC 9051 7.1, RFC 5530).

use std::borrow::Cow;
use std::fmt;

use super::numbers::set;
use crate::imap::command::Tag;
use crate::imap::question::{MailboxId, Trouble};
use mail::BadMailboxName;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    No,
    Bad,
    Bye,
}

/// With the events that are told.
const BAD_EVENT: &str = "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange \
                         MailboxMetadataChange ServerMetadataChange)";

/// So much of a URL is repeated.
const URL_OCTETS_MAX: usize = 1_000;

/// Response codes, all of RFC 9051 7.1 unless another is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    AlreadyExists,
    /// RFC 4315, RFC 3502: UIDVALIDITY and the UIDs.
    AppendUid(u32, Vec<u32>),
    AuthenticationFailed,
    BadCharset,
    /// RFC 5465: with the events that are told.
    BadEvent,
    /// RFC 4469: the URL as it came, not quoted (erratum 4046).
    BadUrl(Vec<u8>),
    Cannot,
    Capability(String),
    ClientBug,
    Closed,
    /// RFC 4978.
    CompressionActive,
    ContactAdmin,
    /// RFC 4315: UIDVALIDITY there, UIDs here, UIDs there.
    CopyUid(u32, Vec<u32>, Vec<u32>),
    ExpungeIssued,
    HasChildren,
    /// RFC 7162: all changes up to this MODSEQ were told.
    HighestModSeq(u64),
    /// RFC 9585: the tag of the command, what is done of it, and all there is to do.
    InProgress(Tag, u64, u64),
    Limit,
    /// RFC 8474.
    MailboxId(MailboxId),
    /// RFC 7162: the messages, by number or UID, that a conditional STORE left alone.
    Modified(Vec<u32>),
    /// RFC 5464: values were left out, the longest of so many octets.
    LongEntries(u64),
    /// RFC 5464: a value may have so many octets.
    MaxSize(u64),
    /// RFC 5464: no more entries.
    TooMany,
    NonExistent,
    /// RFC 5267: the results of this search are not kept up to date.
    NoUpdate(Tag),
    /// RFC 5465: NOTIFY ended.
    NotificationOverflow,
    /// RFC 5530: the rights do not allow it.
    NoPerm,
    OverQuota,
    PermanentFlags(String),
    /// RFC 5530: TLS first.
    PrivacyRequired,
    Expired,
    ReadOnly,
    ReadWrite,
    ServerBug,
    TooBig,
    /// RFC 10022: batches so small are not made.
    TooFew,
    TryCreate,
    UidNext(u32),
    /// RFC 9586: the client enabled UIDONLY.
    UidRequired,
    UidValidity(u32),
    Unavailable,
    /// RFC 3516: the encoding of the part is not known.
    UnknownCte,
    /// RFC 3501 only.
    Unseen(u32),
    /// RFC 6154: that use cannot be given to a mailbox.
    UseAttr,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Code::AppendUid(validity, uids) => return write!(f, "APPENDUID {validity} {}", set(uids)),
            Code::BadUrl(url) => return write!(f, "BADURL {}", shown(url)),
            Code::Capability(list) => return write!(f, "CAPABILITY {list}"),
            Code::CopyUid(validity, from, to) => return write!(f, "COPYUID {validity} {} {}", set(from), set(to)),
            Code::MailboxId(mailbox) => return write!(f, "MAILBOXID ({mailbox})"),
            Code::HighestModSeq(mod_seq) => return write!(f, "HIGHESTMODSEQ {mod_seq}"),
            Code::Modified(messages) => return write!(f, "MODIFIED {}", set(messages)),
            Code::InProgress(tag, done, all) => return write!(f, "INPROGRESS (\"{}\" {done} {all})", tag.as_str()),
            Code::NoUpdate(tag) => return write!(f, "NOUPDATE \"{}\"", tag.as_str()),
            Code::LongEntries(octets) => return write!(f, "METADATA LONGENTRIES {octets}"),
            Code::MaxSize(octets) => return write!(f, "METADATA MAXSIZE {octets}"),
            Code::PermanentFlags(flags) => return write!(f, "PERMANENTFLAGS ({flags})"),
            Code::UidNext(uid) => return write!(f, "UIDNEXT {uid}"),
            Code::UidValidity(validity) => return write!(f, "UIDVALIDITY {validity}"),
            Code::Unseen(number) => return write!(f, "UNSEEN {number}"),
            Code::AlreadyExists => "ALREADYEXISTS",
            Code::AuthenticationFailed => "AUTHENTICATIONFAILED",
            Code::BadEvent => BAD_EVENT,
            Code::BadCharset => "BADCHARSET (UTF-8 US-ASCII)",
            Code::Cannot => "CANNOT",
            Code::ClientBug => "CLIENTBUG",
            Code::Closed => "CLOSED",
            Code::CompressionActive => "COMPRESSIONACTIVE",
            Code::ExpungeIssued => "EXPUNGEISSUED",
            Code::HasChildren => "HASCHILDREN",
            Code::Limit => "LIMIT",
            Code::NonExistent => "NONEXISTENT",
            Code::NotificationOverflow => "NOTIFICATIONOVERFLOW",
            Code::NoPerm => "NOPERM",
            Code::OverQuota => "OVERQUOTA",
            Code::ContactAdmin => "CONTACTADMIN",
            Code::PrivacyRequired => "PRIVACYREQUIRED",
            Code::Expired => "EXPIRED",
            Code::ReadOnly => "READ-ONLY",
            Code::ReadWrite => "READ-WRITE",
            Code::ServerBug => "SERVERBUG",
            Code::TooBig => "TOOBIG",
            Code::TooFew => "TOOFEW",
            Code::TooMany => "METADATA TOOMANY",
            Code::TryCreate => "TRYCREATE",
            Code::UidRequired => "UIDREQUIRED",
            Code::Unavailable => "UNAVAILABLE",
            Code::UnknownCte => "UNKNOWN-CTE",
            Code::UseAttr => "USEATTR",
        };
        f.write_str(word)
    }
}

/// As much of a URL as may stand in a response code.
fn shown(url: &[u8]) -> String {
    let is_safe = |octet: u8| octet.is_ascii_graphic() && !b"]\"\\".contains(&octet);
    url.iter().take(URL_OCTETS_MAX).map(|octet| if is_safe(*octet) { char::from(*octet) } else { '?' }).collect()
}

/// What a status response says behind its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: Status,
    pub code: Option<Code>,
    /// One line of printable ASCII.
    text: Cow<'static, str>,
}

impl Reply {
    pub fn ok(text: &'static str) -> Reply {
        Reply { status: Status::Ok, code: None, text: text.into() }
    }

    pub fn no(code: Code, text: impl Into<Cow<'static, str>>) -> Reply {
        Reply { status: Status::No, code: Some(code), text: text.into() }
    }

    pub fn bad(text: impl Into<Cow<'static, str>>) -> Reply {
        Reply { status: Status::Bad, code: None, text: text.into() }
    }

    /// Whatever could end or break the line is left out of `text`.
    pub fn bye(text: &str) -> Reply {
        let text: String = text.chars().filter(|c| (' '..='~').contains(c)).collect();
        Reply { status: Status::Bye, code: None, text: text.into() }
    }

    #[must_use]
    pub fn with(self, code: Code) -> Reply {
        Reply { code: Some(code), ..self }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.status {
            Status::Ok => "OK ",
            Status::No => "NO ",
            Status::Bad => "BAD ",
            Status::Bye => "BYE ",
        })?;
        if let Some(code) = &self.code {
            write!(f, "[{code}] ")?;
        }
        f.write_str(&self.text)
    }
}

/// What the store could not do, in words for the client.
impl From<Trouble> for Reply {
    fn from(trouble: Trouble) -> Reply {
        match trouble {
            Trouble::NoSuchMailbox => Reply::no(Code::NonExistent, "there is no such mailbox"),
            Trouble::AlreadyExists => Reply::no(Code::AlreadyExists, "the mailbox exists already"),
            Trouble::SpecialUseTaken => Reply::no(Code::UseAttr, "another mailbox is for that"),
            Trouble::HasChildren => Reply::no(Code::HasChildren, "the mailbox has others below it"),
            Trouble::OverQuota => Reply::no(Code::OverQuota, "the quota is used up"),
            Trouble::TooBig => Reply::no(Code::TooBig, "the message is too big"),
            Trouble::Limit => Reply::no(Code::Limit, "that is more than the server keeps"),
            Trouble::NotPersonal => Reply::no(Code::Cannot, "that name is not for mailboxes of yours"),
            Trouble::TooManyEntries => Reply::no(Code::TooMany, "there are as many entries as there may be"),
            Trouble::NoPermission => Reply::no(Code::NoPerm, "the rights on the mailbox do not allow that"),
            Trouble::Expunged => Reply::no(Code::ExpungeIssued, "some of the messages are gone"),
            Trouble::Unavailable => Reply::no(Code::Unavailable, "the mail store is not available, try again later"),
            Trouble::Bug => Reply::no(Code::ServerBug, "the server contradicts itself"),
        }
    }
}

/// A name no mailbox can have.
impl From<BadMailboxName> for Reply {
    fn from(bad: BadMailboxName) -> Reply {
        Reply { status: Status::No, code: Some(Code::Cannot), text: bad.to_string().into() }
    }
}
