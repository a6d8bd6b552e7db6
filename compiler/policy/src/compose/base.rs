//! From an overlay to the policy it is about: `base: "nantes"` is a name and not a path, looked for beside the overlay.

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::syntax::{Document, Spanned};

use super::layer::Layer;
use super::{NotRead, Reader, folder};

/// How many overlays may stand on one another.
pub(super) const LAYERS_MAX: usize = 16;

/// The policy at the bottom, and the overlays above it, the entry first. No policy if a base could not be had; that has
/// been reported.
pub(super) fn chain(reader: &mut Reader<'_>, entry: Document) -> (Option<Document>, Vec<Layer>) {
    let mut layers: Vec<Layer> = Vec::new();
    let mut document = entry;
    while document.name().is_some_and(|(name, _)| name == "Overlay") {
        let layer = Layer::of(reader, document);
        let base = layer.base.clone();
        layers.push(layer);
        let Some(base) = base else { return (None, layers) };
        match find(reader, &base, &layers) {
            Some(found) => document = found,
            None => return (None, layers),
        }
    }
    (Some(document), layers)
}

fn find(reader: &mut Reader<'_>, base: &Spanned<String>, layers: &[Layer]) -> Option<Document> {
    if !is_name(&base.value) {
        let message = format!("expected the name of a policy, found a path: `{base}`");
        let found =
            Diagnostic::new(Code::E0104, message).help("for example `nantes`, for nantes.ron or nantes/policy.ron");
        reader.report(found.at(base.span, ""));
        return None;
    }
    let overlay = layers.last().map_or("", |layer| &layer.file_name).to_owned();
    for name in candidates(folder(&overlay), &base.value) {
        if layers.iter().any(|layer| layer.file_name == name) {
            circle(reader, base, layers, &name);
            return None;
        }
        if layers.len() > LAYERS_MAX {
            return refuse(reader, base, &format!("at most {LAYERS_MAX} overlays stand on one another"));
        }
        match reader.read(&name) {
            Ok(found) => return Some(found),
            Err(NotRead::Missing) => {}
            Err(NotRead::Unreadable(why)) => return refuse(reader, base, &format!("{name} cannot be read: {why}")),
            Err(NotRead::TooMany | NotRead::TooLong) => {
                return refuse(reader, base, &format!("with {name} the policy is too large"));
            }
        }
    }
    let looked = candidates(folder(&overlay), &base.value).join(", ");
    refuse(reader, base, &format!("looked for {looked}"))
}

/// Where a base may stand, seen from the folder of the overlay.
fn candidates(folder: &str, base: &str) -> Vec<String> {
    let last = folder.trim_end_matches('/').rsplit('/').next().unwrap_or("");
    let mut names = vec![format!("{folder}{base}.ron")];
    if last == base {
        names.push(format!("{folder}policy.ron"));
    }
    names.push(format!("{folder}{base}/policy.ron"));
    names.push(format!("{folder}../{base}/policy.ron"));
    // The folder has no name here: it may be the one that is meant.
    if matches!(last, "" | "." | "..") {
        names.push(format!("{folder}policy.ron"));
    }
    names
}

fn is_name(base: &str) -> bool {
    let sound = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !base.is_empty() && base.len() <= 64 && !base.starts_with('.') && base.chars().all(sound)
}

/// E0101: there is no such policy.
fn refuse(reader: &mut Reader<'_>, base: &Spanned<String>, help: &str) -> Option<Document> {
    let found = Diagnostic::new(Code::E0101, format!("unknown base \"{base}\""));
    reader.report(found.help(help).at(base.span, "").rule("base"));
    None
}

/// E0102 for overlays that stand on one another.
fn circle(reader: &mut Reader<'_>, base: &Spanned<String>, layers: &[Layer], name: &str) {
    let first = layers.iter().position(|layer| layer.file_name == name).unwrap_or(0);
    let mut circle: Vec<&str> = layers[first..].iter().map(|layer| layer.file_name.as_str()).collect();
    circle.push(name);
    let found = Diagnostic::new(Code::E0102, format!("base cycle: {}", circle.join(" → ")))
        .help("the last of them must stand on a policy")
        .at(base.span, "");
    reader.report(found);
}
