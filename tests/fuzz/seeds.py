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
LISTENERS = [0, 1, 3, 7, 32, 64, 128, 128 + 7, 128 + 32]
# How a client of SMTP speaks and what is handed over: its first two octets.
HANDOVERS = [(0, 0), (1, 0), (3, 32), (6, 2), (8 + 6, 8 + 1), (8 + 6 + 16, 4), (32, 16), (32 + 6, 64), (15, 2 + 32)]


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
        yield from (("smtp_client", bytes([*kind, 5]) + server) for kind in HANDOVERS)
    for client, _ in dialogues("imap"):
        yield "imap_session", b"\x07" + client
        yield "imap_session", b"\x40" + b"".join(client.splitlines(True)[1:])
        for line in client.splitlines(True):
            yield "imap_grammar", line
    for client, _ in dialogues("pop3"):
        yield "pop3", b"\x03" + client
        yield "pop3", b"\x0f" + client
        yield "pop3", b"\x40" + b"".join(client.splitlines(True)[2:])
    for client in [b"RETR 1\r\nTOP 2 1\r\nDELE 1\r\nLIST\r\nUIDL 4\r\nRSET\r\nRETR 4\r\nQUIT\r\n"]:
        yield "pop3", b"\x02" + client
    for path in sorted(TOP.glob("policies/*/*.ron")) + sorted(TOP.glob("tests/policies/broken/**/*.ron")):
        for target in ["plan"] if path.name.endswith(".plan.ron") else ["policy_syntax", "policy_layout", "policy_compile"]:
            yield target, path.read_bytes()
    offers = ["PIPELINING", "AUTH PLAIN SCRAM-SHA-256", "SMTPUTF8", "8BITMIME"]
    offers += ["BINARYMIME", "CHUNKING", "DSN", "REQUIRETLS"]
    hello = "".join(f"250-{offer}\r\n" for offer in ["x", *offers]) + "250 SIZE 9\r\n"
    whole = f"220 x\r\n{hello}235 x\r\n250 x\r\n250 x\r\n".encode()
    for kind in HANDOVERS:
        for end in [b"250 x\r\n354 x\r\n250 x\r\n250 x\r\n", b"550 5.1.1 x\r\n354 x\r\n451 x\r\n", b"421 x\r\n"]:
            yield "smtp_client", bytes([*kind, 9]) + whole + end
        yield "smtp_client", bytes([*kind, 9]) + b"220 x\r\n250-x\r\n250 STARTTLS\r\n220 x\r\n" + whole
    for text in [b"stream: OK\0", b"stream: Eicar FOUND\0", b"zINSTREAM\0\0\0\0\x02ab\0\0\0\0", b"zPING\0zVERSION\0"]:
        yield "clamd", text
    inside = b"HTTP/1.1 403 Forbidden\r\n\r\n"
    found = b"X-Infection-Found: Type=0; Resolution=2; Threat=Eicar;\r\nX-Violations-Found: 1\r\n\t-\r\n\tEicar\r\n\t0\r\n\t0\r\n"
    page = b"ICAP/1.0 200 OK\r\n%sEncapsulated: res-hdr=0, res-body=%d\r\n\r\n%s3\r\nbad\r\n0\r\n\r\n" % (found, len(inside), inside)
    ask = b"RESPMOD icap://a/b ICAP/1.0\r\nPreview: 4\r\nEncapsulated: res-body=0\r\n\r\n4\r\nabcd\r\n0\r\n\r\n2\r\nef\r\n0\r\n\r\n"
    for text in [b"ICAP/1.0 100 Continue\r\n\r\nICAP/1.0 204 Unmodified\r\n\r\n", page, ask]:
        yield "icap", text
    yield from of_scorers()
    for text in ['{"ret":"Full","envid":"a+2Bb","smtputf8":true,"held":true}', '{"behind":"a@b.example","orcpt":"rfc822;a"}']:
        yield "spool", text.encode()
    for text in ["INBOX/a", "inbox", "Envoyés/2026", "a/b/c/d/"]:
        yield "mailbox_name", text.encode()
    for text in ["&AOk-t&AOk-", "&-", "&ZeVnLIqe-/&U,BTFw-"]:
        yield "imap_utf7", text.encode()
    for text in ["a@example.org", '"a b"@example.org', "é@xn--bcher-kva.example", "a@[IPv6:2001:db8::1]"]:
        yield "address", text.encode()
        yield "domain", text.encode().split(b"@")[1]
    login = [(0, "\0a\0b"), (16, "\0a\0b"), (1, "a", "b"), (17, "a", "b"), (0, "x\0a\0b")]
    proof = "c=biws,r=bn,p=" + 43 * "A" + "="
    scram = [(2, "n,,n=a,r=b", proof), (3 + 64, "p=tls-exporter,,n=a,r=b", proof)]
    tokens = [(4, "n,a=a,\1auth=Bearer t\1\1"), (5, "user=a\1auth=Bearer t\1\1")]
    for kind, *answers in login + scram + tokens:
        yield "sasl", bytes([kind + 32]) + b"\n".join(it.encode() for it in answers)
        yield "sasl", bytes([kind]) + b"\n".join(base64.b64encode(it.encode()) for it in answers)
    yield from of_the_world()


def of_the_world():
    """What other servers, DNS and issuers say."""
    for family, block in [(0x11, bytes(12)), (0x21, bytes(36)), (0, b"")]:
        yield "proxy", bytes([0x21, family, 0, len(block)]) + block
    yield "xclient", b"ADDR=IPV6:2001:db8::7 HELO=c+2Eexample NAME=[UNAVAILABLE] PORT=25"
    said = [b"a@b.example", b"550 5.1.1 nobody", b"mx.b.example", b"rfc822;a+2Bb@b.example", b"QQ+2B314"]
    said += [b"Subject: a\nMessage-ID: <a@b>\n\nb\n"]
    for bits in [0, 1, 2, 8, 8 + 4, 16 + 64 + 128, 32 + 8]:
        yield "dsn", bytes([bits]) + b"\xff".join(said)
    for path in ["a@b.example", "SRS0=aaaaaa=bc=b.example=a@c.example", "SRS1=aaaaaa=b.example==x=y=z=a@c.example"]:
        yield "srs", b"\7a" + path.encode()
        yield "address", path.encode()
    field = b"filter.example 1; spf=pass (a) smtp.mailfrom=a.example; dkim=fail reason=\"b; c\"; dmarc=pass"
    found = [b"a.example", b"mx.a.example", b"a.example", b"s1", b"a.example", b"gateway", b"note", field]
    for bits in [0, 255, 64 + 4, 128 + 8]:
        yield "authentication_results", bytes([bits]) + b"\xff".join(found)
    claims = {"iss": "https://id.example", "aud": ["mail"], "exp": 1_900_000_000, "nbf": 1, "uid": "toto-j"}
    keys = [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "use": "sig", "x": 43 * "A"}]
    keys += [{"kty": "RSA", "n": 342 * "x", "e": "AQAB"}, {"kty": "EC", "crv": "P-256", "x": 43 * "A", "y": 43 * "A"}]
    for algorithm in ["EdDSA", "RS256", "ES256"]:
        parts = [{"alg": algorithm, "typ": "at+jwt", "kid": "k"}, claims, 64 * "a", {"keys": keys}]
        yield "jwt", b"\n".join(json.dumps(part).encode() for part in parts)
    cas = b'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">%b</cas:serviceResponse>'
    success = b"<cas:authenticationSuccess><cas:user>%b</cas:user>%b</cas:authenticationSuccess>"
    yield "cas", b'<?xml version="1.0"?>\n' + cas % (success % (b"toto-j", b"<cas:attributes><a>&lt;</a></cas:attributes>"))
    yield "cas", cas % (success % (b"a<!-- -->b", b"<![CDATA[x]]>"))
    yield "cas", b"<!DOCTYPE x [<!ENTITY e \"e\">]>" + cas % (success % (b"&e;", b""))
    yield "cas", cas % b'<cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure>'
    columns = b"id;login;first;last;address;profile;unit;home;quota;registered;until;former"
    yield "people_csv", columns + b'\r\n1;;"Anne ""A""";Le Gall;;;;;2 GiB;2001-09-01;;a b@c.example\r\n'
    entry = b"version: 1\n# a\n b\n\ndn: uid=x\nsn;lang-fr:: w4lsb8Ovc2U=\ngivenName: Anne-\n Laure\nmailQuota: 5 MB\n"
    yield "people_ldif", entry + b"mailLocalAddress: a\nentryUUID: 1\n\ndn: ou=people\nou: people\n"
    yield "mta_sts", b"version: STSv1\r\nmode: enforce\r\nmx: a.example\r\nmx: *.b.example\r\nmax_age: 604800\r\n"
    fields = {"plan": 64 * "a", "author": "a", "at": "2026-11-30T14:00:00Z", "reason": "b"}
    one = f'        (\n            key: "{16 * "0"}",\n            ed25519: "{86 * "A"}==",\n        ),\n'
    signed = "".join(f'    {name}: "{value}",\n' for name, value in fields.items()) + f"    signatures: [\n{one}    ],\n"
    yield "signature", f"(\n{signed})\n".encode()
    yield "signature", b"facteur-key anne " + 43 * b"A" + b"="
    yield "mta_sts", b"v=STSv1; id=20160831085700Z;"
    relayed = b"Received: from mail.example (host.example [192.0.2.7])\r\n\tby a.example; today\r\n"
    yield "received", b"\1" + relayed + b"\r\n"
    yield "received", b"\2" + relayed + b"Received: from [198.51.100.1] (x [IPv6:2001:db8::9]) by b\r\n\r\n"
    for terms in [b"a/24//64 mx:%{d}/0 ip6:::1 moo=%{d} ~all", b"include:%{ir}.%{v}._spf.%{d2} exists:%{l1r-}.x.org ptr"]:
        yield "spf", b"a.b-c\nmx.example\n" + terms + b" redirect=_spf.example"
    for kinds in [b"\3\1\1", b"\2\0\0", b"\3\0\2"]:
        yield "tlsa", kinds + b"\x20" + bytes(32) + b"\x30\x03\x02\x01\x00"


def of_scorers():
    """What spamd, Rspamd and milters say, and what they are asked."""
    judged = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 11\r\nSpam: True ; 1000.0 / 5.0\r\n\r\nGTUBE,X_Y\r\n"
    asked = b"SYMBOLS SPAMC/1.5\r\nContent-length: 12\r\nUser: a\r\n\r\n"
    for text in [judged, b"SPAMD/1.5 0 PONG\r\n", b"SPAMD/1.0 76 EX_PROTOCOL\r\n", asked, b"PING SPAMC/1.2\r\n\r\n"]:
        yield "spamc", text
    symbols = {"A": {"name": "A", "score": -1.0, "options": ["x"]}, "B": {"score": 7}}
    answer = {"is_skipped": False, "score": 6.0, "required_score": 15.0, "action": "add header", "symbols": symbols}
    more = {"thresholds": {"reject": 15, "add header": 6.5}, "messages": {}, "is_skipped": True, "action": "no action"}
    for answer in [answer, {**answer, **more}, {"error": "a"}]:
        yield "rspamd", json.dumps(answer).encode()
    packet = lambda octets: len(octets).to_bytes(4, "big") + octets  # noqa: E731
    # Only the end of the message is answered: connection, hello, sender, recipients, DATA are not wanted.
    quiet = (0xF + 0x200 + 0x80 + 0x40000 + 0x80000).to_bytes(4, "big")
    for protocol, end in [(quiet, b"a"), (bytes(4), b"r"), (quiet, b"y550 5.7.1 a\0"), (quiet, b"t")]:
        says = [b"O" + bytes([0, 0, 0, 6, 0, 0, 0, 0x21]) + protocol]
        says += [b"p", b"hX-Spam-Status\0Yes, score=7.5 required=5.0 tests=A,B\0", b"m\0\0\0\1X-Virus-Status\0Infected (a)\0"]
        yield "milter", b"".join(packet(one) for one in [*says, b"qwhy\0", end])
        yield "milter", b"".join(packet(one) for one in [says[0], *15 * [b"c"], b"s", end])
    yield "milter", b"Subject: a\r\n b\r\nX:\r\n\r\nbody\r\n"
    told = [b"DCj\0a\0{client_addr}\0b\0", b"C[192.0.2.7]\0004\0\x00192.0.2.7\0", b"Ha\0", b"M<a@b>\0", b"R<c@d>\0", b"T"]
    yield "milter", b"".join(packet(one) for one in [*told, b"LA\0b\0", b"N", b"Bbody", b"E", b"Q"])


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
                yield "spam_view", octets
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
