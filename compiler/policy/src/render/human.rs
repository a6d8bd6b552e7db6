//! Diagnostics as people read them: message, the lines it is about with what is wrong underlined, notes, help. Read
//! without colour it loses nothing.

use super::excerpt::excerpts;
use crate::diagnostic::{Diagnostic, Level, Sources};
use crate::syntax::is_invisible;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Element, Group, Level as Severity, Renderer};

/// Longer lines are cut around what is underlined.
const WIDTH_CHARS: usize = 140;

/// Draws one diagnostic, without a final line break. Colour only adds to what the text already says.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(WIDTH_CHARS);
    let severity = match diagnostic.level {
        Level::Error => Severity::ERROR,
        Level::Lint => Severity::WARNING.with_name("lint"),
        Level::Note => Severity::NOTE,
    };
    let waived = if diagnostic.waived { " (waived)" } else { "" };
    let message = format!("{}{waived}", shown(&diagnostic.message));
    let title = severity.primary_title(message).id(diagnostic.code.as_str());
    let mut group = Group::with_title(title);
    let mut corrections = Vec::new();
    for excerpt in excerpts(&diagnostic.labels, sources) {
        let (element, correction) = excerpt.element(sources);
        group = group.element(element);
        corrections.extend(correction);
    }
    for note in &diagnostic.notes {
        group = group.element(Element::Message(Severity::NOTE.no_name().message(shown(note))));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Severity::HELP.message(shown(help)));
    }
    let drawn = renderer.render(&[group]);
    // Columns were counted on what is left of a cut line.
    corrections.iter().fold(drawn, |drawn, (cut, whole)| drawn.replacen(cut, whole, 1))
}

/// Text from a policy may hold characters that steer a terminal or hide what stands beside them.
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if is_invisible(c) || c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Code;
    use crate::diagnostic::{FileId, Span};

    fn place(sources: &Sources, file: FileId, text: &str) -> Span {
        let start = sources.text(file).find(text).expect("the text is in the file") as u32;
        Span::new(file, start, start + text.len() as u32)
    }

    #[test]
    fn one_label_with_help() {
        let mut sources = Sources::new();
        let file = sources.add("nantes/policy.ron", "Policy(\n    may_send: { \"a\": (from: [\"outsdie\"]) },\n)\n");
        let diagnostic = Diagnostic::new(Code::E0101, "unknown network \"outsdie\"")
            .at(place(&sources, file, "\"outsdie\""), "")
            .help("did you mean `outside`? Defined: inside, outside");
        insta::assert_snapshot!(render(&diagnostic, &sources, false), @r##"
        error[E0101]: unknown network "outsdie"
         --> nantes/policy.ron:2:30
          |
        2 |     may_send: { "a": (from: ["outsdie"]) },
          |                              ^^^^^^^^^
          |
          = help: did you mean `outside`? Defined: inside, outside
        "##);
    }

    #[test]
    fn several_labels_far_apart_and_notes() {
        let mut sources = Sources::new();
        let filler = "        // nothing\n".repeat(300);
        let text = format!("    may_receive: (to: Anyone),\n{filler}    guarantees: [\n        NoOpenRelay,\n    ],\n");
        let file = sources.add("policy.ron", text);
        let diagnostic = Diagnostic::new(Code::E0501, "open relay: a stranger at \"outside\" can send to the outside")
            .also(place(&sources, file, "NoOpenRelay"), "promised here")
            .at(place(&sources, file, "to: Anyone"), "lets anyone reach the outside")
            .note("a stranger can do this (24 of 4320 cases):")
            .note("    connect 198.18.4.7, no TLS, no login")
            .help("write `to: OurAddresses`");
        insta::assert_snapshot!(render(&diagnostic, &sources, false), @r##"
        error[E0501]: open relay: a stranger at "outside" can send to the outside
           --> policy.ron:1:19
            |
          1 |     may_receive: (to: Anyone),
            |                   ^^^^^^^^^^ lets anyone reach the outside
            |
           ::: policy.ron:303:9
            |
        303 |         NoOpenRelay,
            |         ----------- promised here
            |
            = a stranger can do this (24 of 4320 cases):
            =     connect 198.18.4.7, no TLS, no login
            = help: write `to: OurAddresses`
        "##);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let mut sources = Sources::new();
        let file =
            sources.add("policy.ron", format!("a: [{} \"here\", {}]\n", "\"x\", ".repeat(100), "\"y\", ".repeat(100)));
        let diagnostic =
            Diagnostic::new(Code::L0117, "network \"here\" is never used").at(place(&sources, file, "\"here\""), "");
        let text = render(&diagnostic, &sources, false);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH_CHARS + 8), "{text}");
        assert!(text.contains("\"here\""), "{text}");
        assert!(text.starts_with("lint[L0117]: network"), "{text}");
    }

    #[test]
    fn a_diagnostic_without_a_place_is_a_sentence() {
        let mut diagnostic = Diagnostic::new(Code::E0903, "needs a fact").as_note().help("later");
        diagnostic.waived = true;
        insta::assert_snapshot!(render(&diagnostic, &Sources::new(), false), @r##"
        note[E0903]: needs a fact (waived)
         |
         = help: later
        "##);
    }

    #[test]
    fn hostile_text_cannot_steer_the_terminal() {
        let mut sources = Sources::new();
        let file = sources.add("p\u{1b}.ron", "a: \"\u{1b}[31m\u{202e}x\u{0}\",\r\n");
        let diagnostic =
            Diagnostic::new(Code::E0006, "control \u{1b}[2J").at(Span::new(file, 3, 9), "\u{1b}c").help("\u{1b}");
        let text = render(&diagnostic, &sources, false);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\0']), "{text:?}");
    }
}
