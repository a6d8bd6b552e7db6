"""Python's poplib against a running server: what a mail program does by POP3. Usage: pop_flow.py DESCRIBE_JSON."""

import json
import poplib
import ssl
import sys

import imap_flow

LOGIN, PASSWORD = "user0001", "pass"
MESSAGES = [b"From: a@client.example\r\nSubject: one\r\n\r\nfirst\r\n.\r\n..two dots\r\nlast\r\n",
            b"From: b@client.example\r\nSubject: two\r\n\r\nno line end",
            "From: c@client.example\r\nSubject: Été\r\n\r\nÀ bientôt\r\n".encode()]


def place(describe, listener):
    host, port = describe["listeners"][listener]["addr"].rsplit(":", 1)
    return host, int(port)


def context(describe):
    return ssl.create_default_context(cafile=describe["ca"])


def connect(describe):
    return poplib.POP3_SSL(*place(describe, "pops"), context=context(describe), timeout=60)


def log_in(describe):
    pop = connect(describe)
    pop.user(LOGIN)
    pop.pass_(PASSWORD)
    return pop


def refused(command, *arguments):
    """The text of the refusal this must get."""
    try:
        answer = command(*arguments)
    except poplib.error_proto as refusal:
        return refusal.args[0]
    raise AssertionError(f"{arguments} was answered {answer}")


def lines_of(message):
    return message.removesuffix(b"\r\n").split(b"\r\n")


def deliver(describe):
    imap = imap_flow.connect(describe, "outside")
    imap_flow.ok(imap.login(LOGIN, PASSWORD))
    for message in MESSAGES:
        imap_flow.ok(imap.append("INBOX", None, None, message))
    return imap


def before_login(describe):
    pop = connect(describe)
    offered = pop.capa()
    for name in ("USER", "UIDL", "TOP", "UTF8", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE"):
        assert name in offered, offered
    assert offered["EXPIRE"] == ["NEVER"] and "PLAIN" in offered["SASL"] and "STLS" not in offered, offered
    assert "IMPLEMENTATION" not in offered, "which program this is, is nobody's business yet"
    assert b"log in" in refused(pop.stat)
    pop.user(LOGIN)
    assert refused(pop.pass_, "wrong").startswith(b"-ERR [AUTH]")
    pop.utf8()
    pop.user(LOGIN)
    pop.pass_(PASSWORD)
    assert "IMPLEMENTATION" in pop.capa()
    pop.quit()


def clear(describe):
    pop = poplib.POP3(*place(describe, "pop"), timeout=60)
    assert "STLS" in pop.capa() and "USER" not in pop.capa() and "SASL" not in pop.capa(), pop.capa()
    assert b"TLS first" in refused(pop.user, LOGIN)
    assert b"TLS first" in refused(pop.pass_, PASSWORD)
    pop.stls(context(describe))
    assert "USER" in pop.capa() and "STLS" not in pop.capa(), pop.capa()
    pop.user(LOGIN)
    pop.pass_(PASSWORD)
    pop.quit()


def read(describe):
    pop = log_in(describe)
    sizes = [len(message) for message in MESSAGES]
    assert pop.stat() == (3, sum(sizes)), pop.stat()
    assert [int(line.split()[1]) for line in pop.list()[1]] == sizes
    assert pop.list(2).split()[1:] == [b"2", str(sizes[1]).encode()]
    for number, message in enumerate(MESSAGES, start=1):
        assert pop.retr(number)[1] == lines_of(message), number
        assert pop.top(number, 0)[1] == lines_of(message.split(b"\r\n\r\n")[0]) + [b""], number
    assert pop.top(1, 2)[1] == lines_of(MESSAGES[0])[:5]
    ids = [line.split()[1] for line in pop.uidl()[1]]
    assert len(set(ids)) == 3 and all(0 < len(one) <= 70 for one in ids), ids
    assert refused(pop.retr, 4) and refused(pop.dele, 0) and refused(pop.top, 9, 1) and refused(pop.list, 4)
    # One session at a time has the maildrop, and the next has it as soon as QUIT is answered.
    other = connect(describe)
    other.user(LOGIN)
    assert refused(other.pass_, PASSWORD).startswith(b"-ERR [IN-USE]")
    pop.quit()
    other.user(LOGIN)
    other.pass_(PASSWORD)
    assert [line.split()[1] for line in other.uidl()[1]] == ids, "ids stay"
    other.quit()
    return ids


def delete(describe, imap, ids):
    pop = log_in(describe)
    pop.dele(1)
    pop.dele(2)
    assert refused(pop.retr, 1) and pop.stat() == (1, len(MESSAGES[2]))
    pop.rset()
    assert pop.stat()[0] == 3
    pop.dele(1)
    # Gone without QUIT: nothing is removed.
    pop.close()
    pop = until_free(describe)
    assert pop.stat()[0] == 3
    pop.dele(1)
    pop.quit()
    pop = log_in(describe)
    assert [line.split()[1] for line in pop.uidl()[1]] == ids[1:]
    imap_flow.ok(imap.select("INBOX"))
    flags = imap_flow.ok(imap.fetch("1:*", "(FLAGS)"))
    assert len(flags) == 2 and not any(b"\\Seen" in line for line in flags), flags
    # What IMAP removes meanwhile cannot be fetched any more, and its number stays its own.
    imap_flow.ok(imap.store("1", "+FLAGS", "(\\Deleted)"))
    imap_flow.ok(imap.expunge())
    assert b"removed" in refused(pop.retr, 1)
    assert pop.retr(2)[1] == lines_of(MESSAGES[2])
    pop.dele(1)
    pop.quit()
    pop = log_in(describe)
    assert [line.split()[1] for line in pop.uidl()[1]] == ids[2:]
    pop.quit()


def until_free(describe):
    """The server learns of the end of the other connection in its own time."""
    for _ in range(1000):
        pop = connect(describe)
        pop.user(LOGIN)
        try:
            pop.pass_(PASSWORD)
            return pop
        except poplib.error_proto as refusal:
            assert refusal.args[0].startswith(b"-ERR [IN-USE]"), refusal
            pop.quit()
    raise AssertionError("the maildrop of a connection that is gone is never free")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        describe = json.load(file)
    before_login(describe)
    clear(describe)
    imap = deliver(describe)
    delete(describe, imap, read(describe))
    print("pop_flow: all as expected")


if __name__ == "__main__":
    main()
