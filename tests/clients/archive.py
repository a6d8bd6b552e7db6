"""Python's mailbox module reads what `facteur export` wrote, and imaplib says what it should be.

Usage: archive.py DESCRIBE_JSON LOGIN MAILDIR MBOX_FOLDER. Prints how many messages it compared."""

import email.utils
import imaplib
import json
import mailbox
import os
import re
import sys

from imap_flow import connect, ok

# The flags of IMAP by their letters: in names of a Maildir, and in Status and X-Status.
MAILDIR = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
MBOX = {"R": "\\Seen", "A": "\\Answered", "D": "\\Deleted", "F": "\\Flagged", "T": "\\Draft"}


def served(imap):
    """Each mailbox with its messages in order of UID: octets, flags, seconds."""
    for line in ok(imap.list()):
        name = re.search(rb'"/" "?(.*?)"?$', line).group(1).decode()
        ok(imap.select(f'"{name}"', readonly=True))
        messages = []
        for uid in ok(imap.uid("SEARCH", "ALL"))[0].split():
            (head, octets), *_ = ok(imap.uid("FETCH", uid, "(FLAGS INTERNALDATE BODY.PEEK[])"))
            flags = {flag.decode() for flag in imaplib.ParseFlags(head)}
            date = re.search(rb'INTERNALDATE "(.*?)"', head).group(1).decode()
            messages.append((octets, flags, email.utils.mktime_tz(email.utils.parsedate_tz(date))))
        yield name, messages


def folder_name(name):
    return name.replace(".", "&AC4-").replace("/", ".")


def lf(octets):
    return octets.replace(b"\r\n", b"\n")


def check_maildir(top, name, messages):
    folder = top if name == "INBOX" else os.path.join(top, "." + folder_name(name))
    keywords = {}
    listed = os.path.join(folder, "dovecot-keywords")
    if os.path.exists(listed):
        for line in open(listed):
            number, word = line.split()
            keywords[chr(ord("a") + int(number))] = word
    maildir = mailbox.Maildir(folder, create=False)
    keys = sorted(maildir.keys())
    assert len(keys) == len(messages), (name, keys, messages)
    for key, (octets, flags, date) in zip(keys, messages):
        message = maildir[key]
        letters = message.get_flags()
        found = {MAILDIR[letter] for letter in letters if letter in MAILDIR}
        found |= {keywords[letter] for letter in letters if letter.islower()}
        assert maildir.get_bytes(key) == lf(octets), (name, key, octets)
        assert found == flags, (name, key, letters, flags)
        assert int(message.get_date()) == date, (name, key, message.get_date(), date)


def check_mbox(top, name, messages):
    box = mailbox.mbox(os.path.join(top, folder_name(name) + ".mbox"), create=False)
    assert len(box) == len(messages), (name, len(box), len(messages))
    for message, (octets, flags, date) in zip(box, messages):
        found = {MBOX[letter] for letter in message.get_flags() if letter in MBOX}
        found |= set(message["X-Keywords"].split())
        assert found == flags, (name, message.get_flags(), flags)
        sent = email.utils.parsedate_tz(message.get_from().split(" ", 1)[1])
        assert email.utils.mktime_tz(sent[:9] + (0,)) == date, (name, message.get_from(), date)
    for key, (octets, _, _) in zip(box.keys(), messages):
        # This module leaves the quotes of mboxrd alone.
        text = re.sub(rb"^>(>*From )", rb"\1", box.get_bytes(key), flags=re.MULTILINE)
        # An mbox has whole lines only; X-Facteur-Mbox says of the last one whether it was.
        mark, *_, content = text.split(b"\n", 4)
        ended = octets.endswith(b"\n")
        assert mark == b"X-Facteur-Mbox: " + (b"ended" if ended else b"unended"), (name, mark)
        assert content == lf(octets) + (b"" if ended else b"\n"), (name, content, octets)


def main():
    describe, login = json.load(open(sys.argv[1])), sys.argv[2]
    person = next(person for person in describe["people"] if person["login"] == login)
    imap = connect(describe, "outside")
    ok(imap.login(person["login"], person["password"]))
    compared = 0
    for name, messages in served(imap):
        check_maildir(sys.argv[3], name, messages)
        check_mbox(sys.argv[4], name, messages)
        compared += len(messages)
    imap.logout()
    print(compared, "messages compared")


main()
