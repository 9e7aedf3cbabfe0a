#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plugins that go wrong in every way known, together with good rules: each costs its own verdict alone."""

import os
import subprocess
import sys
import time

from k8s import Host, Suite, run

PROGRAM, PLUGINS, FAULTY = sys.argv[1:4]
SANITIZED = len(sys.argv) > 4 and sys.argv[4] == "sanitized"
TIMEOUT = 4

CAUSES = {
    "segfault": "signal 11",
    "abort": "signal 6",
    "exit": "exited with status 0",
    "loop": "no verdict within 4 s",
    "sleep": "no verdict within 4 s",
    # A slow machine's deadline comes before the limit on memory.
    "allocate": ("signal", "no verdict within 4 s"),
    "flood": "more than 1024 KiB to standard error",
    "flood-channel": "flooded its channel",
    "fork": "started a process",
    "vfork": "started a process",
    "daemon": "signal 11",
    "close": "closed its channel",
    "forge": "spoke of a rule that it was not told to judge",
    "rubbish": "wrote rubbish to its channel",
    "silent": "ended without a verdict",
    "lie": "a verdict that there is not",
    "constructor": "could not be loaded",
    "speak-early": "wrote rubbish to its channel",
    "hang-early": "could not be loaded: it took more than 4 s",
    "half": "no verdict within 4 s",
    "ask-twice": "wrote rubbish to its channel",
    "deaf": "no verdict within 4 s",
    "stall": "no verdict within 4 s",
    "reason": "wrote rubbish to its channel",
}
if SANITIZED:
    # The sanitizer's own limits stand in the place of ours, and it ends the process with a status.
    del CAUSES["allocate"]
    CAUSES["segfault"] = CAUSES["abort"] = CAUSES["daemon"] = CAUSES["constructor"] = "its worker"

# With the filter of system calls, a process that is started ends who starts it, and nothing is left behind.
FILTERED = {"fork": "signal 31", "vfork": "signal 31", "daemon": "signal 31"}
if SANITIZED:
    # Who looks for leaks at an exit does so in a process of its own.
    FILTERED = {"fork": "its worker", "vfork": "its worker", "daemon": "its worker", "exit": ("exited with status 0", "signal 31")}

GOOD = 20


def profile():
    """A bad rule behind every good one, and those that are left at the end."""
    lines = ["rules:"]
    faults = list(CAUSES)
    for i in range(max(GOOD, len(faults))):
        if i < GOOD:
            lines += [f"  - id: good-{i}", "    check: sysctl.value", f"    title: Good rule {i}",
                      f"    with: {{keys: [test.key{i}], value: {i}}}"]
        if i < len(faults):
            lines += [f"  - id: bad-{faults[i]}", f"    check: faulty-{faults[i]}.check",
                      "    title: Bad rule"]
    return "\n".join(lines) + "\n"


def processes(root):
    """What is left of a run: processes whose command line names our root."""
    out = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout
    return [line for line in out.splitlines() if root in line and "ps -eo" not in line]


suite = Suite("faulty plugins")
files = {f"/proc/sys/test/key{i}": f"{i}\n" for i in range(GOOD)}
files["/etc/sysctl.d/99-test.conf"] = "".join(f"test.key{i} = {i}\n" for i in range(GOOD))


def judge(host, sandbox):
    # A bound on time, on a machine that others share: it has to hold once in three times.
    for _ in range(3):
        start = time.monotonic()
        result = run(PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", FAULTY, "--root", host.path, "--live",
                     "--timeout", f"{TIMEOUT}s", f"--sandbox={sandbox}", profile=profile())
        took = time.monotonic() - start
        if took < TIMEOUT + 1:
            break
    return result, took


def hold(host, sandbox):
    result, took = judge(host, sandbox)
    what = f"--sandbox={sandbox}:"
    suite.expect_true(f"{what} a report was written", result.report is not None, result.err)
    layers = result.report["run"]["sandbox"]
    filtered = "system call filter" in layers
    if sandbox == "off":
        suite.expect(f"{what} layers", layers, [])
    for i in range(GOOD):
        suite.expect(f"{what} good-{i}", result.verdict(f"good-{i}"), "pass")
    for fault, cause in {**CAUSES, **(FILTERED if filtered else {})}.items():
        suite.expect(f"{what} bad-{fault}", result.verdict(f"bad-{fault}"), "error")
        causes = cause if isinstance(cause, tuple) else (cause,)
        said = result.messages(f"bad-{fault}")
        suite.expect_true(f"{what} cause of bad-{fault}", any(c in said for c in causes), f"{causes} is not in {said!r}")
    left = "behind, which were ended" in " ".join(result.report["run"]["warnings"])
    suite.expect(f"{what} what was left behind is said", left, not filtered)
    suite.expect(f"{what} exit code", result.code, 3)
    suite.expect_true(f"{what} it took the longest deadline and a second at most", took < TIMEOUT + 1, f"{took:.2f} s")
    print(f"{what} {len(CAUSES)} faults beside {GOOD} good rules in {took:.2f} s")
    time.sleep(0.2)
    suite.expect(f"{what} processes left behind", processes(host.path), [])


with Host(files) as host:
    hold(host, "best-effort")
    hold(host, "off")
suite.end()
