//! What a client hears of the time it was away: SELECT (QRESYNC …) and the modifiers of FETCH (RFC 7162 3.1.4, 3.2.5, 3.2.6).
//!
//! The store remembers every message that went, so the answer names those that went behind the client's MODSEQ and no others,
//! unless they are very many.

use std::collections::VecDeque;
use std::ops::{Range, RangeInclusive};

use super::state::{More, Selected, Turn, ask};
use crate::imap::command::{FetchItem, FetchModifiers, Known, SequenceSet};
use crate::imap::question::{Question, Trouble, Vanished};
use crate::imap::response::{Out, Reply};

/// Ranges of UIDs in one VANISHED response.
const VANISHED_RANGES: usize = 1_000;

/// What follows, with what went wrong if something did.
type Next = Box<dyn FnOnce(Box<Selected>, Option<Trouble>, &mut Out) -> Turn + Send>;

/// Responses on their way out.
struct Resync {
    state: Box<Selected>,
    /// UIDs, ascending.
    gone: VecDeque<RangeInclusive<u32>>,
    /// Places of messages that changed.
    changed: VecDeque<Range<usize>>,
    then: Next,
}

/// Tells a client that knows the mailbox as of `known` what went and what changed, and goes on. The rows of the view are read
/// first: what happens from then on is told as any news.
pub fn resync(
    state: Box<Selected>,
    known: Known,
    then: impl FnOnce(Box<Selected>, Option<Trouble>, &mut Out) -> Turn + Send + 'static,
) -> Turn {
    state.hear(true, move |state, trouble, out| match trouble {
        Some(trouble) => then(state, Some(trouble), out),
        None => with_gone(state, known.mod_seq, move |state, gone, out| {
            let gone = match gone {
                Ok(gone) => gone,
                Err(trouble) => return then(state, Some(trouble), out),
            };
            let view = &state.view;
            let told_before = known.pairs.as_ref().map_or(0, |(numbers, uids)| view.matching_up_to(numbers, uids));
            let gone = view.gone_before(gone, known.uids.as_ref(), told_before);
            let changed = view.changed_since(view.places(known.uids.as_ref()), known.mod_seq).into();
            Resync { state, gone, changed, then: Box::new(then) }.write(out)
        }),
    })
}

/// Tells which messages of the set of a UID FETCH went behind `since`, and goes on.
pub fn vanished(
    state: Box<Selected>,
    set: SequenceSet,
    since: u64,
    then: impl FnOnce(Box<Selected>, Option<Trouble>, &mut Out) -> Turn + Send + 'static,
) -> Turn {
    with_gone(state, since, move |state, gone, out| match gone {
        Ok(gone) => {
            let gone = state.view.gone_before(gone, Some(&set), 0);
            Resync { state, gone, changed: VecDeque::new(), then: Box::new(then) }.write(out)
        }
        Err(trouble) => then(state, Some(trouble), out),
    })
}

fn with_gone(
    state: Box<Selected>,
    since: u64,
    then: impl FnOnce(Box<Selected>, Result<Vanished, Trouble>, &mut Out) -> Turn + Send + 'static,
) -> Turn {
    let question = Question::Vanished { mailbox: state.view.mailbox(), since };
    ask(question, move |answer, out| then(state, answer.vanished(), out))
}

impl Resync {
    /// VANISHED comes before FETCH (RFC 7162 3.2.5.1).
    fn write(mut self, out: &mut Out) -> Turn {
        while !self.gone.is_empty() || !self.changed.is_empty() {
            if out.is_full() {
                let more: More = Box::new(|out| self.write(out));
                return Turn::More(more);
            }
            if !self.gone.is_empty() {
                let some: Vec<_> = self.gone.drain(..self.gone.len().min(VANISHED_RANGES)).collect();
                out.vanished_earlier(&some);
                continue;
            }
            let Some(range) = self.changed.front_mut() else { break };
            match range.next() {
                Some(place) => self.state.view.tell_flags(place, true, self.state.shared.enabled, out),
                None => drop(self.changed.pop_front()),
            }
        }
        (self.then)(self.state, None, out)
    }
}

/// Adds what a client of mod-sequences is told without asking, and lets it be one if it asks for them (RFC 7162 3.1).
pub fn told(
    state: &mut Selected,
    items: &mut Vec<FetchItem>,
    modifiers: &FetchModifiers,
    sets_seen: bool,
    out: &mut Out,
) -> Result<(), Reply> {
    if modifiers.vanished && !state.shared.enabled.qresync {
        return Err(Reply::bad("VANISHED is for those who enabled QRESYNC"));
    }
    let asked = items.contains(&FetchItem::ModSeq);
    if asked || modifiers.changed_since.is_some() {
        state.use_mod_seq(out);
    }
    let enabled = state.shared.enabled;
    let tells_flags = sets_seen || items.contains(&FetchItem::Flags);
    if enabled.qresync && !enabled.uid_only && tells_flags && !items.contains(&FetchItem::Uid) {
        items.insert(0, FetchItem::Uid);
    }
    if !asked && enabled.condstore && (tells_flags || modifiers.changed_since.is_some()) {
        items.push(FetchItem::ModSeq);
    }
    Ok(())
}
