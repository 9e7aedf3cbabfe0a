#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
A minimal Debian root, made here, judged by crio-1.18 with --root: bare, and with the files of the set-up guide in it.
PROGRAM CACHE: the root is kept in the folder CACHE, by what is in it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

import guide
import k8s
from k8s import Suite, hold_schemas, skip

PROGRAM, CACHE = sys.argv[1:3]
RELEASE, VARIANT, PACKAGES = "bookworm", "essential", "procps,systemd,systemd-sysv"

# At boot: bare, with the guide's files. None: the rule judges the running system alone.
EXPECTED = {
    "host-cpus": None,
    "host-memory": None,
    "host-disk": None,
    # Debian is no Enterprise Linux.
    "host-os": ("fail", "fail"),
    "host-name": ("pass", "pass"),
    "swap-off": ("pass", "pass"),
    "firewall": ("skip", "pass"),
    "selinux-mode": ("skip", "pass"),
    # The root has no kernel, which whoever starts it brings: what can be loaded is not the image's to say, what it asks for is.
    "module-overlay": ("skip", "pass"),
    "module-br-netfilter": ("fail", "pass"),
    "tc": ("fail", "pass"),
    "bridge-nf-call-iptables": ("fail", "pass"),
    "bridge-nf-call-ip6tables": ("fail", "pass"),
    "ip-forward": ("fail", "pass"),
    "inotify-instances": ("fail", "pass"),
    "kernel-panic": ("fail", "pass"),
    "kernel-panic-on-oops": ("fail", "pass"),
    "vm-overcommit-memory": ("fail", "pass"),
    "vm-panic-on-oom": ("pass", "pass"),
    "keys-root-maxkeys": ("pass", "pass"),
    "keys-root-maxbytes": ("pass", "pass"),
    # Debian has no dnf, until somebody configures one.
    "repository-container-selinux": ("skip", "pass"),
    "repository-libcontainers": ("skip", "pass"),
    "repository-crio": ("skip", "pass"),
    "crio-package": ("fail", "pass"),
    "repository-kubernetes": ("skip", "pass"),
    "kubernetes-packages": ("fail", "pass"),
    "versions": ("fail", "pass"),
    "crio-service": ("fail", "pass"),
    "crio-socket": None,
    "crio-conmon": ("skip", "pass"),
    "crio-cgroup-manager": ("skip", "pass"),
    "crio-listen": ("skip", "pass"),
    "crio-drop-ins": ("skip", "pass"),
    "kubelet-config": ("skip", "pass"),
    "kubelet-cgroup-driver": ("skip", "pass"),
    "kubelet-arguments": ("skip", "pass"),
    "kubelet-endpoint": ("skip", "pass"),
    "kubelet-crio-agree": ("skip", "pass"),
    "kubelet-service": ("fail", "pass"),
    "left-overs": ("pass", "pass"),
    "pod-network": None,
    "control-plane-ports": None,
    "worker-ports": None,
    "control-plane-answers": None,
    "iptables-backend": ("skip", "pass"),
    # CRI-O's own bridge is the only network, until another is installed.
    "cni": ("skip", "skip"),
    # No cluster is joined.
    "kubelet-active": ("skip", "skip"),
    "kubelet-health": None,
}

# Where the evidence of the guided root comes from, as far as it is one file.
SOURCES = {
    "host-os": "/etc/os-release:",
    "host-name": "/etc/hosts:2",
    "firewall": "/etc/firewalld/firewalld.conf:2",
    "selinux-mode": "/etc/selinux/config:1",
    "module-overlay": "/etc/modules-load.d/crio.conf:1",
    "module-br-netfilter": "/etc/modules-load.d/crio.conf:2",
    "tc": "/usr/sbin/tc",
    "ip-forward": "/etc/sysctl.d/99-kubernetes-cri.conf:3",
    "bridge-nf-call-iptables": "/etc/sysctl.d/99-kubernetes-cri.conf:1",
    "bridge-nf-call-ip6tables": "/etc/sysctl.d/99-kubernetes-cri.conf:2",
    "inotify-instances": "/etc/sysctl.d/90-kubelet.conf:1",
    "kernel-panic": "/etc/sysctl.d/90-kubelet.conf:3",
    "kernel-panic-on-oops": "/etc/sysctl.d/90-kubelet.conf:4",
    "vm-overcommit-memory": "/etc/sysctl.d/90-kubelet.conf:5",
    "vm-panic-on-oom": "/etc/sysctl.d/90-kubelet.conf:6",
    "keys-root-maxkeys": "/etc/sysctl.d/90-kubelet.conf:7",
    "keys-root-maxbytes": "/etc/sysctl.d/90-kubelet.conf:8",
    "repository-container-selinux": "/etc/yum.repos.d/container-selinux.repo:4",
    "repository-libcontainers": "/etc/yum.repos.d/libcontainers.repo:4",
    "repository-crio": "/etc/yum.repos.d/cri-o.repo:4",
    "repository-kubernetes": "/etc/yum.repos.d/kubernetes.repo:",
    "crio-package": "/var/lib/dpkg/status:",
    "kubernetes-packages": "/var/lib/dpkg/status:",
    "versions": "/var/lib/dpkg/status:",
    "crio-conmon": "/etc/crio/crio.conf:",
    "crio-cgroup-manager": "/etc/crio/crio.conf:",
    "crio-listen": "/etc/crio/crio.conf:",
    "kubelet-config": "/var/lib/kubelet/config.yaml",
    "kubelet-cgroup-driver": "/etc/default/kubelet:1",
    "kubelet-arguments": "/etc/default/kubelet:1",
    "kubelet-endpoint": "/etc/default/kubelet:1",
    "left-overs": "/etc/kubernetes",
    "iptables-backend": "/usr/sbin/xtables-nft-multi",
    "cni": "/etc/cni/net.d/100-crio-bridge.conf",
}

# Rules that the role or the cluster excludes, which is said before that nothing runs here.
CONDITIONAL = ("worker-ports", "control-plane-answers", "kubelet-active")
OFFLINE = "is looked at offline (--root), where nothing runs"

suite = Suite("Debian root")


def make_root():
    """The path of the bare root."""
    root = os.path.join(CACHE, "root")
    recipe = hashlib.sha256(f"{RELEASE} {VARIANT} {PACKAGES}".encode()).hexdigest()[:16]
    mark = os.path.join(CACHE, "recipe")
    if os.path.exists(mark) and open(mark).read() == recipe:
        return root
    shutil.rmtree(CACHE, ignore_errors=True)
    os.makedirs(CACHE)
    done = subprocess.run(
        ["mmdebstrap", "--quiet", f"--variant={VARIANT}", f"--include={PACKAGES}", RELEASE, root],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        skip("no Debian root could be made: " + (done.stderr.strip().splitlines() or ["mmdebstrap says nothing"])[-1])
    # mmdebstrap copies those of the machine that makes the root.
    for path, text in (("/etc/hostname", "debian-root\n"), ("/etc/resolv.conf", "")):
        with open(root + path, "w") as f:
            f.write(text)
    with open(mark, "w") as f:
        f.write(recipe)
    return root


class Copy:
    """The root again, by hard links: what is written takes the place of a file, and is never written into it."""

    def __init__(self, root):
        self.path = tempfile.mkdtemp(prefix="copy-", dir=CACHE)
        os.rmdir(self.path)
        subprocess.run(["cp", "-al", root, self.path], check=True)

    def new(self, path):
        full = self.path + path
        # The last folder by its own name: a link such as /sbin stays below the root.
        os.makedirs(os.path.dirname(full), exist_ok=True)
        assert os.path.realpath(os.path.dirname(full)).startswith(self.path + "/"), path
        if os.path.lexists(full):
            os.unlink(full)
        return full

    def write(self, path, text, mode=0o644):
        full = self.new(path)
        with open(full, "w") as f:
            f.write(text)
        os.chmod(full, mode)

    def read(self, path):
        """Its text, empty where it is not there."""
        full = self.path + path
        if not os.path.exists(full):
            return ""
        with open(full) as f:
            return f.read()

    def append(self, path, text):
        self.write(path, self.read(path) + text)

    def link(self, path, target):
        os.symlink(target, self.new(path))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path)


def hold(what, path, column, code, tmp, hostname="debian-root"):
    reports = {form: os.path.join(tmp, f"{what}.{form}") for form in ("json", "junit")}
    done = subprocess.run(
        [
            PROGRAM,
            "--root",
            path,
            "--profile",
            "crio-1.18",
            "--color",
            "never",
            "--report",
            "text",
            *(x for f, p in reports.items() for x in ("--report", f"{f}={p}")),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    print(done.stdout, done.stderr, sep="")
    suite.expect(f"{what}: exit code", done.returncode, code)
    with open(reports["json"]) as f:
        report = json.load(f)
    result = k8s.Result(done, report)
    for rule in report["rules"]:
        name = rule["id"]
        suite.expect_true(f"{what}: {name} is in the table", name in EXPECTED, "write down what is expected of it")
        if name not in EXPECTED:
            continue
        judgements = rule["judgements"]
        if "now" in judgements:
            suite.expect(f"{what}: {name} now", judgements["now"]["verdict"], "skip")
            suite.expect_in(
                f"{what}: {name} now", "it applies when" if name in CONDITIONAL else OFFLINE, result.messages(name)
            )
        if EXPECTED[name] is None:
            suite.expect(f"{what}: {name} at boot", judgements.get("boot"), None)
            continue
        wanted = EXPECTED[name][column]
        suite.expect(f"{what}: {name} at boot", (judgements["boot"]["verdict"], rule["verdict"]), (wanted, wanted))
        for finding in judgements["boot"]["findings"]:
            if finding["verdict"] in ("pass", "fail"):
                suite.expect_true(
                    f"{what}: {name} has evidence",
                    (finding.get("expected") or finding.get("found")) and finding.get("source"),
                    json.dumps(finding),
                )
        if column == 1 and name in SOURCES:
            suite.expect_in(f"{what}: {name}: the source", SOURCES[name], result.messages(name))
    suite.expect(f"{what}: rules that there are not", set(EXPECTED) - set(result.rules), set())
    suite.expect_in(f"{what}: the system", "Debian GNU/Linux 12", report["host"]["os"])
    suite.expect(f"{what}: the host's name", report["host"]["hostname"], hostname)
    suite.expect(f"{what}: nothing runs", (report["host"]["live"], report["host"]["kernel"]), (False, None))
    judged = [r for r in report["rules"] if "boot" in r["judgements"]]
    decided = sum(r["verdict"] in ("pass", "fail") for r in judged)
    suite.expect_true(
        f"{what}: half of the rules at least are pass or fail",
        2 * decided >= len(judged),
        f"{decided} of {len(judged)}",
    )
    print(f"{what}: {decided} of {len(judged)} rules for the next start are pass or fail")
    return reports


def edit(path, old, new):
    """One change of a text that is there."""

    def change(copy):
        text = copy.read(path)
        assert old in text, (path, old)
        copy.write(path, text.replace(old, new))

    return change


def add(path, text):
    """More at the end of a file, or a new one."""
    return lambda copy: copy.append(path, text)


def link(path, target):
    return lambda copy: copy.link(path, target)


def remove(path):
    return lambda copy: os.unlink(copy.path + path)


WANTS = "/etc/systemd/system/multi-user.target.wants"
SWAP_UNIT = "[Swap]\nWhat=/swapfile\n[Install]\nWantedBy=swap.target\n"

# The guide's files with one slip each: what is changed, the rule that must find it, and a word of its sentence.
BROKEN = [
    ("a name of the installer", edit("/etc/hosts", "192.168.0.21", "127.0.1.1"), "host-name", "/etc/hosts:2"),
    ("a name for no node", edit("/etc/hostname", "node1.", "Node_1."), "host-name", "/etc/hostname:1"),
    ("swap by fstab", edit("/etc/fstab", "# UUID=6a6b", "UUID=6a6b"), "swap-off", "/etc/fstab:2"),
    (
        "swap by a unit",
        lambda copy: (
            copy.write("/etc/systemd/system/swapfile.swap", SWAP_UNIT),
            copy.link("/etc/systemd/system/swap.target.wants/swapfile.swap", "../swapfile.swap"),
        ),
        "swap-off",
        "/etc/systemd/system/swap.target.wants/swapfile.swap",
    ),
    (
        "swap by zram-generator",
        lambda copy: (
            copy.write("/usr/lib/systemd/system-generators/zram-generator", "#!/bin/sh\n", 0o755),
            copy.write("/usr/lib/systemd/zram-generator.conf", "[zram0]\n"),
        ),
        "swap-off",
        "/usr/lib/systemd/zram-generator.conf:1",
    ),
    (
        "firewalld as it comes",
        edit("/etc/firewalld/firewalld.conf", "DefaultZone=trusted", "DefaultZone=public"),
        "firewall",
        "/etc/firewalld/firewalld.conf:2",
    ),
    (
        "an interface in another zone",
        add("/etc/firewalld/zones/public.xml", '<zone><interface name="eth0"/></zone>\n'),
        "firewall",
        "eth0",
    ),
    (
        "SELinux enforces",
        edit("/etc/selinux/config", "SELINUX=permissive", "SELINUX=enforcing"),
        "selinux-mode",
        "/etc/selinux/config:1",
    ),
    (
        "an argument of the kernel",
        add(
            "/boot/loader/entries/a.conf",
            "title x\nlinux /vmlinuz-6.1.0-25-amd64\noptions root=/dev/vda1 enforcing=1\n",
        ),
        "selinux-mode",
        "/boot/loader/entries/a.conf:3",
    ),
    (
        "a blacklist",
        add("/etc/modprobe.d/local.conf", "# ours\nblacklist br_netfilter\n"),
        "module-br-netfilter",
        "/etc/modprobe.d/local.conf:2",
    ),
    (
        "no overlayfs at all",
        add("/etc/modprobe.d/local.conf", "install overlay /bin/false\n"),
        "module-overlay",
        "/etc/modprobe.d/local.conf:1",
    ),
    (
        "a kernel without the module",
        edit(guide.KERNEL + "/modules.dep", "kernel/fs/overlayfs/overlay.ko:\n", ""),
        "module-overlay",
        guide.KERNEL,
    ),
    (
        "the module is not loaded",
        edit("/etc/modules-load.d/crio.conf", "br_netfilter\n", ""),
        "bridge-nf-call-iptables",
        "br_netfilter",
    ),
    ("tc is no program", lambda copy: copy.write("/usr/sbin/tc", "", 0o644), "tc", "/usr/sbin/tc"),
    (
        "a later file",
        add("/etc/sysctl.d/99-zz.conf", "net.ipv4.ip_forward = 0\n"),
        "ip-forward",
        "/etc/sysctl.d/99-zz.conf:1",
    ),
    (
        "a repository that is off",
        edit("/etc/yum.repos.d/libcontainers.repo", "enabled=1", "enabled=0"),
        "repository-libcontainers",
        "/etc/yum.repos.d/libcontainers.repo:4",
    ),
    (
        "an update takes the kubelet along",
        edit("/etc/yum.repos.d/kubernetes.repo", "exclude=kubelet", "exclude="),
        "repository-kubernetes",
        "/etc/yum.repos.d/kubernetes.repo:6",
    ),
    (
        "a package that is gone",
        edit(
            guide.STATUS,
            "Package: kubectl\nStatus: install ok installed",
            "Package: kubectl\nStatus: deinstall ok config-files",
        ),
        "kubernetes-packages",
        "kubectl",
    ),
    (
        "a package of another version",
        edit(guide.STATUS, "Version: 1.18.20-00\nDescription: kubelet", "Version: 1.19.3-00\nDescription: kubelet"),
        "versions",
        "1.19.3",
    ),
    (
        "conmon of the package",
        edit("/etc/crio/crio.conf", "/usr/bin/conmon", "/usr/libexec/crio/conmon"),
        "crio-conmon",
        "/usr/libexec/crio/conmon",
    ),
    (
        "cgroupfs of CRI-O",
        edit("/etc/crio/crio.conf", 'cgroup_manager = "systemd"', 'cgroup_manager = "cgroupfs"'),
        "kubelet-crio-agree",
        "cgroupfs",
    ),
    (
        "cgroupfs of a drop-in of CRI-O",
        add("/etc/crio/crio.conf.d/10-x.conf", '[crio.runtime]\ncgroup_manager = "cgroupfs"\n'),
        "crio-cgroup-manager",
        "/etc/crio/crio.conf.d/10-x.conf:2",
    ),
    (
        "CRI-O listens elsewhere",
        add("/etc/crio/crio.conf.d/10-x.conf", '[crio.api]\nlisten = "/run/other.sock"\n'),
        "crio-listen",
        "/etc/crio/crio.conf.d/10-x.conf:2",
    ),
    (
        "an editor's copy",
        add("/etc/crio/crio.conf.d/10-x.conf~", '[crio.runtime]\ncgroup_manager = "cgroupfs"\n'),
        "crio-drop-ins",
        "10-x.conf~",
    ),
    (
        "cgroupfs of the kubelet",
        edit("/etc/default/kubelet", "--cgroup-driver=systemd", "--cgroup-driver=cgroupfs"),
        "kubelet-cgroup-driver",
        "cgroupfs",
    ),
    (
        "a kubelet for Docker",
        edit("/etc/default/kubelet", "--container-runtime=remote ", ""),
        "kubelet-arguments",
        "docker",
    ),
    (
        "another socket",
        edit("/etc/default/kubelet", "/var/run/crio/crio.sock", "/run/other.sock"),
        "kubelet-endpoint",
        "/run/other.sock",
    ),
    (
        "a file that does not parse",
        add("/var/lib/kubelet/config.yaml", "  x: [\n"),
        "kubelet-config",
        "/var/lib/kubelet/config.yaml",
    ),
    ("CRI-O is not enabled", remove(f"{WANTS}/crio.service"), "crio-service", "disabled"),
    ("the kubelet is not enabled", remove(f"{WANTS}/kubelet.service"), "kubelet-service", "disabled"),
    (
        "the kubelet is masked",
        link("/etc/systemd/system/kubelet.service", "/dev/null"),
        "kubelet-service",
        "/etc/systemd/system/kubelet.service",
    ),
    (
        "etcd's data of a cluster",
        add("/var/lib/etcd/member/snap/db", "x"),
        "left-overs",
        "/var/lib/etcd",
    ),
    (
        "a certificate of a cluster",
        add("/etc/kubernetes/pki/apiserver.crt", "x"),
        "left-overs",
        "/etc/kubernetes/pki/apiserver.crt",
    ),
    (
        "iptables of before",
        lambda copy: (
            copy.write("/usr/sbin/xtables-legacy-multi", "", 0o755),
            copy.link("/usr/sbin/iptables", "xtables-legacy-multi"),
        ),
        "iptables-backend",
        "xtables-legacy-multi",
    ),
    (
        "a pod network behind CRI-O's bridge",
        add(
            "/etc/cni/net.d/20-pods.conflist",
            '{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge"}]}\n',
        ),
        "cni",
        "/etc/cni/net.d/100-crio-bridge.conf",
    ),
]


def test_broken(root):
    for what, change, rule, word in BROKEN:
        with Copy(root) as copy:
            guide.lay(copy, system=False)
            change(copy)
            result = k8s.run(PROGRAM, "--root", copy.path, "--profile", "crio-1.18")
            suite.expect(f"{what}: {rule}", result.verdict(rule), "fail")
            suite.expect_in(f"{what}: {rule} says so", word, result.messages(rule))
            severity = result.rules[rule]["severity"]
            suite.expect_in(f"{what}: exit code", result.code, (1,) if severity == "required" else (0, 1, 3))
    checks = {name: result.rules[name]["check"] for name in EXPECTED}
    judged = {checks[name] for name, row in EXPECTED.items() if row and row[1] == "pass"}
    # What the kubelet is told at the wrong place is found by the rule of each setting, too.
    broken = {checks[row[2]] for row in BROKEN}
    suite.expect("checks that no row breaks", judged - broken, set())


if os.geteuid() != 0:
    skip("it takes root to make a root with owners")
if not shutil.which("mmdebstrap"):
    skip("mmdebstrap is not installed")
root = make_root()
with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
    reports = [hold("bare", root, 0, 1, tmp)]
    with Copy(root) as copy:
        guide.lay(copy, system=False)
        reports.append(hold("guide", copy.path, 1, 0, tmp, guide.HOSTNAME))
    hold_schemas(suite, PROGRAM, [r["json"] for r in reports], [r["junit"] for r in reports])
test_broken(root)
suite.end()
