//! L0308, L0309, L0311 and L0313: rows and words that are likely not meant as they stand.

use plan::{ListenerAuth, WhenOver};

use super::{Of, RowAt, place, rows, windows_of};
use crate::blast::{HOUR_S, bound};
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::model::Switch;
use crate::model::block::SendBlock;
use crate::syntax::{Entries, WordOr};

/// RFC 5321 4.5.3.1.8.
const RECIPIENTS_MIN: u32 = 100;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let rows = rows(subject.policy);
    let widest = rows.iter().filter(|at| matches!(at.of, Of::Block(_))).filter_map(of_recipients).max();
    for at in &rows {
        if of_recipients(at).is_none() {
            no_recipient_window(subject, at, widest, sink);
        }
        few_recipients(subject, at, sink);
    }
    permanent(subject, sink);
    for (name, block) in subject.policy.may_send.seen().into_iter().flat_map(Entries::iter) {
        everywhere(subject, name, block, sink);
    }
}

/// Most recipients the windows on recipients let through in an hour.
fn of_recipients(at: &RowAt<'_>) -> Option<u64> {
    let row = crate::lower::row(at.row);
    [&row.recipients_attempted, &row.recipients_accepted].into_iter().filter_map(|counted| bound(counted, HOUR_S)).min()
}

/// L0308.
fn no_recipient_window(subject: &Subject<'_>, at: &RowAt<'_>, widest: Option<u64>, sink: &mut Vec<Diagnostic>) {
    let written =
        [("recipients_attempted", &at.row.recipients_attempted), ("recipients_accepted", &at.row.recipients_accepted)];
    let Some((field, counted)) = written.into_iter().find_map(|(field, counted)| Some((field, counted.as_ref()?)))
    else {
        return;
    };
    // An empty list is E0208.
    if counted.word().is_none() {
        return;
    }
    let in_one = at.row.recipients_in_one_message.value;
    let messages = [&at.row.messages_attempted, &at.row.messages_accepted].into_iter().flatten();
    let tightest = messages
        .flat_map(|counted| windows_of(counted))
        .min_by_key(|window| u64::from(window.value.max) * u64::from(HOUR_S.div_ceil(window.value.width_s.max(1))));
    let who = &at.who;
    let message = match tightest {
        Some(window) => {
            let all = u64::from(window.value.max) * u64::from(in_one);
            format!(
                "{who} has no recipient window: {} messages × {in_one} = {all} per {}",
                window.value.max,
                window.value.width_text()
            )
        }
        None => format!("{who} has no recipient window, and none of messages: without end"),
    };
    let help = match widest {
        Some(most) => format!("write one, e.g. the widest of the others ({most})"),
        None => "write one, e.g. \"500 / 1 h\"".to_owned(),
    };
    let path = format!("{}.{field}", at.path);
    let mut diagnostic = Diagnostic::new(Code::L0308, message)
        .help(help)
        .at(place(subject, &path, counted.span), "")
        .rule(format!("{}.{field}", at.rule));
    // Accepted, not attempted: a program that insists would lock itself out.
    if let (Some(most), Some(whole)) = (widest, edits::field(subject.sources, field, counted.span))
        && subject.is_written(&path)
        && most >= u64::from(in_one)
        && at.row.recipients_accepted.is_none()
    {
        diagnostic = diagnostic.edit(whole, format!("recipients_accepted: [\"{most} / 1 h\"]"));
    }
    sink.push(diagnostic);
}

/// L0309.
fn few_recipients(subject: &Subject<'_>, at: &RowAt<'_>, sink: &mut Vec<Diagnostic>) {
    let relays = match at.of {
        Of::Block(block) => relays(subject, block),
        Of::Application => true,
        Of::Profile | Of::Grant => false,
    };
    let most = &at.row.recipients_in_one_message;
    if !relays || most.value >= RECIPIENTS_MIN || most.value == 0 {
        return;
    }
    let path = format!("{}.recipients_in_one_message", at.path);
    let message = format!(
        "a server that relays for other programs refuses above {most} recipients; SMTP asks for {RECIPIENTS_MIN}"
    );
    let mut diagnostic = Diagnostic::new(Code::L0309, message)
        .help("harmless with 452, a failure with 5xx")
        .at(place(subject, &path, most.span), "")
        .rule(format!("{}.recipients_in_one_message", at.rule));
    let counts = at.row.counts().into_iter().filter(|(field, _)| field.starts_with("recipients"));
    let fits = counts.flat_map(|(_, counted)| counted).flat_map(|counted| windows_of(counted));
    if subject.is_written(&path) && fits.min_by_key(|w| w.value.max).is_none_or(|w| w.value.max >= RECIPIENTS_MIN) {
        diagnostic = diagnostic.edit(most.span, RECIPIENTS_MIN.to_string());
    }
    sink.push(diagnostic);
}

/// Does the block serve clients without a login?
fn relays(subject: &Subject<'_>, block: &SendBlock) -> bool {
    let Some(listeners) = subject.policy.listeners.seen() else { return false };
    let found = block.connecting_to.values().filter_map(|name| listeners.get(name.as_str()));
    found.into_iter().any(|listener| listener.auth.value == ListenerAuth::Never)
}

/// L0311.
fn permanent(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    let words = [
        ("when_over.window", policy.when_over.seen().map(|when_over| when_over.window)),
        ("logins.when_over", policy.logins.seen().and_then(Switch::on).map(|logins| logins.when_over)),
        ("strangers.when_over", policy.strangers.seen().map(|strangers| strangers.when_over)),
    ];
    for (path, _) in words.into_iter().filter(|(_, word)| *word == Some(WhenOver::Refuse)) {
        let place = subject.place(path);
        let mut diagnostic = Diagnostic::new(Code::L0311, "permanent refusal for a limit that clears by itself")
            .help("`TryLater` lets mail programs retry")
            .at(place, "")
            .rule(path);
        if subject.is_written(path) {
            diagnostic = diagnostic.edit(place, "TryLater");
        }
        sink.push(diagnostic);
    }
}

/// L0313.
fn everywhere(
    subject: &Subject<'_>,
    name: &crate::syntax::Spanned<String>,
    block: &SendBlock,
    sink: &mut Vec<Diagnostic>,
) {
    let path = format!("may_send.{name}.from");
    if matches!(block.from.value, WordOr::Value(_)) {
        return;
    }
    let place = place(subject, &path, block.from.span);
    let mut diagnostic = Diagnostic::new(Code::L0313, format!("sending block \"{name}\" is open from `Everywhere`"))
        .help("a network added later may send at once; name them")
        .at(place, "")
        .rule(path.as_str());
    if let Some(networks) = subject.policy.networks.sound()
        && subject.is_written(&path)
    {
        let names: Vec<String> = networks.keys().map(|name| format!("\"{name}\"")).collect();
        diagnostic = diagnostic.edit(place, format!("[{}]", names.join(", ")));
    }
    sink.push(diagnostic);
}
