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
MODULES = ("module-overlay", "module-br-netfilter")
REPOSITORIES = ("repository-container-selinux", "repository-libcontainers", "repository-crio", "repository-kubernetes")

# What may not be seen, its mode, and the rules that nobody can decide then.
HIDDEN = [
    ("/etc/sysctl.d", 0o700, SYSCTL),
    ("/etc/sysctl.d/99-kubernetes-cri.conf", 0o600, SYSCTL),
    ("/etc/modules-load.d", 0o700, BRIDGE + MODULES[1:]),
    ("/lib/modules", 0o700, MODULES),
    (guide.KERNEL + "/modules.dep", 0o600, MODULES),
    ("/etc/hostname", 0o600, ("host-name",)),
    ("/etc/hosts", 0o600, ("host-name",)),
    ("/etc/fstab", 0o600, ("swap-off",)),
    ("/etc/selinux", 0o700, ("selinux-mode",)),
    ("/etc/selinux/config", 0o600, ("selinux-mode",)),
    ("/etc/firewalld", 0o700, ("firewall",)),
    ("/etc/firewalld/firewalld.conf", 0o600, ("firewall",)),
    ("/usr/lib/firewalld/zones", 0o700, ("firewall",)),
    ("/etc/dnf", 0o700, REPOSITORIES),
    ("/etc/yum.repos.d", 0o700, REPOSITORIES),
    ("/etc/yum.repos.d/kubernetes.repo", 0o600, ("repository-kubernetes",)),
    ("/var/lib/dpkg", 0o700, ("crio-package", "kubernetes-packages", "versions")),
    (guide.STATUS, 0o600, ("crio-package", "kubernetes-packages", "versions")),
    ("/etc/cni/net.d", 0o700, ("cni",)),
    ("/etc/cni/net.d/100-crio-bridge.conf", 0o600, ("cni",)),
    ("/etc/systemd/system", 0o700, SYSCTL + CRIO + KUBELET + UNITS + ("firewall", "swap-off", "tc")),
    ("/usr/lib/systemd/system/crio.service", 0o600, CRIO + UNITS[:1]),
    ("/etc/crio", 0o700, CRIO),
    ("/etc/crio/crio.conf", 0o600, CRIO),
    ("/etc/sysconfig/crio", 0o600, CRIO),
    ("/usr/bin", 0o700, ("crio-conmon", "versions")),
    ("/usr/sbin", 0o700, ("tc", "iptables-backend", "firewall")),
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
    required = any(result.rules[rule]["severity"] == "required" for rule in rules)
    suite.expect(f"{path}: exit code", (result.code, result.err), (3 if required else 0, ""))
    for rule in rules:
        suite.expect(f"{path}: {rule}", result.verdict(rule), "error")
        suite.expect_in(f"{path}: {rule} says why", "permission denied", result.messages(rule))
    failed = {r for r in result.rules if result.verdict(r) == "fail"}
    suite.expect(f"{path}: none fails for it", failed - set(guide.NO_PASS), set())


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
    boot = k8s.verdicts(whole, "boot")
    suite.expect("all can be seen", {r: v for r, v in boot.items() if v != "pass"}, guide.NO_PASS)
    for row in HIDDEN:
        test_hidden(host.path, tmp, *row)
suite.end()
