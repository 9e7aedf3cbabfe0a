#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Every conversation that a check has, with every kind of partner: PROGRAM SUPPORT [NAME…]. The table is in talks.py.
"""

import contextlib
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import talks
from look import KINDS, Run, Tried, figures, make_socket, put

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import guide
import k8s

SUPPORT = sys.argv[2]
ONLY = sys.argv[3:]
TIMEOUT = 2
JOBS = 2


class Health:
    """An HTTP server that is good at it, or bad in one way."""

    ANSWERS = {
        "good": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "ill": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nno\r\n",
        "moved": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "lies": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
        "rubbish": b"\x1b[31mSSH-2.0-OpenSSH\r\n\0\xff",
        "half": b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nok",
        "endless": b"HTTP/1.1 200 OK\r\n\r\n",
        "endless-head": b"HTTP/1.1 200 OK\r\nX: ",
        "close": b"",
    }

    def __init__(self, state):
        self.state = state
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.kept = []
        if state == "absent":
            self.listener.close()
            return
        self.listener.listen(0 if state == "deaf" else 16)
        if state == "deaf":
            # The queue of those who wait is full.
            for _ in range(4):
                s = socket.socket()
                s.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    s.connect(("127.0.0.1", self.port))
                self.kept.append(s)
        else:
            threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.state == "silent":
                self.kept.append(connection)
                continue
            with connection, contextlib.suppress(OSError):
                if self.state != "close":
                    connection.recv(4096)
                connection.sendall(self.ANSWERS[self.state])
                while self.state.startswith("endless"):
                    connection.sendall(b"x" * 65536)

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        for s in [self.listener, *self.kept]:
            s.close()


@contextlib.contextmanager
def partner(talk, state, root):
    """Makes the state; gives parameters that the rule has besides."""
    if talk.with_whom == "kubelet":
        server = Health(state)
        yield {"url": f"http://127.0.0.1:{server.port}/healthz"}
        server.stop()
        return
    path = root + (talks.BUS if talk.with_whom == "bus" else talks.CRIO)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if state in talks.PLACES:
        make_socket(path) if state == "left" else KINDS[state](path)
        yield {}
        return
    command = ["fake-bus", root, state] if talk.with_whom == "bus" else ["fake-runtime", path, state]
    # A group of its own, which ends with all that it has started.
    with subprocess.Popen(
        [os.path.join(SUPPORT, command[0]), *command[1:]], stdout=subprocess.PIPE, preexec_fn=os.setpgrp
    ) as process:
        assert process.stdout.readline() == b"ready\n", (command, "did not start")
        yield {}
        os.killpg(process.pid, 9)


def lay(talk, root):
    host = k8s.Host.__new__(k8s.Host)
    host.path = root
    guide.lay(host)
    if talk.with_whom == "runtime":
        # crio.conf has it in /var/run.
        host.link("/var/run", "../run")


def try_talk(index):
    talk = TABLE[index]
    tried = Tried(talk.name)
    for state, wanted in talk.expected.items():
        # A short path, for that of a socket is.
        top = tempfile.mkdtemp(prefix="kf-")
        os.chmod(top, 0o755)
        root, profile = os.path.join(top, "r"), os.path.join(top, "profile.yaml")
        os.mkdir(root)
        lay(talk, root)
        with partner(talk, state, root) as more:
            rule = {"id": "rule", "check": talk.check, "with": {**talk.parameters, **more}}
            put(profile, json.dumps({"rules": [rule]}).encode())
            run = Run(root, profile, "now", True, TIMEOUT)
        tried.hold(state, wanted, run)
        if not run.said or "findings\": []" in run.said:
            tried.wrong.append(f"{talk.name}: {state}: nothing is said of it")
        shutil.rmtree(top)
    return tried


def work(index):
    try:
        return try_talk(index)
    except Exception as e:
        raise RuntimeError(f"{TABLE[index].name}: {e!r}") from e


TABLE = [t for t in talks.TALKS if not ONLY or any(o in t.name for o in ONLY)]


def main():
    suite = k8s.Suite("faults of conversations")
    start = time.monotonic()
    with multiprocessing.Pool(JOBS) as pool:
        tried = pool.map(work, range(len(TABLE)), chunksize=1)
    states = len({(t.with_whom, s) for t in TABLE for s in t.expected})
    figures(suite, tried, f"{len({t.with_whom for t in TABLE})} partners in {states} states, {len(TABLE)} rows")
    print(f"{time.monotonic() - start:.0f} s in all")
    suite.end()


if __name__ == "__main__":
    main()
