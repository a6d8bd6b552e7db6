//! SEARCH and UID SEARCH (RFC 9051 6.4.4, RFC 4731 for RETURN, RFC 5182 for `$`).
//!
//! What the view knows decides most messages. The others are asked in slices, only as much of them as the keys look at.

use super::matching::{Needles, Verdict};
use super::state::{Expunges, Selected, Turn, ask};
use crate::imap::command::{Returns, Search, Tag};
use crate::imap::question::{Content, Message, Need, Question};
use crate::imap::response::{Code, Out, Reply, set};

/// Most messages in one slice, and the octets after which a slice of whole messages ends.
const SLICE_MESSAGES: usize = 128;
const SLICE_OCTETS: u64 = 1024 * 1024;

/// A SEARCH on its way.
struct Searching {
    state: Box<Selected>,
    tag: Tag,
    by_uid: bool,
    returns: Option<Returns>,
    needles: Needles,
    /// Index of the next message to look at.
    at: usize,
    /// Indexes of the messages found, ascending.
    found: Vec<usize>,
}

pub fn search(state: Box<Selected>, tag: Tag, search: Search, out: &mut Out) -> Turn {
    let Search { uid, returns, charset, key } = search;
    let saves = returns.is_some_and(|returns| returns.save);
    let known = charset.is_none_or(|name| ["UTF-8", "US-ASCII"].iter().any(|each| each.eq_ignore_ascii_case(&name)));
    if !known {
        return refuse(state, &tag, saves, &Reply::no(Code::BadCharset, "that charset is not known"), out);
    }
    state.with_news(tag, move |state, tag, out| match Needles::new(&key, &state.view) {
        Ok(needles) => Searching { state, tag, by_uid: uid, returns, needles, at: 0, found: Vec::new() }.next(out),
        Err(reply) => refuse(state, &tag, saves, &reply, out),
    })
}

/// A search that fails empties `$` (RFC 5182 2.1).
fn refuse(mut state: Box<Selected>, tag: &Tag, saves: bool, reply: &Reply, out: &mut Out) -> Turn {
    if saves {
        state.view.saved.clear();
    }
    state.done(tag, reply, Expunges::Held, out)
}

impl Searching {
    fn next(mut self, out: &mut Out) -> Turn {
        let (uids, content) = self.slice();
        if uids.is_empty() {
            return self.finish(out);
        }
        let need = Need { summary: false, content };
        let question = Question::Fetch { mailbox: self.state.view.mailbox(), uids, need };
        ask(question, move |answer, out| match answer.messages() {
            Ok(messages) => {
                messages.iter().for_each(|message| self.look_inside(message));
                self.next(out)
            }
            Err(trouble) => {
                let saves = self.returns.is_some_and(|returns| returns.save);
                refuse(self.state, &self.tag, saves, &trouble.into(), out)
            }
        })
    }

    /// Decides messages from what the view knows until enough of them need a look inside.
    fn slice(&mut self) -> (Vec<u32>, Content) {
        let view = &self.state.view;
        let (mut uids, mut content, mut octets) = (Vec::new(), Content::None, 0);
        while let Some(row) = view.rows().get(self.at) {
            if uids.len() >= SLICE_MESSAGES || octets >= SLICE_OCTETS {
                break;
            }
            let index = self.at;
            self.at += 1;
            if view.is_gone(row.uid) {
                continue;
            }
            match self.needles.known(row, index) {
                Verdict::Yes => self.found.push(index),
                Verdict::No => (),
                Verdict::Look(need) => {
                    uids.push(row.uid);
                    content = content.max(need);
                    if need == Content::Whole {
                        octets += row.size_octets;
                    }
                }
            }
        }
        (uids, content)
    }

    fn look_inside(&mut self, message: &Message) {
        let view = &self.state.view;
        let Some(index) = view.index_of(message.uid) else { return };
        if self.needles.inside(&view.rows()[index], index, &message.content) {
            self.found.push(index);
        }
    }

    fn finish(mut self, out: &mut Out) -> Turn {
        // Messages that needed a look come behind their neighbours that did not.
        self.found.sort_unstable();
        let view = &mut self.state.view;
        let uids: Vec<u32> = self.found.iter().map(|index| view.rows()[*index].uid).collect();
        let numbers: Vec<u32> = match self.by_uid {
            true => uids.clone(),
            false => self.found.iter().map(|index| u32::try_from(index + 1).unwrap_or(u32::MAX)).collect(),
        };
        if let Some(returns) = self.returns.filter(|returns| returns.save) {
            view.saved = saved(returns, uids);
        }
        // RFC 9051 6.4.4: under IMAP4rev2 every SEARCH is answered by ESEARCH.
        let rev2 = self.state.shared.rev2.then_some(Returns { all: true, ..Returns::default() });
        match self.returns.or(rev2) {
            Some(returns) => esearch(&self.tag, self.by_uid, returns, &numbers, out),
            None => plain(&numbers, out),
        }
        let expunges = if self.by_uid { Expunges::Told } else { Expunges::Held };
        self.state.done(&self.tag, &Reply::ok("SEARCH done"), expunges, out)
    }
}

/// RFC 5182 2.4: MIN and MAX alone save only those.
fn saved(returns: Returns, uids: Vec<u32>) -> Vec<u32> {
    if returns.all || returns.count || !(returns.min || returns.max) {
        return uids;
    }
    let first = uids.first().filter(|_| returns.min);
    let last = uids.last().filter(|_| returns.max);
    let mut kept: Vec<u32> = first.into_iter().chain(last).copied().collect();
    kept.dedup();
    kept
}

/// `* SEARCH 2 84 882`
fn plain(numbers: &[u32], out: &mut Out) {
    out.text("* SEARCH");
    for number in numbers {
        out.text(" ");
        out.number(*number);
    }
    out.end_line();
}

/// `esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)`. MIN, MAX and ALL say nothing when
/// nothing was found; with SAVE alone nothing is answered at all (RFC 5182 2.1).
fn esearch(tag: &Tag, by_uid: bool, returns: Returns, numbers: &[u32], out: &mut Out) {
    if returns == (Returns { save: true, ..Returns::default() }) {
        return;
    }
    out.text("* ESEARCH (TAG ");
    out.string(tag.as_str().as_bytes());
    out.text(")");
    if by_uid {
        out.text(" UID");
    }
    if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
        if returns.min {
            out.text(&format!(" MIN {first}"));
        }
        if returns.max {
            out.text(&format!(" MAX {last}"));
        }
        if returns.all {
            out.text(" ALL ");
            out.text(&set(numbers));
        }
    }
    if returns.count {
        out.text(&format!(" COUNT {}", numbers.len()));
    }
    out.end_line();
}
