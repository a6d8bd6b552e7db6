//! How a spam pass reads a message: what a person would see of it, and what was done so that they see something else.
//!
//! Any octets give a view. Reading is linear in the message, and what is kept is bounded by [`bounds`], whatever comes:
//! attachments are decoded only when asked, archives are never inflated, text behind the bounds is not read
//! ([`View::cut`] says so).

mod attachment;
pub mod bounds;
pub mod host;
mod html;
mod link;
mod mailbox;
mod plain;
mod reader;
mod script;
pub(crate) mod zip;

use mail::header::Field;
use mail::mime::Structure;

pub use attachment::{Attachment, FileKind, by_name as file_kind, extension};
pub use html::HtmlTraits;
pub use link::{Link, LinkFrom, Scheme};
pub use mailbox::Mailbox;
pub use script::{ScriptTraits, is_unseen, mixes_scripts, skeleton};
pub use zip::ZipNames;

/// A message as the passes see it.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The whole message as received.
    pub raw: &'a [u8],
    pub structure: Structure,
    /// The fields of the message's own header in order, at most [`bounds::FIELDS_MAX`].
    pub fields: Vec<Field<'a>>,
    /// The decoded Subject; `None` without that field.
    pub subject: Option<String>,
    pub from: Vec<Mailbox>,
    pub reply_to: Vec<Mailbox>,
    pub sender: Vec<Mailbox>,
    /// Of To and Cc.
    pub to: Vec<Mailbox>,
    /// The leaves in order, at most [`bounds::PARTS_MAX`].
    pub parts: Vec<PartSeen>,
    /// What a person can read: plain text parts, and HTML parts as they look, all in UTF-8.
    pub texts: Vec<Text>,
    /// Links of HTML and addresses in plain text, at most [`bounds::LINKS_MAX`].
    pub links: Vec<Link>,
    /// Over all HTML parts that belong to the message itself.
    pub html: HtmlTraits,
    /// Over the visible text of the message itself, Subject and display names.
    pub script: ScriptTraits,
    pub attachments: Vec<Attachment<'a>>,
    /// Something lay behind a bound and was not read.
    pub cut: bool,
}

/// What a leaf says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSeen {
    /// `text/html`, lower case.
    pub media: String,
    /// As declared, lower case.
    pub charset: Option<String>,
    /// Lower case; `7bit` when nothing was said.
    pub encoding: String,
    pub file_name: Option<String>,
    pub attached: bool,
    /// Inside an enclosed message.
    pub enclosed: bool,
    /// Where its body stands in the message.
    pub body: std::ops::Range<usize>,
    /// Octets above 127 in the body as it stands, counted in its first [`bounds::TEXT_OCTETS_MAX`] when it is text.
    pub high_octets: usize,
}

/// Text that a person can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub from_html: bool,
    /// Inside an enclosed message: somebody else's words, perhaps forwarded to ask about them.
    pub enclosed: bool,
    /// Index into [`View::parts`].
    pub part: usize,
    /// Decoded. Of HTML what is visible, one space for runs of space, blocks on lines of their own.
    pub text: String,
}

impl<'a> View<'a> {
    /// Reads a message. Never fails.
    pub fn read(message: &'a [u8]) -> View<'a> {
        reader::read(message)
    }

    /// The distinct hosts that links lead to, lower-case A-labels or IP addresses, sorted.
    pub fn url_hosts(&self) -> Vec<&str> {
        let mut hosts: Vec<&str> = self.links.iter().filter_map(|link| link.host.as_deref()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    /// The parts that are files, or that a program would offer to save.
    pub fn attachments(&self) -> &[Attachment<'a>] {
        &self.attachments
    }

    /// The first field of that name.
    pub fn field(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// How many fields have that name.
    pub fn count(&self, name: &str) -> usize {
        self.fields.iter().filter(|field| field.is(name)).count()
    }

    /// The texts of the message itself, or those of enclosed messages when it has none of its own.
    pub fn own_texts(&self) -> impl Iterator<Item = &Text> {
        let any_own = self.texts.iter().any(|text| !text.enclosed);
        self.texts.iter().filter(move |text| !text.enclosed || !any_own)
    }

    /// The same of links.
    pub fn own_links(&self) -> impl Iterator<Item = &Link> {
        let any_own = self.texts.iter().any(|text| !text.enclosed);
        self.links.iter().filter(move |link| !link.enclosed || !any_own)
    }
}
