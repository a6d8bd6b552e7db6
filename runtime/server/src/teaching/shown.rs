//! Text of strangers on a manager's screen: it must not move the cursor, turn the line around or look like our own words.

/// The first `most` characters on one line, without controls, between isolates (Unicode UAX 9) where it could turn the line.
pub fn line(text: &str, most: usize) -> String {
    let one = plain(text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }), most);
    isolated(one.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

/// The same with its line ends, each line by itself.
pub fn text(text: &str, most: usize) -> String {
    let all = plain(text.replace("\r\n", "\n").chars(), most);
    all.lines().map(|line| isolated(line.trim_end().to_owned())).collect::<Vec<_>>().join("\n")
}

fn plain(chars: impl Iterator<Item = char>, most: usize) -> String {
    let mut kept = String::new();
    let mut left = most;
    for c in chars {
        let c = if c.is_whitespace() && c != '\n' { ' ' } else { c };
        if c != '\n' && (c.is_control() || spam::view::is_unseen(c)) {
            continue;
        }
        if left == 0 {
            kept.push('…');
            break;
        }
        kept.push(c);
        left -= 1;
    }
    kept
}

/// Letters of Hebrew, Arabic and their like run the other way.
fn isolated(line: String) -> String {
    let other_way = |c: char| matches!(c, '\u{0590}'..='\u{08ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}');
    if line.chars().any(other_way) { format!("\u{2068}{line}\u{2069}") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_write_stays_on_its_line_and_runs_the_way_of_the_page() {
        let cases = [
            ("plain", "plain", 5),
            ("two\r\n  lines\tand \u{1b}[31mcolours\u{7}", "two lines and [31mcolours", 40),
            ("exe.\u{202e}fdp.doc\u{202c}", "exe.fdp.doc", 40),
            ("\u{5e9}\u{5dc}\u{5d5}\u{5dd} world", "\u{2068}\u{5e9}\u{5dc}\u{5d5}\u{5dd} world\u{2069}", 40),
            ("0123456789abcdef", "0123456789…", 10),
        ];
        for (came, shown, most) in cases {
            assert_eq!(line(came, most), shown);
        }
        assert_eq!(text("a\u{1b}b\r\n\r\n\u{202e}c\n", 100), "ab\n\nc");
        assert_eq!(text("abc\ndef", 5), "abc\nd…");
    }
}
