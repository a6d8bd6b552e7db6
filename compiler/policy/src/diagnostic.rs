//! Diagnostics are data: a code, one sentence, help and the places it is about. `render` draws them, tests match
//! their codes, and nothing here prints.

pub use crate::codes::Code;
pub use crate::syntax::source::{FileId, Position, Sources, Span};

/// What a diagnostic does to the compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// No plan is made.
    Error,
    /// A plan is made; the lint can be waived or denied.
    Lint,
    /// Something worth knowing.
    Note,
}

impl Level {
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Lint => "lint",
            Level::Note => "note",
        }
    }
}

/// A place, and what it has to do with the message. The first primary label is where the diagnostic "is".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    /// May be empty: a caret alone is often enough.
    pub text: String,
    pub primary: bool,
}

/// A change to the text that mends what was found: the octets of `span` become `text`. An empty span inserts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

/// One finding. Message, help and notes are lower case, have no full stop and no line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub level: Level,
    pub message: String,
    pub help: Option<String>,
    pub labels: Vec<Label>,
    /// The dotted policy path (a rule id) it concerns.
    pub rule: Option<String>,
    /// Further lines, in order: a counterexample, figures.
    pub notes: Vec<String>,
    /// Edits that, made together, mend it. Only where they are likely to be what was meant.
    pub fix: Vec<Edit>,
    /// The institution has said why this lint stands.
    pub waived: bool,
}

impl Diagnostic {
    /// The level follows from the letter of the code; see [`Diagnostic::as_note`] for the exception.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            level: if code.is_lint() { Level::Lint } else { Level::Error },
            message: message.into(),
            help: None,
            labels: Vec::new(),
            rule: None,
            notes: Vec::new(),
            fix: Vec::new(),
            waived: false,
        }
    }

    /// Makes it a note that stops nothing (E0903).
    pub fn as_note(mut self) -> Self {
        self.level = Level::Note;
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the place the diagnostic is about.
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), primary: true });
        self
    }

    /// Adds a place that explains it.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), primary: false });
        self
    }

    pub fn rule(mut self, path: impl Into<String>) -> Self {
        self.rule = Some(path.into());
        self
    }

    /// Adds an edit that belongs to the mending.
    pub fn edit(mut self, span: Span, text: impl Into<String>) -> Self {
        self.fix.push(Edit { span, text: text.into() });
        self
    }

    pub fn note(mut self, line: impl Into<String>) -> Self {
        self.notes.push(line.into());
        self
    }

    /// Where it is: the first primary label, else the first label.
    pub fn place(&self) -> Option<Span> {
        self.labels.iter().find(|label| label.primary).or(self.labels.first()).map(|label| label.span)
    }

    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}
