//! Files that harm, or that are not what they are called.

use super::found::{Case, Found};
use super::rules;
use crate::view::{Attachment, FileKind, file_kind};

pub(super) fn judge(case: &Case<'_>, found: &mut Found) {
    for file in case.view.attachments.iter().filter(|file| !file.enclosed) {
        let name = file.name.as_deref().unwrap_or_default();
        name_tricks(name, found);
        kind(file, name, found);
        if disagrees(file) {
            found.say(&rules::OTHER_TYPE, format!("{name} is {:?}", file.by_content));
        }
        if let Some(zip) = &file.zip {
            if zip.encrypted {
                found.say(&rules::LOCKED_ZIP, name);
            }
            for inside in &zip.names {
                name_tricks(inside, found);
                if matches!(file_kind(inside), FileKind::Executable | FileKind::DiscImage) && !is_of_page(inside) {
                    found.say(&rules::PROGRAM_IN_ZIP, inside);
                }
            }
        }
    }
}

/// Scripts in archives of pages and sources are nothing unusual when they lie in folders.
fn is_of_page(inside: &str) -> bool {
    inside.contains('/') && (inside.ends_with(".js") || inside.ends_with(".bat") || inside.ends_with(".url"))
}

fn kind(file: &Attachment<'_>, name: &str, found: &mut Found) {
    let either = |kind: FileKind| file.by_name == kind || file.by_content == kind;
    if either(FileKind::Executable) {
        found.say(&rules::PROGRAM, name);
    }
    if crate::view::extension(name) == "url" {
        found.weigh(&rules::PROGRAM, rules::PROGRAM.thousandths / 2, name);
    }
    if file.by_name == FileKind::DiscImage {
        found.say(&rules::DISC_IMAGE, name);
    }
    if file.has_macros || either(FileKind::MacroOffice) {
        found.say(&rules::MACROS, name);
    }
    let whole_page = file.by_name == FileKind::Html || file.media == "text/html" && file.name.is_some();
    if whole_page && !file.inline {
        found.say(&rules::HTML_FILE, name);
    }
    if (either(FileKind::Svg) || file.media == "image/svg+xml") && !file.inline {
        found.say(&rules::SVG_FILE, name);
    }
}

fn name_tricks(name: &str, found: &mut Found) {
    if name.contains(['\u{202e}', '\u{202d}', '\u{2066}', '\u{2067}']) {
        found.say(&rules::TURNED_NAME, name);
    }
    let (stem, _) = name.rsplit_once('.').unwrap_or((name, ""));
    let harms = matches!(file_kind(name), FileKind::Executable | FileKind::Html | FileKind::Svg);
    let before = file_kind(stem.trim_end());
    let promised =
        matches!(before, FileKind::Pdf | FileKind::Office | FileKind::Picture | FileKind::Text | FileKind::Media);
    if harms && stem.contains('.') && promised {
        found.say(&rules::DOUBLE_ENDING, name);
    }
}

/// The name says one thing, the content another, and it matters.
fn disagrees(file: &Attachment<'_>) -> bool {
    use FileKind::{Archive, Executable, Html, MacroOffice, Office, Pdf, Picture, Svg, Text, Zip};
    matches!(
        (file.by_name, file.by_content),
        (Pdf, Html | Svg | Zip | Executable | Archive | Office | MacroOffice)
            | (Picture, Html | Zip | Executable | Archive | Office | Pdf)
            | (Office, Html | Executable | Archive | Svg)
            | (Text, Executable)
            | (Zip, Executable | Html)
    )
}
