//! The tests of the public suffix list, against the list this build pins and the organisational domains we find.

use mail::Domain;

use super::{Compared, corpus, judge};
use crate::authenticate::dmarc::organisational;

/// The registrable domain; nothing for what is a suffix or no domain.
fn registrable(name: &str) -> String {
    let Ok(domain) = name.parse::<Domain>() else { return "null".to_owned() };
    let list = decide::PublicSuffixes::pinned();
    if list.is_suffix(&domain, decide::Division::Private) { "null".to_owned() } else { organisational(&domain) }
}

#[test]
fn the_vectors_of_the_list_hold() {
    let Some(folder) = corpus() else { return };
    for file in ["psl-tests.txt", "psl-test_psl.txt"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let mut compared = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with("//") && !line.trim().is_empty()) {
            let plain = line.trim_start_matches("checkPublicSuffix(").trim_end_matches(");").replace(['\'', ','], " ");
            let mut words = plain.split_whitespace();
            let (Some(name), Some(theirs)) = (words.next(), words.next()) else { panic!("{line}") };
            // Names are compared in the form we keep them in.
            let theirs = theirs.parse::<Domain>().map_or(theirs.to_owned(), |domain| domain.to_string());
            compared.push(Compared::new(name, &registrable(name), &theirs));
        }
        judge(file.trim_end_matches(".txt"), &compared);
    }
}
