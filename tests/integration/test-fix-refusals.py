#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
What a repair leaves alone, and names: files and folders that cannot be changed, or that others could exchange meanwhile.
Nothing is half-done: of a rule that is refused no step is carried out, the others are, and all is taken back. And a
rollback behind a restart of the machine: files come back, what ran is left as the new start made it.

    test-fix-refusals.py K8SCHECK ANYTHING FOLDER
"""

import fcntl
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from k8s import Suite  # noqa: E402
from repair import LIVE, STORE, SYSCTLS, Bench, roll_all_back, run, tree, within_namespace  # noqa: E402

BOOT = "/proc/sys/kernel/random/boot_id"


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def umount(path):
    subprocess.run(["umount", path], check=True)


def chattr(flag, path):
    return subprocess.run(["chattr", flag, path], capture_output=True).returncode == 0


class Refusals:
    def __init__(self, suite, bench):
        self.suite = suite
        self.bench = bench

    def plan(self, root):
        """Rule: (why nothing of it is done, states of its steps)."""
        done = subprocess.run(self.bench.fix(root, "--dry-run", "--format", "json"), capture_output=True, text=True)
        try:
            plan = json.loads(done.stdout)
        except ValueError:
            self.suite.expect_true("a plan", False, done.stdout + done.stderr)
            return {}
        return {rule["id"]: (rule["left_because"] or "", [s["state"] for s in rule["steps"]]) for rule in plan["rules"]}

    def one(self, name, rule, words, spoil, mend=lambda root: None, others=True):
        """`spoil` makes a place one that is refused: to `rule`, in words that have `words`, and to no other rule."""
        root = self.bench.copy("refused")
        spoil(root)
        before = list(tree.snapshot(root, [STORE]))
        plan = self.plan(root)
        why, states = plan.get(rule, ("", []))
        self.suite.expect_in(f"{name}: why it is refused", words, why)
        self.suite.expect_true(f"{name}: no step of it is to be done", states and "needed" not in states, states)
        self.suite.expect(f"{name}: a dry run changes nothing", tree.compare(before, tree.snapshot(root, [STORE])), [])
        code, out = run(self.bench.full_fix(root))
        self.suite.expect(f"{name}: the gate stays closed", code, 1)
        if others:
            self.suite.expect_true(f"{name}: the other rules are repaired", out.count("  fixed  ") >= 7, out[-1200:])
        code, out = roll_all_back(self.bench, root)
        self.suite.expect(f"{name}: taken back", code, 0)
        self.suite.expect(f"{name}: as it was", tree.compare(before, tree.snapshot(root, [STORE])), [])
        mend(root)
        self.bench.drop(root)

    def files(self):
        fstab = "/etc/fstab"
        self.one("a hard link", "swap", "hard link", lambda root: os.link(root + fstab, root + "/etc/other"))

        def leads_out(root):
            os.rename(root + fstab, root + "/etc/ssh-fstab")
            os.makedirs(root + "/etc/ssh")
            os.rename(root + "/etc/ssh-fstab", root + "/etc/ssh/fstab")
            os.symlink("ssh/fstab", root + fstab)

        self.one("a link into what is sealed", "swap", "no repair may touch", leads_out)
        self.one(
            "a folder that all can write",
            "selinux",
            "can be written by others",
            lambda root: os.chmod(root + "/etc/selinux", 0o777),
        )
        self.one(
            "a folder that its group can write",
            "strays",
            "can be written by others",
            lambda root: os.chmod(root + "/etc/crio/crio.conf.d", 0o775),
        )
        if os.geteuid() == 0:
            self.one(
                "a folder of another",
                "selinux",
                "belongs to user",
                lambda root: os.chown(root + "/etc/selinux", 65534, 0),
            )
        where = self.bench.start + fstab
        if os.geteuid() == 0 and chattr("+i", where):
            chattr("-i", where)
            for flag, words in (("i", "immutable"), ("a", "append-only")):
                self.one(
                    f"a file that is {words}",
                    "swap",
                    words,
                    lambda root: chattr("+" + flag, root + fstab),
                    lambda root: chattr("-" + flag, root + fstab),
                )
                self.one(
                    f"a folder that is {words}",
                    "selinux",
                    words,
                    lambda root: chattr("+" + flag, root + "/etc/selinux"),
                    lambda root: chattr("-" + flag, root + "/etc/selinux"),
                )
        else:
            print("left out: immutable files, for this file system has none")

    def mounts(self):
        def file_mount(root):
            mount("--bind", root + "/etc/os-release", root + "/etc/fstab")
            with open(root + "/etc/fstab", "w") as f:
                f.write("UUID=2 none swap sw 0 0\n")

        fstab = "/etc/fstab"
        self.one("a file that is a mount", "swap", "mount of its own", file_mount, lambda root: umount(root + fstab))

        def read_only(path):
            def spoil(root):
                mount("--bind", root + path, root + path)
                mount("-o", "remount,bind,ro", root + path)

            return spoil

        selinux = "/etc/selinux"
        self.one("a read-only folder", "selinux", "read-only", read_only(selinux), lambda root: umount(root + selinux))
        root = self.bench.copy("refused")
        read_only("/etc")(root)
        before = list(tree.snapshot(root, [STORE]))
        plan = self.plan(root)
        refused = [r for r, (why, states) in plan.items() if "read-only" in why and "needed" not in states]
        self.suite.expect_true("a read-only /etc: all is refused by name", len(refused) >= 8, str(refused))
        code, out = run(self.bench.full_fix(root))
        self.suite.expect("a read-only /etc: the gate stays closed", code, 1)
        roll_all_back(self.bench, root)
        self.suite.expect("a read-only /etc: as it was", tree.compare(before, tree.snapshot(root, [STORE])), [])
        umount(root + "/etc")
        self.bench.drop(root)
        # Nowhere to keep the journal: nothing is begun.
        root = self.bench.copy("refused")
        read_only("/var")(root)
        before = list(tree.snapshot(root, [STORE]))
        code, out = run(self.bench.full_fix(root))
        self.suite.expect("a read-only /var: nothing is begun", (code, "nothing was changed" in out), (2, True))
        self.suite.expect_in("a read-only /var: why", "/var/lib", out)
        self.suite.expect("a read-only /var: as it was", tree.compare(before, tree.snapshot(root, [STORE])), [])
        umount(root + "/var")
        self.bench.drop(root)


# ---- one mount, and yet no file can be moved within it


def ask(path, request, argument):
    folder = os.open(path, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, request, bytearray(argument))
    finally:
        os.close(folder)


def make_subvolume(path):
    """BTRFS_IOC_SUBVOL_CREATE"""
    ask(os.path.dirname(path), 0x5000940E, struct.pack("=q4088s", 0, os.path.basename(path).encode()))


def make_project(path):
    """FS_IOC_FSSETXATTR: project 5, and FS_XFLAG_PROJINHERIT."""
    os.mkdir(path)
    ask(path, 0x401C5820, struct.pack("=IIIII8s", 0x200, 0, 0, 5, 0, b""))


def within_mount(suite, bench, kind, make, check):
    """A host in a file system of a kind, with a /etc that `make` makes; `check` gets what a repair said."""
    program = shutil.which("mkfs." + kind)
    if not program:
        print(f"left out: {kind}, for there is no mkfs.{kind}")
        return
    root = bench.new(kind)
    image = os.path.join(bench.folder, kind + ".img")
    with open(image, "wb") as f:
        f.truncate(320 << 20)
    subprocess.run([program, "-q", image], check=True, capture_output=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, root], capture_output=True, text=True)
    if mounted.returncode:
        print(f"left out: {kind}: {mounted.stderr.strip()}")
        return
    try:
        make(root + "/etc")
        subprocess.run(["cp", "-a", bench.start + "/.", root], check=True)
        before = list(tree.snapshot(root, [STORE]))
        code, out = run(bench.full_fix(root))
        check(code, out)
        print(f"{kind}: exit {code}")
        if code:
            suite.expect(f"{kind}: as it was", tree.compare(before, tree.snapshot(root, [STORE]), [STORE]), [])
        code, out = roll_all_back(bench, root)
        suite.expect(f"{kind}: taken back", code, 0)
        differences = tree.compare(before, tree.snapshot(root, [STORE]), [STORE])
        suite.expect(f"{kind}: all is as it was", differences, [])
        if code or differences:
            print(out[-1500:])
    finally:
        subprocess.run(["umount", root], check=True)
        os.unlink(image)


def overlay(suite, bench):
    """A host in two layers of different file systems, all of it in the lower one."""
    folder = bench.new("overlay")
    lower, upper, root = (os.path.join(folder, name) for name in ("lower", "upper", "root"))
    bench.copy("overlay/lower")
    os.mkdir(upper)
    os.mkdir(root)
    mount("-t", "tmpfs", "none", upper)
    for name in ("/layer", "/work"):
        os.mkdir(upper + name, 0o755)
    options = f"lowerdir={lower},upperdir={upper}/layer,workdir={upper}/work,xino=off"
    mounted = subprocess.run(["mount", "-t", "overlay", "none", "-o", options, root], capture_output=True, text=True)
    if mounted.returncode:
        print(f"left out: an overlay: {mounted.stderr.strip()}")
        return
    before = list(tree.snapshot(root, [STORE]))
    code, out = run(bench.full_fix(root))
    suite.expect("an overlay: repaired", code, 0)
    code, back = roll_all_back(bench, root)
    suite.expect("an overlay: taken back", (code, tree.compare(before, tree.snapshot(root, [STORE]), [STORE])), (0, []))
    if code:
        print(out[-800:], back[-800:])
    umount(root)
    umount(upper)


def parts_of_a_mount(suite, bench):
    def repaired(code, out):
        suite.expect("a subvolume: repaired", code, 0)
        if code:
            print(out[-1500:])

    def refused(code, out):
        suite.expect("a quota project: taken back", code, 4)
        suite.expect_in("a quota project: why", "quota project", " ".join(out.split()))

    within_mount(suite, bench, "btrfs", make_subvolume, repaired)
    within_mount(suite, bench, "xfs", make_project, refused)


def read(path):
    with open(path) as f:
        return f.read()


def set_by_others(suite, root, fix, back):
    """Theirs stays, and is named."""
    run(fix)
    with open(f"{root}/proc/sys/kernel/panic", "w") as f:
        f.write("33\n")
    code, out = run(back)
    suite.expect("set by others since", (code, "kernel.panic" in out), (4, True))
    suite.expect("theirs stays", read(f"{root}/proc/sys/kernel/panic"), "33\n")


# ---- what a shell may leave to who it starts


def child_of(parent):
    """The fixer that a k8scheck has started, as soon as it waits for the file to be written."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if read(f"/proc/{pid}/comm") == "k8scheck-fixer\n" and f"PPid:\t{parent}\n" in read(f"/proc/{pid}/status"):
                return pid
        except OSError:
            pass
    return None


def left_by_a_shell(suite, bench):
    """Closed descriptors, and a limit of the size of files: no file of a repair comes to stand for standard error."""

    def begin():
        os.close(0)
        os.close(2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    root = bench.copy("shell")
    # Before it is replaced, the fixer waits two seconds for whoever has it open.
    with open(root + "/etc/fstab", "a"):
        process = subprocess.Popen(bench.full_fix(root), preexec_fn=begin, stdout=subprocess.DEVNULL)
        end, found = time.monotonic() + 30, {}
        while time.monotonic() < end and process.poll() is None:
            pid = child_of(process.pid)
            try:
                fds = {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
                if any(path.endswith("/fstab") for path in fds.values()):
                    found = fds
                    break
            except OSError:
                pass
            time.sleep(0.002)
    process.wait(timeout=60)
    suite.expect_true("closed descriptors: the fixer was met", found)
    suite.expect("closed descriptors: its own", [found.get(fd) for fd in range(3)], ["/dev/null"] * 3)
    roll_all_back(bench, root)
    process = subprocess.Popen(bench.full_fix(root), preexec_fn=begin, stdout=subprocess.DEVNULL)
    process.wait(timeout=60)
    suite.expect("closed descriptors: repaired", run(bench.fix(root, "--dry-run"))[0], 0)
    code, out = roll_all_back(bench, root)
    suite.expect("closed descriptors: taken back", (code, bench.differences(root)), (0, []))
    bench.drop(root)


def restart(suite, program, place):
    """The boot id of another start, between a repair and its rollback."""
    bench = Bench(program, place, LIVE, live=True)
    try:
        for restarted in (False, True):
            name = "behind a restart" if restarted else "within one boot"
            root = bench.copy("live")
            fix, back = bench.full_fix(root), bench.rollback(root)
            code, out = run(fix)
            suite.expect(f"{name}: repaired", code, 0)
            if code:
                print(out)
            now = [read(f"{root}/{path}").strip() for path in SYSCTLS]
            suite.expect(f"{name}: what runs has changed", now, ["1", "5"])
            if restarted:
                with open(bench.folder + "/boot_id", "w") as f:
                    f.write("00000000-0000-4000-8000-000000000000\n")
                mount("--bind", bench.folder + "/boot_id", BOOT)
                # The new start has values of its own.
                with open(f"{root}/proc/sys/kernel/panic", "w") as f:
                    f.write("5\n")
            code, out = run(back)
            suite.expect(f"{name}: taken back", code, 0)
            if code:
                print(out)
            now = [read(f"{root}/{path}").strip() for path in SYSCTLS]
            suite.expect(f"{name}: what runs", now, ["1", "5"] if restarted else ["0", "0"])
            wrong = [d for d in bench.differences(root) if not (restarted and d.startswith(tuple(SYSCTLS)))]
            suite.expect(f"{name}: files are as they were", wrong, [])
            if restarted:
                umount(BOOT)
            else:
                set_by_others(suite, root, fix, back)
            shutil.rmtree(root)
    finally:
        bench.end()


def main():
    program, _, place = sys.argv[1:4]
    suite = Suite("fix-refusals")
    bench = Bench(program, place)
    try:
        refusals = Refusals(suite, bench)
        refusals.files()
        left_by_a_shell(suite, bench)
        if within_namespace():
            refusals.mounts()
            parts_of_a_mount(suite, bench)
            overlay(suite, bench)
            restart(suite, program, place)
        else:
            print("left out: mounts, and another boot id, for nothing may be mounted here")
    finally:
        bench.end()
    suite.end()


if __name__ == "__main__":
    within_namespace(main)
