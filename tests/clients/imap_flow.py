"""Python's imaplib against a running server: a day of a mail program. Usage: imap_flow.py DESCRIBE_JSON."""

import imaplib
import json
import re
import ssl
import sys

MESSAGE = (b"From: Jean <jean@client.example>\r\nTo: moi@client.example\r\nSubject: =?utf-8?q?=C3=89t=C3=A9?=\r\n"
           b"Message-ID: <%d@client.example>\r\nDate: Mon, 23 Nov 2026 12:00:00 +0100\r\n\r\nPremi\xc3\xa8re ligne\r\nfin %d\r\n")


def ok(answer):
    status, data = answer
    assert status == "OK", answer
    return data


def connect(describe, network):
    host, port = describe["listeners"]["imaps"]["addr"].rsplit(":", 1)
    context = ssl.create_default_context(cafile=describe["ca"])

    class FromNetwork(imaplib.IMAP4_SSL):
        """imaplib has no source address of its own."""

        def _create_socket(self, timeout):
            import socket
            plain = socket.create_connection((self.host, self.port), timeout or 60,
                                             source_address=(describe["networks"][network]["source"], 0))
            return context.wrap_socket(plain, server_hostname=self.host)

    return FromNetwork(host, int(port), ssl_context=context)


def log_in(describe, person):
    imap = connect(describe, "outside")
    wrong = connect(describe, "outside")
    try:
        wrong.login(person["login"], "wrong")
    except imaplib.IMAP4.error as refusal:
        assert "AUTHENTICATIONFAILED" in str(refusal), refusal
    else:
        raise AssertionError("a wrong password was taken")
    wrong.logout()
    plain = f"\0{person['login']}\0{person['password']}".encode()
    ok(imap.authenticate("PLAIN", lambda _: plain))
    for capability in ("IMAP4REV1", "UIDPLUS", "IDLE", "MOVE", "SPECIAL-USE", "NAMESPACE", "QUOTA", "ENABLE", "UNSELECT"):
        assert capability in imap.capabilities or capability in ok(imap.capability())[0].decode(), capability
    return imap


def special_folders(imap):
    listed = b"\n".join(ok(imap.list())).decode()
    for use in ("\\Drafts", "\\Sent", "\\Junk", "\\Trash", "\\Archive"):
        assert use in listed, (use, listed)
    assert '"INBOX"' in listed or " INBOX" in listed, listed
    ok(imap.namespace())


def fill(imap, mailbox, count):
    ok(imap.create(mailbox))
    ok(imap.subscribe(mailbox))
    assert any(mailbox.strip('"').encode() in line for line in ok(imap.lsub())), mailbox
    for number in range(count):
        answer = imap.append(mailbox, "(\\Seen)" if number % 2 else None, None, MESSAGE % (number, number))
        assert b"APPENDUID" in ok(answer)[0], answer
    status = ok(imap.status(mailbox, "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"))[0].decode()
    assert f"MESSAGES {count}" in status and f"UNSEEN {count - count // 2}" in status, status


def read_and_search(imap, mailbox, count):
    assert ok(imap.select(mailbox)) == [str(count).encode()]
    whole = ok(imap.fetch("1", "(UID FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[])"))
    assert whole[0][1] == MESSAGE % (0, 0), whole
    assert f"RFC822.SIZE {len(MESSAGE % (0, 0))}".encode() in whole[0][0], whole
    part = ok(imap.fetch("1", "(BODY.PEEK[TEXT]<2.5>)"))
    assert part[0][1] == b"emi\xc3\xa8", part
    assert ok(imap.search(None, "ALL"))[0].split() == [str(n + 1).encode() for n in range(count)]
    assert ok(imap.search(None, "UNSEEN", "SUBJECT", '"x"')) == [b""]
    imap.literal = "Été".encode()
    assert len(ok(imap.search("UTF-8", "SUBJECT"))[0].split()) == count
    assert ok(imap.search(None, 'BODY', '"fin 3"'))[0] == b"4"
    assert ok(imap.uid("SEARCH", "OR", "SEEN", "FLAGGED"))[0].split() == [str(n).encode() for n in range(2, count + 1, 2)]


def change(imap, mailbox, count):
    ok(imap.store("1:2", "+FLAGS", "(\\Flagged mot-cle)"))
    flags = ok(imap.fetch("1:2", "(FLAGS)"))
    assert all(b"\\Flagged" in line and b"mot-cle" in line for line in flags), flags
    ok(imap.copy("1", "INBOX"))
    code, moved = imap.uid("MOVE", "2", "INBOX")
    assert code == "OK", moved
    ok(imap.noop())
    assert len(ok(imap.search(None, "ALL"))[0].split()) == count - 1
    ok(imap.store("1", "+FLAGS", "(\\Deleted)"))
    assert ok(imap.expunge())[-1] == b"1"      # imaplib keeps the EXPUNGE of MOVE, too
    ok(imap.unselect())
    ok(imap.rename(mailbox, '"Apr&AOg-s"'))
    assert any(b"Apr&AOg-s" in line for line in ok(imap.list())), "a name with an accent is kept"
    ok(imap.delete('"Apr&AOg-s"'))
    assert ok(imap.select("INBOX")) == [b"2"]
    quota = imap.getquotaroot("INBOX")
    assert quota[0] == "OK" and re.search(rb"STORAGE \d+ \d+", b" ".join(quota[1][1])), quota
    code, missing = imap.select("Nulle-part")
    assert code == "NO", missing


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        describe = json.load(file)
    person = next(person for person in describe["people"] if person["login"] == "toto-jp")
    imap = log_in(describe, person)
    special_folders(imap)
    fill(imap, "Essai", 6)
    read_and_search(imap, "Essai", 6)
    change(imap, "Essai", 6)
    assert imap.logout()[0] == "BYE"
    print("imap_flow: all as expected")


if __name__ == "__main__":
    main()
