"""Every page of the portal, as each role sees it, by axe-core: none may have a violation. Each fits 320 px, shows where the
focus is, has one h1, a title of its own and the language it is read in. Usage: walk.py DESCRIBE_JSON AXE_JS FOLDER_OF_PICTURES."""

import os
import re
import sys
import time

from driver import Driver, Server, Window, until
from mail import deliver, mailbox
from second_factor_codes import code, step

FOLDERS = 30
# The EICAR test string in two halves, so that no scanner of this machine takes our source for it.
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD" + "-ANTIVIRUS-TEST-FILE!$H+H*"
DESK, TELEPHONE, NARROW = (1280, 900), (390, 844), (320, 640)

AXE = """
const [source, options, unsure, done] = arguments;
if (!window.axe) (0, eval)(source);
axe.run(document, options).then(
  found => done(found.violations.concat(found.incomplete.filter(one => unsure && one.id == "color-contrast")).map(
    one => `${one.id} (${one.help}): ` + one.nodes.slice(0, 3).map(node => node.target.join(" ")).join(", "))),
  error => done([`axe-core failed: ${error}`]));
"""
WHOLE = {"preload": False, "resultTypes": ["violations", "incomplete"], "rules": {"target-size": {"enabled": True}}}
CONTRAST = {"preload": False, "runOnly": ["color-contrast"]}

# What reaches beyond the width of the window, but for what scrolls by itself.
TOO_WIDE = """
// The width of the layout: what is shown of it grows with what does not fit.
const width = document.documentElement.clientWidth, wide = document.documentElement.scrollWidth > width;
const scrolls = one => { for (; one; one = one.parentElement) if (getComputedStyle(one).overflowX == "auto") return true; };
return wide ? [...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > width + 1 && !scrolls(one))
  .slice(0, 5).map(one => `${one.tagName}.${one.className}`).concat("scrolls") : [];
"""
# What takes the focus without showing it. A key was pressed before, so that the browser shows it at all.
UNSEEN_FOCUS = """
return [...document.querySelectorAll("a[href], button, input:not([type=hidden]):not([hidden]), textarea, select, [tabindex='0']")].filter(one => {
  one.focus();
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  return document.activeElement != one || style.outlineStyle == "none" || parseFloat(style.outlineWidth) < 2 || box.width < 4 || box.height < 4
    || box.bottom < 0 || box.top > innerHeight;
}).map(one => one.outerHTML.slice(0, 120));
"""
LINKS = "return [...document.querySelectorAll('a[href^=\"/\"]')].map(one => one.getAttribute('href'))"
HEADS = """return [document.documentElement.lang, document.querySelectorAll("h1").length, document.title,
  document.querySelectorAll("main").length]"""
# Downloads, and what is no page.
NO_PAGES = re.compile(r"^/(storage/archive|mail/|style/)")


def kind(path):
    """Pages that differ in whom they are about are looked at once."""
    path = re.sub(r"^/manage/people/[^/?]+", "/manage/people/LOGIN", path)
    path = re.sub(r"^(/manage/(?:spam|quarantine|recall|compromise))/[^/?]{12,}", r"\1/ID", path)
    return re.sub(r"([?&](?:after|before|page|at))=[^&]*", r"\1=", path)


class Auditor:
    def __init__(self, axe, screens):
        with open(axe, encoding="utf-8") as file:
            self.axe = file.read()
        self.screens, self.bad, self.pages = screens, [], 0

    def size(self, window, size):
        window.cdp("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=size != DESK)

    def scheme(self, window, scheme):
        """Without transitions: a colour that is on its way is none to judge."""
        wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        window.cdp("Emulation.setEmulatedMedia", features=[{"name": name, "value": value} for name, value in wanted.items()])

    def by_axe(self, window, options=None, unsure=True):
        """What is wrong, and with `unsure` contrasts that it cannot tell: on a desk there are none."""
        return window.run_async(AXE, self.axe, options or WHOLE, unsure)

    def look(self, window, role, name, language="en"):
        """Looks at the page that is open; gives its title."""
        found = [f"{language}: {one}" for one in self.by_axe(window)]
        lang, h1, title, mains = window.run(HEADS)
        if (lang, h1, mains) != (language, 1, 1):
            found.append(f"lang {lang}, {h1} h1, {mains} main")
        self.scheme(window, "dark")
        found += [f"dark: {one}" for one in self.by_axe(window, CONTRAST)]
        self.scheme(window, "light")
        window.press_tab()
        found += [f"focus is not seen: {one}" for one in window.run(UNSEEN_FOCUS)]
        window.run("document.activeElement.blur(); scrollTo(0, 0)")
        picture = os.path.join(self.screens, re.sub(r"[^\w-]+", "_", f"{role}{name}").strip("_"))
        window.shot(picture + "-1280.png")
        self.size(window, TELEPHONE)
        window.shot(picture + "-390.png")
        self.size(window, NARROW)
        found += [f"320 px: {one}" for one in window.run(TOO_WIDE) + self.by_axe(window, unsure=False)]
        self.size(window, DESK)
        self.told(role, name, found)
        return title

    def told(self, role, name, found):
        self.pages += 1
        print(f"{len(found)} violations  {role:14} {name}", flush=True)
        self.bad += [f"{role} {name}: {one}" for one in found]
        for one in found:
            print("    " + one, flush=True)

    def walk(self, window, role, begin, within):
        """All that is linked from a page, in English; then in French, where axe-core looks alone."""
        seen, waiting, titles = set(), list(begin), {}
        while waiting:
            path = waiting.pop(0)
            if kind(path) in seen or NO_PAGES.match(path) or not path.startswith(within):
                continue
            seen.add(kind(path))
            window.go(path)
            if window.path() != path:
                continue
            waiting += window.run(LINKS)
            title = self.look(window, role, path)
            at = path.split("?")[0]
            if titles.setdefault(title, at) != at:
                self.bad.append(f"{role}: {at} and {titles[title]} have one title: {title}")
            self.in_french(window, role, path)
        return seen

    def in_french(self, window, role, path):
        window.read_in("fr")
        window.go(path)
        lang, _, title, _ = window.run(HEADS)
        found = self.by_axe(window) if lang == "fr" else [f"{path} is not in French: {title}"]
        self.size(window, NARROW)
        found += [f"320 px: {one}" for one in window.run(TOO_WIDE)]
        self.size(window, DESK)
        window.read_in("en")
        self.told(role, f"{path} (fr)", found)


def fill(server, window, login):
    """Thirty folders, letters with long subjects, an app password, a request: what pages show when they are full."""
    person = server.people[login]
    for subject in ("Bonjour", "Réunion " + "très longue " * 12, "x" * 200):
        deliver(server, person["address"], subject)
    deliver(server, person["address"], "a virus", text=EICAR)
    imap = mailbox(server, login, person["password"])
    for number in range(FOLDERS):
        assert imap.create(f'"Dossier {number:02} de projets"')[0] == "OK"
    until("mail is there", lambda: imap.select("INBOX")[1] == [b"3"])
    imap.close()
    imap.append('"Dossier 03 de projets"', None, '"01-Jan-2020 10:00:00 +0000"', b"Subject: old\r\n\r\nold\r\n")
    imap.logout()
    window.go("/app-passwords").fill("/app-passwords", name="phone")
    home = "uni-bonn.example"
    window.go("/redirect").fill("/redirect", to=f"moi@{home}", because="invited " * 20, home=home)
    window.go("/corrections").press(".messages li:nth-child(1) label")
    window.click("form[action='/corrections'] button")


def of_a_person(auditor, window, login):
    """Pages that answer a form."""
    look = lambda name: auditor.look(window, "person", name)
    window.go("/password").fill("/password", old="x", new="azerty", again="azerty")
    look("/password corrected")
    window.go("/redirect").fill("/redirect", because="x", to="x@y")
    look("/redirect refused")
    window.go("/redirect").fill("/redirect", because="invited " * 20, to="moi@uni-bonn.example", home="uni-bonn.example")
    look("/redirect waits")
    window.go("/corrections").click("form[action='/corrections'] button")
    look("/corrections corrected")
    window.go("/address-book?name=l")
    look("/address-book corrected")
    window.go("/address-book?name=le")
    look("/address-book found")
    window.go("/app-passwords").fill("/app-passwords", name="a telephone with a name")
    look("/app-passwords made")
    window.go("/no/such/page")
    look("/no/such/page")
    window.go("/manage/audit")
    look("/manage/audit forbidden")
    window.go("/second-factor").click("form[action='/second-factor'] button")
    look("/second-factor begun")
    secret = window.text("code.secret").replace(" ", "")
    window.fill("/second-factor/confirm", code="000000")
    look("/second-factor corrected")
    window.fill("/second-factor/confirm", code=code(secret, step()))
    look("/second-factor on, recovery codes")
    window.go("/second-factor")
    look("/second-factor on")


def of_a_manager(auditor, window, login):
    look = lambda name: auditor.look(window, "administrator", name)
    window.go("/manage/blocks").fill("/manage/blocks", value="spammer@elsewhere.example", **{"because": "a wave"})
    window.go("/manage/blocks")
    look("/manage/blocks with one")
    window.go("/manage/recall").type("#sender", "ami@elsewhere.example").click("main form[method=get] button")
    look("/manage/recall/find")
    window.go("/manage/redirects")
    look("/manage/redirects with one")
    window.go("/manage/decision?reply=550+5.1.1+no+such+mailbox+here+%5Bunknown-recipient+feq368ev%5D")
    look("/manage/decision explained")
    at = f"/manage/people/{login}"
    window.go("/manage/decision?reply=550+5.1.1+nothing")
    look("/manage/decision no reply")
    window.go("/manage/decision?login=" + login)
    look("/manage/decision of a person")
    window.go(at).fill(f"{at}/contain", because="seen on a list")
    look("/manage/people/LOGIN/contain")
    window.go(at)
    look("/manage/people/LOGIN contained")
    window.click(f"form[action='{at}/undo'] button").click(f"form[action='{at}/letter'] button")
    look("/manage/people/LOGIN/letter")
    window.go("/manage/people/nobody-x")
    look("/manage/people/nobody-x")


def main():
    server, auditor, driver = Server(sys.argv[1]), Auditor(sys.argv[2], sys.argv[3]), Driver()
    began = time.monotonic()
    window = Window(driver, server, "inside")
    auditor.walk(window, "signed out", ["/sign-in", "/accessibility"], "/")
    window.go("/sign-in").fill("/sign-in", login="x", password="y")
    auditor.look(window, "signed out", "/sign-in corrected")
    login = "toto-j"
    window.signed_in(login)
    fill(server, window, login)
    auditor.walk(window, "person", ["/", "/sharing"], "/")
    of_a_person(auditor, window, login)
    for role, of_role in (("correspondent", "leguennec-m"), ("manager", "durand-e"), ("administrator", "dupont-p")):
        window.close()
        window = Window(driver, server, "inside").signed_in(of_role)
        seen = auditor.walk(window, role, ["/", "/manage"], "/manage")
        assert len(seen) >= 4, f"{role}: {seen}"
    of_a_manager(auditor, window, "kerguelen-y")
    window.close()
    window = Window(driver, server, "inside").sign_in(login, server.people[login]["password"])
    auditor.look(window, "signed out", "/sign-in/code")
    print(f"{auditor.pages} pages in {time.monotonic() - began:.0f} s")
    assert not auditor.bad, f"{len(auditor.bad)} violations:\n" + "\n".join(auditor.bad)


main()
