"""Every message of the corpus by POP3: sizes, and octets that are those IMAP gives. Usage: pop_mail.py DESCRIBE_JSON.

poplib reads lines at any LF, so this reads the octets by itself.
"""

import json
import re
import sys

import corpus
import imap_flow
import pop_flow


class Pop:
    """A connection that reads octets."""

    def __init__(self, describe):
        self.file = pop_flow.connect(describe).sock.makefile("rwb")
        for line in (f"USER {pop_flow.LOGIN}", f"PASS {pop_flow.PASSWORD}"):
            self.say(line)

    def say(self, line):
        self.file.write(line.encode() + b"\r\n")
        self.file.flush()
        answer = self.file.readline()
        assert answer.startswith(b"+OK") and answer.endswith(b"\r\n"), (line, answer)
        return answer

    def content(self, line):
        """A response of many lines, its dots single again."""
        self.say(line)
        lines = []
        while (read := self.file.readline()) != b".\r\n":
            assert read.endswith(b"\r\n"), f"a bare line end behind {line}"
            lines.append(read.removeprefix(b".") if read.startswith(b".") else read)
        return b"".join(lines)


def as_lines(raw):
    """What POP3 can say of it: a bare CR ends a line as well, and the last line ends."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
    return lines if lines.endswith(b"\r\n") or not lines else lines + b"\r\n"


def top(raw, count):
    head, blank, body = as_lines(raw).partition(b"\r\n\r\n")
    if raw.startswith(b"\r\n"):
        head, blank, body = b"", b"\r\n", as_lines(raw)[2:]
    return head + blank + b"".join(body.splitlines(True)[:count]) if blank else head


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        describe = json.load(file)
    imap = imap_flow.connect(describe, "outside")
    imap_flow.ok(imap.login(pop_flow.LOGIN, pop_flow.PASSWORD))
    messages = [(name, raw) for name, raw in corpus.corpus_messages(corpus.find_corpus()) if b"\0" not in raw]
    for _, raw in messages:
        imap_flow.ok(imap.append("INBOX", None, None, raw))
    imap_flow.ok(imap.select("INBOX"))
    pop, failed, exact = Pop(describe), 0, 0
    sizes = [int(line.split()[1]) for line in pop.content("LIST").splitlines()]
    assert len(sizes) == len(messages), (len(sizes), len(messages))
    for number, (name, raw) in enumerate(messages, start=1):
        stored = imap_flow.ok(imap.fetch(str(number), "(BODY.PEEK[])"))[0]
        stored = stored[1] if isinstance(stored, tuple) else b""
        got = pop.content(f"RETR {number}")
        faults = []
        if sizes[number - 1] != len(stored):
            faults.append(f"LIST says {sizes[number - 1]} octets, IMAP has {len(stored)}")
        if got != as_lines(stored):
            faults.append("RETR is not what IMAP gives")
        exact += got == stored
        for count in (0, 1, 10):
            if (part := pop.content(f"TOP {number} {count}")) != top(stored, count):
                faults.append(f"TOP {count} has {len(part)} octets, not {len(top(stored, count))}")
        failed += bool(faults)
        for fault in faults:
            print(f"{name}\t{fault}")
    pop.say("QUIT")
    imap.logout()
    print(f"pop_mail: {len(messages)} messages, {exact} octet for octet, {failed} failed")
    return 1 if failed or len(messages) < 900 or exact < len(messages) * 9 // 10 else 0


if __name__ == "__main__":
    sys.exit(main())
