//! Which deliveries are sought: by their marks in the index of every shard, each hit proved by the stored message.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mail::{Address, ReversePath, header};
use spam::view::View;
use store::{BodyRef, CopyOf, Delivery, DeliveryId, ReadError, Store, UidSet};

use super::Sought;
use crate::left;
use crate::sealed;
use crate::signing::Seal;
use crate::taken;

/// Deliveries of one recall.
pub const DELIVERIES_MAX: usize = 10_000;
/// Deliveries without marks that are looked at one by one, the newest.
const LOOKED_MAX: usize = 2_000;
/// Rows of the index read at a time, and hits proved at a time.
const PAGE: usize = 1_000;
const PROVED_AT_ONCE: usize = 2_000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Deliveries and messages of the spool, in order of id.
    pub ids: BTreeSet<DeliveryId>,
    /// Old deliveries without marks that were not looked at: there are too many.
    pub unlooked: u64,
}

/// Why nothing was found, or not all.
#[derive(Debug)]
pub enum SearchError {
    Read(ReadError),
    /// More than [`DELIVERIES_MAX`].
    TooMany,
    /// Nobody waits for it any more.
    Interrupted,
}

impl From<ReadError> for SearchError {
    fn from(error: ReadError) -> SearchError {
        SearchError::Read(error)
    }
}

/// Looks for `sought`. Not for async threads. `go_on` is asked between two pages and told how many rows were read.
pub fn search(
    store: &Store,
    seal: &Seal,
    sought: &Sought,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Found, SearchError> {
    let mut search = Search { store, seal, sought, found: Found::default() };
    let (hits, unmarked) = search.candidates(go_on)?;
    search.prove(&hits, true, go_on)?;
    search.prove(&unmarked, false, go_on)?;
    search.spool()?;
    Ok(search.found)
}

struct Search<'a> {
    store: &'a Store,
    seal: &'a Seal,
    sought: &'a Sought,
    found: Found,
}

/// One that may be it.
type Candidates = BTreeSet<DeliveryId>;

impl Search<'_> {
    fn since_ms(&self) -> u64 {
        u64::try_from(self.sought.since_s.unwrap_or(0)).unwrap_or(0).saturating_mul(1_000)
    }

    /// Those whose marks say so, and the newest of those that have no marks.
    fn candidates(&mut self, go_on: &mut dyn FnMut(u64) -> bool) -> Result<(Candidates, Candidates), SearchError> {
        let by_marks = self.sought.by_marks();
        let message_id = self.sought.message_id.as_ref().map(|id| format!("<{id}>"));
        let (mut hits, mut unmarked, mut rows) = (Candidates::new(), VecDeque::new(), 0);
        for shard in self.store.shard_numbers() {
            let mut after: DeliveryId = [0; 16];
            after[..6].copy_from_slice(&self.since_ms().to_be_bytes()[2..]);
            loop {
                if !go_on(rows) {
                    return Err(SearchError::Interrupted);
                }
                let page = self.store.deliveries(shard, after, PAGE)?;
                let Some(last) = page.last() else { break };
                (after, rows) = (last.id, rows + page.len() as u64);
                for row in page {
                    match may_be(&row, &by_marks, message_id.as_deref()) {
                        MayBe::Yes => drop(hits.insert(row.id)),
                        MayBe::Unmarked => unmarked.push_back(row.id),
                        MayBe::No => {}
                    }
                    if unmarked.len() > LOOKED_MAX {
                        unmarked.pop_front();
                        self.found.unlooked += 1;
                    }
                }
                if hits.len() > DELIVERIES_MAX {
                    return Err(SearchError::TooMany);
                }
            }
        }
        Ok((hits, unmarked.into_iter().collect()))
    }

    /// Keeps those whose message is it. Of a hit nothing may be left to look at; then the marks stand.
    fn prove(
        &mut self,
        candidates: &Candidates,
        marked: bool,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), SearchError> {
        let all: Vec<DeliveryId> = candidates.iter().copied().collect();
        for some in all.chunks(PROVED_AT_ONCE) {
            let mut copies: BTreeMap<DeliveryId, CopyOf> = BTreeMap::new();
            for copy in self.store.copies_of(some)? {
                copies.entry(copy.delivery).or_insert(copy);
            }
            for (at, id) in some.iter().enumerate() {
                if at.is_multiple_of(100) && !go_on(at as u64) {
                    return Err(SearchError::Interrupted);
                }
                let message = self.message(*id, copies.get(id))?;
                if message.map_or(marked, |message| self.is_it(&message)) {
                    self.found.ids.insert(*id);
                }
            }
        }
        Ok(())
    }

    fn is_it(&self, message: &[u8]) -> bool {
        let path = header::text_of(message, "return-path");
        let path = path.trim().trim_matches(['<', '>']).parse::<Address>();
        self.sought.is_in(&View::read(message), &path.map_or(ReversePath::Null, ReversePath::Address))
    }

    /// From a mailbox, from what was taken out of mailboxes, or from the spool.
    fn message(&self, id: DeliveryId, copy: Option<&CopyOf>) -> Result<Option<Vec<u8>>, ReadError> {
        if let Some(copy) = copy {
            let uids: UidSet = [copy.uid].into_iter().collect();
            if let Some((_, body)) = self.store.bodies_of(copy.mailbox, &uids)?.pop() {
                return self.body(&body).map(Some);
            }
        }
        let item = taken::item_of(id);
        if let Some(kept) = self.store.kept_one(item)? {
            // What does not open proves nothing.
            return Ok(sealed::whole(self.store, self.seal, item, &kept.body).ok());
        }
        Ok(None)
    }

    fn body(&self, body: &BodyRef) -> Result<Vec<u8>, ReadError> {
        self.store.read_body(body)
    }

    /// What left, or waits to: what waits is proved by its message.
    fn spool(&mut self) -> Result<(), SearchError> {
        let by_marks = self.sought.by_marks();
        let mut ids = Vec::new();
        left::since(self.store, self.since_ms(), |id, left| {
            if by_marks(&left.marks) {
                ids.push(id);
            }
            if ids.len() > DELIVERIES_MAX { Err(SearchError::TooMany) } else { Ok(()) }
        })?;
        for id in ids {
            let is_it = match self.store.queue_item(id)? {
                Some(item) => self.sought.is_in(&View::read(&self.body(&item.body)?), &self.path_of(&item)),
                None => true,
            };
            if is_it {
                self.found.ids.insert(id.0);
            }
        }
        if self.found.ids.len() > DELIVERIES_MAX { Err(SearchError::TooMany) } else { Ok(()) }
    }

    /// The reverse-path a message came with: one that goes on for somebody has one of ours since, and is known by its marks.
    fn path_of(&self, item: &store::QueueItem) -> ReversePath {
        let facts: queue::MessageFacts = queue::facts::read(&item.facts);
        let sender = self.sought.sender.as_ref().and_then(|sender| sender.parse().ok());
        match sender {
            Some(sender) if facts.forwarded => ReversePath::Address(sender),
            _ => item.reverse_path.clone(),
        }
    }
}

/// Deliveries and messages of the spool that were made of these since: a message for many is spread part by part, and its
/// parts have ids of its time.
pub fn parts_of(found: &Found, of: &BTreeSet<DeliveryId>) -> BTreeSet<DeliveryId> {
    let times: BTreeSet<&[u8]> = of.iter().map(|id| &id[..6]).collect();
    found.ids.iter().copied().filter(|id| times.contains(&id[..6]) && !of.contains(id)).collect()
}

enum MayBe {
    Yes,
    No,
    /// Nobody can tell without its message.
    Unmarked,
}

/// A row of an earlier format has no marks, and may have a Message-ID.
fn may_be(row: &Delivery, by_marks: &impl Fn(&[u64]) -> bool, message_id: Option<&str>) -> MayBe {
    if !row.marks.is_empty() {
        return if by_marks(&row.marks) { MayBe::Yes } else { MayBe::No };
    }
    match (message_id, &row.message_id) {
        (Some(sought), Some(of)) if !of.eq_ignore_ascii_case(sought) => MayBe::No,
        _ => MayBe::Unmarked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_marks_is_told_by_its_message_id_or_looked_at() {
        let row = |message_id: Option<&str>, marks: &[u64]| Delivery {
            id: [1; 16],
            message_id: message_id.map(str::to_owned),
            hash: None,
            placed: Vec::new(),
            marks: marks.to_vec(),
        };
        let word = |row: Delivery, sought: Option<&str>| match may_be(&row, &|marks| marks.contains(&7), sought) {
            MayBe::Yes => "yes",
            MayBe::No => "no",
            MayBe::Unmarked => "look",
        };
        assert_eq!(word(row(None, &[7]), Some("<a@b>")), "yes");
        assert_eq!(word(row(Some("<a@b>"), &[8]), Some("<a@b>")), "no");
        assert_eq!(word(row(Some("<A@b>"), &[]), Some("<a@b>")), "look");
        assert_eq!(word(row(Some("<other@b>"), &[]), Some("<a@b>")), "no");
        assert_eq!(word(row(Some("<other@b>"), &[]), None), "look");
    }

    #[test]
    fn parts_are_those_of_the_same_time() {
        let id = |time: u8, rest: u8| [[time; 6].as_slice(), &[rest; 10]].concat().try_into().unwrap();
        let found = Found { ids: [id(1, 1), id(1, 2), id(2, 1)].into(), unlooked: 0 };
        assert_eq!(parts_of(&found, &[id(1, 1)].into()), [id(1, 2)].into());
    }
}
