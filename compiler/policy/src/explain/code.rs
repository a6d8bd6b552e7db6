//! A code of the catalogue, with a bad and a good example.

use super::Explanation;
use crate::codes::{Code, Standing};
use crate::examples::{self, Setting};

/// What a code means, why it matters, and an example of each kind.
pub fn code(code: Code) -> Explanation {
    let level = if code.is_lint() { "lint" } else { "error" };
    let mut explanation =
        Explanation::new(format!("{level} {code}: {}", code.title())).fact(format!("help: {}", code.remedy()));
    match code.standing() {
        Standing::Judged => {}
        Standing::Later => return explanation.fact("reserved: this build does not report it yet"),
        Standing::Withdrawn => {
            return explanation.fact("withdrawn: no build reports it any more, and the number is not used again");
        }
    }
    if code.is_lint() {
        explanation = explanation.fact(format!(
            "a lint can be waived with a reason and an end: (lint: \"{code}\", at: \"…\", because: \"…\", until: \"2027-08-31\")"
        ));
    }
    let Some(example) = examples::of(code) else { return explanation };
    explanation.text.extend([
        "".to_owned(),
        example.why.to_owned(),
        "".to_owned(),
        format!("bad, in {}:", place(example.setting)),
    ]);
    explanation.text.extend(indented(example.bad));
    explanation.text.extend(["".to_owned(), "good:".to_owned()]);
    explanation.text.extend(indented(example.good));
    explanation
}

fn place(setting: Setting) -> &'static str {
    match setting {
        Setting::Sections(_) => "a policy",
        Setting::People(_) => "people.ron",
        Setting::Overlay(_) => "an overlay",
        Setting::Part(_) => "an included part",
        Setting::Command => "a command",
    }
}

/// The example moved to one indentation.
fn indented(text: &str) -> impl Iterator<Item = String> {
    let lines: Vec<&str> = text.trim_matches('\n').lines().collect();
    let depth = |line: &&str| line.len() - line.trim_start().len();
    let least = lines.iter().filter(|line| !line.trim().is_empty()).map(depth).min().unwrap_or(0);
    lines
        .into_iter()
        .map(move |line| format!("    {}", line.get(least..).unwrap_or("").trim_end()))
        .collect::<Vec<_>>()
        .into_iter()
}
