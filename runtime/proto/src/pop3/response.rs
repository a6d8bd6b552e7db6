//! Writers of responses (RFC 1939 3). `Out` collects octets until the session hands them to the driver.

use std::fmt::{self, Write};

use super::question::Trouble;

/// When so much waits, the session sends it before it makes more.
pub const OUT_OCTETS: usize = 32 * 1024;
/// A response line has at most 512 octets with its CRLF (RFC 1939 3); the text is this much at most.
const TEXT_OCTETS_MAX: usize = 480;

/// RESP-CODES (RFC 2449 8, RFC 3206).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    InUse,
    SysTemp,
    SysPerm,
    Auth,
}

impl Code {
    fn word(self) -> &'static str {
        match self {
            Code::InUse => "IN-USE",
            Code::SysTemp => "SYS/TEMP",
            Code::SysPerm => "SYS/PERM",
            Code::Auth => "AUTH",
        }
    }
}

/// `-ERR`, with a code where one fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Option<Code>,
    pub text: String,
}

impl Refusal {
    pub fn new(text: impl Into<String>) -> Refusal {
        Refusal { code: None, text: text.into() }
    }

    #[must_use]
    pub fn with(self, code: Code) -> Refusal {
        Refusal { code: Some(code), ..self }
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Refusal {
        match trouble {
            Trouble::InUse => {
                Refusal::new("another session has the mailbox, try again when it is over").with(Code::InUse)
            }
            Trouble::Gone => Refusal::new("the message was removed by another session"),
            Trouble::Renamed => Refusal::new("the mailbox was renamed by another session"),
            Trouble::Unavailable => {
                Refusal::new("the mail store is not available, try again later").with(Code::SysTemp)
            }
            Trouble::Bug => Refusal::new("something is wrong with the server").with(Code::SysTemp),
        }
    }
}

/// Octets to be sent.
#[derive(Debug, Default)]
pub struct Out {
    octets: Vec<u8>,
}

impl Out {
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Time to send?
    pub fn is_full(&self) -> bool {
        self.octets.len() >= OUT_OCTETS
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.octets)
    }

    /// For what writes octets by itself.
    pub fn octets(&mut self) -> &mut Vec<u8> {
        &mut self.octets
    }

    /// `+OK text`. What follows, if anything does, ends with `end`.
    pub fn ok(&mut self, text: &str) {
        self.status("+OK", None, text);
    }

    /// `-ERR [CODE] text`
    pub fn refuse(&mut self, refusal: &Refusal) {
        self.status("-ERR", refusal.code, &refusal.text);
    }

    /// `+ challenge`, in base64, maybe an empty one (RFC 5034 4).
    pub fn challenge(&mut self, challenge: &str) {
        self.line(format_args!("+ {challenge}"));
    }

    /// A line of a multi-line response; it does not begin with a dot.
    pub fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing into memory does not fail.
        let _ = self.write_fmt(line);
        self.octets.extend_from_slice(b"\r\n");
    }

    /// The end of a multi-line response.
    pub fn end(&mut self) {
        self.octets.extend_from_slice(b".\r\n");
    }

    /// Texts may come from a policy: they stay in their line, in ASCII.
    fn status(&mut self, status: &str, code: Option<Code>, text: &str) {
        let plain = |c: char| if c.is_ascii() { c } else { '?' };
        let mut text: String = text.chars().filter(|c| !c.is_control()).map(plain).collect();
        text.truncate(TEXT_OCTETS_MAX);
        match code {
            // Without a code the text must not look like one.
            None => self.line(format_args!("{status} {}", text.trim_start_matches(['[', ' ']))),
            Some(code) => self.line(format_args!("{status} [{}] {text}", code.word())),
        }
    }
}

/// For `write!`, which never fails here.
impl Write for Out {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.octets.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line_of_ascii_whatever_the_text() {
        for (text, expected) in [
            ("fine", "-ERR fine\r\n"),
            ("a\r\n+OK b", "-ERR a+OK b\r\n"),
            ("é", "-ERR ?\r\n"),
            ("[AUTH] no", "-ERR AUTH] no\r\n"),
        ] {
            let mut out = Out::default();
            out.refuse(&Refusal::new(text));
            assert_eq!(String::from_utf8(out.take()).unwrap(), expected, "{text:?}");
        }
        let mut out = Out::default();
        out.refuse(&Refusal::new("x".repeat(1_000)).with(Code::SysTemp));
        assert!(out.take().len() <= 512);
    }
}
