//! E04xx and L04xx beyond single listeners: ceilings, pairs without a block, gateways, certificates.

mod ceiling;
mod certificates;
mod doors;
mod masks;
mod pairs;
mod trust;

use super::Subject;
use crate::diagnostic::Diagnostic;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let opened = pairs::Opened::of(subject.policy);
    pairs::unserved(subject, &opened, sink);
    ceiling::check(subject, &opened, sink);
    doors::check(subject, sink);
    certificates::check(subject, sink);
    trust::check(subject, &opened, sink);
    masks::check(subject, sink);
}
