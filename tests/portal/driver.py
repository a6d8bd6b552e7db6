"""Debian's Chromium, driven over HTTP as W3C WebDriver says, without a library. One `Window` is one browser of its own."""

import atexit
import base64
import http.client
import json
import os
import re
import select
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

# A debug build of the server and others beside it on two processors.
WITHIN_S = 120

# The reference of an element in JSON (WebDriver 11).
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ARGUMENTS = [
    # Tests may run as root, and where /dev/shm is small.
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,900",
    # Nothing goes anywhere but to the server.
    "--no-proxy-server", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


def until(what, fact):
    """Looks until the fact is there, and gives it."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        found = fact()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {WITHIN_S} s: {what}; last: {found!r}"
        select.select([], [], [], 0.1)


class Server:
    """What `facteur try` says of itself."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.describe = json.load(file)
        self.people = {person["login"]: person for person in self.describe["people"]}
        self.tls = ssl.create_default_context(cafile=self.describe["ca"])
        self.tls.check_hostname = False

    def url(self, network):
        return self.describe["portal"][network].rstrip("/")

    def address(self, listener):
        host, port = self.describe["listeners"][listener]["addr"].rsplit(":", 1)
        return host, int(port)

    def source(self, network):
        return (self.describe["networks"][network]["source"], 0)


class Driver:
    """One chromedriver for all windows of a script; it listens where the kernel says."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="facteur-chromium-")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.process = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=dict(os.environ, HOME=self.folder, TMPDIR=self.folder))
        atexit.register(self.end)
        self.windows, self.port = [], None
        for line in self.process.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        assert self.port, "chromedriver does not start"

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2 * WITHIN_S)
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": "application/json"})
        value = json.loads(connection.getresponse().read())["value"]
        connection.close()
        assert not (isinstance(value, dict) and "error" in value), f"{method} {path}: {value['error']}: {value['message']}"
        return value

    def end(self):
        for window in self.windows:
            try:
                window.close()
            except (AssertionError, OSError):
                pass
        self.process.terminate()
        self.process.wait()


class Window:
    """A browser with cookies of its own, in one network. `scripts` says whether pages may run any."""

    def __init__(self, driver, server, network, scripts=True, language="en"):
        self.driver, self.server, self.base = driver, server, server.url(network)
        self.downloads = tempfile.mkdtemp(dir=driver.folder)
        preferences = {"intl.accept_languages": language, "credentials_enable_service": False}
        if not scripts:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        options = {"binary": shutil.which("chromium"), "args": ARGUMENTS, "prefs": preferences}
        capabilities = {"browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": options,
                        "unhandledPromptBehavior": "ignore"}
        session = driver.ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.at = f"/session/{session['sessionId']}"
        driver.windows.append(self)
        self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.downloads)
        self.ask("POST", "/url", url="data:text/html,<title>off</title><script>document.title='on'</script>")
        assert self.title() == ("on" if scripts else "off"), "scripts are as they were asked for"

    def ask(self, method, path, **body):
        return self.driver.ask(method, self.at + path, body if method == "POST" else None)

    def cdp(self, command, **parameters):
        """Chromium's own protocol, for what WebDriver has no word for."""
        return self.ask("POST", "/goog/cdp/execute", cmd=command, params=parameters)

    def close(self):
        self.driver.windows.remove(self)
        self.driver.ask("DELETE", self.at)

    # ---- what is shown ----

    def go(self, path):
        self.ask("POST", "/url", url=self.base + path)
        return self

    def path(self):
        return self.ask("GET", "/url").removeprefix(self.base)

    def title(self):
        return self.ask("GET", "/title")

    def source(self):
        return self.ask("GET", "/source")

    def text(self, selector="main"):
        return self.ask("GET", f"/element/{self.one(selector)}/text")

    def says(self, words, selector="main"):
        text = self.text(selector)
        assert words in text, f"{words!r} is not said at {self.path()}:\n{text}"
        return self

    def all(self, selector):
        found = self.ask("POST", "/elements", using="css selector", value=selector)
        return [element[ELEMENT] for element in found]

    def one(self, selector):
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} times {selector} at {self.path()}:\n{self.source()}"
        return found[0]

    def value(self, selector):
        """What stands in a field."""
        return self.ask("GET", f"/element/{self.one(selector)}/property/value")

    def attribute(self, selector, name):
        return self.ask("GET", f"/element/{self.one(selector)}/attribute/{name}")

    def focused(self):
        """The id of the element that has the focus."""
        element = self.ask("GET", "/element/active")[ELEMENT]
        return self.ask("GET", f"/element/{element}/attribute/id")

    def run(self, script, *arguments):
        return self.ask("POST", "/execute/sync", script=script, args=list(arguments))

    def run_async(self, script, *arguments):
        return self.ask("POST", "/execute/async", script=script, args=list(arguments))

    def shot(self, path):
        """The whole page, however long."""
        picture = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    # ---- what is done ----

    def click(self, selector):
        """Presses the one element there is, and waits for the page it leads to."""
        element = self.one(selector)
        before = self.one("html")
        self.ask("POST", f"/element/{element}/click")
        until(f"{selector} leads somewhere", lambda: self.all("html") not in ([], [before]))
        until("the page is whole", lambda: self.run("return document.readyState") == "complete")
        return self

    def back(self):
        self.ask("POST", "/back")
        return self

    def press(self, selector):
        self.ask("POST", f"/element/{self.one(selector)}/click")
        return self

    def read_in(self, language):
        """The language the browser asks for from now on."""
        agent = self.run("return navigator.userAgent")
        self.cdp("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    def press_tab(self):
        key = [{"type": "keyDown", "value": "\ue004"}, {"type": "keyUp", "value": "\ue004"}]
        self.ask("POST", "/actions", actions=[{"type": "key", "id": "keyboard", "actions": key}])

    def type(self, selector, text):
        element = self.one(selector)
        self.ask("POST", f"/element/{element}/clear")
        self.ask("POST", f"/element/{element}/value", text=text)
        return self

    def pick_day(self, selector, day):
        """A date field takes figures in the order of the browser's language: English has the month first."""
        year, month, of_month = day.split("-")
        self.ask("POST", f"/element/{self.one(selector)}/value", text=month + of_month + year)
        return self

    def fill(self, action, **fields):
        """Types into the form for `action` and sends it."""
        form = f"form[action='{action}']"
        for name, text in fields.items():
            self.type(f"{form} [name='{name}']", text)
        return self.click(f"{form} button")

    def sign_in(self, login, password):
        return self.go("/sign-in").fill("/sign-in", login=login, password=password)

    def signed_in(self, login, password=None):
        self.sign_in(login, password or self.server.people[login]["password"])
        assert self.path() == "/", f"{login} is not signed in: {self.text()}"
        return self


def main(*journeys):
    """Runs journeys with scripts allowed, then forbidden. Usage of each script: SCRIPT DESCRIBE_JSON."""
    server, driver = Server(sys.argv[1]), Driver()
    for scripts in (True, False):
        for journey in journeys:
            began = time.monotonic()

            def window(network="inside", language="en"):
                return Window(driver, server, network, scripts, language)

            # Another person each time, of one unit: a journey changes theirs.
            login = "toto-j" if scripts else "oersted-muller-f"
            journey(server, window, login)
            for each in list(driver.windows):
                each.close()
            print(f"{journey.__name__}, scripts {'allowed' if scripts else 'forbidden'}: {time.monotonic() - began:.1f} s")
