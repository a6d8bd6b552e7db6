//! What a pass says of a message.

/// Characters quoted of one piece of a message.
const SHOWN_CHARS_MAX: usize = 80;

/// The score of one pass, and what it is the sum of.
///
/// Below 0 looks like spam, above 0 looks correct (guide 4); 0 says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassScore {
    pub thousandths: i64,
    /// In the order in which they should be shown.
    pub contributions: Vec<Contribution>,
}

/// One reason of a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// The name of a rule, or of the kind of token.
    pub rule: &'static str,
    /// Below 0 speaks for spam.
    pub thousandths: i64,
    /// For people, on one line: what was seen where. May quote the message; controls are taken out.
    pub about: String,
}

impl PassScore {
    /// The score that these contributions add up to.
    pub fn of(contributions: Vec<Contribution>) -> PassScore {
        let thousandths = contributions.iter().fold(0i64, |sum, each| sum.saturating_add(each.thousandths));
        PassScore { thousandths, contributions }
    }

    /// Whether a rule of that name contributed.
    pub fn has(&self, rule: &str) -> bool {
        self.contributions.iter().any(|each| each.rule == rule)
    }
}

/// A piece of a message that can be printed anywhere: one line, bounded, nothing that moves a cursor or turns the writing.
pub fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() || crate::view::is_unseen(c) { '\u{b7}' } else { c };
    let mut chars = text.trim().chars();
    let mut out: String = chars.by_ref().take(SHOWN_CHARS_MAX).map(clean).collect();
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_cannot_move_a_cursor() {
        assert_eq!(shown(" a\x1b[2Jb\u{202e}c\nd "), "a·[2Jb·c·d");
        assert_eq!(shown(&"é".repeat(100)).chars().count(), SHOWN_CHARS_MAX + 1);
    }

    #[test]
    fn a_score_is_the_sum_of_its_reasons_and_cannot_overflow() {
        let one = |thousandths| Contribution { rule: "a", thousandths, about: String::new() };
        assert_eq!(PassScore::of(vec![one(1_000), one(-300)]).thousandths, 700);
        assert_eq!(PassScore::of(vec![one(i64::MIN), one(-1)]).thousandths, i64::MIN);
        assert!(PassScore::of(vec![one(1)]).has("a") && !PassScore::default().has("a"));
    }
}
