#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Every file and folder that a check reads, under every fault: PROGRAM [--all] [NAME…]. The table is in places.py; with
--all each file is cut at many more places, and all is done a second time with --sandbox=off.
"""

import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import threading
import time

import places
from look import KINDS, ROOT, Run, Tried, figures, put, remove

ALL = "--all" in sys.argv[2:]
ONLY = [a for a in sys.argv[2:] if a != "--all"]
TIMEOUT = 5
ENTRIES = 70000
JOBS = 2
CUTS = 24


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


def spoiled(place, fault):
    text, needle = place.text, place.needle
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
    tried = Tried(place.name)
    top = tempfile.mkdtemp(prefix="root-", dir=shared.top)
    os.chmod(top, 0o755)
    root, profile = os.path.join(top, "root"), os.path.join(top, "profile.yaml")
    os.mkdir(root)
    lay(place, root)
    put(profile, json.dumps({"rules": [{"id": "rule", "check": place.check, "with": place.parameters}]}).encode())
    path, kept = root + place.path, os.path.join(top, "kept")

    def hold(fault, wanted, nobody=False):
        names = () if fault in place.hidden else (place.path, place.called)
        tried.hold(fault, wanted, Run(root, profile, place.horizon, place.live, TIMEOUT, sandbox, nobody), names)

    hold("as it stands", set(place.good.split("|")))
    os.rename(path, kept)
    good = place.text
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
                hold(fault, wanted)
        else:
            hold(fault, wanted, nobody=fault == "unreadable")
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
            hold(f"cut at {i}/{CUTS}", anything)
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
    files = len({p.path for p in TABLE if not p.folder})
    folders = len({p.path for p in TABLE if p.folder})
    figures(suite, tried, f"{files} files and {folders} folders in {len(TABLE)} rows")
    print(f"{time.monotonic() - start:.0f} s in all")
    suite.end()


if __name__ == "__main__":
    main()
