//! What a pass says of a message.

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
