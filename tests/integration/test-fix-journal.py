#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Journals that are torn, damaged, and forged: what was torn is cut off and all is taken back; a damaged one is refused by
the line; a forged one, as a hostile image may bring it, changes nothing that a repair could not have changed.

    test-fix-journal.py K8SCHECK AT-SYSCALL FOLDER [plain|sanitized|--all]

By --all, or K8SCHECK_TEST_ALL in the environment, each record is torn at each of its bytes; else one is, and the others at
some. In a sanitized build none is torn, for whoever looks for leaks lets nobody else trace the fixer.
"""

import concurrent.futures
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from k8s import Suite  # noqa: E402
from repair import STORE, Bench, run, tree  # noqa: E402

ID = "0001-20260131T080000Z"
FILE = "file,{mode},{uid},0,{size},1.000000000,1.000000000,{sha}"
JOURNAL_MAX = 1 << 20
BOOT = "/proc/sys/kernel/random/boot_id"


def sealed(number, verb, **pairs):
    """A line of a journal, as kc_record_put() makes it."""
    text = f" {number} {verb}"
    for key, value in pairs.items():
        escaped = "".join(c if "!" <= c <= "~" and c != "%" else f"%{ord(c):02X}" for c in value)
        text += f" {key}={escaped}"
    return hashlib.sha256(text.encode()).hexdigest()[:16] + text + "\n"


def file_node(content, mode=0o644, uid=0):
    sha = hashlib.sha256(content.encode()).hexdigest()
    return FILE.format(mode=mode, uid=uid, size=len(content), sha=sha)


def link_node(target):
    return f"link,511,0,0,{len(target)},1.000000000,1.000000000,{target.encode().hex()}"


class Journals:
    def __init__(self, suite, bench, tracer, slow):
        self.slow = slow
        self.suite = suite
        self.bench = bench
        self.tracer = tracer
        self.lock = threading.Lock()

    def expect(self, name, what, got, want, said=""):
        with self.lock:
            self.suite.expect(f"{name}: {what}", got, want)
            if got != want:
                print(said[-1500:])

    def traced(self, mode, command):
        return [self.tracer, "--only", "k8scheck-fixer", *mode, "--", *command]

    def journal(self, root):
        folder = os.path.join(root, STORE, "transactions")
        return os.path.join(folder, sorted(os.listdir(folder))[-1], "journal")

    # ---- torn

    def tear(self, name, root, keep, more=b""):
        """Its last record begins, and ends behind so many bytes of the file."""
        copy = self.bench.copy(name, root)
        with open(self.journal(copy), "r+b") as f:
            f.truncate(keep)
            f.seek(keep)
            f.write(more)
        code, out = run(self.bench.rollback(copy))
        self.expect(name, "rollback", code, 0, out)
        self.expect(name, "the tree is as it was", self.bench.differences(copy), [], out)
        code, out = run(self.bench.full_fix(copy)) if keep % 16 == 0 else (0, "")
        self.expect(name, "repaired later", code, 0, out)
        self.bench.drop(copy)

    def torn(self, every_byte):
        begun = time.monotonic()
        code, out = run(self.traced(["count"], self.bench.full_fix(self.bench.copy("count"))))
        self.suite.expect("undisturbed", code, 0)
        calls = [line.split("\t") for line in out.splitlines() if "\t" in line]
        writes = [int(c[0]) for c in calls if c[1] == "write" and c[2].endswith("/journal")]
        points = 0
        for place, number in enumerate(writes):
            root = self.bench.copy(f"torn-{number}")
            run(self.traced(["kill", str(number), "before"], self.bench.full_fix(root)))
            start = os.path.getsize(self.journal(root))
            self.bench.drop(root)
            root = self.bench.copy(f"torn-{number}")
            run(self.traced(["kill", str(number), "after"], self.bench.full_fix(root)))
            end = os.path.getsize(self.journal(root))
            self.suite.expect_true(f"record {number} has bytes", end > start)
            keeps = range(start, end + 1)
            if not every_byte and place != len(writes) // 2:
                keeps = sorted({start, start + 1, start + 17, (start + end) // 2, end - 1, end})
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                jobs = [pool.submit(self.tear, f"torn {number} at {keep}", root, keep) for keep in keeps]
                # What a disk may have where a record was to be.
                for i, more in enumerate((b"\0" * 300, b"\xff\n", b"0123456789abcdef 3 done of=2\n")):
                    jobs.append(pool.submit(self.tear, f"torn {number} with rubbish {i}", root, start, more))
            for done in jobs:
                done.result()
            points += len(jobs)
            self.bench.drop(root)
        print(f"{len(writes)} records torn at {points} points, {time.monotonic() - begun:.1f} s")

    # ---- damaged

    def damaged(self):
        fixed = self.bench.copy("damaged")
        run(self.bench.full_fix(fixed))
        after = list(tree.snapshot(fixed, [STORE]))
        with open(self.journal(fixed), "rb") as f:
            lines = f.read().splitlines(keepends=True)
        for i in range(len(lines) - 1):
            for at in {0, 17, len(lines[i]) // 2, len(lines[i]) - 1}:
                name = f"line {i + 1} wrong at byte {at}"
                # Two lines become the last one, which is torn then.
                if i == len(lines) - 2 and at == len(lines[i]) - 1:
                    continue
                line = bytearray(lines[i])
                line[at] ^= 1
                with open(self.journal(fixed), "wb") as f:
                    f.write(b"".join([*lines[:i], bytes(line), *lines[i + 1 :]]))
                code, out = run(self.bench.rollback(fixed))
                self.expect(name, "refused by name", (code, f"line {i + 1} of the journal" in out), (2, True), out)
                self.expect(name, "nothing changed", tree.compare(after, tree.snapshot(fixed, [STORE])), [], out)
        for command in (self.bench.full_fix(fixed), self.bench.fix(fixed, "--dry-run")):
            code, out = run(command)
            self.suite.expect(
                "a repair behind a damaged journal is refused", (code, "journal is not as" in out), (2, True)
            )
        transaction = os.path.basename(os.path.dirname(self.journal(fixed)))
        code, out = run(self.bench.rollback(fixed, "--list"))
        self.suite.expect_in("it is listed as damaged", "damaged", out)
        code, out = run(self.bench.rollback(fixed, "--forget", transaction))
        self.suite.expect("it is forgotten", (code, os.listdir(f"{fixed}/{STORE}/transactions")), (0, []))

    # ---- forged

    def forge(self, root, lines, files=None, stage=None):
        """A transaction as a hostile image brings it; `files` are in its backup."""
        folder = f"{root}/{STORE}/transactions/{ID}"
        for name in (f"{root}/{STORE}", f"{root}/{STORE}/transactions", folder, folder + "/backup", folder + "/stage"):
            os.mkdir(name, 0o700)
        with open(folder + "/journal", "w") as f:
            f.write(sealed(1, "begin", version="1", boot=self.boot, time="2026-01-31T08:00:00Z", profile="p"))
            f.write("".join(lines))
        for where, given in (("backup", files), ("stage", stage)):
            for name, content in (given or {}).items():
                with open(f"{folder}/{where}/{name}", "w") as f:
                    f.write(content)
        return folder

    def change(self, path, before, after="none", number=2, **more):
        pairs = {"path": path, "before": before, "after": after, "parent": "1.000000000-1.000000000", "stage": ""}
        return sealed(number, "change", **{**pairs, **more})

    def run_forged(self, name, make, codes=(2, 4)):
        """Nothing but the journal's own folder is another, within the root and beside it."""
        root = self.bench.copy("forged")
        outside = self.bench.new("outside")
        with open(outside + "/victim", "w") as f:
            f.write("victim\n")
        os.symlink("../../outside", root + "/etc/leads-out")
        os.symlink("/etc/ssh", root + "/etc/leads-to-ssh")
        os.makedirs(root + "/etc/ssh")
        make(root)
        before, beside = list(tree.snapshot(root, [STORE])), list(tree.snapshot(outside))
        panic = open("/proc/sys/kernel/panic").read()
        for more in ((), ("--force",))[: 1 if self.slow else 2]:
            for how in (["--dry-run"], ["--yes"]):
                try:
                    code, out = run([self.bench.program, "rollback", "--root", root, *how, *more], timeout=60)
                except subprocess.TimeoutExpired as e:
                    code, out = "timeout", str(e)
                if how == ["--yes"]:
                    self.expect(f"forged, {name} {more}", "exit code", code in codes, True, f"exit {code}\n{out}")
                else:
                    self.expect(f"forged, {name} {more}", "looked at", code in (0, 2), True, f"exit {code}\n{out}")
                self.expect(f"forged, {name}", "the root", tree.compare(before, tree.snapshot(root, [STORE])), [], out)
                self.expect(f"forged, {name}", "beside it", tree.compare(beside, tree.snapshot(outside)), [], out)
        self.expect(f"forged, {name}", "the running system", open("/proc/sys/kernel/panic").read(), panic)
        self.bench.drop(root)
        shutil.rmtree(outside)
        return out

    def well_formed(self):
        """What may be taken back is: the lines are such as the fixer writes."""
        root = self.bench.copy("control")
        with open(root + "/etc/selinux/config") as f:
            now = file_node(f.read()).replace(",0,0,", f",0,{os.fstat(f.fileno()).st_gid},", 1)
        change = self.change("/etc/selinux/config", file_node("SELINUX=disabled\n"), now)
        self.forge(root, [change], {"000002": "SELINUX=disabled\n"})
        code, out = run(self.bench.rollback(root))
        with open(root + "/etc/selinux/config") as f:
            self.expect("a journal as it should be", "taken back", (code, f.read()), (0, "SELINUX=disabled\n"), out)
        self.bench.drop(root)

    def forged_targets(self):
        content = "forged\n"
        node = file_node(content)
        for path in (
            "/etc/shadow",
            "/etc/sudoers.d/forged",
            "/etc/cron.d/forged",
            "/etc/ssh/sshd_config",
            "/etc/ld.so.preload",
            "/etc/systemd/system/forged.service",
            "/etc/systemd/system/a.service.d/forged.conf",
            "/etc/kubernetes/manifests/forged.yaml",
            "/etc/k8scheck/forged",
            "/var/lib/k8scheck/forged",
            "/var/lib/dpkg/status",
            "/usr/bin/crio",
            "/root/.ssh/authorized_keys",
            "/etc/../../outside/victim",
            "/etc/../etc/shadow",
            "/etc/./shadow",
            "/etc//shadow",
            "/etc/",
            "/",
            "/../outside/victim",
            "/etc/leads-out/victim",
            "/etc/leads-to-ssh/sshd_config",
            "etc/fstab",
            "",
            "/etc/a\nb",
            "/etc/" + "a" * 300,
            "/etc" + "/a" * 3000,
        ):
            for what, before, after in (
                ("written", node, "none"),
                ("put back", node, file_node("x", 0o4755)),
                ("taken away", "none", file_node("")),
                ("a link", link_node("/outside"), "none"),
                (
                    "of another owner",
                    "file,2541,0,0,0,1.000000000,1.000000000,",
                    "file,420,0,0,0,1.000000000,1.000000000,",
                ),
            ):
                name = f"{path[:60]!r} {what}"
                self.run_forged(
                    name,
                    lambda root: self.forge(root, [self.change(path, before, after)], {"000002": content}),
                    (0, 2, 4),
                )

    def forged_backups(self):
        with open(self.bench.start + "/etc/selinux/config") as f:
            now = file_node(f.read())
        wanted = self.change("/etc/selinux/config", file_node("SELINUX=permissive\n"), now.replace(",0,0,", ",0,3,", 1))
        self.run_forged(
            "a backup of other content", lambda r: self.forge(r, [wanted], {"000002": "SELINUX=disabled\n"})
        )
        self.run_forged("no backup", lambda r: self.forge(r, [wanted]))

        def with_link(root):
            os.symlink("/etc/passwd", self.forge(root, [wanted]) + "/backup/000002")

        def with_fifo(root):
            os.mkfifo(self.forge(root, [wanted]) + "/backup/000002")

        def with_folder(root):
            os.mkdir(self.forge(root, [wanted]) + "/backup/000002")

        def folder_is_link(root, which):
            folder = self.forge(root, [wanted])
            os.rmdir(f"{folder}/{which}")
            os.symlink("../../../../../../outside", f"{folder}/{which}")

        self.run_forged("a backup that is a link", with_link)
        self.run_forged("a backup that is a FIFO", with_fifo)
        self.run_forged("a backup that is a folder", with_folder)
        for which in ("backup", "stage"):
            self.run_forged(f"{which} leads elsewhere", lambda root: folder_is_link(root, which))

    def forged_stages(self):
        def staged(path, name=ID, **more):
            def make(root):
                line = sealed(2, "stage", path=path, parent="1.000000000-1.000000000", **more)
                change = self.change("/etc/new", "none", file_node("x"), 3, stage=path)
                self.forge(root, [line, change])

            return make

        for path in (
            "/etc/ssh",
            "/outside",
            "/../outside",
            f"/etc/.k8scheck-{ID}/..",
            "/etc/.k8scheck-0002-x",
            "",
            "x",
        ):
            self.run_forged(f"a stage {path!r}", staged(path))

        def link(root):
            staged(f"/etc/.k8scheck-{ID}")(root)
            os.symlink("../../outside", f"{root}/etc/.k8scheck-{ID}")

        self.run_forged("a stage that is a link", link)

    def stages_left(self):
        """A staging folder goes; the one above has the time that it had, whoever has set that."""
        times = "1600000000.123456789-1600000000.123456789"
        path = f"/etc/.k8scheck-{ID}"
        stage = sealed(2, "stage", path=path, parent=times)
        behind = [stage, self.change("/etc/sysctl.d/none.conf", "absent", "absent", 3, parent=times)]
        removal = [*behind, sealed(4, "unstaging", of="2", parent=times)]
        old, others = 1_600_000_000_123_456_789, 1_700_000_000_000_000_000
        for name, lines, there, now, then in (
            ("cut off while it was made", [stage], True, others, old),
            ("cut off before it was made", [stage], False, others, others),
            ("in use", behind, True, others, others),
            ("cut off while it was removed", removal, False, others, old),
            ("cut off before it was removed", removal, True, others, others),
        ):
            root = self.bench.copy("stages")
            self.forge(root, lines)
            if there:
                os.mkdir(root + path, 0o700)
            os.utime(root + "/etc", ns=(now, now))
            code, out = run(self.bench.rollback(root))
            self.expect(f"a stage, {name}", "taken back", (code, os.path.exists(root + path)), (0, False), out)
            self.expect(f"a stage, {name}", "the folder above", os.stat(root + "/etc").st_mtime_ns, then, out)
            self.bench.drop(root)

    def forged_runtime(self):
        for kind, target, content in (
            ("sysctl", "kernel.panic", "77"),
            ("sysctl", "kernel.core_pattern", "|/tmp/x"),
            ("unit-stop", "crio.service", ""),
            ("swap-off", "/swapfile", ""),
            ("selinux-mode", "/sys/fs/selinux/enforce", "permissive"),
            ("firewalld-zone", "default", "trusted"),
            ("manual", "x", "x"),
            ("nothing", "x", "x"),
        ):
            pairs = {
                "kind": kind,
                "target": target,
                "content": content,
                "before": "77",
                "after": "0",
                "boot": self.boot,
            }
            line = sealed(2, "runtime", **pairs)
            self.run_forged(f"runtime {kind} {target}", lambda root: self.forge(root, [line]), (0, 2, 4))
        for path in ("/etc/shadow", "/etc/leads-out/victim", "/../outside/victim"):
            pairs = {"kind": "firewalld-zone", "target": "default", "content": "trusted", "before": "a", "after": "b"}
            more = {
                "boot": self.boot,
                "file0": path,
                "times0": "1.000000000-1.000000000",
                "node0": file_node("forged\n"),
            }
            line = sealed(2, "runtime", **pairs, **more)
            self.run_forged(f"runtime with {path}", lambda root: self.forge(root, [line], {"000002.0": "forged\n"}))

    def forged_numbers(self):
        node = file_node("x")
        huge = str(2**64)
        lines = {
            "a record of number 0": [self.change("/etc/new", "none", node, 0)],
            "a huge number": [self.change("/etc/new", "none", node, 2**32 - 1)],
            "a number beyond": [self.change("/etc/new", "none", node, 2**64)],
            "one number twice": [self.change("/etc/new", "none", node), self.change("/etc/new", "none", node), "x"],
            "an owner beyond": [self.change("/etc/new", "none", node.replace(",0,0,", f",{huge},0,"))],
            "a mode beyond": [self.change("/etc/new", "none", node.replace("420", "99999"))],
            "a size beyond": [self.change("/etc/new", "none", FILE.format(mode=420, uid=0, size=huge, sha="0" * 64))],
            "times beyond": [self.change("/etc/new", "none", node, parent=f"{huge}.000000000-{huge}.000000000")],
            "no times": [self.change("/etc/new", "none", node, parent="")],
            "a digest too short": [self.change("/etc/new", "none", node[:-1])],
            "a type that is none": [self.change("/etc/new", "socket,420", node)],
            "an attribute cut off": [self.change("/etc/new", "none", node + ",757:7,75")],
            "of nothing": [sealed(2, "done", of=huge), sealed(3, "undone", of="-1"), sealed(4, "undo", of="")],
            "many pairs": [sealed(2, "change", **{f"k{i}": "v" for i in range(1000)}), sealed(3, "committed")],
            "a verb that is none": [sealed(2, "resume"), sealed(3, "explode", path="/etc/shadow")],
            "no pairs": [sealed(2, "change"), sealed(3, "stage"), sealed(4, "runtime")],
        }
        for name, text in lines.items():
            self.run_forged(name, lambda root: self.forge(root, text), (0, 2, 4))

    def forged_lengths(self):
        """As many records as a journal can have: each is read, and found by others, in no time."""

        def full(records):
            def make(root):
                folder = self.forge(root, [])
                with open(folder + "/journal", "a") as f:
                    size = os.path.getsize(folder + "/journal")
                    for i in range(2, 1 << 20):
                        verb, pairs = records(i)
                        line = sealed(i, verb, **pairs)
                        size += len(line)
                        if size > JOURNAL_MAX:
                            break
                        f.write(line)

            return make

        def change(path):
            times = "1600000000.123456789-1600000000.123456789"
            return "change", {"path": path, "before": "absent", "after": "absent", "parent": times, "stage": ""}

        def undone_behind(i):
            return change("/etc/sysctl.d/none.conf") if i <= 4000 else ("undone", {"of": str(i - 3999)})

        for name, records in (
            ("changes of nothing", lambda i: change("/etc/sysctl.d/none.conf")),
            ("changes that are refused", lambda i: change("/etc/ssh/none")),
            ("changes that are undone", undone_behind),
            ("all of one", lambda i: change("/etc/sysctl.d/none.conf") if i == 2 else ("done", {"of": "2"})),
            ("nothing at all", lambda i: ("x", {})),
        ):
            begun = time.monotonic()
            self.run_forged(f"a full journal, {name}", full(records), (0, 2, 4))
            passed = time.monotonic() - begun
            self.suite.expect_true(f"a full journal, {name}: in no time", passed < 20, f"{passed:.1f} s")

    def forged_files(self):
        committed = [sealed(2, "change"), sealed(3, "committed")]

        def in_place_of(make):
            def of(root):
                path = self.forge(root, committed) + "/journal"
                os.unlink(path)
                make(path)

            return of

        def sparse(path):
            with open(path, "wb") as f:
                f.truncate(1 << 32)

        self.run_forged("the journal is a FIFO", in_place_of(os.mkfifo))
        self.run_forged("the journal is a folder", in_place_of(os.mkdir))
        self.run_forged("the journal is a link", in_place_of(lambda path: os.symlink("/etc/passwd", path)))
        self.run_forged("the journal is huge", in_place_of(sparse))

        def hard(root):
            os.link(self.forge(root, committed) + "/journal", root + f"/{STORE}/other")

        self.run_forged("the journal has two names", hard)

        def writable(root):
            self.forge(root, committed)
            os.chmod(f"{root}/{STORE}/transactions", 0o777)

        def of_others(root):
            self.forge(root, committed)
            os.chown(f"{root}/{STORE}", 65534, 65534)

        self.run_forged("others can write there", writable)
        if os.geteuid() == 0:
            self.run_forged("it is another's", of_others)

        def store_is_link(root):
            os.symlink("../../../outside", f"{root}/{STORE}")

        self.run_forged("the store leads elsewhere", store_is_link)

        def leftovers(root):
            os.symlink("../../../outside", f"{root}/var/lib/.k8scheck-1.000000000-1.000000000")

        self.run_forged("what a start left is a link", leftovers)

    def forged(self):
        begun = time.monotonic()
        looked = self.suite.checked
        with open(BOOT) as f:
            self.boot = f.read().strip()
        self.well_formed()
        self.forged_targets()
        self.forged_backups()
        self.forged_stages()
        self.stages_left()
        self.forged_runtime()
        self.forged_numbers()
        self.forged_files()
        self.forged_lengths()
        print(f"forged journals: {self.suite.checked - looked} looked at, {time.monotonic() - begun:.1f} s")


def main():
    program, tracer, place = sys.argv[1:4]
    sanitized = "sanitized" in sys.argv
    suite = Suite("fix-journal")
    bench = Bench(program, place)
    try:
        journals = Journals(suite, bench, tracer, sanitized)
        journals.forged()
        journals.damaged()
        if sanitized or os.path.basename(tracer) != "at-syscall":
            print("left out: torn journals, for the fixer cannot be traced here")
        else:
            journals.torn("--all" in sys.argv or bool(os.environ.get("K8SCHECK_TEST_ALL")))
    finally:
        bench.end()
    suite.end()


main()
