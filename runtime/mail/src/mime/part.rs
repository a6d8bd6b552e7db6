//! The parts of a message, as offsets into it.

use std::ops::Range;

use super::{Content, Envelope};

/// A whole message. Ranges count octets from the beginning of the raw message and lie within it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Structure {
    pub envelope: Envelope,
    /// The message itself: its header is the message header.
    pub top: Part,
}

/// A MIME entity: a message or a body part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// With the blank line, if there is one.
    pub header: Range<usize>,
    /// Without the line end that belongs to the delimiter behind the part (RFC 2046 5.1.1).
    pub body: Range<usize>,
    /// Line ends in the body.
    pub lines: u32,
    pub content: Content,
    pub kind: Kind,
}

/// What is inside a part. It agrees with `content.media`: a multipart type is always `Multipart`, message/rfc822 and
/// message/global are always `Message`, everything else is `Leaf`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Leaf,
    /// Never empty.
    Multipart(Vec<Part>),
    Message(Box<Structure>),
}

impl Part {
    pub fn children(&self) -> &[Part] {
        match &self.kind {
            Kind::Leaf => &[],
            Kind::Multipart(parts) => parts,
            Kind::Message(message) => std::slice::from_ref(&message.top),
        }
    }

    /// The parts that hold no other parts, in the order of the message.
    pub fn leaves(&self) -> Leaves<'_> {
        Leaves { waiting: vec![self] }
    }
}

impl Structure {
    /// The leaves of the whole message, those of enclosed messages included.
    pub fn leaves(&self) -> Leaves<'_> {
        self.top.leaves()
    }
}

/// The iterator behind [`Part::leaves`].
pub struct Leaves<'a> {
    waiting: Vec<&'a Part>,
}

impl<'a> Iterator for Leaves<'a> {
    type Item = &'a Part;

    fn next(&mut self) -> Option<&'a Part> {
        loop {
            let part = self.waiting.pop()?;
            if matches!(part.kind, Kind::Leaf) {
                return Some(part);
            }
            self.waiting.extend(part.children().iter().rev());
        }
    }
}
