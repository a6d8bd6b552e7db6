//! Where links lead, against what they show.

use std::collections::HashSet;

use super::cousin::Likeness;
use super::found::{Case, Found};
use super::rules;
use crate::view::{Link, LinkFrom, Scheme, host, mixes_scripts};

/// Links judged; the first ones are those that a reader sees.
const JUDGED_MAX: usize = 500;

pub(super) fn judge(case: &Case<'_>, found: &mut Found) {
    let mut any_home = false;
    let (mut any_anchor, mut any_click) = (false, false);
    let mut seen: HashSet<&str> = HashSet::new();
    for link in case.view.own_links().take(JUDGED_MAX) {
        if link.scheme == Scheme::JavaScript {
            found.say(&rules::SCRIPT_LINK, &link.href);
        }
        if link.scheme != Scheme::Web {
            continue;
        }
        let Some(place) = link.host.as_deref() else { continue };
        any_click |= link.from != LinkFrom::Image;
        any_anchor |= matches!(link.from, LinkFrom::Anchor | LinkFrom::Area);
        any_home |= host::registered(place) == case.site;
        if seen.insert(place) {
            name(case, link, place, found);
        }
        if link.from == LinkFrom::Form && host::registered(place) != case.site {
            found.say(&rules::FORM, &link.href);
        }
        if link.from != LinkFrom::Image {
            shape(link, place, found);
            shown(case, link, place, found);
        }
    }
    if any_click && !any_home && !case.site.is_empty() && !case.listed_mail {
        let share = if any_anchor { 1 } else { 2 };
        found.weigh(&rules::ONE_LINK, rules::ONE_LINK.thousandths / share, case.site);
    }
}

/// The host itself.
fn name(case: &Case<'_>, link: &Link, place: &str, found: &mut Found) {
    if link.ip_host {
        if is_private(place) {
            return;
        }
        let plain = link.href.contains(place);
        found.say(if plain { &rules::IP_LINK } else { &rules::DISGUISED_IP }, &link.href);
        return;
    }
    if place.contains("xn--") {
        let shown = host::u_labels(place);
        if shown.split('.').any(mixes_scripts) {
            found.say(&rules::MIXED_HOST, format!("{shown} ({place})"));
        }
    }
    if place.len() > 45 && place.matches('.').count() >= 5 {
        found.say(&rules::LONG_HOST, place);
    }
    if link.from != LinkFrom::Image && super::identity::bears_state(place) {
        found.say(&rules::STATE_NAME, place);
    }
    if !case.is_ours(place) {
        match case.our_names.likeness(place) {
            Some(Likeness::Looks) => found.say(&rules::COUSIN_LINK, place),
            Some(Likeness::Bears) => found.say(&rules::OUR_NAME_LINK, place),
            None => {}
        }
    }
}

/// Addresses that lead nowhere but to the reader's own network (RFC 1918 3, RFC 4193, loopback).
fn is_private(place: &str) -> bool {
    match place.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(v4)) => {
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified()
        }
        Ok(std::net::IpAddr::V6(v6)) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
        Err(_) => false,
    }
}

/// The address around the host.
fn shape(link: &Link, place: &str, found: &mut Found) {
    if link.userinfo {
        found.say(&rules::USERINFO, &link.href);
    }
    if link.escaped_host {
        found.say(&rules::ESCAPED_HOST, &link.href);
    }
    if link.port.is_some_and(|port| !matches!(port, 80 | 443 | 8000 | 8080 | 8443)) {
        found.say(&rules::ODD_PORT, &link.href);
    }
    let path = link.path();
    if let Some((_, fragment)) = path.split_once('#')
        && (fragment.contains('@') || fragment.contains("%40"))
    {
        found.say(&rules::ADDRESS_IN_FRAGMENT, &link.href);
    }
    if is_short(place, path) {
        found.say(&rules::SHORT_LINK, &link.href);
    }
    if let Some(target) = redirected(path)
        && host::registered(&target) != host::registered(place)
    {
        found.say(&rules::REDIRECT, &link.href);
    }
}

/// A short host and one short word that is no word: `ab.cd/3xK9q`.
fn is_short(place: &str, path: &str) -> bool {
    let word = path.trim_start_matches('/').trim_end_matches('/');
    let few = place.len() <= 9 && place.matches('.').count() == 1;
    let random = word.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        && word.bytes().any(|b| b.is_ascii_alphabetic());
    few && random
        && (4..=10).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The host of an address inside a query.
fn redirected(path: &str) -> Option<String> {
    let (_, query) = path.split_once('?')?;
    query.split(['&', ';']).take(50).find_map(|pair| {
        let (_, value) = pair.split_once('=')?;
        let start = value.get(..12).unwrap_or(value).to_ascii_lowercase();
        if !start.starts_with("http") {
            return None;
        }
        let value = value.replace("%3A", ":").replace("%3a", ":").replace("%2F", "/").replace("%2f", "/");
        Link::read(LinkFrom::Text, &value).host
    })
}

/// What the anchor shows against where it leads.
fn shown(case: &Case<'_>, link: &Link, place: &str, found: &mut Found) {
    if link.from != LinkFrom::Anchor || link.text.is_empty() {
        return;
    }
    let Some(looks) = host_in(&link.text) else { return };
    let site = host::registered(place);
    if host::registered(&looks) == site {
        return;
    }
    let comes_there = redirected(link.path()).is_some_and(|it| host::registered(&it) == host::registered(&looks));
    let seen = format!("{} → {place}", link.text);
    if case.is_ours(&looks) && !case.is_ours(place) {
        // Filters of other sites rewrite what their people quote of us; but anybody can name us in a query.
        let share = if comes_there { 2 } else { 1 };
        return found.weigh(&rules::OUR_HOST_SHOWN, rules::OUR_HOST_SHOWN.thousandths / share, seen);
    }
    // Places that count clicks: the author's own, or one that proves the author's mail.
    let at_home = site == case.site || comes_there;
    if !at_home && !case.is_ours(place) {
        found.say(&rules::OTHER_HOST, seen);
    }
}

/// The host when a text as a whole looks like an address of a page.
fn host_in(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['<', '>', '(', ')', '[', ']', '"']);
    if text.contains(char::is_whitespace) || text.contains('@') {
        return None;
    }
    let schemed = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("http"));
    let link =
        if schemed { Link::read(LinkFrom::Text, text) } else { Link::read(LinkFrom::Text, &format!("http://{text}")) };
    let place = link.host?;
    let ending = place.rsplit('.').next().unwrap_or_default();
    let named = place.contains('.') && ending.len() >= 2 && ending.bytes().all(|b| b.is_ascii_alphabetic());
    // `report.pdf` and `node.js` are names of files.
    let file = crate::view::FileKind::Unknown != crate::view::file_kind(&place) && !schemed && ending != "com";
    (named && !file).then_some(place)
}
