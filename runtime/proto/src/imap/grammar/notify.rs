//! NOTIFY (RFC 5465 8).

use nom::Parser;
use nom::branch::alt;
use nom::bytes::streaming::tag_no_case;
use nom::character::streaming::char as octet;
use nom::combinator::{map, map_opt, opt, value};
use nom::multi::separated_list1;
use nom::sequence::{delimited, preceded};

use super::fetch::fetch_item;
use super::mailbox::{Coding, mailbox};
use super::word::{Parsed, atom, list1, refuse, sp};
use crate::imap::command::{Command, Name, OnAccount};
use crate::imap::event::{EventGroup, Events, Mailboxes, Notify};

/// Most groups in one NOTIFY, and most mailboxes in one group: each is compared with each mailbox.
const GROUPS_MAX: usize = 64;
const MAILBOXES_MAX: usize = 256;

/// ```abnf
/// notify     = "NOTIFY" SP ("SET" [SP "STATUS"] SP event-groups / "NONE")
/// ```
pub fn notify(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let groups = preceded(sp, separated_list1(octet(' '), event_group(coding)));
        let set = (preceded(tag_no_case("SET"), opt(tag_no_case(" STATUS"))), groups);
        let set = map_opt(set, |(status, groups)| {
            (groups.len() <= GROUPS_MAX).then_some(Notify::Set { status: status.is_some(), groups })
        });
        map(alt((set, value(Notify::Nothing, tag_no_case("NONE")))), |notify| OnAccount::Notify(notify).into())
            .parse(input)
    }
}

/// `event-group = "(" filter-mailboxes SP events ")"`
fn event_group(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, EventGroup> {
    move |input| {
        let inside = (filter_mailboxes(coding), preceded(sp, events));
        map(delimited(octet('('), inside, octet(')')), |(mailboxes, events)| EventGroup { mailboxes, events })
            .parse(input)
    }
}

/// ```abnf
/// filter-mailboxes = "selected" / "selected-delayed" / "inboxes" / "personal" / "subscribed" /
///                    "subtree" SP one-or-more-mailbox / "mailboxes" SP one-or-more-mailbox
/// ```
pub fn filter_mailboxes(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Mailboxes> {
    move |input| {
        let (rest, word) = atom(input)?;
        let names = |rest| preceded(sp, one_or_more(coding)).parse(rest);
        match word.to_ascii_lowercase().as_str() {
            "selected" => Ok((rest, Mailboxes::Selected { delayed: false })),
            "selected-delayed" => Ok((rest, Mailboxes::Selected { delayed: true })),
            "inboxes" => Ok((rest, Mailboxes::Inboxes)),
            "personal" => Ok((rest, Mailboxes::Personal)),
            "subscribed" => Ok((rest, Mailboxes::Subscribed)),
            "subtree" => names(rest).map(|(rest, names)| (rest, Mailboxes::Subtree(names))),
            "mailboxes" => names(rest).map(|(rest, names)| (rest, Mailboxes::Named(names))),
            _ => refuse(input),
        }
    }
}

/// `one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")"`
pub fn one_or_more(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Vec<Name>> {
    move |input| {
        let one = map(mailbox(coding), |name| vec![name]);
        map_opt(alt((list1(mailbox(coding)), one)), |names| (names.len() <= MAILBOXES_MAX).then_some(names))
            .parse(input)
    }
}

/// `events = "(" event *(SP event) ")" / "NONE"`
fn events(input: &[u8]) -> Parsed<'_, Events> {
    if input.first() != Some(&b'(') {
        return value(Events::default(), tag_no_case("NONE")).parse(input);
    }
    let (mut rest, _) = octet('(').parse(input)?;
    let mut events = Events::default();
    loop {
        rest = event(rest, &mut events)?.0;
        let (behind, end) = alt((octet(' '), octet(')'))).parse(rest)?;
        rest = behind;
        if end == ')' {
            return Ok((rest, events));
        }
    }
}

/// ```abnf
/// event         = message-event / mailbox-event / user-event / event-ext
/// mailbox-event = "MailboxName" / "SubscriptionChange" / "MailboxMetadataChange"
/// user-event    = "ServerMetadataChange"
/// message-event = "MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"] / "MessageExpunge" / "FlagChange" / "AnnotationChange"
/// ```
fn event<'a>(input: &'a [u8], events: &mut Events) -> Parsed<'a, ()> {
    let (rest, word) = atom(input)?;
    match word.to_ascii_lowercase().as_str() {
        "messagenew" => {
            let (rest, items) = opt(preceded(tag_no_case(" "), list1(fetch_item))).parse(rest)?;
            events.message_new = Some(items.unwrap_or_default());
            return Ok((rest, ()));
        }
        "messageexpunge" => events.message_expunge = true,
        "flagchange" => events.flag_change = true,
        "mailboxname" => events.mailbox_name = true,
        "subscriptionchange" => events.subscription_change = true,
        "mailboxmetadatachange" => events.mailbox_metadata = true,
        "servermetadatachange" => events.server_metadata = true,
        _ => events.unknown = true,
    }
    Ok((rest, ()))
}
