//! E06xx and L06xx: where mail may be redirected, and what happens to it before.

mod patterns;
mod steps;

use super::Subject;
use crate::diagnostic::Diagnostic;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    patterns::check(subject, sink);
    steps::check(subject, sink);
}
