//! E0005 and E0003: the language of the file, and the sections without a default.

use crate::codes::Code;
use crate::defaults::REQUIRED;
use crate::diagnostic::Diagnostic;
use crate::model::{LANGUAGE, Policy};
use crate::syntax::{Document, Span};

pub(super) fn check(document: &Document, policy: &Policy, sink: &mut Vec<Diagnostic>) {
    if let Some(language) = policy.language.seen() {
        if language.value > LANGUAGE {
            let message = format!("the file is language {language}, this compiler reads up to {LANGUAGE}");
            sink.push(Diagnostic::new(Code::E0005, message).help("upgrade the compiler").at(language.span, ""));
        }
        if language.value == 0 {
            let message = format!("0 is out of range for language (1–{LANGUAGE})");
            sink.push(Diagnostic::new(Code::E0108, message).at(language.span, ""));
        }
    }
    if document.is_damaged() {
        return;
    }
    for section in REQUIRED {
        if document.section(section).is_none() {
            let place = document.name().map_or_else(|| first_byte(document), |(_, span)| span);
            let help = match section {
                "language" => "add `language: 1`; it decides which version of the policy language this file is in",
                "institution" => {
                    "add `institution: (name: …, domain: …, time_zone: …)`; it decides whose policy this is"
                }
                "networks" => "add `networks: { \"outside\": Rest }`; it decides which addresses are treated alike",
                _ => "add `listeners: { … }`; it decides what the server listens on",
            };
            let lacks = Diagnostic::new(Code::E0003, format!("`Policy` lacks `{section}`")).help(help).at(place, "");
            // Of the four only this one has a value that is right for everybody.
            sink.push(match after_bracket(document).filter(|_| section == "language") {
                Some(inside) => lacks.edit(inside, "\n    language: 1,"),
                None => lacks,
            });
        }
    }
}

fn first_byte(document: &Document) -> Span {
    let span = document.span();
    Span::new(span.file, span.start, (span.start + 1).min(span.end))
}

/// Just inside the bracket of the file.
fn after_bracket(document: &Document) -> Option<Span> {
    let root = &document.tree().root;
    let bracket = document.tree().slice(root).find('(')?;
    let inside = root.start + u32::try_from(bracket).ok()? + 1;
    Some(Span::new(root.file, inside, inside))
}
