//! L03xx, E0207 and E0209: arithmetic on windows, and what one password can do (policy-language.md 6.4).

use super::Subject;
use crate::diagnostic::Diagnostic;

pub(super) fn check(_subject: &Subject<'_>, _sink: &mut Vec<Diagnostic>) {}
