#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What racer says it has done it has done, and it leaves what it found: RACER."""

import os
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import tree

RACER = os.path.abspath(sys.argv[1])
failed = []


def check(what, good, more=""):
    if not good:
        failed.append(what)
    print(f"{'ok' if good else 'FAILED'}: {what} {more if not good else ''}".rstrip())


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def read(path):
    with open(path) as f:
        return f.read()


def build(top):
    os.makedirs(top + "/etc/folder")
    os.makedirs(top + "/elsewhere")
    write(top + "/etc/file", "first\n")
    write(top + "/etc/other", "second\n")
    write(top + "/etc/folder/in", "within\n")
    os.chmod(top + "/etc/file", 0o640)
    os.utime(top + "/etc", ns=(5, 10**18))


def race(*args, meanwhile=None):
    """Until it has done something: its exit, its words by name, what it complained of."""
    child = subprocess.Popen([RACER, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ready = child.stdout.readline()
    check(f"{args[0]}: ready", ready == "ready\n", ready)
    time.sleep(0.1)
    seen = meanwhile() if meanwhile else None
    child.terminate()
    out, err = child.communicate(timeout=30)
    return child.returncode, {k: int(v) for k, v in (row.split() for row in out.splitlines())}, err, seen


def see(path, look, wanted):
    """Whether all that is wanted is seen there, sooner or later."""

    def looking():
        seen, end = set(), time.monotonic() + 10
        while not wanted <= seen and time.monotonic() < end:
            try:
                seen.add(look(path))
            except FileNotFoundError:
                seen.add(None)
        return seen

    return looking


def numbers(text):
    return [int(n) for n in re.findall(r"^# racer (\d+)$", text, re.M)]


def test_append(top):
    code, said, err, _ = race("append", top + "/etc/file")
    text = read(top + "/etc/file")
    check("append: each line is there, in order", numbers(text) == list(range(1, said["done"] + 1)), said)
    check("append: behind what was there", text.startswith("first\n") and said["done"] > 0, said)
    check("append: ends well", (code, err, said["refused"]) == (0, "", 0), (code, err, said))

    def remove():
        os.unlink(top + "/etc/file")
        time.sleep(0.1)

    code, said, err, _ = race("append", top + "/etc/file", meanwhile=remove)
    check("append: says what was refused", (code, err) == (0, "") and said["refused"] > 0, (code, err, said))
    check("append: makes no file", not os.path.exists(top + "/etc/file"))


def test_replace(top):
    before = tree.snapshot(top)
    code, said, err, _ = race("--restore", "replace", top + "/etc/file")
    check("replace: ends well", (code, err) == (0, "") and said["done"] > 1, (code, err, said))
    differs = tree.compare(before, tree.snapshot(top))
    check("replace: --restore leaves what was found", not differs, differs)
    code, said, err, seen = race("replace", top + "/etc/file", meanwhile=see(top + "/etc/file", look_at_mode, {0o640}))
    check("replace: as the file was, all the time", seen == {0o640}, seen)
    text = read(top + "/etc/file")
    check("replace: the last is left", text == f"first\n# racer {said['done']}\n", (said, text))
    check("replace: nothing beside it", sorted(os.listdir(top + "/etc")) == ["file", "folder", "other"])

    write(top + "/mine", "mine\n")
    os.chmod(top + "/etc", 0o755)
    code, said, err, _ = race("--restore", "--pause", "300000", "replace", top + "/etc/file",
                              meanwhile=lambda: os.rename(top + "/mine", top + "/etc/file"))
    check("replace: what another has put there stays", read(top + "/etc/file") == "mine\n", read(top + "/etc/file"))
    check("replace: and ends well", (code, err) == (0, ""), (code, err))


def look_at_mode(path):
    return os.stat(path).st_mode & 0o7777


def test_swap(top):
    before = tree.snapshot(top)
    both = {"first\n", "second\n"}
    for pause in ([], ["--pause", "1000"]):
        code, said, err, seen = race(*pause, "swap", top + "/etc/file", top + "/etc/other",
                                     meanwhile=see(top + "/etc/file", read, both))
        check("swap: both are seen, and nothing else", seen == both, seen)
        check("swap: ends well", (code, err) == (0, "") and said["done"] > 1, (code, err, said))
        differs = tree.compare(before, tree.snapshot(top), any_mtime=["etc"])
        check("swap: leaves what was found", not differs, differs)


def test_link(top):
    before = tree.snapshot(top)
    for mode, name in (("link", "file"), ("folder", "folder")):
        for pause in ([], ["--pause", "1000"]):
            code, said, err, seen = race(*pause, mode, f"{top}/etc/{name}", top + "/elsewhere",
                                         meanwhile=see(f"{top}/etc/{name}", os.path.islink, {True, False}))
            check(f"{mode}: is a link, and is none", seen == {True, False}, seen)
            check(f"{mode}: ends well", (code, err) == (0, "") and said["done"] > 1, (code, err, said))
            differs = tree.compare(before, tree.snapshot(top))
            check(f"{mode}: leaves what was found", not differs, differs)
    child = subprocess.run([RACER, "link", top + "/etc/folder", "x"], capture_output=True, text=True, timeout=30)
    check("link: wants a file", (child.returncode, child.stdout) == (1, ""), child)
    check("link: and has left nothing", not tree.compare(before, tree.snapshot(top)))


def test_usage(top):
    for args in ([], ["none", "x"], ["append"], ["append", "a", "b"], ["swap", "a"], ["--pause", "x", "append", "a"]):
        child = subprocess.run([RACER, *args], capture_output=True, text=True, timeout=30)
        check(f"usage: {args}", child.returncode == 2 and child.stderr.startswith("usage: "), child)


for test in (test_append, test_replace, test_swap, test_link, test_usage):
    with tempfile.TemporaryDirectory(prefix="k8scheck-racer-", dir="/var/tmp") as tmp:
        build(tmp + "/top")
        test(tmp + "/top")
print(f"{len(failed)} failed")
sys.exit(1 if failed else 0)
