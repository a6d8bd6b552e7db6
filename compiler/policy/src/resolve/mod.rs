//! Names between sections: every reference must name something that is defined (E0101), and names people hear over
//! the telephone are distinct (E0119).

mod distinct;
mod references;
mod unused;

use crate::check::Subject;
use crate::diagnostic::Diagnostic;
use crate::model::Policy;

/// Reports unknown and doubled names.
pub(crate) fn resolve(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    references::check(policy, sink);
    distinct::check(policy, sink);
}

/// Reports what is defined and never used (L0117).
pub(crate) fn unused(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    unused::check(subject, sink);
}
