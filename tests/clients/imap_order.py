"""SEARCH, SORT and THREAD of real mail against RFC 5256 written down again. Usage: imap_order.py DESCRIBE_JSON.

`messages.txt` beside the description names the messages, one a line. They are appended in order, and every answer of the
server is compared with what is made here from the octets with Python's `email`.
"""

import datetime
import email.header
import email.parser
import email.utils
import json
import pathlib
import re
import sys
import unicodedata

import corpus
import imap_flow

FIRST_ARRIVAL = datetime.datetime(2026, 11, 2, 8, tzinfo=datetime.timezone.utc)
SORT_KEYS = ("ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO")


def text_of(value):
    """A field value as text, encoded words still encoded."""
    octets = str(value).encode("utf-8", "surrogateescape")
    octets = re.sub(rb"\r?\n(?=[ \t])", b"", octets)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def decoded(text):
    return str(email.header.make_header(email.header.decode_header(text)))


def casemap(text):
    titled = "".join(letter.title() if len(letter.title()) == 1 else letter for letter in text)
    return unicodedata.normalize("NFKD", titled).encode("utf-8")


def base_subject(subject):
    """RFC 5256 2.1: the base subject, and whether it was that of a reply or forward."""
    text, reply = re.sub(r"[ \t\r\n]+", " ", subject), False
    while True:
        while True:
            trailer = re.search(r"( |\(fwd\))\Z", text, re.I)
            if not trailer:
                break
            reply = reply or trailer.group().lower() == "(fwd)"
            text = text[:trailer.start()]
        while True:
            leader = re.match(r"((?:\[[^\[\]]*\] *)*(?:re|fwd?) *(?:\[[^\[\]]*\] *)?:| )", text, re.I)
            if leader:
                reply = reply or leader.group() != " "
                text = text[leader.end():]
                continue
            blob = re.match(r"\[[^\[\]]*\] *", text)
            if blob and text[blob.end():]:
                text = text[blob.end():]
                continue
            break
        if text.lower().startswith("[fwd:") and text.endswith("]"):
            text, reply = text[5:-1], True
            continue
        return text, reply


class Message:
    def __init__(self, number, raw):
        self.number, self.raw, self.keys = number, raw, {}
        self.arrived = FIRST_ARRIVAL + datetime.timedelta(seconds=61 * ((number * 7) % 1009))
        self.head = email.parser.BytesHeaderParser().parsebytes(raw)
        self.subject = decoded(text_of(self.head.get("Subject", "")))
        base, self.is_reply = base_subject(self.subject)
        self.base = casemap(base)
        self.sent = self.sent_at()
        self.ids = self.identifiers("Message-ID")[:1]
        self.references = self.identifiers("References") or self.identifiers("In-Reply-To")[:1]

    def sent_at(self):
        parsed = email.utils.parsedate_tz(text_of(self.head.get("Date", "")))
        return email.utils.mktime_tz(parsed) if parsed else self.arrived.timestamp()

    def identifiers(self, field):
        found = re.findall(r"<([^<>]*)>", text_of(self.head.get(field, "")))
        return [identifier for identifier in (re.sub(r"\s", "", each) for each in found) if identifier]

    def first_address(self, field):
        addresses = email.utils.getaddresses([text_of(self.head.get(field, ""))])
        return addresses[0] if addresses else ("", "")

    def key(self, name):
        if name not in self.keys:
            self.keys[name] = self.made(name)
        return self.keys[name]

    def made(self, name):
        if name == "ARRIVAL":
            return self.arrived
        if name == "DATE":
            return self.sent
        if name == "SIZE":
            return len(self.raw)
        if name == "SUBJECT":
            return self.base
        display, address = self.first_address(name.removeprefix("DISPLAY"))
        if name.startswith("DISPLAY"):
            return casemap(decoded(display) or address)
        return casemap(address.rsplit("@", 1)[0])


def ordered(messages, criteria):
    """Stable, so the last criterion comes first."""
    found = list(messages)
    for name, reverse in reversed(criteria):
        found.sort(key=lambda message: message.key(name), reverse=reverse)
    return [message.number for message in found]


class Container:
    def __init__(self):
        self.message, self.parent, self.children = None, None, []

    def rank(self):
        if self.message:
            return self.message.sent, self.message.number
        return min(child.rank() for child in self.children)

    def first(self):
        return self.message or min(self.children, key=Container.rank).message

    def hang_below(self, parent):
        above = parent
        while above:
            if above is self:
                return
            above = above.parent
        self.leave()
        self.parent = parent
        parent.children.append(self)

    def leave(self):
        if self.parent:
            self.parent.children.remove(self)
            self.parent = None


def link(messages):
    table, containers = {}, []
    for message in messages:
        own = table.get(message.ids[0]) if message.ids else None
        if own is None or own.message:
            named = bool(message.ids) and own is None
            own = Container()
            containers.append(own)
            if named:
                table[message.ids[0]] = own
        own.message = message
        above = None
        for identifier in message.references:
            if identifier not in table:
                table[identifier] = Container()
                containers.append(table[identifier])
            if above and not table[identifier].parent:
                table[identifier].hang_below(above)
            above = table[identifier]
        own.leave()
        if above:
            own.hang_below(above)
    return [container for container in containers if not container.parent]


def prune(container, top):
    kept = []
    for child in container.children:
        kept += prune(child, False)
    container.children = kept
    for child in kept:
        child.parent = container
    if container.message or (top and len(kept) > 1):
        return [container]
    for child in kept:
        child.parent = None
    return kept


def references(messages):
    roots = [kept for top in link(messages) for kept in prune(top, True)]
    roots.sort(key=Container.rank)
    table = {}
    for root in roots:
        subject = root.first().base
        if not subject:
            continue
        chosen = table.setdefault(subject, root)
        better = chosen.message and (not root.message or (chosen.message.is_reply and not root.message.is_reply))
        if better:
            table[subject] = root
    result = []
    for root in roots:
        chosen = table.get(root.first().base)
        if chosen is None or chosen is root:
            result.append(root)
        elif not chosen.message and not root.message:
            chosen.children += root.children
        elif not chosen.message or (root.message.is_reply and not chosen.message.is_reply):
            chosen.children.append(root)
        else:
            both = Container()
            both.children = [chosen, root]
            table[root.first().base] = both
            result[result.index(chosen)] = both
    return "".join(f"({written(root)})" for root in sorted(result, key=Container.rank))


def written(container):
    own = [str(container.message.number)] if container.message else []
    below = sorted(container.children, key=Container.rank)
    if len(below) == 1:
        own.append(written(below[0]))
    elif below:
        own.append("".join(f"({written(child)})" for child in below))
    return " ".join(own)


def ordered_subject(messages):
    threads = {}
    for message in sorted(messages, key=lambda it: (it.sent, it.number)):
        threads.setdefault(message.base, []).append(str(message.number))
    texts = []
    for first, *others in threads.values():
        below = others[0] if len(others) == 1 else "".join(f"({other})" for other in others)
        texts.append(f"({first} {below})" if others else f"({first})")
    return "".join(texts)


def searches(messages):
    """Keys, and the test that says the same."""
    middle = messages[len(messages) // 2]
    day = datetime.datetime.fromtimestamp(middle.sent, datetime.timezone.utc).date()
    size = len(middle.raw)

    def holds(field, word):
        return lambda it: any(word in decoded(text_of(value)).lower() for value in it.head.get_all(field, []))

    def sent_day(it):
        parsed = email.utils.parsedate_tz(text_of(it.head.get("Date", "")))
        return datetime.date(*parsed[:3]) if parsed else None

    subject, sender, listed = holds("Subject", "patch"), holds("From", "e"), holds("List-Id", "openbmc")
    date = day.strftime("%d-%b-%Y")
    yield "ALL", lambda it: True
    yield "SUBJECT patch", subject
    yield "NOT SUBJECT PATCH", lambda it: not subject(it)
    yield "FROM E SUBJECT patch", lambda it: sender(it) and subject(it)
    yield "HEADER List-Id OpenBMC", listed
    yield f"OR LARGER {size} SUBJECT patch", lambda it: len(it.raw) > size or subject(it)
    yield f"SMALLER {size}", lambda it: len(it.raw) < size
    yield f"SENTSINCE {date}", lambda it: sent_day(it) is not None and sent_day(it) >= day
    yield f"SENTON {date}", lambda it: sent_day(it) == day
    yield "TEXT signed-off-by", lambda it: b"signed-off-by" in it.raw.lower()
    yield "ON 2-Nov-2026", lambda it: it.arrived.date() == datetime.date(2026, 11, 2)


def answer(imap, word, *arguments):
    """What stands behind `* WORD` in the answer to a command."""
    # imaplib keeps what came unasked under its name; the old is forgotten first.
    imap.response(word)
    imap_flow.ok(imap._simple_command(*arguments))
    return b" ".join(part for part in imap.response(word)[1] if part).decode()


def numbers(text):
    return [int(number) for number in text.split()]


def compare(imap, messages):
    checked = 0
    for keys, holds in searches(messages):
        if keys.startswith("TEXT"):
            # Encoded bodies hold it too, so the server may find more.
            found = set(numbers(answer(imap, "SEARCH", "SEARCH", keys)))
            assert found >= {it.number for it in messages if holds(it)}, keys
        else:
            assert numbers(answer(imap, "SEARCH", "SEARCH", keys)) == [it.number for it in messages if holds(it)], keys
        checked += 1
    criteria = [[(name, reverse)] for name in SORT_KEYS for reverse in (False, True)]
    criteria += [[("SUBJECT", False), ("DATE", True)], [("FROM", True), ("SUBJECT", False), ("SIZE", True)]]
    for each in criteria:
        text = " ".join(("REVERSE " if reverse else "") + name for name, reverse in each)
        found = numbers(answer(imap, "SORT", "SORT", f"({text})", "UTF-8", "ALL"))
        expected = ordered(messages, each)
        differ = [(one, other) for one, other in zip(found, expected) if one != other]
        assert found == expected, (text, len(found), len(expected), differ[:5])
        checked += 1
    some = [message for message in messages if message.number % 3]
    kept = ",".join(str(message.number) for message in some)
    for algorithm, naive in (("ORDEREDSUBJECT", ordered_subject), ("REFERENCES", references)):
        for keys, of in (("ALL", messages), (kept, some)):
            assert answer(imap, "THREAD", "THREAD", algorithm, "UTF-8", keys) == naive(of), (algorithm, keys[:9])
            checked += 1
    return checked


def main():
    sys.setrecursionlimit(20_000)
    description = pathlib.Path(sys.argv[1])
    describe = json.loads(description.read_text())
    files = description.with_name("messages.txt").read_text().splitlines()
    messages = [Message(number, corpus.to_crlf(pathlib.Path(file).read_bytes())) for number, file in enumerate(files, 1)]
    imap = imap_flow.connect(describe, "outside")
    person = describe["people"][0]
    imap_flow.ok(imap.login(person["login"], person["password"]))
    imap_flow.ok(imap.create("Ordered"))
    for message in messages:
        date = message.arrived.strftime('"%d-%b-%Y %H:%M:%S +0000"')
        imap_flow.ok(imap.append("Ordered", None, date, message.raw))
    imap_flow.ok(imap.select("Ordered"))
    checked = compare(imap, messages)
    imap.logout()
    print(f"{checked} answers about {len(messages)} messages are those of the RFC")


if __name__ == "__main__":
    main()
