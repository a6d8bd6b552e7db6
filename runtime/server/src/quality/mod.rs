//! Is a password hard to guess? zxcvbn says in how many tries thieves find it; what people here would take first (French
//! words, first names, rows of their keyboard, their own names) it is told.

mod advice;
mod keys;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::LazyLock;

pub use advice::Advice;
use mail::Person;
use plan::{PasswordQuality, Plan};
use proto::sasl::Secret;
use zxcvbn::Score;
use zxcvbn::feedback::Warning;

/// Fewest characters of a password that has to be hard to guess.
const CHARACTERS_MIN: usize = 10;
/// Most octets of any.
const OCTETS_MAX: usize = 256;
/// What is looked at: the work grows faster than the length, and a password that long is judged by its beginning.
const JUDGED_MAX: usize = 48;
/// Fewest letters where all of them stand together: no word is so long, and few phrases without spaces are.
const TOGETHER_MIN: usize = 16;
/// Parts of names shorter than this are in any word.
const OWN_MIN: usize = 3;

/// What people here take first, small letters without accents.
static FRENCH: LazyLock<Vec<String>> = LazyLock::new(|| {
    let lists = [include_str!("words.txt"), include_str!("first_names.txt")];
    let words = lists.iter().flat_map(|list| list.split_whitespace()).map(str::to_owned);
    words.chain(keys::runs()).collect()
});
static ROWS: LazyLock<HashSet<String>> = LazyLock::new(|| keys::runs().into_iter().collect());

/// Is it hard enough to guess for this plan and person? Everything that is wrong is told.
pub fn judge(plan: &Plan, person: &Person, secret: &Secret) -> Result<(), Vec<Advice>> {
    form(secret)?;
    match plan.identity.password.quality {
        PasswordQuality::Any => Ok(()),
        PasswordQuality::HardToGuess => hard_to_guess(&own(plan, person), secret.reveal()),
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

/// What everybody knows of the person and the institution, folded.
fn own(plan: &Plan, person: &Person) -> Vec<String> {
    let institution = &plan.institution;
    let address = person.address.to_string();
    let told = [person.login.as_str(), &person.first, &person.last, &person.unit, &address, &institution.name];
    let mut own: Vec<String> = told
        .into_iter()
        .chain([institution.domain.as_str()])
        .flat_map(|text| {
            let folded = folded(text);
            let parts = folded.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>();
            parts.into_iter().chain([folded.chars().filter(|c| c.is_alphanumeric()).collect()])
        })
        .filter(|part| part.chars().count() >= OWN_MIN)
        .collect();
    own.sort_by_key(|part| std::cmp::Reverse(part.len()));
    own.dedup();
    own
}

fn hard_to_guess(own: &[String], typed: &str) -> Result<(), Vec<Advice>> {
    let mut wrong = Vec::new();
    if typed.chars().count() < CHARACTERS_MIN {
        wrong.push(Advice::TooShort(CHARACTERS_MIN));
    }
    let judged: String = typed.chars().take(JUDGED_MAX).collect();
    let known: Vec<&str> = own.iter().chain(FRENCH.iter()).map(String::as_str).collect();
    // Once as it is typed and once without accents, which thieves try as well.
    let plain = folded(&judged);
    let guesses = [judged.as_str(), plain.as_str()].map(|text| zxcvbn::zxcvbn(text, &known));
    let worst = guesses.into_iter().min_by_key(zxcvbn::Entropy::guesses);
    match worst.filter(|found| found.score() < Score::Three) {
        Some(found) => wrong.push(why(own, &plain, &found)),
        None => wrong.extend(too_plain(&plain)),
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// What zxcvbn, which knows few French words, takes for noise: one word with something before or behind it, or one number.
fn too_plain(plain: &str) -> Option<Advice> {
    if plain.chars().all(|c| c.is_ascii_digit()) {
        return Some(Advice::Guessable);
    }
    let word = plain.trim_matches(|c: char| !c.is_alphabetic());
    (word.chars().all(char::is_alphabetic)
        && word.chars().count() < TOGETHER_MIN
        && word.chars().count() * 2 > plain.chars().count())
    .then_some(Advice::Word)
}

/// The one thing to say about a password that is found too soon.
fn why(own: &[String], plain: &str, found: &zxcvbn::Entropy) -> Advice {
    if own.iter().any(|part| part.len() > OWN_MIN && plain.contains(part.as_str())) {
        return Advice::AboutYou;
    }
    if has_row(plain) {
        return Advice::Row;
    }
    match found.feedback().and_then(zxcvbn::feedback::Feedback::warning) {
        Some(Warning::StraightRowsOfKeysAreEasyToGuess | Warning::ShortKeyboardPatternsAreEasyToGuess) => Advice::Row,
        Some(Warning::SequencesLikeAbcAreEasyToGuess) => Advice::Row,
        Some(Warning::RepeatsLikeAaaAreEasyToGuess | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess) => {
            Advice::Repeats
        }
        Some(
            Warning::ThisIsATop10Password
            | Warning::ThisIsATop100Password
            | Warning::ThisIsACommonPassword
            | Warning::ThisIsSimilarToACommonlyUsedPassword,
        ) => Advice::Common,
        Some(Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess) => Advice::Date,
        Some(
            Warning::AWordByItselfIsEasyToGuess
            | Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
            | Warning::CommonNamesAndSurnamesAreEasyToGuess,
        ) => Advice::Word,
        None => Advice::Guessable,
    }
}

/// Is half of it keys beside each other?
fn has_row(plain: &str) -> bool {
    let keys: Vec<char> = plain.chars().collect();
    let half = keys.len().div_ceil(2).max(4);
    keys.windows(half.min(keys.len())).any(|run| {
        let (there, back): (String, String) = (run.iter().collect(), run.iter().rev().collect());
        ROWS.contains(&there) || ROWS.contains(&back)
    })
}

/// Small letters without accents, as names are compared.
fn folded(text: &str) -> String {
    mail::fold(text)
}
