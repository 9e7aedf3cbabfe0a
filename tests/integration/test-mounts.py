#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mounts in a namespace of the test's own, against findmnt(8); a swap file and a zram device that are really on, where
the machine allows them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from k8s import Suite, run, skip

PROGRAM, PLUGINS = sys.argv[1:3]
INSIDE = "--inside"
OPTIONS = ["ro", "rw", "noexec", "exec", "nosuid", "nodev", "dev", "noatime", "relatime"]

suite = Suite("mounts and swaps, against findmnt and /proc/swaps")


def command(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def judge(rules):
    result = run(PROGRAM, "--plugin-dir", PLUGINS, "--live", profile="rules:\n" + "".join(
        f"  - id: {name}\n    check: {check}\n    title: A rule\n    with: {json.dumps(parameters)}\n"
        for name, check, parameters in rules))
    return {name: result.rules[name]["judgements"]["now"] for name, _, _ in rules}


def make_mounts(top):
    command("mount", "-t", "tmpfs", "-o", "nosuid,size=64k", "lower", top)
    os.makedirs(f"{top}/a/b")
    os.makedirs(f"{top}/twice")
    os.makedirs(f"{top}/with space/x")
    command("mount", "-t", "tmpfs", "-o", "noexec,nodev", "inner", f"{top}/a/b")
    # Laid over the folder in which "inner" is, so that it is not to be seen any more.
    command("mount", "-t", "tmpfs", "-o", "ro,noatime", "cover", f"{top}/a")
    command("mount", "-t", "tmpfs", "-o", "noexec", "first", f"{top}/twice")
    command("mount", "-t", "tmpfs", "-o", "nodev", "second", f"{top}/twice")
    command("mount", "-t", "tmpfs", "-o", "nodev,noatime", "spaced", f"{top}/with space")
    command("mount", "--bind", "-o", "ro", f"{top}/with space", f"{top}/with space")
    return [top, f"{top}/a", f"{top}/twice", f"{top}/with space", "/proc", "/"]


def mounts(top):
    paths = make_mounts(top)
    rules = [(f"m-{i}-{option}", "mount.options", {"path": path, "has": [option]})
             for i, path in enumerate(paths) for option in OPTIONS]
    judgements = judge(rules)
    both = set()
    for i, path in enumerate(paths):
        # The last of those that are mounted on one folder is what a path meets.
        there = json.loads(command("findmnt", "-J", "-o", "TARGET,SOURCE,OPTIONS", "-T", path))["filesystems"][-1]
        given = there["options"].split(",")
        for option in OPTIONS:
            wanted = {"exec": "noexec" not in given, "dev": "nodev" not in given}.get(option, option in given)
            judged = judgements[f"m-{i}-{option}"]
            suite.expect(f"{option} of {path}", judged["verdict"], "pass" if wanted else "fail")
            suite.expect_true(f"{path} lies on {there['source']}",
                              f"{there['source'].split('[')[0]} on {there['target']})" in judged["findings"][0]["found"],
                              judged["findings"][0])
            both.add(judged["verdict"])
    suite.expect("there are both verdicts", both, {"pass", "fail"})


def swap_now(name, device):
    judged = judge([("swap", "swap.off", {})])["swap"]
    suite.expect(f"{name}: the verdict", judged["verdict"], "fail")
    found = {f["subject"]: f for f in judged["findings"]}
    suite.expect_true(f"{name}: is named", device in found, judged)
    number = int(found[device]["source"].rsplit(":", 1)[1])
    with open("/proc/swaps") as swaps:
        line = swaps.read().splitlines()[number - 1]
    suite.expect_true(f"{name}: the line is its own", line.startswith(device), line)


def swap_file(folder):
    path = os.path.join(folder, "swap-of-a-test")
    with open(path, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(bytes(1 << 20))
    try:
        command("mkswap", path)
        command("swapon", path)
    except (subprocess.CalledProcessError, FileNotFoundError):
        return print("no swap file can be turned on here")
    try:
        swap_now("a swap file", path)
    finally:
        command("swapoff", path)


def zram():
    try:
        with open("/sys/class/zram-control/hot_add") as control:
            number = control.read().strip()
    except OSError:
        return print("no zram device can be made here")
    device = f"/dev/zram{number}"
    try:
        with open(f"/sys/block/zram{number}/disksize", "w") as size:
            size.write("1M")
        command("mkswap", device)
        command("swapon", device)
        try:
            swap_now("zram", device)
        finally:
            command("swapoff", device)
    except (OSError, subprocess.CalledProcessError):
        print(f"{device} cannot be swapped to here")
    finally:
        with open("/sys/class/zram-control/hot_remove", "w") as control:
            control.write(number)


def main():
    if INSIDE in sys.argv:
        mounts(sys.argv[-1])
        suite.end()
    if os.geteuid() != 0:
        skip("only root mounts and swaps")
    for tool in ("findmnt", "unshare", "mkswap", "swapon"):
        if not shutil.which(tool):
            skip(f"there is no {tool}")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        folder = os.path.realpath(folder)
        top = os.path.join(folder, "mounts")
        os.mkdir(top)
        inside = subprocess.run(["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv, INSIDE, top],
                                check=False)
        suite.expect("the mounts", inside.returncode, 0)
        swap_file(folder)
    zram()
    suite.end()


main()
