//! What a run of tests says, for people and for programs.

use serde::Serialize;

/// One file of tests, played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order of the file.
    pub cases: Vec<CaseReport>,
}

/// One case, or one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseReport {
    pub name: String,
    pub at: Place,
    /// Of a table.
    pub rows: Option<usize>,
    pub verdict: Verdict,
    /// What each event gave, for a case whose expectation is recorded.
    pub recorded: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    /// Never empty.
    Failed(Vec<Failure>),
    /// `expect: Recorded`, and nobody recorded it yet.
    NotRecorded,
}

/// One expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub expected: String,
    pub got: String,
    /// Where it is expected.
    pub at: Place,
    /// The rule that decided; empty where none refused.
    pub rule: String,
    /// Where that rule stands.
    pub policy: Option<Place>,
}

/// A place in a file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    pub file: String,
    pub line: u32,
    #[serde(rename = "col")]
    pub column: u32,
}

impl Place {
    /// `policy.ron:126`: the file without its folder.
    fn short(&self) -> String {
        format!("{}:{}", self.file.rsplit('/').next().unwrap_or(&self.file), self.line)
    }
}

impl CaseReport {
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }

    /// The lines for people, without a final line break. Names of a test file may hold anything: what steers a terminal
    /// is masked.
    pub fn human(&self) -> String {
        let rows = self.rows.map_or_else(String::new, |rows| match rows {
            1 => " (1 row)".to_owned(),
            rows => format!(" ({rows} rows)"),
        });
        let named = format!("{}{rows}", masked(&self.name));
        match &self.verdict {
            Verdict::Passed => format!("  ok    {named}"),
            Verdict::NotRecorded => {
                let place = self.at.short();
                format!(
                    "  FAIL  {named:<46}  {place}\n          nothing is recorded: read what it gets, then `--record`"
                )
            }
            Verdict::Failed(failures) => {
                let mut text = String::new();
                for (index, failure) in failures.iter().enumerate() {
                    let place = failure.at.short();
                    let head =
                        if index == 0 { format!("  FAIL  {named:<46}  {place}") } else { format!("        {place}") };
                    let policy = failure.policy.as_ref().map_or_else(String::new, |at| format!("  {}", at.short()));
                    text += if index == 0 { "" } else { "\n" };
                    text += &format!("{head}\n          expected  {}", masked(&failure.expected));
                    text += &format!("\n          got       {}{policy}", masked(&failure.got));
                }
                text
            }
        }
    }

    /// One line of JSON, without a final line break.
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            schema: u32,
            kind: &'static str,
            name: &'a str,
            file: &'a str,
            line: u32,
            passed: bool,
            rows: Option<usize>,
            failures: &'a [Failure],
            recorded: &'a Option<Vec<String>>,
        }
        let failures: &[Failure] = match &self.verdict {
            Verdict::Failed(failures) => failures,
            Verdict::Passed | Verdict::NotRecorded => &[],
        };
        let line = Line {
            schema: 1,
            kind: "case",
            name: &self.name,
            file: &self.at.file,
            line: self.at.line,
            passed: self.passed(),
            rows: self.rows,
            failures,
            recorded: &self.recorded,
        };
        // Strings and numbers always have a JSON form.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

fn masked(text: &str) -> String {
    text.chars().map(|c| if crate::syntax::is_invisible(c) || c.is_control() { '\u{fffd}' } else { c }).collect()
}
