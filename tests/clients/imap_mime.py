"""Every message of the corpus through a running server: delivered by APPEND, announced by BODYSTRUCTURE, fetched part by part.

The strict parser accepts the structure, each BODY[part] it names has the announced octets and lines, and media types and
parts are those of Python's `email` unless `bodystructure-differences.txt` names the message. Usage: imap_mime.py DESCRIBE_JSON.
"""

import json
import re
import sys

import bodystructure
import corpus
import imap_flow
import mime_compare

MAILBOX = "INBOX"


def fetched(imap, number, items):
    """The answer to one FETCH as one piece of octets, literals in place."""
    data = imap_flow.ok(imap.fetch(str(number), items))
    pieces = []
    for piece in data:
        pieces.append(piece[0] + b"\r\n" + piece[1] if isinstance(piece, tuple) else piece)
    return b"".join(pieces)


def value_of(answer, item):
    """What follows the item's name; the value ends where the answer's last parenthesis does."""
    at = answer.index(item + b" ") + len(item) + 1
    assert answer.endswith(b")"), answer[-40:]
    return answer[at:-1]


def part_of(imap, number, section):
    data = imap_flow.ok(imap.fetch(str(number), f"(BODY.PEEK[{section}])"))
    first = data[0]
    if isinstance(first, tuple):
        return first[1]
    quoted = re.search(rb'BODY\[[^\]]*\] (?:"((?:[^"\\]|\\.)*)"|NIL)\)$', first)
    assert quoted, first
    return re.sub(rb"\\(.)", rb"\1", quoted.group(1) or b"")


def faults_of(imap, number, raw):
    """What is wrong, and how the structure differs from `email`."""
    answer = value_of(fetched(imap, number, "(BODYSTRUCTURE)"), b"BODYSTRUCTURE")
    plain = value_of(fetched(imap, number, "(BODY)"), b"BODY")
    envelope = value_of(fetched(imap, number, "(ENVELOPE)"), b"ENVELOPE")
    try:
        part = bodystructure.parse(answer, extended=True)
        bodystructure.parse(plain, extended=False)
        bodystructure.parse_envelope(envelope)
    except bodystructure.Malformed as problem:
        return [f"grammar: {problem}"], None
    faults = []
    if part_of(imap, number, "") != raw:
        faults.append("BODY[] is not what was appended")
    for section, child in bodystructure.walk(part):
        octets = part_of(imap, number, section)
        if child.octets is not None and child.octets != len(octets):
            faults.append(f"BODY[{section}] announced {child.octets} octets, has {len(octets)}")
        lines = octets.count(b"\r\n")
        if child.lines is not None and child.lines != lines:
            faults.append(f"BODY[{section}] announced {child.lines} lines, has {lines}")
    return faults, mime_compare.compare_types(part, raw)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        describe = json.load(file)
    folder = corpus.find_corpus()
    differences, seen, failed, count = mime_compare.read_differences(), set(), 0, 0
    imap = imap_flow.connect(describe, "outside")
    imap_flow.ok(imap.login("user0001", "pass"))
    imap_flow.ok(imap.select(MAILBOX))
    for name, raw in corpus.corpus_messages(folder):
        if b"\0" in raw:
            # RFC 9051 4.3: a literal holds no NUL; such a message would need literal8 on its way out.
            continue
        imap_flow.ok(imap.append(MAILBOX, None, None, raw))
        imap_flow.ok(imap.noop())
        count += 1
        faults, difference = faults_of(imap, count, raw)
        if difference:
            seen.add(name)
            if name not in differences:
                faults.append(f"differs from email: {difference}")
        failed += bool(faults)
        for fault in faults:
            print(f"{name}\t{fault}")
    imap.logout()
    print(f"imap_mime: {count} messages, {len(seen)} differ from email for listed reasons, {failed} failed")
    return 1 if failed or count < 900 else 0


if __name__ == "__main__":
    sys.exit(main())
