//! One message of the quarantine, so that looking at it does nothing: header, structure, hashes and the beginning of its text,
//! cleaned. Its octets go to a file only, on the record.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use decide::roles;
use mail::mime::{Kind, Part, transfer};
use serde::{Deserialize, Serialize};
use spam::view::View;
use store::{Kept, Quarantined};

use super::{InQuarantine, kept, listed, safe, with_seal};
use crate::marks::sha256;
use crate::operate::{Context, OperateError, Operation, Progress, Subject, manager, place};
use crate::sealed::{self, Opening};

/// Octets of a header, characters of a text, parts and hosts that are shown.
const HEADER_OCTETS_MAX: usize = 16 * 1024;
const TEXT_CHARS_MAX: usize = 4_000;
const PARTS_MAX: usize = 100;
const HOSTS_MAX: usize = 50;

/// `POST /quarantine/show`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuarantineShow {
    pub id: String,
    /// Write the message as it came into this file, which is not there yet.
    pub raw_to: Option<PathBuf>,
    /// The manager; needed for `raw_to`.
    pub by: Option<String>,
}

/// What is shown has no control characters and no marks of direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineShown {
    pub message: InQuarantine,
    /// SHA-256 of the message with our trace fields.
    pub sha256: String,
    pub header: String,
    pub parts: Vec<ShownPart>,
    /// What a person would read, cut.
    pub text: String,
    /// Where links lead to.
    pub hosts: Vec<String>,
    /// Something was cut.
    pub cut: bool,
    /// The file that has the message now.
    pub written: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownPart {
    /// How deep it lies, 0 for the message itself.
    pub depth: usize,
    pub media: String,
    pub file_name: String,
    /// As it stands in the message.
    pub octets: usize,
    /// Of the decoded octets of a leaf.
    pub sha256: String,
}

impl Operation for QuarantineShow {
    type Response = QuarantineShown;
    const PATH: &'static str = "/quarantine/show";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::SeeQuarantine
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<QuarantineShown, OperateError> {
        let kept = kept(context, &self.id, &Kept::ALL)?;
        let decider = manager::decider(context, &self, self.by.as_deref())?;
        let mut written = None;
        if let Some(path) = &self.raw_to {
            crate::roles::must(context, roles::Act::OperateMachine, Subject::Nobody)?;
            if self.by.is_none() {
                return Err(OperateError::BadRequest { why: "say which manager wants its octets".to_owned() });
            }
            let path = place::outside(context, path)?;
            let what = format!("wrote {} of the quarantine to {}", kept.id, path.display());
            context.store.commit_wait(vec![decider.audited(&what)])?;
            write(context, &kept, &path)?;
            written = Some(path);
        } else {
            context.store.commit_wait(vec![decider.audited(&format!("looked at {} in quarantine", kept.id))])?;
        }
        let whole = with_seal(context, |seal| {
            sealed::whole(&context.store, seal, kept.id, &kept.body)
                .map_err(|error| OperateError::Store { why: error.to_string() })
        })?;
        Ok(QuarantineShown { written, ..shown(&kept, &whole) })
    }
}

fn shown(kept: &Quarantined, whole: &[u8]) -> QuarantineShown {
    let view = View::read(whole);
    let end = whole.windows(4).position(|window| window == b"\r\n\r\n").map_or(whole.len(), |at| at + 2);
    let header = String::from_utf8_lossy(&whole[..end.min(HEADER_OCTETS_MAX)]).into_owned();
    let parts = parts(whole, &view.structure.top);
    let all = view.texts.iter().map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n");
    let text: String = all.chars().take(TEXT_CHARS_MAX).collect();
    let hosts = view.url_hosts();
    QuarantineShown {
        message: listed(kept, usize::MAX),
        sha256: sha256(whole),
        header: safe::lines(&header),
        cut: end > HEADER_OCTETS_MAX || text.len() < all.len() || hosts.len() > HOSTS_MAX || view.cut,
        parts,
        text: safe::lines(&text),
        hosts: hosts.into_iter().take(HOSTS_MAX).map(safe::line).collect(),
        written: None,
    }
}

/// The parts in the order of the message.
fn parts(whole: &[u8], top: &Part) -> Vec<ShownPart> {
    let (mut waiting, mut shown) = (vec![(0, top)], Vec::new());
    while let Some((depth, part)) = waiting.pop() {
        if shown.len() == PARTS_MAX {
            break;
        }
        let media = &part.content.media;
        let body = whole.get(part.body.clone()).unwrap_or_default();
        let hash = |body| sha256(&transfer::decode(&part.content.transfer_encoding, body));
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        shown.push(ShownPart {
            depth,
            media: safe::line(&format!("{}/{}", text(&media.main), text(&media.sub))),
            file_name: safe::line(&part.content.file_name().unwrap_or_default()),
            octets: body.len(),
            sha256: if matches!(part.kind, Kind::Leaf) { hash(body) } else { String::new() },
        });
        waiting.extend(part.children().iter().rev().map(|child| (depth + 1, child)));
    }
    shown
}

/// The octets as they were before they were sealed, readable by the owner of this process alone.
fn write(context: &Context, kept: &Quarantined, path: &Path) -> Result<(), OperateError> {
    with_seal(context, |seal| {
        let trouble = |error: &dyn std::fmt::Display| OperateError::Store { why: error.to_string() };
        let mut opening = Opening::of(&context.store, seal, kept.id, &kept.body).map_err(|error| trouble(&error))?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = file.map_err(|error| OperateError::file(path, error))?;
        while let Some(piece) = opening.next_piece().map_err(|error| trouble(&error))? {
            context.go_on()?;
            file.write_all(&piece).map_err(|error| OperateError::file(path, error))?;
        }
        file.sync_all().map_err(|error| OperateError::file(path, error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_with_the_hash_of_what_they_hold() {
        let message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
            Content-Type: application/x-ms\x1bdos; name=\"a\x1b[2J.exe\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--b--\r\n";
        let view = View::read(message);
        let shown = parts(message, &view.structure.top);
        let media: Vec<_> = shown.iter().map(|part| (part.depth, part.media.as_str())).collect();
        assert_eq!((media.len(), media[0]), (3, (0, "multipart/mixed")));
        assert!(shown.iter().all(|part| !part.media.contains('\x1b') && !part.file_name.contains('\x1b')), "{shown:?}");
        assert_eq!(shown[2].sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((shown[0].sha256.as_str(), shown[1].depth), ("", 1));
    }
}
