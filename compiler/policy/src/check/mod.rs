//! What a policy may not say although every word of it is right. One file per family of checks; each looks at what can
//! be seen of the sections it needs and stays silent where mistakes hide them.

mod blocks;
mod capacity;
mod identity;
mod language;
mod limits;
mod listeners;
mod networks;
mod storage;

use crate::diagnostic::Diagnostic;
use crate::model::Policy;
use crate::syntax::Document;

/// Checks on the file as written, before defaults fill it. False when it is too large for anything after it.
pub(crate) fn as_written(document: &Document, policy: &Policy, sink: &mut Vec<Diagnostic>) -> bool {
    language::check(document, policy, sink);
    capacity::as_written(policy, sink)
}

/// Checks on the policy with its defaults.
pub(crate) fn check(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    limits::check(policy, sink);
    networks::check(policy, sink);
    if capacity::check(policy, sink) {
        listeners::check(policy, sink);
        blocks::check(policy, sink);
    }
    identity::check(policy, sink);
    storage::check(policy, sink);
}
