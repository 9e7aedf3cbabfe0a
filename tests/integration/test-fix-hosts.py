#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Fixture hosts as mounted disks, repaired and taken back: nothing is touched before it is agreed to, what is repaired passes
then, a second repair plans nothing, and after the rollbacks the tree is what it was, by every attribute of every entry.
HOST/fixed.yaml beside the hosts has what is expected, and why what fails then is left.
"""

import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

import k8s
from k8s import Suite, write

PROGRAM, MAKE_HOST, HOSTS, TESTS = sys.argv[1:5]
sys.path.insert(0, os.path.join(TESTS, "support"))
import tree  # noqa: E402

NAMES = (
    "centos-8-untouched",
    "debian-12",
    "el-9",
    "el-9-worker",
    "fedora-zram",
    "opensuse-leap-15",
    "ubuntu-24.04",
)
# Which the profile's repairs would weaken, and which therefore take a second consent.
WEAKENING = {"firewall", "selinux-mode"}
STATE = "/var/lib/k8scheck"
SCHEMA = os.path.join(os.path.dirname(os.path.dirname(PROGRAM)), "share", "k8scheck", "k8scheck-plan.schema.json")
ROLLBACKS_MAX = 10
try:
    import yaml
except ImportError:
    yaml = None

suite = Suite("hosts repaired")


def expected_of(name):
    """The exit code, and rule: verdict. Lines of a mapping without depth, so that no library is needed."""
    verdicts = {}
    with open(os.path.join(HOSTS, name, "fixed.yaml")) as f:
        for line in f:
            match = re.fullmatch(r"([a-z0-9-]+): (\w+)\n", line)
            if match:
                verdicts[match[1]] = match[2]
            elif line.strip() and not line.startswith("#"):
                raise ValueError(f"{name}/fixed.yaml: {line!r}")
    return int(verdicts.pop("exit")), verdicts


class Disk:
    """A host as a folder, and how it is judged."""

    def __init__(self, name, tmp):
        self.name = name
        self.root = os.path.join(tmp, name)
        done = subprocess.run([MAKE_HOST, HOSTS, name, self.root], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stdout}{done.stderr}")
        self.arguments = done.stdout.split("\n")[:-1] + ["--root", self.root]

    def check(self, *more, **options):
        return k8s.run(PROGRAM, *self.arguments, *more, **options)

    def rollback(self, *more):
        return k8s.call(PROGRAM, "rollback", "--root", self.root, *more)

    def snapshot(self):
        return tree.snapshot(self.root, [STATE])

    def expect_same(self, what, before, any_mtime=()):
        suite.expect(f"{self.name}: {what}", tree.compare(before, self.snapshot(), [STATE], any_mtime), [])


def verdicts_of(result):
    return {rule: entry["verdict"] for rule, entry in result.rules.items()}



# ---- nothing is touched


def test_dry_run(disk, before, checked, tmp):
    """The plan in each format; the same exit code and verdicts as without --fix."""
    for form in ("text", "json", "ansible"):
        result = disk.check("--fix", "--dry-run", "--format", form)
        what = f"{disk.name}: dry run as {form}"
        suite.expect(f"{what}: exit code", result.code, checked.code)
        suite.expect(f"{what}: verdicts", verdicts_of(result), verdicts_of(checked))
        suite.expect(f"{what}: complaints", result.err, "")
        suite.expect_true(f"{what}: no state", not os.path.exists(disk.root + STATE))
        disk.expect_same(f"dry run as {form}: the tree", before)
        if form == "text":
            test_text(disk, result.out)
        elif form == "json":
            test_json(disk, result.out, tmp)
        else:
            test_playbook(disk, result.out)


def test_text(disk, text):
    suite.expect_in(f"{disk.name}: text: what it is of", f"root {disk.root}", text)
    suite.expect_in(f"{disk.name}: text: that nothing was done", "nothing was changed", text)
    suite.expect_in(f"{disk.name}: text: how it is taken back", "taken back:", text)


def test_json(disk, text, tmp):
    write(os.path.join(tmp, f"{disk.name}-plan.json"), text)
    plan = json.loads(text)
    wanted = {rule for rule, verdict in expected_of(disk.name)[1].items() if verdict == "fixed"}
    needed = {rule["id"] for rule in plan["rules"] if any(step["state"] == "needed" for step in rule["steps"])}
    # Of rules that write one file the first carries the step.
    also = {rule["id"] for rule in plan["rules"] if any(step["state"] == "already" for step in rule["steps"])}
    suite.expect_true(f"{disk.name}: json: rules with steps", wanted <= needed | also, (wanted, needed, also))
    suite.expect(f"{disk.name}: json: nothing is done", (plan["transaction"], plan["summary"]["changed"]), (None, False))
    for rule in plan["rules"]:
        for step in rule["steps"]:
            suite.expect_in(f"{disk.name}: {rule['id']}: horizon", step["horizon"], ("boot", None))


def test_playbook(disk, text):
    suite.expect_in(f"{disk.name}: playbook: its hosts", "hosts:", text)
    if yaml is None:
        return
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    plays = yaml.load(text, loader)
    suite.expect_true(f"{disk.name}: playbook: tasks", plays and plays[0]["tasks"], plays)


# ---- what is done, and what of it again


def test_without_weakening(disk, before):
    """--yes alone agrees to all but what lowers the protection; that is named, and still fails."""
    weakened = WEAKENING & {rule for rule, verdict in expected_of(disk.name)[1].items() if verdict == "fixed"}
    result = disk.check("--fix", "--yes")
    for rule, verdict in expected_of(disk.name)[1].items():
        if verdict == "fixed" and rule not in weakened:
            suite.expect(f"{disk.name}: without --allow-weaken: {rule}", result.verdict(rule), "fixed")
    for rule in weakened:
        suite.expect(f"{disk.name}: without --allow-weaken: {rule}", result.verdict(rule), "fail")
    if weakened:
        suite.expect_in(f"{disk.name}: without --allow-weaken: what is missing", "--allow-weaken", result.out + result.err)
        suite.expect(f"{disk.name}: without --allow-weaken: exit code", result.code, 1)
    for path in ("/etc/firewalld/firewalld.conf", "/etc/selinux/config"):
        path = path.lstrip("/")
        was, is_now = ([e for e in entries if e["path"] == path] for entries in (before, disk.snapshot()))
        suite.expect(f"{disk.name}: without --allow-weaken: {path}", is_now, was)


def test_repair(disk, checked):
    code, wanted = expected_of(disk.name)
    result = disk.check("--fix", "--yes", "--allow-weaken")
    suite.expect(f"{disk.name}: repaired: exit code", result.code, code)
    for rule in WEAKENING & {rule for rule, verdict in wanted.items() if verdict == "fixed"}:
        suite.expect(f"{disk.name}: with --allow-weaken: {rule}", result.verdict(rule), "fixed")
    again = disk.check()
    suite.expect(f"{disk.name}: checked again: exit code", again.code, code)
    was = verdicts_of(checked)
    suite.expect_true(f"{disk.name}: something is repaired", "fixed" in wanted.values())
    for rule, verdict in verdicts_of(again).items():
        if rule in wanted:
            suite.expect(f"{disk.name}: {rule}", verdict, "pass" if wanted[rule] == "fixed" else wanted[rule])
        else:
            suite.expect(f"{disk.name}: {rule} is as it was, and no failure", verdict, was[rule])
            suite.expect_in(f"{disk.name}: {rule} is as it was, and no failure", verdict, ("pass", "skip"))
    return again


def test_repeat(disk, checked):
    """What is repaired already is left alone, whatever the times."""
    before = tree.snapshot(disk.root)
    result = disk.check("--fix", "--yes", "--allow-weaken")
    suite.expect(f"{disk.name}: once more: exit code", result.code, checked.code)
    suite.expect(f"{disk.name}: once more: verdicts", verdicts_of(result), verdicts_of(checked))
    repair = result.report["repair"]
    suite.expect(
        f"{disk.name}: once more: the report",
        (repair["asked"], repair["changed"], repair["reboot_required"], repair["transaction"]),
        (True, False, False, None),
    )
    suite.expect(f"{disk.name}: once more: the tree", tree.compare(before, tree.snapshot(disk.root)), [])
    plan = json.loads(disk.check("--fix", "--dry-run", "--format", "json").out)
    states = [(rule["id"], step["state"]) for rule in plan["rules"] for step in rule["steps"]]
    suite.expect(f"{disk.name}: once more: nothing is needed", [s for s in states if s[1] not in ("by-hand", "already")], [])


def test_rollback(disk, before, repairs):
    listed = disk.rollback("--list")
    suite.expect(f"{disk.name}: list", (listed.code, len(listed.out.splitlines())), (0, repairs))
    shown = disk.rollback("--dry-run")
    suite.expect(f"{disk.name}: what a rollback would do", shown.code, 0)
    n = 0
    while n < ROLLBACKS_MAX:
        done = disk.rollback("--yes")
        suite.expect(f"{disk.name}: rollback {n + 1}", (done.code, done.err), (0, ""))
        if "there is no repair to be taken back" in done.out:
            break
        n += 1
    suite.expect(f"{disk.name}: rollbacks", n, repairs)
    disk.expect_same("taken back: the tree", before)


def test_host(name, tmp):
    disk = Disk(name, tmp)
    before = disk.snapshot()
    checked = disk.check()
    suite.expect(f"{name}: exit code", checked.code, checked.report["summary"]["exit_code"])
    suite.expect(f"{name}: nothing was asked for", checked.report["repair"]["asked"], False)
    disk.expect_same("a check: the tree", before)
    test_dry_run(disk, before, checked, tmp)
    refused = disk.check("--fix")
    suite.expect(f"{name}: without terminal and --yes", (refused.code, refused.report), (2, None))
    disk.expect_same("without terminal and --yes: the tree", before)
    test_without_weakening(disk, before)
    weakens = bool(WEAKENING & {rule for rule, verdict in expected_of(name)[1].items() if verdict == "fixed"})
    again = test_repair(disk, checked)
    test_repeat(disk, again)
    test_rollback(disk, before, 2 if weakens else 1)


def hold_plans(tmp):
    """Every plan by the installed schema, where python3-jsonschema is there."""
    plans = [os.path.join(tmp, f"{name}-plan.json") for name in NAMES]
    done = subprocess.run(
        [sys.executable, os.path.join(TESTS, "check-json-schema.py"), SCHEMA, *plans],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode == k8s.SKIP:
        print("left out: the schema of plans:", done.stdout.strip())
    else:
        suite.expect("every plan is valid", (done.returncode, done.stderr), (0, ""))


with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
    os.chmod(tmp, 0o755)
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        for future in [pool.submit(test_host, name, tmp) for name in NAMES]:
            future.result()
    hold_plans(tmp)
if yaml is None:
    print("left out: playbooks as YAML, since PyYAML is not installed")
suite.end()
