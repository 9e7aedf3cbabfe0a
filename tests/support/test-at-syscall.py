#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
at-syscall finds the calls of a program that are known, all and no others, and kills, fails and shortens at each of them:
AT-SYSCALL KNOWN-CALLS. What a kill leaves is compared with what the same program leaves that makes so many calls and no more.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import tree

AT_SYSCALL, KNOWN_CALLS = (os.path.abspath(path) for path in sys.argv[1:3])
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
NEVER, TROUBLE, EXIT = 99, 98, 7
ENOSPC = 28
failed = []

OPENAT2 = ("openat2", "openat2", ["@/other"])

# What known-calls calls, what it calls it itself, and what is printed of it behind the name; @ is its folder.
CALLS = [
    ("openat", "open", ["@/file"]),
    ("write", "write", ["@/file", "12"]),
    ("writev", "writev", ["@/file", "14"]),
    ("pwrite64", "pwrite", ["@/file", "1"]),
    ("fallocate", "fallocate", ["@/file"]),
    ("ftruncate", "ftruncate", ["@/file"]),
    ("copy_file_range", "copy_file_range", ["@/file", "8"]),
    ("fsync", "fsync", ["@/file"]),
    ("fchmod", "fchmod", ["@/file"]),
    ("fchown", "fchown", ["@/file"]),
    ("fsetxattr", "fsetxattr", ["@/file", "user.known"]),
    ("ioctl", "ioctl", ["@/file"]),
    ("utimensat", "utimensat", ["@/file"]),
    ("lremovexattr", "lremovexattr", ["@/file", "user.known"]),
    ("mkdirat", "mkdirat", ["@/folder"]),
    ("linkat", "linkat", ["@/file -> @/folder/link"]),
    ("symlinkat", "symlinkat", ["@/symbolic", "file"]),
    ("renameat2", "renameat2", ["@/folder/link -> @/moved"]),
    ("unlinkat", "unlinkat", ["@/symbolic"]),
    ("unlinkat", "unlinkat", ["@/folder"]),
    OPENAT2,
    ("bind", "bind", []),
    ("mmap", "mmap", ["@/file"]),
]
SHORT = {"write": 6, "writev": 7, "copy_file_range": 4}


def check(what, good, more=""):
    if not good:
        failed.append(what)
        print(f"FAILED: {what} {more}")


class Folders:
    """A new one each time, all with one parent."""

    def __init__(self, top):
        self.top, self.made = top, 0

    def new(self):
        self.made += 1
        path = os.path.join(self.top, str(self.made))
        os.mkdir(path)
        return path


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=60)


def at(folder, *mode, limit=()):
    """What is printed of calls is standard error here, to which the program itself writes nothing."""
    return run(AT_SYSCALL, *mode, "--", KNOWN_CALLS, folder, *limit)


def line(number, folder):
    name, _, rest = CALLS[number - 1]
    return "\t".join([str(number), name, *(part.replace("@", folder) for part in rest)]) + "\n"


def content(folder):
    """All but times, which no two runs share; the one that the program sets is looked at."""
    entries = tree.snapshot(folder)
    for entry in entries:
        if entry["mtime"] != 2 * 10**9 + 3:
            entry["mtime"] = None
    return entries


def supported(folder):
    """The calls that this kernel and file system have, by number: what a plain run says of each."""
    done = run(KNOWN_CALLS, folder)
    said = [row.split() for row in done.stdout.splitlines()]
    if "openat2" not in [row[0] for row in said]:
        print("openat2 is not had here")
        CALLS.remove(OPENAT2)
    check("the program makes the calls that it is known for", [row[0] for row in said] == [c[1] for c in CALLS], said)
    check("the program ends as it does", (done.returncode, done.stderr) == (EXIT, ""), done)
    return [int(row[1]) for row in said]


def test_count(folders, results):
    folder = folders.new()
    done = at(folder, "count")
    expected = "".join(line(n, folder) for n in range(1, len(CALLS) + 1))
    check("count: the lines", done.stderr == expected, done.stderr)
    check("count: the code is the command's", done.returncode == EXIT, done)
    check("count: the results are the program's own", [int(r.split()[1]) for r in done.stdout.splitlines()] == results, done)
    folder, kept = folders.new(), os.path.join(folders.top, "lines")
    done = at(folder, "--locks", "-o", kept, "count")
    with open(kept) as f:
        names = [row.split()[1] for row in f]
    # They are asked for before the file is there, too.
    expected = ["flock", "fcntl", "openat", "flock", "fcntl"] + [c[0] for c in CALLS[1:]]
    check("count: with locks", names == expected, names)
    check("count: nothing but the program's own is printed with -o", done.stderr == "", done.stderr)


def test_elsewhere(folders):
    folder = folders.new()
    done = at(folder, "count", limit=["threads"])
    expected = f"1\topenat\t{folder}/of-thread\n2\topenat\t{folder}/of-child\n"
    check("threads and children are followed", (done.returncode, done.stderr) == (0, expected), done)
    done = at(folder, "kill", "2", "before", limit=["threads"])
    check("only the process of the call is killed", done.returncode == 0, done)
    done = at(folder, "kill", "1", "before", limit=["threads"])
    check("a thread's call ends its whole process", done.returncode == 128 + signal.SIGKILL, done)


def test_only(folders):
    folder, shell = folders.new(), folders.new()
    # Its process has one name, and its file another.
    file, other = os.path.basename(KNOWN_CALLS), os.path.join(folders.top, "by-another-name")
    os.symlink(KNOWN_CALLS, other)
    script = f'echo 1 >"{shell}/x"; "{other}" "{folder}" 2; echo 2 >"{shell}/y"'
    for name in (file, os.path.basename(other)):
        shutil.rmtree(folder)
        os.mkdir(folder)
        done = run(AT_SYSCALL, "--only", name, "count", "--", "sh", "-c", script)
        check(f"--only {name} counts what those of the name do", done.stderr == line(1, folder) + line(2, folder), done)
    done = run(AT_SYSCALL, "--only", file[:-1], "count", "--", "sh", "-c", script)
    check("--only wants the whole name", done.stderr == "", done)
    shutil.rmtree(folder)
    os.mkdir(folder)
    done = run(AT_SYSCALL, "--only", file, "kill", "1", "after", "--", "sh", "-c", script)
    names = [sorted(os.listdir(path)) for path in (folder, shell)]
    check("--only kills one of the name, and who started it goes on", names == [["file"], ["x", "y"]], names)
    # The shell may print what befell its child.
    check("--only: the code is the command's", done.returncode == 0 and done.stderr.startswith(line(1, folder)), done)


def test_kill(folders):
    left = []
    for n in range(len(CALLS) + 1):
        folder = folders.new()
        check(f"{n} calls and no more", run(KNOWN_CALLS, folder, str(n)).returncode == EXIT)
        left.append(content(folder))
    for n in range(1, len(CALLS) + 1):
        for when, calls in (("before", n - 1), ("after", n)):
            folder = folders.new()
            done = at(folder, "kill", str(n), when)
            what = f"kill {n} {when} ({CALLS[n - 1][0]})"
            check(f"{what}: how it ends", done.returncode == 128 + signal.SIGKILL, done)
            check(f"{what}: the line", done.stderr == line(n, folder), done)
            differs = tree.compare(left[calls], content(folder))
            check(f"{what}: what is left", not differs, differs)


def test_fail(folders, results):
    for n in range(1, len(CALLS) + 1):
        folder = folders.new()
        done = at(folder, "fail", str(n), "ENOSPC")
        said = [int(row.split()[1]) for row in done.stdout.splitlines()]
        what = f"fail {n} ({CALLS[n - 1][0]})"
        check(f"{what}: the program is told", len(said) == len(CALLS) and said[n - 1] == -ENOSPC, said)
        check(f"{what}: those before are carried out", said[: n - 1] == results[: n - 1], said)
        check(f"{what}: goes on", done.returncode == EXIT, done)
    for name, path in (("mkdirat", "folder"), ("linkat", "moved"), ("bind", "socket")):
        n = [c[0] for c in CALLS].index(name) + 1
        folder = folders.new()
        at(folder, "fail", str(n), "5")
        check(f"fail {n}: not carried out", path not in os.listdir(folder), os.listdir(folder))


def test_short(folders, results):
    for n, (_, name, _) in enumerate(CALLS, 1):
        folder = folders.new()
        done = at(folder, "short", str(n))
        said = [int(row.split()[1]) for row in done.stdout.splitlines() if not row.startswith("vector")]
        expected = list(results)
        if results[n - 1] > 0:
            expected[n - 1] = SHORT.get(name, results[n - 1])
        check(f"short {n} ({name})", said == expected, said)
        # The program would say so of its vector.
        check(f"short {n} ({name}): memory is as it was", len(done.stdout.splitlines()) == len(CALLS), done.stdout)
        check(f"short {n} ({name}): goes on", done.returncode == EXIT, done)
    folder = folders.new()
    at(folder, "short", "2")
    with open(os.path.join(folder, "file"), "rb") as f:
        whole = f.read()
    check("short: the rest is not written", whole.startswith(b"Twelveone two three "), whole)
    folder = folders.new()
    at(folder, "short", "3")
    with open(os.path.join(folder, "file"), "rb") as f:
        whole = f.read()
    check("short: of a vector, too", whole.startswith(b"Twelve bytesone two\0"), whole)


def test_codes(folders):
    n = str(len(CALLS) + 1)
    for mode in (["kill", n, "before"], ["fail", n, "EIO"], ["short", n], ["kill", n, "after"]):
        done = at(folders.new(), *mode)
        check(f"{mode}: never came", done.returncode == NEVER, done)
    for mode in (["kill", "0", "before"], ["kill", "1"], ["kill", "1", "soon"], ["fail", "1", "ENONE"], ["short"],
                 ["fail", "1", "4096"], ["none"], ["--none", "count"], []):
        done = at(folders.new(), *mode)
        check(f"{mode}: wrong usage", done.returncode == TROUBLE and done.stderr.startswith("usage: "), done)
    check("no command", run(AT_SYSCALL, "count", "--").returncode == TROUBLE)
    check("a command that is not there", run(AT_SYSCALL, "kill", "9", "before", "--", "/none/x").returncode == NEVER)
    check("a signal's code", run(AT_SYSCALL, "count", "--", "sh", "-c", "kill -TERM $$").returncode == 128 + signal.SIGTERM)
    script = "(for i in 1 2 3 4 5; do sleep 0.1; kill -CONT $$; done) & kill -STOP $$; wait; exit 3"
    done = run(AT_SYSCALL, "count", "--", "sh", "-c", script)
    check("stopped and continued as without a tracer", done.returncode == 3, done)


def test_end(folders):
    """Nothing that was started is left when at-syscall is killed."""
    pipe_out, pipe_in = os.pipe()
    child = subprocess.Popen([AT_SYSCALL, "count", "--", "sh", "-c", "echo; sleep 60 & sleep 60"],
                             stdout=pipe_in, env=ENVIRONMENT)
    os.close(pipe_in)
    os.read(pipe_out, 1)
    child.kill()
    child.wait()
    check("what it had started ends with it", os.read(pipe_out, 1) == b"")
    os.close(pipe_out)


# On a disk, where there is one: more calls succeed there.
with tempfile.TemporaryDirectory(prefix="k8scheck-at-", dir="/var/tmp") as tmp:
    folders = Folders(tmp)
    results = supported(folders.new())
    test_count(folders, results)
    test_elsewhere(folders)
    test_only(folders)
    test_kill(folders)
    test_fail(folders, results)
    test_short(folders, results)
    test_codes(folders)
    test_end(folders)
    print(f"{len(CALLS)} calls, of which {sum(r >= 0 for r in results)} succeed here; {len(failed)} failed")
sys.exit(1 if failed else 0)
