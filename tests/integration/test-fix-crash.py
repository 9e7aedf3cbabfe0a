#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The fixer killed at each system call of it that changes something: a rollback brings every byte back, and so does going on
and then rolling back. The same of the rollback itself. With /etc in the root's own file system, and as a mount of its own,
where files are staged in another folder; and with steps that change what runs.

    test-fix-crash.py K8SCHECK AT-SYSCALL FOLDER [--all]

FOLDER is where hosts are made: a real file system. A kill before a call leaves what one after the call before leaves; by
--all, or K8SCHECK_TEST_ALL in the environment, both are tried, and the kills of a rollback of what was cut off. Else with
/etc as a mount one call of three is taken, others each day.
"""

import concurrent.futures
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from k8s import Suite, skip  # noqa: E402
from repair import LIVE, Bench, roll_all_back, run, within_namespace  # noqa: E402

KILLED = 4


class Crashes:
    def __init__(self, suite, bench, tracer, what, every):
        """`every`: of so many calls one is taken; 0: all, before it and after it."""
        self.every = every
        self.suite = suite
        self.bench = bench
        self.tracer = tracer
        self.what = what
        self.lock = threading.Lock()
        self.kept = 0

    def traced(self, mode, command):
        return [self.tracer, "--only", "k8scheck-fixer", *mode, "--", *command]

    def count(self, command):
        """How many calls there are, and that COMMAND goes well."""
        code, out = run(self.traced(["count"], command))
        self.suite.expect(f"{self.what}: undisturbed", code, 0)
        if code:
            print(out)
        return sum(line.split("\t")[0].isdigit() and "\t" in line for line in out.splitlines())

    def expect(self, name, what, got, want, said=""):
        with self.lock:
            self.suite.expect(f"{self.what}, {name}: {what}", got, want)
            if got != want:
                print(said[-1500:])

    def expect_start(self, name, root, said=""):
        self.expect(name, "the tree is as it was", self.bench.differences(root), [], said)

    def back(self, name, root):
        """A rollback, and one more, which has nothing to do."""
        code, out = run(self.bench.rollback(root))
        self.expect(name, "rollback", code, 0, out)
        self.expect_start(name, root, out)
        code, out = run(self.bench.rollback(root))
        self.expect(name, "nothing is left", (code, "there is no repair to be taken back" in out), (0, True), out)

    def on(self, name, root):
        """Goes on where it was cut off, and takes it all back."""
        code, out = run(self.bench.full_fix(root, "--resume"))
        if code == 2:
            self.expect(name, "nothing to go on with", "no repair that was cut off" in out, True, out)
            code, out = run(self.bench.full_fix(root))
        self.expect(name, "all rules pass", code, 0, out)
        code, out = roll_all_back(self.bench, root)
        self.expect(name, "all is taken back", code, 0, out)
        self.expect_start(name, root, out)

    def of_fix(self, name, mode):
        """One kill of a repair, and both ways on from there."""
        root = self.bench.copy(name)
        code, out = run(self.traced(mode, self.bench.full_fix(root)))
        self.expect(name, "it is told", code in (KILLED, 0), True, f"{code}\n{out}")
        other = self.bench.copy(name + "-on", root)
        self.back(name, root)
        self.on(name, other)
        self.bench.drop(root)
        self.bench.drop(other)

    def of_rollback(self, name, mode, fixed):
        root = self.bench.copy(name, fixed)
        code, out = run(self.traced(mode, self.bench.rollback(root)))
        self.expect(name, "it is told", code in (KILLED, 0), True, f"{code}\n{out}")
        self.back(name, root)
        self.bench.drop(root)

    def each(self, n, job):
        """All kills, on all processors."""
        every = self.every or 1
        first = int(time.time() // 86400) % every + 1
        modes = [["kill", "1", "before"]] + [["kill", str(i), "after"] for i in range(first, n + 1, every)]
        if not self.every:
            modes += [["kill", str(i), "before"] for i in range(2, n + 1)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = [pool.submit(job, f"{mode[2]}-{mode[1]}", mode) for mode in modes]
        for done in jobs:
            done.result()
        return len(modes)

    def fixed(self, name):
        root = self.bench.copy(name)
        code, out = run(self.bench.full_fix(root))
        self.expect(name, "repaired", code, 0, out)
        return root

    def cut_off(self, name, at):
        root = self.bench.copy(name)
        run(self.traced(["kill", str(at), "after"], self.bench.full_fix(root)))
        return root

    def all(self):
        begun = time.monotonic()
        calls = self.count(self.bench.full_fix(self.bench.copy("count")))
        points = self.each(calls, self.of_fix)
        print(f"{self.what}: a repair makes {calls} changing calls; killed at {points} points, {passed(begun)}")
        starts = {"a whole repair": self.fixed("fixed")}
        if not self.every:
            for part in (4, 2):
                starts[f"a repair cut off at call {calls // part}"] = self.cut_off(f"cut-{part}", calls // part)
        for start, root in starts.items():
            begun = time.monotonic()
            calls = self.count(self.bench.rollback(self.bench.copy("count", root)))
            points = self.each(calls, lambda name, mode: self.of_rollback("back-" + name, mode, root))
            print(f"{self.what}: the rollback of {start} makes {calls}; killed at {points} points, {passed(begun)}")


def passed(begun):
    return f"{time.monotonic() - begun:.1f} s"


def main():
    program, tracer, place = sys.argv[1:4]
    thorough = "--all" in sys.argv or bool(os.environ.get("K8SCHECK_TEST_ALL"))
    if not os.access(tracer, os.X_OK):
        skip("at-syscall is not built here")
    suite = Suite("fix-crash")
    whats = {
        "one file system": (1, {}),
        "what runs": (1, {"profile": LIVE, "live": True}),
    }
    if within_namespace():
        whats["/etc a mount of its own"] = (3, {"own_etc": True})
    for what, (every, options) in whats.items():
        bench = Bench(program, place, **options)
        try:
            Crashes(suite, bench, tracer, what, 0 if thorough else every).all()
        finally:
            bench.end()
    if not within_namespace():
        print("left out: /etc as a mount of its own, for nothing may be mounted here")
    suite.end()


if __name__ == "__main__":
    within_namespace(main)
