//! The way back, for whoever compares what a person reports with what was delivered.

use super::{ORIGINAL, value_start};
use crate::header;

/// The content of a stored message as it came in, in pieces: without the lines this server put in front of it, its tag taken
/// off. Nothing is copied.
///
/// Our lines end with the first Received field; the Subject we kept stands among them. On submissions the Date and
/// Message-ID that were added behind it (RFC 6409 8) stay, and a content that begins with space has lost its first line to our
/// Received. `None` where there is no Received field.
pub fn as_it_came(stored: &[u8]) -> Option<[&[u8]; 3]> {
    let ours = header::find(stored, "received")?.lines.end;
    let (front, content) = stored.split_at(ours);
    let original = header::find(front, ORIGINAL);
    let subject = header::find(content, "subject");
    let (Some(original), Some(subject)) = (original, subject) else { return Some([content, b"", b""]) };
    let start = value_start(content, &subject);
    let end = start + subject.raw_value().len();
    Some([&content[..start], original.raw_value(), &content[end..]])
}
