//! E08xx and L08xx: logins, addresses and passwords that people cannot get wrong by accident.

use super::Subject;
use crate::diagnostic::Diagnostic;

pub(super) fn check(_subject: &Subject<'_>, _sink: &mut Vec<Diagnostic>) {}
