//! E0420: capabilities that are masked for a mail program.

use plan::MASKABLE;

use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::imap::Mask;
use crate::syntax::{Spanned, near};

/// Without these there is no session, or no way in.
const NEEDED: [&str; 4] = ["IMAP4rev1", "ID", "SASL-IR", "LOGINDISABLED"];
/// Longest name of a program a server compares.
const CLIENT_OCTETS_MAX: usize = 128;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(imap) = subject.policy.imap.seen() else { return };
    for (index, mask) in imap.mask.iter().enumerate() {
        let rule = format!("imap.mask[{index}]");
        one(&mask.value, &rule, sink);
        if mask.value.without.is_empty() {
            let diagnostic = Diagnostic::new(Code::E0420, "`imap.mask` names no capability")
                .help("write `without: [\"QRESYNC\"]`, or drop the entry")
                .at(mask.span, "")
                .rule(rule);
            sink.push(diagnostic);
        }
    }
}

fn one(mask: &Mask, rule: &str, sink: &mut Vec<Diagnostic>) {
    let client = &mask.client;
    let is_name = (1..=CLIENT_OCTETS_MAX).contains(&client.value.len()) && !client.value.contains('%');
    if !is_name {
        let diagnostic = Diagnostic::new(Code::E0420, format!("`imap.mask` names no client: \"{client}\""))
            .help("write the name the program gives itself in ID, e.g. \"Outlook*\"")
            .at(client.span, "")
            .rule(format!("{rule}.client"));
        sink.push(diagnostic);
    }
    for word in mask.without.iter().filter(|word| !MASKABLE.iter().any(|it| it.eq_ignore_ascii_case(&word.value))) {
        sink.push(unmaskable(word).rule(format!("{rule}.without")));
    }
}

fn unmaskable(word: &Spanned<String>) -> Diagnostic {
    let message = format!("`imap.mask` names \"{word}\", which cannot be masked");
    let needed = NEEDED.iter().any(|it| it.eq_ignore_ascii_case(&word.value)) || word.value.starts_with("AUTH=");
    if needed {
        return Diagnostic::new(Code::E0420, message).help("no session works without it").at(word.span, "");
    }
    let diagnostic = Diagnostic::new(Code::E0420, message)
        .help(near::help(word, MASKABLE.iter().copied()))
        .at(word.span, "no such capability");
    match near::nearest(word, MASKABLE.iter().copied()) {
        Some(near) => diagnostic.edit(word.span, format!("{near:?}")),
        None => diagnostic,
    }
}
