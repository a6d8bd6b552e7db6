//! The name of what was found, from what a scanner prints. Pure.
//!
//! Scanners say it each in their way: `/tmp/x: Eicar FOUND`, `/tmp/x ... Found the EICAR test file !!!`,
//! `Infection: EICAR`. What none of these fits gives the last line that says something.

use proto::scan::NAME_CHARS_MAX;

/// Never empty; printable, one line, bounded. `file`: the path the scanner was given.
pub fn name(output: &[u8], file: Option<&str>) -> String {
    let text = String::from_utf8_lossy(output);
    let lines = || text.lines().map(str::trim).filter(|line| line.chars().any(char::is_alphanumeric));
    let found = lines().find_map(known).or_else(|| lines().next_back().map(str::to_owned));
    let found = found.map(|found| file.map_or(found.clone(), |file| found.replace(file, "")));
    let printable = |c: char| if c.is_control() { '?' } else { c };
    let name: String = found.unwrap_or_default().trim().chars().map(printable).take(NAME_CHARS_MAX).collect();
    if name.is_empty() { "without a name".to_owned() } else { name }
}

/// A line in one of the forms that are known.
fn known(line: &str) -> Option<String> {
    let name = if let Some(start) = line.strip_suffix(" FOUND") {
        start.rsplit_once(": ").map_or(start, |(_, name)| name)
    } else if let Some((_, name)) = line.split_once("Found the ") {
        name.trim_end_matches('!').trim_end()
    } else {
        let labels = ["Found virus: ", "Infection: ", "Threat: ", "threat=\"", "Virus: "];
        labels.iter().find_map(|label| Some(line.split_once(label)?.1))?.trim_end_matches('"')
    };
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_in_what_scanners_print() {
        let cases = [
            (
                "/tmp/m.eml: Win.Test.EICAR_HDB-1 FOUND\n\n--- SCAN SUMMARY ---\nInfected files: 1\n",
                "Win.Test.EICAR_HDB-1",
            ),
            ("stdin: Eicar-Signature FOUND\n", "Eicar-Signature"),
            ("/tmp/m.eml ... Found the EICAR test file NOT a virus. !!!\n", "EICAR test file NOT a virus."),
            ("Scanning\nInfection: EICAR_Test\ndone\n", "EICAR_Test"),
            ("banner\n/tmp/m.eml is bad\n***\n", "is bad"),
            ("", "without a name"),
            ("\u{1b}[31m\n", "?[31m"),
        ];
        for (output, expected) in cases {
            assert_eq!(name(output.as_bytes(), Some("/tmp/m.eml")), expected, "{output:?}");
        }
        assert_eq!(name(&[b'x'; 10_000], None).len(), NAME_CHARS_MAX);
        assert_eq!(name(b"\xff\xfe: bad \xff FOUND", None), "bad \u{fffd}");
    }
}
