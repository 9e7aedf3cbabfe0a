#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plugin, or a program that a check runs, takes all that it can get of one thing (tests/greedy): it costs its own verdict,
the run ends, others are judged, and nothing is left. With all layers, without the filter of system calls, and with --sandbox=off,
where some things are left: they are named here, and nothing else is."""

import ctypes
import glob
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from k8s import Host, Result, Suite, hold_schema, trusted_folder
from sandbox_targets import contain

PROGRAM, PLUGINS, GREEDY = sys.argv[1:4]
SANITIZED = len(sys.argv) > 4 and sys.argv[4] == "sanitized"
TIMEOUT = 2
KEYS = 1000  # that one of them may use
# Of k8scheck itself, by its peak: it takes 4 to run, and what a worker may hand in is on top of that.
MEMORY_MAX = (256 if SANITIZED else 64) << 20
CONTAINED = contain()
TAKE_AWAY = os.path.join(GREEDY, "..", "shims", "take-away")

LAYERS, NO_FILTER, OFF, USER = "all layers", "no filter", "off", "user"
SETS = (LAYERS, NO_FILTER, OFF)
NOBODY = 65534
WORKERS = 33  # of one plugin: one, and 32 in its place

REFUSED = ("error", "Function not implemented")
STARTED = ("error", "the check started a process")
KILLED = ("error", "signal 31")
LATE = ("error", f"no verdict within {TIMEOUT} s")
DENIED = ("error", "Permission denied")
FULL = ("error", "Cannot allocate memory")
READ_ONLY = ("error", ("Read-only file system", "Permission denied"))  # by mounts, or by Landlock
RUBBISH = ("error", "wrote rubbish to its channel")
FLOODED = ("error", "more than 1024 KiB to standard error")
TAKEN = ("pass", "")
LATE_PROGRAM = ("error", "did not end within 2000 ms and was killed")

# What it comes to: with all layers, without the filter, with --sandbox=off. Where one stands for all, it is the same.
WAYS = {
    "nothing": TAKEN,
    # Objects that outlive who made them.
    "shm": (REFUSED, TAKEN, TAKEN),
    "sem": (REFUSED, TAKEN, TAKEN),
    "msg": (REFUSED, TAKEN, TAKEN),
    "mq": (REFUSED, ("error", "Too many open files"), ("error", "Too many open files")),
    # Memory: 256 MiB of data; what processes could share is not to be had, or within an address space of 1 GiB.
    "memory": FULL,
    "space": FULL,
    "shared-memory": (("error", "0 MiB"), FULL, FULL),
    "stack": ("error", "signal 11"),
    # Files: no byte can be written.
    "folder": (REFUSED, READ_ONLY, ("error", "File too large")),
    "dev-shm": (REFUSED, READ_ONLY, ("error", "signal 25")),
    "memfd": (REFUSED, ("error", "File too large"), ("error", "File too large")),
    "descriptors": ("error", "Too many open files"),
    "service": ("error", "Too many open files"),
    "output": FLOODED,
    "errors": FLOODED,
    "findings": ("error", "flooded its channel"),
    # Processes: none may be started, and those that were are ended.
    "chain": (KILLED, STARTED, STARTED),
    "chain-of-sessions": (KILLED, STARTED, STARTED),
    "tree": (KILLED, STARTED, STARTED),
    "daemons": (KILLED, STARTED, STARTED),
    "daemon-and-crash": (KILLED, ("error", "signal 11"), ("error", "signal 11")),
    "writing-child": (KILLED, RUBBISH, RUBBISH),
    # Threads may be, as many as a user's processes may.
    "threads": (("error", "63 threads"), ("error", "63 threads"), TAKEN),
    # Signals and timers.
    "deaf": LATE,
    "stop": LATE,
    "crash": ("error", "signal 11"),
    "signal-group": (REFUSED, ("error", "signal 9"), ("error", "signal 9")),
    "alarm": (REFUSED, ("error", "signal 14"), ("error", "signal 14")),
    "timers": (REFUSED, ("error", "signal 9"), ("error", "signal 9")),
    # On the report that is to be replaced.
    "lock": (REFUSED, DENIED, LATE),
    "dumps": (("pass", "limit 1 1, root's"), ("pass", "limit 1 1, root's"), ("pass", "limit 1 1, its own")),
}

# What is left behind: of System V objects those of our keys, of files those of our names.
LEFT = {
    (NO_FILTER, "shm"), (NO_FILTER, "sem"), (NO_FILTER, "msg"),
    (OFF, "shm"), (OFF, "sem"), (OFF, "msg"), (OFF, "folder"), (OFF, "dev-shm"),
}

WITHOUT = ()
# With a sanitizer, which reports a crash itself and exits, and in a program sets limits of its own; those on memory are not set,
# since its own is data.
if SANITIZED:
    WITHOUT = ("stack", "crash", "memory", "shared-memory", "space", "daemon-and-crash")

suite = Suite("exhaustion")
seen = []  # of each run, whether it was there while it was


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def processes(mark):
    """What of a run is there, by a word of its command line, which its children have too."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if mark.encode() in f.read() and int(pid) != os.getpid():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def end_processes(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


class Objects:
    """System V objects of our keys, and files of our names; all others are others'."""

    def __init__(self, key, folders, n=1):
        self.first, self.last, self.folders = key, key + n * KEYS, folders

    def look(self):
        found = []
        for kind in ("shm", "sem", "msg"):
            for line in read(f"/proc/sysvipc/{kind}").splitlines()[1:]:
                words = line.split()
                if self.first <= int(words[0]) < self.last:
                    found.append((kind, words[1]))
        for folder in (*self.folders, "/dev/shm", "/dev/mqueue"):
            found += [
                ("file", path)
                for path in glob.glob(f"{folder}/greedy-*")
                if self.first <= int(path.rsplit("-", 1)[1]) < self.last
            ]
        return found

    def has_queue(self):
        """A POSIX queue, where no folder shows them: it is there if it can be removed."""
        return bool(MQ_UNLINK) and ctypes.CDLL(None).syscall(MQ_UNLINK, f"greedy-{self.first}".encode()) == 0

    def remove(self):
        for kind, what in self.look():
            if kind == "file":
                os.unlink(what)
            else:
                subprocess.run(["ipcrm", {"shm": "-m", "sem": "-s", "msg": "-q"}[kind], what], check=False)


MQ_UNLINK = {"x86_64": 241, "aarch64": 181, "riscv64": 181}.get(os.uname().machine)


class Peak:
    """The most memory that a process has had, seen as long as it is there."""

    def __init__(self, pid):
        self.pid, self.bytes = pid, 0
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while True:
            found = re.search(r"^VmHWM:\s+(\d+) kB", read(f"/proc/{self.pid}/status"), re.M)
            if not found:
                return
            self.bytes = int(found.group(1)) << 10
            time.sleep(0.01)


def no_limit_on_cores():
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def command_of(kind, command):
    if kind == OFF:
        return [*command, "--sandbox=off"]
    if kind == NO_FILTER:
        return [TAKE_AWAY, "seccomp", *command]
    if kind == USER:
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
    return command


def start(kind, rules, *more, mark):
    """A run with a report that is there already. (Result, seconds, peak of k8scheck, files in its folder)"""
    with tempfile.TemporaryDirectory(prefix=f"k8scheck-{mark}-") as folder:
        profile, report = os.path.join(folder, "profile.yaml"), os.path.join(folder, "report.json")
        with open(profile, "w") as f:
            f.write("rules:\n" + rules.replace("REPORT", report))
        with open(report, "w") as f:
            f.write("an old one\n")
        if kind == USER:
            for path in (folder, profile, report):
                os.chown(path, NOBODY, NOBODY)
        command = [PROGRAM, "--plugin-dir", PLUGINS, "--plugin-dir", GREEDY, "--profile", profile,
                   "--report", "json=" + report, *more]
        begin = time.monotonic()
        # In the folder where cores would go.
        process = subprocess.Popen(command_of(kind, command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, errors="backslashreplace", cwd=folder,
                                   preexec_fn=no_limit_on_cores)
        peak = Peak(process.pid)
        seen.append(bool(processes(mark)))
        out, err = process.communicate(timeout=120)
        took = time.monotonic() - begin
        peak.thread.join()
        text = read(report)
        found = json.loads(text) if text.startswith("{") else None
        if found:
            hold_schema(found)
        files = sorted(os.listdir(folder))
    suite.expect(f"{kind}: files of the run", files, ["profile.yaml", "report.json"])
    suite.expect_true(f"{kind}: memory of k8scheck", peak.bytes < MEMORY_MAX, f"{peak.bytes >> 20} MiB")
    suite.expect_true(f"{kind}: a report", found is not None, err)
    return Result(subprocess.CompletedProcess(command, process.returncode, out, err), found), took, peak.bytes


def good(name):
    return f"  - {{id: {name}, check: sysctl.value, title: Good, with: {{keys: [test.key], value: 1}}}}\n"


def take(name, what, at="", key=0):
    return f"  - {{id: {name}, check: greedy.take, title: Greedy, with: {{what: {what}, at: \"{at}\", key: {key}}}}}\n"


def on(host, timeout=f"{TIMEOUT}s"):
    return "--root", host.path, "--live", "--timeout", timeout


def make_key():
    return random.randrange(1 << 20, 1 << 30)


FILES = {"/proc/sys/test/key": "1\n", "/etc/sysctl.d/99-test.conf": "test.key = 1\n"}


def hold_nothing_left(what, mark, mounts):
    """What was started ends with the run, or a moment later, since nobody waits for what is being killed."""
    end = time.monotonic() + 1
    left = processes(mark)
    while left and time.monotonic() < end:
        time.sleep(0.02)
        left = processes(mark)
    suite.expect(f"{what}: processes left", left, [])
    end_processes(left)
    suite.expect(f"{what}: mounts", read("/proc/self/mountinfo"), mounts)


def expect_sentence(what, sentence, said):
    sentences = sentence if isinstance(sentence, tuple) else (sentence,)
    suite.expect_true(f"{what}: what happened", any(s in said for s in sentences), f"{sentences} is not in {said!r}")


def wanted(kind, name):
    of = WAYS[name]
    # Without a user of its own, the limit would be on all that the user has.
    if name == "threads" and os.geteuid() != 0:
        return TAKEN
    return of if isinstance(of[0], str) else of[SETS.index(kind)]


def try_way(kind, name):
    with Host(FILES) as host:
        place = os.path.join(host.path, "place")
        os.mkdir(place)
        os.chmod(place, 0o777)
        key = make_key()
        objects, mounts = Objects(key, [place]), read("/proc/self/mountinfo")
        at = "REPORT" if name == "lock" else place
        rules = good("g1") + take("before", "nothing") + take("greedy", name, at, key) + take("after", "nothing") + good("g2")
        result, took, peak = start(kind, rules, *on(host), mark=f"greedy{key}")
        what = f"{kind}: {name}"
        verdict, sentence = wanted(kind, name)
        suite.expect(f"{what}: verdict", result.verdict("greedy"), verdict)
        expect_sentence(what, sentence, result.messages("greedy"))
        # A child that still runs is held against each rule of its worker.
        spoilt = sentence == STARTED[1]
        others = {n: result.verdict(n) for n in ("g1", "g2", "before", *(() if spoilt else ("after",)))}
        suite.expect(f"{what}: others", others, dict.fromkeys(others, "pass"))
        suite.expect(f"{what}: exit code", result.code, 0 if verdict == "pass" else 3)
        suite.expect_true(f"{what}: it ended in time", took < TIMEOUT + 5, f"{took:.2f} s")
        hold_nothing_left(what, f"greedy{key}", mounts)
        left = bool(objects.look()) or (name == "mq" and objects.has_queue())
        suite.expect(f"{what}: objects or files left", left, (kind, name) in LEFT)
        objects.remove()
        return took, peak, result.messages("greedy")


def storm(kind, what, n, sentence, timeout=f"{TIMEOUT}s"):
    """A rule after another that ends its worker: those that come after the last one that is started say so."""
    with Host(FILES) as host:
        mark, mounts = f"storm{make_key()}", read("/proc/self/mountinfo")
        rules = good("g1") + "".join(take(f"bad-{i}", what) for i in range(n)) + good("g2")
        result, took, _ = start(kind, rules, *on(host, timeout), mark=mark)
        name = f"{kind}: {n} rules of {what}"
        suite.expect(f"{name}: verdicts", {result.verdict(f"bad-{i}") for i in range(n)}, {"error"})
        said = [result.messages(f"bad-{i}") for i in range(n)]
        suite.expect(f"{name}: workers", sum(sentence in s for s in said), WORKERS)
        suite.expect(f"{name}: no more", sum("died so often" in s for s in said), n - WORKERS)
        suite.expect(f"{name}: others", (result.verdict("g1"), result.verdict("g2")), ("pass", "pass"))
        hold_nothing_left(name, mark, mounts)
        print(f"{name}: {took:.2f} s")


def run_out(kind):
    """Rules that each take all of their time, until the run's is up."""
    with Host(FILES) as host:
        mark, mounts = f"out{make_key()}", read("/proc/self/mountinfo")
        rules = good("g1") + "".join(take(f"bad-{i}", "deaf") for i in range(200)) + good("g2")
        result, took, _ = start(kind, rules, *on(host, "500ms"), "--deadline", "3s", mark=mark)
        name = f"{kind}: --deadline"
        suite.expect(f"{name}: verdicts", {result.verdict(f"bad-{i}") for i in range(200)}, {"error"})
        said = [result.messages(f"bad-{i}") for i in range(200)]
        late, up = sum("no verdict" in s for s in said), sum("before it was judged" in s for s in said)
        suite.expect_true(f"{name}: what happened", late > 1 and up > 100 and late + up == 200, (late, up))
        suite.expect(f"{name}: others", (result.verdict("g1"), result.verdict("g2")), ("pass", "pass"))
        suite.expect_true(f"{name}: it ended in time", took < 5, f"{took:.2f} s")
        hold_nothing_left(name, mark, mounts)


# What a program comes to that exec.run has run. Its objects are those of an IPC namespace, and its processes those of a PID
# namespace, which end with it; a user has neither, and what is left of it there is what the kernel leaves.
PROGRAMS = {
    "nothing": TAKEN,
    "shm": TAKEN,
    "sem": TAKEN,
    "msg": TAKEN,
    "mq": TAKEN,
    "memory": ("fail", "Cannot allocate memory"),
    "folder": ("fail", "Read-only file system"),
    "dev-shm": ("fail", "Read-only file system"),
    "memfd": ("fail", "File too large"),
    "descriptors": ("fail", "Too many open files"),
    "output": LATE_PROGRAM,
    "errors": LATE_PROGRAM,
    "chain": TAKEN,
    "chain-of-sessions": TAKEN,
    "tree": TAKEN,
    "daemons": TAKEN,
    "daemon-and-crash": ("error", "signal 11"),
    "writing-child": TAKEN,
    "threads": TAKEN,
    "deaf": LATE_PROGRAM,
    "stop": LATE_PROGRAM,
    "crash": ("error", "signal 11"),
    "signal-group": ("error", "signal 9"),
    "alarm": ("error", "signal 14"),
    "timers": ("error", "signal 9"),
    "dumps": ("pass", "limit 1 1"),
}
OF_USERS = ("nothing", "memory", "output", "errors", "chain", "chain-of-sessions", "tree", "daemons", "daemon-and-crash",
            "writing-child", "threads", "deaf", "stop", "crash", "signal-group", "alarm", "timers", "dumps")


def judged(name, program, key, timeout="2s"):
    return (
        f"  - id: {name}\n    check: exec.run\n    title: Greedy\n    with:\n"
        f"      {{program: {program}, arguments: [{name}, \"{key}\"], timeout: {timeout}}}\n"
    )


def try_programs(kind, program):
    """All in one run, of which each has a name and keys of its own; what is left is looked for when all are through."""
    without = (*WITHOUT, "descriptors", "dumps") if SANITIZED else WITHOUT
    names = [n for n in PROGRAMS if n not in without and (kind != USER or n in OF_USERS)]
    key, mounts = make_key(), read("/proc/self/mountinfo")
    objects = Objects(key, ["/var/tmp"], len(names))
    rules = "".join(judged(name, program, key + i * KEYS) for i, name in enumerate(names))
    result, took, peak = start(kind, rules, "--timeout", "5s", mark=f"programs{key}")
    for name in names:
        verdict, sentence = PROGRAMS[name]
        suite.expect(f"{kind}: a program of {name}: verdict", result.verdict(name), verdict)
        expect_sentence(f"{kind}: a program of {name}", sentence, result.messages(name))
        if "--say" in sys.argv:
            print(f"{kind:12} {name:18} {result.messages(name)[:150]}")
    hold_nothing_left(f"{kind}: programs", f"programs{key}", mounts)
    hold_nothing_left(f"{kind}: programs", program, mounts)
    suite.expect(f"{kind}: programs: objects or files left", objects.look(), [])
    objects.remove()
    print(f"{kind}: {len(names)} programs in {took:.2f} s, and {peak >> 20} MiB in k8scheck")


def try_all_programs():
    folder = trusted_folder(os.path.dirname(os.path.dirname(GREEDY)), os.geteuid() == 0)
    program = os.path.join(folder, "greedy-program")
    try:
        os.chmod(folder, 0o755)
        shutil.copy(os.path.join(GREEDY, "greedy-program"), program)
        os.chmod(program, 0o755)
        kinds = [LAYERS, OFF] if CONTAINED else []
        # By a shell: setpriv itself may still do more than who comes behind it.
        able = command_of(USER, ["sh", "-c", '"$0" --version && "$1" nothing 0', PROGRAM, program])
        able = os.geteuid() == 0 and subprocess.run(able, capture_output=True).returncode == 0
        kinds += [USER] if able else []
        for kind in kinds:
            try_programs(kind, program)
        if USER not in kinds:
            print("left out: programs of an ordinary user: it takes root to become one, and folders that all may enter")
    finally:
        shutil.rmtree(folder)


def sets_here():
    with Host(FILES) as host:
        result, _, _ = start(LAYERS, good("g"), *on(host), mark=f"sets{make_key()}")
    filtered = "system call filter" in result.report["run"]["sandbox"]
    if not filtered:
        print(f"left out: {LAYERS}: there is no filter of system calls here")
    if os.geteuid() != 0:
        print(f"left out: {NO_FILTER}: what remains of it takes root")
    return [*([LAYERS] if filtered else []), *([NO_FILTER] if os.geteuid() == 0 else []), OFF]


def main():
    names = [a for a in sys.argv[4:] if a in WAYS] or [n for n in WAYS if n not in WITHOUT]
    longest = largest = 0
    sets = sets_here()
    for kind in sets:
        for name in names:
            if kind != LAYERS and not CONTAINED and (kind, name) in LEFT:
                print(f"left out: {kind}: {name}: it would be left to this machine")
                continue
            took, peak, said = try_way(kind, name)
            longest, largest = max(longest, took), max(largest, peak)
            if "--say" in sys.argv:
                print(f"{kind:12} {name:18} {took:.2f} s {peak >> 20:3} MiB {said[:150]}")
    if not any(a in WAYS for a in sys.argv[4:]):
        for kind in sets:
            storm(kind, "crash", 200, "its worker" if SANITIZED else "signal 11")
            storm(kind, "deaf", 200, "no verdict within 0.1 s", "100ms")
        run_out(sets[0])
        try_all_programs()
    # One that is through at once is not; but if none were, nothing that is left would be.
    suite.expect_true("runs are seen by their command lines", seen.count(True) > len(sets))
    suite.expect_true("memory of k8scheck is seen", largest > 0)
    print(f"{len(names)} ways under {len(sets)} sets: at most {longest:.2f} s, and {largest >> 20} MiB in k8scheck")
    suite.end()


main()
