//! E0707, E0708, L0709 and L0714: what the spam filter does to mail, and who teaches it.

use plan::SpamAction;

use super::mended;
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Switch;
use crate::model::scan::{Antispam, TagWhen};
use crate::syntax::Spanned;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(antispam) = subject.policy.antispam.seen().and_then(Switch::on) else { return };
    threshold(subject, "antispam.tag_when", "tag", &antispam.tag_when, sink);
    if let Some(refuse_when) = &antispam.refuse_when {
        threshold(subject, "antispam.refuse_when", "refuse", refuse_when, sink);
    }
    contradiction(subject, antispam, sink);
    if !antispam.tag.subject.is_empty() {
        let path = "antispam.tag.subject";
        let diagnostic = Diagnostic::new(Code::L0709, "the tag rewrites Subject, which senders sign")
            .help("check signatures before tagging; keep the original in X-Original-Subject")
            .at(subject.place(path), "")
            .rule(path);
        sink.push(diagnostic);
    }
    if antispam.taught_by.is_empty() {
        let path = "antispam.taught_by";
        let diagnostic = Diagnostic::new(Code::L0714, "anyone may teach the spam filter")
            .help("`taught_by`, for example `[\"mail-managers\"]`")
            .at(subject.place(path), "")
            .rule(path);
        sink.push(mended(subject, diagnostic, path, "[\"mail-managers\"]"));
    }
}

/// E0707.
fn threshold(subject: &Subject<'_>, path: &str, verb: &str, when: &Spanned<TagWhen>, sink: &mut Vec<Diagnostic>) {
    let TagWhen::ScoreBelow(points) = when.value;
    if points <= 0 {
        return;
    }
    let diagnostic =
        Diagnostic::new(Code::E0707, format!("`ScoreBelow({points})` would {verb} neutral mail (score 0)"))
            .help("low is spam: the threshold is 0 or below")
            .at(subject.place(path), "")
            .rule(path);
    sink.push(mended(subject, diagnostic, path, "ScoreBelow(0)"));
}

/// E0708.
fn contradiction(subject: &Subject<'_>, antispam: &Antispam, sink: &mut Vec<Diagnostic>) {
    let (SpamAction::Deliver, Some(_)) = (antispam.always, &antispam.refuse_when) else { return };
    let path = "antispam.refuse_when";
    let place = subject.place(path);
    let diagnostic = Diagnostic::new(Code::E0708, "spam action `refuse_when` contradicts `always: Deliver`")
        .help("tag; people decide what to delete")
        .at(place, "refuses")
        .also(subject.place("antispam.always"), "never refuses")
        .rule(path);
    sink.push(match crate::edits::field_entry(subject.sources, "refuse_when", place) {
        Some(field) => diagnostic.edit(field, ""),
        None => diagnostic,
    });
}
