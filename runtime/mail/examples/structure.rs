//! Prints what IMAP announces of each message of a folder, for `tests/clients/mime_compare.py`.
//!
//! For each file, in order of name: `message NAME`, then `envelope N`, `bodystructure N` and `body N`, each followed by N
//! octets and a line end, then for each part that exists `part NUMBER START-END…`, offsets into the file.

use std::io::{Error, Write};
use std::path::PathBuf;

use mail::mime::{SectionKind, Structure, summarize};

fn main() -> Result<(), Error> {
    let folder = std::env::args().nth(1).ok_or_else(|| Error::other("usage: structure FOLDER"))?;
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.sort();
    let mut out = std::io::stdout().lock();
    for file in files {
        let raw = std::fs::read(&file)?;
        writeln!(out, "message {}", file.file_name().unwrap_or_default().to_string_lossy())?;
        let parsed = summarize(&raw);
        let announced = [
            ("envelope", &parsed.envelope_imap),
            ("bodystructure", &parsed.bodystructure_imap),
            ("body", &parsed.body_imap),
        ];
        for (word, octets) in announced {
            writeln!(out, "{word} {}", octets.len())?;
            out.write_all(octets)?;
            writeln!(out)?;
        }
        print_parts(&raw, &Structure::parse(&raw), &mut Vec::new(), &mut out)?;
    }
    Ok(())
}

/// Asks for 1, 2, 3… below these numbers until there is no such part: by the sections alone, not by the tree.
fn print_parts(raw: &[u8], structure: &Structure, numbers: &mut Vec<u32>, out: &mut impl Write) -> Result<(), Error> {
    for number in 1.. {
        numbers.push(number);
        let ranges = structure.section(raw, numbers, &SectionKind::All);
        if let Some(ranges) = &ranges {
            let words: Vec<String> = numbers.iter().map(u32::to_string).collect();
            write!(out, "part {}", words.join("."))?;
            for range in ranges {
                write!(out, " {}-{}", range.start, range.end)?;
            }
            writeln!(out)?;
            print_parts(raw, structure, numbers, out)?;
        }
        numbers.pop();
        if ranges.is_none() {
            break;
        }
    }
    Ok(())
}
