//! E05xx and L05xx: relaying, domains, next hops, applications, mailboxes.

use super::Subject;
use crate::diagnostic::Diagnostic;

pub(super) fn check(_subject: &Subject<'_>, _sink: &mut Vec<Diagnostic>) {}
