"""Runs a program in a terminal of 30 lines: what comes in goes to the program, what it draws goes out.

Usage: terminal.py PROGRAM ARGUMENTS. Ends as the program does.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

LINES, COLUMNS = 30, 120


def main():
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[1], sys.argv[1:])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    keyboard, screen = sys.stdin.fileno(), sys.stdout.fileno()
    watched = [terminal, keyboard]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if terminal in ready:
            try:
                drawn = os.read(terminal, 65536)
            except OSError:     # the terminal closes with the program
                break
            if not drawn:
                break
            os.write(screen, drawn)
        if keyboard in ready:
            keys = os.read(keyboard, 4096)
            if keys:
                os.write(terminal, keys)
            else:
                watched.remove(keyboard)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
