"""What sections of a message are, as Python's `email` cuts them: the reference for BODY[…] and BINARY[…].

`email` keeps the lines of a header and the text of a leaf, so a message can be put together from its parts again. Where that
gives the octets that came, its cuts are exact and every section has to be the same octets; where it does not (space behind a
delimiter, a header without blank line, …), only leaves are compared. Python standard library only.
"""

import binascii
import email
import email._encoded_words
import email.errors
import email.policy
import re


class _Raw(str):
    """A header value with the lines it came in."""


class _Keeping(email.policy.Compat32):
    def header_source_parse(self, sourcelines):
        name, value = super().header_source_parse(sourcelines)
        kept = _Raw(value)
        kept.lines = "".join(sourcelines)
        return name, kept


KEEPING = _Keeping()
DECODABLE = ("", "7bit", "8bit", "binary", "base64", "quoted-printable")


def octets_of(text):
    return (text or "").encode("ascii", "surrogateescape")


def is_multipart(part):
    return part.get_content_maintype() == "multipart" and part.is_multipart()


def is_message(part):
    return part.get_content_type() in ("message/rfc822", "message/global") and part.is_multipart()


def fields_of(part):
    unix_from = octets_of(part.get_unixfrom()) + b"\r\n" if part.get_unixfrom() else b""
    return unix_from + b"".join(octets_of(value.lines) for _, value in part._headers)


def header_of(part):
    return fields_of(part) + b"\r\n"


def is_status(part):
    """`email` reads the groups of fields of a delivery status as messages."""
    return part.get_content_type() == "message/delivery-status" and part.is_multipart()


def body_of(part):
    if part.get_content_maintype() == "message" and part.is_multipart() and not is_status(part):
        # `email` looks into every other type of message, too.
        return whole(part.get_payload(0))
    if is_status(part):
        return b"\r\n".join(fields_of(group) + octets_of(group._payload) for group in part.get_payload())
    if not part.is_multipart():
        return octets_of(part._payload)
    boundary = octets_of(part.get_boundary())
    pieces = []
    if part.preamble is not None:
        pieces.append(octets_of(part.preamble) + b"\r\n")
    opening, closing = b"--" + boundary + b"\r\n", b"--" + boundary + b"--"
    pieces.append(opening + (b"\r\n" + opening).join(whole(child) for child in part.get_payload()))
    pieces.append(b"\r\n" + closing)
    if part.epilogue is not None:
        pieces.append(b"\r\n" + octets_of(part.epilogue))
    return b"".join(pieces)


def whole(part):
    return header_of(part) + body_of(part)


def parse(raw):
    message = email.message_from_bytes(raw, policy=KEEPING)
    if message.epilogue == "" and not raw.endswith(b"\n"):
        # `email` adds the line end that would stand there.
        message.epilogue = None
    return message


def is_exact(message, raw):
    """Is the message, put together from its parts, what it was?"""
    try:
        return whole(message) == raw
    except (AttributeError, TypeError):
        return False


def is_open(part):
    """Is it a multipart whose closing delimiter never comes? `email` then takes the last line end off the last part, which is
    that part's (RFC 2046 5.1.1 gives a line end to a delimiter, and there is none)."""
    return any(isinstance(defect, email.errors.CloseBoundaryNotFoundDefect) for defect in part.defects)


def last_leaf(part):
    while part.is_multipart() and part.get_payload():
        part = part.get_payload()[-1]
    return part


def parts_of(message, prefix=""):
    """(number, part) of each part as RFC 9051 6.4.5.1 numbers them."""
    if not is_multipart(message):
        yield f"{prefix}1", message
        if is_message(message):
            yield from parts_of(message.get_payload(0), f"{prefix}1.")
        return
    for index, child in enumerate(message.get_payload(), 1):
        number = f"{prefix}{index}"
        yield number, child
        if is_multipart(child):
            yield from parts_of(child, number + ".")
        elif is_message(child):
            yield from parts_of(child.get_payload(0), number + ".")


def encoding_of(part):
    return str(part.get("content-transfer-encoding", "")).split(";")[0].strip().lower()


def expected(message, exact):
    """section -> octets, or None for a section that is NIL; BINARY sections as "BINARY[…]"."""
    found = {}
    cut_short = [last_leaf(part) for part in message.walk() if is_open(part)]
    if exact:
        found["BODY[HEADER]"], found["BODY[TEXT]"] = header_of(message), body_of(message)
    for number, part in parts_of(message):
        if any(part is leaf for leaf in cut_short):
            continue
        if exact or not part.is_multipart():
            found[f"BODY[{number}]"] = body_of(part)
        if exact and part is not message:
            found[f"BODY[{number}.MIME]"] = header_of(part)
        if exact and is_message(part):
            inner = part.get_payload(0)
            found[f"BODY[{number}.HEADER]"], found[f"BODY[{number}.TEXT]"] = header_of(inner), body_of(inner)
        elif exact:
            found[f"BODY[{number}.HEADER]"] = found[f"BODY[{number}.TEXT]"] = None
        if not part.is_multipart() and encoding_of(part) in DECODABLE:
            found[f"BINARY[{number}]"] = decoded(part)
    return found


def decoded(part):
    """As Python decodes; everything that is not encoded is what it is."""
    body, encoding = body_of(part), encoding_of(part)
    if encoding == "base64":
        return email._encoded_words.decode_b(b"".join(body.splitlines()))[0]
    if encoding == "quoted-printable":
        # RFC 2045 6.7 (3): space at the end of a line was added by transport. Python keeps it.
        return binascii.a2b_qp(re.sub(rb"[ \t]+(?=\r?\n|$)", b"", body))
    return body
