//! What SPF, DKIM, DMARC and lists in DNS said. What nobody asked about counts for nothing.

use super::facts::{Authentication, Outcome};
use super::found::{Case, Found};
use super::rules;
use crate::view::host;

/// The most that all lists together count.
const LISTS_MAX: i64 = 2_000;

pub(super) fn judge(case: &Case<'_>, found: &mut Found) {
    if let Some(authentication) = &case.facts.authentication {
        results(case, authentication, found);
    }
    if let Some(hello) = case.facts.hello
        && case.is_ours(&hello.to_ascii_lowercase())
        && case.facts.client.is_some()
    {
        found.say(&rules::HELLO_IS_US, hello);
    }
    let sum: i64 = case.facts.listed.iter().map(|it| it.thousandths.unwrap_or(rules::LISTED.thousandths)).sum();
    if let Some(first) = case.facts.listed.first() {
        found.weigh(&rules::LISTED, sum.clamp(-LISTS_MAX, LISTS_MAX), first.list);
    }
    let top = &case.view.structure.top.content.media;
    let pgp = case.view.parts.iter().any(|part| !part.enclosed && part.media == "application/pgp-encrypted");
    if top.is("multipart", "signed") || top.is("application", "pkcs7-mime") || pgp {
        found.say(&rules::SIGNED, "");
    }
    if answers_us(case) {
        found.say(&rules::ANSWER, "");
    }
}

fn results(case: &Case<'_>, authentication: &Authentication<'_>, found: &mut Found) {
    let domain = case.from.map_or("", |from| from.domain.as_str());
    let any_dkim_pass = authentication.dkim.iter().any(|each| each.outcome == Outcome::Pass);
    if case.proved {
        found.say(&rules::ALIGNED, domain);
        if case.view.field("List-Unsubscribe").is_some() {
            found.say(&rules::ASKED_FOR, "");
        }
        return;
    }
    if authentication.dmarc == Outcome::Fail && !case.listed_mail {
        found.say(&rules::DMARC_FAIL, domain);
    }
    match authentication.spf {
        Outcome::Fail => found.say(&rules::SPF_FAIL, ""),
        Outcome::SoftFail => found.say(&rules::SPF_SOFTFAIL, ""),
        _ => {}
    }
    let failed = authentication.dkim.iter().any(|each| matches!(each.outcome, Outcome::Fail | Outcome::PermError));
    if failed && !any_dkim_pass && !case.listed_mail {
        found.say(&rules::DKIM_FAIL, "");
    }
    let asked = authentication.spf != Outcome::TempError;
    let spf_aligned = authentication.spf == Outcome::Pass
        && case
            .facts
            .reverse_path
            .and_then(|path| path.rsplit_once('@'))
            .is_some_and(|(_, of)| host::registered(&of.to_ascii_lowercase()) == case.site);
    if case.is_ours(domain) && asked && !spf_aligned && !case.listed_mail {
        // Where our own domain says nothing about who may send, less follows.
        let excluded =
            matches!(authentication.spf, Outcome::Fail | Outcome::SoftFail) || authentication.dmarc == Outcome::Fail;
        let share = if excluded { 1 } else { 2 };
        found.weigh(&rules::OURS_UNPROVED, rules::OURS_UNPROVED.thousandths / share, domain);
    } else if asked && authentication.dmarc != Outcome::Fail && authentication.spf != Outcome::Pass && !any_dkim_pass {
        found.say(&rules::UNPROVED, domain);
    }
}

/// It names a message that was written here.
fn answers_us(case: &Case<'_>) -> bool {
    if case.facts.own_domains.is_empty() || case.from.is_some_and(|from| case.is_ours(&from.domain)) {
        return false;
    }
    let named = ["In-Reply-To", "References"].into_iter().filter_map(|name| case.view.field(name));
    named.take(2).any(|field| {
        let text = field.text();
        let mut ids = text.split(['<', '>', ' ']).filter_map(|id| id.rsplit_once('@'));
        ids.any(|(_, of)| case.is_ours(&of.to_ascii_lowercase()))
    })
}
