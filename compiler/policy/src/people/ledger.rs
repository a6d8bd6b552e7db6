//! Logins and addresses that are taken, and by which line.

use std::collections::BTreeMap;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::syntax::Span;

#[derive(Default)]
pub(super) struct Ledger {
    logins: BTreeMap<String, Span>,
    /// Folded.
    addresses: BTreeMap<String, Span>,
}

impl Ledger {
    pub(super) fn has_login(&self, login: &str) -> bool {
        self.logins.contains_key(login)
    }

    pub(super) fn has_address(&self, folded: &str) -> bool {
        self.addresses.contains_key(folded)
    }

    /// Takes a login or a folded address; E0811 when somebody has it.
    pub(super) fn take(&mut self, text: String, place: Span, is_address: bool) -> Result<(), Box<Diagnostic>> {
        let taken = if is_address { &mut self.addresses } else { &mut self.logins };
        let Some(first) = taken.get(&text) else {
            taken.insert(text, place);
            return Ok(());
        };
        let kind = if is_address { "address" } else { "login" };
        let diagnostic = Diagnostic::new(Code::E0811, format!("{kind} {text} is given to two people"))
            .help(format!("the first registered keeps it; give the other one with `{kind}: \"…\"`"))
            .at(place, "again here")
            .also(*first, "first here");
        Err(Box::new(diagnostic))
    }
}
