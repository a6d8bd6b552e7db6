//! L0314: limits that only watch and can see nothing, because a limit that refuses comes first.

use plan::Window;

use super::{RowAt, place, rows, windows_of};
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::model::block::Windows;
use crate::syntax::Spanned;

/// Longer lists are hostile.
const WINDOWS_MAX: usize = 64;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    for at in rows(subject.policy) {
        let Some(observed) = &at.row.observed else { continue };
        for (field, counted) in observed.counts() {
            let enforced = at.row.counts().into_iter().filter(|(name, _)| holds_for(name, field));
            let enforced: Vec<Window> = enforced
                .filter_map(|(_, counted)| counted)
                .flat_map(|counted| windows_of(counted))
                .take(WINDOWS_MAX)
                .map(|window| window.value)
                .collect();
            if let Some(counted) = counted {
                windows(subject, (&at, field), counted, &enforced, sink);
            }
        }
        let most = at.row.recipients_in_one_message.value;
        if let Some(watched) = observed.recipients_in_one_message.as_ref().filter(|watched| watched.value >= most) {
            let field = "recipients_in_one_message";
            let message = format!("{watched} recipients in one message are never seen: {most} are refused beyond");
            sink.push(report(subject, &at, field, watched.span, message));
        }
    }
}

/// Does a window on `kept` hold for `asked`? What is accepted was attempted.
fn holds_for(kept: &str, asked: &str) -> bool {
    kept == asked || asked.strip_suffix("accepted").is_some_and(|event| kept == format!("{event}attempted"))
}

fn windows(
    subject: &Subject<'_>,
    (at, field): (&RowAt<'_>, &str),
    counted: &Spanned<Windows>,
    enforced: &[Window],
    sink: &mut Vec<Diagnostic>,
) {
    let watched = windows_of(counted);
    for window in watched.iter().take(WINDOWS_MAX) {
        let (max, width_s) = (window.value.max, window.value.width_s);
        // Attempts that are refused go on filling the window that watches.
        let first = enforced.iter().find(|kept| kept.max <= max && kept.width_s >= width_s);
        if let Some(first) = first {
            let message = format!(
                "the observed limit of {max} per {} says nothing: {} per {} is refused beyond",
                window.value.width_text(),
                first.max,
                first.width_text()
            );
            let mut diagnostic = report(subject, at, field, window.span, message);
            // An empty list is E0208.
            if watched.len() > 1 && subject.is_written(&format!("{}.observed.{field}", at.path)) {
                diagnostic = diagnostic.edit(edits::entry(subject.sources, window.span), "");
            }
            sink.push(diagnostic);
        }
    }
}

fn report(
    subject: &Subject<'_>,
    at: &RowAt<'_>,
    field: &str,
    span: crate::syntax::Span,
    message: String,
) -> Diagnostic {
    let path = format!("{}.observed.{field}", at.path);
    Diagnostic::new(Code::L0314, message)
        .help("watch a tighter limit than the one that refuses, or leave it out")
        .at(place(subject, &path, span), "")
        .rule(format!("{}.observed.{field}", at.rule))
}
