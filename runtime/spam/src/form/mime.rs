//! Integrity of MIME: parts, encodings, character sets.

use mail::mime::{Kind, Part};

use super::found::{Case, Found};
use super::rules;
use crate::view::bounds::{PARTS_MAX, TEXT_OCTETS_MAX};

/// Encodings of RFC 2045 6.1, and what old programs wrote for them.
const ENCODINGS: [&str; 8] = ["7bit", "8bit", "binary", "base64", "quoted-printable", "x-uuencode", "7-bit", "8-bit"];

pub(super) fn judge(case: &Case<'_>, found: &mut Found) {
    let view = case.view;
    boundaries(case, found);
    let top = &view.structure.top.content.media;
    if top.is_main("multipart") && view.field("MIME-Version").is_none() {
        found.say(&rules::NO_MIME_VERSION, "");
    }
    if view.parts.len() >= PARTS_MAX {
        found.say(&rules::DEEP, "");
    }
    alternatives(case, found);
    let encoding = String::from_utf8_lossy(&view.structure.top.content.transfer_encoding).to_ascii_lowercase();
    if !ENCODINGS.contains(&encoding.as_str()) {
        found.say(&rules::ODD_ENCODING, encoding);
    }
    if top.is("multipart", "alternative") && view.structure.top.children().len() == 1 {
        found.say(&rules::ONE_ALTERNATIVE, "");
    }
    for text in view.texts.iter().filter(|text| !text.enclosed) {
        let part = &view.parts[text.part];
        if !ENCODINGS.contains(&part.encoding.as_str()) {
            found.say(&rules::ODD_ENCODING, &part.encoding);
        }
        if part.encoding == "base64" && text.text.len() > 40 && text.text.is_ascii() && part.high_octets == 0 {
            found.say(&rules::BASE64_ASCII, "");
        }
        if part.encoding == "quoted-printable" {
            let raw = part_body(case, text.part);
            let letters = super::header::escaped_letters(&raw[..raw.len().min(64 * 1024)]);
            if letters > 100 && letters > raw.len() / 20 {
                found.say(&rules::ESCAPED_LETTERS, format!("{letters} letters"));
            }
        }
        let declared = part.charset.as_deref().unwrap_or("us-ascii");
        if part.high_octets > 0 && matches!(declared, "us-ascii" | "") {
            found.say(&rules::RAW_BODY, "");
        }
        if declared == "utf-8" && text.text.contains('\u{fffd}') && part.body.len() < TEXT_OCTETS_MAX {
            found.say(&rules::WRONG_CHARSET, declared);
        }
        if text.text.contains('\0') {
            found.say(&rules::NUL, "");
        }
    }
}

fn part_body<'a>(case: &Case<'a>, part: usize) -> &'a [u8] {
    &case.view.raw[case.view.parts[part].body.clone()]
}

/// Multiparts that cannot be read as their sender meant.
fn boundaries(case: &Case<'_>, found: &mut Found) {
    let top = &case.view.structure.top;
    if !matches!(top.kind, Kind::Multipart(_)) {
        return;
    }
    let Some(boundary) = top.content.media.params.get("boundary") else {
        return found.say(&rules::NO_BOUNDARY, "");
    };
    if is_synthetic(top) {
        return found.say(&rules::NO_BOUNDARY, String::from_utf8_lossy(boundary));
    }
    // The closing delimiter is near the end of what was sent; footers of lists may follow it.
    let body = &case.view.raw[top.body.clone()];
    let tail = &body[body.len().saturating_sub(16 * 1024)..];
    let closing = [b"--", boundary, b"--"].concat();
    if closing.len() < 1_100 && !holds(tail, &closing) {
        found.say(&rules::NOT_CLOSED, "");
    }
}

/// The part that the reader makes up when there is none.
fn is_synthetic(multipart: &Part) -> bool {
    matches!(multipart.children(), [only] if only.header.is_empty() && only.body == multipart.body && !only.body.is_empty())
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    let Some((&first, rest)) = needle.split_first() else { return true };
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|byte| *byte == first) {
        at += next + 1;
        if bytes[at..].starts_with(rest) {
            return true;
        }
    }
    false
}

fn alternatives(case: &Case<'_>, found: &mut Found) {
    let own = || case.view.texts.iter().filter(|text| !text.enclosed);
    let html: usize = own().filter(|text| text.from_html).map(|text| text.text.len()).sum();
    if !own().any(|text| text.from_html) {
        return;
    }
    let plain: usize = own().filter(|text| !text.from_html).map(|text| text.text.trim().len()).sum();
    if !own().any(|text| !text.from_html) {
        found.say(&rules::HTML_ALONE, "");
    } else if plain < 20 && html > 200 {
        found.say(&rules::EMPTY_TEXT, "");
    }
}
