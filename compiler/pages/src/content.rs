//! What a page holds, before anyone knows how it is drawn.

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The file's stem and the last part of its address: `restrictions`, `unknown-recipient`.
    pub name: String,
    pub title: String,
    /// One or two sentences that say what the page is for.
    pub lead: Text,
    pub section: Section,
    pub body: Vec<Block>,
}

/// Where a page stands in the table of contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    Start,
    Settings,
    Rules,
    /// The overview of refusals; the page of each reason hangs below it.
    Refusals,
    Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Heading(String),
    Paragraph(Text),
    /// A remark that must not be missed.
    Note(Text),
    List(Vec<Text>),
    /// Links to pages, each with what it is about.
    Links(Vec<(Span, Text)>),
    /// In this order.
    Steps(Vec<Text>),
    Table(Table),
}

/// A table with a heading for every column and every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub caption: String,
    /// The first one stands over the row headings.
    pub columns: Vec<String>,
    /// Each as wide as `columns`.
    pub rows: Vec<Row>,
    /// Below the table, each with its mark.
    pub footnotes: Vec<String>,
    /// Cells are figures, set to the right.
    pub figures: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub heading: Text,
    pub cells: Vec<Text>,
}

pub type Text = Vec<Span>;

/// A run of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    Words(String),
    Strong(String),
    /// Typed or read letter by letter: a host, an address, a login.
    Code(String),
    /// Keys pressed together.
    Keys(Vec<&'static str>),
    /// Menus and buttons to choose one after the other.
    Menu(Vec<&'static str>),
    /// Another page of this site.
    Link {
        page: String,
        words: String,
    },
    /// A web address; a link only when it begins with `https://` or `http://`.
    Web(String),
    Mail(String),
}

impl From<&str> for Span {
    fn from(words: &str) -> Span {
        Span::Words(words.to_owned())
    }
}

impl From<String> for Span {
    fn from(words: String) -> Span {
        Span::Words(words)
    }
}

/// Spans from strings and spans.
macro_rules! text {
    ($($span:expr),* $(,)?) => { vec![$($crate::content::Span::from($span)),*] };
}
pub(crate) use text;

pub(crate) fn code(text: impl Into<String>) -> Span {
    Span::Code(text.into())
}

pub(crate) fn strong(text: impl Into<String>) -> Span {
    Span::Strong(text.into())
}

pub(crate) fn link(page: &str, words: impl Into<String>) -> Span {
    Span::Link { page: page.to_owned(), words: words.into() }
}

pub(crate) fn mail(address: impl Into<String>) -> Span {
    Span::Mail(address.into())
}

pub(crate) fn menu<const N: usize>(path: [&'static str; N]) -> Span {
    Span::Menu(path.to_vec())
}

pub(crate) fn keys<const N: usize>(keys: [&'static str; N]) -> Span {
    Span::Keys(keys.to_vec())
}
