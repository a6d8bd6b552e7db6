//! Writers of responses (RFC 9051 7). `Out` collects octets until the session hands them to the driver.

mod code;
mod fetch;
mod identity;
mod numbers;

pub use code::{Code, Reply};
pub use fetch::{Facts, Tail, attribute, is_decodable, places};
pub use identity::identity;
pub use numbers::set;
use numbers::set_of_ranges;

use std::fmt::Write;
use std::ops::RangeInclusive;

use super::command::Tag;
use super::grammar::Coding;
use super::utf7;
use mail::mime::imap::string;
use mail::{Flags, MailboxName};

/// When so much waits, the session sends it before it makes more.
pub const OUT_OCTETS: usize = 32 * 1024;
/// A literal is sent in slices of so many octets.
pub const SLICE_OCTETS: usize = 128 * 1024;

/// Octets to be sent.
#[derive(Debug, Default)]
pub struct Out {
    octets: Vec<u8>,
    /// It is to be sent, little as it may be.
    due: bool,
}

impl Out {
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Time to send?
    pub fn is_full(&self) -> bool {
        self.octets.len() >= OUT_OCTETS || (self.due && !self.is_empty())
    }

    /// Has what was written sent before more is made: making it was work enough for one step.
    pub fn send_soon(&mut self) {
        self.due = true;
    }

    pub fn take(&mut self) -> Vec<u8> {
        self.due = false;
        std::mem::take(&mut self.octets)
    }

    pub fn raw(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    pub fn text(&mut self, text: &str) {
        self.raw(text.as_bytes());
    }

    /// Flags in parentheses.
    pub fn flags(&mut self, flags: &Flags) {
        self.text("FLAGS (");
        // Writing into memory does not fail.
        let _ = write!(self, "{flags}");
        self.text(")");
    }

    pub fn number(&mut self, number: impl Into<u64>) {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut number = number.into();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return self.raw(&digits[at..]);
            }
        }
    }

    pub fn end_line(&mut self) {
        self.raw(b"\r\n");
    }

    /// `* ` and a line.
    pub fn untagged(&mut self, line: &str) {
        self.text("* ");
        self.text(line);
        self.end_line();
    }

    /// `* 23 EXISTS`, `* 3 EXPUNGE`.
    pub fn message_data(&mut self, number: u32, word: &str) {
        self.text("* ");
        self.number(number);
        self.text(" ");
        self.text(word);
        self.end_line();
    }

    /// `* 23 FETCH (`, or `* uid UIDFETCH (` for those who want no numbers (RFC 9586 3.4). `place` is the number less one.
    pub fn fetch_begins(&mut self, place: usize, uid: u32, uid_only: bool) {
        self.raw(b"* ");
        match uid_only {
            true => self.number(uid),
            false => self.number(place as u64 + 1),
        }
        self.raw(if uid_only { b" UIDFETCH (" } else { b" FETCH (" });
    }

    /// `fetch-mod-resp = "MODSEQ" SP "(" permsg-modsequence ")"` (RFC 7162 7)
    pub fn mod_seq(&mut self, mod_seq: u64) {
        self.raw(b"MODSEQ (");
        self.number(mod_seq);
        self.raw(b")");
    }

    /// `expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids`; the UIDs ascend.
    pub fn vanished(&mut self, uids: &[u32]) {
        self.untagged(&format!("VANISHED {}", set(uids)));
    }

    /// What was gone before the client had a chance to hear of it.
    pub fn vanished_earlier(&mut self, uids: &[RangeInclusive<u32>]) {
        self.untagged(&format!("VANISHED (EARLIER) {}", set_of_ranges(uids)));
    }

    /// `* OK [CODE] text`
    pub fn untagged_reply(&mut self, reply: &Reply) {
        self.text("* ");
        self.reply(reply);
    }

    /// The end of a command.
    pub fn tagged(&mut self, tag: &Tag, reply: &Reply) {
        self.text(tag.as_str());
        self.text(" ");
        self.reply(reply);
    }

    fn reply(&mut self, reply: &Reply) {
        self.text(&reply.to_string());
        self.end_line();
    }

    /// A mailbox name, quoted only when it must be.
    pub fn mailbox(&mut self, name: &MailboxName, coding: Coding) {
        self.name(name.as_str(), coding);
    }

    /// A name or prefix as text.
    pub fn name(&mut self, name: &str, coding: Coding) {
        let coded = match coding {
            Coding::Utf7 => utf7::encode(name),
            Coding::Utf8 => name.to_owned(),
        };
        let is_atom = !coded.is_empty()
            && !coded.eq_ignore_ascii_case("NIL")
            && coded.bytes().all(|octet| octet.is_ascii_graphic() && !b"(){%*\"\\".contains(&octet));
        match is_atom {
            true => self.text(&coded),
            false => string(coded.as_bytes(), coding == Coding::Utf8, &mut self.octets),
        }
    }

    /// `string`: quoted if it can be, else a literal.
    pub fn string(&mut self, octets: &[u8]) {
        self.string_in(octets, false);
    }

    /// The same, quoted with UTF-8 in it where the client takes that.
    pub fn string_in(&mut self, octets: &[u8], utf8: bool) {
        string(octets, utf8, &mut self.octets);
    }

    /// `literal = "{" number64 "}" CRLF *CHAR8`, up to its octets. NUL stays what it is: RFC 9051 4.3.1 wants BINARY for it,
    /// clients want the message as it was sent.
    pub fn literal_begins(&mut self, size_octets: usize) {
        self.text("{");
        self.number(size_octets as u64);
        self.text("}\r\n");
    }
}

/// For `write!`, which never fails here.
impl Write for Out {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.text(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, coding: Coding) -> String {
        let mut out = Out::default();
        out.mailbox(&MailboxName::new(name).unwrap(), coding);
        String::from_utf8(out.take()).unwrap()
    }

    #[test]
    fn names_are_quoted_when_they_must_be() {
        assert_eq!(named("inbox", Coding::Utf7), "INBOX");
        assert_eq!(named("Envoyés", Coding::Utf7), "Envoy&AOk-s");
        assert_eq!(named("Envoyés", Coding::Utf8), "\"Envoyés\"");
        assert_eq!(named("a b", Coding::Utf7), "\"a b\"");
        assert_eq!(named("a\"b", Coding::Utf7), "\"a\\\"b\"");
        assert_eq!(named("nil", Coding::Utf7), "\"nil\"");
    }

    #[test]
    fn numbers_are_decimal() {
        let mut out = Out::default();
        for number in [0u64, 7, 10, u64::MAX] {
            out.number(number);
            out.text(" ");
        }
        assert_eq!(out.take(), b"0 7 10 18446744073709551615 ");
    }
}
