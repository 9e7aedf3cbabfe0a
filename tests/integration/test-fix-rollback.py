#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Ways back that are not straight: what others have changed, by force and later; a rollback that cannot end, and is given up;
a journal that cannot be read.
"""

import os
import shutil
import sys

from k8s import Suite
from repair import STORE, Bench, run, tree

PROGRAM, PLACE = sys.argv[1:3]
PROFILE = """
rules:
  - {id: panic, check: sysctl.value, severity: required, with: {settings: {kernel.panic: "10"}}}
  - {id: selinux, check: selinux.mode, severity: required, with: {modes: [permissive]}}
"""
CONFIG = "/etc/selinux/config"

suite = Suite("fix-rollback")
bench = Bench(PROGRAM, PLACE, PROFILE)


def repaired(name):
    root = bench.copy(name)
    code, out = run(bench.full_fix(root))
    suite.expect_true(f"{name}: repaired", code == 0, out)
    return root


def put(root, path, text):
    with open(root + path, "w") as f:
        f.write(text)


def get(root, path):
    with open(root + path) as f:
        return f.read()


def transactions(root):
    return sorted(os.listdir(f"{root}/{STORE}/transactions"))


def test_left_to_others():
    """A conflict is left, the rest is taken back; --force does that one as well, at once or later."""
    for later in (False, True):
        name = f"conflict, force {'later' if later else 'at once'}"
        root = repaired("conflict")
        old = get(bench.start, CONFIG)
        put(root, CONFIG, "SELINUX=disabled\n# theirs\n")
        transaction = transactions(root)[-1]
        if later:
            code, out = run(bench.rollback(root))
            suite.expect(f"{name}: rollback", code, 4)
            suite.expect_in(f"{name}: rollback", CONFIG, out)
            suite.expect(f"{name}: theirs stays", get(root, CONFIG), "SELINUX=disabled\n# theirs\n")
            _, out = run([PROGRAM, "rollback", "--root", root, "--list"])
            suite.expect_in(f"{name}: the list", "taken back but for 1, changed by others", out)
            code, out = run(bench.rollback(root))
            suite.expect(f"{name}: nothing more without force", (code, "there is no repair" in out), (0, True))
            code, out = run(bench.rollback(root, transaction))
            suite.expect(f"{name}: nor by its id", (code, "taken back already" in out), (2, True))
            code, out = run([PROGRAM, "rollback", "--root", root, "--force", "--dry-run"])
            suite.expect(f"{name}: it is shown", (code, "conflict" in out and CONFIG in out), (0, True))
        code, out = run(bench.rollback(root, "--force", *([transaction] if later else [])))
        suite.expect_true(f"{name}: by force", code == 0, out)
        suite.expect(f"{name}: the old is back", get(root, CONFIG), old)
        suite.expect_in(f"{name}: theirs is kept", "kept", out)
        kept = [n for n in os.listdir(f"{root}/{STORE}/transactions/{transaction}/backup") if "kept" in n]
        suite.expect(f"{name}: theirs is kept", len(kept), 1)
        suite.expect(
            f"{name}: with its content",
            get(root, f"/{STORE}/transactions/{transaction}/backup/{kept[0]}" if kept else CONFIG),
            "SELINUX=disabled\n# theirs\n",
        )
        code, out = run(bench.rollback(root, "--force"))
        suite.expect(f"{name}: then there is nothing more", (code, "there is no repair" in out), (0, True))
        bench.drop(root)


def test_given_up():
    """A way back that leads nowhere: the backup is gone. It is said, and can be given up by force alone."""
    root = repaired("stuck")
    transaction = transactions(root)[-1]
    folder = f"{root}/{STORE}/transactions/{transaction}"
    for part in ("backup", "stage"):
        for name in os.listdir(f"{folder}/{part}"):
            os.unlink(f"{folder}/{part}/{name}")
    code, out = run(bench.rollback(root))
    suite.expect("stuck: exit code", code, 4)
    suite.expect_in("stuck: what it says", CONFIG, out)
    code, out = run(bench.full_fix(root))
    suite.expect("stuck: nothing new is begun", (code, "rollback" in out), (2, True))
    code, out = run(bench.rollback(root, "--forget", transaction))
    suite.expect("stuck: not forgotten", code, 2)
    suite.expect_in("stuck: the way out is named", "--force", out)
    code, out = run(bench.rollback(root, "--forget", transaction, "--force"))
    suite.expect_true("stuck: forgotten by force", code == 0, out)
    suite.expect("stuck: it is gone", transactions(root), [])
    code, out = run(bench.full_fix(root))
    suite.expect_true("stuck: a new repair begins", code == 0, out)
    bench.drop(root)


def test_damaged():
    """What cannot be read is given up by its id, which is said wherever it stands in the way."""
    root = repaired("damaged")
    transaction = transactions(root)[-1]
    journal = f"{root}/{STORE}/transactions/{transaction}/journal"
    with open(journal, "r+b") as f:
        f.seek(20)
        f.write(b"#")
    before = list(tree.snapshot(root))
    for what, command in (
        ("rollback", bench.rollback(root)),
        ("rollback --dry-run", [PROGRAM, "rollback", "--root", root, "--dry-run"]),
        ("--fix", bench.full_fix(root)),
    ):
        code, out = run(command)
        suite.expect(f"damaged, {what}: exit code", code, 2)
        suite.expect_in(f"damaged, {what}", f"k8scheck rollback --forget {transaction}", out)
        suite.expect_in(f"damaged, {what}", f"transactions/{transaction}/backup", out)
    suite.expect("damaged: nothing changed", tree.compare(before, tree.snapshot(root)), [])
    code, out = run(bench.rollback(root, "--forget", transaction))
    suite.expect_true("damaged: forgotten", code == 0, out)
    bench.drop(root)


def test_leads_elsewhere():
    """A link from what a manifest names to what it does not: the policy alone would let it pass."""
    root = bench.copy("link")
    os.makedirs(root + "/etc/other")
    shutil.move(root + CONFIG, root + "/etc/other/config")
    os.symlink("../other/config", root + CONFIG)
    old = get(root, "/etc/other/config")
    code, out = run(bench.full_fix(root))
    suite.expect("a link to another place: exit code", code, 1)
    suite.expect_in("a link to another place", "leads to /etc/other/config", out)
    suite.expect("a link to another place: it is as it was", get(root, "/etc/other/config"), old)
    bench.drop(root)


try:
    test_left_to_others()
    test_given_up()
    test_damaged()
    test_leads_elsewhere()
finally:
    bench.end()
suite.end()
