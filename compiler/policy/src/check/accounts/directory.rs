//! The directory server: E0805 where it would be asked in clear, E0108 for figures.

use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::directory::Ldap;
use crate::syntax::Span;

const SERVERS_MAX: usize = 8;
const PAGE_MAX: u32 = 5_000;
/// A minute to thirty days.
const STALE_S: std::ops::RangeInclusive<u64> = 60..=2_592_000;
const REFRESH_S: std::ops::RangeInclusive<u64> = 60..=86_400;

pub(super) fn check(subject: &Subject<'_>, ldap: &Ldap, sink: &mut Vec<Diagnostic>) {
    let servers = "identity.ldap.servers";
    // A list emptied by slips of its own is not empty.
    let is_hidden = ldap.servers.is_empty() && subject.is_written("identity.ldap.servers[0]");
    if !(1..=SERVERS_MAX).contains(&ldap.servers.len()) && !is_hidden {
        let what = format!("{} is out of range for a number of servers (1–{SERVERS_MAX})", ldap.servers.len());
        sink.push(figure(what, servers, subject.place(servers)));
    }
    for server in ldap.servers.iter().filter(|server| !server.is_encrypted && ldap.tls.is_none()) {
        let url = format!("ldap://{}:{}", server.host, server.port);
        let port = if server.port == 389 { String::new() } else { format!(":{}", server.port) };
        let diagnostic = Diagnostic::new(Code::E0805, format!("directory server {url} is asked without TLS"))
            .help("write `ldaps://…`, or `tls: StartTls`")
            .at(server.span, "")
            .rule(servers)
            .edit(server.span, format!("\"ldaps://{}{port}\"", server.host));
        sink.push(diagnostic);
    }
    if let Some(page) = ldap.page.as_ref().filter(|page| !(1..=PAGE_MAX).contains(&page.value)) {
        let what = format!("{page} is out of range for a page of entries (1–{PAGE_MAX})");
        sink.push(figure(what, "identity.ldap.page", page.span));
    }
    if let Some(refresh) = ldap.refresh.as_ref().filter(|refresh| !REFRESH_S.contains(&refresh.value.0)) {
        let what = format!("{} seconds are out of range for `refresh` (1 min–1 day)", refresh.value.0);
        sink.push(figure(what, "identity.ldap.refresh", refresh.span));
    }
    if let Some(stale) = ldap.stale_at_most.as_ref().filter(|stale| !STALE_S.contains(&stale.value.0)) {
        let what = format!("{} seconds are out of range for `stale_at_most` (1 min–30 days)", stale.value.0);
        sink.push(figure(what, "identity.ldap.stale_at_most", stale.span));
    }
}

fn figure(what: String, rule: &str, place: Span) -> Diagnostic {
    Diagnostic::new(Code::E0108, what).at(place, "").rule(rule)
}
