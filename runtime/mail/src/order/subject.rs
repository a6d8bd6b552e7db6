//! The base subject: what messages of one conversation have in common (RFC 5256 2.1).

/// A subject without what mail programs put around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseSubject {
    pub text: String,
    /// It was said of a reply or of something forwarded: `Re:`, `Fwd:`, `(fwd)`, `[fwd: …]`.
    pub is_reply: bool,
}

/// Takes leaders, trailers and blobs off a decoded subject. The work grows with its length.
pub fn base_subject(decoded: &str) -> BaseSubject {
    let spaced = with_single_spaces(decoded);
    let mut text = spaced.as_str();
    let mut is_reply = false;
    loop {
        text = without_trailers(text, &mut is_reply);
        text = without_leaders(text, &mut is_reply);
        // Step 6: `subj-fwd = subj-fwd-hdr subject subj-fwd-trl`
        let inside = strip_prefix_ignoring_case(text, "[fwd:").and_then(|rest| rest.strip_suffix(']'));
        let Some(inside) = inside else { return BaseSubject { text: text.to_owned(), is_reply } };
        is_reply = true;
        text = inside;
    }
}

/// Step 1: tabs and line ends become spaces, several spaces one.
fn with_single_spaces(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for character in text.chars() {
        let space = matches!(character, ' ' | '\t' | '\r' | '\n');
        if !space || !spaced.ends_with(' ') {
            spaced.push(if space { ' ' } else { character });
        }
    }
    spaced
}

/// Step 2: `subj-trailer = "(fwd)" / WSP`, as often as there is one.
fn without_trailers<'a>(text: &'a str, is_reply: &mut bool) -> &'a str {
    let mut text = text.trim_end_matches(' ');
    while let Some(rest) = strip_suffix_ignoring_case(text, "(fwd)") {
        *is_reply = true;
        text = rest.trim_end_matches(' ');
    }
    text
}

/// Steps 3 to 5: `subj-leader = (*subj-blob subj-refwd) / WSP`, and blobs while something is left behind them.
fn without_leaders<'a>(text: &'a str, is_reply: &mut bool) -> &'a str {
    let mut text = text;
    loop {
        text = text.trim_start_matches(' ');
        let (last_blob, behind) = blobs(text);
        if let Some(rest) = refwd(behind) {
            *is_reply = true;
            text = rest;
        } else if behind.is_empty() {
            // The last blob is the base then, and an empty text has none.
            return last_blob;
        } else if behind.len() == text.len() {
            return text;
        } else {
            text = behind;
        }
    }
}

/// The text from its last leading blob on, and what stands behind all leading blobs.
fn blobs(text: &str) -> (&str, &str) {
    let (mut last, mut rest) = (text, text);
    while let Some(behind) = blob(rest) {
        (last, rest) = (rest, behind);
    }
    (last, rest)
}

/// `subj-blob = "[" *BLOBCHAR "]" *WSP`: what stands behind it.
fn blob(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('[')?;
    let end = inside.find(['[', ']'])?;
    let behind = inside[end..].strip_prefix(']')?;
    Some(behind.trim_start_matches(' '))
}

/// `subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"`: what stands behind it.
fn refwd(text: &str) -> Option<&str> {
    let word = ["re", "fwd", "fw"].iter().find_map(|word| strip_prefix_ignoring_case(text, word))?;
    let word = word.trim_start_matches(' ');
    blob(word).unwrap_or(word).strip_prefix(':')
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(subject: &str, text: &str, is_reply: bool) {
        let expected = BaseSubject { text: text.to_owned(), is_reply };
        assert_eq!(base_subject(subject), expected, "{subject:?}");
    }

    #[test]
    fn a_plain_subject_loses_only_spaces() {
        check("", "", false);
        check("  a \t b\r\n c  ", "a b c", false);
        check("release: one", "release: one", false);
        check("Re", "Re", false);
        check("refer: x", "refer: x", false);
    }

    #[test]
    fn replies_and_forwards_lose_their_words() {
        check("Re: a", "a", true);
        check("RE : fWd: FW:a", "a", true);
        check("re [2]: a", "a", true);
        check("Re[4] : a", "a", true);
        check("a (fwd)", "a", true);
        check("a (FWD) (fwd) ", "a", true);
        check("Re: (fwd)", "", true);
        check("Re:", "", true);
    }

    #[test]
    fn blobs_go_while_something_is_left() {
        check("[list] a", "a", false);
        check("[list] [PATCH 1/2] a [x]", "a [x]", false);
        check("[a][b] Re: [c] d", "d", true);
        check("[list]", "[list]", false);
        check("[one] [two]", "[two]", false);
        check("Re: [list]", "[list]", true);
        check("[list] Re:", "", true);
        check("[open a", "[open a", false);
        check("[a[b] c", "[a[b] c", false);
        check("re [a] b", "re [a] b", false);
    }

    #[test]
    fn what_is_forwarded_whole_is_looked_into() {
        check("[fwd: a]", "a", true);
        check("[Fwd: [fwd: Re: [x] a (fwd)]]", "a", true);
        check("Re: [fwd: [x] a]", "a", true);
        check("[fwd: a] b", "b", false);
        check("[fwd:]", "", true);
    }

    #[test]
    fn letters_of_several_octets_are_no_trouble() {
        check("é", "é", false);
        check("Ré: é(fw", "Ré: é(fw", false);
        check("Re: été (fwd)", "été", true);
    }

    #[test]
    fn a_hostile_subject_costs_its_length() {
        let blobs = "[a] ".repeat(200_000);
        check(&format!("{blobs}end"), "end", false);
        check(&format!("{blobs}[z]"), "[z]", false);
        check(&"re:".repeat(300_000), "", true);
        check(&format!("{}x{}", "[fwd:".repeat(100_000), "]".repeat(100_000)), "x", true);
        check(&"[".repeat(1_000_000), &"[".repeat(1_000_000), false);
    }
}
