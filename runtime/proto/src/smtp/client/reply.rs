//! Replies of a peer: `Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF`
//! (RFC 5321 4.2). Bounded, because a peer can be anything.

use mail::{Code, EnhancedCode, Reply};

use crate::line::{Inbox, Line};

/// Longest line of a reply in octets without CRLF. RFC 5321 4.5.3.1.5 says 512; servers write longer ones.
const LINE_OCTETS_MAX: usize = 4_096;
/// Most lines of one reply; the longest answers to EHLO have some thirty.
const LINES_MAX: usize = 128;
/// A line is given up after this many octets.
const ENDLESS_LINE_OCTETS: u64 = 64 * 1024;

/// Why an answer is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadReply {
    /// No code of three digits from 200 to 599, or no space or hyphen behind it.
    Syntax,
    /// Lines of one reply with different codes.
    Codes,
    TooLong,
    /// Octets in the clear behind the reply to STARTTLS (RFC 3207 6).
    Injected,
}

/// Collects the lines of a reply.
#[derive(Debug, Default)]
pub(super) struct Reader {
    basic: Option<u16>,
    enhanced: Option<EnhancedCode>,
    lines: Vec<String>,
}

impl Reader {
    /// The next whole reply, `None` while it is not whole.
    pub fn next(&mut self, inbox: &mut Inbox) -> Result<Option<Reply>, BadReply> {
        loop {
            let line = match inbox.line(LINE_OCTETS_MAX, ENDLESS_LINE_OCTETS) {
                Line::Incomplete => return Ok(None),
                Line::TooLong | Line::Endless => return Err(BadReply::TooLong),
                Line::Whole(line) => line,
            };
            if self.line(&line)? {
                let reader = std::mem::take(self);
                let code = Code { basic: reader.basic.unwrap_or(0), enhanced: reader.enhanced };
                return Ok(Some(Reply::lines(code, reader.lines)));
            }
        }
    }

    /// Takes a line; `true` when it is the last.
    fn line(&mut self, line: &[u8]) -> Result<bool, BadReply> {
        let [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = line else {
            return Err(BadReply::Syntax);
        };
        let digit = |octet: &u8| u16::from(octet - b'0');
        let basic = digit(a) * 100 + digit(b) * 10 + digit(c);
        let (last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err(BadReply::Syntax),
        };
        if *self.basic.get_or_insert(basic) != basic {
            return Err(BadReply::Codes);
        }
        if self.lines.len() == LINES_MAX {
            return Err(BadReply::TooLong);
        }
        let text = String::from_utf8_lossy(text);
        let (enhanced, text) = enhanced_code(&text, digit(a));
        self.enhanced = self.enhanced.or(enhanced);
        self.lines.push(text.to_owned());
        Ok(last)
    }
}

/// RFC 2034 4: the code stands before the text of each line, and its class is the first digit of the reply.
fn enhanced_code(text: &str, class: u16) -> (Option<EnhancedCode>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut numbers = word.split('.').map(|number| {
        let sound = (1..=3).contains(&number.len()) && number.bytes().all(|octet| octet.is_ascii_digit());
        if sound { number.parse::<u16>().ok() } else { None }
    });
    match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
        (Some(Some(first)), Some(Some(subject)), Some(Some(detail)), None) if first == class => {
            (Some(EnhancedCode(class as u8, subject, detail)), rest)
        }
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: Result<Option<(&str, &str)>, BadReply>) {
        for size in 1..=input.len() {
            let mut inbox = Inbox::default();
            let mut reader = Reader::default();
            let mut found = Ok(None);
            for piece in input.as_bytes().chunks(size) {
                inbox.feed(piece);
                found = reader.next(&mut inbox);
                if found != Ok(None) {
                    break;
                }
            }
            let shown = found.map(|reply| reply.map(|reply| (reply.code.to_string(), reply.text().to_owned())));
            let expected = expected.map(|reply| reply.map(|(code, text)| (code.to_owned(), text.to_owned())));
            assert_eq!(shown, expected, "{input:?} in pieces of {size}");
        }
    }

    #[test]
    fn replies_have_one_code_and_one_or_more_lines() {
        check("250 2.1.5 fine\r\n", Ok(Some(("250 2.1.5", "fine"))));
        check("250\r\n", Ok(Some(("250", ""))));
        check("250-first\r\n250 second\r\n", Ok(Some(("250", "first"))));
        check("550-5.1.1 no\r\n550 5.1.1 one\r\n", Ok(Some(("550 5.1.1", "no"))));
        check("220 5.1.1 is a strange banner\r\n", Ok(Some(("220", "5.1.1 is a strange banner"))));
        check("250-first\r\n", Ok(None));
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        check("HTTP/1.1 400 Bad Request\r\n", Err(BadReply::Syntax));
        check("250-a\r\n251 b\r\n", Err(BadReply::Codes));
        check("199 a\r\n", Err(BadReply::Syntax));
        check("250_a\r\n", Err(BadReply::Syntax));
    }

    #[test]
    fn a_hostile_reply_is_bounded() {
        let mut inbox = Inbox::default();
        inbox.feed("250-x\r\n".repeat(1000).as_bytes());
        assert_eq!(Reader::default().next(&mut inbox), Err(BadReply::TooLong));
        let mut inbox = Inbox::default();
        inbox.feed(&[b'2'; 100_000]);
        assert_eq!(Reader::default().next(&mut inbox), Err(BadReply::TooLong));
    }
}
