//! E0817, E0818 and L0819: the days somebody is here, and where a copy of their mail goes.

use decide::{RedirectDenial, RedirectVerdict, redirect};
use mail::Address;

use super::{Derivation, Stay};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::literal::MailAddress;
use crate::model::people as written;
use crate::syntax::Spanned;

impl Derivation<'_> {
    /// What is written about the person's stay; a redirect that is refused is left out.
    pub(super) fn stay(&mut self, person: &written::Person, who: &str) -> Stay {
        if let Some(until) = person.until.as_ref().filter(|until| until.value < person.registered.value) {
            let message = format!("{who} leaves on {}, before the first day", until.value.0);
            let report = Diagnostic::new(Code::E0817, message)
                .help("`until` is the last day; leave it out where none is known")
                .at(until.span, "")
                .also(person.registered.span, "the first day");
            self.sink.push(report);
        }
        let redirect = person.redirect.as_ref().and_then(|target| self.redirect(target, who));
        Stay {
            registered: person.registered.value.0.clone(),
            until: person.until.as_ref().map(|until| until.value.0.clone()).unwrap_or_default(),
            redirect,
        }
    }

    fn redirect(&mut self, target: &Spanned<MailAddress>, who: &str) -> Option<Address> {
        let address = &target.value.0;
        let (code, message, help, rule) = match redirect(&self.tables, address) {
            RedirectVerdict::Allowed { .. } => return Some(address.clone()),
            RedirectVerdict::OnGrant { rule } => {
                let message = format!("the redirect of {who} to {address} waits for a grant");
                (Code::L0819, message, "`facteur redirect` writes down who approved it, why, and until when", rule)
            }
            RedirectVerdict::Denied { rule, because } => {
                let why = match because {
                    RedirectDenial::Ours => "is in a domain of ours",
                    RedirectDenial::Example => "is among the refused examples",
                    RedirectDenial::NotAllowed => "is allowed by nothing",
                };
                let message = format!("the redirect of {who} to {address} {why}");
                (Code::E0818, message, "take it away, or extend `redirects.allow`", rule)
            }
        };
        let is_error = code == Code::E0818;
        self.sink.push(Diagnostic::new(code, message).help(help).at(target.span, "").rule(rule));
        (!is_error).then(|| address.clone())
    }
}
