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
}

# Where the evidence of the guided root comes from, as far as it is one file.
SOURCES = {
    "ip-forward": "/etc/sysctl.d/99-kubernetes-cri.conf:3",
    "bridge-nf-call-iptables": "/etc/sysctl.d/99-kubernetes-cri.conf:1",
    "kernel-panic": "/etc/sysctl.d/90-kubelet.conf:",
    "crio-conmon": "/etc/crio/crio.conf:",
    "crio-cgroup-manager": "/etc/crio/crio.conf:",
    "kubelet-cgroup-driver": "/etc/default/kubelet:1",
    "kubelet-endpoint": "/etc/default/kubelet:1",
}

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
    """The root again, by hard links: what is written into it must be new."""

    def __init__(self, root):
        self.path = tempfile.mkdtemp(prefix="copy-", dir=CACHE)
        os.rmdir(self.path)
        subprocess.run(["cp", "-al", root, self.path], check=True)

    def new(self, path):
        full = self.path + path
        # The last folder by its own name: a link such as /sbin stays below the root.
        os.makedirs(os.path.dirname(full), exist_ok=True)
        assert not os.path.lexists(full), path
        assert os.path.realpath(os.path.dirname(full)).startswith(self.path + "/"), path
        return full

    def write(self, path, text, mode=0o644):
        full = self.new(path)
        with open(full, "w") as f:
            f.write(text)
        os.chmod(full, mode)

    def link(self, path, target):
        os.symlink(target, self.new(path))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path)


def hold(what, path, column, code, tmp):
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
    suite.expect(f"{what}: the host's name", report["host"]["hostname"], "debian-root")
    suite.expect(f"{what}: nothing runs", (report["host"]["live"], report["host"]["kernel"]), (False, None))
    verdicts = [r["verdict"] for r in report["rules"]]
    decided = sum(v in ("pass", "fail") for v in verdicts)
    suite.expect_true(
        f"{what}: half of the rules at least are pass or fail",
        2 * decided >= len(verdicts),
        f"{decided} of {len(verdicts)}",
    )
    print(f"{what}: {decided} of {len(verdicts)} rules are pass or fail")
    return reports


def test_broken(root):
    """The guide's files with one slip each: the rule that must find it, and a word of its sentence."""
    rows = [
        (
            "the module is not loaded",
            "/etc/modules-load.d/crio.conf",
            lambda t: t.replace("br_netfilter\n", ""),
            "bridge-nf-call-iptables",
            "br_netfilter",
        ),
        (
            "a later file",
            "/etc/sysctl.d/99-zz.conf",
            lambda t: "net.ipv4.ip_forward = 0\n",
            "ip-forward",
            "/etc/sysctl.d/99-zz.conf:1",
        ),
        (
            "conmon of the package",
            "/etc/crio/crio.conf",
            lambda t: t.replace("/usr/bin/conmon", "/usr/libexec/crio/conmon"),
            "crio-conmon",
            "/usr/libexec/crio/conmon",
        ),
        (
            "cgroupfs of CRI-O",
            "/etc/crio/crio.conf",
            lambda t: t.replace('cgroup_manager = "systemd"', 'cgroup_manager = "cgroupfs"'),
            "kubelet-crio-agree",
            "cgroupfs",
        ),
        (
            "an editor's copy",
            "/etc/crio/crio.conf.d/10-x.conf~",
            lambda t: '[crio.runtime]\ncgroup_manager = "cgroupfs"\n',
            "crio-drop-ins",
            "10-x.conf~",
        ),
        (
            "cgroupfs of the kubelet",
            "/etc/default/kubelet",
            lambda t: t.replace("--cgroup-driver=systemd", "--cgroup-driver=cgroupfs"),
            "kubelet-cgroup-driver",
            "cgroupfs",
        ),
        (
            "another socket",
            "/etc/default/kubelet",
            lambda t: t.replace("/var/run/crio/crio.sock", "/run/other.sock"),
            "kubelet-endpoint",
            "/run/other.sock",
        ),
        (
            "a file that does not parse",
            "/var/lib/kubelet/config.yaml",
            lambda t: t + "  x: [\n",
            "kubelet-config",
            "/var/lib/kubelet/config.yaml",
        ),
    ]
    for what, path, change, rule, word in rows:
        with Copy(root) as copy:
            guide.lay(copy, system=False)
            full = copy.path + path
            old = open(full).read() if os.path.exists(full) else ""
            new = change(old)
            assert new != old, what
            if not old:
                copy.new(path)
            with open(full, "w") as f:
                f.write(new)
            result = k8s.run(PROGRAM, "--root", copy.path, "--profile", "crio-1.18")
            suite.expect(f"{what}: {rule}", result.verdict(rule), "fail")
            suite.expect_in(f"{what}: {rule} says so", word, result.messages(rule))
            severity = result.rules[rule]["severity"]
            suite.expect_in(f"{what}: exit code", result.code, (1,) if severity == "required" else (0, 1))
    with Copy(root) as copy:
        guide.lay(copy, system=False)
        for service in ("crio", "kubelet"):
            os.unlink(f"{copy.path}/etc/systemd/system/multi-user.target.wants/{service}.service")
        result = k8s.run(PROGRAM, "--root", copy.path, "--profile", "crio-1.18")
        suite.expect(
            "services that are not enabled",
            (result.verdict("crio-service"), result.verdict("kubelet-service"), result.code),
            ("fail", "fail", 1),
        )


if os.geteuid() != 0:
    skip("it takes root to make a root with owners")
if not shutil.which("mmdebstrap"):
    skip("mmdebstrap is not installed")
root = make_root()
with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
    reports = [hold("bare", root, 0, 1, tmp)]
    with Copy(root) as copy:
        guide.lay(copy, system=False)
        reports.append(hold("guide", copy.path, 1, 0, tmp))
    hold_schemas(suite, PROGRAM, [r["json"] for r in reports], [r["junit"] for r in reports])
test_broken(root)
suite.end()
