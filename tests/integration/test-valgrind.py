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


class Log:
    """Valgrind's log of every process comes by a connection of its own: files are what no worker may write."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.texts = []
        self.threads = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            thread = threading.Thread(target=self.take, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

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
        log = Log()
        done = subprocess.run(
            ["valgrind", f"--log-socket=127.0.0.1:{log.port}", "--leak-check=full", "--errors-for-leak-kinds=definite",
             "--error-exitcode=99", PROGRAM, *args, "--profile", host.path + "/p.yaml", "--report", "json",
             "--sandbox=off", "--timeout", "60s"],
            capture_output=True, text=True, timeout=300,
        )
        for thread in log.threads:
            thread.join(10)
        text = "".join(log.texts)
        suite.expect_true(f"{what}: it was judged", done.returncode in (0, 1, 3), f"{done.returncode} {done.stderr}")
        pids = set(re.findall(r"^==(\d+)==", text, re.M))
        suite.expect_true(f"{what}: the processes of a run are there", len(pids) >= 4, str(pids))
        wrong = [line for line in text.splitlines() if re.search(
            r"Invalid (read|write|free)|uninitiali[sz]ed|unaddressable|ERROR SUMMARY: [1-9]|definitely lost: [1-9]", line)]
        suite.expect(f"{what}: what valgrind found", wrong, [])
        print(f"{what}: {len(pids)} processes")
suite.end()
