"""mutt in a terminal of its own opens a mailbox and counts it. Usage: mutt.py MUTTRC MAILBOX_URL MESSAGES."""

import os
import pty
import re
import select
import sys
import time

# On a loaded machine, with a debug build; mutt fetches every header.
OPEN_WITHIN_S = 120


def main():
    muttrc, url, messages = sys.argv[1], sys.argv[2], sys.argv[3]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", LANG="C.UTF-8", LINES="24", COLUMNS="132")
        os.execvp("mutt", ["mutt", "-n", "-F", muttrc, "-f", url])
    screen = b""
    deadline = time.monotonic() + OPEN_WITHIN_S
    wanted = re.compile(rb"Msgs:\s*" + messages.encode() + rb"\b")
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 1)
        if ready:
            try:
                piece = os.read(terminal, 65536)
            except OSError:     # the terminal closes with mutt
                break
            screen += piece
        if wanted.search(screen):
            os.write(terminal, b"\n")           # reads the first message
            os.write(terminal, b"iq")           # back to the index, and out
            _, status = os.waitpid(pid, 0)
            print("mutt: opened, ended with", os.waitstatus_to_exitcode(status))
            return os.waitstatus_to_exitcode(status)
    os.kill(pid, 9)
    print("mutt showed:", re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]", b"", screen[-4000:]).decode("utf-8", "replace"))
    return 1


if __name__ == "__main__":
    sys.exit(main())
