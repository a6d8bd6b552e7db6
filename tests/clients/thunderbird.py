"""Thunderbird sets an account up by itself and has a day of mail with it.

Usage: thunderbird.py FOLDER ADDRESS PASSWORD HOST AUTHORITY_PEM; the login is in what autoconfiguration says.
"""

import imaplib
import os
import re
import ssl
import subprocess
import sys

from marionette import Marionette, Screen, until

PREFERENCES = {
    "marionette.port": 0,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    # Nobody but the domain itself is asked.
    "mailnews.auto_config_url": "",
    "mailnews.auto_config.fetchFromExchange.enabled": False,
    "network.connectivity-service.enabled": False,
    "mail.biff.show_alert": False,
    # It has these, and leaves them off.
    "mail.server.default.use_condstore": True,
    "mail.server.default.allow_utf8_accept": True,
    "mailnews.mark_message_read.delay": False,
}

MESSAGE = ("From: Bert <bert@client.example>\r\nTo: Anne.Alpha@univ.example\r\nSubject: %s\r\n"
           "Date: Mon, 23 Nov 2026 12:00:00 +0100\r\nMessage-ID: <%s@client.example>\r\n\r\nText of %s.\r\n")

MODULES = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { MailUtils } = ChromeUtils.importESModule("resource:///modules/MailUtils.sys.mjs");
const server = () => MailServices.accounts.accounts.find(it => it.incomingServer.type == "imap").incomingServer;
const folder = name => server().rootFolder.descendants.find(it => it.URI.endsWith(`/${name}`));
const message = (name, subject) => Array.from(folder(name).msgDatabase.enumerateMessages())
  .find(it => it.mime2DecodedSubject == subject);
const win = Services.wm.getMostRecentWindow("mail:3pane");
"""


class Server:
    """What the server has, beside Thunderbird."""

    def __init__(self, host, authority, login, password):
        self.imap = imaplib.IMAP4_SSL(host, 993, ssl_context=ssl.create_default_context(cafile=authority))
        self.imap.login(login, password)

    def add(self, subject, mailbox="INBOX"):
        status, answer = self.imap.append(mailbox, None, None, (MESSAGE % (subject, subject, subject)).encode())
        assert status == "OK", answer

    def mail(self, mailbox):
        """Subject → flags."""
        status, answer = self.imap.select(f'"{mailbox}"', readonly=True)
        assert status == "OK", (mailbox, answer)
        found = {}
        for item in self.imap.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
            if isinstance(item, tuple):
                flags = re.search(rb"FLAGS \(([^)]*)\)", item[0]).group(1).decode().split()
                found[item[1].decode().split(": ", 1)[1].strip()] = set(flags) - {"\\Recent"}
        self.imap.unselect()
        return found

    def has(self, mailbox, subject, *flags):
        until(f"{subject} {flags} in {mailbox}", lambda: set(flags) <= self.mail(mailbox).get(subject, {"none"} - set(flags)))


def profile(folder, authority):
    path = os.path.join(folder, "profile")
    os.makedirs(path)
    with open(os.path.join(path, "user.js"), "w", encoding="utf-8") as file:
        for name, value in PREFERENCES.items():
            said = str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
            file.write(f'user_pref("{name}", {said});\n')
    for arguments in (["-N", "--empty-password"], ["-A", "-n", "authority", "-t", "C,,", "-i", authority]):
        subprocess.run(["certutil", "-d", "sql:" + path, *arguments], check=True)
    return path


def account(bird, address, password):
    """What the account set-up does with an address and a password; the login that was told."""
    return bird.js(MODULES + """
const [address, password] = args;
const load = name => ChromeUtils.importESModule(`resource:///modules/accountcreation/${name}.sys.mjs`)[name];
const [AccountConfig, FindConfig, ConfigVerifier] = ["AccountConfig", "FindConfig", "ConfigVerifier"].map(load);
const { CreateInBackend } = ChromeUtils.importESModule("resource:///modules/accountcreation/CreateInBackend.sys.mjs");
const signal = new AbortController().signal;
const { value: config } = await FindConfig.parallelAutoDiscovery(address.split("@")[1], address, signal).next();
if (config?.subSource != "xml-from-isp-https") throw new Error(`found: ${config?.subSource}`);
AccountConfig.replaceVariables(config, "Anne Alpha", address, password);
config.incoming.password = config.outgoing.password = password;
config.rememberPassword = true;
config.identity.realname = "Anne Alpha";
config.identity.emailAddress = address;
const verifier = new ConfigVerifier(win.msgWindow, signal);
await verifier.verifyConfig(config, false);
verifier.cleanup();
const { incomingServer } = await CreateInBackend.createAccountInBackend(config);
incomingServer.getNewMessages(incomingServer.rootFolder, win.msgWindow, null);
return config.incoming.username;
""", address, password)


def folders(bird):
    """Those with a use are known by it, whatever their names."""
    bird.js(MODULES + "server().performExpand(win.msgWindow);")
    uses = {"Sent": "SentMail", "Trash": "Trash", "Drafts": "Drafts", "Archives": "Archive", "Junk": "Junk"}
    found = bird.until("all folders", MODULES + """
const all = server().rootFolder.descendants.filter(it => !it.getFlag(Ci.nsMsgFolderFlags.Virtual));
const uses = args[0].map(use => all.find(it => it.getFlag(Ci.nsMsgFolderFlags[use]))?.URI);
return folder("INBOX") && uses.every(uri => uri) ? uses : null;
""", list(uses.values()))
    return [uri.rsplit("/", 1)[1] for uri in found]


def read(bird, server):
    bird.js(MODULES + """
const inbox = folder("INBOX");
win.document.getElementById("tabmail").currentAbout3Pane.displayFolder(inbox.URI);
""")
    bird.until("the inbox lists its messages", MODULES + "return folder('INBOX').getTotalMessages(false) == 4;")
    # The newest is opened with a click, and is read by that.
    bird.until("a message is shown", MODULES + """
const pane = win.document.getElementById("tabmail").currentAbout3Pane;
const index = pane.gDBView.findIndexOfMsgHdr(message("INBOX", "one"), false);
pane.threadTree.selectedIndex = index;
const shown = pane.messageBrowser?.contentWindow?.getMessagePaneBrowser?.()?.contentDocument?.body?.textContent;
return shown?.includes("Text of one.") ? shown : null;
""")
    server.has("INBOX", "one", "\\Seen")


def change(bird, server):
    bird.js(MODULES + """
const inbox = folder("INBOX");
inbox.markMessagesFlagged([message("INBOX", "one")], true);
inbox.addKeywordsToMessages([message("INBOX", "one")], "$label1");
inbox.markMessagesRead([message("INBOX", "two")], true);
""")
    server.has("INBOX", "one", "\\Seen", "\\Flagged", "$label1")
    server.has("INBOX", "two", "\\Seen")
    bird.js(MODULES + "server().rootFolder.createSubfolder('Projets', win.msgWindow);")
    bird.until("the new folder", MODULES + "return !!folder('Projets');")
    moved = MODULES + """
const listener = Promise.withResolvers();
MailServices.copy.copyMessages(folder("INBOX"), [message("INBOX", "two")], folder("Projets"), true,
  { QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener"]),
    onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return null; },
    onStopCopy(status) { listener.resolve(status); } }, win.msgWindow, true);
return await listener.promise;
"""
    assert bird.js(moved) == 0
    server.has("Projets", "two", "\\Seen")
    assert "two" not in server.mail("INBOX")
    bird.js(MODULES + "folder('INBOX').deleteMessages([message('INBOX', 'three')], win.msgWindow, false, false, null, true);")
    until("what was deleted is not in the inbox", lambda: "three" not in server.mail("INBOX"))


def search(bird):
    """By the server, and in what Thunderbird has itself."""
    found = """
const [scope, attribute, text] = args;
const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
session.addScopeTerm(Ci.nsMsgSearchScope[scope], folder("INBOX"));
const term = session.createTerm();
const value = term.value;
value.attrib = Ci.nsMsgSearchAttrib[attribute];
value.str = text;
term.attrib = value.attrib;
term.op = Ci.nsMsgSearchOp.Contains;
term.value = value;
session.appendTerm(term);
const subjects = [], done = Promise.withResolvers();
session.registerListener({ QueryInterface: ChromeUtils.generateQI(["nsIMsgSearchNotify"]),
  onNewSearch() {}, onSearchHit(header) { subjects.push(header.mime2DecodedSubject); },
  onSearchDone(status) { done.resolve(status); } });
session.search(win.msgWindow);
await done.promise;
return subjects;
"""
    assert bird.js(MODULES + found, "onlineMail", "Body", "Text of four") == ["four"]
    assert bird.js(MODULES + found, "onlineMail", "Subject", "one") == ["one"]
    assert bird.js(MODULES + found, "offlineMail", "Subject", "fou") == ["four"]


def send(bird, address, server, sent):
    bird.js(MODULES + """
const [address] = args;
const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
Object.assign(fields, { to: address, subject: "cinq à sept", body: "Écrit dans Thunderbird." });
const params = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(Ci.nsIMsgComposeParams);
params.composeFields = fields;
params.type = Ci.nsIMsgCompType.New;
params.format = Ci.nsIMsgCompFormat.PlainText;
params.identity = MailServices.accounts.defaultAccount.defaultIdentity;
MailServices.compose.OpenComposeWindowWithParams(null, params);
""", address)
    bird.until("the message is ready", """
const compose = Services.wm.getMostRecentWindow("msgcompose");
if (!compose?.gMsgCompose || compose.document.getElementById("button-send")?.disabled !== false) return false;
compose.goDoCommand("cmd_sendNow");
return true;
""")
    bird.until("it was sent", "return !Services.wm.getMostRecentWindow('msgcompose');")
    encoded = next(iter(subject for subject in until("a copy of it", lambda: server.mail(sent))))
    server.has("INBOX", encoded)
    server.has(sent, encoded, "\\Seen")


def pushed(bird, server):
    """Thunderbird looks by itself every ten minutes only: what it hears at once came with IDLE."""
    before = bird.js(MODULES + "return folder('INBOX').getTotalMessages(false);")
    server.add("six")
    bird.until("what is new is heard of", MODULES + """
return folder("INBOX").getTotalMessages(false) > args[0] && !!message("INBOX", "six");
""", before)
    server.imap.select("INBOX")
    server.imap.store("1", "-FLAGS", "(\\Flagged)")
    bird.until("a flag that another program took away is gone", MODULES + "return !message('INBOX', 'one').isFlagged;")


def again(bird, server):
    """After all connections were closed it asks for what has changed only, if the server counts changes."""
    bird.js(MODULES + "server().closeCachedConnections();")
    server.imap.select("INBOX")
    server.imap.store("1", "+FLAGS", "(\\Answered)")
    bird.js(MODULES + "folder('INBOX').updateFolder(win.msgWindow);")
    bird.until("what changed meanwhile", MODULES + "return !!(message('INBOX', 'one').flags & Ci.nsMsgMessageFlags.Replied);")


def main():
    folder, address, password, host, authority = sys.argv[1:]
    os.chdir(folder)
    log = os.path.join(folder, "imap.log")
    environment = dict(os.environ, HOME=folder, MOZ_LOG="IMAP:4,timestamp,sync", MOZ_LOG_FILE=log, LANG="C.UTF-8",
                       MOZ_CRASHREPORTER_DISABLE="1")
    path = profile(folder, authority)
    command = ["thunderbird", "--no-remote", "--profile", path, "--marionette", "--remote-allow-system-access"]
    with Screen() as screen, Marionette(command, path, dict(environment, DISPLAY=screen.display)) as bird:
        login = account(bird, address, password)
        server = Server(host, authority, login, password)
        for subject in ("one", "two", "three", "four"):
            server.add(subject)
        sent, trash = folders(bird)[:2]
        for step in (read, change):
            step(bird, server)
        server.has(trash, "three")
        search(bird)
        send(bird, address, server, sent)
        pushed(bird, server)
        again(bird, server)
        bird.picture(os.path.join(folder, "thunderbird.png"))
    print("thunderbird: all as expected")


if __name__ == "__main__":
    main()
