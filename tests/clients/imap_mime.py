"""Every message of the corpus through a running server: delivered by APPEND, announced by BODYSTRUCTURE, fetched part by part.

The strict parser accepts the structure, each BODY[part] it names has the announced octets and lines, and media types and
parts are those of Python's `email` unless `bodystructure-differences.txt` names the message. Of every tenth message, with
FACTEUR_LONG of all, BODY[…] and BINARY[…] of every section and ranges of them are the octets `email` cuts out
(`imap_sections`), unless `section-differences.txt` names message and section. Usage: imap_mime.py DESCRIBE_JSON.
"""

import json
import os
import pathlib
import random
import re
import sys

import bodystructure
import corpus
import imap_flow
import imap_sections
import mime_compare

MAILBOX = "INBOX"
SECTION_DIFFERENCES = pathlib.Path(__file__).resolve().parent / "section-differences.txt"
# Without FACTEUR_LONG sections of every so many messages are read.
SAMPLE = 10
# Items of one FETCH.
ITEMS = 30


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


def read_section_differences():
    """(message, section) -> reason."""
    lines = SECTION_DIFFERENCES.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {(name, section): reason for name, section, reason in rows}


def values_of(answer, items):
    """The values of items, each an octet string or None, in the order they were asked."""
    at = answer.index(b"(") + 1
    found = []
    for item in items:
        name = re.sub(r"<(\d+)\.\d+>$", r"<\1>", item.replace(".PEEK", "")).encode() + b" "
        assert answer.startswith(name, at), (item, answer[at:at + 80])
        at += len(name)
        literal = re.compile(rb"~?\{(\d+)\}\r\n").match(answer, at)
        if literal:
            end = literal.end() + int(literal.group(1))
            found.append(answer[literal.end():end])
            at = end
        elif answer.startswith(b"NIL", at):
            found.append(None)
            at += 3
        else:
            quoted = re.compile(rb'"((?:[^"\\]|\\.)*)"').match(answer, at)
            found.append(re.sub(rb"\\(.)", rb"\1", quoted.group(1)))
            at = quoted.end()
        at += 1
    assert at == len(answer), answer[at - 20:]
    return found


def asked(section, octets, dice):
    """The item of a section, and of a range in it: [(item, what it has to be)]."""
    peek = section.replace("[", ".PEEK[", 1)
    pairs = [(peek, octets)]
    if octets:
        origin, length = dice.randrange(len(octets) + 2), 1 + dice.randrange(len(octets))
        pairs.append((f"{peek}<{origin}.{length}>", octets[origin:origin + length]))
    return pairs


def section_faults(imap, number, name, raw, differences):
    """Sections that are not what `email` cuts out, and those listed as different that were met."""
    message = imap_sections.parse(raw)
    expected = imap_sections.expected(message, imap_sections.is_exact(message, raw))
    dice = random.Random(name)
    pairs = [(section, pair) for section, octets in expected.items() for pair in asked(section, octets, dice)]
    faults, met = {}, set()
    for at in range(0, len(pairs), ITEMS):
        some = pairs[at:at + ITEMS]
        items = [item for _, (item, _) in some]
        answer = fetched(imap, number, "(" + " ".join(items) + ")")
        for (section, (item, octets)), value in zip(some, values_of(answer, items)):
            if value == octets:
                continue
            if (name, section) in differences:
                met.add((name, section))
            else:
                faults.setdefault(section, f"{item} is not as email has it: {shown(value)}, email {shown(octets)}")
    return list(faults.values()), met, len(pairs)


def shown(octets):
    return "NIL" if octets is None else f"{len(octets)} octets {octets[:40]!r}…{octets[-20:]!r}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        describe = json.load(file)
    folder = corpus.find_corpus()
    differences, seen, failed, count = mime_compare.read_differences(), set(), 0, 0
    section_differences, sections_met, sections = read_section_differences(), set(), 0
    every = 1 if os.environ.get("FACTEUR_LONG") else SAMPLE
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
        elif count % every == 0:
            more, met, read = section_faults(imap, count, name, raw, section_differences)
            faults.extend(more)
            sections_met |= met
            sections += read
        failed += bool(faults)
        for fault in faults:
            print(f"{name}\t{fault}")
    imap.logout()
    for name, section in sorted(set(section_differences) - sections_met) if every == 1 else ():
        failed += 1
        print(f"{name}\t{section} is listed as different and is not")
    print(f"imap_mime: {count} messages, {len(seen)} differ from email for listed reasons, {failed} failed; "
          f"{sections} sections and ranges, {len(sections_met)} of them differ for listed reasons")
    return 1 if failed or count < 900 or sections < 500 else 0


if __name__ == "__main__":
    sys.exit(main())
