//! Is a message a notification: what alone may be sent without a reverse-path where a policy says `ReportsOnly`.

use super::Structure;
use crate::header;

/// Is this a `multipart/report` (RFC 6522), or a message its sender calls automatic (RFC 3834 5)? `start` is the message,
/// or as much of its beginning as holds its header.
pub fn is_report(start: &[u8]) -> bool {
    let typed = header::find(start, "content-type").map(|field| Structure::parse(&start[field.lines]));
    if typed.is_some_and(|structure| structure.top.content.media.is("multipart", "report")) {
        return true;
    }
    let automatic = header::find(start, "auto-submitted").map(|field| field.value()).unwrap_or_default();
    let word = first_word(&automatic);
    !word.is_empty() && !word.eq_ignore_ascii_case(b"no")
}

/// The first token of a structured field, behind space and comments (RFC 5322 3.2.2); empty when there is none. An
/// unclosed comment goes to the end.
fn first_word(value: &[u8]) -> &[u8] {
    let mut depth = 0_usize;
    let mut escaped = false;
    let begins = value.iter().position(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if depth > 0 => escaped = true,
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            _ => return depth == 0 && !byte.is_ascii_whitespace(),
        }
        false
    });
    let word = begins.map_or(&[][..], |at| &value[at..]);
    let ends = word.iter().position(|byte| matches!(byte, b';' | b'(') || byte.is_ascii_whitespace());
    &word[..ends.unwrap_or(word.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_multipart_report_or_automatic_and_nothing_that_looks_like_it() {
        let reports = [
            "Content-Type: multipart/report; report-type=delivery-status",
            "content-type:\r\n MULTIPART / Report (a comment)",
            "Auto-Submitted: auto-replied",
            "Auto-Submitted: (no) auto-generated; owner-email=\"a@client.example\"",
            "Auto-Submitted: (a (nested\\)) one) auto-replied(no)",
            "Auto-Submitted: nobody-knows",
        ];
        for report in reports {
            assert!(is_report(format!("Subject: s\r\n{report}\r\n\r\ntext\r\n").as_bytes()), "{report}");
        }
        let others = [
            "Subject: s",
            "Content-Type: multipart/reportage",
            "Content-Type: multipart/report-like; report-type=delivery-status",
            "Content-Type: text/plain; name=\"multipart/report\"",
            "Content-Type: (multipart/report) multipart/mixed",
            "Auto-Submitted: no",
            "Auto-Submitted: (x) no",
            "Auto-Submitted: NO; because=\"of that\"",
            "Auto-Submitted: no(really)",
            "Auto-Submitted: (auto-replied)",
            "Auto-Submitted: (auto-replied",
            "Auto-Submitted: ; x=y",
            "Auto-Submitted:",
        ];
        for other in others {
            assert!(!is_report(format!("{other}\r\n\r\nAuto-Submitted: auto-replied\r\n").as_bytes()), "{other}");
        }
    }
}
