//! Mailbox names, LIST, LSUB, CREATE and STATUS (RFC 9051 6.3, RFC 5258, RFC 5819, RFC 6154).

use nom::bytes::streaming::tag_no_case;
use nom::character::streaming::char as octet;
use nom::combinator::{map, map_opt, opt};
use nom::sequence::{delimited, preceded};
use nom::{Err, IResult, Parser};

use super::metadata;
use super::word::{Parsed, astring, atom, list_mailbox, list0, list1, refuse, sp};
use crate::imap::command::{Command, List, MetadataOptions, Name, OnAccount, StatusItem, Uses};
use crate::imap::utf7;
use mail::{BadMailboxName, MailboxName, SpecialUse};

/// Most patterns in one LIST.
const PATTERNS_MAX: usize = 64;
/// Longest pattern with its reference, twice the longest name: each octet is compared with each of each name.
pub const PATTERN_OCTETS_MAX: usize = 1_024;

/// How names travel: modified UTF-7 until the client enables IMAP4rev2 or UTF8=ACCEPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Utf7,
    Utf8,
}

impl Coding {
    fn decode(self, octets: &[u8]) -> Option<String> {
        match self {
            Coding::Utf7 => utf7::decode(octets),
            Coding::Utf8 => String::from_utf8(octets.to_vec()).ok(),
        }
    }
}

/// `mailbox = "INBOX" / astring`
pub fn mailbox(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Name> {
    move |input| map(astring, |octets| name(coding, &octets)).parse(input)
}

fn name(coding: Coding, octets: &[u8]) -> Name {
    let text = coding.decode(octets).ok_or(BadMailboxName::Character)?;
    MailboxName::new(&text)
}

/// `create = "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]` (RFC 6154 6)
pub fn create(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, octets) = astring(input)?;
        let (name, given) = (name(coding, &octets), coding.decode(&octets).unwrap_or_default());
        let uses = delimited(tag_no_case(" (USE "), list0(preceded(octet('\\'), atom)), octet(')'));
        let (rest, uses) = opt(uses).parse(rest)?;
        let uses = match uses.unwrap_or_default().as_slice() {
            [] => Uses::Nothing,
            [one] => special_use(one).map_or(Uses::NotServed, Uses::One),
            _ => Uses::NotServed,
        };
        Ok((rest, OnAccount::Create { name, given, uses }.into()))
    }
}

fn special_use(word: &str) -> Option<SpecialUse> {
    SpecialUse::ALL.into_iter().find(|each| each.attribute().trim_start_matches('\\').eq_ignore_ascii_case(word))
}

/// `lsub = "LSUB" SP mailbox SP list-mailbox`
pub fn lsub(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, reference) = map_opt(astring, |octets| coding.decode(&octets)).parse(input)?;
        let (rest, pattern) = preceded(sp, map_opt(list_mailbox, |octets| coding.decode(&octets))).parse(rest)?;
        if reference.len() + pattern.len() > PATTERN_OCTETS_MAX {
            return refuse(input);
        }
        Ok((rest, OnAccount::Lsub { reference, pattern }.into()))
    }
}

/// `list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]`
pub fn list(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let mut list = List::default();
        let (rest, selections) = opt(nom::sequence::terminated(list0(atom), sp)).parse(input)?;
        if let Some(selections) = selections {
            list.extended = true;
            select_options(&mut list, &selections).ok_or_else(|| refusal(input))?;
        }
        let (rest, reference) = map_opt(astring, |octets| coding.decode(&octets)).parse(rest)?;
        let (rest, ()) = sp(rest)?;
        let pattern = |input| map_opt(list_mailbox, |octets| coding.decode(&octets)).parse(input);
        let (rest, patterns) = if rest.first() == Some(&b'(') {
            list.extended = true;
            list1(pattern).parse(rest)?
        } else {
            map(pattern, |one| vec![one]).parse(rest)?
        };
        let too_long = patterns.iter().any(|pattern| reference.len() + pattern.len() > PATTERN_OCTETS_MAX);
        if too_long || patterns.len() > PATTERNS_MAX {
            return refuse(input);
        }
        let (rest, returns) = opt(preceded(tag_no_case(" RETURN "), list0(return_option))).parse(rest)?;
        list.extended |= returns.is_some();
        for option in returns.unwrap_or_default() {
            match option {
                ReturnOption::Subscribed => list.return_subscribed = true,
                ReturnOption::Children => (),
                ReturnOption::SpecialUse => list.return_special_use = true,
                ReturnOption::MyRights => list.return_rights = true,
                ReturnOption::Metadata(entries, options) => list.return_metadata = Some((entries, options)),
                ReturnOption::Status(items) => list.return_status = Some(items),
            }
        }
        list.reference = reference;
        list.patterns = patterns;
        Ok((rest, OnAccount::List(list).into()))
    }
}

fn refusal(input: &[u8]) -> Err<nom::error::Error<&[u8]>> {
    Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Verify))
}

/// RFC 9051 6.3.9.1. RECURSIVEMATCH needs a selection to recurse for; REMOTE adds nothing here.
fn select_options(list: &mut List, options: &[&str]) -> Option<()> {
    for option in options {
        match option.to_ascii_uppercase().as_str() {
            "SUBSCRIBED" => list.only_subscribed = true,
            "SPECIAL-USE" => list.only_special_use = true,
            "RECURSIVEMATCH" => list.recursive_match = true,
            "REMOTE" => (),
            _ => return None,
        }
    }
    (!list.recursive_match || list.only_subscribed || list.only_special_use).then_some(())
}

enum ReturnOption {
    Subscribed,
    Children,
    SpecialUse,
    MyRights,
    Status(Vec<StatusItem>),
    Metadata(Vec<String>, MetadataOptions),
}

/// RFC 9051 6.3.9.2 and 6.3.9.8, RFC 8440 for MYRIGHTS, RFC 9590 for METADATA.
fn return_option(input: &[u8]) -> IResult<&[u8], ReturnOption> {
    let (rest, word) = atom(input)?;
    match word.to_ascii_uppercase().as_str() {
        "SUBSCRIBED" => Ok((rest, ReturnOption::Subscribed)),
        "CHILDREN" => Ok((rest, ReturnOption::Children)),
        "SPECIAL-USE" => Ok((rest, ReturnOption::SpecialUse)),
        "MYRIGHTS" => Ok((rest, ReturnOption::MyRights)),
        "METADATA" => {
            let (rest, options) = opt(preceded(sp, metadata::options)).parse(rest)?;
            map(preceded(sp, metadata::entries), |entries| ReturnOption::Metadata(entries, options.unwrap_or_default()))
                .parse(rest)
        }
        "STATUS" => map(preceded(sp, status_items), ReturnOption::Status).parse(rest),
        _ => refuse(input),
    }
}

/// `status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"`
pub fn status(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, name) = mailbox(coding)(input)?;
        let (rest, items) = preceded(sp, status_items).parse(rest)?;
        Ok((rest, OnAccount::Status { name, items }.into()))
    }
}

/// `"(" status-att *(SP status-att) ")"`, each once: a LIST may answer them for thousands of mailboxes.
fn status_items(input: &[u8]) -> Parsed<'_, Vec<StatusItem>> {
    map(list1(status_item), |items| {
        items.iter().enumerate().filter(|(at, item)| !items[..*at].contains(item)).map(|(_, item)| *item).collect()
    })
    .parse(input)
}

fn status_item(input: &[u8]) -> Parsed<'_, StatusItem> {
    map_opt(atom, |word| {
        Some(match word.to_ascii_uppercase().as_str() {
            "MESSAGES" => StatusItem::Messages,
            "RECENT" => StatusItem::Recent,
            "UIDNEXT" => StatusItem::UidNext,
            "UIDVALIDITY" => StatusItem::UidValidity,
            "UNSEEN" => StatusItem::Unseen,
            "DELETED" => StatusItem::Deleted,
            "DELETED-STORAGE" => StatusItem::DeletedStorage,
            "SIZE" => StatusItem::Size,
            "MAILBOXID" => StatusItem::MailboxId,
            "APPENDLIMIT" => StatusItem::AppendLimit,
            "HIGHESTMODSEQ" => StatusItem::HighestModSeq,
            _ => return None,
        })
    })
    .parse(input)
}

/// `rename = "RENAME" SP mailbox SP mailbox`
pub fn rename(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, from) = mailbox(coding)(input)?;
        let (rest, to) = preceded(sp, mailbox(coding)).parse(rest)?;
        Ok((rest, OnAccount::Rename { from, to }.into()))
    }
}
