//! Diagnostics as programs read them: one JSON object a line (policy-language.md section 8). Members are only ever
//! added.

use crate::diagnostic::{Diagnostic, Edit, Label, Sources, Span};
use serde::Serialize;

/// The number of this shape.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Line<'a> {
    schema: u32,
    kind: &'static str,
    code: &'static str,
    level: &'static str,
    /// File of the place; null, as is the place, when the diagnostic has none.
    file: Option<&'a str>,
    span: Option<Range>,
    rule: Option<&'a str>,
    message: &'a str,
    help: Option<&'a str>,
    /// Edits a program may apply, all of them together; null when there is no proposal.
    fix: Option<Vec<Edited<'a>>>,
    waived: bool,
    labels: Vec<Labelled<'a>>,
    notes: &'a [String],
}

/// Lines and columns count from 1, columns count characters; the end is one past the last character.
#[derive(Serialize)]
struct Range {
    line: u32,
    col: u32,
    end_line: u32,
    end_col: u32,
}

#[derive(Serialize)]
struct Labelled<'a> {
    file: &'a str,
    span: Range,
    text: &'a str,
    primary: bool,
}

/// The text of the range becomes `text`.
#[derive(Serialize)]
struct Edited<'a> {
    file: &'a str,
    span: Range,
    /// Octets from the beginning of the file.
    start: u32,
    end: u32,
    text: &'a str,
}

/// One diagnostic as one line of JSON, without a final line break.
pub fn render(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let place = diagnostic.place();
    let line = Line {
        schema: SCHEMA,
        kind: "diagnostic",
        code: diagnostic.code.as_str(),
        level: diagnostic.level.as_str(),
        file: place.map(|span| sources.name(span.file)),
        span: place.map(|span| range(span, sources)),
        rule: diagnostic.rule.as_deref(),
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        fix: (!diagnostic.fix.is_empty()).then(|| diagnostic.fix.iter().map(|edit| edited(edit, sources)).collect()),
        waived: diagnostic.waived,
        labels: diagnostic.labels.iter().map(|label| labelled(label, sources)).collect(),
        notes: &diagnostic.notes,
    };
    serde_json::to_string(&line).expect("strings, numbers and lists always serialize")
}

fn edited<'a>(edit: &'a Edit, sources: &'a Sources) -> Edited<'a> {
    Edited {
        file: sources.name(edit.span.file),
        span: range(edit.span, sources),
        start: edit.span.start,
        end: edit.span.end,
        text: &edit.text,
    }
}

fn labelled<'a>(label: &'a Label, sources: &'a Sources) -> Labelled<'a> {
    Labelled {
        file: sources.name(label.span.file),
        span: range(label.span, sources),
        text: &label.text,
        primary: label.primary,
    }
}

fn range(span: Span, sources: &Sources) -> Range {
    let (first, last) = sources.range(span);
    Range { line: first.line, col: first.col, end_line: last.line, end_col: last.col }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Code;

    #[test]
    fn a_diagnostic_is_one_line() {
        let mut sources = Sources::new();
        let file = sources.add("policy.ron", "é: 1,\nport: 99999,\n");
        let diagnostic = Diagnostic::new(Code::E0108, "99999 is out of range\nfor `port`")
            .at(Span::new(file, 13, 18), "here")
            .rule("listeners.mx.port")
            .help("a port is 1–65535");
        insta::assert_snapshot!(render(&diagnostic, &sources), @r##"{"schema":1,"kind":"diagnostic","code":"E0108","level":"error","file":"policy.ron","span":{"line":2,"col":7,"end_line":2,"end_col":12},"rule":"listeners.mx.port","message":"99999 is out of range\nfor `port`","help":"a port is 1–65535","fix":null,"waived":false,"labels":[{"file":"policy.ron","span":{"line":2,"col":7,"end_line":2,"end_col":12},"text":"here","primary":true}],"notes":[]}"##);
    }

    #[test]
    fn a_diagnostic_without_a_place_has_nulls() {
        let line = render(&Diagnostic::new(Code::L0713, "no virus engine"), &Sources::new());
        insta::assert_snapshot!(line, @r##"{"schema":1,"kind":"diagnostic","code":"L0713","level":"lint","file":null,"span":null,"rule":null,"message":"no virus engine","help":null,"fix":null,"waived":false,"labels":[],"notes":[]}"##);
    }
}
