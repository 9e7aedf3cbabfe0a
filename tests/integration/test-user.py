#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run without privileges: it says so in every report, and what it may not see is an error, never a pass."""

import os
import subprocess
import sys
import tempfile

import guide
import k8s
from k8s import Host, Result, Suite

PROGRAM = sys.argv[1]
NOBODY = 65534
SAID = f"runs as user {NOBODY}, not as root"

suite = Suite("user")

SYSCTL = ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "ip-forward", "kernel-panic")
BRIDGE = SYSCTL[:2]
CRIO = ("crio-conmon", "crio-cgroup-manager", "crio-listen", "crio-drop-ins", "kubelet-crio-agree")
KUBELET = ("kubelet-config", "kubelet-cgroup-driver", "kubelet-arguments", "kubelet-endpoint", "kubelet-crio-agree")
UNITS = ("crio-service", "kubelet-service")

# What may not be seen, its mode, and the rules that nobody can decide then.
HIDDEN = [
    ("/etc/sysctl.d", 0o700, SYSCTL),
    ("/etc/sysctl.d/99-kubernetes-cri.conf", 0o600, SYSCTL),
    ("/etc/modules-load.d", 0o700, BRIDGE),
    ("/etc/systemd/system", 0o700, SYSCTL + CRIO + KUBELET + UNITS),
    ("/usr/lib/systemd/system/crio.service", 0o600, CRIO + UNITS[:1]),
    ("/etc/crio", 0o700, CRIO),
    ("/etc/crio/crio.conf", 0o600, CRIO),
    ("/etc/sysconfig/crio", 0o600, CRIO),
    ("/usr/bin", 0o700, ("crio-conmon",)),
    ("/var/lib/kubelet", 0o700, KUBELET),
    ("/var/lib/kubelet/config.yaml", 0o600, ("kubelet-config",)),
    ("/etc/default/kubelet", 0o600, KUBELET),
]


def as_nobody(*args):
    return subprocess.run(
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", PROGRAM, *args],
        capture_output=True,
        text=True,
        timeout=120,
        errors="backslashreplace",
    )


def judge(root, tmp, *args):
    """As nobody, whose report goes to a folder of its own: the result, as of k8s.run."""
    path = os.path.join(tmp, "report.json")
    done = as_nobody("--root", root, "--profile", "crio-1.18", "--report", "json=" + path, *args)
    report = None
    if os.path.exists(path):
        with open(path) as f:
            report = k8s.json.load(f)
        os.unlink(path)
    return Result(done, report)


def test_said(root):
    for what, args in (("text", ()), ("quiet", ("--quiet",)), ("json", ()), ("junit", ())):
        report = what if what != "quiet" else "text"
        done = as_nobody("--root", root, "--profile", "crio-1.18", "--report", report, *args)
        suite.expect_in(f"{what}: the run says who it is", SAID, done.stdout)
        suite.expect(f"{what}: exit code", (done.returncode, done.stderr), (0, ""))


def test_hidden(root, tmp, path, mode, rules):
    before = os.stat(root + path).st_mode & 0o7777
    os.chmod(root + path, mode)
    result = judge(root, tmp)
    os.chmod(root + path, before)
    suite.expect(f"{path}: exit code", (result.code, result.err), (3, ""))
    for rule in rules:
        suite.expect(f"{path}: {rule}", result.verdict(rule), "error")
        suite.expect_in(f"{path}: {rule} says why", "permission denied", result.messages(rule))
    undecided = {r for r in result.rules if result.verdict(r) in ("fail", "error")}
    suite.expect(f"{path}: none fails for it", {r for r in undecided if result.verdict(r) == "fail"}, set())


if os.geteuid() != 0:
    k8s.skip("only root can become another user")
with tempfile.TemporaryDirectory(prefix="k8scheck-user-") as tmp, Host() as host:
    guide.lay(host)
    os.chmod(host.path, 0o755)
    os.chown(tmp, NOBODY, NOBODY)
    if as_nobody("--version").returncode != 0:
        k8s.skip("others may not run the program where it is built")
    test_said(host.path)
    whole = judge(host.path, tmp)
    suite.expect("all can be seen", {whole.verdict(r) for r in whole.rules} - {"pass", "skip"}, set())
    for row in HIDDEN:
        test_hidden(host.path, tmp, *row)
suite.end()
