//! HTML as it looks: our own tokenizer, because what matters is what a person sees, and what was hidden from them.
//!
//! It follows the tokenizer of the WHATWG standard where spam depends on it: quotes in attributes hide brackets, what does not
//! end swallows the rest, scripts and styles are raw. Tree building is reduced to a stack of elements with what each hides.

mod attributes;
mod entity;
mod sheet;
mod style;
mod tokenizer;
mod visible;

pub use visible::read;

/// What the HTML parts of a message do. Counts saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HtmlTraits {
    pub parts: u32,
    /// Characters that are seen, without space.
    pub visible_chars: u32,
    /// Characters under `display: none`, `visibility: hidden`, no opacity, no size, or far outside the window.
    pub hidden_chars: u32,
    /// Characters in a font of less than 3 pixels, but more than nothing.
    pub tiny_chars: u32,
    /// Characters in (nearly) the colour of what they stand on.
    pub same_colour_chars: u32,
    /// Comments and empty elements between two letters: `Vi<!-- x -->agra`.
    pub split_words: u32,
    /// Letters written as numeric references without need: `&#86;`.
    pub letter_references: u32,
    pub comments: u32,
    pub comment_octets: u32,
    /// Comments that are prose, not the conditions that mail programs write.
    pub noise_comments: u32,
    /// Octets of style sheets that are none.
    pub style_noise: u32,
    pub tags: u32,
    /// Tags of elements that HTML never had: `<kjwqe>`.
    pub unknown_tags: u32,
    /// End tags of elements that were not open, and elements of the body left open that must be closed.
    pub unbalanced: u32,
    pub forms: u32,
    pub password_inputs: u32,
    pub inputs: u32,
    pub scripts: u32,
    pub event_handlers: u32,
    pub frames: u32,
    pub objects: u32,
    pub meta_refresh: u32,
    pub base_href: u32,
    pub images: u32,
    pub remote_images: u32,
    pub data_uris: u32,
    /// `data:` addresses that are documents or scripts.
    pub data_documents: u32,
    pub anchors: u32,
    pub tables: u32,
}

/// What was read of one HTML part.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub text: String,
    pub traits: HtmlTraits,
    pub links: Vec<super::Link>,
    /// More links than are kept.
    pub cut: bool,
}

impl HtmlTraits {
    /// Adds what another part does.
    pub fn add(&mut self, other: &HtmlTraits) {
        let pairs: [(&mut u32, u32); 28] = [
            (&mut self.parts, other.parts),
            (&mut self.visible_chars, other.visible_chars),
            (&mut self.hidden_chars, other.hidden_chars),
            (&mut self.tiny_chars, other.tiny_chars),
            (&mut self.same_colour_chars, other.same_colour_chars),
            (&mut self.split_words, other.split_words),
            (&mut self.letter_references, other.letter_references),
            (&mut self.comments, other.comments),
            (&mut self.comment_octets, other.comment_octets),
            (&mut self.noise_comments, other.noise_comments),
            (&mut self.style_noise, other.style_noise),
            (&mut self.tags, other.tags),
            (&mut self.unknown_tags, other.unknown_tags),
            (&mut self.unbalanced, other.unbalanced),
            (&mut self.forms, other.forms),
            (&mut self.password_inputs, other.password_inputs),
            (&mut self.inputs, other.inputs),
            (&mut self.scripts, other.scripts),
            (&mut self.event_handlers, other.event_handlers),
            (&mut self.frames, other.frames),
            (&mut self.objects, other.objects),
            (&mut self.meta_refresh, other.meta_refresh),
            (&mut self.base_href, other.base_href),
            (&mut self.images, other.images),
            (&mut self.remote_images, other.remote_images),
            (&mut self.data_uris, other.data_uris),
            (&mut self.data_documents, other.data_documents),
            (&mut self.anchors, other.anchors),
        ];
        for (sum, more) in pairs {
            *sum = sum.saturating_add(more);
        }
        self.tables = self.tables.saturating_add(other.tables);
    }
}
