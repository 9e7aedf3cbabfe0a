# SPDX-License-Identifier: Apache-2.0
"""What both tables of faults have in common: make a fault, run k8scheck, hold what came of it."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time

ROOT = os.geteuid() == 0
NOBODY = 65534
# Of any process of a run; a run without a fault takes 8 MiB, and the largest table that is read has a bound of 64.
MEMORY_MAX = 128 << 20
# What starting and ending may take, beside the time that a rule has.
SLACK = 0.5
# What stands for a rule that did not come to its verdict by itself.
BROKEN = re.compile(r"no verdict within|its worker|signal \d")


def has_sanitizer(program):
    with open(program, "rb") as f:
        return b"__asan_init" in f.read()


SANITIZED = has_sanitizer(sys.argv[1])


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def put(path, data, mode=0o644):
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as s:
        here = os.open(".", os.O_RDONLY)
        os.chdir(os.path.dirname(path))
        s.bind(os.path.basename(path))
        os.fchdir(here)
        os.close(here)


def make_loop(path):
    os.symlink(os.path.basename(path) + ".other", path)
    os.symlink(os.path.basename(path), path + ".other")


KINDS = {
    "absent": lambda path: None,
    "directory": os.mkdir,
    "fifo": os.mkfifo,
    "socket": make_socket,
    # /dev/zero, whose end nobody reaches.
    "device": lambda path: os.mknod(path, stat.S_IFCHR | 0o644, os.makedev(1, 5)),
    "loop": make_loop,
    "dangling": lambda path: os.symlink("/there-is-no/such-file", path),
    "file": lambda path: put(path, b"text\n"),
}


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


class Run:
    """One rule, by the program: its verdict at that horizon, what is said of it, and what it took."""

    def __init__(self, root, profile, horizon, live, timeout, sandbox="best-effort", nobody=False):
        command = [
            sys.argv[1],
            "--root",
            root,
            "--profile",
            profile,
            "--timeout",
            f"{timeout}s",
            "--report",
            "json",
            f"--sandbox={sandbox}",
            *(["--live"] if live else []),
        ]
        self.bound = timeout + SLACK
        start = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=become_nobody if nobody and ROOT else None,
        )
        killer = threading.Timer(self.bound * 4, process.kill)
        killer.start()
        with process.stdout, process.stderr:
            out, self.err = process.stdout.read(), process.stderr.read().decode(errors="replace")
        _, status, used = os.wait4(process.pid, 0)
        killer.cancel()
        process.returncode = 0
        self.took = time.monotonic() - start
        self.memory = used.ru_maxrss << 10
        self.code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        try:
            self.rule = json.loads(out)["rules"][0]
        except (ValueError, KeyError, IndexError):
            self.rule = None
        judgement = self.rule["judgements"].get(horizon, {}) if self.rule else {}
        self.verdict = judgement.get("verdict")
        self.said = json.dumps(judgement).replace("\\/", "/")


class Tried:
    """What came of the faults of one row, for the process that counts."""

    def __init__(self, name):
        self.name = name
        self.wrong, self.cells, self.right, self.left_out = [], 0, 0, 0
        self.memory, self.took = 0, 0.0

    def hold(self, fault, wanted, run, names=()):
        """`names`: an error has to name one of them."""
        self.cells += 1
        self.memory, self.took = max(self.memory, run.memory), max(self.took, run.took)
        faults = []
        if run.code not in (0, 1, 3) or run.rule is None:
            faults.append(f"no report (exit {run.code}): {run.err.strip()[:200]}")
        elif run.verdict not in wanted:
            faults.append(f"{run.verdict}, expected {'|'.join(sorted(wanted))}: {run.said[:400]}")
        else:
            self.right += 1
        if run.took > run.bound or BROKEN.search(run.said):
            faults.append(f"no verdict of its own after {run.took:.2f} s: {run.said[:300]}")
        if run.memory > MEMORY_MAX and not SANITIZED:
            faults.append(f"{run.memory >> 20} MiB")
        if run.verdict == "error" and names and not any(n in run.said for n in names):
            faults.append(f"the report does not name it: {run.said[:400]}")
        self.wrong += [f"{self.name}: {fault}: {text}" for text in faults]


def figures(suite, tried, rows):
    """Prints what was wrong, and the figures."""
    for t in tried:
        suite.checked += t.cells
        suite.failed += len(t.wrong)
        for line in t.wrong:
            print("not ok", line)
    cells, right = sum(t.cells for t in tried), sum(t.right for t in tried)
    print(f"{rows}, {cells} runs: {right} gave the expected verdict")
    print(
        f"the longest took {max(t.took for t in tried):.2f} s, the largest process {max(t.memory for t in tried) >> 20} MiB"
    )
    if sum(t.left_out for t in tried):
        print(f"left out: {sum(t.left_out for t in tried)} devices, which root alone can make")
