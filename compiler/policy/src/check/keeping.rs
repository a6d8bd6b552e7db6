//! E09xx and L09xx about storage and time: backups, quarantine, records, the hour a night has twice.

use super::Subject;
use crate::diagnostic::Diagnostic;

pub(super) fn check(_subject: &Subject<'_>, _sink: &mut Vec<Diagnostic>) {}
