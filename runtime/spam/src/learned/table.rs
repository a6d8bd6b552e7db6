//! All counts in memory.

use super::{Count, Counts, MESSAGES};

/// Counts of tokens: open addressing with linear probing, 16 octets a place, at most seven of eight places taken. It grows by
/// half, so a token costs 18 to 28 octets.
#[derive(Clone, Debug, Default)]
pub struct Table {
    messages: Count,
    /// [`MESSAGES`] marks an empty place.
    places: Vec<(u64, Count)>,
    taken: usize,
}

/// Places of the smallest table that is not empty.
const PLACES_MIN: usize = 1_024;

impl Table {
    /// What a store holds: each token with its counts, the messages themselves under [`MESSAGES`]. A token that comes twice
    /// counts twice.
    pub fn from_counts(counts: impl IntoIterator<Item = (u64, Count)>) -> Table {
        let mut table = Table::default();
        for (token, count) in counts {
            table.change(token, i64::from(count.spam), i64::from(count.ham));
        }
        table
    }

    /// Teaches (1) or forgets (-1) so many messages of each kind with these tokens. Below 0 nothing goes.
    pub fn add(&mut self, tokens: &[u64], spam: i32, ham: i32) {
        for token in tokens.iter().chain([&MESSAGES]) {
            self.add_token(*token, spam, ham);
        }
    }

    /// Changes the counts of one token, or of [`MESSAGES`].
    pub fn add_token(&mut self, token: u64, spam: i32, ham: i32) {
        self.change(token, i64::from(spam), i64::from(ham));
    }

    /// Tokens that are in at least one message.
    pub fn len(&self) -> usize {
        self.tokens().count()
    }

    pub fn is_empty(&self) -> bool {
        self.tokens().next().is_none()
    }

    /// Tokens with their counts, in no order.
    pub fn tokens(&self) -> impl Iterator<Item = (u64, Count)> {
        self.places.iter().copied().filter(|(token, count)| *token != 0 && *count != Count::default())
    }

    /// Memory of the counts, in octets.
    pub fn octets(&self) -> usize {
        self.places.capacity() * size_of::<(u64, Count)>()
    }

    fn change(&mut self, token: u64, spam: i64, ham: i64) {
        if token == MESSAGES {
            self.messages = changed(self.messages, spam, ham);
            return;
        }
        if 8 * (self.taken + 1) > 7 * self.places.len() {
            self.grow();
        }
        let at = self.place(token);
        let place = &mut self.places[at];
        self.taken += usize::from(place.0 == 0);
        *place = (token, changed(place.1, spam, ham));
    }

    /// Where a token is, or would be. There is an empty place, so the search ends.
    fn place(&self, token: u64) -> usize {
        let count = self.places.len();
        // Fibonacci hashing: the upper bits of a token are its kind and must be mixed. Then the upper half of the product
        // with the number of places, which need not be a power of two.
        let mixed = token.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut at = ((u128::from(mixed) * count as u128) >> 64) as usize;
        while self.places[at].0 != 0 && self.places[at].0 != token {
            at = if at + 1 == count { 0 } else { at + 1 };
        }
        at
    }

    /// Makes room for half as many again; tokens that no message has any more do not come along.
    fn grow(&mut self) {
        let kept: Vec<(u64, Count)> = self.tokens().collect();
        let count = (kept.len() + kept.len() / 2).max(PLACES_MIN);
        self.places = vec![(0, Count::default()); count * 8 / 7];
        self.taken = kept.len();
        for (token, counts) in kept {
            let at = self.place(token);
            self.places[at] = (token, counts);
        }
    }
}

fn changed(count: Count, spam: i64, ham: i64) -> Count {
    let to = |count: u32, by: i64| (i64::from(count) + by).clamp(0, i64::from(u32::MAX)) as u32;
    Count { spam: to(count.spam, spam), ham: to(count.ham, ham) }
}

impl Counts for Table {
    fn messages(&self) -> Count {
        self.messages
    }

    fn of(&self, token: u64) -> Count {
        if self.places.is_empty() || token == MESSAGES {
            return Count::default();
        }
        let (found, count) = self.places[self.place(token)];
        if found == token { count } else { Count::default() }
    }
}
