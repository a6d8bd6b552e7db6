//! Rights (RFC 4314 6) and SETQUOTA (RFC 9208 4.1.3).

use nom::Parser;
use nom::combinator::{map, map_opt};
use nom::sequence::{preceded, separated_pair};

use super::mailbox::{Coding, mailbox};
use super::word::{Parsed, astring, atom, list0, number64, sp};
use crate::imap::command::{Command, OnAccount, OnAcl};
use mail::{Identifier, Rights, RightsChange};

/// `identifier = astring`, UTF-8
fn identifier(input: &[u8]) -> Parsed<'_, Option<Identifier>> {
    map_opt(astring, |octets| String::from_utf8(octets).ok().map(|text| Identifier::parse(&text))).parse(input)
}

/// `listrights = "LISTRIGHTS" SP mailbox SP identifier`
pub fn list_rights(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let both = separated_pair(mailbox(coding), sp, identifier);
        map(both, |(name, identifier)| OnAcl::ListRights(name, identifier).into()).parse(input)
    }
}

/// `deleteacl = "DELETEACL" SP mailbox SP identifier`
pub fn delete_acl(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let both = separated_pair(mailbox(coding), sp, identifier);
        map(both, |(name, identifier)| OnAcl::Delete(name, identifier).into()).parse(input)
    }
}

/// ```abnf
/// setacl     = "SETACL" SP mailbox SP identifier SP mod-rights
/// mod-rights = astring ; +rights to add, -rights to remove, rights to replace
/// ```
pub fn set_acl(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, (name, identifier)) = separated_pair(mailbox(coding), sp, identifier).parse(input)?;
        let (rest, (change, rights)) = preceded(sp, map_opt(astring, modified_rights)).parse(rest)?;
        Ok((rest, OnAcl::Set { name, identifier, change, rights }.into()))
    }
}

fn modified_rights(octets: Vec<u8>) -> Option<(RightsChange, Option<Rights>)> {
    let text = String::from_utf8(octets).ok()?;
    let (change, letters) = match text.split_at_checked(1) {
        Some(("+", letters)) => (RightsChange::Add, letters),
        Some(("-", letters)) => (RightsChange::Remove, letters),
        _ => (RightsChange::Replace, text.as_str()),
    };
    Some((change, Rights::parse(letters)))
}

/// ```abnf
/// setquota      = "SETQUOTA" SP astring SP setquota-list
/// setquota-list = "(" [setquota-resource *(SP setquota-resource)] ")" ; each a name and a number
/// ```
pub fn set_quota(input: &[u8]) -> Parsed<'_, Command> {
    let resources = list0(map(separated_pair(atom, sp, number64), drop));
    map(separated_pair(astring, sp, resources), |_| OnAccount::SetQuota.into()).parse(input)
}
