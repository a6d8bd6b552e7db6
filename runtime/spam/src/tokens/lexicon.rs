//! Short words that are looked up for every word of a text: a table that is made when the program is compiled.

/// Longest word in a table.
const WORD_OCTETS_MAX: usize = 10;

/// Words with a number each; `N` places, a power of two and at least twice as many as words.
///
/// A place has the octets of the word, and the number in the highest octet.
pub struct Lexicon<const N: usize>([u128; N]);

const WORD: u128 = (1 << 120) - 1;

impl<const N: usize> Lexicon<N> {
    pub const fn new() -> Lexicon<N> {
        assert!(N.is_power_of_two());
        Lexicon([0; N])
    }

    /// With these words, to whose numbers the bits of `number` are added.
    pub const fn with(mut self, words: &[&str], number: u8) -> Lexicon<N> {
        let mut at = 0;
        while at < words.len() {
            let word = words[at].as_bytes();
            assert!(!word.is_empty() && word.len() <= WORD_OCTETS_MAX);
            let key = packed(word);
            let mut place = place(key) % N;
            while self.0[place] != 0 && self.0[place] & WORD != key {
                place = (place + 1) % N;
            }
            self.0[place] |= key | (number as u128) << 120;
            at += 1;
        }
        self
    }

    /// The number of a word; 0 of others.
    pub fn of(&self, word: &str) -> u8 {
        if word.len() > WORD_OCTETS_MAX {
            return 0;
        }
        let key = packed(word.as_bytes());
        let mut place = place(key) % N;
        while self.0[place] != 0 {
            if self.0[place] & WORD == key {
                return (self.0[place] >> 120) as u8;
            }
            place = (place + 1) % N;
        }
        0
    }
}

/// The octets of a word in one number.
const fn packed(word: &[u8]) -> u128 {
    let mut packed = 0;
    let mut at = 0;
    while at < word.len() {
        packed = packed << 8 | word[at] as u128;
        at += 1;
    }
    packed
}

const fn place(key: u128) -> usize {
    let mixed = (key as u64 ^ (key >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 48) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_bits_of_every_list_they_are_in() {
        const LEXICON: Lexicon<16> = Lexicon::new().with(&["de", "la", "september"], 1).with(&["de", "het"], 2);
        for (word, number) in
            [("de", 3), ("la", 1), ("het", 2), ("september", 1), ("", 0), ("septembers", 0), ("une", 0), ("d", 0)]
        {
            assert_eq!(LEXICON.of(word), number, "{word}");
        }
        assert_eq!(LEXICON.of("a word that is longer than any of them"), 0);
    }
}
