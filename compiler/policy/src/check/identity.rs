//! E0804, E0805, E0809: the login rule gives what its examples say; passwords are changed over TLS; what separates a
//! subaddress is nobody's own.

use std::collections::BTreeSet;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::lower::login_rules;
use crate::model::Policy;

pub(super) fn check(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    let Some(identity) = policy.identity.seen() else { return };
    let rules = login_rules(&identity.login);
    // A form that gives no good login has no good examples.
    let is_sound = !sink.iter().any(|found| found.code == Code::E0808);
    let examples = identity.login.examples.iter().filter(|_| is_sound);
    // The ledger of the examples: earlier people first.
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for example in examples {
        let (first, last, written) = &example.value;
        let given = decide::login::candidates(&rules, first, last).find(|login| !taken.contains(login));
        let is_given = given.is_some();
        let given = given.unwrap_or_else(|| "no login at all".to_owned());
        if given != written.value {
            let message = format!(
                "login example disagrees: for {first} {last} the rule gives `{given}`, the example says `{written}`"
            );
            let diagnostic = Diagnostic::new(Code::E0804, message)
                .help("examples run in order, earlier people first; fix one side")
                .at(written.span, format!("the rule gives `{given}`"))
                .also(identity.login.form.span, "the rule")
                .rule("identity.login.examples");
            sink.push(match is_given {
                true => diagnostic.edit(written.span, format!("{given:?}")),
                false => diagnostic,
            });
        }
        taken.insert(given);
    }
    subaddress(identity, sink);
    if let Some(page) = &identity.password.change_at
        && page.value.0.starts_with("http://")
    {
        let diagnostic =
            Diagnostic::new(Code::E0805, format!("password page {} is reachable without TLS", page.value.0))
                .help("use https")
                .at(page.span, "")
                .rule("identity.password.change_at")
                .edit(page.span, format!("\"{}\"", page.value.0.replacen("http://", "https://", 1)));
        sink.push(diagnostic);
    }
}

/// E0809.
fn subaddress(identity: &crate::model::identity::Identity, sink: &mut Vec<Diagnostic>) {
    let separator = &identity.address.subaddress;
    let text = separator.value.as_str();
    let forms = [&identity.address.official.value, &identity.address.former, &identity.login.form.value];
    let in_use = |form: &&&String| form.split('@').next().is_some_and(|local| local.contains(text));
    let what = if text.is_empty() {
        return;
    } else if !["+", "=", "_", ".", "-"].contains(&text) {
        "is none of + = _ . -".to_owned()
    } else if let Some(form) = forms.iter().find(in_use) {
        format!("stands in `{form}`")
    } else {
        return;
    };
    let diagnostic = Diagnostic::new(Code::E0809, format!("subaddress separator `{text}` {what}"))
        .help("write \"+\", as most servers do")
        .at(separator.span, "")
        .rule("identity.address.subaddress")
        .edit(separator.span, "\"+\"");
    sink.push(diagnostic);
}
