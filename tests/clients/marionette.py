"""Mozilla's remote protocol, as far as a mail program is driven by it: JavaScript inside the program, and pictures of it.

A message is its length, a colon, and JSON: `[0, id, command, parameters]` goes, `[1, id, error, result]` comes.
"""

import base64
import json
import os
import select
import socket
import subprocess
import time

# A debug build of the server and others beside it on two processors.
WITHIN_S = 120

ASYNC = """
const done = arguments[arguments.length - 1];
const args = Array.from(arguments).slice(0, -1);
(async () => {%s})().then(
  value => done({ value: value === undefined ? null : value }),
  error => done({ error: `${error} ${error?.stack ?? ""}` })
);
"""


def until(what, fact):
    """Looks until the fact is there, and gives it."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        found = fact()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {WITHIN_S} s: {what}; last: {found!r}"
        select.select([], [], [], 0.1)


class Screen:
    """An X server of our own, on the number it finds free."""

    def __init__(self):
        ours, theirs = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
            pass_fds=[theirs], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs)
        with os.fdopen(ours) as number:
            self.display = ":" + number.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Marionette:
    """A program that was started with `--marionette` on this profile."""

    def __init__(self, command, profile, environment):
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        active = os.path.join(profile, "MarionetteActivePort")
        port = until("the program listens", lambda: self.alive() and os.path.exists(active) and open(active).read())
        self.socket = socket.create_connection(("127.0.0.1", int(port)), timeout=2 * WITHIN_S)
        self.pending, self.count = b"", 0
        self.read()
        self("WebDriver:NewSession", capabilities={})
        self("Marionette:SetContext", value="chrome")

    def alive(self):
        assert self.process.poll() is None, f"the program ended with {self.process.returncode}"
        return True

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        try:
            if failure:
                self.picture("failed.png")
        finally:
            self.process.terminate()
            self.process.wait()

    def octets(self, enough):
        while not enough(self.pending):
            piece = self.socket.recv(1 << 20)
            assert piece, "the program hung up"
            self.pending += piece

    def read(self):
        self.octets(lambda pending: b":" in pending)
        length, _, self.pending = self.pending.partition(b":")
        self.octets(lambda pending: len(pending) >= int(length))
        message, self.pending = self.pending[:int(length)], self.pending[int(length):]
        return json.loads(message)

    def __call__(self, command, **parameters):
        self.count += 1
        message = json.dumps([0, self.count, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        kind, number, error, result = self.read()
        assert (kind, number) == (1, self.count), (kind, number)
        assert not error, error
        return result.get("value") if isinstance(result, dict) and set(result) == {"value"} else result

    def js(self, body, *args):
        """Runs the body of an asynchronous function with `args` in it; what it returns."""
        result = self("WebDriver:ExecuteAsyncScript", script=ASYNC % body, args=list(args),
                      scriptTimeout=WITHIN_S * 1000, sandbox="system", newSandbox=False)
        assert "error" not in result, result["error"]
        return result["value"]

    def until(self, what, body, *args):
        return until(what, lambda: self.js(body, *args))

    def picture(self, path):
        png = base64.b64decode(self("WebDriver:TakeScreenshot", full=False, hash=False))
        assert png.startswith(b"\x89PNG"), png[:8]
        with open(path, "wb") as file:
            file.write(png)
