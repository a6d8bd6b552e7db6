//! E04xx and L04xx beyond single listeners: ceilings, pairs without a block, gateways, certificates.

use super::Subject;
use crate::diagnostic::Diagnostic;

pub(super) fn check(_subject: &Subject<'_>, _sink: &mut Vec<Diagnostic>) {}
