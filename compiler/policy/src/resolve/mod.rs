//! Names between sections: every reference must name something that is defined (E0101), and names people hear over
//! the telephone are distinct (E0119).

mod distinct;
mod references;

use crate::diagnostic::Diagnostic;
use crate::model::Policy;

/// Reports unknown and doubled names.
pub(crate) fn resolve(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    references::check(policy, sink);
    distinct::check(policy, sink);
}
