"""What managers do: contain an account and undo it, find people, learn why something was refused. Usage: manager.py DESCRIBE_JSON."""

import smtplib

from driver import main, until
from mail import mailbox


def a_stolen_account_is_contained_and_given_back(server, window, login):
    password = server.people[login]["password"]
    victim = window("outside").signed_in(login)
    manager = window().signed_in("dupont-p")
    manager.click("nav a[href='/manage']").click("main a[href='/manage/people']")
    manager.type("main input[name=q]", login.split("-")[0]).click("main form[method=get] button")
    manager.click(f"main a[href='/manage/people/{login}']")
    contain = f"/manage/people/{login}/contain"
    manager.fill(contain, because="password seen on a list").says("is contained")
    victim.go("/")
    assert victim.path().startswith("/sign-in"), "the session is over"
    assert victim.sign_in(login, password).path() == "/sign-in", "the password opens nothing"
    manager.go(f"/manage/people/{login}").says("Account contained").says("password seen on a list")
    assert not manager.all(f"form[action='{contain}']"), "once is enough"
    manager.click(f"form[action='/manage/people/{login}/undo'] button")
    assert "Account contained" not in manager.text(), manager.text()
    # The old password is known to a thief; a letter has a new one.
    manager.click(f"form[action='/manage/people/{login}/letter'] button")
    words = manager.text("pre.letter").split()
    new = next(word for word in words if len(word) == 23 and word.count("-") == 4)
    victim.sign_in(login, new)
    assert victim.path() in ("/", "/password"), victim.text()
    mailbox(server, login, new).logout()
    manager.go(f"/manage/audit?about={login}").says("contain").says("letter")


def a_correspondent_finds_people_of_the_unit_alone(server, window, login):
    correspondent = window().signed_in("leguennec-m")
    correspondent.go("/manage/people").says(login)
    assert "toto-jp" not in correspondent.text(), "lettres is another unit"
    correspondent.go("/manage/people/toto-jp")
    assert not correspondent.all("form[action*='/letter']"), correspondent.text()
    user = window().signed_in("kerguelen-y")
    assert not user.all("nav a[href='/manage']")
    user.go("/manage/people")
    assert not user.all("main form"), user.text()
    far = window("outside").signed_in("dupont-p").go("/manage")
    assert not far.all("main a[href^='/manage/']"), "managers work inside"


def a_refusal_is_explained(server, window, login):
    host, port = server.address("mx")
    address = f"no.{login}@{server.describe['domain']}"
    with smtplib.SMTP(host, port, source_address=server.source("outside"), timeout=60) as smtp:
        smtp.ehlo("client.example")
        smtp.mail("a@client.example")
        number, text = smtp.rcpt(address)
    assert number == 550, text
    manager = window().signed_in("dupont-p").go("/manage/decision")
    manager.type("#reply", f"{number} {text.decode()}").click("main form button")
    manager.says("What to do").says("unknown-recipient")
    looked_up = f"/manage/decision?address={address}"
    until("the decision is kept", lambda: "reception.KnownRecipient" in manager.go(looked_up).text())


main(a_stolen_account_is_contained_and_given_back, a_correspondent_finds_people_of_the_unit_alone, a_refusal_is_explained)
