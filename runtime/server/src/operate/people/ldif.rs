//! People as LDIF (RFC 2849): entries of a directory, one after the other, with blank lines between.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::wanted::{BadLine, Field, WantedPerson};
use super::{FILE_OCTETS_MAX, PEOPLE_MAX};

const LINES_OF_ENTRY_MAX: usize = 1_000;
const VALUE_OCTETS_MAX: usize = 4_096;

/// Reads a file. Entries that are no people, without `sn`, are passed over, and so are attributes we do not know.
///
/// # Errors
/// The first line that cannot be read.
pub fn read(text: &str) -> Result<Vec<WantedPerson>, BadLine> {
    let bad = |line: u32, what: &str| BadLine { line, what: what.to_owned() };
    if text.len() > FILE_OCTETS_MAX {
        return Err(BadLine { line: 1, what: format!("a file has at most {} MiB", FILE_OCTETS_MAX >> 20) });
    }
    let mut people = Vec::new();
    let mut entry: Vec<(u32, String)> = Vec::new();
    let numbered = (1u32..).zip(text.strip_prefix('\u{feff}').unwrap_or(text).lines());
    let mut in_comment = false;
    for (number, line) in numbered.chain([(u32::MAX, "")]) {
        if let Some(folded) = line.strip_prefix(' ') {
            match entry.last_mut() {
                _ if in_comment => {}
                Some((_, before)) if before.len() + folded.len() <= 2 * VALUE_OCTETS_MAX => before.push_str(folded),
                Some(_) => return Err(bad(number, "a value is too long")),
                None => return Err(bad(number, "a line that goes on begins no entry")),
            }
            continue;
        }
        in_comment = line.starts_with('#');
        if in_comment {
            continue;
        }
        if !line.is_empty() {
            if entry.len() == LINES_OF_ENTRY_MAX || line.len() > 2 * VALUE_OCTETS_MAX {
                return Err(bad(number, "an entry has too many lines, or one that is too long"));
            }
            entry.push((number, line.to_owned()));
            continue;
        }
        if let Some(person) = person(&entry)? {
            if people.len() == PEOPLE_MAX {
                return Err(BadLine { line: person.line, what: format!("a file has at most {PEOPLE_MAX} people") });
            }
            people.push(person);
        }
        entry.clear();
    }
    Ok(people)
}

/// `None` for an entry that is nobody.
fn person(lines: &[(u32, String)]) -> Result<Option<WantedPerson>, BadLine> {
    let Some((first, _)) = lines.first() else { return Ok(None) };
    let mut person = WantedPerson { line: *first, ..WantedPerson::default() };
    for (number, line) in lines {
        let bad = |what: String| BadLine { line: *number, what };
        let (name, value) = value(line).map_err(|what| bad(what.to_owned()))?;
        if name.eq_ignore_ascii_case("changetype") && !value.eq_ignore_ascii_case("add") {
            return Err(bad(format!("a change of kind {value}: only whole entries are read")));
        }
        // Options such as a language stand behind a semicolon.
        let name = name.split(';').next().unwrap_or_default();
        let named = |(.., known): &&(Field, &str, &str)| name.eq_ignore_ascii_case(known);
        let Some((field, ..)) = Field::ALL.iter().find(named) else { continue };
        // Of several values the first counts, but for those that are a list.
        if field.list(&person).is_some() || field.of(&person).is_empty() {
            field.set(&mut person, &value).map_err(bad)?;
        }
    }
    Ok((!person.last.is_empty()).then_some(person))
}

/// The name of the attribute and its value.
fn value(line: &str) -> Result<(&str, String), &'static str> {
    let (name, rest) = line.split_once(':').ok_or("a line without a colon")?;
    if let Some(encoded) = rest.strip_prefix(':') {
        let octets = STANDARD.decode(encoded.trim()).map_err(|_| "a value that is no base64")?;
        // Pictures and certificates are no text; nothing of ours is in them.
        return Ok((name, String::from_utf8(octets).unwrap_or_default()));
    }
    if rest.starts_with('<') {
        return Err("a value in another file is not fetched");
    }
    Ok((name, rest.trim_start_matches(' ').to_owned()))
}

/// A file that [`read`] reads back, without passwords.
#[must_use]
pub fn write(people: &[WantedPerson]) -> String {
    let mut text = "version: 1\n".to_owned();
    for person in people {
        let login = person.login.as_deref().unwrap_or("unknown");
        text.push_str(&format!("\ndn: uid={login},ou=people\nobjectClass: inetOrgPerson\n"));
        line(&mut text, "cn", format!("{} {}", person.first, person.last).trim());
        for (field, _, name) in Field::written() {
            if let Some(list) = field.list(person) {
                list.iter().for_each(|one| line(&mut text, name, one));
                continue;
            }
            let value = field.of(person);
            if !value.is_empty() {
                line(&mut text, name, &value);
            }
        }
    }
    text
}

/// A value that is no SAFE-STRING goes as base64; long lines are folded.
fn line(text: &mut String, name: &str, value: &str) {
    let safe = value.bytes().all(|b| (0x20..0x7f).contains(&b))
        && !value.starts_with([' ', ':', '<'])
        && !value.ends_with(' ');
    let line = if safe { format!("{name}: {value}") } else { format!("{name}:: {}", STANDARD.encode(value)) };
    for (n, part) in line.as_bytes().chunks(75).enumerate() {
        text.push_str(if n == 0 { "" } else { " " });
        text.push_str(&String::from_utf8_lossy(part));
        text.push('\n');
    }
}

/// Law: what was read is read back from what is written of it.
pub fn fuzz_people_ldif(octets: &[u8]) {
    let Ok(people) = read(&String::from_utf8_lossy(octets)) else { return };
    super::wanted::assert_reads_back(people, |people| read(&write(people)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_of_people_are_read_and_others_passed_over() {
        let text = "version: 1\n# people\n of ours\n\ndn: ou=people\nobjectClass: organizationalUnit\n\n\
            dn: uid=x\nentryUUID: 0f2c\nSN;lang-fr:: w4lsb8Ovc2U=\ngivenName: Anne-\n Laure\nmail: a@example.org\n\
            mail: b@example.org\nmailLocalAddress: c@example.org\nmailLocalAddress: d\njpegPhoto:: /9j/\n";
        let people = read(text).unwrap();
        let [one] = &people[..] else { panic!("{people:?}") };
        assert_eq!((one.line, one.id.as_str(), one.last.as_str()), (8, "0f2c", "Éloïse"));
        assert_eq!((one.first.as_str(), one.address.as_deref()), ("Anne-Laure", Some("a@example.org")));
        assert_eq!(one.former, ["c@example.org", "d"]);
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_line() {
        let cases = [
            ("dn: x\nsn\n", 2, "colon"),
            ("dn: x\nsn:: %\n", 2, "base64"),
            ("dn: x\nsn:< file:///etc/passwd\n", 2, "another file"),
            ("dn: x\nchangetype: delete\n", 2, "whole entries"),
            (" goes on\n", 1, "begins no entry"),
            ("dn: x\nsn: a\nmailQuota: much\n", 3, "no quota"),
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
            let _ = read(&format!("dn: x\nsn: y\n{text}"));
        }

        #[test]
        fn what_is_written_is_read_back(names in prop::collection::vec("[\\PC&&[^\\s]]([\\PC]{0,90}[\\PC&&[^\\s]])?", 1..5)) {
            let person = |(n, last): (usize, &String)| WantedPerson {
                line: 0, last: last.clone(), id: format!("id-{n}"), until: Some("2027-08-31".to_owned()),
                quota_octets: Some(n as u64), former: vec!["a@b".to_owned(), "c".to_owned()], ..WantedPerson::default()
            };
            let people: Vec<WantedPerson> = names.iter().enumerate().map(person).collect();
            let mut read = read(&write(&people)).unwrap();
            read.iter_mut().for_each(|person| person.line = 0);
            prop_assert_eq!(read, people);
        }
    }
}
