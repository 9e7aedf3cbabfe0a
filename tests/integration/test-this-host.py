#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The profile crio-1.18 on the machine that runs the tests: every rule has a verdict with evidence, and the verdict is the
one that machine.py finds without k8scheck. Then once more without privileges: each verdict is the same, or an error that
says what may not be seen.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from k8s import Suite, hold_schemas
from machine import expected, in_container

PROGRAM = sys.argv[1]
NOBODY = 65534
WORST = ("fail", "error", "manual", "pass", "skip")

suite = Suite("this host")


def has_evidence(finding):
    if finding["verdict"] in ("pass", "fail"):
        return bool((finding.get("expected") or finding.get("found")) and finding.get("source"))
    if finding["verdict"] == "skip":
        return bool(finding.get("message") or finding.get("reason"))
    return bool(finding.get("message"))


def hold(rule, live):
    name = rule["id"]
    wanted = expected(name, live)
    if wanted is None:
        suite.expect_true(f"{name}: this test knows the rule", False, "write down what is expected of it")
        return
    judgements = rule["judgements"]
    suite.expect_true(f"{name}: something was judged", judgements)
    for horizon, judgement in judgements.items():
        suite.expect_true(f"{name}: {horizon} has findings", judgement["findings"])
        for finding in judgement["findings"]:
            suite.expect_true(f"{name}: {horizon} has evidence", has_evidence(finding), json.dumps(finding))
        if not live and horizon == "now":
            suite.expect(f"{name}: now in a container", judgement["verdict"], "skip")
        elif horizon in wanted:
            # What this test may not read k8scheck may not, either.
            wanted[horizon] = wanted[horizon] | ({"error"} if os.geteuid() else set())
            suite.expect_true(
                f"{name}: {horizon} is {judgement['verdict']}",
                judgement["verdict"] in wanted[horizon],
                f"expected {wanted[horizon]}: {judgement['findings']}",
            )
    for horizon in wanted:
        suite.expect_in(f"{name}: its horizons", horizon, judgements)
    unknown = set(judgements) - set(wanted) - (set() if live else {"now"})
    suite.expect(f"{name}: horizons that this test knows nothing of", unknown, set())
    worst = min((j["verdict"] for j in judgements.values()), key=WORST.index)
    suite.expect(f"{name}: the verdict is the worst of them", rule["verdict"], worst)


def judge(tmp, who, *before):
    """The profile judged by a user: what the program said, and the paths of its reports."""
    paths = {form: os.path.join(tmp, f"{who}.{form}") for form in ("json", "junit")}
    reports = [x for f, p in paths.items() for x in ("--report", f"{f}={p}")]
    command = [*before, PROGRAM, "--profile", "crio-1.18", "--color", "never", "--report", "text", *reports]
    return subprocess.run(command, capture_output=True, text=True, timeout=300), paths


def hold_code(what, code, rules):
    required = [r["verdict"] for r in rules if r["severity"] == "required"]
    suite.expect(f"{what}: exit code", code, 1 if "fail" in required else 3 if "error" in required else 0)


# What an error says that a user has for want of privileges.
MAY_NOT = r"permission denied|not permitted|may not|as root|could not be asked|cannot be seen|cannot be told"


def hold_without_privileges(tmp, whole):
    """Who may see less comes to the same verdict, or to none and says for what; never to another one."""
    os.chown(tmp, NOBODY, NOBODY)
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    if subprocess.run([*user, PROGRAM, "--version"], capture_output=True).returncode != 0:
        print("left out: a run without privileges, since others may not run the program where it is built")
        return []
    done, paths = judge(tmp, "nobody", *user)
    with open(paths["json"]) as f:
        report = json.load(f)
    suite.expect("nobody: the rules", [r["id"] for r in report["rules"]], [r["id"] for r in whole["rules"]])
    for mine, theirs in zip(report["rules"], whole["rules"]):
        name = mine["id"]
        suite.expect(f"nobody: {name}: its horizons", set(mine["judgements"]), set(theirs["judgements"]))
        for horizon, judgement in mine["judgements"].items():
            before = theirs["judgements"][horizon]["verdict"]
            for finding in judgement["findings"]:
                suite.expect_true(f"nobody: {name}: {horizon} has evidence", has_evidence(finding), json.dumps(finding))
            suite.expect_in(f"nobody: {name}: {horizon}", judgement["verdict"], (before, "error"))
            if judgement["verdict"] == "error" and before != "error":
                text = " ".join(f["message"] or "" for f in judgement["findings"])
                suite.expect_true(f"nobody: {name}: {horizon} says why", re.search(MAY_NOT, text), text)
    hold_code("nobody", done.returncode, report["rules"])
    suite.expect_in("nobody: the report says who it is", f"as user {NOBODY}, not as root", done.stdout)
    return [paths]


with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
    done, paths = judge(tmp, "self")
    print(done.stdout, done.stderr, sep="")
    with open(paths["json"]) as f:
        report = json.load(f)
    live = not in_container()
    suite.expect("the running system is looked at", report["host"]["live"], live)
    suite.expect("nothing of the host but its root", report["host"]["root"], "/")
    if live:
        suite.expect("the kernel", report["host"]["kernel"], os.uname().release)
        suite.expect("the host's name", report["host"]["hostname"], os.uname().nodename)
    for rule in report["rules"]:
        hold(rule, live)
    hold_code("exit code", done.returncode, report["rules"])
    # Those of the running system alone have nothing to say in a container.
    judged = [r for r in report["rules"] if live or "boot" in r["judgements"]]
    decided = sum(r["verdict"] in ("pass", "fail") for r in judged)
    suite.expect_true(
        "half of the rules at least are pass or fail", 2 * decided >= len(judged), f"{decided} of {len(judged)}"
    )
    every = [paths]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        every += hold_without_privileges(tmp, report)
    hold_schemas(suite, PROGRAM, [p["json"] for p in every], [p["junit"] for p in every])
    print(f"{decided} of {len(judged)} rules are pass or fail")
suite.end()
