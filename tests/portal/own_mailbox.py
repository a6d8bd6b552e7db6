"""What a person does about their mailbox: app passwords, corrections of spam, archives, the address book.
Usage: own_mailbox.py DESCRIBE_JSON."""

import imaplib
import mailbox as archives
import os

from driver import main, until
from mail import deliver, mailbox


def an_app_password_is_made_used_and_removed(server, window, login):
    browser = window().signed_in(login).go("/app-passwords")
    browser.fill("/app-passwords", name="téléphone")
    secret = browser.text("code.secret")
    browser.click("main a.button").says("téléphone").says("Never used.")
    assert secret not in browser.source(), "it is shown once"
    imap = mailbox(server, login, secret)
    assert imap.select("INBOX")[0] == "OK"
    imap.logout()
    until("its use is told", lambda: "Last used" in browser.go("/app-passwords").text())
    browser.fill("/app-passwords", name="téléphone")
    assert browser.title().startswith("To be corrected:"), "a name is used once"
    window().sign_in(login, secret).says("This is an app password", ".summary")
    browser.go("/app-passwords").click("form[action='/app-passwords/remove'] button").says("You have none.")
    try:
        mailbox(server, login, secret)
    except imaplib.IMAP4.error:
        return
    raise AssertionError("a removed password opens a mailbox")


def what_the_filter_missed_is_reported(server, window, login):
    for subject in ("Gagnez vite", "Réunion de lundi"):
        deliver(server, server.people[login]["address"], subject)
    browser = window().signed_in(login)
    until("mail is there", lambda: "Gagnez vite" in browser.go("/corrections").text())
    browser.click("form[action='/corrections'] button").says("Tick at least one message.", ".summary")
    # A label is as good as its box.
    browser.press(".messages li:nth-child(2) label")
    browser.click("form[action='/corrections'] button")
    until("it is told", lambda: "reported already" in browser.go("/corrections").text(".messages li:nth-child(2)"))
    assert "reported already" not in browser.text(".messages li:nth-child(1)")
    browser.click(".tabs li:nth-child(2) a")
    assert browser.path() == "/corrections?junk=1"


def a_folder_is_taken_away_as_an_archive(server, window, login):
    deliver(server, server.people[login]["address"], "à garder")
    browser = window().signed_in(login).go("/storage")
    browser.says("INBOX")
    link = "a[href='/storage/archive?folder=INBOX']"
    until("mail is there", lambda: browser.go("/storage").all(link))
    browser.press(link)
    names = until("an archive is there", lambda: [name for name in os.listdir(browser.downloads) if name.endswith(".mbox")])
    box = archives.mbox(os.path.join(browser.downloads, names[0]))
    froms = [message["From"] for message in box]
    assert froms and set(froms) == {"ami@elsewhere.example"}, froms
    assert browser.path() == "/storage", "the page stays"


def people_are_found_by_name(server, window, login):
    browser = window().signed_in(login).go("/address-book")
    browser.type("#name", "le goff").click("form[role=search] button")
    browser.says("Maëlle Le Goff").says("Mathieu Le Goff")
    assert browser.all("a[href='mailto:Mathieu.Le-Goff@univ-nantes.fr']")
    browser.type("#name", "x").click("form[role=search] button")
    assert browser.title().startswith("To be corrected:")


main(an_app_password_is_made_used_and_removed, what_the_filter_missed_is_reported, a_folder_is_taken_away_as_an_archive,
     people_are_found_by_name)
