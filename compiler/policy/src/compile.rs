//! The whole pipeline (policy-language.md 5.1): read, type, resolve, check, lower, prove, seal. Pure: text comes in
//! through a `Loader`, findings go out as data.

mod law;

use std::fmt;

use plan::{Plan, PlanHash, SourceMap};

use crate::blast::BlastRadius;
use crate::check::Subject;
use crate::codes::Code;
use crate::compose::{self, Composed};
use crate::diagnostic::{Diagnostic, FileId, Sources};
use crate::model::literal::Date;
use crate::model::people::People;
use crate::model::{Policy, SECTIONS, Switch};
use crate::people::{self, Directory};
use crate::prove::{self, Counterexample, Places, ProofReport, Proofs};
use crate::syntax::{Document, Span, read};
use crate::{check, defaults, lower, resolve, shown, waivers};

pub use law::fuzz;

/// Where text comes from: the disk for `facteur`, a map in tests.
pub trait Loader {
    /// The text of a file, by the name the diagnostics will show.
    fn load(&self, name: &str) -> Result<String, LoadError>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    NotFound,
    /// Why, in words for a person.
    Unreadable(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::NotFound => f.write_str("no such file"),
            LoadError::Unreadable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for LoadError {}

/// A plan with its text, name and places.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    pub plan: Plan,
    /// Canonical; what is hashed, written and deployed.
    pub text: String,
    pub hash: PlanHash,
    pub map: SourceMap,
}

/// What compiling gives.
#[derive(Debug)]
pub struct Compiled {
    /// Texts by file, for rendering diagnostics.
    pub sources: Sources,
    /// In the order of files and places.
    pub diagnostics: Vec<Diagnostic>,
    /// The plan: present when the policy has no error and every guarantee this build decides holds. Mistakes in
    /// `people.ron` do not touch it.
    pub plan: Option<Sealed>,
    /// The plan even if a guarantee is broken; for test builds, to show that a counterexample is true.
    pub plan_unproved: Option<Sealed>,
    /// People derived from `people.ron`, when there is such a file, without mistakes, and a sound policy.
    pub people: Option<Directory>,
    /// Sections somebody wrote, in the order of the file.
    pub written: Vec<String>,
    pub proofs: ProofReport,
    pub counterexamples: Vec<Counterexample>,
    /// What one stolen password can do; absent when the blocks have mistakes.
    pub blast: Option<BlastRadius>,
}

impl Compiled {
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Sections a proof reads: a mistake in one of them leaves guarantees unjudged.
const READ_BY_PROOFS: [&str; 13] = [
    "institution",
    "networks",
    "gateways",
    "listeners",
    "domains",
    "may_send",
    "may_receive",
    "may_read",
    "never_reachable_beyond",
    "senders",
    "one_account_in_several_blocks",
    "routes",
    "guarantees",
];

/// What is known beside the files. None of it reaches the plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs<'a> {
    /// The day waivers, grants and applications are judged on; without it no end date has passed.
    pub today: Option<&'a Date>,
    /// The plan that runs now, for L0310.
    pub deployed: Option<&'a Plan>,
}

/// [`compile_with`] nothing beside the files.
pub fn compile(files: &dyn Loader, entry: &str) -> Result<Compiled, LoadError> {
    compile_with(files, entry, Inputs::default())
}

/// Compiles the policy file `entry`, and `people.ron` beside it where there is one. Fails only when the policy file
/// itself cannot be had.
pub fn compile_with(files: &dyn Loader, entry: &str, inputs: Inputs<'_>) -> Result<Compiled, LoadError> {
    let text = files.load(entry)?;
    let mut sources = Sources::new();
    let file = sources.add(entry, text);
    let mut diagnostics = Vec::new();
    let document = read(file, sources.text(file), &mut diagnostics);
    let (default_document, defaults) = defaults::document(&mut sources);
    let composed = compose::compose(files, &mut sources, document, &default_document, &mut diagnostics);
    let people = people_beside(files, &composed.people_beside)?;
    Ok(compile_composed(sources, diagnostics, composed, (default_document, defaults), people, inputs))
}

/// `people.ron` in the folder of the first of some files that has one: its name and text.
fn people_beside(files: &dyn Loader, beside: &[String]) -> Result<Option<(String, String)>, LoadError> {
    for name in beside {
        let name = match name.rfind('/') {
            Some(slash) => format!("{}people.ron", &name[..=slash]),
            None => "people.ron".to_owned(),
        };
        match files.load(&name) {
            Ok(text) => return Ok(Some((name, text))),
            Err(LoadError::NotFound) => {}
            Err(unreadable @ LoadError::Unreadable(_)) => return Err(unreadable),
        }
    }
    Ok(None)
}

fn compile_composed(
    mut sources: Sources,
    mut diagnostics: Vec<Diagnostic>,
    composed: Composed,
    (default_document, defaults): (Document, Policy),
    people: Option<(String, String)>,
    Inputs { today, deployed }: Inputs<'_>,
) -> Compiled {
    let document = &composed.document;
    let mut policy = Policy::decode(document, &mut diagnostics);
    if let Some(locked) = policy.locked.seen() {
        compose::judge_locked(locked, &mut diagnostics);
    }
    let spans = document.path_spans();
    let otherwise = document.name().map_or_else(|| document.span(), |(_, span)| span);
    if check::as_written(document, &policy, &mut diagnostics) {
        if !document.is_damaged() {
            defaults::fill(&mut policy, defaults.clone());
        }
        resolve::resolve(&policy, &mut diagnostics);
        let subject = Subject { policy: &policy, today, deployed, spans: &spans, otherwise, sources: &sources };
        check::check(&subject, &mut diagnostics);
        resolve::unused(&subject, &mut diagnostics);
    }
    composed.done.judge(&policy, &sources, &mut diagnostics);
    forget_emptied_lists(&mut diagnostics);

    let mut proofs = prove_draft(document, &sources, &policy, &defaults, &diagnostics);
    diagnostics.retain(|found| !said_by_proof(found, &proofs.relays));
    said_once(&mut diagnostics, &mut proofs);
    let sound = !diagnostics.iter().any(Diagnostic::is_error);
    // What leaves the tables as they are can be served to show a counterexample.
    let playable = !diagnostics.iter().any(|found| found.is_error() && !LEAVE_TABLES.contains(&found.code));
    let proved = !proofs.diagnostics.iter().any(Diagnostic::is_error);
    diagnostics.extend(proofs.diagnostics);

    let plan = if playable { lower::lower(&policy) } else { None };
    let read_people =
        people.map(|people| directory(&mut sources, people, &composed, &policy, plan.as_ref(), &mut diagnostics));
    if read_people.is_none()
        && sound
        && let Some(institution) = policy.institution.seen()
    {
        diagnostics.push(people::unknown(institution.domain.span));
    }
    let directory = read_people.flatten();
    let subject = Subject { policy: &policy, today, deployed, spans: &spans, otherwise, sources: &sources };
    waivers::apply(&subject, &mut diagnostics);
    let diagnostics = shown::bounded(diagnostics, &sources);

    let blast = plan.as_ref().map(BlastRadius::of);
    let sealed = plan.map(|plan| seal(plan, &policy, document, &default_document, &sources));
    Compiled {
        plan: if proved && sound { sealed.clone() } else { None },
        plan_unproved: sealed,
        sources,
        diagnostics,
        people: directory,
        written: document.sections().map(|section| section.name.to_owned()).collect(),
        proofs: proofs.report,
        counterexamples: proofs.counterexamples,
        blast,
    }
}

/// Where what is missing among the people is said.
fn people_places(policy: &Policy, people: &Document) -> people::Places {
    let section = people.section("functions").or_else(|| people.section("people"));
    let antispam = policy.antispam.seen().and_then(Switch::on);
    let corrections = antispam.and_then(|antispam| antispam.corrections.as_ref());
    people::Places {
        addresses: section.map_or_else(|| people.span(), |section| section.name_span),
        corrections: corrections.map(|corrections| corrections.to.span).filter(|place| !place.is_empty()),
    }
}

/// Reads `people.ron`; the people themselves when there is a plan and they have no mistake.
fn directory(
    sources: &mut Sources,
    (name, text): (String, String),
    composed: &Composed,
    policy: &Policy,
    plan: Option<&Plan>,
    sink: &mut Vec<Diagnostic>,
) -> Option<Directory> {
    let file = sources.add(name, text);
    let before = sink.len();
    let mut document = read(file, sources.text(file), sink);
    composed.rename_people(&mut document);
    let people = People::decode(&document, sink);
    if document.section("people").is_none() && !document.is_damaged() {
        let place = document.name().map_or_else(|| document.span(), |(_, span)| span);
        sink.push(Diagnostic::new(Code::E0003, "`People` lacks `people`").at(place, ""));
    }
    if let Some(identity) = policy.identity.sound().map(lower::identity_rules) {
        let logins_apart = !sink.iter().any(|found| found.code == Code::E0803);
        people::homonyms(&people, &identity, logins_apart, sink);
    }
    let derived = people::derive(&people, plan?, &people_places(policy, &document), sink);
    (!sink[before..].iter().any(Diagnostic::is_error)).then_some(derived)
}

/// People of a plan whose policy is not at hand; mistakes in words, a line each. Two who would have one login are told of where
/// they would share it, not beforehand.
pub fn people_of_plan(name: &str, text: &str, plan: &Plan) -> Result<Directory, Vec<String>> {
    let (mut sources, mut sink) = (Sources::new(), Vec::new());
    let file = sources.add(name.to_owned(), text.to_owned());
    let document = read(file, sources.text(file), &mut sink);
    let people = People::decode(&document, &mut sink);
    let section = document.section("functions").or_else(|| document.section("people"));
    let addresses = section.map_or_else(|| document.span(), |section| section.name_span);
    let places = people::Places { addresses, corrections: None };
    let derived = people::derive(&people, plan, &places, &mut sink);
    let mistakes: Vec<String> =
        sink.iter().filter(|found| found.is_error()).map(|found| found.message.clone()).collect();
    if mistakes.is_empty() { Ok(derived) } else { Err(mistakes) }
}

/// Does an open relay that was found say it better?
fn said_by_proof(found: &Diagnostic, relays: &[String]) -> bool {
    let Some(rule) = &found.rule else { return false };
    match found.code {
        Code::E0205 => relays.contains(rule),
        // A relay beyond its ceiling is open; the proof shows how.
        Code::E0404 => rule.strip_suffix(".from").is_some_and(|block| relays.iter().any(|relay| relay == block)),
        _ => false,
    }
}

/// Promises that break exactly where a check has spoken already: the conversation goes there.
const SAID_BY_CHECKS: [(Code, &str); 2] =
    [(Code::E0401, "guarantees.NoClearPassword"), (Code::E0701, "guarantees.EveryMessageScanned")];

/// One mistake is one error: E0901 says nothing more where [`SAID_BY_CHECKS`] has the reason.
fn said_once(diagnostics: &mut [Diagnostic], proofs: &mut Proofs) {
    for (code, rule) in SAID_BY_CHECKS {
        let Some(said) = diagnostics.iter_mut().find(|found| found.code == code) else { continue };
        proofs.diagnostics.retain(|found| {
            let again = found.code == Code::E0901 && found.rule.as_deref() == Some(rule);
            if again {
                said.notes.extend(found.notes.iter().cloned());
            }
            !again
        });
    }
}

/// A list whose only window has a slip of its own is not empty: one slip is one error.
fn forget_emptied_lists(diagnostics: &mut Vec<Diagnostic>) {
    let others = diagnostics.iter().filter(|found| found.is_error() && found.code != Code::E0208);
    let others = others.filter_map(Diagnostic::place);
    let mut starts: Vec<(FileId, u32)> = others.map(|place| (place.file, place.start)).collect();
    starts.sort_unstable();
    // Places are values of one tree: what begins inside a list ends inside it.
    let hides = |list: Span| {
        let next = starts.partition_point(|start| *start < (list.file, list.start));
        starts.get(next).is_some_and(|start| *start < (list.file, list.end))
    };
    diagnostics.retain(|found| found.code != Code::E0208 || !found.place().is_some_and(hides));
}

/// P6 and P7: proofs run whenever the sections they read have no errors, on a draft in which every other section with
/// a mistake is replaced by its default. The draft is never written.
fn prove_draft(
    document: &Document,
    sources: &Sources,
    policy: &Policy,
    defaults: &Policy,
    diagnostics: &[Diagnostic],
) -> Proofs {
    let mistaken = sections_with_errors(document, policy, diagnostics);
    let named = policy.guarantees.seen().into_iter().flatten();
    let names: Vec<&'static str> = named.map(|guarantee| lower::guarantee_name(&guarantee.value)).collect();
    let not_judged = || Proofs { report: prove::not_judged(&names), ..Proofs::default() };
    if document.is_damaged() || mistaken.iter().any(|section| READ_BY_PROOFS.contains(section)) {
        return not_judged();
    }
    let mut draft = policy.clone();
    for section in &mistaken {
        draft.forget(section);
    }
    defaults::fill(&mut draft, defaults.clone());
    let Some(plan) = lower::lower(&draft) else { return not_judged() };
    let spans = document.path_spans();
    let places = Places {
        sources,
        spans: &spans,
        guarantees: policy.guarantees.seen().into_iter().flatten().map(|guarantee| guarantee.span).collect(),
        otherwise: document.name().map_or_else(|| document.span(), |(_, span)| span),
        mistaken: &mistaken,
    };
    prove::prove(plan, &places)
}

/// Errors that leave the tables as they are: what is proved beside them is still true, and E0205 would otherwise hide
/// the open relay it is about.
const LEAVE_TABLES: &[Code] = &[
    Code::E0115,
    Code::E0203,
    Code::E0204,
    Code::E0205,
    Code::E0206,
    Code::E0209,
    Code::E0210,
    Code::E0401,
    Code::E0403,
    Code::E0404,
    Code::E0409,
    Code::E0417,
    Code::E0418,
    Code::E0503,
    Code::E0504,
    Code::E0505,
    Code::E0506,
    Code::E0508,
    Code::E0509,
    Code::E0510,
    Code::E0515,
    Code::E0518,
    Code::E0521,
    Code::E0523,
    Code::E0524,
    Code::E0526,
    Code::E0527,
    Code::E0529,
    Code::E0530,
    Code::E0601,
    Code::E0602,
    Code::E0603,
    Code::E0604,
    Code::E0605,
    Code::E0701,
    Code::E0704,
    Code::E0705,
    Code::E0706,
    Code::E0707,
    Code::E0708,
    Code::E0801,
    Code::E0802,
    Code::E0803,
    Code::E0804,
    Code::E0805,
    Code::E0808,
    Code::E0809,
    Code::E0902,
    Code::E0904,
    Code::E0908,
];

/// Sections of the file in which an error stands that a table cannot be built with.
fn sections_with_errors(document: &Document, policy: &Policy, diagnostics: &[Diagnostic]) -> Vec<&'static str> {
    let errors = diagnostics.iter().filter(|found| found.is_error() && !LEAVE_TABLES.contains(&found.code));
    let places: Vec<Span> = errors.filter_map(Diagnostic::place).collect();
    let mut mistaken = policy.broken();
    for section in document.sections() {
        let Some(name) = SECTIONS.iter().copied().find(|name| *name == section.name) else { continue };
        let written = document.section_places(name);
        let here = places.iter().any(|place| written.iter().any(|written| written.holds(*place)));
        if here && !mistaken.contains(&name) {
            mistaken.push(name);
        }
    }
    mistaken
}

fn seal(plan: Plan, policy: &Policy, document: &Document, defaults: &Document, sources: &Sources) -> Sealed {
    let text = plan::emit(&plan);
    let hash = plan::hash(&text);
    let map = lower::source_map(policy, document, defaults, sources, hash);
    Sealed { plan, text, hash, map }
}
