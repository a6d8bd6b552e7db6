//! Questions to a directory: everybody, page by page (RFC 2696), or who matches a filter.

use std::time::Duration;

use ldap3::controls::{Control, PagedResults};
use ldap3::{LdapResult, Scope, SearchOptions};
use plan::{Ldap as Rules, LdapAttributes};
use tokio::sync::mpsc::Sender;

use super::connect::{Fault, NO_SUCH_OBJECT, SIZE_LIMIT_EXCEEDED, SUCCESS, line};
use super::entry::Entry;
use super::frame;

/// People of one directory.
pub const ENTRIES_MAX: usize = 1_000_000;
/// Between two entries of a page.
const ENTRY_MAX: Duration = Duration::from_secs(30);
/// An answer to a question about one person.
const ASK_MAX: Duration = Duration::from_secs(4);
const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";

/// Why everybody could not be read. What was read until then is no list of everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The connection or the server: another may be asked.
    Fault(Fault),
    /// It has more than it may give.
    Limited,
    /// Part of the tree is kept by another server (RFC 4511 4.5.3).
    Elsewhere,
    NoBase,
    TooMany,
    /// What it gave was no entry.
    NoEntry,
    /// Our own store cannot be read.
    Store(String),
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unread::Fault(fault) => fault.fmt(f),
            Unread::Limited => f.write_str("it gives fewer entries than it has: raise its size limit for our name"),
            Unread::Elsewhere => f.write_str("it refers to another server for a part of the people"),
            Unread::NoBase => f.write_str("it has no entry with the name of `base`"),
            Unread::TooMany => write!(f, "it has more than {ENTRIES_MAX} entries"),
            Unread::NoEntry => f.write_str("it gives what is no entry"),
            Unread::Store(why) => write!(f, "the store here cannot be read: {why}"),
        }
    }
}

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Unread {
        Unread::Fault(fault)
    }
}

/// The attributes the plan maps, each once.
pub fn asked_for(names: &LdapAttributes) -> Vec<String> {
    let all = [
        &names.id,
        &names.login,
        &names.first,
        &names.last,
        &names.mail,
        &names.aliases,
        &names.profile,
        &names.unit,
        &names.until,
        &names.registered,
        &names.redirect,
        &names.home,
        &names.quota_mb,
    ];
    let mut asked: Vec<String> = all.into_iter().filter(|name| !name.is_empty()).cloned().collect();
    asked.sort();
    asked.dedup();
    asked
}

/// Everybody, one entry after the other to `take`, no faster than it takes them. Only when this returns `Ok` was nobody left
/// out.
pub async fn everybody(ldap: &mut ldap3::Ldap, rules: &Rules, take: &Sender<Entry>) -> Result<usize, Unread> {
    let attributes = asked_for(&rules.attributes);
    let (mut cookie, mut count) = (Vec::new(), 0_usize);
    loop {
        let size = i32::try_from(rules.page).unwrap_or(i32::MAX);
        ldap.with_controls(PagedResults { size, cookie }).with_timeout(ENTRY_MAX);
        let search = ldap.streaming_search(&rules.base, Scope::Subtree, &rules.filter, &attributes).await;
        let mut search = search.map_err(Fault::from)?;
        while let Some(found) = search.next().await.map_err(Fault::from)? {
            if found.is_ref() {
                return Err(Unread::Elsewhere);
            }
            if found.is_intermediate() {
                continue;
            }
            count += 1;
            let entry = Entry::read(found.0).ok_or(Unread::NoEntry)?;
            if count > ENTRIES_MAX || take.send(entry).await.is_err() {
                return Err(Unread::TooMany);
            }
        }
        let result = search.finish().await;
        judge(&result)?;
        cookie = next_cookie(&result)?;
        if cookie.is_empty() {
            return Ok(count);
        }
    }
}

/// The first `count` people, or fewer where there are fewer.
pub async fn some(ldap: &mut ldap3::Ldap, rules: &Rules, count: usize) -> Result<Vec<Entry>, Unread> {
    let attributes = asked_for(&rules.attributes);
    let size = i32::try_from(count).unwrap_or(1);
    ldap.with_controls(PagedResults { size, cookie: Vec::new() }).with_timeout(ASK_MAX);
    let search = ldap.streaming_search(&rules.base, Scope::Subtree, &rules.filter, &attributes).await;
    let mut search = search.map_err(Fault::from)?;
    let mut entries = Vec::new();
    while let Some(found) = search.next().await.map_err(Fault::from)? {
        if entries.len() < count && !found.is_ref() && !found.is_intermediate() {
            entries.push(Entry::read(found.0).ok_or(Unread::NoEntry)?);
        }
    }
    judge(&search.finish().await)?;
    Ok(entries)
}

/// At most `limit` entries that match `filter`, which already names people of the plan only. More than that is an error.
pub async fn matching(ldap: &mut ldap3::Ldap, rules: &Rules, filter: &str, limit: usize) -> Result<Vec<Entry>, Unread> {
    let attributes = asked_for(&rules.attributes);
    let options = SearchOptions::new().sizelimit(i32::try_from(limit).unwrap_or(1));
    ldap.with_search_options(options).with_timeout(ASK_MAX);
    let search = ldap.streaming_search(&rules.base, Scope::Subtree, filter, &attributes).await;
    let mut search = search.map_err(Fault::from)?;
    let mut entries = Vec::new();
    while let Some(found) = search.next().await.map_err(Fault::from)? {
        if found.is_ref() {
            return Err(Unread::Elsewhere);
        }
        if !found.is_intermediate() {
            entries.push(Entry::read(found.0).ok_or(Unread::NoEntry)?);
        }
        if entries.len() > limit {
            return Err(Unread::TooMany);
        }
    }
    judge(&search.finish().await)?;
    Ok(entries)
}

/// The filter of the plan and `more`, which is sound.
pub fn narrowed(rules: &Rules, more: &str) -> String {
    format!("(&{}{more})", rules.filter)
}

/// `(NAME=TEXT)`, with what is special in it taken apart (RFC 4515 3).
pub fn equals(name: &str, text: &str) -> String {
    format!("({name}={})", ldap3::ldap_escape(text))
}

fn judge(result: &LdapResult) -> Result<(), Unread> {
    match result.rc {
        SUCCESS => Ok(()),
        // timeLimitExceeded and adminLimitExceeded are limits as well.
        SIZE_LIMIT_EXCEEDED | 3 | 11 => Err(Unread::Limited),
        NO_SUCH_OBJECT => Err(Unread::NoBase),
        10 => Err(Unread::Elsewhere),
        code => Err(Unread::Fault(Fault::Code(code, line(&result.text)))),
    }
}

/// Empty after the last page, and where the server knows no pages and gave everything.
fn next_cookie(result: &LdapResult) -> Result<Vec<u8>, Unread> {
    let control = result.ctrls.iter().find(|Control(_, raw)| raw.ctype == PAGED_RESULTS);
    let Some(Control(_, raw)) = control else { return Ok(Vec::new()) };
    let value = raw.val.as_deref().unwrap_or_default();
    frame::cookie(value).map_err(|unsound| Unread::Fault(Fault::Broken(unsound.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_never_read_as_a_filter() {
        assert_eq!(equals("uid", "*)(uid=admin"), r"(uid=\2a\29\28uid=admin)");
        for typed in ["", "a\0b", "\\", "()", "é*"] {
            let filter = equals("mail", typed);
            assert!(ldap3::parse_filter(&filter).is_ok(), "{filter}");
        }
    }

    #[test]
    fn only_success_is_everybody() {
        let result = |rc| LdapResult { rc, matched: String::new(), text: "no".into(), refs: vec![], ctrls: vec![] };
        assert_eq!(judge(&result(0)), Ok(()));
        for (code, why) in [
            (3, Unread::Limited),
            (4, Unread::Limited),
            (10, Unread::Elsewhere),
            (11, Unread::Limited),
            (32, Unread::NoBase),
            (52, Unread::Fault(Fault::Code(52, "no".into()))),
        ] {
            assert_eq!(judge(&result(code)), Err(why), "{code}");
        }
    }
}
