#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--root DIR: the next boot of that folder and nothing of this host, whatever lies in the places that checks read."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time

import guide
import k8s
from k8s import Host, Suite, call, verdicts, write
from sysctls import KEYS, host_value, other, sysctl_profile

PROGRAM, PLUGINS, FAULTY, PROBE, SUPPORT = sys.argv[1:6]
ROOT = os.geteuid() == 0
TELLTALE = "telltale-4711"
# Far more than any of it takes, and far less than for ever.
BOUND = 30

suite = Suite("offline roots")
left_out = []


def test_opposite():
    """The files of the root say what this host does not."""
    keys = [k for k in KEYS if os.path.exists("/proc/sys/" + k.replace(".", "/"))]
    suite.expect_true("there are keys to compare", len(keys) >= 2)
    theirs = {k: other(k) for k in keys}
    ours = {k: host_value(k) for k in keys}
    with Host(
        {
            "/etc/sysctl.d/99-t.conf": "".join(f"{k} = {v}\n" for k, v in theirs.items()),
            "/etc/hostname": "not-this-host\n",
            "/etc/os-release": "ID=other\nPRETTY_NAME=\"Another System\"\n",
        }
    ) as host:
        for values, wanted, code in ((theirs, "pass", 0), (ours, "fail", 1)):
            result = k8s.run(PROGRAM, "--root", host.path, profile=sysctl_profile(values))
            suite.expect(
                f"boot is the root's: {wanted}",
                (result.code, verdicts(result, "boot")),
                (code, {f"key-{i}": wanted for i in range(len(keys))}),
            )
            suite.expect("now is skipped", set(verdicts(result, "now").values()), {"skip"})
            for rule in result.rules.values():
                suite.expect_in(
                    "why",
                    f"{host.path} is looked at offline (--root), where nothing runs",
                    json.dumps(rule["judgements"]["now"]),
                )
        suite.expect(
            "the host in the report",
            (
                result.report["host"]["hostname"],
                result.report["host"]["kernel"],
                result.report["host"]["live"],
                result.report["host"]["os"],
            ),
            ("not-this-host", None, False, "Another System"),
        )
        facts = (
            {f["name"]: f for f in result.report["facts"]}
            if isinstance(result.report["facts"], list)
            else result.report["facts"]
        )
        suite.expect("facts of the running kernel", facts["kernel.release"].get("value"), None)
        for horizon, wanted in (("now", {"now"}), ("boot", {"boot"}), ("all", {"now", "boot"})):
            result = k8s.run(PROGRAM, "--root", host.path, "--horizon", horizon, profile=sysctl_profile(theirs))
            suite.expect(f"--horizon {horizon}", set(result.rules["key-0"]["judgements"]), wanted)
            suite.expect(f"--horizon {horizon}: exit code", result.code, 3 if horizon == "now" else 0)


# ---- what lies in the places that checks read

# Place; the rule that its content makes pass; that content.
PLACES = {
    "/etc/sysctl.d/99-kubernetes-cri.conf": "ip-forward",
    "/etc/modules-load.d/crio.conf": "bridge-nf-call-iptables",
    "/etc/crio/crio.conf": "crio-cgroup-manager",
    "/usr/lib/systemd/system/crio.service": "crio-service",
    "/usr/lib/systemd/system/kubelet.service": "kubelet-service",
    "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf": "kubelet-arguments",
    "/etc/default/kubelet": "kubelet-endpoint",
    "/var/lib/kubelet/config.yaml": "kubelet-config",
    "/usr/bin/conmon": "crio-conmon",
    "/etc/hostname": "host-name",
    "/etc/firewalld/firewalld.conf": "firewall",
    "/etc/selinux/config": "selinux-mode",
    "/etc/yum.repos.d/kubernetes.repo": "repository-kubernetes",
    "/var/lib/dpkg/status": "kubernetes-packages",
    "/usr/sbin/tc": "tc",
}
# Without it CRI-O's own default is as good.
DEFAULTS = {"/etc/crio/crio.conf"}
# Read as well, and better not there at all: whatever stands there must neither hang nor lead out.
MORE_PLACES = [
    "/etc/sysctl.conf",
    "/etc/sysctl.d/00-other.conf",
    "/usr/lib/sysctl.d/50-x.conf",
    "/etc/crio/crio.conf.d/50-x.conf",
    "/etc/sysconfig/crio",
    "/etc/systemd/system/crio.service.d/x.conf",
    "/etc/systemd/system-preset/00-x.preset",
    "/var/lib/kubelet/kubeadm-flags.env",
    "/etc/os-release",
    "/etc/machine-id",
    "/etc/fstab",
    "/etc/hosts",
    "/etc/systemd/zram-generator.conf",
    "/etc/modprobe.d/x.conf",
    "/lib/modules/6.1.0-25-amd64/modules.builtin",
    "/boot/grub/grub.cfg",
    "/etc/firewalld/zones/public.xml",
    "/etc/yum.repos.d/x.repo",
    "/etc/dnf/plugins/versionlock.list",
    "/etc/cni/net.d/10-x.conflist",
    "/etc/kubernetes/manifests/etcd.yaml",
    "/etc/systemd/system/multi-user.target.wants/x.service",
    "/etc/selinux/config",
    "/etc/kubernetes/kubelet.conf",
    "/proc/cmdline",
    "/proc/sys/net/ipv4/ip_forward",
    "/etc/crio/crio.conf.d",
    "/etc/sysctl.d",
    "/etc/systemd/system",
    "/usr/lib/sysctl.d",
]


def make_link_out(path, outside):
    os.symlink(outside, path)


def make_link_up(path, outside):
    os.symlink("../" * 40 + outside.lstrip("/"), path)


def make_magic_link(path, outside):
    os.symlink("/proc/self/root" + outside, path)


def make_loop(path, _):
    os.symlink(os.path.basename(path), path)


def make_long_loop(path, _):
    os.symlink("../" * 40 + "loop-a", path)


def make_fifo(path, _):
    os.mkfifo(path)


def make_socket(path, _):
    with socket.socket(socket.AF_UNIX) as s:
        here = os.getcwd()
        os.chdir(os.path.dirname(path))
        s.bind(os.path.basename(path))
        os.chdir(here)


def make_zero(path, _):
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))


def make_tty(path, _):
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(5, 0))


def make_block(path, _):
    os.mknod(path, stat.S_IFBLK | 0o666, os.makedev(7, 200))


def make_sparse(path, _):
    with open(path, "w") as f:
        f.truncate(100 << 30)
    os.chmod(path, 0o755)


def make_folder(path, _):
    os.mkdir(path)


KINDS = [
    make_link_out,
    make_link_up,
    make_magic_link,
    make_loop,
    make_long_loop,
    make_fifo,
    make_socket,
    make_sparse,
    make_folder,
]
if ROOT:
    KINDS += [make_zero, make_tty, make_block]
else:
    left_out.append("devices, which root alone can make")


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def look(what, host):
    start = time.monotonic()
    try:
        result = k8s.run(
            PROGRAM, "--root", host.path, "--profile", "crio-1.18", "--verbose", "--report", "text", timeout=BOUND
        )
    except subprocess.TimeoutExpired:
        suite.expect_true(f"{what}: it ends", False, f"not within {BOUND} s")
        return None
    took = time.monotonic() - start
    suite.expect_true(f"{what}: in time", took < BOUND / 2, f"{took:.1f} s")
    suite.expect_in(f"{what}: exit code", result.code, (0, 1, 3))
    suite.expect_true(
        f"{what}: no rule ran out of time or crashed",
        not re.search(r"no verdict within|its worker|signal", result.out),
        result.out[-3000:],
    )
    text = json.dumps(result.report) + result.out + result.err
    suite.expect_true(
        f"{what}: nothing from outside", TELLTALE not in text, text[max(0, text.find(TELLTALE) - 300) :][:600]
    )
    suite.expect("now is skipped", set(verdicts(result, "now").values()), {"skip"})
    return result


def test_places():
    with Host() as host, tempfile.TemporaryDirectory(prefix="k8scheck-outside-") as outside:
        os.chmod(outside, 0o755)
        guide.lay(host)
        host.link("/loop-a", "loop-b")
        host.link("/loop-b", "loop-a")
        result = look("the guide's files", host)
        suite.expect("the guide's files: exit code", result.code, 0)
        boot = verdicts(result, "boot")
        suite.expect("the guide's files pass", {r: v for r, v in boot.items() if v != "pass"}, guide.NO_PASS)
        for place, rule in PLACES.items():
            real = host.path + place
            with open(real) as f:
                good = f.read()
            mode = os.stat(real).st_mode & 0o777
            # The same content behind an absolute link that stays inside is as good as in its place.
            host.write("/opt/inside", good, mode)
            os.unlink(real)
            os.symlink("/opt/inside", real)
            result = look(f"{place}: a link inside", host)
            wanted = {"pass"} if not place.startswith("/usr/lib/systemd/system/") else {"pass", "fail", "error"}
            suite.expect_in(f"{place}: a link inside: {rule}", result.verdict(rule), wanted)
            # Outside lies what would make the rule pass.
            target = os.path.join(outside, os.path.basename(place))
            write(target, good + f"\n# {TELLTALE}\n", mode)
            for make in KINDS:
                what = f"{place}: {make.__name__[5:].replace('_', ' ')}"
                os.unlink(real)
                make(real, target)
                result = look(what, host)
                if result:
                    absent = make in (make_link_out, make_link_up, make_magic_link)
                    # A program of 100 GiB is a program all the same.
                    may = (
                        ("pass",)
                        if absent and place in DEFAULTS or make is make_sparse and place in guide.PROGRAMS
                        else ("fail", "error", "skip")
                    )
                    suite.expect_in(f"{what}: {rule}", result.verdict(rule), may)
                    suite.expect_true(
                        f"{what}: {rule} says why", len(result.messages(rule)) > 10, result.messages(rule)
                    )
                remove(real)
                write(real, good, mode)
            # The folder above leads out.
            folder = os.path.dirname(real)
            if os.path.dirname(place) not in ("/usr/lib/systemd/system", "/usr/bin"):
                shutil.copytree(folder, os.path.join(outside, "folder"), symlinks=True)
                write(os.path.join(outside, "folder", os.path.basename(place)), good + f"\n# {TELLTALE}\n", mode)
                os.rename(folder, folder + ".kept")
                os.symlink(os.path.join(outside, "folder"), folder)
                result = look(f"{place}: its folder leads out", host)
                suite.expect_in(
                    f"{place}: its folder leads out: {rule}",
                    result.verdict(rule),
                    ("pass",) if place in DEFAULTS else ("fail", "error", "skip"),
                )
                os.unlink(folder)
                os.rename(folder + ".kept", folder)
                shutil.rmtree(os.path.join(outside, "folder"))
        result = look("all in place again", host)
        suite.expect("all in place again: exit code", result.code, 0)


def test_more_places():
    with tempfile.TemporaryDirectory(prefix="k8scheck-outside-") as outside:
        os.chmod(outside, 0o755)
        write(os.path.join(outside, "file"), f"{TELLTALE}=1\n# {TELLTALE}\n")
        for make in KINDS:
            # All of them at once: one run a kind.
            with Host() as host:
                guide.lay(host)
                host.link("/loop-a", "loop-b")
                host.link("/loop-b", "loop-a")
                for place in MORE_PLACES:
                    path = host.path + place
                    if os.path.isdir(path):
                        path += "/zz"
                    elif os.path.lexists(path):
                        os.unlink(path)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    make(path, os.path.join(outside, "file"))
                look(f"other places: {make.__name__[5:].replace('_', ' ')}", host)


def test_probe(tmp):
    """What plugins get to see, by every service that takes a path."""
    write(os.path.join(tmp, "outside/secret"), TELLTALE + "\n")
    with Host({"/etc/real": "inside\n"}) as host:
        outside = os.path.join(tmp, "outside")
        links = {
            "/abs": outside + "/secret",
            "/up": "../" * 40 + outside.lstrip("/") + "/secret",
            "/dir": outside,
            "/updir": "../" * 40 + outside.lstrip("/"),
            "/in-two": "/abs",
            "/magic": "/proc/self/cwd/../../../../.." + outside + "/secret",
            "/to-etc": "/etc",
            "/etc/back": "..",
            "/dot": ".",
        }
        for path, target in links.items():
            host.link(path, target)
        paths = [
            "/abs",
            "/up",
            "/dir",
            "/dir/secret",
            "/updir/secret",
            "/in-two",
            "/magic",
            "/to-etc/../../../.." + outside + "/secret",
            "/../../../.." + outside + "/secret",
            "/etc/back/back/.." + outside + "/secret",
            "/dot/dot/abs",
        ]
        good = ["/to-etc/real", "/../etc/real", "/etc/back/etc/./real", "/dot/to-etc/back/etc/real"]
        profile = f"rules:\n  - {{id: out, check: probe.files, with: {{paths: [{', '.join(paths)}]}}}}\n  - {{id: in, check: probe.files, with: {{paths: [{', '.join(good)}]}}}}\n"
        for live in ([], ["--live"]):
            result = k8s.run(
                PROGRAM, "--root", host.path, "--plugin-dir", PLUGINS, "--plugin-dir", PROBE, *live, profile=profile
            )
            suite.expect(
                "links that lead out: what was found",
                [f for j in result.rules["out"]["judgements"].values() for f in j["findings"] if f.get("found")],
                [],
            )
            suite.expect("links that lead out: the verdict", result.verdict("out"), "error")
            suite.expect_true("links that lead out: nothing from there", TELLTALE not in json.dumps(result.report))
            found = [
                f["found"]
                for f in result.rules["in"]["judgements"]["boot"]["findings"]
                if f.get("found") and f.get("subject") == "read"
            ]
            suite.expect("links that stay", found, ["inside\n"] * len(good))


# ---- what is judged at all


def test_nothing_applied():
    cri = "rules: [{id: socket, check: cri.answers, with: {endpoint: unix:///run/crio/crio.sock}}]\n"
    with Host({"/etc/hostname": "x\n"}) as host:
        result = k8s.run(PROGRAM, "--root", host.path, "--report", "text", profile=cri)
        suite.expect("a rule of now alone: exit code", (result.code, result.verdict("socket")), (3, "skip"))
        suite.expect_in("a rule of now alone: the gate", "gate: closed (exit 3)", result.out)
        host.write("/etc/os-release", "ID=debian\n")
        result = k8s.run(
            PROGRAM,
            "--root",
            host.path,
            profile=sysctl_profile({"a.b": "1"}).replace("    check", "    when: {os.id: other}\n    check"),
        )
        suite.expect("a condition that is not met: exit code", (result.code, result.verdict("key-0")), (3, "skip"))
        info = "rules: [{id: key, check: sysctl.value, severity: info, with: {keys: [kernel.panic], value: 0}}]\n"
        result = k8s.run(PROGRAM, "--root", host.path, profile=info)
        suite.expect("no required rule at all: exit code", (result.code, result.verdict("key")), (3, "pass"))


def test_bad_roots():
    with Host({"/file": "x"}) as host:
        host.link("/link-to-file", "file")
        for what, path, message in (
            (
                "a root that is missing",
                "/nonexistent/root",
                "/nonexistent/root: there is no such folder; name the top folder of a system",
            ),
            ("a file as root", host.path + "/file", f"{host.path}/file: is no folder; name the top folder of a system"),
            ("a link to a file", host.path + "/link-to-file", "is no folder"),
            ("a device", "/dev/null", "/dev/null: is no folder"),
        ):
            result = call(PROGRAM, "--root", path, "--profile", "crio-1.18")
            suite.expect(f"{what}: exit code", result.code, 2)
            suite.expect_in(what, message, result.err)
            suite.expect(f"{what}: no report", result.out, "")
        # A root by a link, and by a relative name, is a root.
        os.makedirs(host.path + "/real/etc/sysctl.d")
        write(host.path + "/real/etc/sysctl.d/9.conf", "kernel.panic = 77\n")
        host.link("/link", "real")
        here = os.getcwd()
        os.chdir(host.path)
        for path in (host.path + "/link", "link", "./real/", "real/../real"):
            result = k8s.run(PROGRAM, "--root", path, profile=sysctl_profile({"kernel.panic": "77"}))
            suite.expect(f"--root {path}", (result.code, result.verdict("key-0")), (0, "pass"))
        os.chdir(here)


with tempfile.TemporaryDirectory(prefix="k8scheck-test-") as tmp:
    test_opposite()
    test_places()
    test_more_places()
    test_probe(tmp)
    test_nothing_applied()
    test_bad_roots()
for what in left_out:
    print("left out:", what)
suite.end()
