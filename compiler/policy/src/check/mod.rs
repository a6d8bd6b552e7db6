//! What a policy may not say although every word of it is right. One file per family of checks; each looks at what can
//! be seen of the sections it needs and stays silent where mistakes hide them.

mod account_life;
pub(crate) mod accounts;
mod blocks;
mod capacity;
mod clients;
mod compromise;
mod deployment;
mod identity;
mod keeping;
mod language;
mod limits;
mod listeners;
mod mail_flow;
mod mending;
mod networks;
mod portal;
mod proposals;
mod redirects;
mod response;
mod scanning;
mod storage;
mod windows;

use plan::Plan;

use crate::diagnostic::{Diagnostic, Sources};
use crate::model::Policy;
use crate::model::literal::Date;
use crate::syntax::{Document, PathSpans, Span};

/// What is judged, and what is known beside it.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// With its defaults.
    pub policy: &'a Policy,
    /// The day end dates are judged on; without it none has passed.
    pub today: Option<&'a Date>,
    /// The plan that runs now.
    pub deployed: Option<&'a Plan>,
    /// Every path that is written and its place.
    pub spans: &'a PathSpans,
    /// Where to point when nothing of a path is written.
    pub otherwise: Span,
    /// Texts, for suggested edits.
    pub sources: &'a Sources,
}

impl Subject<'_> {
    /// The place of a dotted path, or of the nearest thing around it that is written; never in the text of defaults.
    pub fn place(&self, path: &str) -> Span {
        let mut path = path;
        loop {
            if let Some(span) = self.spans.get(path) {
                return *span;
            }
            let Some(cut) = path.rfind(['.', '[']) else { return self.otherwise };
            path = &path[..cut];
        }
    }

    /// Is it in the file, and not a default?
    pub fn is_written(&self, path: &str) -> bool {
        self.spans.contains_key(path)
    }
}

/// Checks on the file as written, before defaults fill it. False when it is too large for anything after it.
pub(crate) fn as_written(document: &Document, policy: &Policy, sink: &mut Vec<Diagnostic>) -> bool {
    language::check(document, policy, sink);
    capacity::as_written(policy, sink)
}

/// Checks on the policy with its defaults.
pub(crate) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    let before = sink.len();
    limits::check(policy, sink);
    networks::check(policy, sink);
    if capacity::check(policy, sink) {
        listeners::check(policy, sink);
        blocks::check(policy, sink);
        clients::check(subject, sink);
    }
    windows::check(subject, sink);
    mail_flow::check(subject, sink);
    redirects::check(subject, sink);
    scanning::check(subject, sink);
    response::check(subject, sink);
    deployment::check(subject, sink);
    accounts::check(subject, sink);
    account_life::check(subject, sink);
    portal::check(subject, sink);
    compromise::check(subject, sink);
    keeping::check(subject, sink);
    identity::check(policy, sink);
    storage::check(subject, sink);
    crate::waivers::expired(subject, sink);
    proposals::propose(subject.sources, &mut sink[before..]);
}
