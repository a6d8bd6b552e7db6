//! What the HTML of a message does that its reader does not see.

use super::found::{Case, Found};
use super::rules;
use crate::view::LinkFrom;

pub(super) fn judge(case: &Case<'_>, found: &mut Found) {
    let html = &case.view.html;
    if html.parts == 0 {
        return;
    }
    let count = |count: u32, what: &str| format!("{count} {what}");
    if html.hidden_chars > 300 && html.hidden_chars > html.visible_chars / 2 {
        found.say(&rules::HIDDEN_TEXT, count(html.hidden_chars, "characters"));
    }
    if html.tiny_chars > 20 {
        found.say(&rules::TINY_TEXT, count(html.tiny_chars, "characters"));
    }
    if html.same_colour_chars > 30 {
        found.say(&rules::SAME_COLOUR, count(html.same_colour_chars, "characters"));
    }
    if html.split_words >= 4 {
        found.say(&rules::SPLIT_BY_MARKUP, count(html.split_words, "times"));
    }
    if html.letter_references >= 20 {
        found.say(&rules::LETTER_REFERENCES, count(html.letter_references, "letters"));
    }
    if html.noise_comments >= 3 {
        found.say(&rules::NOISE_COMMENTS, count(html.noise_comments, "comments"));
    }
    if html.style_noise > 200 {
        found.say(&rules::STYLE_NOISE, count(html.style_noise, "octets"));
    }
    if html.unknown_tags >= 4 {
        found.say(&rules::UNKNOWN_TAGS, count(html.unknown_tags, "elements"));
    }
    for (seen, rule) in [
        (html.password_inputs, &rules::PASSWORD),
        (html.scripts, &rules::SCRIPT),
        (html.frames, &rules::FRAME),
        (html.objects, &rules::OBJECT),
        (html.meta_refresh, &rules::REFRESH),
        (html.data_documents, &rules::DATA_DOCUMENT),
    ] {
        if seen > 0 {
            found.say(rule, "");
        }
    }
    pictures(case, found);
}

fn pictures(case: &Case<'_>, found: &mut Found) {
    let html = &case.view.html;
    let said: usize = case.view.own_texts().map(|text| text.text.trim().len()).max().unwrap_or(0);
    let clicked = case.view.own_links().any(|link| link.holds_image || link.from == LinkFrom::Area);
    if html.images > 0 && clicked && html.visible_chars < 40 && said < 120 {
        found.say(&rules::PICTURES_ALONE, "");
    }
}
