"""Compares the structures that crate `mail` finds in the corpus with the announced grammar and with Python's `email`.

For each message of `mime/`: BODYSTRUCTURE, BODY and ENVELOPE are accepted by the strict parser, each part they name has the
announced octets and lines, and media types and numbers of parts are those of `email`, unless
`bodystructure-differences.txt` names the message with a reason. A line of that file that is no longer true is an error too.

`python3 mime_compare.py` builds and runs the example `structure` of crate `mail`. Prints a skip line without the corpus.
"""

import email
import email.policy
import pathlib
import subprocess
import sys
import tempfile

import bodystructure
import corpus

HERE = pathlib.Path(__file__).resolve().parent
DIFFERENCES = HERE / "bodystructure-differences.txt"


def read_differences():
    """name -> (what differs, reason)."""
    found = {}
    for line in DIFFERENCES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, what, reason = line.split("\t")
            found[name] = (what, reason)
    return found


def types_of_tree(part):
    """[(number, media type)] of a parsed BODYSTRUCTURE, the message itself first as number "0"."""
    listed = [(number, child.media_type()) for number, child in bodystructure.walk(part)]
    return [("0", part.media_type())] + (listed if part.kind == "multipart" else listed[1:])


def types_of_email(raw):
    """The same from Python's `email`."""
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    found = [("0", message.get_content_type())]
    _email_inside(message, "", found)
    return found


def _email_inside(message, prefix, found):
    """`prefix` ends with a dot, or is empty; a message that is no multipart is part 1 of itself."""
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for index, child in enumerate(message.get_payload(), 1):
            number = f"{prefix}{index}"
            found.append((number, child.get_content_type()))
            _email_child(child, number, found)
    else:
        _email_child(message, f"{prefix}1", found)


def _email_child(part, number, found):
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        _email_inside(part, number + ".", found)
    # `email` also looks into other types of message, delivery-status for example; BODYSTRUCTURE must not
    # (RFC 9051 9, media-message).
    elif part.get_content_type() in ("message/rfc822", "message/global") and part.is_multipart():
        inner = part.get_payload(0)
        if inner.get_content_maintype() != "multipart" or not inner.is_multipart():
            found.append((f"{number}.1", inner.get_content_type()))
        _email_inside(inner, number + ".", found)


def compare_types(part, raw):
    """None when equal, else the first difference in words."""
    ours, theirs = types_of_tree(part), types_of_email(raw)
    if ours == theirs:
        return None
    for (number, ours_type), (their_number, their_type) in zip(ours, theirs):
        if (number, ours_type) != (their_number, their_type):
            theirs_shown = their_type.encode("unicode_escape").decode("ascii")
            return f"{number} {ours_type}, email {their_number} {theirs_shown}; {len(ours)} and {len(theirs)} entities"
    return f"{len(ours)} entities, email {len(theirs)}"


def check_octets(part, raw, ranges):
    """What is wrong with the announced sizes of the parts."""
    wrong = []
    for number, child in bodystructure.walk(part):
        if number not in ranges:
            wrong.append(f"BODY[{number}] does not exist")
            continue
        octets = b"".join(raw[start:end] for start, end in ranges[number])
        if child.octets is not None and child.octets != len(octets):
            wrong.append(f"BODY[{number}] announced {child.octets} octets, has {len(octets)}")
        lines = octets.count(b"\r\n")
        if child.lines is not None and child.lines != lines:
            wrong.append(f"BODY[{number}] announced {child.lines} lines, has {lines}")
    named = {number for number, _ in bodystructure.walk(part)}
    wrong.extend(f"BODY[{number}] exists unannounced" for number in ranges if number not in named)
    return wrong


def check_message(raw, record):
    """Faults of one message, and how it differs from `email`."""
    faults = []
    try:
        part = bodystructure.parse(record["bodystructure"], extended=True)
        plain = bodystructure.parse(record["body"], extended=False)
        bodystructure.parse_envelope(record["envelope"])
    except bodystructure.Malformed as problem:
        return [f"grammar: {problem}"], None
    if types_of_tree(part) != types_of_tree(plain):
        faults.append("BODY and BODYSTRUCTURE name different parts")
    faults.extend(check_octets(part, raw, record["ranges"]))
    return faults, compare_types(part, raw)


def run_example(folder):
    """file name -> record, as the example `structure` prints it."""
    command = ["cargo", "run", "--quiet", "-p", "mail", "--example", "structure", "--", str(folder)]
    output = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE).stdout
    records, at = {}, 0
    while at < len(output):
        end = output.index(b"\n", at)
        words = output[at:end].decode("utf-8").split(" ")
        at = end + 1
        if words[0] == "message":
            record = records[words[1]] = {"ranges": {}}
        elif words[0] == "part":
            pairs = [pair.split("-") for pair in words[2:]]
            record["ranges"][words[1]] = [(int(start), int(end)) for start, end in pairs]
        else:
            length = int(words[1])
            record[words[0]] = output[at:at + length]
            at += length + 1
    return records


def main():
    folder = corpus.find_corpus()
    if folder is None:
        print("mime_compare: SKIPPED (no corpus; set FACTEUR_CORPUS)")
        return 0
    differences, seen, failed = read_differences(), set(), 0
    with tempfile.TemporaryDirectory(prefix="facteur-mime-") as scratch:
        messages = {}
        for index, (name, raw) in enumerate(corpus.corpus_messages(folder)):
            messages[f"{index:05}"] = (name, raw)
            pathlib.Path(scratch, f"{index:05}").write_bytes(raw)
        records = run_example(scratch)
    for file_name, (name, raw) in messages.items():
        faults, difference = check_message(raw, records[file_name])
        if difference:
            seen.add(name)
            if name not in differences:
                faults.append(f"differs from email: {difference}")
            elif differences[name][0] != difference:
                faults.append(f"differs otherwise than listed: {difference}")
        failed += bool(faults)
        for fault in faults:
            print(f"{name}\t{fault}")
    for name in sorted(set(differences) - seen):
        failed += 1
        print(f"{name}\tlisted as different and is not")
    print(f"mime_compare: {len(messages)} messages, {len(seen)} differ from email for listed reasons, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
