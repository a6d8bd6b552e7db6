//! Framing of lines shared by the text protocols: a line ends at CRLF and nowhere else (RFC 5321 2.3.8, RFC 9051 2.2).
//!
//! Relies on the driver reading only when the conversation needs input, so that what waits here is at most one read.

/// Octets that arrived and were not consumed yet.
#[derive(Debug, Default)]
pub struct Inbox {
    octets: Vec<u8>,
    start: usize,
    /// Octets after `start` known to hold no line end, so that a slow sender costs no second look.
    scanned: usize,
    /// Octets of an overlong line thrown away so far; `None` while no line is too long.
    skipped: Option<u64>,
}

/// What stands at the head of the inbox.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// No line end yet.
    Incomplete,
    /// A line without its CRLF. It may hold a bare CR or LF, which the caller refuses.
    Whole(Vec<u8>),
    /// A line longer than allowed has ended; its octets are gone.
    TooLong,
    /// A line went on past `endless_octets`; nothing sensible can follow on this connection.
    Endless,
}

impl Inbox {
    /// Appends octets from the peer.
    pub fn feed(&mut self, octets: &[u8]) {
        if self.start > 0 {
            self.octets.drain(..self.start);
            self.start = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    pub fn is_empty(&self) -> bool {
        self.start == self.octets.len()
    }

    /// Everything not consumed yet.
    pub fn rest(&self) -> &[u8] {
        &self.octets[self.start..]
    }

    /// Drops `count` octets, at most all there are, from the head.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.octets.len());
        self.scanned = 0;
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        *self = Inbox::default();
    }

    /// Takes the next line of at most `octets_max` octets without CRLF. A longer one is thrown away as it arrives and
    /// reported once, at its end; past `endless_octets` it is reported as endless.
    pub fn line(&mut self, octets_max: usize, endless_octets: u64) -> Line {
        let end = line_end(self.rest(), self.scanned);
        let Some(end) = end else { return self.unfinished(octets_max, endless_octets) };
        let length = end as u64 + self.skipped.unwrap_or(0);
        let too_long = self.skipped.is_some() || end > octets_max;
        let line = if too_long { Vec::new() } else { self.rest()[..end].to_vec() };
        self.consume(end + 2);
        self.skipped = None;
        match too_long {
            true if length > endless_octets => Line::Endless,
            true => Line::TooLong,
            false => Line::Whole(line),
        }
    }

    fn unfinished(&mut self, octets_max: usize, endless_octets: u64) -> Line {
        let waiting = self.rest().len();
        // A final CR may be the first half of the line end.
        let open = usize::from(self.rest().ends_with(b"\r"));
        self.scanned = waiting - open;
        if self.skipped.is_none() && waiting - open <= octets_max {
            return Line::Incomplete;
        }
        let skipped = self.skipped.unwrap_or(0) + (waiting - open) as u64;
        self.consume(waiting - open);
        self.skipped = Some(skipped);
        if skipped > endless_octets { Line::Endless } else { Line::Incomplete }
    }
}

/// Where the first CRLF at or after `from` begins.
fn line_end(octets: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = octets.get(at..)?.iter().position(|octet| *octet == b'\n') {
        let lf = at + found;
        if lf > 0 && octets[lf - 1] == b'\r' {
            return Some(lf - 1);
        }
        at = lf + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `input` in pieces of `size` octets and collects what comes out.
    fn lines(input: &[u8], size: usize) -> Vec<Line> {
        let mut inbox = Inbox::default();
        let mut out = Vec::new();
        for piece in input.chunks(size) {
            inbox.feed(piece);
            loop {
                match inbox.line(8, 20) {
                    Line::Incomplete => break,
                    Line::Endless => {
                        out.push(Line::Endless);
                        return out;
                    }
                    line => out.push(line),
                }
            }
        }
        out
    }

    fn check(input: &[u8], expected: &[Line]) {
        for size in 1..=input.len() {
            assert_eq!(lines(input, size), expected, "{input:?} in pieces of {size}");
        }
    }

    #[test]
    fn a_line_ends_at_crlf_and_nowhere_else() {
        check(
            b"a\r\n\r\nb\n\rc\r\r\n",
            &[Line::Whole(b"a".to_vec()), Line::Whole(b"".to_vec()), Line::Whole(b"b\n\rc\r".to_vec())],
        );
    }

    #[test]
    fn a_long_line_is_reported_once_and_the_next_is_whole() {
        check(b"123456789\r\nab\r\n", &[Line::TooLong, Line::Whole(b"ab".to_vec())]);
        check(b"12345678\r\nab\r\n", &[Line::Whole(b"12345678".to_vec()), Line::Whole(b"ab".to_vec())]);
    }

    #[test]
    fn an_endless_line_holds_no_memory() {
        check(b"1234567890123456789012\r\nab\r\n", &[Line::Endless]);
        let mut inbox = Inbox::default();
        for _ in 0..1000 {
            inbox.feed(&[b'x'; 1000]);
            inbox.line(8, u64::MAX);
            assert!(inbox.octets.capacity() <= 4096);
        }
    }
}
