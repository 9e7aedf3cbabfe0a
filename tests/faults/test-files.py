#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Every file and folder that a check reads, under every fault: PROGRAM [--all] [NAME…]. The table is in places.py; with
--all each file is cut at many more places, and all is done a second time with --sandbox=off.
"""

import json
import multiprocessing
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

import places

PROGRAM = sys.argv[1]
ALL = "--all" in sys.argv[2:]
ONLY = [a for a in sys.argv[2:] if a != "--all"]
ROOT = os.geteuid() == 0
NOBODY = 65534
TIMEOUT = 5
# Half a second goes to starting and ending.
BOUND = TIMEOUT + 0.5
# Of any process of a run; a run without a fault takes 8 MiB, and the largest table that is read has a bound of 64.
MEMORY_MAX = 128 << 20
ENTRIES = 70000
JOBS = 2
CUTS = 24
# What stands for a rule that did not come to its verdict by itself.
BROKEN = re.compile(r"no verdict within|its worker|signal \d")


def has_sanitizer():
    with open(PROGRAM, "rb") as f:
        return b"__asan_init" in f.read()


SANITIZED = has_sanitizer()


class Shared:
    """What takes long to make, once: large files to be linked, and a large folder to be moved."""

    def __init__(self, top):
        self.top = top
        self.sparse, self.line, self.many = (os.path.join(top, n) for n in ("sparse", "line", "many"))

    def make(self):
        with open(self.sparse, "w") as f:
            f.truncate(10 << 30)
        with open(self.line, "w") as f:
            for _ in range(100):
                f.write("x" * (1 << 20))
        for worker in range(JOBS):
            os.mkdir(self.folder(worker))
            for i in range(ENTRIES):
                os.close(os.open(os.path.join(self.folder(worker), f"{i}.conf"), os.O_CREAT | os.O_WRONLY, 0o644))

    def folder(self, worker):
        return f"{self.many}-{worker}"


# ---- faults


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


def spoiled(place, fault):
    text, needle = place.text.encode(), place.needle.encode()
    at = text.index(needle)
    middle = at + len(needle) // 2
    return {
        "empty": b"",
        "nested": (place.nested or "").encode(),
        "nul": text[:middle] + b"\0" + text[middle:],
        "utf-8": text[:middle] + b"\xff\xfe\xc3(" + text[middle:],
        "crlf": text.replace(b"\n", b"\r\n"),
        "bom": b"\xef\xbb\xbf" + text,
        "cut-before": text[:at],
        "cut-in": text[:middle],
        "cut-after": text[: at + len(needle)].rstrip(b"\n"),
    }[fault]


class Changing:
    """The text grows a comment's worth and is exchanged for its first form, again and again, while k8scheck reads."""

    def __init__(self, path, good, mode):
        self.path, self.good, self.mode, self.stop = path, good, mode, threading.Event()
        self.thread = threading.Thread(target=self.change)

    def change(self):
        while not self.stop.is_set():
            with open(self.path, "ab") as f:
                for _ in range(20):
                    f.write(b"\n")
                    f.flush()
            put(self.path + ".new", self.good, self.mode)
            os.rename(self.path + ".new", self.path)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.stop.set()
        self.thread.join()


# ---- a run


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


class Run:
    def __init__(self, place, root, profile, sandbox, nobody=False):
        command = [PROGRAM, "--root", root, "--profile", profile, "--timeout", f"{TIMEOUT}s", "--report", "json",
                   f"--sandbox={sandbox}", *(["--live"] if place.live else [])]
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   preexec_fn=become_nobody if nobody and ROOT else None)
        killer = threading.Timer(BOUND * 4, process.kill)
        killer.start()
        with process.stderr:
            out, self.err = process.stdout.read(), process.stderr.read().decode(errors="replace")
        process.stdout.close()
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
        self.verdict = self.rule and self.rule["judgements"].get(place.horizon, {}).get("verdict")
        self.said = json.dumps(self.rule["judgements"].get(place.horizon, {})) if self.rule else ""


class Tried:
    """What came of the faults of one place, for the process that counts."""

    def __init__(self, place):
        self.name = place.name
        self.wrong, self.cells, self.right, self.left_out = [], 0, 0, 0
        self.memory, self.took = 0, 0.0

    def hold(self, place, fault, wanted, run):
        self.cells += 1
        self.memory, self.took = max(self.memory, run.memory), max(self.took, run.took)
        faults = []
        if run.code not in (0, 1, 3) or run.rule is None:
            faults.append(f"no report (exit {run.code}): {run.err.strip()[:200]}")
        elif run.verdict not in wanted:
            faults.append(f"{run.verdict}, expected {'|'.join(sorted(wanted))}: {run.said[:400]}")
        else:
            self.right += 1
        if run.took > BOUND or BROKEN.search(run.said):
            faults.append(f"no verdict of its own after {run.took:.2f} s: {run.said[:300]}")
        if run.memory > MEMORY_MAX and not SANITIZED:
            faults.append(f"{run.memory >> 20} MiB")
        if run.verdict == "error" and fault not in place.hidden and not self.names(place, run):
            faults.append(f"the report does not name the file: {run.said[:400]}")
        self.wrong += [f"{place.name}: {fault}: {text}" for text in faults]

    @staticmethod
    def names(place, run):
        said = run.said.replace("\\/", "/")
        return place.path in said or place.called in said


def lay(place, root):
    host = places.k8s.Host.__new__(places.k8s.Host)
    host.path = root
    places.guide.lay(host)
    for path in place.remove:
        remove(root + path)
    for path, text in place.files.items():
        host.write(path, text, 0o755 if "bin/" in path or "generators/" in path else 0o644)
    for path, target in place.links.items():
        host.link(path, target)
    if not place.folder:
        host.write(place.path, place.text, place.mode)
    return host


def try_place(index, shared, sandbox, worker):
    place = TABLE[index]
    tried = Tried(place)
    top = tempfile.mkdtemp(prefix="root-", dir=shared.top)
    os.chmod(top, 0o755)
    root, profile = os.path.join(top, "root"), os.path.join(top, "profile.yaml")
    os.mkdir(root)
    lay(place, root)
    put(profile, json.dumps({"rules": [{"id": "rule", "check": place.check, "with": place.parameters}]}).encode())
    path, kept = root + place.path, os.path.join(top, "kept")
    tried.hold(place, "as it stands", set(place.good.split("|")), Run(place, root, profile, sandbox))
    os.rename(path, kept)
    good = None if place.folder else place.text.encode()
    for fault, wanted in place.expected.items():
        if fault == "device" and not ROOT:
            tried.left_out += 1
            continue
        if fault in KINDS:
            KINDS[fault](path)
        elif fault == "unreadable":
            shutil.copytree(kept, path, symlinks=True) if place.folder else put(path, good)
            os.chmod(path, 0)
        elif fault == "many":
            os.rename(shared.folder(worker), path)
        elif place.folder:
            os.mkdir(path)
        elif fault in places.HUGE:
            os.link(shared.sparse if fault == "sparse" else shared.line, path)
        else:
            put(path, good if fault == "changing" else spoiled(place, fault), place.mode)
        if fault == "changing":
            with Changing(path, good, place.mode):
                tried.hold(place, fault, wanted, Run(place, root, profile, sandbox))
        else:
            tried.hold(place, fault, wanted, Run(place, root, profile, sandbox, nobody=fault == "unreadable"))
        if fault == "many":
            os.rename(path, shared.folder(worker))
        if fault == "unreadable":
            os.chmod(path, 0o755)
        remove(path)
        remove(path + ".other")
    if ALL and not place.folder:
        # Whatever is left of it, there is a verdict, and it is one that some fault of the table has.
        anything = set().union(*place.expected.values(), place.good.split("|"))
        for i in range(CUTS):
            put(path, good[: len(good) * i // CUTS], place.mode)
            tried.hold(place, f"cut at {i}/{CUTS}", anything, Run(place, root, profile, sandbox))
    shutil.rmtree(top)
    return tried


def work(arguments):
    number = multiprocessing.current_process()._identity[0]
    try:
        return try_place(*arguments, (number - 1) % JOBS)
    except Exception as e:
        raise RuntimeError(f"{TABLE[arguments[0]].name}: {e!r}") from e


TABLE = [p for p in places.PLACES if not ONLY or any(o in p.name for o in ONLY)]


def main():
    suite = places.k8s.Suite("faults of files")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="k8scheck-faults-") as top:
        os.chmod(top, 0o755)
        shared = Shared(top)
        shared.make()
        jobs = [(i, shared, s) for s in (["best-effort", "off"] if ALL else ["best-effort"]) for i in range(len(TABLE))]
        with multiprocessing.Pool(JOBS) as pool:
            tried = pool.map(work, jobs, chunksize=1)
    for t in tried:
        suite.checked += t.cells
        suite.failed += len(t.wrong)
        for line in t.wrong:
            print("not ok", line)
    files = len({p.path for p in TABLE if not p.folder})
    folders = len({p.path for p in TABLE if p.folder})
    cells, right = sum(t.cells for t in tried), sum(t.right for t in tried)
    print(f"{files} files and {folders} folders in {len(TABLE)} rows, {cells} runs: {right} gave the expected verdict")
    print(f"the longest took {max(t.took for t in tried):.2f} s, the largest process {max(t.memory for t in tried) >> 20} MiB; "
          f"{time.monotonic() - start:.0f} s in all")
    if sum(t.left_out for t in tried):
        print(f"left out: {sum(t.left_out for t in tried)} devices, which root alone can make")
    suite.end()


if __name__ == "__main__":
    main()
