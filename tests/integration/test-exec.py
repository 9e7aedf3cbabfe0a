#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real programs that judge, through the whole program: what their exit codes mean, how those end that do not, and
which are not run at all."""

import json
import os
import shutil
import sys
import tempfile
import time

import k8s
from k8s import Suite

PROGRAM = sys.argv[1]
BUILD = os.path.dirname(os.path.dirname(sys.argv[3]))
STAYS = f"86400.{os.getpid()}"  # seconds that only this test's left-over sleeps

suite = Suite("exec")

SCRIPTS = {
    "pass": 'echo "all is well: $#, $1, $2"\necho more',
    "fail": 'echo\necho "  two disks are bad"\necho "as told" >&2\nexit 1',
    "skip": "echo nothing to judge\nexit 3",
    "other": 'echo half\necho "no such option" >&2\nexit 7',
    "killed": "kill -9 $$",
    "hang": "while :; do sleep 1; done",
    "fork": f'setsid sleep {STAYS} </dev/null >/dev/null 2>&1 &\necho "left one behind"',
    "fork-holds-output": f'sleep {STAYS} &\necho "left one with the output"',
    "flood": "echo first\nyes flood | head -c 50000000\nyes flood | head -c 50000000 >&2\nexit 1",
    "one-line": "head -c 100000 /dev/zero | tr '\\0' x\nexit 1",
    "binary": "printf 'a\\000b\\377\\033[31mc\\n'\nexit 1",
    "silent": "exit 0",
    "environment": 'echo "$(env | sort | tr "\\n" " ")in $(pwd)"',
    "input": 'if read -r line; then echo "got $line"; exit 1; fi; echo "nothing to read"',
    "writes": 'echo text > "$1" 2>/dev/null && exit 1\necho "cannot write"',
}


def script(folder, name, text, mode=0o755):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + text + "\n")
    os.chmod(path, mode)
    return path


def rule(name, path, arguments=(), timeout="5s"):
    listed = ", ".join('"' + a + '"' for a in arguments)
    return (
        f"  - id: {name}\n    check: exec.run\n    title: {name}\n"
        f"    with: {{program: {path}, arguments: [{listed}], timeout: {timeout}}}\n"
    )


def left_over():
    """Whether a process of this test is still there."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if STAYS.encode() in f.read():
                    return True
        except OSError:
            pass
    return False


def expect_gone(what):
    end = time.monotonic() + 10
    while left_over() and time.monotonic() < end:
        time.sleep(0.05)
    suite.expect_true(f"{what}: what it left behind is gone", not left_over())


class Mark:
    """Whether a program was run: it writes into a FIFO, which it may where all file systems are read-only to it."""

    def __init__(self, folder, name):
        self.path = os.path.join(folder, name)
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.command = f"echo run > {self.path}"

    def seen(self):
        try:
            return os.read(self.fd, 4096) != b""
        except BlockingIOError:
            return False


def finding(result, name):
    return result.rules[name]["judgements"]["now"]["findings"][0]


def test_verdicts(folder):
    own = {n: script(folder, n, t) for n, t in SCRIPTS.items()}
    more = {"pass": ("a b", "$(reboot)"), "writes": (os.path.join(folder, "written"),)}
    rules = "rules:\n" + "".join(
        rule(n, p, more.get(n, ()), "700ms" if n == "hang" else "5s") for n, p in own.items()
    )
    start = time.monotonic()
    result = k8s.run(PROGRAM, profile=rules)
    took = time.monotonic() - start
    suite.expect("verdicts: exit code and standard error", (result.code, result.err), (1, ""))
    wanted = {n: "pass" for n in SCRIPTS}
    wanted.update({n: "fail" for n in ("fail", "flood", "one-line", "binary")})
    wanted.update({n: "error" for n in ("other", "killed", "hang")})
    wanted["skip"] = "skip"
    suite.expect("verdicts", {n: result.verdict(n) for n in SCRIPTS}, wanted)
    suite.expect("arguments are words", finding(result, "pass")["found"], "all is well: 2, a b, $(reboot)")
    suite.expect("source", finding(result, "pass")["source"], own["pass"] + " a b $(reboot)")
    suite.expect("fail: found", finding(result, "fail")["found"], "two disks are bad")
    suite.expect("fail: expected", finding(result, "fail")["expected"], "exit code 0")
    suite.expect_in("skip", "nothing to judge", result.messages("skip"))
    suite.expect_in("other: the code", "exit code 7", result.messages("other"))
    suite.expect_in("other: its words", "no such option", result.messages("other"))
    suite.expect_in("killed", "signal 9 (SIGKILL)", result.messages("killed"))
    suite.expect_in("hang", "did not end within 700 ms", result.messages("hang"))
    suite.expect_true("hang: it holds up nothing", took < 30, f"{took:.1f} s")
    suite.expect("flood: the first line", finding(result, "flood")["found"], "first")
    suite.expect_in("one line of 100,000 bytes", "x [cut here: 65536 bytes in all]", finding(result, "one-line")["found"])
    suite.expect_in("binary: NUL", "a\\x00b", finding(result, "binary")["found"])
    suite.expect("silent", finding(result, "silent")["found"], "exit code 0, and no output")
    suite.expect("input", finding(result, "input")["found"], "nothing to read")
    of_shells = ("PWD=", "OLDPWD=", "SHLVL=", "_=")
    found = finding(result, "environment")["found"].split(" in ")[0].split()
    suite.expect("environment", sorted(v for v in found if not v.startswith(of_shells)), [
        "HOME=/", "LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ])
    suite.expect_in("folder", " in /", finding(result, "environment")["found"])
    written = os.path.join(folder, "written")
    suite.expect_true("it wrote nothing", not os.path.exists(written) or os.path.getsize(written) == 0)
    expect_gone("fork")


def test_untrusted(folder):
    """What others could have put there is not run."""
    mark = Mark(folder, "was-run")
    makes = mark.command
    open_folder = os.path.join(folder, "open")
    os.mkdir(open_folder)
    inside = os.path.join(open_folder, "inside")
    os.mkdir(inside)
    cases = {
        "in-open-folder": script(open_folder, "a", makes),
        "below-open-folder": script(inside, "b", makes),
        "others-can-write": script(folder, "c", makes, 0o757),
        "link-to-open": os.path.join(folder, "link"),
        "interpreter": os.path.join(folder, "interpreted"),
        "not-there": os.path.join(folder, "no-such"),
        "folder": inside,
        "not-executable": script(folder, "d", makes, 0o644),
        "relative": "c",
    }
    os.symlink(cases["in-open-folder"], cases["link-to-open"])
    with open(cases["interpreter"], "w") as f:
        f.write("#!" + cases["others-can-write"] + "\n")
    os.chmod(cases["interpreter"], 0o755)
    os.chmod(open_folder, 0o777)
    result = k8s.run(PROGRAM, profile="rules:\n" + "".join(rule(n, p) for n, p in cases.items()))
    suite.expect("untrusted: exit code", (result.code, result.err), (3, ""))
    suite.expect("untrusted", {n: result.verdict(n) for n in cases}, {n: "error" for n in cases})
    for name in ("in-open-folder", "below-open-folder", "link-to-open"):
        suite.expect_in(f"{name}: who", f"others can write to {open_folder}", result.messages(name))
    suite.expect_in("others can write", "its mode is 0757", result.messages("others-can-write"))
    suite.expect_in("interpreter", "its interpreter", result.messages("interpreter"))
    suite.expect_in("not there", "No such file", result.messages("not-there"))
    suite.expect_in("relative", "not an absolute path", result.messages("relative"))
    suite.expect_true("none of them was run", not mark.seen())


def test_untrusted_profile(folder):
    mark = Mark(folder, "was-run-too")
    shared = os.path.join(folder, "shared")
    os.mkdir(shared)
    profile = os.path.join(shared, "ours.yaml")
    with open(profile, "w") as f:
        f.write("rules:\n" + rule("a", script(folder, "e", mark.command)))
    trusted = k8s.run(PROGRAM, "--profile", profile)
    suite.expect("a profile that nobody else can write", (trusted.code, trusted.verdict("a")), (0, "pass"))
    suite.expect_true("its program was run", mark.seen())
    os.chmod(shared, 0o777)
    result = k8s.run(PROGRAM, "--profile", profile)
    suite.expect("a profile that others can write: exit code", (result.code, result.report), (2, None))
    suite.expect_in("it says which rule", "rule a runs a program", result.err)
    suite.expect_true("nothing was run for it", not mark.seen())


def test_offline(folder):
    mark = Mark(folder, "was-run-offline")
    text = "rules:\n" + rule("a", script(folder, "f", mark.command))
    root = os.path.join(folder, "root")
    os.makedirs(os.path.join(root, "etc"))
    result = k8s.run(PROGRAM, "--root", root, profile=text)
    suite.expect("offline", result.verdict("a"), "skip")
    result = k8s.run(PROGRAM, "--root", root, "--live", profile=text)
    suite.expect("another root, as if it ran", result.verdict("a"), "error")
    suite.expect_in("another root: why", "is no program of this system", result.messages("a"))
    suite.expect_true("no program of it was run", not mark.seen())


def test_fewer_capabilities(folder):
    """As in a container that was given some capabilities: programs have no more than ever, and rules are judged."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        print("left out: root with fewer capabilities, which takes root and setpriv")
        return
    own = script(folder, "capabilities", "grep CapEff /proc/self/status")
    rules = "rules:\n" + rule("program", own) + (
        "  - {id: value, check: sysctl.value, with: {keys: [kernel.ostype], value: Linux}}\n"
    )
    for lacks in ("", "setpcap", "setuid", "setuid,-setgid", "sys_admin", "all"):
        dropped = ["--bounding-set", "-" + lacks] if lacks else []
        for policy in ("best-effort", "off"):
            result = k8s.run(
                "setpriv", *dropped, PROGRAM, "--sandbox", policy, "--horizon", "now", profile=rules
            )
            what = f"without {lacks or 'nothing'}, {policy}"
            suite.expect(f"{what}: verdicts", {i: r["verdict"] for i, r in result.rules.items()},
                         {"program": "pass", "value": "pass"})
            got = int(finding(result, "program")["found"].split()[-1], 16)
            suite.expect(f"{what}: what a program has", got & ~4, 0)
            user = "setuid" in lacks or lacks == "all"
            if policy == "best-effort":
                missing = json.dumps(result.report["run"]["sandbox_missing"])
                suite.expect(f"{what}: a user of its own", "CAP_SETGID and CAP_SETUID" in missing, user)


def test_example():
    """The rules of examples/own-rules.yaml, on an image that breaks all that an image can break."""
    examples = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
    profile = os.path.join(examples, "own-rules.yaml")
    lint = k8s.call(PROGRAM, "lint", profile)
    suite.expect("the example has no faults", (lint.code, lint.err), (0, ""))
    files = {
        "/etc/passwd": "root:x:0:0::/root:/bin/sh\n",
        "/etc/group": "root:x:0:\n",
        "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n/dev/sda2 /var ext4 nosuid,noexec 0 2\n",
        "/etc/kubernetes/kubelet.conf": "apiVersion: v1\n",
        "/etc/ssh/sshd_config": "# PermitRootLogin yes\nPort 22\nPermitRootLogin yes\n",
        "/var/lib/containers/.keep": "",
    }
    with k8s.Host(files) as host:
        result = k8s.run(PROGRAM, "--root", host.path, "--profile", profile)
        suite.expect(
            "example",
            {i: r["verdict"] for i, r in result.rules.items()},
            {"kubeconfig-mode": "fail", "ssh-root": "fail", "containers-may-run": "fail", "disks": "skip"},
        )
        suite.expect_in("its mode", "0644", result.messages("kubeconfig-mode"))
        suite.expect_in("its line", "/etc/ssh/sshd_config:3", result.messages("ssh-root"))
        suite.expect_in("its mount", "/etc/fstab:2", result.messages("containers-may-run"))


def main():
    test_example()
    folder = k8s.trusted_folder(BUILD)
    try:
        test_verdicts(folder)
        test_untrusted(folder)
        test_untrusted_profile(folder)
        test_offline(folder)
        test_fewer_capabilities(folder)
    finally:
        shutil.rmtree(folder)
    suite.end()


main()
