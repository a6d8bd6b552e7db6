"""A second factor: turned on with a code computed here, asked for, and turned off. Usage: second_factor.py DESCRIBE_JSON."""

from driver import main, until
from second_factor_codes import code, step


def fresh(secret, used):
    """The next code that was not used, and its step."""
    at = until("a new code", lambda: step() > used and step())
    return code(secret, at), at


def a_code_is_asked_for_once_it_is_turned_on(server, window, login):
    browser = window().signed_in(login).go("/second-factor")
    browser.click("form[action='/second-factor'] button")
    assert browser.attribute("svg.qr", "aria-label"), "the picture has words"
    secret = browser.text("code.secret").replace(" ", "")
    browser.fill("/second-factor/confirm", code="000000").says("not the right code", ".summary")
    used = step()
    browser.fill("/second-factor/confirm", code=code(secret, used)).says("Two-step sign-in is on.")
    recovery = [browser.ask("GET", f"/element/{one}/text") for one in browser.all(".codes code")]
    assert len(set(recovery)) == 10, recovery
    other = window("outside").sign_in(login, server.people[login]["password"])
    assert other.path().startswith("/sign-in/code"), other.path()
    assert other.title().startswith("Verification code"), (other.title(), other.text())
    other.go("/storage")
    assert other.path().startswith("/sign-in"), "the password alone opens nothing"
    other.go("/sign-in/code").fill("/sign-in/code", code=code(secret, used)).says("not the right code", ".summary")
    next_code, used = fresh(secret, used)
    other.fill("/sign-in/code", code=next_code)
    assert other.path() == "/", other.text()
    third = window("outside").sign_in(login, server.people[login]["password"])
    third.fill("/sign-in/code", code=recovery[0])
    third.go("/second-factor").says("Recovery codes left: 9")
    third.fill("/second-factor/end", code=recovery[0]).says("not the right code", ".summary")
    third.fill("/second-factor/end", code=recovery[1]).says("Two-step sign-in is off now.", "[role=status]")
    window("outside").signed_in(login)


main(a_code_is_asked_for_once_it_is_turned_on)
