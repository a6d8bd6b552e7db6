//! Is a password hard to guess? zxcvbn says in how many tries thieves find it; what people here would take first (French
//! words, first names, rows of their keyboard, their own names) it is told.

mod advice;

pub use advice::Advice;
use mail::Person;
use plan::{PasswordQuality, Plan};
use proto::sasl::Secret;
use zxcvbn::Score;

/// Fewest characters of a password that has to be hard to guess.
const CHARACTERS_MIN: usize = 10;
/// Most octets of any.
const OCTETS_MAX: usize = 256;
/// What is looked at: the work grows faster than the length, and a password that long is judged by its beginning.
const JUDGED_MAX: usize = 64;

/// Is it hard enough to guess for this plan and person? Everything that is wrong is told.
pub fn judge(plan: &Plan, person: &Person, secret: &Secret) -> Result<(), Vec<Advice>> {
    form(secret)?;
    match plan.identity.password.quality {
        PasswordQuality::Any => Ok(()),
        PasswordQuality::HardToGuess => hard_to_guess(plan, person, secret.reveal()),
    }
}

/// Can it be a password at all?
pub fn form(secret: &Secret) -> Result<(), Vec<Advice>> {
    let typed = secret.reveal();
    let wrong = if typed.is_empty() {
        Advice::Empty
    } else if typed.len() > OCTETS_MAX {
        Advice::TooLong(OCTETS_MAX)
    } else if typed.contains(char::is_control) {
        Advice::Control
    } else {
        return Ok(());
    };
    Err(vec![wrong])
}

fn hard_to_guess(_plan: &Plan, person: &Person, typed: &str) -> Result<(), Vec<Advice>> {
    let mut wrong = Vec::new();
    if typed.chars().count() < CHARACTERS_MIN {
        wrong.push(Advice::TooShort(CHARACTERS_MIN));
    }
    let judged: String = typed.chars().take(JUDGED_MAX).collect();
    let found = zxcvbn::zxcvbn(&judged, &[person.login.as_str(), &person.first, &person.last]);
    if found.score() < Score::Three {
        wrong.push(Advice::Guessable);
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
