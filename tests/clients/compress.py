"""COMPRESS=DEFLATE (RFC 4978) with Python's imaplib and zlib by hand. Usage: compress.py DESCRIBE_JSON."""

import imaplib
import json
import sys
import zlib

from imap_flow import connect, ok

MESSAGE = b"From: a@client.example\r\nSubject: compressed\r\n\r\n" + b"the same line again\r\n" * 20_000
# One command. Deflated it is a thousandth of that.
BOMB_OCTETS = 100_000_000


class Deflated:
    """A socket under raw DEFLATE, with the little of a socket and a file that imaplib uses."""

    def __init__(self, plain):
        self.plain = plain
        self.deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.inflater = zlib.decompressobj(-15)
        self.read_octets = 0
        self.waiting = b""

    def sendall(self, octets):
        self.plain.sendall(self.deflater.compress(octets) + self.deflater.flush(zlib.Z_SYNC_FLUSH))

    def more(self):
        octets = self.plain.recv(65536)
        if not octets:
            raise EOFError("the server closed the connection")
        self.read_octets += len(octets)
        self.waiting += self.inflater.decompress(octets)

    def readline(self, _limit=-1):
        while b"\n" not in self.waiting:
            self.more()
        line, self.waiting = self.waiting.split(b"\n", 1)
        return line + b"\n"

    def read(self, count):
        while len(self.waiting) < count:
            self.more()
        octets, self.waiting = self.waiting[:count], self.waiting[count:]
        return octets

    def shutdown(self, how):
        """`close` has done it."""

    def close(self):
        self.plain.close()


def compressed(imap):
    """Says COMPRESS and puts DEFLATE under the connection; imaplib knows nothing of it."""
    imaplib.Commands["COMPRESS"] = ("AUTH", "SELECTED")
    ok(imap._simple_command("COMPRESS", "DEFLATE"))
    deflated = Deflated(imap.sock)
    imap.sock = imap.file = imap._file = deflated
    imap.send, imap.read, imap.readline = deflated.sendall, deflated.read, deflated.readline
    return deflated


def log_in(describe, person):
    imap = connect(describe, "outside")
    ok(imap.login(person["login"], person["password"]))
    return imap


def works(describe, person):
    imap = log_in(describe, person)
    assert b"COMPRESS=DEFLATE" in ok(imap.capability())[0], "announced after login"
    ok(imap.select("INBOX"))
    deflated = compressed(imap)
    ok(imap.append("INBOX", None, None, MESSAGE))
    assert ok(imap.noop()) is not None
    found = ok(imap.fetch("1", "(BODY.PEEK[])"))
    assert found[0][1] == MESSAGE, len(found[0][1])
    assert deflated.read_octets < len(MESSAGE) / 10, f"{deflated.read_octets} octets for {len(MESSAGE)}"
    status, answer = imap._simple_command("COMPRESS", "DEFLATE")
    assert status == "NO" and b"[COMPRESSIONACTIVE]" in answer[0], (status, answer)
    ok(imap.search(None, "ALL"))
    imap.logout()


def octet_by_octet(describe, person):
    """What a slow client sends is understood whatever piece it comes in, and one message more is heard of in IDLE."""
    imap = log_in(describe, person)
    ok(imap.select("INBOX"))
    deflated = compressed(imap)
    octets = b"".join((deflated.deflater.compress(b"x IDLE\r\n"), deflated.deflater.flush(zlib.Z_SYNC_FLUSH)))
    for octet in octets:
        deflated.plain.sendall(bytes([octet]))
    assert deflated.readline().startswith(b"+ ")
    other = log_in(describe, person)
    ok(other.append("INBOX", None, None, b"Subject: one more\r\n\r\nhello\r\n"))
    line = deflated.readline()
    assert line.endswith(b"EXISTS\r\n"), line
    deflated.sendall(b"DONE\r\n")
    while not line.startswith(b"x "):
        line = deflated.readline()
    assert line.startswith(b"x OK"), line


def behind_the_command(describe, person):
    """Nobody may pipeline behind COMPRESS; plain octets there are no DEFLATE, and the connection ends."""
    imap = log_in(describe, person)
    imap.sock.sendall(b"x COMPRESS DEFLATE\r\ny NOOP\r\nz NOOP\r\n" + b"\xff" * 64)
    said = b""
    while octets := imap.sock.recv(65536):
        said += octets
    assert b"x OK" in said and b"y OK" not in said, said


def bomb(describe, person):
    """A command without end, a thousand times as long as what is sent: refused as if it had come as it is."""
    imap = log_in(describe, person)
    deflated = compressed(imap)
    piece = deflated.deflater.compress(b"x" * BOMB_OCTETS) + deflated.deflater.flush(zlib.Z_SYNC_FLUSH)
    try:
        deflated.plain.sendall(piece)
    except OSError:
        pass  # The server had enough before all was out.
    said = b""
    try:
        while b"BYE" not in said:
            said += deflated.readline()
    except (EOFError, OSError):
        pass
    assert b"BYE" in said, (said, len(piece))


def main():
    describe = json.load(open(sys.argv[1]))
    people = describe["people"]
    works(describe, people[0])
    octet_by_octet(describe, people[0])
    behind_the_command(describe, people[0])
    bomb(describe, people[0])


if __name__ == "__main__":
    main()
