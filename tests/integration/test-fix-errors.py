#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Each system call of the fixer that changes something fails: what was changed is taken back by itself, and the host is as it
was. And real file systems that are full, for /etc alone, for /var alone, for the whole root.

    test-fix-errors.py K8SCHECK AT-SYSCALL FOLDER [--all]

By --all, or K8SCHECK_TEST_ALL in the environment, each call fails in every way; else in one, another each day.
"""

import concurrent.futures
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from k8s import Suite, skip  # noqa: E402
from repair import STORE, Bench, make_host, roll_all_back, run, tree, within_namespace  # noqa: E402

WAYS = ("ENOSPC", "EIO", "EROFS", "EPERM", "short")
TAKEN_BACK = "everything that had been changed was taken back"
NOTHING = "nothing was changed"


class Errors:
    def __init__(self, suite, bench, tracer):
        self.suite = suite
        self.bench = bench
        self.tracer = tracer
        self.lock = threading.Lock()
        self.codes = {}

    def traced(self, mode, command):
        return [self.tracer, "--only", "k8scheck-fixer", *mode, "--", *command]

    def count(self, command):
        code, out = run(self.traced(["count"], command))
        self.suite.expect("undisturbed", code, 0)
        return [line.split("\t") for line in out.splitlines() if "\t" in line and line.split("\t")[0].isdigit()]

    def expect(self, name, what, got, want, said=""):
        with self.lock:
            self.suite.expect(f"{name}: {what}", got, want)
            if got != want:
                print(said[-1500:])

    def one(self, number, call, way):
        name = f"{number} {call} {way}"
        root = self.bench.copy(f"{number}-{way}")
        mode = ["short", str(number)] if way == "short" else ["fail", str(number), way]
        code, out = run(self.traced(mode, self.bench.full_fix(root)))
        with self.lock:
            self.codes[code] = self.codes.get(code, 0) + 1
        if code == 0:
            # It went on without, or tried again: then all is done, and can be taken back.
            self.expect(name, "all rules pass", run(self.bench.full_fix(root))[0], 0, out)
        else:
            self.expect(name, "it is told", code in (2, 4), True, f"exit {code}\n{out}")
            said = TAKEN_BACK if code == 4 else NOTHING
            self.expect(name, "what became of it is told", said in out, True, out)
            self.expect(name, "the tree is as it was", self.bench.differences(root), [], out)
        back, said = roll_all_back(self.bench, root)
        self.expect(name, "rollback", back, 0, said)
        self.expect(name, "the tree is as it was behind a rollback", self.bench.differences(root), [], said)
        # Nothing is in the way of the next repair.
        if code:
            self.expect(name, "repaired later", run(self.bench.full_fix(root))[0], 0)
        self.bench.drop(root)

    def of_rollback(self, number, call, way, fixed):
        """A rollback that fails half way can be had again."""
        name = f"rollback {number} {call} {way}"
        root = self.bench.copy(f"back-{number}-{way}", fixed)
        mode = ["short", str(number)] if way == "short" else ["fail", str(number), way]
        code, out = run(self.traced(mode, self.bench.rollback(root)))
        self.expect(name, "it is told", code in (0, 2, 4), True, f"exit {code}\n{out}")
        if code == 0:
            self.expect(name, "the tree is as it was", self.bench.differences(root), [], out)
        code, said = roll_all_back(self.bench, root)
        self.expect(name, "again", code, 0, out + said)
        self.expect(name, "the tree is as it was in the end", self.bench.differences(root), [], out + said)
        self.bench.drop(root)

    def each(self, job, calls, thorough, *more):
        day = int(time.time() // 86400)
        jobs = []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, call, *_ in calls:
                number = int(number)
                for i, way in enumerate(WAYS):
                    if way == "short" and call != "write":
                        continue
                    # A write fails in two ways: as others do, and by writing less.
                    if thorough or i == (number + day) % 4 or way == "short":
                        jobs.append(pool.submit(job, number, call, way, *more))
        for done in jobs:
            done.result()
        return len(jobs)

    def all(self, thorough):
        begun = time.monotonic()
        calls = self.count(self.bench.full_fix(self.bench.copy("count")))
        points = self.each(self.one, calls, thorough)
        codes = ", ".join(f"{n} times exit {code}" for code, n in sorted(self.codes.items()))
        print(
            f"a repair makes {len(calls)} changing calls; {points} failures: {codes}; {time.monotonic() - begun:.1f} s"
        )
        begun = time.monotonic()
        fixed = self.bench.copy("fixed")
        run(self.bench.full_fix(fixed))
        calls = self.count(self.bench.rollback(self.bench.copy("count", fixed)))
        points = self.each(self.of_rollback, calls, thorough, fixed)
        print(f"its rollback makes {len(calls)}; {points} failures; {time.monotonic() - begun:.1f} s")


# ---- file systems that are full


def fill(path, left):
    """All but some bytes, and a part of a page."""
    st = os.statvfs(path)
    with open(path + "/filler", "wb") as f:
        f.write(b"\0" * max(0, st.f_bavail * st.f_frsize - left))


def full(suite, bench, where, left):
    """A small tmpfs at `where` of a host, with room for so many bytes."""
    name = f"{where} with {left} bytes left"
    root = bench.new("full")
    place = os.path.normpath(root + where)
    make_host(root)
    if where != "/":
        os.rename(place, place + ".away")
        os.mkdir(place)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "none", place], check=True)
    if where == "/":
        make_host(root)
    else:
        subprocess.run(["cp", "-a", place + ".away/.", place], check=True)
    fill(place, left)
    before = list(tree.snapshot(root, [STORE]))
    code, out = run(bench.full_fix(root))
    if code == 0:
        suite.expect(f"{name}: all rules pass", run(bench.full_fix(root))[0], 0)
    else:
        suite.expect_true(f"{name}: it is told", code in (2, 4), f"exit {code}\n{out[-1500:]}")
        differences = tree.compare(before, tree.snapshot(root, [STORE]), [STORE])
        suite.expect(f"{name}: the tree is as it was", differences, [])
        if differences:
            print(out[-1500:])
    back, said = roll_all_back(bench, root)
    suite.expect(f"{name}: rollback", back, 0)
    if back:
        print(said[-1500:])
    suite.expect(f"{name}: taken back", tree.compare(before, tree.snapshot(root, [STORE]), [STORE]), [])
    subprocess.run(["umount", place], check=True)
    bench.drop(root)
    return code


def all_full(suite, bench, step):
    codes = {}
    for where in ("/etc", "/var", "/"):
        for left in range(0, 96 * 1024, step):
            code = full(suite, bench, where, left)
            codes[(where, code)] = codes.get((where, code), 0) + 1
    for (where, code), n in sorted(codes.items()):
        print(f"a full {where}: {n} times exit {code}")
        suite.expect_true(f"{where} full or not", code in (0, 2, 4))
    for where in ("/etc", "/var", "/"):
        suite.expect_true(f"a full {where} was met", any(w == where and c for w, c in codes))


def full_behind(suite, program, place):
    """A repair of many changes, and then a file system with no byte left: its rollback is noted all the same."""
    paths = [f"/etc/app/{i}" for i in range(400)]
    rules = "".join(
        f"  - {{id: r{i}, check: file.state, title: It is shut, with: {{path: {path}, mode: '0600'}}}}\n"
        for i, path in enumerate(paths)
    )
    bench = Bench(program, place, "title: Many files\nrules:\n" + rules)
    try:
        root = bench.copy("many")
        for path in paths:
            with open(root + path, "w") as f:
                f.write("x\n")
            os.chmod(root + path, 0o644)
        var = root + "/var"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "none", var], check=True)
        subprocess.run(["cp", "-a", bench.start + "/var/.", var], check=True)
        before = list(tree.snapshot(root, [STORE]))
        suite.expect("many changes: repaired", run(bench.full_fix(root))[0], 0)
        fill(var, 0)
        code, out = run(bench.rollback(root))
        suite.expect("many changes: taken back", (code, "could not be noted" in out), (0, False))
        os.unlink(var + "/filler")
        differences = tree.compare(before, tree.snapshot(root, [STORE]), [STORE])
        suite.expect("many changes: all is as it was", [d for d in differences if not d.startswith("var: mtime")], [])
        suite.expect_in("many changes: it is listed so", "taken back", run(bench.rollback(root, "--list"))[1])
        with open(f"{var}/lib/k8scheck/transactions/{os.listdir(var + '/lib/k8scheck/transactions')[0]}/journal") as f:
            lines = f.read().splitlines()
        suite.expect("many changes: each is marked", sum(" undone " in line for line in lines), len(paths))
        subprocess.run(["umount", var], check=True)
    finally:
        bench.end()


def main():
    program, tracer, place = sys.argv[1:4]
    thorough = "--all" in sys.argv or bool(os.environ.get("K8SCHECK_TEST_ALL"))
    if not os.access(tracer, os.X_OK):
        skip("at-syscall is not built here")
    suite = Suite("fix-errors")
    bench = Bench(program, place)
    try:
        if within_namespace():
            all_full(suite, bench, 4096 if thorough else 8192)
            full_behind(suite, program, place)
        else:
            print("left out: full file systems, for nothing may be mounted here")
        Errors(suite, bench, tracer).all(thorough)
    finally:
        bench.end()
    suite.end()


if __name__ == "__main__":
    within_namespace(main)
