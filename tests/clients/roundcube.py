"""Roundcube on PHP's own web server, clicked at by HTTP. Usage: roundcube.py DESCRIBE_JSON FOLDER LOGIN COLLEAGUE."""

import http.cookiejar
import json
import os
import re
import select
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request

from imap_flow import connect

INSTALLED = "/etc/roundcube"
PAGES = "/var/lib/roundcube"
CONFIG = """<?php
$config = [
    'db_dsnw' => 'sqlite:///{folder}/roundcube.db?mode=0640',
    'imap_host' => 'ssl://localhost:{imaps}', 'smtp_host' => 'ssl://localhost:{subs}',
    'imap_conn_options' => ['ssl' => ['verify_peer' => true, 'cafile' => '{ca}']],
    'smtp_conn_options' => ['ssl' => ['verify_peer' => true, 'cafile' => '{ca}']],
    'smtp_user' => '%u', 'smtp_pass' => '%p', 'des_key' => 'twenty-four-octets-of-k.',
    'log_dir' => '{folder}/', 'temp_dir' => '{folder}/', 'imap_debug' => true, 'plugins' => ['acl', 'virtuser_file'],
    'virtuser_file' => '{folder}/people', 'language' => 'en_US', 'skin' => 'elastic', 'enable_spellcheck' => false,
    'trash_mbox' => 'Corbeille', 'sent_mbox' => 'Envoy&AOk-s', 'drafts_mbox' => 'Brouillons',
];
"""
LETTER = ("From: Bert <bert@client.example>\r\nTo: Jean.Toto@univ-nantes.fr\r\nSubject: {subject}\r\n"
          "Date: Mon, 23 Nov 2026 1{number}:00:00 +0100\r\nMessage-ID: <{number}@client.example>\r\n{more}\r\nText {number}.\r\n")
# Subject, and which one it answers.
LETTERS = [("pears", None), ("apples", None), ("Re: pears", 0), ("quinces", None)]


class Browser:
    """One person's cookies, and the token each request needs."""

    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/"
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar)
        self.token = ""

    def page(self, form=None, **query):
        """A page; with `form` what is submitted."""
        data = urllib.parse.urlencode(dict(form, _token=self.token)).encode() if form is not None else None
        url = self.base + "?" + urllib.parse.urlencode(query)
        headers = {"X-Roundcube-Request": self.token}
        with self.opener.open(urllib.request.Request(url, data, headers), timeout=120) as answer:
            self.address, text = answer.geturl(), answer.read().decode()
        found = re.search(r'"request_token":"(\w+)"', text)
        self.token = found.group(1) if found else self.token
        return text

    def ask(self, task, action, form=None, **query):
        """What a script on the page asks for in the background."""
        query, form = dict(query, _task=task, _action=action, _remote=1), form and dict(form, _remote=1)
        return json.loads(self.page(form, **query))

    def rows(self, **query):
        """The message list: subject and depth of each row, in order."""
        said = self.ask("mail", "list", _mbox="INBOX", _refresh=1, **query)["exec"]
        calls = re.findall(r'add_message_row\((\d+),(\{.*?\}),(\{.*?\})', said)
        return [(int(uid), json.loads(columns)["subject"], json.loads(flags).get("depth", 0)) for uid, columns, flags in calls]

    def log_in(self, login, password):
        form = re.search(r'name="_token" value="(\w+)"', self.page(_task="login"))
        self.token = form.group(1)
        said = self.page({"_task": "login", "_action": "login", "_user": login, "_pass": password, "_timezone": "UTC",
                          "_url": ""}, _task="login")
        assert '"task":"mail"' in said and "_task=mail" in self.address, self.address
        return said


def start(folder, describe):
    """PHP's web server; its port."""
    config = os.path.join(folder, "config")
    os.makedirs(config)
    for name in ("defaults.inc.php", "mimetypes.php"):
        shutil.copy(os.path.join(INSTALLED, name), config)
    port_of = lambda name: describe["listeners"][name]["addr"].rsplit(":", 1)[1]
    with open(os.path.join(config, "config.inc.php"), "w", encoding="utf-8") as file:
        file.write(re.sub(r"\{(folder|imaps|subs|ca)\}", lambda found: {
            "folder": folder, "imaps": port_of("imaps"), "subs": port_of("subs"), "ca": describe["ca"]}[found.group(1)], CONFIG))
    with open(os.path.join(folder, "people"), "w", encoding="utf-8") as file:
        file.writelines(f"{person['address']} {person['login']}\n" for person in describe["people"])
    # It says which port the kernel chose.
    process = subprocess.Popen(["php", "-S", "127.0.0.1:0", "-t", PAGES], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env=dict(os.environ, ROUNDCUBE_CONFIG_DIR=config))
    said = b""
    while not (found := re.search(rb"127\.0\.0\.1:(\d+)\) started", said)):
        ready, _, _ = select.select([process.stderr], [], [], 60)
        piece = os.read(process.stderr.fileno(), 4096) if ready else b""
        assert piece, said
        said += piece
    return process, int(found.group(1))


def fill(imap):
    for number, (subject, answers) in enumerate(LETTERS):
        more = "" if answers is None else f"References: <{answers}@client.example>\r\n"
        status, answer = imap.append("INBOX", None, None, LETTER.format(subject=subject, number=number, more=more).encode())
        assert status == "OK", answer


def mail(imap, mailbox):
    """Subjects on the server, with what is read marked."""
    status, answer = imap.select(mailbox, readonly=True)
    assert status == "OK", answer
    found = []
    for item in imap.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
        if isinstance(item, tuple):
            found.append(item[1].decode().split(": ", 1)[1].strip() + (" read" if b"\\Seen" in item[0] else ""))
    return found


def lists(browser):
    sorted_rows = browser.rows(_sort="subject_ASC", _threads=0)
    browser.page(_task="mail", _mbox="INBOX", _threads=0)
    sorted_rows = browser.rows(_sort="subject_ASC")
    # The base subject sorts; equal ones by their place.
    assert [row[1] for row in sorted_rows] == ["apples", "pears", "Re: pears", "quinces"], sorted_rows
    browser.page(_task="mail", _mbox="INBOX", _threads=1)
    threads = browser.rows(_sort="arrival_ASC")
    assert ("Re: pears", 1) in [row[1:] for row in threads] and ("pears", 0) in [row[1:] for row in threads], threads
    browser.page(_task="mail", _mbox="INBOX", _threads=0)
    return {subject: uid for uid, subject, _ in sorted_rows}


def work(browser, imap, uids):
    found = browser.ask("mail", "search", _mbox="INBOX", _q="Text 3", _headers="text", _scope="base")["exec"]
    assert re.findall(r"add_message_row\((\d+),", found) == [str(uids["quinces"])], found
    shown = browser.page(_task="mail", _action="show", _mbox="INBOX", _uid=uids["pears"])
    assert "Text 0." in shown, shown
    browser.ask("mail", "mark", {"_uid": uids["apples"], "_flag": "read", "_mbox": "INBOX"})
    browser.page({"_mbox": "", "_name": "Projets", "_parent": "", "_viewmode": "0", "_subscribed": "1"},
                 _task="settings", _action="save-folder", _framed=1)
    browser.ask("mail", "move", {"_uid": uids["quinces"], "_mbox": "INBOX", "_target_mbox": "Projets"})
    browser.ask("mail", "move", {"_uid": uids["Re: pears"], "_mbox": "INBOX", "_target_mbox": "Corbeille"})
    assert mail(imap, "INBOX") == ["pears read", "apples read"], mail(imap, "INBOX")
    assert (mail(imap, "Projets"), mail(imap, "Corbeille")) == (["quinces"], ["Re: pears read"])


def quota(browser):
    said = browser.ask("mail", "list", _mbox="INBOX")["exec"]
    shown = json.loads(re.search(r"set_quota\((\{.*?\})\);", said).group(1))
    assert shown["total"] > 100_000 and shown["used"] > 0, shown


def send(browser, imap, address):
    page = browser.page(_task="mail", _action="compose")
    number = re.search(r'"compose_id":"(\w+)"', page).group(1)
    identity = re.search(r'<option value="(\d+)"[^>]*>[^<]*@', page).group(1)
    said = browser.page({"_task": "mail", "_action": "send", "_id": number, "_attachments": "", "_from": identity,
                         "_to": address, "_subject": "dates", "_message": "Text of dates.", "_is_html": "0", "_framed": "1",
                         "_store_target": "Envoy&AOk-s"}, _task="mail")
    assert "sent_successfully" in said, said[:2000]
    assert mail(imap, "INBOX")[-1] == "dates" and mail(imap, '"Envoy&AOk-s"') == ["dates read"]


def rights(browser, imap, colleague):
    """A colleague may read a mailbox, until not."""
    assert "acltable" in browser.page(_task="settings", _action="edit-folder", _mbox="Projets", _framed=1)
    said = browser.ask("settings", "plugin.acl", {"_act": "save", "_mbox": "Projets", "_user": colleague, "_acl": "lrs", "_old": ""})
    assert "acl_update" in said["exec"], said
    granted = imap.getacl("Projets")[1][0].decode()
    assert f"{colleague} lrs" in granted.replace('"', ""), granted
    said = browser.ask("settings", "plugin.acl", {"_act": "delete", "_mbox": "Projets", "_user": colleague})
    assert "acl_remove_row" in said["exec"], said
    assert colleague not in imap.getacl("Projets")[1][0].decode().replace("Projets", "")


def uses(browser, imap):
    """Which mailbox is for what: Roundcube writes it as metadata (RFC 6154 5.4), and the server tells everybody."""
    browser.page({"_section": "folders", "_drafts_mbox": "Brouillons", "_sent_mbox": "Projets", "_junk_mbox": "Ind&AOk-sirables",
                  "_trash_mbox": "Corbeille", "_framed": "1"}, _task="settings", _action="save-prefs", _framed=1)
    listed = [line.decode() for line in imap.list()[1]]
    assert [line.split()[-1].strip('"') for line in listed if "\\Sent" in line] == ["Projets"], listed


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        describe = json.load(file)
    folder, login, colleague = sys.argv[2:]
    person = next(person for person in describe["people"] if person["login"] == login)
    imap = connect(describe, "outside")
    imap.login(login, person["password"])
    fill(imap)
    process, port = start(folder, describe)
    try:
        browser = Browser(port)
        said = browser.log_in(login, person["password"])
        assert "Envoy" in said and "Corbeille" in said, "the mailboxes are on the page"
        work(browser, imap, lists(browser))
        quota(browser)
        send(browser, imap, person["address"])
        rights(browser, imap, colleague)
        uses(browser, imap)
    finally:
        process.terminate()
        process.wait()
    print("roundcube: all as expected")


if __name__ == "__main__":
    main()
