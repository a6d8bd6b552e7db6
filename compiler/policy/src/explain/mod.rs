//! Answers to "why?": a pasted reply, a rule, a code, a section, what a message would meet, who somebody is
//! (policy-language.md 8). Each answer is the same shape, whatever was asked.

mod advice;
mod code;
mod rule;
mod sections;
mod who;
mod would;

use plan::{Place, Plan, SourceMap};
use serde::Serialize;

pub use code::code;
pub use rule::{Pasted, pasted, reply};
pub use sections::{default_sections, section};
pub use who::who;
pub use would::{Would, WouldError, would};

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// One sentence without a full stop.
    pub title: String,
    /// The rule that decides, where one does.
    pub rule: Option<String>,
    pub lines: Vec<Excerpt>,
    /// Further facts, one sentence each.
    pub facts: Vec<String>,
    /// Text to be read as it stands: an example, the text of a default.
    pub text: Vec<String>,
}

/// A line of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub text: String,
}

impl Explanation {
    fn new(title: impl Into<String>) -> Explanation {
        Explanation { title: title.into(), ..Explanation::default() }
    }

    fn fact(mut self, fact: impl Into<String>) -> Explanation {
        self.facts.push(fact.into());
        self
    }

    /// As a person reads it, without a final line break.
    pub fn human(&self) -> String {
        let mut text = self.title.clone();
        let width = self.lines.iter().map(|line| line.line.to_string().len()).max().unwrap_or(1);
        for excerpt in &self.lines {
            text += &format!("\n{:width$}--> {}:{}:{}", "", excerpt.file, excerpt.line, excerpt.column);
            text += &format!("\n{:width$} | {}", excerpt.line, excerpt.text);
        }
        for fact in &self.facts {
            text += &format!("\n  = {fact}");
        }
        for line in &self.text {
            text += &format!("\n{line}");
        }
        text
    }

    /// One JSON object in one line.
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Line<'e> {
            schema: u32,
            kind: &'static str,
            #[serde(flatten)]
            explanation: &'e Explanation,
        }
        let line = Line { schema: 1, kind: "explanation", explanation: self };
        // Strings and numbers always have a JSON form.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

/// What is explained: a plan, and where its rules stand.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'p> {
    pub plan: &'p Plan,
    pub map: &'p SourceMap,
}

impl Subject<'_> {
    fn excerpt(&self, rule: &str) -> Option<Excerpt> {
        let Place { file, line, column, text } = self.map.find(rule)?.clone();
        let file = self.map.files.get(file as usize)?.clone();
        Some(Excerpt { file, line, column, text })
    }

    /// `policy.ron:79`, for a sentence.
    fn line(&self, rule: &str) -> String {
        self.excerpt(rule).map_or_else(String::new, |at| format!(" ({}:{})", at.file, at.line))
    }
}
