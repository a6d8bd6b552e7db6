//! Who a message says it is from, and where answers go.

use super::cousin::Likeness;
use super::found::{Case, Found};
use super::rules;
use crate::view::{Mailbox, host, is_unseen, skeleton};

/// Where anybody can have a mailbox: the large providers of the world and of France. A list, because nothing in a name tells.
const FREE: [&str; 46] = [
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "yahoo.fr",
    "yahoo.co.uk",
    "ymail.com",
    "rocketmail.com",
    "hotmail.com",
    "hotmail.fr",
    "hotmail.co.uk",
    "outlook.com",
    "outlook.fr",
    "live.com",
    "live.fr",
    "msn.com",
    "aol.com",
    "icloud.com",
    "me.com",
    "mail.com",
    "email.com",
    "usa.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "gmx.fr",
    "web.de",
    "yandex.com",
    "yandex.ru",
    "mail.ru",
    "inbox.ru",
    "list.ru",
    "bk.ru",
    "protonmail.com",
    "proton.me",
    "tutanota.com",
    "zoho.com",
    "orange.fr",
    "wanadoo.fr",
    "free.fr",
    "sfr.fr",
    "laposte.net",
    "qq.com",
    "163.com",
    "126.com",
    "aliyun.com",
    "naver.com",
];

pub(super) fn is_free(domain: &str) -> bool {
    FREE.contains(&domain)
}

pub(super) fn judge(case: &Case<'_>, found: &mut Found) {
    if let Some(from) = case.from {
        name(case, from, found);
        domain(case, from, found);
    }
    reply_to(case, found);
}

fn name(case: &Case<'_>, from: &Mailbox, found: &mut Found) {
    // Lists that write in an author's place put the author's name or address there.
    if from.name.is_empty() || case.listed_mail {
        return;
    }
    if let Some(other) = host_in(&from.name)
        && host::registered(&other) != case.site
        && !case.is_ours(&other)
    {
        found.say(&rules::NAME_IS_HOST, format!("{} <{}>", from.name, from.address()));
    }
    if is_padded(&from.name) {
        found.say(&rules::PADDED_NAME, format!("{} <{}>", from.name, from.address()));
    }
    if from.name.chars().any(is_picture) {
        found.say(&rules::PICTURES_IN_NAME, &from.name);
    }
    if let Some(other) = address_in(&from.name)
        && host::registered(&other) != case.site
    {
        found.say(&rules::NAME_IS_ADDRESS, format!("{} <{}>", from.name, from.address()));
    }
    if case.is_ours(&from.domain) {
        return;
    }
    let theirs = case.facts.colleagues.addresses_of(&from.name);
    if !theirs.is_empty() && !theirs.contains(&from.address()) {
        found.say(&rules::NAME_OF_COLLEAGUE, format!("{} <{}>", from.name, from.address()));
    }
    let words = skeleton(&from.name);
    let ours = case.facts.own_domains.iter().map(|own| host::registered(own).split('.').next().unwrap_or_default());
    let mut ours = ours.filter(|name| name.len() >= 5);
    if ours.any(|own| words.contains(&skeleton(own)) || words.contains(&skeleton(&own.replace('-', " ")))) {
        found.say(&rules::NAME_OF_OURS, format!("{} <{}>", from.name, from.address()));
    }
}

/// The name as a whole is the name of a host: `Shop.example`.
fn host_in(name: &str) -> Option<String> {
    let name = name.trim_matches(['"', '\'', '[', ']', ' ']);
    let ending = name.rsplit('.').next().unwrap_or_default();
    let plain = name.is_ascii() && !name.contains([' ', '@', '/']) && name.contains('.');
    let named = plain && (2..=12).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_lowercase());
    let labels_long = name.split('.').all(|label| label.len() >= 2);
    (named && labels_long).then(|| host::a_labels(name)).flatten()
}

/// A row of spaces that no keyboard has, or of characters without shape.
fn is_padded(name: &str) -> bool {
    let mut row = 0;
    name.chars().any(|c| {
        let pads =
            is_unseen(c) || c.is_whitespace() && !c.is_ascii() || matches!(c, '\u{2800}' | '\u{3164}' | '\u{115f}');
        row = if pads { row + 1 } else { 0 };
        row >= 3
    })
}

/// `gouv` or `gov` as one of several words of the registered name; States have it as a label of its own.
pub(super) fn bears_state(domain: &str) -> bool {
    let name = host::registered(domain).split('.').next().unwrap_or_default();
    name.contains('-') && name.split('-').any(|word| matches!(word, "gouv" | "gov"))
}

/// Emoji and the marks beside them.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}' | '\u{231a}' | '\u{23e9}'..='\u{23f3}')
}

/// The domain of an address inside a display name.
fn address_in(name: &str) -> Option<String> {
    let (before, after) = name.split_once('@')?;
    if before.ends_with(char::is_whitespace) || before.is_empty() {
        return None;
    }
    let end = after.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-')).unwrap_or(after.len());
    let domain = after[..end].trim_end_matches('.').to_lowercase();
    domain.contains('.').then_some(domain)
}

fn domain(case: &Case<'_>, from: &Mailbox, found: &mut Found) {
    if case.is_ours(&from.domain) {
        return;
    }
    if bears_state(&from.domain) {
        found.say(&rules::STATE_NAME, &from.domain);
    }
    match case.our_names.likeness(&from.domain) {
        Some(Likeness::Looks) => found.say(&rules::COUSIN_FROM, &from.domain),
        Some(Likeness::Bears) => found.say(&rules::OUR_NAME_FROM, &from.domain),
        None => {}
    }
}

fn reply_to(case: &Case<'_>, found: &mut Found) {
    let (Some(reply), Some(from)) = (case.view.reply_to.first(), case.from) else { return };
    if case.listed_mail || reply.domain.is_empty() {
        return;
    }
    let site = host::registered(&reply.domain);
    if site == case.site || case.is_ours(&reply.domain) {
        return;
    }
    let shown = format!("{} → {}", from.address(), reply.address());
    if is_free(site) && !is_free(case.site) {
        found.say(&rules::REPLY_FREE, shown);
    } else if is_free(site) {
        found.weigh(&rules::REPLY_ELSEWHERE, 2 * rules::REPLY_ELSEWHERE.thousandths, shown);
    } else {
        found.say(&rules::REPLY_ELSEWHERE, shown);
    }
}
