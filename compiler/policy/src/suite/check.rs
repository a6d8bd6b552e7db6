//! Whether a file of tests can be run: names, addresses, times, and that no case is endless. Files are hostile: each
//! case does a bounded number of steps in a bounded time, and so does the whole file.

use std::collections::BTreeMap;

use decide::Client;

use super::each::{self, Line};
use super::expect::Expect;
use super::house::House;
use super::model::{Case, Entry, Event, Tests};
use super::play::ticks;
use super::scene::{Scene, takes_mail, unknown};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::syntax::{Span, Spanned};

/// Most recipients, messages, connections and logins of one case.
pub const STEPS_MAX: u64 = 1_000_000;
/// Of a whole file.
const FILE_STEPS_MAX: u64 = 5_000_000;
/// What a row of a table costs, and a newcomer, for whom many logins may be tried.
const ROW_STEPS: u64 = 100;
const DERIVED_STEPS: u64 = 1_000;
/// Longest a case may last: ten years, in ticks. Windows are a day wide.
const TICKS_MAX: u64 = 10 * 366 * 86_400 * 10;
/// Most moves of a case.
const MOVES_MAX: usize = 100;
/// Most mistakes reported of one file.
const REPORTS_MAX: usize = 100;

/// A case whose names were found.
pub(super) struct Ready<'t> {
    pub name: &'t str,
    pub place: Span,
    pub what: What<'t>,
}

pub(super) enum What<'t> {
    Case { case: &'t Case, scene: Box<Scene> },
    Each(Vec<Line>),
}

/// Every case of a file, ready to be played; with mistakes in the sink, those that have none.
pub(super) fn ready<'t>(tests: &'t Tests, house: &House, sink: &mut Vec<Diagnostic>) -> Vec<Ready<'t>> {
    profiles(tests, house, sink);
    // Events and expectations with a mistake are left out: then nothing can be said of their numbers.
    let whole = !tests.cases.has_mistakes();
    let mut ready = Vec::new();
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    let mut steps = 0;
    for entry in tests.cases.seen().into_iter().flatten() {
        if sink.len() >= REPORTS_MAX {
            break;
        }
        let name = match &entry.value {
            Entry::Case(case) => &case.name,
            Entry::Each(each) => &each.name,
        };
        if let Some(first) = names.insert(&name.value, name.span) {
            let diagnostic = Diagnostic::new(Code::E0004, format!("\"{name}\" is written twice in `cases`"))
                .help("a case is found by its name, so give each its own")
                .at(name.span, "again here")
                .also(first, "first here");
            sink.push(diagnostic);
        }
        let what = match &entry.value {
            Entry::Case(case) => one(case, house, whole, &mut steps, sink),
            Entry::Each(each) => {
                let rows = each.rows.len() as u64;
                let derives = each.columns.values().any(|column| column == "first");
                steps = count(steps, rows * if derives { DERIVED_STEPS } else { ROW_STEPS }, each.name.span, sink);
                let bounded = steps <= FILE_STEPS_MAX;
                bounded.then(|| each::lines(each, house, sink)).flatten().map(What::Each)
            }
        };
        ready.extend(what.map(|what| Ready { name: &name.value, place: name.span, what }));
    }
    ready
}

/// Adds to the steps of the file; said once, where they become too many.
fn count(so_far: u64, steps: u64, place: Span, sink: &mut Vec<Diagnostic>) -> u64 {
    let sum = so_far.saturating_add(steps);
    if sum > FILE_STEPS_MAX && so_far <= FILE_STEPS_MAX {
        let message = format!("{sum} is out of range for the steps of one file (0–{FILE_STEPS_MAX})");
        sink.push(Diagnostic::new(Code::E0108, message).help("split the file").at(place, "up to here"));
    }
    sum
}

fn profiles(tests: &Tests, house: &House, sink: &mut Vec<Diagnostic>) {
    let profiles = house.tables.plan().mailboxes.profiles.keys().cloned().collect();
    for (login, person) in tests.people.seen().into_iter().flat_map(|people| people.iter()) {
        if mail::Login::new(login).is_none() {
            let message = format!("expected a login, found a text: `{login}`");
            sink.push(Diagnostic::new(Code::E0104, message).help("for example `\"toto-j\"`").at(login.span, ""));
        }
        if let Some(profile) = &person.profile
            && !house.tables.plan().mailboxes.profiles.contains_key(&profile.value)
        {
            sink.push(unknown("profile", profile, &profiles));
        }
    }
}

fn one<'t>(
    case: &'t Case,
    house: &House,
    whole: bool,
    file_steps: &mut u64,
    sink: &mut Vec<Diagnostic>,
) -> Option<What<'t>> {
    let before = sink.len();
    let connects = case.when.values().any(needs_a_connection);
    let mut scene = Scene::of(house, &case.given, connects, case.name.span, sink);
    moves(case, house, connects, scene.as_mut(), sink);
    let mut here = scene.as_ref().and_then(|scene| scene.client.clone());
    let mut next = scene.as_ref().map(|scene| scene.moves.clone()).unwrap_or_default().into_iter();
    let (mut steps, mut lasts) = (0u64, 0u64);
    for event in &case.when {
        let (more, longer) = size(&event.value);
        (steps, lasts) = (steps.saturating_add(more), lasts.saturating_add(longer));
        if steps > STEPS_MAX || lasts > TICKS_MAX {
            let (what, most) = if steps > STEPS_MAX { (steps, STEPS_MAX) } else { (lasts / 10, TICKS_MAX / 10) };
            let unit = if steps > STEPS_MAX { "steps" } else { "seconds" };
            let message = format!("{what} is out of range for the {unit} of one case (0–{most})");
            sink.push(
                Diagnostic::new(Code::E0108, message).help("limits are reached with far fewer").at(event.span, ""),
            );
            break;
        }
        addresses(event, sink);
        asks(event, here.as_ref(), house, sink);
        if let (Event::Moves(_), Some((client, _))) = (&event.value, next.next()) {
            here = client;
        }
    }
    if sink.len() == before {
        *file_steps = count(*file_steps, steps, case.name.span, sink);
    }
    if let Expect::Steps(expected) = &case.expect.value
        && whole
        && expected.len() != case.when.len()
        && sink.len() == before
    {
        let (events, found) = (case.when.len(), expected.len());
        let message = format!("expected one expectation for each of {events} events, found {found}");
        let help = "`Nothing` is what `Wait` gives; several for one event are `All([…])`";
        sink.push(Diagnostic::new(Code::E0104, message).help(help).at(case.expect.span, ""));
    }
    let scene = scene.filter(|_| sink.len() == before)?;
    Some(What::Case { case, scene: Box::new(scene) })
}

/// The moves of a case, each on top of the one before. A file has few; each costs a scene.
fn moves(case: &Case, house: &House, connects: bool, scene: Option<&mut Scene>, sink: &mut Vec<Diagnostic>) {
    let Some(scene) = scene else { return };
    let mut given = case.given.clone();
    for event in &case.when {
        let Event::Moves(moves) = &event.value else { continue };
        if scene.moves.len() >= MOVES_MAX {
            let message = format!("{} is out of range for the moves of one case (0–{MOVES_MAX})", MOVES_MAX + 1);
            sink.push(Diagnostic::new(Code::E0108, message).at(event.span, ""));
            return;
        }
        given = given.moved(moves);
        let Some(next) = Scene::of(house, &given, connects, event.span, sink) else { return };
        scene.moves.push((next.client, next.person));
    }
}

fn needs_a_connection(event: &Event) -> bool {
    match event {
        Event::Sends { .. }
        | Event::Attempts { .. }
        | Event::Mail(_)
        | Event::Connects { .. }
        | Event::LogsIn
        | Event::FailsLogin { .. } => true,
        Event::Wait(_)
        | Event::AsksRedirect(_)
        | Event::AsksRedirectHome { .. }
        | Event::Moves(_)
        | Event::Derives { .. } => false,
    }
}

/// Steps and ticks of an event, at most.
fn size(event: &Event) -> (u64, u64) {
    match event {
        Event::Sends { messages, recipients_each, every, .. } => {
            let messages = u64::from(messages.value);
            (messages * (u64::from(recipients_each.value) + 1), messages.saturating_mul(ticks(*every)))
        }
        Event::Attempts { recipients, within, .. } => (2 * u64::from(recipients.value), ticks(*within)),
        Event::Wait(span) => (0, ticks(Some(span.value))),
        Event::Moves(_) => (1, 0),
        Event::Mail(mail) => (mail.to.len() as u64 + 1, 0),
        Event::Derives { .. } => (DERIVED_STEPS, 0),
        Event::AsksRedirect(_) | Event::AsksRedirectHome { .. } | Event::LogsIn => (1, 0),
        Event::Connects { times, every, .. } => {
            let times = times.as_ref().map_or(1, |times| u64::from(times.value));
            (times, times.saturating_mul(ticks(*every)))
        }
        Event::FailsLogin { times, every, .. } => {
            (u64::from(times.value), u64::from(times.value).saturating_mul(ticks(*every)))
        }
    }
}

/// Texts that must be addresses.
fn addresses(event: &Spanned<Event>, sink: &mut Vec<Diagnostic>) {
    let mut address = |text: &Spanned<String>| {
        if text.value.parse::<mail::Address>().is_err() {
            let found = crate::shown::first_chars(text, 40);
            let message = format!("expected an address, found a text: `{found}`");
            sink.push(
                Diagnostic::new(Code::E0104, message).help("for example `\"Jean.Toto@example.org\"`").at(text.span, ""),
            );
        }
    };
    match &event.value {
        Event::Sends { from: Some(from), .. } if !from.is_empty() => address(from),
        Event::Mail(mail) => {
            mail.from.iter().filter(|from| !from.is_empty()).for_each(&mut address);
            mail.from_header.iter().for_each(&mut address);
            mail.to.iter().for_each(address);
        }
        Event::AsksRedirect(to) | Event::AsksRedirectHome { to, .. } => address(to),
        Event::Sends { .. }
        | Event::Attempts { .. }
        | Event::Wait(_)
        | Event::Connects { .. }
        | Event::LogsIn
        | Event::FailsLogin { .. }
        | Event::Moves(_)
        | Event::Derives { .. } => {}
    }
}

/// Mail on a listener that takes none.
fn asks(event: &Spanned<Event>, client: Option<&Client>, house: &House, sink: &mut Vec<Diagnostic>) {
    let Some(client) = client else { return };
    let mails = matches!(event.value, Event::Sends { .. } | Event::Attempts { .. } | Event::Mail(_));
    if mails && !takes_mail(house, client) {
        let listener = house.tables.listener_name(client.listener);
        let message = format!("expected an event of reading mail: listener \"{listener}\" takes none");
        sink.push(
            Diagnostic::new(Code::E0104, message).help("`LogsIn`, `FailsLogin(…)` or `Connects()`").at(event.span, ""),
        );
    }
}
