#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real package databases, made here: one of dpkg's in a root, held by apt-mark, and one of rpm's that takes the place of the
machine's in a mount namespace. k8scheck's verdicts against what dpkg-query and rpm say of the same databases."""

import os
import shutil
import subprocess
import sys
import tempfile

from k8s import Suite, run, skip

PROGRAM, PLUGINS = sys.argv[1:3]
suite = Suite("packages, against dpkg and rpm")

RULES = """
rules:
  - {id: kubelet, check: software.package, title: A rule, with: {packages: [kubelet], version: "1.18"}}
  - {id: both, check: software.package, title: A rule, with: {packages: [kubelet, kubeadm], version: "1.18"}}
  - {id: either, check: software.package, title: A rule, with: {packages: ["nothing|tiny-tool"]}}
  - {id: none, check: software.package, title: A rule, with: {packages: [nothing]}}
  - {id: absent, check: software.package, title: A rule, with: {packages: ["nothing|kube", kubectl], state: absent}}
  - {id: held, check: software.package, title: A rule, with: {packages: [kubelet], held: held}}
  - {id: free, check: software.package, title: A rule, with: {packages: [tiny-tool], held: not-held}}
  - {id: kubectl, check: software.package, title: A rule, with: {packages: [kubectl]}}
"""

# Name and version of what is installed; kubectl is removed again.
PACKAGES = {"kubelet": "1.18.4", "kubeadm": "1.180.0", "tiny-tool": "3", "kubectl": "1.18.4"}
EXPECTED = {
    "kubelet": "pass",
    "both": "fail",
    "either": "pass",
    "none": "fail",
    "absent": "pass",
    "held": "fail",
    "free": "pass",
    "kubectl": "fail",
}


def call(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def lacks(*programs):
    return [p for p in programs if not shutil.which(p)]


def hold(what, result, expected):
    suite.expect_true(f"{what}: there is a report", result.report, result.err)
    for name, verdict in expected.items():
        suite.expect(f"{what}: {name} ({result.messages(name)})", result.verdict(name), verdict)


def finding(result, rule):
    return result.rules[rule]["judgements"]["boot"]["findings"][0]


# ---- dpkg


def install_deb(tmp, root, name, version):
    folder = f"{tmp}/deb/{name}"
    control = f"Package: {name}\nVersion: {version}-00\nArchitecture: all\nMaintainer: Nobody <n@example.org>\nDescription: x\n"
    write(f"{folder}/DEBIAN/control", control)
    write(f"{folder}/etc/{name}.conf", "x\n")
    write(f"{folder}/DEBIAN/conffiles", f"/etc/{name}.conf\n")
    call("dpkg-deb", "--root-owner-group", "--build", folder, f"{folder}.deb")
    call("dpkg", f"--root={root}", "--force-depends", "--install", f"{folder}.deb")


def test_dpkg(tmp):
    missing = lacks("dpkg", "dpkg-deb", "dpkg-query", "apt-mark")
    if missing:
        print("no root of dpkg's: there is no " + ", ".join(missing))
        return
    root = f"{tmp}/debian"
    for path in ("info", "updates"):
        os.makedirs(f"{root}/var/lib/dpkg/{path}")
    for path in ("status", "available"):
        write(f"{root}/var/lib/dpkg/{path}", "")
    write(f"{root}/etc/os-release", "ID=debian\nVERSION_ID=12\n")
    def judge():
        return run(PROGRAM, "--plugin-dir", PLUGINS, "--root", root, profile=RULES)

    hold("a root without packages", judge(), {name: "skip" for name in EXPECTED})
    for name, version in PACKAGES.items():
        install_deb(tmp, root, name, version)
    call("dpkg", f"--root={root}", "--remove", "kubectl")
    result = judge()
    hold("dpkg", result, EXPECTED)
    status = call("dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${Status}|${Version}", "kubelet")
    suite.expect("dpkg-query of kubelet", status, "install ok installed|" + (finding(result, "kubelet")["found"] or ""))
    options = ["-o", f"Dir={root}", "-o", f"Dir::State::status={root}/var/lib/dpkg/status"]
    os.makedirs(f"{root}/var/lib/apt/lists/partial")
    os.makedirs(f"{root}/var/cache/apt/archives/partial")
    call("apt-mark", *options, "-o", f"DPkg::Options::=--root={root}", "hold", "kubelet", "tiny-tool")
    result = judge()
    hold("apt-mark hold", result, {**EXPECTED, "held": "pass", "free": "fail"})
    suite.expect_in("apt-mark: the source", "/var/lib/dpkg/status:", finding(result, "held")["source"])
    call("apt-mark", *options, "-o", f"DPkg::Options::=--root={root}", "unhold", "kubelet", "tiny-tool")
    hold("apt-mark unhold", judge(), EXPECTED)


# ---- rpm

SPEC = """
Name: {name}
Version: {version}
Release: 1
Summary: x
License: none
BuildArch: noarch
%description
x
%files
"""

# The machine's databases and configuration give way to those that were made.
WRAPPER = """#!/bin/sh
exec unshare --mount --propagation private sh -c '
    set -e
    mount --bind "{tmp}/etc" /etc
    mount --bind "{tmp}/rpmdb" /var/lib/rpm
    [ ! -d /var/lib/dpkg ] || mount --bind "{tmp}/empty" /var/lib/dpkg
    exec "$@"' sh "$@"
"""


def make_rpms(tmp):
    for name, version in PACKAGES.items():
        write(f"{tmp}/spec/{name}.spec", SPEC.format(name=name, version=version))
        call("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {tmp}/rpmbuild", f"{tmp}/spec/{name}.spec")
        # Under another root rpm runs in it; the database alone is wanted here.
        call("rpm", "--dbpath", f"{tmp}/rpmdb", "--justdb", "--nodeps", "--install",
             f"{tmp}/rpmbuild/RPMS/noarch/{name}-{version}-1.noarch.rpm")
    call("rpm", "--dbpath", f"{tmp}/rpmdb", "--justdb", "--erase", "kubectl")


def make_etc(tmp):
    write(f"{tmp}/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    write(f"{tmp}/etc/group", "root:x:0:\n")
    write(f"{tmp}/etc/os-release", "ID=centos\nVERSION_ID=8\n")
    write(f"{tmp}/etc/rpm/macros", "%_dbpath /var/lib/rpm\n")
    write(f"{tmp}/etc/dnf/dnf.conf", "[main]\ngpgcheck=1\n")
    for path in ("/etc/ld.so.cache", "/etc/ld.so.conf"):
        if os.path.exists(path):
            shutil.copy(path, tmp + path)


def test_rpm(tmp):
    missing = lacks("rpm", "rpmbuild", "unshare", "mount")
    if missing or not os.path.isdir("/var/lib/rpm"):
        print("no database of rpm's: there is no " + (", ".join(missing) or "/var/lib/rpm"))
        return
    for path in ("rpmdb", "empty"):
        os.makedirs(f"{tmp}/{path}")
    make_rpms(tmp)
    make_etc(tmp)
    wrapper = f"{tmp}/inside"
    write(wrapper, WRAPPER.format(tmp=tmp), 0o755)
    if subprocess.run([wrapper, "true"], check=False, capture_output=True).returncode != 0:
        print("no database of rpm's: mounts are not allowed here")
        return
    def judge(*args):
        return run(wrapper, PROGRAM, "--plugin-dir", PLUGINS, *(args or ("--live",)), profile=RULES)

    result = judge()
    hold("rpm", result, EXPECTED)
    said = call(wrapper, "rpm", "-q", "--queryformat", "%{VERSION}-%{RELEASE}.%{ARCH}", "kubelet")
    suite.expect("rpm -q kubelet", said, finding(result, "kubelet")["found"])
    # The plugin names the program, not the profile: who may write that need not be trusted.
    profile = f"{tmp}/others.yaml"
    write(profile, RULES, 0o666)
    hold("a profile that others can write", run(wrapper, PROGRAM, "--plugin-dir", PLUGINS, "--live", "--profile", profile),
         EXPECTED)
    lock = "/etc/dnf/plugins/versionlock"
    write(f"{tmp}{lock}.list", "# Added lock\nkubelet-0:1.18.4-1.*\ntiny-tool-0:3-1.*\n")
    hold("a list that no plugin reads", judge(), EXPECTED)
    write(f"{tmp}{lock}.conf", f"[main]\nenabled = 1\nlocklist = {lock}.list\n")
    result = judge()
    hold("versionlock", result, {**EXPECTED, "held": "pass", "free": "fail"})
    suite.expect("versionlock: the source", finding(result, "held")["source"], f"{lock}.list:2")
    # The same root from outside: nothing of it is run.
    os.makedirs(f"{tmp}/root/var/lib")
    write(f"{tmp}/root/etc/os-release", "ID=centos\n")
    shutil.copytree(f"{tmp}/rpmdb", f"{tmp}/root/var/lib/rpm")
    hold("rpm offline", judge("--root", f"{tmp}/root"), {name: "error" for name in EXPECTED})
    # A database that cannot be opened has no packages, as rpm puts it.
    for name in os.listdir(f"{tmp}/rpmdb"):
        write(f"{tmp}/rpmdb/{name}", "rubbish")
    hold("a broken database", judge(), {name: "error" for name in EXPECTED})


def main():
    if os.geteuid() != 0:
        skip("package databases are made by root")
    for test in (test_dpkg, test_rpm):
        tmp = tempfile.mkdtemp(prefix="k8scheck-packages-")
        try:
            test(tmp)
        finally:
            shutil.rmtree(tmp)
    if not suite.checked:
        skip("neither dpkg nor rpm can make a database here")
    suite.end()


main()
