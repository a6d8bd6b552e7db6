"""A strict parser of `body` and `envelope` of RFC 9051 section 9, on bytes with literals. Python standard library only.

It accepts what the grammar says and nothing else: `parse` for BODY and BODYSTRUCTURE, `parse_envelope` for ENVELOPE.
`python3 bodystructure.py --self-test` shows that good examples pass and bad ones do not.

Beyond the ABNF it refuses what is legal letter by letter and always a mistake: a single part of type multipart or
message/rfc822 without its inside, and groups of addresses that do not end.
"""

import dataclasses
import sys

NUMBER_MAX = 2**32 - 1      # number
NUMBER64_MAX = 2**63 - 1    # number64


class Malformed(ValueError):
    """What is wrong, and at which octet."""

    def __init__(self, reason, offset):
        super().__init__(f"{reason} at octet {offset}")
        self.reason = reason
        self.offset = offset


@dataclasses.dataclass
class Address:
    name: bytes | None
    adl: bytes | None
    mailbox: bytes | None
    host: bytes | None


@dataclasses.dataclass
class Envelope:
    date: bytes | None
    subject: bytes | None
    sender_lists: dict      # from, sender, reply_to, to, cc, bcc -> list of Address
    in_reply_to: bytes | None
    message_id: bytes | None


@dataclasses.dataclass
class Part:
    """`kind` is "text", "message", "basic" or "multipart". A multipart has no octets, only text and messages have lines."""

    kind: str
    type: bytes
    subtype: bytes
    params: list = dataclasses.field(default_factory=list)
    id: bytes | None = None
    description: bytes | None = None
    encoding: bytes | None = None
    octets: int | None = None
    lines: int | None = None
    envelope: Envelope | None = None
    inside: "Part | None" = None
    parts: list = dataclasses.field(default_factory=list)
    extended: bool = False
    md5: bytes | None = None
    disposition: tuple | None = None
    language: list | None = None
    location: bytes | None = None

    def media_type(self):
        return (self.type + b"/" + self.subtype).decode("latin-1").lower()


def parse(data, extended=None, utf8=False):
    """The tree of a whole BODY or BODYSTRUCTURE. `extended`: True demands extension data in every part, False refuses it.
    `utf8`: UTF-8 is legal in quoted strings, as after ENABLE IMAP4rev2 or UTF8=ACCEPT."""
    reader = _Reader(data, extended, utf8)
    part = reader.body()
    reader.end()
    return part


def parse_envelope(data, utf8=False):
    reader = _Reader(data, None, utf8)
    envelope = reader.envelope()
    reader.end()
    return envelope


def walk(part):
    """Yields (number, Part) for each part that BODY[number] can name, in the order of the message (RFC 9051 6.4.5.1)."""
    if part.kind == "multipart":
        yield from _walk_children(part, "")
    else:
        yield "1", part
        yield from _walk_inside(part, "1")


def _walk_children(part, prefix):
    for index, child in enumerate(part.parts, 1):
        number = f"{prefix}{index}"
        yield number, child
        if child.kind == "multipart":
            yield from _walk_children(child, number + ".")
        else:
            yield from _walk_inside(child, number)


def _walk_inside(part, number):
    if part.kind == "message":
        for inner, child in walk(part.inside):
            yield f"{number}.{inner}", child


class _Reader:
    """Recursive descent, one method per rule of the grammar."""

    def __init__(self, data, extended, utf8):
        self.data = data
        self.at = 0
        self.extended = extended
        self.utf8 = utf8

    # body = "(" (body-type-1part / body-type-mpart) ")"
    def body(self):
        self.expect(b"(")
        part = self.multipart() if self.peek() == b"(" else self.single()
        self.expect(b")")
        return part

    # body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
    def multipart(self):
        parts = []
        while self.peek() == b"(":
            parts.append(self.body())
        self.expect(b" ")
        part = Part("multipart", b"multipart", self.nonempty_string(), parts=parts)
        if self.more_extension():
            part.params = self.params()
            self.dispositions_and_on(part)
        return part

    # body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
    def single(self):
        start = self.at
        main = self.nonempty_string()
        main_quoted = self.data[start:start + 1] == b'"'
        self.expect(b" ")
        sub_start = self.at
        sub = self.nonempty_string()
        sub_quoted = self.data[sub_start:sub_start + 1] == b'"'
        kind = {b"text": "text", b"message": "message"}.get(main.lower(), "basic")
        if kind == "message" and sub.lower() not in (b"rfc822", b"global"):
            kind = "basic"
        if main.lower() == b"multipart":
            raise Malformed("a multipart without parts", start)
        # media-text and media-message spell their words in quotes; a literal is another rule.
        if kind != "basic" and not (main_quoted and (sub_quoted or kind == "text")):
            raise Malformed("the media type of text or message as a literal", start)
        self.expect(b" ")
        part = Part(kind, main, sub)
        self.fields(part)
        if kind == "message":
            self.expect(b" ")
            part.envelope = self.envelope()
            self.expect(b" ")
            part.inside = self.body()
        if kind in ("message", "text"):
            self.expect(b" ")
            part.lines = self.number(NUMBER64_MAX)
        if self.more_extension():
            part.md5 = self.nstring()
            self.dispositions_and_on(part)
        return part

    # body-fields
    def fields(self, part):
        part.params = self.params()
        self.expect(b" ")
        part.id = self.nstring()
        self.expect(b" ")
        part.description = self.nstring()
        self.expect(b" ")
        part.encoding = self.nonempty_string()
        self.expect(b" ")
        part.octets = self.number(NUMBER_MAX)

    def more_extension(self):
        present = self.peek() == b" "
        if self.extended is not None and present != self.extended:
            raise Malformed("extension data " + ("where none may be" if present else "missing"), self.at)
        if present:
            self.expect(b" ")
        return present

    # [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]
    def dispositions_and_on(self, part):
        part.extended = True
        for rule in (self.disposition, self.language, self.location):
            if self.peek() != b" ":
                return
            self.expect(b" ")
            rule(part)
        while self.peek() == b" ":
            self.expect(b" ")
            self.extension(0)

    # body-fld-dsp = "(" string SP body-fld-param ")" / nil
    def disposition(self, part):
        if self.peek() != b"(":
            return self.nil()
        self.expect(b"(")
        kind = self.string()
        self.expect(b" ")
        part.disposition = (kind, self.params())
        self.expect(b")")

    # body-fld-lang = nstring / "(" string *(SP string) ")"
    def language(self, part):
        if self.peek() != b"(":
            one = self.nstring()
            part.language = None if one is None else [one]
            return
        self.expect(b"(")
        part.language = [self.string()]
        while self.peek() == b" ":
            self.expect(b" ")
            part.language.append(self.string())
        self.expect(b")")

    # body-fld-loc = nstring
    def location(self, part):
        part.location = self.nstring()

    # body-extension = nstring / number / number64 / "(" body-extension *(SP body-extension) ")"
    def extension(self, depth):
        if depth > 100:
            raise Malformed("extension data too deep", self.at)
        if self.peek() == b"(":
            self.expect(b"(")
            self.extension(depth + 1)
            while self.peek() == b" ":
                self.expect(b" ")
                self.extension(depth + 1)
            self.expect(b")")
        elif self.peek().isdigit():
            self.number(NUMBER64_MAX)
        else:
            self.nstring()

    # body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
    def params(self):
        if self.peek() != b"(":
            self.nil()
            return []
        self.expect(b"(")
        params = []
        while True:
            name = self.string()
            self.expect(b" ")
            params.append((name, self.string()))
            if self.peek() != b" ":
                break
            self.expect(b" ")
        self.expect(b")")
        return params

    # envelope
    def envelope(self):
        self.expect(b"(")
        date = self.nstring()
        self.expect(b" ")
        subject = self.nstring()
        lists = {}
        for name in ("from", "sender", "reply_to", "to", "cc", "bcc"):
            self.expect(b" ")
            lists[name] = self.addresses()
        self.expect(b" ")
        in_reply_to = self.nstring()
        self.expect(b" ")
        message_id = self.nstring()
        self.expect(b")")
        return Envelope(date, subject, lists, in_reply_to, message_id)

    # env-from and so on = "(" 1*address ")" / nil
    def addresses(self):
        if self.peek() != b"(":
            self.nil()
            return []
        start = self.at
        self.expect(b"(")
        found = [self.address()]
        while self.peek() == b"(":
            found.append(self.address())
        self.expect(b")")
        in_group = False
        for address in found:
            if address.host is None:
                opens = address.mailbox is not None
                if opens == in_group:
                    raise Malformed("groups of addresses do not match", start)
                in_group = opens
            elif address.mailbox is None:
                raise Malformed("an address with a host and no mailbox", start)
        if in_group:
            raise Malformed("a group of addresses does not end", start)
        return found

    # address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
    def address(self):
        self.expect(b"(")
        pieces = [self.nstring()]
        for _ in range(3):
            self.expect(b" ")
            pieces.append(self.nstring())
        self.expect(b")")
        return Address(*pieces)

    # nstring = string / nil
    def nstring(self):
        if self.peek() in (b'"', b"{"):
            return self.string()
        return self.nil()

    def nil(self):
        if self.data[self.at:self.at + 3].upper() != b"NIL":
            raise Malformed("neither a string nor NIL", self.at)
        self.at += 3

    def nonempty_string(self):
        start = self.at
        text = self.string()
        if not text:
            raise Malformed("an empty word", start)
        return text

    # string = quoted / literal
    def string(self):
        if self.peek() == b'"':
            return self.quoted()
        if self.peek() == b"{":
            return self.literal()
        raise Malformed("no string", self.at)

    # quoted = DQUOTE *QUOTED-CHAR DQUOTE
    def quoted(self):
        start = self.at
        self.expect(b'"')
        text = bytearray()
        while True:
            byte = self.take(1)
            if byte == b'"':
                break
            if byte == b"\\":
                byte = self.take(1)
                if byte not in (b'"', b"\\"):
                    raise Malformed("a backslash before an ordinary octet", self.at - 1)
            elif byte in (b"\r", b"\n", b"\0"):
                raise Malformed("CR, LF or NUL in a quoted string", self.at - 1)
            text += byte
        if any(byte >= 0x80 for byte in text):
            if not self.utf8:
                raise Malformed("an 8-bit octet in a quoted string", start)
            try:
                text.decode("utf-8")
            except UnicodeDecodeError:
                raise Malformed("a quoted string that is no UTF-8", start) from None
        return bytes(text)

    # literal = "{" number64 "}" CRLF *CHAR8; the "+" is for clients only.
    def literal(self):
        self.expect(b"{")
        length = self.number(NUMBER64_MAX)
        self.expect(b"}")
        self.expect(b"\r")
        self.expect(b"\n")
        text = self.take(length)
        if b"\0" in text:
            raise Malformed("NUL in a literal", self.at - length)
        return text

    def number(self, most):
        start = self.at
        while self.peek().isdigit():
            self.at += 1
        digits = self.data[start:self.at]
        if not digits:
            raise Malformed("no number", start)
        if len(digits) > 20 or int(digits) > most:
            raise Malformed("a number too large", start)
        return int(digits)

    def peek(self):
        return self.data[self.at:self.at + 1]

    def take(self, length):
        text = self.data[self.at:self.at + length]
        if len(text) < length:
            raise Malformed("the data ends early", len(self.data))
        self.at += length
        return text

    def expect(self, byte):
        if self.peek() != byte:
            raise Malformed(f"{byte!r} expected, {self.peek()!r} found", self.at)
        self.at += 1

    def end(self):
        if self.at != len(self.data):
            raise Malformed("something behind the end", self.at)


_FIELDS = b'NIL NIL NIL "7BIT" 10'
_TEXT = b'"TEXT" "PLAIN" ' + _FIELDS + b" 2"
_ENVELOPE = b"(" + b"NIL " * 9 + b"NIL)"
_FROM = b'(NIL NIL (%s) NIL NIL NIL NIL NIL NIL NIL)'

GOOD_BODIES = [
    b"(" + _TEXT + b")",
    b'("text" "plain" ("charset" "us-ascii" "x" "") NIL NIL "base64" 4294967295 9223372036854775807)',
    b"(" + _TEXT + b" NIL NIL NIL NIL)",
    b"(" + _TEXT + b' "md5" ("inline" ("a" "b")) ("en" "fr") "loc" NIL 7 (NIL (1 "x")))',
    b"(" + _TEXT + b' NIL ("attachment" NIL) "en")',
    b'("IMAGE" {3}\r\npng ("name" {2}\r\n\xc3\xa9) {4}\r\na\r\nb nil "8BIT" 0)',
    b'("x-odd" "y" ' + _FIELDS + b")",
    b'("message" "delivery-status" ' + _FIELDS + b")",
    b"((" + _TEXT + b')("IMAGE" "PNG" ' + _FIELDS + b') "MIXED")',
    b"((" + _TEXT + b') "MIXED" ("boundary" "b") NIL NIL NIL)',
    b"((" + _TEXT + b') "MIXED" NIL)',
    b'("MESSAGE" "RFC822" ' + _FIELDS + b" " + _ENVELOPE + b" (" + _TEXT + b") 7)",
    b'("MESSAGE" "GLOBAL" ' + _FIELDS + b" " + _ENVELOPE + b" ((" + _TEXT + b') "MIXED") 7 NIL)',
    b'("text" "plain" NIL NIL "a \\"b\\" \\\\" "7bit" 0 0)',
]
GOOD_ENVELOPES = [
    _ENVELOPE,
    _FROM % b'("N" NIL "m" "h")(NIL "@a,@b" "m" "")',
    _FROM % b'(NIL NIL "g" NIL)("N" NIL "m" "h")(NIL NIL NIL NIL)(NIL NIL "m" "h")',
    b'("d" {1}\r\n\xff' + b" NIL" * 6 + b' "r" "<i>")',
]
BAD_BODIES = [
    b"",
    b"()",
    b"NIL",
    _TEXT,
    b"(" + _TEXT,
    b"(" + _TEXT + b"))",
    b" (" + _TEXT + b")",
    b"(" + _TEXT + b" )",
    b'("TEXT"  "PLAIN" ' + _FIELDS + b" 2)",
    b'("TEXT" "PLAIN" ' + _FIELDS + b")",
    b'("IMAGE" "PNG" ' + _FIELDS + b" 2)",
    b'(TEXT "PLAIN" ' + _FIELDS + b" 2)",
    b'("TEXT" NIL ' + _FIELDS + b" 2)",
    b'("TEXT" "" ' + _FIELDS + b" 2)",
    b'({4}\r\nTEXT "PLAIN" ' + _FIELDS + b" 2)",
    b'("TEXT" "PLAIN" () NIL NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" ("charset") NIL NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" ("charset" NIL) NIL NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" ("a" "b" ) NIL NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" (("a" "b")) NIL NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" NIL NIL NIL NIL 10 2)',
    b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" -1 2)',
    b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4294967296 2)',
    b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 10 9223372036854775808)',
    b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" "10" 2)',
    b'("TEXT" "PLAIN" NIL "a\r\nb" NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" NIL "a\\b" NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" NIL "\xc3\xa9" NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" NIL "a\0b" NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" NIL {3}\r\na\0b NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" NIL {1+}\r\na NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" NIL {1}\na NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" NIL {99}\r\na NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" NIL {2}\r\na NIL "7BIT" 10 2)',
    b'("TEXT" "PLAIN" NIL a NIL "7BIT" 10 2)',
    b"(" + _TEXT + b" NIL inline)",
    b"(" + _TEXT + b' NIL ("inline"))',
    b"(" + _TEXT + b" NIL (NIL NIL))",
    b"(" + _TEXT + b" NIL NIL ())",
    b"(" + _TEXT + b" NIL NIL (NIL))",
    b'("multipart" "mixed" ' + _FIELDS + b")",
    b'("message" "rfc822" ' + _FIELDS + b")",
    b'("MESSAGE" "RFC822" ' + _FIELDS + b" " + _ENVELOPE + b" (" + _TEXT + b"))",
    b'("MESSAGE" "RFC822" ' + _FIELDS + b" NIL (" + _TEXT + b") 7)",
    b'("MESSAGE" "RFC822" ' + _FIELDS + b" " + _ENVELOPE + b" NIL 7)",
    b'( "MIXED")',
    b"((" + _TEXT + b") NIL)",
    b"((" + _TEXT + b'))',
    b"((" + _TEXT + b')"MIXED")',
    b"((" + _TEXT + b") (" + _TEXT + b') "MIXED")',
    b"((" + _TEXT + b') "MIXED" ())',
    b"(NIL " + _TEXT + b")",
]
BAD_ENVELOPES = [
    b"NIL",
    b"(" + b"NIL " * 8 + b"NIL)",
    b"(" + b"NIL " * 10 + b"NIL)",
    b"(" + b"NIL  " + b"NIL " * 8 + b"NIL)",
    _FROM % b"",
    _FROM % b'("N" NIL "m" "h") ("N" NIL "m" "h")',
    _FROM % b'("N" NIL "m")',
    _FROM % b'("N" NIL NIL "h")',
    _FROM % b'(NIL NIL "g" NIL)("N" NIL "m" "h")',
    _FROM % b"(NIL NIL NIL NIL)",
    _FROM % b'(NIL NIL "g" NIL)(NIL NIL "g" NIL)(NIL NIL NIL NIL)',
    _FROM % b'(NIL NIL "m" h)',
]


def self_test():
    for good in GOOD_BODIES:
        parse(good)
    for good in GOOD_ENVELOPES:
        parse_envelope(good)
    rejected = 0
    for bad, parser in [(bad, parse) for bad in BAD_BODIES] + [(bad, parse_envelope) for bad in BAD_ENVELOPES]:
        try:
            parser(bad)
        except Malformed:
            rejected += 1
        else:
            raise AssertionError(f"accepted: {bad!r}")
    for extended, body in ((True, b"(" + _TEXT + b")"), (False, b"(" + _TEXT + b" NIL)")):
        try:
            parse(body, extended=extended)
        except Malformed:
            rejected += 1
        else:
            raise AssertionError(f"accepted with extended={extended}: {body!r}")
    for cut in range(len(GOOD_BODIES[3])):
        try:
            parse(GOOD_BODIES[3][:cut])
        except Malformed:
            rejected += 1
        else:
            raise AssertionError(f"accepted the first {cut} octets of {GOOD_BODIES[3]!r}")
    nested = parse(b"((" + _TEXT + b')("MESSAGE" "RFC822" ' + _FIELDS + b" " + _ENVELOPE + b" ((" + _TEXT
                   + b')((' + _TEXT + b') "ALT") "MIXED") 7)("MESSAGE" "RFC822" ' + _FIELDS + b" " + _ENVELOPE
                   + b" (" + _TEXT + b') 7) "MIXED")')
    assert [number for number, _ in walk(nested)] == ["1", "2", "2.1", "2.2", "2.2.1", "3", "3.1"]
    assert [number for number, _ in walk(nested.parts[0])] == ["1"]
    assert parse('("text" "plain" NIL "é" NIL "7bit" 0 0)'.encode(), utf8=True).id == "é".encode()
    print(f"bodystructure: {len(GOOD_BODIES) + len(GOOD_ENVELOPES)} good examples accepted, {rejected} bad ones rejected")


if __name__ == "__main__":
    if sys.argv[1:] != ["--self-test"]:
        sys.exit("usage: bodystructure.py --self-test")
    self_test()
