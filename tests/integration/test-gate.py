#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The gate in front of a command: it is run when the gate is open, in place of k8scheck and as if that had not been there; else
it is not, the exit code is 125, and why is said.
"""

import json
import os
import signal
import subprocess
import sys
import time

from k8s import Host, Suite
from terminal import Session

PROGRAM, SUPPORT = sys.argv[1], sys.argv[5]
STATE_OF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "state-of.py")

suite = Suite("gate")

FILES = {
    "/etc/os-release": "ID=debian\n",
    "/etc/sysctl.d/50-own.conf": "kernel.panic = 10\n",
    "/profile.yaml": """
rules:
  - {id: panic, check: sysctl.value, title: panic, severity: required, with: {settings: {kernel.panic: "10"}}}
  - {id: memory, check: sysctl.value, title: memory, severity: required, tags: [wrong],
     with: {settings: {vm.overcommit_memory: "1"}}}
  - {id: advice, check: sysctl.value, title: advice, severity: recommended, tags: [advice],
     with: {settings: {vm.panic_on_oom: "1"}}}
  - {id: broken, check: file.state, title: broken, severity: required, tags: [broken],
     with: {path: /etc/loop, type: regular}}
""",
}


class Node:
    """A root, and a folder with a command that says how it was called."""

    def __enter__(self):
        self.host = Host(FILES)
        os.chmod(self.host.path, 0o755)
        os.makedirs(self.host.path + "/var/lib")
        os.symlink("loop", self.host.path + "/etc/loop")
        self.log = self.host.path + "/called"
        self.host.write("/bin/kubeadm", f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{self.log}\nexit 42\n", 0o755)
        return self

    def __exit__(self, *unused):
        self.host.__exit__()

    def words(self, *arguments):
        profile = self.host.path + "/profile.yaml"
        return [PROGRAM, "--root", self.host.path, "--profile", profile, "--color", "never", *arguments]

    def run(self, *arguments, **options):
        options.setdefault("env", dict(os.environ, PATH=self.host.path + "/bin:" + os.environ["PATH"]))
        return subprocess.run(
            self.words(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            universal_newlines=True,
            timeout=120,
            check=False,
            **options,
        )

    def called(self):
        """Arguments of the call; None when there was none."""
        if not os.path.exists(self.log):
            return None
        with open(self.log) as f:
            return f.read().splitlines()


KUBEADM = ["--", "kubeadm", "init", "--pod-network-cidr=10.244.0.0/16", "a b", "--"]
OPEN = ["--rule", "panic"]


def test_open():
    with Node() as node:
        done = node.run(*OPEN, *KUBEADM)
        suite.expect("open: exit code is the command's", done.returncode, 42)
        suite.expect("open: it got its arguments as they were", node.called(), KUBEADM[2:])
        suite.expect_in("open: the report comes first", "gate: open", done.stdout)


def test_closed():
    for what, options, words in (
        ("a rule failed", ["--rule", "memory"], "a rule that counts failed (1)"),
        ("a recommended one, with --strict", ["--rule", "panic", "--rule", "advice", "--strict"], "failed (1)"),
        ("a rule could not be decided", ["--rule", "broken"], "could not be decided, or none applied (3)"),
        ("no such rule", ["--rule", "nothing"], "nothing was judged (2)"),
        ("a report cannot be written", [*OPEN, "--report", "json=/dev/full"], "a report could not be written (6)"),
        ("a word that is no option", [*OPEN, "--pofile"], "unknown option --pofile"),
        ("a word too many", ["panic"], "unknown verb panic"),
        ("a dry run", [*OPEN, "--fix", "--dry-run"], "--dry-run changes nothing, and so runs no command"),
        ("--fix without a terminal", ["--rule", "memory", "--fix"], "nothing was judged (2)"),
    ):
        with Node() as node:
            done = node.run(*options, *KUBEADM, start_new_session=True)
            suite.expect(f"{what}: exit code", done.returncode, 125)
            suite.expect_in(f"{what}: why", words, done.stderr)
            suite.expect(f"{what}: it is not called", node.called(), None)
    with Node() as node:
        for rest in (["--"], ["--", ""]):
            done = node.run(*OPEN, *rest)
            suite.expect(f"{rest}: exit code", done.returncode, 125)
            suite.expect_in(f"{rest}", "-- needs a command behind it", done.stderr)
        for words in (["list", "rules"], ["lint"], ["explain", "panic"], ["rollback"]):
            done = node.run(*words, *KUBEADM)
            suite.expect(f"{words[0]}: exit code", done.returncode, 125)
            suite.expect_in(words[0], "goes with a profile", done.stderr)
        suite.expect("none of them calls it", node.called(), None)


def test_advice():
    with Node() as node:
        done = node.run("--rule", "panic", "--rule", "advice", *KUBEADM)
        suite.expect("what is recommended closes nothing", (done.returncode, node.called()), (42, KUBEADM[2:]))


def test_cannot_run():
    with Node() as node:
        node.host.write("/bin/plain", "echo\n", 0o644)
        for command, code in (("no-such-command", 127), (node.host.path + "/bin/plain", 126), ("/etc", 126)):
            done = node.run(*OPEN, "--", command)
            suite.expect(f"{command}: exit code", done.returncode, code)
            suite.expect_in(command, "the gate is open, and " + command + " cannot be run: ", done.stderr)


def test_fix():
    """What can be repaired opens the gate; the same on a terminal, where it is asked for."""
    with Node() as node:
        done = node.run("--skip", "broken", "--fix", "--yes", *KUBEADM)
        suite.expect("repaired: exit code", done.returncode, 42)
        suite.expect_in("repaired: the report", "fixed    memory", done.stdout)
        suite.expect("repaired: called", node.called(), KUBEADM[2:])
        os.unlink(node.log)
        back = subprocess.run([PROGRAM, "rollback", "--root", node.host.path, "--yes"], timeout=60, check=False)
        suite.expect("taken back", back.returncode, 0)
        for answer, code, called in (("n\n", 125, None), ("y\n", 42, KUBEADM[2:])):
            env = dict(os.environ, PATH=node.host.path + "/bin:" + os.environ["PATH"], TERM="dumb")
            with Session(node.words("--skip", "broken", "--fix", *KUBEADM), env) as session:
                suite.expect_in(f"asked, {answer!r}: the question", "Carry this plan out", session.question())
                session.send(answer.encode())
                suite.expect(f"asked, {answer!r}: exit code", session.wait(), code)
            suite.expect(f"asked, {answer!r}: called", node.called(), called)


def state(node, wrapped, before=None, **options):
    command = [sys.executable, STATE_OF, "a", "--b"]
    process = subprocess.Popen(
        node.words(*OPEN, "--report", "json=" + node.host.path + "/report", "--", *command) if wrapped else command,
        stdout=subprocess.PIPE,
        preexec_fn=before,
        universal_newlines=True,
        **options,
    )
    out, _ = process.communicate(timeout=60)
    suite.expect(f"{wrapped}: exit code", process.returncode, 0)
    found = json.loads(out.splitlines()[-1])
    suite.expect(f"{wrapped}: it is the process that was started", found.pop("pid"), process.pid)
    # A session's number is its first process's.
    for name in ("session", "group"):
        found[name] = found[name] == process.pid
    return found


def odd():
    """Settings that a service manager may have made."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGTERM])
    os.umask(0o027)
    os.nice(3)


def test_as_it_was():
    """Process, environment, signals, descriptors, folder, limits …: all that a program is started with."""
    with Node() as node:
        for what, before, options in (
            ("as a shell starts it", None, {}),
            ("with settings of its own", odd, {"start_new_session": True, "cwd": "/usr", "env": {"A": "b", "PATH": "/bin"}}),
        ):
            plain = state(node, False, before, **options)
            wrapped = state(node, True, before, **options)
            for name in plain:
                suite.expect(f"{what}: {name}", wrapped[name], plain[name])


def test_signals():
    """A signal to k8scheck's process reaches the command, which has its number."""
    with Node() as node:
        process = subprocess.Popen(
            node.words(*OPEN, "--", "/bin/sh", "-c", "echo ready; exec sleep 60"), stdout=subprocess.PIPE
        )
        while b"ready" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        suite.expect("it ends by the signal", process.wait(timeout=30), -signal.SIGTERM)
        suite.expect_true("at once", time.monotonic() - begun < 20)
        process.stdout.close()


test_open()
test_closed()
test_advice()
test_cannot_run()
test_fix()
test_as_it_was()
test_signals()
suite.end()
