//! From tokens to what is seen.

use super::attributes::attributes;
use super::sheet::Hiding;
use super::style::{Colour, Look, alike, colour};
use super::tokenizer::{Token, tokens};
use super::{HtmlTraits, Page, entity};
use crate::view::bounds::{HREF_OCTETS_MAX, HTML_DEPTH_MAX, LINK_TEXT_OCTETS_MAX};
use crate::view::link::{Link, LinkFrom, Scheme};
use crate::view::script::is_unseen;

/// Text in a smaller font is not read by anybody, in tenths of a pixel.
const TINY_FONT: u32 = 30;
const USUAL_FONT: u32 = 160;
/// A comment of so many words is noise.
const NOISE_WORDS_MIN: usize = 8;

/// Reads one HTML part that is already text; keeps at most `links_max` links.
pub fn read(html: &str, links_max: usize) -> Page {
    let mut reader = Reader {
        page: Page { traits: HtmlTraits { parts: 1, ..HtmlTraits::default() }, ..Page::default() },
        links_max,
        stack: Vec::new(),
        shade: Shade { hidden: false, font: USUAL_FONT, colour: None, ground: Some([255; 3]) },
        anchor: None,
        space: Gap::None,
        behind_letter: false,
        markup_since: false,
        sheet: false,
        hiding: Hiding::default(),
    };
    for token in tokens(html) {
        reader.token(token);
    }
    let left_open = reader.stack.iter().filter(|it| must_be_closed(it.name)).count();
    bump(&mut reader.page.traits.unbalanced, left_open);
    reader.page
}

/// What the open elements together do to text.
#[derive(Clone, Copy)]
struct Shade {
    hidden: bool,
    font: u32,
    colour: Option<Colour>,
    /// `None` when it cannot be known: a picture, or a class of a style sheet.
    ground: Option<Colour>,
}

struct Element {
    name: Name,
    before: Shade,
}

/// The first eight letters of a name, small, in one number.
type Name = u64;

#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Gap {
    None,
    Space,
    Line,
}

struct Reader {
    page: Page,
    links_max: usize,
    stack: Vec<Element>,
    shade: Shade,
    /// The link whose text is being read.
    anchor: Option<usize>,
    space: Gap,
    /// The last thing shown was a letter, and whether markup that shows nothing came since.
    behind_letter: bool,
    markup_since: bool,
    /// There is a style sheet, so that classes may colour.
    sheet: bool,
    hiding: Hiding,
}

fn bump(count: &mut u32, by: usize) {
    *count = count.saturating_add(u32::try_from(by).unwrap_or(u32::MAX));
}

const fn name(text: &str) -> Name {
    let bytes = text.as_bytes();
    let mut packed = 0u64;
    let mut at = 0;
    while at < bytes.len() && at < 8 {
        packed = packed << 8 | bytes[at].to_ascii_lowercase() as u64;
        at += 1;
    }
    packed
}

impl Reader {
    fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Text(text) => self.text(text),
            Token::Start { name: written, attributes } => self.start(written, attributes),
            Token::End { name: written } => self.end(name(written), written),
            Token::Comment(text) => self.comment(text),
            Token::Bogus => self.markup_since = true,
            Token::Raw { name: of, text } => {
                let style = of.eq_ignore_ascii_case("style");
                let rules = text.contains(['{', '@']);
                self.sheet |= style && rules;
                if style {
                    self.hiding.read(text);
                }
                let noise = if style && !rules { text.trim().len() } else { 0 };
                bump(&mut self.page.traits.style_noise, noise);
            }
        }
    }

    fn comment(&mut self, text: &str) {
        let traits = &mut self.page.traits;
        bump(&mut traits.comments, 1);
        bump(&mut traits.comment_octets, text.len());
        let condition = text.trim_start().starts_with('[') || text.contains(['{', '<']);
        let prose = !condition && text.split_ascii_whitespace().take(NOISE_WORDS_MIN).count() == NOISE_WORDS_MIN;
        bump(&mut traits.noise_comments, usize::from(prose));
        self.markup_since = true;
    }

    fn start(&mut self, written: &str, attributes_text: &str) {
        let tag = name(written);
        bump(&mut self.page.traits.tags, 1);
        if !USUAL.contains(&tag) && is_unknown(written) {
            bump(&mut self.page.traits.unknown_tags, 1);
            self.markup_since = true;
        }
        if is_block(tag) {
            self.space = self.space.max(Gap::Line);
        } else if tag == name("td") || tag == name("th") {
            self.space = self.space.max(Gap::Space);
        }
        let before = self.shade;
        let seen = self.attributes(tag, attributes_text);
        self.count(tag, &seen);
        if is_void(tag) || attributes_text.ends_with('/') && tag != name("a") {
            self.shade = before;
            return;
        }
        if tag == name("p") && self.stack.last().is_some_and(|top| top.name == tag) {
            self.stack.pop();
        }
        if self.stack.len() < HTML_DEPTH_MAX {
            self.stack.push(Element { name: tag, before });
        } else {
            // Nobody sees what is so deep differently from what is around it.
            self.shade = before;
        }
    }

    fn end(&mut self, tag: Name, written: &str) {
        if is_block(tag) {
            self.space = self.space.max(Gap::Line);
        }
        if !USUAL.contains(&tag) && is_unknown(written) {
            bump(&mut self.page.traits.unknown_tags, 1);
            self.markup_since = true;
        }
        if tag == name("a") {
            self.anchor = None;
        }
        match self.stack.iter().rposition(|open| open.name == tag) {
            Some(at) => {
                self.shade = self.stack[at].before;
                self.stack.truncate(at);
            }
            None if is_void(tag) || tag == name("p") => {}
            None => bump(&mut self.page.traits.unbalanced, 1),
        }
    }

    /// Reads the attributes, and changes the shade by them.
    fn attributes(&mut self, tag: Name, text: &str) -> Seen {
        let mut seen = Seen::default();
        let mut look = Look::default();
        let mut unknown_ground = false;
        for (key, value) in attributes(text) {
            let is = |other: &str| key.eq_ignore_ascii_case(other);
            if is("style") {
                let value = entity::decoded(value);
                look.declare(&value);
                unknown_ground |= value.contains("url(") || value.contains("gradient");
            } else if is("href") || is("src") || is("action") || is("background") || is("data") {
                let end = value.len().min(4 * HREF_OCTETS_MAX);
                let end = (0..=end).rev().find(|at| value.is_char_boundary(*at)).unwrap_or(0);
                seen.address = Some(entity::decoded(&value[..end]).into_owned());
                unknown_ground |= is("background");
            } else if is("color") || is("text") && tag == name("body") {
                look.colour = colour(value).or(look.colour);
            } else if is("bgcolor") {
                look.background = colour(value).or(look.background);
            } else if is("size") && tag == name("font") {
                // Sizes 1 to 7; browsers show 1 as 10 pixels.
                look.font = look.font.or(value.trim().parse().ok().map(|size: u32| 80 + 20 * size.min(7)));
            } else if is("hidden") {
                look.hidden = true;
            } else if is("class") || is("id") {
                unknown_ground |= self.sheet;
                let mark = if is("class") { '.' } else { '#' };
                look.hidden |= !self.hiding.is_empty() && self.hiding.hides(mark, value);
            } else if is("type") {
                seen.kind = value.to_ascii_lowercase();
            } else if is("http-equiv") {
                seen.refresh = value.eq_ignore_ascii_case("refresh");
            } else if is("content") {
                seen.content = entity::decoded(value).into_owned();
            } else if key.len() > 3 && key.as_bytes()[..2].eq_ignore_ascii_case(b"on") {
                bump(&mut self.page.traits.event_handlers, 1);
            }
        }
        self.shade.hidden |= look.hidden;
        self.shade.font = look.font.unwrap_or(self.shade.font);
        self.shade.colour = look.colour.or(self.shade.colour);
        self.shade.ground = if unknown_ground { None } else { look.background.or(self.shade.ground) };
        seen
    }

    fn count(&mut self, tag: Name, seen: &Seen) {
        let traits = &mut self.page.traits;
        let address = seen.address.as_deref().unwrap_or_default();
        let data = address.trim_start().get(..5).is_some_and(|start| start.eq_ignore_ascii_case("data:"));
        bump(&mut traits.data_uris, usize::from(data));
        if data && tag != name("img") {
            bump(&mut traits.data_documents, 1);
        }
        match tag {
            A => bump(&mut traits.anchors, 1),
            FORM => bump(&mut traits.forms, 1),
            INPUT => {
                bump(&mut traits.inputs, 1);
                bump(&mut traits.password_inputs, usize::from(seen.kind == "password"));
            }
            IMG => bump(&mut traits.images, 1),
            SCRIPT => bump(&mut traits.scripts, 1),
            IFRAME | FRAME => bump(&mut traits.frames, 1),
            OBJECT | EMBED | APPLET => bump(&mut traits.objects, 1),
            BASE => bump(&mut traits.base_href, 1),
            TABLE => bump(&mut traits.tables, 1),
            META if seen.refresh => bump(&mut traits.meta_refresh, 1),
            _ => {}
        }
        self.link(tag, seen, data);
    }

    fn link(&mut self, tag: Name, seen: &Seen, data: bool) {
        let from = match tag {
            A => LinkFrom::Anchor,
            AREA => LinkFrom::Area,
            FORM => LinkFrom::Form,
            META if seen.refresh => LinkFrom::Refresh,
            BASE | LINK | META => return,
            _ => LinkFrom::Image,
        };
        if from == LinkFrom::Anchor {
            self.anchor = None;
        } else if tag == IMG
            && let Some(anchor) = self.anchor
        {
            self.page.links[anchor].holds_image = true;
        }
        let address = match from {
            LinkFrom::Refresh => refresh_target(&seen.content),
            _ => seen.address.as_deref(),
        };
        let Some(address) = address else { return };
        if data && from == LinkFrom::Image {
            return;
        }
        if self.page.links.len() >= self.links_max {
            self.page.cut = true;
            return;
        }
        let link = Link::read(from, address);
        let remote = from == LinkFrom::Image && link.scheme == Scheme::Web;
        bump(&mut self.page.traits.remote_images, usize::from(remote));
        if from == LinkFrom::Anchor {
            self.anchor = Some(self.page.links.len());
        }
        self.page.links.push(link);
    }

    fn text(&mut self, text: &str) {
        let mut rest = text;
        let mut first = true;
        while let Some(c) = rest.chars().next() {
            let (c, length, reference) = match c {
                '&' => entity::reference(rest).map_or(('&', 1, false), |(c, length)| (c, length, true)),
                _ => (c, c.len_utf8(), false),
            };
            rest = &rest[length..];
            if reference && c.is_ascii_alphanumeric() {
                bump(&mut self.page.traits.letter_references, 1);
            }
            if first && self.markup_since && self.behind_letter && c.is_alphabetic() && !self.shade.hidden {
                bump(&mut self.page.traits.split_words, 1);
            }
            first = false;
            self.markup_since = false;
            self.character(c);
        }
    }

    fn character(&mut self, c: char) {
        if c.is_whitespace() {
            self.space = self.space.max(Gap::Space);
            self.behind_letter = false;
            return;
        }
        let shade = self.shade;
        let traits = &mut self.page.traits;
        if shade.hidden || shade.font == 0 {
            // What pads the preview line of a mailbox is no text.
            bump(&mut traits.hidden_chars, usize::from(!is_unseen(c)));
            return;
        }
        if shade.font < TINY_FONT {
            bump(&mut traits.tiny_chars, 1);
            return;
        }
        if let (Some(ink), Some(ground)) = (shade.colour, shade.ground)
            && alike(ink, ground)
        {
            bump(&mut traits.same_colour_chars, 1);
        }
        bump(&mut traits.visible_chars, 1);
        let space = match self.space {
            Gap::None => "",
            Gap::Space => " ",
            Gap::Line => "\n",
        };
        if !self.page.text.is_empty() {
            self.page.text.push_str(space);
        }
        self.page.text.push(c);
        if let Some(anchor) = self.anchor {
            let shown = &mut self.page.links[anchor].text;
            if shown.len() < LINK_TEXT_OCTETS_MAX {
                if !shown.is_empty() && self.space != Gap::None {
                    shown.push(' ');
                }
                shown.push(c);
            }
        }
        self.space = Gap::None;
        self.behind_letter = c.is_alphabetic();
    }
}

/// What of a start tag is of interest.
#[derive(Default)]
struct Seen {
    address: Option<String>,
    kind: String,
    refresh: bool,
    content: String,
}

/// `0; url=https://…`
fn refresh_target(content: &str) -> Option<&str> {
    let (_, rest) = content.split_once([';', ','])?;
    let rest = rest.trim_start();
    let rest = if rest.len() >= 3 && rest.as_bytes()[..3].eq_ignore_ascii_case(b"url") { &rest[3..] } else { rest };
    Some(rest.trim_start().trim_start_matches('=').trim().trim_matches(['"', '\'']))
}

const A: Name = name("a");
const AREA: Name = name("area");
const APPLET: Name = name("applet");
const BASE: Name = name("base");
const EMBED: Name = name("embed");
const FORM: Name = name("form");
const FRAME: Name = name("frame");
const IFRAME: Name = name("iframe");
const IMG: Name = name("img");
const INPUT: Name = name("input");
const LINK: Name = name("link");
const META: Name = name("meta");
const OBJECT: Name = name("object");
const SCRIPT: Name = name("script");
const TABLE: Name = name("table");

/// What need not be looked up among all elements.
const USUAL: [Name; 18] = [
    A,
    name("p"),
    name("br"),
    name("b"),
    name("i"),
    name("td"),
    name("tr"),
    name("div"),
    name("span"),
    TABLE,
    IMG,
    name("font"),
    name("strong"),
    name("li"),
    name("ul"),
    name("tbody"),
    name("html"),
    name("body"),
];

const VOID: [Name; 14] = [
    name("br"),
    IMG,
    INPUT,
    META,
    LINK,
    name("hr"),
    AREA,
    BASE,
    name("col"),
    EMBED,
    name("source"),
    name("wbr"),
    name("track"),
    name("param"),
];

const BLOCK: [Name; 27] = [
    name("p"),
    name("div"),
    name("br"),
    name("tr"),
    name("li"),
    name("h1"),
    name("h2"),
    name("h3"),
    name("h4"),
    name("h5"),
    name("h6"),
    TABLE,
    name("ul"),
    name("ol"),
    name("hr"),
    name("blockquote"),
    name("pre"),
    name("center"),
    name("dl"),
    name("dd"),
    name("dt"),
    FORM,
    name("section"),
    name("article"),
    name("header"),
    name("footer"),
    name("body"),
];

const CLOSED: [Name; 9] =
    [A, TABLE, name("div"), name("span"), name("font"), name("b"), name("center"), FORM, name("strong")];

fn is_void(tag: Name) -> bool {
    VOID.contains(&tag)
}

fn is_block(tag: Name) -> bool {
    BLOCK.contains(&tag)
}

fn must_be_closed(tag: Name) -> bool {
    CLOSED.contains(&tag)
}

/// Every element of HTML, current and of the past, as mail programs write it.
const KNOWN: &str = " a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink \
    blockquote body br button canvas caption center cite code col colgroup content data datalist dd del details dfn \
    dialog dir div dl dt element em embed fieldset figcaption figure font footer form frame frameset g h1 h2 h3 h4 h5 \
    h6 head header hgroup hr html i iframe ilayer image img input ins isindex kbd keygen label layer legend li line \
    link listing main map mark marquee math menu menuitem meta meter multicol nav nobr noembed noframes nolayer \
    noscript o object ol optgroup option output p param path picture plaintext pre progress q rb rp rt rtc ruby s samp \
    script search section select server shadow slot small source spacer span strike strong style sub summary sup svg \
    table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xml xmp rect circle \
    polygon text defs use mj-raw quote smarttagtype ";

/// An element that never existed. Names with marks in them are namespaces, addresses in brackets and the like.
fn is_unknown(written: &str) -> bool {
    let mut small = [0u8; 18];
    let bytes = written.as_bytes();
    if !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    if bytes.len() > 16 {
        return true;
    }
    small[0] = b' ';
    small[1..=bytes.len()].copy_from_slice(bytes);
    small[..=bytes.len()].make_ascii_lowercase();
    small[bytes.len() + 1] = b' ';
    let Ok(key) = std::str::from_utf8(&small[..bytes.len() + 2]) else { return false };
    !KNOWN.contains(key)
}
