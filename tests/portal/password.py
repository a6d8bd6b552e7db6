"""Changing one's password: from inside, not from outside, and not to a weak one. Usage: password.py DESCRIBE_JSON."""

from driver import main

GOOD = "quatre chevaux bleus dorment"


def from_outside_it_is_refused_with_whom_to_ask(server, window, login):
    browser = window("outside").signed_in(login)
    browser.go("/password").says("From outside the password cannot be changed.")
    assert not browser.all("form[action='/password']"), "there is no form to fill in for nothing"


def weak_ones_are_refused_with_words_that_help_and_a_good_one_is_taken(server, window, login):
    old, last = server.people[login]["password"], login.split("-")[0]
    elsewhere = window("outside").signed_in(login)
    browser = window().signed_in(login).go("/password")
    for typed, again, helps in [
        ("azerty", "azerty", "at least"),
        ("Motdepasse2026", "Motdepasse2026", ""),
        (f"{last}{last}{last}", f"{last}{last}{last}", ""),
        (GOOD, "quelque chose d'autre", "not typed the same twice"),
    ]:
        browser.fill("/password", old=old, new=typed, again=again)
        assert browser.path() == "/password" and browser.title().startswith("To be corrected:"), typed
        told = browser.text(".summary")
        assert helps in told and len(told) > 40, told
        print(f"{typed!r}: {' '.join(told.split())}")
        # Each reason leads to its field, and the field tells it to who cannot see.
        browser.press(".summary li:first-child a")
        focused = browser.focused()
        assert focused in ("new", "again"), focused
        assert f"{focused}-error" in browser.attribute(f"#{focused}", "aria-describedby")
        assert browser.attribute(f"#{focused}", "aria-invalid") == "true"
        assert browser.value("#new") == "", "a secret is not sent back"
    browser.fill("/password", old="not mine", new=GOOD, again=GOOD).says("not your current password", ".summary")
    browser.fill("/password", old=old, new=GOOD, again=GOOD)
    assert browser.path() == "/", browser.text()
    browser.says("Your password is changed.", "[role=status]")
    elsewhere.go("/")
    assert elsewhere.path().startswith("/sign-in"), "who was signed in elsewhere is out"
    elsewhere.sign_in(login, old)
    assert elsewhere.path() == "/sign-in", "the old one opens nothing"
    elsewhere.signed_in(login, GOOD)


main(from_outside_it_is_refused_with_whom_to_ask, weak_ones_are_refused_with_words_that_help_and_a_good_one_is_taken)
