//! People as CSV (RFC 4180): a first line with the names of the columns, then one person a line. Semicolons instead of commas
//! are what spreadsheets of some countries write; the first line says which.

use super::wanted::{BadLine, Field, WantedPerson};
use super::{FILE_OCTETS_MAX, PEOPLE_MAX};

const COLUMNS_MAX: usize = 64;
const FIELD_OCTETS_MAX: usize = 4_096;

/// Reads a file.
///
/// # Errors
/// The first line that cannot be read; a person who cannot be is for the directory to say.
pub fn read(text: &str) -> Result<Vec<WantedPerson>, BadLine> {
    let bad = |line: u32, what: String| BadLine { line, what };
    if text.len() > FILE_OCTETS_MAX {
        return Err(bad(1, format!("a file has at most {} MiB", FILE_OCTETS_MAX >> 20)));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let separator = if first.matches(';').count() > first.matches(',').count() { ';' } else { ',' };
    let mut rows = Rows { rest: text, separator, line: 1 };
    let Some((_, header)) = rows.next().transpose()? else {
        return Err(bad(1, "the names of the columns are missing".to_owned()));
    };
    let columns = columns(&header)?;
    let mut people = Vec::new();
    for row in rows {
        let (line, fields) = row?;
        if fields.iter().all(String::is_empty) {
            continue;
        }
        if fields.len() != columns.len() {
            return Err(bad(line, format!("{} fields where there are {} columns", fields.len(), columns.len())));
        }
        if people.len() == PEOPLE_MAX {
            return Err(bad(line, format!("a file has at most {PEOPLE_MAX} people")));
        }
        let mut person = WantedPerson { line, ..WantedPerson::default() };
        for (column, text) in columns.iter().zip(&fields) {
            column.set(&mut person, text).map_err(|what| bad(line, what))?;
        }
        people.push(person);
    }
    Ok(people)
}

fn columns(header: &[String]) -> Result<Vec<Field>, BadLine> {
    let known = || Field::ALL.map(|(_, name, _)| name).join(", ");
    let mut columns = Vec::new();
    for name in header {
        let named = |(_, known, _): &&(Field, &str, &str)| name.trim().eq_ignore_ascii_case(known);
        let Some((column, ..)) = Field::ALL.iter().find(named) else {
            return Err(BadLine { line: 1, what: format!("unknown column {name:?}; there are {}", known()) });
        };
        if columns.contains(column) {
            return Err(BadLine { line: 1, what: format!("column {name:?} is there twice") });
        }
        columns.push(*column);
    }
    match columns.contains(&Field::Last) {
        true => Ok(columns),
        false => Err(BadLine { line: 1, what: "column \"last\" is missing: every person has a last name".to_owned() }),
    }
}

/// Records with the line each begins on.
struct Rows<'t> {
    rest: &'t str,
    separator: char,
    line: u32,
}

impl Iterator for Rows<'_> {
    type Item = Result<(u32, Vec<String>), BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let line = self.line;
        let row = self.row().map(|fields| (line, fields));
        if row.is_err() {
            self.rest = "";
        }
        Some(row)
    }
}

impl Rows<'_> {
    fn row(&mut self) -> Result<Vec<String>, BadLine> {
        let mut fields = Vec::new();
        loop {
            let field = self.field()?;
            if field.len() > FIELD_OCTETS_MAX || fields.len() == COLUMNS_MAX {
                return Err(self.bad("a field is too long, or a line has too many"));
            }
            fields.push(field);
            if let Some(rest) = self.rest.strip_prefix(self.separator) {
                self.rest = rest;
                continue;
            }
            self.rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
            self.rest = self.rest.strip_prefix('\n').unwrap_or(self.rest);
            self.line = self.line.saturating_add(1);
            return Ok(fields);
        }
    }

    /// Up to a separator or the end of its line, which stay.
    fn field(&mut self) -> Result<String, BadLine> {
        let Some(mut rest) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([self.separator, '\r', '\n']).unwrap_or(self.rest.len());
            let (field, rest) = self.rest.split_at(end);
            if field.contains('"') {
                return Err(self.bad("a quotation mark in the midst of a field: quote all of it"));
            }
            self.rest = rest;
            return Ok(field.to_owned());
        };
        let mut field = String::new();
        loop {
            let Some(end) = rest.find('"') else {
                return Err(self.bad("a quotation mark is never closed"));
            };
            field.push_str(&rest[..end]);
            if field.len() > FIELD_OCTETS_MAX {
                return Err(self.bad("a field is too long"));
            }
            rest = &rest[end + 1..];
            match rest.strip_prefix('"') {
                Some(more) => {
                    field.push('"');
                    rest = more;
                }
                None => break,
            }
        }
        self.line = self.line.saturating_add(u32::try_from(field.matches('\n').count()).unwrap_or(u32::MAX));
        self.rest = rest;
        if !rest.is_empty() && !rest.starts_with([self.separator, '\r', '\n']) {
            return Err(self.bad("something follows the quotation mark that ends a field"));
        }
        Ok(field)
    }

    fn bad(&self, what: &str) -> BadLine {
        BadLine { line: self.line, what: what.to_owned() }
    }
}

/// A file that [`read`] reads back, without passwords.
#[must_use]
pub fn write(people: &[WantedPerson]) -> String {
    let mut text = Field::written().map(|(_, name, _)| name).collect::<Vec<_>>().join(",");
    text.push_str("\r\n");
    for person in people {
        let fields: Vec<String> = Field::written().map(|(field, ..)| quoted(&field.of(person))).collect();
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    text
}

fn quoted(text: &str) -> String {
    let plain = !text.contains(['"', ',', ';', '\r', '\n']);
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// Law: what was read is read back from what is written of it.
pub fn fuzz_people_csv(octets: &[u8]) {
    let Ok(people) = read(&String::from_utf8_lossy(octets)) else { return };
    super::wanted::assert_reads_back(people, |people| read(&write(people)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_spreadsheet_is_read_whatever_its_separator() {
        for separator in [",", ";"] {
            let text = "\u{feff}Last,first,former,quota\r\n\"Le \"\"Gall\"\"\",Anne-Laure,a.legall,2 GiB\r\n\r\nToto,Jean,,\r\n";
            let people = read(&text.replace(',', separator)).unwrap();
            let [one, two] = &people[..] else { panic!("{people:?}") };
            assert_eq!((one.line, one.last.as_str(), one.first.as_str()), (2, "Le \"Gall\"", "Anne-Laure"));
            assert_eq!((one.quota_octets, &one.former[..]), (Some(2 << 30), &["a.legall".to_owned()][..]));
            assert_eq!((two.line, two.last.as_str(), two.quota_octets), (4, "Toto", None));
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_line() {
        let cases = [
            ("", 1, "columns"),
            ("first\nJean\n", 1, "last"),
            ("last,surname\n", 1, "unknown column"),
            ("last,last\n", 1, "twice"),
            ("last,first\nToto\n", 2, "1 fields where there are 2"),
            ("last,first\nToto,Jean\n\"Toto,Jean\n", 3, "never closed"),
            ("last,first\n\"To\nto\",Jean\nx\"y,z\n", 4, "quotation mark"),
            ("last,quota\nToto,much\n", 2, "no quota"),
            ("last,quota\nToto,99999999999 TiB\n", 2, "no quota"),
        ];
        for (text, line, what) in cases {
            let bad = read(text).unwrap_err();
            assert!(bad.line == line && bad.what.contains(what), "{text:?}: {bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in any::<String>()) {
            let _ = read(&text);
            let _ = read(&format!("last,first\n{text}"));
        }

        #[test]
        fn what_is_written_is_read_back(names in prop::collection::vec("[\\PC&&[^\\s]]([\\PC\n\"]{0,9}[\\PC&&[^\\s]])?", 1..5)) {
            let person = |(n, last): (usize, &String)| WantedPerson {
                line: 0, last: last.clone(), id: format!("id-{n}"), until: Some("2027-08-31".to_owned()),
                quota_octets: Some(n as u64), former: vec!["a@b".to_owned(), "c".to_owned()],
                aliases: vec!["d@b".to_owned()], functions: vec!["e".to_owned(), "f@b".to_owned()], ..WantedPerson::default()
            };
            let people: Vec<WantedPerson> = names.iter().enumerate().map(person).collect();
            let mut read = read(&write(&people)).unwrap();
            read.iter_mut().for_each(|person| person.line = 0);
            prop_assert_eq!(read, people);
        }
    }
}
