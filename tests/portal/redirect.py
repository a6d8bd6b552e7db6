"""A redirect: refused by the rules, asked for, approved, refused by a person, ended; two people in two browsers.
Usage: redirect.py DESCRIBE_JSON."""

from driver import main

HOME = "uni-bonn.example"


def what_the_rules_forbid_is_refused_at_once(server, window, login):
    browser = window().signed_in(login)
    for to in ("moi@gmail.com", "moi@yahoo.co.uk", "moi@nowhere.example"):
        browser.go("/redirect").fill("/redirect", to=to, because="please", home="gmail.com")
        browser.go("/redirect").says(to).says("redirects.")
        browser.says("Your mail stays here.")


def what_needs_somebody_waits_is_approved_and_is_ended(server, window, login):
    user = window("outside").signed_in(login)
    to = f"moi.{login}@{HOME}"
    user.go("/redirect").fill("/redirect", to=to, because="<b>invitée</b> à Bonn", home=HOME)
    assert user.path() == "/redirect", user.text()
    user.says(to)
    correspondent = window().signed_in("leguennec-m")
    correspondent.go("/manage").click("main a[href='/manage/redirects']").says(to).says("<b>invitée</b> à Bonn")
    approve = f"/manage/redirects/{login}/approve"
    correspondent.fill(approve, because="guest professor")
    correspondent.says("an end date")
    correspondent.go("/manage/redirects").pick_day(f"form[action='{approve}'] [name=until]", "2099-06-30")
    correspondent.fill(approve, because="guest professor")
    assert correspondent.path() == "/manage/redirects", correspondent.text()
    correspondent.says("approved", "[role=status]")
    assert not correspondent.all(f"form[action='{approve}']"), "nothing waits any more"
    user.go("/redirect").says(f"{to}").says("30 June 2099").says("leguennec-m")
    user.click("form[action='/redirect/end'] button")
    user.says("Your mail stays here.")


def what_a_correspondent_refuses_is_told_with_the_reason(server, window, login):
    user = window().signed_in(login)
    user.go("/redirect").fill("/redirect", to=f"encore@{HOME}", because="again", home=HOME)
    correspondent = window().signed_in("leguennec-m").go("/manage/redirects")
    correspondent.fill(f"/manage/redirects/{login}/refuse", because="come and see me")
    user.go("/redirect").says("come and see me").says("Your mail stays here.")


main(what_the_rules_forbid_is_refused_at_once, what_needs_somebody_waits_is_approved_and_is_ended,
     what_a_correspondent_refuses_is_told_with_the_reason)
