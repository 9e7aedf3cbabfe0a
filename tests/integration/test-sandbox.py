#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plugin tries every way to change the host (tests/sandbox), under several sets of the sandbox's layers.

Whether a way did anything is seen from outside. What is to come of each stands in tests/sandbox/ways.txt, a letter a
set, and docs/sandbox.md has the same as a table: --write puts it there, --learn writes the letters that were found.
With --sandbox=off a way shows that it is one: where it does nothing even then, this kernel lacks it, and the row is
left out."""

import concurrent.futures
import ctypes
import fcntl
import json
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from k8s import Suite
from sandbox_targets import BY_WORD, Target, contain

HERE = os.path.dirname(os.path.abspath(__file__))
WAYS = os.path.join(HERE, "..", "sandbox", "ways.txt")
DOCS = os.path.join(HERE, "..", "..", "docs", "sandbox.md")
NOBODY = 65534

MOUNTS = ["mount namespace", "read-only mounts"]
USER = [*MOUNTS, "own user"]
# Title, whether as a user without privileges, what is taken away, layers that are missing then; None: --sandbox=off.
SETS = [
    ("all layers", False, "", []),
    ("no Landlock", False, "landlock", ["Landlock"]),
    ("no `openat2`", False, "openat2", []),
    ("no `mount_setattr`", False, "mount_setattr", []),
    ("no mount namespace", False, "mount-namespace", MOUNTS),
    ("as EL 8: no Landlock, `openat2`, `mount_setattr`", False, "landlock,openat2,mount_setattr", ["Landlock"]),
    ("none of these four", False, "landlock,openat2,mount_setattr,mount-namespace", [*MOUNTS, "Landlock"]),
    ("no filter", False, "seccomp", ["system call filter"]),
    ("user", True, "", USER),
    ("user, no Landlock", True, "landlock", [*USER[:2], "Landlock", *USER[2:]]),
    ("off", False, "", None),
    ("off, user", True, "", None),
]
LETTERS = {"-": "refused", "D": "**done**", ".": "not tried", "?": "unclear"}

# What a plugin's constructor tries, before anybody has looked at the plugin.
EARLY = ["open-write", "open-create", "truncate", "rename", "unlink", "symlink", "mkdir", "chmod", "connect-path",
         "proc-sys", "mount", "kill"]
BESIDE = re.compile(r"sibling-|forge-|shared-descriptors|send-descriptor")
STARTS = re.compile(r"fork|old-fork|vfork|clone|posix-spawn")
# A run of its own each: for what is left of the run, or of what all share; and without the filter, of the worker.
ALONE = re.compile(
    r"sibling-|forge-|shared-descriptors|send-descriptor|kill-zygote|kill-k8scheck|sethostname|proc-sys|setdomainname"
)
ALONE_UNFILTERED = re.compile(
    r"fork|old-fork|vfork|clone|posix-spawn|exec|unshare-|set(uid|resuid|resgid|groups|fsuid|sid|pgid|ns)$|capset"
    r"|chroot|pdeathsig|dumpable|personality|write-slots"
)
OWN_NAMES = {"dlopen-write": "dlopen"}


def read_ways():
    """Name to (letters, title), in the order of the file."""
    ways = {}
    with open(WAYS) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, letters, title = line.rstrip("\n").split(None, 2)
                ways[name] = (letters, title)
    return ways


def table(ways):
    lines = ["| way | what is tried | " + " | ".join(s[0] for s in SETS) + " |", "|" + "---|" * (len(SETS) + 2)]
    for name, (letters, title) in ways.items():
        lines.append(f"| `{name}` | {title} | " + " | ".join(LETTERS[x] for x in letters) + " |")
    return "\n".join(lines) + "\n"


def docs_parts():
    with open(DOCS) as f:
        text = f.read()
    begin = text.index("| way |")
    end = text.find("\n\n", begin)
    end = len(text) if end < 0 else end + 1
    return text[:begin], text[begin:end], text[end:]


class Runner:
    def __init__(self, program, plugins, folder, contained):
        self.program, self.plugins, self.folder, self.contained = program, plugins, folder, contained
        self.place = tempfile.mkdtemp(prefix="k8scheck-sandbox-")
        os.chmod(self.place, 0o755)
        self.runs = 0

    def command(self, index, profile, report):
        _, user, away, missing = SETS[index]
        command = [self.program, "--plugin-dir", self.plugins, "--plugin-dir", self.folder, "--profile", profile,
                   "--timeout", "10s", "--report", "json=" + report]
        if missing is None:
            command.append("--sandbox=off")
        if away:
            command = [os.path.join(self.folder, "..", "shims", "take-away"), away, *command]
        if user and os.geteuid() == 0:
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
        return command

    def run(self, index, rules, env=None):
        """The rules' results by id, None if there is no report; and the report's run."""
        folder = tempfile.mkdtemp(prefix="run-", dir=self.place)
        os.chmod(folder, 0o777)
        profile, report = os.path.join(folder, "profile.yaml"), os.path.join(folder, "report.json")
        with open(profile, "w") as f:
            f.write("rules:\n" + "".join(rules))
        os.chmod(profile, 0o644)
        if os.geteuid() == 0 and SETS[index][1]:
            os.chown(folder, NOBODY, NOBODY)
            os.chown(profile, NOBODY, NOBODY)
            os.chmod(folder, 0o755)
        subprocess.run(self.command(index, profile, report), capture_output=True, text=True, timeout=120,
                       errors="backslashreplace", env={**os.environ, **(env or {})})
        self.runs += 1
        found = None
        if os.path.exists(report):
            with open(report) as f:
                found = json.load(f)
        shutil.rmtree(folder)
        return ({r["id"]: r for r in found["rules"]}, found["run"]) if found else (None, None)


def rule(name, target, extra=""):
    victim = target.victim
    other = target.other
    return (
        f"  - id: {name}\n    check: hostile.try\n    title: One way\n    with:\n"
        f"      way: {OWN_NAMES.get(name, name)}\n"
        f"      at: {target.at}\n      key: {target.key}\n      victim: {victim.pid if victim else 0}\n"
        f"      other: {other.pid if other else 0}\n      mark: \"{victim.mark if victim else 0}\"\n{extra}"
    )


BYSTANDER = "  - id: bystander\n    check: bystander.stand\n    title: Stands beside\n"


def findings(result):
    return [f for j in result.get("judgements", {}).values() for f in j["findings"]]


def said(result):
    """(the plugin's own word or None, all that the report says of the rule)"""
    every = findings(result)
    words = [f["found"] for f in every if f.get("source") == "hostile"]
    return (words[0] if words else None), " ".join(str(v) for f in every for v in f.values() if v)


def beside_changed(results):
    own = findings(results.get("bystander", {}))
    return len(own) != 1 or own[0].get("source") != "bystander" or results["bystander"]["verdict"] != "pass"


def judge(name, target, results):
    """('D', '-' or '.', what the plugin and we have seen)"""
    changed = target.changed()
    ended = target.end()
    if results is None:
        return "D", "k8scheck was gone"
    word, text = said(results.get(name, {}))
    if word and word.startswith("not tried"):
        return ".", word
    died = "signal 31" in text
    if BESIDE.match(name) and name != "send-descriptor" and "getfd" not in name:
        return ("D" if beside_changed(results) else "-"), word or text
    if name in BY_WORD:
        if word is None and not died:
            return "?", text
        return ("D" if word == "done" else "-"), word or text
    if name == "kill-zygote":
        return ("-" if word and word.startswith("refused") else "D"), word or text
    if STARTS.match(name):
        started = word == "done" or "started a process" in text
        return ("D" if started else "-" if word or died else "?"), word or text
    if name.startswith("exec"):
        return ("-" if word else "D" if "status 0" in text else "?"), word or text
    if changed or ended:
        return "D", changed or ended
    if word is None and not died and not name.startswith("early-"):
        return "?", text
    return "-", word or text


def make_targets(runner, index, names):
    user = SETS[index][1]
    uid = os.geteuid() or (NOBODY if user else 0)
    top = tempfile.mkdtemp(prefix=f"set-{index}-", dir=runner.place)
    os.chmod(top, 0o755)
    made = {}
    for name in names:
        key = random.randrange(1 << 20, 1 << 30)
        kind = name[len("early-"):] if name.startswith("early-") else name
        made[name] = Target(kind, os.path.join(top, name), key, uid, os.path.join(runner.folder, "victim"),
                            os.path.join(runner.folder, "object.so"), runner.contained)
    return made


def run_set(runner, index, ways):
    """Name to (letter, detail), and the layers that were missing."""
    names = [n for n, (letters, _) in ways.items() if letters[index] != "."]
    unfiltered = SETS[index][3] is None or "seccomp" in SETS[index][2]
    alone = [n for n in names if ALONE.match(n) or unfiltered and ALONE_UNFILTERED.match(n)]
    early = [n for n in names if n.startswith("early-")]
    together = [n for n in names if n not in alone and n not in early]
    found = {}

    targets = make_targets(runner, index, together)
    results, run = runner.run(index, [rule(n, t) for n, t in targets.items()])
    for name, target in targets.items():
        found[name] = judge(name, target, results)
    targets = make_targets(runner, index, early)
    victim = next((t.victim.pid for t in targets.values() if t.victim), 0)
    if targets:
        first = next(iter(targets.values()))
        results, _ = runner.run(index, [rule("keyctl", first)], {
            "K8SCHECK_TEST_EARLY": " ".join(f"{n[len('early-'):]}={t.at}" for n, t in targets.items()),
            "K8SCHECK_TEST_VICTIM": str(victim)})
        for name, target in targets.items():
            found[name] = judge(name, target, results)
    for name in alone:
        target = make_targets(runner, index, [name])[name]
        beside = BESIDE.match(name)
        extra = "      rule: 0\n" if beside else ""
        results, _ = runner.run(index, ([BYSTANDER] if beside else []) + [rule(name, target, extra)])
        found[name] = judge(name, target, results)
    return found, [m.split(" (")[0] for m in run["sandbox_missing"]] if run else ["?"]


def has_landlock():
    return ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1) > 0


def bring_up_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))


def compare(suite, ways, found, controls, counts):
    for index, rows in found.items():
        title, user = SETS[index][:2]
        tried = refused = 0
        for name, (got, detail) in rows.items():
            want = ways[name][0][index]
            control = controls.get(user)
            if got == ".":
                counts["not tried"].append(f"{title}: {name}")
                continue
            if control is not None and ways[name][0][control] == "D" and found[control].get(name, "?")[0] == "-":
                counts["lacking"].setdefault(name, found[control][name][1])
                continue
            tried += 1
            refused += got == "-"
            suite.expect(f"{title}: {name} ({detail})", LETTERS.get(got, got), LETTERS.get(want, want))
        print(f"{title}: {tried} ways tried, {refused} refused")


def is_of_the_machine(layer):
    """Whether it is mounts that this machine has beneath others, which only mount_setattr() can reach."""
    prefix, suffix = "read-only mounts on ", " beneath another mount"
    return layer.startswith(prefix) and all(m.endswith(suffix) for m in layer[len(prefix) :].split(", "))


def main():
    program, plugins, folder = [a for a in sys.argv[1:] if not a.startswith("--")][:3]
    ways = read_ways()
    contained = contain()
    suite = Suite("sandbox")
    if WRITE:
        before, _, after = docs_parts()
        with open(DOCS, "w") as f:
            f.write(before + table(ways) + after)
    suite.expect_true("docs/sandbox.md has the table of ways.txt (see --write)", docs_parts()[1] == table(ways))
    runner = Runner(program, plugins, folder, contained)
    if contained:
        bring_up_loopback()
    indices, left = [], []
    for i, (title, user, _, missing) in enumerate(SETS):
        if not user and not contained:
            left.append((title, "it takes root, and namespaces of its own"))
        elif "Landlock" not in (missing or ["Landlock"]) and not has_landlock():
            left.append((title, "this kernel has no Landlock"))
        else:
            indices.append(i)
    if any(SETS[i][1] for i in indices) and os.geteuid() == 0:
        able = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", program, "--version"]
        if subprocess.run(able, capture_output=True).returncode != 0:
            left += [(SETS[i][0], "others may not run the program where it is built") for i in indices if SETS[i][1]]
            indices = [i for i in indices if not SETS[i][1]]
    found, start = {}, time.monotonic()
    # Those that do change what all share come last, one by one.
    quiet = [i for i in indices if SETS[i][3] is not None]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = dict(zip(quiet, pool.map(lambda i: run_set(runner, i, ways), quiet)))
    for i in indices:
        rows, missing = done.get(i) or run_set(runner, i, ways)
        found[i] = rows
        missing = [layer for layer in missing if not is_of_the_machine(layer)]
        suite.expect(f"{SETS[i][0]}: layers that are missing", missing, SETS[i][3] or [])
    took = time.monotonic() - start
    shutil.rmtree(runner.place, ignore_errors=True)
    if LEARN:
        learn(ways, found)
    controls = {SETS[i][1]: i for i in indices if SETS[i][3] is None}
    counts = {"not tried": [], "lacking": {}}
    compare(suite, ways if not LEARN else read_ways(), found, controls, counts)
    for title, why in left:
        print(f"left out: {title}: {why}")
    for name, detail in counts["lacking"].items():
        print(f"left out: {name}: does nothing here with --sandbox=off either ({detail})")
    if counts["not tried"]:
        print("left out:", ", ".join(counts["not tried"]))
    print(f"{len(ways)} ways, {len(found)} sets, {runner.runs} runs in {took:.1f} s")
    suite.end()


def learn(ways, found):
    with open(WAYS) as f:
        lines = f.read().splitlines()
    for n, line in enumerate(lines):
        if not line.strip() or line.startswith("#"):
            continue
        name, letters, title = line.split(None, 2)
        # What this kernel lacks is for who looks it up to write down.
        letters = [found.get(i, {}).get(name, (letters[i], ""))[0] for i in range(len(SETS))]
        lines[n] = f"{name:<26} {''.join(letters)}  {title}"
        for i in range(len(SETS)):
            got = found.get(i, {}).get(name)
            if got:
                print(f"{name}: {SETS[i][0]}: {got[0]} {got[1]}")
    with open(WAYS, "w") as f:
        f.write("\n".join(lines) + "\n")


LEARN, WRITE = "--learn" in sys.argv, "--write" in sys.argv
if __name__ == "__main__":
    main()
