//! Replies of an SMTP server: code, enhanced code and public text (RFC 5321 4.2, RFC 3463).
//!
//! The operator's detail goes to the log, never into a reply. Temporary or permanent follows from the code.

use std::fmt;

/// Longest line of a reply in octets, with CRLF (RFC 5321 4.5.3.1.5).
pub const REPLY_LINE_OCTETS_MAX: usize = 512;

/// An enhanced status code: class, subject, detail (RFC 3463 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnhancedCode(pub u8, pub u16, pub u16);

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A reply code with the enhanced code that goes with it. Greetings, EHLO, 354 and 334 have none (RFC 2034 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    pub basic: u16,
    pub enhanced: Option<EnhancedCode>,
}

impl Code {
    pub const fn plain(basic: u16) -> Code {
        Code { basic, enhanced: None }
    }

    pub const fn new(basic: u16, class: u8, subject: u16, detail: u16) -> Code {
        Code { basic, enhanced: Some(EnhancedCode(class, subject, detail)) }
    }

    /// 2yz or 3yz.
    pub const fn is_positive(self) -> bool {
        self.basic < 400
    }

    /// 4yz: the same command may succeed later.
    pub const fn is_temporary(self) -> bool {
        self.basic >= 400 && self.basic < 500
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.enhanced {
            Some(enhanced) => write!(f, "{} {enhanced}", self.basic),
            None => write!(f, "{}", self.basic),
        }
    }
}

/// A reply: one code, one or more lines of text without line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub code: Code,
    lines: Vec<String>,
}

impl Reply {
    pub fn new(code: Code, text: impl Into<String>) -> Reply {
        Reply { code, lines: vec![sound(text.into())] }
    }

    /// A reply of several lines, as EHLO has them. An empty list is one empty line.
    pub fn lines(code: Code, lines: Vec<String>) -> Reply {
        let lines = if lines.is_empty() { vec![String::new()] } else { lines };
        Reply { code, lines: lines.into_iter().map(sound).collect() }
    }

    /// The first line's text.
    pub fn text(&self) -> &str {
        &self.lines[0]
    }

    /// All lines' texts; at least one.
    pub fn all_lines(&self) -> &[String] {
        &self.lines
    }

    /// The reply as it goes over the wire, CRLF included. The only place that renders one.
    pub fn render(&self, out: &mut Vec<u8>) {
        let last = self.lines.len() - 1;
        for (index, line) in self.lines.iter().enumerate() {
            let joint = if index == last { ' ' } else { '-' };
            let head = match self.code.enhanced {
                Some(enhanced) => format!("{}{joint}{enhanced} ", self.code.basic),
                None => format!("{}{joint}", self.code.basic),
            };
            let mut room = REPLY_LINE_OCTETS_MAX - 2 - head.len();
            room = room.min(line.len());
            while !line.is_char_boundary(room) {
                room -= 1;
            }
            out.extend_from_slice(head.as_bytes());
            out.extend_from_slice(&line.as_bytes()[..room]);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// No control character of a quoted name may end a line early.
fn sound(text: String) -> String {
    if text.chars().any(char::is_control) { text.replace(char::is_control, "?") } else { text }
}

/// 220, RFC 5321 4.2.2: the greeting.
pub const GREETING: Code = Code::plain(220);
/// 250, RFC 5321 4.1.1.1: the answer to EHLO and HELO.
pub const HELLO: Code = Code::plain(250);
/// 214 2.0.0, RFC 5321 4.1.1.8: the answer to HELP.
pub const HELP: Code = Code::new(214, 2, 0, 0);
/// 220 2.0.0, RFC 3207 4.
pub const TLS_READY: Code = Code::new(220, 2, 0, 0);
/// 221 2.0.0.
pub const BYE: Code = Code::new(221, 2, 0, 0);
/// 235 2.7.0, RFC 4954 6.
pub const AUTHENTICATED: Code = Code::new(235, 2, 7, 0);
/// 250 2.0.0.
pub const OK: Code = Code::new(250, 2, 0, 0);
/// 250 2.1.0.
pub const SENDER_OK: Code = Code::new(250, 2, 1, 0);
/// 250 2.1.5.
pub const RECIPIENT_OK: Code = Code::new(250, 2, 1, 5);
/// 250 2.6.0: content accepted (RFC 3463 3.7).
pub const CONTENT_OK: Code = Code::new(250, 2, 6, 0);
/// 252 2.5.0, RFC 5321 3.5.3: VRFY says nothing.
pub const CANNOT_VERIFY: Code = Code::new(252, 2, 5, 0);
/// 334, RFC 4954 4.
pub const AUTH_CONTINUE: Code = Code::plain(334);
/// 354, RFC 5321 4.1.1.4.
pub const START_INPUT: Code = Code::plain(354);
/// 421 4.3.2: shutting down.
pub const SHUTTING_DOWN: Code = Code::new(421, 4, 3, 2);
/// 421 4.4.2: waited too long.
pub const TIMEOUT: Code = Code::new(421, 4, 4, 2);
/// 421 4.7.0: cut off.
pub const CUT_OFF: Code = Code::new(421, 4, 7, 0);
/// 450 4.2.1, mailbox cannot take mail just now.
pub const MAILBOX_BUSY: Code = Code::new(450, 4, 2, 1);
/// 451 4.3.0: trouble of ours.
pub const TROUBLE: Code = Code::new(451, 4, 3, 0);
/// 451 4.7.1: a window is full.
pub const WINDOW_FULL: Code = Code::new(451, 4, 7, 1);
/// 451 4.3.0 while no scanner looks.
pub const SCANNER_DOWN: Code = Code::new(451, 4, 3, 0);
/// 451 4.4.3: the directory cannot say now.
pub const DIRECTORY_UNSURE: Code = Code::new(451, 4, 4, 3);
/// 452 4.5.3: too many recipients in one message (RFC 5321 4.5.3.1.10).
pub const TOO_MANY_RECIPIENTS: Code = Code::new(452, 4, 5, 3);
/// 452 4.2.2: mailbox full, for now.
pub const MAILBOX_FULL_NOW: Code = Code::new(452, 4, 2, 2);
/// 452 4.3.1: no room in the store.
pub const STORE_FULL: Code = Code::new(452, 4, 3, 1);
/// 454 4.7.0: authentication cannot be judged now (RFC 4954 6).
pub const AUTH_LATER: Code = Code::new(454, 4, 7, 0);
/// 454 4.7.0: TLS not available now (RFC 3207 4).
pub const TLS_LATER: Code = Code::new(454, 4, 7, 0);
/// 500 5.5.2: line not understood, or too long.
pub const SYNTAX_COMMAND: Code = Code::new(500, 5, 5, 2);
/// 500 5.5.6: line too long (RFC 4954 4).
pub const LINE_TOO_LONG: Code = Code::new(500, 5, 5, 6);
/// 501 5.5.4: bad argument.
pub const SYNTAX_ARGUMENT: Code = Code::new(501, 5, 5, 4);
/// 501 5.1.3: bad recipient address.
pub const BAD_RECIPIENT: Code = Code::new(501, 5, 1, 3);
/// 501 5.1.7: bad reverse-path.
pub const BAD_SENDER: Code = Code::new(501, 5, 1, 7);
/// 501 5.5.2: AUTH cancelled or not base64 (RFC 4954 4).
pub const AUTH_SYNTAX: Code = Code::new(501, 5, 5, 2);
/// 502 5.5.1: not here.
pub const NOT_IMPLEMENTED: Code = Code::new(502, 5, 5, 1);
/// 503 5.5.1: wrong order.
pub const BAD_SEQUENCE: Code = Code::new(503, 5, 5, 1);
/// 504 5.5.4: mechanism or parameter not known.
pub const PARAMETER_NOT_IMPLEMENTED: Code = Code::new(504, 5, 5, 4);
/// 525 5.7.13: the account may not log in (RFC 5248's registry: "User Account Disabled").
pub const ACCOUNT_DISABLED: Code = Code::new(525, 5, 7, 13);
/// 530 5.7.0: log in first (RFC 4954 6).
pub const AUTH_REQUIRED: Code = Code::new(530, 5, 7, 0);
/// 530 5.7.0: STARTTLS first (RFC 3207 4).
pub const TLS_REQUIRED: Code = Code::new(530, 5, 7, 0);
/// 535 5.7.8: wrong login or password (RFC 4954 6).
pub const AUTH_FAILED: Code = Code::new(535, 5, 7, 8);
/// 538 5.7.11: encryption needed for this mechanism.
pub const AUTH_NEEDS_TLS: Code = Code::new(538, 5, 7, 11);
/// 550 5.1.1: no such mailbox.
pub const MAILBOX_UNKNOWN: Code = Code::new(550, 5, 1, 1);
/// 550 5.2.1: a mailbox that takes no mail any more (RFC 3463 3.3).
pub const MAILBOX_CLOSED: Code = Code::new(550, 5, 2, 1);
/// 550 5.1.3: an address that names no mailbox by its form.
pub const MAILBOX_MALFORMED: Code = Code::new(550, 5, 1, 3);
/// 550 5.7.0: XCLIENT from a client that may not say it (Postfix's XCLIENT_README).
pub const XCLIENT_REFUSED: Code = Code::new(550, 5, 7, 0);
/// 550 5.7.1: refused by policy.
pub const POLICY: Code = Code::new(550, 5, 7, 1);
/// 550 5.6.0: content refused by policy (empty reverse-path without a report).
pub const NOT_A_REPORT: Code = Code::new(550, 5, 6, 0);
/// 552 5.2.2: mailbox full.
pub const MAILBOX_FULL: Code = Code::new(552, 5, 2, 2);
/// 552 5.3.4: message larger than allowed (RFC 1870 6.1).
pub const TOO_LARGE: Code = Code::new(552, 5, 3, 4);
/// 553 5.7.1: this reverse-path is not yours (RFC 4954 6 uses 5.7.1 for it).
pub const SENDER_NOT_YOURS: Code = Code::new(553, 5, 7, 1);
/// 553 5.6.7: address needs SMTPUTF8 (RFC 6531 3.5).
pub const NEEDS_UTF8: Code = Code::new(553, 5, 6, 7);
/// 554 5.7.1: nothing for you here, at the banner (RFC 5321 3.1).
pub const TURNED_AWAY: Code = Code::new(554, 5, 7, 1);
/// 554 5.5.1: no valid recipients.
pub const NO_RECIPIENTS: Code = Code::new(554, 5, 5, 1);
/// 554 5.6.0: content malformed (bare CR or LF, BDAT misuse).
pub const BAD_CONTENT: Code = Code::new(554, 5, 6, 0);
/// 554 5.4.6: the message runs in a circle (RFC 3463 3.5).
pub const LOOP: Code = Code::new(554, 5, 4, 6);
/// 554 5.7.1: content refused by policy.
pub const CONTENT_REFUSED: Code = Code::new(554, 5, 7, 1);
/// 555 5.5.4: MAIL or RCPT parameter not known (RFC 5321 4.1.1.11).
pub const BAD_PARAMETER: Code = Code::new(555, 5, 5, 4);

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.render(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_last_line_alone_has_a_space() {
        let reply = Reply::lines(HELLO, vec!["mx.example".into(), "SIZE 20000000".into()]);
        assert_eq!(rendered(&reply), "250-mx.example\r\n250 SIZE 20000000\r\n");
        assert_eq!(rendered(&Reply::new(MAILBOX_UNKNOWN, "no such person")), "550 5.1.1 no such person\r\n");
    }

    #[test]
    fn no_text_can_break_or_overrun_a_line() {
        assert_eq!(rendered(&Reply::new(OK, "a\r\n250 b")), "250 2.0.0 a??250 b\r\n");
        assert_eq!(rendered(&Reply::new(OK, "é".repeat(600))).len(), REPLY_LINE_OCTETS_MAX);
    }
}
