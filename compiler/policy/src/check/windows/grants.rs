//! E0209: a grant has a reason, somebody who approved it, a block people use, and an end that has not come.

use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let blocks = subject.policy.may_send.seen();
    for grant in subject.policy.limit_grants.seen().into_iter().flatten() {
        let (place, grant) = (grant.span, &grant.value);
        let block = blocks.and_then(|blocks| blocks.get(grant.block.value.as_str()));
        let ended = subject.today.is_some_and(|today| *today > grant.until);
        let wrong = if grant.because.trim().is_empty() {
            "lacks a reason".to_owned()
        } else if grant.approver.trim().is_empty() {
            "lacks an approver".to_owned()
        } else if grant.login.trim().is_empty() {
            "names nobody".to_owned()
        } else if block.is_some_and(|block| block.each_account.is_none() && block.each_client_address.is_some()) {
            format!("names no block of theirs: \"{}\" keeps its limits for addresses", grant.block)
        } else if ended {
            format!("ended on {}", grant.until.0)
        } else {
            continue;
        };
        let mut diagnostic = Diagnostic::new(Code::E0209, format!("the limit grant to {} {wrong}", grant.login))
            .help("complete, renew or delete it")
            .at(place, "")
            .rule(format!("limit_grants.{}.{}", grant.login, grant.block));
        if ended {
            diagnostic = diagnostic.edit(edits::entry(subject.sources, place), "");
        }
        sink.push(diagnostic);
    }
}
