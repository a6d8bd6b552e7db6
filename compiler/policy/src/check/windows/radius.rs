//! L0306, L0307 and L0312: what one stolen password can do through all blocks, and from the Internet alone.

use plan::{ListenerAuth, SeveralBlocks};

use super::windows_of;
use crate::blast::{BlastRadius, DAY_S, Door, HOUR_S, bound};
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::edits;
use crate::figures::grouped;
use crate::lower;
use crate::model::Policy;
use crate::model::block::{Row, SendBlock};
use crate::model::network::Network;
use crate::syntax::{Entries, WordOr};

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    // A block that cannot be seen would be missing from the sums.
    if policy.may_send.has_mistakes() || policy.listeners.has_mistakes() || policy.networks.has_mistakes() {
        return;
    }
    let doors = doors(policy);
    let Some(several) = policy.one_account_in_several_blocks.seen() else { return };
    if doors.is_empty() {
        return;
    }
    let radius = BlastRadius::through(&doors, *several);
    if *several == SeveralBlocks::CountedSeparately {
        at_once(subject, &doors, radius, sink);
    }
    no_day(subject, radius, sink);
    outside_is_looser(subject, sink);
}

/// Sending blocks that a password opens.
fn doors(policy: &Policy) -> Vec<Door> {
    let rest = Internet::of(policy);
    let opened = blocks_with_login(policy).map(|(name, block)| Door {
        name: name.to_owned(),
        from_internet: rest.reaches(block, true),
        row: block.each_account.as_ref().map(|row| lower::row(row)),
        by_profile: block.by_profile.iter().map(|(name, row)| (name.value.clone(), lower::row(row))).collect(),
    });
    opened.collect()
}

fn blocks_with_login(policy: &Policy) -> impl Iterator<Item = (&str, &SendBlock)> {
    let listeners = policy.listeners.seen();
    let with_login: std::collections::BTreeSet<&str> = listeners
        .into_iter()
        .flat_map(Entries::iter)
        .filter(|(_, listener)| listener.auth.value == ListenerAuth::Required)
        .map(|(name, _)| name.value.as_str())
        .collect();
    let blocks = policy.may_send.seen().into_iter().flat_map(Entries::iter);
    blocks
        .filter(move |(_, block)| block.connecting_to.values().any(|name| with_login.contains(name.as_str())))
        .map(|(name, block)| (name.value.as_str(), &block.value))
}

/// Networks that are the Internet, or speak for it.
struct Internet<'p> {
    rest: Vec<&'p str>,
    fronts: Vec<&'p str>,
}

impl<'p> Internet<'p> {
    fn of(policy: &'p Policy) -> Internet<'p> {
        let mut found = Internet { rest: Vec::new(), fronts: Vec::new() };
        for (name, network) in policy.networks.seen().into_iter().flat_map(Entries::iter) {
            match network.value {
                Network::Rest => found.rest.push(name),
                Network::Front { .. } => found.fronts.push(name),
                Network::In(_) => {}
            }
        }
        found.fronts.sort_unstable();
        found
    }

    /// Can the block be used from `Rest`, directly or, where `fronts`, through a `Front`?
    fn reaches(&self, block: &SendBlock, fronts: bool) -> bool {
        match &block.from.value {
            WordOr::Word(_) => true,
            WordOr::Value(names) => names.values().any(|name| {
                self.rest.contains(&name.as_str()) || fronts && self.fronts.binary_search(&name.as_str()).is_ok()
            }),
        }
    }
}

/// L0307.
fn at_once(subject: &Subject<'_>, doors: &[Door], radius: BlastRadius, sink: &mut Vec<Diagnostic>) {
    let each: Option<Vec<u64>> = doors.iter().map(|door| door.most(HOUR_S)).collect();
    let (Some(each), Some(sum)) = (each, radius.hour) else { return };
    let widest = each.iter().copied().max().unwrap_or(0);
    if doors.len() < 2 || sum <= widest {
        return;
    }
    let path = "one_account_in_several_blocks";
    let place = subject.place(path);
    let parts: Vec<String> =
        doors.iter().zip(&each).take(8).map(|(door, most)| format!("{} {most}", door.name)).collect();
    let more = if doors.len() > 8 { " + …" } else { "" };
    let diagnostic = Diagnostic::new(
        Code::L0307,
        format!(
            "one account can send {sum} per 1 h through {} blocks at once; the widest alone allows {widest}",
            doors.len()
        ),
    )
    .help(format!("`CountedTogether`, or keep the sum stated: AtMost(recipients: \"{sum} / 1 h\", …)"))
    .note(format!("{}{more}", parts.join(" + ")))
    .at(edits::field(subject.sources, path, place).unwrap_or(place), "")
    .rule(path)
    .edit(place, "CountedTogether");
    sink.push(diagnostic);
}

/// L0312: said once for all blocks, where the first of them stands.
fn no_day(subject: &Subject<'_>, radius: BlastRadius, sink: &mut Vec<Diagnostic>) {
    let without = blocks_with_login(subject.policy)
        .filter_map(|(name, block)| Some((name, block.each_account.as_ref()?)))
        .filter(|(_, row)| !has_day(row));
    let without: Vec<(&str, &Row)> = without.map(|(name, row)| (name, &row.value)).collect();
    if without.is_empty() {
        return;
    }
    let figure = |most: Option<u64>| most.map_or("unlimited".to_owned(), grouped);
    let message = format!(
        "no window of a day: one password can reach {} recipients a day, {} from the Internet alone",
        figure(radius.day),
        figure(radius.internet_day)
    );
    let mut diagnostic = Diagnostic::new(Code::L0312, message).help("add e.g. \"2000 / 1 day\"").rule("may_send");
    let mut mended = Vec::new();
    for (index, (name, row)) in without.iter().enumerate() {
        let path = format!("may_send.{name}.each_account.recipients_attempted");
        let path = if subject.is_written(&path) { path } else { path.replace("attempted", "accepted") };
        let place = subject.place(&path);
        if index == 0 {
            diagnostic = diagnostic.at(place, "");
        } else if index < 4 && subject.is_written(&path) {
            diagnostic = diagnostic.also(place, "nor here");
        }
        mended.push(with_day(subject, &path, row));
    }
    // All of them or none: half a mending leaves the lint where it is.
    if mended.iter().all(Option::is_some) {
        for (place, text) in mended.into_iter().flatten() {
            diagnostic = diagnostic.edit(place, text);
        }
    }
    sink.push(diagnostic);
}

/// Does a window of a day bound recipients, or messages and so recipients?
fn has_day(row: &Row) -> bool {
    let counts = row.counts().into_iter().flat_map(|(_, counted)| counted);
    counts.flat_map(|counted| windows_of(counted)).any(|window| window.value.width_s >= DAY_S)
}

/// A day of four times what the widest window allows: above what an hour may need, below what all hours would give.
fn with_day(subject: &Subject<'_>, path: &str, row: &Row) -> Option<(crate::syntax::Span, String)> {
    let counted = row.recipients_attempted.as_ref().or(row.recipients_accepted.as_ref())?;
    let widest = windows_of(counted).last()?.value;
    if !subject.is_written(path) || widest.width_s > HOUR_S {
        return None;
    }
    let day = format!("\"{} / 1 day\"", u64::from(widest.max) * 4);
    edits::appended(subject.sources, counted.span, &day)
}

/// L0306: blocks of `Rest` beside the widest of those for networks alone.
fn outside_is_looser(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    let internet = Internet::of(policy);
    let mut inside: [Option<(&str, u64)>; 2] = [None, None];
    for (name, block) in blocks_with_login(policy).filter(|(_, block)| !internet.reaches(block, true)) {
        for (widest, rate) in inside.iter_mut().zip(rates(block)) {
            if widest.is_none_or(|(_, most)| rate > most) {
                *widest = Some((name, rate));
            }
        }
    }
    for (name, block) in blocks_with_login(policy).filter(|(_, block)| internet.reaches(block, false)) {
        let whats = ["messages", "recipients"];
        for ((what, rate), widest) in whats.into_iter().zip(rates(block)).zip(inside) {
            let Some((inside, most)) = widest.filter(|(_, most)| rate >= *most) else { continue };
            let rule = format!("may_send.{name}");
            let figure = |most: u64| if most == u64::MAX { "unlimited".to_owned() } else { format!("{most} an hour") };
            let place = subject.place(&format!("{rule}.each_account"));
            let diagnostic =
                Diagnostic::new(Code::L0306, format!("\"{name}\" is not stricter than \"{inside}\" for {what}"))
                    .help("stolen passwords are mostly used from outside")
                    .note(format!("{name}: {}, {inside}: {}", figure(rate), figure(most)))
                    .at(place, "")
                    .rule(rule);
            sink.push(diagnostic);
        }
    }
}

/// Messages and recipients an account may send in an hour by the windows on each; the largest number is without end.
fn rates(block: &SendBlock) -> [u64; 2] {
    let Some(row) = &block.each_account else { return [u64::MAX; 2] };
    let row = lower::row(row);
    let most = |attempted, accepted| {
        [attempted, accepted].into_iter().filter_map(|counted| bound(counted, HOUR_S)).min().unwrap_or(u64::MAX)
    };
    [most(&row.messages_attempted, &row.messages_accepted), most(&row.recipients_attempted, &row.recipients_accepted)]
}
