//! Text of a hostile message that a person looks at on a terminal: nothing in it works the terminal, hides, or turns other text
//! round.

/// One line.
pub fn line(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { '?' } else { c }).collect()
}

/// Lines; tabs and line ends stay.
pub fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars().map(|c| if is_unsafe(c) && c != '\n' && c != '\t' { '?' } else { c }).collect()
}

/// Control characters, marks of direction (UAX 9) and what is not seen.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_works_a_terminal_or_turns_text_round_is_shown_as_a_question_mark() {
        assert_eq!(line("a\u{1b}[2Jb\r\nc\u{202e}fdp.exe\u{9b}1m\u{200b}"), "a?[2Jb??c?fdp.exe?1m?");
        assert_eq!(lines("é\r\nb\tc\u{7}\u{2066}\u{85}"), "é\nb\tc???");
        assert_eq!(line("Ελληνικά עברית 日本語 😀"), "Ελληνικά עברית 日本語 😀");
    }
}
