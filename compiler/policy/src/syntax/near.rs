//! "did you mean": the nearest of the names that exist.

/// Names longer than this are not compared: the cost is the product of the lengths.
const COMPARED_CHARS_MAX: usize = 64;

/// How many names a help line lists.
const LISTED_MAX: usize = 16;

/// The candidate nearest to `wrong`, if near enough to be a slip of the hand: at most a third of its characters
/// inserted, dropped, replaced or swapped with their neighbour. Case differences count for nothing.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = folded(wrong)?;
    let allowed = (wrong.len() / 3).max(1);
    let near = candidates.into_iter().filter_map(|candidate| {
        let distance = distance(&wrong, &folded(candidate)?);
        (distance <= allowed).then_some((distance, candidate))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// The help line for an unknown name: "did you mean `x`? Defined: a, b, c".
pub fn help<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    listing("Defined", wrong, candidates)
}

/// [`help`] with another word before the list.
pub(super) fn listing<'a>(word: &str, wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if candidates.is_empty() {
        return "none is defined".to_owned();
    }
    let more = if candidates.len() > LISTED_MAX { ", …" } else { "" };
    let listed = candidates[..candidates.len().min(LISTED_MAX)].join(", ");
    match nearest(wrong, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? {word}: {listed}{more}"),
        None => format!("{}: {listed}{more}", word.to_lowercase()),
    }
}

fn folded(name: &str) -> Option<Vec<char>> {
    let folded: Vec<char> = name.chars().take(COMPARED_CHARS_MAX + 1).flat_map(char::to_lowercase).collect();
    (!folded.is_empty() && folded.len() <= COMPARED_CHARS_MAX).then_some(folded)
}

/// Damerau's distance between neighbours (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_find_their_name() {
        let names = ["inside", "outside", "private", "webmail-hosts"];
        let check = |wrong: &str, expected: Option<&str>| assert_eq!(nearest(wrong, names), expected, "{wrong}");
        check("outsdie", Some("outside"));
        check("Inside", Some("inside"));
        check("privat", Some("private"));
        check("webmail-host", Some("webmail-hosts"));
        check("bench", None);
        check("", None);
        check(&"x".repeat(10_000), None);
    }

    #[test]
    fn help_names_the_nearest_and_lists_all() {
        assert_eq!(help("outsdie", ["inside", "outside"]), "did you mean `outside`? Defined: inside, outside");
        assert_eq!(help("bench", ["inside", "outside"]), "defined: inside, outside");
        assert_eq!(help("bench", []), "none is defined");
    }
}
