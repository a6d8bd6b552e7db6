//! Letters that are not what they look like: characters without a shape, words of two scripts, letters of another script.

/// What the visible text does with its letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScriptTraits {
    /// Words with letters of two scripts that look alike.
    pub mixed_words: u32,
    /// Invisible characters between two letters of Latin, Greek or Cyrillic.
    pub split_words: u32,
    /// Overrides of the direction of writing.
    pub overrides: u32,
    /// Letters written in the alphabets for formulas, full width, or circles.
    pub styled_letters: u32,
    pub letters: u32,
    pub words: u32,
}

/// Octets of US-ASCII that end a word: space and punctuation.
const ENDS: [bool; 256] = {
    let mut ends = [false; 256];
    let mut octet = 0u8;
    while octet < 128 {
        ends[octet as usize] = octet.is_ascii_punctuation() || matches!(octet, b'\t'..=b'\r' | b' ');
        octet += 1;
    }
    ends
};

/// Whether a character has no shape of its own.
pub fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}')
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Other,
}

fn script(c: char) -> Option<Script> {
    Some(match c {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' => Script::Cyrillic,
        '\u{531}'..='\u{587}' => Script::Armenian,
        _ if c.is_alphabetic() => Script::Other,
        _ => return None,
    })
}

/// Whether a word mixes Latin letters with those of scripts whose letters look the same (UTS 39 5.1, restricted to the
/// scripts that matter for it). One Greek letter beside Latin ones is a unit or a formula, and a word of capitals or with
/// digits is a name of a thing.
pub fn mixes_scripts(word: &str) -> bool {
    let (mut latin, mut greek, mut cyrillic) = (0, 0, 0);
    for c in word.chars() {
        match script(c) {
            Some(Script::Latin) => latin += 1,
            Some(Script::Greek) => greek += 1,
            Some(Script::Cyrillic | Script::Armenian) => cyrillic += 1,
            _ => {}
        }
    }
    let letters = latin + greek + cyrillic;
    letters >= 4 && latin > 0 && (cyrillic > 0 || greek > 0) && !(greek == 1 && cyrillic == 0 && letters < 5)
}

impl ScriptTraits {
    /// Looks through a text, one pass.
    pub fn add(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if ENDS[usize::from(bytes[at])] {
                at += 1;
                continue;
            }
            // Up to the next octet of US-ASCII between words; where others are among them there may be space of other kinds.
            let rest = &bytes[at..];
            let length = rest.iter().position(|octet| ENDS[usize::from(*octet)]).unwrap_or(rest.len());
            let run = &text[at..at + length];
            at += length;
            if run.is_ascii() {
                self.words = self.words.saturating_add(1);
                self.letters = self.letters.saturating_add(length as u32);
            } else {
                run.split(char::is_whitespace).filter(|word| !word.is_empty()).for_each(|word| self.add_word(word));
            }
        }
    }

    fn add_word(&mut self, word: &str) {
        self.words = self.words.saturating_add(1);
        if word.is_ascii() {
            self.letters = self.letters.saturating_add(word.len() as u32);
        } else {
            self.mixed_words = self.mixed_words.saturating_add(u32::from(mixes_scripts(word)));
            self.add_letters(word);
        }
    }

    fn add_letters(&mut self, word: &str) {
        let mut before: Option<Script> = None;
        let mut unseen = false;
        for c in word.chars() {
            if matches!(c, '\u{202d}' | '\u{202e}' | '\u{2066}'..='\u{2068}') {
                self.overrides = self.overrides.saturating_add(1);
            }
            if is_unseen(c) {
                // A soft hyphen is where a word may be broken.
                unseen = unseen || c != '\u{ad}';
                continue;
            }
            let now = script(c);
            let split =
                unseen && before.is_some_and(|it| it != Script::Other) && now.is_some_and(|it| it != Script::Other);
            self.split_words = self.split_words.saturating_add(u32::from(split));
            self.letters = self.letters.saturating_add(u32::from(now.is_some()));
            let styled = matches!(c, '\u{1d400}'..='\u{1d7ff}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}'
                | '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f189}');
            self.styled_letters = self.styled_letters.saturating_add(u32::from(styled));
            (before, unseen) = (now, false);
        }
    }
}

/// What a name looks like (UTS 39 4, in small): letters of other scripts and digits as the Latin letters they pass for,
/// accents off, small.
pub fn skeleton(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in mail::fold(text).chars().filter(|c| !is_unseen(*c)) {
        let same = match c {
            'а' | 'ɑ' | 'α' => 'a',
            'ь' | 'в' => 'b',
            'с' | 'ϲ' => 'c',
            'ԁ' => 'd',
            'е' | 'є' | 'ε' => 'e',
            'ɡ' => 'g',
            'һ' | 'н' => 'h',
            'і' | 'ι' | 'ı' | 'l' | '1' | '|' => 'i',
            'ј' => 'j',
            'к' | 'κ' => 'k',
            'ӏ' => 'i',
            'м' => 'm',
            'п' | 'η' => 'n',
            'о' | 'ο' | 'σ' | '0' => 'o',
            'р' | 'ρ' => 'p',
            'ԛ' => 'q',
            'г' => 'r',
            'ѕ' | '5' => 's',
            'т' | 'τ' => 't',
            'υ' | 'ц' => 'u',
            'ν' | 'ѵ' => 'v',
            'ԝ' | 'ω' | 'ш' => 'w',
            'х' | 'χ' => 'x',
            'у' | 'γ' => 'y',
            'з' => 'z',
            other => other,
        };
        out.push(same);
    }
    // Pairs that look like one letter.
    out.replace("rn", "m").replace("vv", "w").replace("cl", "d")
}
