//! E07xx and L07xx: authentication of mail, antivirus, antispam.

use super::Subject;
use crate::diagnostic::Diagnostic;

pub(super) fn check(_subject: &Subject<'_>, _sink: &mut Vec<Diagnostic>) {}
