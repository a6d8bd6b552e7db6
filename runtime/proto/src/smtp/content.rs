//! The content of a message on the wire: the dots of DATA (RFC 5321 4.5.2) and the line ends of both ways to send it.
//!
//! CRLF alone ends a line, CRLF "." CRLF alone ends the data (RFC 5321 2.3.8, 4.1.1.4). A message that holds a bare CR,
//! a bare LF or NUL is read to its real end and then refused: kept as it is, another server behind us could take it for
//! two messages (SMTP smuggling), and NUL cannot be given to a client of IMAP (RFC 9051 4.3). A content declared
//! BODY=BINARYMIME (RFC 3030 3) is text up to its first empty line and any octets after it; it comes by BDAT and is kept as
//! it is. A next hop gets it by BDAT and BINARYMIME only: under DATA its line ends would change.

use std::fmt;

use mail::Body;

/// Octets that no message may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    BareCr,
    BareLf,
    Nul,
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BodyFault::BareCr => "a CR that no LF follows",
            BodyFault::BareLf => "an LF that follows no CR",
            BodyFault::Nul => "the octet NUL",
        })
    }
}

/// Looks at the line ends of a content that comes in pieces.
#[derive(Debug)]
pub struct LineEnds {
    place: Place,
    watch: Watch,
    fault: Option<BodyFault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    LineStart,
    Text,
    /// After a CR.
    Cr,
    /// After a CR at the start of a line.
    EmptyCr,
}

/// Where line ends matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    Everywhere,
    /// In the header section, which is text whatever the body is.
    Header,
    /// Past the header section of a binary message.
    Nowhere,
}

impl Default for LineEnds {
    fn default() -> LineEnds {
        LineEnds { place: Place::LineStart, watch: Watch::Everywhere, fault: None }
    }
}

impl LineEnds {
    /// For a content declared so.
    pub fn of(body: Body) -> LineEnds {
        let watch = if body == Body::BinaryMime { Watch::Header } else { Watch::Everywhere };
        LineEnds { watch, ..LineEnds::default() }
    }

    /// Looks at the next piece.
    pub fn look(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() && self.watch != Watch::Nowhere {
            let plain = plain_run(piece);
            if plain > 0 {
                self.text();
                piece = &piece[plain..];
                continue;
            }
            self.octet(piece[0]);
            piece = &piece[1..];
        }
    }

    fn text(&mut self) {
        if self.after_cr() {
            self.blame(BodyFault::BareCr);
        }
        self.place = Place::Text;
    }

    fn after_cr(&self) -> bool {
        matches!(self.place, Place::Cr | Place::EmptyCr)
    }

    fn octet(&mut self, octet: u8) {
        self.place = match (self.place, octet) {
            (Place::EmptyCr, b'\n') if self.watch == Watch::Header => {
                self.watch = Watch::Nowhere;
                Place::LineStart
            }
            (Place::Cr | Place::EmptyCr, b'\n') => Place::LineStart,
            (_, b'\n') => self.blame(BodyFault::BareLf),
            (Place::Cr | Place::EmptyCr, b'\r') => {
                self.blame(BodyFault::BareCr);
                Place::Cr
            }
            (Place::LineStart, b'\r') => Place::EmptyCr,
            (_, b'\r') => Place::Cr,
            (Place::Cr | Place::EmptyCr, 0) => self.blame(BodyFault::BareCr),
            (_, 0) => self.blame(BodyFault::Nul),
            (Place::Cr | Place::EmptyCr, _) => self.blame(BodyFault::BareCr),
            (_, _) => Place::Text,
        };
    }

    /// The first fault is the one that is told.
    fn blame(&mut self, fault: BodyFault) -> Place {
        self.fault.get_or_insert(fault);
        Place::Text
    }

    /// The content is over: a last CR is bare. Gives whether its last line has its end; a binary body has no lines.
    pub fn finish(&mut self) -> bool {
        if self.after_cr() {
            self.blame(BodyFault::BareCr);
        }
        self.place == Place::LineStart
    }

    pub fn fault(&self) -> Option<BodyFault> {
        self.fault
    }
}

/// How many octets at the head are none of CR, LF and NUL. Looks at 32 octets at once, which the compiler turns into
/// a few vector instructions; tabs and other controls only cost the slow path.
fn plain_run(octets: &[u8]) -> usize {
    let mut run = 0;
    for block in octets.chunks_exact(32) {
        if block.iter().fold(false, |found, octet| found | (*octet < 14)) {
            break;
        }
        run += 32;
    }
    let special = |octet: &u8| matches!(octet, b'\r' | b'\n' | 0);
    run + octets[run..].iter().position(special).unwrap_or(octets.len() - run)
}

/// Undoes the stuffing of DATA and finds its end. Holds no content.
#[derive(Debug, Default)]
pub struct Unstuffer {
    ends: LineEnds,
    held: Held,
    octets: u64,
}

/// What stands between the last line start and here, and is not given out yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Held {
    #[default]
    Nothing,
    Dot,
    DotCr,
}

/// What `Unstuffer::decode` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Octets of the input that belong to the data; the rest are commands.
    pub consumed: usize,
    pub ended: bool,
}

impl Unstuffer {
    /// Octets of content so far: line ends counted, stuffing and the final dot not.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    pub fn fault(&self) -> Option<BodyFault> {
        self.ends.fault
    }

    /// Decodes `input` up to the end of data at most and appends the content to `out`.
    pub fn decode(&mut self, input: &[u8], out: &mut Vec<u8>) -> Decoded {
        let before = out.len();
        let mut at = 0;
        let mut ended = false;
        while at < input.len() && !ended {
            let octet = input[at];
            match (self.held, octet) {
                (Held::Nothing, b'.') if self.ends.place == Place::LineStart => {
                    self.held = Held::Dot;
                    at += 1;
                }
                (Held::Nothing, _) => at += self.copy(&input[at..], out),
                (Held::Dot, b'\r') => {
                    self.held = Held::DotCr;
                    at += 1;
                }
                (Held::DotCr, b'\n') => {
                    self.held = Held::Nothing;
                    ended = true;
                    at += 1;
                }
                // RFC 5321 4.5.2: a first dot with more behind it is taken away.
                (Held::Dot, _) => {
                    self.held = Held::Nothing;
                    self.ends.place = Place::Text;
                }
                (Held::DotCr, _) => {
                    self.held = Held::Nothing;
                    self.ends.place = Place::Cr;
                    out.push(b'\r');
                }
            }
        }
        self.octets += (out.len() - before) as u64;
        Decoded { consumed: at, ended }
    }

    /// Copies up to and including the next octet of interest.
    fn copy(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        let plain = plain_run(input);
        if plain > 0 {
            self.ends.text();
            out.extend_from_slice(&input[..plain]);
            return plain;
        }
        self.ends.octet(input[0]);
        out.push(input[0]);
        1
    }
}

/// Writes a content for DATA: dots stuffed, every line end CRLF whatever it was, the end of data at the end.
#[derive(Debug)]
pub struct Stuffer {
    line_start: bool,
    after_cr: bool,
}

impl Default for Stuffer {
    fn default() -> Stuffer {
        Stuffer { line_start: true, after_cr: false }
    }
}

impl Stuffer {
    /// Appends the encoded piece to `out`.
    pub fn encode(&mut self, mut piece: &[u8], out: &mut Vec<u8>) {
        while let Some(octet) = piece.first().copied() {
            match octet {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\r' | b'\n' => {
                    out.extend_from_slice(b"\r\n");
                    self.line_start = true;
                    self.after_cr = octet == b'\r';
                }
                _ => {
                    if self.line_start && octet == b'.' {
                        out.push(b'.');
                    }
                    let run = plain_run(piece).max(1);
                    out.extend_from_slice(&piece[..run]);
                    self.line_start = false;
                    self.after_cr = false;
                    piece = &piece[run..];
                    continue;
                }
            }
            piece = &piece[1..];
        }
    }

    /// Ends the last line if it is open, and the data.
    pub fn finish(self, out: &mut Vec<u8>) {
        if !self.line_start {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

/// The law of both codecs: any split decodes alike, no end of data is ever written inside a content, and what is stuffed
/// comes back with CRLF line ends.
pub fn fuzz(octets: &[u8]) {
    let mut wire = Vec::new();
    let mut stuffer = Stuffer::default();
    for piece in octets.chunks(3) {
        stuffer.encode(piece, &mut wire);
    }
    stuffer.finish(&mut wire);
    check_wire(&wire);
    let (content, decoded, found) = unstuffed(&wire, wire.len());
    assert_eq!(decoded, Decoded { consumed: wire.len(), ended: true }, "one message, to its last octet");
    let fault = if octets.contains(&0) { Some(BodyFault::Nul) } else { None };
    assert_eq!(found, fault, "no bare line end is ever written");
    if octets.ends_with(b"\r\n") && looked(octets, 1).is_none() {
        assert_eq!(content, octets, "what was in order is unchanged");
    }
    check_splits(octets);
}

/// Read by any server, however it ends lines: the only line of a dot is the last.
fn check_wire(wire: &[u8]) {
    let text = wire.strip_suffix(b"\r\n").expect("the last line ends");
    let ends = text.split(|octet| matches!(octet, b'\r' | b'\n')).filter(|line| *line == b".").count();
    assert!(ends == 1 && (text == b"." || text.ends_with(b"\r\n.")), "{}", wire.escape_ascii());
}

/// Octets from a client: the same in any split; a content without a fault ends where RFC 5321 4.5.2 says, line by line.
fn check_splits(octets: &[u8]) {
    let whole = unstuffed(octets, octets.len());
    for size in [1, 2, 7] {
        assert_eq!(unstuffed(octets, size), whole, "in pieces of {size}");
        assert_eq!(looked(octets, size), looked(octets, octets.len()), "line ends in pieces of {size}");
    }
    let (content, decoded, fault) = whole;
    if decoded.ended && fault.is_none() {
        let data = octets[..decoded.consumed].strip_suffix(b".\r\n").expect("a dot ends the data");
        let lines = data.split_inclusive(|octet| *octet == b'\n');
        let expected: Vec<u8> = lines.flat_map(|line| line.strip_prefix(b".").unwrap_or(line)).copied().collect();
        assert_eq!(content, expected, "one dot is taken from each line");
        assert!(!data.split_inclusive(|octet| *octet == b'\n').any(|line| line == b".\r\n"), "it ended before");
    }
}

fn unstuffed(wire: &[u8], size: usize) -> (Vec<u8>, Decoded, Option<BodyFault>) {
    let (mut unstuffer, mut content) = (Unstuffer::default(), Vec::new());
    let mut whole = Decoded { consumed: 0, ended: false };
    for piece in wire.chunks(size.max(1)) {
        let decoded = unstuffer.decode(piece, &mut content);
        whole = Decoded { consumed: whole.consumed + decoded.consumed, ended: decoded.ended };
        if whole.ended {
            break;
        }
    }
    assert_eq!(unstuffer.octets(), content.len() as u64, "each octet is counted");
    (content, whole, unstuffer.fault())
}

fn looked(octets: &[u8], size: usize) -> Option<BodyFault> {
    let mut ends = LineEnds::default();
    octets.chunks(size.max(1)).for_each(|piece| ends.look(piece));
    ends.finish();
    ends.fault()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decodes `wire` in pieces of `size`; gives content, octets left over once ended, and the fault.
    fn decode(wire: &[u8], size: usize) -> (Vec<u8>, Option<usize>, Option<BodyFault>) {
        let mut unstuffer = Unstuffer::default();
        let mut content = Vec::new();
        let mut consumed = 0;
        for piece in wire.chunks(size) {
            let decoded = unstuffer.decode(piece, &mut content);
            consumed += decoded.consumed;
            if decoded.ended {
                assert_eq!(unstuffer.octets(), content.len() as u64);
                return (content, Some(wire.len() - consumed), unstuffer.fault());
            }
            assert_eq!(decoded.consumed, piece.len());
        }
        (content, None, unstuffer.fault())
    }

    #[track_caller]
    fn check(wire: &[u8], content: &[u8], left: Option<usize>, fault: Option<BodyFault>) {
        for size in 1..=wire.len() {
            assert_eq!(decode(wire, size), (content.to_vec(), left, fault), "in pieces of {size}");
        }
    }

    #[test]
    fn dots_are_taken_away_at_line_starts_only() {
        check(b"..a.\r\n.b\r\n...\r\n.\r\nQUIT", b".a.\r\nb\r\n..\r\n", Some(4), None);
        check(b".\r\n", b"", Some(0), None);
        check(b"a\r\n.", b"a\r\n", None, None);
    }

    #[test]
    fn bare_line_ends_end_nothing() {
        check(b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n", Some(0), Some(BodyFault::BareLf));
        check(b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n", Some(0), Some(BodyFault::BareCr));
        check(b"a\r\n.\n.\r\n", b"a\r\n\n.\r\n", None, Some(BodyFault::BareLf));
        check(b"a\r\n.\r\r\n.\r\n", b"a\r\n\r\r\n", Some(0), Some(BodyFault::BareCr));
        check(b"\r\r\n.\r\n", b"\r\r\n", Some(0), Some(BodyFault::BareCr));
        check(b"a\r\0\n.\r\n", b"a\r\0\n.\r\n", None, Some(BodyFault::BareCr));
        check(b"\0\r\n.\r\n", b"\0\r\n", Some(0), Some(BodyFault::Nul));
    }

    #[test]
    fn a_stuffer_writes_crlf_only() {
        let stuffed = |content: &[u8]| {
            let mut out = Vec::new();
            let mut stuffer = Stuffer::default();
            stuffer.encode(content, &mut out);
            stuffer.finish(&mut out);
            out
        };
        assert_eq!(stuffed(b""), b".\r\n");
        assert_eq!(stuffed(b".\r\n.a"), b"..\r\n..a\r\n.\r\n");
        assert_eq!(stuffed(b"a\n.\nb\r.\rc\r\n"), b"a\r\n..\r\nb\r\n..\r\nc\r\n.\r\n");
    }

    fn noisy() -> impl Strategy<Value = Vec<u8>> {
        let octet = prop_oneof![prop::sample::select(&b"\r\n.\r\n.a\0"[..]), Just(b'x'), any::<u8>(),];
        prop::collection::vec(octet, 0..300)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn stuffing_and_unstuffing_are_inverse(octets in noisy()) {
            fuzz(&octets);
            let mut lines = octets;
            lines.retain(|octet| *octet != b'\r' && *octet != b'\n');
            fuzz(&lines.chunks(7).collect::<Vec<_>>().join(&b"\r\n"[..]));
            fuzz(&[&lines.chunks(5).collect::<Vec<_>>().join(&b"\r\n."[..])[..], b"\r\n"].concat());
        }

        #[test]
        fn any_split_decodes_alike(octets in noisy(), size in 1usize..40) {
            prop_assert_eq!(decode(&octets, size), decode(&octets, octets.len().max(1)));
        }

        #[test]
        fn line_ends_are_judged_alike_in_both_codecs(octets in noisy(), size in 1usize..40) {
            let mut ends = LineEnds::default();
            octets.chunks(size).for_each(|piece| ends.look(piece));
            let mut naive = None;
            for at in 0..octets.len() {
                let before = at.checked_sub(1).map(|at| octets[at]);
                let fault = match octets[at] {
                    b'\n' if before != Some(b'\r') => Some(BodyFault::BareLf),
                    octet if before == Some(b'\r') && octet != b'\n' => Some(BodyFault::BareCr),
                    0 => Some(BodyFault::Nul),
                    _ => None,
                };
                naive = naive.or(fault);
            }
            prop_assert_eq!(ends.fault(), naive);
        }
    }
}
