//! Rows of French keyboards, which zxcvbn does not know.

/// Each key with its neighbours to the right; the digits as they are typed, and as they are without the capital key; the
/// columns that lean to the right.
const ROWS: [&str; 10] = [
    "azertyuiop^$",
    "qsdfghjklmù*",
    "<wxcvbn,;:!",
    "&é\"'(-è_çà)=",
    "&e\"'(-e_ca)=",
    "1234567890",
    "azertyuiopqsdfghjklmwxcvbn",
    "aqwzsxedcrfvtgbyhn",
    "qazwsxedcrfvtgb",
    "1a2z3e4r5t6y7u8i9o0p",
];
/// Shorter than this is no row.
const KEYS_MIN: usize = 4;

/// Each run of keys in a row, the longer ones first: they are tried first.
pub fn runs() -> Vec<String> {
    let mut runs = Vec::new();
    for row in ROWS {
        let keys: Vec<char> = row.chars().collect();
        for length in (KEYS_MIN..=keys.len()).rev() {
            runs.extend(keys.windows(length).map(|run| run.iter().collect::<String>()));
        }
    }
    runs
}
