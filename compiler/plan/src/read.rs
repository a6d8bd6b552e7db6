//! Reading a plan back: only its canonical text, only what this build understands.

use std::fmt;

use crate::{FORMAT, Pins, Plan, PlanHash, emit, hash};

/// Largest plan text, in octets.
const PLAN_OCTETS_MAX: usize = 4 << 20;

/// Why a text is no plan this build may serve.
#[derive(Debug)]
pub enum ReadError {
    TooLarge,
    Syntax(Box<ron::error::SpannedError>),
    /// E1002.
    Format(u32),
    /// E1002: another list of providers or of public suffixes was linked into the compiler.
    Pins,
    /// The text is not what this build would write; line of the first difference.
    NotCanonical(usize),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::TooLarge => write!(f, "the plan is larger than {PLAN_OCTETS_MAX} octets"),
            ReadError::Syntax(error) => write!(f, "the plan does not parse: {error}"),
            ReadError::Format(n) => write!(f, "E1002: plan format {n}, this runtime reads {FORMAT}"),
            ReadError::Pins => {
                f.write_str("E1002: the plan pins another list of public providers or of public suffixes")
            }
            ReadError::NotCanonical(line) => write!(f, "the plan is not in canonical form at line {line}"),
        }
    }
}

impl std::error::Error for ReadError {}

/// Reads canonical plan text.
pub fn read(text: &str) -> Result<(Plan, PlanHash), ReadError> {
    if text.len() > PLAN_OCTETS_MAX {
        return Err(ReadError::TooLarge);
    }
    let plan: Plan = ron::from_str(text).map_err(|error| ReadError::Syntax(Box::new(error)))?;
    if plan.format != FORMAT {
        return Err(ReadError::Format(plan.format));
    }
    if plan.pins != Pins::of_this_build() {
        return Err(ReadError::Pins);
    }
    let again = emit(&plan);
    if again != text {
        let same = again.lines().zip(text.lines()).take_while(|(a, b)| a == b).count();
        return Err(ReadError::NotCanonical(same + 1));
    }
    Ok((plan, hash(text)))
}

/// The law of plans: what parses as one, canonical or not, is the same plan when it is written and read again.
pub fn fuzz(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let served = read(text);
    let Ok(plan) = ron::from_str::<Plan>(text) else {
        assert!(served.is_err(), "a plan that does not parse is served");
        return;
    };
    let written = emit(&plan);
    let again: Plan = ron::from_str(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert!(again == plan, "another plan comes back from\n{written}");
    assert!(emit(&again) == written, "two texts for\n{written}");
    if let Ok((served, hash_of_text)) = served {
        assert!(served == plan && hash_of_text == hash(&written), "another plan is served than\n{written}");
    }
}
