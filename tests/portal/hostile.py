"""Names, subjects and reasons that would be scripts run nothing, on whichever page they are shown. Usage: hostile.py DESCRIBE_JSON."""

from driver import main, until
from mail import deliver, mailbox

# Whatever of it ran would change the title of the page.
EVIL = "\"'><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script><svg onload=document.title='owned'>"


def nothing_of_it_runs(server, window, login):
    browser, manager = window().signed_in(login), window().signed_in("dupont-p")
    deliver(server, server.people[login]["address"], EVIL, text=EVIL)
    browser.go("/app-passwords").fill("/app-passwords", name=EVIL[:40])
    imap = mailbox(server, login, server.people[login]["password"])
    assert imap.create('"<script>document.title=1</script>"')[0] == "OK"
    browser.go("/redirect").fill("/redirect", to="x@uni-bonn.example", because=EVIL, home="uni-bonn.example")
    until("mail is there", lambda: "onerror" in browser.go("/corrections").text())
    shown = 0
    for one, paths in [
        (browser, ["/corrections", "/app-passwords", "/storage", "/redirect", "/activity", "/sharing"]),
        (manager, [f"/manage/people/{login}", "/manage/redirects", "/manage/audit", "/manage/spam"]),
    ]:
        for path in paths:
            one.go(path)
            text, source = one.text(), one.source()
            shown += "<script>" in text or "onerror" in text
            assert "owned" not in one.title() and one.title() != "1", path
            for never in ("main script", "main img", "main [onerror]", "main [onload]"):
                assert not one.all(never), f"{never} at {path}: {source}"
    assert shown >= 4, f"only {shown} pages showed it"
    for query in ("/address-book?name=", "/sign-in?next=", "/manage/decision?reply="):
        manager.go(query + "%22%3E%3Cscript%3Edocument.title='owned'%3C%2Fscript%3E")
        assert "owned" not in manager.title() and not manager.all("main script")


main(nothing_of_it_runs)
