"""Signing in, with what goes wrong, in both languages, and out everywhere. Usage: sign_in.py DESCRIBE_JSON."""

from driver import main


def in_with_words_for_what_is_wrong(server, window, login):
    browser = window()
    browser.go("/storage")
    assert browser.path() == "/sign-in?next=/storage", browser.path()
    browser.fill("/sign-in", login=login, password="not mine")
    assert browser.path() == "/sign-in", browser.path()
    # Nobody learns whether the login or the password was wrong, and what was typed is there to correct.
    wrong = browser.text(".summary")
    assert browser.title().startswith("To be corrected:"), browser.title()
    assert browser.value("#login") == login and browser.value("#password") == ""
    browser.fill("/sign-in", login="nobody-x", password="not mine")
    assert browser.text(".summary") == wrong, "a login that is none is told in the same words"
    browser.fill("/sign-in", login=login, password=server.people[login]["password"])
    assert browser.path() == "/storage", "back to the page that was asked for"
    browser.says("INBOX")


def the_language_is_that_of_the_browser_until_it_is_switched(server, window, login):
    browser = window(language="fr-FR,fr,en")
    browser.go("/sign-in")
    assert browser.attribute("html", "lang") == "fr"
    browser.click("form[action='/language'] button")
    assert browser.attribute("html", "lang") == "en" and browser.path() == "/sign-in"
    browser.signed_in(login)
    assert browser.attribute("html", "lang") == "en", "it stays"
    browser.click("form[action='/language'] button")
    assert browser.attribute("html", "lang") == "fr" and browser.path() == "/"


def out_here_and_out_everywhere(server, window, login):
    here, there, third = window(), window("outside"), window()
    for browser in (here, there, third):
        browser.signed_in(login)
    third.click("form[action='/sign-out'] button")
    assert third.path().startswith("/sign-in")
    third.back()
    third.go("/")
    assert third.path().startswith("/sign-in"), "the way back is closed"
    here.go("/activity")
    here.says("198.18.4.7").says("you, now")
    here.click("form[action='/activity/end-all'] button")
    for browser in (here, there):
        browser.go("/")
        assert browser.path().startswith("/sign-in"), browser.path()


main(in_with_words_for_what_is_wrong, the_language_is_that_of_the_browser_until_it_is_switched, out_here_and_out_everywhere)
