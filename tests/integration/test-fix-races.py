#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Repairs and rollbacks over and over, while another process appends to the same files, replaces them, exchanges them and
their folders for others, or for links that lead out: nothing that no rule names is ever changed, no line of others is lost,
and what was in the way is named. Two repairs at once: one is refused.

    test-fix-races.py K8SCHECK RACER FOLDER [--all]

By --all, or K8SCHECK_TEST_ALL in the environment, each race goes on for a minute.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from k8s import Suite  # noqa: E402
from repair import STORE, Bench, roll_all_back, run, tree  # noqa: E402

# What the profile's steps may change, make or take away, and folders that they are in.
TARGETS = (
    "etc/sysctl.d/99-kubernetes-cri.conf",
    "etc/modules-load.d/k8s_test_only.conf",
    "etc/fstab",
    "etc/selinux/config",
    "etc/app/secret",
    "etc/crio/crio.conf.d/10-own.conf.bak",
    "etc/crio/crio.conf.d/99-k8scheck-cgroup-manager.conf",
    "etc/systemd/system/multi-user.target.wants",
    "etc/systemd/system/wanted-other.service",
    "etc/systemd/system/unwanted-other.service",
    "etc/systemd/system/sockets.target.wants/unwanted.service",
    "etc/systemd/system/harmful.service",
    "var/lib/kubelet",
)
CONFLICT = re.compile(
    r"changed|another process|another folder|is a link|symbolic|Not a directory|No such file|others|somebody|leads to|"
    r"wants something else|Too many levels|is another|journal"
)


class Race:
    def __init__(self, racer, *arguments):
        self.process = subprocess.Popen([racer, *arguments], stdout=subprocess.PIPE, text=True)
        self.ready = self.process.stdout.readline().strip() == "ready"

    def end(self):
        """How often it did it."""
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=30)
        done = re.search(r"^done (\d+)$", said, re.M)
        return int(done.group(1)) if done else 0


def count_lines(root):
    """The numbers of the appended lines, in every file of the host, the journal's copies too."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as f:
                found[path] = {int(n) for n in re.findall(rb"^# racer (\d+)$", f.read(), re.M)}
    return found


class Races:
    def __init__(self, suite, bench, racer, seconds):
        self.suite = suite
        self.bench = bench
        self.racer = racer
        self.seconds = seconds

    def loop(self, root):
        """Repairs and rollbacks until the time is up: how often each ended how."""
        codes = {}
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            for what, command in (("fix", self.bench.full_fix(root)), ("rollback", self.bench.rollback(root))):
                code, out = run(command)
                codes[(what, code)] = codes.get((what, code), 0) + 1
                if code not in (0, 1, 2, 3, 4):
                    self.suite.expect_true(f"{what} ends in its own way", False, f"exit {code}\n{out[-800:]}")
                if code in (2, 4):
                    told = [line for line in out.splitlines() if line.startswith("k8scheck: ")]
                    self.suite.expect_true(
                        f"{what}: the conflict is named", any(CONFLICT.search(t) for t in told), out[-800:]
                    )
        return codes

    def one(self, name, path, mode, other=None, make_other=None, may_differ=(), pause=0):
        root = self.bench.copy("race")
        outside = self.bench.new("outside")
        with open(outside + "/victim", "w") as f:
            f.write("victim\n")
        for copied in ("fstab", "config", "crio.conf.d", "sysctl.d"):
            os.mkdir(f"{outside}/{copied}") if copied.endswith(".d") else shutil.copy(
                outside + "/victim", f"{outside}/{copied}"
            )
        os.chmod(outside, 0o755)
        if make_other:
            make_other(root)
        beside = list(tree.snapshot(outside))
        arguments = [mode, root + path]
        if pause:
            arguments = ["--pause", str(pause), *arguments]
        if other:
            arguments.append(other.replace("ROOT", root).replace("OUTSIDE", outside))
        race = Race(self.racer, *arguments)
        self.suite.expect_true(f"{name}: the race begins", race.ready)
        codes = self.loop(root)
        turns = race.end()
        self.suite.expect_true(f"{name}: there was a race", turns > 30 and sum(codes.values()) > 3, f"{turns} {codes}")
        self.suite.expect(f"{name}: nothing outside changed", tree.compare(beside, tree.snapshot(outside)), [])
        if mode == "append":
            kept = set().union(*count_lines(root).values())
            lost = sorted(set(range(1, turns + 1)) - kept)
            self.suite.expect(f"{name}: no line is lost", (len(lost), lost[:5]), (0, []))
        # What was left in the middle can be taken back now that nobody is in the way, or is named.
        code, out = roll_all_back(self.bench, root)
        self.suite.expect_true(f"{name}: taken back in the end", code in (0, 4), f"exit {code}\n{out[-800:]}")
        wrong = [d for d in self.bench.differences(root) if not d.startswith(tuple(may_differ))]
        self.suite.expect(f"{name}: nothing that no rule names changed", wrong, [])
        ended = ", ".join(f"{what} {n} times exit {code}" for (what, code), n in sorted(codes.items()))
        print(f"{name}: {turns} turns; {ended}")
        self.bench.drop(root)
        shutil.rmtree(outside)

    def all(self):
        fstab, drop_ins = "/etc/fstab", "/etc/crio/crio.conf.d"
        # The file raced for, what is in its folder for a moment, and the folder's time.
        mine = ("etc/fstab", "etc: mtime")
        # Without a pause the file is too large to be read in no time; with a long one it is the same from the plan on now
        # and then, so that a change comes when it is being replaced.
        self.one("append", fstab, "append", may_differ=mine, pause=200)
        self.one("append now and then", fstab, "append", may_differ=mine, pause=15000)
        self.one("replace", fstab, "replace", may_differ=mine)
        self.one("replace now and then", fstab, "replace", may_differ=mine, pause=15000)
        self.one("a link for a file", fstab, "link", "OUTSIDE/fstab", may_differ=mine)
        self.one(
            "a file for another",
            fstab,
            "swap",
            "ROOT/etc/other",
            lambda root: shutil.copy(root + "/etc/shadow", root + "/etc/other"),
            (*mine, "etc/other"),
        )
        self.one("a link for a folder", drop_ins, "folder", "OUTSIDE/crio.conf.d", may_differ=("etc/crio",))

        def twin(root):
            shutil.copytree(root + drop_ins, root + "/etc/crio/other")

        self.one("a folder for another", drop_ins, "swap", "ROOT/etc/crio/other", twin, ("etc/crio",))
        self.one(
            "a link for a folder above",
            "/etc/sysctl.d",
            "folder",
            "OUTSIDE/sysctl.d",
            may_differ=("etc: mtime", "etc/sysctl.d"),
        )

    def at_once(self):
        """Several repairs of one host, and a rollback among them."""
        for turn in range(5):
            root = self.bench.copy("twice")
            commands = [self.bench.full_fix(root)] * 3 + [self.bench.rollback(root)]
            started = [
                subprocess.Popen(c, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for c in commands
            ]
            ended = [(p.communicate(timeout=120)[0], p.returncode) for p in started]
            fixes = [code for _, code in ended[:3]]
            self.suite.expect_true(
                f"at once {turn}: how they end", set(fixes) <= {0, 1, 2, 4} and 0 in fixes, str(fixes)
            )
            for out, code in ended:
                if code:
                    self.suite.expect_true(
                        f"at once {turn}: one refuses with a sentence",
                        re.search(r"another k8scheck|changed since|other than", out) is not None,
                        out[-600:],
                    )
            run(self.bench.full_fix(root))
            code, out = run(self.bench.full_fix(root))
            self.suite.expect(f"at once {turn}: then all is repaired", code, 0)
            code, out = roll_all_back(self.bench, root)
            self.suite.expect(f"at once {turn}: all is taken back", (code, self.bench.differences(root)), (0, []))
            self.bench.drop(root)


def main():
    program, racer, place = sys.argv[1:4]
    thorough = "--all" in sys.argv or bool(os.environ.get("K8SCHECK_TEST_ALL"))
    suite = Suite("fix-races")
    bench = Bench(program, place)
    try:
        races = Races(suite, bench, racer, 60 if thorough else 3)
        races.at_once()
        races.all()
    finally:
        bench.end()
    suite.end()


main()
