//! One file of tests from text to report.

use std::collections::BTreeSet;

use super::check::{self, Ready, What};
use super::coverage;
use super::each::Line;
use super::expect::Expect;
use super::got::Got;
use super::house::House;
use super::model::{Case, Tests};
use super::play::Play;
use super::recorded::Recorded;
use super::report::{CaseReport, Failure, Place, Report, Verdict};
use super::scene::Scene;
use crate::compile::Sealed;
use crate::diagnostic::{Diagnostic, Sources};
use crate::people::Directory;
use crate::syntax::{Span, read as read_document};

/// What a run is to do beside running.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Only cases whose name holds this.
    pub filter: &'a str,
    /// What was recorded; `None` when there is no such file.
    pub recorded: Option<&'a Recorded>,
    /// Take what recorded cases get now as what is expected.
    pub record: bool,
}

/// Reads a file of tests. Mistakes go to the sink.
pub fn read(sources: &mut Sources, name: &str, text: &str, sink: &mut Vec<Diagnostic>) -> Tests {
    let file = sources.add(name, text);
    let document = read_document(file, sources.text(file), sink);
    Tests::decode(&document, sink)
}

/// Plays every case of a file. With mistakes in the sink, those of reading too, nothing is played and the report is empty. `hits` gathers the
/// rules that decided something, over several files.
pub fn run(
    tests: &Tests,
    sealed: &Sealed,
    people: &Directory,
    sources: &Sources,
    asked: Asked<'_>,
    hits: &mut BTreeSet<String>,
    sink: &mut Vec<Diagnostic>,
) -> Report {
    let Some(mut house) = House::new(sealed, people) else { return Report::default() };
    if let Some(people) = tests.people.seen() {
        house.welcome(people);
    }
    let ready = check::ready(tests, &house, sink);
    if sink.iter().any(Diagnostic::is_error) {
        return Report::default();
    }
    let runner = Runner { house: &house, sources, asked };
    let wanted = ready.iter().filter(|ready| ready.name.contains(asked.filter));
    Report { cases: wanted.map(|ready| runner.case(ready, hits)).collect() }
}

/// Rules of the plan that are not among `hits`, and the same as words for a sentence.
pub fn uncovered(sealed: &Sealed, hits: &BTreeSet<String>) -> (BTreeSet<String>, Vec<String>) {
    let Some(house) = House::new(sealed, &Directory::default()) else { return (BTreeSet::new(), Vec::new()) };
    let never: BTreeSet<String> = coverage::rules(&house.tables).difference(hits).cloned().collect();
    let listed = coverage::listed(&never);
    (never, listed)
}

struct Runner<'r> {
    house: &'r House,
    sources: &'r Sources,
    asked: Asked<'r>,
}

impl Runner<'_> {
    fn case(&self, ready: &Ready<'_>, hits: &mut BTreeSet<String>) -> CaseReport {
        let (verdict, rows, got) = match &ready.what {
            What::Each(lines) => (self.table(lines, hits), Some(lines.len()), Vec::new()),
            What::Case { case, scene } => {
                let got = self.play(case, scene, hits);
                (self.judge(ready.name, case, &got), None, got)
            }
        };
        let recorded = match &ready.what {
            What::Case { case, .. } => case.expect.value == Expect::Recorded,
            What::Each(_) => false,
        };
        CaseReport {
            name: ready.name.to_owned(),
            at: self.place(ready.place),
            rows,
            verdict,
            recorded: recorded.then(|| got.iter().map(Got::to_string).collect()),
        }
    }

    fn play(&self, case: &Case, scene: &Scene, hits: &mut BTreeSet<String>) -> Vec<Got> {
        let mut play = Play::new(self.house, scene, hits);
        case.when.values().map(|event| play.event(event)).collect()
    }

    fn judge(&self, name: &str, case: &Case, got: &[Got]) -> Verdict {
        let mut failures = Vec::new();
        match &case.expect.value {
            Expect::Steps(expected) => {
                for (expected, got) in expected.iter().zip(got) {
                    if !got.is(&expected.value) {
                        failures.push(self.failure(expected.value.to_string(), got, expected.span));
                    }
                }
            }
            Expect::Recorded if self.asked.record => {}
            Expect::Recorded => {
                let Some(recorded) = self.asked.recorded.and_then(|recorded| recorded.cases.get(name)) else {
                    return Verdict::NotRecorded;
                };
                for (index, got) in got.iter().enumerate() {
                    let expected = recorded.get(index).map_or("", String::as_str);
                    if expected != got.to_string() {
                        failures.push(self.failure(expected.to_owned(), got, case.expect.span));
                    }
                }
            }
        }
        if failures.is_empty() { Verdict::Passed } else { Verdict::Failed(failures) }
    }

    fn failure(&self, expected: String, got: &Got, at: Span) -> Failure {
        let rule = got.rule().unwrap_or("").to_owned();
        Failure { expected, got: got.to_string(), at: self.place(at), policy: self.rule(&rule), rule }
    }

    fn table(&self, lines: &[Line], hits: &mut BTreeSet<String>) -> Verdict {
        let mut failures = Vec::new();
        for line in lines {
            for compared in &line.compared {
                hits.insert(compared.rule.clone());
                if compared.expected != compared.got {
                    failures.push(Failure {
                        expected: format!("{}: {}", compared.column, compared.expected),
                        got: compared.got.clone(),
                        at: self.place(line.place),
                        policy: self.rule(&compared.rule),
                        rule: compared.rule.clone(),
                    });
                }
            }
        }
        if failures.is_empty() { Verdict::Passed } else { Verdict::Failed(failures) }
    }

    fn place(&self, span: Span) -> Place {
        let at = self.sources.position(span.file, span.start);
        Place { file: self.sources.name(span.file).to_owned(), line: at.line, column: at.col }
    }

    /// Where a rule stands in the policy.
    fn rule(&self, rule: &str) -> Option<Place> {
        let place = self.house.map.find(rule)?;
        let file = self.house.map.files.get(place.file as usize)?.clone();
        Some(Place { file, line: place.line, column: place.column })
    }
}
