//! What a mailbox says of each of its messages, in order of UID: compact, and shared by all who look at it.
//!
//! A mailbox of 400,000 messages is 13 MB of rows, and many sessions may have it selected. So the rows lie in chunks behind
//! `Arc`: a clone of an index copies none of them, and a change copies the chunks it touches and no other.
//!
//! INVARIANT (ascending): UIDs ascend strictly through the chunks, no chunk is empty, `Part::first` counts what is before it.

mod chunk;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::date::DateTime;
use crate::{Flags, Keyword, SystemFlags};
use chunk::{CHUNK, Chunk};

/// One message: what SELECT, FETCH of flags and most keys of SEARCH look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    pub uid: u32,
    /// RFC 7162 3.1.
    pub mod_seq: u64,
    pub flags: &'a Flags,
    /// RFC822.SIZE.
    pub size_octets: u64,
    /// INTERNALDATE in the zone it is shown in.
    pub internal_date: DateTime,
}

/// All messages of a mailbox, ascending by UID. The number of a message is its place plus one.
#[derive(Clone, Debug, Default)]
pub struct Index {
    parts: Arc<Vec<Part>>,
}

#[derive(Clone, Debug)]
struct Part {
    /// Messages in the parts before this one.
    first: usize,
    chunk: Arc<Chunk>,
}

impl Part {
    fn end(&self) -> usize {
        self.first + self.chunk.len()
    }
}

/// Messages that lie together and share their sets of flags.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    first: usize,
    range: Range<usize>,
    chunk: &'a Chunk,
}

impl<'a> Run<'a> {
    /// The sets of flags among these messages, each once or seldom more; also some that no message has any more.
    pub fn flag_sets(&self) -> &'a [Flags] {
        self.chunk.flag_sets()
    }

    /// Place of the message, place of its flags in `flag_sets`, and the message.
    pub fn entries(&self) -> impl Iterator<Item = (usize, usize, Entry<'a>)> + use<'a> {
        let (first, chunk) = (self.first, self.chunk);
        self.range.clone().map(move |at| (first + at, chunk.flag_set(at), chunk.entry(at)))
    }
}

impl Index {
    pub fn len(&self) -> usize {
        self.parts.last().map_or(0, Part::end)
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The message at a place.
    pub fn get(&self, place: usize) -> Option<Entry<'_>> {
        let part = &self.parts[self.part_at(place)?];
        Some(part.chunk.entry(place - part.first))
    }

    pub fn last(&self) -> Option<Entry<'_>> {
        self.parts.last().map(|part| part.chunk.entry(part.chunk.len() - 1))
    }

    /// The place of the message with this UID.
    pub fn place_of(&self, uid: u32) -> Option<usize> {
        let part = self.part_of(uid)?;
        self.parts[part].chunk.place_of(uid).map(|at| self.parts[part].first + at)
    }

    /// The place of the first message with this UID or a greater one; the length when there is none.
    pub fn place_from(&self, uid: u32) -> usize {
        self.part_of(uid).map_or(self.len(), |part| self.parts[part].first + self.parts[part].chunk.place_from(uid))
    }

    /// The messages at these places. Places behind the end are none.
    pub fn runs(&self, places: Range<usize>) -> impl Iterator<Item = Run<'_>> {
        let from = self.parts.partition_point(|part| part.end() <= places.start);
        let parts = self.parts[from..].iter().take_while(move |part| part.first < places.end);
        parts.map(move |part| Run {
            first: part.first,
            range: places.start.saturating_sub(part.first)..part.chunk.len().min(places.end - part.first),
            chunk: &part.chunk,
        })
    }

    /// All messages in order.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.parts.iter().flat_map(|part| (0..part.chunk.len()).map(|at| part.chunk.entry(at)))
    }

    /// Every set of flags a message has, and maybe some that none has any more. Far fewer than messages.
    pub fn flag_sets(&self) -> impl Iterator<Item = &Flags> {
        self.parts.iter().flat_map(|part| part.chunk.flag_sets())
    }

    /// Every keyword a message has, and maybe some that none has any more.
    pub fn keywords(&self) -> BTreeSet<Keyword> {
        // Thousands of sets have the same few: compared as they are spelled first, which is cheaper.
        let spelled: BTreeSet<&str> = self.flag_sets().flat_map(|flags| &flags.keywords).map(Keyword::as_str).collect();
        spelled.into_iter().filter_map(Keyword::new).collect()
    }

    /// The place of the first message that lacks these flags.
    pub fn first_without(&self, flags: SystemFlags) -> Option<usize> {
        let lacks = |set: &Flags| !set.system.contains(flags);
        let parts = self.parts.iter().filter(|part| part.chunk.flag_sets().iter().any(lacks));
        let mut found = parts.filter_map(|part| {
            let at = (0..part.chunk.len()).find(|at| lacks(part.chunk.entry(*at).flags))?;
            Some(part.first + at)
        });
        found.next()
    }

    /// Octets in memory, those shared with clones included.
    pub fn octets(&self) -> usize {
        self.parts.iter().map(|part| size_of::<Part>() + part.chunk.octets()).sum()
    }

    /// Adds messages behind all others; one whose UID is not above those before it is left out.
    pub fn append<'a>(&mut self, entries: impl IntoIterator<Item = Entry<'a>>) {
        let mut builder = Builder::onto(std::mem::take(self));
        entries.into_iter().for_each(|entry| builder.push(entry));
        *self = builder.finish();
    }

    /// Puts these in the places of the messages with the same UIDs; one that is not here is left out.
    pub fn replace<'a>(&mut self, entries: impl IntoIterator<Item = Entry<'a>>) {
        for entry in entries {
            let Some(part) = self.part_of(entry.uid) else { continue };
            let Some(at) = self.parts[part].chunk.place_of(entry.uid) else { continue };
            let parts = Arc::make_mut(&mut self.parts);
            Arc::make_mut(&mut parts[part].chunk).set(at, entry);
        }
    }

    /// Takes the messages with these UIDs, which ascend, out; those that are not here are none.
    pub fn remove(&mut self, uids: &[u32]) {
        let mut parts = Vec::with_capacity(self.parts.len());
        let mut waiting = uids;
        for part in self.parts.iter() {
            let (here, behind) = waiting.split_at(waiting.partition_point(|uid| *uid <= part.chunk.last_uid()));
            waiting = behind;
            match here.is_empty() {
                true => add(&mut parts, part.chunk.clone()),
                false => add(&mut parts, Arc::new(part.chunk.without(here))),
            }
        }
        self.parts = Arc::new(parts);
    }

    /// Adds messages anywhere; they ascend, and one whose UID is here already is left out.
    pub fn insert(&mut self, entries: &[Entry<'_>]) {
        let mut parts = Vec::with_capacity(self.parts.len() + entries.len() / CHUNK + 1);
        let mut waiting = entries;
        for part in self.parts.iter() {
            let last = part.chunk.last_uid();
            let (here, behind) = waiting.split_at(waiting.partition_point(|entry| entry.uid <= last));
            waiting = behind;
            match here.is_empty() {
                true => add(&mut parts, part.chunk.clone()),
                false => part.chunk.with(here).into_iter().for_each(|chunk| add(&mut parts, Arc::new(chunk))),
            }
        }
        self.parts = Arc::new(parts);
        self.append(waiting.iter().copied());
    }

    /// The part with this place.
    fn part_at(&self, place: usize) -> Option<usize> {
        // While nothing was expunged every part but the last is full.
        let guess = place / CHUNK;
        if self.parts.get(guess).is_some_and(|part| part.first <= place && place < part.end()) {
            return Some(guess);
        }
        let part = self.parts.partition_point(|part| part.end() <= place);
        (part < self.parts.len()).then_some(part)
    }

    /// The first part that ends with this UID or a greater one.
    fn part_of(&self, uid: u32) -> Option<usize> {
        let part = self.parts.partition_point(|part| part.chunk.last_uid() < uid);
        (part < self.parts.len()).then_some(part)
    }
}

impl PartialEq for Index {
    fn eq(&self, other: &Index) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Index {}

/// Adds a part behind the others; small neighbours become one.
fn add(parts: &mut Vec<Part>, chunk: Arc<Chunk>) {
    match parts.last_mut() {
        _ if chunk.len() == 0 => (),
        Some(last) if last.chunk.len() + chunk.len() <= CHUNK => Arc::make_mut(&mut last.chunk).append(&chunk),
        last => {
            let first = last.map_or(0, |part| part.end());
            parts.push(Part { first, chunk });
        }
    }
}

/// An index on its way, message by message.
#[derive(Debug, Default)]
pub struct Builder {
    parts: Vec<Part>,
    /// The messages behind `parts`.
    open: Chunk,
    uid_max: u32,
}

impl Builder {
    /// Goes on behind the last message of `index`.
    pub fn onto(index: Index) -> Builder {
        let uid_max = index.last().map_or(0, |entry| entry.uid);
        let mut parts = Arc::unwrap_or_clone(index.parts);
        let open = match parts.pop_if(|part| part.chunk.len() < CHUNK) {
            Some(part) => Arc::unwrap_or_clone(part.chunk),
            None => Chunk::default(),
        };
        Builder { parts, open, uid_max }
    }

    /// Adds a message; one whose UID is not above those before it is left out.
    pub fn push(&mut self, entry: Entry<'_>) {
        if entry.uid <= self.uid_max {
            return;
        }
        self.uid_max = entry.uid;
        self.open.push(entry);
        if self.open.len() == CHUNK {
            self.close();
        }
    }

    pub fn finish(mut self) -> Index {
        self.close();
        Index { parts: Arc::new(self.parts) }
    }

    fn close(&mut self) {
        let mut chunk = std::mem::take(&mut self.open);
        if chunk.len() > 0 {
            chunk.shrink();
            let first = self.parts.last().map_or(0, Part::end);
            self.parts.push(Part { first, chunk: Arc::new(chunk) });
        }
    }
}
