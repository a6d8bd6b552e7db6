//! A strict reader of the pages' HTML: every tag closed in order, every attribute quoted, every character allowed.

use std::collections::BTreeMap;

/// Elements without an end.
const VOID: [&str; 1] = ["meta"];

/// A page taken apart.
#[derive(Debug, Default)]
pub struct Html {
    pub tables: Vec<Table>,
    /// Attribute values of every element, with its name.
    pub elements: Vec<(String, BTreeMap<String, String>)>,
    /// The text of `<style>`.
    pub style: String,
    /// All text between `<main>` and `</main>`, elements parted by a space.
    pub text: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub caption: String,
    /// The first stands over the row headings.
    pub columns: Vec<String>,
    /// Heading, then cells.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The cell under a column in the row with a heading.
    pub fn cell(&self, row: &str, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|it| it == column)?;
        self.rows.iter().find(|cells| cells[0] == row)?.get(at).map(String::as_str)
    }
}

impl Html {
    /// Reads a whole page, or says what is wrong with it.
    pub fn read(text: &str) -> Result<Html, String> {
        let mut rest = text.strip_prefix("<!DOCTYPE html>\n").ok_or("no doctype")?;
        let (mut html, mut open) = (Html::default(), Vec::<String>::new());
        while let Some(at) = rest.find('<') {
            html.words(&rest[..at], &open)?;
            let end = rest[at..].find('>').ok_or("a tag without an end")? + at;
            let tag = &rest[at + 1..end];
            rest = &rest[end + 1..];
            match tag.strip_prefix('/') {
                Some(name) => {
                    let last = open.pop().ok_or_else(|| format!("</{name}> closes nothing"))?;
                    if last != name {
                        return Err(format!("</{name}> where </{last}> was due"));
                    }
                }
                None => html.start(tag, &mut open)?,
            }
        }
        if !open.is_empty() || rest.trim() != "" {
            return Err(format!("not closed: {open:?}, {rest:?}"));
        }
        Ok(html)
    }

    fn start(&mut self, tag: &str, open: &mut Vec<String>) -> Result<(), String> {
        let (name, attributes) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return Err(format!("no element: <{tag}>"));
        }
        let table = || "a part of a table outside of one".to_owned();
        match name {
            "table" => self.tables.push(Table::default()),
            "tr" if open.iter().any(|it| it == "tbody") => self.tables.last_mut().ok_or_else(table)?.rows.push(vec![]),
            "th" | "td" => {
                let head = open.iter().any(|it| it == "thead");
                let table = self.tables.last_mut().ok_or_else(table)?;
                let cells =
                    if head { &mut table.columns } else { table.rows.last_mut().ok_or("a cell without a row")? };
                cells.push(String::new());
            }
            _ => {}
        }
        self.text.push(' ');
        self.elements.push((name.to_owned(), read_attributes(attributes)?));
        if !VOID.contains(&name) {
            open.push(name.to_owned());
        }
        Ok(())
    }

    fn words(&mut self, text: &str, open: &[String]) -> Result<(), String> {
        let inside = |name: &str| open.iter().any(|it| it == name);
        if inside("style") {
            self.style.push_str(text);
            return Ok(());
        }
        let text = resolved(text)?;
        if inside("main") {
            self.text.push_str(&text);
        }
        let Some(table) = self.tables.last_mut().filter(|_| inside("table")) else { return Ok(()) };
        if !(inside("caption") || inside("th") || inside("td")) {
            return if text.trim().is_empty() { Ok(()) } else { Err(format!("`{text}` between cells")) };
        }
        if inside("caption") {
            table.caption.push_str(&text);
        } else if inside("thead") {
            table.columns.last_mut().into_iter().for_each(|cell| cell.push_str(&text));
        } else if let Some(cell) = table.rows.last_mut().and_then(|row| row.last_mut()) {
            cell.push_str(&text);
        }
        Ok(())
    }
}

fn read_attributes(mut rest: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    while !rest.trim().is_empty() {
        let (name, after) = rest.trim_start().split_once("=\"").ok_or_else(|| format!("an attribute in `{rest}`"))?;
        let (value, after) = after.split_once('"').ok_or("a quote without an end")?;
        if !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
            return Err(format!("attribute `{name}`"));
        }
        if found.insert(name.to_owned(), resolved(value)?).is_some() {
            return Err(format!("attribute `{name}` twice"));
        }
        rest = after;
    }
    Ok(found)
}

/// Entities read, odd spaces and apostrophes made ordinary; a bare ampersand or bracket is an error.
fn resolved(text: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['&', '>']) {
        plain.push_str(&rest[..at]);
        let entities = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&#39;", '\'')];
        let entity = entities.into_iter().find(|(entity, _)| rest[at..].starts_with(entity));
        let (entity, letter) = entity.ok_or_else(|| format!("a bare `{}`", &rest[at..=at]))?;
        plain.push(letter);
        rest = &rest[at + entity.len()..];
    }
    plain.push_str(rest);
    if plain.chars().any(|c| c.is_control() && c != '\n') {
        return Err("a control character".to_owned());
    }
    Ok(ordinary(&plain))
}

/// Typography undone: what a person would type.
pub fn ordinary(text: &str) -> String {
    text.replace(['\u{a0}', '\u{202f}'], " ").replace('’', "'")
}

/// The tables of a Markdown page, without their dress. Captions are not in Markdown.
pub fn markdown_tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let Some(line) = line.strip_prefix('|') else {
            inside = false;
            continue;
        };
        let cells: Vec<String> = cells(line).iter().map(|cell| undressed(cell.trim())).collect();
        match (inside, tables.last_mut()) {
            (true, Some(_)) if line.starts_with("---|") => {}
            (true, Some(table)) => table.rows.push(cells),
            (false, _) | (true, None) => tables.push(Table { columns: cells, ..Table::default() }),
        }
        inside = true;
    }
    tables
}

/// Parted at bars that are not escaped.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut escaped) = (vec![String::new()], false);
    for letter in line.trim_end().trim_end_matches('|').chars() {
        match letter {
            '|' if !escaped => cells.push(String::new()),
            letter => cells.last_mut().into_iter().for_each(|cell| cell.push(letter)),
        }
        escaped = letter == '\\' && !escaped;
    }
    cells
}

/// Bold, code, links and escapes taken off.
fn undressed(cell: &str) -> String {
    let mut plain = String::new();
    let mut letters = cell.chars().peekable();
    let mut code = false;
    while let Some(letter) = letters.next() {
        match letter {
            '`' => code = !code,
            '\\' if code && letters.peek() != Some(&'|') => plain.push('\\'),
            '\\' => plain.extend(letters.next()),
            letter if code => plain.push(letter),
            '*' | '[' | '<' | '>' => {}
            ']' => {
                // The address of a link.
                for skipped in letters.by_ref() {
                    if skipped == ')' {
                        break;
                    }
                }
            }
            letter => plain.push(letter),
        }
    }
    ordinary(&plain)
}

#[test]
fn mistakes_in_a_page_are_found() {
    let page = |body: &str| Html::read(&format!("<!DOCTYPE html>\n{body}"));
    for bad in
        ["<p>", "</p>", "<p><b></p></b>", "<p class=a></p>", "<p>a & b</p>", "<P></P>", "<p id=\"a\" id=\"b\"></p>"]
    {
        assert!(page(bad).is_err(), "{bad}");
    }
    assert!(page("<p id=\"a\">a &amp; b</p>\n").is_ok());
    assert!(Html::read("<p></p>").is_err());
}

#[test]
fn tables_of_both_kinds_are_read_alike() {
    let html = "<!DOCTYPE html>\n<table><caption>c</caption><thead><tr><th>x</th><th>y</th></tr></thead>\
                <tbody><tr><th>r</th><td>1\u{a0}<code>a|b</code></td></tr></tbody></table>";
    let read = Html::read(html).expect("it is well formed").tables;
    assert_eq!(read[0].cell("r", "y"), Some("1 a|b"));
    let mut markdown = markdown_tables("| x | y |\n|---|---|\n| **r** | 1 `a\\|b` |\n");
    markdown[0].caption = "c".into();
    assert_eq!(read, markdown);
}
