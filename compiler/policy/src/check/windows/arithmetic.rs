//! L0301 to L0305: windows that can never refuse, and clients that never get in again (policy-language.md 6.4).

use plan::Window;

use super::{RowAt, place, rows, shares_rings, windows_of};
use crate::blast;
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::model::Switch;
use crate::model::block::Windows;
use crate::syntax::Spanned;

/// Lists longer than this are hostile: nobody reads lints on them.
const WINDOWS_MAX: usize = 64;

/// What fills a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// Whatever was tried, refused or not.
    Attempts,
    /// What was let through.
    Accepted,
}

/// Why one of two windows never refuses on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// L0301: so many of the shorter fit in the longer, and let no more through.
    Longer { times: u64 },
    /// L0302: as before, but refused attempts count too.
    LongerWithoutRefusals { times: u64 },
    /// L0303: when the shorter is full, so is the longer.
    Shorter,
}

/// Judges two windows on one event of one ring; `short` is the narrower. Exact: a stream of events in which the other
/// one refuses alone exists wherever this is silent.
pub(super) fn idle(short: Window, long: Window, counts: Counts) -> Option<Idle> {
    if short.max >= long.max {
        return Some(Idle::Shorter);
    }
    let times = u64::from(long.width_s.div_ceil(short.width_s.max(1)));
    if times * u64::from(short.max) > u64::from(long.max) {
        return None;
    }
    Some(match counts {
        Counts::Accepted => Idle::Longer { times },
        Counts::Attempts => Idle::LongerWithoutRefusals { times },
    })
}

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let shared = shares_rings(subject.policy);
    for at in rows(subject.policy) {
        for (field, counted) in at.row.counts() {
            let Some(counted) = counted else { continue };
            let counts = if field.ends_with("attempted") { Counts::Attempts } else { Counts::Accepted };
            let list =
                List { rule: format!("{}.{field}", at.rule), path: format!("{}.{field}", at.path), counts, shared };
            list.judge(subject, counted, sink);
            if counts == Counts::Attempts {
                lock_out(subject, &at, field, counted, sink);
            }
        }
        if !shared {
            messages_before_recipients(subject, &at, sink);
        }
    }
    others(subject, sink);
}

/// Windows outside rows. A login refused by a full window is not looked at, so it counts as no failure.
fn others(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let mut judge = |path: &str, counted: &Spanned<Windows>, counts: Counts| {
        let list = List { rule: path.to_owned(), path: path.to_owned(), counts, shared: false };
        list.judge(subject, counted, sink);
    };
    if let Some(logins) = subject.policy.logins.seen().and_then(Switch::on) {
        let account = &logins.each_account_and_network.failed;
        judge("logins.each_account_and_network.failed", account, Counts::Accepted);
        judge("logins.each_client_address.failed", &logins.each_client_address.failed, Counts::Accepted);
    }
    if let Some(strangers) = subject.policy.strangers.seen() {
        judge("strangers.connections_attempted", &strangers.connections_attempted, Counts::Attempts);
        judge("strangers.messages_attempted", &strangers.messages_attempted, Counts::Attempts);
        judge("strangers.unknown_recipients_attempted", &strangers.unknown_recipients_attempted, Counts::Accepted);
    }
}

/// The windows on one event.
struct List {
    rule: String,
    path: String,
    counts: Counts,
    /// Other blocks write into the same ring.
    shared: bool,
}

impl List {
    fn judge(&self, subject: &Subject<'_>, counted: &Spanned<Windows>, sink: &mut Vec<Diagnostic>) {
        let windows = windows_of(counted);
        if windows.len() > WINDOWS_MAX {
            return;
        }
        for (index, window) in windows.iter().enumerate() {
            // One finding for each window: the first that makes it idle.
            let shorter = windows[..index].iter().find_map(|short| {
                let found = idle(short.value, window.value, self.counts)?;
                (found != Idle::Shorter && !self.shared).then_some((found, short, window))
            });
            let longer = windows[index + 1..].iter().find_map(|long| {
                let found = idle(window.value, long.value, self.counts)?;
                (found == Idle::Shorter).then_some((found, window, long))
            });
            if let Some((found, short, long)) = longer.or(shorter) {
                sink.push(self.report(subject, found, short, long));
            }
        }
    }

    fn report(
        &self,
        subject: &Subject<'_>,
        found: Idle,
        short: &Spanned<Window>,
        long: &Spanned<Window>,
    ) -> Diagnostic {
        let (m1, m2) = (short.value.max, long.value.max);
        let (w1, w2) = (short.value.width_text(), long.value.width_text());
        let (code, message, help, idle, other) = match found {
            Idle::Longer { times } => (
                Code::L0301,
                format!("the {w2} limit of {m2} can never refuse: {times} × {m1} ≤ {m2}"),
                format!("remove it, or lower it below {}", times * u64::from(m1)),
                long,
                short,
            ),
            Idle::LongerWithoutRefusals { .. } => (
                Code::L0302,
                format!("only refused attempts can exhaust the {w2} limit of {m2}"),
                "intended? it acts as a penalty on hammering, not as a ceiling".to_owned(),
                long,
                short,
            ),
            Idle::Shorter => (
                Code::L0303,
                format!("the {w1} limit of {m1} can never refuse: the {w2} limit of {m2} is tighter"),
                format!("lower it below {m2} or drop it"),
                short,
                long,
            ),
        };
        let mut diagnostic = Diagnostic::new(code, message)
            .help(help)
            .at(place(subject, &self.path, idle.span), "")
            .rule(self.rule.as_str());
        if subject.is_written(&self.path) {
            diagnostic = diagnostic.also(other.span, "beside this one");
            diagnostic = diagnostic.edit(edits::entry(subject.sources, idle.span), "");
        }
        diagnostic
    }
}

/// L0304: recipients that are counted when accepted come in messages that are counted too.
fn messages_before_recipients(subject: &Subject<'_>, at: &RowAt<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(counted) = &at.row.recipients_accepted else { return };
    let row = crate::lower::row(at.row);
    let in_one = row.recipients_in_one_message;
    let windows = windows_of(counted);
    for window in windows.iter().take(WINDOWS_MAX) {
        let Window { max, width_s } = window.value;
        let of_messages = [&row.messages_attempted, &row.messages_accepted];
        let messages = of_messages.into_iter().filter_map(|counted| blast::bound(counted, width_s)).min();
        let Some(messages) = messages.filter(|most| most.saturating_mul(u64::from(in_one)) < u64::from(max)) else {
            continue;
        };
        if messages == 0 || in_one == 0 {
            continue;
        }
        let path = format!("{}.recipients_accepted", at.path);
        let message = format!("{messages} messages × {in_one} recipients never reach the {max} recipients window");
        let mut diagnostic = Diagnostic::new(Code::L0304, message)
            .help("one of the two is decoration")
            .at(place(subject, &path, window.span), "")
            .rule(format!("{}.recipients_accepted", at.rule));
        if subject.is_written(&path) && windows.len() > 1 {
            diagnostic = diagnostic.edit(edits::entry(subject.sources, window.span), "");
        }
        sink.push(diagnostic);
    }
}

/// L0305.
fn lock_out(
    subject: &Subject<'_>,
    at: &RowAt<'_>,
    field: &str,
    counted: &Spanned<Windows>,
    sink: &mut Vec<Diagnostic>,
) {
    let windows = windows_of(counted);
    let tenths = windows.iter().map(|w| (u64::from(w.value.width_s) * 10).div_ceil(u64::from(w.value.max))).max();
    let Some(tenths) = tenths else { return };
    let path = format!("{}.{field}", at.path);
    let instead = field.replace("attempted", "accepted");
    let message = format!("a client retrying faster than every {} s is locked out for ever", seconds(tenths));
    let mut diagnostic = Diagnostic::new(Code::L0305, message)
        .help(format!("attempts are counted; say it on the help page, or count `{instead}`"))
        .at(place(subject, &path, counted.span), "")
        .rule(format!("{}.{field}", at.rule));
    let in_one = u64::from(at.row.recipients_in_one_message.value);
    if field == "recipients_attempted" && in_one > 1 {
        let every = seconds(tenths * in_one);
        let note =
            format!("a message of {in_one} recipients tried again every {every} s or faster is refused for ever");
        diagnostic = diagnostic.note(note);
    }
    let counts_accepted = at.row.counts().iter().any(|(name, counted)| *name == instead && counted.is_some());
    if let Some(name) = edits::field(subject.sources, field, counted.span)
        && subject.is_written(&path)
        && !counts_accepted
    {
        let length = u32::try_from(field.len()).unwrap_or(0);
        let name = crate::syntax::Span::new(name.file, name.start, name.start + length);
        diagnostic = diagnostic.edit(name, instead);
    }
    sink.push(diagnostic);
}

/// `7.2` from tenths.
fn seconds(tenths: u64) -> String {
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}.{rest}", tenths / 10),
    }
}
