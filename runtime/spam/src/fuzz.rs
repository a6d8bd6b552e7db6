//! The law of the view and the form pass, for the fuzzer and for seeded runs.

use crate::form::{self, Facts};
use crate::view::{LinkFrom, View, bounds};

/// Any octets have a view within its bounds and a score that is the sum of its reasons; nothing shown can end a line.
pub fn fuzz_view(message: &[u8]) {
    let view = View::read(message);
    bounded(&view);
    let own = ["univ-nantes.fr", "lab.example"];
    let facts = Facts { now: Some(1_800_000_000), own_domains: &own, ..Facts::default() };
    let score = form::score(&view, &facts);
    let sum: i64 = score.contributions.iter().map(|each| each.thousandths).sum();
    assert_eq!(score.thousandths, sum, "a score is the sum of its reasons");
    for each in &score.contributions {
        assert!(form::RULES.iter().any(|rule| rule.name == each.rule), "{} stands in the table", each.rule);
        assert!(!each.about.contains(|c: char| c.is_control()), "{:?} is one line", each.about);
    }
    let mut names: Vec<&str> = score.contributions.iter().map(|each| each.rule).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), score.contributions.len(), "a rule speaks once");
    let again = form::score(&View::read(message), &facts);
    assert_eq!(again, score, "the same message has the same score");
}

fn bounded(view: &View<'_>) {
    assert!(view.fields.len() <= bounds::FIELDS_MAX);
    assert!(view.parts.len() <= bounds::PARTS_MAX);
    assert!(view.links.len() <= bounds::LINKS_MAX);
    let mailboxes = view.from.len().max(view.reply_to.len()).max(view.sender.len());
    assert!(mailboxes <= bounds::MAILBOXES_MAX && view.to.len() <= 2 * bounds::MAILBOXES_MAX);
    let text: usize = view.texts.iter().map(|text| text.text.len()).sum();
    // One octet of windows-1252 is at most three of UTF-8, and so is one that cannot be read.
    assert!(text <= 3 * bounds::TEXT_OCTETS_MAX, "{text} octets of text");
    for link in &view.links {
        assert!(link.href.len() <= bounds::HREF_OCTETS_MAX + 4 && link.text.len() <= bounds::LINK_TEXT_OCTETS_MAX + 5);
        assert!(link.from == LinkFrom::Anchor || link.text.is_empty());
    }
    for file in &view.attachments {
        let names = file.zip.as_ref().map_or(0, |zip| zip.names.len());
        assert!(names <= bounds::ARCHIVE_NAMES_MAX);
        assert!(file.name.as_ref().is_none_or(|name| name.len() <= bounds::FILE_NAME_OCTETS_MAX));
    }
    for text in &view.texts {
        assert!(view.parts.get(text.part).is_some(), "a text stands in a part");
    }
}
