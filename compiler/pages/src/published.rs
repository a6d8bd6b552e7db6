//! Reads a page that was published back: its plan, its tables by row and column heading, its other text.
//!
//! It reads what `html` writes; of another file it makes what it can, without trusting anything in it. One pass,
//! bounded by the text.

/// What stands on a published page, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A heading, paragraph, list item, caption or footnote.
    Text(String),
    Cell {
        table: String,
        row: String,
        column: String,
        text: String,
    },
}

/// A page as it was published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Short hash of the plan it was made from; empty when the page does not say.
    pub plan_hash: String,
    /// The content between `<main>` and `</main>`.
    pub items: Vec<Item>,
}

#[derive(Default)]
struct Reading {
    published: Published,
    inside: bool,
    /// Text since the last element began.
    text: String,
    caption: String,
    columns: Vec<String>,
    row: Vec<String>,
}

impl Published {
    pub fn read(html: &str) -> Published {
        let mut reading = Reading::default();
        let mut rest = html;
        while let Some(open) = rest.find('<') {
            reading.text.push_str(&rest[..open]);
            let Some(close) = rest[open..].find('>') else { break };
            reading.tag(&rest[open + 1..open + close]);
            rest = &rest[open + close + 1..];
        }
        reading.published
    }
}

impl Reading {
    fn tag(&mut self, tag: &str) {
        let name = tag.split([' ', '\n', '\t']).next().unwrap_or_default();
        match name {
            "meta" if tag.contains("name=\"facteur-plan\"") => self.published.plan_hash = attribute(tag, "content"),
            "main" => {
                self.inside = true;
                self.text.clear();
            }
            "/main" => self.inside = false,
            _ if !self.inside => {}
            "table" => {
                self.caption.clear();
                self.columns.clear();
            }
            "tr" => self.row.clear(),
            "h1" | "h2" | "p" | "li" | "caption" | "th" | "td" => self.end_of_text(),
            "/h1" | "/h2" | "/p" | "/li" => self.end_of_text(),
            "/caption" => {
                self.caption = plain(&self.text);
                self.end_of_text();
            }
            "/th" | "/td" => {
                self.row.push(plain(&self.text));
                self.text.clear();
            }
            "/thead" => self.columns = std::mem::take(&mut self.row),
            "/tr" if !self.columns.is_empty() => self.end_of_row(),
            _ => {}
        }
    }

    fn end_of_text(&mut self) {
        let text = plain(&self.text);
        if !text.is_empty() {
            self.published.items.push(Item::Text(text));
        }
        self.text.clear();
    }

    fn end_of_row(&mut self) {
        let mut row = std::mem::take(&mut self.row).into_iter();
        let heading = row.next().unwrap_or_default();
        for (column, text) in self.columns.iter().skip(1).zip(row) {
            let (table, row, column) = (self.caption.clone(), heading.clone(), column.clone());
            self.published.items.push(Item::Cell { table, row, column, text });
        }
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let value = tag.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
    value.map(|(value, _)| plain(value)).unwrap_or_default()
}

/// Text as read: entities resolved, white space of every kind one space.
fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("’", "'"), ("&amp;", "&")];
    entities.into_iter().fold(text, |text, (entity, letter)| text.replace(entity, letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_by_their_headings() {
        let html = "<meta name=\"facteur-plan\" content=\"q7k3m2xw\"><p>no</p><main><h1>A&amp;B</h1><table><caption>C\
                    </caption><thead><tr><th>x</th><th>y</th></tr></thead><tbody><tr><th>r</th><td>1\u{a0}Mo</td></tr>\
                    </tbody></table></main>";
        let read = Published::read(html);
        assert_eq!(read.plan_hash, "q7k3m2xw");
        let cell = Item::Cell { table: "C".into(), row: "r".into(), column: "y".into(), text: "1 Mo".into() };
        assert_eq!(read.items, [Item::Text("A&B".into()), Item::Text("C".into()), cell]);
    }

    #[test]
    fn strange_files_are_read_to_their_end() {
        for html in ["", "<", "<main", "<main><td></tr></td></thead></tr>", "a<b>c<", "<main><table></table></main>"] {
            Published::read(html);
        }
        assert_eq!(Published::read("<p>nothing of ours</p>"), Published::default());
    }
}
