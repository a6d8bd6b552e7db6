//! What the learned pass counts: words and traits of a message, by names of 64 bits that never change.
//!
//! A token is read of what an author wrote. What servers on the way, mailing lists, other filters or we ourselves wrote is
//! left out, and so are dates: they tell where and when mail came, and would be learned instead of spam.

mod build;
mod gather;
mod hash;
mod header;
mod language;
mod lexicon;
#[cfg(test)]
mod tests;
mod words;

pub use gather::{AsIs, Kind, TOKENS_MAX, VOICES};

use crate::view::View;
use gather::Gather;

/// Which tokens are made, and how they are named. Counts of another version mean something else: teach anew.
pub const TOKENS_VERSION: u32 = 1;

/// The tokens of a message: sorted, each once, at most [`TOKENS_MAX`]. What comes first in a message has precedence.
pub fn tokens(view: &View<'_>) -> Vec<u64> {
    let mut tokens = gathered(view, Gather::default()).tokens;
    tokens.sort_unstable();
    tokens
}

/// A token with what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub token: u64,
    pub kind: Kind,
    /// Quotes the message; controls are taken out.
    pub words: String,
}

/// The same tokens with their words, in the same order.
pub fn said(view: &View<'_>) -> Vec<Said> {
    let gathered = gathered(view, Gather { said: Some(Vec::new()), ..Gather::default() });
    let words = gathered.said.unwrap_or_default();
    let mut said: Vec<Said> = gathered
        .tokens
        .into_iter()
        .zip(words)
        .map(|(token, (kind, words))| Said { token, kind, words: words.replace(char::is_control, "") })
        .collect();
    said.sort_unstable_by_key(|each| each.token);
    said
}

fn gathered(view: &View<'_>, mut gather: Gather) -> Gather {
    gather.language = language::of(view.own_texts().map(|text| &*text.text).chain(view.subject.as_deref()));
    gather.expect(view.own_texts().map(|text| text.text.len()).sum());
    gather.layout = if view.html.parts > 0 { "html " } else { "plain " };
    gather.add(Kind::Language, &[gather.language]);
    gather.add(Kind::Layout, &[gather.layout.trim_end()]);
    header::add(view, &mut gather);
    build::add(view, &mut gather);
    for text in view.own_texts() {
        gather.prose(&text.text);
    }
    gather
}
