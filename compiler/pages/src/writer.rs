//! Builds the body of a page: every sentence is given in both languages, side by side, and the page takes its own.

use plan::Language;

use crate::content::{Block, Page, Row, Section, Span, Table, Text};
use crate::words::pick;

pub struct Writer {
    language: Language,
    body: Vec<Block>,
}

/// What stands at the head of a page.
pub struct Head {
    pub name: &'static str,
    pub section: Section,
    pub title: (&'static str, &'static str),
}

impl Writer {
    pub fn new(language: Language) -> Writer {
        Writer { language, body: Vec::new() }
    }

    pub fn heading(&mut self, french: &str, english: &str) {
        self.body.push(Block::Heading(pick(self.language, french, english).to_owned()));
    }

    pub fn paragraph(&mut self, french: Text, english: Text) {
        self.body.push(Block::Paragraph(pick(self.language, french, english)));
    }

    pub fn note(&mut self, french: Text, english: Text) {
        self.body.push(Block::Note(pick(self.language, french, english)));
    }

    pub fn list(&mut self, french: Vec<Text>, english: Vec<Text>) {
        self.body.push(Block::List(pick(self.language, french, english)));
    }

    pub fn steps(&mut self, french: Vec<Text>, english: Vec<Text>) {
        self.body.push(Block::Steps(pick(self.language, french, english)));
    }

    pub fn items(&mut self, items: Vec<Text>) {
        self.body.push(Block::List(items));
    }

    pub fn links(&mut self, links: Vec<(Span, Text)>) {
        self.body.push(Block::Links(links));
    }

    pub fn table(&mut self, table: Table) {
        self.body.push(Block::Table(table));
    }

    /// A table of text with these columns.
    pub fn grid<const N: usize>(
        &mut self,
        caption: (&str, &str),
        columns: ([&str; N], [&str; N]),
        rows: Vec<(Text, Vec<Text>)>,
    ) {
        let columns = pick(self.language, columns.0, columns.1);
        let rows = rows.into_iter().map(|(heading, cells)| Row { heading, cells });
        self.table(Table {
            caption: pick(self.language, caption.0, caption.1).to_owned(),
            columns: columns.map(str::to_owned).to_vec(),
            rows: rows.collect(),
            footnotes: Vec::new(),
            figures: false,
        });
    }

    pub fn page(self, head: Head, lead_french: Text, lead_english: Text) -> Page {
        Page {
            name: head.name.to_owned(),
            title: pick(self.language, head.title.0, head.title.1).to_owned(),
            lead: pick(self.language, lead_french, lead_english),
            section: head.section,
            body: self.body,
        }
    }
}
