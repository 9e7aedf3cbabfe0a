# SPDX-License-Identifier: Apache-2.0
"""A terminal of the test's own, and who is asked on it."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

# Far more than any of it takes, under sanitizers too.
BOUND = 60
ASKS = " [y/N] "


class Session:
    """A command whose controlling terminal is a pty of its own."""

    def __init__(self, command, env=None):
        self.seen = ""
        self.code = None
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            # A shell's background job may have been told to ignore them, which is inherited.
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.execve(command[0], command, env or dict(os.environ, TERM="dumb"))
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.hang_up()
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def take(self, seconds):
        """What is written within that time at most; false when nothing is, or can be any more."""
        if self.master < 0 or not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            part = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += part.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
        return bool(part)

    def has_ended(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        return self.code is not None

    def read(self, until):
        """Reads to the text; false when it does not come."""
        end = time.monotonic() + BOUND
        start = len(self.seen)
        while until not in self.seen[start:]:
            if not self.take(0.05) and (self.has_ended() or time.monotonic() > end):
                return until in self.seen[start:]
        return True

    def send(self, data):
        os.write(self.master, data)

    def question(self):
        """The line of the question that is asked; empty when none comes."""
        return self.seen.splitlines()[-1][: -len(ASKS)] if self.read(ASKS) else ""

    def wait(self):
        """Exit code, or minus the signal. The fixer may hold the terminal open longer."""
        end = time.monotonic() + BOUND
        while not self.has_ended() and time.monotonic() < end:
            if not self.take(0.05):
                time.sleep(0.01)
        while self.take(0):
            pass
        return self.code

    def hang_up(self):
        if self.master >= 0:
            os.close(self.master)
        self.master = -1

    def fixer(self):
        """The process that waits for consent."""
        for name in os.listdir("/proc"):
            try:
                with open(f"/proc/{name}/stat") as f:
                    comm, rest = f.read().rsplit(")", 1)
            except (OSError, ValueError):
                continue
            if int(rest.split()[1]) == self.pid and comm.split("(", 1)[1].startswith("k8scheck-fixer"):
                return int(name)
        return None
