//! Draws a page as Markdown (CommonMark with the tables of GFM): for wikis, mail and eyes.

use crate::content::{Block, Page, Span, Table};
use crate::html::made_from;
use crate::site::Site;
use crate::typography::spaced;

pub fn draw(site: &Site, page: &Page) -> String {
    let draw = Draw { site };
    let mut parts = vec![format!("# {}", draw.words(&page.title)), draw.spans(&page.lead)];
    parts.extend(page.body.iter().map(|block| draw.block(block)));
    parts.push(draw.words(&made_from(site)));
    let mut text = parts.join("\n\n");
    text.push('\n');
    text
}

struct Draw<'a> {
    site: &'a Site,
}

impl Draw<'_> {
    fn words(&self, text: &str) -> String {
        escaped(&spaced(self.site.language, text))
    }

    fn block(&self, block: &Block) -> String {
        match block {
            Block::Heading(words) => format!("## {}", self.words(words)),
            Block::Paragraph(text) => self.spans(text),
            Block::Note(text) => format!("> {}", self.spans(text)),
            Block::List(items) => {
                let items: Vec<String> = items.iter().map(|item| format!("- {}", self.spans(item))).collect();
                items.join("\n")
            }
            Block::Links(links) => {
                let items = links.iter().map(|(link, about)| format!("- {} – {}", self.span(link), self.spans(about)));
                items.collect::<Vec<_>>().join("\n")
            }
            Block::Steps(items) => {
                let numbered = items.iter().zip(1..).map(|(item, number)| format!("{number}. {}", self.spans(item)));
                numbered.collect::<Vec<_>>().join("\n")
            }
            Block::Table(table) => self.table(table),
        }
    }

    fn table(&self, table: &Table) -> String {
        let mut grid: Vec<Vec<String>> = Vec::new();
        for row in &table.rows {
            let cells = [&row.heading].into_iter().chain(&row.cells);
            grid.push(cells.map(|cell| self.spans(cell)).collect());
        }
        let width = |column: usize| {
            grid.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
        let heads: Vec<String> = table.columns.iter().map(|column| self.words(column)).collect();
        let mut lines = vec![format!("| {} |", heads.join(" | ")), format!("|{}", "---|".repeat(heads.len()))];
        for row in grid {
            let cells = row.iter().zip(&widths).enumerate();
            let set: Vec<String> =
                cells.map(|(at, (cell, &width))| padded(cell, width, table.figures && at > 0)).collect();
            lines.push(format!("| {} |", set.join(" | ")));
        }
        if !table.footnotes.is_empty() {
            lines.push(String::new());
        }
        lines.extend(table.footnotes.iter().map(|footnote| self.words(footnote)));
        lines.join("\n")
    }

    fn spans(&self, text: &[Span]) -> String {
        text.iter().map(|span| self.span(span)).collect()
    }

    fn span(&self, span: &Span) -> String {
        match span {
            Span::Words(words) => self.words(words),
            Span::Strong(words) => format!("**{}**", self.words(words)),
            Span::Code(text) => quoted(text),
            Span::Keys(keys) => {
                keys.iter().map(|key| format!("**{}**", self.words(key))).collect::<Vec<_>>().join(" + ")
            }
            Span::Menu(path) => {
                let path: Vec<String> = path.iter().map(|step| self.words(step)).collect();
                format!("**{}**", path.join(" › "))
            }
            Span::Link { page, words } => format!("[{}]({page}.md)", self.words(words)),
            Span::Web(address) | Span::Mail(address) if bare(address) => format!("<{address}>"),
            Span::Web(address) | Span::Mail(address) => quoted(address),
        }
    }
}

/// May stand between angle brackets.
fn bare(address: &str) -> bool {
    address.chars().all(|c| c.is_alphanumeric() || ".-_~:/?#@!$&'+,;=%".contains(c))
}

/// A code span; longer fences around text that holds backticks.
fn quoted(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let text = text.replace('|', "\\|");
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("{fence}{text}{fence}") } else { format!("{fence} {text} {fence}") }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if "\\`*_[]<>|#".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// Figures to the right, a dash in the middle, words to the left.
fn padded(cell: &str, width: usize, figure: bool) -> String {
    let missing = width.saturating_sub(cell.chars().count());
    let before = match (figure, cell) {
        (false, _) => 0,
        (true, "—") => missing / 2,
        (true, _) => missing,
    };
    format!("{}{cell}{}", " ".repeat(before), " ".repeat(missing - before))
}
