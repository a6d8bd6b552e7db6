//! Commands made at random from the grammar: each is read, each of its prefixes is incomplete, and `imap-codec` means the same
//! by it.

use imap_codec::CommandCodec;
use imap_codec::decode::Decoder;
use imap_codec::encode::Encoder;

use super::{Coding, NoCommand, command, whole_append};
use crate::imap::session::Dice;

/// Words of commands that `imap-codec` does not know.
const UNKNOWN: &[&str] = &[
    "RETURN (",
    "CANCELUPDATE",
    "NOTIFY",
    " (USE (",
    "$",
    "LIST (",
    " (CONDSTORE)",
    "PREVIEW",
    "SAVEDATE",
    "EMAILID",
    "THREADID",
    "MAILBOXID",
    "APPENDLIMIT",
    "CATENATE",
    "REPLACE",
    "9223372036854775807",
];

struct Maker(Dice);

impl Maker {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.0.roll(of.len())]
    }

    fn number(&mut self) -> String {
        (1 + self.0.roll(3_000)).to_string()
    }

    /// An astring in any of its forms.
    fn text(&mut self) -> String {
        let word = self.one(&["x", "Sent", "a/b", "INBOX", "toto-j", "R&-D"]);
        match self.0.roll(4) {
            0 => format!("\"{word} \\\\ \\\"q\\\"\""),
            1 => format!("{{{}}}\r\n{word}", word.len()),
            2 => format!("{{{}+}}\r\n{word} ", word.len() + 1),
            _ => word.to_owned(),
        }
    }

    fn name(&mut self) -> String {
        let word = self.one(&["Sent", "a/b", "INBOX", "R&-D"]);
        match self.0.roll(3) {
            0 => format!("\"{word}\""),
            1 => format!("{{{}}}\r\n{word}", word.len()),
            _ => word.to_owned(),
        }
    }

    fn list(&mut self, of: &[&str]) -> String {
        let count = 1 + self.0.roll(4);
        let words: Vec<&str> = (0..count).map(|_| self.one(of)).collect();
        format!("({})", words.join(" "))
    }

    fn set(&mut self) -> String {
        let count = 1 + self.0.roll(3);
        let ranges: Vec<String> = (0..count)
            .map(|_| match self.0.roll(4) {
                0 => format!("{}:*", self.number()),
                1 => format!("{}:{}", self.number(), self.number()),
                2 => "*".to_owned(),
                _ => self.number(),
            })
            .collect();
        ranges.join(",")
    }

    fn section(&mut self) -> String {
        let part = self.one(&["", "1", "2.3", "1.1.1"]);
        let text = self.one(&["", "HEADER", "TEXT", "MIME", "HEADER.FIELDS (Date \"X-Y\")", "HEADER.FIELDS.NOT (To)"]);
        match (part, text) {
            ("", "MIME") => "[TEXT]".to_owned(),
            (part, "") => format!("[{part}]"),
            ("", text) => format!("[{text}]"),
            (part, text) => format!("[{part}.{text}]"),
        }
    }

    fn item(&mut self) -> String {
        match self.0.roll(5) {
            0 => format!("BODY{}", self.section()),
            1 => format!("BODY.PEEK{}<{}.{}>", self.section(), self.number(), self.number()),
            2 => self.one(&["BINARY[1.2]", "BINARY.PEEK[3]<1.9>", "BINARY.SIZE[4]"]).to_owned(),
            3 => self.one(&["PREVIEW", "PREVIEW (LAZY)", "SAVEDATE", "EMAILID", "THREADID"]).to_owned(),
            _ => {
                let simple =
                    ["FLAGS", "UID", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE", "RFC822.HEADER"];
                self.one(&simple).to_owned()
            }
        }
    }

    fn key(&mut self, depth: usize) -> String {
        match self.0.roll(if depth == 0 { 6 } else { 9 }) {
            0 => self.one(&["ALL", "SEEN", "UNDELETED", "FLAGGED", "DRAFT", "UNANSWERED"]).to_owned(),
            1 => format!("{} {}", self.one(&["FROM", "TO", "SUBJECT", "BODY", "TEXT", "CC", "BCC"]), self.text()),
            2 => format!(
                "{} {}",
                self.one(&["SINCE", "BEFORE", "ON", "SENTON"]),
                self.one(&["1-Jan-2020", "\"28-Feb-1999\""])
            ),
            3 => format!("{} {}", self.one(&["LARGER", "SMALLER"]), self.number()),
            4 => format!("UID {}", self.set()),
            5 => format!("HEADER X-Y {}", self.text()),
            6 => format!("NOT {}", self.key(depth - 1)),
            7 => format!("OR {} {}", self.key(depth - 1), self.key(depth - 1)),
            _ => format!("({} {})", self.key(depth - 1), self.key(depth - 1)),
        }
    }

    fn uid(&mut self) -> &'static str {
        self.one(&["", "UID "])
    }

    fn command(&mut self) -> String {
        let body = match self.0.roll(15) {
            0 => {
                self.one(&["CAPABILITY", "NOOP", "LOGOUT", "CHECK", "CLOSE", "EXPUNGE", "IDLE", "UNSELECT"]).to_owned()
            }
            1 => format!("LOGIN {} {}", self.text(), self.text()),
            2 => format!("{} {}", self.one(&["SELECT", "EXAMINE", "DELETE", "SUBSCRIBE", "GETQUOTAROOT"]), self.name()),
            3 => format!("RENAME {} {}", self.name(), self.name()),
            4 => format!("LIST {} {}", self.one(&["\"\"", "a/"]), self.one(&["*", "%", "\"a%\"", "{2}\r\nb*"])),
            5 => {
                format!("STATUS {} {}", self.name(), self.list(&["MESSAGES", "UIDNEXT", "UNSEEN", "SIZE", "MAILBOXID"]))
            }
            6 => format!("{}FETCH {} {}", self.uid(), self.set(), self.one(&["ALL", "FULL", "FAST"])),
            7 => format!("{}FETCH {} ({} {})", self.uid(), self.set(), self.item(), self.item()),
            8 => format!("{}FETCH {} {}", self.uid(), self.set(), self.item()),
            9 => {
                let what = self.one(&["FLAGS", "+FLAGS.SILENT", "-FLAGS"]);
                format!(
                    "{}STORE {} {what} {}",
                    self.uid(),
                    self.set(),
                    self.list(&["\\Seen", "\\Deleted", "$x", "work"])
                )
            }
            10 => format!("{}{} {} {}", self.uid(), self.one(&["COPY", "MOVE"]), self.set(), self.name()),
            11 => format!("{}SEARCH {} {}", self.uid(), self.key(3), self.key(1)),
            12 => format!("{}SEARCH CHARSET UTF-8 {}", self.uid(), self.key(2)),
            13 => self
                .one(&[
                    "ENABLE UTF8=ACCEPT",
                    "ID NIL",
                    "ID (\"name\" \"x\")",
                    "NAMESPACE",
                    "GETQUOTA \"\"",
                    "CANCELUPDATE \"x\" \"y\"",
                    "SEARCH RETURN (UPDATE (UID BODY[TEXT]) COUNT) SEEN",
                    "UID SORT RETURN (CONTEXT UPDATE) (REVERSE DATE) UTF-8 ALL",
                    "NOTIFY SET STATUS (selected (MessageNew (UID) MessageExpunge)) (subtree (a b) NONE)",
                ])
                .to_owned(),
            _ => {
                let verb = self.one(&["APPEND", "REPLACE 4", "UID REPLACE 4"]);
                let (name, text, options) =
                    (self.name(), self.text(), self.one(&["", " (\\Seen)", " \"17-Jul-1996 02:44:25 -0700\""]));
                format!("{verb} {name}{options} CATENATE (URL {text} URL {})", self.text())
            }
        };
        format!("{} {body}\r\n", self.one(&["a", "A1.b", "x]"]))
    }
}

/// Is the command whole? Commands that stream are read by another parser.
fn read(octets: &[u8]) -> Result<String, NoCommand> {
    if let Some(append) = whole_append(octets, Coding::Utf7) {
        return Ok(format!("{append:?}"));
    }
    command(octets, Coding::Utf7).map(|(rest, tagged)| {
        assert!(rest.is_empty(), "{}", octets.escape_ascii());
        format!("{tagged:?}")
    })
}

#[test]
fn generated_commands_are_read_and_each_prefix_is_incomplete() {
    let mut maker = Maker(Dice(0x5EED_0001));
    for _ in 0..2_000 {
        let text = maker.command();
        assert!(read(text.as_bytes()).is_ok(), "{text:?}: {:?}", read(text.as_bytes()));
        let streams = text.contains("CATENATE");
        for end in 0..text.len() {
            let prefix = &text.as_bytes()[..end];
            match streams {
                true => assert!(super::append::append(Coding::Utf7)(prefix).is_err_and(|error| error.is_incomplete())),
                false => assert_eq!(command(prefix, Coding::Utf7), Err(NoCommand::Incomplete), "{:?}", &text[..end]),
            }
        }
    }
}

#[test]
fn imap_codec_means_the_same_by_them() {
    let mut maker = Maker(Dice(0x5EED_0002));
    let mut judged = 0;
    for _ in 0..2_000 {
        let text = maker.command();
        if UNKNOWN.iter().any(|word| text.contains(word)) {
            continue;
        }
        let codec = CommandCodec::default();
        let (rest, theirs) = codec.decode(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
        assert!(rest.is_empty(), "{text:?}");
        let written = codec.encode(&theirs).dump();
        assert_eq!(read(&written), read(text.as_bytes()), "{text:?} and {}", written.escape_ascii());
        judged += 1;
    }
    assert!(judged > 1_000, "{judged}");
}
