"""What each target begins with: messages, dialogues and lists of the corpus, read in place, and dialogues, plans and
policies of the tree. Files end lines with LF; where the wire has CRLF they are converted."""

import ast
import base64
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import tarfile

TOP = pathlib.Path(__file__).resolve().parents[2]
MESSAGE_OCTETS_MAX = 16384
HEADER_OCTETS_MAX = 4096
# Listeners, and whether the driver refuses: the first octet of a session of SMTP.
LISTENERS = [0, 1, 3, 7, 32, 39]
# What is handed over, and how: the first octet of a client of SMTP.
HANDOVERS = [0, 1, 3, 6, 8 + 6, 16 + 64, 2 + 4 + 8 + 1]


def corpus():
    """The folder, or None."""
    path = pathlib.Path(os.environ.get("FACTEUR_CORPUS") or TOP.parent / "shared/corpus")
    return path if (path / "README.md").is_file() else None


def crlf(octets):
    return re.sub(rb"\r?\n", b"\r\n", octets)


def archive(path):
    """Names and octets of the files of one `.tar.zst`."""
    unpacked = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as tar:
        for member in tar:
            if member.isfile():
                yield member.name, tar.extractfile(member).read()


def lines(path):
    text = path.read_text(errors="replace").splitlines()
    return [line.encode() for line in text if line and not line.startswith("#")]


def dialogues(kind):
    """What clients and servers say in the dialogues of the tree."""
    for path in sorted((TOP / "tests/dialogs" / kind).glob("*.txt")):
        said = {"C": b"", "S": b""}
        for line in path.read_text().splitlines():
            who, colon, text = line.partition(": ")
            if not colon or who[:1] not in said or line.startswith("#"):
                continue
            text = re.sub(r"\{secret:[^}]*\}", "secret", text)
            if who == "C raw":
                said["C"] += text.encode("latin-1", "replace").decode("unicode_escape").encode("latin-1", "replace")
            else:
                said[who[0]] += text.encode() + b"\r\n"
        yield said["C"], said["S"].replace(b"*", b"x")


def from_tree():
    for client, server in dialogues("smtp"):
        yield from ((name, octets) for name, octets in smtp(client))
        yield from (("smtp_client", bytes([kind, 5]) + server) for kind in HANDOVERS)
    for client, _ in dialogues("imap"):
        yield "imap_session", b"\x07" + client
        yield "imap_session", b"\x40" + b"".join(client.splitlines(True)[1:])
        for line in client.splitlines(True):
            yield "imap_grammar", line
    for path in sorted(TOP.glob("policies/*/*.ron")) + sorted(TOP.glob("tests/policies/broken/**/*.ron")):
        for target in ["plan"] if path.name.endswith(".plan.ron") else ["policy_syntax", "policy_layout", "policy_compile"]:
            yield target, path.read_bytes()
    whole = b"220 x\r\n250-x\r\n250-PIPELINING\r\n250-AUTH PLAIN\r\n250-SMTPUTF8\r\n250 SIZE 9\r\n235 x\r\n250 x\r\n250 x\r\n"
    for kind in HANDOVERS:
        for end in [b"250 x\r\n354 x\r\n250 x\r\n250 x\r\n", b"550 5.1.1 x\r\n354 x\r\n451 x\r\n", b"421 x\r\n"]:
            yield "smtp_client", bytes([kind, 9]) + whole + end
        yield "smtp_client", bytes([kind, 9]) + b"220 x\r\n250-x\r\n250 STARTTLS\r\n220 x\r\n" + whole
    for text in [b"stream: OK\0", b"stream: Eicar FOUND\0", b"zINSTREAM\0\0\0\0\x02ab\0\0\0\0", b"zPING\0zVERSION\0"]:
        yield "clamd", text
    for text in ['{"ret":"Full","envid":"a+2Bb","smtputf8":true,"held":true}', '{"behind":"a@b.example","orcpt":"rfc822;a"}']:
        yield "spool", text.encode()
    for text in ["INBOX/a", "inbox", "Envoyés/2026", "a/b/c/d/"]:
        yield "mailbox_name", text.encode()
    for text in ["&AOk-t&AOk-", "&-", "&ZeVnLIqe-/&U,BTFw-"]:
        yield "imap_utf7", text.encode()
    for text in ["a@example.org", '"a b"@example.org', "é@xn--bcher-kva.example", "a@[IPv6:2001:db8::1]"]:
        yield "address", text.encode()
        yield "domain", text.encode().split(b"@")[1]
    for kind, *answers in [(0, "\0a\0b"), (2, "\0a\0b"), (1, "a", "b"), (3, "a", "b"), (0, "x\0a\0b")]:
        yield "sasl", bytes([kind]) + b"\n".join(base64.b64encode(it.encode()) for it in answers)


def smtp(client):
    """A conversation for the targets that read one."""
    for kind in LISTENERS:
        yield "smtp_session", bytes([kind, 7]) + client
    for line in client.splitlines():
        yield "smtp_command", line
    yield "smtp_content", client


def messages(folder):
    for path in sorted((folder / "mime").glob("*.tar.zst")):
        for _, octets in archive(path):
            if octets.startswith(b"From ") and len(octets) <= MESSAGE_OCTETS_MAX:
                yield "archive", octets[:HEADER_OCTETS_MAX]
            octets = crlf(octets)
            if len(octets) <= MESSAGE_OCTETS_MAX:
                yield "mime", octets
            head = octets.split(b"\r\n\r\n")[0][:HEADER_OCTETS_MAX] + b"\r\n"
            yield "header", head
            for name, value in re.findall(rb"(?mi)^(date|from|to|cc|reply-to):((?:.*\r\n[ \t])*.*)\r\n", head):
                yield ("date" if name.lower() == b"date" else "address_list"), value.replace(b"\r\n", b"").strip()


def from_corpus(folder):
    yield from messages(folder)
    for name, octets in archive(folder / "smtp/chasquid-dialogs.tar.zst"):
        if name.endswith(".cmy"):
            said = [line[5:] for line in octets.splitlines() if line.startswith(b"c -> ")]
            yield from smtp(b"".join(line + b"\r\n" for line in said))
            continue
        for text in re.findall(rb'(?:string|byte)\((".*")\)', octets):
            text = literal(text)
            if "FuzzConnection" in name:
                yield from smtp(crlf(text))
            target = "sasl" if "auth" in name else "domain" if "Domain" in name else "address"
            yield target, b"\0" + text if target == "sasl" else text
    envelope = b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@here.example>\r\nDATA\r\nabc"
    for vector in json.loads((folder / "smtp/end-of-data-vectors.json").read_text())["vectors"]:
        sequence = base64.b64decode(vector["bytes_base64"])
        yield "smtp_content", b"abc" + sequence + b"def\r\n.\r\n"
        yield from smtp(envelope + sequence + b"NOOP\r\n.\r\nNOOP\r\n")
    for path in sorted((folder / "addresses").glob("*.txt")):
        for line in lines(path):
            yield "address_list", line
            yield "address", line
    tests = (folder / "addresses/isemail-tests.xml").read_text()
    for address in re.findall("<address>(.*?)</address>", tests, re.S):
        address = re.sub("&#x24([0-7].);", lambda code: chr(int(code[1], 16)), address)
        yield "address", address.encode()
        yield "address_list", address.encode()
        yield "domain", address.rpartition("@")[2].encode()
    for line in lines(folder / "mailauth/psl-tests.txt"):
        yield from (("domain", word) for word in line.split())


def literal(text):
    """Go writes octets and characters in one literal, nearly as Python does."""
    try:
        return ast.literal_eval("b" + text.decode("ascii"))
    except (SyntaxError, ValueError, UnicodeDecodeError):
        return text.strip(b'"')


def plant(out, wanted):
    """Writes the seeds of these targets, and their dictionaries."""
    folder = corpus()
    planted = dict.fromkeys(wanted, 0)
    sources = [from_tree()] + ([from_corpus(folder)] if folder else [])
    for source in sources:
        for target, octets in source:
            if target in planted:
                path = out / "seeds" / target / hashlib.sha1(octets).hexdigest()
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(octets)
                planted[target] += 1
    if folder:
        for target in ["imap_grammar", "imap_session"]:
            path = out / "dict" / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join((folder / "imap" / f"imap-codec-{name}.dict").read_text() for name in ["imap", "terminals"]))
    else:
        print("SKIP fuzz: no corpus here (FACTEUR_CORPUS); seeds of the tree alone", flush=True)
        if skips := os.environ.get("FACTEUR_SKIPS"):
            with open(skips, "a") as file:
                file.write("SKIP fuzz: no corpus here (FACTEUR_CORPUS)\n")
    print("seeds: " + ", ".join(f"{target} {count}" for target, count in planted.items()), flush=True)
