//! Diagnostics as people read them: message, the lines it is about with what is wrong underlined, notes, help. Read
//! without colour it loses nothing.

use crate::diagnostic::{Diagnostic, FileId, Label, Level, Sources};
use crate::syntax::is_invisible;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level as Severity, Renderer, Snippet};

/// Longer lines are cut around what is underlined.
const WIDTH_CHARS: usize = 140;

/// Labels farther apart than this are drawn as separate excerpts.
const GAP_LINES_MAX: u32 = 100;

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
    for excerpt in excerpts(&diagnostic.labels, sources) {
        group = group.element(excerpt.snippet(sources));
    }
    for note in &diagnostic.notes {
        group = group.element(Element::Message(Severity::NOTE.no_name().message(shown(note))));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Severity::HELP.message(shown(help)));
    }
    renderer.render(&[group])
}

/// Lines of one file that are drawn together.
struct Excerpt<'a> {
    file: FileId,
    line_first: u32,
    line_last: u32,
    labels: Vec<&'a Label>,
}

/// The excerpt with the first primary label comes first, the others in order of file and line.
fn excerpts<'a>(labels: &'a [Label], sources: &Sources) -> Vec<Excerpt<'a>> {
    let mut sorted: Vec<&Label> = labels.iter().filter(|label| !sources.text(label.span.file).is_empty()).collect();
    sorted.sort_by_key(|label| (label.span.file, label.span.start));
    let mut excerpts: Vec<Excerpt<'a>> = Vec::new();
    for label in sorted {
        let (first, last) = sources.range(label.span);
        match excerpts.last_mut() {
            Some(excerpt) if excerpt.file == label.span.file && first.line <= excerpt.line_last + GAP_LINES_MAX => {
                excerpt.line_last = excerpt.line_last.max(last.line);
                excerpt.labels.push(label);
            }
            _ => excerpts.push(Excerpt {
                file: label.span.file,
                line_first: first.line,
                line_last: last.line,
                labels: vec![label],
            }),
        }
    }
    let place = labels.iter().find(|label| label.primary).or(labels.first());
    let first =
        excerpts.iter().position(|e| place.is_some_and(|place| e.labels.iter().any(|l| std::ptr::eq(*l, place))));
    if let Some(first) = first {
        excerpts[..=first].rotate_right(1);
    }
    excerpts
}

impl Excerpt<'_> {
    fn snippet(&self, sources: &Sources) -> Snippet<'static, Annotation<'static>> {
        let lines = sources.lines(self.file, self.line_first, self.line_last);
        let start = lines.start as usize;
        // Same length in bytes, so places stay where they are; a carriage return would be drawn.
        let text = sources.slice(lines).replace('\r', " ");
        let length = text.len();
        let place = |offset: u32| (offset as usize).saturating_sub(start).min(length);
        let annotations = self.labels.iter().map(|label| {
            let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let words = (!label.text.is_empty()).then(|| shown(&label.text));
            kind.span(place(label.span.start)..place(label.span.end)).label(words)
        });
        Snippet::source(text)
            .path(shown(sources.name(self.file)))
            .line_start(self.line_first as usize)
            .annotations(annotations)
    }
}

/// Text from a policy may hold characters that steer a terminal or hide what stands beside them.
fn shown(text: &str) -> String {
    text.chars().map(|c| if is_invisible(c) || c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Code;
    use crate::diagnostic::Span;

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
