#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job under valgrind, in all its processes: no access that is wrong, no leak that is certain. Without the sandbox, which
allows valgrind none of what it does on its own; what is between them is held by the sanitizers."""

import re
import shutil
import socket
import subprocess
import sys
import threading

from k8s import Host, Suite

PROGRAM = sys.argv[1]

if not shutil.which("valgrind"):
    print("skipped: valgrind is not installed")
    sys.exit(77)

PROFILE = """rules:
  - {id: forward, check: sysctl.value, with: {keys: [net.ipv4.ip_forward], value: 1}}
  - {id: swap, check: swap.off}
  - {id: release, check: file.lines, with: {path: /etc/os-release, has: [ID=debian]}}
  - {id: crio, check: systemd.unit, with: {unit: crio.service}}
  - {id: when, check: host.cpus, when: {os.id: debian}, with: {at-least: 1}}
"""
# Whoever still ends when the run is over is killed, and tells nothing: on a busy machine that may be most of them.
LEAST, TRIES = 4, 5


class Log:
    """Valgrind's log of every process comes by a connection of its own: files are what no worker may write."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.listener.settimeout(1)
        self.texts = []
        self.threads = []
        self.over = False
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def accept(self):
        """Those that came before the run was over may still wait here then."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except socket.timeout:
                if self.over:
                    return
                continue
            thread = threading.Thread(target=self.take, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def finish(self):
        self.over = True
        self.acceptor.join(60)
        for thread in self.threads:
            thread.join(10)
        return "".join(self.texts)

    def take(self, connection):
        data = b""
        while True:
            more = connection.recv(65536)
            if not more:
                break
            data += more
        self.texts.append(data.decode(errors="replace"))


suite = Suite("valgrind")
with Host({"/etc/os-release": "ID=debian\n", "/etc/fstab": "/dev/sda2 none swap sw 0 0\n", "/p.yaml": PROFILE}) as host:
    for what, args in (("this host", ["--live"]), ("an offline root", ["--root", host.path])):
        most = 0
        for _ in range(TRIES):
            log = Log()
            done = subprocess.run(
                ["valgrind", f"--log-socket=127.0.0.1:{log.port}", "--leak-check=full",
                 "--errors-for-leak-kinds=definite", "--error-exitcode=99", PROGRAM, *args, "--profile",
                 host.path + "/p.yaml", "--report", "json", "--sandbox=off", "--timeout", "60s"],
                capture_output=True, text=True, timeout=300,
            )
            text = log.finish()
            suite.expect_true(f"{what}: it was judged", done.returncode in (0, 1, 3), f"{done.returncode} {done.stderr}")
            wrong = [line for line in text.splitlines() if re.search(
                r"Invalid (read|write|free)|uninitiali[sz]ed|unaddressable|ERROR SUMMARY: [1-9]|definitely lost: [1-9]",
                line)]
            suite.expect(f"{what}: what valgrind found", wrong, [])
            most = max(most, len(set(re.findall(r"^==(\d+)==", text, re.M))))
            if most >= LEAST:
                break
        suite.expect_true(f"{what}: the processes of a run are there", most >= LEAST, most)
        print(f"{what}: {most} processes")
suite.end()
