#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The fixer, spoken to by a k8scheck that was taken over: whatever plan it is sent, and agreed to with the hash that it
told, nothing changes but what the rules of the profile and the manifests of their checks name.

    test-fix-hostile.py K8SCHECK FOLDER [ROUNDS]
"""

import fnmatch
import os
import random
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixer as f  # noqa: E402
from k8s import Suite  # noqa: E402
from repair import STORE, Bench, tree  # noqa: E402

PROFILE = """\
title: Hostile plans
rules:
  - {id: forward, check: sysctl.value, title: It forwards, with: {keys: [net.ipv4.ip_forward], value: 1}}
  - {id: module, check: modules.loaded, title: A module, with: {modules: [k8s_test_only]}}
  - {id: strays, check: crio.drop-ins, title: No copies}
  - {id: selinux, check: selinux.mode, title: SELinux permits, with: {modes: [permissive]}}
  - {id: masked, check: systemd.unit, title: It cannot start, with: {unit: harmful.service, enabled: masked}}
  - {id: owner, check: file.state, title: It is root's, with: {path: /etc/app/secret, owner: "0", mode: "0600"}}
  - {id: off, check: swap.off, title: No swap}
  - {id: never, check: sysctl.value, title: Not repaired, fix: never, with: {keys: [kernel.panic], value: 10}}
  - {id: looks, check: file.lines, title: It has lines, with: {path: /etc/fstab, has: [a]}}
"""
RULES = ["forward", "module", "strays", "selinux", "masked", "owner", "off"]

# What those may touch in an image, by the manifests of their checks, written down once more.
ALLOWED = [
    r"/etc/sysctl\.d(/[^/]*\.conf)?",
    r"/etc/sysctl\.conf",
    r"/etc/modules-load\.d(/[^/]*\.conf)?",
    r"/etc/modprobe\.d/[^/]*\.conf",
    r"/etc/crio/crio\.conf\.d/[^/]*(/[^/]*)?",
    r"/etc/selinux/config",
    r"/etc/systemd/system/harmful\.service",
    r"/etc/systemd/system/harmful-other\.service",
    r"/etc/systemd/system/multi-user\.target\.wants(/harmful\.service)?",
    r"/etc/app/secret",
    r"/etc/fstab",
    r"/etc/systemd/zram-generator\.conf",
    # Swaps may lie anywhere: two of the folders' names, and "swap" in that of a file.
    r"/etc/[^/]*swap[^/]*",
    r"/etc/[^/]*/[^/]*swap[^/]*",
    r"/var/lib/[^/]*swap[^/]*",
]
CANARIES = {
    "/etc/sysctl.d/60-more.conf": "# kernel.core_pattern=|/tmp/x\n",
    "/etc/modprobe.d/own.conf": "blacklist pcspkr\n",
    "/etc/sudoers": "root ALL=(ALL) ALL\n",
    "/etc/pam.d/login": "auth required pam_unix.so\n",
    "/etc/ssh/sshd_config": "PermitRootLogin no\n",
    "/etc/crontab": "# none\n",
    "/etc/cron.d/own": "# none\n",
    "/etc/ld.so.conf": "include ld.so.conf.d/*.conf\n",
    "/etc/profile": "umask 022\n",
    "/etc/systemd/system/own.service": "[Service]\nExecStart=/bin/true\n",
    "/etc/systemd/system.conf": "[Manager]\n",
    "/etc/crio/crio.conf.d/more/x.conf": "",
    "/root/.ssh/authorized_keys": "",
    "/usr/bin/harmful": "",
    "/usr/local/etc/own.conf": "a\n",
    "/var/lib/own/state": "a\n",
    "/boot/grub/grub.cfg": "",
    "/home/user/.bashrc": "",
}
LINKS = {
    "/etc/sysctl.d/70-out.conf": "../shadow",
    "/etc/sysctl.d/71-far.conf": "/usr/bin/harmful",
    "/etc/sysctl.d/72-none.conf": "/etc/cron.d/none",
    "/etc/crio/crio.conf.d/out": "/etc/cron.d",
    "/etc/crio/crio.conf.d/up": "../../..",
    "/etc/modprobe.d/out.conf": "/etc/ld.so.conf",
}
# Where those lead, as seen from the root.
LED_TO = ("/etc/shadow", "/usr/bin/harmful", "/etc/cron.d", "/etc/ld.so.conf")


def make_canaries(root):
    for path, content in CANARIES.items():
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        with open(root + path, "w", encoding="ascii") as out:
            out.write(content)
    for path, target in LINKS.items():
        os.symlink(target, root + path)
    for folder, names, files in os.walk(root):
        for name in names + files:
            os.utime(os.path.join(folder, name), ns=(10**18, 10**18), follow_symlinks=False)
    os.utime(root, ns=(10**18, 10**18))


class Hostile:
    def __init__(self, suite, program, place):
        self.suite = suite
        self.program = program
        self.bench = Bench(program, place, PROFILE)
        make_canaries(self.bench.start)
        self.before = tree.snapshot(self.bench.start, [STORE])
        self.root = self.bench.copy("root")

    def fixer(self, *more, options=("--yes", "--allow-weaken")):
        return f.Fixer(self.program, "--profile", self.bench.profile, "--root", self.root, "--fix", *options, *more)

    # ---- what has changed

    def changed(self):
        """Paths of which anything is other than it was; a folder's time alone is none."""
        was = {e["path"]: e for e in self.before}
        now = {e["path"]: e for e in tree.snapshot(self.root, [STORE])}
        paths = set()
        for path in {*was, *now}:
            a, b = was.get(path), now.get(path)
            if a and b and a["type"] == b["type"] == "folder":
                a, b = dict(a, mtime=0), dict(b, mtime=0)
            if a != b:
                paths.add("/" + path)
        return {p: now.get(p[1:]) for p in paths}

    def faults(self):
        """What has changed, and must not have."""
        was = {"/" + e["path"]: e for e in self.before}
        out = []
        for path, entry in self.changed().items():
            if not self.may_change(path, was.get(path), entry):
                out.append(f"{path} has changed")
            if not entry or entry["type"] != "file":
                continue
            mode = int(entry["mode"], 8)
            if mode & (0o6000 if path in was else 0o7133):
                out.append(f"{path} has mode {mode:o}")
            if re.match("/etc/(sysctl.d/|sysctl.conf|modprobe.d/)", path):
                with open(self.root + path, "rb") as content:
                    out += [f"{path}: {line}" for line in harmful_lines(path, content.read())]
        return out

    def may_change(self, path, was, now):
        if any(re.fullmatch(pattern, path) for pattern in ALLOWED):
            return True
        # Of what a link of theirs leads to, owner and mode.
        if not was or not now or path not in LED_TO:
            return False
        return all(was[key] == now[key] for key in was if key not in ("mode", "uid", "gid"))

    def renew(self):
        if self.changed() or os.path.exists(os.path.join(self.root, STORE)):
            self.bench.drop(self.root)
            self.root = self.bench.copy("root")

    def expect_nothing(self, what):
        self.suite.expect(what + ": nothing has changed", sorted(self.changed()), [])

    # ---- single plans

    def refused_whole(self, what, rules, part):
        """The fixer says no, and ends."""
        with self.fixer() as fixer:
            said = fixer.plan(rules)
            self.suite.expect_true(what + ": it is refused", isinstance(said, str) and part in said, said)
            if isinstance(said, dict):
                print(fixer.agree(said["hash"], RULES))
            code, out = fixer.end()
            self.suite.expect(what + ": it ends", (code, out), (2, ""))
        self.expect_nothing(what)
        self.renew()

    def refused_step(self, what, rule, steps, part=""):
        """It is in the plan as refused, and nothing comes of an agreement."""
        with self.fixer() as fixer:
            plan = fixer.plan([(rule, steps)])
            if not isinstance(plan, dict):
                self.suite.expect_true(what + ": there is a plan", False, plan)
                return
            states = [s["state"] for s in plan["steps"]]
            texts = " ".join(s["text"] or "" for s in plan["steps"])
            self.suite.expect_true(what + ": it is refused", f.REFUSED_STEP in states, f"{states} {texts}")
            self.suite.expect_true(what + ": nothing is needed", f.NEEDED not in states, f"{states} {texts}")
            self.suite.expect_in(what, part, texts)
            outcome = fixer.agree(plan["hash"], [rule])
            self.suite.expect(what + ": nothing is done", outcome and outcome["changed"], 0)
        self.expect_nothing(what)
        self.renew()

    def kinds(self):
        for kind in (0, 21, 255, 0xFFFFFFFF):
            self.refused_whole(
                f"step kind {kind}", [("forward", [f.step(kind, "/etc/sysctl.d/9.conf", "a")])], "cannot be read"
            )
        for horizon in (0, 3, 4):
            bad = f.step(f.WRITE_FILE, "/etc/sysctl.d/9.conf", "a", horizon=horizon)
            self.refused_whole(f"horizon {horizon}", [("forward", [bad])], "cannot be read")

    def rules(self):
        good = f.step(f.WRITE_FILE, "/etc/sysctl.d/9.conf", "net.ipv4.ip_forward = 1\n")
        self.refused_whole("a rule that there is not", [("none", [good])], "no rule none")
        self.refused_whole("a rule that is never repaired", [("never", [good])], "never repaired")
        self.refused_whole(
            "a check without plans", [("looks", [f.step(f.WRITE_FILE, "/etc/fstab", "")])], "repairs nothing"
        )
        self.refused_whole("a good rule and a bad one", [("forward", [good]), ("never", [good])], "never repaired")

    def targets(self):
        write, remove = f.WRITE_FILE, f.REMOVE_FILE
        for path in sorted(
            {*CANARIES, "/etc/shadow", "/etc/sysctl.d/../shadow", "/etc/sysctl.d/x.conf/", "/etc/x.conf"}
        ):
            if any(re.fullmatch(pattern, path) for pattern in ALLOWED):
                continue
            for kind in (f.MAKE_DIR, write, f.MOVE_ASIDE, remove, f.SET_MODE):
                self.refused_step(f"{path}, kind {kind}", "forward", [f.step(kind, path, "a\n")])
            edit = f.step(f.EDIT_FILE, path, "a\n", CANARIES.get(path, "root:*:18000::::::\n"))
            self.refused_step(f"{path}, an edit", "strays", [edit])
        for path in LINKS:
            rule = "strays" if "crio" in path else "module" if "modprobe" in path else "forward"
            target = path if path.endswith(".conf") else path + "/new"
            self.refused_step(f"{target}, a link", rule, [f.step(write, target, "a\n")])
        self.refused_step("another rule's target", "owner", [f.step(write, "/etc/sysctl.d/9.conf", "a\n")], "manifest")
        self.refused_step("another unit", "masked", [f.step(f.UNIT_MASK, "crio.service")], "manifest")
        self.refused_step("a line of fstab, whole", "off", [f.step(write, "/etc/fstab", "")], "lines of it")
        self.refused_step("an edit of nothing", "off", [f.step(f.EDIT_FILE, "/etc/fstab", "", "x")], "has changed")
        self.refused_step(
            "what runs", "forward", [f.step(f.SYSCTL, "net.ipv4.ip_forward", "1", horizon=f.NOW)], "image"
        )
        self.refused_step("SELinux", "selinux", [f.step(f.SELINUX_MODE, None, "permissive", horizon=f.NOW)], "image")
        good = f.step(write, "/etc/sysctl.d/9.conf", "net.ipv4.ip_forward = 1\n")
        bad = f.step(write, "/etc/passwd", "x\n")
        self.refused_step("a good step and a bad one", "forward", [good, bad], "manifest")

    def contents(self):
        for line in HARMFUL_SYSCTLS:
            for before, kind in ((None, f.WRITE_FILE), ("", f.WRITE_FILE), (line, f.WRITE_FILE)):
                bad = f.step(kind, "/etc/sysctl.d/9.conf", line, before)
                self.refused_step(f"sysctl.d: {line!r}", "forward", [bad], "no repair may set")
        was = CANARIES["/etc/sysctl.d/60-more.conf"]
        bad = f.step(f.EDIT_FILE, "/etc/sysctl.d/60-more.conf", was.lstrip("# "), was)
        self.refused_step("a comment that is none any more", "forward", [bad], "no repair may set")
        for line in HARMFUL_MODULES:
            bad = f.step(f.WRITE_FILE, "/etc/modprobe.d/9.conf", line)
            self.refused_step(f"modprobe.d: {line!r}", "module", [bad], "runs a command")
        for mode in (0o755, 0o4644, 0o2644, 0o666, 0o646, 0o10644, 0xFFFFFFFF):
            bad = f.step(f.WRITE_FILE, "/etc/sysctl.d/9.conf", "a = 1\n", mode=mode)
            self.refused_step(f"mode {mode:o}", "forward", [bad], "mode")
        self.refused_step(
            "a large file", "forward", [f.step(f.WRITE_FILE, "/etc/sysctl.d/9.conf", "#" * (1 << 20) + "#")]
        )

    # ---- consents

    GOOD = ("forward", [f.step(f.WRITE_FILE, "/etc/sysctl.d/9.conf", "net.ipv4.ip_forward = 1\n", mode=0o644)])

    def consent_refused(self, what, act, part, **more):
        with self.fixer(**more) as fixer:
            said = act(fixer)
            self.suite.expect_true(what, isinstance(said, str) and part in said, said)
        self.expect_nothing(what)
        self.renew()

    def consents(self):
        def wrong_hash(fixer):
            plan = fixer.plan([self.GOOD])
            last = "1" if plan["hash"][-1] == "0" else "0"
            return fixer.agree(plan["hash"][:-1] + last, ["forward"])

        def of_an_older_plan(fixer):
            first = fixer.plan([self.GOOD])
            fixer.plan([("forward", [f.step(f.WRITE_FILE, "/etc/sysctl.d/8.conf", "net.ipv4.ip_forward = 1\n")])])
            return fixer.agree(first["hash"], ["forward"])

        def of_more(fixer):
            first = fixer.plan([self.GOOD])
            fixer.plan([self.GOOD, ("masked", [f.step(f.UNIT_MASK, "harmful.service")])])
            return fixer.agree(first["hash"], ["forward", "masked"])

        def without_plan(fixer):
            return fixer.agree("0" * 64, ["forward"])

        def no_hash(fixer):
            fixer.plan([self.GOOD])
            fixer.send(f.CONSENT, f.text(None) + f.u32(1) + f.u32(0))
            return fixer.outcome()

        def dry(fixer):
            return fixer.agree(fixer.plan([self.GOOD])["hash"], ["forward"])

        self.consent_refused("another hash", wrong_hash, "not the plan")
        self.consent_refused("the hash of a plan before", of_an_older_plan, "not the plan")
        self.consent_refused("the hash of a smaller plan", of_more, "not the plan")
        self.consent_refused("no plan", without_plan, "no plan")
        self.consent_refused("no hash", no_hash, "cannot be read")
        self.consent_refused("a dry run", dry, "dry run", options=("--dry-run",))
        for kind in (f.PLAN, f.PROGRESS, f.OUTCOME, f.ROLLBACK, f.LIST, f.REFUSED, 0, 99):

            def other(fixer, kind=kind):
                fixer.plan([self.GOOD])
                fixer.send(kind, b"")
                return fixer.outcome()

            self.consent_refused(f"message {kind}", other, "cannot be read")

    def partial_consents(self):
        masked = ("masked", [f.step(f.UNIT_MASK, "harmful.service")])
        for agreed, done in (
            (["forward"], 1),
            (["none"], 0),
            ([], 0),
            (["forward"] * 50, 1),
            (["forward", "masked"], 2),
        ):
            with self.fixer() as fixer:
                plan = fixer.plan([self.GOOD, masked])
                outcome = fixer.agree(plan["hash"], agreed)
                self.suite.expect(f"agreed to {agreed[:2]}", outcome["changed"], done)
                self.suite.expect("and it is over", fixer.agree(plan["hash"], ["masked"]), None)
            self.suite.expect(
                f"agreed to {agreed[:2]}: it is so",
                os.path.exists(self.root + "/etc/sysctl.d/9.conf"),
                "forward" in agreed,
            )
            link = os.path.islink(self.root + "/etc/systemd/system/harmful.service")
            self.suite.expect(f"agreed to {agreed[:2]}: the other too", link, "masked" in agreed)
            self.renew()

    def weakening(self):
        """What lowers the protection is done with two consents, of the command line and of the message."""
        # A file of somebody's who is not root.
        rules = [("forward", [f.step(f.WRITE_FILE, "/etc/sysctl.d/9.conf", "a.b = 1\n", uid=65534)])]
        twice = rules + [("module", [f.step(f.SET_MODE, "/etc/modprobe.d/own.conf", mode=0o666)])]
        for options, weaken in ((("--yes",), True), (("--yes", "--allow-weaken"), False), ((), False)):
            with self.fixer(options=options) as fixer:
                plan = fixer.plan(twice)
                self.suite.expect("it is marked", [s["flags"] & 1 for s in plan["steps"]], [1, 1])
                outcome = fixer.agree(plan["hash"], RULES, weaken)
                self.suite.expect(f"weakening, {options}, {weaken}", outcome["changed"], 0)
            self.expect_nothing(f"weakening, {options}, {weaken}")
            self.renew()

    def same_twice(self):
        """A step that another rule would do, and that rule is left out: it is one that was shown, or none."""
        good = f.step(f.WRITE_FILE, "/etc/sysctl.d/9.conf", "net.ipv4.ip_forward = 1\n", uid=65534)
        with self.fixer(options=("--yes",)) as fixer:
            plan = fixer.plan([("forward", [good]), ("never", [])])
            states = [s["state"] for s in plan["steps"]]
            self.suite.expect("held back", states, [f.HELD])
        with self.fixer(options=("--yes",)) as fixer:
            plan = fixer.plan([("forward", [good, good])])
            self.suite.expect("held back, twice", [s["state"] for s in plan["steps"]], [f.HELD] * 2)
            self.suite.expect("none of them is done", fixer.agree(plan["hash"], RULES)["changed"], 0)
        self.expect_nothing("twice the same")
        self.renew()
        load = f.step(f.WRITE_FILE, "/etc/modules-load.d/9.conf", "overlay\n")
        bad = f.step(f.WRITE_FILE, "/etc/passwd", "x\n")
        with self.fixer() as fixer:
            plan = fixer.plan([("module", [load, bad]), ("forward", [load])])
            states = [[s["state"] for s in rule["steps"]] for rule in plan["rules"]]
            self.suite.expect("it is shown where it is done", states, [[f.NOT_BEGUN, f.REFUSED_STEP], [f.NEEDED]])
        with self.fixer() as fixer:
            plan = fixer.plan([("module", [load]), ("forward", [load])])
            self.suite.expect("or by the other", [s["state"] for s in plan["steps"]], [f.NEEDED, f.ALREADY])
            self.suite.expect("which is left out", fixer.agree(plan["hash"], ["forward"])["changed"], 1)
        self.suite.expect("what has changed", sorted(self.changed()), ["/etc/modules-load.d/9.conf"])
        self.renew()

    # ---- bytes

    def sizes(self):
        for head, what in (
            (f.u32(f.MAGIC + 1) + f.u32(1) + f.u32(0), "another magic"),
            (f.u32(f.MAGIC) + f.u32(1) + f.u32(0xFFFFFFFF), "4 GiB"),
            (f.u32(f.MAGIC) + f.u32(1) + f.u32((256 << 20) + 1), "more than 256 MiB"),
        ):
            with self.fixer() as fixer:
                fixer.raw(head)
                said = fixer.outcome()
                self.suite.expect_true(what, isinstance(said, str) and "cannot be read" in said, said)
        with self.fixer() as fixer:
            fixer.raw(f.u32(f.MAGIC) + f.u32(1) + f.u32(256 << 20) + b"x" * 100000)
            code, out = fixer.end()
            self.suite.expect("256 MiB that do not come", (code, out), (0, ""))
        for counts in ("rules", "steps"):
            data = (
                f.u32(0x7FFFFFFF)
                if counts == "rules"
                else f.u32(1) + f.text("forward") + f.text(None) + f.u32(0x7FFFFFFF)
            )
            self.refused_whole(f"more {counts} than there are bytes", data, "cannot be read")
        self.expect_nothing("sizes")

    def cut_off(self, every):
        whole = f.u32(f.MAGIC) + f.u32(f.REQUEST)
        data = f.request([self.GOOD])
        whole += f.u32(len(data)) + data
        n = 0
        for size in range(0, len(whole), every):
            with self.fixer() as fixer:
                fixer.raw(whole[:size])
                code, out = fixer.end()
                self.suite.expect(f"{size} of {len(whole)} bytes", (code, out), (0, ""))
            n += 1
        with self.fixer() as fixer:
            plan = fixer.plan([self.GOOD])
            agreed = f.consent(plan["hash"], ["forward"])
            message = f.u32(f.MAGIC) + f.u32(f.CONSENT) + f.u32(len(agreed)) + agreed
            fixer.raw(message[:-1])
            fixer.end()
        self.expect_nothing("what was cut off")
        print(f"cut off at {n} places")

    # ---- at random

    def round(self, what, data, counts):
        """Sends it, and agrees to whatever comes of it."""
        with self.fixer() as fixer:
            plan = fixer.plan(data)
            outcome = None
            if isinstance(plan, dict):
                counts["plans"] += 1
                outcome = fixer.agree(plan["hash"], RULES + ["never", "looks"])
            code, out = fixer.end()
        if isinstance(outcome, dict) and outcome["changed"]:
            counts["changed"] += 1
        if code not in (0, 2) or out:
            self.suite.expect(what + ": it ends as it should", (code, out[:2000]), (0, ""))
        if outcome is None or isinstance(outcome, str) or not outcome["changed"]:
            faults = sorted(self.changed()) if outcome is not None else []
        else:
            faults = self.faults()
        if faults:
            self.suite.expect(what, faults, [])
            print(data)
        self.suite.checked += 1
        self.renew()

    def mutations(self, rounds, rng):
        counts = {"plans": 0, "changed": 0}
        for i in range(rounds):
            data = bytearray(f.request(some_rules(rng, good=True)))
            for _ in range(rng.choice((1, 1, 2, 4, 16))):
                mutate(data, rng)
            self.round(f"mutation {i}", bytes(data), counts)
        print(
            f"{rounds} mutations of good requests: {counts['plans']} were plans, {counts['changed']} changed something"
        )
        self.suite.expect_true("some of them change something", counts["changed"] > 0)

    def inventions(self, rounds, rng):
        counts = {"plans": 0, "changed": 0}
        for i in range(rounds):
            self.round(f"invention {i}", f.request(some_rules(rng, good=False)), counts)
        print(f"{rounds} invented requests: {counts['plans']} were plans, {counts['changed']} changed something")
        self.suite.expect_true("some of them change something", counts["changed"] > 0)


HARMFUL_SYSCTLS = [
    "kernel.core_pattern = |/tmp/x\n",
    "-kernel/core_pattern = |/tmp/x\n",
    "# a\rkernel.core_pattern = |/tmp/x\n",
    "# a\0kernel.core_pattern = |/tmp/x\n",
    "kernel//core_pattern = |/tmp/x\n",
    "kernel/./modprobe = /tmp/x\n",
    "net/../kernel/modprobe = /tmp/x\n",
    "kernel.core_patter? = |/tmp/x\n",
    "net.//.kernel.core_patter? = |/tmp/x\n",
    "fs.suid_dumpable = 2\n",
]
HARMFUL_MODULES = [
    "install loop /tmp/x\n",
    "\tremove loop /tmp/x\n",
    "inst\\\nall loop /tmp/x\n",
    "in\\stall loop /tmp/x\n",
]
HARMLESS = ["net.ipv4.ip_forward = 1\n", "# nothing\n", "br_netfilter\n", "", "blacklist x\n", "SELINUX=permissive\n"]


def harmful_lines(path, data):
    """Lines of a file that would run something, as their readers see them."""
    if "/modprobe.d/" in path:
        joined = re.sub(rb"\\(.)", rb"\1", data.replace(b"\\\n", b""), flags=re.S)
        return [line for line in joined.split(b"\n") if re.match(rb"[ \t]*(install|remove)[ \t]", line)]
    lines = []
    for line in re.split(rb"[\n\r\0]", data):
        key = line.partition(b"=")[0].strip().lstrip(b"- ")
        if key[:1] not in b"#;" and b"=" in line:
            name = re.sub(rb"/(\.?/)+", b"/", key.replace(b".", b"/"))
            sealed = (b"kernel/core_pattern", b"kernel/modprobe", b"fs/suid_dumpable")
            if any(fnmatch.fnmatchcase(s, name) or s in name for s in sealed):
                lines.append(line)
    return lines


GOOD_STEPS = {
    "forward": [
        (f.WRITE_FILE, "/etc/sysctl.d/9.conf", "net.ipv4.ip_forward = 1\n", None),
        (f.EDIT_FILE, "/etc/sysctl.d/50-own.conf", "kernel.panic = 1\n", "kernel.panic = 0\n"),
    ],
    "module": [(f.WRITE_FILE, "/etc/modules-load.d/k8s.conf", "k8s_test_only\n", None)],
    "strays": [(f.MOVE_ASIDE, "/etc/crio/crio.conf.d/10-own.conf.bak", None, None)],
    "masked": [(f.UNIT_MASK, "harmful.service", None, None)],
    "owner": [(f.SET_MODE, "/etc/app/secret", None, None)],
}
PATHS = [
    *CANARIES,
    *LINKS,
    "/etc/shadow",
    "/etc/passwd",
    "/etc/sysctl.d",
    "/etc/sysctl.d/9.conf",
    "/etc/sysctl.d/50-own.conf",
    "/etc/sysctl.d/../shadow",
    "/etc/sysctl.d/a/../9.conf",
    "/etc/sysctl.conf",
    "/etc/modules-load.d/x.conf",
    "/etc/modprobe.d/x.conf",
    "/etc/crio/crio.conf.d/10-own.conf",
    "/etc/crio/crio.conf.d/out/x",
    "/etc/crio/crio.conf.d/up/x",
    "/etc/crio/crio.conf.d/new/x",
    "/etc/crio/crio.conf.d/new",
    "/etc/selinux/config",
    "/etc/app/secret",
    "/etc/fstab",
    "/etc/swapfile",
    "/etc/cron.d/swap",
    "/etc/sudoers.d/swap",
    "/etc/ssh/swap",
    "/var/lib/swap",
    "/swapfile",
    "/",
    "",
    "-x",
    "harmful.service",
    "crio.service",
    "multi-user.target",
    "../harmful.service",
    "net.ipv4.ip_forward",
    "kernel.core_pattern",
    "k8s_test_only",
    "firewalld.service",
]


def some_rules(rng, good):
    rules = []
    for rule in rng.sample(RULES, rng.randint(1, 3)):
        steps = []
        for _ in range(rng.randint(1, 3)):
            if good or rng.random() < 0.2:
                if rule not in GOOD_STEPS:
                    continue
                kind, target, content, before = rng.choice(GOOD_STEPS[rule])
                steps.append(f.step(kind, target, content, before, mode=0o600 if kind == f.SET_MODE else 0o644))
            else:
                steps.append(some_step(rng))
        rules.append((rule, steps))
    return rules


def some_step(rng):
    return f.step(
        rng.randint(1, 20) if rng.random() < 0.3 else rng.randint(1, 6),
        rng.choice(PATHS),
        rng.choice([None, *HARMLESS, *HARMFUL_SYSCTLS, *HARMFUL_MODULES]),
        rng.choice([None, "", "kernel.panic = 0\n", *CANARIES.values()]),
        mode=rng.choice([0, 0, 0o644, 0o600, 0o755, 0o4755, 0o666, rng.getrandbits(12)]),
        uid=rng.choice([0, 0, 0, 65534]),
        gid=rng.choice([0, 0, 0, 65534]),
        flags=rng.choice([0, 0, 8, rng.getrandbits(32)]),
        horizon=rng.choice([f.BOOT, f.BOOT, f.NOW]),
        why=rng.choice([None, "", "Because."]),
    )


WORDS = [
    b"/etc/shadow",
    b"/etc/passwd",
    b"..",
    b"/",
    b"|",
    b"\n",
    b"\r",
    b"\0",
    b"sshd.service",
    b"kernel.core_pattern",
]


def mutate(data, rng):
    at = rng.randrange(len(data))
    way = rng.randrange(5)
    if way == 0:
        data[at] ^= 1 << rng.randrange(8)
    elif way == 1:
        data[at] = rng.choice((0, 1, 2, 0x2E, 0x2F, 0x7F, 0x80, 0xFF))
    elif way == 2:
        del data[at : at + rng.choice((1, 4, 8))]
        if not data:
            data += b"\0"
    elif way == 3:
        data[at:at] = rng.choice(WORDS)
    else:
        word = rng.choice(WORDS)
        data[at : at + len(word)] = word


def main():
    program, place = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    seed = int(os.environ.get("K8SCHECK_TEST_SEED", "1"))
    suite = Suite("fix-hostile")
    hostile = Hostile(suite, program, place)
    try:
        hostile.kinds()
        hostile.rules()
        hostile.targets()
        hostile.contents()
        hostile.consents()
        hostile.partial_consents()
        hostile.weakening()
        hostile.same_twice()
        hostile.sizes()
        hostile.cut_off(1 if rounds >= 1000 else 7)
        hostile.mutations(rounds, random.Random(seed))
        hostile.inventions(rounds, random.Random(seed + 1))
    finally:
        hostile.bench.end()
    suite.end()


if __name__ == "__main__":
    main()
